//! A campaign's ledger in its object's SQLite: [`promo_core::ledger::campaign`], which says why it is
//! right, reading and writing two tables.

use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Books, Changes, Command, Reply, TabRecord, apply};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{self, first_document, first_value, in_one_transaction, rows};
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

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A command to the machine.
    Decide(Command),
    /// What the counters whose keys begin like this have counted, each beginning's sum.
    Sums(Vec<String>),
    /// The records of so many tabs, those after this one.
    Tabs {
        /// Where the page before ended.
        after: Option<TabKey>,
        /// How many.
        limit: u32,
    },
    /// The record of one tab.
    Tab(TabKey),
}

/// What it answers, by the same names.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The machine's reply.
    Decided(Reply),
    /// Sums, in the order asked.
    Sums(Vec<u64>),
    /// Tabs with their records, in the order of their keys.
    Tabs(Vec<(TabKey, TabRecord)>),
}

impl DurableObject for Ledger {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            for table in TABLES {
                sql.exec(table, None)?;
            }
            let books = Sqlite(&sql);
            let tabs = match question {
                Question::Decide(command) => {
                    let (reply, changes) = apply(&books, &command, now())?;
                    let rows = match changes == Changes::default() {
                        true => 0,
                        false => in_one_transaction(&self.state, move || write(&sql, changes))?,
                    };
                    return Ok((Answer::Decided(reply), rows));
                }
                Question::Sums(prefixes) => {
                    let sums = prefixes.iter().map(|prefix| sum(&sql, prefix));
                    return Ok((Answer::Sums(sums.collect::<worker::Result<_>>()?), 0));
                }
                Question::Tabs { after, limit } => page(&sql, after, limit)?,
                Question::Tab(key) => {
                    let record = books.tab(&key)?;
                    record.map(|record| (key, record)).into_iter().collect()
                }
            };
            Ok((Answer::Tabs(tabs), 0))
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
        let query = "SELECT used FROM counter WHERE key = ?";
        count(first_value(self.0, query, vec![key.into()])?.as_ref())
    }
}

/// The sum of the counters whose keys begin with a prefix, which ends in `|`.
fn sum(sql: &SqlStorage, prefix: &str) -> worker::Result<u64> {
    // The character after `|` ends the stretch of keys that begin so.
    let end = format!("{}}}", prefix.trim_end_matches('|'));
    let query = "SELECT sum(used) FROM counter WHERE key >= ? AND key < ?";
    count(first_value(sql, query, vec![prefix.into(), end.into()])?.as_ref())
}

fn count(value: Option<&SqlStorageValue>) -> worker::Result<u64> {
    match value {
        None | Some(SqlStorageValue::Null) => Ok(0),
        Some(SqlStorageValue::Integer(used)) => {
            u64::try_from(*used).map_err(|_| "a counter is below zero".into())
        }
        Some(_) => Err("a counter is no whole number".into()),
    }
}

fn page(
    sql: &SqlStorage,
    after: Option<TabKey>,
    limit: u32,
) -> worker::Result<Vec<(TabKey, TabRecord)>> {
    let columns = "SELECT location, tab, record FROM tab";
    let order = format!("ORDER BY location, tab LIMIT {limit}");
    let (query, bindings) = match after {
        None => (format!("{columns} {order}"), Vec::new()),
        Some(TabKey { location, tab }) => (
            format!("{columns} WHERE (location, tab) > (?, ?) {order}"),
            vec![location.as_str().into(), tab.as_str().into()],
        ),
    };
    let read = |[location, tab, record]: [String; 3]| {
        let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
        let tab = TabId::parse(&tab).map_err(|error| error.to_string())?;
        Ok((TabKey { location, tab }, serde_json::from_str(&record)?))
    };
    rows(sql, &query, bindings)?.into_iter().map(read).collect()
}

fn write(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    if let Some((tab, record)) = changes.tab {
        let query = "INSERT OR REPLACE INTO tab (location, tab, record) VALUES (?, ?, ?)";
        let record = serde_json::to_string(&record)?;
        let row = vec![tab.location.as_str().into(), tab.tab.as_str().into(), record.into()];
        rows = rows.saturating_add(store::write(sql, query, row)?);
    }
    for (key, used) in changes.used {
        let used = i64::try_from(used).map_err(|_| "a counter is out of range")?;
        let query = "INSERT OR REPLACE INTO counter (key, used) VALUES (?, ?)";
        let row = vec![key.into(), SqlStorageValue::try_from_i64(used)?];
        rows = rows.saturating_add(store::write(sql, query, row)?);
    }
    Ok(rows)
}
