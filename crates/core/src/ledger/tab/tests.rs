use super::*;
use crate::ident::{LocationId, TabId};

fn admitted() -> Admission {
    Admission::Admitted(Shard::root())
}

fn id(name: &str) -> CampaignId {
    CampaignId::parse(name).unwrap()
}

fn offers(campaign: &str, amounts: &[(&str, u64)]) -> BTreeMap<OfferRef, Money> {
    amounts
        .iter()
        .map(|(offer, amount)| {
            let offer = OfferRef::parse(&format!("{campaign}.{offer}.CODE")).unwrap();
            (offer, Money::new(*amount))
        })
        .collect()
}

fn admit(campaign: &str, combines: Combines, amount: u64, received: i64) -> Admit {
    let received = Instant::from_millis(received);
    Admit {
        campaign: id(campaign),
        combines,
        home: Shard::root(),
        offers: offers(campaign, &[("o", amount)]),
        named: Vec::new(),
        ceiling: Money::new(1000),
        attempt: Attempt { name: format!("at {}", received.millis()), received },
    }
}

/// The REDEEM received then has ended, and this is what stands.
fn ended(campaign: &str, standing: &[(&str, u64)], received: i64) -> Settle {
    let which = Which::Attempt(format!("at {received}"));
    Settle { which, ..reversed(campaign, standing, received) }
}

fn reversed(campaign: &str, standing: &[(&str, u64)], received: i64) -> Settle {
    Settle {
        campaign: id(campaign),
        which: Which::All,
        received: Instant::from_millis(received),
        standing: offers(campaign, standing),
    }
}

fn reverse_offers(campaign: &str, named: &[&str], received: i64) -> Command {
    let named: Vec<_> = named.iter().map(|offer| (*offer, 0)).collect();
    let offers = offers(campaign, &named).into_keys().collect();
    Command::ReverseOffers { offers, received: Instant::from_millis(received) }
}

fn room(admission: &Admission) -> Option<u64> {
    match admission {
        Admission::Short { room, .. } => Some(room.minor()),
        _ => None,
    }
}

fn barred_by_a(since: i64) -> Admission {
    Admission::Barred(Neighbour {
        campaign: id("a"),
        home: Shard::root(),
        since: Instant::from_millis(since),
    })
}

#[test]
fn two_campaigns_stand_together_only_when_both_agree() {
    let only_b = || Combines::Only(vec![id("b")]);
    for (a, b, together) in [
        (Combines::None, Combines::Any, false),
        (Combines::Any, Combines::None, false),
        (Combines::Any, Combines::Any, true),
        (only_b(), Combines::Any, true),
        (only_b(), Combines::None, false),
    ] {
        let mut tab = Tab::default();
        assert_eq!(tab.admit(admit("a", a, 10, 1)).0, admitted());
        let second = tab.admit(admit("b", b, 10, 2)).0;
        let barred = barred_by_a(1);
        assert_eq!(second, if together { admitted() } else { barred });
    }
}

#[test]
fn all_discounts_of_a_tab_stop_at_what_it_costs() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::Any, 700, 1));
    let second = tab.admit(admit("b", Combines::Any, 400, 2)).0;
    assert_eq!(room(&second), Some(300));
    assert_eq!(tab.admit(admit("b", Combines::Any, 300, 2)).0, admitted());
}

#[test]
fn a_campaigns_offers_add_up_and_a_repeated_one_counts_once() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::Any, 700, 1));
    assert_eq!(tab.admit(admit("a", Combines::Any, 700, 1)), (admitted(), false));
    let mut more = admit("a", Combines::Any, 0, 2);
    more.offers = offers("a", &[("p", 400)]);
    let Admission::Short { room, claimed, .. } = tab.admit(more).0 else {
        panic!("the tab has not room for both");
    };
    assert_eq!((room, claimed), (Money::new(300), offers("a", &[("o", 700)])));
}

#[test]
fn a_repeat_on_a_tab_that_has_become_smaller_is_admitted() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::Any, 700, 1));
    let mut again = admit("a", Combines::Any, 700, 2);
    again.ceiling = Money::new(300);
    assert_eq!(tab.admit(again).0, admitted());
}

#[test]
fn what_was_not_taken_is_settled_and_leaves_room() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::None, 700, 1));
    assert!(tab.settle(&ended("a", &[], 1)));
    assert_eq!(tab.admit(admit("b", Combines::None, 900, 2)).0, admitted());
}

#[test]
fn a_settlement_never_uncovers_what_is_still_on_its_way() {
    // Of two REDEEMs of one offer one has ended with nothing, whichever; or a reversal came in
    // between.
    for settle in [ended("a", &[], 1), ended("a", &[], 5), reversed("a", &[], 4)] {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::None, 700, 1));
        tab.admit(admit("a", Combines::None, 700, 5));
        assert!(tab.settle(&settle));
        assert!(!tab.settle(&settle));
        let barred = tab.admit(admit("b", Combines::None, 1, 9)).0;
        assert!(matches!(barred, Admission::Barred(_)), "{settle:?}");
        tab.settle(&reversed("a", &[], 5));
        assert_eq!(tab.admit(admit("b", Combines::None, 1, 9)).0, admitted());
    }
}

#[test]
fn a_reversal_of_one_offer_leaves_the_claim_on_another() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::None, 700, 1));
    let mut other = admit("a", Combines::None, 0, 2);
    other.offers = offers("a", &[("p", 100)]);
    tab.admit(other);
    let named = offers("a", &[("o", 0)]).into_keys().collect();
    tab.settle(&Settle { which: Which::Offers(named), ..reversed("a", &[], 3) });
    assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("p", 100)]));
}

#[test]
fn what_stands_stays_claimed_for_as_much_as_it_gives() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::Any, 700, 1));
    tab.settle(&ended("a", &[("o", 300)], 1));
    assert_eq!(room(&tab.admit(admit("b", Combines::Any, 900, 2)).0), Some(700));
    // Somebody else has asked for it, so a reversal left it.
    tab.settle(&reversed("a", &[("o", 300)], 3));
    assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("o", 300)]));
}

#[test]
fn very_many_attempts_are_kept_as_one() {
    let mut tab = Tab::default();
    for n in 1..=20 {
        tab.admit(admit("a", Combines::Any, 700, n));
        tab.settle(&ended("a", &[("o", 600)], n));
    }
    let kept: Vec<usize> = tab.claims[&id("a")].offers.values().map(Vec::len).collect();
    assert_eq!(kept, [KEPT_ASKS]);
    tab.settle(&reversed("a", &[], 19));
    assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("o", 600)]));
    tab.settle(&reversed("a", &[], 20));
    assert!(tab.claims[&id("a")].offers.is_empty());
}

#[test]
fn a_reversal_of_the_tab_refuses_the_redeem_it_overtook_and_names_who_must_hear() {
    let mut tab = Tab::default();
    tab.admit(admit("a", Combines::Any, 1, 1));
    let (reply, changed) = tab.apply(Command::Reverse { received: Instant::from_millis(5) });
    assert_eq!((reply, changed), (Reply::Campaigns(vec![(id("a"), Shard::root())]), true));
    assert_eq!(tab.admit(admit("b", Combines::Any, 1, 5)).0, Admission::Reversed);
    assert_eq!(tab.admit(admit("b", Combines::Any, 1, 6)).0, admitted());
}

#[test]
fn an_attempt_to_be_undone_is_remembered_until_it_is_settled() {
    let mut tab = Tab::default();
    let attempt = Attempt { name: "at 1".to_owned(), received: Instant::from_millis(1) };
    let key = TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse("t").unwrap() };
    let undo = Undo { campaign: id("a"), home: Shard::named("3"), tab: key, attempt };
    assert_eq!(tab.apply(Command::Undo(undo.clone())), (Reply::Settled, true));
    assert_eq!(tab.apply(Command::Undo(undo.clone())), (Reply::Settled, false));
    assert!(!tab.settle(&ended("a", &[], 2)), "another attempt has ended");
    assert_eq!(tab.undos, [undo]);
    assert!(tab.settle(&ended("a", &[], 1)));
    assert!(tab.undos.is_empty());
}

#[test]
fn a_tab_stays_where_it_was_first_kept() {
    let mut tab = Tab::default();
    let kept_at = |home: &str, received| Admit {
        home: Shard::named(home),
        ..admit("a", Combines::Any, 10, received)
    };
    assert_eq!(tab.admit(kept_at("3", 1)).0, Admission::Admitted(Shard::named("3")));
    tab.settle(&reversed("a", &[], 2));
    assert_eq!(tab.admit(kept_at("7", 3)).0, Admission::Admitted(Shard::named("3")));
    let located = tab.apply(reverse_offers("a", &["o"], 4));
    assert_eq!(located, (Reply::Campaigns(vec![(id("a"), Shard::named("3"))]), false));
    assert!(tab.barriers.is_empty(), "its ledger keeps the barrier");
}

#[test]
fn a_reversal_of_offers_that_never_stood_here_is_kept_by_the_tab_and_refuses_their_late_redeem() {
    let mut tab = Tab::default();
    let nobody = Reply::Campaigns(Vec::new());
    assert_eq!(tab.apply(reverse_offers("a", &["o"], 5)), (nobody.clone(), true));
    assert_eq!(tab.apply(reverse_offers("a", &["o"], 5)), (nobody.clone(), false), "repeated");
    assert_eq!(tab.apply(reverse_offers("a", &["o"], 4)), (nobody, false), "an earlier one");
    assert!(tab.claims.is_empty());

    let overtaken: Vec<OfferRef> = offers("a", &[("o", 0)]).into_keys().collect();
    let late = tab.admit(admit("a", Combines::Any, 10, 5));
    assert_eq!(late, (Admission::Overtaken(overtaken.clone()), false));
    let mut other = admit("a", Combines::Any, 10, 5);
    other.offers = offers("a", &[("p", 10)]);
    assert_eq!(tab.admit(other.clone()).0, admitted(), "an offer that nobody reversed");
    other.named.clone_from(&overtaken);
    assert_eq!(tab.admit(other).0, Admission::Overtaken(overtaken.clone()), "only named");

    assert_eq!(tab.admit(admit("a", Combines::Any, 10, 6)).0, admitted(), "a later REDEEM");
    // It stands now; the one that was overtaken must not hear so.
    let late = admit("a", Combines::Any, 10, 3);
    assert_eq!(tab.admit(late).0, Admission::Overtaken(overtaken.clone()));
    let home = |received| {
        let received = Instant::from_millis(received);
        let otherwise = Shard::named("7");
        Command::Home(Home { campaign: id("a"), otherwise, named: overtaken.clone(), received })
    };
    assert_eq!(tab.apply(home(3)), (Reply::Home(Shard::root(), overtaken.clone()), false));
    assert_eq!(tab.apply(home(6)), (Reply::Home(Shard::root(), Vec::new()), false));
}

#[test]
fn a_reversal_that_overtakes_its_redeem_leaves_open_where_the_tab_is_kept() {
    let mut tab = Tab::default();
    tab.apply(reverse_offers("a", &["o"], 1));
    let admit = Admit { home: Shard::named("7"), ..admit("a", Combines::Any, 10, 2) };
    assert_eq!(tab.admit(admit).0, Admission::Admitted(Shard::named("7")));
}
