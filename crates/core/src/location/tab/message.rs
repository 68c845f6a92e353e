//! What is asked of a tab, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Standing, StandingOffer};
use crate::guard::Limits;
use crate::ident::{CampaignId, OfferRef, TabId};
use crate::ledger::Attempt;
use crate::ledger::campaign::Which;
use crate::ledger::shard::Shard;
use crate::money::Money;
use crate::time::Instant;

use super::Barriers;

/// A command to a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// May these campaigns give this here?
    Admit(Admit),
    /// This is what stands.
    Settle(Settle),
    /// The whole tab is reversed: who must hear of it?
    Reverse {
        /// When the event reached the edge.
        received: Instant,
    },
    /// These offers are reversed: who must hear of it? For the offers of campaigns that never stood
    /// here the tab itself keeps a barrier.
    ReverseOffers {
        /// Which.
        offers: Vec<OfferRef>,
        /// When the event reached the edge.
        received: Instant,
    },
    /// This is to be undone, whoever dies: the location sees to it until it is settled.
    Undo(Undo),
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Command::Admit`].
    Admission(Admission),
    /// To [`Command::Settle`] and [`Command::Undo`].
    Settled,
    /// To [`Command::Reverse`] and [`Command::ReverseOffers`]: whom to tell. A campaign is there more
    /// than once when its ledger knows the tab by more than one name.
    Places(Vec<Place>),
    /// To [`Command::Undo`]: so much is to be undone already that this is not kept.
    Full,
}

/// Where a campaign's ledger keeps a tab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Which campaign.
    pub campaign: CampaignId,
    /// The tab's name in its ledger.
    pub tab: TabId,
    /// Which object of its ledger keeps the tab.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
}

impl Place {
    pub(super) fn is(&self, campaign: &CampaignId, tab: &TabId) -> bool {
        self.campaign == *campaign && self.tab == *tab
    }
}

/// An attempt asks to give discounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The REDEEM.
    pub attempt: Attempt,
    /// On which version of what stands it was decided; 0: nothing.
    pub version: u64,
    /// The tab's subtotal plus its fees, in minor units.
    pub ceiling: Money,
    /// For how many days the tab is kept at least.
    pub keep_days: u32,
    /// When the tab is locked by misses; none: it is asked although it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// All offers it names, though some may have nothing to give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<OfferRef>,
    /// Each campaign once, with all that the attempt asks of it.
    pub campaigns: Vec<Entry>,
}

/// What an attempt asks of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub campaign: CampaignId,
    /// Which object of its ledger is to keep this tab, if none does.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
    /// Its offers; none: the attempt asks no more for what it has claimed.
    pub offers: Vec<StandingOffer>,
}

/// Whether an attempt may give on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may, and the claims are written.
    Admitted {
        /// The version of what stands now.
        version: u64,
        /// For each entry, in order, where its ledger keeps the tab.
        places: Vec<Place>,
    },
    /// Too many codes were missed on this tab: it answers only what stands.
    Locked {
        /// Until when.
        until: Instant,
        /// What stands.
        seen: Seen,
    },
    /// Something else stands than what it was decided on: decide again.
    Moved(Seen),
    /// All together would exceed the tab. (The engine does not ask for that on what stands.)
    Short {
        /// This much more may be claimed.
        room: Money,
    },
    /// A campaign it does not combine with may stand here. (Likewise.)
    Barred(CampaignId),
    /// The whole tab was reversed after this REDEEM was received.
    Reversed,
    /// These of the offers it names were reversed after this REDEEM was received; nothing was claimed.
    Overtaken(Vec<OfferRef>),
    /// Too much is to be undone here, or too much is claimed: ask again later.
    Busy,
}

/// What an edge decides on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The name by which ledgers that do not know the tab yet are to know it.
    pub tab: TabId,
    /// The version of what stands; 0: nothing.
    pub version: u64,
    /// What stands or may be about to, but for what only the attempt that asks has claimed.
    pub standing: Standing,
    /// Where each campaign that stood here once, or still does, keeps the tab.
    pub places: Vec<Place>,
    /// The campaigns with claims here. One that is old was perhaps never taken, or is over and
    /// nobody said so: before it keeps somebody from something it is to be settled anew, with a
    /// fence.
    pub claimed: Vec<Claimed>,
    /// Offers that were reversed before their campaigns ever stood here: an earlier REDEEM of them that
    /// comes later must not hear of what stands.
    #[serde(default, skip_serializing_if = "Barriers::is_empty")]
    pub barriers: Barriers,
}

/// A campaign with claims on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// Whom to ask.
    pub place: Place,
    /// Up to when all of them are known to be true: when their REDEEMs reached the edge, or up to
    /// when the ledger has settled them since.
    pub since: Instant,
}

/// What a campaign's ledger says stands, after some of what was claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// Which campaign.
    pub campaign: CampaignId,
    /// The tab's name in its ledger.
    pub tab: TabId,
    /// Whose claims are settled, as a reversal names them: an attempt that has ended, or what the
    /// ledger has a fence or barrier against.
    pub which: Which,
    /// The fence or barrier.
    pub received: Instant,
    /// What stands, by offer, in minor units.
    pub standing: BTreeMap<OfferRef, Money>,
}

/// What one attempt perhaps took of a campaign, and nobody heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Where.
    pub place: Place,
    /// The attempt.
    pub attempt: Attempt,
}
