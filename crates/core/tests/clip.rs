//! Under `"negative": "clip"` the order of reversals does not matter, and nobody keeps points that he did not earn.
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

use std::collections::BTreeMap;

use promo_core::ident::{LocationId, OfferRef, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Ask, Brought, Command as Ledger, Give, Redeem, Reverse, Which};
use promo_core::ledger::shard::LedgerLayout;
use promo_core::loyalty::member::books::{Account, Books};
use promo_core::loyalty::member::{Accrual, Adjusted, Command};
use promo_core::loyalty::visit::{Closing, Ruling};
use promo_core::loyalty::{MemberId, Terms};
use promo_core::money::{Currency, Money};
use promo_core::time::{Calendar, Date, Instant, TimeOfDay, Zone};
use world::{Dice, Kept};

/// What happens to a member; a tab's points are what it earns from now on, and a reversed tab earns none.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Close { tab: usize, points: u64 },
    Spend { tab: usize, points: u64 },
    Return { tab: usize },
    Take { points: i64 },
}

struct Guest {
    kept: Kept,
    terms: Terms,
    now: i64,
}

fn me() -> MemberId {
    MemberId::parse("MEMBER01").unwrap()
}

fn tab(kind: &str, number: usize) -> TabKey {
    let tab = TabId::parse(&format!("{kind}-{number}")).unwrap();
    TabKey { location: LocationId::parse("1").unwrap(), tab }
}

fn reward() -> OfferRef {
    OfferRef::parse("loyalty-programme.reward.MEMBER01").unwrap()
}

impl Guest {
    fn new(owed: bool) -> Self {
        let calendar = Calendar { zone: Zone::utc(), day_starts: TimeOfDay::MIDNIGHT };
        let terms = Terms { owed, ..Terms::without(&calendar, Instant::from_millis(0)) };
        Self { kept: Kept::default(), terms, now: 0 }
    }

    fn happens(&mut self, event: Event) {
        self.now += 1;
        let now = Instant::from_millis(self.now);
        let command = match event {
            Event::Close { tab: number, points } => {
                let tab = tab("earned", number);
                let revision = self.kept.tabs.get(&tab).map_or(0, |note| note.heard.revision) + 1;
                let closing = Closing {
                    received: now,
                    digest: String::new(),
                    on: Date::parse("1970-01-01").unwrap(),
                    paid: Money::new(points),
                    points,
                    facts: None,
                };
                let closing = (points > 0).then_some(closing);
                let ruling = Ruling { revision, owner: Some(me()), closing };
                Command::Accrue(vec![Accrual { tab, ruling }])
            }
            Event::Spend { tab: number, points } => Command::Ledger(Ledger::Redeem(Redeem {
                tab: tab("spent", number),
                customer: None,
                pos: "test".to_owned(),
                received: now,
                attempt: format!("{}", self.now),
                currency: Currency::parse("USD").unwrap(),
                asks: vec![Ask {
                    offer: reward(),
                    give: Some(Give { amount: Money::new(points), answer: String::new() }),
                }],
                counters: Vec::new(),
                keep_days: 400,
                revision: None,
                layout: LedgerLayout::SINGLE,
                brought: Brought::default(),
            })),
            Event::Return { tab: number } => Command::Ledger(Ledger::Reverse(Reverse {
                tab: tab("spent", number),
                which: Which::Offers(vec![reward()]),
                received: now,
            })),
            Event::Take { points } => Command::Adjust {
                adjusted: Adjusted { points: -points, reason: "taken".to_owned(), id: None },
                keys: Vec::new(),
            },
        };
        self.kept.ask(&me(), &command, &self.terms, now);
    }

    fn accounts(&self) -> BTreeMap<Account, i64> {
        let books = Books::of(&self.kept.postings);
        let all = [
            Account::Issued,
            Account::Pending,
            Account::Available,
            Account::Spent,
            Account::Expired,
        ];
        let held = all.map(|account| (account, books.held(account)));
        assert_eq!(held.iter().map(|(_, points)| points).sum::<i64>(), 0);
        held.into_iter().collect()
    }

    fn available(&self) -> i64 {
        self.accounts()[&Account::Available]
    }
}

/// Every order of some events.
fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    let Some((first, rest)) = events.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut order = order.clone();
            order.insert(at, *first);
            all.push(order);
        }
    }
    all
}

#[test]
fn whether_the_earning_or_the_spending_is_reversed_first_the_points_are_gone() {
    let before = [Event::Close { tab: 0, points: 100 }, Event::Spend { tab: 0, points: 100 }];
    let reversals = [Event::Close { tab: 0, points: 0 }, Event::Return { tab: 0 }];
    for order in orders(&reversals) {
        let mut guest = Guest::new(false);
        for event in before.iter().chain(&order) {
            guest.happens(*event);
            assert!(guest.available() >= 0, "{order:?}");
        }
        assert!(guest.accounts().values().all(|points| *points == 0), "{order:?}");
    }
}

#[test]
fn what_was_let_off_is_paid_by_what_comes_back_and_not_by_what_is_earned_anew() {
    let mut guest = Guest::new(false);
    let steps = [
        (Event::Close { tab: 0, points: 100 }, 100),
        (Event::Spend { tab: 0, points: 100 }, 0),
        (Event::Close { tab: 0, points: 0 }, 0),
        (Event::Close { tab: 1, points: 40 }, 40),
        // Closed anew for another sum: it earns what it would have left.
        (Event::Close { tab: 0, points: 70 }, 40),
        (Event::Close { tab: 0, points: 0 }, 0),
        (Event::Return { tab: 0 }, 40),
    ];
    for (event, available) in steps {
        guest.happens(event);
        assert_eq!(guest.available(), available, "{event:?}");
    }
}

#[test]
fn in_every_order_of_reversals_and_corrections_the_books_end_the_same_and_nobody_has_free_points() {
    let (mut clipped, mut left) = (0, 0);
    for seed in 0..30 {
        let dice = Dice::new(seed);
        let mut before = Vec::new();
        let mut earned = [0_i64; 3];
        let mut spent = [0_i64; 2];
        for (tab, earned) in earned.iter_mut().enumerate() {
            let points = 10 * (1 + dice.below(9) as u64);
            *earned = points as i64;
            before.push(Event::Close { tab, points });
        }
        let mut rest: i64 = earned.iter().sum();
        for (tab, spent) in spent.iter_mut().enumerate() {
            let points = rest.min(10 * dice.below(15) as i64);
            if points > 0 {
                *spent = points;
                rest -= points;
                before.push(Event::Spend { tab, points: points as u64 });
            }
        }
        let mut reversals = Vec::new();
        for (tab, spent) in spent.iter_mut().enumerate() {
            if *spent > 0 && !dice.one_in(3) {
                *spent = 0;
                reversals.push(Event::Return { tab });
            }
        }
        for (tab, earned) in earned.iter_mut().enumerate() {
            if !dice.one_in(3) {
                let points = [0, 0, 10, 50][dice.below(4)];
                *earned = points as i64;
                reversals.push(Event::Close { tab, points });
            }
        }
        if dice.one_in(3) {
            reversals.push(Event::Take { points: 20 });
            earned[0] -= 20;
        }
        let net = earned.iter().sum::<i64>() - spent.iter().sum::<i64>();
        let mut ends: Vec<BTreeMap<Account, i64>> = Vec::new();
        for order in orders(&reversals) {
            for owed in [false, true] {
                let mut guest = Guest::new(owed);
                for event in before.iter().chain(&order) {
                    guest.happens(*event);
                    assert!(owed || guest.available() >= 0, "seed {seed}: {order:?}");
                }
                if owed {
                    assert_eq!(guest.available(), net, "seed {seed}: {order:?}");
                } else {
                    assert_eq!(guest.available(), net.max(0), "seed {seed}: {order:?}");
                    ends.push(guest.accounts());
                }
            }
        }
        assert!(ends.windows(2).all(|ends| ends[0] == ends[1]), "seed {seed}: {ends:?}");
        clipped += usize::from(net < 0);
        left += usize::from(net > 0);
    }
    assert!(clipped > 3 && left > 3, "{clipped} below zero, {left} above");
}
