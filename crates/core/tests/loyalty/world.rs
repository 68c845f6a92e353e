//! Loyalty's objects in memory, reached over a network that delays, and by edges that die.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use promo_core::checkout::Unreachable;
use promo_core::identity::Pseudonym;
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::rights::Stock;
use promo_core::ledger::campaign::{self, Mark, TabRecord};
use promo_core::ledger::shard::{Shard, Siblings};
use promo_core::location::Visited;
use promo_core::loyalty::conflict::Conflict;
use promo_core::loyalty::member::books::Posting;
use promo_core::loyalty::member::{self, Adjusted, Profile, Store, TabNote};
use promo_core::loyalty::programme::Programme;
use promo_core::loyalty::register::{self, Register};
use promo_core::loyalty::visit::Told;
use promo_core::loyalty::{Counted, MemberId, Rooms, Terms, directory, visit};
use promo_core::time::{Instant, Zone};

/// Dice that fall the same way for the same seed.
pub struct Dice(Cell<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    pub fn below(&self, sides: usize) -> usize {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        usize::try_from(state >> 33).unwrap() % sides
    }

    pub fn one_in(&self, sides: usize) -> bool {
        self.below(sides) == 0
    }
}

/// What a member's object keeps.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub profile: Profile,
    pub postings: Vec<Posting>,
    pub tabs: BTreeMap<TabKey, TabNote>,
    pub adjusted: Vec<(String, Adjusted)>,
}

impl Store for Kept {
    type Error = std::convert::Infallible;

    fn profile(&self) -> Result<Profile, Self::Error> {
        Ok(self.profile.clone())
    }

    fn postings(&self) -> Result<Vec<Posting>, Self::Error> {
        Ok(self.postings.clone())
    }

    fn tab(&self, tab: &TabKey) -> Result<Option<TabNote>, Self::Error> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn tabs(&self) -> Result<Vec<(TabKey, TabNote)>, Self::Error> {
        Ok(self.tabs.clone().into_iter().collect())
    }

    fn adjusted(&self, key: &str) -> Result<Vec<Adjusted>, Self::Error> {
        let known = self.adjusted.iter().filter(|(known, _)| known == key);
        Ok(known.map(|(_, adjusted)| adjusted.clone()).collect())
    }

    fn all_adjusted(&self) -> Result<Vec<(String, Adjusted)>, Self::Error> {
        Ok(self.adjusted.clone())
    }
}

impl Kept {
    /// Decides and writes, as the object does.
    pub fn ask(
        &mut self,
        me: &MemberId,
        command: &member::Command,
        terms: &Terms,
        now: Instant,
    ) -> member::Reply {
        let Ok((reply, changes)) = member::apply(self, me, command, terms, now);
        if changes.wipe {
            *self = Self::default();
        }
        self.profile = changes.profile.unwrap_or_else(|| self.profile.clone());
        for posting in changes.postings {
            let last = self.postings.last().map_or(0, |posting| posting.number);
            assert!(posting.number > last, "a posting's number is there already");
            assert!(posting.points > 0, "a posting of nothing");
            self.postings.push(posting);
        }
        self.tabs.extend(changes.tabs);
        self.adjusted.extend(changes.adjusted);
        reply
    }
}

/// What the rewards' ledger keeps.
#[derive(Debug, Default)]
pub struct Quotas {
    pub tabs: BTreeMap<TabKey, TabRecord>,
    pub stocks: BTreeMap<String, Stock>,
}

impl campaign::Books for Quotas {
    type Error = std::convert::Infallible;

    fn tab(&self, tab: &TabKey) -> Result<Option<TabRecord>, Self::Error> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn stock(&self, key: &str) -> Result<Option<Stock>, Self::Error> {
        Ok(self.stocks.get(key).cloned())
    }

    fn siblings(&self) -> Result<Siblings, Self::Error> {
        Ok(Siblings::default())
    }

    fn mark(&self) -> Result<Mark, Self::Error> {
        Ok(Mark::default())
    }

    fn announced(
        &self,
    ) -> Result<Option<promo_core::revision::Announcement>, std::convert::Infallible> {
        Ok(None)
    }

    fn is_empty(&self) -> Result<bool, Self::Error> {
        Ok(self.tabs.is_empty())
    }
}

/// All objects.
pub struct World {
    pub dice: Dice,
    pub now: Cell<i64>,
    pub terms: RefCell<Terms>,
    pub entries: RefCell<BTreeMap<Pseudonym, directory::Entry>>,
    pub visits: RefCell<BTreeMap<TabKey, visit::Visit>>,
    pub members: RefCell<BTreeMap<MemberId, Kept>>,
    pub quotas: RefCell<Quotas>,
    pub conflicts: RefCell<Vec<Conflict>>,
    pub register: RefCell<Register>,
    pub programme: RefCell<Option<Programme>>,
    /// One in so many questions is lost on its way there, and as many answers on their way back; 0: none.
    pub lossy: Cell<usize>,
    /// Whether an answer comes in the step in which its question was asked.
    pub brisk: Cell<bool>,
    /// Who is on his way now.
    pub going: Cell<usize>,
    /// By who is on his way, a digest of all he has heard.
    pub heard: RefCell<Vec<u64>>,
}

/// Lets somebody else go first.
struct Elsewhere(bool);

impl Future for Elsewhere {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl World {
    pub fn new(seed: u64, terms: Terms) -> Self {
        Self {
            dice: Dice::new(seed),
            now: Cell::new(1_000_000),
            terms: RefCell::new(terms),
            entries: RefCell::default(),
            visits: RefCell::default(),
            members: RefCell::default(),
            quotas: RefCell::default(),
            conflicts: RefCell::default(),
            register: RefCell::default(),
            programme: RefCell::default(),
            lossy: Cell::new(0),
            brisk: Cell::new(false),
            going: Cell::new(0),
            heard: RefCell::default(),
        }
    }

    pub fn tick(&self) -> Instant {
        self.now.set(self.now.get() + 1);
        Instant::from_millis(self.now.get())
    }

    fn loses(&self) -> bool {
        self.lossy.get() > 0 && self.dice.one_in(self.lossy.get())
    }

    /// A question to an object and its answer, either of which may be lost.
    async fn over_the_network<A: Debug>(&self, ask: impl FnOnce() -> A) -> Result<A, Unreachable> {
        Elsewhere(false).await;
        if self.loses() {
            return Err(Unreachable);
        }
        let answer = ask();
        if let Some(heard) = self.heard.borrow_mut().get_mut(self.going.get()) {
            let mut hasher = DefaultHasher::new();
            (*heard, format!("{answer:?}")).hash(&mut hasher);
            *heard = hasher.finish();
        }
        Elsewhere(self.brisk.get()).await;
        if self.loses() { Err(Unreachable) } else { Ok(answer) }
    }
}

impl Rooms for World {
    async fn entry(
        &self,
        who: &Pseudonym,
        command: directory::Command,
    ) -> Result<directory::Known, Unreachable> {
        let ask = || self.entries.borrow_mut().entry(who.clone()).or_default().apply(command).0;
        self.over_the_network(ask).await
    }

    async fn visit(&self, tab: &TabKey, command: visit::Command) -> Result<Visited, Unreachable> {
        let ask = || {
            let standing =
                self.visits.borrow_mut().entry(tab.clone()).or_default().apply(command).0;
            Visited { tab: tab.tab.clone(), standing, joined: Vec::new() }
        };
        self.over_the_network(ask).await
    }

    async fn member(
        &self,
        id: &MemberId,
        command: member::Command,
    ) -> Result<member::Reply, Unreachable> {
        let ask = || {
            let mut members = self.members.borrow_mut();
            let now = Instant::from_millis(self.now.get());
            let kept = members.entry(id.clone()).or_default();
            kept.ask(id, &command, &self.terms.borrow(), now)
        };
        self.over_the_network(ask).await
    }

    async fn ledger(&self, command: &campaign::Command) -> Result<campaign::Reply, Unreachable> {
        let ask = || {
            let mut quotas = self.quotas.borrow_mut();
            let now = Instant::from_millis(self.now.get());
            let Ok((reply, changes)) = campaign::apply(&*quotas, &Shard::root(), command, now);
            quotas.tabs.extend(changes.tab);
            quotas.stocks.extend(changes.stocks);
            reply
        };
        self.over_the_network(ask).await
    }

    async fn register(&self, command: register::Command) -> Result<register::Joined, Unreachable> {
        self.over_the_network(|| self.register.borrow_mut().apply(command).0).await
    }

    async fn list(&self, conflict: &Conflict) -> Result<(), Unreachable> {
        let list = || {
            let mut conflicts = self.conflicts.borrow_mut();
            if conflicts.iter().all(|known| known.id() != conflict.id()) {
                conflicts.push(conflict.clone());
            }
        };
        self.over_the_network(list).await
    }

    async fn count(&self, told: &Told, owner: &MemberId) -> Result<Counted, Unreachable> {
        let now = Instant::from_millis(self.now.get());
        Ok(match &*self.programme.borrow() {
            None => Counted::NotYet,
            Some(programme) => match programme.count(told, owner, &Zone::utc(), now) {
                Some(told) => Counted::So(told),
                None => Counted::TooOld,
            },
        })
    }
}

/// A way through the objects, and whether it came to an acknowledged end.
pub type Way<'w> = Pin<Box<dyn Future<Output = bool> + 'w>>;

/// Lets all go their ways, a step of one and a step of another; some die on the way. Returns how each
/// ended: none for the dead.
pub fn race(ways: Vec<Way<'_>>, dice: &Dice, deadly: usize) -> Vec<Option<bool>> {
    let mut ended: Vec<Option<bool>> = vec![None; ways.len()];
    let mut going: Vec<(usize, Way<'_>)> = ways.into_iter().enumerate().collect();
    let mut context = Context::from_waker(Waker::noop());
    while !going.is_empty() {
        let at = dice.below(going.len());
        if deadly > 0 && dice.one_in(deadly) {
            drop(going.swap_remove(at));
            continue;
        }
        let (index, way) = &mut going[at];
        if let Poll::Ready(acknowledged) = way.as_mut().poll(&mut context) {
            ended[*index] = Some(acknowledged);
            drop(going.swap_remove(at));
        }
    }
    ended
}
