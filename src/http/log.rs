//! The log: one JSON object a line, without anybody's secret, telephone number or e-mail address.
//!
//! Everything the Worker logs goes through here. What is logged is chosen so that there is nothing to
//! hide; texts from outside (an `offer_id` that a till made up, a message that quotes one) are hidden in
//! all the same.

use promo_core::redact;
use serde_json::Value;

use crate::settings;

/// Writes a line of the ordinary course.
pub fn info(line: impl Into<Value>) {
    worker::console_log!("{}", clean(line.into()));
}

/// Writes that something did not go as it should, and nobody waits to hear it.
pub fn warn(line: Value) {
    worker::console_warn!("{}", clean(line));
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean_text(&text)),
        Value::Array(list) => Value::Array(list.into_iter().map(clean).collect()),
        Value::Object(entries) => {
            Value::Object(entries.into_iter().map(|(key, value)| (key, clean(value))).collect())
        }
        other => other,
    }
}

/// The text as it may be logged.
pub fn clean_text(text: &str) -> String {
    settings::without_secrets(&redact::personal(text))
}
