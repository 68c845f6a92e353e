//! What counters promise: quotas, budgets, and the mark "exhausted".

use super::*;

#[test]
fn fifty_uses_go_to_fifty_tabs_and_the_others_are_refused() {
    let mut books = Map::default();
    let mut given = 0;
    for n in 0..60 {
        let redeemed = books.redeem(&ask(&format!("t{n}"), n, &[("o", 100)], &[uses("all", 50)]));
        match redeemed.outcomes.as_slice() {
            [Outcome::Applied { .. }] => given += 1,
            [Outcome::Refused(Refusal::QuotaExhausted)] => assert!(given == 50),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((given, books.used_of("all")), (50, 50));
}

#[test]
fn a_campaign_counts_a_tab_once_however_many_offers_apply() {
    let mut books = Map::default();
    let all = [uses("all", 1)];
    books.redeem(&ask("t", 1, &[("a", 100), ("b", 50)], &all));
    let later = books.redeem(&ask("t", 2, &[("c", 10)], &all));
    assert_eq!(later.outcomes, [applied("c", 10)]);
    assert_eq!(books.used_of("all"), 1);
}

#[test]
fn when_one_offer_has_no_room_nothing_is_taken_and_the_reply_says_which() {
    let mut books = Map::default();
    books.redeem(&ask("first", 1, &[("b", 50)], &[of_offer("b", uses("b", 1))]));
    let counters = [uses("all", 9), of_offer("b", uses("b", 1))];
    let redeemed = books.redeem(&ask("t", 2, &[("a", 100), ("b", 50)], &counters));
    assert_eq!(redeemed.outcomes, [Outcome::Open, Outcome::Refused(Refusal::QuotaExhausted)]);
    assert_eq!(books.used_of("all"), 0);
    assert!(!books.tabs.contains_key(&tab_key("t")));
}

#[test]
fn a_budget_refuses_or_gives_its_rest() {
    let mut books = Map::default();
    books.redeem(&ask("first", 1, &[("o", 700)], &[budget("sum", 1000, false)]));
    let refused = books.redeem(&ask("t", 2, &[("o", 400)], &[budget("sum", 1000, false)]));
    assert_eq!(refused.outcomes, [Outcome::Refused(Refusal::BudgetExhausted)]);
    let partial = books.redeem(&ask("t", 3, &[("o", 400)], &[budget("sum", 1000, true)]));
    assert_eq!((partial.outcomes, partial.room), (vec![Outcome::Open], Some(Money::new(300))));
    let of_offer = [of_offer("o", budget("sum", 1000, true))];
    let partial = books.redeem(&ask("t", 4, &[("o", 400)], &of_offer));
    assert_eq!(partial.outcomes, [Outcome::Short(Money::new(300))]);
    let fits = books.redeem(&ask("t", 5, &[("o", 300)], &[budget("sum", 1000, true)]));
    assert_eq!(fits.outcomes, [applied("o", 300)]);
    let spent = books.redeem(&ask("u", 6, &[("o", 1)], &[budget("sum", 1000, true)]));
    assert_eq!(spent.outcomes, [Outcome::Refused(Refusal::BudgetExhausted)]);
    books.reverse("first", None, 7);
    assert_eq!(books.used_of("sum"), 300);
}

#[test]
fn a_campaigns_rest_is_for_all_offers_together() {
    let mut books = Map::default();
    let counters = [budget("sum", 500, true)];
    let redeemed = books.redeem(&ask("t", 1, &[("a", 300), ("b", 400)], &counters));
    assert_eq!(redeemed.room, Some(Money::new(500)));
    assert_eq!(redeemed.outcomes, [Outcome::Open, Outcome::Open]);
}

#[test]
fn a_limit_lowered_below_what_is_used_claws_nothing_back_and_one_raised_opens() {
    let mut books = Map::default();
    for n in 0..3 {
        books.redeem(&ask(&format!("t{n}"), n, &[("o", 1)], &[uses("all", 3)]));
    }
    let lowered = books.redeem(&ask("t9", 9, &[("o", 1)], &[uses("all", 2)]));
    assert_eq!(lowered.outcomes, [Outcome::Refused(Refusal::QuotaExhausted)]);
    assert_eq!(books.used_of("all"), 3);
    let raised = books.redeem(&ask("t9", 10, &[("o", 1)], &[uses("all", 4)]));
    assert_eq!(raised.outcomes, [applied("o", 1)]);
}

#[test]
fn two_quotas_that_count_the_same_are_taken_from_once_and_the_lower_one_holds() {
    let mut books = Map::default();
    let twice = [uses("all", 9), uses("all", 1)];
    books.redeem(&ask("t", 1, &[("o", 1)], &twice));
    assert_eq!(books.used_of("all"), 1);
    let second = books.redeem(&ask("u", 2, &[("o", 1)], &twice));
    assert_eq!(second.outcomes, [Outcome::Refused(Refusal::QuotaExhausted)]);
}

#[test]
fn a_peek_takes_nothing_and_says_what_a_redeem_would() {
    let mut books = Map::default();
    let redeem = ask("t", 1, &[("o", 5)], &[uses("all", 1)]);
    let Reply::Redeemed(peeked) = books.apply(&Command::Peek(redeem.clone())) else {
        panic!("a peek is answered as a redeem");
    };
    assert_eq!(peeked.outcomes, [Outcome::Open]);
    assert_eq!(books.used_of("all"), 0);
    books.redeem(&redeem);
    let Reply::Redeemed(peeked) = books.apply(&Command::Peek(redeem)) else {
        panic!("a peek is answered as a redeem");
    };
    assert_eq!(peeked.outcomes, [applied("o", 5)]);
}

#[test]
fn a_count_the_store_could_not_keep_exactly_is_refused() {
    let mut books = Map::default();
    let counters = [budget("sum", u64::MAX, false)];
    let redeemed = books.redeem(&ask("t", 1, &[("o", 1 << 53)], &counters));
    assert_eq!(redeemed.outcomes, [Outcome::Refused(Refusal::BudgetExhausted)]);
}

#[test]
fn the_mark_names_what_is_exhausted_until_it_is_not() {
    let mut books = Map::default();
    let two = [uses("all", 2)];
    books.redeem(&ask("1", 1, &[("o", 10)], &two));
    assert_eq!(books.mark, Mark::default(), "there is one left");
    books.redeem(&ask("2", 2, &[("o", 10)], &two));
    assert!(books.mark.covers(&two[0]));
    assert!(!books.mark.covers(&uses("all", 3)), "a limit that is raised opens at once");
    assert!(!books.mark.covers(&uses("tomorrow", 2)));

    books.reverse("1", None, 3);
    assert_eq!((books.mark.epoch, books.mark.covers(&two[0])), (2, false));
    // Refused under a lower limit: that is exhausted too.
    books.redeem(&ask("3", 4, &[("o", 10)], &[uses("all", 1)]));
    assert!(books.mark.covers(&uses("all", 1)) && !books.mark.covers(&two[0]));
}

#[test]
fn what_one_guest_has_used_up_is_no_mark_for_the_others() {
    let mut books = Map::default();
    let own = Counter { apart: Apart::of(None, Some("ann")), ..uses("ann", 1) };
    books.redeem(&ask("1", 1, &[("o", 10)], &[own]));
    assert_eq!(books.mark, Mark::default());
}

/// One use a customer: under this name, and what was counted under others counts too.
fn once(name: &str, also: &[&str]) -> Counter {
    let also = also.iter().map(|name| (*name).to_owned()).collect();
    Counter { also, apart: Apart::of(None, Some(name)), ..uses(name, 1) }
}

#[test]
fn a_person_is_counted_once_under_all_names_together() {
    let mut books = Map::default();
    let phone = books.redeem(&ask("t1", 1, &[("o", 10)], &[once("phone", &[])]));
    assert_eq!(phone.outcomes, [applied("o", 10)]);
    // Signed up since, and then merged into another member.
    for (tab, counter) in [
        ("t2", once("ann", &["phone", "address"])),
        ("t3", once("bob", &["address", "ann", "phone"])),
    ] {
        let again = books.redeem(&ask(tab, 2, &[("o", 10)], std::slice::from_ref(&counter)));
        assert_eq!(again.outcomes, [Outcome::Refused(Refusal::QuotaExhausted)], "{tab}");
        // What stands is answered as before, under whatever name.
        let same = books.redeem(&ask("t1", 3, &[("o", 10)], &[counter]));
        assert_eq!(same.outcomes, [applied("o", 10)]);
    }
    // A reversal gives back where it was taken, and the next use is counted under the new name.
    books.reverse("t1", None, 4);
    assert_eq!((books.used_of("phone"), books.used_of("bob")), (0, 0));
    let names = [once("bob", &["ann", "phone"])];
    assert_eq!(books.redeem(&ask("t4", 5, &[("o", 10)], &names)).outcomes, [applied("o", 10)]);
    assert_eq!((books.used_of("phone"), books.used_of("bob")), (0, 1));
}

#[test]
fn what_a_person_spent_under_other_names_is_missing_from_the_budget() {
    let mut books = Map::default();
    for (tab, name, amount) in [("t1", "phone", 300), ("t2", "address", 200)] {
        books.redeem(&ask(tab, 1, &[("o", amount)], &[budget(name, 1000, false)]));
    }
    let also = ["phone", "address", "ann"].map(str::to_owned).to_vec();
    let partial = Counter { also, ..budget("ann", 1000, true) };
    let short = books.redeem(&ask("t3", 2, &[("o", 600)], std::slice::from_ref(&partial)));
    assert_eq!((short.outcomes, short.room), (vec![Outcome::Open], Some(Money::new(500))));
    let fits = books.redeem(&ask("t3", 3, &[("o", 500)], std::slice::from_ref(&partial)));
    assert_eq!(fits.outcomes, [applied("o", 500)]);
    let spent = books.redeem(&ask("t4", 4, &[("o", 1)], &[partial]));
    assert_eq!(spent.outcomes, [Outcome::Refused(Refusal::BudgetExhausted)]);
}
