//! The shared vectors: cases of other engines, one case for each rule, and generated ones, all as
//! `promo simulate` takes them. `shared/vectors/README.md` says how an expectation is read.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on should fail"
)]

use std::{collections::BTreeMap, fmt::Write as _};

use promo_core::{
    engine::simulate::{Defaults, simulate},
    time::Zone,
};
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults { now: None, zone: Zone::utc() }
}

/// Each id's sum over all offers.
fn sums(reply: &Value, key: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for offer in reply["offers"].as_array().unwrap() {
        for share in offer[key].as_array().unwrap() {
            let id = share["id"].as_str().unwrap().to_owned();
            let discount = share["discount"].as_u64().unwrap();
            assert_ne!(discount, 0, "only non-zero shares are listed");
            *sums.entry(id).or_insert(0) += discount;
        }
    }
    sums
}

/// What is not as the case expects, in words.
fn differences(case: &Value) -> Vec<String> {
    let request = serde_json::to_vec(&case["request"]).unwrap();
    let reply: Value = match simulate(&request, &defaults()) {
        Ok(reply) => serde_json::from_slice(&reply).unwrap(),
        Err(faults) => return vec![faults.to_string()],
    };
    let expect = &case["expect"];
    let mut differences = Vec::new();
    if !expect["discount"].is_null() && reply["discount"] != expect["discount"] {
        let (is, should) = (&reply["discount"], &expect["discount"]);
        differences.push(format!("discount is {is}, should be {should}"));
    }
    for key in ["lines", "fees"] {
        let Some(expected) = expect[key].as_object() else {
            continue;
        };
        let mut is = sums(&reply, key);
        for (id, should) in expected {
            let is = is.remove(id).unwrap_or(0);
            if should.as_u64().is_some_and(|should| should != is) {
                differences.push(format!("{key} {id} is {is}, should be {should}"));
            }
        }
        differences.extend(is.iter().map(|(id, is)| format!("{key} {id} is {is}, should be 0")));
    }
    if let Some(expected) = expect["applied"].as_array() {
        let applied: Vec<Value> = reply["offers"]
            .as_array()
            .unwrap()
            .iter()
            .zip(expected.iter().chain(std::iter::repeat(&Value::Null)))
            .map(|(is, should)| {
                let mut is = json!({"campaign": is["campaign"], "offer": is["offer"],
                    "discount": is["discount"], "rounding": is["rounding"]});
                if should["rounding"].is_null() {
                    is.as_object_mut().unwrap().remove("rounding");
                }
                is
            })
            .collect();
        if applied != *expected {
            let (is, should) = (Value::from(applied), &expect["applied"]);
            differences.push(format!("applied is {is}, should be {should}"));
        }
    }
    for rejected in expect["rejected"].as_array().into_iter().flatten() {
        let there =
            reply["rejected"].as_array().unwrap().iter().any(|is| {
                is["campaign"] == rejected["campaign"] && is["reason"] == rejected["reason"]
            });
        if !there {
            differences.push(format!("{rejected} is not in {}", reply["rejected"]));
        }
    }
    differences
}

fn run(file: &str) {
    let cases: Vec<Value> = serde_json::from_str(file).unwrap();
    assert!(!cases.is_empty());
    let mut failures = String::new();
    let mut failed = 0;
    for case in &cases {
        let differences = differences(case);
        if !differences.is_empty() {
            failed += 1;
            writeln!(failures, "{}\n  {}", case["name"], differences.join("\n  ")).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failed} of {} cases differ:\n{failures}", cases.len());
}

#[test]
fn each_rule_is_as_its_case_shows_it() {
    run(include_str!("vectors/settled.json"));
}

#[test]
fn cases_of_other_engines_come_out_as_there() {
    run(include_str!("vectors/published.json"));
}

#[test]
fn generated_carts_and_campaigns_come_out_as_expected() {
    run(include_str!("vectors/generated.json"));
}
