//! One member's books, in the object's SQLite: [`promo_core::loyalty::member`], which says why it is
//! right, reading and writing four tables. An object has the name of a member.

use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::loyalty::member::books::Posting;
use promo_core::loyalty::member::{Adjusted, Changes, Command, Profile, Store, TabNote, apply};
use promo_core::loyalty::{MemberId, Terms};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{first_document, in_one_transaction, rows, write};
use crate::http::{clock, now};

// A posting is only ever added; the number of a row is the posting's own.
const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS profile (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS posting (number INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tab (location TEXT, tab TEXT, record TEXT NOT NULL,
     PRIMARY KEY (location, tab)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS adjusted (key TEXT, record TEXT NOT NULL,
     PRIMARY KEY (key, record)) WITHOUT ROWID",
];

/// One member.
#[durable_object(fetch)]
pub struct Member {
    state: State,
}

/// A command under the programme's terms.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// Who is asked.
    pub me: MemberId,
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
            let Question { me, command, terms } = question;
            let (reply, changes) = apply(&store, &me, &command, &terms, now())?;
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

    fn tabs_after(&self, after: Option<&TabKey>, most: usize) -> worker::Result<Vec<TabKey>> {
        let (location, tab) = match after {
            Some(key) => (key.location.as_str(), key.tab.as_str()),
            None => ("", ""),
        };
        let query = format!(
            "SELECT location, tab FROM tab WHERE (location, tab) > (?, ?) \
             ORDER BY location, tab LIMIT {most}"
        );
        let found = rows(self.0, &query, vec![location.into(), tab.into()])?;
        let read = |[location, tab]: [String; 2]| {
            let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
            let tab = TabId::parse(&tab).map_err(|error| error.to_string())?;
            Ok(TabKey { location, tab })
        };
        found.into_iter().map(read).collect()
    }

    fn adjusted(&self, key: &str) -> worker::Result<Vec<Adjusted>> {
        let query = "SELECT record FROM adjusted WHERE key = ?";
        let found = rows(self.0, query, vec![key.into()])?;
        found.into_iter().map(|[record]: [String; 1]| Ok(serde_json::from_str(&record)?)).collect()
    }

    fn all_adjusted(&self) -> worker::Result<Vec<(String, Adjusted)>> {
        let found = rows(self.0, "SELECT key, record FROM adjusted", Vec::new())?;
        let read = |[key, record]: [String; 2]| Ok((key, serde_json::from_str(&record)?));
        found.into_iter().map(read).collect()
    }
}

fn keep(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    if changes.wipe {
        for table in ["profile", "posting", "tab", "adjusted"] {
            rows = rows.saturating_add(write(sql, &format!("DELETE FROM {table}"), Vec::new())?);
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
    for (key, adjusted) in changes.adjusted {
        let query = "INSERT OR IGNORE INTO adjusted (key, record) VALUES (?, ?)";
        let row = vec![key.into(), serde_json::to_string(&adjusted)?.into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    Ok(rows)
}
