//! Rules that the shared vectors leave out, one sentence each.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::needless_pass_by_value,
    reason = "small numbers of a test, and values that are written where they are used"
)]

use serde_json::{Value, json};

use super::{
    Allowance, Asked, Context, Decision, LocationFacts, Reason, Standing, decide,
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

mod choice;
mod cuts;
mod ledger;
mod reasons;
mod standing;
mod units;
