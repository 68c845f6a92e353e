//! The promises of the ledger page, one test each, on books kept in a map.

mod announced;
mod quotas;
mod renamed;

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::ident::{LocationId, OfferKey, TabId};
use crate::ledger::counter::{Counter, Measure};
use crate::ledger::shard::{Apart, LedgerLayout};
use crate::money::Currency;

#[derive(Default)]
struct Map {
    tabs: BTreeMap<TabKey, TabRecord>,
    stocks: BTreeMap<String, Stock>,
    mark: Mark,
    siblings: Siblings,
    announced: Option<Announcement>,
}

impl Books for Map {
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

impl Map {
    fn apply(&mut self, command: &Command) -> Reply {
        self.apply_as(&Shard::root(), command)
    }

    fn apply_as(&mut self, me: &Shard, command: &Command) -> Reply {
        let (reply, changes) = apply(self, me, command, at(1000)).unwrap();
        self.tabs.extend(changes.tab);
        self.stocks.extend(changes.stocks);
        self.mark = changes.mark.unwrap_or(self.mark.clone());
        self.siblings = changes.siblings.unwrap_or(self.siblings.clone());
        self.announced = changes.announced.or(self.announced);
        reply
    }

    fn redeem(&mut self, redeem: &Redeem) -> Redeemed {
        match self.apply(&Command::Redeem(redeem.clone())) {
            Reply::Redeemed(redeemed) => redeemed,
            _ => panic!("a redeem is answered as such"),
        }
    }

    fn reverse(&mut self, tab: &str, offers: Option<&[&str]>, received: i64) -> Reversed {
        let which = offers.map_or(Which::All, |names| {
            Which::Offers(names.iter().map(|name| offer(name)).collect())
        });
        self.give_back(tab, which, received)
    }

    fn give_back(&mut self, tab: &str, which: Which, received: i64) -> Reversed {
        let reverse = Reverse { tab: tab_key(tab), which, received: at(received) };
        match self.apply(&Command::Reverse(reverse)) {
            Reply::Reversed(reversed) => reversed,
            _ => panic!("a reversal is answered as such"),
        }
    }

    fn used_of(&self, key: &str) -> u64 {
        self.stocks.get(key).map_or(0, |stock| stock.used)
    }
}

fn at(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

fn tab_key(tab: &str) -> TabKey {
    TabKey { location: LocationId::parse("1019").unwrap(), tab: TabId::parse(tab).unwrap() }
}

fn offer(name: &str) -> OfferRef {
    let full = if name.contains('.') { name.to_owned() } else { format!("c.{name}.CODE") };
    OfferRef::parse(&full).unwrap()
}

fn uses(key: &str, ceiling: u64) -> Counter {
    Counter {
        key: key.to_owned(),
        ceiling,
        measure: Measure::Uses,
        partial: false,
        offer: None,
        apart: Apart::default(),
        also: Vec::new(),
    }
}

fn budget(key: &str, ceiling: u64, partial: bool) -> Counter {
    Counter { partial, measure: Measure::Amount, ..uses(key, ceiling) }
}

fn of_offer(name: &str, counter: Counter) -> Counter {
    let offer: OfferKey = offer(name).offer;
    Counter { offer: Some(offer), ..counter }
}

fn ask(tab: &str, received: i64, offers: &[(&str, u64)], counters: &[Counter]) -> Redeem {
    Redeem {
        tab: tab_key(tab),
        customer: None,
        pos: "test".to_owned(),
        received: at(received),
        attempt: format!("attempt at {received}"),
        currency: Currency::parse("USD").unwrap(),
        asks: offers
            .iter()
            .map(|(name, amount)| Ask {
                offer: offer(name),
                give: Some(Give {
                    amount: Money::new(*amount),
                    answer: format!("{name} for {amount}"),
                }),
            })
            .collect(),
        counters: counters.to_vec(),
        revision: None,
        keep_days: 400,
        layout: LedgerLayout::SINGLE,
        brought: Brought::default(),
    }
}

fn applied(name: &str, amount: u64) -> Outcome {
    Outcome::Applied { amount: Money::new(amount), answer: format!("{name} for {amount}") }
}

#[test]
fn the_same_redeem_is_one_redemption_with_its_first_answer() {
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("o", 100)], &[uses("all", 1)]));
    // Asked again with a tab that would give less, and a quota that has nothing left.
    let again = books.redeem(&ask("t", 2, &[("o", 90)], &[uses("all", 1)]));
    assert_eq!(again.outcomes, [applied("o", 100)]);
    assert_eq!(books.used_of("all"), 1);
}

#[test]
fn an_offer_the_engine_no_longer_gives_is_still_recalled() {
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("o", 100)], &[]));
    let mut late = ask("t", 2, &[("o", 100), ("p", 1)], &[]);
    late.asks.iter_mut().for_each(|ask| ask.give = None);
    assert_eq!(books.redeem(&late).outcomes, [applied("o", 100), Outcome::Absent]);
}

#[test]
fn a_reversal_twice_gives_back_once_and_a_later_redeem_is_a_new_use() {
    let mut books = Map::default();
    let all = [uses("all", 1)];
    books.redeem(&ask("t", 1, &[("o", 100)], &all));
    assert_eq!(books.reverse("t", Some(&["o"]), 2).reversed.len(), 1);
    assert_eq!(books.used_of("all"), 0);
    assert_eq!(books.reverse("t", Some(&["o"]), 3).unchanged, [offer("o")]);
    assert_eq!(books.used_of("all"), 0);
    assert_eq!(books.redeem(&ask("t", 4, &[("o", 70)], &all)).outcomes, [applied("o", 70)]);
    assert_eq!(books.used_of("all"), 1);
    let epochs: Vec<u32> = books.tabs[&tab_key("t")].offers[&offer("o")]
        .redemptions
        .iter()
        .map(|redemption| redemption.epoch)
        .collect();
    assert_eq!(epochs, [1, 2]);
}

#[test]
fn a_reversal_that_overtakes_its_redeem_cancels_it() {
    for offers in [Some(&["o"][..]), None] {
        let mut books = Map::default();
        assert!(books.reverse("t", offers, 5).reversed.is_empty());
        let overtaken = books.redeem(&ask("t", 4, &[("o", 100)], &[uses("all", 1)]));
        assert_eq!(overtaken.outcomes, [Outcome::Refused(Refusal::AlreadyReversed)]);
        let genuine = books.redeem(&ask("t", 6, &[("o", 100)], &[uses("all", 1)]));
        assert_eq!(genuine.outcomes, [applied("o", 100)]);
    }
}

#[test]
fn a_late_reversal_leaves_a_redemption_that_came_after_it() {
    let mut books = Map::default();
    books.redeem(&ask("t", 10, &[("o", 100)], &[uses("all", 1)]));
    let late = books.reverse("t", None, 9);
    assert!(late.reversed.is_empty());
    assert_eq!(late.left.len(), 1);
    assert_eq!(books.used_of("all"), 1);
}

#[test]
fn a_reversal_of_some_offers_leaves_the_others() {
    let mut books = Map::default();
    let counters = [uses("tabs", 1), of_offer("a", uses("a", 1)), of_offer("b", uses("b", 1))];
    books.redeem(&ask("t", 1, &[("a", 100), ("b", 50)], &counters));
    let reversed = books.reverse("t", Some(&["a"]), 2);
    assert_eq!(reversed.left, BTreeMap::from([(offer("b"), Money::new(50))]));
    assert_eq!((books.used_of("tabs"), books.used_of("a"), books.used_of("b")), (1, 0, 1));
    books.reverse("t", None, 3);
    assert_eq!((books.used_of("tabs"), books.used_of("b")), (0, 0));
}

#[test]
fn a_tab_stands_by_one_code_of_a_campaign() {
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("c.a.CODE", 100)], &[]));
    let other = books.redeem(&ask("t", 2, &[("c.a.OTHER", 100)], &[]));
    assert_eq!(other.outcomes, [Outcome::Refused(Refusal::DoesNotCombine)]);
    // A reversal that names the refused one touches nothing.
    assert!(books.reverse("t", Some(&["c.a.OTHER"]), 3).reversed.is_empty());
}

#[test]
fn an_attempt_nobody_heard_of_is_undone_whether_it_arrived_or_is_still_on_its_way() {
    let all = [uses("all", 1)];
    let undo = || Which::Attempt("attempt at 1".to_owned());
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("o", 100)], &all));
    assert_eq!(books.give_back("t", undo(), 1).reversed.len(), 1);
    assert_eq!(books.used_of("all"), 0);

    let mut books = Map::default();
    books.give_back("t", undo(), 1);
    let late = books.redeem(&ask("t", 1, &[("o", 100)], &all));
    assert_eq!(late.outcomes, [Outcome::Refused(Refusal::AlreadyReversed)]);
    // Another attempt of the same instant is not meant.
    let mut other = ask("t", 1, &[("o", 100)], &all);
    other.attempt = "another".to_owned();
    assert_eq!(books.redeem(&other).outcomes, [applied("o", 100)]);
}

#[test]
fn undoing_an_attempt_leaves_what_another_one_heard_of() {
    let all = [uses("all", 1)];
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("o", 100)], &all));
    books.redeem(&ask("t", 2, &[("o", 100)], &all));
    for attempt in ["attempt at 1", "attempt at 1"] {
        let undone = books.give_back("t", Which::Attempt(attempt.to_owned()), 9);
        assert_eq!(undone.left.len(), 1);
    }
    assert_eq!(books.used_of("all"), 1);
    let undone = books.give_back("t", Which::Attempt("attempt at 2".to_owned()), 9);
    assert_eq!((undone.left.len(), books.used_of("all")), (0, 0));
}

#[test]
fn a_fence_says_what_stands_and_refuses_what_was_received_before_it() {
    let mut books = Map::default();
    books.redeem(&ask("t", 1, &[("o", 5)], &[]));
    let fence = Command::Fence { tab: tab_key("t"), received: at(5) };
    let standing = BTreeMap::from([(offer("o"), Money::new(5))]);
    assert_eq!(books.apply(&fence), Reply::Standing(standing));

    let late = books.redeem(&ask("t", 4, &[("o", 5), ("p", 1)], &[]));
    assert_eq!(late.outcomes, [applied("o", 5), Outcome::Refused(Refusal::Late)]);
    assert_eq!(books.redeem(&ask("t", 6, &[("p", 1)], &[])).outcomes, [applied("p", 1)]);
}

#[test]
fn a_late_reversal_leaves_what_was_asked_for_again_after_it() {
    let mut books = Map::default();
    let all = [uses("all", 1)];
    books.redeem(&ask("t", 1, &[("o", 100)], &all));
    // The till reversed at 5 and asked again at 9; the reversal comes last.
    assert_eq!(books.redeem(&ask("t", 9, &[("o", 100)], &all)).outcomes, [applied("o", 100)]);
    let late = books.reverse("t", Some(&["o"]), 5);
    assert_eq!((late.reversed.len(), late.left.len(), books.used_of("all")), (0, 1, 1));
    // Nobody heard what was asked at 9 after all: then the reversal holds.
    books.give_back("t", Which::Attempt("attempt at 9".to_owned()), 9);
    assert_eq!(books.used_of("all"), 0);
}

#[test]
fn an_undone_attempt_that_arrives_late_does_not_hold_what_another_one_took() {
    let mut books = Map::default();
    let all = [uses("all", 1)];
    let undo = |at: i64| Which::Attempt(format!("attempt at {at}"));
    books.give_back("t", undo(1), 1);
    books.redeem(&ask("t", 2, &[("o", 100)], &all));
    let late = books.redeem(&ask("t", 1, &[("o", 100)], &all));
    assert_eq!(late.outcomes, [Outcome::Refused(Refusal::AlreadyReversed)]);
    books.give_back("t", undo(2), 2);
    assert_eq!(books.used_of("all"), 0);
}

#[test]
fn what_very_many_attempts_heard_is_not_undone_and_still_reversed() {
    let mut books = Map::default();
    for n in 1..=20 {
        books.redeem(&ask("t", n, &[("o", 100)], &[]));
    }
    for n in 1..=20 {
        books.give_back("t", Which::Attempt(format!("attempt at {n}")), n);
    }
    // The first ones cannot be told apart any more, so one of them may have heard.
    assert!(books.reverse("t", None, 12).reversed.is_empty());
    assert_eq!(books.reverse("t", None, 13).reversed.len(), 1);
}

#[test]
fn commands_and_replies_survive_the_wire() {
    let mut books = Map::default();
    let command = Command::Redeem(ask("t", 1, &[("o", 5)], &[of_offer("o", budget("b", 9, true))]));
    let text = serde_json::to_string(&command).unwrap();
    assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
    let reply = books.apply(&command);
    let text = serde_json::to_string(&reply).unwrap();
    assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply);
    let record = &books.tabs[&tab_key("t")];
    let text = serde_json::to_string(record).unwrap();
    assert_eq!(serde_json::from_str::<TabRecord>(&text).unwrap(), *record);
}
