//! A location on rows kept in maps.

mod interleavings;
mod ledgers;
mod names;
mod plot;
mod waking;
mod world;

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::tab::{Admission, Admit, Claimed, Entry, Place, Seen, Settle, Undo};
use super::*;
use crate::campaign::CombinesWith;
use crate::engine::{LineShare, PerUnit, StandingOffer};
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::Attempt;
use crate::ledger::campaign::Which;
use crate::ledger::shard::Shard;
use crate::money::Money;

/// A location, and the alarm that its wrapper would have set.
#[derive(Clone, Default)]
struct Map {
    tabs: BTreeMap<TabId, TabRow>,
    misses: BTreeMap<RowKey, MissRow>,
    replies: BTreeMap<String, ReplyRow>,
    alarm: Option<Instant>,
}

impl Store for Map {
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

impl Map {
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
        for tab in changes.removed_tabs {
            self.tabs.remove(&tab);
        }
        changes.removed_misses.iter().for_each(|key| drop(self.misses.remove(key)));
        changes.removed_replies.iter().for_each(|name| drop(self.replies.remove(name)));
        for (tab, undo_at) in changes.postponed {
            self.tabs.get_mut(&tab).unwrap().undo_at = undo_at;
        }
        self.tabs.extend(changes.tabs.into_iter().map(|row| (row.tab.clone(), row)));
        self.replies.extend(changes.replies.into_iter().map(|row| (row.name.clone(), row)));
        self.misses.extend(changes.misses.into_iter().map(|row| (row.tab.clone(), row)));
    }

    fn decide(&mut self, command: Command, deadline: Instant, now: Instant) -> Reply {
        let wakes = command == Command::Wake;
        let message = Message { deadline, command };
        // As it is sent.
        let sent = serde_json::to_string(&message).unwrap();
        let (reply, changes, wake_at) =
            decide(self, &serde_json::from_str(&sent).unwrap(), now).unwrap();
        self.write(changes);
        let earlier = self.alarm.is_none() || wake_at < self.alarm;
        if wakes || (wake_at.is_some() && earlier) {
            self.alarm = wake_at;
        }
        serde_json::from_str(&serde_json::to_string(&reply).unwrap()).unwrap()
    }

    fn ask(&mut self, command: Command, now: i64) -> Reply {
        self.decide(command, at(now), at(now))
    }

    fn tab(&mut self, names: &TabNames, command: tab::Command, now: i64) -> tab::Reply {
        match self.ask(Command::Tab(names.clone(), command), now) {
            Reply::Tab(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn admit(&mut self, names: &TabNames, admit: Admit, now: i64) -> Admission {
        match self.tab(names, tab::Command::Admit(admit), now) {
            tab::Reply::Admission(admission) => admission,
            other => panic!("{other:?}"),
        }
    }

    fn looked(&mut self, names: &TabNames, now: i64) -> Looked {
        let (names, attempt) = (Some(names.clone()), None);
        match self.ask(Command::Look { names, limits: LIMITS, attempt }, now) {
            Reply::Look(looked) => looked,
            other => panic!("{other:?}"),
        }
    }

    fn seen(&mut self, names: &TabNames, now: i64) -> Seen {
        self.looked(names, now).seen.unwrap()
    }

    fn miss(&mut self, names: &TabNames, now: i64) -> Option<Instant> {
        let command =
            Command::Miss { names: Some(names.clone()), limits: LIMITS, misses: 1, unless: None };
        match self.ask(command, now) {
            Reply::Miss(looked) => looked.locked,
            other => panic!("{other:?}"),
        }
    }

    fn wake(&mut self, now: i64) -> Woken {
        match self.ask(Command::Wake, now) {
            Reply::Woken(woken) => woken,
            other => panic!("{other:?}"),
        }
    }
}

const LIMITS: Limits = Limits { tab: 10, location: 200, window: 600_000 };
const DAY: i64 = 24 * 60 * 60 * 1000;

fn at(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

fn id(name: &str) -> CampaignId {
    CampaignId::parse(name).unwrap()
}

fn tab_id(name: &str) -> TabId {
    TabId::parse(name).unwrap()
}

fn named(name: &str) -> TabNames {
    tab_id(name).into()
}

fn both(name: &str, also: &str) -> TabNames {
    TabNames { name: tab_id(name), also: Some(tab_id(also)) }
}

fn attempt(received: i64) -> Attempt {
    Attempt { name: format!("at {received}"), received: at(received) }
}

/// A REDEEM of one offer that takes so much off line 1.
fn redeem(campaign: &str, amount: u64, received: i64) -> Admit {
    let offer = StandingOffer {
        offer: OfferRef::parse(&format!("{campaign}.o.CODE")).unwrap(),
        combines_with: CombinesWith::Any,
        group: None,
        exclusive: false,
        amount: Money::new(amount),
        lines: vec![LineShare { id: "1".to_owned(), units: PerUnit::equal(1, amount) }],
        fees: Vec::new(),
    };
    Admit {
        attempt: attempt(received),
        version: 0,
        ceiling: Money::new(1000),
        keep_days: 400,
        limits: None,
        named: Vec::new(),
        campaigns: vec![Entry { campaign: id(campaign), home: Shard::root(), offers: vec![offer] }],
    }
}

fn is_admitted(admission: &Admission) -> bool {
    matches!(admission, Admission::Admitted { .. })
}

fn place(campaign: &str, tab: &str) -> Place {
    Place { campaign: id(campaign), tab: tab_id(tab), home: Shard::root() }
}
