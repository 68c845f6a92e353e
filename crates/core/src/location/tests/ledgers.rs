//! Campaigns' ledgers beside a location, on records kept in maps.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::json;

use super::{Map, at};
use crate::ident::{CampaignId, LocationId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::rights::Stock;
use crate::ledger::campaign::{
    Books, Command, Mark, Outcome, Redeem, Reply, Reverse, TabRecord, Which, apply,
};
use crate::ledger::shard::{Shard, Siblings};
use crate::location::tab::Place;
use crate::money::Money;
use crate::revision::Announcement;
use crate::time::Instant;

/// One campaign's ledger, not divided.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    tabs: BTreeMap<TabKey, TabRecord>,
    stocks: BTreeMap<String, Stock>,
}

impl Books for Ledger {
    type Error = Infallible;

    fn tab(&self, tab: &TabKey) -> Result<Option<TabRecord>, Infallible> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn stock(&self, key: &str) -> Result<Option<Stock>, Infallible> {
        Ok(self.stocks.get(key).cloned())
    }

    fn siblings(&self) -> Result<Siblings, Infallible> {
        Ok(Siblings::default())
    }

    fn mark(&self) -> Result<Mark, Infallible> {
        Ok(Mark::default())
    }

    fn announced(&self) -> Result<Option<Announcement>, Infallible> {
        Ok(None)
    }

    fn is_empty(&self) -> Result<bool, Infallible> {
        Ok(self.tabs.is_empty() && self.stocks.is_empty())
    }
}

/// What a REDEEM hears: the outcome of each offer it asks for, and all that stands.
pub type Heard = (Vec<Outcome>, BTreeMap<OfferRef, Money>);

impl Ledger {
    fn apply(&mut self, command: &Command) -> Reply {
        let (reply, changes) = apply(self, &Shard::root(), command, at(1000)).unwrap();
        self.tabs.extend(changes.tab);
        self.stocks.extend(changes.stocks);
        reply
    }

    /// A REDEEM of offers with what each gives, each use of the campaign counted up to `limit`.
    pub fn redeem(
        &mut self,
        place: &Place,
        received: Instant,
        offers: &[(OfferRef, Money)],
        limit: u64,
    ) -> Heard {
        let ask = |(offer, amount): &(OfferRef, Money)| json!({"offer": offer, "give": {"amount": amount, "answer": "so much"}});
        let redeem = json!({
            "tab": key(place), "pos": "test", "received": received, "currency": "USD",
            "attempt": format!("at {}", received.millis()), "keep_days": 400,
            "asks": offers.iter().map(ask).collect::<Vec<_>>(),
            "counters": [{"key": "uses", "ceiling": limit, "measure": "uses"}],
        });
        let redeem: Redeem = serde_json::from_value(redeem).unwrap();
        match self.apply(&Command::Redeem(redeem)) {
            Reply::Redeemed(redeemed) => (redeemed.outcomes, redeemed.standing),
            other => panic!("{other:?}"),
        }
    }

    /// Reverses what was received up to an instant; returns what still stands.
    pub fn reverse(
        &mut self,
        place: &Place,
        which: Which,
        received: Instant,
    ) -> BTreeMap<OfferRef, Money> {
        let reverse = Reverse { tab: key(place), which, received };
        match self.apply(&Command::Reverse(reverse)) {
            Reply::Reversed(reversed) => reversed.left,
            other => panic!("{other:?}"),
        }
    }

    /// Lets nothing received up to an instant take anything any more; returns what stands.
    pub fn fence(&mut self, place: &Place, received: Instant) -> BTreeMap<OfferRef, Money> {
        match self.apply(&Command::Fence { tab: key(place), received }) {
            Reply::Standing(standing) => standing,
            other => panic!("{other:?}"),
        }
    }

    /// What stands on any tab, with when the REDEEMs that heard of it were received.
    pub fn standing(&self) -> Vec<(OfferRef, Money, Vec<Instant>)> {
        let of = |record: &TabRecord| -> Vec<_> {
            let attempts = |redemption: &crate::ledger::campaign::Redemption| {
                redemption.attempts.iter().map(|attempt| attempt.received).collect()
            };
            let standing = record.standing();
            standing.map(|(offer, it)| (offer.clone(), it.amount, attempts(it))).collect()
        };
        self.tabs.values().flat_map(of).collect()
    }

    pub fn used(&self) -> u64 {
        self.stocks.get("uses").map_or(0, |stock| stock.used)
    }
}

fn key(place: &Place) -> TabKey {
    TabKey { location: LocationId::parse("1019").unwrap(), tab: place.tab.clone() }
}

/// Ledgers by campaign.
pub type Ledgers = BTreeMap<CampaignId, Ledger>;

/// What stands by all ledgers and is not claimed at a location, or claimed for less.
pub fn unclaimed(ledgers: &Ledgers, here: &mut Map) -> Option<String> {
    let claimed = here.clone().seen(&super::named("t"), 1000).standing;
    let claims = |offer: &OfferRef, amount: Money| {
        claimed.offers.iter().any(|it| it.offer == *offer && it.amount >= amount)
    };
    let mut all = ledgers.values().flat_map(Ledger::standing);
    let missing = all.find(|(offer, amount, _)| !claims(offer, *amount))?;
    Some(format!("{} stands and is not claimed", missing.0))
}
