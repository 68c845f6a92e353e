//! Conditions: every leaf, with bounds on or beside what the cart has, in trees up to three deep.

use serde_json::{Value, json};

use super::cart::{CHANNELS, GUEST_TAGS, TIERS};
use super::discount::matcher;
use super::{CLOCK, Dice, Focus, World};

pub fn condition(dice: &mut Dice, world: &World, depth: usize) -> Value {
    if depth == 0 || dice.below(5) < 3 {
        return leaf(dice, world);
    }
    match dice.below(5) {
        0 => json!({"not": condition(dice, world, depth - 1)}),
        kind => {
            let children: Vec<Value> =
                (0..dice.from(1, 3)).map(|_| condition(dice, world, depth - 1)).collect();
            if kind < 3 { json!({"all": children}) } else { json!({"any": children}) }
        }
    }
}

fn leaf(dice: &mut Dice, world: &World) -> Value {
    let leaf =
        if world.focus == Focus::Clock { dice.of(&[7, 8, 8, 9, 11]) } else { dice.below(12) };
    match leaf {
        0..=2 => json!({"subtotal": subtotal(dice, world)}),
        3 | 4 => json!({"items": items(dice, world)}),
        5 => json!({"location": dice.one_or_more(&["1019", "1020", "1021"])}),
        6 => json!({"location_tag": dice.one_or_more(&["airport", "mall"])}),
        7 => {
            let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            json!({"days": dice.one_or_more(&days)})
        }
        8 => json!({"hours": hours(dice)}),
        9 => json!({"dates": dates(dice, world)}),
        10 => json!({"channel": dice.one_or_more(&CHANNELS)}),
        _ => json!({"customer": customer(dice)}),
    }
}

fn subtotal(dice: &mut Dice, world: &World) -> Value {
    let mut range = json!({});
    let bounds = dice.below(4);
    if bounds != 1 {
        range["min"] =
            json!((world.subtotal() + dice.of(&[-100, -1, 0, 1])).max(0).min(world.subtotal() + 1));
        if dice.one_in(2) {
            range["min"] = json!(dice.from(0, world.subtotal()));
        }
    }
    if bounds < 2 {
        let least = range["min"].as_i64().unwrap_or(0);
        range["max"] = json!(least + dice.of(&[0, 1, 100, 100_000]));
    }
    if dice.one_in(2) {
        range["of"] = json!(dice.of(&["remaining", "remaining", "initial"]));
    }
    range
}

fn items(dice: &mut Dice, world: &World) -> Value {
    let mut items = json!({"match": matcher(dice, world, 1)});
    if dice.one_in(2) {
        items["min_quantity"] = json!(dice.from(1, 4));
    }
    if dice.one_in(3) {
        items["min_amount"] = json!(world.sum(dice));
    }
    if dice.one_in(3) {
        items["min_different"] = json!(dice.from(1, 3));
    }
    items
}

/// Ranges of the local clock, some of them across midnight, never empty.
fn hours(dice: &mut Dice) -> Value {
    let ranges: Vec<Value> = (0..dice.from(1, 2))
        .map(|_| {
            let start = dice.below(CLOCK.len());
            let end = (start + 1 + dice.below(CLOCK.len() - 1)) % CLOCK.len();
            json!([CLOCK[start], CLOCK[end]])
        })
        .collect();
    json!(ranges)
}

/// Closed ranges of dates that touch the day of the case.
fn dates(dice: &mut Dice, world: &World) -> Value {
    let (month, _) = world.day.split_at(8);
    match dice.below(4) {
        0 => json!([[world.day, world.day]]),
        1 => json!([["2026-01-01", world.day]]),
        2 => json!([[world.day, "2028-12-31"]]),
        _ => json!([[format!("{month}01"), format!("{month}14")], [world.day, world.day]]),
    }
}

fn customer(dice: &mut Dice) -> Value {
    let mut customer = json!({});
    let keys = ["known", "tag", "tier", "first_order", "orders"];
    for key in dice.one_or_more(&keys) {
        customer[key] = match key {
            "known" => json!(!dice.one_in(3)),
            "tag" => json!(dice.one_or_more(&GUEST_TAGS)),
            "tier" => json!(dice.one_or_more(&TIERS)),
            "first_order" => json!(dice.one_in(2)),
            _ => match dice.below(3) {
                0 => json!({"min": dice.from(0, 4)}),
                1 => json!({"max": dice.from(0, 4)}),
                _ => json!({"min": dice.from(0, 2), "max": dice.from(2, 4)}),
            },
        };
    }
    customer
}
