//! Documents: what loads, what does not, and what is told of it.

use serde_json::{Value, json};

use super::{Campaign, Codes, CombinesWith, Measure, OnShort};
use crate::code::signed::Prefix;
use crate::ledger::shard::ShardBy;
use crate::time::{Instant, Window, Zone};

/// The least a campaign needs.
fn least() -> Value {
    json!({"id": "c", "name": "C", "currency": "USD", "codes": {"none": true},
        "offers": [{"id": "o", "name": "O", "discount": {"percent": "10"}}]})
}

fn load(document: &Value) -> Campaign {
    Campaign::from_json(document.to_string().as_bytes()).unwrap()
}

/// The faults of a document, as `pointer: detail`.
fn faults(document: &Value) -> Vec<String> {
    faults_of(document.to_string().as_bytes())
}

fn faults_of(json: &[u8]) -> Vec<String> {
    let faults = Campaign::from_json(json).unwrap_err();
    faults.as_slice().iter().map(ToString::to_string).collect()
}

/// The pointers alone.
fn places(document: &Value) -> Vec<String> {
    let faults = Campaign::from_json(document.to_string().as_bytes()).unwrap_err();
    faults.into_iter().map(|fault| fault.pointer).collect()
}

fn with(key: &str, value: Value) -> Value {
    let mut document = least();
    document[key] = value;
    document
}

fn with_offer(key: &str, value: Value) -> Value {
    let mut document = least();
    document["offers"][0][key] = value;
    document
}

fn with_discount(discount: Value) -> Value {
    with_offer("discount", discount)
}

fn warnings(document: &Value) -> Vec<String> {
    let now = Instant::parse("2026-07-04T17:30:00-05:00").unwrap();
    load(document).warnings(now).iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_left_out_has_its_default() {
    let campaign = load(&least());
    assert!(campaign.active() && campaign.quotas().is_empty() && campaign.zone().is_none());
    assert_eq!(campaign.combines_with(), &CombinesWith::None);
    assert_eq!((campaign.retention_days(), campaign.ledger().shards), (400, 1));
    assert_eq!(campaign.codes(), &Codes::None);
    assert_eq!(campaign.expires_at(&Zone::utc()), None);
    assert_eq!(campaign.guest().refused, None);
}

#[test]
fn every_fault_is_told_at_once_in_the_documents_order_of_keys() {
    let document = json!({"id": "C!", "name": " ", "currency": "usd", "codes": {}, "offers": [
        {"id": "o", "name": "O", "discount": {"percent": "110"}},
        {"id": "o", "name": "O", "discount": {"amount": 0}, "priority": 2000},
        {"id": "p", "name": "P", "when": {"days": ["friday"]}, "discount": {}}]});
    let expected = [
        "/id",
        "/name",
        "/currency",
        "/codes",
        "/offers/0/discount/percent",
        "/offers/1/id",
        "/offers/1/priority",
        "/offers/1/discount/amount",
        "/offers/2/when/days/0",
        "/offers/2/discount",
    ];
    assert_eq!(places(&document), expected);
}

#[test]
fn a_percentage_out_of_range_says_so() {
    let document = with_discount(json!({"percent": "110"}));
    assert_eq!(faults(&document), ["/offers/0/discount/percent: \"110\": is more than 100"]);
    let number = faults(&with_discount(json!({"percent": 10})));
    assert_eq!(number, ["/offers/0/discount/percent: is a number, and should be a text"]);
}

#[test]
fn a_key_that_is_not_known_is_a_fault_wherever_it_stands() {
    for (document, place) in [
        (with("offer", json!([])), "/offer"),
        (with_offer("priorty", json!(1)), "/offers/0/priorty"),
        (with_discount(json!({"percent": "1", "maximum": 3})), "/offers/0/discount/maximum"),
        (
            with_discount(json!({"percent": "1", "on": {"items": {"SKU": []}}})),
            "/offers/0/discount/on/items/SKU",
        ),
        (with_offer("when", json!({"customer": {"knwon": true}})), "/offers/0/when/customer/knwon"),
        (with("quotas", json!([{"limit": 1, "pre": []}])), "/quotas/0/pre"),
        (with("guest", json!({"hint": true})), "/guest/hint"),
    ] {
        assert_eq!(places(&document), [place], "{document}");
    }
}

#[test]
fn a_key_that_stands_twice_is_a_fault() {
    let json = least().to_string().replacen("\"id\":\"c\"", "\"id\":\"c\",\"id\":\"d\"", 1);
    assert_eq!(faults_of(json.as_bytes()), ["/id: stands here twice"]);
}

#[test]
fn a_discount_is_of_one_kind() {
    for discount in [
        json!({"percent": "5", "amount": 5}),
        json!({"percent": "5", "unit_price": 5}),
        json!({"cheapest": 1, "dearest": 1, "percent": "5"}),
        json!({"cheapest": 1}),
        json!({"buy": {"items": {}, "quantity": 1}}),
        json!({"bundle": [], "price": 5}),
        json!({"bundle": [{"items": {}, "quantity": 0}], "price": 5}),
        json!({"tiers": []}),
        json!({"tiers": [{"from": 5, "percent": "1"}, {"from": 5, "percent": "2"}]}),
        json!({"tiers": [{"from": 5, "percent": "1", "amount": 1}]}),
        json!({"amount": 5, "max_units": 1}),
        json!({"percent": "5", "max": 0}),
        json!({"percent": "5", "on": "table"}),
        json!({"percent": "5", "on": {"sku": ["A"]}}),
        json!({"percent": "5", "on": {"items": {}, "fees": []}}),
        json!({"amount_each": -1}),
        json!({"amount_each": 1.0}),
        json!({"amount": "5"}),
        json!({"unit_price": 9_223_372_036_854_775_808_u64}),
        json!([]),
        json!(null),
    ] {
        let places = places(&with_discount(discount.clone()));
        assert!(places.iter().all(|place| place.starts_with("/offers/0/discount")), "{discount}");
    }
}

#[test]
fn a_condition_has_one_key() {
    for when in [
        json!({}),
        json!({"channel": ["qr"], "days": ["mon"]}),
        json!([]),
        json!({"hours": [["10:00"]]}),
        json!({"hours": [["24:00", "02:00"]]}),
        json!({"hours": [["10:00", "11:00", "12:00"]]}),
        json!({"dates": [["2026-02-30", "2026-03-01"]]}),
        json!({"subtotal": {"of": "later"}}),
        json!({"items": {"min_quantity": 1}}),
        json!({"all": {"channel": ["qr"]}}),
        json!({"not": null}),
    ] {
        let places = places(&with_offer("when", when.clone()));
        assert!(places.iter().all(|place| place.starts_with("/offers/0/when")), "{when}");
    }
}

#[test]
fn codes_that_are_one_code_are_a_fault() {
    let document = with("codes", json!({"fixed": ["Summer 10", "OTHER", "summer-10"]}));
    assert_eq!(faults(&document), ["/codes/fixed/2: is the same code as number 1 of the list"]);
    let signed = load(&with("codes", json!({"signed": {"prefix": "smr-", "count": 10}})));
    assert_eq!(signed.codes(), &Codes::Signed { prefix: Prefix::parse("SMR").unwrap(), count: 10 });
}

#[test]
fn quotas_are_read_as_they_are_meant() {
    let campaign = load(&with(
        "quotas",
        json!([{"limit": 500},
            {"per": ["customer", "location"], "window": "week", "budget": 100, "on_short": "partial",
                "anonymous": "allow"}]),
    ));
    let [limit, budget] = campaign.quotas() else { panic!("two quotas") };
    assert_eq!((limit.measure, limit.window), (Measure::Limit(500), Window::Total));
    assert_eq!(limit.per.names().count(), 0);
    let Measure::Budget { amount, on_short } = budget.measure else { panic!("a budget") };
    assert_eq!((amount.minor(), on_short), (100, OnShort::Partial));
    assert_eq!(budget.per.to_string(), "customer+location");
    assert!(budget.anonymous_allowed);
    for quota in [
        json!({}),
        json!({"limit": 1, "budget": 1}),
        json!({"limit": 1, "on_short": "refuse"}),
        json!({"limit": 1, "anonymous": "allow"}),
        json!({"limit": 1, "per": ["guest"]}),
        json!({"limit": -1}),
    ] {
        assert!(!places(&with("quotas", json!([quota]))).is_empty(), "{quota}");
    }
}

#[test]
fn a_quotas_days_are_the_locations_only_when_it_counts_locations() {
    let mut document = with("quotas", json!([{"limit": 1}, {"per": ["location"], "limit": 1}]));
    let (chicago, utc) = (Zone::parse("America/Chicago").unwrap(), Zone::utc());
    let zones = |document: &Value| {
        let campaign = load(document);
        let zone = |quota| campaign.quota_calendar(quota, Some(&chicago), &utc).zone;
        campaign.quotas().iter().map(|quota| zone(quota).name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(zones(&document), ["UTC", "America/Chicago"]);
    document["timezone"] = "Europe/Madrid".into();
    assert_eq!(zones(&document), ["Europe/Madrid", "Europe/Madrid"]);
}

#[test]
fn an_end_is_an_instant_by_the_campaigns_clock_else_the_given_one() {
    let mut document = with("ends_at", "2026-09-01T00:00".into());
    let ends = |document: &Value, zone: &str| {
        load(document).expires_at(&Zone::parse(zone).unwrap()).unwrap().to_string()
    };
    assert_eq!(ends(&document, "America/Chicago"), "2026-09-01T05:00:00Z");
    document["timezone"] = "Europe/Madrid".into();
    assert_eq!(ends(&document, "America/Chicago"), "2026-08-31T22:00:00Z");
    document["ends_at"] = "2026-09-01T00:00:00+09:00".into();
    assert_eq!(ends(&document, "America/Chicago"), "2026-08-31T15:00:00Z");
}

#[test]
fn both_sides_must_agree_to_combine() {
    let campaign = |id: &str, combines: Value| {
        let mut document = with("combines_with", combines);
        document["id"] = id.into();
        load(&document)
    };
    let (any, none) = (campaign("a", "any".into()), campaign("b", "none".into()));
    let (names_a, names_x) = (campaign("c", json!(["a"])), campaign("d", json!(["x"])));
    assert!(any.combines(&names_a) && names_a.combines(&any));
    assert!(!any.combines(&none) && !any.combines(&names_x) && !names_x.combines(&any));
}

#[test]
fn a_ledger_may_be_divided() {
    let campaign = load(&with("ledger", json!({"shards": 64, "by": "code"})));
    assert_eq!((campaign.ledger().shards, campaign.ledger().by), (64, ShardBy::Code));
    assert_eq!(places(&with("ledger", json!({"shards": 0}))), ["/ledger/shards"]);
}

#[test]
fn a_sound_campaign_has_no_warnings() {
    assert_eq!(warnings(&least()), [""; 0]);
}

#[test]
fn an_offer_that_can_never_apply_is_warned_of() {
    for (when, why) in [
        (json!({"subtotal": {"min": 5, "max": 4}}), "no subtotal"),
        (json!({"hours": [["10:00", "10:00"]]}), "hours"),
        (json!({"dates": [["2026-07-05", "2026-07-04"]]}), "dates"),
        (json!({"all": [{"days": ["mon"]}, {"all": [{"days": ["tue"]}]}]}), "no day in common"),
        (json!({"all": [{"channel": ["qr"]}, {"channel": ["pos"]}]}), "none in common"),
        (json!({"all": [{"subtotal": {"min": 500}}, {"subtotal": {"max": 400}}]}), "no subtotal"),
        (json!({"all": [{"channel": ["qr"]}, {"not": {"channel": ["qr"]}}]}), "denies"),
        (json!({"any": [{"channel": []}, {"any": []}]}), "nothing"),
        (json!({"not": {"all": []}}), "always holds"),
        (json!({"customer": {"known": false, "tier": ["gold"]}}), "not known"),
        (
            json!({"all": [{"customer": {"known": false}}, {"customer": {"tag": ["vip"]}}]}),
            "known and not known",
        ),
        (json!({"items": {"match": {"sku": []}}}), "no line"),
        (json!({"items": {"match": {"not": {}}}}), "no line"),
    ] {
        let warnings = warnings(&with_offer("when", when.clone()));
        assert_eq!(warnings.len(), 1, "{when}: {warnings:?}");
        assert!(warnings[0].starts_with("/offers/0/when: never holds"), "{warnings:?}");
        assert!(warnings[0].contains(why), "{warnings:?}");
    }
    let possible =
        json!({"all": [{"days": ["mon"]}, {"any": [{"days": ["tue"]}, {"channel": ["qr"]}]}]});
    assert_eq!(warnings(&with_offer("when", possible)), [""; 0]);
}

#[test]
fn a_discount_that_gives_nothing_is_warned_of() {
    for discount in [
        json!({"percent": "0"}),
        json!({"percent": "5", "on": {"fees": []}}),
        json!({"amount": 5, "on": {"items": {"unit_price": {"min": 2, "max": 1}}}}),
        json!({"bundle": [{"items": {"sku": []}, "quantity": 1}], "price": 5}),
    ] {
        let warnings = warnings(&with_discount(discount));
        assert!(warnings[0].starts_with("/offers/0/discount: never gives"), "{warnings:?}");
    }
}

#[test]
fn a_night_that_a_business_day_cuts_is_warned_of() {
    let when = json!({"all": [{"days": ["fri"]}, {"hours": [["22:00", "02:00"]]}]});
    let mut document = with_offer("when", when);
    assert!(warnings(&document)[0].contains("business_day_starts"));
    document["business_day_starts"] = "04:00".into();
    assert_eq!(warnings(&document), [""; 0]);
}

#[test]
fn an_offer_in_the_shadow_of_another_is_warned_of_only_when_that_is_certain() {
    let two = |first: Value, second: Value| {
        let (mut one, mut other) = (first, second);
        for (offer, id) in [(&mut one, "a"), (&mut other, "b")] {
            offer["id"] = id.into();
            offer["name"] = id.into();
        }
        warnings(&with("offers", json!([one, other])))
    };
    let exclusive = json!({"stacking": "exclusive", "discount": {"amount": 100}});
    let on_tab = json!({"discount": {"percent": "10"}});
    let on_fees = json!({"discount": {"percent": "10", "on": {"fees": ["delivery"]}}});
    assert_eq!(
        two(exclusive.clone(), on_tab.clone()),
        ["/offers/1: never applies: \"a\" applies alone"]
    );
    assert_eq!(two(exclusive.clone(), on_fees), [""; 0]);
    let mut at_night = exclusive;
    at_night["when"] = json!({"hours": [["22:00", "24:00"]]});
    assert_eq!(two(at_night, on_tab), [""; 0]);
    let in_group = |percent: &str| json!({"group": "g", "discount": {"percent": percent}});
    assert_eq!(
        two(in_group("20"), in_group("10")),
        ["/offers/1: never applies: \"a\" is worth at least as much"]
    );
    assert_eq!(two(in_group("10"), in_group("20")), [""; 0]);
}

#[test]
fn an_end_in_the_past_is_warned_of_once_it_is_past_everywhere() {
    // 22:30 by Greenwich: the day is over in Tokyo, and not in Chicago.
    assert_eq!(warnings(&with("ends_at", "2026-07-04T17:00".into())), [""; 0]);
    assert_eq!(warnings(&with("ends_at", "2026-07-04T10:00".into())).len(), 1);
    let mut document = with("ends_at", "2026-07-05T00:00".into());
    document["timezone"] = "Asia/Tokyo".into();
    assert_eq!(warnings(&document).len(), 1);
    document["timezone"] = "America/Chicago".into();
    assert_eq!(warnings(&document), [""; 0]);
    document["starts_at"] = "2026-07-05T00:00".into();
    assert!(warnings(&document)[0].contains("never runs"));
}

#[test]
fn documents_of_nonsense_are_refused_in_bounded_time() {
    let deep = format!("{}{}", "{\"not\":".repeat(30_000), "}".repeat(30_000));
    let unknown: String = (0..20_000).map(|key| format!("\"k{key}\":1,")).collect();
    let twice = "\"id\":\"a\",".repeat(20_000);
    let offers = "{},".repeat(80_000);
    for json in [
        deep,
        format!("{{{unknown}\"id\":1}}"),
        format!("{{{unknown}{twice}\"id\":1}}"),
        format!("{{\"offers\":[{offers}{{}}]}}"),
        format!("{{\"id\":\"{}\"}}", "x".repeat(250_000)),
        "1e400".into(),
        "[]".into(),
        "null".into(),
        "\"\\ud800\"".into(),
        String::new(),
    ] {
        let faults = Campaign::from_json(json.as_bytes()).unwrap_err();
        assert!(faults.as_slice().len() <= 1001);
    }
}

#[test]
fn a_campaign_has_at_most_a_thousand_fixed_codes_and_says_what_to_use_for_more() {
    let with = |count: usize| {
        let mut document = least();
        let codes: Vec<String> = (0..count).map(|n| format!("CODE{n}")).collect();
        document["codes"] = json!({ "fixed": codes });
        document
    };
    load(&with(1000));
    let json = serde_json::to_vec(&with(1001)).unwrap();
    let faults: Vec<_> = Campaign::from_json(&json).unwrap_err().into_iter().collect();
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.pointer, "/codes/fixed");
    for part in ["1000", "\"listed\": true", "\"signed\""] {
        assert!(fault.detail.contains(part), "{}", fault.detail);
    }
}

#[test]
fn redemptions_are_kept_apart_for_thirty_days_at_least() {
    let with = |days: u32| {
        let mut document = least();
        document["retention_days"] = json!(days);
        serde_json::to_vec(&document).unwrap()
    };
    assert_eq!(Campaign::from_json(&with(30)).unwrap().retention_days(), 30);
    for days in [0, 1, 29] {
        let faults: Vec<_> = Campaign::from_json(&with(days)).unwrap_err().into_iter().collect();
        assert_eq!(faults[0].pointer, "/retention_days");
        assert!(faults[0].detail.contains("less than 30"), "{}", faults[0].detail);
    }
}
