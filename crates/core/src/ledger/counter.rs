//! Counters: a quota of the document made concrete for one redemption.
//!
//! A quota says "one per customer a day". For a given guest at a given instant that is one counter
//! with one ceiling. Its key names what is counted (measure, whose, per what, in which window), never
//! the limit: a limit raised or lowered in the document goes on counting where it stood.

use serde::{Deserialize, Serialize};

use super::shard::Apart;
use crate::ident::OfferKey;

/// What a counter adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Redemptions, one each.
    Uses,
    /// Discount given, in minor units.
    Amount,
}

/// One counter that a redemption must find room in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// What is counted; equal keys are one counter.
    pub key: String,
    /// Counters of the same person under other names: what they have counted counts against the ceiling,
    /// and nothing is added to them any more. Where the ledger is divided by customer, only those that
    /// the same object owns are seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What is counted may reach this and not pass it: uses, or minor units.
    pub ceiling: u64,
    /// Uses or discount.
    pub measure: Measure,
    /// Of a short budget: give what is left rather than refuse.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The offer whose quota this is; absent for the campaign's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferKey>,
    /// What it counts apart, where the ledger is divided; decides which object owns it.
    #[serde(default, skip_serializing_if = "Apart::is_nothing")]
    pub apart: Apart,
}

/// What a redemption took from a counter, kept with it so that a reversal gives back exactly that,
/// whatever the document says by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The counter's key.
    pub key: String,
    /// Uses, or minor units.
    pub units: u64,
}

/// Two quotas that count the same thing are one counter with the lower ceiling: taken from once.
#[must_use]
pub fn without_repeats(mut counters: Vec<Counter>) -> Vec<Counter> {
    counters.sort_by(|a, b| a.key.cmp(&b.key).then(a.ceiling.cmp(&b.ceiling)));
    counters.dedup_by(|later, kept| later.key == kept.key);
    counters
}
