//! What a location reads and writes, as rows.

use crate::ident::TabId;
use crate::time::Instant;

/// What the machine reads. A Durable Object answers from its SQLite, a test from maps. Records are
/// the texts that [`Changes`] had, so that one that cannot be read stops nothing but itself.
pub trait Store {
    /// Why a read failed.
    type Error;

    /// The tab that has this among its other names; of several, the one that was touched last.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tab_of(&self, name: &TabId) -> Result<Option<TabId>, Self::Error>;

    /// The record of a tab.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn record(&self, tab: &TabId) -> Result<Option<String>, Self::Error>;

    /// The misses of a tab; none: of the location as a whole.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn misses(&self, tab: Option<&TabId>) -> Result<Option<String>, Self::Error>;

    /// The record of a reply.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn reply(&self, name: &str) -> Result<Option<String>, Self::Error>;

    /// The names of replies that have fallen due up to an instant, at most so many.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due_replies(&self, at: Instant, most: usize) -> Result<Vec<String>, Self::Error>;

    /// The keys of tabs or misses that have fallen due up to an instant, the earliest first, at
    /// most so many.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due(&self, of: Index, at: Instant, most: usize) -> Result<Vec<RowKey>, Self::Error>;

    /// When the first row falls due that does after an instant.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn next(&self, of: Index, after: Instant) -> Result<Option<Instant>, Self::Error>;
}

/// The key of a row: a tab, or the location as a whole.
pub type RowKey = Option<TabId>;

/// An index over instants at which rows fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    /// [`TabRow::undo_at`].
    Undo,
    /// [`TabRow::until`].
    Tab,
    /// [`MissRow::until`].
    Miss,
    /// [`ReplyRow::until`].
    Reply,
}

/// The row of a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabRow {
    /// Its key.
    pub tab: TabId,
    /// Its record.
    pub record: String,
    /// Its other names.
    pub names: Vec<TabId>,
    /// Until when it is kept.
    pub until: Instant,
    /// When something is to be undone on it.
    pub undo_at: Option<Instant>,
}

/// The row of misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissRow {
    /// Its key.
    pub tab: RowKey,
    /// The misses.
    pub misses: String,
    /// Until when they count.
    pub until: Instant,
}

/// The row of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRow {
    /// Its key.
    pub name: String,
    /// Its record.
    pub record: String,
    /// Until when it counts.
    pub until: Instant,
}

/// What is to be written, all of it in the turn that decided it: first what is removed, then what
/// is postponed, then the rows, each in the place of one of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Tabs to remove.
    pub removed_tabs: Vec<TabId>,
    /// Misses to remove.
    pub removed_misses: Vec<RowKey>,
    /// Replies to remove.
    pub removed_replies: Vec<String>,
    /// Tabs whose undoing is due at another instant, or not at all, the record being as it was.
    pub postponed: Vec<(TabId, Option<Instant>)>,
    /// Tabs' rows.
    pub tabs: Vec<TabRow>,
    /// Misses' rows.
    pub misses: Vec<MissRow>,
    /// Replies' rows.
    pub replies: Vec<ReplyRow>,
}

impl Changes {
    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// When the object is to be woken for what is written here.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let tabs = self.tabs.iter().flat_map(|row| [Some(row.until), row.undo_at]).flatten();
        let misses = self.misses.iter().map(|row| row.until);
        tabs.chain(misses).chain(self.replies.iter().map(|row| row.until)).min()
    }
}
