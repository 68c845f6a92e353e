//! Random well-formed requests for `simulate`, each replayable from its seed number.
//!
//! The numbers are small and collide on purpose: prices come from a handful, thresholds stand on or beside what the
//! cart has, percentages divide badly, moments lie on clock changes. Quantities are small, for the oracle keeps units.
#![allow(dead_code, reason = "each test target uses its own part of the generator")]

mod campaign;
mod cart;
mod condition;
mod dice;
mod discount;
mod shrink;

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub use dice::Dice;
pub use shrink::shrink;

/// How many seeds a run goes through: 3,000, or 100,000 with `PROMO_LONG=1`; `PROMO_SEED=n` replays one.
pub fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = std::env::var("PROMO_SEED") {
        let seed: u64 = seed.parse().unwrap();
        return seed..seed + 1;
    }
    let long = std::env::var("PROMO_LONG").is_ok_and(|long| long == "1");
    0..if long { 100_000 } else { 3_000 }
}

/// What a case is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// A little of everything.
    Everything,
    /// Small discounts one after another on the same units, so that it shows which unit lost what.
    Stack,
    /// The same on many units of one line or two: sets that repeat, and discounts that start or end inside of them.
    Crowd,
    /// Groups, exclusive offers and campaigns in each other's way.
    Rivals,
    /// Windows, hours, days and dates, to the second.
    Clock,
}

/// What the parts of a request know of each other, so that they can collide.
pub struct World {
    pub focus: Focus,
    /// The few prices of this case.
    pub prices: Vec<i64>,
    pub zone: &'static str,
    /// The day of `at`, as UTC has it.
    pub day: &'static str,
    /// The cart, once it is there.
    pub cart: Value,
}

impl World {
    /// The sum of the lines.
    pub fn worth(&self) -> i64 {
        let lines = self.cart["lines"].as_array().map_or(&[][..], Vec::as_slice);
        lines
            .iter()
            .map(|line| line["quantity"].as_i64().unwrap() * line["unit_price"].as_i64().unwrap())
            .sum()
    }

    /// What conditions take for the subtotal.
    pub fn subtotal(&self) -> i64 {
        self.cart["subtotal"].as_i64().unwrap_or_else(|| self.worth())
    }

    /// A price that is likely to meet the one of a unit, and to lie below it.
    pub fn price(&self, dice: &mut Dice) -> i64 {
        let price = dice.of(&self.prices);
        match dice.below(5) {
            0 => price,
            1 => price / 2,
            2 => price - 1,
            3 => dice.from(0, price),
            _ => dice.from(0, 10),
        }
        .max(0)
    }

    /// A sum of money that is likely to meet another one.
    pub fn sum(&self, dice: &mut Dice) -> i64 {
        if matches!(self.focus, Focus::Stack | Focus::Crowd) {
            let part = dice.from(2, 8);
            return dice.from(1, (self.worth() / part).max(1));
        }
        match dice.below(6) {
            0 => dice.of(&[1, 2, 3, 5, 7, 10, 11, 50, 99, 100, 101, 500]),
            1 => dice.of(&self.prices),
            2 => dice.of(&self.prices) + dice.of(&self.prices),
            3 => dice.of(&self.prices) / dice.from(2, 3),
            4 => self.subtotal() + dice.from(-1, 1),
            _ => dice.from(1, self.worth().max(1)),
        }
        .max(0)
    }
}

const PRICES: [i64; 26] = [
    0, 1, 2, 3, 5, 7, 10, 15, 25, 33, 50, 60, 99, 100, 101, 105, 125, 250, 333, 500, 666, 995, 999,
    1000, 1205, 12_999,
];

const ZONES: [&str; 8] = [
    "UTC",
    "America/Chicago",
    "America/Chicago",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
];

/// Days around which a clock changes somewhere, a year or month ends, or nothing happens at all.
const DAYS: [&str; 9] = [
    "2026-03-08",
    "2026-03-29",
    "2026-11-01",
    "2026-10-25",
    "2026-04-05",
    "2026-06-15",
    "2026-07-04",
    "2026-12-31",
    "2028-02-29",
];

/// The request of this seed.
pub fn request(seed: u64) -> Value {
    let dice = &mut Dice::new(seed);
    let few = dice.from(1, 4);
    let mut prices: Vec<i64> = (0..few).map(|_| dice.of(&PRICES)).collect();
    prices.push(dice.of(&PRICES[1..]));
    let mut world = World {
        focus: dice.of(&[
            Focus::Everything,
            Focus::Everything,
            Focus::Stack,
            Focus::Stack,
            Focus::Crowd,
            Focus::Rivals,
            Focus::Clock,
        ]),
        prices,
        zone: dice.of(&ZONES),
        day: dice.of(&DAYS),
        cart: Value::Null,
    };
    world.cart = cart::cart(dice, &world);

    let how_many = match world.focus {
        Focus::Everything => dice.of(&[1, 1, 1, 1, 2, 2, 3]),
        Focus::Stack | Focus::Crowd | Focus::Clock => dice.of(&[1, 1, 1, 1, 2]),
        Focus::Rivals => dice.of(&[1, 2, 2, 3]),
    };
    let campaigns: Vec<Value> =
        (0..how_many).map(|number| campaign::campaign(dice, &world, number)).collect();
    let mut request = json!({
        "campaigns": campaigns,
        "cart": world.cart,
        "at": at(dice, &world),
        "location": {"timezone": world.zone, "tag": dice.some_of(&["airport", "mall", "new"])},
    });
    if dice.one_in(3) {
        request["codes"] = typed(dice, &campaigns);
    }
    request
}

/// The wall clocks at which campaigns open, close and change their day.
pub const CLOCK: [&str; 12] = [
    "00:00", "01:00", "01:30", "01:59", "02:00", "02:30", "03:00", "04:00", "12:00", "16:30",
    "22:00", "23:59",
];

/// A moment of the day, mostly one that the location's wall clock shows at a change, or a second off it.
fn at(dice: &mut Dice, world: &World) -> String {
    let offset = dice.of(&["Z", "Z", "+00:00", "-05:00", "-06:00", "+05:30", "+11:00"]);
    if dice.one_in(3) {
        let minute = dice.of(&["00", "29", "30", "59"]);
        return format!("{}T{:02}:{minute}:00{offset}", world.day, dice.from(0, 23));
    }
    let wall: DateTime = format!("{}T{}", world.day, dice.of(&CLOCK)).parse().unwrap();
    let twice = TimeZone::get(world.zone).unwrap().to_ambiguous_timestamp(wall);
    let moment = if dice.one_in(2) { twice.earlier() } else { twice.later() };
    let moment = moment.unwrap() + dice.of(&[-1, 0, 0, 0, 1]).seconds();
    moment.to_string()
}

/// Codes as a guest types them: in any order and spelling, twice, or wrong.
fn typed(dice: &mut Dice, campaigns: &[Value]) -> Value {
    let mut codes: Vec<String> = Vec::new();
    for campaign in campaigns {
        for code in campaign["codes"]["fixed"].as_array().unwrap_or(&Vec::new()) {
            if !dice.one_in(5) {
                codes.push(spelled(dice, code.as_str().unwrap()));
            }
        }
    }
    if dice.one_in(8) {
        codes.push("NOSUCHCODE".to_owned());
    }
    dice.shuffle(&mut codes);
    json!(codes)
}

fn spelled(dice: &mut Dice, code: &str) -> String {
    let (first, rest) = code.split_at(1);
    match dice.below(6) {
        0 => code.to_lowercase(),
        1 => format!(" {first}-{rest}"),
        2 => format!("{first}\u{2003}{rest} "),
        // Full-width, which NFKC makes plain.
        3 => code.chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap()).collect(),
        _ => code.to_owned(),
    }
}
