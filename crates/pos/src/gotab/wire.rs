//! Tolerant reading of GoTab's JSON: identifiers as string or number, nulls anywhere, unknown keys
//! ignored, several names for one thing.

use serde_json::Value;

/// The value under the first of `keys` that is there and not null.
pub(super) fn first<'a>(object: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| object.get(*key).filter(|value| !value.is_null()))
}

/// A text, or a number written as one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text under the first of `keys` that is there.
pub(super) fn text_at(object: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| object.get(*key).and_then(text))
}

/// A whole number, also when it is written `1100.0` or `"1100"`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    let written = text(value)?;
    let whole = match written.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => &written,
    };
    whole.parse().ok()
}

/// A text or a list of texts.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}
