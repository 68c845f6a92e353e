//! Discounts of every kind, their targets and matchers.

use serde_json::{Value, json};

use super::cart::{CATEGORIES, KINDS, SKUS, TAGS};
use super::{Dice, Focus, World};

const PERCENTAGES: [&str; 18] = [
    "0.0001", "1", "2.25", "5", "7.5", "10", "10", "10", "12.5", "15", "20", "33.3333", "50", "50",
    "66.6667", "99.9999", "100", "100",
];

pub fn discount(dice: &mut Dice, world: &World) -> Value {
    let kinds = match world.focus {
        Focus::Everything => 12,
        Focus::Stack => 16,
        Focus::Crowd => return crowd(dice, world),
        Focus::Rivals | Focus::Clock => dice.of(&[5, 12]), // the first five are likely to be worth something
    };
    let mut discount = match dice.below(kinds) {
        0..=2 => limited_rate(dice, world),
        3 | 4 => json!({"amount": world.sum(dice).max(1)}),
        5 | 6 => return buy_get(dice, world),
        7 | 8 => return bundle(dice, world),
        9 => tiers(dice, world),
        12 | 13 => json!({"amount": world.sum(dice)}),
        14 | 15 => with(
            rate(dice, world),
            &json!({dice.of(&["max_units", "max_units_per_line"]): dice.from(1, 4)}),
        ),
        _ => cheapest(dice, world),
    };
    // Left out, the target is the tab.
    if !dice.one_in(4) {
        discount["on"] = target(dice, world, 2);
    }
    discount
}

/// A discount that is likely to divide the units of a long line.
fn crowd(dice: &mut Dice, world: &World) -> Value {
    let mut discount = match dice.below(8) {
        0 | 1 => {
            let mut discount = buy_get(dice, world);
            discount["buy"]["quantity"] = json!(dice.from(1, 5));
            discount["get"]["quantity"] = json!(dice.from(1, 4));
            return discount;
        }
        2 | 3 => return bundle(dice, world),
        4 => json!({"amount": world.sum(dice).max(1)}),
        5 => rate(dice, world),
        6 => {
            let most = dice.from(1, 30);
            with(rate(dice, world), &json!({dice.of(&["max_units", "max_units_per_line"]): most}))
        }
        _ => {
            let n = dice.from(1, 20);
            with(rate(dice, world), &json!({dice.of(&["cheapest", "dearest"]): n}))
        }
    };
    if dice.one_in(4) {
        discount["on"] = target(dice, world, 1);
    }
    discount
}

/// One of `percent`, `amount_each`, `unit_price`.
fn rate(dice: &mut Dice, world: &World) -> Value {
    match dice.below(4) {
        0 | 1 => {
            let percent = if dice.one_in(20) { "0" } else { dice.of(&PERCENTAGES) };
            json!({"percent": percent})
        }
        2 => json!({"amount_each": world.price(dice).max(1)}),
        _ => json!({"unit_price": world.price(dice)}),
    }
}

/// `base` with the keys of `more`.
fn with(mut base: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn limited_rate(dice: &mut Dice, world: &World) -> Value {
    let mut rate = rate(dice, world);
    if rate["percent"].is_string() && dice.one_in(3) {
        rate["max"] = json!(world.sum(dice).max(1));
    }
    if dice.one_in(4) {
        rate["max_units"] = json!(dice.from(1, 5));
    }
    if dice.one_in(4) {
        rate["max_units_per_line"] = json!(dice.from(1, 3));
    }
    rate
}

fn buy_get(dice: &mut Dice, world: &World) -> Value {
    let get = json!({"items": matcher(dice, world, 1), "quantity": dice.from(1, 2)});
    let mut discount = json!({
        "buy": {"items": matcher(dice, world, 1), "quantity": dice.from(1, 3)},
        "get": with(get, &rate(dice, world)),
    });
    if dice.one_in(2) {
        discount["pick"] = json!(dice.of(&["cheapest", "dearest"]));
    }
    if dice.one_in(3) {
        discount["max_times"] = max_times(dice, world);
    }
    discount
}

fn max_times(dice: &mut Dice, world: &World) -> Value {
    json!(dice.from(1, if world.focus == Focus::Crowd { 7 } else { 2 }))
}

fn bundle(dice: &mut Dice, world: &World) -> Value {
    let parts: Vec<Value> = (0..dice.from(1, 3))
        .map(|_| json!({"items": matcher(dice, world, 1), "quantity": dice.from(1, 2)}))
        .collect();
    let mut discount = json!({"bundle": parts, "price": world.price(dice) * dice.from(0, 2)});
    if dice.one_in(3) {
        discount["max_times"] = max_times(dice, world);
    }
    discount
}

fn tiers(dice: &mut Dice, world: &World) -> Value {
    let by = dice.of(&["amount", "quantity", "absent"]);
    let mut from = 0;
    let mut tiers = Vec::new();
    for _ in 0..dice.from(1, 3) {
        from +=
            if by == "quantity" { dice.from(1, 3) } else { 1 + world.sum(dice) / dice.from(1, 4) };
        let rate = if dice.one_in(3) {
            json!({"amount": world.sum(dice).max(1)})
        } else {
            rate(dice, world)
        };
        tiers.push(with(json!({"from": from}), &rate));
    }
    if by == "absent" { json!({"tiers": tiers}) } else { json!({"tiers": tiers, "by": by}) }
}

fn cheapest(dice: &mut Dice, world: &World) -> Value {
    let n = dice.from(1, 3);
    let mut discount = with(json!({dice.of(&["cheapest", "dearest"]): n}), &rate(dice, world));
    if dice.one_in(3) {
        discount["at_least"] = json!((n + dice.from(-1, 2)).max(1)); // fewer than n is as n
    }
    discount
}

fn target(dice: &mut Dice, world: &World, depth: usize) -> Value {
    match dice.below(if depth == 0 { 7 } else { 9 }) {
        0..=2 => json!("tab"),
        3..=5 => json!({"items": matcher(dice, world, 2)}),
        6 => json!({"fees": dice.one_or_more(&KINDS)}),
        _ => {
            let parts: Vec<Value> =
                (0..dice.from(1, 3)).map(|_| target(dice, world, depth - 1)).collect();
            json!({"any_of": parts})
        }
    }
}

/// A matcher that has a chance to match.
pub fn matcher(dice: &mut Dice, world: &World, depth: usize) -> Value {
    let mut matcher = json!({});
    for _ in 0..dice.of(&[0, 0, 0, 1, 1, 1, 1, 2]) {
        match dice.below(7) {
            0 => matcher["sku"] = json!(dice.one_or_more(&SKUS)),
            1 | 2 => matcher["category"] = json!(dice.one_or_more(&CATEGORIES)),
            3 => matcher["tag"] = json!(dice.one_or_more(&TAGS)),
            4 => matcher["name"] = json!(dice.one_or_more(&["A0", "A1", "B0", "C1"])),
            5 => matcher["unit_price"] = prices(dice, world),
            _ if depth > 0 => {
                let not = self::matcher(dice, world, depth - 1);
                if not != json!({}) || dice.one_in(9) {
                    matcher["not"] = not;
                }
            }
            _ => {}
        }
    }
    matcher
}

fn prices(dice: &mut Dice, world: &World) -> Value {
    let price = dice.of(&world.prices);
    match dice.below(4) {
        0 => json!({"min": price}),
        1 => json!({"max": price}),
        2 => json!({"min": price, "max": price}),
        _ => json!({"min": price / 2, "max": price + 1}),
    }
}
