//! Where campaigns' ledgers keep a tab.

use super::*;

fn reverse_offers(campaigns: &[&str], received: i64) -> Command {
    let offers = campaigns.iter().map(|campaign| offer_ref(campaign, "o")).collect();
    Command::ReverseOffers { offers, received: at(received) }
}

#[test]
fn a_tab_stays_where_it_was_first_kept() {
    let mut till = Till::default();
    let kept_at = |home: &str, received| {
        let mut admit = admit("a", 10, received);
        admit.campaigns[0].home = Shard::named(home);
        admit
    };
    let at_three = |version| Admission::Admitted { version, places: vec![place("a", "3")] };
    assert_eq!(till.admit(kept_at("3", 1)), at_three(1));
    till.settle(reversed("a", &[], 2));
    assert_eq!(till.admit(kept_at("7", 3)), at_three(3));
    let located = till.apply(&reverse_offers(&["a"], 4));
    assert_eq!(located, (Reply::Places(vec![place("a", "3")]), false));
}

#[test]
fn a_reversal_of_offers_that_never_stood_here_is_kept_by_the_tab_and_refuses_their_late_redeem() {
    let mut till = Till::default();
    let nobody = Reply::Places(Vec::new());
    assert_eq!(till.apply(&reverse_offers(&["a"], 5)), (nobody.clone(), true));
    assert_eq!(till.apply(&reverse_offers(&["a"], 5)), (nobody.clone(), false), "repeated");
    assert_eq!(till.apply(&reverse_offers(&["a"], 4)), (nobody, false), "an earlier one");
    assert!(till.0.claims().is_empty(), "where the tab is kept is left open");

    let overtaken = vec![offer_ref("a", "o")];
    let naming = |received| Admit { named: overtaken.clone(), ..admit("a", 10, received) };
    assert_eq!(till.admit(naming(5)), Admission::Overtaken(overtaken.clone()));
    let other = admit_offers(5, &[("a", vec![offer("a", "p", 10)])]);
    assert!(is_admitted(&till.admit(other.clone())), "an offer that nobody reversed");
    let only_named = Admit { named: overtaken.clone(), ..other };
    assert_eq!(till.admit(only_named), Admission::Overtaken(overtaken.clone()));

    assert!(is_admitted(&till.admit(naming(6))), "a later REDEEM");
    // It stands now; the one that was overtaken must not hear so.
    assert_eq!(till.admit(naming(3)), Admission::Overtaken(overtaken));
}

#[test]
fn joined_tabs_have_all_claims_each_where_its_ledger_keeps_it() {
    let (mut one, mut two) = (Till::default(), Tab::default());
    one.admit(admit("a", 10, 1));
    two.apply(&tab_id("u"), &Command::Admit(admit("a", 20, 2)));
    two.apply(&tab_id("u"), &Command::Admit(Admit { version: 1, ..admit("b", 5, 3) }));
    two.apply(&tab_id("u"), &Command::Reverse { received: at(9) });
    one.0.join(two);
    let at_u = |campaign| Place { tab: tab_id("u"), ..place(campaign, "") };
    let (places, _) = one.apply(&reverse_offers(&["a", "b"], 10));
    assert_eq!(places, Reply::Places(vec![place("a", ""), at_u("a"), at_u("b")]));
    assert_eq!(one.0.barrier(), Some(at(9)));
    assert_eq!(one.0.standing(None).amount(), Money::new(35));
    // A settlement under one name leaves what stands under the other.
    one.settle(reversed("a", &[], 9));
    assert_eq!(one.0.standing(None).amount(), Money::new(25));
}
