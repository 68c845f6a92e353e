//! The ledger: what was redeemed, what was reversed, and what is left of every quota.
//!
//! One machine, the only writer of its state, which decides one command in one turn: [`campaign`], a
//! campaign's counters and redemptions. Every scope of the campaign is checked together and then taken
//! together or not at all, so no quota is ever oversold, and the same REDEEM any number of times is one
//! redemption with one answer. What stands on a tab by several campaigns is [`crate::location`]'s.
//!
//! A campaign's ledger may be divided over several objects ([`shard`]); then rights move between their
//! counters, and the rules stay the same.
//!
//! It is pure: it reads through [`campaign::Books`] and returns what is to be written. Whoever wraps it (a Durable Object, a test, the simulation) writes it without an
//! await in between, which is what makes the turn atomic.

pub mod campaign;
pub mod counter;
pub mod shard;

use serde::{Deserialize, Serialize};

use crate::ident::{LocationId, TabId};
use crate::time::Instant;

/// One request that asked for something: what it got is its own to lose. Neither a reversal received
/// before it nor the undoing of another request takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its name; empty: several early ones, which are not told apart any more, nor undone.
    pub name: String,
    /// When it reached the edge.
    pub received: Instant,
}

impl Attempt {
    /// Stands for another one as well.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.name.clear();
        self.received = self.received.max(other.received);
    }
}

/// One tab: its name is unique only within its location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TabKey {
    /// The place of business.
    pub location: LocationId,
    /// The tab there.
    pub tab: TabId,
}
