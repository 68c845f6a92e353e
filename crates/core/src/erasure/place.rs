//! Where a person may be named.

use serde::{Deserialize, Serialize};

use crate::ident::{CampaignId, LocationId, TabId, TypeCode};
use crate::identity::Pseudonym;
use crate::ledger::shard::Shard;
use crate::loyalty::MemberId;
use crate::time::Instant;

/// What is listed, to be visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// Ledgers, as they make themselves known.
    Ledgers,
    /// Campaigns, for a ledger that could not.
    Campaigns,
    /// Instrument types, each with a pool.
    Pools,
}

impl Listed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ledgers, Self::Campaigns, Self::Pools];
}

/// A place to be visited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Whose is this identity? One that was `typed` is the person's whoever owns it; one that a member's
    /// books name is, unless it is somebody else's by now.
    Identity {
        /// Which.
        who: Pseudonym,
        /// The operator typed it.
        typed: bool,
    },
    /// Which identities, tabs and merged-away members does this member have?
    Member(MemberId),
    /// What is kept of an identity goes.
    Entry(Pseudonym),
    /// The list of conflicts and the register of mergers.
    Conflicts,
    /// The member's books lose their owner.
    Books(MemberId),
    /// The erased books name no member any more whom they took in: all of those are erased by now.
    Remains(MemberId),
    /// A list; the number counts its readings.
    List(Listed, u32),
    /// Which objects does this ledger have? The number counts the readings.
    Ledger(CampaignId, u32),
    /// One object of a ledger.
    Shard {
        /// Whose ledger.
        campaign: CampaignId,
        /// Which object.
        shard: Shard,
        /// The ledger has several.
        divided: bool,
    },
    /// The pool of an instrument type.
    Pool(TypeCode),
    /// A tab: what stands on it, and what it was closed with.
    Tab(LocationId, TabId),
}

/// A range of stages, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// The first.
    pub first: u8,
    /// The last.
    pub last: u8,
}

impl Stages {
    /// Those of the stores in which names are replaced.
    pub const STORES: Self = Self { first: 3, last: u8::MAX };
    /// The stages that must be over before the next begins.
    pub(super) const GATES: [Self; 3] =
        [Self { first: 0, last: 0 }, Self { first: 1, last: 1 }, Self { first: 2, last: u8::MAX }];
}

impl Place {
    /// The stage it belongs to: a lower one goes first.
    #[must_use]
    pub const fn stage(&self) -> u8 {
        match self {
            Self::Identity { .. } | Self::Member(_) => 0,
            Self::Entry(_) | Self::Conflicts | Self::Books(_) => 1,
            Self::List(..) | Self::Ledger(..) | Self::Remains(_) => 2,
            Self::Shard { .. } | Self::Pool(_) => 3,
            Self::Tab(..) => 4,
        }
    }

    /// Whether it is read in batches, behind which something may be written: then it is read again until
    /// nothing is found in it.
    pub(super) const fn is_read_in_batches(&self) -> bool {
        matches!(self, Self::Shard { .. } | Self::Pool(_))
    }

    /// What an operator is told it is; nothing that names the person.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Identity { .. } | Self::Entry(_) => "an identity".to_owned(),
            Self::Member(_) | Self::Books(_) | Self::Remains(_) => "a member".to_owned(),
            Self::Conflicts => "the list of conflicts".to_owned(),
            Self::List(..) => "the catalogue".to_owned(),
            Self::Ledger(campaign, _) => format!("the ledger of {campaign}"),
            Self::Shard { campaign, shard, .. } if shard.is_root() => {
                format!("the ledger of {campaign}")
            }
            Self::Shard { campaign, shard, .. } => {
                format!("the ledger of {campaign}, shard {}", shard.as_str())
            }
            Self::Pool(code) => format!("the pool of {code}"),
            Self::Tab(location, _) => format!("a tab of location {location}"),
        }
    }
}

/// How far a visit is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When it is next asked; none: it was visited.
    pub due: Option<Instant>,
    /// Where its last answer stopped, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How often in a row it did not answer.
    #[serde(default)]
    pub tries: u32,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The person was found since it was last read from its beginning.
    #[serde(default)]
    pub found: bool,
    /// How often it was read to its end.
    #[serde(default)]
    pub passes: u32,
}

impl Progress {
    /// To be visited from the beginning.
    #[must_use]
    pub fn due(at: Instant) -> Self {
        Self { due: Some(at), ..Self::default() }
    }
}
