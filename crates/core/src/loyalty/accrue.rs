//! Earning: every closed tab, once.
//!
//! A closed tab comes with whatever identities its till knows. Each is told of it: one that has an owner
//! names him, one that has none keeps the tab until somebody signs up with it. Then the [visit](super::visit)
//! says whose the tab is and what of it counts, and that is what the owner's books are told. All of it
//! says what is to stand, so any part may be said again.

use futures_util::future::join_all;

use super::conflict::Conflict;
use super::directory::{Command, Waiting};
use super::member::{self, Accrual};
use super::visit::{self, Standing, Told};
use super::{Counted, MemberId, Rooms, ask_member};
use crate::checkout::Unreachable;
use crate::identity::Pseudonym;
use crate::ledger::TabKey;
use crate::location::Visited;
use crate::time::Instant;

/// Tabs that are credited in one go.
const AT_ONCE: usize = 50;

/// What became of a closed tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accrued {
    /// It is in this member's books.
    Credited(MemberId),
    /// It waits for somebody to sign up.
    Waits,
    /// Nobody knows whose it is.
    Nobodys,
}

/// Whom a closed tab may be of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guests {
    /// Who was given the card or coupon that was shown.
    pub holder: Option<MemberId>,
    /// What the till knows them by, what is believed first first; the holder's own among them.
    pub known_by: Vec<Pseudonym>,
}

/// Accrues a closed tab; `until` is how long it waits for its guest to sign up.
///
/// When there is no programme yet ([`visit::Closing::facts`]) the tab waits under every identity, whether that has an
/// owner or not, until [`settle`] finds one.
///
/// # Errors
/// When an object cannot be reached: the till must send the tab again, and what was done stays done.
pub async fn accrue(
    rooms: &impl Rooms,
    guests: &Guests,
    tab: &TabKey,
    told: &Told,
    until: Instant,
) -> Result<Accrued, Unreachable> {
    let mut owners: Vec<MemberId> = guests.holder.iter().cloned().collect();
    let waits = guests.known_by.iter().map(|who| {
        let waiting = Waiting { told: told.clone(), until };
        rooms.entry(who, Command::Wait { tab: tab.clone(), waiting })
    });
    for known in join_all(waits).await {
        owners.extend(known?.member);
    }
    if !told.last.is_counted() {
        return Ok(if guests.known_by.is_empty() { Accrued::Nobodys } else { Accrued::Waits });
    }
    let Some(owner) = owners.first() else {
        return Ok(if guests.known_by.is_empty() { Accrued::Nobodys } else { Accrued::Waits });
    };
    if let Some(other) = owners.iter().find(|other| *other != owner) {
        rooms.list(&Conflict::Members(owner.clone(), other.clone())).await?;
    }
    let close = visit::Command::Close { told: told.clone(), owner: owner.clone() };
    let visited = rooms.visit(tab, close).await?;
    tell_books(rooms, &known_as(tab, visited)).await?;
    Ok(Accrued::Credited(owner.clone()))
}

/// Brings what waits under an identity into its owner's books.
///
/// # Errors
/// When an object cannot be reached: what waits goes on waiting.
pub async fn settle(
    rooms: &impl Rooms,
    who: &Pseudonym,
    owner: &MemberId,
) -> Result<(), Unreachable> {
    let known = rooms.entry(who, Command::Look).await?;
    for some in known.waiting.chunks(AT_ONCE) {
        let (mut ready, mut over) = (Vec::new(), Vec::new());
        for (tab, told) in some {
            let counted = match told.last.is_counted() {
                true => Counted::So(told.clone()),
                false => rooms.count(told, owner).await?,
            };
            match counted {
                Counted::So(told) => ready.push((tab, told)),
                Counted::TooOld => over.push(tab.clone()),
                Counted::NotYet => {}
            }
        }
        let closes = ready.iter().map(|(tab, told)| {
            rooms.visit(tab, visit::Command::Close { told: told.clone(), owner: owner.clone() })
        });
        let mut standings = Vec::new();
        for ((tab, _), visited) in ready.iter().zip(join_all(closes).await) {
            standings.extend(known_as(tab, visited?));
        }
        tell_books(rooms, &standings).await?;
        over.extend(ready.iter().map(|(tab, _)| (*tab).clone()));
        if !over.is_empty() {
            rooms.entry(who, Command::Credited(over)).await?;
        }
    }
    Ok(())
}

/// Takes back what a whole tab earned; whoever it is credited to later gets nothing of it.
///
/// # Errors
/// When an object cannot be reached.
pub async fn take_back(
    rooms: &impl Rooms,
    tab: &TabKey,
    received: Instant,
) -> Result<Option<MemberId>, Unreachable> {
    let visited = rooms.visit(tab, visit::Command::Reverse { received }).await?;
    let owner = visited.standing.owner.clone();
    tell_books(rooms, &known_as(tab, visited)).await?;
    Ok(owner)
}

/// What stands of a closed tab, by the names that books know it by.
fn known_as(tab: &TabKey, visited: Visited) -> Vec<(TabKey, Standing)> {
    let key = |name| TabKey { location: tab.location.clone(), tab: name };
    let own = (key(visited.tab), visited.standing);
    std::iter::once(own)
        .chain(visited.joined.into_iter().map(|(name, it)| (key(name), it)))
        .collect()
}

/// Tells the books of everybody who has, or had, something of these tabs. All are told the same, and each knows what
/// of it is his: so it does not matter who is merged with whom meanwhile.
async fn tell_books(rooms: &impl Rooms, tabs: &[(TabKey, Standing)]) -> Result<(), Unreachable> {
    let mut told: Vec<(MemberId, Vec<Accrual>)> = Vec::new();
    for (tab, standing) in tabs {
        for member in standing.concerned() {
            let accrual = Accrual { tab: tab.clone(), ruling: standing.ruling() };
            match told.iter_mut().find(|(known, _)| known == member) {
                Some((_, accruals)) => accruals.push(accrual),
                None => told.push((member.clone(), vec![accrual])),
            }
        }
    }
    for (member, accruals) in told {
        ask_member(rooms, &member, member::Command::Accrue(accruals)).await?;
    }
    Ok(())
}
