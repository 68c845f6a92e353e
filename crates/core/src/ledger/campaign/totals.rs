//! What is left of redemptions that are no longer kept apart: for each offer, how many and how much.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{State, TabRecord};
use crate::ident::OfferKey;
use crate::money::{Currency, Money};

/// Redemptions folded together, by the names of offer and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Totals(pub BTreeMap<String, Total>);

/// The redemptions of one offer in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The offer.
    pub offer: OfferKey,
    /// The currency.
    pub currency: Currency,
    /// How many stood.
    pub redemptions: u64,
    /// What they gave, in minor units.
    pub amount: Money,
    /// How many had been given back.
    pub reversed: u64,
}

impl Totals {
    /// Adds all redemptions of a tab.
    pub fn fold(&mut self, record: &TabRecord) {
        for (offer, standing) in &record.offers {
            for redemption in &standing.redemptions {
                let total = self.of(&offer.offer, redemption.currency);
                match redemption.state {
                    State::Applied => {
                        total.redemptions = total.redemptions.saturating_add(1);
                        total.amount = total.amount.saturating_add(redemption.amount);
                    }
                    State::Reversed => total.reversed = total.reversed.saturating_add(1),
                }
            }
        }
    }

    /// Adds what another object has folded.
    pub fn merge(&mut self, other: &Self) {
        for more in other.0.values() {
            let total = self.of(&more.offer, more.currency);
            total.redemptions = total.redemptions.saturating_add(more.redemptions);
            total.amount = total.amount.saturating_add(more.amount);
            total.reversed = total.reversed.saturating_add(more.reversed);
        }
    }

    fn of(&mut self, offer: &OfferKey, currency: Currency) -> &mut Total {
        let none = || Total {
            offer: offer.clone(),
            currency,
            redemptions: 0,
            amount: Money::ZERO,
            reversed: 0,
        };
        self.0.entry(format!("{} {}", offer.as_str(), currency.as_str())).or_insert_with(none)
    }
}
