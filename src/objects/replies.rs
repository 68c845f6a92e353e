//! The first reply to a request with an `Idempotency-Key`, kept for a day. An object has the name of
//! one key's digest.
//!
//! What a request did is idempotent by itself (the ledger sees to that); here its *reply* is. Two
//! requests with one key may both be answered at the same time, but only the reply that is kept first
//! goes out, to both.

use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, State, durable_object, wasm_bindgen,
};

use super::store::{first_document, in_one_transaction, write};
use crate::http::now;

/// How long a reply is kept, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
const TABLE: &str = "CREATE TABLE IF NOT EXISTS reply (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)";

/// One key's reply.
#[durable_object(alarm)]
pub struct Replies {
    state: State,
}

/// A reply, and the request it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// A digest of what was asked.
    pub request: String,
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// What is asked of an object; it answers with the reply it has, if any.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The reply that was kept.
    Recall,
    /// Keep this one, unless one is kept.
    Keep(Kept),
}

impl DurableObject for Replies {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let mut keeps = false;
        let answer = super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            sql.exec(TABLE, None)?;
            let kept = kept(&sql)?;
            match (kept, question) {
                (None, Question::Keep(reply)) => {
                    let record = serde_json::to_string(&(now(), &reply))?;
                    let query = "INSERT OR REPLACE INTO reply (id, record) VALUES (1, ?)";
                    let rows = in_one_transaction(&self.state, move || {
                        write(&sql, query, vec![record.into()])
                    })?;
                    keeps = true;
                    Ok((Some(reply), rows))
                }
                (kept, _) => Ok((kept, 0)),
            }
        })
        .await;
        if keeps {
            // Should the alarm be lost, a reply still ends with its day: see `kept`.
            self.state.storage().set_alarm(KEPT).await?;
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

fn kept(sql: &SqlStorage) -> worker::Result<Option<Kept>> {
    let found: Option<(promo_core::time::Instant, Kept)> =
        first_document(sql, "SELECT record FROM reply", Vec::new())?;
    Ok(found.filter(|(at, _)| now() < at.plus_millis(KEPT)).map(|(_, kept)| kept))
}
