//! What tabs earn, and what programmes are refused.

use super::*;
use crate::cart::{CartDraft, LineDraft};
use crate::engine::LocationFacts;

fn programme(earn: &str) -> Programme {
    let json = format!(r#"{{"name": "Club", "timezone": "America/Chicago", "earn": {earn}}}"#);
    Programme::from_json(json.as_bytes()).unwrap()
}

fn line(sku: &str, quantity: i64, unit_price: i64) -> LineDraft {
    LineDraft {
        id: sku.to_owned(),
        sku: Some(sku.to_owned()),
        quantity,
        unit_price,
        ..LineDraft::default()
    }
}

fn earned(earn: &str, at: &str, paid: u64) -> u64 {
    let draft = CartDraft {
        currency: Some("USD".to_owned()),
        lines: vec![line("IPA", 3, 600), line("BURGER", 1, 1200)],
        ..CartDraft::default()
    };
    let context = Context {
        at: Instant::parse(at).unwrap(),
        location: LocationFacts::default(),
        default_zone: Zone::utc(),
    };
    programme(earn).earned(&draft.check().unwrap(), &context, Money::new(paid))
}

#[test]
fn a_tab_earns_by_each_rule_that_holds_and_fractions_are_dropped() {
    let at = "2026-07-06T20:00:00-05:00"; // a Monday
    for (earn, paid, points) in [
        (r#"[{"points": 1, "per_amount": 100}]"#, 3000, 30),
        (r#"[{"points": 1, "per_amount": 100, "on": "tab"}]"#, 2999, 29),
        (r#"[{"points": 7, "per_amount": 1000}]"#, 2999, 14),
        (r#"[{"points": 50, "per_visit": true}]"#, 0, 50),
        (r#"[{"points": 10, "per_item": {"sku": ["IPA"]}}]"#, 3000, 30),
        (r#"[{"points": 1, "per_amount": 100, "on": {"items": {"sku": ["IPA"]}}}]"#, 3000, 18),
        // Half was paid, so half of the beer.
        (r#"[{"points": 1, "per_amount": 100, "on": {"items": {"sku": ["IPA"]}}}]"#, 1500, 9),
        (r#"[{"points": 50, "per_visit": true, "when": {"days": ["mon"]}}]"#, 1, 50),
        (r#"[{"points": 50, "per_visit": true, "when": {"days": ["tue"]}}]"#, 1, 0),
        (r#"[{"points": 1, "per_amount": 100}, {"points": 5, "per_visit": true}]"#, 100, 6),
        ("[]", 3000, 0),
    ] {
        assert_eq!(earned(earn, at, paid), points, "{earn}");
    }
}

#[test]
fn every_fault_of_a_programme_is_told_where_it_is() {
    let json = br#"{"name": " ", "colour": 1, "earn": [{"points": 0, "per_visit": false}, {"points": 1},
        {"points": 1, "per_visit": true, "on": "tab"}],
        "expire": {}, "tiers": [{"id": "a", "from_points": 1}, {"id": "a", "from_points": 1, "multiplier": "x"}],
        "rewards": [{"id": "points-5", "name": "n", "cost": 0, "offer": {}}], "negative": "maybe",
        "phone_region": "us", "pay_with_points": {"points": 1}, "timezone": "Mars/Base"}"#;
    let faults = Programme::from_json(json).unwrap_err();
    let mut told: Vec<&str> =
        faults.as_slice().iter().map(|fault| fault.pointer.as_str()).collect();
    told.sort_unstable();
    told.dedup();
    let expected = [
        "/colour",
        "/earn/0/per_visit",
        "/earn/0/points",
        "/earn/1",
        "/earn/2",
        "/expire",
        "/name",
        "/negative",
        "/pay_with_points/value",
        "/phone_region",
        "/rewards/0/cost",
        "/rewards/0/id",
        "/rewards/0/offer",
        "/tiers/1/from_points",
        "/tiers/1/id",
        "/tiers/1/multiplier",
        "/timezone",
    ];
    assert_eq!(told, expected, "{faults}");
}

#[test]
fn points_are_worth_whole_minor_units_and_cover_what_they_pay() {
    let pay = Pay { points: 3, value: 10 };
    for (points, worth) in [(3, 10), (1, 3), (2, 6), (0, 0), (u64::MAX, u64::MAX)] {
        assert_eq!(pay.worth(points), worth, "{points}");
    }
    for value in 0..100 {
        let cost = pay.cost(value);
        assert!(pay.worth(cost) >= value, "{cost} points do not cover {value}");
        assert!(cost == 0 || pay.worth(cost.saturating_sub(1)) < value.max(1), "{value}");
    }
}

#[test]
fn a_warning_tells_what_makes_no_sense() {
    let warned = |json: &str| -> Vec<String> {
        let programme = Programme::from_json(json.as_bytes()).unwrap();
        let now = Instant::parse("2026-07-04T12:00:00Z").unwrap();
        programme.warnings(now).into_iter().map(|warning| warning.pointer).collect()
    };
    assert_eq!(warned(r#"{"name": "Empty"}"#), ["/earn", "/rewards"]);
    let earn = r#""name": "C", "earn": [{"points": 1, "per_visit": true}]"#;
    let pay = r#""pay_with_points": {"points": 1, "value": 1}"#;
    let at = |date: &str| warned(&format!(r#"{{{earn}, {pay}, "expire": {{"at": "{date}"}}}}"#));
    assert_eq!(at("2026-07-04"), ["/expire/at"]);
    assert!(at("2026-07-05").is_empty());
    let never = r#"{"id": "a", "name": "A", "cost": 1, "offer": {"discount": {"percent": "0"}}}"#;
    assert_eq!(warned(&format!(r#"{{{earn}, "rewards": [{never}]}}"#)).len(), 1);
}
