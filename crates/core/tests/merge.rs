//! Mergers among everything else that happens, in every interleaving and cut off at every step.
//!
//! Each scenario is a handful of requests. They are let go step by step, a step being one question to one object;
//! every order of steps is gone through, and in each, one request may die at any step. Two schedules that lead to the
//! same state, with the same answers heard, go on as one. At the end whoever heard no answer asks once more, and then
//! every promise is held against what the objects keep.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]
#![allow(dead_code, reason = "the world is shared with other tests")]

#[path = "loyalty/world.rs"]
mod world;

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::task::{Context, Poll, Waker};

use promo_core::ident::{CampaignId, LocationId, OfferId, OfferKey, OfferRef, TabId};
use promo_core::identity::{Identity, Rules};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Ask, Brought, Command, Give, Redeem, Reverse, Which};
use promo_core::ledger::shard::LedgerLayout;
use promo_core::loyalty::accrue::{Guests, accrue, take_back};
use promo_core::loyalty::member::books::{Account, Books};
use promo_core::loyalty::merge::{Merged, merge};
use promo_core::loyalty::programme::REWARDS;
use promo_core::loyalty::sign_up::{SignedUp, find_or_make};
use promo_core::loyalty::visit::{Closing, Told};
use promo_core::loyalty::{MemberId, Terms, ask_member, member, spend};
use promo_core::money::{Currency, Money};
use promo_core::time::{Calendar, Date, Instant, TimeOfDay, Zone};
use world::{Way, World};

const PEPPER: &[u8] = b"pepper";
const COST: u64 = 30;

/// A request. Guests are 0, 1 and 2; each has a phone number and is a member before anything happens, with 100 points
/// of a tab of his own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asks {
    /// Take the one into the other.
    Merge(usize, usize),
    /// A guest's tab is closed for so many points.
    Close(usize, u64),
    /// The whole tab is reversed.
    ReverseTab,
    /// A guest's reward is redeemed on the tab.
    Redeem(usize),
    /// It is reversed.
    ReverseReward(usize),
}

fn guest(n: usize) -> MemberId {
    MemberId::parse(&format!("MEMBER{n:02}")).unwrap()
}

fn identity(n: usize) -> Identity {
    Identity::parse(&format!("+1 608 555 010{n}"), &Rules::default()).unwrap()
}

fn tab(name: &str) -> TabKey {
    TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse(name).unwrap() }
}

fn told(received: Instant, points: u64) -> Told {
    Told::new(Closing {
        received,
        digest: format!("{points}"),
        on: Date::parse("1970-01-01").unwrap(),
        paid: Money::new(points),
        points,
        facts: None,
    })
}

fn reward(of: usize) -> OfferRef {
    let campaign = CampaignId::parse(REWARDS).unwrap();
    let offer = OfferKey::of(&campaign, &OfferId::parse("reward").unwrap());
    OfferRef { campaign, offer, code: spend::key_of(&guest(of)).unwrap() }
}

async fn close(world: &World, name: &str, of: usize, points: u64, received: Instant) -> bool {
    let guests = Guests { holder: None, known_by: vec![identity(of).pseudonym(PEPPER)] };
    let until = Instant::from_millis(i64::MAX);
    accrue(world, &guests, &tab(name), &told(received, points), until).await.is_ok()
}

fn way(world: &World, asks: Asks, received: Instant) -> Way<'_> {
    match asks {
        Asks::Merge(from, into) => {
            Box::pin(async move { merge(world, &guest(from), &guest(into)).await.is_ok() })
        }
        Asks::Close(of, points) => {
            Box::pin(async move { close(world, "t", of, points, received).await })
        }
        Asks::ReverseTab => Box::pin(async move {
            let Ok(owner) = take_back(world, &tab("t"), received).await else { return false };
            let owner: Vec<MemberId> = owner.into_iter().collect();
            let all = Reverse { tab: tab("t"), which: Which::All, received };
            spend::reverse_tab(world, &all, &owner).await.is_ok()
        }),
        Asks::Redeem(of) => Box::pin(async move {
            let give = Give { amount: Money::new(500), answer: String::new() };
            let redeem = Command::Redeem(Redeem {
                tab: tab("t"),
                customer: None,
                pos: "test".to_owned(),
                received,
                attempt: spend::attempt("attempt", &guest(of)),
                currency: Currency::parse("USD").unwrap(),
                asks: vec![Ask { offer: reward(of), give: Some(give) }],
                counters: Vec::new(),
                keep_days: 400,
                revision: None,
                layout: LedgerLayout::SINGLE,
                brought: Brought::default(),
            });
            spend::decide(world, &redeem, |_, _| Some(COST)).await.is_ok()
        }),
        Asks::ReverseReward(of) => Box::pin(async move {
            let which = Which::Offers(vec![reward(of)]);
            let reverse = Command::Reverse(Reverse { tab: tab("t"), which, received });
            spend::decide(world, &reverse, |_, _| None).await.is_ok()
        }),
    }
}

/// Goes a way to its end, alone.
fn alone<A>(way: impl Future<Output = A>) -> A {
    let mut way = Box::pin(way);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(end) = way.as_mut().poll(&mut context) {
            return end;
        }
    }
    panic!("this comes to no end");
}

fn world() -> World {
    let calendar = Calendar { zone: Zone::utc(), day_starts: TimeOfDay::MIDNIGHT };
    let world = World::new(1, Terms::without(&calendar, Instant::from_millis(1_000_000)));
    for n in 0..3 {
        let made = alone(find_or_make(&world, &[identity(n)], PEPPER, &guest(n), None));
        assert_eq!(made, Ok(SignedUp::Member { id: guest(n), made: true }));
        let received = world.tick();
        assert!(alone(close(&world, &format!("own-{n}"), n, 100, received)));
    }
    world
}

/// What a schedule says: let this one go a step, or let it die.
#[derive(Clone, Copy, Debug)]
enum Next {
    Step(usize),
    Dies(usize),
}

struct Played {
    world: World,
    alive: Vec<bool>,
    ended: Vec<Option<bool>>,
    /// The state, and what each request has heard.
    state: u64,
}

/// Plays a schedule from the start. `before` goes one after the other, whole; then `asks` at once.
fn play(before: &[Asks], asks: &[Asks], schedule: &[Next]) -> Played {
    let world = world();
    for asks in before {
        let received = world.tick();
        assert!(alone(way(&world, *asks, received)), "{asks:?}");
    }
    world.brisk.set(true);
    let received: Vec<Instant> = asks.iter().map(|_| world.tick()).collect();
    let mut ended = vec![None; asks.len()];
    let mut steps = vec![0; asks.len()];
    *world.heard.borrow_mut() = vec![0; asks.len()];
    let mut alive = vec![true; asks.len()];
    {
        let mut ways: Vec<Option<Way<'_>>> =
            asks.iter().zip(&received).map(|(asks, at)| Some(way(&world, *asks, *at))).collect();
        let mut context = Context::from_waker(Waker::noop());
        for next in schedule {
            let (Next::Step(at) | Next::Dies(at)) = *next;
            if let Next::Dies(_) = next {
                ways[at] = None;
                alive[at] = false;
                continue;
            }
            // A step: the next question, which is asked and answered in one.
            world.going.set(at);
            steps[at] += 1;
            if let Some(going) = ways[at].as_mut()
                && let Poll::Ready(end) = going.as_mut().poll(&mut context)
            {
                ended[at] = Some(end);
                alive[at] = false;
                ways[at] = None;
            }
        }
    }
    let mut hasher = DefaultHasher::new();
    (state_of(&world), world.heard.take(), steps, &alive).hash(&mut hasher);
    let state = hasher.finish();
    Played { world, alive, ended, state }
}

fn state_of(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    let kept = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        world.entries, world.visits, world.members, world.quotas, world.register
    );
    kept.hash(&mut hasher);
    hasher.finish()
}

/// Goes through every schedule; returns how many ends there were.
fn every_schedule(before: &[Asks], asks: &[Asks], check: impl Fn(&World, &str)) -> usize {
    let mut seen: HashSet<u64> = HashSet::new();
    let mut open: Vec<Vec<Next>> = vec![Vec::new()];
    let mut ends = 0;
    while let Some(schedule) = open.pop() {
        let played = play(before, asks, &schedule);
        let died = schedule.iter().any(|next| matches!(next, Next::Dies(_)));
        if !seen.insert(played.state) {
            continue;
        }
        let going: Vec<usize> = (0..asks.len()).filter(|at| played.alive[*at]).collect();
        if going.is_empty() {
            ends += 1;
            let Played { world, ended, .. } = played;
            let told = format!("{before:?}, then {asks:?}: {schedule:?}");
            for (asks, end) in asks.iter().zip(ended) {
                // Whoever heard nothing asks again; with a network that loses nothing, once is enough.
                if end != Some(true) {
                    let received = world.tick();
                    assert!(alone(way(&world, *asks, received)), "{asks:?} in {told}");
                }
            }
            check(&world, &told);
            continue;
        }
        for at in going {
            let with = |next| schedule.iter().copied().chain([next]).collect();
            open.push(with(Next::Step(at)));
            if !died {
                open.push(with(Next::Dies(at)));
            }
        }
    }
    ends
}

/// Who a guest is now, whom everybody who asks for him reaches.
fn reached(world: &World, n: usize) -> MemberId {
    let (id, reply) = alone(ask_member(world, &guest(n), member::Command::Show(0))).unwrap();
    assert!(matches!(reply, member::Reply::View(_)), "{reply:?}");
    let found = alone(find_or_make(world, &[identity(n)], PEPPER, &guest(9), None));
    assert_eq!(found, Ok(SignedUp::Member { id: id.clone(), made: false }));
    id
}

fn held(world: &World, id: &MemberId, account: Account) -> i64 {
    Books::of(&world.members.borrow()[id].postings).held(account)
}

/// What everybody has together, and that nothing is anywhere but with those who are members still.
fn assert_sound(world: &World, joined: &[(usize, usize)], told: &str) {
    let mut group = [0, 1, 2];
    for (a, b) in joined {
        let (a, b) = (group[*a], group[*b]);
        group.iter_mut().filter(|it| **it == a).for_each(|it| *it = b);
    }
    let at: Vec<MemberId> = (0..3).map(|n| reached(world, n)).collect();
    for a in 0..3 {
        for b in 0..3 {
            assert_eq!(at[a] == at[b], group[a] == group[b], "{told}: {at:?}");
        }
    }
    let everybody: BTreeSet<MemberId> = at.iter().cloned().collect();
    let (mut issued, mut spent) = (0, 0);
    for (id, kept) in world.members.borrow().iter() {
        assert_eq!(kept.profile.leaving, None, "{told}");
        if everybody.contains(id) {
            issued -= held(world, id, Account::Issued);
            spent += held(world, id, Account::Spent);
        } else {
            assert!(kept.postings.is_empty() && kept.tabs.is_empty(), "{told}");
        }
    }
    let visits = world.visits.borrow();
    let counts = visits.get(&tab("t")).and_then(|visit| {
        let last = &visit.told.as_ref()?.last;
        (Some(last.received) > visit.barrier).then_some(last.points)
    });
    assert_eq!(issued, 300 + counts.unwrap_or(0) as i64, "{told}");
    // The tab's points are with its owner.
    let owner = visits.get(&tab("t")).and_then(|visit| visit.owner.clone());
    if let Some(owner) = owner {
        let n = (0..3).find(|n| guest(*n) == owner).unwrap();
        let own = group.iter().filter(|it| **it == group[n]).count() as i64 * 100;
        let issued = -held(world, &at[n], Account::Issued);
        assert_eq!(issued, own + counts.unwrap_or(0) as i64, "{told}");
    }
    let quotas = world.quotas.borrow();
    let standing = quotas.tabs.get(&tab("t")).map_or(0, |record| record.standing().count());
    assert_eq!(spent, COST as i64 * standing as i64, "{told}");
}

#[test]
fn two_mergers_that_cross_end_in_one_member_wherever_they_are_cut_off() {
    let ends = every_schedule(&[], &[Asks::Merge(1, 0), Asks::Merge(0, 1)], |world, told| {
        assert_sound(world, &[(0, 1)], told);
    });
    assert!(ends > 10, "{ends}");
}

#[test]
fn mergers_of_three_in_a_ring_or_a_chain_end_in_one_member_wherever_they_are_cut_off() {
    for third in [Asks::Merge(2, 0), Asks::Merge(0, 2)] {
        // Every order of two at once, after or before the third.
        for (before, at_once) in [
            ([Asks::Merge(1, 0)], [Asks::Merge(2, 1), third]),
            ([third], [Asks::Merge(1, 0), Asks::Merge(2, 1)]),
            ([Asks::Merge(2, 1)], [third, Asks::Merge(1, 0)]),
        ] {
            every_schedule(&before, &at_once, |world, told| {
                assert_sound(world, &[(0, 1), (1, 2)], told);
            });
        }
    }
}

#[test]
fn a_tab_closed_during_a_merger_is_neither_lost_nor_doubled() {
    for of in [0, 1] {
        for before in [&[][..], &[Asks::Close(1, 10)], &[Asks::Close(0, 10)]] {
            let asks = [Asks::Merge(1, 0), Asks::Close(of, 12)];
            every_schedule(before, &asks, |world, told| {
                assert_sound(world, &[(0, 1)], told);
                let visit = world.visits.borrow()[&tab("t")].clone();
                assert_eq!(visit.told.unwrap().last.points, 12, "{told}");
            });
        }
    }
}

#[test]
fn a_tab_closed_again_and_reversed_during_a_merger_is_neither_lost_nor_doubled() {
    for asks in [
        [Asks::Merge(1, 0), Asks::ReverseTab],
        [Asks::Merge(0, 1), Asks::ReverseTab],
        [Asks::Close(0, 12), Asks::ReverseTab],
    ] {
        for before in [
            &[Asks::Close(1, 10)][..],
            &[Asks::Close(1, 10), Asks::Close(0, 11)],
            &[Asks::Close(1, 10), Asks::Redeem(1), Asks::Redeem(0)],
            &[Asks::Close(1, 10), Asks::Merge(1, 0), Asks::Redeem(1)],
        ] {
            let mut joined = Vec::new();
            if before.iter().chain(&asks).any(|asks| matches!(asks, Asks::Merge(..))) {
                joined.push((0, 1));
            }
            every_schedule(before, &asks, |world, told| assert_sound(world, &joined, told));
        }
    }
}

#[test]
fn a_reward_redeemed_or_reversed_during_a_merger_is_paid_once_or_given_back_once() {
    for asks in [
        [Asks::Merge(1, 0), Asks::Redeem(1)],
        [Asks::Merge(1, 0), Asks::Redeem(0)],
        [Asks::Merge(1, 0), Asks::ReverseReward(1)],
        [Asks::Merge(0, 1), Asks::ReverseReward(1)],
    ] {
        for before in [&[][..], &[Asks::Redeem(1)]] {
            every_schedule(before, &asks, |world, told| assert_sound(world, &[(0, 1)], told));
        }
    }
}

#[test]
fn three_requests_at_once_a_merger_its_opposite_and_a_closing_keep_every_promise() {
    let asks = [Asks::Merge(1, 0), Asks::Merge(0, 1), Asks::Close(1, 12)];
    let ends = every_schedule(&[Asks::Close(1, 10)], &asks, |world, told| {
        assert_sound(world, &[(0, 1)], told);
    });
    assert!(ends > 100, "{ends}");
}

#[test]
fn a_merger_repeated_says_that_they_are_one_already() {
    let world = world();
    let ask = |from, into| alone(merge(&world, &guest(from), &guest(into)));
    assert_eq!(ask(1, 0), Ok(Merged::One(guest(0))));
    assert_eq!(ask(1, 0), Ok(Merged::Already(guest(0))));
    assert_eq!(ask(0, 1), Ok(Merged::Already(guest(0))));
    assert_eq!(ask(0, 0), Ok(Merged::Already(guest(0))));
    assert_eq!(ask(1, 2), Ok(Merged::One(guest(2))));
    assert_sound(&world, &[(0, 1), (1, 2)], "a chain");
}

#[test]
fn a_tab_is_found_after_a_hundred_mergers_in_few_questions() {
    let world = world();
    let received = world.tick();
    assert!(alone(close(&world, "t", 0, 10, received)));
    let mut last = guest(0);
    for n in 0..100 {
        let next = MemberId::parse(&format!("SURVIVOR{n:03}")).unwrap();
        let who = Identity::parse(&format!("survivor{n}@x.example"), &Rules::default()).unwrap();
        alone(find_or_make(&world, &[who], PEPPER, &next, None)).unwrap();
        assert_eq!(alone(merge(&world, &last, &next)), Ok(Merged::One(next.clone())));
        last = next;
    }
    let asked = Cell::new(0);
    let received = world.tick();
    let mut way = Box::pin(close(&world, "t", 0, 12, received));
    let mut context = Context::from_waker(Waker::noop());
    while way.as_mut().poll(&mut context).is_pending() {
        asked.set(asked.get() + 1);
    }
    drop(way);
    assert!(asked.get() < 20, "{}", asked.get());
    assert_eq!(held(&world, &last, Account::Issued), -112);
    let received = world.tick();
    alone(take_back(&world, &tab("t"), received)).unwrap();
    assert_eq!(held(&world, &last, Account::Issued), -100);
}
