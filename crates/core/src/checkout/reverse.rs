//! REVERSE: give these offers of a tab back, or all of them.
//!
//! A reversal needs no catalogue: what a campaign's ledger took is kept there, and is given back even
//! when the campaign is long over, changed or deleted.

use super::{CleanUp, Failure, Ports, clean_up};
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Command, Reply, Reverse, Which};
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
    for (campaign, which) in who_must_hear(ports, reversal, &mut answer).await? {
        let command = Command::Reverse(Reverse {
            tab: reversal.tab.clone(),
            which: which.clone(),
            received: reversal.received,
        });
        let Reply::Reversed(found) = ports.ledger(&campaign, &command).await? else {
            return Err(Failure::Unreachable);
        };
        answer.reversed.extend(found.reversed.into_iter().map(|given| given.offer));
        answer.unchanged.extend(found.unchanged.iter().map(ToString::to_string));
        // The reversal is a barrier for the offers it covers, so the tab may forget them.
        let settle = CleanUp {
            campaign,
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
) -> Result<Vec<(CampaignId, Which)>, Failure> {
    if reversal.offer_ids.is_empty() {
        let command = tab::Command::Reverse { received: reversal.received };
        let tab::Reply::Campaigns(campaigns) = ports.tab(&reversal.tab, &command).await? else {
            return Err(Failure::Unreachable);
        };
        return Ok(campaigns.into_iter().map(|campaign| (campaign, Which::All)).collect());
    }
    let mut by_campaign: Vec<(CampaignId, Vec<OfferRef>)> = Vec::new();
    for id in &reversal.offer_ids {
        let Some(offer) = OfferRef::parse(id) else {
            answer.unchanged.push(id.clone());
            continue;
        };
        match by_campaign.iter_mut().find(|(campaign, _)| *campaign == offer.campaign) {
            Some((_, offers)) => offers.push(offer),
            None => by_campaign.push((offer.campaign.clone(), vec![offer])),
        }
    }
    Ok(by_campaign.into_iter().map(|(id, offers)| (id, Which::Offers(offers))).collect())
}
