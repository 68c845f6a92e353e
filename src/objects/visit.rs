//! Whose a closed tab is, in its object's SQLite: [`promo_core::loyalty::visit`], which says why it is
//! right. An object has the name of a tab; tabs of several locations may share one, so each location has
//! its row.

use promo_core::ident::LocationId;
use promo_core::loyalty::visit::{self, Command};
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use super::store::{first_document, in_one_transaction, write};
use crate::http::clock;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS visit (location TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID";

/// All closed tabs of one name.
#[durable_object(fetch)]
pub struct Visit {
    state: State,
}

/// A command to the tab of one location.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// Where.
    pub location: LocationId,
    /// What.
    pub command: Command,
}

impl DurableObject for Visit {
    fn new(state: State, env: Env) -> Self {
        clock::set(&env);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            sql.exec(TABLE, None)?;
            let Question { location, command } = question;
            let query = "SELECT record FROM visit WHERE location = ?";
            let mut visit: visit::Visit =
                first_document(&sql, query, vec![location.as_str().into()])?.unwrap_or_default();
            let (standing, changed) = visit.apply(command);
            if !changed {
                return Ok((standing, 0));
            }
            let row = vec![location.as_str().into(), serde_json::to_string(&visit)?.into()];
            let query = "INSERT OR REPLACE INTO visit (location, record) VALUES (?, ?)";
            let rows = in_one_transaction(&self.state, move || write(&sql, query, row))?;
            Ok((standing, rows))
        })
        .await
    }
}
