//! A tab by any of its names.

use super::*;
use crate::loyalty::MemberId;
use crate::loyalty::visit::{Closing, Command as VisitCommand, Told};
use crate::time::Date;

const REVERSE: tab::Command = tab::Command::Reverse { received: Instant::from_millis(50) };

fn locate(campaign: &str) -> tab::Command {
    let offer = OfferRef::parse(&format!("{campaign}.o.CODE")).unwrap();
    tab::Command::ReverseOffers { offers: vec![offer], received: at(1) }
}

#[test]
fn a_tab_is_one_by_either_name_once_an_event_named_both() {
    let mut here = Map::default();
    here.admit(&both("uuid", "17"), redeem("a", 10, 1), 1);
    for name in ["17", "uuid"] {
        let reply = here.clone().tab(&named(name), REVERSE, 50);
        assert_eq!(reply, tab::Reply::Places(vec![place("a", "uuid")]), "{name}");
        assert_eq!(here.seen(&named(name), 60).standing.amount(), Money::new(10));
    }
    let second = here.admit(&named("17"), Admit { version: 1, ..redeem("b", 5, 2) }, 2);
    let places = vec![place("b", "uuid")];
    assert_eq!(second, Admission::Admitted { version: 2, places });
}

#[test]
fn an_inquiry_that_names_both_is_enough() {
    let mut here = Map::default();
    assert_eq!(here.seen(&both("uuid", "17"), 1).tab, tab_id("uuid"));
    here.admit(&named("17"), redeem("a", 10, 2), 2);
    assert_eq!(here.seen(&named("uuid"), 3).standing.amount(), Money::new(10));
    // One that names one name of a new tab writes nothing.
    let before = here.tabs.clone();
    here.seen(&named("other"), 4);
    assert_eq!(here.tabs, before);
}

#[test]
fn the_name_that_both_are_named_by_first_is_the_tabs_own_and_ledgers_keep_the_one_they_know() {
    for first in ["17", "uuid"] {
        let mut here = Map::default();
        here.admit(&named(first), redeem("a", 10, 1), 1);
        assert_eq!(here.seen(&both("uuid", "17"), 2).tab, tab_id("uuid"));
        for name in ["17", "uuid"] {
            let reversed = here.tab(&named(name), locate("a"), 3);
            assert_eq!(reversed, tab::Reply::Places(vec![place("a", first)]));
        }
    }
}

#[test]
fn two_tabs_that_turn_out_to_be_one_are_joined() {
    let mut here = Map::default();
    here.admit(&named("17"), redeem("a", 10, 1), 1);
    here.admit(&both("uuid", "other"), redeem("a", 20, 2), 2);
    here.tab(&named("uuid"), tab::Command::Reverse { received: at(2) }, 3);
    assert_eq!(here.seen(&both("uuid", "17"), 4).standing.amount(), Money::new(30));
    assert_eq!(here.tabs.len(), 1);
    // A claim is where its ledger knows the tab, and what was reversed is heard by either name.
    for name in ["17", "uuid", "other"] {
        let places = here.tab(&named(name), locate("a"), 5);
        let expected = vec![place("a", "uuid"), place("a", "17")];
        assert_eq!(places, tab::Reply::Places(expected), "{name}");
        let late = here.admit(&named(name), redeem("b", 1, 2), 5);
        assert_eq!(late, Admission::Reversed, "{name}");
    }
}

#[test]
fn a_number_that_is_used_again_is_another_tab_and_leads_to_the_one_touched_last() {
    let mut here = Map::default();
    here.admit(&both("one", "17"), redeem("a", 10, 1), 1);
    let second = here.admit(&both("two", "17"), redeem("a", 20, 2), 2);
    assert!(is_admitted(&second), "nothing stands on a new tab: {second:?}");
    assert_eq!(here.seen(&named("17"), 3).tab, tab_id("two"));
    assert_eq!(here.seen(&both("one", "17"), 3).standing.amount(), Money::new(10));
    here.tab(&both("one", "17"), REVERSE, 50);
    assert_eq!(here.seen(&named("17"), 60).tab, tab_id("one"));
}

#[test]
fn a_claim_that_was_made_under_another_name_is_settled_under_that() {
    let mut here = Map::default();
    here.admit(&named("17"), redeem("a", 10, 1), 1);
    here.admit(&named("uuid"), redeem("a", 20, 2), 2);
    here.seen(&both("17", "uuid"), 3);
    let settle = Settle {
        campaign: id("a"),
        tab: tab_id("uuid"),
        which: Which::All,
        received: at(9),
        standing: BTreeMap::new(),
    };
    here.tab(&named("17"), tab::Command::Settle(settle), 10);
    assert_eq!(here.seen(&named("uuid"), 11).standing.amount(), Money::new(10));
}

fn member(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn close(here: &mut Map, names: &TabNames, digest: &str, owner: &str, received: i64) -> Visited {
    let closing = serde_json::json!({
        "received": received, "digest": digest, "on": Date::parse("2026-07-04").unwrap(), "paid": 1000,
        "points": 10,
    });
    let closing: Closing = serde_json::from_value(closing).unwrap();
    let command = VisitCommand::Close { told: Told::new(closing), owner: member(owner) };
    let names = names.clone();
    match here.ask(Command::Visit { names, command, keep_days: 400 }, received) {
        Reply::Visit(visited) => visited,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_closed_tab_earns_once_by_either_name() {
    let mut here = Map::default();
    let first = close(&mut here, &both("uuid", "17"), "d", "MEMBER01", 1);
    let again = close(&mut here, &named("17"), "d", "MEMBER01", 2);
    assert_eq!((first.tab.clone(), first.standing.revision), (tab_id("uuid"), 1));
    assert_eq!(first, again);
}

#[test]
fn of_a_tab_that_was_closed_under_both_names_before_they_were_known_one_counts() {
    let mut here = Map::default();
    close(&mut here, &named("17"), "d", "MEMBER01", 1);
    close(&mut here, &named("uuid"), "d", "MEMBER01", 2);
    let told = close(&mut here, &both("17", "uuid"), "d", "MEMBER01", 3);
    assert_eq!(told.tab, tab_id("17"));
    assert!(told.standing.closing.is_some());
    let [(other, standing)] = &told.joined[..] else { panic!("{told:?}") };
    assert_eq!((other, &standing.closing), (&tab_id("uuid"), &None));
    assert_eq!(standing.owner, Some(member("MEMBER01")));
    assert_eq!(standing.revision, 2, "the books must be able to tell that it is new");
    // And so it stays, whatever is told by whichever name.
    let later = close(&mut here, &named("uuid"), "e", "MEMBER01", 4);
    assert_eq!((later.tab, later.joined), (told.tab, told.joined));
    assert_eq!(later.standing.closing.unwrap().digest, "e");
}

#[test]
fn all_that_is_kept_of_a_tab_is_shown_by_either_name() {
    let mut here = Map::default();
    here.admit(&both("uuid", "17"), redeem("a", 10, 1), 1);
    let Reply::Shown(Some(shown)) = here.ask(Command::Show(named("17")), 2) else {
        panic!("it is kept")
    };
    assert_eq!((shown.tab.clone(), shown.names.clone()), (tab_id("uuid"), vec![tab_id("17")]));
    assert_eq!(shown.record.tab.claims()[0].place(), place("a", "uuid"));
    assert_eq!(here.ask(Command::Show(named("18")), 2), Reply::Shown(None));
}
