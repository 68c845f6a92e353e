//! Small changes of JSON documents, each of which may break a rule or just not.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use crate::generate::Dice;

/// Every place of a document, as a JSON Pointer, the whole first.
pub fn places(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(document, "", &mut found);
    found
}

fn walk(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                walk(value, &format!("{pointer}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// Values that some documents have under each key, by key.
pub type Members = BTreeMap<String, Vec<Value>>;

/// Gathers what stands under each key of a document.
pub fn gather(value: &Value, members: &mut Members) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| gather(value, members)),
        Value::Object(object) => {
            for (key, value) in object {
                let known = members.entry(key.clone()).or_default();
                if known.len() < 12 && !known.contains(value) {
                    known.push(value.clone());
                }
                gather(value, members);
            }
        }
        _ => {}
    }
}

/// Values that stand on or beside some border, of every type.
pub fn pool() -> Vec<Value> {
    let mut pool = vec![
        Value::Null,
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!([""]),
        json!(["a", "a"]),
        json!({"x": 1}),
        json!({"min": 2, "max": 1}),
        json!(true),
        json!(false),
    ];
    let borders = [0, 1, 1000, 1024, 3650, 1 << 30, (1 << 53), i64::MAX as u64, u64::MAX];
    for border in borders {
        pool.extend([border.wrapping_sub(1), border, border.wrapping_add(1)].map(Value::from));
    }
    pool.extend([-1, -999, -1000, -1001, i64::MIN].map(Value::from));
    let floats = [-0.0, 0.0, 1.0, 0.5, 400.0, -1.0, 1e2, 1e19, 1e300, -1e19];
    pool.extend(floats.map(|float| Value::from(Number::from_f64(float).unwrap())));
    pool.extend(serde_json::from_str::<Vec<Value>>(include_str!("texts.json")).unwrap());
    for length in [31, 32, 33, 63, 64, 65, 1024, 1025, 2000, 2001] {
        pool.push("a".repeat(length).into());
        pool.push("A-".repeat(length).into());
        pool.push("é".repeat(length).into());
        pool.push(" ".repeat(length).into());
    }
    pool.extend([json!(["10:00"]), json!(["10:00", "11:00", "12:00"]), json!(["24:00", "24:00"])]);
    pool.extend([json!(["AAA", "aaa"]), json!(["aaa", "a a-a"]), json!(["AAA", "ＡＡＡ"])]);
    pool
}

/// The document with one place changed, if that can be.
pub fn replaced(document: &Value, place: &str, value: &Value) -> Value {
    let mut mutant = document.clone();
    *mutant.pointer_mut(place).unwrap() = value.clone();
    mutant
}

/// Changes a random place of a document in a random way.
pub fn mutate(document: &mut Value, dice: &mut Dice, pool: &[Value], members: &Members) {
    let places = places(document);
    let place = &places[dice.below(places.len())];
    let node = document.pointer_mut(place).unwrap();
    match node {
        Value::Object(object) => change_object(object, dice, pool, members),
        Value::Array(list) => change_list(list, dice, pool),
        Value::String(text) if dice.one_in(2) => *text = misspelt(text, dice),
        Value::Number(number) if dice.one_in(2) => *number = beside(number, dice),
        _ => *node = pool[dice.below(pool.len())].clone(),
    }
}

fn change_object(
    object: &mut Map<String, Value>,
    dice: &mut Dice,
    pool: &[Value],
    members: &Members,
) {
    let keys: Vec<String> = object.keys().cloned().collect();
    let one = if keys.is_empty() { String::new() } else { keys[dice.below(keys.len())].clone() };
    match dice.below(6) {
        0 => drop(object.remove(&one)),
        1 => drop(object.insert(misspelt(&one, dice), json!(1))),
        2 => {
            if let Some(value) = object.remove(&one) {
                object.insert(misspelt(&one, dice), value);
            }
        }
        3 => drop(object.insert(one, pool[dice.below(pool.len())].clone())),
        // Two kinds at once, a key where it does not belong, or one that was merely left out.
        _ => {
            let (key, values) = members.iter().nth(dice.below(members.len())).unwrap();
            object.insert(key.clone(), values[dice.below(values.len())].clone());
        }
    }
}

fn change_list(list: &mut Vec<Value>, dice: &mut Dice, pool: &[Value]) {
    if list.is_empty() || dice.one_in(4) {
        list.push(pool[dice.below(pool.len())].clone());
        return;
    }
    let index = dice.below(list.len());
    match dice.below(4) {
        0 => list.clear(),
        1 => drop(list.remove(index)),
        2 => list.push(list[index].clone()),
        _ => list.reverse(),
    }
}

fn misspelt(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let other = dice.of(&['a', 'Z', '0', '9', '-', '_', '.', ' ', ':', 'é', '\u{2003}', '\n']);
    if letters.is_empty() {
        return other.to_string();
    }
    let index = dice.below(letters.len());
    match dice.below(4) {
        0 => drop(letters.remove(index)),
        1 => letters.insert(index, other),
        2 => letters[index] = other,
        _ => return text.to_uppercase(),
    }
    letters.into_iter().collect()
}

fn beside(number: &Number, dice: &mut Dice) -> Number {
    match (number.as_i64(), dice.below(4)) {
        (Some(number), 0) => (number.saturating_add(1)).into(),
        (Some(number), 1) => (number.saturating_sub(1)).into(),
        (Some(number), 2) => (number.saturating_neg()).into(),
        _ => Number::from_f64(number.as_f64().unwrap()).unwrap(),
    }
}
