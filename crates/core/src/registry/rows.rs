//! The registry's rows. Each is stored as it is written here; golden fixtures hold their form.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::DocumentKey;
use crate::ident::CampaignId;
use crate::revision::{DocumentState, Revision};
use crate::time::Instant;

/// A document as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its newest revision.
    pub revision: Revision,
    /// What that says.
    pub state: DocumentState,
    /// Since when.
    pub at: Instant,
    /// When an entry of it in KV was last found to be wrong and published again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<Instant>,
}

impl Head {
    /// Whether there is a document.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.state != DocumentState::Deleted
    }
}

/// One revision of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Which.
    pub revision: Revision,
    /// The document as it was put; none: it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Who changed it.
    pub who: String,
    /// When.
    pub at: Instant,
}

/// An entry of KV that holds a copy of a document, or may still hold one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which document's.
    pub owner: DocumentKey,
    /// It is to be removed from KV.
    pub dropped: bool,
    /// The revision that is known to be in KV; 0: none is.
    pub written: Revision,
    /// Of a code that looks like a signed one: the prefix, as it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_signed: Option<String>,
    /// Earlier owners whose copy KV may still have.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub was: BTreeSet<DocumentKey>,
}

/// A document that KV, or its campaign's ledger, does not know as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// When it is tried next.
    pub due: Instant,
    /// How often it has failed since it last went well.
    pub failures: u32,
    /// The revision that all of the ledger has heard; 0: none.
    pub announced: Revision,
    /// Keys of KV that others have taken over, and where KV may still have a copy of this document.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waits: BTreeSet<String>,
}

/// A change, for whoever must know afterwards who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// When.
    pub at: Instant,
    /// Who.
    pub who: String,
    /// Of which document.
    pub document: DocumentKey,
    /// The revision before; 0: there was none.
    pub from: Revision,
    /// The revision since; equal to `from` where codes were added to a campaign.
    pub to: Revision,
    /// What was done: `put`, `delete`, or `add_codes`.
    pub action: String,
}

/// What is to be written, all of it in the turn that decided it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Documents' new heads.
    pub heads: BTreeMap<DocumentKey, Head>,
    /// New revisions.
    pub versions: Vec<(DocumentKey, Version)>,
    /// Entries by their key in KV; none: the row goes.
    pub entries: BTreeMap<String, Option<Entry>>,
    /// Single codes and the campaigns that hold them, with the prefix of one that looks signed.
    pub listed: BTreeMap<String, (CampaignId, Option<String>)>,
    /// The outbox; none: all is published.
    pub outbox: BTreeMap<DocumentKey, Option<Pending>>,
    /// What is noted of who did it.
    pub audit: Vec<Audit>,
}
