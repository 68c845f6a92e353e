//! What stands on a tab, in its object's SQLite: [`promo_core::ledger::tab`], which says why it is
//! right. An object has the name of a tab; tabs of several locations may share one, so each location
//! has its row.

use std::collections::BTreeMap;

use promo_core::checkout::CleanUp;
use promo_core::ident::LocationId;
use promo_core::ledger::tab::{self, Command, Reply};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, State, durable_object, wasm_bindgen,
};

use super::store::{first_document, in_one_transaction, rows, write};
use crate::ports::clean_up_once;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS tab (location TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID";

/// All tabs of one name.
#[durable_object(alarm)]
pub struct Tab {
    state: State,
    env: Env,
}

/// After how many milliseconds what is to be undone is undone here, if it has not been by then.
const UNDO: i64 = 3000;
/// After how many it is tried again.
const UNDO_AGAIN: i64 = 30_000;

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A command to the tab of one location.
    At(LocationId, Command),
    /// What is known of every location's tab of this name.
    Show,
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The tab's reply to a command.
    Reply(Reply),
    /// By location, what stands.
    Tabs(BTreeMap<LocationId, tab::Tab>),
}

impl DurableObject for Tab {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let mut undoes = false;
        let answer = super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            sql.exec(TABLE, None)?;
            let Question::At(location, command) = question else {
                return Ok((Answer::Tabs(all(&sql)?), 0));
            };
            let query = "SELECT record FROM tab WHERE location = ?";
            let mut tab: tab::Tab =
                first_document(&sql, query, vec![location.as_str().into()])?.unwrap_or_default();
            undoes = matches!(command, Command::Undo(_));
            let (reply, changed) = tab.apply(command);
            if !changed {
                return Ok((Answer::Reply(reply), 0));
            }
            let row = vec![location.as_str().into(), serde_json::to_string(&tab)?.into()];
            let query = "INSERT OR REPLACE INTO tab (location, record) VALUES (?, ?)";
            let rows = in_one_transaction(&self.state, move || write(&sql, query, row))?;
            Ok((Answer::Reply(reply), rows))
        })
        .await;
        if undoes {
            self.state.storage().set_alarm(UNDO).await?;
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let undos = || -> worker::Result<Vec<tab::Undo>> {
            Ok(all(&self.state.storage().sql())?.into_values().flat_map(|tab| tab.undos).collect())
        };
        for undo in undos()? {
            // It settles here too, and so forgets the undo.
            clean_up_once(&self.env, &CleanUp::of(undo)).await;
        }
        if !undos()?.is_empty() {
            self.state.storage().set_alarm(UNDO_AGAIN).await?;
        }
        Response::empty()
    }
}

fn all(sql: &SqlStorage) -> worker::Result<BTreeMap<LocationId, tab::Tab>> {
    let read = |[location, record]: [String; 2]| {
        let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
        Ok((location, serde_json::from_str(&record)?))
    };
    rows(sql, "SELECT location, record FROM tab", Vec::new())?.into_iter().map(read).collect()
}
