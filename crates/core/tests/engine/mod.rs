//! The engine as the tests see it: JSON in, JSON out.
#![allow(dead_code, reason = "each test target uses its own part")]
use promo_core::engine::simulate::{self, Defaults};
use promo_core::time::Zone;
use serde_json::Value;

/// The engine's reply, or what it says is wrong with the request.
pub fn simulate(request: &Value) -> Result<Value, String> {
    let reply = bytes(request)?;
    serde_json::from_slice(&reply).map_err(|error| error.to_string())
}

/// The engine's reply as it goes over the wire.
pub fn bytes(request: &Value) -> Result<Vec<u8>, String> {
    let request = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let defaults = Defaults { now: None, zone: Zone::utc() };
    simulate::simulate(&request, &defaults).map_err(|faults| faults.to_string())
}
