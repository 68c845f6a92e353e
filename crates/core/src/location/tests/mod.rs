//! A location on rows kept in maps.

mod interleavings;
mod ledgers;
mod names;
mod plot;
mod waking;
mod world;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use super::tab::{Admission, Admit, Claimed, Entry, Place, Seen, Settle, Undo};
use super::*;
use crate::campaign::CombinesWith;
use crate::engine::{LineShare, PerUnit, StandingOffer};
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::Attempt;
use crate::ledger::campaign::Which;
use crate::ledger::shard::Shard;
use crate::money::Money;

/// A location whose messages and replies are read back from what is sent.
#[derive(Clone, Default)]
struct Map(Rows);

impl Deref for Map {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.0
    }
}

impl DerefMut for Map {
    fn deref_mut(&mut self) -> &mut Rows {
        &mut self.0
    }
}

impl Map {
    fn decide(&mut self, command: Command, deadline: Instant, now: Instant) -> Reply {
        let sent = serde_json::to_string(&Message { deadline, command }).unwrap();
        let Message { deadline, command } = serde_json::from_str(&sent).unwrap();
        let reply = self.0.ask(command, deadline, now);
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
