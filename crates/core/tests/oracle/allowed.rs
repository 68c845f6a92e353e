//! What the ledger lets through: `request["allowed"]`, by campaign. The `simulate` of the product has no
//! such key; there the checkout says it to the engine.
//!
//! `{"at_most": 500, "offers": {"o1": {"at_most": 100}, "o2": {"refused": "quota_exhausted"}, "o3": "not_asked"}}`

use serde_json::Value;

/// What a campaign and its offers may give.
pub struct Allowed<'a>(&'a Value);

impl<'a> Allowed<'a> {
    pub fn of(campaign: &Value, request: &'a Value) -> Self {
        Self(&request["allowed"][campaign["id"].as_str().unwrap()])
    }

    fn offer(&self, offer: &Value) -> &'a Value {
        &self.0["offers"][offer["id"].as_str().unwrap()]
    }

    /// All offers together.
    pub fn at_most(&self) -> i64 {
        self.0["at_most"].as_i64().unwrap_or(i64::MAX)
    }

    pub fn at_most_for(&self, offer: &Value) -> i64 {
        self.offer(offer)["at_most"].as_i64().unwrap_or(i64::MAX)
    }

    pub fn refusal(&self, offer: &Value) -> Option<String> {
        self.offer(offer)["refused"].as_str().map(str::to_owned)
    }

    pub fn is_not_asked(&self, offer: &Value) -> bool {
        self.offer(offer) == "not_asked"
    }
}
