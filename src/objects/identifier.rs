//! What one identity leads to, in its object's SQLite: [`promo_core::loyalty::directory`], which says why
//! it is right. An object has the name of the identity's pseudonym.

use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::loyalty::MemberId;
use promo_core::loyalty::directory::{Changes, Command, Entry};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, State, durable_object, wasm_bindgen,
};

use super::store::{first_value, in_one_transaction, rows, write};
use crate::http::{clock, now};

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), member TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS waiting (location TEXT, tab TEXT, record TEXT NOT NULL,
     PRIMARY KEY (location, tab)) WITHOUT ROWID",
];
/// How long after the first tab has waited enough it is looked at, in milliseconds: those of a whole day
/// then go together.
const GRACE: i64 = 24 * 60 * 60 * 1000;

/// One identity.
#[durable_object(alarm)]
pub struct Identifier {
    state: State,
}

impl DurableObject for Identifier {
    fn new(state: State, env: Env) -> Self {
        clock::set(&env);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let (mut next_end, mut empty) = (None, false);
        let answer = super::answer(request, |command: Command| {
            let sql = self.state.storage().sql();
            let mut entry = read(&sql)?;
            let expired = entry.expire(now());
            let forgets = command == Command::Forget;
            let (known, changes) = entry.apply(command);
            empty = forgets;
            next_end = entry.next_end().filter(|_| !changes.put.is_empty());
            let mut written = 0;
            for changes in [expired, changes] {
                if changes != Changes::default() {
                    let sql = self.state.storage().sql();
                    let rows = in_one_transaction(&self.state, move || keep(&sql, changes))?;
                    written = rows.saturating_add(written);
                }
            }
            Ok((known, written))
        })
        .await;
        let storage = self.state.storage();
        if empty {
            // Not even that there ever was something.
            storage.delete_all().await?;
        }
        if let Some(end) = next_end
            && storage.get_alarm().await?.is_none()
        {
            // Should it be lost: whoever asks finds nothing that has waited too long.
            let wait = end.millis().saturating_sub(now().millis()).saturating_add(GRACE);
            storage.set_alarm(wait.max(0)).await?;
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let sql = self.state.storage().sql();
        let mut entry = read(&sql)?;
        let changes = entry.expire(now());
        in_one_transaction(&self.state, move || keep(&sql, changes))?;
        match entry.next_end() {
            Some(end) => {
                let wait = end.millis().saturating_sub(now().millis()).saturating_add(GRACE);
                self.state.storage().set_alarm(wait.max(0)).await?;
            }
            None if entry.member.is_none() => self.state.storage().delete_all().await?,
            None => {}
        }
        Response::empty()
    }
}

fn read(sql: &SqlStorage) -> worker::Result<Entry> {
    for table in TABLES {
        sql.exec(table, None)?;
    }
    let member = match first_value(sql, "SELECT member FROM owner", Vec::new())? {
        Some(worker::SqlStorageValue::String(text)) => Some(
            MemberId::parse(&text)
                .ok_or_else(|| worker::Error::from("this is no member's name"))?,
        ),
        _ => None,
    };
    let waiting = rows(sql, "SELECT location, tab, record FROM waiting", Vec::new())?;
    let waiting = waiting.into_iter().map(|[location, tab, record]: [String; 3]| {
        let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
        let tab = TabId::parse(&tab).map_err(|error| error.to_string())?;
        Ok((TabKey { location, tab }, serde_json::from_str(&record)?))
    });
    Ok(Entry { member, waiting: waiting.collect::<worker::Result<_>>()? })
}

fn keep(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    match changes.member {
        Some(Some(member)) => {
            let query = "INSERT OR REPLACE INTO owner (id, member) VALUES (1, ?)";
            rows = rows.saturating_add(write(sql, query, vec![member.as_str().into()])?);
        }
        Some(None) => {
            rows = rows.saturating_add(write(sql, "DELETE FROM owner", Vec::new())?);
        }
        None => {}
    }
    for (tab, waiting) in changes.put {
        let query = "INSERT OR REPLACE INTO waiting (location, tab, record) VALUES (?, ?, ?)";
        let record = serde_json::to_string(&waiting)?;
        let row = vec![tab.location.as_str().into(), tab.tab.as_str().into(), record.into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    for tab in changes.gone {
        let query = "DELETE FROM waiting WHERE location = ? AND tab = ?";
        let row = vec![tab.location.as_str().into(), tab.tab.as_str().into()];
        rows = rows.saturating_add(write(sql, query, row)?);
    }
    Ok(rows)
}
