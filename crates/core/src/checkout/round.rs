//! Deciding the same cart again and again, each time knowing a little more of what the ledger lets
//! through.
//!
//! Each thing heard takes an offer out or lowers what it may give, so the rounds come to an end.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::counters::{Counters, counters, counts_customers};
use super::quote::{Quote, Rejection};
use super::{Event, Failure, Found, Person, Ports, Unreachable};
use crate::campaign::Campaign;
use crate::engine::{Allowance, Asked, Reason, Rejected, Standing, StandingOffer, decide_by_unit};
use crate::ident::{CodeKey, OfferKey, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Ask, Brought, Give, Mark, Outcome, Redeem, Redeemed, Refusal};
use crate::ledger::counter::Measure;
use crate::ledger::shard::Shard;
use crate::money::Money;
use crate::revision::Revision;

/// Whom a campaign counts a redemption for: the one a card was given to, whoever shows it, else whom the
/// cart names. Whether that is a member is looked up only where it matters.
///
/// # Errors
/// When it cannot be found out whether this is a member.
pub(super) async fn customer(
    ports: &impl Ports,
    found: &Found,
    event: &Event,
    hurry: bool,
) -> Result<Option<Person>, Unreachable> {
    let Some(person) = named(found, event) else { return Ok(None) };
    if !counts_customers(&found.campaign) {
        return Ok(Some(person.clone()));
    }
    ports.person(person, hurry).await.map(Some)
}

/// The same, without looking up whether it is a member.
pub(super) fn named<'a>(found: &'a Found, event: &'a Event) -> Option<&'a Person> {
    let holder = found.instrument.as_ref().map(|instrument| &instrument.customer);
    holder.or(event.customer.as_ref())
}

/// A campaign that takes part, and what has been heard of its offers.
pub(super) struct Party {
    /// The campaign.
    pub campaign: Rc<Campaign>,
    /// Which revision of its document this is computed from.
    pub revision: Option<Revision>,
    /// The code that led to it.
    pub code: CodeKey,
    /// The guest: the one a card was given to, whoever shows it.
    customer: Option<Person>,
    /// By offer.
    allowances: Vec<Allowance>,
    /// What all its offers together may give.
    room: Option<Money>,
    /// What the ledger will be asked to look at.
    counters: Counters,
}

impl Party {
    /// A campaign with all its offers, or only those that `named` says, for this customer: see
    /// [`customer`].
    pub fn new(
        found: Found,
        customer: Option<Person>,
        event: &Event,
        named: impl Fn(&OfferKey) -> bool,
    ) -> Self {
        let Found { campaign, key: code, instrument, .. } = found;
        let counters = counters(&campaign, instrument.as_ref(), &code, customer.as_ref(), event);
        let allowances = campaign.offers().iter().enumerate().map(|(index, offer)| {
            let unknown =
                counters.unknown_customer || counters.unknown_customer_for.contains(&index);
            match named(&OfferKey::of(campaign.id(), offer.id())) {
                false => Allowance::NotAsked,
                true if unknown => Allowance::Refused(Reason::CustomerUnknown),
                true => Allowance::Open,
            }
        });
        let allowances = allowances.collect();
        let revision = campaign.revision();
        Self { campaign, revision, code, customer, allowances, room: None, counters }
    }

    /// The `offer_id` of one of its offers.
    pub fn offer_ref(&self, index: usize) -> Option<OfferRef> {
        let offer = self.campaign.offers().get(index)?;
        Some(OfferRef {
            campaign: self.campaign.id().clone(),
            offer: OfferKey::of(self.campaign.id(), offer.id()),
            code: self.code.clone(),
        })
    }

    /// A rejection, once for each offer it means that was asked for.
    fn rejections(&self, rejected: &Rejected<'_>) -> impl Iterator<Item = Rejection> {
        let whole = 0..self.allowances.len();
        let offers = rejected.offer.map_or(whole, |offer| offer..offer.saturating_add(1));
        let (reason, detail) = (rejected.reason, rejected.detail.to_string());
        let asked = |index: &usize| {
            self.allowances.get(*index).is_some_and(|allowance| *allowance != Allowance::NotAsked)
        };
        offers.filter(asked).filter_map(move |index| {
            let offer_id = self.offer_ref(index)?.to_string();
            Some(Rejection { offer_id, reason, detail: detail.clone() })
        })
    }

    /// Rejections of all that was asked for.
    pub fn reject_all(&self, reason: Reason, detail: &str) -> Vec<Rejection> {
        let asked = (0..self.allowances.len()).zip(&self.allowances);
        let asked = asked.filter(|(_, allowance)| **allowance != Allowance::NotAsked);
        let reject = |(index, _): (usize, &Allowance)| {
            let offer_id = self.offer_ref(index)?.to_string();
            Some(Rejection { offer_id, reason, detail: detail.to_owned() })
        };
        asked.filter_map(reject).collect()
    }

    /// Takes every offer out that is still in.
    pub fn refuse_all(&mut self, reason: Reason) {
        for allowance in &mut self.allowances {
            if !matches!(allowance, Allowance::NotAsked | Allowance::Refused(_)) {
                *allowance = Allowance::Refused(reason);
            }
        }
    }

    /// Takes these offers out.
    pub fn refuse(&mut self, offers: &[OfferRef], reason: Reason) {
        offers.iter().for_each(|offer| self.allow(offer, Allowance::Refused(reason)));
    }

    /// Lowers what all its offers together may give.
    pub fn limit(&mut self, room: Money) {
        self.room = Some(self.room.map_or(room, |before| before.min(room)));
    }

    /// Lowers what offers may give beyond what they have, to so much together, in the order they
    /// apply.
    pub fn fit(
        &mut self,
        asked: &[(OfferRef, Money)],
        have: &BTreeMap<OfferRef, Money>,
        room: Money,
        none_left: Reason,
    ) {
        let mut rest = room;
        for (offer, amount) in asked {
            let had = have.get(offer).copied().unwrap_or(Money::ZERO);
            let more = amount.saturating_sub(had);
            let granted = more.min(rest);
            rest = rest.saturating_sub(granted);
            if granted == more {
                continue;
            }
            let most = had.saturating_add(granted);
            self.allow(
                offer,
                if most.is_zero() {
                    Allowance::Refused(none_left)
                } else {
                    Allowance::AtMost(most)
                },
            );
        }
    }

    fn allow(&mut self, offer: &OfferRef, allowance: Allowance) {
        let index =
            (0..self.allowances.len()).find(|index| self.offer_ref(*index).as_ref() == Some(offer));
        if let Some(before) = index.and_then(|index| self.allowances.get_mut(index)) {
            *before = allowance;
        }
    }

    /// Takes out what a ledger has published as exhausted.
    pub fn heed(&mut self, mark: &Mark) {
        for counter in self.counters.counters.iter().filter(|counter| mark.covers(counter)) {
            let reason = match counter.measure {
                Measure::Uses => Reason::QuotaExhausted,
                Measure::Amount => Reason::BudgetExhausted,
            };
            for (offer, allowance) in self.campaign.offers().iter().zip(&mut self.allowances) {
                let key = OfferKey::of(self.campaign.id(), offer.id());
                let concerned = counter.offer.as_ref().is_none_or(|of| *of == key);
                if concerned && *allowance == Allowance::Open {
                    *allowance = Allowance::Refused(reason);
                }
            }
        }
    }

    /// Whether another code of the campaign stands.
    pub fn has_other_code(&self, standing: &Standing) -> bool {
        standing.of(self.campaign.id()).any(|it| it.offer.code != self.code)
    }

    /// Which object of its ledger would keep this tab.
    pub fn home(&self, event: &Event, region: &str) -> Shard {
        let customer = self.customer.as_ref().map(|person| person.name.as_str());
        self.campaign.ledger().home(&self.code, customer, &event.tab, region)
    }

    /// The command for a ledger: what is given, in the order it applies, then what is only named.
    pub fn command(
        &self,
        quotes: &[Quote],
        only_named: &[OfferRef],
        tab: TabKey,
        event: &Event,
    ) -> Redeem {
        let given = quotes.iter().map(|quote| Ask {
            offer: quote.offer_id.clone(),
            give: Some(Give {
                amount: quote.discount,
                // Our own type to memory: it does not fail, and an empty answer is never read.
                answer: serde_json::to_string(quote).unwrap_or_default(),
            }),
        });
        let named = only_named
            .iter()
            .filter(|offer| quotes.iter().all(|quote| quote.offer_id != **offer))
            .map(|offer| Ask { offer: offer.clone(), give: None });
        Redeem {
            tab,
            customer: self.customer.as_ref().map(|person| person.name.clone()),
            pos: event.pos.to_owned(),
            received: event.received,
            attempt: event.attempt.clone(),
            currency: event.cart.currency(),
            asks: given.chain(named).collect(),
            counters: self.counters.counters.clone(),
            revision: self.revision,
            keep_days: self.campaign.retention_days(),
            layout: self.campaign.ledger(),
            brought: Brought::default(),
        }
    }

    /// Hears what the ledger says to a command; returns whether there is anything to decide again.
    pub fn hear(&mut self, command: &Redeem, redeemed: &Redeemed) -> bool {
        let mut again = false;
        for (ask, outcome) in command.asks.iter().zip(&redeemed.outcomes) {
            let heard = match outcome {
                Outcome::Refused(refusal) => Allowance::Refused(reason(*refusal)),
                Outcome::Short(left) => Allowance::AtMost(*left),
                Outcome::Applied { .. } | Outcome::Open | Outcome::Absent => continue,
            };
            again |= ask.give.is_some();
            self.allow(&ask.offer, heard);
        }
        if let Some(room) = redeemed.room {
            let asked = |ask: &Ask| Some((ask.offer.clone(), ask.give.as_ref()?.amount));
            let asks = || command.asks.iter().zip(&redeemed.outcomes);
            let recalled = asks().filter(|(_, o)| matches!(o, Outcome::Applied { .. }));
            let recalled: BTreeMap<_, _> = recalled.filter_map(|(ask, _)| asked(ask)).collect();
            if recalled.is_empty() {
                self.limit(room);
            } else {
                // What stands already is no part of what new ones may give.
                let all: Vec<_> = asks().filter_map(|(ask, _)| asked(ask)).collect();
                self.fit(&all, &recalled, room, Reason::BudgetExhausted);
            }
            again = true;
        }
        again
    }
}

/// What the engine says of one campaign.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The offers that apply.
    pub quotes: Vec<Quote>,
    /// The same, as they will stand on the tab.
    pub offers: Vec<StandingOffer>,
    /// The others that were asked for.
    pub rejections: Vec<Rejection>,
    /// What the tab costs before any discount, with its fees.
    pub ceiling: Money,
}

impl Party {
    /// What the engine says of it beside what stands, knowing what has been heard. `others` is what the
    /// cart has been made less by already, if it came net.
    ///
    /// # Errors
    /// When the cart cannot be priced.
    pub fn decide(
        &self,
        event: &Event,
        standing: &Standing,
        others: &Standing,
    ) -> Result<Said, Failure> {
        let gross = match event.net {
            true => {
                Some(event.cart.clone().gross(others).map_err(|it| Failure::Cart(it.to_string()))?)
            }
            false => None,
        };
        let cart = gross.as_ref().unwrap_or(&event.cart);
        let asked =
            [Asked { campaign: &self.campaign, allowances: &self.allowances, at_most: self.room }];
        let decision = decide_by_unit(&asked, cart, &event.context, standing)
            .map_err(|error| Failure::Cart(error.to_string()))?;
        let mut said =
            Said { ceiling: cart.subtotal().saturating_add(cart.fees_total()), ..Said::default() };
        for applied in &decision.applied {
            let offer_ref = self.offer_ref(applied.offer);
            let quote = offer_ref.and_then(|id| Quote::of(applied, &self.campaign, id, event));
            let offer = StandingOffer::of(applied, &self.campaign, self.code.clone(), cart);
            if let Some((quote, offer)) = quote.zip(offer) {
                said.quotes.push(quote);
                said.offers.push(offer);
            }
        }
        said.rejections = decision.rejected.iter().flat_map(|it| self.rejections(it)).collect();
        Ok(said)
    }
}

const fn reason(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::QuotaExhausted => Reason::QuotaExhausted,
        Refusal::BudgetExhausted => Reason::BudgetExhausted,
        Refusal::AlreadyReversed => Reason::AlreadyReversed,
        Refusal::DoesNotCombine => Reason::DoesNotCombine,
        Refusal::NotEnoughPoints => Reason::InsufficientPoints,
        Refusal::Late => Reason::TemporarilyUnavailable,
    }
}
