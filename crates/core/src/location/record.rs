//! All that is kept of one tab, and how it is found by any of its names.
//!
//! A point of sale may know a tab by a number and by another id, and name either in an event, or
//! both. Once one event has named both they are one tab, whose own name is the one that was named
//! first; the other is kept in its record and leads there. A name that led to several tabs, because
//! a point of sale counts its numbers from the start again, leads to the one that was touched last:
//! the own name tells them apart. Where both names had a record before, the two are joined:
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
    /// Its other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<TabId>,
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
    /// Whether anything was kept of it before.
    pub known: bool,
    /// Whether finding it has changed the record: a name was learnt, another record was joined.
    learnt: bool,
    /// The tab that was joined.
    removed: Option<TabId>,
}

/// Finds the tab of these names. Nothing is written, but what [`Found::changes`] says is to be.
pub(super) fn find<S: Store>(
    store: &S,
    names: &TabNames,
    now: Instant,
) -> Result<Result<Found, Unreadable>, S::Error> {
    // Where two are given, the first is the tab's own.
    let alone = names.also.is_none() && store.record(&names.name)?.is_none();
    let of = if alone { store.tab_of(&names.name)? } else { None };
    let tab = of.unwrap_or_else(|| names.name.clone());
    let record = match read(store, &tab)? {
        Ok(record) => record,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let known = record.is_some();
    let record = record.unwrap_or_default();
    let mut found = Found { tab, record, known, learnt: false, removed: None };
    let Some(also) = names.also.as_ref().filter(|also| **also != found.tab) else {
        return Ok(Ok(found));
    };
    match read(store, also)? {
        Ok(None) if found.record.names.contains(also) => {}
        Ok(None) => {
            found.record.names.push(also.clone());
            found.learnt = true;
        }
        Ok(Some(other)) => {
            found.record.join(other, now);
            found.record.name(also);
            found.removed = Some(also.clone());
            found.learnt = true;
        }
        Err(unreadable) => return Ok(Err(unreadable)),
    }
    Ok(Ok(found))
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
    /// What is to be written, if the record has changed or finding it has changed it.
    pub(super) fn changes(mut self, changed: bool, now: Instant) -> Changes {
        if !changed && !self.learnt {
            return Changes::default();
        }
        let record = &mut self.record;
        record.undo_at = match record.tab.undos().is_empty() {
            true => None,
            false => {
                let set = record.undo_at.filter(|at| *at > now);
                Some(set.unwrap_or_else(|| now.plus_millis(UNDO_AFTER)))
            }
        };
        let tabs = vec![self.record.row(self.tab, now)];
        Changes { removed_tabs: self.removed.into_iter().collect(), tabs, ..Changes::default() }
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
            names: self.names.clone(),
            until: now.plus_millis(kept),
            undo_at: self.undo_at,
        }
    }

    /// Learns another name.
    fn name(&mut self, name: &TabId) {
        if !self.names.contains(name) {
            self.names.push(name.clone());
        }
    }

    /// Takes over all that is known of another tab, which turned out to be this one.
    fn join(&mut self, other: Self, now: Instant) {
        other.names.iter().for_each(|name| self.name(name));
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
        let mut forgot = false;
        if matches!(command, VisitCommand::Forget { .. }) {
            // A person is named under none of its names any more.
            for kept in self.visits.iter_mut().skip(1) {
                forgot |= kept.visit.apply(command.clone()).1;
            }
        }
        let Some(first) = self.visits.first_mut() else { return (told, false) };
        let (standing, changed) = first.visit.apply(command.clone());
        let changed = changed || forgot;
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
