//! What a checkout may cost. A count of instructions is the same on every machine, so these limits are sharp.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

use promo_bench::{cases, cost::Cost, engine::Rules};

#[test]
fn a_checkout_costs_no_more_than_its_limit() {
    let rules = Rules::build().unwrap();
    let mut limited = 0;
    for case in cases::all().unwrap() {
        let cost = Cost::of(&case, &rules).unwrap();
        let offers = case.request["campaigns"][0]["offers"].as_array().unwrap().len();
        assert!(cost.applied * 3 > offers * 2, "{}: most offers should apply", case.name);
        let Some((limit, of)) = case.limit else {
            continue;
        };
        limited += 1;
        assert!(
            cost.limited(of) <= limit,
            "{}: {} instructions to {of:?}, and {limit} are allowed; `cargo xtask bench --functions` shows where they go",
            case.name,
            cost.limited(of),
        );
    }
    assert_eq!(limited, 2);
}

#[test]
fn the_same_checkout_costs_the_same_again() {
    let rules = Rules::build().unwrap();
    let case = &cases::all().unwrap()[0];
    let costs = [(); 2].map(|()| Cost::of(case, &rules).unwrap());
    assert_eq!(costs[0].cart, costs[1].cart);
    assert_eq!(costs[0].decide, costs[1].decide);
    assert_eq!(costs[0].campaigns, costs[1].campaigns);
}
