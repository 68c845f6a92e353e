//! The targets under mutations of real documents. A run goes on from where its number says:
//! `PROMO_SEED=n` replays the input of one failure.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{panic, time::Duration};

use promo_fuzz::{TARGETS, Target, mutate::Corpus};
use xtask::report::Clock;

/// How long each target is driven in an ordinary run, and in a long one: a minute in all on two cores.
const SHORT: Duration = Duration::from_millis(700);
const LONG: Duration = Duration::from_secs(30);

/// No input this long takes this long, not even unoptimised on a busy machine; the sharp bound is a
/// count of instructions (`bench/tests/bounded.rs`).
const TOO_LONG: Duration = Duration::from_secs(10);

fn drive(name: &str) {
    let (name, target) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let corpus = Corpus::of(name);
    if let Ok(seed) = std::env::var("PROMO_SEED") {
        return target(&corpus.input(seed.parse().unwrap()));
    }
    let long = std::env::var("PROMO_LONG").is_ok_and(|long| long == "1");
    let clock = Clock::start();
    let mut inputs = 0;
    while clock.elapsed() < if long { LONG } else { SHORT } {
        try_input(name, target, &corpus, inputs);
        inputs += 1;
    }
    println!("{name}: {inputs} inputs");
    assert!(inputs > 20, "{inputs} inputs are no test");
}

fn try_input(name: &str, target: Target, corpus: &Corpus, number: u64) {
    let input = corpus.input(number);
    let clock = Clock::start();
    let outcome = panic::catch_unwind(|| target(&input));
    let input = String::from_utf8_lossy(&input);
    assert!(outcome.is_ok(), "{name} panics; PROMO_SEED={number} replays it:\n{input}");
    assert!(clock.elapsed() < TOO_LONG, "{name} takes {clock} for number {number}:\n{input}");
}

#[test]
fn any_bytes_as_a_campaign_are_read_or_refused() {
    drive("campaign");
}

#[test]
fn any_bytes_as_a_cart_are_read_or_refused() {
    drive("cart");
}

#[test]
fn any_bytes_as_a_request_are_answered_or_refused() {
    drive("simulate");
}

#[test]
fn hostile_inputs_are_read_or_refused() {
    for hostile in promo_fuzz::hostile::all(16 * 1024) {
        for (_, target) in TARGETS {
            target(&hostile.json);
        }
    }
}
