//! What stands on a tab is part of every later decision on it.

use super::*;
use crate::{
    cart::CartDraft,
    code::CanonicalCode,
    engine::{PerUnit, StandingOffer, decide_by_unit},
    ident::CodeKey,
};

/// A tab on which events come one after another.
struct Tab {
    cart: Cart,
    standing: Standing,
}

/// What an event came to: each offer applied with what it gives, and each rejected with why.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    applied: Vec<(String, u64)>,
    rejected: Vec<(String, Reason)>,
}

impl Tab {
    fn new(cart: &Value) -> Self {
        Self { cart: sound(cart), standing: Standing::default() }
    }

    /// Redeems those of a campaign's offers that are named.
    fn redeem(&mut self, campaign: &Value, named: &[&str]) -> Event {
        self.redeem_all(&[(campaign, named)])
    }

    fn redeem_all(&mut self, campaigns: &[(&Value, &[&str])]) -> Event {
        let parse = |it: &Value| Campaign::from_json(it.to_string().as_bytes()).unwrap();
        let parsed: Vec<Campaign> = campaigns.iter().map(|(it, _)| parse(it)).collect();
        let allow = |(campaign, (_, named)): (&Campaign, &(&Value, &[&str]))| {
            let ids = campaign.offers().iter().map(|offer| offer.id().as_str());
            ids.map(|id| if named.contains(&id) { Allowance::Open } else { Allowance::NotAsked })
                .collect()
        };
        let allowances: Vec<Vec<Allowance>> = parsed.iter().zip(campaigns).map(allow).collect();
        let asked: Vec<Asked<'_>> = parsed
            .iter()
            .zip(&allowances)
            .map(|(campaign, allowances)| Asked { campaign, allowances, at_most: None })
            .collect();
        let context = Context {
            at: Instant::parse("2026-07-04T17:30:00-05:00").unwrap(),
            location: LocationFacts::default(),
            default_zone: Zone::utc(),
        };
        let decision = decide_by_unit(&asked, &self.cart, &context, &self.standing).unwrap();
        let name = |campaign: usize, offer: usize| {
            let offer = parsed.get(campaign).and_then(|it| it.offers().get(offer));
            offer.unwrap().id().to_string()
        };
        let applied = decision.applied.iter();
        let applied =
            applied.map(|it| (name(it.campaign, it.offer), it.discount.minor())).collect();
        let rejected = decision.rejected.iter().map(|it| {
            let of = |offer| name(it.campaign, offer);
            (it.offer.map_or_else(|| "all".to_owned(), of), it.reason)
        });
        let rejected = rejected.collect();
        let code = CodeKey::of(&CanonicalCode::parse("CODE").unwrap());
        let stands = |it: &super::super::Applied| {
            StandingOffer::of(it, parsed.get(it.campaign)?, code.clone(), &self.cart)
        };
        let new: Vec<StandingOffer> = decision.applied.iter().filter_map(stands).collect();
        self.standing.offers.extend(new);
        // As it is kept and sent.
        let kept = serde_json::to_string(&self.standing).unwrap();
        self.standing = serde_json::from_str(&kept).unwrap();
        Event { applied, rejected }
    }
}

fn sound(cart: &Value) -> Cart {
    Cart::from_json(cart.to_string().as_bytes()).unwrap()
}

fn named(id: &str, offers: Value) -> Value {
    let mut it = campaign(offers);
    it["id"] = id.into();
    it["combines_with"] = "any".into();
    it
}

fn applied(offer: &str, amount: u64) -> Event {
    Event { applied: vec![(offer.to_owned(), amount)], rejected: Vec::new() }
}

fn rejected(offer: &str, reason: Reason) -> Event {
    Event { applied: Vec::new(), rejected: vec![(offer.to_owned(), reason)] }
}

fn free_burger() -> Value {
    json!({"cheapest": 1, "percent": "100", "on": {"items": {"sku": ["A"]}}})
}

#[test]
fn two_codes_that_each_make_one_burger_free_take_one_burger() {
    let (one, two) = (
        named("one", json!([offer("a", free_burger())])),
        named("two", json!([offer("b", free_burger())])),
    );
    let mut tab = Tab::new(&cart(&[(1, 1200), (1, 500)]));
    assert_eq!(tab.redeem(&one, &["a"]), applied("a", 1200));
    assert_eq!(tab.redeem(&two, &["b"]), rejected("b", Reason::WorthNothing));
    // Of two burgers each code takes one.
    let mut tab = Tab::new(&cart(&[(2, 1200)]));
    tab.redeem(&one, &["a"]);
    assert_eq!(tab.redeem(&two, &["b"]), applied("b", 1200));
    assert_eq!(
        tab.redeem(&named("three", json!([offer("c", free_burger())])), &["c"]),
        rejected("c", Reason::WorthNothing)
    );
}

#[test]
fn no_two_events_take_a_line_below_its_floor() {
    let mut carts = cart(&[(3, 1000)]);
    carts["lines"][0]["min_unit_price"] = 700.into();
    let mut tab = Tab::new(&carts);
    let off = |id: &str, each: u64| named(id, json!([offer(id, json!({"amount_each": each}))]));
    assert_eq!(tab.redeem(&off("a", 200), &["a"]), applied("a", 600));
    assert_eq!(tab.redeem(&off("b", 200), &["b"]), applied("b", 300));
    assert_eq!(tab.redeem(&off("c", 200), &["c"]), rejected("c", Reason::WorthNothing));
}

#[test]
fn an_exclusive_offer_stays_alone_whichever_came_first() {
    let mut offers = json!([
        offer("alone", json!({"amount": 100})),
        offer("other", json!({"amount": 50})),
        offer("third", json!({"amount": 5})),
    ]);
    offers[0]["stacking"] = "exclusive".into();
    let it = named("c", offers);
    let mut tab = Tab::new(&cart(&[(1, 1000)]));
    assert_eq!(tab.redeem(&it, &["alone"]), applied("alone", 100));
    assert_eq!(tab.redeem(&it, &["other"]), rejected("other", Reason::Excluded));
    let mut tab = Tab::new(&cart(&[(1, 1000)]));
    assert_eq!(tab.redeem(&it, &["other"]), applied("other", 50));
    assert_eq!(tab.redeem(&it, &["alone"]), rejected("alone", Reason::Excluded));
    let both = tab.redeem(&it, &["alone", "third"]);
    assert_eq!(both.applied, [("third".to_owned(), 5)]);
    assert_eq!(both.rejected, [("alone".to_owned(), Reason::Excluded)]);
}

#[test]
fn of_a_group_the_one_that_stands_stays_though_the_tab_has_grown() {
    let from = |id: &str, from: u64, amount: u64| {
        let mut it = offer(id, json!({"amount": amount}));
        it["when"] = json!({"subtotal": {"min": from}});
        it["group"] = "step".into();
        it
    };
    let it = named("c", json!([from("five", 2000, 500), from("ten", 5000, 1000)]));
    let mut tab = Tab::new(&cart(&[(1, 2500)]));
    assert_eq!(tab.redeem(&it, &["five"]), applied("five", 500));
    tab.cart = sound(&cart(&[(1, 2500), (1, 3000)]));
    assert_eq!(tab.redeem(&it, &["ten"]), rejected("ten", Reason::Outbid));
    assert_eq!(tab.redeem(&it, &["five"]), Event { applied: vec![], rejected: vec![] });
    // Both in one event, on the tab as it is now: the better one.
    tab.standing = Standing::default();
    assert_eq!(tab.redeem(&it, &["five", "ten"]).applied, [("ten".to_owned(), 1000)]);
}

#[test]
fn campaigns_stand_together_only_when_both_agree() {
    let mut one = named("one", json!([offer("a", json!({"amount": 10}))]));
    let mut two = named("two", json!([offer("b", json!({"amount": 10}))]));
    let none = |tab: &mut Tab, two: &Value| tab.redeem(two, &["b"]);
    let does_not = rejected("all", Reason::DoesNotCombine);
    for (first, second, together) in [
        (json!("none"), json!("any"), false),
        (json!("any"), json!("none"), false),
        (json!("any"), json!(["somebody"]), false),
        (json!(["two"]), json!(["one"]), true),
    ] {
        (one["combines_with"], two["combines_with"]) = (first, second);
        let mut tab = Tab::new(&cart(&[(1, 1000)]));
        tab.redeem(&one, &["a"]);
        let expected = if together { &applied("b", 10) } else { &does_not };
        assert_eq!(&none(&mut tab, &two), expected);
    }
}

#[test]
fn conditions_percentages_and_tiers_see_what_stands() {
    let half = named("half", json!([offer("h", json!({"percent": "50"}))]));
    let mut remaining = offer("r", json!({"amount": 10}));
    remaining["when"] = json!({"subtotal": {"min": 900, "of": "remaining"}});
    let mut initial = offer("i", json!({"amount": 10}));
    initial["when"] = json!({"subtotal": {"min": 900}});
    let tier = offer("t", json!({"tiers": [{"from": 900, "percent": "10"}]}));
    let mut tab = Tab::new(&cart(&[(2, 500)]));
    assert_eq!(tab.redeem(&half, &["h"]), applied("h", 500));
    let told = tab.redeem(&named("w", json!([remaining, initial])), &["r", "i"]);
    assert_eq!(told.rejected, [("r".to_owned(), Reason::SubtotalOutOfRange)]);
    assert_eq!(told.applied, [("i".to_owned(), 10)]);
    // The tier is that of the prices, its percentage of what is left.
    assert_eq!(tab.redeem(&named("t", json!([tier])), &["t"]), applied("t", 49));
}

#[test]
fn a_percentage_of_the_initial_price_is_of_the_price_whatever_stands() {
    let mut second = named("second", json!([offer("s", json!({"percent": "30"}))]));
    second["percent_of"] = "initial".into();
    let mut tab = Tab::new(&cart(&[(1, 1000)]));
    tab.redeem(&named("first", json!([offer("f", json!({"percent": "50"}))])), &["f"]);
    assert_eq!(tab.redeem(&second, &["s"]), applied("s", 300));
}

#[test]
fn a_line_that_is_gone_counts_towards_the_ceiling_only() {
    let free = named("free", json!([offer("f", free_burger())]));
    let more = named("more", json!([offer("m", json!({"amount": 700}))]));
    let delivery = json!({"percent": "100", "on": {"fees": ["delivery"]}});
    let fee = named("fee", json!([offer("d", delivery)]));
    let mut carts = cart(&[(1, 1200), (1, 1000)]);
    carts["fees"] = json!([{"id": "d", "kind": "delivery", "amount": 400}]);
    let mut tab = Tab::new(&carts);
    assert_eq!(tab.redeem(&free, &["f"]), applied("f", 1200));
    // The burger is gone: 1000 + 400 are left of the tab, of which 1200 are given.
    carts["lines"].as_array_mut().unwrap().remove(0);
    tab.cart = sound(&carts);
    assert_eq!(tab.redeem(&more, &["m"]), rejected("m", Reason::WorthNothing));
    assert_eq!(tab.redeem(&fee, &["d"]), applied("d", 200));
}

#[test]
fn a_line_that_shrank_caps_its_share_and_one_that_grew_has_new_units() {
    let free = named("free", json!([offer("f", json!({"cheapest": 2, "percent": "100"}))]));
    let more = named("more", json!([offer("m", json!({"percent": "10"}))]));
    let mut tab = Tab::new(&cart(&[(2, 300), (1, 1000)]));
    assert_eq!(tab.redeem(&free, &["f"]), applied("f", 600));
    tab.cart = sound(&cart(&[(5, 300), (1, 1000)]));
    assert_eq!(tab.redeem(&more, &["m"]), applied("m", 190));
    tab.standing.offers.pop();
    tab.cart = sound(&cart(&[(1, 300), (1, 1000)]));
    assert_eq!(tab.redeem(&more, &["m"]), applied("m", 100));
}

#[test]
fn the_subtotal_of_a_tab_without_lines_is_shared_by_all_events() {
    let half = |id: &str| named(id, json!([offer(id, json!({"percent": "50"}))]));
    let mut tab = Tab::new(&json!({"currency": "USD", "subtotal": 1000}));
    assert_eq!(tab.redeem(&half("a"), &["a"]), applied("a", 500));
    assert_eq!(tab.redeem(&half("b"), &["b"]), applied("b", 250));
}

#[test]
fn what_stands_is_told_unit_by_unit() {
    let it = named(
        "c",
        json!([
            offer(
                "a",
                json!({"buy": {"items": {}, "quantity": 2}, "get": {"items": {}, "quantity": 1, "percent": "100"}})
            ),
            offer("b", json!({"amount": 7})),
        ]),
    );
    let mut tab = Tab::new(&cart(&[(1_000_000_000, 1200)]));
    tab.redeem(&it, &["a", "b"]);
    let units = |place: usize| &tab.standing.offers[place].lines[0].units;
    assert_eq!(units(0).sum(), 333_333_333 * 1200);
    assert_eq!(units(1), &{
        let mut first = PerUnit::default();
        first.repeat(3, [(2, 1), (1, 0)].into_iter());
        first.push(1, 1);
        first.push(999_999_990, 0);
        first
    });
    assert!(serde_json::to_string(&tab.standing).unwrap().len() < 800);
}

#[test]
fn a_net_cart_is_made_gross_by_what_stands() {
    let free = named(
        "free",
        json!([
            offer("f", free_burger()),
            offer("d", json!({"percent": "50", "on": {"fees": ["delivery"]}})),
        ]),
    );
    let mut gross = cart(&[(3, 1200), (1, 500)]);
    gross["fees"] = json!([{"id": "d", "kind": "delivery", "amount": 400}]);
    let mut tab = Tab::new(&gross);
    tab.redeem(&free, &["f", "d"]);
    let again = |net: &Value| sound(net).gross(&tab.standing).unwrap();
    // Both the lines and the subtotal net.
    let mut net = gross.clone();
    net["lines"][0]["unit_price"] = 800.into();
    net["fees"][0]["amount"] = 200.into();
    assert_eq!(again(&net), tab.cart);
    net["subtotal"] = 2900.into();
    net["total"] = 3100.into();
    let came = again(&net);
    assert_eq!((came.subtotal().minor(), came.lines_total().minor()), (4100, 4100));
    assert_eq!(came.total().unwrap().minor(), 4500);
    // Only the subtotal net.
    let mut net = gross.clone();
    net["subtotal"] = 2900.into();
    let came = again(&net);
    assert_eq!((came.subtotal().minor(), came.lines_total().minor()), (4100, 4100));
    // A tab of a subtotal alone.
    let alone = json!({"currency": "USD", "subtotal": 1300});
    assert_eq!(again(&alone).subtotal().minor(), 2500);
}

#[test]
fn a_net_cart_that_would_be_too_large_is_refused_where_it_is() {
    let mut tab = Tab::new(&cart(&[(1, 1_000_000_000)]));
    tab.redeem(&named("c", json!([offer("o", json!({"amount": 5}))])), &["o"]);
    let faults = tab.cart.clone().gross(&tab.standing).unwrap_err();
    assert_eq!(faults.as_slice()[0].pointer, "/lines/0/unit_price");
    assert!(CartDraft::default().check().is_err(), "a draft without a currency is no cart");
}
