//! What a checkout asks of a location about a tab.

use crate::guard::Lock;
use crate::ident::{CampaignId, CodeKey, LocationId, TabId};
use crate::ledger::TabKey;
use crate::location::tab::{self, Place, Seen};
use crate::location::{Command, Looked, Reply, TabNames};

use super::{Event, Ports, Unreachable};

/// Commands the tab of these names.
pub(super) async fn command(
    ports: &impl Ports,
    location: &LocationId,
    names: TabNames,
    command: tab::Command,
) -> Result<tab::Reply, Unreachable> {
    match ports.location(location, Command::Tab(names, command)).await? {
        Reply::Tab(reply) => Ok(reply),
        _ => Err(Unreachable),
    }
}

/// Looks at the tab of an event; whether it is locked is left out, if nothing is to be guarded.
pub(super) async fn look(
    ports: &impl Ports,
    event: &Event,
    attempt: Option<&str>,
    guarded: bool,
) -> Result<Looked, Unreachable> {
    let none = crate::guard::Limits { tab: 0, location: 0, window: 0 };
    let limits = ports.limits().filter(|_| guarded).unwrap_or(none);
    let attempt = attempt.map(str::to_owned);
    let look = Command::Look { names: Some(event.names()), limits, attempt };
    match ports.location(&event.tab.location, look).await? {
        Reply::Look(looked) => Ok(looked),
        _ => Err(Unreachable),
    }
}

/// Tells a location of so many misses, none for a question that is none, and hears whether it may be
/// answered: see [`crate::guard`]. Without a tab the location as a whole is asked.
///
/// # Errors
/// Why it may not be.
pub async fn told(
    ports: &impl Ports,
    location: &LocationId,
    names: Option<TabNames>,
    misses: u16,
) -> Result<(), Lock> {
    missed(ports, location, names, misses, None).await.map(drop)
}

/// The same, unless something of this campaign by this code stands; and with what stands, where it
/// was asked.
pub(super) async fn missed(
    ports: &impl Ports,
    location: &LocationId,
    names: Option<TabNames>,
    misses: u16,
    unless: Option<(CampaignId, CodeKey)>,
) -> Result<Option<Seen>, Lock> {
    let none = crate::guard::Limits { tab: 0, location: 0, window: 0 };
    let limits = match (ports.limits(), &unless) {
        (Some(limits), _) => limits,
        (None, Some(_)) => none,
        (None, None) => return Ok(None),
    };
    let looked = match misses {
        0 => ports.location(location, Command::Look { names, limits, attempt: None }).await,
        _ => ports.location(location, Command::Miss { names, limits, misses, unless }).await,
    };
    match looked {
        Ok(Reply::Look(looked) | Reply::Miss(looked)) => match looked.locked {
            Some(until) => Err(Lock::Until(until)),
            None => Ok(looked.seen),
        },
        _ => Err(Lock::Silent),
    }
}

/// The tab of a place, as its campaign's ledger knows it.
pub(super) fn key(location: &LocationId, place: &Place) -> TabKey {
    TabKey { location: location.clone(), tab: place.tab.clone() }
}

impl Event {
    /// All names of the tab that it gives.
    #[must_use]
    pub fn names(&self) -> TabNames {
        TabNames { name: self.tab.tab.clone(), also: self.also.clone() }
    }
}

/// What is known of a tab of which nothing has been heard.
pub(super) fn unseen(tab: &TabId) -> Seen {
    Seen {
        tab: tab.clone(),
        version: 0,
        standing: crate::engine::Standing::default(),
        places: Vec::new(),
        claimed: Vec::new(),
        barriers: tab::Barriers::default(),
    }
}
