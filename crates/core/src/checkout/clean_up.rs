//! After the answer: what was perhaps taken is undone, and what was claimed on the tab and not taken
//! is settled.
//!
//! Nothing here is needed for what was promised to the till: until it is done a claim bars others, and
//! whoever meets an old claim settles it as well. So it may be repeated, and may fail.

use std::collections::BTreeMap;

use super::{Ports, Unreachable};
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Command, Reply, Reverse, Which};
use crate::ledger::tab::{self, Settle};
use crate::money::Money;
use crate::time::Instant;

/// What an event leaves to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanUp {
    /// At which campaign's ledger.
    pub campaign: CampaignId,
    /// On which tab.
    pub tab: TabKey,
    /// The attempt that nobody heard the outcome of, if one is to be undone.
    pub attempt: Option<String>,
    /// The offers that were claimed on the tab.
    pub claimed: Vec<OfferRef>,
    /// When the event reached the edge.
    pub received: Instant,
}

/// Does it. Repeating is harmless.
///
/// # Errors
/// When the ledger or the tab cannot be reached: try again.
pub async fn clean_up(ports: &impl Ports, left: &CleanUp) -> Result<(), Unreachable> {
    if let Some(attempt) = &left.attempt {
        let command = Command::Reverse(Reverse {
            tab: left.tab.clone(),
            which: Which::Attempt(attempt.clone()),
            received: left.received,
        });
        ports.ledger(&left.campaign, &command).await?;
    }
    settle(ports, &left.tab, &left.campaign, &left.claimed, left.received).await
}

/// Puts up a fence at the campaign's ledger, then tells the tab what stands.
pub(super) async fn settle(
    ports: &impl Ports,
    tab: &TabKey,
    campaign: &CampaignId,
    claimed: &[OfferRef],
    received: Instant,
) -> Result<(), Unreachable> {
    let fence = Command::Fence { tab: tab.clone(), received };
    let Reply::Standing(standing) = ports.ledger(campaign, &fence).await? else {
        return Err(Unreachable);
    };
    tell(ports, tab, campaign, claimed, &standing, received).await
}

/// Tells the tab what stands of these offers; a fence or barrier up to `received` is already up.
pub(super) async fn tell(
    ports: &impl Ports,
    tab: &TabKey,
    campaign: &CampaignId,
    claimed: &[OfferRef],
    standing: &BTreeMap<OfferRef, Money>,
    received: Instant,
) -> Result<(), Unreachable> {
    let amount = |offer: &OfferRef| standing.get(offer).copied().unwrap_or(Money::ZERO);
    let offers = claimed.iter().map(|offer| (offer.clone(), amount(offer))).collect();
    let settle = Settle { campaign: campaign.clone(), offers, received };
    ports.tab(tab, &tab::Command::Settle(settle)).await.map(drop)
}
