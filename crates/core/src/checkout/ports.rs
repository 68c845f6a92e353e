//! What a checkout needs from outside.

use std::rc::Rc;

use super::CleanUp;
use crate::campaign::Campaign;
use crate::code::CanonicalCode;
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::shard::Shard;
use crate::ledger::{TabKey, campaign, tab};

/// The other side did not answer in time, or at all; what was asked may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

/// The catalogue, the ledgers and the tabs, as an edge reaches them.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Ports {
    /// The campaign a typed code belongs to, if any holds it.
    async fn by_code(&self, code: &CanonicalCode) -> Result<Option<Rc<Campaign>>, Unreachable>;

    /// The campaign an `offer_id` leads back to, if its code still does.
    async fn by_ref(&self, offer: &OfferRef) -> Result<Option<Rc<Campaign>>, Unreachable>;

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

    /// Where in the world this edge is, as the objects near it are named; may be empty.
    fn region(&self) -> &str;

    /// Asks a tab.
    async fn tab(&self, tab: &TabKey, command: &tab::Command) -> Result<tab::Reply, Unreachable>;

    /// Has this done after the answer has gone out: see [`clean_up`](super::clean_up).
    fn later(&self, clean_up: CleanUp);
}
