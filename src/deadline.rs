//! Waiting, but not for ever.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use promo_core::time::Instant;
use worker::Delay;

use crate::http::now;

/// What was waited for did not come in time; it may still happen.
#[derive(Clone, Copy, Debug)]
pub struct TimedOut {
    /// After how many milliseconds it was given up.
    waited: u64,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {} ms", self.waited)
    }
}

/// What a future comes to, if it does by this instant.
///
/// # Errors
/// When it does not. The future is dropped; what it has set in motion may go on.
pub async fn by<T>(deadline: Instant, future: impl Future<Output = T>) -> Result<T, TimedOut> {
    let waited = u64::try_from(deadline.millis().saturating_sub(now().millis())).unwrap_or(0);
    match select(Box::pin(future), Delay::from(Duration::from_millis(waited))).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(TimedOut { waited }),
    }
}
