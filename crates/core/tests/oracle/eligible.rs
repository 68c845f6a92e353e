//! Whether an offer's `when` holds, and if not, why.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pick::matches;
use super::tab::Tab;
use super::time::Moment;
use super::{has, in_range, list, share_a_member};

/// What a condition is asked about.
pub struct Asked<'a> {
    pub request: &'a Value,
    pub moment: &'a Moment,
    pub tab: &'a Tab,
}

/// Why the offer's `when` does not hold; `None` where it does.
pub fn refusal(offer: &Value, asked: &Asked<'_>) -> Option<String> {
    let when = &offer["when"];
    if when.is_null() || holds(when, asked) {
        return None;
    }
    let causes = causes(when, asked);
    //> `condition_not_met` (a tree with no single cause)
    Some(if causes.len() == 1 {
        causes.first().unwrap().clone()
    } else {
        "condition_not_met".to_owned()
    })
}

/// The leaves that make a condition fail, by their reasons.
fn causes(condition: &Value, asked: &Asked<'_>) -> BTreeSet<String> {
    let (key, inner) = condition.as_object().unwrap().iter().next().unwrap();
    match key.as_str() {
        "all" | "any" => list(inner)
            .iter()
            .filter(|child| !holds(child, asked))
            .flat_map(|child| causes(child, asked))
            .collect(),
        "not" => {
            let (inner_key, inner) = inner.as_object().unwrap().iter().next().unwrap();
            match inner_key.as_str() {
                // Turned round twice it is what it was.
                "not" => causes(inner, asked),
                // The items are there: that they are missing would be the opposite of the truth.
                "items" => ["condition_not_met".to_owned()].into(),
                leaf => [leaf_reason(leaf).to_owned()].into(),
            }
        }
        leaf => [leaf_reason(leaf).to_owned()].into(),
    }
}

fn leaf_reason(key: &str) -> &'static str {
    match key {
        "subtotal" => "subtotal_out_of_range",
        "items" => "items_missing",
        "location" | "location_tag" => "wrong_location",
        "days" => "outside_days",
        "hours" => "outside_hours",
        "dates" => "outside_dates",
        "channel" => "wrong_channel",
        "customer" => "wrong_customer",
        "all" | "any" | "not" => "condition_not_met",
        other => panic!("condition {other}"),
    }
}

//> Tree: `{"all": […]}`, `{"any": […]}`, `{"not": C}`. […] Every leaf combines with every other.
fn holds(condition: &Value, asked: &Asked<'_>) -> bool {
    let (key, inner) = condition.as_object().unwrap().iter().next().unwrap();
    match key.as_str() {
        "all" => list(inner).iter().all(|child| holds(child, asked)),
        "any" => list(inner).iter().any(|child| holds(child, asked)),
        "not" => !holds(inner, asked),
        "subtotal" => subtotal(inner, asked.tab),
        "items" => items(inner, &asked.request["cart"]),
        //> the event's location, or a tag of its location document
        "location" => has(inner, &asked.request["cart"]["location_id"]),
        "location_tag" => share_a_member(inner, &asked.request["location"]["tag"]),
        "days" => asked.moment.in_days(list(inner)),
        "hours" => asked.moment.in_hours(list(inner)),
        "dates" => asked.moment.in_dates(list(inner)),
        //> the cart's `channel`
        "channel" => has(inner, &asked.request["cart"]["channel"]),
        "customer" => customer(inner, &asked.request["cart"]["customer"]),
        other => panic!("condition {other}"),
    }
}

//> the subtotal lies in the closed range; either bound may be absent
fn subtotal(wanted: &Value, tab: &Tab) -> bool {
    let subtotal = match wanted["of"].as_str().unwrap_or("initial") {
        //> "initial" (default, before any discount)
        "initial" => tab.subtotal,
        //> or "remaining" (after the offers applied before this one)
        "remaining" => tab.remaining_subtotal(),
        other => panic!("of {other}"),
    };
    in_range(wanted, subtotal)
}

//> the matching lines reach every bound that is given (default `min_quantity` 1)
fn items(wanted: &Value, cart: &Value) -> bool {
    let lines: Vec<&Value> =
        list(&cart["lines"]).iter().filter(|line| matches(&wanted["match"], line)).collect();
    let (mut quantity, mut amount) = (0, 0);
    let mut skus = BTreeSet::new();
    for line in lines {
        let units = line["quantity"].as_i64().unwrap();
        quantity += units;
        amount += units * line["unit_price"].as_i64().unwrap();
        //> `min_different` counts different skus
        skus.insert(line["sku"].as_str().unwrap());
    }
    let different = i64::try_from(skus.len()).unwrap();
    quantity >= wanted["min_quantity"].as_i64().unwrap_or(1)
        && amount >= wanted["min_amount"].as_i64().unwrap_or(0)
        && different >= wanted["min_different"].as_i64().unwrap_or(0)
}

//> all given keys hold
fn customer(wanted: &Value, customer: &Value) -> bool {
    //> known: any of id, phone, e-mail is there
    let known = ["id", "phone", "email"].iter().any(|key| customer[key].is_string());
    wanted.as_object().unwrap().iter().all(|(key, wanted)| {
        if key == "known" {
            return wanted.as_bool().unwrap() == known;
        }
        //> an unknown customer, or a fact nobody knows, fails every key but `"known": false`
        if !known {
            return false;
        }
        match key.as_str() {
            "tag" => share_a_member(wanted, &customer["tag"]),
            "tier" => has(wanted, &customer["tier"]),
            "first_order" => customer["first_order"] == *wanted,
            //> `orders` counts earlier orders
            "orders" => customer["orders"].as_i64().is_some_and(|orders| in_range(wanted, orders)),
            other => panic!("customer {other}"),
        }
    })
}
