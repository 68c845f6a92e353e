//! Rules that the shared vectors leave out, one sentence each.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::needless_pass_by_value,
    reason = "small numbers of a test, and values that are written where they are used"
)]

use serde_json::{Value, json};

use super::{
    Allowance, Asked, Context, Decision, LocationFacts, Reason, decide,
    simulate::{Defaults, simulate},
};
use crate::{
    campaign::Campaign,
    cart::Cart,
    money::Money,
    time::{Instant, Zone},
};

fn campaign(offers: Value) -> Value {
    json!({"id": "c", "name": "C", "currency": "USD", "codes": {"none": true}, "offers": offers})
}

fn offer(id: &str, discount: Value) -> Value {
    json!({"id": id, "name": id, "discount": discount})
}

/// A cart of lines of so many units at a price, their skus A, B, ….
fn cart(lines: &[(u64, u64)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(index, (quantity, price))| {
            let sku = char::from(b'A' + u8::try_from(index).unwrap()).to_string();
            json!({"id": (index + 1).to_string(), "sku": sku, "quantity": quantity, "unit_price": price})
        })
        .collect();
    json!({"currency": "USD", "lines": lines})
}

fn reply(campaigns: &[Value], cart: &Value) -> Value {
    reply_to(&json!({"campaigns": campaigns, "cart": cart, "at": "2026-07-04T17:30:00-05:00"}))
}

fn reply_to(request: &Value) -> Value {
    let defaults = Defaults { now: None, zone: Zone::utc() };
    let reply = simulate(request.to_string().as_bytes(), &defaults).unwrap();
    serde_json::from_slice(&reply).unwrap()
}

/// What one discount takes off each line and fee of a cart.
fn shares(discount: Value, cart: &Value) -> Vec<u64> {
    let reply = reply(&[campaign(json!([offer("o", discount)]))], cart);
    let share = |key: &str, id: &Value| {
        let shares = reply["offers"][0][key].as_array();
        let mut shares = shares.into_iter().flatten();
        shares.find(|share| share["id"] == *id).map_or(0, |it| it["discount"].as_u64().unwrap())
    };
    let lines = cart["lines"].as_array().into_iter().flatten().map(|it| share("lines", &it["id"]));
    let fees = cart["fees"].as_array().into_iter().flatten().map(|it| share("fees", &it["id"]));
    lines.chain(fees).collect()
}

fn rejected(reply: &Value) -> Vec<(&str, &str)> {
    let rejected = reply["rejected"].as_array().unwrap().iter();
    rejected
        .map(|it| {
            let what = it["offer"].as_str().or(it["campaign"].as_str());
            (what.unwrap(), it["reason"].as_str().unwrap())
        })
        .collect()
}

/// Why one offer with a condition does not apply, in its word and in words.
fn why(when: Value, cart: &Value) -> (String, String) {
    let mut offer = offer("o", json!({"percent": "10"}));
    offer["when"] = when;
    let mut campaign = campaign(json!([offer]));
    campaign["timezone"] = "America/Chicago".into();
    let reply = reply(&[campaign], cart);
    let text = |key: &str| reply["rejected"][0][key].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("detail"))
}

mod units {
    use super::*;

    #[test]
    fn both_limits_are_so_many_of_each_line_until_so_many_in_all() {
        let discount = json!({"amount_each": 10, "max_units": 5, "max_units_per_line": 2});
        assert_eq!(shares(discount, &cart(&[(1, 100), (3, 100), (9, 100)])), [10, 20, 20]);
    }

    #[test]
    fn the_first_units_count_whether_or_not_anything_is_left_of_them() {
        let offers = json!([
            offer("free", json!({"percent": "100", "max_units": 1})),
            offer("off", json!({"amount_each": 30, "max_units": 2})),
        ]);
        let reply = reply(&[campaign(offers)], &cart(&[(3, 100)]));
        assert_eq!(reply["discount"], 130);
    }

    #[test]
    fn a_set_of_bought_and_got_units_leaves_its_pattern_in_the_line() {
        // Bought, bought, got: the third unit is free, and the first three have only two prices left.
        let buy = json!({"buy": {"items": {}, "quantity": 2}, "get": {"items": {}, "quantity": 1, "percent": "100"}});
        let offers =
            json!([offer("b", buy), offer("o", json!({"amount_each": 10, "max_units": 3}))]);
        assert_eq!(reply(&[campaign(offers)], &cart(&[(6, 100)]))["discount"], 220);
    }

    #[test]
    fn a_billion_units_are_as_quick_as_one() {
        let billion = 1_000_000_000_u64;
        let cart = cart(&[(billion, billion), (billion, 7)]);
        let free = |buy: u64, get: u64| {
            json!({"buy": {"items": {"sku": ["B"]}, "quantity": buy},
                "get": {"items": {"sku": ["B"]}, "quantity": get, "percent": "100"}})
        };
        for (discount, expected) in [
            (json!({"percent": "100"}), [billion * billion, billion * 7]),
            (json!({"amount_each": 3, "max_units": billion + 1}), [billion * 3, 3]),
            (json!({"unit_price": 5}), [billion * (billion - 5), billion * 2]),
            (json!({"dearest": billion - 1, "unit_price": 0}), [(billion - 1) * billion, 0]),
            (json!({"cheapest": 1, "amount_each": 9}), [0, 7]),
            (free(1, 1), [0, billion / 2 * 7]),
            (free(2, 1), [0, billion / 3 * 7]),
            (
                json!({"bundle": [{"items": {"sku": ["A"]}, "quantity": 1},
                {"items": {"sku": ["B"]}, "quantity": 1}], "price": billion}),
                [billion * 7, 0],
            ),
            (
                json!({"bundle": [{"items": {"sku": ["B"]}, "quantity": 3}], "price": 20}),
                [0, billion / 3],
            ),
        ] {
            assert_eq!(shares(discount.clone(), &cart), expected, "{discount}");
        }
    }
}

mod choice {
    use super::*;

    #[test]
    fn a_group_of_worthless_offers_names_each_as_that() {
        let mut offers = json!([
            offer("a", json!({"amount": 5, "on": {"fees": ["none"]}})),
            offer("b", json!({"amount": 7, "on": {"fees": ["none"]}})),
        ]);
        offers[0]["group"] = "g".into();
        offers[1]["group"] = "g".into();
        let reply = reply(&[campaign(offers)], &cart(&[(1, 100)]));
        assert_eq!(rejected(&reply), [("a", "worth_nothing"), ("b", "worth_nothing")]);
    }

    #[test]
    fn a_choice_is_made_on_what_the_campaigns_before_left() {
        let mut first = campaign(json!([offer("first", json!({"percent": "50"}))]));
        let mut alone = offer("alone", json!({"amount": 10}));
        alone["stacking"] = "exclusive".into();
        alone["when"] = json!({"subtotal": {"min": 100, "of": "remaining"}});
        let mut second = campaign(json!([alone, offer("other", json!({"amount": 20}))]));
        second["id"] = "second".into();
        first["combines_with"] = "any".into();
        second["combines_with"] = "any".into();
        let reply = reply(&[first, second], &cart(&[(1, 100)]));
        assert_eq!(reply["discount"], 70);
        assert_eq!(rejected(&reply), [("alone", "subtotal_out_of_range")]);
    }

    #[test]
    fn a_campaign_that_gives_nothing_keeps_no_other_from_combining() {
        let nothing = campaign(json!([offer("n", json!({"amount": 5, "on": {"fees": ["none"]}}))]));
        let mut other = campaign(json!([offer("o", json!({"amount": 5}))]));
        other["id"] = "other".into();
        assert_eq!(reply(&[nothing, other], &cart(&[(1, 100)]))["discount"], 5);
    }

    #[test]
    fn a_code_typed_twice_leads_to_its_campaign_once() {
        let mut it = campaign(json!([offer("o", json!({"amount": 5}))]));
        it["codes"] = json!({"fixed": ["ONE1", "TWO2"]});
        let request = json!({"campaigns": [it], "codes": ["one-1", "two 2", "ONE1", "!", ""],
            "cart": cart(&[(1, 100)]), "at": "2026-07-04T17:30:00-05:00"});
        assert_eq!(reply_to(&request)["discount"], 5);
    }

    #[test]
    fn a_campaign_whose_code_was_not_typed_is_rejected_with_that() {
        let mut one = campaign(json!([offer("o", json!({"amount": 5}))]));
        let mut two = campaign(json!([offer("o", json!({"amount": 5}))]));
        one["codes"] = json!({"fixed": ["ONE1"]});
        two["id"] = "two".into();
        let request = json!({"campaigns": [two, one], "codes": ["ONE1"],
            "cart": cart(&[(1, 100)]), "at": "2026-07-04T17:30:00-05:00"});
        let reply = reply_to(&request);
        assert_eq!(
            (&reply["discount"], rejected(&reply)),
            (&json!(5), vec![("two", "unknown_code")])
        );
    }
}

mod reasons {
    use super::*;

    #[test]
    fn a_rejection_says_what_is_so_and_what_should_be() {
        let cart = cart(&[(1, 1250)]);
        for (when, reason, detail) in [
            (
                json!({"hours": [["22:00", "02:00"], ["05:00", "06:00"]]}),
                "outside_hours",
                "open 22:00–02:00, 05:00–06:00, local time is 17:30",
            ),
            (json!({"days": ["mon"]}), "outside_days", "open on mon, the business day is sat"),
            (
                json!({"dates": [["2026-07-05", "2026-07-06"]]}),
                "outside_dates",
                "open on 2026-07-05–2026-07-06, the business date is 2026-07-04",
            ),
            (json!({"channel": ["qr"]}), "wrong_channel", "only on qr, the channel is not known"),
            (json!({"location": ["1"]}), "wrong_location", "only at 1, the location is not known"),
            (
                json!({"subtotal": {"min": 2000}}),
                "subtotal_out_of_range",
                "the subtotal is 12.50 USD, and should be at least 20.00 USD",
            ),
            (
                json!({"items": {"match": {}, "min_quantity": 2}}),
                "items_missing",
                "2 matching units are needed, and 1 are there",
            ),
            (json!({"customer": {"known": true}}), "wrong_customer", "only for a known customer"),
        ] {
            assert_eq!(why(when, &cart), (reason.to_owned(), detail.to_owned()));
        }
    }

    #[test]
    fn a_tree_has_a_reason_only_when_it_has_a_single_cause() {
        let cart = cart(&[(1, 100)]);
        let (closed, channel) =
            (json!({"hours": [["01:00", "02:00"]]}), json!({"channel": ["qr"]}));
        let holds = json!({"subtotal": {"min": 1}});
        let reason = |when| why(when, &cart).0;
        assert_eq!(reason(json!({"all": [holds, closed]})), "outside_hours");
        assert_eq!(reason(json!({"all": [closed, channel]})), "condition_not_met");
        assert_eq!(reason(json!({"any": [closed, {"all": [closed, holds]}]})), "outside_hours");
        assert_eq!(reason(json!({"any": [closed, channel]})), "condition_not_met");
        assert_eq!(reason(json!({"any": []})), "condition_not_met");
        assert_eq!(reason(json!({"not": holds})), "subtotal_out_of_range");
        assert_eq!(reason(json!({"not": {"not": closed}})), "outside_hours");
        assert_eq!(reason(json!({"not": {"all": []}})), "condition_not_met");
    }

    #[test]
    fn a_campaign_that_is_closed_is_rejected_as_a_whole() {
        for (key, value, reason) in [
            ("active", json!(false), "inactive"),
            ("currency", json!("EUR"), "wrong_currency"),
            ("starts_at", json!("2026-07-04T17:31"), "not_started"),
            ("ends_at", json!("2026-07-04T17:30"), "ended"),
            ("ends_at", json!("2026-07-04T22:30:00Z"), "ended"),
        ] {
            let mut it = campaign(json!([offer("o", json!({"amount": 5}))]));
            it["timezone"] = "America/Chicago".into();
            it[key] = value;
            let reply = reply(&[it], &cart(&[(1, 100)]));
            assert_eq!((&reply["discount"], rejected(&reply)), (&json!(0), vec![("c", reason)]));
        }
    }

    #[test]
    fn a_campaign_without_a_zone_runs_by_the_locations_clock_else_the_deployments() {
        let mut it = campaign(json!([offer("o", json!({"amount": 5}))]));
        it["starts_at"] = "2026-07-04T12:00".into();
        let mut request = json!({"campaigns": [it], "cart": cart(&[(1, 100)]),
            "at": "2026-07-04T13:00:00Z"});
        assert_eq!(reply_to(&request)["discount"], 5);
        request["location"] = json!({"timezone": "America/Chicago"});
        assert_eq!(reply_to(&request)["discount"], 0);
    }
}

mod ledger {
    use super::*;

    struct Till {
        campaign: Campaign,
        cart: Cart,
        context: Context,
    }

    impl Till {
        fn new(offers: Value, cart: &Value) -> Self {
            let json = campaign(offers).to_string();
            Self {
                campaign: Campaign::from_json(json.as_bytes()).unwrap(),
                cart: Cart::from_json(cart.to_string().as_bytes()).unwrap(),
                context: Context {
                    at: Instant::parse("2026-07-04T17:30:00-05:00").unwrap(),
                    location: LocationFacts::default(),
                    default_zone: Zone::utc(),
                },
            }
        }

        fn decide<'a>(&'a self, allowances: &'a [Allowance], at_most: Option<u64>) -> Decision<'a> {
            let asked =
                Asked { campaign: &self.campaign, allowances, at_most: at_most.map(Money::new) };
            decide(&[asked], &self.cart, &self.context).unwrap()
        }
    }

    fn given(decision: &Decision<'_>) -> Vec<(usize, u64)> {
        decision.applied.iter().map(|it| (it.offer, it.discount.minor())).collect()
    }

    fn reasons(decision: &Decision<'_>) -> Vec<(Option<usize>, Reason)> {
        decision.rejected.iter().map(|it| (it.offer, it.reason)).collect()
    }

    fn two() -> Till {
        let offers =
            json!([offer("a", json!({"percent": "10"})), offer("b", json!({"amount": 50}))]);
        Till::new(offers, &cart(&[(1, 1000), (1, 500)]))
    }

    #[test]
    fn a_partial_budget_is_itself_spread_over_the_lines() {
        let decision = two().decide(&[Allowance::AtMost(Money::new(100))], None).applied;
        let first = decision.first().unwrap();
        assert_eq!(first.lines, [(0, Money::new(67)), (1, Money::new(33))]);
    }

    #[test]
    fn a_campaigns_budget_is_given_to_its_offers_in_turn() {
        assert_eq!(given(&two().decide(&[], Some(170))), [(0, 150), (1, 20)]);
        let till = two();
        let decision = till.decide(&[], Some(150));
        assert_eq!(given(&decision), [(0, 150)]);
        assert_eq!(reasons(&decision), [(Some(1), Reason::BudgetExhausted)]);
    }

    #[test]
    fn an_offer_that_the_ledger_refuses_takes_no_part_in_any_choice() {
        let mut offers = json!([
            offer("a", json!({"amount": 500})),
            offer("b", json!({"amount": 50})),
            offer("c", json!({"amount": 5})),
        ]);
        offers[0]["stacking"] = "exclusive".into();
        offers[1]["group"] = "g".into();
        offers[2]["group"] = "g".into();
        let till = Till::new(offers, &cart(&[(1, 1000)]));
        let refused = Allowance::Refused(Reason::QuotaExhausted);
        let refusals = [refused];
        let decision = till.decide(&refusals, None);
        assert_eq!(given(&decision), [(1, 50)]);
        let expected = [(Some(0), Reason::QuotaExhausted), (Some(2), Reason::Outbid)];
        assert_eq!(reasons(&decision), expected);
        assert_eq!(given(&till.decide(&[refused, refused], None)), [(2, 5)]);
    }

    #[test]
    fn what_was_not_asked_for_neither_applies_nor_is_rejected() {
        let till = two();
        let decision = till.decide(&[Allowance::NotAsked], None);
        assert_eq!(given(&decision), [(1, 50)]);
        assert!(decision.rejected.is_empty());
    }

    #[test]
    fn a_choice_is_made_by_what_the_budget_lets_an_offer_give() {
        let mut offers =
            json!([offer("a", json!({"amount": 500})), offer("b", json!({"amount": 50}))]);
        offers[0]["group"] = "g".into();
        offers[1]["group"] = "g".into();
        let till = Till::new(offers, &cart(&[(1, 1000)]));
        assert_eq!(given(&till.decide(&[Allowance::AtMost(Money::new(20))], None)), [(1, 50)]);
        assert_eq!(given(&till.decide(&[Allowance::AtMost(Money::new(60))], None)), [(0, 60)]);
    }
}

mod cuts {
    use super::*;

    #[test]
    fn a_subtotal_cuts_the_lines_part_and_the_fees_shares_stay() {
        let mut cart = cart(&[(1, 1000), (1, 500)]);
        cart["subtotal"] = 300.into();
        cart["fees"] = json!([{"id": "d", "kind": "delivery", "amount": 400}]);
        let on = json!({"any_of": ["tab", {"fees": ["delivery"]}]});
        let reply =
            reply(&[campaign(json!([offer("o", json!({"percent": "50", "on": on}))]))], &cart);
        assert_eq!(
            reply["offers"][0]["lines"],
            json!([
            {"id": "1", "discount": 200}, {"id": "2", "discount": 100}])
        );
        assert_eq!(reply["offers"][0]["fees"], json!([{"id": "d", "discount": 200}]));
    }

    #[test]
    fn a_bundle_that_the_subtotal_cuts_is_spread_over_the_units_of_the_sets_that_save() {
        let mut cart = cart(&[(2, 1000), (2, 500)]);
        cart["subtotal"] = 90.into();
        let bundle = json!({"bundle": [{"items": {}, "quantity": 2}], "price": 1500});
        assert_eq!(shares(bundle, &cart), [90, 0]);
    }

    #[test]
    fn a_maximum_leaves_a_floor_alone() {
        let mut cart = cart(&[(2, 1000), (1, 1000)]);
        cart["lines"][0]["min_unit_price"] = 990.into();
        assert_eq!(shares(json!({"percent": "10", "max": 100}), &cart), [20, 80]);
    }
}
