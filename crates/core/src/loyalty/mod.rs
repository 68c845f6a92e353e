//! Loyalty: who is a member, what he has in points, and what they buy.
//!
//! Five machines, each the only writer of its state, each deciding one command in one turn:
//!
//! - [`directory`]: what one identity (a phone number, an address, a loyalty number) leads to: a member,
//!   or the closed tabs of somebody who is none yet. Two sign-ups at once meet here.
//! - [`visit`]: whose a closed tab is, and which of its closings counts. Exactly one member has the
//!   points of a tab, however often it is sent.
//! - [`member`]: one member's books, double entry: what was earned, spent and has expired, and his
//!   redemptions.
//! - [`register`]: which members are part of which others, in the order in which operators merged them.
//! - the campaign ledger of the programme's rewards ([`crate::ledger::campaign`]), for their quotas.
//!
//! [`sign_up`], [`accrue`], [`spend`] and [`merge`] are the ways through them. A way may be cut off at any await: what
//! it did is found again by whoever comes the same way, because every step says what is to stand, not
//! what is to be added.

pub mod accrue;
pub mod conflict;
pub mod directory;
pub mod facts;
pub mod member;
pub mod merge;
pub mod person;
pub mod programme;
pub mod register;
pub mod sign_up;
pub mod spend;
pub mod terms;
pub mod visit;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub use terms::Terms;

use crate::checkout::Unreachable;
use crate::identity::Pseudonym;
use crate::ledger::{TabKey, campaign};
use crate::location::Visited;
use visit::Told;

/// A member's name among our objects: random, and not one that anybody gives at a till.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MemberId(Box<str>);

impl MemberId {
    /// Reads a name: 8 to 32 capital letters and digits. (It stands for the code in the `offer_id`s of
    /// the member's rewards, so it has a code's form.)
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (8..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        sound.then(|| Self(text.into()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a member's name"))
    }
}

/// The objects of loyalty, as an edge reaches them.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Rooms {
    /// Asks what an identity leads to.
    async fn entry(
        &self,
        who: &Pseudonym,
        command: directory::Command,
    ) -> Result<directory::Known, Unreachable>;

    /// Asks whose a closed tab is, by any of its names.
    async fn visit(&self, tab: &TabKey, command: visit::Command) -> Result<Visited, Unreachable>;

    /// Asks a member's books, under the programme's present terms.
    async fn member(
        &self,
        id: &MemberId,
        command: member::Command,
    ) -> Result<member::Reply, Unreachable>;

    /// Asks the ledger of the rewards' campaign, which counts their quotas.
    async fn ledger(&self, command: &campaign::Command) -> Result<campaign::Reply, Unreachable>;

    /// Asks the register of mergers.
    async fn register(&self, command: register::Command) -> Result<register::Joined, Unreachable>;

    /// Lists something for an operator to decide, unless it was listed before.
    async fn list(&self, conflict: &conflict::Conflict) -> Result<(), Unreachable>;

    /// What a closed tab earns that was told when there was no programme.
    async fn count(&self, told: &Told, owner: &MemberId) -> Result<Counted, Unreachable>;
}

/// What becomes of a closed tab that was told when there was no programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It earns this.
    So(Told),
    /// It has waited longer than the programme counts back.
    TooOld,
    /// There is no programme yet.
    NotYet,
}

/// Members that are met on the way to one: more than there are mergers of one person.
const MOST_MET: usize = 1000;

/// Asks a member, or whom he has been merged into. Whoever is met on his way into another member is taken in there
/// first: see [`merge`].
///
/// # Errors
/// When an object cannot be reached.
pub async fn ask_member(
    rooms: &impl Rooms,
    id: &MemberId,
    command: member::Command,
) -> Result<(MemberId, member::Reply), Unreachable> {
    let mut at = id.clone();
    for met in 0..MOST_MET {
        match rooms.member(&at, command.clone()).await? {
            member::Reply::Moved(into) => {
                if met > 0 {
                    // The next who asks has a shorter way, though this one may not come to its end in time.
                    rooms.member(id, member::Command::Point { to: into.clone() }).await?;
                }
                at = into;
            }
            member::Reply::Leaving { into, luggage } => {
                at = merge::take_in(rooms, &at, &into, *luggage).await?;
            }
            reply => return Ok((at, reply)),
        }
    }
    Err(Unreachable)
}
