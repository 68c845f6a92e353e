//! The three questions of a till, from the parsed event to the decision: INQUIRE ([`inquire()`]),
//! REDEEM ([`redeem()`]), REVERSE ([`reverse()`]).
//!
//! Here the engine, a campaign's ledger and the tab meet. They are reached through [`Ports`], so that
//! the same flow runs in the Worker, in tests and in the simulation. Nothing here keeps state: an
//! event may be repeated, overtaken or lost at any await.
//!
//! # Codes
//! What a code leads to is one rule: [`resolve`]. Whoever tries too many that lead nowhere is locked out,
//! by the location ([`crate::guard`]): each question says how many misses it is, if any, and hears
//! whether it may be answered.
//!
//! # One REDEEM
//! 1. Each code is looked up again. What is unknown is a miss, unless it stands on the tab already. On a
//!    locked tab nothing else than what stands is answered.
//! 2. The engine says what each named offer gives on this cart, with what stands on the tab: at first
//!    with nothing.
//! 3. The *location* admits it (see [`crate::location::tab`]): written before the ledger is asked, so that
//!    no redemption is unknown to its tab. Where something else stands than it was decided on, what is
//!    named and stands already is answered by the ledger that keeps it, whatever became of its code, and
//!    the rest is decided again, back to 2.
//! 4. The campaign's *ledger* takes from every quota, or from none and says which offer has no room;
//!    then the engine decides again without it (or with what its budget has left), back to 2.
//!    Of a divided ledger that is the tab's *home*; what it lacks to decide is brought to it first
//!    ([`rights`]).
//! 5. After the answer: what was claimed and not taken is settled with the location.
//!
//! Campaigns are decided one after another, each with what the ones before it took.
//!
//! When a ledger or the location cannot be reached, the offers are rejected as
//! `temporarily_unavailable`: never "applied" on a guess. What was perhaps taken is undone.

mod clean_up;
mod counters;
mod inquire;
mod named;
mod on_tab;
mod person;
mod ports;
mod quote;
mod redeem;
pub mod resolve;
mod reverse;
mod rights;
mod round;
mod tab;
mod taking;
#[cfg(test)]
mod tests;

use std::fmt;

pub use clean_up::{CleanUp, clean_up};
pub use counters::{QuotaCounters, coupon_uses, quota_counters};
pub use inquire::{Inquired, inquire, inquire_offer, look_at};
pub use person::{KnownBy, Mark, MemberNames, Name, Person, Strength};
pub use ports::{Instrument, Ports, Unreachable};
pub use quote::{Quote, Rejection, Share};
pub use redeem::{Redeemed, redeem};
pub use resolve::{Found, Query, Resolution};
pub use reverse::{Reversal, Reversed, reverse};
pub use tab::told;

use crate::cart::Cart;
use crate::engine::Context;
use crate::ident::TabId;
use crate::ledger::TabKey;
use crate::time::Instant;

/// The most offers that one request may name.
pub const MOST_OFFERS: usize = 50;

/// What an INQUIRE or REDEEM brings beside its own question.
#[derive(Clone, Debug)]
pub struct Event {
    /// The tab.
    pub tab: TabKey,
    /// Another name of the tab, if the event gives two.
    pub also: Option<TabId>,
    /// What is on it.
    pub cart: Cart,
    /// Whether the cart came with what stands on the tab taken off already.
    pub net: bool,
    /// When the event reached the edge.
    pub received: Instant,
    /// A name of this very request that no other has.
    pub attempt: String,
    /// Which POS sent it.
    pub pos: &'static str,
    /// The guest, if the cart names one.
    pub customer: Option<Person>,
    /// The place, its clock and its time.
    pub context: Context,
}

/// An event that cannot be answered at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The catalogue, or what a reversal must reach, did not answer; nothing is lost by asking again.
    Unreachable,
    /// The cart cannot be priced; the text says why.
    Cart(String),
}

impl From<Unreachable> for Failure {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("what must be asked did not answer in time"),
            Self::Cart(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}
