//! The objects, the catalogue and the guard.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as Polling, Poll};

use futures_util::future::join_all;
use futures_util::task::noop_waker;
use serde_json::{Value, json};

use crate::campaign::{Campaign, Codes};
use crate::cart::Cart;
use crate::checkout::resolve::{Directory, Documents, Entry, Key, resolve};
use crate::checkout::{
    CleanUp, Event, Instrument, Person, Ports, Query, Redeemed, Resolution, Unreachable, inquire,
    redeem,
};
use crate::code::keys::Keys;
use crate::code::signed::Mint;
use crate::engine::{Context, LocationFacts};
use crate::guard::{Limits, Lock};
use crate::ident::{CampaignId, CodeKey, LocationId, OfferRef, TabId};
use crate::ledger::TabKey;
use crate::ledger::campaign::rights::Stock;
use crate::ledger::campaign::{self, Books, Mark, TabRecord, apply};
use crate::ledger::shard::{Shard, Siblings};
use crate::location::{self, Rows};
use crate::revision::{Announcement, Revision};
use crate::time::{Instant, Zone};

pub use crate::checkout::Inquired;

/// One object of a ledger.
#[derive(Default)]
struct Ledger {
    tabs: BTreeMap<TabKey, TabRecord>,
    stocks: BTreeMap<String, Stock>,
    siblings: Siblings,
    mark: Mark,
    announced: Option<Announcement>,
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

pub struct World {
    entries: RefCell<BTreeMap<String, Entry>>,
    ledgers: RefCell<BTreeMap<(CampaignId, Shard), Ledger>>,
    location: RefCell<Rows>,
    /// Milliseconds; each event is one later than the one before.
    clock: Cell<i64>,
    /// Which objects were asked, in order.
    asked: RefCell<Vec<String>>,
    /// The location does not answer.
    pub location_is_silent: Cell<bool>,
}

const LIMITS: Limits = Limits { tab: 10, location: 200, window: 600_000 };

fn keys() -> Keys {
    Keys::parse("1:a-key-of-tests").unwrap()
}

impl World {
    pub fn new() -> Self {
        Self {
            entries: RefCell::default(),
            ledgers: RefCell::default(),
            location: RefCell::default(),
            clock: Cell::new(1_800_000_000_000),
            asked: RefCell::default(),
            location_is_silent: Cell::default(),
        }
    }

    /// Publishes a campaign of 10 % off; `more` is what its document says beside.
    pub fn publish(&self, id: &str, codes: &Value, more: &Value) {
        let mut document = json!({
            "id": id, "name": id, "currency": "USD", "codes": codes, "combines_with": "any",
            "offers": [{"id": "ten-off", "name": "10%", "discount": {"percent": "10"}}]
        });
        let (entries, more) = (document.as_object_mut().unwrap(), more.as_object().unwrap());
        entries.extend(more.clone());
        let campaign = Rc::new(Campaign::from_json(document.to_string().as_bytes()).unwrap());
        let mut entries = self.entries.borrow_mut();
        let entry = Entry::Campaign(Rc::clone(&campaign));
        match campaign.codes() {
            Codes::Fixed(codes) => {
                entries.extend(codes.iter().map(|code| (format!("code:{code}"), entry.clone())));
            }
            Codes::Signed { prefix, .. } => {
                entries.insert(format!("prefix:{}", prefix.folded()), entry.clone());
            }
            Codes::Listed | Codes::None => {}
        }
        entries.insert(format!("campaign:{id}"), entry);
    }

    /// Stores listed codes of a campaign.
    pub fn list(&self, id: &str, codes: &[&str]) {
        let pointer = Entry::Pointer(CampaignId::parse(id).unwrap());
        let entries = codes.iter().map(|code| (format!("code:{code}"), pointer.clone()));
        self.entries.borrow_mut().extend(entries);
    }

    /// Removes everything that is stored.
    pub fn forget(&self) {
        self.entries.borrow_mut().clear();
    }

    /// A code of a campaign of signed ones.
    pub fn signed(&self, id: &str, serial: u32) -> String {
        let Some(Entry::Campaign(campaign)) =
            self.entries.borrow()[&format!("campaign:{id}")].clone().into()
        else {
            panic!("{id} is a campaign")
        };
        let Codes::Signed { prefix, .. } = campaign.codes() else { panic!("{id} is signed") };
        Mint::newest(&keys(), campaign.id(), prefix).unwrap().code(serial).to_string()
    }

    /// Which objects were asked since this was last asked.
    pub fn asked(&self) -> Vec<String> {
        self.asked.take()
    }

    async fn turn(&self, what: String) {
        self.asked.borrow_mut().push(what);
        let mut yielded = false;
        std::future::poll_fn(|polling| {
            polling.waker().wake_by_ref();
            match std::mem::replace(&mut yielded, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    pub fn event(&self, tab: &str, customer: Option<&str>) -> Event {
        self.clock.set(self.clock.get() + 1);
        let now = self.clock.get();
        let cart = json!({"tab_id": tab, "location_id": "1019", "currency": "USD",
            "lines": [{"id": "1", "quantity": 1, "unit_price": 1000}]});
        let received = Instant::from_millis(now);
        Event {
            tab: tab_key(tab),
            also: None,
            net: false,
            cart: Cart::from_json(cart.to_string().as_bytes()).unwrap(),
            received,
            attempt: format!("a{now}"),
            pos: "test",
            customer: customer.map(person),
            context: Context {
                at: received,
                location: LocationFacts::default(),
                default_zone: Zone::utc(),
            },
        }
    }

    pub fn inquire(&self, tab: &str, code: &str) -> Inquired {
        self.inquire_as(tab, None, code)
    }

    pub fn inquire_as(&self, tab: &str, customer: Option<&str>, code: &str) -> Inquired {
        run(inquire(self, code, &self.event(tab, customer))).unwrap()
    }

    /// All at once.
    pub fn inquire_all(&self, tab: &str, codes: &[String]) -> Vec<Inquired> {
        let asked: Vec<_> = codes.iter().map(|code| (code, self.event(tab, None))).collect();
        let asked = asked.iter().map(|(code, event)| inquire(self, code, event));
        run(join_all(asked)).into_iter().map(Result::unwrap).collect()
    }

    pub fn redeem(&self, tab: &str, offers: &[&str]) -> Redeemed {
        self.redeem_as(tab, None, offers)
    }

    pub fn redeem_as(&self, tab: &str, customer: Option<&str>, offers: &[&str]) -> Redeemed {
        let offers: Vec<_> = offers.iter().map(|&offer| offer.to_owned()).collect();
        run(redeem(self, &offers, &self.event(tab, customer))).unwrap()
    }

    /// Tries made-up codes until the tab is locked.
    pub fn lock(&self, tab: &str) {
        for n in 0..10 {
            assert_eq!(reason(&self.inquire(tab, &format!("GUESS{n}"))), "unknown_code");
        }
        assert_eq!(reason(&self.inquire(tab, "GUESS10")), "locked");
    }
}

fn person(name: &str) -> Person {
    Person { name: name.to_owned(), ..Person::default() }
}

pub fn tab_key(tab: &str) -> TabKey {
    TabKey { location: LocationId::parse("1019").unwrap(), tab: TabId::parse(tab).unwrap() }
}

/// How an INQUIRE ended, in a word.
pub fn reason(inquired: &Inquired) -> &'static str {
    match inquired {
        Inquired::Offers(_) => "offered",
        Inquired::Refused { reason, .. } => reason.as_str(),
        Inquired::Locked(Lock::Until(_)) => "locked",
        Inquired::Locked(Lock::Silent) => "silent",
    }
}

/// Why a REDEEM rejected what it did, by offer.
pub fn rejected(redeemed: &Redeemed) -> Vec<(&str, &'static str)> {
    let each = redeemed.rejected.iter();
    each.map(|rejection| (rejection.offer_id.as_str(), rejection.reason.as_str())).collect()
}

/// What a REDEEM applied.
pub fn applied(redeemed: &Redeemed) -> Vec<String> {
    redeemed.applied.iter().map(|quote| quote.offer_id.to_string()).collect()
}

/// Polls until it is done.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = noop_waker();
    for _ in 0..100_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Polling::from_waker(&waker)) {
            return done;
        }
    }
    panic!("it never ends")
}

impl Documents for World {
    type Error = Unreachable;

    async fn entry(&self, key: Key<'_>) -> Result<Option<Entry>, Unreachable> {
        let name = match key {
            Key::Campaign(id) => format!("campaign:{id}"),
            Key::Code(code) => format!("code:{code}"),
            Key::Prefix(prefix) => format!("prefix:{prefix}"),
        };
        Ok(self.entries.borrow().get(&name).cloned())
    }
}

impl Directory for World {
    async fn number(&self, _: &CodeKey) -> Result<Option<(Rc<Campaign>, Instrument)>, Unreachable> {
        Ok(None)
    }

    fn keys(&self) -> Result<Keys, Unreachable> {
        Ok(keys())
    }
}

impl Ports for World {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        resolve(self, query).await
    }

    fn limits(&self) -> Option<Limits> {
        Some(LIMITS)
    }

    async fn renew(&self, campaign: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        let entry = self.entries.borrow().get(&format!("campaign:{campaign}")).cloned();
        Ok(match entry {
            Some(Entry::Campaign(campaign)) => campaign.revision(),
            _ => None,
        })
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        self.turn(format!("{campaign}#{}", shard.as_str())).await;
        let mut ledgers = self.ledgers.borrow_mut();
        let ledger = ledgers.entry((campaign.clone(), shard.clone())).or_default();
        let now = Instant::from_millis(self.clock.get());
        let (reply, changes) = apply(ledger, shard, command, now).unwrap();
        assert!(!command.is_read_only() || changes == campaign::Changes::default());
        ledger.tabs.extend(changes.tab);
        ledger.stocks.extend(changes.stocks);
        ledger.siblings = changes.siblings.unwrap_or_else(|| ledger.siblings.clone());
        ledger.announced = changes.announced.or(ledger.announced);
        ledger.mark = changes.mark.unwrap_or_else(|| ledger.mark.clone());
        Ok(reply)
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        join_all(commands.iter().map(|(shard, command)| self.ledger(campaign, shard, command)))
            .await
    }

    async fn exhausted(&self, _: &CampaignId) -> Mark {
        Mark::default()
    }

    fn region(&self) -> &str {
        ""
    }

    async fn location(
        &self,
        _: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        self.turn("location".to_owned()).await;
        if self.location_is_silent.get() {
            return Err(Unreachable);
        }
        let now = Instant::from_millis(self.clock.get());
        Ok(self.location.borrow_mut().ask(command, now, now))
    }

    fn later(&self, _: CleanUp) {}
}

/// The `offer_id` of a campaign's only offer.
pub fn offer(campaign: &str, code: &str) -> String {
    let id = format!("{campaign}.ten-off.{code}");
    assert!(OfferRef::parse(&id).is_some(), "{id}");
    id
}
