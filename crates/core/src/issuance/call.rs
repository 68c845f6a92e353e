//! A call back to the wallet: what its answer means, and when to call again.
//!
//! The call is a `PUT` of a whole state, so calling twice does no harm, and a call whose answer
//! nobody heard is simply made again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// The first wait after a failure, in milliseconds; each further one is twice as long.
const FIRST_WAIT: i64 = 1000;
/// The longest wait.
const LONGEST_WAIT: i64 = 60 * 60 * 1000;
/// How long a call back is tried in all.
const PATIENCE: i64 = 24 * 60 * 60 * 1000;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// An answer with this status; what else it says does not matter.
    Status(u16),
    /// Nothing in time.
    TimedOut,
    /// No HTTP answer: no such host, nobody listens, a certificate, rubbish.
    Unreachable(String),
    /// The deployment does not say whom to call.
    NoAddress,
}

/// What it means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The card shows the number.
    Confirmed,
    /// The app has no such card, and will not have it.
    Gone,
    /// It will never work as it is; a person must look.
    Final,
    /// Not now.
    Again,
}

impl Heard {
    /// What it means.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Status(200..=299) => Verdict::Confirmed,
            Self::Status(404 | 410) => Verdict::Gone,
            Self::Status(408 | 429) => Verdict::Again,
            Self::Status(400..=499) => Verdict::Final,
            Self::Status(_) | Self::TimedOut | Self::Unreachable(_) | Self::NoAddress => {
                Verdict::Again
            }
        }
    }
}

impl Heard {
    /// What went wrong, in a word.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Status(401 | 403) => "token",
            Self::Status(500..=599) => "wallet_failed",
            Self::Status(_) => "refused",
            Self::TimedOut => "time_out",
            Self::Unreachable(_) => "unreachable",
            Self::NoAddress => "no_address",
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ (401 | 403)) => {
                write!(f, "the wallet refuses our token ({status}): see WALLET_TOKEN")
            }
            Self::Status(status) => write!(f, "the wallet answered {status}"),
            Self::TimedOut => f.write_str("the wallet did not answer in time"),
            Self::Unreachable(why) => write!(f, "the wallet cannot be reached: {why}"),
            Self::NoAddress => f.write_str("the setting WALLET_URL is missing"),
        }
    }
}

/// When to call again after so many failures in a row, the first call having been due at `since`;
/// `None` when a day has been tried.
#[must_use]
pub fn next_attempt(since: Instant, failures: u32, now: Instant) -> Option<Instant> {
    let end = since.plus_millis(PATIENCE);
    if now >= end {
        return None;
    }
    let doublings = failures.saturating_sub(1).min(20);
    let wait = FIRST_WAIT.saturating_mul(1_i64.wrapping_shl(doublings)).min(LONGEST_WAIT);
    Some(now.plus_millis(wait).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_one_of_four_things() {
        let verdict = |status| Heard::Status(status).verdict();
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(status), Verdict::Confirmed, "{status}");
        }
        assert_eq!((verdict(404), verdict(410)), (Verdict::Gone, Verdict::Gone));
        for status in [400, 401, 403, 405, 409, 422] {
            assert_eq!(verdict(status), Verdict::Final, "{status}");
        }
        for status in [301, 408, 429, 500, 502, 503, 504, 599] {
            assert_eq!(verdict(status), Verdict::Again, "{status}");
        }
        assert_eq!(Heard::TimedOut.verdict(), Verdict::Again);
        assert_eq!(Heard::Unreachable(String::new()).verdict(), Verdict::Again);
    }

    #[test]
    fn waits_double_from_a_second_to_an_hour_and_end_after_a_day() {
        let since = Instant::from_millis(0);
        let (mut now, mut failures, mut waits) = (since, 0, Vec::new());
        loop {
            failures += 1;
            let Some(next) = next_attempt(since, failures, now) else { break };
            waits.push((next.millis() - now.millis()) / 1000);
            now = next;
        }
        assert_eq!(waits[..4], [1, 2, 4, 8]);
        assert_eq!(waits[11], 2048);
        assert_eq!(waits[12], 3600);
        assert_eq!(now.millis(), PATIENCE);
        assert!(waits.len() > 30, "{waits:?}");
    }
}
