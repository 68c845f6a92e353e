//! The first reply to a request with an `Idempotency-Key`, kept for a day.
//!
//! What a request did is idempotent by itself (the ledger sees to that); here its *reply* is, and that
//! two requests under one key do not both do their work. A record belongs to a name that is made of the
//! caller, the route and the key ([`name`]); where records are stored is the caller's affair ([`Store`]).
//!
//! # The protocol
//! 1. A request *claims* its name before it does anything. If the name has a reply, that is the answer;
//!    if another request holds the claim, this one is told to come again.
//! 2. Its reply is *kept*, if it is one to keep ([`is_final`]); else the claim is *released*.
//! 3. A request that dies leaves its claim, which lapses after [`CLAIM`]: the next one then does the work.
//!    Should the first be alive after all, it has lost the claim, and its reply is not kept.
//!
//! A kept reply is given again only while what it says stands: see [`Says::contradicted`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ident::{CampaignId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::TabRecord;
use crate::time::Instant;

/// How long a reply is kept, in milliseconds.
pub const KEPT: i64 = 24 * 60 * 60 * 1000;
/// How long a claim bars others, in milliseconds. A till hears an answer within 2 s whatever happens, so
/// whoever has held a claim for longer than this is gone.
pub const CLAIM: i64 = 3000;

/// A reply, as it went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body.
    pub body: String,
    /// What it says of redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<Says>,
}

/// What a reply says of the redemptions of a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    /// The tab.
    pub tab: TabKey,
    /// When the request reached the edge.
    pub received: Instant,
    /// The request's name in ledgers.
    pub attempt: String,
    /// These stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<OfferRef>,
    /// These were given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversed: Vec<OfferRef>,
}

/// What happened to a tab after a reply, so that the reply is no longer true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// What it says stands was given back, though it may have been redeemed anew after that.
    Reversed,
    /// What it says was given back was redeemed again.
    Redeemed,
}

impl Since {
    /// As problem documents say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reversed => "reversed_since",
            Self::Redeemed => "redeemed_since",
        }
    }
}

impl Says {
    /// The campaigns it speaks of, each once.
    #[must_use]
    pub fn campaigns(&self) -> Vec<CampaignId> {
        let all = self.applied.iter().chain(&self.reversed).map(|offer| &offer.campaign);
        let mut campaigns: Vec<CampaignId> = all.cloned().collect();
        campaigns.sort_unstable();
        campaigns.dedup();
        campaigns
    }

    /// Why it is no longer true, by the records that the campaigns' ledgers have of its tab.
    #[must_use]
    pub fn contradicted(&self, records: &[TabRecord]) -> Option<Since> {
        let standing = |offer: &OfferRef| records.iter().find_map(|record| record.applied(offer));
        // A redemption of a later request is another one: what this reply speaks of was reversed first.
        let the_same = |offer: &OfferRef| {
            standing(offer).is_some_and(|redemption| {
                redemption.received <= self.received
                    || redemption.attempts.iter().any(|heard| heard.name == self.attempt)
            })
        };
        if !self.applied.iter().all(the_same) {
            return Some(Since::Reversed);
        }
        let again = self.reversed.iter().any(|offer| standing(offer).is_some());
        again.then_some(Since::Redeemed)
    }
}

/// Whether a reply is one to keep. A failure of ours, "too many tries" and "not now" are none: the caller
/// is to ask again, and then to be answered.
#[must_use]
pub fn is_final(status: u16, body: &str) -> bool {
    status < 500 && status != 429 && !body.contains("\"temporarily_unavailable\"")
}

/// The name of a caller's key on a route; callers' and routes' keys are never each other's.
#[must_use]
pub fn name(caller: &str, route: &str, key: &str) -> String {
    digest(&[caller.as_bytes(), route.as_bytes(), key.as_bytes()])
}

/// What is compared of two requests under one key: the whole body, byte for byte.
#[must_use]
pub fn request(body: &[u8]) -> String {
    digest(&[body])
}

/// Each part is digested by itself, so that where one ends and the next begins makes a difference.
fn digest(parts: &[&[u8]]) -> String {
    let mut all = Sha256::new();
    parts.iter().for_each(|part| all.update(Sha256::digest(part)));
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is known under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What was asked: see [`request`].
    request: String,
    /// Until when it counts.
    until: Instant,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// A request with this attempt's name is at work.
    Claimed(String),
    /// It was answered so.
    Kept(Reply),
}

impl Record {
    /// After which instant it may be deleted.
    #[must_use]
    pub const fn until(&self) -> Instant {
        self.until
    }
}

/// A command to the record of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// This request wants to do its work.
    Claim {
        /// What it asks.
        request: String,
        /// The request's own name.
        attempt: String,
    },
    /// What is known of this request; claims nothing.
    Recall {
        /// What it asks.
        request: String,
    },
    /// The claim's holder has this reply.
    Keep {
        /// The request's own name.
        attempt: String,
        /// Its reply.
        reply: Reply,
    },
    /// The claim's holder has no reply to keep.
    Release {
        /// The request's own name.
        attempt: String,
    },
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Do the work: the claim is yours.
    Yours,
    /// Another request under this name is at work.
    Running,
    /// It was answered so.
    Kept(Reply),
    /// Another request was made under this name.
    Another,
    /// Nothing is known, or the claim of whoever asks is over.
    Nothing,
}

/// Where records are.
pub trait Store {
    /// What can go wrong with it.
    type Error;

    /// The record of a name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, name: &str) -> Result<Option<Record>, Self::Error>;

    /// Writes the record of a name, or with none deletes it.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is.
    fn write(&self, name: &str, record: Option<&Record>) -> Result<(), Self::Error>;
}

/// Decides one command, in one turn.
///
/// # Errors
/// When the store fails.
pub fn apply<S: Store>(
    store: &S,
    name: &str,
    command: Command,
    now: Instant,
) -> Result<Answer, S::Error> {
    let found = store.read(name)?.filter(|record| now < record.until);
    match command {
        Command::Claim { request, attempt } => match found {
            Some(record) => Ok(known(record, &request)),
            None => {
                let until = now.plus_millis(CLAIM);
                let claim = Record { request, until, state: State::Claimed(attempt) };
                store.write(name, Some(&claim))?;
                Ok(Answer::Yours)
            }
        },
        Command::Recall { request } => {
            Ok(found.map_or(Answer::Nothing, |record| known(record, &request)))
        }
        Command::Keep { attempt, reply } => match found {
            Some(Record { request, state: State::Claimed(holder), .. }) if holder == attempt => {
                let until = now.plus_millis(KEPT);
                let state = State::Kept(reply.clone());
                store.write(name, Some(&Record { request, until, state }))?;
                Ok(Answer::Kept(reply))
            }
            // The claim has lapsed: somebody else may have done the work too, and his reply counts.
            Some(Record { state: State::Kept(reply), .. }) => Ok(Answer::Kept(reply)),
            Some(_) => Ok(Answer::Running),
            None => Ok(Answer::Nothing),
        },
        Command::Release { attempt } => match found {
            Some(Record { state: State::Claimed(holder), .. }) if holder == attempt => {
                store.write(name, None)?;
                Ok(Answer::Nothing)
            }
            _ => Ok(Answer::Nothing),
        },
    }
}

fn known(record: Record, request: &str) -> Answer {
    if record.request != request {
        return Answer::Another;
    }
    match record.state {
        State::Claimed(_) => Answer::Running,
        State::Kept(reply) => Answer::Kept(reply),
    }
}

#[cfg(test)]
mod tests;
