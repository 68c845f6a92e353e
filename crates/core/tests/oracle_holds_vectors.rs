//! The oracle, before it judges the engine, is itself judged by every vector.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Sums the shares of all offers by id.
fn shares(reply: &Value, of: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for offer in reply["offers"].as_array().unwrap() {
        for share in offer[of].as_array().unwrap() {
            *sums.entry(share["id"].as_str().unwrap().to_owned()).or_insert(0) +=
                share["discount"].as_i64().unwrap();
        }
    }
    sums
}

fn expected_shares(expect: &Value) -> Option<BTreeMap<String, i64>> {
    let stated = expect.as_object()?;
    let sums = stated.iter().map(|(id, sum)| (id.clone(), sum.as_i64().unwrap()));
    Some(sums.filter(|(_, sum)| *sum != 0).collect())
}

/// What a reply has wrong, by the case's `expect`.
fn faults(case: &Value, reply: &Value) -> Vec<String> {
    let expect = &case["expect"];
    let mut faults = Vec::new();
    if reply["discount"] != expect["discount"] {
        faults.push(format!("discount {}", reply["discount"]));
    }
    for of in ["lines", "fees"] {
        let got = shares(reply, of);
        if expected_shares(&expect[of]).is_some_and(|stated| stated != got) {
            faults.push(format!("{of} {got:?}"));
        }
    }
    if let Some(applied) = expect["applied"].as_array() {
        let offers = reply["offers"].as_array().unwrap();
        let agree = |(stated, offer): (&Value, &Value)| {
            stated.as_object().unwrap().iter().all(|(key, value)| offer[key] == *value)
        };
        if applied.len() != offers.len() || !applied.iter().zip(offers).all(agree) {
            faults.push(format!("applied {offers:?}"));
        }
    }
    if let Some(rejected) = expect["rejected"].as_array() {
        let pairs = |list: &[Value]| -> BTreeSet<String> {
            list.iter().map(|one| format!("{} {}", one["campaign"], one["reason"])).collect()
        };
        let got = pairs(reply["rejected"].as_array().unwrap());
        if pairs(rejected) != got {
            faults.push(format!("rejected {got:?}"));
        }
    }
    faults
}

#[test]
fn the_oracle_answers_every_vector_as_expected() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for file in ["settled", "published", "generated"] {
        let file = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
        let vectors: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in vectors.as_array().unwrap() {
            cases += 1;
            let reply = oracle::simulate(&case["request"]);
            let faults = faults(case, &reply);
            if !faults.is_empty() {
                wrong.push(format!(
                    "{}\n  expect {}\n  {}",
                    case["name"],
                    case["expect"],
                    faults.join("\n  ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 285, "a vector file lost or gained cases: look, then change this number");
}
