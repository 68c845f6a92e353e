//! Earning: every closed tab, once.
//!
//! A closed tab comes with whatever identities its till knows. Each is told of it: one that has an owner
//! names him, one that has none keeps the tab until somebody signs up with it. Then the [visit](super::visit)
//! says whose the tab is and what of it counts, and that is what the owner's books are told. All of it
//! says what is to stand, so any part may be said again.

use futures_util::future::join_all;

use super::directory::{Command, Waiting};
use super::member::{self, Accrual};
use super::visit::{self, Standing, Told};
use super::{MemberId, Rooms, ask_member};
use crate::checkout::Unreachable;
use crate::identity::{Identity, Pseudonym};
use crate::ledger::TabKey;
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

/// Accrues a closed tab; `until` is how long it waits for its guest to sign up.
///
/// # Errors
/// When an object cannot be reached: the till must send the tab again, and what was done stays done.
pub async fn accrue(
    rooms: &impl Rooms,
    identities: &[Identity],
    pepper: &[u8],
    tab: &TabKey,
    told: &Told,
    until: Instant,
) -> Result<Accrued, Unreachable> {
    let mut owners: Vec<MemberId> = Vec::new();
    let mut by_kind: Vec<&Identity> = identities.iter().collect();
    by_kind.sort();
    by_kind.dedup();
    let pseudonyms: Vec<Pseudonym> = by_kind.iter().map(|one| one.pseudonym(pepper)).collect();
    let waits = pseudonyms.iter().map(|who| {
        let waiting = Waiting { told: told.clone(), until };
        rooms.entry(who, Command::Wait { tab: tab.clone(), waiting })
    });
    for known in join_all(waits).await {
        owners.extend(known?.member);
    }
    let Some(owner) = owners.first() else {
        return Ok(if identities.is_empty() { Accrued::Nobodys } else { Accrued::Waits });
    };
    if let Some(other) = owners.iter().find(|other| *other != owner) {
        rooms.conflict(owner, other).await?;
    }
    let close = visit::Command::Close { told: told.clone(), owner: owner.clone() };
    let standing = rooms.visit(tab, close).await?;
    tell_books(rooms, &[(tab.clone(), standing)]).await?;
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
        let closes = some.iter().map(|(tab, told)| {
            rooms.visit(tab, visit::Command::Close { told: told.clone(), owner: owner.clone() })
        });
        let mut standings = Vec::new();
        for ((tab, _), standing) in some.iter().zip(join_all(closes).await) {
            standings.push((tab.clone(), standing?));
        }
        tell_books(rooms, &standings).await?;
        let tabs = some.iter().map(|(tab, _)| tab.clone()).collect();
        rooms.entry(who, Command::Credited(tabs)).await?;
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
    let standing = rooms.visit(tab, visit::Command::Reverse { received }).await?;
    let owner = standing.owner.clone();
    tell_books(rooms, &[(tab.clone(), standing)]).await?;
    Ok(owner)
}

/// Tells the books of everybody who has, or had, something of these tabs.
async fn tell_books(rooms: &impl Rooms, tabs: &[(TabKey, Standing)]) -> Result<(), Unreachable> {
    let mut told: Vec<(MemberId, Vec<Accrual>)> = Vec::new();
    for (tab, standing) in tabs {
        let revision = standing.revision;
        let owner = standing.owner.iter().map(|owner| (owner, standing.closing.clone()));
        let before = standing.before.iter().map(|member| (member, None));
        for (member, closing) in before.chain(owner) {
            let accrual = Accrual { tab: tab.clone(), revision, closing };
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
