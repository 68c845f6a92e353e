//! The present. The runtime holds its clock still between I/O.
//!
//! Tests of what takes days move it by the setting `CLOCK_OFFSET`, in seconds. It is for nothing else: a
//! service that has it says so at `/healthz`, and refuses every request that does not come to this
//! machine itself, so that one deployed with it by mistake is shut and not a day ahead.

use std::cell::Cell;

use promo_core::time::Instant;
use worker::{Date, Env};

use super::{Call, Problem};
use crate::settings;

thread_local! {
    // An isolate is of one deployment, whose settings do not change while it lives.
    static OFFSET: Cell<i64> = const { Cell::new(0) };
}

/// The present, as the edge or an object knows it.
pub fn now() -> Instant {
    let millis = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
    Instant::from_millis(millis).plus_millis(offset().saturating_mul(1000))
}

/// By how many seconds the clock is wrong.
pub fn offset() -> i64 {
    OFFSET.get()
}

/// Takes the setting over. A text that is no number moves nothing, and is refused by [`check`].
pub fn set(env: &Env) {
    OFFSET.set(told(env).and_then(|text| text.parse().ok()).unwrap_or(0));
}

/// Refuses a request to a deployment whose clock was moved.
///
/// # Errors
/// 503, unless the request is to this very machine.
pub fn check(env: &Env, call: &Call) -> Result<(), Problem> {
    let Some(told) = told(env) else { return Ok(()) };
    let here = matches!(call.host().as_str(), "127.0.0.1" | "localhost" | "[::1]");
    if here && told.parse::<i64>().is_ok() {
        return Ok(());
    }
    let what = format!("CLOCK_OFFSET is {told:?}, which is for tests on this machine only");
    Err(Problem::ours(503, &what))
}

fn told(env: &Env) -> Option<String> {
    settings::text(env, "CLOCK_OFFSET")
}
