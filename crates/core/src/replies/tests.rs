//! Replies under keys: two at once, crashes, other requests, and what no longer stands.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::*;
use crate::ident::{LocationId, TabId};
use crate::ledger::Attempt;
use crate::ledger::campaign::{Redemption, Standing, State as Stands};
use crate::money::{Currency, Money};

#[derive(Default)]
struct Shelf {
    records: RefCell<BTreeMap<String, Record>>,
    full: Cell<bool>,
}

impl Store for Shelf {
    type Error = &'static str;

    fn read(&self, name: &str) -> Result<Option<Record>, Self::Error> {
        Ok(self.records.borrow().get(name).cloned())
    }

    fn write(&self, name: &str, record: Option<&Record>) -> Result<(), Self::Error> {
        if self.full.get() {
            return Err("full");
        }
        match record {
            Some(record) => self.records.borrow_mut().insert(name.to_owned(), record.clone()),
            None => self.records.borrow_mut().remove(name),
        };
        Ok(())
    }
}

impl Shelf {
    fn ask(&self, name: &str, command: Command, at: i64) -> Answer {
        apply(self, name, command, Instant::from_millis(at)).unwrap()
    }

    fn claim(&self, request: &str, attempt: &str, at: i64) -> Answer {
        let (request, attempt) = (request.to_owned(), attempt.to_owned());
        self.ask("key", Command::Claim { request, attempt }, at)
    }

    fn keep(&self, attempt: &str, reply: &Reply, at: i64) -> Answer {
        let (attempt, reply) = (attempt.to_owned(), reply.clone());
        self.ask("key", Command::Keep { attempt, reply }, at)
    }

    fn release(&self, attempt: &str, at: i64) -> Answer {
        self.ask("key", Command::Release { attempt: attempt.to_owned() }, at)
    }
}

fn reply(body: &str) -> Reply {
    Reply {
        status: 200,
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
        says: None,
    }
}

#[test]
fn the_first_reply_is_given_again_for_a_day() {
    let shelf = Shelf::default();
    assert_eq!(shelf.claim("r", "a", 0), Answer::Yours);
    assert_eq!(shelf.keep("a", &reply("1"), 500), Answer::Kept(reply("1")));
    assert_eq!(shelf.claim("r", "b", 501), Answer::Kept(reply("1")));
    assert_eq!(shelf.claim("r", "b", 500 + KEPT - 1), Answer::Kept(reply("1")));
    let recall = || Command::Recall { request: "r".to_owned() };
    assert_eq!(shelf.ask("key", recall(), 502), Answer::Kept(reply("1")));
    assert_eq!(shelf.ask("key", recall(), 500 + KEPT), Answer::Nothing);
    assert_eq!(shelf.claim("r", "b", 500 + KEPT), Answer::Yours);
}

#[test]
fn a_second_request_is_told_to_wait_while_the_first_is_at_work() {
    let shelf = Shelf::default();
    assert_eq!(shelf.claim("r", "a", 0), Answer::Yours);
    assert_eq!(shelf.claim("r", "b", 1), Answer::Running);
    assert_eq!(shelf.claim("r", "b", CLAIM - 1), Answer::Running);
    assert_eq!(shelf.claim("other", "b", 1), Answer::Another, "another body is a mistake at once");
    assert_eq!(shelf.release("b", 2), Answer::Nothing, "only its holder releases a claim");
    assert_eq!(shelf.claim("r", "b", 3), Answer::Running);
    assert_eq!(shelf.ask("other key", Command::Recall { request: "r".into() }, 3), Answer::Nothing);
}

#[test]
fn a_reply_that_is_not_kept_frees_the_key_also_for_another_body() {
    let shelf = Shelf::default();
    assert_eq!(shelf.claim("r", "a", 0), Answer::Yours);
    assert_eq!(shelf.release("a", 10), Answer::Nothing);
    assert!(shelf.records.borrow().is_empty());
    assert_eq!(shelf.claim("other", "b", 11), Answer::Yours);
}

#[test]
fn whoever_dies_at_work_bars_the_key_no_longer_than_its_time() {
    let shelf = Shelf::default();
    assert_eq!(shelf.claim("r", "dead", 0), Answer::Yours);
    assert_eq!(shelf.claim("r", "b", CLAIM), Answer::Yours);
    // It was not dead after all: its reply is not kept over the one of whoever took over.
    assert_eq!(shelf.keep("dead", &reply("late"), CLAIM + 1), Answer::Running);
    assert_eq!(shelf.release("dead", CLAIM + 2), Answer::Nothing);
    assert_eq!(shelf.keep("b", &reply("b"), CLAIM + 3), Answer::Kept(reply("b")));
    assert_eq!(shelf.keep("dead", &reply("late"), CLAIM + 4), Answer::Kept(reply("b")));
    assert_eq!(shelf.claim("r", "c", CLAIM + 5), Answer::Kept(reply("b")));
}

#[test]
fn a_lapsed_claim_that_nobody_took_over_keeps_nothing() {
    let shelf = Shelf::default();
    assert_eq!(shelf.claim("r", "slow", 0), Answer::Yours);
    assert_eq!(shelf.keep("slow", &reply("late"), CLAIM), Answer::Nothing);
    assert_eq!(shelf.claim("r", "b", CLAIM + 1), Answer::Yours);
}

#[test]
fn a_store_that_fails_claims_nothing() {
    let shelf = Shelf::default();
    shelf.full.set(true);
    let claim = || Command::Claim { request: "r".into(), attempt: "a".into() };
    assert_eq!(apply(&shelf, "key", claim(), Instant::from_millis(0)), Err("full"));
    shelf.full.set(false);
    assert_eq!(shelf.ask("key", claim(), 1), Answer::Yours);
}

#[test]
fn failures_too_many_tries_and_not_now_are_not_kept() {
    for (status, body, kept) in [
        (200, r#"{"applied": []}"#, true),
        (404, "{}", true),
        (422, "{}", true),
        (429, "{}", false),
        (500, "{}", false),
        (503, "{}", false),
        (200, r#"{"rejected":[{"offer_id":"a","reason":"temporarily_unavailable"}]}"#, false),
        (200, r#"{"message":"not temporarily_unavailable as a word"}"#, true),
    ] {
        assert_eq!(is_final(status, body), kept, "{status} {body}");
    }
}

#[test]
fn a_name_belongs_to_a_caller_a_route_and_a_key() {
    let one = name("a", "redeem", "k");
    for other in [name("b", "redeem", "k"), name("a", "reverse", "k"), name("a", "redeem", "l")] {
        assert_ne!(one, other);
    }
    assert_ne!(name("a", "bc", "d"), name("ab", "c", "d"));
    assert_eq!(one, name("a", "redeem", "k"));
}

fn offer() -> OfferRef {
    OfferRef::parse("summer.ten.SUMMER10").unwrap()
}

fn redemption(epoch: u32, received: i64, attempt: &str, state: Stands) -> Redemption {
    let received = Instant::from_millis(received);
    Redemption {
        epoch,
        state,
        amount: Money::new(100),
        currency: Currency::parse("USD").unwrap(),
        customer: None,
        pos: "neutral".to_owned(),
        attempts: vec![Attempt { name: attempt.to_owned(), received }],
        received,
        decided: received,
        reversed: None,
        took: Vec::new(),
        answer: String::new(),
    }
}

fn record(redemptions: Vec<Redemption>) -> TabRecord {
    let standing = Standing { redemptions, barrier: None };
    TabRecord { offers: BTreeMap::from([(offer(), standing)]), ..TabRecord::default() }
}

fn says(applied: bool) -> Says {
    let (mut says, list) = (
        Says {
            tab: TabKey {
                location: LocationId::parse("1019").unwrap(),
                tab: TabId::parse("t").unwrap(),
            },
            received: Instant::from_millis(1000),
            attempt: "mine".to_owned(),
            applied: Vec::new(),
            reversed: Vec::new(),
        },
        vec![offer()],
    );
    if applied {
        says.applied = list;
    } else {
        says.reversed = list;
    }
    says
}

#[test]
fn a_reply_that_says_applied_is_true_until_a_reversal() {
    let says = says(true);
    assert_eq!(says.campaigns().len(), 1);
    let mine = redemption(1, 1000, "mine", Stands::Applied);
    assert_eq!(says.contradicted(&[record(vec![mine])]), None);
    // Another request took it a little later by its own clock, and this one heard that it stands.
    let mut heard = redemption(1, 1002, "other", Stands::Applied);
    heard.attempts.push(Attempt { name: "mine".into(), received: Instant::from_millis(1000) });
    assert_eq!(says.contradicted(&[record(vec![heard])]), None);
    let gone = redemption(1, 1000, "mine", Stands::Reversed);
    assert_eq!(says.contradicted(&[record(vec![gone.clone()])]), Some(Since::Reversed));
    // Redeemed anew under another key: that is not what this reply says.
    let anew = redemption(2, 5000, "theirs", Stands::Applied);
    assert_eq!(says.contradicted(&[record(vec![gone, anew])]), Some(Since::Reversed));
    assert_eq!(says.contradicted(&[]), Some(Since::Reversed), "nobody knows of it");
}

#[test]
fn a_reply_that_says_reversed_is_true_until_it_is_redeemed_again() {
    let says = says(false);
    let gone = redemption(1, 900, "first", Stands::Reversed);
    assert_eq!(says.contradicted(&[record(vec![gone.clone()])]), None);
    let anew = redemption(2, 5000, "theirs", Stands::Applied);
    assert_eq!(says.contradicted(&[record(vec![gone, anew])]), Some(Since::Redeemed));
    assert_eq!(says.contradicted(&[]), None);
}
