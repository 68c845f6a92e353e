//! Two members become one, in steps each of which may be repeated.
//!
//! 1. The [register](super::register) records who is part of whom from now on. It decides one merger at a time, so
//!    mergers that cross or are chained never go round in a circle: who is merged already stands for his survivor.
//! 2. Who is taken in *leaves*: his books stand still. From now on whoever asks him is given all he has, and has it
//!    taken in first ([`take_in`]): a till that meets a merger which was cut off here completes it.
//! 3. The survivor takes everything in, once: postings, tabs, identities, adjustments, the members who were taken in
//!    before. A tab that both had is brought to what its visit said last.
//! 4. The identities lead to the survivor, and so do the members taken in before: no chain grows.
//! 5. Who left is told that all is there, and keeps nothing but where he is now.
//! 6. The register notes that it is done.
//!
//! Cut off anywhere, every member stays reachable: before 2 nothing has happened, and the same merger, or another one
//! of either, takes the steps that are left.

use futures_util::future::join_all;

use super::member::{self, Luggage, Reply};
use super::register::{Command, Joined, Step};
use super::{MemberId, Rooms, ask_member, directory};
use crate::checkout::Unreachable;

/// Objects that are told something at once.
const AT_ONCE: usize = 20;

/// What a merger came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// They are this one.
    One(MemberId),
    /// They were this one before.
    Already(MemberId),
}

/// Makes one member of two; what an earlier merger of theirs has left undone is done too.
///
/// # Errors
/// When an object cannot be reached: the same call again does what is left.
pub async fn merge(
    rooms: &impl Rooms,
    from: &MemberId,
    into: &MemberId,
) -> Result<Merged, Unreachable> {
    let join = Command::Join { from: from.clone(), into: into.clone() };
    let Joined { survivor, steps } = rooms.register(join).await?;
    let survivor = survivor.ok_or(Unreachable)?;
    if steps.is_empty() {
        return Ok(Merged::Already(survivor));
    }
    for step in steps {
        carry_out(rooms, &step).await?;
        rooms.register(Command::Done(step.from)).await?;
    }
    Ok(Merged::One(survivor))
}

async fn carry_out(rooms: &impl Rooms, step: &Step) -> Result<(), Unreachable> {
    let depart = member::Command::Depart { into: step.into.clone() };
    let Reply::Leaving { into, luggage } = rooms.member(&step.from, depart).await? else {
        // He has arrived before, or is erased.
        return Ok(());
    };
    let mut names = vec![step.from.clone()];
    names.extend(luggage.profile.absorbed.iter().cloned());
    let identities = luggage.profile.identities.clone();
    let at = absorb(rooms, &step.from, &into, *luggage).await?;
    for some in identities.chunks(AT_ONCE) {
        let hand = directory::Command::Hand { from: names.clone(), to: at.clone() };
        let told = some.iter().map(|(_, who)| rooms.entry(who, hand.clone()));
        for told in join_all(told).await {
            told?;
        }
    }
    let before: Vec<&MemberId> = names.iter().skip(1).collect();
    for some in before.chunks(AT_ONCE) {
        let point = member::Command::Point { to: at.clone() };
        let told = some.iter().map(|member| rooms.member(member, point.clone()));
        for told in join_all(told).await {
            told?;
        }
    }
    rooms.member(&step.from, member::Command::Arrived { at }).await.map(drop)
}

/// Has a member who is leaving taken in; returns where he is now.
///
/// # Errors
/// When an object cannot be reached.
pub(super) async fn take_in(
    rooms: &impl Rooms,
    from: &MemberId,
    into: &MemberId,
    luggage: Luggage,
) -> Result<MemberId, Unreachable> {
    let at = absorb(rooms, from, into, luggage).await?;
    rooms.member(from, member::Command::Arrived { at: at.clone() }).await?;
    Ok(at)
}

async fn absorb(
    rooms: &impl Rooms,
    from: &MemberId,
    into: &MemberId,
    luggage: Luggage,
) -> Result<MemberId, Unreachable> {
    let absorb = member::Command::Absorb { from: from.clone(), luggage };
    // The one who takes in may be leaving himself, and is then taken in first.
    match Box::pin(ask_member(rooms, into, absorb)).await? {
        (at, Reply::Done) => Ok(at),
        _ => Err(Unreachable),
    }
}
