//! How the engine reads `campaign.md` where no shared vector decides: one case for each reading.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod engine;

use serde_json::{Value, json};

/// The engine's reply; what a request leaves out is what most tests have in common.
fn reply(campaigns: &Value, cart: &Value, more: &Value) -> Value {
    let mut request = json!({"campaigns": campaigns, "cart": cart, "at": "2026-07-04T12:00:00Z"});
    let known = json!({"currency": "USD", "combines_with": "any", "name": "Name"});
    for campaign in request["campaigns"].as_array_mut().unwrap() {
        fill(campaign, &known);
        for offer in campaign["offers"].as_array_mut().unwrap() {
            fill(offer, &json!({"name": "Name"}));
        }
    }
    fill(&mut request["cart"], &json!({"currency": "USD"}));
    fill(&mut request, more);
    engine::simulate(&request).unwrap()
}

fn fill(object: &mut Value, with: &Value) {
    for (key, value) in with.as_object().unwrap() {
        if object[key].is_null() {
            object[key] = value.clone();
        }
    }
}

/// One campaign with these offers.
fn campaign(offers: &Value) -> Value {
    json!([{"id": "one", "codes": {"fixed": ["ONE"]}, "offers": offers}])
}

/// What each offer gives.
fn given(reply: &Value) -> Value {
    reply["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["offer"], it["discount"]]))
        .collect()
}

/// Which offer, campaign or code is rejected, and why.
fn rejected(reply: &Value) -> Value {
    let what = |it: &Value| {
        let mut keys = ["offer", "campaign", "code"].iter().map(|key| it[key].clone());
        json!([keys.find(Value::is_string), it["reason"]])
    };
    reply["rejected"].as_array().unwrap().iter().map(what).collect()
}

fn burgers(quantity: u64, unit_price: u64) -> Value {
    json!({"lines": [{"id": "1", "sku": "BURGER", "quantity": quantity, "unit_price": unit_price}]})
}

#[test]
fn a_later_campaigns_group_is_judged_by_what_the_earlier_ones_left() {
    let campaigns = json!([
        {"id": "half", "codes": {"fixed": ["AAA"]}, "offers": [{"id": "half", "discount": {"percent": "50"}}]},
        {"id": "group", "codes": {"fixed": ["BBB"]}, "offers": [
            {"id": "a-fifth", "group": "g", "discount": {"percent": "20"}},
            {"id": "two-off", "group": "g", "discount": {"amount": 150}}
        ]}
    ]);
    // Of 1000 a fifth would be more than 150, of the 500 that are left it is not.
    let reply = reply(&campaigns, &burgers(1, 1000), &json!({}));
    assert_eq!(given(&reply), json!([["half", 500], ["two-off", 150]]));
    assert_eq!(rejected(&reply), json!([["a-fifth", "outbid"]]));
}

#[test]
fn a_later_campaigns_exclusive_offer_is_judged_by_what_the_earlier_ones_left() {
    let exclusive = |when: Value| {
        json!([
            {"id": "first", "codes": {"fixed": ["AAA"]}, "offers": [{"id": "to-800", "discount": {"unit_price": 800}}]},
            {"id": "second", "codes": {"fixed": ["BBB"]}, "offers": [
                {"id": "alone", "stacking": "exclusive", "when": when, "discount": {"unit_price": 800}},
                {"id": "one-off", "discount": {"amount": 100}}
            ]}
        ])
    };
    // Worth nothing to whom the earlier campaign left no more than 800, it excludes nothing.
    let worthless =
        reply(&exclusive(json!({"items": {"match": {}}})), &burgers(1, 1000), &json!({}));
    assert_eq!(given(&worthless), json!([["to-800", 200], ["one-off", 100]]));
    assert_eq!(rejected(&worthless), json!([["alone", "worth_nothing"]]));
    let condition = json!({"subtotal": {"min": 900, "of": "remaining"}});
    let too_little_left = reply(&exclusive(condition), &burgers(1, 1000), &json!({}));
    assert_eq!(given(&too_little_left), json!([["to-800", 200], ["one-off", 100]]));
    assert_eq!(rejected(&too_little_left), json!([["alone", "subtotal_out_of_range"]]));
}

#[test]
fn beside_an_exclusive_offer_the_others_keep_a_reason_of_their_own() {
    let campaigns = campaign(&json!([
        {"id": "alone", "stacking": "exclusive", "discount": {"amount": 500}},
        {"id": "eligible", "discount": {"amount": 100}},
        {"id": "night", "when": {"hours": [["22:00", "02:00"]]}, "discount": {"amount": 100}},
        {"id": "small", "when": {"subtotal": {"max": 900, "of": "remaining"}}, "discount": {"amount": 100}},
        {"id": "never-dearer", "discount": {"unit_price": 1200}}
    ]));
    let reply = reply(&campaigns, &burgers(1, 1000), &json!({}));
    assert_eq!(given(&reply), json!([["alone", 500]]));
    let reasons = json!([
        ["eligible", "excluded"],
        ["night", "outside_hours"],
        ["small", "subtotal_out_of_range"],
        ["never-dearer", "worth_nothing"]
    ]);
    assert_eq!(rejected(&reply), reasons);
}

#[test]
fn the_best_of_a_group_gets_its_turn_though_alone_it_would_give_nothing() {
    let campaigns = campaign(&json!([
        {"id": "a-tenth", "priority": 1, "discount": {"percent": "10"}},
        {"id": "to-14", "group": "g", "discount": {"cheapest": 1, "unit_price": 14}}
    ]));
    // The cheapest unit costs 14 already, until the first offer takes it to its floor: then it is the other one.
    let cart = json!({"lines": [
        {"id": "1", "quantity": 1, "unit_price": 17},
        {"id": "2", "quantity": 1, "unit_price": 14, "min_unit_price": 13}
    ]});
    let reply = reply(&campaigns, &cart, &json!({}));
    assert_eq!(given(&reply), json!([["a-tenth", 3], ["to-14", 1]]));
}

#[test]
fn a_campaign_that_is_over_says_so_whatever_its_currency() {
    let mut campaigns = campaign(&json!([{"id": "o", "discount": {"amount": 1}}]));
    campaigns[0]["currency"] = json!("EUR");
    assert_eq!(
        rejected(&reply(&campaigns, &burgers(1, 100), &json!({}))),
        json!([["one", "wrong_currency"]])
    );
    campaigns[0]["ends_at"] = json!("2026-07-01T00:00");
    assert_eq!(
        rejected(&reply(&campaigns, &burgers(1, 100), &json!({}))),
        json!([["one", "ended"]])
    );
    campaigns[0]["active"] = json!(false);
    assert_eq!(
        rejected(&reply(&campaigns, &burgers(1, 100), &json!({}))),
        json!([["one", "inactive"]])
    );
}

#[test]
fn a_campaign_whose_code_was_not_typed_and_a_code_that_leads_nowhere_are_both_named() {
    let campaigns = campaign(&json!([{"id": "o", "discount": {"amount": 1}}]));
    let typed = |codes: Value| reply(&campaigns, &burgers(1, 100), &json!({"codes": codes}));
    assert_eq!(rejected(&typed(json!([]))), json!([["one", "unknown_code"]]));
    assert_eq!(rejected(&typed(json!(["one"]))), json!([]));
    let both = json!([["one", "unknown_code"], ["TWO", "unknown_code"]]);
    assert_eq!(rejected(&typed(json!(["two"]))), both);
    assert_eq!(rejected(&typed(json!(["two", "One", "T-W-O"]))), json!([["TWO", "unknown_code"]]));
}

#[test]
fn a_condition_turned_round_twice_has_the_reason_of_what_it_turns_round() {
    let why = |when: Value| {
        let campaigns = campaign(&json!([{"id": "o", "when": when, "discount": {"amount": 1}}]));
        rejected(&reply(&campaigns, &burgers(1, 100), &json!({})))[0][1].clone()
    };
    assert_eq!(why(json!({"not": {"not": {"hours": [["01:00", "02:00"]]}}})), "outside_hours");
    assert_eq!(why(json!({"not": {"hours": [["11:00", "13:00"]]}})), "outside_hours");
    // The items are there: that they are missing would be the opposite of the truth.
    assert_eq!(why(json!({"not": {"items": {"match": {"sku": ["BURGER"]}}}})), "condition_not_met");
    assert_eq!(why(json!({"items": {"match": {"sku": ["FRIES"]}}})), "items_missing");
}
