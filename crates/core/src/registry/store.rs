//! What the registry reads.

use super::document::{DocumentKey, Kind};
use super::rows::{Entry, Head, Pending, Version};
use crate::ident::CampaignId;
use crate::revision::Revision;
use crate::time::Instant;

/// The registry's rows. A Durable Object answers from its SQLite, a test from maps.
#[expect(clippy::missing_errors_doc, reason = "each fails when the store cannot be read")]
pub trait Store {
    /// Why a read failed.
    type Error;

    /// A document as it stands.
    fn head(&self, key: &DocumentKey) -> Result<Option<Head>, Self::Error>;

    /// One revision of a document.
    fn version(
        &self,
        key: &DocumentKey,
        revision: Revision,
    ) -> Result<Option<Version>, Self::Error>;

    /// At most so many revisions of a document before this one, the newest first.
    fn versions(
        &self,
        key: &DocumentKey,
        before: Option<Revision>,
        limit: u32,
    ) -> Result<Vec<Version>, Self::Error>;

    /// At most so many documents of a kind that exist, those after an id, in the order of their ids.
    fn heads(
        &self,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DocumentKey, Head)>, Self::Error>;

    /// The entry of a key of KV.
    fn entry(&self, key: &str) -> Result<Option<Entry>, Self::Error>;

    /// All entries of a document.
    fn entries(&self, owner: &DocumentKey) -> Result<Vec<(String, Entry)>, Self::Error>;

    /// At most so many entries of a document that are dropped, or that KV does not have in this revision.
    fn unpublished(
        &self,
        owner: &DocumentKey,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, Self::Error>;

    /// At most so many entries of codes that look like signed ones with this prefix and are not dropped.
    fn looking_signed(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, Self::Error>;

    /// The campaign for which a single code was added.
    fn listed(&self, code: &str) -> Result<Option<CampaignId>, Self::Error>;

    /// At most so many single codes that look like signed ones with this prefix.
    fn listed_looking_signed(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, CampaignId)>, Self::Error>;

    /// A document's row in the outbox.
    fn pending(&self, key: &DocumentKey) -> Result<Option<Pending>, Self::Error>;

    /// At most so many rows of the outbox that are due by now, the oldest first.
    fn due(&self, now: Instant, limit: u32) -> Result<Vec<(DocumentKey, Pending)>, Self::Error>;
}
