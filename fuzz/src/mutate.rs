//! Inputs like the ones people send, with something wrong: mutations of bytes and of JSON, each replayable
//! from its seed number.

use serde_json::Value;

/// The files that inputs are made from.
const VECTORS: [&str; 3] = [
    include_str!("../../crates/core/tests/vectors/settled.json"),
    include_str!("../../crates/core/tests/vectors/published.json"),
    include_str!("../../crates/core/tests/vectors/generated.json"),
];

/// The longest input.
const LONGEST: usize = 32 * 1024;

/// Texts that have broken parsers before.
const TOKENS: [&str; 28] = [
    "null",
    "true",
    "-1",
    "-0",
    "0",
    "1",
    "1000000000",
    "1000000001",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0.5",
    "\"\"",
    "\"100\"",
    "\"0.0001\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{fdfa}\u{1f354}\"",
    "[]",
    "{}",
    "[[[[[[",
    "{\"\":",
    "\"24:00\"",
    "\"2026-02-29\"",
    "\"9999-12-31T23:59\"",
    "\"America/Nowhere\"",
    "\u{feff}",
];

/// What the inputs of a target are made from.
pub struct Corpus {
    seeds: Vec<Value>,
    /// Every value that stands anywhere in the seeds: parts to put into others.
    parts: Vec<Value>,
}

impl Corpus {
    /// The seeds of a target by its name.
    pub fn of(target: &str) -> Self {
        let requests = VECTORS
            .iter()
            .filter_map(|file| serde_json::from_str::<Vec<Value>>(file).ok())
            .flatten()
            .filter_map(|case| case.get("request").cloned());
        let mut seeds: Vec<Value> = requests
            .flat_map(|request| match target {
                "campaign" => {
                    request.get("campaigns").and_then(Value::as_array).cloned().unwrap_or_default()
                }
                "cart" => request.get("cart").cloned().into_iter().collect(),
                _ => vec![request],
            })
            .collect();
        seeds.extend(match target {
            "campaign" => serde_json::from_str(crate::CAMPAIGN).ok(),
            "cart" => serde_json::from_str(crate::CART).ok(),
            _ => None,
        });
        let mut parts = Vec::new();
        for seed in seeds.iter().step_by(3) {
            gather(seed, &mut parts);
        }
        Self { seeds, parts }
    }

    /// The input of a number.
    pub fn input(&self, number: u64) -> Vec<u8> {
        let dice = &mut Dice(number);
        let mut seed = dice.of(&self.seeds).cloned().unwrap_or_default();
        for _ in 0..dice.below(4) {
            self.change_value(&mut seed, dice);
        }
        let mut json = serde_json::to_vec(&seed).unwrap_or_default();
        // Most stay JSON: what is none is refused at the first byte of it.
        if dice.below(3) == 0 {
            for _ in 0..=dice.below(4) {
                self.change_bytes(&mut json, dice);
            }
        }
        json.truncate(LONGEST);
        json
    }

    /// Changes one value somewhere below this one, or this one.
    fn change_value(&self, value: &mut Value, dice: &mut Dice) {
        let inside = match value {
            Value::Array(list) => {
                let index = dice.below(list.len());
                list.get_mut(index)
            }
            Value::Object(map) => {
                let index = dice.below(map.len());
                map.values_mut().nth(index)
            }
            _ => None,
        };
        if let Some(inside) = inside
            && dice.below(5) != 0
        {
            return self.change_value(inside, dice);
        }
        match (value, dice.below(6)) {
            (Value::Array(list), 0) => {
                list.pop();
            }
            (Value::Array(list), 1) => list.extend(dice.of(&self.parts).cloned()),
            (Value::Array(list), 2 | 3) => {
                // Many of a thing, as only machines send.
                if let Some(item) = dice.of(list).cloned() {
                    let times = dice.below(60);
                    list.extend(std::iter::repeat_n(item, times));
                }
            }
            (Value::Object(map), 0) => {
                if let Some(key) = map.keys().nth(dice.below(map.len())).cloned() {
                    map.remove(&key);
                }
            }
            (Value::Object(map), 1 | 2) => {
                if let Some(Value::Object(other)) = dice.of(&self.parts) {
                    map.extend(other.clone());
                }
            }
            (Value::Number(number), 0..=3) => {
                let edges =
                    [0, 1, 2, 3, 99, 100, 999_999_999, 1_000_000_000, 1_000_000_001, u64::MAX];
                if let Some(edge) = dice.of(&edges) {
                    *number = (*edge).into();
                }
            }
            (value, _) => *value = dice.of(&self.parts).cloned().unwrap_or_default(),
        }
    }

    fn change_bytes(&self, json: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.below(json.len());
        let end = at.saturating_add(dice.below(24)).min(json.len());
        match dice.below(6) {
            0 => {
                if let Some(byte) = json.get_mut(at) {
                    *byte ^=
                        1_u8.checked_shl(u32::try_from(dice.below(8)).unwrap_or(0)).unwrap_or(1);
                }
            }
            1 => json.truncate(at),
            2 => {
                json.drain(at..end);
            }
            3 => {
                let copy: Vec<u8> = json.get(at..end).unwrap_or_default().to_vec();
                let times = dice.below(20);
                json.splice(at..at, copy.repeat(times));
            }
            4 => {
                let other = dice.of(&self.parts).map(Value::to_string).unwrap_or_default();
                json.splice(at..end, other.into_bytes());
            }
            _ => {
                let token = dice.of(&TOKENS).copied().unwrap_or_default();
                json.splice(at..end, token.bytes());
            }
        }
    }
}

fn gather(value: &Value, parts: &mut Vec<Value>) {
    parts.push(value.clone());
    match value {
        Value::Array(list) => list.iter().for_each(|value| gather(value, parts)),
        Value::Object(map) => map.values().for_each(|value| gather(value, parts)),
        _ => {}
    }
}

/// Random choices, all decided by one number (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound; 0 below 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next().checked_rem(bound).unwrap_or(0)).unwrap_or(0)
    }

    fn of<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        choices.get(self.below(choices.len()))
    }
}
