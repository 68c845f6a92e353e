//! Any bytes are answered in bounded time: what hostile inputs cost, in instructions, grows with their
//! length as it should (4 KiB, 8 KiB for lines of a million units; with `PROMO_LONG=1` 64 KiB too; a Worker
//! reads at most 256 KiB).
//!
//! Reading is linear. Deciding is linear in lines for each offer, so a request of half campaigns and half
//! cart may cost the product of the two; a cart from a till meets the few offers that its codes lead to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

use promo_bench::engine::Rules;
use promo_fuzz::hostile;

/// What any input may cost: the zones, and the words for the hundred faults told.
const ANYTHING: u64 = 8_000_000;

/// What lines of many units may cost besides, by offers that treat them differently: up to the most runs
/// of units that the engine keeps.
const MANY_UNITS: u64 = 20_000_000;
/// And how many pages of memory.
const MANY_UNITS_PAGES: u64 = 100;

/// The most instructions that reading a byte may take. The dearest are codes, which are normalised.
fn a_byte(step: &str) -> u64 {
    match step {
        "cart" => 300,
        "campaign" => 8_000,
        _ => 1_000,
    }
}

/// The most instructions that a byte of campaigns and a byte of cart may take together.
const A_PAIR: u64 = 1;

#[test]
fn hostile_inputs_cost_no_more_than_their_length_allows() {
    let rules = Rules::build().unwrap();
    let long = std::env::var("PROMO_LONG").is_ok_and(|long| long == "1");
    // A short body is enough to be dear by its units.
    for (bytes, many_units) in
        [(4 << 10, false), (8 << 10, true), (64 << 10, false), (64 << 10, true)]
    {
        if bytes > 8 << 10 && !long {
            continue;
        }
        let all = hostile::all(bytes).into_iter();
        for hostile in all.filter(|hostile| hostile.many_units == many_units) {
            let mut run = rules.start().unwrap();
            let name = hostile.name;
            let step = run.step(hostile.step, &hostile.json);
            let step = step.unwrap_or_else(|error| panic!("{name} ({bytes} bytes): {error:#}"));
            let length = hostile.json.len() as u64;
            let mut limit = ANYTHING + a_byte(hostile.step) * length;
            if hostile.many_units {
                limit += MANY_UNITS;
            }
            if hostile.step == "simulate" {
                limit += A_PAIR * (length / 2).pow(2);
            }
            assert!(
                step.instructions <= limit,
                "{name}: {} of {length} bytes costs {} instructions, and {limit} are allowed",
                hostile.step,
                step.instructions,
            );
            let mut pages = 64 + length / 256;
            if hostile.many_units {
                pages += MANY_UNITS_PAGES;
            }
            assert!(run.pages() <= pages, "{name}: {} pages for {length} bytes", run.pages());
        }
    }
}
