//! The objects, the catalogue, and the network around them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use promo_core::campaign::Campaign;
use promo_core::cart::{Cart, CartDraft, FeeDraft, LineDraft};
use promo_core::checkout::{CleanUp, Unreachable};
use promo_core::ident::{CampaignId, LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::rights::Stock;
use promo_core::ledger::campaign::{self, Books, Changes, Mark, TabRecord, apply};
use promo_core::ledger::shard::{LedgerLayout, Shard, Siblings};
use promo_core::location::{self, Rows, tab};
use promo_core::revision::Announcement;
use promo_core::time::Instant;

use crate::bug::{self, Bug};
use crate::check;
use crate::dice::Dice;
use crate::edge;
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
    pub ledgers: RefCell<BTreeMap<CampaignId, BTreeMap<Shard, Ledger>>>,
    pub locations: RefCell<BTreeMap<LocationId, Rows>>,
    pub tab_plans: RefCell<BTreeMap<TabKey, (TabPlan, Cart)>>,
    pub history: RefCell<History>,
    pub broken: RefCell<Option<Broken>>,
}

#[derive(Clone)]
pub struct Version {
    pub since: Millis,
    pub limits: Vec<u64>,
    pub layout: LedgerLayout,
    pub campaign: Rc<Campaign>,
}

/// What one object of a campaign's ledger has on its disk.
#[derive(Clone, Default)]
pub struct Ledger {
    pub tabs: BTreeMap<TabKey, TabRecord>,
    pub stocks: BTreeMap<String, Stock>,
    pub siblings: Siblings,
    pub mark: Mark,
    pub announced: Option<Announcement>,
}

impl Books for Ledger {
    type Error = Infallible;

    fn tab(&self, tab: &TabKey) -> Result<Option<TabRecord>, Infallible> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn stock(&self, key: &str) -> Result<Option<Stock>, Infallible> {
        Ok(self.stocks.get(key).cloned())
    }

    fn siblings(&self) -> Result<Siblings, Infallible> {
        Ok(self.siblings.clone())
    }

    fn mark(&self) -> Result<Mark, Infallible> {
        Ok(self.mark.clone())
    }

    fn announced(&self) -> Result<Option<Announcement>, Infallible> {
        Ok(self.announced)
    }

    fn is_empty(&self) -> Result<bool, Infallible> {
        Ok(self.tabs.is_empty() && self.stocks.is_empty())
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
            locations: RefCell::default(),
            tab_plans: RefCell::default(),
            history: RefCell::new(History { diary: diary.then(Vec::new), ..History::default() }),
            broken: RefCell::default(),
            plan,
        };
        for (n, campaign) in world.plan.campaigns.iter().enumerate() {
            let limits = campaign.quotas.iter().map(|quota| quota.limit).collect();
            world.documents.borrow_mut().push(Vec::new());
            world.publish(n, limits, campaign.layout);
            world.ledgers.borrow_mut().insert(id(&campaign.id), BTreeMap::new());
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

    /// A new version of a campaign's document, with these limits, laid out like this.
    pub fn publish(&self, campaign: usize, limits: Vec<u64>, layout: LedgerLayout) {
        let document = self.plan.campaigns[campaign].document(&limits, layout).to_string();
        let version = Version {
            since: self.sim.now(),
            limits,
            layout,
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

    /// One turn of an object of a campaign's ledger.
    pub fn ledger(
        self: &Rc<Self>,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> campaign::Reply {
        let ledgers = self.ledgers.borrow();
        let nothing = Ledger::default();
        let books = ledgers[campaign].get(shard).unwrap_or(&nothing);
        let (mut reply, mut changes) = apply(books, shard, command, self.now()).unwrap();
        let wait = bug::twist_ledger(self.bug, books, shard, command, &mut reply, &mut changes);
        drop(ledgers);
        self.note(|| {
            let name = shard.as_str();
            format!("  {campaign}#{name}: {} -> {}", short(command), shorter(&reply))
        });
        self.history.borrow_mut().count(shard, command);
        check::before_verdict(self, campaign, command, &reply);
        let world = Rc::clone(self);
        let (id, shard) = (campaign.clone(), shard.clone());
        let (command, answer) = (command.clone(), reply.clone());
        let write = move || {
            let grown = world.write(&id, &shard, &command, changes);
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
        shard: &Shard,
        command: &campaign::Command,
        changes: Changes,
    ) -> Vec<String> {
        let mut ledgers = self.ledgers.borrow_mut();
        let ledger = ledgers.get_mut(campaign).unwrap().entry(shard.clone()).or_default();
        if let Some((tab, record)) = &changes.tab {
            let stood = ledger.tabs.get(tab).is_some_and(|before| before.standing().count() > 0);
            let key = (campaign.clone(), tab.clone());
            let opened = &mut self.history.borrow_mut().opened;
            match (record.standing().next(), command) {
                (Some((offer, _)), campaign::Command::Redeem(redeem)) if !stood => {
                    let code = offer.code.as_str().to_owned();
                    opened.insert(key, Opened { code, day: check::day(redeem.received) });
                }
                (None, _) if stood => drop(opened.remove(&key)),
                _ => {}
            }
        }
        let before = |key: &String| ledger.stocks.get(key).map_or(0, |stock| stock.used);
        let grows = |(key, stock): &(&String, &Stock)| stock.used > before(key);
        let grown = changes.stocks.iter().filter(grows).map(|(key, _)| key.clone()).collect();
        ledger.tabs.extend(changes.tab);
        ledger.stocks.extend(changes.stocks);
        ledger.mark = changes.mark.unwrap_or(ledger.mark.clone());
        ledger.siblings = changes.siblings.unwrap_or(ledger.siblings.clone());
        ledger.announced = changes.announced.or(ledger.announced);
        grown
    }

    /// Notes whether an attempt that nobody heard of is undone.
    pub fn undone(&self, entry: usize, left: &CleanUp, done: bool) {
        let undo = &mut self.history.borrow_mut().redeems[entry].undo;
        undo.insert(left.campaign.clone(), done);
    }

    /// One turn of a location.
    pub fn location(
        self: &Rc<Self>,
        at: &LocationId,
        command: &location::Command,
        deadline: Instant,
    ) -> location::Reply {
        let (mut command, now) = (command.clone(), self.now());
        bug::twist_location(self.bug, &mut command);
        let undoes = match &command {
            location::Command::Tab(names, tab::Command::Undo(undo)) => {
                let known = self
                    .tab(&TabKey { location: at.clone(), tab: names.name.clone() })
                    .undos()
                    .contains(undo);
                (!known).then(|| undo.clone())
            }
            _ => None,
        };
        let mut locations = self.locations.borrow_mut();
        let reply = locations.entry(at.clone()).or_default().ask(command.clone(), deadline, now);
        drop(locations);
        if let (Some(undo), location::Reply::Tab(tab::Reply::Settled)) = (undoes, &reply) {
            self.history.borrow_mut().left_word(&undo);
            self.sim.spawn(0, edge::wake(Rc::clone(self), at.clone()));
        }
        self.note(|| format!("  {at}: {command:?} -> {reply:?}"));
        if let location::Command::Tab(names, _) = &command {
            let location = at.clone();
            check::after_tab(self, &TabKey { location, tab: names.name.clone() });
        }
        reply
    }

    /// What the location keeps of a tab.
    pub fn tab(&self, tab: &TabKey) -> tab::Tab {
        let now = self.now();
        let show = location::Command::Show(tab.tab.clone().into());
        let mut locations = self.locations.borrow_mut();
        match locations.entry(tab.location.clone()).or_default().ask(show, now, now) {
            location::Reply::Shown(Some(shown)) => shown.record.tab,
            _ => tab::Tab::default(),
        }
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
            let (layout, brought) = (r.layout, &r.brought);
            format!(
                "{what} {layout:?} {brought:?} {} at {} on {}: {asks:?}",
                r.attempt,
                r.received.millis(),
                r.tab.tab
            )
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
            format!("{outcomes:?} room {:?} needs {:?}", redeemed.room, redeemed.needs)
        }
        other => format!("{other:?}"),
    }
}
