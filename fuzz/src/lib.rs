//! Any bytes as a campaign, a cart or a request: an answer in bounded time, and no panic.
//!
//! The targets are plain functions of bytes. `cargo test --package promo-fuzz` drives them with mutations of
//! the vectors ([`mutate`]) on the stable toolchain: a second or two in all, a minute on two cores with
//! `PROMO_LONG=1`, as `cargo xtask test --long` does. `cargo xtask fuzz campaign` (or `cart`, `simulate`) has
//! libFuzzer drive them, led by coverage, for as long as one likes.
//!
//! What a panic is, a target shows. What bounded time is, `bench/tests/bounded.rs` shows with the inputs of
//! [`hostile`]: it counts instructions, which no busy machine can change.

pub mod hostile;
pub mod mutate;

use promo_core::{
    campaign::Campaign,
    cart::Cart,
    engine::{
        Asked, Context, LocationFacts, Standing, decide,
        simulate::{Defaults, Request, simulate as simulate_request},
    },
    time::{Instant, Zone},
};
use serde_json::Value;

/// A cart with a little of everything, for campaigns to be tried on.
pub const CART: &str = include_str!("../seeds/cart.json");
/// A campaign with an offer of every kind, for carts to be tried with.
pub const CAMPAIGN: &str = include_str!("../../bench/cases/25-offers.json");

/// A target by name.
pub type Target = fn(&[u8]);

/// The targets, each with what its inputs are made from.
pub const TARGETS: [(&str, Target); 3] =
    [("campaign", campaign), ("cart", cart), ("simulate", simulate)];

/// A campaign is read, and if it is one, looked over and asked about a cart.
pub fn campaign(json: &[u8]) {
    let Ok(campaign) = Campaign::from_json(json) else {
        return;
    };
    let context = context();
    let _ = campaign.warnings(context.at);
    if let Ok(cart) = Cart::from_json(CART.as_bytes()) {
        look_at(decide(&[Asked::open(&campaign)], &cart, &context, Standing::nothing()), &cart);
    }
}

/// A cart is read, and if it is one, decided about.
pub fn cart(json: &[u8]) {
    let Ok(cart) = Cart::from_json(json) else {
        return;
    };
    if let Ok(campaign) = Campaign::from_json(CAMPAIGN.as_bytes()) {
        let context = context();
        look_at(decide(&[Asked::open(&campaign)], &cart, &context, Standing::nothing()), &cart);
    }
}

/// A request is answered, in JSON that can be read.
pub fn simulate(json: &[u8]) {
    let defaults = Defaults { now: Some(at()), zone: Zone::utc() };
    if let Ok(reply) = simulate_request(json, &defaults) {
        assert!(serde_json::from_slice::<Value>(&reply).is_ok(), "the reply is no JSON");
    }
    if let Ok(request) = Request::from_json(json) {
        let _ = request.codes();
    }
}

/// A decision must keep what every decision promises, whatever the cart.
fn look_at(
    decision: Result<promo_core::engine::Decision<'_>, promo_core::engine::EngineError>,
    cart: &Cart,
) {
    let Ok(decision) = decision else {
        return;
    };
    for rejected in &decision.rejected {
        let _ = rejected.detail.to_string();
    }
    let most = cart.lines_total().saturating_add(cart.fees_total());
    // A cart without lines has its subtotal for a unit.
    let most = most.max(cart.subtotal().saturating_add(cart.fees_total()));
    assert!(decision.discount <= most, "more is given than the cart is worth");
}

fn context() -> Context {
    let location = LocationFacts {
        timezone: Zone::parse("America/Chicago").ok(),
        tags: vec!["airport".into()],
    };
    Context { at: at(), location, default_zone: Zone::utc() }
}

/// A Friday in happy hour.
fn at() -> Instant {
    Instant::parse("2026-07-03T17:30:00-05:00").unwrap_or_else(|_| Instant::from_millis(0))
}
