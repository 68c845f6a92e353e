//! After the answer: what was perhaps taken is undone, and what was claimed on the tab and not taken
//! is settled.
//!
//! Nothing here is needed for what was promised to the till: until it is done a claim bars others, and
//! whoever meets an old claim settles it as well. So it may be repeated, and may fail.

use std::collections::BTreeMap;

use super::{Ports, Unreachable, rights, tab as tabs};
use crate::ident::{CampaignId, LocationId, OfferRef};
use crate::ledger::TabKey;
use crate::ledger::campaign::{Command, Reply, Reverse, Which};
use crate::ledger::shard::Shard;
use crate::location::tab::{self, Place, Settle, Undo};
use crate::money::Money;
use crate::time::Instant;

/// What an event leaves to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanUp {
    /// At which campaign's ledger.
    pub campaign: CampaignId,
    /// Which object of it keeps the tab.
    pub home: Shard,
    /// On which tab, as the ledger knows it.
    pub tab: TabKey,
    /// Whose claims are to be settled.
    pub which: Which,
    /// When the event reached the edge.
    pub received: Instant,
    /// What stands; not known: it is an attempt that nobody heard the outcome of, to be undone first.
    pub standing: Option<BTreeMap<OfferRef, Money>>,
}

impl CleanUp {
    /// What a location has been told is to be undone.
    #[must_use]
    pub fn of(location: &LocationId, undo: Undo) -> Self {
        let Undo { place, attempt } = undo;
        let tab = tabs::key(location, &place);
        let which = Which::Attempt(attempt.name);
        let (received, standing) = (attempt.received, None);
        Self { campaign: place.campaign, home: place.home, tab, which, received, standing }
    }

    /// Whether something that was perhaps taken is to be given back.
    #[must_use]
    pub const fn undoes(&self) -> bool {
        self.standing.is_none()
    }
}

/// Does it. Repeating is harmless.
///
/// # Errors
/// When the ledger or the tab cannot be reached: try again.
pub async fn clean_up(ports: &impl Ports, left: &CleanUp) -> Result<(), Unreachable> {
    let CleanUp { campaign, home, tab, which, received, .. } = left.clone();
    let standing = match &left.standing {
        Some(standing) => standing.clone(),
        None => {
            let reverse = Reverse { tab: tab.clone(), which: which.clone(), received };
            rights::give_back(ports, &campaign, &home, reverse).await?.left
        }
    };
    let settle = Settle { campaign, tab: tab.tab.clone(), which, received, standing };
    let names = tab.tab.into();
    tabs::command(ports, &tab.location, names, tab::Command::Settle(settle)).await.map(drop)
}

/// Settles what a campaign claimed on a tab up to an instant that is long past: puts up a fence at its
/// ledger, then tells the tab what stands.
pub(super) async fn settle_stale(
    ports: &impl Ports,
    location: &LocationId,
    place: &Place,
    received: Instant,
) -> Result<(), Unreachable> {
    let fence = Command::Fence { tab: tabs::key(location, place), received };
    let Reply::Standing(standing) = ports.ledger(&place.campaign, &place.home, &fence).await?
    else {
        return Err(Unreachable);
    };
    let Place { campaign, tab, .. } = place.clone();
    let settle = Settle { campaign, tab, which: Which::All, received, standing };
    let names = place.tab.clone().into();
    tabs::command(ports, location, names, tab::Command::Settle(settle)).await.map(drop)
}
