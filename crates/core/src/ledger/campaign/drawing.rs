//! Counters while a redemption draws on them.

use std::collections::BTreeMap;

use super::Books;
use super::message::{Redeem, Refusal};
use crate::ident::OfferKey;
use crate::ledger::counter::{Counter, Measure, Taken, without_repeats};
use crate::money::Money;

/// Counters are exact in the store below this (2^53: integers cross JavaScript as doubles).
const MOST: u64 = 1 << 53;

/// The counters while one redemption draws on them, offer after offer.
pub(super) struct Drawing {
    counters: Vec<(Counter, u64)>,
    pub(super) changed: BTreeMap<String, u64>,
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
}

impl Drawing {
    pub(super) fn open<B: Books>(books: &B, redeem: &Redeem) -> Result<Self, B::Error> {
        let counters = without_repeats(redeem.counters.clone())
            .into_iter()
            .map(|counter| {
                let used = books.used(&counter.key)?;
                Ok((counter, used))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { counters, changed: BTreeMap::new() })
    }

    /// Draws what one offer takes from every counter it touches, or from none.
    pub(super) fn draw(&mut self, offer: &OfferKey, amount: Money, shared: bool) -> Draw {
        let mut short: Option<(Money, bool)> = None;
        let mut drawn = Vec::new();
        for (counter, before) in &self.counters {
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
            let used = self.changed.get(&counter.key).copied().unwrap_or(*before);
            let after = used.saturating_add(units);
            if after <= counter.ceiling && after < MOST {
                drawn.push((counter, after, Taken { key: counter.key.clone(), units }));
                continue;
            }
            let left = counter.ceiling.min(MOST).saturating_sub(*before);
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
        for (counter, after, taken) in drawn {
            self.changed.insert(counter.key.clone(), after);
            if counter.offer.is_none() && counter.measure == Measure::Uses {
                once.push(taken);
            } else {
                own.push(taken);
            }
        }
        Draw::Taken { own, once }
    }
}
