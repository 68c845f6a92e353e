//! A campaign's turn: which of its offers apply, and in which order.
//!
//! Exclusive offers are looked at first, then groups, both on the cart as it came to the campaign (what
//! the campaigns before it left), so that the choice does not depend on what its other offers do; then
//! what is left is applied by priority. An offer that gives nothing when its turn comes does not apply.

use super::{
    Allowance, Applied, Asked, Context, Decision, Detail, EngineError, Rejected,
    apply::Application, detail::Cause, facts::Facts, matching::Matching, pick::Orders,
    reason::Reason, rows::Rows,
};
use crate::{
    campaign::{Campaign, Offer},
    cart::Cart,
    money::Money,
};

/// How an offer stands.
#[derive(Clone, Debug)]
enum Standing<'a> {
    /// It may apply when its turn comes.
    Open,
    /// Nobody asked for it.
    NotAsked,
    /// It applied.
    Applied,
    /// It does not apply.
    Rejected(Reason, Cause<'a>),
}

impl Standing<'_> {
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
    /// How each offer stands, as in the document.
    standing: Vec<Standing<'a>>,
    /// The most that the campaign's offers may still give.
    most: u64,
}

impl<'t, 'a> Turn<'t, 'a> {
    pub fn new(index: usize, asked: &'t Asked<'a>, cart: &'a Cart, context: &'a Context) -> Self {
        let campaign = asked.campaign;
        let mut standing = Vec::with_capacity(campaign.offers().len());
        standing.resize_with(campaign.offers().len(), || Standing::Open);
        Self {
            index,
            asked,
            campaign,
            cart,
            context,
            standing,
            most: asked.at_most.map_or(u64::MAX, Money::minor),
        }
    }

    /// Applies the campaign's offers to what is left of the cart, and says what is left then.
    pub fn take(
        mut self,
        rows: Rows,
        orders: &Orders,
        decision: &mut Decision<'a>,
    ) -> Result<Rows, EngineError> {
        let matching = Matching::new(self.campaign, self.cart);
        let facts = Facts::new(self.campaign, self.cart, self.context, &matching);
        self.admit(&facts, rows.taken());
        let mut application = Application::new(self.campaign, &matching, orders, rows);
        if !self.choose_exclusive(&facts, &mut application)? {
            self.choose_in_groups(&mut application)?;
        }
        for index in self.campaign.order() {
            if self.standing.get(*index).is_some_and(Standing::is_open) {
                self.apply(*index, &facts, &mut application, decision)?;
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

    /// The most that an offer may give.
    fn most(&self, index: usize) -> u64 {
        match self.allowance(index) {
            Allowance::AtMost(most) => self.most.min(most.minor()),
            _ => self.most,
        }
    }

    fn reject(&mut self, index: usize, reason: Reason, cause: Cause<'a>) {
        if let Some(standing) = self.standing.get_mut(index) {
            *standing = Standing::Rejected(reason, cause);
        }
    }

    /// Rejects what gives nothing.
    fn reject_worthless(&mut self, index: usize) {
        if self.most(index) == 0 {
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
            match self.allowance(index) {
                Allowance::NotAsked => {
                    if let Some(standing) = self.standing.get_mut(index) {
                        *standing = Standing::NotAsked;
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

    /// Leaves only the first exclusive offer that is worth anything, if there is one.
    fn choose_exclusive(
        &mut self,
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
    ) -> Result<bool, EngineError> {
        for index in self.campaign.order() {
            let open = self.standing.get(*index).is_some_and(Standing::is_open);
            let Some(offer) = self.offer(*index).filter(|offer| open && offer.exclusive()) else {
                continue;
            };
            if self.is_worthless(*index, offer, application)? {
                self.reject_worthless(*index);
                continue;
            }
            let by = offer.id().as_str();
            for other in self.campaign.order().iter().filter(|other| *other != index) {
                self.exclude(*other, by, facts, application)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Rejects an offer beside an exclusive one: for a reason of its own, if it has one.
    fn exclude(
        &mut self,
        index: usize,
        by: &'a str,
        facts: &Facts<'_, 'a>,
        application: &mut Application<'_>,
    ) -> Result<(), EngineError> {
        let open = self.standing.get(index).is_some_and(Standing::is_open);
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
            self.reject(index, Reason::Excluded, Cause::Excluded { by });
        }
        Ok(())
    }

    fn is_worthless(
        &self,
        index: usize,
        offer: &Offer,
        application: &mut Application<'_>,
    ) -> Result<bool, EngineError> {
        Ok(application.worth(offer.discounts(), self.most(index))? == 0)
    }

    /// Leaves of each group only the offer that is worth most, of equals the one applied first.
    fn choose_in_groups(&mut self, application: &mut Application<'_>) -> Result<(), EngineError> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for index in self.campaign.order() {
            let open = self.standing.get(*index).is_some_and(Standing::is_open);
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
                worths.push(application.worth(discounts, self.most(*index))?);
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
    ) -> Result<(), EngineError> {
        let Some(offer) = self.offer(index) else {
            return Ok(());
        };
        let taken = application.rows.taken();
        if offer.asks_what_remains() && !self.check(index, offer, facts, taken) {
            return Ok(());
        }
        let given = application.offer(offer.discounts(), self.most(index))?;
        if given == 0 {
            self.reject_worthless(index);
            return Ok(());
        }
        self.most = self.most.saturating_sub(given);
        if let Some(standing) = self.standing.get_mut(index) {
            *standing = Standing::Applied;
        }
        let (mut lines, fees) = application.given();
        if self.cart.lines().len() == 0 {
            // The subtotal of a cart without lines is no line to be named.
            lines.clear();
        }
        decision.applied.push(Applied {
            campaign: self.index,
            offer: index,
            discount: Money::new(given),
            lines,
            fees,
            rounding: self.campaign.rounding(),
        });
        Ok(())
    }

    fn report(self, decision: &mut Decision<'a>) {
        for (offer, standing) in self.standing.into_iter().enumerate() {
            if let Standing::Rejected(reason, cause) = standing {
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
