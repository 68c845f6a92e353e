//! Campaigns: windows that open or close at the moment of the case, every rounding policy, offers that fight.

use serde_json::{Value, json};

use super::condition::condition;
use super::discount::discount;
use super::{CLOCK, Dice, Focus, World, ZONES};

pub fn campaign(dice: &mut Dice, world: &World, number: usize) -> Value {
    let how_many = match world.focus {
        Focus::Everything | Focus::Clock => dice.of(&[1, 1, 2, 2, 3, 4]),
        Focus::Stack | Focus::Crowd => dice.of(&[2, 3, 3, 4, 5]),
        Focus::Rivals => dice.of(&[2, 3, 4, 5]),
    };
    let offers: Vec<Value> = (1..=how_many).map(|number| offer(dice, world, number)).collect();
    let id = ["first", "second", "third"][number];
    let mut campaign = json!({
        "id": id, "name": "Name",
        "currency": if dice.one_in(40) { "EUR" } else { "USD" },
        "codes": codes(dice, number),
        "offers": offers,
    });
    if dice.below(4) < 3 {
        campaign["combines_with"] = json!("any");
    } else if dice.below(3) < 2 {
        let others = ["first", "second", "third", "somebody-else"];
        campaign["combines_with"] = json!(dice.one_or_more(&others));
    }
    if !dice.one_in(4) {
        campaign["rounding"] = json!({
            "percent_basis": dice.of(&["line", "unit", "order"]),
            "mode": dice.of(&["half_up", "half_even", "down"]),
            "remainder": dice.of(&["largest", "first", "last"]),
        });
    }
    if dice.one_in(2) {
        campaign["percent_of"] = json!(dice.of(&["initial", "initial", "remaining"]));
    }
    if dice.one_in(25) {
        campaign["active"] = json!(dice.one_in(2));
    }
    if dice.one_in(3) {
        campaign["timezone"] = json!(dice.of(&ZONES));
    }
    if dice.one_in(3) {
        let start = dice.of(&CLOCK);
        campaign["business_day_starts"] = json!(start);
    }
    let clock = world.focus == Focus::Clock;
    if dice.one_in(if clock { 2 } else { 6 }) {
        let often = dice.one_in(if clock { 1 } else { 3 });
        let bound = if often { moment(dice, world) } else { "2026-01-01T00:00".to_owned() };
        campaign["starts_at"] = json!(bound);
    }
    if dice.one_in(if clock { 3 } else { 6 }) {
        // A window that closes before it opens is no campaign.
        let often = campaign["starts_at"].is_null() && dice.one_in(if clock { 1 } else { 3 });
        let bound = if often { moment(dice, world) } else { "2029-01-01T00:00:00Z".to_owned() };
        campaign["ends_at"] = json!(bound);
    }
    if dice.one_in(20) {
        campaign["quotas"] = json!([{"per": ["customer"], "limit": 1}]);
    }
    campaign
}

fn codes(dice: &mut Dice, number: usize) -> Value {
    let code = ["AAA", "BBB", "CCC"][number];
    if dice.one_in(8) {
        json!({"none": true})
    } else if dice.one_in(4) {
        json!({"fixed": [code, format!("{code}2")]})
    } else {
        json!({"fixed": [code]})
    }
}

/// A moment of the day of the case, as a wall clock shows it or with an offset.
fn moment(dice: &mut Dice, world: &World) -> String {
    let wall = format!("{}T{}", world.day, dice.of(&CLOCK));
    match dice.below(4) {
        0 => format!("{wall}:00Z"),
        1 => format!("{wall}:00-05:00"),
        _ => wall,
    }
}

fn offer(dice: &mut Dice, world: &World, number: usize) -> Value {
    let mut offer =
        json!({"id": format!("o{number}"), "name": "Name", "description": "what it gives"});
    if dice.one_in(6) {
        let discounts: Vec<Value> = (0..dice.from(2, 3)).map(|_| discount(dice, world)).collect();
        offer["discounts"] = json!(discounts);
    } else {
        offer["discount"] = discount(dice, world);
    }
    if dice.one_in(2) {
        offer["priority"] = json!(dice.of(&[-1000, -1, 0, 0, 1, 1, 5, 1000]));
    }
    let fights = world.focus == Focus::Rivals;
    if dice.one_in(if fights { 8 } else { 14 }) {
        offer["stacking"] = json!(dice.of(&["exclusive", "exclusive", "combine"]));
    }
    if dice.one_in(if fights { 2 } else { 5 }) {
        offer["group"] = json!(dice.of(&["drinks", "drinks", "food"]));
    }
    let conditions = match world.focus {
        Focus::Stack | Focus::Crowd => 8,
        Focus::Clock => 1,
        Focus::Everything | Focus::Rivals => 3,
    };
    if dice.one_in(conditions) {
        offer["when"] = condition(dice, world, 2);
    }
    offer
}
