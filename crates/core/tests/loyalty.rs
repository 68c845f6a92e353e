//! Loyalty's promises over random histories: events that are repeated, come in any order, run at once and
//! are cut off anywhere. `PROMO_SEED=n` runs one of them, `PROMO_LONG=1` many more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "loyalty/world.rs"]
mod world;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use promo_core::ident::{CampaignId, LocationId, OfferId, OfferKey, OfferRef, TabId};
use promo_core::identity::{Identity, Rules};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{
    Ask, Brought, Command, Give, Outcome, Redeem, Reply, Reverse, TabRecord, Which,
};
use promo_core::ledger::shard::LedgerLayout;
use promo_core::loyalty::accrue::{Guests, accrue, take_back};
use promo_core::loyalty::member::books::{Account, Books, Posting};
use promo_core::loyalty::merge::merge;
use promo_core::loyalty::programme::REWARDS;
use promo_core::loyalty::sign_up::{SignedUp, find_or_make};
use promo_core::loyalty::visit::{Closing, Told};
use promo_core::loyalty::{MemberId, Terms, spend};
use promo_core::money::{Currency, Money};
use promo_core::time::{Calendar, Date, Instant, TimeOfDay, Zone};
use world::{Kept, Way, World, race};

const PEPPER: &[u8] = b"pepper";
const GUESTS: usize = 3;
const TABS: usize = 6;
const COST: u64 = 30;

fn terms() -> Terms {
    let calendar = Calendar { zone: Zone::utc(), day_starts: TimeOfDay::MIDNIGHT };
    Terms::without(&calendar, Instant::from_millis(1_000_000))
}

fn seeds() -> Vec<u64> {
    match std::env::var("PROMO_SEED").map(|seed| seed.parse()) {
        Ok(Ok(seed)) => vec![seed],
        _ if std::env::var_os("PROMO_LONG").is_some() => (0..20_000).collect(),
        _ => (0..600).collect(),
    }
}

/// A guest has a phone number and an address; a till knows the one, the other, or both.
fn identities(guest: usize, which: usize) -> Vec<Identity> {
    let rules = Rules::default();
    let phone = Identity::parse(&format!("+1 608 555 010{guest}"), &rules).unwrap();
    let email = Identity::parse(&format!("guest{guest}@x.example"), &rules).unwrap();
    match which {
        0 => vec![phone],
        1 => vec![email],
        _ => vec![email, phone],
    }
}

fn tab(number: usize) -> TabKey {
    let name = format!("tab-{number}");
    TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse(&name).unwrap() }
}

fn told(received: Instant, points: u64) -> Told {
    Told::new(Closing {
        received,
        digest: format!("closing for {points}"),
        on: Date::parse("1970-01-01").unwrap(),
        paid: Money::new(points),
        points,
        facts: None,
    })
}

/// Whom a till that knows these closes a tab for.
fn guests(identities: &[Identity]) -> Guests {
    let known_by = identities.iter().map(|one| one.pseudonym(PEPPER)).collect();
    Guests { holder: None, known_by }
}

/// An event, so that it can be sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    SignUp { guest: usize, which: usize },
    Merge { from: usize, into: usize },
    Close { tab: usize, points: u64 },
    ReverseTab { tab: usize },
    Redeem { tab: usize },
    ReverseReward { tab: usize },
}

/// What tills and guests know.
struct Tale<'w> {
    world: &'w World,
    drawn: Cell<u64>,
    /// By guest, who he is told he is.
    members: RefCell<BTreeMap<usize, MemberId>>,
}

/// The guest who sits at a table.
fn guest_at(tab: usize) -> usize {
    tab % GUESTS
}

fn reward(member: &MemberId) -> OfferRef {
    let campaign = CampaignId::parse(REWARDS).unwrap();
    let offer = OfferKey::of(&campaign, &OfferId::parse("reward").unwrap());
    OfferRef { campaign, offer, code: spend::key_of(member).unwrap() }
}

impl<'w> Tale<'w> {
    /// The event on its way, which reached its edge at this instant; whether it is acknowledged.
    fn way(&'w self, event: Event, received: Instant) -> Way<'w> {
        let world = self.world;
        self.drawn.set(self.drawn.get() + 1);
        let drawn = self.drawn.get();
        match event {
            Event::SignUp { guest, which } => Box::pin(async move {
                let candidate = MemberId::parse(&format!("MEMBER{drawn:06}")).unwrap();
                let who = identities(guest, which);
                let made = find_or_make(world, &who, PEPPER, &candidate, None).await;
                match made {
                    Ok(SignedUp::Member { id, .. }) => {
                        // What a till was told first it goes on naming.
                        self.members.borrow_mut().entry(guest).or_insert(id);
                        true
                    }
                    Ok(SignedUp::Nobody) => panic!("{who:?} are somebody"),
                    Err(_) => false,
                }
            }),
            Event::Merge { from, into } => Box::pin(async move {
                let who = |guest| self.members.borrow().get(&guest).cloned();
                let (Some(from), Some(into)) = (who(from), who(into)) else { return true };
                merge(world, &from, &into).await.is_ok()
            }),
            Event::Close { tab: number, points } => Box::pin(async move {
                let who = identities(guest_at(number), 2);
                let told = told(received, points);
                let until = Instant::from_millis(i64::MAX);
                accrue(world, &guests(&who), &tab(number), &told, until).await.is_ok()
            }),
            Event::ReverseTab { tab: number } => Box::pin(async move {
                let all = Reverse { tab: tab(number), which: Which::All, received };
                let Ok(owner) = take_back(world, &tab(number), received).await else {
                    return false;
                };
                let owner: Vec<MemberId> = owner.into_iter().collect();
                spend::reverse_tab(world, &all, &owner).await.is_ok()
            }),
            Event::Redeem { tab: number } => Box::pin(async move {
                let member = self.members.borrow().get(&guest_at(number)).cloned();
                let Some(member) = member else { return true };
                let give = Give { amount: Money::new(500), answer: "\"given\"".to_owned() };
                let redeem = Redeem {
                    tab: tab(number),
                    customer: Some(member.to_string()),
                    pos: "test".to_owned(),
                    received,
                    attempt: spend::attempt(&format!("attempt-{drawn}"), &member),
                    currency: Currency::parse("USD").unwrap(),
                    asks: vec![Ask { offer: reward(&member), give: Some(give) }],
                    counters: Vec::new(),
                    revision: None,
                    keep_days: 400,
                    layout: LedgerLayout::SINGLE,
                    brought: Brought::default(),
                };
                let cost = |_: &OfferRef, _| Some(COST);
                match spend::decide(world, &Command::Redeem(redeem), cost).await {
                    Ok(Reply::Redeemed(redeemed)) => {
                        !matches!(redeemed.outcomes[0], Outcome::Open | Outcome::Absent)
                    }
                    _ => false,
                }
            }),
            Event::ReverseReward { tab: number } => Box::pin(async move {
                let member = self.members.borrow().get(&guest_at(number)).cloned();
                let Some(member) = member else { return true };
                let which = Which::Offers(vec![reward(&member)]);
                let reverse = Command::Reverse(Reverse { tab: tab(number), which, received });
                spend::decide(world, &reverse, |_, _| None).await.is_ok()
            }),
        }
    }

    fn draw(&self) -> Event {
        let dice = &self.world.dice;
        let tab = dice.below(TABS);
        match dice.below(13) {
            12 => Event::Merge { from: dice.below(GUESTS), into: dice.below(GUESTS) },
            0 | 1 => Event::SignUp { guest: dice.below(GUESTS), which: dice.below(3) },
            2..=6 => Event::Close { tab, points: [10, 20, 40, 80][dice.below(4)] },
            7 => Event::ReverseTab { tab },
            8 => Event::ReverseReward { tab },
            _ => Event::Redeem { tab },
        }
    }
}

/// The sum of all postings is zero at every account's every step, and the books are what an addition that
/// knows nothing of lots makes of the same postings.
fn assert_balanced(kept: &Kept) -> BTreeMap<Account, i64> {
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for Posting { points, from, to, .. } in &kept.postings {
        let points = i64::try_from(*points).unwrap();
        *sums.entry(from.account).or_default() -= points;
        *sums.entry(to.account).or_default() += points;
        assert_eq!(sums.values().sum::<i64>(), 0);
    }
    let books = Books::of(&kept.postings);
    for (account, sum) in &sums {
        assert_eq!(books.held(*account), *sum, "{account:?}");
    }
    sums
}

/// Every tab is credited once with its last sum, and what the ledger has of rewards is paid for; returns
/// all points credited, and all points spent.
fn assert_every_point_is_accounted_for(
    world: &World,
    seed: u64,
    closings: &BTreeMap<usize, BTreeSet<u64>>,
    barriers: &BTreeMap<usize, Instant>,
) -> (i64, i64) {
    let (mut credited, mut redeemed) = (0, 0);
    // The last closing of each tab is the one for 7, received last.
    let members = world.members.borrow();
    let sums: BTreeMap<&MemberId, _> =
        members.iter().map(|(id, kept)| (id, assert_balanced(kept))).collect();
    let of = |id: &MemberId, account| sums[id].get(&account).copied().unwrap_or(0);
    let visits = world.visits.borrow();
    // Whoever was merged has his points at the one whom he is part of now.
    let now_at = |id: &MemberId| {
        let mut at = id.clone();
        while let Some(next) = &members[&at].profile.moved {
            at = next.clone();
        }
        assert_eq!(members[&at].profile.leaving, None, "PROMO_SEED={seed}: {at}");
        at
    };
    let mut issued: BTreeMap<MemberId, i64> = BTreeMap::new();
    for number in 0..TABS {
        let visit = &visits[&tab(number)];
        let told = visit.told.as_ref().unwrap();
        assert_eq!(told.last.points, 7, "PROMO_SEED={seed}");
        let known = told.heard.iter().chain([&told.last.digest]).cloned();
        let sent = closings[&number].iter().map(|points| format!("closing for {points}"));
        assert_eq!(known.collect::<BTreeSet<_>>(), sent.collect(), "PROMO_SEED={seed}");
        assert_eq!(visit.barrier, barriers.get(&number).copied(), "PROMO_SEED={seed}");
        *issued.entry(now_at(visit.owner.as_ref().unwrap())).or_default() += 7;
    }
    for id in members.keys() {
        let expected = issued.get(id).copied().unwrap_or(0);
        assert_eq!(of(id, Account::Issued), -expected, "PROMO_SEED={seed}: {id}");
        credited += expected;
    }
    // What the ledger has of rewards, the member has paid for, and nothing else.
    let mut spent: BTreeMap<MemberId, i64> = BTreeMap::new();
    for (offer, _) in world.quotas.borrow().tabs.values().flat_map(TabRecord::standing) {
        let member = now_at(&spend::member_of(offer).unwrap());
        *spent.entry(member).or_default() += i64::try_from(COST).unwrap();
    }
    for id in members.keys() {
        let expected = spent.get(id).copied().unwrap_or(0);
        assert_eq!(of(id, Account::Spent), expected, "PROMO_SEED={seed}: {id}");
        redeemed += expected;
    }
    (credited, redeemed)
}

/// Whole tabs are reversed: nobody has points for them or has paid for a reward on them.
fn assert_nothing_is_left_of_reversed_tabs(tale: &Tale<'_>, seed: u64) {
    let world = tale.world;
    for tab in 0..TABS {
        let received = world.tick();
        let way = tale.way(Event::ReverseTab { tab }, received);
        assert_eq!(race(vec![way], &world.dice, 0), [Some(true)], "PROMO_SEED={seed}");
    }
    for (id, kept) in world.members.borrow().iter() {
        let sums = assert_balanced(kept);
        for account in [Account::Issued, Account::Spent, Account::Available] {
            let left = sums.get(&account).copied().unwrap_or(0);
            assert_eq!(left, 0, "PROMO_SEED={seed}: {account:?} of {id}");
        }
    }
    let quotas = world.quotas.borrow();
    let left = quotas.tabs.values().flat_map(TabRecord::standing).count();
    assert_eq!(left, 0, "PROMO_SEED={seed}: rewards stand");
}

#[test]
fn after_any_history_every_tab_is_credited_once_with_its_last_sum_and_every_point_is_accounted_for()
{
    let (mut credited, mut redeemed, mut merged) = (0, 0, 0);
    for seed in seeds() {
        let world = World::new(seed, terms());
        let tale = Tale { world: &world, drawn: Cell::new(0), members: RefCell::default() };
        world.lossy.set([0, 30, 8][world.dice.below(3)]);
        let deadly = [0, 40, 12][world.dice.below(3)];
        // Every sum that a tab was closed with, and its latest reversal.
        let mut closings: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        let mut barriers: BTreeMap<usize, Instant> = BTreeMap::new();
        let mut unheard: Vec<Event> = Vec::new();
        for round in 0..14 {
            let last = round >= 12;
            if last {
                // At last everything goes well, and tills send again what they heard no answer to.
                world.lossy.set(0);
            }
            let mut events: Vec<Event> = std::mem::take(&mut unheard);
            if !last {
                events.extend((0..1 + world.dice.below(4)).map(|_| tale.draw()));
                if world.dice.one_in(3) {
                    events.push(events[world.dice.below(events.len())]);
                }
            }
            if round == 12 {
                events.extend((0..GUESTS).map(|guest| Event::SignUp { guest, which: 2 }));
            }
            if round == 13 {
                // Every tab is closed, once more or at last, and every reward asked for or reversed.
                events.extend((0..TABS).map(|tab| Event::Close { tab, points: 7 }));
            }
            let mut ways = Vec::new();
            for event in &events {
                let received = world.tick();
                match event {
                    Event::Close { tab, points } => {
                        closings.entry(*tab).or_default().insert(*points);
                    }
                    Event::ReverseTab { tab } => {
                        barriers.insert(*tab, received);
                    }
                    _ => {}
                }
                ways.push(tale.way(*event, received));
            }
            let ended = race(ways, &world.dice, if last { 0 } else { deadly });
            for (event, ended) in events.into_iter().zip(ended) {
                if ended != Some(true) {
                    unheard.push(event);
                }
            }
        }
        assert_eq!(unheard, [], "PROMO_SEED={seed}: what goes well is acknowledged");

        let sums = assert_every_point_is_accounted_for(&world, seed, &closings, &barriers);
        (credited, redeemed) = (credited + sums.0, redeemed + sums.1);
        merged +=
            world.members.borrow().values().filter(|kept| kept.profile.moved.is_some()).count();
        assert_nothing_is_left_of_reversed_tabs(&tale, seed);
    }
    let seen = format!("{credited} points credited, {redeemed} spent, {merged} members merged");
    assert!(credited > 0 && redeemed > 0 && merged > 0, "{seen}");
}
