//! The kinds of discount: what each takes off which unit of the tab as it stands.

use num_bigint::BigInt;
use num_rational::BigRational;
use serde_json::Value;

use super::list;
use super::pick;
use super::spread::{self, Policy, over_lines, over_single_units, over_units, whole};
use super::tab::{At, Tab, Take, sum};

/// Takes all discounts of an offer off the tab, at most so much together, and returns what was taken.
pub fn apply_offer(tab: &mut Tab, offer: &Value, policy: &Policy, most: i64) -> Vec<Take> {
    //> or `"discounts": [ … ]`: several, one after another, as one offer
    let discounts = if offer["discounts"].is_array() {
        list(&offer["discounts"]).to_vec()
    } else {
        vec![offer["discount"].clone()]
    };
    let mut all: Vec<Take> = Vec::new();
    for discount in discounts {
        let takes = takes_of(tab, &discount, policy, most - sum(&all));
        tab.take(&takes);
        all.extend(takes);
    }
    all
}

fn takes_of(tab: &Tab, discount: &Value, policy: &Policy, most: i64) -> Vec<Take> {
    let (selection, mut takes) = uncut(tab, discount, policy);
    //> When […] a partial budget […] cuts a discount, the smaller sum itself is spread by this rule.
    if sum(&takes) > most {
        takes = over_lines(tab, &selection, most, policy);
    }
    stop_at_subtotal(tab, &selection, takes, policy)
}

/// The units a discount is about, and what it takes off each.
fn uncut(tab: &Tab, discount: &Value, policy: &Policy) -> (Vec<At>, Vec<Take>) {
    let on = &discount["on"];
    if discount["buy"].is_object() {
        //> the got units of all sets are reduced together
        let got = pick::got_units(tab, discount);
        let takes = at_rate(tab, &got, &discount["get"], policy);
        (got, takes)
    } else if discount["bundle"].is_array() {
        bundle(tab, discount, policy)
    } else if discount["tiers"].is_array() {
        let selection = pick::target(tab, on);
        let takes = match tier(tab, &selection, discount) {
            Some(tier) if tier["amount"].is_i64() => amount(tab, &selection, tier, policy),
            Some(tier) => at_rate(tab, &selection, tier, policy),
            None => Vec::new(),
        };
        (selection, takes)
    } else if discount["cheapest"].is_u64() || discount["dearest"].is_u64() {
        let picked = pick::cheapest_or_dearest(tab, discount);
        let takes = at_rate(tab, &picked, discount, policy);
        (picked, takes)
    } else if discount["amount"].is_i64() {
        let selection = pick::target(tab, on);
        let takes = amount(tab, &selection, discount, policy);
        (selection, takes)
    } else {
        let selection = pick::limited(&pick::target(tab, on), discount);
        let mut takes = at_rate(tab, &selection, discount, policy);
        //> `max` caps the whole discount
        //> When `max` […] cuts a discount, the smaller sum itself is spread by this rule.
        if let Some(max) = discount["max"].as_i64()
            && sum(&takes) > max
        {
            takes = over_lines(tab, &selection, max, policy);
        }
        (selection, takes)
    }
}

//> one sum spread over the target, never more than the target is worth
fn amount(tab: &Tab, selection: &[At], discount: &Value, policy: &Policy) -> Vec<Take> {
    let worth: i64 = selection.iter().map(|&at| tab.unit(at).left).sum();
    let amount = discount["amount"].as_i64().unwrap();
    over_lines(tab, selection, amount.min(worth), policy)
}

//> A *rate* is one of `percent`, `amount_each`, `unit_price`.
fn at_rate(tab: &Tab, selection: &[At], rate: &Value, policy: &Policy) -> Vec<Take> {
    if let Some(percent) = rate["percent"].as_str() {
        return at_percent(tab, selection, &fraction(percent), policy);
    }
    let mut takes = Vec::new();
    for &at in selection {
        let unit = tab.unit(at);
        let wanted = if let Some(each) = rate["amount_each"].as_i64() {
            //> so much off each unit (a fee is one unit), never below 0
            each
        } else {
            //> each unit sold at this price, which is its price after all earlier offers; never raises a price
            (unit.left - rate["unit_price"].as_i64().unwrap()).max(0)
        };
        takes.push(Take { at, amount: wanted.min(unit.room()) });
    }
    takes
}

//> a percentage is an exact decimal
fn fraction(percent: &str) -> BigRational {
    let (before, after) = percent.split_once('.').unwrap_or((percent, ""));
    let digits: BigInt = format!("{before}{after}").parse().unwrap();
    let scale = BigInt::from(10).pow(u32::try_from(after.len()).unwrap());
    BigRational::new(digits, scale * 100)
}

//> `percent_basis` says what is rounded
fn at_percent(tab: &Tab, selection: &[At], fraction: &BigRational, policy: &Policy) -> Vec<Take> {
    //> `percent_of: "initial"` takes a percentage from the original prices
    let base = |at: &At| match policy.percent_of.as_str() {
        "initial" => tab.unit(*at).price,
        "remaining" => tab.unit(*at).left,
        other => panic!("percent_of {other}"),
    };
    let percentage = |units: &[At]| -> i64 {
        let of: i64 = units.iter().map(base).sum();
        spread::round(&(fraction * whole(of)), &policy.mode)
    };
    let room = |units: &[At]| -> i64 { units.iter().map(|&at| tab.unit(at).room()).sum() };
    let mut takes = Vec::new();
    match policy.percent_basis.as_str() {
        //> `"line"` each line's share
        "line" => {
            for units in spread::by_thing(selection) {
                let share = percentage(&units).min(room(&units));
                takes.extend(over_units(tab, &units, share));
            }
        }
        //> `"unit"` each unit's own share
        "unit" => {
            for &at in selection {
                let amount = percentage(&[at]).min(room(&[at]));
                takes.push(Take { at, amount });
            }
        }
        //> `"order"` the sum over the target, then spread over its lines
        //> where it is a sum (basis "order"), that sum is still spread in proportion to what is left
        "order" => takes = over_lines(tab, selection, percentage(selection), policy),
        other => panic!("percent_basis {other}"),
    }
    takes
}

//> each set for one price; never raises a price
fn bundle(tab: &Tab, discount: &Value, policy: &Policy) -> (Vec<At>, Vec<Take>) {
    let price = discount["price"].as_i64().unwrap();
    let (mut selection, mut takes) = (Vec::new(), Vec::new());
    for set in pick::bundles(tab, discount) {
        let worth: i64 = set.iter().map(|&at| tab.unit(at).left).sum();
        let saving = worth - price;
        if saving > 0 {
            //> each set's saving is spread over its units
            takes.extend(over_single_units(tab, &set, saving, policy));
            selection.extend(set);
        }
    }
    (selection, takes)
}

//> the highest tier reached applies, with its rate or `amount`
fn tier<'a>(tab: &Tab, selection: &[At], discount: &'a Value) -> Option<&'a Value> {
    let reached = match discount["by"].as_str().unwrap_or("amount") {
        //> `by` "amount" (the target's value before any discount, for the tab its lines' prices)
        "amount" => selection.iter().map(|&at| tab.unit(at).price).sum(),
        //> or "quantity" (its units)
        "quantity" => i64::try_from(selection.len()).unwrap(),
        other => panic!("by {other}"),
    };
    //> `from` strictly ascending
    list(&discount["tiers"]).iter().rfind(|tier| tier["from"].as_i64().unwrap() <= reached)
}

//> all discounts on lines together stop at the smaller of the two (the lines' part of a discount is cut; its fees' shares stay)
fn stop_at_subtotal(tab: &Tab, selection: &[At], takes: Vec<Take>, policy: &Policy) -> Vec<Take> {
    let (on_lines, on_fees): (Vec<Take>, Vec<Take>) =
        takes.into_iter().partition(|take| tab.of_a_line(take.at));
    let may = tab.lines_stop_at - tab.taken_off_lines;
    if sum(&on_lines) <= may {
        return [on_lines, on_fees].concat();
    }
    //> When […] the subtotal cuts a discount, the smaller sum itself is spread by this rule.
    let units_of_lines: Vec<At> =
        selection.iter().copied().filter(|&at| tab.of_a_line(at)).collect();
    let cut = over_lines(tab, &units_of_lines, may, policy);
    [cut, on_fees].concat()
}
