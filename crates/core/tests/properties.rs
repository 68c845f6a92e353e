//! What holds of the engine's replies whatever the campaign, each proven on 3,000 generated requests
//! (100,000 with `PROMO_LONG=1`; one with `PROMO_SEED=n`, the number a failure prints).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod engine;
mod generate;

use std::collections::BTreeSet;

use generate::Dice;
use serde_json::{Value, json};

/// Calls `check` with each seed's request and the engine's reply to it; what `check` complains of fails the test.
fn for_every_request(check: impl Fn(&Value, &Value) -> Result<(), String>) {
    for seed in generate::seeds() {
        let request = generate::request(seed);
        let holds = engine::simulate(&request).and_then(|reply| {
            check(&request, &reply).map_err(|complaint| format!("{complaint}\n\n{reply:#}"))
        });
        if let Err(complaint) = holds {
            // What fails smaller is easier to read, be it the same complaint or another one.
            let smallest = generate::shrink(&request, |smaller| {
                engine::simulate(smaller).is_ok_and(|reply| check(smaller, &reply).is_err())
            });
            panic!("seed {seed}: {complaint}\n\nshrunk: {smallest}");
        }
    }
}

fn ensure(holds: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(complaint()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn discounts(list_of: &[Value]) -> i64 {
    list_of.iter().map(|one| number(&one["discount"])).sum()
}

/// What all offers together take off one line or fee.
fn taken(reply: &Value, of: &str, id: &Value) -> i64 {
    let offers = list(&reply["offers"]);
    let shares = offers.iter().flat_map(|offer| list(&offer[of]));
    shares.filter(|share| share["id"] == *id).map(|share| number(&share["discount"])).sum()
}

fn worth_of_lines(cart: &Value) -> i64 {
    let worth = |line: &Value| number(&line["quantity"]) * number(&line["unit_price"]);
    list(&cart["lines"]).iter().map(worth).sum()
}

fn campaign<'a>(request: &'a Value, id: &Value) -> &'a Value {
    let mut campaigns = list(&request["campaigns"]).iter();
    campaigns.find(|one| one["id"] == *id).unwrap()
}

fn offer<'a>(request: &'a Value, applied: &Value) -> &'a Value {
    let mut offers = list(&campaign(request, &applied["campaign"])["offers"]).iter();
    offers.find(|one| one["id"] == applied["offer"]).unwrap()
}

#[test]
fn the_shares_of_an_offer_add_up_to_its_discount_and_the_offers_to_the_whole() {
    for_every_request(|request, reply| {
        let offers = list(&reply["offers"]);
        ensure(number(&reply["discount"]) == discounts(offers), || {
            "the offers do not add up".to_owned()
        })?;
        for offer in offers {
            let (lines, fees) = (list(&offer["lines"]), list(&offer["fees"]));
            let shared = discounts(lines) + discounts(fees);
            let discount = number(&offer["discount"]);
            let adds_up = if list(&request["cart"]["lines"]).is_empty() {
                // The share of the subtotal has no line to stand on.
                lines.is_empty() && shared <= discount
            } else {
                shared == discount
            };
            ensure(adds_up, || format!("{} shares {shared}", offer["offer"]))?;
            let each_takes =
                |shares: &[Value]| shares.iter().all(|one| number(&one["discount"]) > 0);
            ensure(discount > 0 && each_takes(lines) && each_takes(fees), || {
                format!("{} lists a share that is nothing", offer["offer"])
            })?;
        }
        Ok(())
    });
}

#[test]
fn no_line_fee_or_tab_goes_below_zero_or_its_floor() {
    for_every_request(|request, reply| {
        let cart = &request["cart"];
        let mut off_lines = 0;
        for line in list(&cart["lines"]) {
            let floor = line["min_unit_price"].as_i64().unwrap_or(0);
            let room = (number(&line["unit_price"]) - floor).max(0) * number(&line["quantity"]);
            let taken = taken(reply, "lines", &line["id"]);
            off_lines += taken;
            ensure(taken <= room, || format!("line {} loses {taken} of {room}", line["id"]))?;
        }
        let mut off_fees = 0;
        for fee in list(&cart["fees"]) {
            let taken = taken(reply, "fees", &fee["id"]);
            off_fees += taken;
            ensure(taken <= number(&fee["amount"]), || format!("fee {} loses {taken}", fee["id"]))?;
        }
        if list(&cart["lines"]).is_empty() {
            off_lines = number(&reply["discount"]) - off_fees;
        }
        let subtotal = cart["subtotal"].as_i64().unwrap_or(worth_of_lines(cart));
        ensure(off_lines <= subtotal, || {
            format!("the lines lose {off_lines} of a subtotal of {subtotal}")
        })
    });
}

#[test]
fn no_discount_is_more_than_its_document_allows() {
    /// The most a discount can come to by its own numbers.
    fn most(discount: &Value) -> Option<i64> {
        if let Some(amount) = discount["amount"].as_i64() {
            return Some(amount);
        }
        if let Some(max) = discount["max"].as_i64() {
            return Some(max);
        }
        let units = discount["max_units"]
            .as_i64()
            .or(discount["cheapest"].as_i64())
            .or(discount["dearest"].as_i64())?;
        Some(units * discount["amount_each"].as_i64()?)
    }
    for_every_request(|request, reply| {
        for applied in list(&reply["offers"]) {
            let offer = offer(request, applied);
            let parts = match offer["discounts"].as_array() {
                Some(several) => several.iter().map(most).collect(),
                None => vec![most(&offer["discount"])],
            };
            if let Some(most) = parts.into_iter().sum::<Option<i64>>() {
                ensure(number(&applied["discount"]) <= most, || {
                    format!("{} gives more than {most}", applied["offer"])
                })?;
            }
        }
        Ok(())
    });
}

#[test]
fn every_offer_of_a_considered_campaign_is_applied_or_rejected_once() {
    for_every_request(|request, reply| {
        let answered: Vec<&Value> =
            list(&reply["offers"]).iter().chain(list(&reply["rejected"])).collect();
        let campaigns: BTreeSet<&str> =
            answered.iter().filter_map(|one| one["campaign"].as_str()).collect();
        for id in campaigns {
            let whole = answered.iter().any(|one| one["campaign"] == id && one["offer"].is_null());
            for offer in list(&campaign(request, &json!(id))["offers"]) {
                let times = answered
                    .iter()
                    .filter(|one| one["campaign"] == id && one["offer"] == offer["id"])
                    .count();
                ensure(times == usize::from(!whole), || {
                    format!("{id} {} is answered {times} times", offer["id"])
                })?;
            }
        }
        Ok(())
    });
}

/// When exactly: one offer without `when`, a percentage on the tab without `max_units` or `max_units_per_line`.
///
/// - Basis "line" and "unit" round each share by itself, so a further line only adds its own.
/// - Basis "order" rounds one growing sum, and every mode (half_even too) rounds a greater number to no smaller one;
///   the sum shrinks to what all lines can take, which grows as well.
/// - `max` and the subtotal are caps that the new line does not lower.
///
/// It is the discount of the whole tab that does not fall: a single line's share may, where a sum is spread. It would
/// not hold for `max_units` (the new line may stand before the dearer units), after another offer (whose own spreading
/// changes what each line has left to round), or for the first line of all (the subtotal gives way to it).
#[test]
fn adding_a_line_never_lowers_a_percentage_of_the_tab() {
    let one_percentage = |request: &Value, seed: u64| {
        let dice = &mut Dice::new(seed);
        let mut request = request.clone();
        let mut campaign = request["campaigns"][0].clone();
        let percent = format!("{}.{:04}", dice.below(100), dice.below(10_000));
        let mut discount = json!({"percent": percent, "on": "tab"});
        if dice.one_in(4) {
            discount["max"] = json!(dice.from(1, 1000));
        }
        campaign["offers"] =
            json!([{"id": "o", "name": "O", "description": "o", "discount": discount}]);
        request["campaigns"] = json!([campaign]);
        request
    };
    for seed in generate::seeds() {
        let request = one_percentage(&generate::request(seed), seed);
        let lines = list(&request["cart"]["lines"]);
        if lines.is_empty() {
            continue;
        }
        let dice = &mut Dice::new(!seed);
        let mut line = lines[dice.below(lines.len())].clone();
        line["id"] = json!("new");
        line["quantity"] = json!(dice.from(1, 5));
        line["unit_price"] = json!(number(&line["unit_price"]) + dice.from(0, 20));
        let worth = number(&line["quantity"]) * number(&line["unit_price"]);
        let mut more = lines.to_vec();
        more.insert(dice.below(lines.len() + 1), line);
        let mut longer = request.clone();
        longer["cart"]["lines"] = json!(more);
        // A POS that sends a subtotal may or may not have counted the new line in it.
        if let Some(subtotal) = request["cart"]["subtotal"].as_i64()
            && dice.one_in(2)
        {
            longer["cart"]["subtotal"] = json!(subtotal + worth);
        }
        let before = number(&engine::simulate(&request).unwrap()["discount"]);
        let after = number(&engine::simulate(&longer).unwrap()["discount"]);
        assert!(after >= before, "seed {seed}: {before} falls to {after}\n{request}\n{longer}");
    }
}

#[test]
fn the_order_of_the_document_does_not_matter_between_offers_of_different_priority() {
    for seed in generate::seeds() {
        let dice = &mut Dice::new(seed);
        let mut request = generate::request(seed);
        let mut shuffled = request.clone();
        for index in 0..list(&request["campaigns"]).len() {
            let offers = request["campaigns"][index]["offers"].as_array_mut().unwrap();
            let mut priorities: Vec<i64> = (0..).step_by(7).take(offers.len()).collect();
            dice.shuffle(&mut priorities);
            for (offer, priority) in offers.iter_mut().zip(priorities) {
                offer["priority"] = json!(priority - 7);
            }
            let mut other_order = offers.clone();
            dice.shuffle(&mut other_order);
            shuffled["campaigns"][index]["offers"] = json!(other_order);
        }
        let one = engine::simulate(&request).unwrap();
        let other = engine::simulate(&shuffled).unwrap();
        let rejected = |reply: &Value| -> BTreeSet<String> {
            list(&reply["rejected"]).iter().map(Value::to_string).collect()
        };
        assert!(
            one["discount"] == other["discount"]
                && one["offers"] == other["offers"]
                && rejected(&one) == rejected(&other),
            "seed {seed}\n{request}\n{one:#}\n\n{shuffled}\n{other:#}"
        );
    }
}

#[test]
fn evaluating_twice_gives_the_same_bytes() {
    for seed in generate::seeds() {
        let request = generate::request(seed);
        let again = generate::request(seed);
        assert_eq!(engine::bytes(&request).unwrap(), engine::bytes(&again).unwrap(), "seed {seed}");
    }
}
