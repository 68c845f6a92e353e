//! Deadlines, misses, and what is done when the alarm goes off.

use super::*;

fn undo(received: i64) -> tab::Command {
    tab::Command::Undo(Undo { place: place("a", "t"), attempt: attempt(received) })
}

fn settled(received: i64) -> tab::Command {
    let which = Which::Attempt(attempt(received).name);
    let (campaign, tab) = (id("a"), tab_id("t"));
    let standing = BTreeMap::new();
    tab::Command::Settle(Settle { campaign, tab, which, received: at(received), standing })
}

#[test]
fn who_has_given_up_is_answered_late_and_nothing_is_written() {
    let names = named("t");
    let admit = Command::Tab(names.clone(), tab::Command::Admit(redeem("a", 10, 1)));
    let miss =
        Command::Miss { names: Some(names.clone()), limits: LIMITS, misses: 1, unless: None };
    let look = Command::Look { names: Some(both("t", "u")), limits: LIMITS, attempt: None };
    for command in [admit, miss, look, Command::Show(names.clone())] {
        let mut here = Map::default();
        let late = here.decide(command.clone(), at(1000), at(1001));
        assert_eq!(late, Reply::Late, "{command:?}");
        assert!(here.tabs.is_empty() && here.misses.is_empty() && here.alarm.is_none());
        assert_ne!(here.decide(command, at(1000), at(1000)), Reply::Late);
    }
}

#[test]
fn what_is_right_to_do_however_late_is_done() {
    let reverse = tab::Command::Reverse { received: at(1) };
    for command in [
        reverse,
        tab::Command::ReverseOffers { offers: Vec::new(), received: at(5) },
        undo(1),
        settled(1),
    ] {
        let mut here = Map::default();
        let reply = here.decide(Command::Tab(named("t"), command), at(1000), at(5000));
        assert_ne!(reply, Reply::Late);
    }
    let mut here = Map::default();
    here.decide(Command::Tab(named("t"), undo(1)), at(1000), at(5000));
    assert_eq!(here.wake(8000).undos.len(), 1);
}

#[test]
fn of_guesses_sent_at_once_only_so_many_are_told() {
    let mut here = Map::default();
    let told = (0..300).filter(|_| here.miss(&named("t"), 1).is_none()).count();
    assert_eq!(told, 10);
    assert_eq!(here.looked(&named("t"), 2).locked, Some(at(600_001)));
    assert_eq!(here.looked(&named("u"), 2).locked, None);
    assert_eq!(here.alarm, Some(at(600_001)));
    here.wake(600_001);
    assert!(here.misses.is_empty());
    assert_eq!((here.looked(&named("t"), 600_002).locked, here.alarm), (None, None));
}

#[test]
fn misses_by_either_name_of_a_tab_are_the_tabs() {
    let mut here = Map::default();
    here.seen(&both("uuid", "17"), 1);
    for _ in 0..5 {
        assert_eq!(here.miss(&named("17"), 1), None);
        assert_eq!(here.miss(&named("uuid"), 1), None);
    }
    assert!(here.miss(&named("17"), 2).is_some());
    let Reply::Miss(locked) =
        here.ask(Command::Miss { names: None, limits: LIMITS, misses: 1, unless: None }, 3)
    else {
        panic!("a miss without a tab is counted too")
    };
    assert_eq!(locked.locked, None);
}

#[test]
fn what_is_to_be_undone_comes_again_until_it_is_settled() {
    let mut here = Map::default();
    here.tab(&named("t"), undo(1), 100);
    assert_eq!(here.alarm, Some(at(3100)));
    assert!(here.wake(3000).undos.is_empty(), "not yet");
    assert_eq!(here.alarm, Some(at(3100)));
    let expected = vec![Undo { place: place("a", "t"), attempt: attempt(1) }];
    assert_eq!(here.wake(3100).undos, expected);
    assert_eq!(here.alarm, Some(at(33_100)));
    assert_eq!(here.wake(33_100).undos, expected);
    here.tab(&named("t"), settled(1), 33_200);
    assert_eq!(here.wake(63_200).undos, []);
    assert_eq!(here.alarm, here.tabs.values().map(|row| row.until).max());
}

#[test]
fn a_tab_is_kept_as_long_as_its_redemptions_and_thirty_days_at_least() {
    let mut here = Map::default();
    let short = Admit { keep_days: 1, ..redeem("a", 1, 1) };
    here.admit(&both("short", "17"), short, 0);
    let long = Admit { keep_days: 90, ..redeem("a", 1, 1) };
    here.admit(&named("long"), long, 0);
    assert_eq!(here.alarm, Some(at(30 * DAY)));
    assert_eq!(here.wake(30 * DAY - 1).tabs, 0);
    assert_eq!(here.wake(30 * DAY).tabs, 1);
    assert_eq!(here.tabs.len(), 1);
    assert_eq!(here.alarm, Some(at(90 * DAY)));
    // What is touched is kept from then on.
    here.tab(&named("long"), tab::Command::Reverse { received: at(5) }, 80 * DAY);
    assert_eq!(here.wake(90 * DAY).tabs, 0);
    assert_eq!(here.wake(170 * DAY).tabs, 1);
    assert_eq!(here.alarm, None);
}

#[test]
fn a_sweep_goes_in_batches_until_nothing_is_left() {
    let mut here = Map::default();
    for n in 0..BATCH + 50 {
        here.admit(&named(&format!("t{n}")), redeem("a", 1, 1), 0);
    }
    let due = 400 * DAY;
    assert_eq!(here.wake(due).tabs, BATCH);
    assert_eq!(here.alarm, Some(at(due + 1000)));
    assert_eq!(here.wake(due + 1000).tabs, 50);
    assert!(here.tabs.is_empty() && here.alarm.is_none());
}

#[test]
fn a_record_that_cannot_be_read_stops_nothing_but_itself() {
    let mut here = Map::default();
    for name in ["bad", "good"] {
        here.tab(&named(name), undo(1), 0);
    }
    let spoil =
        |here: &mut Map| here.tabs.get_mut(&tab_id("bad")).unwrap().record = "{\"x\"".into();
    spoil(&mut here);
    let woken = here.wake(3000);
    assert_eq!((woken.undos.len(), woken.unreadable.len()), (1, 1));
    assert_eq!(woken.unreadable[0].tab, Some(tab_id("bad")));
    assert_eq!(here.alarm, Some(at(33_000)));
    // Reported once, and refused to whoever asks; the others go on.
    assert_eq!(here.wake(33_000).unreadable, []);
    let asked = here.ask(Command::Tab(named("bad"), undo(2)), 33_001);
    assert!(matches!(asked, Reply::Unreadable(_)), "{asked:?}");
    assert!(is_admitted(&here.admit(&named("good"), redeem("a", 1, 40_000), 40_000)));
    assert_eq!(here.wake(500 * DAY).tabs, 2);
}

#[test]
fn a_record_of_a_later_build_is_refused_and_not_cut_down() {
    let mut here = Map::default();
    here.admit(&named("t"), redeem("a", 1, 1), 0);
    let row = here.tabs.get_mut(&tab_id("t")).unwrap();
    row.record = row.record.replacen('{', "{\"new\":1,", 1);
    let asked = here.ask(Command::Tab(named("t"), undo(2)), 1);
    assert!(matches!(asked, Reply::Unreadable(_)), "{asked:?}");
}

fn reply(here: &mut Map, command: replies::Command, now: i64) -> replies::Answer {
    match here.ask(Command::Reply(replies::name("caller", "/v1/redeem", "key"), command), now) {
        Reply::Reply(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_is_kept_for_a_day_under_its_name_and_swept_then() {
    let mut here = Map::default();
    let (request, attempt) = (replies::request(b"{}"), "one".to_owned());
    let claim = |attempt: &str| replies::Command::Claim {
        request: request.clone(),
        attempt: attempt.to_owned(),
    };
    assert_eq!(reply(&mut here, claim("one"), 0), replies::Answer::Yours);
    assert_eq!(reply(&mut here, claim("two"), 1), replies::Answer::Running);
    assert_eq!(here.alarm, Some(at(replies::CLAIM)));
    let (content_type, body) = ("application/json".to_owned(), "{}".to_owned());
    let first = replies::Reply { status: 200, content_type, body, says: None };
    let keep = replies::Command::Keep { attempt, reply: first.clone() };
    // Whoever had to wait for it has given up by now; it is kept all the same.
    let name = replies::name("caller", "/v1/redeem", "key");
    here.decide(Command::Reply(name, keep), at(10), at(20));
    assert_eq!(reply(&mut here, claim("two"), 30), replies::Answer::Kept(first));
    assert_eq!(here.wake(replies::CLAIM).replies, 0);
    assert_eq!(here.alarm, Some(at(20 + replies::KEPT)));
    assert_eq!(here.wake(20 + replies::KEPT).replies, 1);
    assert!(here.replies.is_empty() && here.alarm.is_none());
    assert_eq!(reply(&mut here, claim("two"), 21 + replies::KEPT), replies::Answer::Yours);
}

#[test]
fn a_reply_that_cannot_be_read_is_reported_to_whoever_asks() {
    let mut here = Map::default();
    let claim = || replies::Command::Claim { request: "r".to_owned(), attempt: "a".to_owned() };
    reply(&mut here, claim(), 0);
    here.replies.values_mut().for_each(|row| row.record = "{".to_owned());
    let name = replies::name("caller", "/v1/redeem", "key");
    let asked = here.ask(Command::Reply(name, claim()), 1);
    assert!(matches!(asked, Reply::Unreadable(_)), "{asked:?}");
}
