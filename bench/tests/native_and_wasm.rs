//! Native code and Wasm give the same bytes for the same requests: what the command line tells a marketer is
//! what the Worker will do.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

#[allow(unused_imports, reason = "other tests use what this one does not")]
#[path = "../../crates/core/tests/generate/mod.rs"]
mod generate;

use std::sync::LazyLock;

use promo_bench::engine::Rules;
use promo_core::{
    engine::simulate::{Defaults, simulate},
    time::Zone,
};
use serde_json::Value;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::build().unwrap());

/// How many generated requests are compared (`PROMO_LONG=1`: twenty times as many).
const GENERATED: u64 = 300;

fn native(request: &[u8]) -> (bool, Vec<u8>) {
    match simulate(request, &Defaults { now: None, zone: Zone::utc() }) {
        Ok(reply) => (true, reply),
        Err(faults) => (false, faults.to_string().into_bytes()),
    }
}

#[track_caller]
fn compare(name: &str, request: &[u8]) {
    let wasm = RULES.start().unwrap().step("simulate", request).unwrap();
    let (fine, reply) = native(request);
    assert!(
        (fine, &reply) == (wasm.fine, &wasm.output),
        "{name}\nrequest {}\nnative  {}\nWasm    {}",
        String::from_utf8_lossy(request),
        String::from_utf8_lossy(&reply),
        String::from_utf8_lossy(&wasm.output),
    );
}

#[test]
fn every_vector_has_one_answer() {
    let mut cases = 0;
    for file in [
        include_str!("../../crates/core/tests/vectors/settled.json"),
        include_str!("../../crates/core/tests/vectors/published.json"),
        include_str!("../../crates/core/tests/vectors/generated.json"),
    ] {
        for case in serde_json::from_str::<Vec<Value>>(file).unwrap() {
            let request = serde_json::to_vec(&case["request"]).unwrap();
            compare(case["name"].as_str().unwrap(), &request);
            cases += 1;
        }
    }
    assert!(cases > 200);
}

#[test]
fn every_generated_request_has_one_answer() {
    let long = std::env::var("PROMO_LONG").is_ok_and(|long| long == "1");
    for seed in 0..if long { 20 * GENERATED } else { GENERATED } {
        let request = serde_json::to_vec(&generate::request(seed)).unwrap();
        compare(&format!("seed {seed}"), &request);
    }
}

#[test]
fn every_fault_is_told_in_the_same_words() {
    let mut request = generate::request(1);
    for (pointer, value) in [
        ("/cart/currency", Value::from("usd")),
        ("/cart/subtotal", Value::from(-1)),
        ("/campaigns/0/offers/0/discount", serde_json::json!({"percent": "101"})),
        ("/campaigns/0/offers/0/id", Value::from("No Id")),
        ("/location/timezone", Value::from("Mars/Olympus")),
        ("/at", Value::from("yesterday")),
    ] {
        *request.pointer_mut(pointer).unwrap() = value;
        compare(pointer, &serde_json::to_vec(&request).unwrap());
    }
    compare("no JSON", b"{\"cart\": \xff");
}
