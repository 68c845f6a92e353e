//! From the registry to KV and to the ledgers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::copy;
use super::document::{DocumentKey, Kind};
use super::rows::{Changes, Entry, Head, Pending};
use super::store::Store;
use crate::revision::{Announcement, Revision};
use crate::time::Instant;

/// Entries of one document that are published at once: KV takes a thousand writes for one invocation.
const AT_ONCE: usize = 100;
/// Documents that are published at once.
const DOCUMENTS: u32 = 8;
/// After the first failure it is tried again after so many milliseconds, then after twice that, ….
const FIRST_WAIT: i64 = 1000;
/// It is never waited for longer, in milliseconds.
const LONGEST_WAIT: i64 = 60_000;

/// What is to be done for one document. All of it may be done again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Which.
    pub key: DocumentKey,
    /// The revision it has.
    pub revision: Revision,
    /// What its ledger is to hear, if it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announcement>,
    /// The value that is to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Under these keys of KV.
    pub write: Vec<String>,
    /// These keys of KV are to be removed.
    pub remove: Vec<String>,
}

/// What was done of a [`Publication`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// For which document.
    pub key: DocumentKey,
    /// Which revision of it.
    pub revision: Revision,
    /// All of its ledger has heard.
    pub announced: bool,
    /// These keys of KV hold it.
    pub written: Vec<String>,
    /// These are removed.
    pub removed: Vec<String>,
    /// Something has failed.
    pub failed: bool,
}

/// What is to be published by now: of each document that is due, a part that can be done at once.
///
/// # Errors
/// Only those of reading the store.
pub fn due<S: Store>(store: &S, now: Instant) -> Result<Vec<Publication>, S::Error> {
    let mut publications = Vec::new();
    for (key, pending) in store.due(now, DOCUMENTS)? {
        let Some(head) = store.head(&key)? else { continue };
        let revision = head.revision;
        let announcement = Announcement { revision, state: head.state };
        let announce = announces(&key, &head, &pending).then_some(announcement);
        let document = store.version(&key, revision)?.and_then(|version| version.document);
        let value = document.map(|document| copy::write(revision, &document));
        let (mut write, mut remove) = (Vec::new(), Vec::new());
        for (kv_key, entry) in store.unpublished(&key, revision, AT_ONCE)? {
            if entry.dropped || value.is_none() {
                remove.push(kv_key);
            } else {
                write.push(kv_key);
            }
        }
        publications.push(Publication { key, revision, announce, value, write, remove });
    }
    Ok(publications)
}

/// Whether a campaign's ledger has still to hear.
fn announces(key: &DocumentKey, head: &Head, pending: &Pending) -> bool {
    key.kind() == Kind::Campaign && pending.announced < head.revision
}

/// Notes what was done.
///
/// # Errors
/// Only those of reading the store.
pub fn published<S: Store>(store: &S, done: &Published, now: Instant) -> Result<Changes, S::Error> {
    let mut changes = Changes::default();
    let key = &done.key;
    let (Some(head), Some(mut pending)) = (store.head(key)?, store.pending(key)?) else {
        return Ok(changes);
    };
    let mine = |kv_key: &String| -> Result<Option<Entry>, S::Error> {
        Ok(store.entry(kv_key)?.filter(|entry| entry.owner == *key))
    };
    // Copies of earlier owners that KV has no more.
    let mut gone: Vec<(DocumentKey, String)> = Vec::new();
    for kv_key in &done.written {
        // Withdrawn since, it is still to be removed.
        if let Some(entry) = mine(kv_key)?.filter(|entry| !entry.dropped) {
            gone.extend(entry.was.iter().map(|owner| (owner.clone(), kv_key.clone())));
            let written = Entry { written: done.revision, was: BTreeSet::new(), ..entry };
            changes.entries.insert(kv_key.clone(), Some(written));
        }
    }
    for kv_key in &done.removed {
        if let Some(entry) = mine(kv_key)? {
            gone.extend(entry.was.iter().map(|owner| (owner.clone(), kv_key.clone())));
            // Wanted again since, it is still to be written.
            let written = Revision::default();
            let again = (!entry.dropped).then(|| Entry { written, was: BTreeSet::new(), ..entry });
            changes.entries.insert(kv_key.clone(), again);
        }
    }
    forget(store, gone, &mut changes, now)?;
    if done.announced {
        pending.announced = pending.announced.max(done.revision);
    }
    let left = is_left(store, key, &head, &changes)?;
    if !left && !announces(key, &head, &pending) {
        // Others take its last copies away, and say so.
        (pending.failures, pending.due) = (0, now.plus_millis(LONGEST_WAIT));
        let waits = !pending.waits.is_empty();
        changes.outbox.insert(key.clone(), waits.then_some(pending));
        return Ok(changes);
    }
    (pending.failures, pending.due) = match done.failed {
        true => {
            let wait = FIRST_WAIT.checked_shl(pending.failures.min(16)).unwrap_or(LONGEST_WAIT);
            (pending.failures.saturating_add(1), now.plus_millis(wait.min(LONGEST_WAIT)))
        }
        false => (0, now),
    };
    changes.outbox.insert(key.clone(), Some(pending));
    Ok(changes)
}

/// Has the earlier owners of keys no longer wait for those.
fn forget<S: Store>(
    store: &S,
    gone: Vec<(DocumentKey, String)>,
    changes: &mut Changes,
    now: Instant,
) -> Result<(), S::Error> {
    for (owner, kv_key) in gone {
        let pending = match changes.outbox.remove(&owner) {
            Some(changed) => changed,
            None => store.pending(&owner)?,
        };
        if let Some(mut pending) = pending {
            if pending.waits.remove(&kv_key) && pending.failures == 0 {
                pending.due = now;
            }
            changes.outbox.insert(owner, Some(pending));
        }
    }
    Ok(())
}

/// Whether KV is still to be brought up to date after these changes.
fn is_left<S: Store>(
    store: &S,
    key: &DocumentKey,
    head: &Head,
    changes: &Changes,
) -> Result<bool, S::Error> {
    let settled = |kv_key: &String| match changes.entries.get(kv_key) {
        Some(Some(entry)) => !entry.dropped && entry.written == head.revision,
        Some(None) => true,
        None => false,
    };
    let limit = changes.entries.len().saturating_add(1);
    let left = store.unpublished(key, head.revision, limit)?;
    Ok(left.iter().any(|(kv_key, _)| !settled(kv_key)))
}
