//! What is asked of a campaign's ledger, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rights::{Adopt, Estate, Granted, Need, Provided, Provision, Returned};
use crate::ident::OfferRef;
use crate::ledger::counter::Counter;
use crate::ledger::shard::{LedgerLayout, Shard};
use crate::ledger::{Attempt, TabKey};
use crate::money::{Currency, Money};
use crate::revision::{Announcement, Revision};
use crate::time::Instant;

/// A command to a campaign's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Take.
    Redeem(Redeem),
    /// The same question, read-only: would it be taken?
    Peek(Redeem),
    /// Give back.
    Reverse(Reverse),
    /// Let no REDEEM received up to then take anything on this tab any more, and say what stands: the
    /// answer then holds until a later REDEEM. Whoever is refused for this may ask again.
    Fence {
        /// The tab.
        tab: TabKey,
        /// Up to when.
        received: Instant,
    },
    /// To an owner: hand out rights. (This and what follows: in a divided ledger, see [`super::rights`].)
    Provide(Provide),
    /// To holders: all each was ever granted; what is not spent goes back.
    Recall(Vec<Granted>),
    /// To holders, read-only: what each would give back.
    Unspent(Vec<Granted>),
    /// To an owner: what holders have given back.
    Restock(Vec<Returned>),
    /// To a counter's owner by an earlier layout: it passes to another.
    Cede(Adopt, Vec<LedgerLayout>),
    /// To its owner by a later one: here it is.
    Adopt(Estate),
    /// The campaign's document has this revision now: nothing that was computed from an older one is
    /// taken any more. To the root first, which refuses older ones from then on and says who else is to
    /// hear it.
    Announce(Announcement),
}

impl Command {
    /// Whether it writes nothing, whatever the answer.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self, Self::Peek(_) | Self::Unspent(_) | Self::Provide(Provide { peek: true, .. }))
    }

    /// Whether it gives or takes nothing on any tab: it looks, or moves rights between objects.
    #[must_use]
    pub const fn is_upkeep(&self) -> bool {
        !matches!(self, Self::Redeem(_) | Self::Reverse(_) | Self::Fence { .. })
    }
}

/// The answer to a [`Command`], by the same names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Command::Redeem`] and [`Command::Peek`].
    Redeemed(Redeemed),
    /// To [`Command::Reverse`].
    Reversed(Reversed),
    /// To [`Command::Fence`]: what stands, with what it gives.
    Standing(BTreeMap<OfferRef, Money>),
    /// To [`Command::Provide`]: one for each provision; what a shard that enrolled has to know.
    Provided(Vec<Provided>, Enrolled),
    /// To [`Command::Recall`] and [`Command::Unspent`]: what each has given back, or would.
    Returned(Vec<Returned>),
    /// To [`Command::Cede`].
    Ceded(Ceded),
    /// To [`Command::Restock`] and [`Command::Adopt`].
    Done,
    /// To [`Command::Announce`]: the other objects of this ledger, if this is its root.
    Announced(Vec<Shard>),
    /// To [`Command::Redeem`], [`Command::Peek`] and [`Command::Provide`]: the command was computed from
    /// an older document than this one, and nothing was written.
    Outdated(Announcement),
}

/// Hand out rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provide {
    /// By which layout this object is asked.
    pub layout: LedgerLayout,
    /// From which revision of the document; none: one put into KV by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The list of layouts, if this object lacked it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<LedgerLayout>,
    /// To the root: note this shard and its layout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrol: Option<Enrolment>,
    /// Only say what would be; write nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub peek: bool,
    /// What is asked for.
    pub provisions: Vec<Provision>,
}

/// A shard makes itself known to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Which.
    pub shard: Shard,
    /// The layout by which it was asked.
    pub layout: LedgerLayout,
}

/// What a shard has to know when it enrols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The list of layouts; empty, if nobody enrolled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<LedgerLayout>,
    /// What has been announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announcement>,
}

/// What came of a [`Command::Cede`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceded {
    /// The counter is handed on.
    Estate(Estate),
    /// This one owns it, since that term.
    Moved(Shard, u32),
    /// First this is needed here.
    Need(Need),
}

/// What an object was found to lack, brought along when it is asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// The list of layouts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<LedgerLayout>,
    /// What has been announced, as the root said when the object enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announcement>,
    /// Rights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Granted>,
    /// Counters of which there is no more anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last: Vec<String>,
}

impl Brought {
    /// Whether it is nothing.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.layouts.is_empty()
            && self.announced.is_none()
            && self.grants.is_empty()
            && self.last.is_empty()
    }
}

/// Take these offers on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeem {
    /// The tab.
    pub tab: TabKey,
    /// The guest's pseudonym, if anybody knows the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Which POS asks.
    pub pos: String,
    /// When the event reached the edge.
    pub received: Instant,
    /// This very request: what it took can be undone by this name if nobody heard the answer.
    pub attempt: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// The offers, in the order they apply.
    pub asks: Vec<Ask>,
    /// Every counter any of them touches.
    pub counters: Vec<Counter>,
    /// The revision of the campaign's document from which all this was computed; none: one put into KV by
    /// hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// For how many days redemptions are kept apart, as this edge has read it; 0: nothing of this was
    /// computed from a document, it only asks what stands.
    pub keep_days: u32,
    /// How the ledger is laid out, as this edge has read it.
    #[serde(default = "single", skip_serializing_if = "is_single")]
    pub layout: LedgerLayout,
    /// What the object was found to lack.
    #[serde(default, skip_serializing_if = "Brought::is_nothing")]
    pub brought: Brought,
}

const fn single() -> LedgerLayout {
    LedgerLayout::SINGLE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_single(layout: &LedgerLayout) -> bool {
    *layout == LedgerLayout::SINGLE
}

impl Redeem {
    /// Whether it only asks what stands, and so takes nothing by whatever document.
    #[must_use]
    pub fn only_asks(&self) -> bool {
        self.keep_days == 0 && self.asks.iter().all(|ask| ask.give.is_none())
    }
}

/// One offer that a REDEEM names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Which.
    pub offer: OfferRef,
    /// What it gives; absent when the engine rejected it, and it is only asked whether it was
    /// redeemed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<Give>,
}

/// What an offer gives on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Give {
    /// The discount.
    pub amount: Money,
    /// The answer to keep with it.
    pub answer: String,
}

/// What became of each ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeemed {
    /// One for each ask, in order.
    pub outcomes: Vec<Outcome>,
    /// When a budget of the campaign gives only part: what all new offers together may still give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Money>,
    /// All that stands on the tab now, asked for or not.
    pub standing: BTreeMap<OfferRef, Money>,
    /// What this object must have before it can decide; nothing was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

/// What became of one ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It stands; `answer` is the first one's when it stood before.
    Applied {
        /// The discount.
        amount: Money,
        /// The answer kept with it.
        answer: String,
    },
    /// There is room for it, but nothing was taken, because of another ask (or only a peek).
    Open,
    /// Its budget has only so much left: ask again with that.
    Short(Money),
    /// It cannot be had.
    Refused(Refusal),
    /// Nothing was given by the engine, and nothing stands.
    Absent,
}

/// Why the ledger refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A limit is reached.
    QuotaExhausted,
    /// A budget is spent.
    BudgetExhausted,
    /// A reversal overtook it.
    AlreadyReversed,
    /// The tab already has what it does not combine with.
    DoesNotCombine,
    /// The member has not so many points.
    NotEnoughPoints,
    /// A fence was put up before it arrived; it may be asked again.
    Late,
}

/// Give back offers of this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverse {
    /// The tab.
    pub tab: TabKey,
    /// Which offers.
    pub which: Which,
    /// When the event reached the edge.
    pub received: Instant,
}

/// What a reversal gives back. Each also covers what is still on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Everything on the tab.
    All,
    /// These offers.
    Offers(Vec<OfferRef>),
    /// What one attempt took, unless another attempt heard that it stands.
    Attempt(String),
}

impl Which {
    /// Whether a reversal received then covers what an attempt got of an offer.
    pub(crate) fn covers(&self, offer: &OfferRef, attempt: &Attempt, received: Instant) -> bool {
        match self {
            Self::All => attempt.received <= received,
            Self::Offers(named) => named.contains(offer) && attempt.received <= received,
            Self::Attempt(name) => attempt.name == *name,
        }
    }
}

/// What a reversal found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    /// Given back now.
    pub reversed: Vec<GivenBack>,
    /// Named, but unknown, refused or reversed before.
    pub unchanged: Vec<OfferRef>,
    /// What still stands on the tab.
    pub left: BTreeMap<OfferRef, Money>,
    /// Rights that go back to their owners at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<Returned>,
}

/// One offer given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// Which.
    pub offer: OfferRef,
    /// The discount it had given.
    pub amount: Money,
}
