//! A campaign's ledger in its object's SQLite: [`promo_core::ledger::campaign`], which says why it is
//! right, reading and writing two tables.

use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Books, Changes, Command, TabRecord, apply};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{first_document, first_value, in_one_transaction};
use crate::http::now;

// Keyed by text and without row ids: an index would be one more row written, and billed.
const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS tab (location TEXT, tab TEXT, record TEXT NOT NULL,
     PRIMARY KEY (location, tab)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID",
];

/// One campaign's counters and redemptions.
#[durable_object(fetch)]
pub struct Ledger {
    state: State,
}

impl DurableObject for Ledger {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |command: Command| {
            let sql = self.state.storage().sql();
            for table in TABLES {
                sql.exec(table, None)?;
            }
            let (reply, changes) = apply(&Sqlite(&sql), &command, now())?;
            if changes != Changes::default() {
                in_one_transaction(&self.state, move || write(&sql, changes))?;
            }
            Ok(reply)
        })
        .await
    }
}

struct Sqlite<'a>(&'a SqlStorage);

impl Books for Sqlite<'_> {
    type Error = worker::Error;

    fn tab(&self, tab: &TabKey) -> worker::Result<Option<TabRecord>> {
        let query = "SELECT record FROM tab WHERE location = ? AND tab = ?";
        first_document(self.0, query, vec![tab.location.as_str().into(), tab.tab.as_str().into()])
    }

    fn used(&self, key: &str) -> worker::Result<u64> {
        match first_value(self.0, "SELECT used FROM counter WHERE key = ?", vec![key.into()])? {
            None => Ok(0),
            Some(SqlStorageValue::Integer(used)) => {
                u64::try_from(used).map_err(|_| "a counter is below zero".into())
            }
            Some(_) => Err("a counter is no whole number".into()),
        }
    }
}

fn write(sql: &SqlStorage, changes: Changes) -> worker::Result<()> {
    if let Some((tab, record)) = changes.tab {
        let query = "INSERT OR REPLACE INTO tab (location, tab, record) VALUES (?, ?, ?)";
        let record = serde_json::to_string(&record)?;
        let key = [tab.location.as_str().into(), tab.tab.as_str().into(), record.into()];
        sql.exec(query, key.to_vec())?;
    }
    for (key, used) in changes.used {
        let used = i64::try_from(used).map_err(|_| "a counter is out of range")?;
        let query = "INSERT OR REPLACE INTO counter (key, used) VALUES (?, ?)";
        sql.exec(query, vec![key.into(), SqlStorageValue::try_from_i64(used)?])?;
    }
    Ok(())
}
