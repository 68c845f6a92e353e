//! Campaigns for tests.

use serde_json::{Value, json};

use crate::Service;

/// A campaign of one code and one offer, 10% off the tab.
#[must_use]
pub fn ten_percent(id: &str, code: &str) -> Value {
    json!({
        "id": id, "name": format!("Campaign {id}"), "currency": "USD",
        "codes": { "fixed": [code] },
        "offers": [{ "id": "ten-off", "name": "10% off", "description": "10% off the whole tab",
            "discount": { "percent": "10" } }]
    })
}

/// The same document with another value at a key.
#[must_use]
pub fn with(mut document: Value, key: &str, value: Value) -> Value {
    if let Some(entries) = document.as_object_mut() {
        entries.insert(key.to_owned(), value);
    }
    document
}

/// Publishes a campaign, or the test fails.
#[track_caller]
pub fn publish(service: &Service, document: &Value) {
    let id = document["id"].as_str().unwrap_or_default();
    let reply = service.put(&format!("/admin/campaigns/{id}")).admin().json(document);
    assert_eq!(reply.status, 200, "{reply}");
}
