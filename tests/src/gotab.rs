//! GoTab as it talks to us: the events of one tab.

use serde_json::{Value, json};

use crate::{Reply, Service, secrets};

/// A tab at a till of GoTab's, with one burger for 11.00 and its tax.
#[derive(Clone)]
pub struct Tab<'a> {
    service: &'a Service,
    /// `tab_data`, to be changed at will.
    pub data: Value,
}

impl<'a> Tab<'a> {
    /// A tab of location 1019, named by its UUID.
    pub fn new(service: &'a Service, uuid: &str) -> Self {
        let data = json!({
            "tab_id": "14165", "tab_uuid": uuid, "location_id": "1019", "name": "A. Guest",
            "spots": null, "status": "PENDING", "total": 1166, "subtotal": 1100, "tax": 66,
            "balance_due": 1166, "created": "2026-04-01T11:00:53.247Z", "orders": [], "items": [],
            "adjustments": [], "payments": [], "customers": {}, "tab_metadata": null
        });
        Self { service, data }
    }

    /// The same tab with another value in `tab_data`.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        if let Some(entries) = self.data.as_object_mut() {
            entries.insert(key.to_owned(), value);
        }
        self
    }

    /// Sends an event of this tab; `more` is what it says besides the tab.
    #[track_caller]
    pub fn event(&self, event_type: &str, more: &Value) -> Reply {
        self.service
            .post("/gotab/promo")
            .auth(secrets::GOTAB_PROMO_AUTH)
            .json(&self.body(event_type, more))
    }

    /// Sends a Loyalty event of this tab; `more` is what it says besides the tab.
    #[track_caller]
    pub fn loyalty(&self, event_type: &str, more: &Value) -> Reply {
        self.service
            .post("/gotab/loyalty")
            .auth(secrets::GOTAB_LOYALTY_AUTH)
            .json(&self.body(event_type, more))
    }

    /// The same tab of this much, with tax.
    #[must_use]
    pub fn of(self, subtotal: u64) -> Self {
        let tax = subtotal / 16;
        self.with("subtotal", json!(subtotal))
            .with("tax", json!(tax))
            .with("total", json!(subtotal.saturating_add(tax)))
    }

    /// The body of an event.
    #[must_use]
    pub fn body(&self, event_type: &str, more: &Value) -> Value {
        let mut body = json!({
            "event_type": event_type,
            "location_id": self.data.get("location_id"),
            "tab_data": self.data,
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        body
    }

    /// Asks about a code.
    #[track_caller]
    pub fn inquire(&self, code: &str) -> Reply {
        self.event("INQUIRE", &json!({ "lookup_value": code }))
    }

    /// The `offer_id` of the only offer of a code.
    #[track_caller]
    pub fn offer_of(&self, code: &str) -> String {
        let reply = self.inquire(code);
        assert_eq!(reply.status, 200, "{reply}");
        let reply = reply.json();
        match reply.pointer("/offers/0/offers/0/offer_id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => panic!("no offer in {reply}"),
        }
    }

    /// Uses offers.
    #[track_caller]
    pub fn redeem(&self, offer_ids: &[&str]) -> Reply {
        let offers: Vec<Value> = offer_ids.iter().map(|id| json!({ "offer_id": id })).collect();
        self.event("REDEEM", &json!({ "offers": offers }))
    }

    /// Gives offers back; none: all of them.
    #[track_caller]
    pub fn reverse(&self, offer_ids: &[&str]) -> Reply {
        self.event("REVERSAL", &json!({ "offers": offer_ids }))
    }
}

/// What a REDEEM's reply applied: offer ids with their amounts as they stand in the reply.
pub fn applied(reply: &Reply) -> Vec<(String, String)> {
    let reply = reply.json();
    let groups = reply["offers"].as_array().cloned().unwrap_or_default();
    groups
        .iter()
        .flat_map(|group| group["offers"].as_array().cloned().unwrap_or_default())
        .map(|offer| {
            let id = offer["offer_id"].as_str().unwrap_or_default().to_owned();
            (id, offer["amount"].to_string())
        })
        .collect()
}

/// Why a REDEEM's reply rejected what it did.
pub fn reasons(reply: &Reply) -> Vec<String> {
    let rejected = reply.json()["rejected_offers"].as_array().cloned().unwrap_or_default();
    rejected.iter().map(|r| r["reason"].as_str().unwrap_or_default().to_owned()).collect()
}
