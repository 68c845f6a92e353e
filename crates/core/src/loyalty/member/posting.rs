//! What a member's books are made of: postings, each from one place to another.

use serde::{Deserialize, Serialize};

use crate::ident::OfferRef;
use crate::ledger::TabKey;
use crate::time::{Date, Instant};

/// The lot of what is owed.
pub const OWED: u32 = 0;
/// The lot of what was let off: below zero in [`Account::Issued`] by as much.
pub const LET_OFF: u32 = u32::MAX;

/// Where points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Where they come from; below zero by all that was ever issued.
    Issued,
    /// Earned and not to be spent yet.
    Pending,
    /// To be spent.
    Available,
    /// Spent.
    Spent,
    /// Expired.
    Expired,
}

/// Why points moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A closed tab earned them.
    Earned,
    /// A closed tab was closed anew, or reversed.
    Corrected,
    /// Their days of waiting are over.
    Matured,
    /// They paid what was owed, or what had been let off.
    Settled,
    /// They were to be taken back, but were spent, and the programme does not let a balance go below zero.
    LetOff,
    /// A reward or a payment took them.
    Redeemed,
    /// A redemption was reversed.
    Returned,
    /// Their time is over.
    Lapsed,
    /// An operator said so.
    Adjusted,
    /// The person was erased.
    Erased,
}

/// An account of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The account.
    pub account: Account,
    /// The lot.
    pub lot: u32,
}

/// Points that have the same days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The business day of the visit, or of what else brought them.
    pub earned: Date,
    /// The first day on which they can be spent.
    pub matures: Date,
    /// The first day on which they are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// Whether a tab earned them, which counts for tiers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_tab: bool,
}

/// Points moved from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// 1 for the first, and so on.
    pub number: u64,
    /// When it was written.
    pub at: Instant,
    /// The business day it is of.
    pub on: Date,
    /// Why.
    pub why: Why,
    /// How many, more than none.
    pub points: u64,
    /// Where from.
    pub from: Place,
    /// Where to.
    pub to: Place,
    /// The lot that this opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Lot>,
    /// The tab it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab: Option<TabKey>,
    /// What was redeemed or reversed, and in which of its epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption: Option<(OfferRef, u32)>,
    /// What the operator said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
