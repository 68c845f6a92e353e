//! Where campaigns' ledgers keep a tab.

use super::*;

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
    let located = till.apply(&Command::Locate(vec![id("a")]));
    assert_eq!(located, (Reply::Places(vec![place("a", "3")]), false));
}

#[test]
fn a_reversal_that_overtakes_its_redeem_decides_where_the_tab_is_kept() {
    let mut till = Till::default();
    let root = Reply::Places(vec![place("a", "")]);
    assert_eq!(till.apply(&Command::Locate(vec![id("a")])), (root, true));
    let mut admit = admit("a", 10, 1);
    admit.campaigns[0].home = Shard::named("7");
    let admitted = Admission::Admitted { version: 1, places: vec![place("a", "")] };
    assert_eq!(till.admit(admit), admitted);
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
    let (places, _) = one.apply(&Command::Locate(vec![id("a"), id("b")]));
    assert_eq!(places, Reply::Places(vec![place("a", ""), at_u("a"), at_u("b")]));
    assert_eq!(one.0.barrier(), Some(at(9)));
    assert_eq!(one.0.standing(None).amount(), Money::new(35));
    // A settlement under one name leaves what stands under the other.
    one.settle(reversed("a", &[], 9));
    assert_eq!(one.0.standing(None).amount(), Money::new(25));
}
