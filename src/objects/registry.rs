//! The operators' documents in the registry's SQLite: [`promo_core::registry`], which says why it is right.
//! There is one object. Publishing is in [`publish`].

mod publish;
mod rows;

use std::cell::Cell;
use std::rc::Rc;

use promo_core::registry::{
    self, AddCodes, Added, DocumentKey, Found, Listing, Recalled, Written, add_codes,
};
use promo_core::revision::Revision;
use promo_core::time::Instant;
use worker::SqlStorageValue;

use self::rows::Rows;
use super::ask::questions;
use super::object::{Access, Answer, Class, Turn};
use super::store::first_value;

/// The one object's name.
pub const NAME: &str = "registry";
/// Should a publisher die, the alarm comes again after so many milliseconds.
const SHOULD_IT_DIE: i64 = 10_000;

questions! {
    /// What is asked of the registry.
    pub enum Question to "REGISTRY" {
        /// Put a document.
        Put(registry::Put) -> Written,
        /// Delete a document.
        Delete(registry::Delete) -> Written,
        /// A document as it stands, or in one revision.
        Get(DocumentKey, Option<Revision>) -> Found,
        /// Where a document stands.
        Standing(DocumentKey) -> Option<registry::Standing>,
        /// A page of the documents of a kind.
        List(registry::List) -> Listing,
        /// At most so many revisions of a document before this one.
        History(DocumentKey, Option<Revision>, u32) -> registry::History,
        /// The document that counts.
        Recall(registry::Recall) -> Option<Recalled>,
        /// Add single codes to a campaign.
        Add(AddCodes) -> Added,
        /// Which of these keys of KV belong to no document.
        NotOwned(Vec<String>) -> Vec<String>,
        /// Which of these documents the registry has never heard of.
        Unknown(Vec<DocumentKey>) -> Vec<DocumentKey>,
    }
}

/// The registry.
pub struct Registry {
    object: Access,
    /// Somebody is publishing.
    publishing: Cell<bool>,
}

impl Class for Registry {
    type Question = Question;

    const SCHEMA: &'static [&'static str] = &[
        "CREATE TABLE head (kind TEXT, id TEXT, there INTEGER NOT NULL, row TEXT NOT NULL,
         PRIMARY KEY (kind, id)) WITHOUT ROWID",
        "CREATE TABLE version (kind TEXT, id TEXT, revision INTEGER, row TEXT NOT NULL,
         PRIMARY KEY (kind, id, revision))",
        "CREATE TABLE entry (key TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,
         dropped INTEGER NOT NULL, written INTEGER NOT NULL, looks TEXT, row TEXT NOT NULL) WITHOUT ROWID",
        "CREATE INDEX entry_owner ON entry (kind, id)",
        "CREATE INDEX entry_looks ON entry (looks) WHERE looks NOT NULL",
        "CREATE TABLE listed (code TEXT PRIMARY KEY, campaign TEXT NOT NULL, looks TEXT) WITHOUT ROWID",
        "CREATE INDEX listed_looks ON listed (looks) WHERE looks NOT NULL",
        "CREATE TABLE outbox (kind TEXT, id TEXT, due INTEGER NOT NULL, row TEXT NOT NULL,
         PRIMARY KEY (kind, id)) WITHOUT ROWID",
        "CREATE TABLE audit (number INTEGER PRIMARY KEY, row TEXT NOT NULL)",
    ];

    fn open(object: Access) -> Self {
        Self { object, publishing: Cell::new(false) }
    }

    fn decide(&self, turn: &Turn<'_>, question: Question) -> worker::Result<Answer> {
        let store = Rows(turn.sql);
        match question {
            Question::Put(Put(put)) => {
                let (written, changes) = registry::put(&store, &put, turn.now)?;
                rows::write(turn, changes)?;
                Answer::to::<Put>(&written)
            }
            Question::Delete(Delete(delete)) => {
                let (written, changes) = registry::delete(&store, &delete, turn.now)?;
                rows::write(turn, changes)?;
                Answer::to::<Delete>(&written)
            }
            Question::Add(Add(add)) => {
                let (added, changes) = add_codes(&store, &add, turn.now)?;
                rows::write(turn, changes)?;
                Answer::to::<Add>(&added)
            }
            Question::Recall(Recall(recall)) => {
                let (recalled, changes) = registry::recall(&store, &recall, turn.now)?;
                rows::write(turn, changes)?;
                Answer::to::<Recall>(&recalled)
            }
            Question::Get(Get(key, revision)) => {
                Answer::to::<Get>(&registry::get(&store, &key, revision)?)
            }
            Question::Standing(Standing(key)) => {
                Answer::to::<Standing>(&registry::standing(&store, &key)?)
            }
            Question::List(List(list)) => Answer::to::<List>(&registry::list(&store, &list)?),
            Question::History(History(key, before, limit)) => {
                Answer::to::<History>(&registry::history(&store, &key, before, limit)?)
            }
            Question::NotOwned(NotOwned(keys)) => {
                Answer::to::<NotOwned>(&registry::not_owned(&store, keys)?)
            }
            Question::Unknown(Unknown(keys)) => {
                Answer::to::<Unknown>(&registry::unknown(&store, keys)?)
            }
        }
    }

    fn due(&self, turn: &Turn<'_>) -> worker::Result<Option<Instant>> {
        match first_value(turn.sql, "SELECT min(due) FROM outbox", Vec::new())? {
            // Whoever publishes sees what is new.
            Some(SqlStorageValue::Integer(_)) if self.publishing.get() => {
                Ok(Some(turn.now.plus_millis(SHOULD_IT_DIE)))
            }
            Some(SqlStorageValue::Integer(due)) => Ok(Some(Instant::from_millis(due))),
            _ => Ok(None),
        }
    }

    async fn wake(self: Rc<Self>) -> worker::Result<()> {
        if self.publishing.replace(true) {
            return Ok(());
        }
        let _done = Done(Rc::clone(&self));
        publish::publish(&self.object).await
    }
}

/// Notes that nobody is publishing any more, however the work ended.
struct Done(Rc<Registry>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.publishing.set(false);
    }
}
