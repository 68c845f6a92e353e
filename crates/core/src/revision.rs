//! Revisions of operators' documents, as far as those must know who act on a document: which one a
//! decision was computed from, and which one counts.
//!
//! The [registry](crate::registry) counts them. A campaign's ledger is told of each by an
//! [`Announcement`] and from then on refuses commands that were computed from an older one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a document's state: 1 for the first, one more for each change; deleting it is a change
/// too.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The revision of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number; 0 is before the first.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a revision says of its campaign as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// The campaign is switched on.
    Live,
    /// `"active": false`.
    Off,
    /// There is no document any more.
    Deleted,
}

/// A revision that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which.
    pub revision: Revision,
    /// What it says.
    pub state: DocumentState,
}

impl Announcement {
    /// Whether a decision computed from that revision is out of date. One without a revision was computed
    /// from a document that somebody put into KV by hand, and is out of date as soon as there is any
    /// announcement.
    #[must_use]
    pub fn outdates(&self, computed_from: Option<Revision>) -> bool {
        computed_from.is_none_or(|revision| revision < self.revision)
    }

    /// The later of two.
    #[must_use]
    pub fn later(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).max_by_key(|announcement| announcement.revision)
    }
}
