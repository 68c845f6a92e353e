//! What a checkout needs from outside.

use std::rc::Rc;

use super::{CleanUp, Person};
use crate::campaign::Campaign;
use crate::code::CanonicalCode;
use crate::ident::{CampaignId, CodeKey, OfferRef, TypeCode};
use crate::issuance::Kind;
use crate::ledger::shard::Shard;
use crate::ledger::{TabKey, campaign, tab};
use crate::revision::Revision;

/// The other side did not answer in time, or at all; what was asked may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

/// What a code leads to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The campaign whose offers it grants.
    pub campaign: Rc<Campaign>,
    /// The card or coupon whose number it is, if it is one.
    pub instrument: Option<Instrument>,
    /// The code as it is counted, where that may not be as it was typed.
    pub code: Option<CanonicalCode>,
}

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

impl From<Rc<Campaign>> for Found {
    fn from(campaign: Rc<Campaign>) -> Self {
        Self { campaign, instrument: None, code: None }
    }
}

/// The catalogue, the ledgers and the tabs, as an edge reaches them.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Ports {
    /// What a typed code leads to, if anything holds it.
    async fn by_code(&self, code: &CanonicalCode) -> Result<Option<Found>, Unreachable>;

    /// What the number of a card or coupon leads to that is no code, as what a QR code holds may be.
    async fn by_number(&self, _: &CodeKey) -> Result<Option<Found>, Unreachable> {
        Ok(None)
    }

    /// What an `offer_id` leads back to, if its code still does.
    async fn by_ref(&self, offer: &OfferRef) -> Result<Option<Found>, Unreachable>;

    /// A ledger has refused what was computed from a campaign's document as out of date: for the rest of
    /// this request the document that counts is used, whatever caches still hold. After this, `by_code`,
    /// `by_number` and `by_ref` answer by it. Returns its revision; none, if the registry knows no such
    /// campaign.
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

    /// Asks a tab.
    async fn tab(&self, tab: &TabKey, command: &tab::Command) -> Result<tab::Reply, Unreachable>;

    /// Has this done after the answer has gone out: see [`clean_up`](super::clean_up).
    fn later(&self, clean_up: CleanUp);
}
