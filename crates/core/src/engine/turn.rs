//! A campaign's turn: which of its offers apply, and in which order.
//!
//! Exclusive offers are looked at first, then groups, both on the cart as it came to the campaign (what
//! the campaigns before it left), so that the choice does not depend on what its other offers do; then
//! what is left is applied by priority. An offer that gives nothing when its turn comes does not apply.
//!
//! Where offers of the campaign stand on the tab already, they have been chosen: no exclusive offer comes
//! beside them, none beside an exclusive one, and none of a group that has one.

use super::{
    Allowance, Applied, Asked, Context, Decision, Detail, EngineError, Rejected, Standing,
    StandingOffer, apply::Application, detail::Cause, facts::Facts, matching::Matching,
    pick::Orders, reason::Reason, rows::Rows, watch::Watch,
};
use crate::{
    campaign::{Campaign, Offer},
    cart::Cart,
    ident::OfferKey,
    money::Money,
};

/// What has been decided of an offer.
#[derive(Clone, Debug)]
enum State<'a> {
    /// It may apply when its turn comes.
    Open,
    /// Nobody asked for it, or it stands on the tab already.
    NotAsked,
    /// It applied.
    Applied,
    /// It does not apply.
    Rejected(Reason, Cause<'a>),
}

impl State<'_> {
    fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// A campaign's turn.
pub(super) struct Turn<'t, 'a> {
    index: usize,
    asked: &'t Asked<'a>,
    campaign: &'a Campaign,
    cart: &'a Cart,
    context: &'a Context,
    /// What stands on the tab of this campaign.
    own: Vec<&'a StandingOffer>,
    /// What has been decided of each offer, as in the document.
    states: Vec<State<'a>>,
    /// The most that the campaign's offers may still give.
    most: u64,
}

impl<'t, 'a> Turn<'t, 'a> {
    pub fn new(
        index: usize,
        asked: &'t Asked<'a>,
        cart: &'a Cart,
        context: &'a Context,
        standing: &'a Standing,
    ) -> Self {
        let campaign = asked.campaign;
        let mut states = Vec::with_capacity(campaign.offers().len());
        states.resize_with(campaign.offers().len(), || State::Open);
        Self {
            index,
            asked,
            campaign,
            cart,
            context,
            own: standing.of(campaign.id()).collect(),
            states,
            most: asked.at_most.map_or(u64::MAX, Money::minor),
        }
    }

    /// Applies the campaign's offers to what is left of the cart, and says what is left then.
    pub fn take(
        mut self,
        rows: Rows,
        orders: &Orders,
        decision: &mut Decision<'a>,
        mut watch: Option<&mut Watch>,
    ) -> Result<Rows, EngineError> {
        let matching = Matching::new(self.campaign, self.cart);
        let facts = Facts::new(self.campaign, self.cart, self.context, &matching);
        self.admit(&facts, rows.taken());
        let mut application = Application::new(self.campaign, &matching, orders, rows);
        if !self.choose_beside_standing(&facts, &mut application)?
            && !self.choose_exclusive(&facts, &mut application)?
        {
            self.choose_in_groups(&mut application)?;
        }
        for index in self.campaign.order() {
            if self.states.get(*index).is_some_and(State::is_open) {
                self.apply(*index, &facts, &mut application, decision, watch.as_deref_mut())?;
            }
        }
        let rows = application.rows;
        self.report(decision);
        Ok(rows)
    }

    fn offer(&self, index: usize) -> Option<&'a Offer> {
        self.campaign.offers().get(index)
    }

    fn allowance(&self, index: usize) -> Allowance {
        self.asked.allowances.get(index).copied().unwrap_or_default()
    }

    /// The most that the ledger lets an offer give.
    fn allowed(&self, index: usize) -> u64 {
        match self.allowance(index) {
            Allowance::AtMost(most) => self.most.min(most.minor()),
            _ => self.most,
        }
    }

    /// The most that an offer may give.
    fn most(&self, index: usize, rows: &Rows) -> u64 {
        self.allowed(index).min(rows.room())
    }

    fn reject(&mut self, index: usize, reason: Reason, cause: Cause<'a>) {
        if let Some(state) = self.states.get_mut(index) {
            *state = State::Rejected(reason, cause);
        }
    }

    /// Rejects what gives nothing.
    fn reject_worthless(&mut self, index: usize) {
        if self.allowed(index) == 0 {
            let reason = Reason::BudgetExhausted;
            self.reject(index, reason, Cause::Ledger(reason));
        } else {
            self.reject(index, Reason::WorthNothing, Cause::WorthNothing);
        }
    }

    /// Asks the ledger's answer and the condition of every offer. A condition on what remains is left
    /// to the offer's turn, unless a choice has to be made before.
    fn admit(&mut self, facts: &Facts<'_, 'a>, taken: u64) {
        for (index, offer) in self.campaign.offers().iter().enumerate() {
            let allowance = match self.stands(offer) {
                true => Allowance::NotAsked,
                false => self.allowance(index),
            };
            match allowance {
                Allowance::NotAsked => {
                    if let Some(state) = self.states.get_mut(index) {
                        *state = State::NotAsked;
                    }
                    continue;
                }
                Allowance::Refused(reason) => {
                    self.reject(index, reason, Cause::Ledger(reason));
                    continue;
                }
                Allowance::Open | Allowance::AtMost(_) => {}
            }
            let chosen_before = offer.exclusive() || offer.group().is_some();
            if chosen_before || !offer.asks_what_remains() {
                self.check(index, offer, facts, taken);
            }
        }
    }

    /// Rejects an offer whose condition does not hold.
    fn check(&mut self, index: usize, offer: &'a Offer, facts: &Facts<'_, 'a>, taken: u64) -> bool {
        let failing = offer.when().filter(|when| !facts.hold(when, taken));
        if let Some(when) = failing {
            let (reason, cause) = facts.why(when, taken);
            self.reject(index, reason, cause);
        }
        failing.is_none()
    }

    /// Whether an offer stands on the tab already.
    fn stands(&self, offer: &Offer) -> bool {
        !self.own.is_empty() && {
            let key = OfferKey::of(self.campaign.id(), offer.id());
            self.own.iter().any(|standing| standing.offer.offer == key)
        }
    }

    /// Rejects what cannot come beside the campaign's offers that stand; returns whether one of these is
    /// exclusive, so that nothing can.
    fn choose_beside_standing(
        &mut self,
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
    ) -> Result<bool, EngineError> {
        let Some(first) = self.own.first().copied() else { return Ok(false) };
        let alone = self.own.iter().copied().find(|standing| standing.exclusive);
        let by = alone.unwrap_or(first).offer.offer_name();
        for index in self.campaign.order() {
            let Some(offer) = self.offer(*index) else { continue };
            let of_its_group = |standing: &&'a StandingOffer| {
                standing.group.is_some() && standing.group.as_deref() == offer.group_name()
            };
            let rejection = if alone.is_some() {
                (Reason::Excluded, Cause::Excluded { by })
            } else if offer.exclusive() {
                (Reason::Excluded, Cause::AloneBeside { by })
            } else if let Some(standing) = self.own.iter().copied().find(of_its_group) {
                (Reason::Outbid, Cause::GroupStands { by: standing.offer.offer_name() })
            } else {
                continue;
            };
            self.exclude(*index, rejection, facts, application)?;
        }
        Ok(alone.is_some())
    }

    /// Leaves only the first exclusive offer that is worth anything, if there is one.
    fn choose_exclusive(
        &mut self,
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
    ) -> Result<bool, EngineError> {
        for index in self.campaign.order() {
            let open = self.states.get(*index).is_some_and(State::is_open);
            let Some(offer) = self.offer(*index).filter(|offer| open && offer.exclusive()) else {
                continue;
            };
            if self.is_worthless(*index, offer, application)? {
                self.reject_worthless(*index);
                continue;
            }
            let by = offer.id().as_str();
            for other in self.campaign.order().iter().filter(|other| *other != index) {
                let rejection = (Reason::Excluded, Cause::Excluded { by });
                self.exclude(*other, rejection, facts, application)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Rejects an offer beside one that it cannot apply with: for a reason of its own, if it has one.
    fn exclude(
        &mut self,
        index: usize,
        (reason, cause): (Reason, Cause<'a>),
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
    ) -> Result<(), EngineError> {
        let open = self.states.get(index).is_some_and(State::is_open);
        let Some(offer) = self.offer(index).filter(|_| open) else {
            return Ok(());
        };
        let taken = application.rows.taken();
        if offer.asks_what_remains() && !self.check(index, offer, facts, taken) {
            return Ok(());
        }
        if self.is_worthless(index, offer, application)? {
            self.reject_worthless(index);
        } else {
            self.reject(index, reason, cause);
        }
        Ok(())
    }

    fn is_worthless(
        &self,
        index: usize,
        offer: &Offer,
        application: &mut Application<'_>,
    ) -> Result<bool, EngineError> {
        let most = self.most(index, &application.rows);
        Ok(application.worth(offer.discounts(), most)? == 0)
    }

    /// Leaves of each group only the offer that is worth most, of equals the one applied first.
    fn choose_in_groups(&mut self, application: &mut Application<'_>) -> Result<(), EngineError> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for index in self.campaign.order() {
            let open = self.states.get(*index).is_some_and(State::is_open);
            let Some(group) = self.offer(*index).filter(|_| open).and_then(Offer::group) else {
                continue;
            };
            if groups.len() <= group {
                groups.resize_with(group.saturating_add(1), Vec::new);
            }
            if let Some(members) = groups.get_mut(group) {
                members.push(*index);
            }
        }
        for members in groups.into_iter().filter(|members| members.len() > 1) {
            let mut worths = Vec::with_capacity(members.len());
            for index in &members {
                let discounts = self.offer(*index).map_or(&[][..], Offer::discounts);
                let most = self.most(*index, &application.rows);
                worths.push(application.worth(discounts, most)?);
            }
            let best = worths.iter().copied().max().unwrap_or(0);
            let first = worths.iter().position(|worth| *worth == best).unwrap_or(0);
            let by = members.get(first).and_then(|index| self.offer(*index));
            let by = by.map_or("", |offer| offer.id().as_str());
            for (place, (index, own)) in members.iter().zip(worths).enumerate() {
                if place == first {
                    continue;
                }
                if own == 0 {
                    self.reject_worthless(*index);
                    continue;
                }
                let currency = self.campaign.currency();
                let cause = Cause::Outbid { by, own, best, currency };
                self.reject(*index, Reason::Outbid, cause);
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        index: usize,
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
        decision: &mut Decision<'a>,
        watch: Option<&mut Watch>,
    ) -> Result<(), EngineError> {
        let Some(offer) = self.offer(index) else {
            return Ok(());
        };
        let taken = application.rows.taken();
        if offer.asks_what_remains() && !self.check(index, offer, facts, taken) {
            return Ok(());
        }
        let most = self.most(index, &application.rows);
        let given = application.offer(offer.discounts(), most)?;
        if given == 0 {
            self.reject_worthless(index);
            return Ok(());
        }
        self.most = self.most.saturating_sub(given);
        application.rows.count(given);
        if let Some(state) = self.states.get_mut(index) {
            *state = State::Applied;
        }
        let (mut lines, fees) = application.given();
        if self.cart.lines().len() == 0 {
            // The subtotal of a cart without lines is no line to be named.
            lines.clear();
        }
        let units = match watch {
            Some(watch) => watch.taken(&mut application.rows, &lines)?,
            None => Vec::new(),
        };
        decision.applied.push(Applied {
            campaign: self.index,
            offer: index,
            discount: Money::new(given),
            lines,
            units,
            fees,
            rounding: self.campaign.rounding(),
        });
        Ok(())
    }

    fn report(self, decision: &mut Decision<'a>) {
        for (offer, state) in self.states.into_iter().enumerate() {
            if let State::Rejected(reason, cause) = state {
                decision.rejected.push(Rejected {
                    campaign: self.index,
                    offer: Some(offer),
                    reason,
                    detail: Detail(cause),
                });
            }
        }
    }
}
