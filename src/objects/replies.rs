//! The first reply to a request with an `Idempotency-Key`, in its object's SQLite:
//! [`promo_core::replies`], which says why it is right. An object has the name of one key of one caller on
//! one route, and keeps the one record of that name.

use promo_core::replies::{Answer, CLAIM, Command, KEPT, Record, Store, apply};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, State, durable_object, wasm_bindgen,
};

use super::store::{first_document, in_one_transaction, write};
use crate::http::now;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS reply (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)";

/// One key's reply.
#[durable_object(alarm)]
pub struct Replies {
    state: State,
}

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// The name that the record belongs to, which is the object's too.
    pub name: String,
    /// The command.
    pub command: Command,
}

impl DurableObject for Replies {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let mut claimed = false;
        let answer = super::answer(request, |Question { name, command }: Question| {
            let rows = std::cell::Cell::new(0);
            let sqlite = Sqlite { state: &self.state, rows: &rows };
            self.state.storage().sql().exec(TABLE, None)?;
            let answer = apply(&sqlite, &name, command, now())?;
            claimed = answer == Answer::Yours;
            Ok((answer, rows.get()))
        })
        .await;
        if claimed {
            // Should the alarm be lost, a record still ends with its time.
            self.state.storage().set_alarm(KEPT.saturating_add(CLAIM)).await?;
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

struct Sqlite<'a> {
    state: &'a State,
    rows: &'a std::cell::Cell<u64>,
}

impl Sqlite<'_> {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }
}

impl Store for Sqlite<'_> {
    type Error = worker::Error;

    fn read(&self, _: &str) -> worker::Result<Option<Record>> {
        first_document(&self.sql(), "SELECT record FROM reply", Vec::new())
    }

    fn write(&self, _: &str, record: Option<&Record>) -> worker::Result<()> {
        let (query, row) = match record {
            None => ("DELETE FROM reply", Vec::new()),
            Some(record) => {
                let query = "INSERT OR REPLACE INTO reply (id, record) VALUES (1, ?)";
                (query, vec![serde_json::to_string(record)?.into()])
            }
        };
        let sql = self.sql();
        let rows = in_one_transaction(self.state, move || write(&sql, query, row))?;
        self.rows.set(self.rows.get().saturating_add(rows));
        Ok(())
    }
}
