//! The registry over rows kept in maps, and a KV that is a map too.

mod codes;
mod documents;
mod golden;
mod publishing;

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::collisions::Held;
use super::*;
use crate::code::CanonicalCode;
use crate::fault::Faults;
use crate::ident::CampaignId;
use crate::revision::{Announcement, Revision};
use crate::time::Instant;

#[derive(Clone, Default)]
struct Maps {
    heads: BTreeMap<DocumentKey, Head>,
    versions: BTreeMap<(DocumentKey, Revision), Version>,
    entries: BTreeMap<String, Entry>,
    listed: BTreeMap<String, (CampaignId, Option<String>)>,
    outbox: BTreeMap<DocumentKey, Pending>,
    audit: Vec<Audit>,
}

impl Store for Maps {
    type Error = Infallible;

    fn head(&self, key: &DocumentKey) -> Result<Option<Head>, Infallible> {
        Ok(self.heads.get(key).copied())
    }

    fn version(&self, key: &DocumentKey, of: Revision) -> Result<Option<Version>, Infallible> {
        Ok(self.versions.get(&(key.clone(), of)).cloned())
    }

    fn versions(
        &self,
        key: &DocumentKey,
        before: Option<Revision>,
        limit: u32,
    ) -> Result<Vec<Version>, Infallible> {
        let of = self.versions.iter().rev().filter(|((of, revision), _)| {
            of == key && before.is_none_or(|before| *revision < before)
        });
        Ok(of.map(|(_, version)| version.clone()).take(limit as usize).collect())
    }

    fn heads(
        &self,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DocumentKey, Head)>, Infallible> {
        let heads = self
            .heads
            .iter()
            .filter(|(key, head)| key.kind() == kind && key.id() > after && head.exists());
        Ok(heads.map(|(key, head)| (key.clone(), *head)).take(limit as usize).collect())
    }

    fn entry(&self, key: &str) -> Result<Option<Entry>, Infallible> {
        Ok(self.entries.get(key).cloned())
    }

    fn entries(&self, owner: &DocumentKey) -> Result<Vec<(String, Entry)>, Infallible> {
        let own = self.entries.iter().filter(|(_, entry)| entry.owner == *owner);
        Ok(own.map(|(key, entry)| (key.clone(), entry.clone())).collect())
    }

    fn unpublished(
        &self,
        owner: &DocumentKey,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, Infallible> {
        let mut own = self.entries(owner)?;
        own.retain(|(_, entry)| entry.dropped || entry.written < revision);
        own.truncate(limit);
        Ok(own)
    }

    fn looking_signed(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, Entry)>, Infallible> {
        let looking = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.looks_signed.as_deref() == Some(prefix) && !entry.dropped);
        Ok(looking.map(|(key, entry)| (key.clone(), entry.clone())).take(limit).collect())
    }

    fn listed(&self, code: &str) -> Result<Option<CampaignId>, Infallible> {
        Ok(self.listed.get(code).map(|(campaign, _)| campaign.clone()))
    }

    fn listed_looking_signed(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, CampaignId)>, Infallible> {
        let looking = self.listed.iter().filter(|(_, (_, looks))| looks.as_deref() == Some(prefix));
        Ok(looking.map(|(code, (id, _))| (code.clone(), id.clone())).take(limit).collect())
    }

    fn pending(&self, key: &DocumentKey) -> Result<Option<Pending>, Infallible> {
        Ok(self.outbox.get(key).cloned())
    }

    fn due(&self, now: Instant, limit: u32) -> Result<Vec<(DocumentKey, Pending)>, Infallible> {
        let mut due: Vec<_> =
            self.outbox.iter().filter(|(_, pending)| pending.due <= now).collect();
        due.sort_by_key(|(_, pending)| pending.due);
        let due = due.into_iter().take(limit as usize);
        Ok(due.map(|(key, pending)| (key.clone(), pending.clone())).collect())
    }
}

fn at(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

fn id(name: &str) -> CampaignId {
    CampaignId::parse(name).unwrap()
}

fn key(name: &str) -> DocumentKey {
    DocumentKey::campaign(&id(name))
}

fn code(text: &str) -> CanonicalCode {
    CanonicalCode::parse(text).unwrap()
}

/// A campaign with this under `codes`.
fn campaign(name: &str, codes: &str) -> String {
    format!(
        r#"{{"id": "{name}", "name": "{name}", "currency": "USD", "codes": {codes},
           "offers": [{{"id": "o", "name": "10% off", "discount": {{"percent": "10"}}}}]}}"#
    )
}

/// A campaign with these fixed codes.
fn fixed(name: &str, codes: &[&str]) -> String {
    campaign(name, &serde_json::json!({ "fixed": codes }).to_string())
}

fn put_of(name: &str, document: String) -> Put {
    let in_kv = InKv::default();
    Put { key: key(name), document, who: "test".to_owned(), if_match: None, in_kv }
}

impl Maps {
    fn keep(&mut self, changes: Changes) {
        self.heads.extend(changes.heads);
        let versions = changes.versions.into_iter();
        self.versions.extend(versions.map(|(key, version)| ((key, version.revision), version)));
        for (key, entry) in changes.entries {
            match entry {
                Some(entry) => drop(self.entries.insert(key, entry)),
                None => drop(self.entries.remove(&key)),
            }
        }
        self.listed.extend(changes.listed);
        for (key, pending) in changes.outbox {
            match pending {
                Some(pending) => drop(self.outbox.insert(key, pending)),
                None => drop(self.outbox.remove(&key)),
            }
        }
        self.audit.extend(changes.audit);
    }

    fn put_at(&mut self, asked: &Put, now: i64) -> Written {
        let (written, changes) = put(self, asked, at(now)).unwrap();
        assert!(matches!(written, Written::Done(_)) || changes == Changes::default());
        self.keep(changes);
        written
    }

    fn put(&mut self, name: &str, document: String) -> Written {
        self.put_at(&put_of(name, document), 0)
    }

    fn delete_if(&mut self, name: &str, if_match: Option<IfMatch>, in_kv: InKv) -> Written {
        let asked = Delete { key: key(name), who: "test".to_owned(), if_match, in_kv };
        let (written, changes) = delete(self, &asked, at(0)).unwrap();
        self.keep(changes);
        written
    }

    fn delete(&mut self, name: &str) -> Written {
        self.delete_if(name, None, InKv::default())
    }

    /// What KV holds once everything is published.
    fn projection(&self) -> BTreeMap<String, String> {
        let mut kv = BTreeMap::new();
        for (key, entry) in &self.entries {
            let head = self.heads[&entry.owner];
            let version = &self.versions[&(entry.owner.clone(), head.revision)];
            if let (false, Some(document)) = (entry.dropped, &version.document) {
                kv.insert(key.clone(), copy::write(head.revision, document));
            }
        }
        kv
    }
}

fn done(revision: u64) -> Written {
    Written::Done(Revision::new(revision))
}

/// The faults with which codes are refused.
#[track_caller]
fn collisions(written: Written) -> String {
    match written {
        Written::Collides(faults) => Faults::from(faults).to_string(),
        other => panic!("not refused for its codes: {other:?}"),
    }
}

/// KV, and what ledgers have heard.
#[derive(Clone, Default)]
struct World {
    kv: BTreeMap<String, String>,
    heard: BTreeMap<DocumentKey, Announcement>,
}

impl World {
    /// Does all of a publication but for what `fails` says of each step, which may also stop it there.
    fn perform(&mut self, publication: &Publication, mut fails: impl FnMut() -> bool) -> Published {
        let mut done = Published {
            key: publication.key.clone(),
            revision: publication.revision,
            announced: false,
            written: Vec::new(),
            removed: Vec::new(),
            failed: false,
        };
        match publication.announce {
            Some(_) if fails() => done.failed = true,
            Some(announcement) => {
                let heard = self.heard.entry(publication.key.clone()).or_insert(announcement);
                *heard = Announcement::later(Some(*heard), Some(announcement)).unwrap();
                done.announced = true;
            }
            None => done.announced = true,
        }
        for key in &publication.write {
            if fails() {
                done.failed = true;
                continue;
            }
            self.kv.insert(key.clone(), publication.value.clone().unwrap());
            done.written.push(key.clone());
        }
        for key in &publication.remove {
            if fails() {
                done.failed = true;
                continue;
            }
            self.kv.remove(key);
            done.removed.push(key.clone());
        }
        done
    }

    /// Publishes until nothing is due.
    fn publish(&mut self, maps: &mut Maps, now: i64) {
        for _ in 0..1000 {
            let publications = due(maps, at(now)).unwrap();
            if publications.is_empty() {
                return;
            }
            for publication in publications {
                let done = self.perform(&publication, || false);
                let changes = published(maps, &done, at(now)).unwrap();
                maps.keep(changes);
            }
        }
        panic!("publishing does not come to an end");
    }
}
