//! The registry's tables. Each row holds the whole of what it says as JSON; what it is looked for by stands
//! in columns besides.

use promo_core::ident::CampaignId;
use promo_core::registry::{Changes, DocumentKey, Entry, Head, Kind, Pending, Store, Version};
use promo_core::revision::Revision;
use promo_core::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{SqlStorage, SqlStorageValue};

use super::super::object::Turn;
use super::super::store::{first_document, first_value, rows};

/// The registry's rows, as its machine reads them.
pub struct Rows<'a>(pub &'a SqlStorage);

fn number(number: u64) -> worker::Result<SqlStorageValue> {
    let number = i64::try_from(number).map_err(|_| "a number is out of range")?;
    SqlStorageValue::try_from_i64(number)
}

fn count(count: usize) -> worker::Result<SqlStorageValue> {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

fn name(key: &DocumentKey) -> Vec<SqlStorageValue> {
    vec![key.kind().as_str().into(), key.id().into()]
}

/// Such a row and more.
fn with<const MORE: usize>(
    mut row: Vec<SqlStorageValue>,
    more: [SqlStorageValue; MORE],
) -> Vec<SqlStorageValue> {
    row.extend(more);
    row
}

impl Rows<'_> {
    /// Rows of a key and a document.
    fn keyed<T: DeserializeOwned>(
        &self,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> worker::Result<Vec<(String, T)>> {
        let read = |[key, row]: [String; 2]| Ok((key, serde_json::from_str(&row)?));
        rows(self.0, query, bindings)?.into_iter().map(read).collect()
    }
}

impl Store for Rows<'_> {
    type Error = worker::Error;

    fn head(&self, key: &DocumentKey) -> worker::Result<Option<Head>> {
        first_document(self.0, "SELECT row FROM head WHERE kind = ? AND id = ?", name(key))
    }

    fn version(&self, key: &DocumentKey, revision: Revision) -> worker::Result<Option<Version>> {
        let query = "SELECT row FROM version WHERE kind = ? AND id = ? AND revision = ?";
        first_document(self.0, query, with(name(key), [number(revision.number())?]))
    }

    fn versions(
        &self,
        key: &DocumentKey,
        before: Option<Revision>,
        limit: u32,
    ) -> worker::Result<Vec<Version>> {
        let query = "SELECT id, row FROM version WHERE kind = ? AND id = ? AND revision < ?
                     ORDER BY revision DESC LIMIT ?";
        let before = before.map_or(i64::MAX.unsigned_abs() >> 11, Revision::number);
        let bindings = with(name(key), [number(before)?, number(limit.into())?]);
        Ok(self.keyed(query, bindings)?.into_iter().map(|(_, version)| version).collect())
    }

    fn heads(
        &self,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> worker::Result<Vec<(DocumentKey, Head)>> {
        let query = "SELECT id, row FROM head WHERE kind = ? AND id > ? AND there = 1
                     ORDER BY id LIMIT ?";
        let bindings = vec![kind.as_str().into(), after.into(), number(limit.into())?];
        let heads = self.keyed(query, bindings)?.into_iter();
        Ok(heads.map(|(id, head)| (DocumentKey::stored(kind, &id), head)).collect())
    }

    fn entry(&self, key: &str) -> worker::Result<Option<Entry>> {
        first_document(self.0, "SELECT row FROM entry WHERE key = ?", vec![key.into()])
    }

    fn entries(&self, owner: &DocumentKey) -> worker::Result<Vec<(String, Entry)>> {
        self.keyed("SELECT key, row FROM entry WHERE kind = ? AND id = ?", name(owner))
    }

    fn unpublished(
        &self,
        owner: &DocumentKey,
        revision: Revision,
        limit: usize,
    ) -> worker::Result<Vec<(String, Entry)>> {
        let query = "SELECT key, row FROM entry WHERE kind = ? AND id = ?
                     AND (dropped = 1 OR written < ?) LIMIT ?";
        self.keyed(query, with(name(owner), [number(revision.number())?, count(limit)?]))
    }

    fn looking_signed(&self, prefix: &str, limit: usize) -> worker::Result<Vec<(String, Entry)>> {
        let query = "SELECT key, row FROM entry WHERE looks = ? AND dropped = 0 LIMIT ?";
        self.keyed(query, vec![prefix.into(), count(limit)?])
    }

    fn listed(&self, code: &str) -> worker::Result<Option<CampaignId>> {
        let query = "SELECT campaign FROM listed WHERE code = ?";
        match first_value(self.0, query, vec![code.into()])? {
            Some(SqlStorageValue::String(id)) => campaign(&id).map(Some),
            Some(_) => Err("a campaign's id is no text".into()),
            None => Ok(None),
        }
    }

    fn listed_looking_signed(
        &self,
        prefix: &str,
        limit: usize,
    ) -> worker::Result<Vec<(String, CampaignId)>> {
        let query = "SELECT code, campaign FROM listed WHERE looks = ? LIMIT ?";
        let found = rows(self.0, query, vec![prefix.into(), count(limit)?])?;
        found.into_iter().map(|[code, id]: [String; 2]| Ok((code, campaign(&id)?))).collect()
    }

    fn pending(&self, key: &DocumentKey) -> worker::Result<Option<Pending>> {
        first_document(self.0, "SELECT row FROM outbox WHERE kind = ? AND id = ?", name(key))
    }

    fn due(&self, now: Instant, limit: u32) -> worker::Result<Vec<(DocumentKey, Pending)>> {
        let query = "SELECT kind, id, row FROM outbox WHERE due <= ? ORDER BY due LIMIT ?";
        let now = SqlStorageValue::try_from_i64(now.millis())?;
        let read = |[kind, id, row]: [String; 3]| {
            let kind = Kind::named(&kind).ok_or("there is no such kind of document")?;
            Ok((DocumentKey::stored(kind, &id), serde_json::from_str(&row)?))
        };
        rows(self.0, query, vec![now, number(limit.into())?])?.into_iter().map(read).collect()
    }
}

fn campaign(id: &str) -> worker::Result<CampaignId> {
    CampaignId::parse(id).map_err(|error| error.to_string().into())
}

fn json(row: &impl Serialize) -> worker::Result<SqlStorageValue> {
    Ok(serde_json::to_string(row)?.into())
}

/// Writes what was decided.
pub fn write(turn: &Turn<'_>, changes: Changes) -> worker::Result<()> {
    for (key, head) in changes.heads {
        let query = "INSERT OR REPLACE INTO head (kind, id, there, row) VALUES (?, ?, ?, ?)";
        let there = number(u64::from(head.exists()))?;
        turn.write(query, with(name(&key), [there, json(&head)?]))?;
    }
    for (key, version) in changes.versions {
        let query = "INSERT INTO version (kind, id, revision, row) VALUES (?, ?, ?, ?)";
        let revision = number(version.revision.number())?;
        turn.write(query, with(name(&key), [revision, json(&version)?]))?;
    }
    for (key, entry) in changes.entries {
        write_entry(turn, &key, entry)?;
    }
    for (code, (campaign, looks)) in changes.listed {
        let query = "INSERT OR REPLACE INTO listed (code, campaign, looks) VALUES (?, ?, ?)";
        turn.write(query, vec![code.into(), campaign.as_str().into(), optional(looks)])?;
    }
    for (key, pending) in changes.outbox {
        match pending {
            Some(pending) => {
                let query =
                    "INSERT OR REPLACE INTO outbox (kind, id, due, row) VALUES (?, ?, ?, ?)";
                let due = SqlStorageValue::try_from_i64(pending.due.millis())?;
                turn.write(query, with(name(&key), [due, json(&pending)?]))?;
            }
            None => turn.write("DELETE FROM outbox WHERE kind = ? AND id = ?", name(&key))?,
        }
    }
    for audit in changes.audit {
        turn.write("INSERT INTO audit (row) VALUES (?)", vec![json(&audit)?])?;
    }
    Ok(())
}

fn write_entry(turn: &Turn<'_>, key: &str, entry: Option<Entry>) -> worker::Result<()> {
    let Some(entry) = entry else {
        return turn.write("DELETE FROM entry WHERE key = ?", vec![key.into()]);
    };
    let query = "INSERT OR REPLACE INTO entry (key, kind, id, dropped, written, looks, row)
                 VALUES (?, ?, ?, ?, ?, ?, ?)";
    let row = json(&entry)?;
    let dropped = number(u64::from(entry.dropped))?;
    let written = number(entry.written.number())?;
    let owner =
        with(vec![key.into()], [entry.owner.kind().as_str().into(), entry.owner.id().into()]);
    turn.write(query, with(owner, [dropped, written, optional(entry.looks_signed), row]))
}

fn optional(text: Option<String>) -> SqlStorageValue {
    text.map_or(SqlStorageValue::Null, Into::into)
}
