//! A location on rows kept in maps: as a Durable Object keeps them in its SQLite, for whoever runs the
//! machine elsewhere.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{
    Changes, Command, Index, Message, MissRow, Reply, ReplyRow, RowKey, Store, TabRow, decide,
};
use crate::ident::TabId;
use crate::time::Instant;

/// A location's rows, and the alarm that its object would have set.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub(super) tabs: BTreeMap<TabId, TabRow>,
    pub(super) misses: BTreeMap<RowKey, MissRow>,
    pub(super) replies: BTreeMap<String, ReplyRow>,
    /// When it is to be woken.
    pub alarm: Option<Instant>,
}

impl Store for Rows {
    type Error = Infallible;

    fn tab_of(&self, name: &TabId) -> Result<Option<TabId>, Infallible> {
        let of = self.tabs.values().filter(|row| row.names.contains(name));
        Ok(of.max_by_key(|row| row.until).map(|row| row.tab.clone()))
    }

    fn record(&self, tab: &TabId) -> Result<Option<String>, Infallible> {
        Ok(self.tabs.get(tab).map(|row| row.record.clone()))
    }

    fn misses(&self, tab: Option<&TabId>) -> Result<Option<String>, Infallible> {
        Ok(self.misses.get(&tab.cloned()).map(|row| row.misses.clone()))
    }

    fn reply(&self, name: &str) -> Result<Option<String>, Infallible> {
        Ok(self.replies.get(name).map(|row| row.record.clone()))
    }

    fn due_replies(&self, at: Instant, most: usize) -> Result<Vec<String>, Infallible> {
        let due = self.replies.values().filter(|row| row.until <= at);
        Ok(due.take(most).map(|row| row.name.clone()).collect())
    }

    fn due(&self, of: Index, at: Instant, most: usize) -> Result<Vec<RowKey>, Infallible> {
        let mut due = self.index(of);
        due.retain(|(when, _)| *when <= at);
        due.truncate(most);
        Ok(due.into_iter().map(|(_, key)| key).collect())
    }

    fn next(&self, of: Index, after: Instant) -> Result<Option<Instant>, Infallible> {
        Ok(self.index(of).into_iter().map(|(when, _)| when).find(|when| *when > after))
    }
}

impl Rows {
    fn index(&self, of: Index) -> Vec<(Instant, RowKey)> {
        let tabs = |when: fn(&TabRow) -> Option<Instant>| {
            self.tabs.values().filter_map(move |row| Some((when(row)?, Some(row.tab.clone()))))
        };
        let mut all: Vec<(Instant, RowKey)> = match of {
            Index::Undo => tabs(|row| row.undo_at).collect(),
            Index::Tab => tabs(|row| Some(row.until)).collect(),
            Index::Reply => self.replies.values().map(|row| (row.until, None)).collect(),
            Index::Miss => self.misses.values().map(|row| (row.until, row.tab.clone())).collect(),
        };
        all.sort();
        all
    }

    fn write(&mut self, changes: Changes) {
        changes.removed_tabs.iter().for_each(|tab| drop(self.tabs.remove(tab)));
        changes.removed_misses.iter().for_each(|key| drop(self.misses.remove(key)));
        changes.removed_replies.iter().for_each(|name| drop(self.replies.remove(name)));
        for (tab, undo_at) in changes.postponed {
            if let Some(row) = self.tabs.get_mut(&tab) {
                row.undo_at = undo_at;
            }
        }
        self.tabs.extend(changes.tabs.into_iter().map(|row| (row.tab.clone(), row)));
        self.misses.extend(changes.misses.into_iter().map(|row| (row.tab.clone(), row)));
        self.replies.extend(changes.replies.into_iter().map(|row| (row.name.clone(), row)));
    }

    /// Decides one message and writes what it changes.
    pub fn ask(&mut self, command: Command, deadline: Instant, now: Instant) -> Reply {
        let wakes = command == Command::Wake;
        let Ok((reply, changes, wake_at)) = decide(self, &Message { deadline, command }, now);
        self.write(changes);
        if wakes || (wake_at.is_some() && (self.alarm.is_none() || wake_at < self.alarm)) {
            self.alarm = wake_at;
        }
        reply
    }
}
