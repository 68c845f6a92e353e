//! What stands on a tab, in its object's SQLite: [`promo_core::ledger::tab`], which says why it is
//! right. An object has the name of a tab; tabs of several locations may share one, so each location
//! has its row.

use std::collections::BTreeMap;
use std::rc::Rc;

use promo_core::checkout::CleanUp;
use promo_core::erasure::Replacements;
use promo_core::ident::LocationId;
use promo_core::ledger::tab::{self, Command, Reply};
use promo_core::time::Instant;
use worker::{SqlStorage, SqlStorageValue};

use super::ask::questions;
use super::object::{Access, Answer, Class, Turn};
use super::store::{first_document, first_value, rows};
use crate::ports::clean_up_once;

/// After how many milliseconds what is to be undone is undone here, if it has not been by then.
const UNDO: i64 = 3000;
/// After how many it is tried again.
const UNDO_AGAIN: i64 = 30_000;

questions! {
    /// What is asked of an object.
    pub enum Question to "TAB" {
        /// A command to the tab of one location.
        At(LocationId, Command) -> Reply,
        /// Put meaningless names in the place of a person's; whether there were any.
        Erase(LocationId, Replacements) -> bool,
        /// By location, what stands on every tab of this name.
        Show() -> BTreeMap<LocationId, tab::Tab>,
    }
}

/// All tabs of one name.
pub struct Tab {
    object: Access,
}

impl Class for Tab {
    type Question = Question;

    const SCHEMA: &'static [&'static str] = &[
        "CREATE TABLE tab (location TEXT PRIMARY KEY, record TEXT NOT NULL, due INTEGER) WITHOUT ROWID",
    ];

    fn open(object: Access) -> Self {
        Self { object }
    }

    fn decide(&self, turn: &Turn<'_>, question: Question) -> worker::Result<Answer> {
        match question {
            Question::Show(Show()) => Answer::to::<Show>(&all(turn.sql)?),
            Question::Erase(Erase(location, names)) => {
                Answer::to::<Erase>(&erase(turn, &location, &names)?)
            }
            Question::At(At(location, command)) => {
                let query = "SELECT record FROM tab WHERE location = ?";
                let mut tab: tab::Tab =
                    first_document(turn.sql, query, vec![location.as_str().into()])?
                        .unwrap_or_default();
                let (reply, changed) = tab.apply(command);
                if changed {
                    keep(turn, &location, &tab, UNDO)?;
                }
                Answer::to::<At>(&reply)
            }
        }
    }

    fn due(&self, turn: &Turn<'_>) -> worker::Result<Option<Instant>> {
        match first_value(turn.sql, "SELECT min(due) FROM tab", Vec::new())? {
            Some(SqlStorageValue::Integer(due)) => Ok(Some(Instant::from_millis(due))),
            _ => Ok(None),
        }
    }

    async fn wake(self: Rc<Self>) -> worker::Result<()> {
        let tabs = self.object.turn(|turn| all(turn.sql))?;
        for undo in tabs.values().flat_map(|tab| tab.undos.clone()) {
            // It settles here too, and so forgets the undo.
            clean_up_once(&self.object.env, &CleanUp::of(undo)).await;
        }
        self.object.turn(|turn| {
            for (location, tab) in all(turn.sql)?.iter().filter(|(_, tab)| !tab.undos.is_empty()) {
                keep(turn, location, tab, UNDO_AGAIN)?;
            }
            Ok(())
        })
    }
}

fn erase(turn: &Turn<'_>, location: &LocationId, names: &Replacements) -> worker::Result<bool> {
    let query = "SELECT record FROM tab WHERE location = ?";
    let found = rows(turn.sql, query, vec![location.as_str().into()])?;
    let record = found.first().and_then(|[record]: &[String; 1]| names.replace(record));
    let Some(record) = record else { return Ok(false) };
    // What cannot be read any more must not be written.
    serde_json::from_str::<tab::Tab>(&record)?;
    let query = "UPDATE tab SET record = ? WHERE location = ?";
    turn.write(query, vec![record.into(), location.as_str().into()])?;
    Ok(true)
}

/// Writes a tab, and when it is looked at again if something on it is to be undone.
fn keep(turn: &Turn<'_>, location: &LocationId, tab: &tab::Tab, wait: i64) -> worker::Result<()> {
    let due = match tab.undos.is_empty() {
        true => SqlStorageValue::Null,
        false => SqlStorageValue::try_from_i64(turn.now.plus_millis(wait).millis())?,
    };
    let row = vec![location.as_str().into(), serde_json::to_string(tab)?.into(), due];
    turn.write("INSERT OR REPLACE INTO tab (location, record, due) VALUES (?, ?, ?)", row)
}

fn all(sql: &SqlStorage) -> worker::Result<BTreeMap<LocationId, tab::Tab>> {
    let read = |[location, record]: [String; 2]| {
        let location = LocationId::parse(&location).map_err(|error| error.to_string())?;
        Ok((location, serde_json::from_str(&record)?))
    };
    rows(sql, "SELECT location, record FROM tab", Vec::new())?.into_iter().map(read).collect()
}
