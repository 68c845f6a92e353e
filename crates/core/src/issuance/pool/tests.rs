use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{
    Add, Ask, Books, Changes, Command, Holder, Instrument, Pool, Position, Progress, Reply,
    Request, RequestNo, RequestState, State, Window, apply,
};
use crate::ident::{CardId, CodeKey};
use crate::issuance::call::Heard;
use crate::issuance::{Number, Symbology};
use crate::time::Instant;

#[derive(Default)]
struct Maps {
    pool: Pool,
    requests: BTreeMap<RequestNo, Request>,
    numbers: BTreeMap<Position, Instrument>,
    first: BTreeMap<String, Position>,
    now: i64,
}

impl Books for Maps {
    type Error = Infallible;

    fn pool(&self) -> Result<Pool, Infallible> {
        Ok(self.pool.clone())
    }

    fn request(&self, no: RequestNo) -> Result<Option<Request>, Infallible> {
        Ok(self.requests.get(&no).cloned())
    }

    fn request_of(&self, card: &CardId) -> Result<Option<(RequestNo, Request)>, Infallible> {
        let found = self.requests.iter().find(|(_, request)| request.ask.card == *card);
        Ok(found.map(|(no, request)| (*no, request.clone())))
    }

    fn waiting(&self, most: u32) -> Result<Vec<(RequestNo, Request)>, Infallible> {
        let waiting = self.requests.iter().filter(|(_, request)| request.turn().is_some());
        let mut waiting: Vec<_> = waiting.map(|(no, request)| (*no, request.clone())).collect();
        waiting.sort_by_key(|(_, request)| request.turn());
        waiting.truncate(usize::try_from(most).unwrap());
        Ok(waiting)
    }

    fn at(&self, position: Position) -> Result<Option<Instrument>, Infallible> {
        Ok(self.numbers.get(&position).cloned())
    }

    fn find(&self, number: &CodeKey) -> Result<Option<(Position, Instrument)>, Infallible> {
        let found = self.numbers.iter().find(|(_, found)| found.number.key() == number);
        Ok(found.map(|(position, found)| (*position, found.clone())))
    }

    fn known(&self, numbers: &[Number]) -> Result<Vec<usize>, Infallible> {
        let known = |number: &Number| self.numbers.values().any(|found| found.number == *number);
        Ok((0..numbers.len()).filter(|index| known(&numbers[*index])).collect())
    }

    fn number_of(&self, member: &str) -> Result<Option<Position>, Infallible> {
        Ok(self.first.get(member).copied())
    }

    fn lines_done(&self, _: &str) -> Result<u64, Infallible> {
        Ok(0)
    }
}

impl Maps {
    fn of(count: usize) -> Self {
        let mut maps = Self::default();
        maps.add(0, count);
        maps
    }

    fn run(&mut self, command: &Command) -> Reply {
        let now = Instant::from_millis(self.now);
        let (reply, changes) = apply(self, command, now).unwrap();
        let Changes { added, withdrawn, moved, given, first, requests, pool, .. } = changes;
        for (position, number) in added.into_iter().flat_map(|(at, numbers)| (at..).zip(numbers)) {
            self.numbers.insert(position, Instrument { number, given: None });
        }
        withdrawn.iter().for_each(|position| drop(self.numbers.remove(position)));
        for (from, to) in moved {
            let number = self.numbers.remove(&from).unwrap().number;
            assert!(self.numbers.insert(to, Instrument { number, given: None }).is_none());
        }
        for (position, given) in given {
            self.numbers.get_mut(&position).unwrap().given = Some(given);
        }
        for (member, position) in first {
            match position {
                Some(position) => drop(self.first.insert(member, position)),
                None => drop(self.first.remove(&member)),
            }
        }
        self.requests.extend(requests);
        self.pool = pool.unwrap_or_else(|| self.pool.clone());
        let free = self.numbers.iter().filter(|(_, found)| found.state() == State::Free);
        let free: Vec<Position> = free.map(|(position, _)| *position).collect();
        assert_eq!(free, (self.pool.head..self.pool.tail).collect::<Vec<_>>(), "{command:?}");
        reply
    }

    fn add(&mut self, from: usize, count: usize) {
        let numbers = (from..).take(count).map(number).collect();
        let reply = self.run(&Command::Add(Add { numbers, part: None }));
        assert!(matches!(reply, Reply::Added { .. }));
    }

    /// A card asks, for a member into whom others were merged.
    fn ask(&mut self, card: &str, names: &[&str]) -> (RequestNo, RequestState) {
        let mut names = names.iter().map(|name| (*name).to_owned());
        let holder = Holder { member: names.next().unwrap(), pseudonym: "p".to_owned() };
        let card = CardId::parse(card).unwrap();
        let (absorbed, symbology) = (names.collect(), Symbology::Code128);
        let ask = Command::Ask(Ask { card, holder, absorbed, once: true, symbology });
        state(&self.run(&ask))
    }

    fn called(&mut self, request: RequestNo, status: u16) -> RequestState {
        let heard = Heard::Status(status);
        state(&self.run(&Command::Called { request, heard })).1
    }

    fn number(&self, no: RequestNo) -> Option<&str> {
        Some(self.requests[&no].bound.as_ref()?.number.as_str())
    }

    fn stuck(&self) -> Vec<RequestNo> {
        let stuck = self.requests.iter().filter(|(_, request)| request.is_stuck());
        stuck.map(|(no, _)| *no).collect()
    }
}

fn state(reply: &Reply) -> (RequestNo, RequestState) {
    match reply {
        Reply::Request { request, state } => (*request, *state),
        other => panic!("{other:?}"),
    }
}

fn number(n: usize) -> Number {
    Number::parse(&format!("NUMBER{n:02}"), Symbology::Code128).unwrap()
}

#[test]
fn a_confirmed_number_stays_the_cards_whatever_the_app_answers_later() {
    let mut pool = Maps::of(3);
    let (no, _) = pool.ask("a", &["ann"]);
    assert_eq!(pool.called(no, 200), RequestState::Active);
    for status in [404, 410, 422, 404] {
        assert_eq!(pool.ask("a", &["ann"]), (no, RequestState::Active));
        assert_eq!(pool.called(no, status), RequestState::Active, "{status}");
        assert_eq!(pool.number(no), Some("NUMBER00"));
        assert_eq!(pool.stuck(), [no], "an operator sees it");
    }
    assert_eq!(pool.pool.free(), 2);
    // Dismissed it is the card's too.
    assert_eq!(state(&pool.run(&Command::Dismiss(no))), (no, RequestState::Active));
    assert_eq!(pool.called(no, 404), RequestState::Active);
    assert_eq!((pool.number(no), pool.stuck()), (Some("NUMBER00"), vec![]));
}

#[test]
fn an_answer_that_arrives_after_a_dismissal_is_taken_as_what_it_says() {
    for (status, after, number, free) in [
        (200, RequestState::Active, Some("NUMBER00"), 1),
        (404, RequestState::Refused, None, 2),
        (500, RequestState::Reserved, Some("NUMBER00"), 1),
    ] {
        let mut pool = Maps::of(2);
        let (no, _) = pool.ask("a", &["ann"]);
        pool.called(no, 500);
        pool.run(&Command::Dismiss(no));
        assert_eq!(pool.called(no, status), after, "{status}");
        assert_eq!((pool.number(no), pool.pool.free()), (number, free), "{status}");
        assert!(pool.stuck().is_empty(), "{status}");
    }
}

#[test]
fn three_different_cards_in_a_row_that_the_app_does_not_know_are_an_error_and_lose_nothing() {
    let mut pool = Maps::of(9);
    let asked = ["a", "b", "c", "d"].map(|card| pool.ask(card, &[card]).0);
    assert_eq!(pool.called(asked[0], 404), RequestState::Refused);
    assert_eq!(pool.called(asked[1], 404), RequestState::Refused);
    assert_eq!((pool.stuck(), pool.pool.free()), (vec![], 7));
    assert_eq!(pool.called(asked[2], 404), RequestState::Reserved);
    assert_eq!(pool.called(asked[3], 410), RequestState::Reserved);
    assert_eq!((pool.stuck(), pool.pool.free()), (asked.to_vec(), 5), "all four have one");
    for no in asked {
        assert!(pool.requests[&no].trouble.as_ref().unwrap().doubtful);
    }
    // The address is put right.
    for no in asked {
        pool.run(&Command::Retry(no));
        assert_eq!(pool.called(no, 200), RequestState::Active);
    }
    assert!(pool.stuck().is_empty());
    // Since then one that is not known is just that again.
    let (no, _) = pool.ask("e", &["eve"]);
    assert_eq!(pool.called(no, 404), RequestState::Refused);
}

#[test]
fn one_card_that_is_refused_again_and_again_makes_no_address_doubtful() {
    let mut pool = Maps::of(3);
    for _ in 0..5 {
        let (no, _) = pool.ask("a", &["ann"]);
        assert_eq!(pool.called(no, 404), RequestState::Refused);
    }
    for (card, status) in [("b", 404), ("c", 200), ("d", 404), ("e", 404)] {
        let (no, _) = pool.ask(card, &[card]);
        assert_ne!(pool.called(no, status), RequestState::Reserved, "{card}");
    }
}

#[test]
fn an_operator_who_dismisses_cards_the_app_does_not_know_frees_their_numbers() {
    let mut pool = Maps::of(3);
    let asked = ["a", "b", "c"].map(|card| pool.ask(card, &[card]).0);
    for no in asked {
        pool.called(no, 404);
    }
    assert_eq!((pool.stuck().len(), pool.pool.free()), (3, 0));
    for no in asked {
        assert_eq!(state(&pool.run(&Command::Dismiss(no))).1, RequestState::Refused);
    }
    assert_eq!((pool.stuck().len(), pool.pool.free()), (0, 3));
}

#[test]
fn refused_cards_without_a_free_number_are_listed_and_wait_for_one_when_tried_again() {
    let mut pool = Maps::of(2);
    let first = ["a", "b"].map(|card| pool.ask(card, &[card]).0);
    let queued = ["c", "d"].map(|card| pool.ask(card, &[card]).0);
    for no in first {
        pool.called(no, 404);
    }
    assert_eq!(queued.map(|no| pool.number(no).is_some()), [true, true], "served in turn");
    assert_eq!(pool.called(queued[0], 404), RequestState::Reserved);
    assert_eq!(pool.stuck(), [first[0], first[1], queued[0]]);
    assert_eq!(state(&pool.run(&Command::Retry(first[0]))).1, RequestState::Waiting);
    pool.add(2, 1);
    assert_eq!(pool.number(first[0]), Some("NUMBER02"));
}

#[test]
fn who_waited_is_served_only_while_the_type_is_given_out() {
    let mut pool = Maps::default();
    let window = |from, until| {
        let at = |at: Option<i64>| at.map(Instant::from_millis);
        Command::Open(Window { from: at(from), until: at(until) })
    };
    pool.run(&window(None, Some(100)));
    let (no, waits) = pool.ask("a", &["ann"]);
    assert_eq!(waits, RequestState::Waiting);
    pool.now = 100;
    pool.add(0, 1);
    pool.run(&Command::Serve(9));
    assert_eq!(
        (pool.number(no), pool.pool.can_serve_from(Instant::from_millis(100))),
        (None, None)
    );
    // Given out again, but later.
    pool.run(&window(Some(200), Some(300)));
    assert_eq!(pool.number(no), None);
    let from = pool.pool.can_serve_from(Instant::from_millis(100));
    assert_eq!(from, Some(Instant::from_millis(200)));
    pool.now = 200;
    pool.run(&Command::Serve(9));
    assert_eq!(pool.number(no), Some("NUMBER00"));
}

#[test]
fn a_customer_has_one_number_whichever_of_two_members_was_merged_into_the_other() {
    let mut pool = Maps::of(5);
    let (no, _) = pool.ask("a", &["ann"]);
    pool.called(no, 200);
    let (same, active) = pool.ask("b", &["bob", "ann"]);
    assert_eq!((pool.number(same), active), (Some("NUMBER00"), RequestState::Active));
    let (same, _) = pool.ask("c", &["ann", "bob"]);
    assert_eq!(pool.number(same), Some("NUMBER00"));
    let (other, _) = pool.ask("d", &["cid"]);
    assert_eq!(pool.number(other), Some("NUMBER01"));
    // Each had one: it is the remaining member's.
    let (both, _) = pool.ask("e", &["cid", "ann"]);
    assert_eq!(pool.number(both), Some("NUMBER01"));
    assert_eq!(pool.pool.free(), 3);
}

#[test]
fn a_request_that_waits_is_served_as_the_customer_it_is_by_then() {
    let mut pool = Maps::default();
    pool.ask("a", &["ann"]);
    pool.ask("b", &["bob"]);
    pool.add(0, 1);
    let (no, state) = pool.ask("b", &["bob", "ann"]);
    assert_eq!((pool.number(no), state), (Some("NUMBER00"), RequestState::Reserved));
    assert_eq!(pool.pool.waiting, 0);
}

#[test]
fn numbers_nobody_has_are_withdrawn_all_of_them_or_none() {
    let key = |n| number(n).key().clone();
    for which in [vec![2], vec![8], vec![2, 8], vec![8, 7, 2, 3], (2..9).collect()] {
        let mut pool = Maps::of(9);
        let (first, _) = pool.ask("a", &["ann"]);
        let (second, _) = pool.ask("b", &["bob"]);
        pool.called(second, 200);
        let given = Command::Withdraw(vec![key(5), key(0), key(1)]);
        let states = vec![(1, State::Reserved), (2, State::Active)];
        assert_eq!(pool.run(&given), Reply::GivenOut(states));
        assert_eq!(pool.pool.free(), 7);
        let keys: Vec<CodeKey> = which.iter().chain([&20]).map(|n| key(*n)).collect();
        let withdrawn = pool.run(&Command::Withdraw(keys.clone()));
        assert_eq!(withdrawn, Reply::Withdrawn(vec![which.len()]), "{which:?}");
        assert_eq!(pool.numbers.len(), 9 - which.len());
        assert!(which.iter().all(|n| pool.find(&key(*n)).unwrap().is_none()));
        // Withdrawn once more, they are not here.
        let all = (0..=which.len()).collect();
        assert_eq!(pool.run(&Command::Withdraw(keys)), Reply::Withdrawn(all));
        // They can come back, and those that were given out are where they were.
        pool.add(which[0], 1);
        assert_eq!((pool.number(first), pool.number(second)), (Some("NUMBER00"), Some("NUMBER01")));
        assert_eq!(pool.requests[&second].progress, Progress::Done);
    }
}
