//! All that is kept of one tab, and how it is found by any of its names.
//!
//! A point of sale may know a tab by a number and by another id, and name either in an event, or
//! both. Once one event has named both they are one tab: whichever of them has a record is the
//! tab's own name, of two that have one the smaller, and the other leads there. The two records
//! are joined then:
//!
//! - claims, barriers and undos are united. Each claim keeps the name that its campaign's ledger
//!   knows the tab by, so that what was redeemed before under either name can still be reversed.
//! - of two closed tabs the one under the tab's own name counts, and hears what was told under the
//!   other; the other counts for nothing from then on, which [`Visited::joined`] says whenever the
//!   tab is told of, so that no member keeps points for both.

use serde::{Deserialize, Serialize};

use super::store::{Changes, Store, TabRow};
use super::tab::Tab;
use crate::campaign::RETENTION_DAYS;
use crate::ident::TabId;
use crate::loyalty::visit::{Command as VisitCommand, Standing as VisitStanding, Visit};
use crate::time::Instant;

/// The least days that a tab is kept after it was touched.
pub const LEAST_DAYS: u32 = 30;
/// After how many milliseconds what is to be undone is undone by the location, if it has not been.
const UNDO_AFTER: i64 = 3000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The names that an event gives its tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabNames {
    /// The first.
    pub name: TabId,
    /// Another, if it gives two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<TabId>,
}

impl From<TabId> for TabNames {
    fn from(name: TabId) -> Self {
        Self { name, also: None }
    }
}

/// Names, each with the tab that it is another name of.
pub type Names = Vec<(TabId, TabId)>;

/// All that is kept of one tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What stands on it.
    #[serde(default)]
    pub tab: Tab,
    /// What it was closed with, by the names that members' books know it by; the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<KeptVisit>,
    /// For how many days it is kept after it was touched.
    #[serde(default)]
    pub keep_days: u32,
    /// When something is to be undone on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_at: Option<Instant>,
}

/// A closed tab under one of its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptVisit {
    /// The name that members' books know it by.
    pub tab: TabId,
    /// What is known of it.
    pub visit: Visit,
}

/// What stands of a closed tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visited {
    /// The name that members' books know it by.
    pub tab: TabId,
    /// What counts.
    pub standing: VisitStanding,
    /// What it was closed with under other names before these were known to be its own: nothing of
    /// it counts, and whoever has points of it is to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<(TabId, VisitStanding)>,
}

/// A record that cannot be read: of which tab, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Which tab; none: the misses of the location.
    pub tab: Option<TabId>,
    /// Why.
    pub detail: String,
}

/// A tab that was found.
pub(super) struct Found {
    pub tab: TabId,
    pub record: Record,
    /// What finding it has changed already: names that were learnt, a record that was joined.
    pub learnt: Changes,
}

/// Finds the tab of these names. Nothing is written, but [`Found::learnt`] is to be.
pub(super) fn find<S: Store>(
    store: &S,
    names: &TabNames,
    now: Instant,
) -> Result<Result<Found, Unreadable>, S::Error> {
    let tab_of = |name: &TabId| Ok(store.tab_of(name)?.unwrap_or_else(|| name.clone()));
    let first = tab_of(&names.name)?;
    let second = match &names.also {
        Some(also) => Some(tab_of(also)?).filter(|second| *second != first),
        None => None,
    };
    let found = match read(store, &first)? {
        Ok(found) => found,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let mut learnt = Changes::default();
    let Some(second) = second else {
        let record = found.unwrap_or_default();
        return Ok(Ok(Found { tab: first, record, learnt }));
    };
    let other = match read(store, &second)? {
        Ok(other) => other,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let (tab, record) = match (found, other) {
        (Some(found), Some(other)) => {
            let (tab, mut record, gone, other) = match first < second {
                true => (first, found, second, other),
                false => (second, other, first, found),
            };
            for name in store.names_of(&gone)? {
                learnt.names.push((name, tab.clone()));
            }
            record.join(other, now);
            learnt.names.push((gone.clone(), tab.clone()));
            learnt.removed_tabs.push(gone);
            (tab, record)
        }
        (None, Some(other)) => {
            learnt.names.push((first, second.clone()));
            (second, other)
        }
        (found, None) => {
            learnt.names.push((second, first.clone()));
            (first, found.unwrap_or_default())
        }
    };
    Ok(Ok(Found { tab, record, learnt }))
}

/// The record of a tab.
pub(super) fn read<S: Store>(
    store: &S,
    tab: &TabId,
) -> Result<Result<Option<Record>, Unreadable>, S::Error> {
    let Some(text) = store.record(tab)? else { return Ok(Ok(None)) };
    let read = serde_json::from_str(&text).map(Some);
    Ok(read.map_err(|error| Unreadable { tab: Some(tab.clone()), detail: error.to_string() }))
}

impl Found {
    /// What is to be written, if the record has changed or finding it has.
    pub(super) fn changes(mut self, changed: bool, now: Instant) -> Changes {
        if !changed && self.learnt.is_nothing() {
            return self.learnt;
        }
        let record = &mut self.record;
        record.undo_at = match record.tab.undos().is_empty() {
            true => None,
            false => {
                let set = record.undo_at.filter(|at| *at > now);
                Some(set.unwrap_or_else(|| now.plus_millis(UNDO_AFTER)))
            }
        };
        let row = record.row(self.tab, now);
        self.learnt.tabs.push(row);
        self.learnt
    }
}

impl Record {
    pub(super) fn row(&self, tab: TabId, now: Instant) -> TabRow {
        let days = if self.keep_days == 0 { RETENTION_DAYS } else { self.keep_days };
        let kept = i64::from(days.max(LEAST_DAYS)).saturating_mul(DAY);
        TabRow {
            tab,
            // Our own type to memory: it does not fail.
            record: serde_json::to_string(self).unwrap_or_default(),
            until: now.plus_millis(kept),
            undo_at: self.undo_at,
        }
    }

    /// Takes over all that is known of another tab, which turned out to be this one.
    fn join(&mut self, other: Self, now: Instant) {
        self.tab.join(other.tab);
        self.keep_days = self.keep_days.max(other.keep_days);
        self.undo_at = [self.undo_at, other.undo_at].into_iter().flatten().min();
        for mut kept in other.visits {
            if let Some(own) = self.visits.first_mut() {
                hear(&mut own.visit, &kept.visit);
                let last = kept.visit.told.as_ref().map_or(now, |told| told.last.received);
                kept.visit.apply(VisitCommand::Reverse { received: last.max(now) });
            }
            self.visits.push(kept);
        }
    }

    /// Decides a command about the closed tab; also returns whether anything changed.
    pub(super) fn visit(&mut self, name: &TabId, command: &VisitCommand) -> (Visited, bool) {
        if self.visits.is_empty() {
            self.visits.push(KeptVisit { tab: name.clone(), visit: Visit::default() });
        }
        let joined = self.visits.iter().skip(1);
        let joined = joined.map(|kept| (kept.tab.clone(), standing(&kept.visit))).collect();
        let mut told = Visited { tab: name.clone(), standing: VisitStanding::default(), joined };
        let Some(first) = self.visits.first_mut() else { return (told, false) };
        let (standing, changed) = first.visit.apply(command.clone());
        (told.tab, told.standing) = (first.tab.clone(), standing);
        (told, changed)
    }
}

/// What stands of a closed tab.
fn standing(visit: &Visit) -> VisitStanding {
    // A reversal before all time is none.
    visit.clone().apply(VisitCommand::Reverse { received: Instant::from_millis(i64::MIN) }).0
}

/// Has a visit hear all that another was told.
fn hear(visit: &mut Visit, other: &Visit) {
    if let (Some(told), Some(owner)) = (other.told.clone(), other.owner.clone()) {
        visit.apply(VisitCommand::Close { told, owner });
    }
    if let Some(received) = other.barrier {
        visit.apply(VisitCommand::Reverse { received });
    }
}
