//! Replies under an `Idempotency-Key` ([`crate::replies`]), over a location's rows.
//!
//! A reply's name is of the caller, the route and the key, so that no caller meets another's.

use std::cell::RefCell;

use super::record::Unreadable;
use super::store::{Changes, ReplyRow, Store};
use crate::replies::{self, Answer, Command, Record};
use crate::time::Instant;

/// Rows of replies, as the replies' own machine reads and writes them.
struct Rows<'s, S: Store> {
    store: &'s S,
    changes: RefCell<&'s mut Changes>,
}

/// Why a reply's row cannot be read.
enum Failure<E> {
    Store(E),
    Unreadable(Unreadable),
}

impl<S: Store> replies::Store for Rows<'_, S> {
    type Error = Failure<S::Error>;

    fn read(&self, name: &str) -> Result<Option<Record>, Self::Error> {
        let Some(text) = self.store.reply(name).map_err(Failure::Store)? else { return Ok(None) };
        let unreadable = |error: serde_json::Error| {
            let detail = format!("the reply {name}: {error}");
            Failure::Unreadable(Unreadable { tab: None, detail })
        };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    fn write(&self, name: &str, record: Option<&Record>) -> Result<(), Self::Error> {
        let mut changes = self.changes.borrow_mut();
        match record {
            None => changes.removed_replies.push(name.to_owned()),
            Some(record) => changes.replies.push(ReplyRow {
                name: name.to_owned(),
                // Our own type to memory: it does not fail.
                record: serde_json::to_string(record).unwrap_or_default(),
                until: record.until(),
            }),
        }
        Ok(())
    }
}

/// Decides a command to the reply of a name.
pub(super) fn apply<S: Store>(
    store: &S,
    name: &str,
    command: &Command,
    now: Instant,
    changes: &mut Changes,
) -> Result<Result<Answer, Unreadable>, S::Error> {
    let rows = Rows { store, changes: RefCell::new(changes) };
    match replies::apply(&rows, name, command.clone(), now) {
        Ok(answer) => Ok(Ok(answer)),
        Err(Failure::Unreadable(unreadable)) => Ok(Err(unreadable)),
        Err(Failure::Store(error)) => Err(error),
    }
}
