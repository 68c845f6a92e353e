//! What a checkout needs from outside.

use super::resolve::{Query, Resolution};
use super::{CleanUp, Person};
use crate::guard::Limits;
use crate::ident::{CampaignId, LocationId, OfferRef, TypeCode};
use crate::issuance::Kind;
use crate::ledger::campaign;
use crate::ledger::shard::Shard;
use crate::location;
use crate::revision::Revision;

/// The other side did not answer in time, or at all; what was asked may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

/// A card or coupon that counts at a till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Of which type.
    pub code: TypeCode,
    /// Whether it is used once.
    pub kind: Kind,
    /// The customer it was given to.
    pub customer: Person,
}

/// The catalogue, the ledgers and the locations, as an edge reaches them.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Ports {
    /// What something leads to: see [`resolve`](super::resolve).
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable>;

    /// What the code in an `offer_id` leads to: only if that is the campaign named there, and the code is
    /// written as it was handed out.
    async fn find_offer(&self, offer: &OfferRef) -> Result<Resolution, Unreachable> {
        match Query::of_key(&offer.code) {
            Some(query) => Ok(self.find(&query).await?.named(offer)),
            None => Ok(Resolution::nothing()),
        }
    }

    /// How many misses lock a tab: see [`crate::guard`]. None: nothing is counted.
    fn limits(&self) -> Option<Limits> {
        None
    }

    /// A ledger has refused what was computed from a campaign's document as out of date: for the rest of
    /// this request the document that counts is used, whatever caches still hold. After this, `find` answers
    /// by it. Returns its revision; none, if the registry knows no such campaign.
    async fn renew(&self, campaign: &CampaignId) -> Result<Option<Revision>, Unreachable>;

    /// The person with every name that quotas may have counted it under. An INQUIRE is in a `hurry`: it
    /// does not wait for this longer than for a ledger.
    async fn person(&self, who: &Person, _hurry: bool) -> Result<Person, Unreachable> {
        Ok(who.clone())
    }

    /// Asks one object of a campaign's ledger.
    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable>;

    /// Asks several at once; one answer for each, in order.
    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>>;

    /// What a campaign's ledger has published as exhausted; nothing, if that cannot be read.
    async fn exhausted(&self, campaign: &CampaignId) -> campaign::Mark;

    /// Where in the world this edge is, as the objects near it are named; may be empty.
    fn region(&self) -> &str;

    /// Asks a location: see [`location`].
    async fn location(
        &self,
        at: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable>;

    /// Has this done after the answer has gone out: see [`clean_up`](super::clean_up).
    fn later(&self, clean_up: CleanUp);
}
