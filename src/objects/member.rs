//! One member's books, in the object's SQLite: [`promo_core::loyalty::member`], which says why it is
//! right, reading and writing three tables. An object has the name of a member.

use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::loyalty::Terms;
use promo_core::loyalty::member::books::Posting;
use promo_core::loyalty::member::{Changes, Command, Profile, Store, TabNote, apply};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{first_document, in_one_transaction, rows, write};
use crate::http::{clock, now};

// A posting is only ever added; the number of a row is the posting's own.
const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS profile (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS posting (number INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tab (location TEXT, tab TEXT, record TEXT NOT NULL,
     PRIMARY KEY (location, tab)) WITHOUT ROWID",
];

/// One member.
#[durable_object(fetch)]
pub struct Member {
    state: State,
}

/// A command under the programme's terms.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub command: Command,
    /// What holds today.
    pub terms: Terms,
}

impl DurableObject for Member {
    fn new(state: State, env: Env) -> Self {
        clock::set(&env);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            for table in TABLES {
                sql.exec(table, None)?;
            }
            let store = Sqlite(&sql);
            let (reply, changes) = apply(&store, &question.command, &question.terms, now())?;
            let rows = match changes == Changes::default() {
                true => 0,
                false => in_one_transaction(&self.state, move || keep(&sql, changes))?,
            };
            Ok((reply, rows))
        })
        .await
    }
}

struct Sqlite<'a>(&'a SqlStorage);

impl Store for Sqlite<'_> {
    type Error = worker::Error;

    fn profile(&self) -> worker::Result<Profile> {
        let found = first_document(self.0, "SELECT record FROM profile", Vec::new())?;
        Ok(found.unwrap_or_default())
    }

    fn postings(&self) -> worker::Result<Vec<Posting>> {
        let found = rows(self.0, "SELECT record FROM posting ORDER BY number", Vec::new())?;
        found.into_iter().map(|[record]: [String; 1]| Ok(serde_json::from_str(&record)?)).collect()
    }

    fn tab(&self, tab: &TabKey) -> worker::Result<Option<TabNote>> {
        let query = "SELECT record FROM tab WHERE location = ? AND tab = ?";
        first_document(self.0, query, vec![tab.location.as_str().into(), tab.tab.as_str().into()])
    }

    fn tabs(&self) -> worker::Result<Vec<(TabKey, TabNote)>> {
        let found = rows(self.0, "SELECT location, tab, record FROM tab", Vec::new())?;
        found
            .into_iter()
            .map(|[location, tab, record]: [String; 3]| {
                let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
                let tab = TabId::parse(&tab).map_err(|error| error.to_string())?;
                Ok((TabKey { location, tab }, serde_json::from_str(&record)?))
            })
            .collect()
    }
}

fn keep(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    if changes.wipe {
        for query in ["DELETE FROM profile", "DELETE FROM posting", "DELETE FROM tab"] {
            rows = rows.saturating_add(write(sql, query, Vec::new())?);
        }
    }
    if let Some(profile) = changes.profile {
        let query = "INSERT OR REPLACE INTO profile (id, record) VALUES (1, ?)";
        let row = vec![serde_json::to_string(&profile)?.into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    for posting in changes.postings {
        let number = i64::try_from(posting.number).map_err(|_| "too many postings")?;
        // Not "or replace": a number that is there already is a mistake of ours, and nothing is written.
        let query = "INSERT INTO posting (number, record) VALUES (?, ?)";
        let record = serde_json::to_string(&posting)?;
        let row = vec![SqlStorageValue::try_from_i64(number)?, record.into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    for (tab, note) in changes.tabs {
        let query = "INSERT OR REPLACE INTO tab (location, tab, record) VALUES (?, ?, ?)";
        let record = serde_json::to_string(&note)?;
        let row = vec![tab.location.as_str().into(), tab.tab.as_str().into(), record.into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    Ok(rows)
}
