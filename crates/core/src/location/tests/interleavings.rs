//! Every interleaving of two REDEEMs, a reversal of the whole tab, and the death of one edge
//! between admission and settlement or one message to a ledger that goes astray, over the machines
//! themselves: the location, the campaigns' ledgers, and the engine.
//!
//! A step is one message to one object. All orders of steps are tried, states that were met
//! already left out. After each step, and when everybody is done and what was left behind has been
//! cleaned up, it is checked that nothing was promised that cannot be true together.

use serde_json::{Value, json};

use super::plot::{Bug, Plot};

fn campaign(id: &str, combines_with: &str, offers: &Value) -> Value {
    json!({"id": id, "name": id, "currency": "USD", "codes": {"none": true},
        "combines_with": combines_with, "offers": offers})
}

fn free_burger(id: &str) -> Value {
    let burger = json!({"items": {"sku": ["BURGER"]}});
    json!([{"id": id, "name": id, "discount": {"cheapest": 1, "percent": "100", "on": burger}}])
}

/// Two REDEEMs that are in each other's way.
fn plots() -> Vec<Plot> {
    let (one, two) = (free_burger("a"), free_burger("b"));
    let combining = [campaign("one", "any", &one), campaign("two", "any", &two)];
    let apart = [campaign("one", "none", &one), campaign("two", "none", &two)];
    let step = |id: &str, amount: u64| json!({"id": id, "name": id, "group": "steps", "discount": {"amount": amount}});
    let steps = [campaign("one", "none", &json!([step("five", 500), step("ten", 1000)]))];
    let mut alone = json!([step("five", 500), step("ten", 1000)]);
    alone[1]["stacking"] = "exclusive".into();
    alone[1]["group"] = "other".into();
    let alone = [campaign("one", "none", &alone)];
    vec![
        Plot::new(&combining, [(0, "a"), (1, "b")], (1200, 1)),
        Plot::new(&apart, [(0, "a"), (1, "b")], (1200, 1)),
        Plot::new(&combining, [(0, "a"), (0, "a")], (1200, 1)),
        Plot::new(&steps, [(0, "five"), (0, "ten")], (1000, 1)),
        Plot::new(&alone, [(0, "ten"), (0, "five")], (1000, 1)),
    ]
}

/// Before both REDEEMs, between them, and after both.
const REVERSED: [i64; 3] = [5, 15, 25];

#[test]
fn in_every_interleaving_one_tab_has_one_sum() {
    let mut states = 0;
    for mut plot in plots() {
        for reversed in REVERSED {
            plot.reversed = reversed;
            let names = plot.names;
            states += plot.explore().unwrap_or_else(|it| panic!("{names:?} {reversed}: {it}"));
        }
    }
    assert!(states > 9000, "only {states} states were met");
}

#[test]
fn a_deliberate_bug_is_found() {
    for bug in [Bug::DecidesOnNothing, Bug::SettlesForOthers, Bug::DoesNotAsk] {
        let found = plots().into_iter().any(|mut plot| {
            plot.bug = bug;
            REVERSED.into_iter().any(|reversed| {
                plot.reversed = reversed;
                plot.explore().is_err()
            })
        });
        assert!(found, "{bug:?} goes unnoticed");
    }
}
