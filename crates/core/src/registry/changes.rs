//! Putting and deleting documents.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::collisions::{Holders, InKv};
use super::document::{Claim, DocumentKey, Read, read};
use super::if_match::IfMatch;
use super::rows::{Audit, Changes, Entry, Head, Pending, Version};
use super::store::Store;
use crate::fault::Faults;
use crate::revision::{DocumentState, Revision};
use crate::time::Instant;

/// Put a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Which.
    pub key: DocumentKey,
    /// The document.
    pub document: String,
    /// Who puts it.
    pub who: String,
    /// Only if the document is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// What the edge found in KV.
    #[serde(default)]
    pub in_kv: InKv,
}

/// Delete a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Which.
    pub key: DocumentKey,
    /// Who deletes it.
    pub who: String,
    /// Only if the document is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// What the edge found in KV.
    #[serde(default)]
    pub in_kv: InKv,
}

/// What came of a [`Put`] or [`Delete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// It is done; this is the document's revision now, which is still to be published.
    Done(Revision),
    /// The document is another than `If-Match` says. None: there is none.
    OtherRevision(Option<Revision>),
    /// There is no such document.
    NotThere,
    /// The document has faults.
    Faulty(Faulty),
    /// Other campaigns hold codes of this one.
    Collides(Faulty),
}

/// Faults as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Faulty(Vec<(String, String)>);

impl From<Faults> for Faulty {
    fn from(faults: Faults) -> Self {
        Self(faults.into_iter().map(|fault| (fault.pointer, fault.detail)).collect())
    }
}

impl From<Faulty> for Faults {
    fn from(Faulty(faults): Faulty) -> Self {
        let sink = crate::fault::Sink::new();
        let fault = |(pointer, detail)| crate::fault::Fault { pointer, detail };
        sink.extend(faults.into_iter().map(fault));
        match sink.check(None::<()>) {
            Ok(()) => Self::one("", "cannot be read"),
            Err(faults) => faults,
        }
    }
}

/// Puts a document.
///
/// # Errors
/// Only those of reading the store.
pub fn put<S: Store>(store: &S, put: &Put, now: Instant) -> Result<(Written, Changes), S::Error> {
    let refused = |why| Ok((why, Changes::default()));
    let head = store.head(&put.key)?;
    if let Some(other) = other_revision(put.if_match.as_ref(), head.as_ref(), &put.in_kv) {
        return refused(other);
    }
    let Read { state, claims } = match read(&put.key, put.document.as_bytes()) {
        Ok(read) => read,
        Err(faults) => return refused(Written::Faulty(faults.into())),
    };
    let holders = Holders { store, me: &put.key, in_kv: &put.in_kv };
    if let Err(faults) = holders.against(&claims)? {
        return refused(Written::Collides(faults.into()));
    }
    let change = Change {
        key: &put.key,
        before: head,
        state,
        document: Some(put.document.clone()),
        who: &put.who,
        action: "put",
        now,
    };
    change.write(store, &claims, &put.in_kv)
}

/// Deletes a document. Its history stays, and a later put goes on counting.
///
/// # Errors
/// Only those of reading the store.
pub fn delete<S: Store>(
    store: &S,
    delete: &Delete,
    now: Instant,
) -> Result<(Written, Changes), S::Error> {
    let refused = |why| Ok((why, Changes::default()));
    let head = store.head(&delete.key)?;
    // What the registry has deleted and somebody put into KV again does not count.
    let exists = head.map_or(delete.in_kv.by_hand, |head| head.exists());
    if let Some(other) = other_revision(delete.if_match.as_ref(), head.as_ref(), &delete.in_kv) {
        return refused(other);
    }
    if !exists {
        return refused(Written::NotThere);
    }
    let change = Change {
        key: &delete.key,
        before: head,
        state: DocumentState::Deleted,
        document: None,
        who: &delete.who,
        action: "delete",
        now,
    };
    change.write(store, &BTreeMap::new(), &delete.in_kv)
}

fn other_revision(
    if_match: Option<&IfMatch>,
    head: Option<&Head>,
    in_kv: &InKv,
) -> Option<Written> {
    let by_hand = in_kv.by_hand && head.is_none();
    let fails = if_match.is_some_and(|if_match| !if_match.holds(head, by_hand));
    let is = head.filter(|head| head.exists()).map(|head| head.revision);
    fails.then_some(Written::OtherRevision(is))
}

/// A change that is to be made.
struct Change<'a> {
    key: &'a DocumentKey,
    before: Option<Head>,
    state: DocumentState,
    document: Option<String>,
    who: &'a str,
    action: &'a str,
    now: Instant,
}

impl Change<'_> {
    fn write<S: Store>(
        self,
        store: &S,
        claims: &BTreeMap<String, Claim>,
        in_kv: &InKv,
    ) -> Result<(Written, Changes), S::Error> {
        let mut changes = Changes::default();
        let before = self.before.map(|head| head.revision).unwrap_or_default();
        let (revision, at, who) = (before.next(), self.now, self.who.to_owned());
        let head = Head { revision, state: self.state, at, repaired: None };
        changes.heads.insert(self.key.clone(), head);
        let document = self.document.clone();
        let version = Version { revision, document, who: who.clone(), at };
        changes.versions.push((self.key.clone(), version));
        changes.audit.push(Audit {
            at,
            who,
            document: self.key.clone(),
            from: before,
            to: revision,
            action: self.action.to_owned(),
        });
        let before = store.pending(self.key)?;
        let announced = before.as_ref().map(|pending| pending.announced).unwrap_or_default();
        let mut waits = before.map(|pending| pending.waits).unwrap_or_default();
        waits.retain(|key| !claims.contains_key(key));
        let pending = Pending { due: self.now, failures: 0, announced, waits };
        changes.outbox.insert(self.key.clone(), Some(pending));
        for (key, entry) in self.entries(store, claims, in_kv)? {
            for owner in &entry.was {
                // It is not published before KV has forgotten its copy.
                if let Some(mut pending) = store.pending(owner)? {
                    if let Some(Some(changed)) = changes.outbox.remove(owner) {
                        pending = changed;
                    }
                    pending.waits.insert(key.clone());
                    changes.outbox.insert(owner.clone(), Some(pending));
                }
            }
            changes.entries.insert(key, Some(entry));
        }
        Ok((Written::Done(revision), changes))
    }

    /// The entries that change: those it wants and does not have, and those it has and does not want.
    fn entries<S: Store>(
        &self,
        store: &S,
        claims: &BTreeMap<String, Claim>,
        in_kv: &InKv,
    ) -> Result<BTreeMap<String, Entry>, S::Error> {
        let mut changed = BTreeMap::new();
        let own: BTreeMap<String, Entry> = store.entries(self.key)?.into_iter().collect();
        let fresh = |looks_signed, dropped| Entry {
            owner: self.key.clone(),
            dropped,
            written: Revision::default(),
            looks_signed,
            was: BTreeSet::new(),
        };
        for (key, claim) in claims {
            let looks_signed = claim.looks_signed();
            match own.get(key) {
                Some(entry) if !entry.dropped => {}
                Some(entry) => {
                    changed.insert(key.clone(), Entry { dropped: false, ..entry.clone() });
                }
                None => {
                    let mut entry = fresh(looks_signed, false);
                    if let Some(dropped) = store.entry(key)? {
                        entry.was = dropped.was;
                        entry.was.insert(dropped.owner);
                        entry.was.remove(self.key);
                    }
                    changed.insert(key.clone(), entry);
                }
            }
        }
        for (key, entry) in &own {
            if !entry.dropped && !claims.contains_key(key) {
                changed.insert(key.clone(), Entry { dropped: true, ..entry.clone() });
            }
        }
        // What was put by hand, as long as the registry did not know the document.
        let mine = |(key, held): (&String, &super::collisions::Held)| {
            let mine = DocumentKey::campaign(&held.campaign) == *self.key && !held.names;
            mine.then(|| key.clone())
        };
        let itself = in_kv.by_hand.then(|| self.key.kv_key());
        for key in in_kv.held.iter().filter_map(mine).chain(itself) {
            let known = changed.contains_key(&key) || claims.contains_key(&key);
            if !known && store.entry(&key)?.is_none() {
                changed.insert(key, fresh(None, true));
            }
        }
        Ok(changed)
    }
}
