//! The objects, the catalogue, and the network around them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use promo_core::campaign::Campaign;
use promo_core::cart::{Cart, CartDraft, FeeDraft, LineDraft};
use promo_core::checkout::{CleanUp, Unreachable};
use promo_core::ident::{CampaignId, LocationId, TabId};
use promo_core::ledger::campaign::{self, Books, Changes, TabRecord, apply};
use promo_core::ledger::{TabKey, tab};
use promo_core::time::Instant;

use crate::bug::{self, Bug};
use crate::check;
use crate::dice::Dice;
use crate::history::{History, Opened};
use crate::plan::{BEGIN, PLACES, Plan, TabPlan};
use crate::sim::{Millis, Sim, Slot};

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub promise: &'static str,
    pub how: String,
}

pub struct World {
    pub sim: Sim,
    pub plan: Plan,
    pub bug: Option<Bug>,
    /// Nothing goes wrong any more.
    pub calm: Cell<bool>,
    pub begin: Instant,
    /// By campaign: since when, the limits, the document.
    pub documents: RefCell<Vec<Vec<Version>>>,
    pub ledgers: RefCell<BTreeMap<CampaignId, Ledger>>,
    pub tabs: RefCell<BTreeMap<TabKey, tab::Tab>>,
    pub tab_plans: RefCell<BTreeMap<TabKey, (TabPlan, Cart)>>,
    pub history: RefCell<History>,
    pub broken: RefCell<Option<Broken>>,
}

#[derive(Clone)]
pub struct Version {
    pub since: Millis,
    pub limits: Vec<u64>,
    pub campaign: Rc<Campaign>,
}

/// What a campaign's ledger has on its disk.
#[derive(Clone, Default)]
pub struct Ledger {
    pub tabs: BTreeMap<TabKey, TabRecord>,
    pub used: BTreeMap<String, u64>,
}

impl Books for Ledger {
    type Error = Infallible;

    fn tab(&self, tab: &TabKey) -> Result<Option<TabRecord>, Infallible> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn used(&self, key: &str) -> Result<u64, Infallible> {
        Ok(self.used.get(key).copied().unwrap_or(0))
    }
}

impl World {
    pub fn new(plan: Plan, bug: Option<Bug>, diary: bool) -> Rc<Self> {
        let world = Self {
            sim: Sim::default(),
            bug,
            calm: Cell::default(),
            begin: Instant::parse(BEGIN).unwrap(),
            documents: RefCell::default(),
            ledgers: RefCell::default(),
            tabs: RefCell::default(),
            tab_plans: RefCell::default(),
            history: RefCell::new(History { diary: diary.then(Vec::new), ..History::default() }),
            broken: RefCell::default(),
            plan,
        };
        for (n, campaign) in world.plan.campaigns.iter().enumerate() {
            let limits = campaign.quotas.iter().map(|quota| quota.limit).collect();
            world.documents.borrow_mut().push(Vec::new());
            world.publish(n, limits);
            world.ledgers.borrow_mut().insert(id(&campaign.id), Ledger::default());
        }
        for (n, tab) in world.plan.tabs.iter().enumerate() {
            world.open_tab(&format!("t{n}"), tab.clone());
        }
        Rc::new(world)
    }

    pub fn now(&self) -> Instant {
        self.begin.plus_millis(self.sim.now())
    }

    pub fn note(&self, what: impl FnOnce() -> String) {
        if let Some(diary) = &mut self.history.borrow_mut().diary {
            diary.push(format!("{:>6} ms  {}", self.sim.now(), what()));
        }
    }

    pub fn break_promise(&self, promise: &'static str, how: String) {
        self.note(|| format!("BROKEN: {promise}: {how}"));
        self.broken.borrow_mut().get_or_insert(Broken { promise, how });
        self.sim.stop();
    }

    /// A tab that guests can order on.
    pub fn open_tab(&self, name: &str, plan: TabPlan) -> TabKey {
        let key = TabKey {
            location: LocationId::parse(PLACES[plan.place]).unwrap(),
            tab: TabId::parse(name).unwrap(),
        };
        let line = LineDraft {
            id: "1".to_owned(),
            quantity: 1,
            unit_price: i64::try_from(plan.subtotal).unwrap(),
            ..LineDraft::default()
        };
        let fee = FeeDraft {
            id: "f".to_owned(),
            kind: "service".to_owned(),
            amount: i64::try_from(plan.fee).unwrap(),
        };
        let cart = CartDraft {
            currency: Some("USD".to_owned()),
            lines: vec![line],
            fees: vec![fee],
            ..CartDraft::default()
        };
        let cart = cart.check().unwrap();
        self.tab_plans.borrow_mut().insert(key.clone(), (plan, cart));
        key
    }

    pub fn tab_key(&self, tab: usize) -> TabKey {
        let location = LocationId::parse(PLACES[self.plan.tabs[tab].place]).unwrap();
        TabKey { location, tab: TabId::parse(&format!("t{tab}")).unwrap() }
    }

    /// A new version of a campaign's document, with these limits.
    pub fn publish(&self, campaign: usize, limits: Vec<u64>) {
        let document = self.plan.campaigns[campaign].document(&limits).to_string();
        let version = Version {
            since: self.sim.now(),
            limits,
            campaign: Rc::new(Campaign::from_json(document.as_bytes()).unwrap()),
        };
        self.documents.borrow_mut()[campaign].push(version);
    }

    /// The document as it was then.
    pub fn document(&self, campaign: usize, at: Millis) -> Version {
        let documents = self.documents.borrow();
        let versions = &documents[campaign];
        versions.iter().rev().find(|v| v.since <= at).unwrap_or(&versions[0]).clone()
    }

    /// One turn of a campaign's ledger.
    pub fn ledger(
        self: &Rc<Self>,
        campaign: &CampaignId,
        command: &campaign::Command,
    ) -> campaign::Reply {
        let ledgers = self.ledgers.borrow();
        let books = &ledgers[campaign];
        let (mut reply, mut changes) = apply(books, command, self.now()).unwrap();
        let wait = bug::twist_ledger(self.bug, books, command, &mut reply, &mut changes);
        drop(ledgers);
        self.note(|| format!("  {campaign}: {} -> {}", short(command), shorter(&reply)));
        let world = Rc::clone(self);
        let (id, command, answer) = (campaign.clone(), command.clone(), reply.clone());
        let write = move || {
            let grown = world.write(&id, &command, changes);
            check::after_turn(&world, &id, &command, &answer, &grown);
        };
        match wait {
            None => write(),
            Some(wait) => self.sim.at(self.sim.now() + wait, 0, write),
        }
        reply
    }

    /// Writes what a turn changed; returns the counters that have grown by it.
    fn write(
        &self,
        campaign: &CampaignId,
        command: &campaign::Command,
        changes: Changes,
    ) -> Vec<String> {
        let mut ledgers = self.ledgers.borrow_mut();
        let ledger = ledgers.get_mut(campaign).unwrap();
        if let Some((tab, record)) = &changes.tab {
            let stood = ledger.tabs.get(tab).is_some_and(|before| before.standing().count() > 0);
            let key = (campaign.clone(), tab.clone());
            let opened = &mut self.history.borrow_mut().opened;
            match (record.standing().next(), command) {
                (Some((offer, _)), campaign::Command::Redeem(redeem)) if !stood => {
                    let code = offer.code.as_str().to_owned();
                    opened.insert(key, Opened { code, day: check::day(redeem.received) });
                }
                (None, _) => drop(opened.remove(&key)),
                _ => {}
            }
        }
        let grows = |(key, units): &(&String, &u64)| **units > ledger.used(key).unwrap();
        let grown = changes.used.iter().filter(grows).map(|(key, _)| key.clone()).collect();
        ledger.tabs.extend(changes.tab);
        ledger.used.extend(changes.used);
        grown
    }

    /// Notes whether an attempt that nobody heard of is undone.
    pub fn undone(&self, entry: usize, left: &CleanUp, done: bool) {
        let undo = &mut self.history.borrow_mut().redeems[entry].undo;
        undo.insert(left.campaign.clone(), done);
    }

    /// One turn of a tab.
    pub fn tab(&self, key: &TabKey, command: &tab::Command) -> tab::Reply {
        let mut tabs = self.tabs.borrow_mut();
        let (reply, _) = tabs.entry(key.clone()).or_default().apply(command.clone());
        drop(tabs);
        self.note(|| format!("  {}: {command:?} -> {reply:?}", key.tab));
        check::after_tab(self, key);
        reply
    }

    /// A message to an object and its answer, with all that can happen to either. What is asked may
    /// have taken effect, or may yet, whatever the caller hears.
    pub async fn exchange<T: 'static>(
        self: &Rc<Self>,
        dice: &RefCell<Dice>,
        until: Millis,
        turn: impl Fn() -> T + 'static,
    ) -> Result<T, Unreachable> {
        let slot = Slot::new();
        let turn = Rc::new(turn);
        let doubled = self.goes_wrong(dice, self.plan.faults.doubled);
        if !self.goes_wrong(dice, self.plan.faults.lost_request) {
            self.deliver(dice, Rc::clone(&turn), Some(slot.clone()));
        }
        if doubled {
            self.deliver(dice, turn, None);
        }
        self.sim.wait(&slot, until).await.unwrap_or(Err(Unreachable))
    }

    fn deliver<T: 'static>(
        self: &Rc<Self>,
        dice: &RefCell<Dice>,
        turn: Rc<impl Fn() -> T + 'static>,
        slot: Option<Slot<Result<T, Unreachable>>>,
    ) {
        let crash_before = self.goes_wrong(dice, self.plan.faults.crash_before);
        let crash_after = self.goes_wrong(dice, self.plan.faults.crash_after);
        let lost_reply = self.goes_wrong(dice, self.plan.faults.lost_reply);
        let (go, back) = (self.delay(dice), self.delay(dice));
        let order = dice.borrow_mut().next();
        // A broken connection is told at once; a lost message is not told at all.
        let told = dice.borrow_mut().one_in(2);
        let world = Rc::clone(self);
        self.sim.at(self.sim.now() + go, order, move || {
            let reply = if crash_before { Err(Unreachable) } else { Ok(turn()) };
            let lost = crash_before || crash_after || lost_reply;
            let Some(slot) = slot else { return };
            let reply = if lost { Err(Unreachable) } else { reply };
            if reply.is_ok() || told {
                let inner = Rc::clone(&world);
                world.sim.at(world.sim.now() + back, order, move || inner.sim.fill(&slot, reply));
            }
        });
    }

    pub fn goes_wrong(&self, dice: &RefCell<Dice>, per_mille: u64) -> bool {
        dice.borrow_mut().happens(per_mille) && !self.calm.get()
    }

    pub fn delay(&self, dice: &RefCell<Dice>) -> Millis {
        let late = self.goes_wrong(dice, self.plan.faults.late);
        let mut dice = dice.borrow_mut();
        if late { dice.pick(&[300, 1600, 1800, 4000, 15_000]) } else { dice.between(1, 15) }
    }
}

pub fn id(text: &str) -> CampaignId {
    CampaignId::parse(text).unwrap()
}

fn short(command: &campaign::Command) -> String {
    match command {
        campaign::Command::Redeem(r) | campaign::Command::Peek(r) => {
            let asks = r.asks.iter().map(|ask| match &ask.give {
                Some(give) => format!("{}={}", ask.offer, give.amount.minor()),
                None => ask.offer.to_string(),
            });
            let what =
                if matches!(command, campaign::Command::Peek(_)) { "peek" } else { "redeem" };
            let asks: Vec<_> = asks.collect();
            format!("{what} {} at {} on {}: {asks:?}", r.attempt, r.received.millis(), r.tab.tab)
        }
        other => format!("{other:?}"),
    }
}

fn shorter(reply: &campaign::Reply) -> String {
    match reply {
        campaign::Reply::Redeemed(redeemed) => {
            let outcomes = redeemed.outcomes.iter().map(|outcome| match outcome {
                campaign::Outcome::Applied { amount, .. } => format!("applied {}", amount.minor()),
                other => format!("{other:?}"),
            });
            let outcomes: Vec<_> = outcomes.collect();
            format!("{outcomes:?} room {:?}", redeemed.room)
        }
        other => format!("{other:?}"),
    }
}
