//! Why an offer does not apply, in a word and in words.

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
    let (closed, channel) = (json!({"hours": [["01:00", "02:00"]]}), json!({"channel": ["qr"]}));
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
