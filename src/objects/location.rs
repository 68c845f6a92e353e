//! What happens at a location, in its object's SQLite: [`promo_core::location`], which says why it is
//! right. An object has the name of a location.
//!
//! A redemption writes one row here: tabs are kept by name without an index over the instant at which they
//! are removed, which would be one more row written and billed. That instant is rounded up to the end of
//! its day, so that one scan a day finds all that has fallen due, and is read as a query only when the
//! object wakes. A tab's other names are a column of its row for the same reason: they are searched only
//! for a name that is no tab's own, at a location where some tab has another.

use std::cell::Cell;
use std::rc::Rc;

use promo_core::checkout::CleanUp;
use promo_core::erasure::Replacements;
use promo_core::ident::{LocationId, TabId};
use promo_core::location::{
    Changes, Command, Index, Message, MissRow, Record, Reply, ReplyRow, RowKey, Store, TabRow,
    decide,
};
use promo_core::time::Instant;
use worker::{SqlStorage, SqlStorageValue};

use super::ask::questions;
use super::object::{Access, Answer, Class, Turn};
use super::store::{first_value, rows};
use crate::ports::clean_up_once;

const DAY: i64 = 24 * 60 * 60 * 1000;

questions! {
    /// What is asked of an object.
    pub enum Question to "LOCATION" {
        /// A message to the location of this id.
        At(LocationId, Message) -> Reply,
        /// Put meaningless names in the place of a person's on a tab; whether there were any.
        Erase(TabId, Replacements) -> bool,
    }
}

/// One location.
pub struct Location {
    object: Access,
    /// When the location is to be woken, once that has been read.
    next: Cell<Option<Instant>>,
    read: Cell<bool>,
    /// Whether any tab has another name, once that has been read.
    has_names: Cell<Option<bool>>,
}

impl Class for Location {
    type Question = Question;

    const SCHEMA: &'static [&'static str] = &[
        // Other names are joined with line ends, which no name has, and begin and end with one.
        "CREATE TABLE tab (tab TEXT PRIMARY KEY, until INTEGER NOT NULL, undo_at INTEGER, names TEXT, \
         record TEXT NOT NULL) WITHOUT ROWID",
        "CREATE INDEX tab_undo ON tab (undo_at) WHERE undo_at IS NOT NULL",
        // The row of the location as a whole has no name.
        "CREATE TABLE miss (tab TEXT PRIMARY KEY, until INTEGER NOT NULL, misses TEXT NOT NULL) \
         WITHOUT ROWID",
        "CREATE TABLE reply (name TEXT PRIMARY KEY, until INTEGER NOT NULL, record TEXT NOT NULL) \
         WITHOUT ROWID",
        "CREATE INDEX reply_until ON reply (until)",
        "CREATE TABLE me (location TEXT PRIMARY KEY) WITHOUT ROWID",
    ];

    fn open(object: Access) -> Self {
        let (next, read, has_names) = (Cell::new(None), Cell::new(false), Cell::new(None));
        Self { object, next, read, has_names }
    }

    fn decide(&self, turn: &Turn<'_>, question: Question) -> worker::Result<Answer> {
        let here = Here { sql: turn.sql, has_names: &self.has_names };
        let At(location, message) = match question {
            Question::At(at) => at,
            Question::Erase(Erase(tab, names)) => {
                return Answer::to::<Erase>(&erase(turn, &here, &tab, &names)?);
            }
        };
        let (reply, changes, wake_at) = decide(&here, &message, turn.now)?;
        if !changes.is_nothing() {
            self.note(turn, &location)?;
            self.keep(turn, changes)?;
        }
        let sooner = wake_at.filter(|at| self.next.get().is_none_or(|next| *at < next));
        if self.read.get() && sooner.is_some() {
            self.next.set(sooner);
        }
        Answer::to::<At>(&reply)
    }

    fn due(&self, turn: &Turn<'_>) -> worker::Result<Option<Instant>> {
        if !self.read.get() {
            let first = "SELECT min(at) FROM (SELECT min(until) AS at FROM tab \
                 UNION ALL SELECT min(undo_at) FROM tab WHERE undo_at IS NOT NULL \
                 UNION ALL SELECT min(until) FROM miss UNION ALL SELECT min(until) FROM reply)";
            self.next.set(instant(turn.sql, first, Vec::new())?);
            self.read.set(true);
        }
        Ok(self.next.get())
    }

    async fn wake(self: Rc<Self>) -> worker::Result<()> {
        let class = Rc::clone(&self);
        let (woken, location) = self.object.turn(move |turn| {
            let here = Here { sql: turn.sql, has_names: &class.has_names };
            let message = Message { deadline: turn.now, command: Command::Wake };
            let (reply, changes, next) = decide(&here, &message, turn.now)?;
            class.keep(turn, changes)?;
            class.next.set(next);
            class.read.set(true);
            let [location] = rows(turn.sql, "SELECT location FROM me", Vec::new())?
                .into_iter()
                .next()
                .ok_or("a location that nothing was written of was woken")?;
            Ok((reply, LocationId::parse(&location).map_err(|error| error.to_string())?))
        })?;
        let Reply::Woken(woken) = woken else { return Err("another answer".into()) };
        for unreadable in &woken.unreadable {
            let problem = serde_json::json!({"problem": "a record cannot be read",
                "location": location, "tab": unreadable.tab, "detail": unreadable.detail});
            worker::console_error!("{problem}");
        }
        for undo in woken.undos {
            // It settles here too, and so forgets the undo.
            clean_up_once(&self.object.env, &CleanUp::of(&location, undo)).await;
        }
        Ok(())
    }
}

impl Location {
    /// Notes which location this is, once: an alarm does not say.
    fn note(&self, turn: &Turn<'_>, location: &LocationId) -> worker::Result<()> {
        // Not before something else is kept: see `SCHEMA`, which is not counted either.
        let known = first_value(turn.sql, "SELECT location FROM me", Vec::new())?;
        if known.is_none() {
            let row = vec![location.as_str().into()];
            turn.sql.exec("INSERT INTO me (location) VALUES (?)", row)?;
        }
        Ok(())
    }

    fn keep(&self, turn: &Turn<'_>, changes: Changes) -> worker::Result<()> {
        let Changes { removed_tabs, removed_misses, removed_replies, .. } = changes;
        for tab in removed_tabs {
            turn.write("DELETE FROM tab WHERE tab = ?", vec![tab.as_str().into()])?;
        }
        for key in removed_misses {
            turn.write("DELETE FROM miss WHERE tab = ?", vec![miss_key(&key)])?;
        }
        for name in removed_replies {
            turn.write("DELETE FROM reply WHERE name = ?", vec![name.into()])?;
        }
        for (tab, undo_at) in changes.postponed {
            let row = vec![optional(undo_at)?, tab.as_str().into()];
            turn.write("UPDATE tab SET undo_at = ? WHERE tab = ?", row)?;
        }
        for TabRow { tab, record, names, until, undo_at } in changes.tabs {
            let until = until.millis().saturating_add(DAY.saturating_sub(1));
            let until = until.saturating_sub(until.rem_euclid(DAY));
            let other = (!names.is_empty()).then(|| joined(&names));
            if other.is_some() {
                self.has_names.set(Some(true));
            }
            let other = other.map_or(SqlStorageValue::Null, Into::into);
            let until = SqlStorageValue::try_from_i64(until)?;
            let row = vec![tab.as_str().into(), until, optional(undo_at)?, other, record.into()];
            let query = "INSERT OR REPLACE INTO tab (tab, until, undo_at, names, record) \
                         VALUES (?, ?, ?, ?, ?)";
            turn.write(query, row)?;
        }
        for MissRow { tab, misses, until } in changes.misses {
            let row = vec![miss_key(&tab), optional(Some(until))?, misses.into()];
            turn.write("INSERT OR REPLACE INTO miss (tab, until, misses) VALUES (?, ?, ?)", row)?;
        }
        for ReplyRow { name, record, until } in changes.replies {
            let row = vec![name.into(), optional(Some(until))?, record.into()];
            turn.write("INSERT OR REPLACE INTO reply (name, until, record) VALUES (?, ?, ?)", row)?;
        }
        Ok(())
    }
}

fn erase(
    turn: &Turn<'_>,
    here: &Here<'_>,
    name: &TabId,
    names: &Replacements,
) -> worker::Result<bool> {
    let tab = match here.record(name)? {
        Some(_) => Some(name.clone()),
        None => here.tab_of(name)?,
    };
    let Some(tab) = tab else { return Ok(false) };
    let Some(record) = here.record(&tab)?.and_then(|record| names.replace(&record)) else {
        return Ok(false);
    };
    // What cannot be read any more must not be written.
    serde_json::from_str::<Record>(&record)?;
    let row = vec![record.into(), tab.as_str().into()];
    turn.write("UPDATE tab SET record = ? WHERE tab = ?", row)?;
    Ok(true)
}

fn joined(names: &[TabId]) -> String {
    let mut text = String::from("\n");
    for name in names {
        text.push_str(name.as_str());
        text.push('\n');
    }
    text
}

fn miss_key(key: &RowKey) -> SqlStorageValue {
    key.as_ref().map_or("", TabId::as_str).into()
}

fn optional(at: Option<Instant>) -> worker::Result<SqlStorageValue> {
    match at {
        Some(at) => SqlStorageValue::try_from_i64(at.millis()),
        None => Ok(SqlStorageValue::Null),
    }
}

fn instant(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Option<Instant>> {
    match first_value(sql, query, bindings)? {
        Some(SqlStorageValue::Integer(at)) => Ok(Some(Instant::from_millis(at))),
        _ => Ok(None),
    }
}

fn text(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Option<String>> {
    match first_value(sql, query, bindings)? {
        Some(SqlStorageValue::String(text)) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// The object's SQLite, as the machine reads it.
struct Here<'a> {
    sql: &'a SqlStorage,
    has_names: &'a Cell<Option<bool>>,
}

impl Here<'_> {
    fn has_names(&self) -> worker::Result<bool> {
        if let Some(known) = self.has_names.get() {
            return Ok(known);
        }
        let query = "SELECT tab FROM tab WHERE names IS NOT NULL LIMIT 1";
        let any = first_value(self.sql, query, Vec::new())?.is_some();
        self.has_names.set(Some(any));
        Ok(any)
    }
}

impl Store for Here<'_> {
    type Error = worker::Error;

    fn tab_of(&self, name: &TabId) -> worker::Result<Option<TabId>> {
        if !self.has_names()? {
            return Ok(None);
        }
        // Of several, the one that was touched last: a later redemption keeps it longer. `instr` knows no
        // wildcards.
        let query = "SELECT tab FROM tab WHERE instr(names, ?) > 0 ORDER BY until DESC LIMIT 1";
        let found = text(self.sql, query, vec![joined(std::slice::from_ref(name)).into()])?;
        found.map(|tab| TabId::parse(&tab).map_err(|error| error.to_string().into())).transpose()
    }

    fn record(&self, tab: &TabId) -> worker::Result<Option<String>> {
        text(self.sql, "SELECT record FROM tab WHERE tab = ?", vec![tab.as_str().into()])
    }

    fn misses(&self, tab: Option<&TabId>) -> worker::Result<Option<String>> {
        let key = tab.map_or("", TabId::as_str);
        text(self.sql, "SELECT misses FROM miss WHERE tab = ?", vec![key.into()])
    }

    fn reply(&self, name: &str) -> worker::Result<Option<String>> {
        text(self.sql, "SELECT record FROM reply WHERE name = ?", vec![name.into()])
    }

    fn due_replies(&self, at: Instant, most: usize) -> worker::Result<Vec<String>> {
        let query = "SELECT name FROM reply WHERE until <= ? ORDER BY until LIMIT ?";
        let due = rows(self.sql, query, limited(at, most)?)?;
        Ok(due.into_iter().map(|[name]| name).collect())
    }

    fn due(&self, of: Index, at: Instant, most: usize) -> worker::Result<Vec<RowKey>> {
        let query = match of {
            Index::Undo => {
                "SELECT tab FROM tab WHERE undo_at IS NOT NULL AND undo_at <= ? ORDER BY undo_at LIMIT ?"
            }
            Index::Tab => "SELECT tab FROM tab WHERE until <= ? ORDER BY until LIMIT ?",
            Index::Miss => "SELECT tab FROM miss WHERE until <= ? ORDER BY until LIMIT ?",
            Index::Reply => return Ok(Vec::new()),
        };
        let key = |[tab]: [String; 1]| match tab.as_str() {
            "" => Ok(None),
            tab => TabId::parse(tab).map(Some).map_err(|error| error.to_string().into()),
        };
        rows(self.sql, query, limited(at, most)?)?.into_iter().map(key).collect()
    }

    fn next(&self, of: Index, after: Instant) -> worker::Result<Option<Instant>> {
        let query = match of {
            Index::Undo => "SELECT min(undo_at) FROM tab WHERE undo_at IS NOT NULL AND undo_at > ?",
            Index::Tab => "SELECT min(until) FROM tab WHERE until > ?",
            Index::Miss => "SELECT min(until) FROM miss WHERE until > ?",
            Index::Reply => "SELECT min(until) FROM reply WHERE until > ?",
        };
        instant(self.sql, query, vec![SqlStorageValue::try_from_i64(after.millis())?])
    }
}

fn limited(at: Instant, most: usize) -> worker::Result<Vec<SqlStorageValue>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(vec![SqlStorageValue::try_from_i64(at.millis())?, SqlStorageValue::try_from_i64(most)?])
}
