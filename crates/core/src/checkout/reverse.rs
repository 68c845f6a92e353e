//! REVERSE: give these offers of a tab back, or all of them.
//!
//! A reversal needs no catalogue: what a campaign's ledger took is kept there, and is given back even
//! when the campaign is long over, changed or deleted. Which ledgers there are to ask, the tab knows: a
//! campaign that never stood on it is recorded there ([`crate::location::tab`]), so that a made-up one gets
//! no ledger.

use std::collections::BTreeMap;

use super::{CleanUp, Failure, Ports, clean_up, rights, tab as tabs};
use crate::ident::{CampaignId, OfferRef, TabId};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Reverse, Which};
use crate::location::TabNames;
use crate::location::tab::{self, Place};
use crate::time::Instant;

/// What is to be reversed.
#[derive(Clone, Debug)]
pub struct Reversal {
    /// The tab.
    pub tab: TabKey,
    /// Another name of the tab, if the event gives two.
    pub also: Option<TabId>,
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
    let mut unchanged = Vec::new();
    for (place, which) in who_must_hear(ports, reversal, &mut answer).await? {
        let (tab, received) = (tabs::key(&reversal.tab.location, &place), reversal.received);
        let reverse = Reverse { tab: tab.clone(), which: which.clone(), received };
        let found = rights::give_back(ports, &place.campaign, &place.home, reverse).await?;
        answer.reversed.extend(found.reversed.into_iter().map(|given| given.offer));
        unchanged.extend(found.unchanged);
        // The reversal is a barrier for the offers it covers, so the tab may forget them.
        let Place { campaign, home, .. } = place;
        let standing = Some(found.left);
        let settle = CleanUp { campaign, home, tab, which, received, standing };
        if clean_up(ports, &settle).await.is_err() {
            ports.later(settle);
        }
    }
    // Where a ledger knows the tab by two names, an offer stood by one of them.
    unchanged.sort();
    unchanged.dedup();
    unchanged.retain(|offer| !answer.reversed.contains(offer));
    answer.unchanged.extend(unchanged.iter().map(ToString::to_string));
    Ok(answer)
}

async fn who_must_hear(
    ports: &impl Ports,
    reversal: &Reversal,
    answer: &mut Reversed,
) -> Result<Vec<(Place, Which)>, Failure> {
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
    let names = TabNames { name: reversal.tab.tab.clone(), also: reversal.also.clone() };
    let location = &reversal.tab.location;
    let tab::Reply::Places(places) = tabs::command(ports, location, names, command).await? else {
        return Err(Failure::Unreachable);
    };
    let which = |place: Place| {
        let which = named.get(&place.campaign).cloned().map_or(Which::All, Which::Offers);
        (place, which)
    };
    let who: Vec<_> = places.into_iter().map(which).collect();
    // The tab has kept these: their campaigns never stood on it, and may not even exist.
    let kept =
        named.iter().filter(|(campaign, _)| who.iter().all(|(it, _)| it.campaign != **campaign));
    answer.unchanged.extend(kept.flat_map(|(_, offers)| offers).map(ToString::to_string));
    Ok(who)
}
