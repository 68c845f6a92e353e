//! The seeds.

use crate::bug::Bug;
use crate::check::{DURABLE, ONCE, ORDER, OVERSOLD, SETTLED, TAB, UNDERSOLD, UNREACHABLE};
use crate::plan::Plan;
use crate::run::{Facts, report, run};

/// `PROMO_SEED=n` replays one; `PROMO_LONG=1` (or a number) runs many more.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("PROMO_SEED"), number("PROMO_LONG")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(1)) => 0..10_000,
        (None, Some(many)) => 0..many,
        (None, None) => 0..1000,
    }
}

#[test]
fn the_promises_hold_whatever_is_lost_late_doubled_or_dies() {
    let mut total = Facts::default();
    let seeds = seeds();
    let many = seeds.end - seeds.start;
    for seed in seeds {
        let plan = Plan::of(seed);
        let outcome = run(&plan, None, false);
        if let Some(broken) = &outcome.broken {
            panic!("{}", report(&plan, None, broken));
        }
        total.add(&outcome.facts);
    }
    // A simulation in which nothing happens proves nothing.
    let each = usize::try_from(many).unwrap();
    if each >= 1000 {
        assert!(total.applied > 2 * each, "{total:?}");
        assert!(total.refused > each, "{total:?}");
        assert!(total.unavailable > each / 10, "{total:?}");
        assert!(total.unknown > each / 10, "{total:?}");
        assert!(total.reversed > each / 4, "{total:?}");
        assert!(total.undone > each / 50, "{total:?}");
        assert!(total.moves.provided > each, "{total:?}");
        assert!(total.moves.recalled > each / 20, "{total:?}");
        assert!(total.moves.ceded > each / 50, "{total:?}");
    }
}

/// A deliberate fault, found by one of these promises before the seeds are through.
fn is_caught(bug: Bug, by: &[&str]) {
    for seed in 0..20_000 {
        let plan = Plan::of(seed);
        if let Some(broken) = run(&plan, Some(bug), false).broken {
            let report = report(&plan, Some(bug), &broken);
            assert!(by.contains(&broken.promise), "{report}");
            assert!(report.contains(&format!("PROMO_SEED={seed} ")), "{report}");
            return;
        }
    }
    panic!("{bug:?} was not caught");
}

#[test]
fn a_check_that_is_not_atomic_is_caught() {
    is_caught(Bug::RedeemInTwoTurns, &[OVERSOLD, ONCE, DURABLE, TAB, UNREACHABLE]);
}

#[test]
fn a_reversal_without_the_lock_is_caught() {
    is_caught(Bug::ReverseInTwoTurns, &[OVERSOLD, ONCE, DURABLE, ORDER, TAB, UNREACHABLE]);
}

#[test]
fn a_reversal_that_leaves_no_barrier_is_caught() {
    is_caught(Bug::NoBarrier, &[ORDER, TAB]);
}

#[test]
fn a_tab_that_forgets_what_was_reversed_before_it_stood_there_is_caught() {
    is_caught(Bug::NoTabBarrier, &[ORDER]);
}

#[test]
fn a_lost_write_that_was_acknowledged_is_caught() {
    is_caught(Bug::LostWrite, &[DURABLE, UNREACHABLE]);
}

#[test]
fn a_repeat_that_takes_again_is_caught() {
    is_caught(Bug::TakenTwice, &[ONCE]);
}

#[test]
fn a_reversal_that_gives_nothing_back_is_caught() {
    is_caught(Bug::ReversedInNameOnly, &[ONCE]);
}

#[test]
fn a_limit_that_lets_one_too_many_through_is_caught() {
    is_caught(Bug::OneTooMany, &[OVERSOLD]);
}

#[test]
fn a_claim_that_is_never_settled_is_caught() {
    is_caught(Bug::NeverSettled, &[UNDERSOLD]);
}

#[test]
fn an_undo_that_takes_what_another_attempt_heard_is_caught() {
    is_caught(Bug::UndoTakesAll, &[DURABLE, UNREACHABLE]);
}

#[test]
fn an_undo_that_is_forgotten_is_caught() {
    is_caught(Bug::NeverUndone, &[SETTLED, UNDERSOLD]);
}

#[test]
fn rights_granted_twice_are_caught() {
    is_caught(Bug::GrantedTwice, &[OVERSOLD]);
}

#[test]
fn rights_given_back_and_spent_are_caught() {
    is_caught(Bug::RecallForgotten, &[OVERSOLD, UNDERSOLD]);
}

#[test]
fn a_sold_out_nobody_made_sure_of_is_caught() {
    is_caught(Bug::NeverRecalled, &[UNDERSOLD]);
}

#[test]
fn a_counter_with_two_owners_is_caught() {
    is_caught(Bug::TwoOwners, &[OVERSOLD]);
}

#[test]
fn a_silent_ledger_taken_for_a_yes_is_caught() {
    is_caught(Bug::AppliedOnAGuess, &[DURABLE, UNREACHABLE]);
}
