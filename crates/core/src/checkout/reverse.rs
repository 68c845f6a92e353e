//! REVERSE: give these offers of a tab back, or all of them.
//!
//! A reversal needs no catalogue: what a campaign's ledger took is kept there, and is given back even
//! when the campaign is long over, changed or deleted. Which ledgers there are to ask, the tab knows: a
//! campaign that never stood on it is recorded there ([`tab`]), so that a made-up one gets no ledger.

use std::collections::BTreeMap;

use super::{CleanUp, Failure, Ports, clean_up, rights};
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Reverse, Which};
use crate::ledger::shard::Shard;
use crate::ledger::tab;
use crate::time::Instant;

/// What is to be reversed.
#[derive(Clone, Debug)]
pub struct Reversal {
    /// The tab.
    pub tab: TabKey,
    /// Which offers; empty: the whole tab.
    pub offer_ids: Vec<String>,
    /// When the event reached the edge.
    pub received: Instant,
}

/// What a reversal did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reversed {
    /// Given back now.
    pub reversed: Vec<OfferRef>,
    /// Named, but unknown, refused or reversed before: recorded, and answered as success.
    pub unchanged: Vec<String>,
}

/// Answers a REVERSE.
///
/// # Errors
/// When a ledger or the tab cannot be reached: the POS must ask again, and what was done stays done.
pub async fn reverse(ports: &impl Ports, reversal: &Reversal) -> Result<Reversed, Failure> {
    let mut answer = Reversed::default();
    for (campaign, home, which) in who_must_hear(ports, reversal, &mut answer).await? {
        let reverse = Reverse {
            tab: reversal.tab.clone(),
            which: which.clone(),
            received: reversal.received,
        };
        let found = rights::give_back(ports, &campaign, &home, reverse).await?;
        answer.reversed.extend(found.reversed.into_iter().map(|given| given.offer));
        answer.unchanged.extend(found.unchanged.iter().map(ToString::to_string));
        // The reversal is a barrier for the offers it covers, so the tab may forget them.
        let settle = CleanUp {
            campaign,
            home,
            tab: reversal.tab.clone(),
            which,
            received: reversal.received,
            standing: Some(found.left),
        };
        if clean_up(ports, &settle).await.is_err() {
            ports.later(settle);
        }
    }
    Ok(answer)
}

async fn who_must_hear(
    ports: &impl Ports,
    reversal: &Reversal,
    answer: &mut Reversed,
) -> Result<Vec<(CampaignId, Shard, Which)>, Failure> {
    let mut named: BTreeMap<CampaignId, Vec<OfferRef>> = BTreeMap::new();
    for id in &reversal.offer_ids {
        match OfferRef::parse(id) {
            Some(offer) => named.entry(offer.campaign.clone()).or_default().push(offer),
            None => answer.unchanged.push(id.clone()),
        }
    }
    let received = reversal.received;
    let command = match reversal.offer_ids.is_empty() {
        true => tab::Command::Reverse { received },
        false if named.is_empty() => return Ok(Vec::new()),
        false => {
            let offers = named.values().flatten().cloned().collect();
            tab::Command::ReverseOffers { offers, received }
        }
    };
    let tab::Reply::Campaigns(campaigns) = ports.tab(&reversal.tab, &command).await? else {
        return Err(Failure::Unreachable);
    };
    let which = |(campaign, home): (CampaignId, Shard)| {
        let which = named.remove(&campaign).map_or(Which::All, Which::Offers);
        (campaign, home, which)
    };
    let campaigns = campaigns.into_iter().map(which).collect();
    // The tab has kept these: their campaigns never stood on it, and may not even exist.
    answer.unchanged.extend(named.values().flatten().map(ToString::to_string));
    Ok(campaigns)
}
