//! Counters while a redemption draws on them.

use std::collections::BTreeMap;

use super::Books;
use super::escrow::{self, Place, Role};
use super::message::{Redeem, Refusal};
use super::rights::{MOST, Need, Owner, Rights, Stock};
use crate::ident::OfferKey;
use crate::ledger::counter::{Counter, Measure, Taken, without_repeats};
use crate::money::Money;

/// The counters while one redemption draws on them, offer after offer.
pub(super) struct Drawing {
    counters: Vec<Held>,
    pub(super) changed: BTreeMap<String, Stock>,
    /// What this object must have before it can decide, by counter.
    pub(super) needs: BTreeMap<String, Need>,
}

/// One counter as this object has it.
struct Held {
    counter: Counter,
    /// Before this redemption.
    before: Stock,
    /// How far it may count.
    reach: u64,
    role: Role,
    /// Nobody else has more to give.
    last: bool,
}

pub(super) enum Draw {
    /// `own` is given back with the offer, `once` with the last offer of the campaign on the tab.
    Taken {
        own: Vec<Taken>,
        once: Vec<Taken>,
    },
    /// A budget has less; a campaign's is told before this redemption drew on it.
    Short {
        left: Money,
        of_campaign: bool,
    },
    Refused(Refusal),
    /// Another object must be asked first: see [`Drawing::needs`].
    Lacking,
}

impl Held {
    /// The need of what it takes to count that far, if others may have it.
    fn need(&self, place: &Place<'_>, target: u64) -> Option<Need> {
        let (used, counter) = (self.before.used, &self.counter);
        match &self.role {
            Role::Lacks(need) => Some(need.clone()),
            _ if self.last => None,
            Role::Holder(holder) => {
                let provision = holder.provision(counter, place.me, used, target);
                Some(Need::Rights(holder.owner.clone(), provision))
            }
            Role::Owner(Owner { grants, .. }) if grants.is_empty() => None,
            Role::Owner(_) => {
                let none = super::rights::Holder::default();
                let mut provision = none.provision(counter, place.me, used, target);
                provision.units = target.saturating_sub(used);
                Some(Need::Rights(place.me.clone(), provision))
            }
        }
    }
}

impl Drawing {
    pub(super) fn open<B: Books>(
        books: &B,
        place: &Place<'_>,
        redeem: &Redeem,
    ) -> Result<Self, B::Error> {
        let held = |counter: Counter| {
            let mut stock = books.stock(&counter.key)?;
            for granted in redeem.brought.grants.iter().filter(|g| g.key == counter.key) {
                place.receive(&mut stock, granted);
            }
            let role = place.role(&counter, stock.as_ref());
            let before = stock.unwrap_or_default();
            let reach = match &role {
                Role::Owner(owner) => {
                    let elsewhere = escrow::counted_elsewhere(books, &counter)?;
                    owner.reach(counter.ceiling).saturating_sub(elsewhere)
                }
                // Its owner has seen to the other names.
                Role::Holder(holder) => holder.reach(counter.ceiling, before.used),
                Role::Lacks(_) => 0,
            };
            let last = redeem.brought.last.contains(&counter.key);
            Ok(Held { counter, before, reach, role, last })
        };
        let counters = without_repeats(redeem.counters.clone()).into_iter().map(held);
        let counters = counters.collect::<Result<_, _>>()?;
        Ok(Self { counters, changed: BTreeMap::new(), needs: BTreeMap::new() })
    }

    /// Draws what one offer takes from every counter it touches, or from none.
    pub(super) fn draw(
        &mut self,
        place: &Place<'_>,
        offer: &OfferKey,
        amount: Money,
        shared: bool,
    ) -> Draw {
        let mut short: Option<(Money, bool)> = None;
        let mut drawn = Vec::new();
        let mut lacking = Vec::new();
        for held in &self.counters {
            let counter = &held.counter;
            let of_campaign = counter.offer.is_none();
            if counter.offer.as_ref().is_some_and(|of| of != offer)
                || (of_campaign && counter.measure == Measure::Uses && shared)
            {
                continue;
            }
            let (units, refusal) = match counter.measure {
                Measure::Uses => (1, Refusal::QuotaExhausted),
                Measure::Amount => (amount.minor(), Refusal::BudgetExhausted),
            };
            let used = self.changed.get(&counter.key).map_or(held.before.used, |stock| stock.used);
            let after = used.saturating_add(units);
            let taken = Taken { key: counter.key.clone(), units };
            if after <= held.reach && after < MOST {
                drawn.push((held, after, taken));
                continue;
            }
            if let Some(need) = held.need(place, after) {
                lacking.push((counter.key.clone(), need));
                // Those that follow ask for what comes on top.
                drawn.push((held, after, taken));
                continue;
            }
            let left = held.reach.min(MOST).saturating_sub(held.before.used);
            if !counter.partial || counter.measure == Measure::Uses || left == 0 {
                return Draw::Refused(refusal);
            }
            let left = Money::new(left);
            if short.is_none_or(|(least, _)| left < least) {
                short = Some((left, of_campaign));
            }
        }
        if let Some((left, of_campaign)) = short {
            return Draw::Short { left, of_campaign };
        }
        let (mut own, mut once) = (Vec::new(), Vec::new());
        for (held, after, taken) in drawn {
            let Held { counter, before, role, .. } = held;
            let rights = match role {
                Role::Holder(holder) => Some(Rights::Holder(holder.clone())),
                Role::Owner(_) | Role::Lacks(_) => before.rights.clone(),
            };
            self.changed.insert(counter.key.clone(), Stock { used: after, rights });
            if counter.offer.is_none() && counter.measure == Measure::Uses {
                once.push(taken);
            } else {
                own.push(taken);
            }
        }
        if lacking.is_empty() {
            return Draw::Taken { own, once };
        }
        self.needs.extend(lacking);
        Draw::Lacking
    }
}
