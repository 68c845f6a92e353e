//! Which of several offers, campaigns and codes count.

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
    assert_eq!((&reply["discount"], rejected(&reply)), (&json!(5), vec![("two", "unknown_code")]));
}

#[test]
fn what_cannot_be_a_code_is_named_once_as_it_was_typed() {
    let mut campaign = campaign(json!([offer("o", json!({"percent": "10"}))]));
    campaign["codes"] = json!({"fixed": ["HAPPY"]});
    let long = "A".repeat(2000);
    let typed = json!(["SUMMER_10", "happy", "a", "SUMMER_10", long]);
    let cart = cart(&[(1, 100)]);
    let at = "2026-07-04T17:30:00-05:00";
    let reply = reply_to(&json!({"campaigns": [campaign], "codes": typed, "cart": cart, "at": at}));
    assert_eq!(reply["discount"], 10);
    let rejected = reply["rejected"].as_array().unwrap();
    let codes: Vec<&str> = rejected.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["SUMMER_10", "a", &format!("{}…", "A".repeat(60))]);
    assert!(rejected.iter().all(|it| it["reason"] == "unknown_code"));
    let details: Vec<&str> = rejected.iter().map(|it| it["detail"].as_str().unwrap()).collect();
    assert!(details[0].contains("'_' is neither a letter nor a digit"), "{details:?}");
    assert!(details[1].contains("at least 3"), "{details:?}");
    assert!(details[2].contains("at most 64"), "{details:?}");
}
