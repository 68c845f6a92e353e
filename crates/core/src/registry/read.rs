//! Reading documents and their history.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::document::{DocumentKey, Kind};
use super::keys::code_key;
use super::rows::{Changes, Entry, Head, Pending, Version};
use super::store::Store;
use crate::code::CanonicalCode;
use crate::ident::CampaignId;
use crate::revision::{DocumentState, Revision};
use crate::time::Instant;

/// Bytes of documents after which a page of a list ends.
const PAGE_BYTES: usize = 1 << 20;
/// For so many milliseconds after a change caches explain that KV shows an older copy.
const CACHES_LAG: i64 = 60_000;

/// A document, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It says this.
    Document(Version),
    /// It was deleted in this revision.
    Deleted(Revision),
    /// It has fewer revisions.
    NoSuchRevision,
    /// The registry has never heard of it.
    Unknown,
}

/// A document as it stands, or in one revision.
///
/// # Errors
/// Only those of reading the store.
pub fn get<S: Store>(
    store: &S,
    key: &DocumentKey,
    revision: Option<Revision>,
) -> Result<Found, S::Error> {
    let Some(head) = store.head(key)? else { return Ok(Found::Unknown) };
    Ok(match store.version(key, revision.unwrap_or(head.revision))? {
        Some(version) if version.document.is_some() => Found::Document(version),
        Some(version) => Found::Deleted(version.revision),
        None => Found::NoSuchRevision,
    })
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its newest revision.
    pub revision: Revision,
    /// What that says.
    pub state: DocumentState,
    /// KV and the campaign's ledger know it.
    pub published: bool,
}

/// Where a document stands; none: the registry does not know it.
///
/// # Errors
/// Only those of reading the store.
pub fn standing<S: Store>(store: &S, key: &DocumentKey) -> Result<Option<Standing>, S::Error> {
    let Some(Head { revision, state, .. }) = store.head(key)? else { return Ok(None) };
    let published = store.pending(key)?.is_none();
    Ok(Some(Standing { revision, state, published }))
}

/// Which of these keys of KV belong to no document.
///
/// # Errors
/// Only those of reading the store.
pub fn not_owned<S: Store>(store: &S, keys: Vec<String>) -> Result<Vec<String>, S::Error> {
    let mut not_owned = Vec::new();
    for key in keys {
        if store.entry(&key)?.is_none_or(|entry| entry.dropped) {
            not_owned.push(key);
        }
    }
    Ok(not_owned)
}

/// Which of these documents the registry has never heard of.
///
/// # Errors
/// Only those of reading the store.
pub fn unknown<S: Store>(store: &S, keys: Vec<DocumentKey>) -> Result<Vec<DocumentKey>, S::Error> {
    let mut unknown = Vec::new();
    for key in keys {
        if store.head(&key)?.is_none() {
            unknown.push(key);
        }
    }
    Ok(unknown)
}

/// A page of the documents of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Of which kind.
    pub kind: Kind,
    /// Those after this id.
    pub after: String,
    /// At most so many.
    pub limit: u32,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Documents by id, in order, with where they stand.
    pub documents: Vec<(String, Standing, String)>,
    /// There are more.
    pub more: bool,
}

/// A page of the documents of a kind.
///
/// # Errors
/// Only those of reading the store.
pub fn list<S: Store>(store: &S, list: &List) -> Result<Listing, S::Error> {
    let mut page = Listing::default();
    let heads = store.heads(list.kind, &list.after, list.limit.saturating_add(1))?;
    let (limit, mut bytes) = (usize::try_from(list.limit).unwrap_or(usize::MAX), 0_usize);
    for (key, head) in heads {
        if page.documents.len() >= limit || bytes > PAGE_BYTES {
            page.more = true;
            break;
        }
        let document = store.version(&key, head.revision)?.and_then(|version| version.document);
        let Some(document) = document else { continue };
        bytes = bytes.saturating_add(document.len());
        let published = store.pending(&key)?.is_none();
        let standing = Standing { revision: head.revision, state: head.state, published };
        page.documents.push((key.id().to_owned(), standing, document));
    }
    Ok(page)
}

/// A page of a document's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Revisions without their documents, the newest first: number, whether it deletes, who, when.
    pub versions: Vec<(Revision, bool, String, Instant)>,
    /// There are older ones.
    pub more: bool,
    /// Where the document stands.
    pub standing: Option<Standing>,
}

/// A page of a document's history: at most so many revisions before this one.
///
/// # Errors
/// Only those of reading the store.
pub fn history<S: Store>(
    store: &S,
    key: &DocumentKey,
    before: Option<Revision>,
    limit: u32,
) -> Result<History, S::Error> {
    let mut versions = store.versions(key, before, limit.saturating_add(1))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = versions.len() > limit;
    versions.truncate(limit);
    let line =
        |version: Version| (version.revision, version.document.is_none(), version.who, version.at);
    let versions = versions.into_iter().map(line).collect();
    Ok(History { versions, more, standing: standing(store, key)? })
}

/// What an edge asks when a ledger says `outdated`, or KV shows what the registry did not write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// The document of this campaign; with what the edge found of it in KV.
    Campaign(CampaignId, Vec<Met>),
    /// The document of the campaign that holds this code.
    Code(CanonicalCode),
}

/// An entry of KV as an edge found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// Its key.
    pub key: String,
    /// Its revision; none: it was put by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
}

/// The document that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// Which campaign's.
    pub campaign: CampaignId,
    /// Its revision.
    pub revision: Revision,
    /// What it says; none: it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// The document that counts; none: the registry does not know the campaign, or nobody holds the code. What
/// KV should not show is published again.
///
/// # Errors
/// Only those of reading the store.
pub fn recall<S: Store>(
    store: &S,
    recall: &Recall,
    now: Instant,
) -> Result<(Option<Recalled>, Changes), S::Error> {
    let (campaign, met) = match recall {
        Recall::Campaign(campaign, met) => (Some(campaign.clone()), met.as_slice()),
        Recall::Code(code) => (holder(store, code)?, &[][..]),
    };
    let Some(campaign) = campaign else { return Ok((None, Changes::default())) };
    let key = DocumentKey::campaign(&campaign);
    let Some(head) = store.head(&key)? else { return Ok((None, Changes::default())) };
    let document = store.version(&key, head.revision)?.and_then(|version| version.document);
    let changes = repair(store, &key, &head, met, now)?;
    Ok((Some(Recalled { campaign, revision: head.revision, document }), changes))
}

fn holder<S: Store>(store: &S, code: &CanonicalCode) -> Result<Option<CampaignId>, S::Error> {
    let entry = store.entry(&code_key(code))?.filter(|entry| !entry.dropped);
    match entry.and_then(|entry| entry.owner.as_campaign()) {
        Some(campaign) => Ok(Some(campaign)),
        None => store.listed(code.as_str()),
    }
}

/// Has what was found wrong in KV written or removed again, unless it is about to be, or caches explain it.
fn repair<S: Store>(
    store: &S,
    key: &DocumentKey,
    head: &Head,
    met: &[Met],
    now: Instant,
) -> Result<Changes, S::Error> {
    let mut changes = Changes::default();
    if store.pending(key)?.is_some() {
        return Ok(changes);
    }
    let lags = |since: Instant| now < since.plus_millis(CACHES_LAG);
    let repaired = head.repaired.is_some_and(lags);
    for Met { key: kv_key, revision } in met {
        let explained = repaired || (revision.is_some() && lags(head.at));
        if *revision == Some(head.revision) || explained {
            continue;
        }
        let again = match store.entry(kv_key)? {
            Some(entry) if entry.owner != *key => continue,
            Some(entry) => Entry { written: Revision::default(), ..entry },
            None => Entry {
                owner: key.clone(),
                dropped: true,
                written: Revision::default(),
                looks_signed: None,
                was: BTreeSet::new(),
            },
        };
        changes.entries.insert(kv_key.clone(), Some(again));
    }
    if !changes.entries.is_empty() {
        let (announced, waits) = (head.revision, BTreeSet::new());
        let pending = Pending { due: now, failures: 0, announced, waits };
        changes.outbox.insert(key.clone(), Some(pending));
        changes.heads.insert(key.clone(), Head { repaired: Some(now), ..*head });
    }
    Ok(changes)
}
