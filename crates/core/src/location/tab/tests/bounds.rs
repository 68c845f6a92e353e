//! What is to be undone, and how much is kept of a tab.

use super::*;

fn undo(received: i64) -> Undo {
    let attempt = Attempt { name: format!("at {received}"), received: at(received) };
    Undo { place: place("a", "3"), attempt }
}

#[test]
fn an_attempt_to_be_undone_is_remembered_until_it_is_settled() {
    let mut till = Till::default();
    assert_eq!(till.apply(&Command::Undo(undo(1))), (Reply::Settled, true));
    assert_eq!(till.apply(&Command::Undo(undo(1))), (Reply::Settled, false));
    assert!(!till.settle(ended("a", &[], 2)), "another attempt has ended");
    assert_eq!(till.0.undos(), [undo(1)]);
    assert!(till.settle(ended("a", &[], 1)));
    assert!(till.0.undos().is_empty());
}

#[test]
fn a_tab_with_much_to_be_undone_admits_no_more_and_what_is_to_be_undone_is_bounded() {
    let mut till = Till::default();
    for n in 1..=i64::try_from(BUSY_UNDOS).unwrap() {
        till.apply(&Command::Undo(undo(n)));
    }
    assert_eq!(till.admit(admit("a", 1, 1000)), Admission::Busy);
    till.settle(ended("a", &[], 1));
    assert!(is_admitted(&till.admit(admit("a", 1, 1000))));
    for n in 100..1000 {
        till.apply(&Command::Undo(undo(n)));
    }
    assert_eq!(till.0.undos().len(), MOST_UNDOS);
    assert_eq!(till.apply(&Command::Undo(undo(2000))), (Reply::Full, false));
}

#[test]
fn claims_are_bounded() {
    let mut till = Till::default();
    for n in 0..1000 {
        till.admit(admit(&format!("c{n}"), 1, n));
    }
    assert_eq!(till.0.claims().len(), MOST_CLAIMS);
    assert_eq!(till.admit(admit("new", 1, 1)), Admission::Busy);
}
