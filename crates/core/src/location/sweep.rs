//! What a location does when it is woken: it names what is to be undone, and removes what is kept
//! no longer. One alarm serves all reasons, the earliest first.
//!
//! Rows are found by index and removed in batches, without being read: a record that cannot be
//! read is removed with the others when its time has come, and is reported when something was to
//! be undone on it.

use serde::{Deserialize, Serialize};

use super::record::{Unreadable, read};
use super::store::{Changes, Index, Store};
use super::tab::Undo;
use crate::time::Instant;

/// The most rows removed at once for each reason.
pub const BATCH: usize = 200;
/// The most tabs at once on which something is to be undone.
pub const UNDO_BATCH: usize = 20;
/// After how many milliseconds what could not be undone is tried again.
const UNDO_AGAIN: i64 = 30_000;
/// After how many milliseconds the rest of a batch follows.
const NEXT_BATCH: i64 = 1000;

/// What a location did when it was woken, and what the caller is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Woken {
    /// To be undone now, each then settled. What is not, comes again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undos: Vec<Undo>,
    /// How many tabs were removed.
    pub tabs: usize,
    /// How many rows of misses were.
    pub misses: usize,
    /// How many replies were.
    pub replies: usize,
    /// Records that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// Does what has fallen due; returns also when the location is to be woken next, if ever.
pub(super) fn wake<S: Store>(
    store: &S,
    now: Instant,
    changes: &mut Changes,
) -> Result<(Woken, Option<Instant>), S::Error> {
    let mut woken = Woken::default();
    let again = now.plus_millis(UNDO_AGAIN);
    let due = store.due(Index::Undo, now, UNDO_BATCH)?;
    let mut wakes = vec![(due.len() >= UNDO_BATCH).then_some(now.plus_millis(NEXT_BATCH))];
    for tab in due.into_iter().flatten() {
        match read(store, &tab)? {
            Ok(record) => {
                let undos = record.map(|record| record.tab.undos().to_vec()).unwrap_or_default();
                let next = (!undos.is_empty()).then_some(again);
                wakes.push(next);
                woken.undos.extend(undos);
                changes.postponed.push((tab, next));
            }
            Err(unreadable) => {
                woken.unreadable.push(unreadable);
                changes.postponed.push((tab, None));
            }
        }
    }
    let tabs = store.due(Index::Tab, now, BATCH)?;
    let misses = store.due(Index::Miss, now, BATCH)?;
    let replies = store.due_replies(now, BATCH)?;
    let more = [tabs.len(), misses.len(), replies.len()].into_iter().any(|due| due >= BATCH);
    wakes.push(more.then_some(now.plus_millis(NEXT_BATCH)));
    (woken.tabs, woken.misses, woken.replies) = (tabs.len(), misses.len(), replies.len());
    changes.removed_tabs.extend(tabs.into_iter().flatten());
    changes.removed_misses.extend(misses);
    changes.removed_replies.extend(replies);
    let removed = &changes.removed_tabs;
    changes.postponed.retain(|(tab, _)| !removed.contains(tab));
    for index in [Index::Undo, Index::Tab, Index::Miss, Index::Reply] {
        wakes.push(store.next(index, now)?);
    }
    Ok((woken, wakes.into_iter().flatten().min()))
}
