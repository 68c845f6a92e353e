use std::collections::BTreeMap;

use super::claim::KEPT_ASKS;
use super::*;
use crate::campaign::CombinesWith;
use crate::engine::{LineShare, PerUnit, StandingOffer};
use crate::ident::OfferRef;
use crate::ledger::Attempt;
use crate::ledger::shard::Shard;

fn id(name: &str) -> CampaignId {
    CampaignId::parse(name).unwrap()
}

fn tab_id(name: &str) -> TabId {
    TabId::parse(name).unwrap()
}

fn at(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

fn offer_ref(campaign: &str, offer: &str) -> OfferRef {
    OfferRef::parse(&format!("{campaign}.{offer}.CODE")).unwrap()
}

fn offer(campaign: &str, offer: &str, amount: u64) -> StandingOffer {
    StandingOffer {
        offer: offer_ref(campaign, offer),
        combines_with: CombinesWith::Any,
        group: None,
        exclusive: false,
        amount: Money::new(amount),
        lines: vec![LineShare { id: "1".to_owned(), units: PerUnit::equal(1, amount) }],
        fees: Vec::new(),
    }
}

fn standing(campaign: &str, amounts: &[(&str, u64)]) -> BTreeMap<OfferRef, Money> {
    let of = |(offer, amount): &(&str, u64)| (offer_ref(campaign, offer), Money::new(*amount));
    amounts.iter().map(of).collect()
}

/// A tab by the name "t".
#[derive(Default)]
struct Till(Tab);

impl Till {
    fn apply(&mut self, command: &Command) -> (Reply, bool) {
        self.0.apply(&tab_id("t"), command)
    }

    /// Admits with what stands known.
    fn admit(&mut self, mut admit: Admit) -> Admission {
        admit.version = self.0.version();
        self.admit_as_it_is(admit)
    }

    fn admit_as_it_is(&mut self, admit: Admit) -> Admission {
        match self.apply(&Command::Admit(admit)).0 {
            Reply::Admission(admission) => admission,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, settle: Settle) -> bool {
        self.apply(&Command::Settle(settle)).1
    }

    fn stands(&self) -> Vec<(String, u64)> {
        let offers = self.0.standing(None).offers;
        offers.iter().map(|it| (it.offer.to_string(), it.amount.minor())).collect()
    }
}

fn admit_offers(received: i64, campaigns: &[(&str, Vec<StandingOffer>)]) -> Admit {
    let entry = |(campaign, offers): &(&str, Vec<StandingOffer>)| Entry {
        campaign: id(campaign),
        home: Shard::root(),
        offers: offers.clone(),
    };
    Admit {
        attempt: Attempt { name: format!("at {received}"), received: at(received) },
        version: 0,
        ceiling: Money::new(1000),
        keep_days: 400,
        limits: None,
        named: Vec::new(),
        campaigns: campaigns.iter().map(entry).collect(),
    }
}

fn admit(campaign: &str, amount: u64, received: i64) -> Admit {
    admit_offers(received, &[(campaign, vec![offer(campaign, "o", amount)])])
}

fn combining(mut admit: Admit, with: &CombinesWith) -> Admit {
    let offers = admit.campaigns.iter_mut().flat_map(|entry| &mut entry.offers);
    offers.for_each(|offer| offer.combines_with = with.clone());
    admit
}

/// The REDEEM received then has ended, and this is what stands.
fn ended(campaign: &str, stands: &[(&str, u64)], received: i64) -> Settle {
    let which = Which::Attempt(format!("at {received}"));
    Settle { which, ..reversed(campaign, stands, received) }
}

fn reversed(campaign: &str, stands: &[(&str, u64)], received: i64) -> Settle {
    Settle {
        campaign: id(campaign),
        tab: tab_id("t"),
        which: Which::All,
        received: at(received),
        standing: standing(campaign, stands),
    }
}

fn is_admitted(admission: &Admission) -> bool {
    matches!(admission, Admission::Admitted { .. })
}

fn place(campaign: &str, home: &str) -> Place {
    let home = if home.is_empty() { Shard::root() } else { Shard::named(home) };
    Place { campaign: id(campaign), tab: tab_id("t"), home }
}

#[test]
fn a_redeem_on_what_stands_is_admitted_and_changes_the_version() {
    let mut till = Till::default();
    assert_eq!(till.0.version(), 0);
    let first = till.admit(admit("a", 10, 1));
    assert_eq!(first, Admission::Admitted { version: 1, places: vec![place("a", "")] });
    let second = till.admit(admit("b", 10, 2));
    assert_eq!(second, Admission::Admitted { version: 2, places: vec![place("b", "")] });
}

#[test]
fn a_redeem_that_was_decided_on_what_no_longer_stands_hears_what_does_and_writes_nothing() {
    let mut till = Till::default();
    till.admit(admit("a", 10, 1));
    let before = till.0.clone();
    let Admission::Moved(seen) = till.admit_as_it_is(admit("b", 10, 2)) else {
        panic!("it is not 0")
    };
    assert_eq!(till.0, before);
    assert_eq!((seen.version, seen.standing.offers), (1, vec![offer("a", "o", 10)]));
    assert_eq!(seen.claimed, [Claimed { place: place("a", ""), since: at(1) }]);
    let again = Admit { version: 1, ..admit("b", 10, 2) };
    assert!(is_admitted(&till.admit_as_it_is(again)));
}

#[test]
fn a_repeated_admission_is_admitted_though_the_version_is_its_own_by_now() {
    let mut till = Till::default();
    till.admit_as_it_is(admit("a", 10, 1));
    let before = till.0.clone();
    let again = till.admit_as_it_is(admit("a", 10, 1));
    assert_eq!(again, Admission::Admitted { version: 1, places: vec![place("a", "")] });
    assert_eq!(till.0, before);
}

#[test]
fn an_attempt_does_not_see_its_own_claims_and_may_lower_them() {
    let mut till = Till::default();
    till.admit(admit_offers(1, &[("a", vec![offer("a", "o", 10), offer("a", "p", 5)])]));
    assert_eq!(till.0.standing(Some("at 1")).offers, []);
    assert!(is_admitted(&till.admit(admit("a", 7, 1))));
    assert_eq!(till.stands(), [("a.o.CODE".to_owned(), 7)]);
    // What another attempt has claimed too is seen.
    till.admit(admit("a", 7, 2));
    assert_eq!(till.0.standing(Some("at 1")).offers, [offer("a", "o", 7)]);
    assert!(is_admitted(&till.admit(admit_offers(1, &[("a", vec![])]))));
    assert_eq!(till.stands(), [("a.o.CODE".to_owned(), 7)]);
}

#[test]
fn a_tab_that_was_emptied_is_as_good_as_one_where_nothing_ever_stood() {
    let mut till = Till::default();
    till.admit(admit("a", 10, 1));
    till.settle(reversed("a", &[], 2));
    assert_eq!(till.0.version(), 0);
    till.admit_as_it_is(admit("b", 10, 3));
    assert_eq!(till.0.version(), 3, "a version never comes again");
}

#[test]
fn two_campaigns_stand_together_only_when_both_agree() {
    let only_b = CombinesWith::Only(vec![id("b")]);
    for (a, b, together) in [
        (CombinesWith::None, CombinesWith::Any, false),
        (CombinesWith::Any, CombinesWith::None, false),
        (CombinesWith::Any, CombinesWith::Any, true),
        (only_b.clone(), CombinesWith::Any, true),
        (only_b, CombinesWith::None, false),
    ] {
        let mut till = Till::default();
        assert!(is_admitted(&till.admit(combining(admit("a", 10, 1), &a))));
        let second = till.admit(combining(admit("b", 10, 2), &b));
        assert_eq!(is_admitted(&second), together);
        assert!(together || second == Admission::Barred(id("a")), "{second:?}");
    }
}

#[test]
fn all_discounts_of_a_tab_stop_at_what_it_costs() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    assert_eq!(till.admit(admit("b", 400, 2)), Admission::Short { room: Money::new(300) });
    assert!(is_admitted(&till.admit(admit("b", 300, 2))));
}

#[test]
fn several_campaigns_are_admitted_in_one_turn_or_not_at_all() {
    let mut till = Till::default();
    let both = |b: u64| {
        let (a, b) = (vec![offer("a", "o", 700)], vec![offer("b", "o", b)]);
        admit_offers(1, &[("a", a), ("b", b)])
    };
    assert_eq!(till.admit(both(400)), Admission::Short { room: Money::new(1000) });
    assert!(till.stands().is_empty());
    let admitted = till.admit(both(300));
    assert_eq!(
        admitted,
        Admission::Admitted { version: 1, places: vec![place("a", ""), place("b", "")] }
    );
}

#[test]
fn a_campaigns_offers_add_up_and_a_repeated_one_counts_once() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    assert!(is_admitted(&till.admit(admit("a", 700, 2))));
    let more = admit_offers(3, &[("a", vec![offer("a", "p", 400)])]);
    assert_eq!(till.admit(more), Admission::Short { room: Money::new(300) });
}

#[test]
fn a_repeat_on_a_tab_that_has_become_smaller_is_admitted() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    let smaller = Admit { ceiling: Money::new(300), ..admit("a", 700, 2) };
    assert!(is_admitted(&till.admit(smaller)));
}

#[test]
fn what_was_not_taken_is_settled_and_leaves_room() {
    let mut till = Till::default();
    till.admit(combining(admit("a", 700, 1), &CombinesWith::None));
    assert!(till.settle(ended("a", &[], 1)));
    assert!(is_admitted(&till.admit(combining(admit("b", 900, 2), &CombinesWith::None))));
}

#[test]
fn a_settlement_never_uncovers_what_is_still_on_its_way() {
    // Of two REDEEMs of one offer one has ended with nothing, whichever; or a reversal came in
    // between.
    for settle in [ended("a", &[], 1), ended("a", &[], 5), reversed("a", &[], 4)] {
        let mut till = Till::default();
        till.admit(admit("a", 700, 1));
        till.admit(admit("a", 700, 5));
        assert!(till.settle(settle.clone()));
        assert!(!till.settle(settle.clone()));
        assert_eq!(till.stands(), [("a.o.CODE".to_owned(), 700)], "{settle:?}");
        till.settle(reversed("a", &[], 5));
        assert!(till.stands().is_empty());
    }
}

#[test]
fn two_attempts_on_one_offer_stand_for_the_most_that_either_takes_of_each_unit() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    let mut other = offer("a", "o", 600);
    other.lines = vec![LineShare { id: "2".to_owned(), units: PerUnit::equal(2, 300) }];
    till.admit(admit_offers(2, &[("a", vec![other.clone()])]));
    let both = &till.0.standing(None).offers;
    assert_eq!((both.len(), both[0].amount), (1, Money::new(700)));
    assert_eq!(both[0].lines, [offer("a", "o", 700).lines, other.lines.clone()].concat());
    // The second is what the ledger has: the first, which heard of it, stands for the same.
    till.settle(ended("a", &[("o", 600)], 1));
    assert_eq!(till.0.standing(None).offers, [other]);
}

#[test]
fn a_reversal_of_one_offer_leaves_the_claim_on_another() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    till.admit(admit_offers(2, &[("a", vec![offer("a", "p", 100)])]));
    let which = Which::Offers(vec![offer_ref("a", "o")]);
    till.settle(Settle { which, ..reversed("a", &[], 3) });
    assert_eq!(till.stands(), [("a.p.CODE".to_owned(), 100)]);
}

#[test]
fn what_stands_stays_claimed_for_as_much_as_it_gives_and_is_confirmed() {
    let mut till = Till::default();
    till.admit(admit("a", 700, 1));
    till.settle(ended("a", &[("o", 300)], 1));
    assert_eq!(till.admit(admit("b", 900, 2)), Admission::Short { room: Money::new(700) });
    // Somebody else has asked for it, so a reversal left it.
    till.settle(reversed("a", &[("o", 300)], 3));
    assert_eq!(till.stands(), [("a.o.CODE".to_owned(), 300)]);
    // And is known to be true up to then.
    assert_eq!(till.0.see(&tab_id("t"), None).claimed[0].since, at(3));
}

#[test]
fn very_many_attempts_are_kept_as_one() {
    let mut till = Till::default();
    for n in 1..=20 {
        till.admit(admit("a", 700, n));
        till.settle(ended("a", &[("o", 600)], n));
    }
    assert_eq!(till.0.claims()[0].asked().count(), KEPT_ASKS);
    till.settle(reversed("a", &[], 19));
    assert_eq!(till.stands(), [("a.o.CODE".to_owned(), 600)]);
    till.settle(reversed("a", &[], 20));
    assert!(till.stands().is_empty());
}

#[test]
fn a_reversal_of_the_tab_refuses_the_redeem_it_overtook_and_names_who_must_hear() {
    let mut till = Till::default();
    till.admit(admit("a", 1, 1));
    let (reply, changed) = till.apply(&Command::Reverse { received: at(5) });
    assert_eq!((reply, changed), (Reply::Places(vec![place("a", "")]), true));
    assert_eq!(till.admit(admit("b", 1, 5)), Admission::Reversed);
    assert!(is_admitted(&till.admit(admit("b", 1, 6))));
}

mod bounds;
mod places;
