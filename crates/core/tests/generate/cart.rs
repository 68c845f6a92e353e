//! Carts: few prices, split lines, floors, fees, subtotals that are not the sum of the lines, guests half known.

use serde_json::{Value, json};

use super::{Dice, Focus, World};

pub const SKUS: [&str; 4] = ["A", "B", "C", "D"];
pub const CATEGORIES: [&str; 3] = ["food", "beer", "pie"];
pub const TAGS: [&str; 2] = ["local", "new"];
pub const KINDS: [&str; 3] = ["delivery", "service", "shipping"];
pub const CHANNELS: [&str; 3] = ["qr", "pos", "web"];
pub const TIERS: [&str; 2] = ["gold", "silver"];
pub const GUEST_TAGS: [&str; 2] = ["vip", "staff"];

pub fn cart(dice: &mut Dice, world: &World) -> Value {
    let how_many = match world.focus {
        Focus::Stack => dice.of(&[1, 1, 2, 2, 3]),
        Focus::Crowd => dice.of(&[1, 1, 2]),
        _ => dice.of(&[0, 1, 2, 2, 3, 3, 4, 4, 5, 6]),
    };
    let lines: Vec<Value> = (1..=how_many).map(|number| line(dice, world, number)).collect();
    let fees: Vec<Value> =
        (1..=dice.of(&[0, 0, 0, 1, 1, 2, 3])).map(|number| fee(dice, world, number)).collect();
    let worth: i64 = lines
        .iter()
        .map(|line| line["quantity"].as_i64().unwrap() * line["unit_price"].as_i64().unwrap())
        .sum();

    let mut cart = json!({
        "tab_id": "tab-1", "location_id": dice.of(&["1019", "1020"]), "currency": "USD",
        "channel": dice.of(&CHANNELS), "lines": lines, "fees": fees, "tax": 0, "total": worth,
    });
    if how_many == 0 {
        let sum = dice.of(&world.prices) * dice.from(1, 4) + dice.from(0, 1);
        cart["subtotal"] = json!(sum);
    } else {
        match dice.below(8) {
            0 | 1 => {} // absent: the sum of the lines
            2 => cart["subtotal"] = json!(dice.from(0, worth)),
            3 => cart["subtotal"] = json!(worth * 9 / 10),
            4 => cart["subtotal"] = json!(worth + dice.from(0, 100)),
            _ => cart["subtotal"] = json!(worth),
        }
    }
    if !dice.one_in(4) {
        cart["customer"] = customer(dice);
    }
    if dice.one_in(20) {
        cart["a key a POS added yesterday"] = json!({"ignored": true});
    }
    cart
}

fn line(dice: &mut Dice, world: &World, number: i64) -> Value {
    let price = dice.of(&world.prices);
    let sku = dice.of(&SKUS);
    let quantity = match world.focus {
        Focus::Crowd => dice.from(4, 40),
        _ => dice.of(&[1, 1, 2, 2, 3, 3, 4, 7]),
    };
    let mut line = json!({
        "id": number.to_string(), "sku": sku, "name": format!("{sku}{}", dice.below(2)),
        "category": dice.one_or_more(&CATEGORIES), "tag": dice.some_of(&TAGS),
        "quantity": quantity, "unit_price": price,
    });
    if dice.one_in(4) {
        let floor = match dice.below(8) {
            0 => 0,
            1 => price,
            2 => price - 1,
            3 => price + 1,
            4 => price / 2,
            _ => dice.from(0, price),
        };
        line["min_unit_price"] = json!(floor.max(0));
    }
    line
}

fn fee(dice: &mut Dice, world: &World, number: i64) -> Value {
    let amount = dice.of(&world.prices) + dice.of(&[0, 0, 1]);
    json!({"id": format!("f{number}"), "kind": dice.of(&KINDS), "amount": amount})
}

fn customer(dice: &mut Dice) -> Value {
    let mut customer = json!({});
    let identity = dice.of(&["id", "phone", "email", "nobody"]);
    match identity {
        "id" => customer["id"] = json!("c-1"),
        "phone" => customer["phone"] = json!("+16085550100"),
        "email" => customer["email"] = json!("a@b.example"),
        _ => {}
    }
    if dice.one_in(2) {
        customer["tag"] = json!(dice.some_of(&GUEST_TAGS));
    }
    if dice.one_in(2) {
        customer["tier"] = json!(dice.of(&TIERS));
    }
    if dice.one_in(2) {
        let orders = dice.from(0, 5);
        customer["orders"] = json!(orders);
        customer["first_order"] = json!(orders == 0);
    } else if dice.one_in(3) {
        customer["first_order"] = json!(dice.one_in(2));
    }
    customer
}
