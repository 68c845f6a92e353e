//! A location's guard against guessing, in its object's SQLite: [`promo_core::guard`], which says why it
//! is right. An object has the name of a location; each of its tabs that has missed has a row, and the
//! location itself has one under no name, which no tab has. Rows whose misses are all over go with the
//! next alarm.

use promo_core::guard::{self, Limits, Misses};
use promo_core::ident::TabId;
use promo_core::time::Instant;
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{first_document, first_value, in_one_transaction, write};
use crate::http::now;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS miss (tab TEXT PRIMARY KEY, misses TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID";
/// The row of the location itself.
const ALL: &str = "";
/// The least time between two alarms, in milliseconds.
const REST: i64 = 1000;

/// One location's misses.
#[durable_object(alarm)]
pub struct Guard {
    state: State,
}

/// What is asked of an object; it answers until when the tab is locked, if it is: then nothing of what was
/// asked about is to be told.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// Which tab; none: the location as a whole.
    pub tab: Option<TabId>,
    /// How many misses are too many.
    pub limits: Limits,
    /// How many codes of this question lead nowhere.
    pub misses: u16,
}

impl DurableObject for Guard {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let mut window = None;
        let answer = super::answer(request, |Question { tab, limits, misses }: Question| {
            let (sql, now) = (self.state.storage().sql(), now());
            sql.exec(TABLE, None)?;
            let mut own = tab.as_ref().map(|tab| kept(&sql, tab.as_str())).transpose()?;
            let mut all = kept(&sql, ALL)?;
            let before = (own.clone(), all.clone());
            let locked = guard::hear(own.as_mut(), &mut all, &limits, misses, now);
            if before == (own.clone(), all.clone()) {
                return Ok((locked, 0));
            }
            let end = now.plus_millis(limits.window);
            let rows = in_one_transaction(&self.state, move || {
                let mut rows = keep(&sql, ALL, &all, end)?;
                if let (Some(tab), Some(own)) = (&tab, &own) {
                    rows = rows.saturating_add(keep(&sql, tab.as_str(), own, end)?);
                }
                Ok(rows)
            })?;
            window = Some(limits.window);
            Ok((locked, rows))
        })
        .await;
        if let Some(window) = window
            && self.state.storage().get_alarm().await?.is_none()
        {
            self.state.storage().set_alarm(window.max(REST)).await?;
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let (sql, at) = (self.state.storage().sql(), now());
        sql.exec(TABLE, None)?;
        let over = SqlStorageValue::try_from_i64(at.millis())?;
        write(&sql, "DELETE FROM miss WHERE until <= ?", vec![over])?;
        let next = first_value(&sql, "SELECT min(until) FROM miss", Vec::new())?;
        match next {
            Some(SqlStorageValue::Integer(next)) => {
                let wait = next.saturating_sub(at.millis()).max(REST);
                self.state.storage().set_alarm(wait).await?;
            }
            _ => self.state.storage().delete_all().await?,
        }
        Response::empty()
    }
}

fn kept(sql: &SqlStorage, tab: &str) -> worker::Result<Misses> {
    let query = "SELECT misses FROM miss WHERE tab = ?";
    Ok(first_document(sql, query, vec![tab.into()])?.unwrap_or_default())
}

fn keep(sql: &SqlStorage, tab: &str, misses: &Misses, end: Instant) -> worker::Result<u64> {
    let misses = serde_json::to_string(misses)?;
    let row = vec![tab.into(), misses.into(), SqlStorageValue::try_from_i64(end.millis())?];
    write(sql, "INSERT OR REPLACE INTO miss (tab, misses, until) VALUES (?, ?, ?)", row)
}
