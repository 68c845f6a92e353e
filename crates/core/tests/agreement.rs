//! The engine and the oracle, two programs from one specification, give one answer.
//!
//! 3,000 generated requests; 100,000 with `PROMO_LONG=1`; one with `PROMO_SEED=n`, the number a failure prints.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod engine;
mod generate;
mod oracle;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use serde_json::{Value, json};

/// What must agree of two replies: all but the wording of `detail`, and the order of rejections.
fn what_matters(reply: &Value) -> Value {
    let rejected: BTreeSet<String> = reply["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let [campaign, offer, code] =
                ["campaign", "offer", "code"].map(|key| one[key].as_str());
            format!("{campaign:?} {offer:?} {code:?}: {}", one["reason"])
        })
        .collect();
    json!({
        "discount": reply["discount"], "currency": reply["currency"], "offers": reply["offers"], "rejected": rejected,
    })
}

fn disagree(request: &Value) -> bool {
    // A request that shrinking has made senseless makes the oracle panic or the engine refuse: no disagreement.
    let Ok(theirs) = catch_unwind(|| oracle::simulate(request)) else {
        return false;
    };
    engine::simulate(request).is_ok_and(|ours| what_matters(&ours) != what_matters(&theirs))
}

#[test]
fn the_engine_agrees_with_the_oracle() {
    for seed in generate::seeds() {
        let request = generate::request(seed);
        let theirs = oracle::simulate(&request);
        let ours = engine::simulate(&request);
        if let Ok(ours) = &ours
            && what_matters(ours) == what_matters(&theirs)
        {
            continue;
        }
        let smallest = if ours.is_ok() {
            std::panic::set_hook(Box::new(|_| {}));
            let smallest = generate::shrink(&request, disagree);
            let _ = std::panic::take_hook();
            smallest
        } else {
            request
        };
        panic!(
            "seed {seed}, shrunk:\n{}\n\nengine: {}\n\noracle: {}",
            serde_json::to_string(&smallest).unwrap(),
            engine::simulate(&smallest)
                .map_or_else(|error| error, |ours| format!("{:#}", what_matters(&ours))),
            format_args!("{:#}", what_matters(&oracle::simulate(&smallest))),
        );
    }
}
