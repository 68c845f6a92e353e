//! Finding a member by what a guest gives, and making one.
//!
//! # Two sign-ups at once
//! Whoever wants a member draws a name of its own for one and *claims* the identities for it, the phone
//! number first. The first claim at an entry stands; who comes second is told whose the identity is and
//! goes on with that member. So two sign-ups that share a phone number, or have only an address and share
//! that, make one member; the other name drawn was never anybody's.
//!
//! Two that share an address but have two phone numbers may, at the same instant, make two members: the
//! second claim of the address finds it taken. That is listed for an operator to merge, as is a sign-up
//! with one member's number and another's address.
//!
//! A way that is cut off leaves identities that lead to a member without books; who comes the same way
//! again opens them.

use futures_util::future::join_all;

use super::member::{Command, Opening, Reply};
use super::{MemberId, Rooms, ask_member, directory};
use crate::checkout::Unreachable;
use crate::identity::{Identity, Kind, MemberNumber, Pseudonym};

/// What is to be done when what a guest gave names two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Neither is meant: staff must ask.
    Refuse,
    /// The one believed first (phone, then e-mail, then number) is meant.
    FirstWins,
}

/// Who is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The member.
    pub member: Option<MemberId>,
    /// Under which identities closed tabs wait for the member's books: see [`super::accrue::settle`].
    pub waiting: Vec<Pseudonym>,
    /// Another member whom one of the identities names.
    pub conflict: Option<MemberId>,
}

/// What a sign-up made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// This member, who is open for business.
    Member {
        /// Who.
        id: MemberId,
        /// Whether he was one before.
        made: bool,
        /// Another member whom one of the identities names.
        conflict: Option<MemberId>,
    },
    /// The identities name two members, and it was asked to refuse that.
    Conflict(MemberId, MemberId),
}

/// An identity as it is kept, with its kind.
pub type Kept = (Kind, Pseudonym);

/// Identities as they are kept, each once, in the order in which they are believed.
fn kept(identities: &[Identity], pepper: &[u8]) -> Vec<Kept> {
    let mut kept: Vec<Kept> =
        identities.iter().map(|identity| (identity.kind(), identity.pseudonym(pepper))).collect();
    kept.sort();
    kept.dedup();
    kept
}

/// Finds a member; makes none. Two members are listed for an operator, and the one believed first is
/// meant.
///
/// # Errors
/// When an object cannot be reached.
pub async fn find(
    rooms: &impl Rooms,
    identities: &[Identity],
    pepper: &[u8],
) -> Result<Found, Unreachable> {
    find_kept(rooms, &kept(identities, pepper)).await
}

async fn find_kept(rooms: &impl Rooms, identities: &[Kept]) -> Result<Found, Unreachable> {
    let mut found = Found::default();
    let looks = identities.iter().map(|(_, who)| rooms.entry(who, directory::Command::Look));
    for ((_, who), known) in identities.iter().zip(join_all(looks).await) {
        let known = known?;
        let Some(member) = known.member else { continue };
        match &found.member {
            None => found.member = Some(member.clone()),
            Some(first) if *first != member && found.conflict.is_none() => {
                rooms.conflict(first, &member).await?;
                found.conflict = Some(member.clone());
            }
            Some(_) => {}
        }
        if found.member.as_ref() == Some(&member) && !known.waiting.is_empty() {
            found.waiting.push(who.clone());
        }
    }
    Ok(found)
}

/// Finds the member whom these identities name, or makes one; identities nobody has are his from now on,
/// and what waits under them is in his books.
///
/// `candidate` is a name that nobody else has drawn; `opt_in` whether the guest agrees to be written to.
///
/// # Errors
/// When an object cannot be reached: what was done stays, and the same call again does the rest.
pub async fn find_or_make(
    rooms: &impl Rooms,
    identities: &[Identity],
    pepper: &[u8],
    candidate: &MemberId,
    opt_in: Option<bool>,
    on_conflict: OnConflict,
) -> Result<SignedUp, Unreachable> {
    let identities = kept(identities, pepper);
    let found = find_kept(rooms, &identities).await?;
    if let (Some(one), Some(other), OnConflict::Refuse) =
        (&found.member, &found.conflict, on_conflict)
    {
        return Ok(SignedUp::Conflict(one.clone(), other.clone()));
    }
    let mut conflict = found.conflict;
    let mut member = found.member;
    let mut own: Vec<Kept> = Vec::new();
    for (kind, who) in &identities {
        let claim = member.as_ref().unwrap_or(candidate).clone();
        let known = rooms.entry(who, directory::Command::Claim(claim)).await?;
        let Some(owner) = known.member else { return Err(Unreachable) };
        match &member {
            None => member = Some(owner),
            Some(known) if *known != owner => {
                rooms.conflict(known, &owner).await?;
                if on_conflict == OnConflict::Refuse {
                    return Ok(SignedUp::Conflict(known.clone(), owner));
                }
                conflict = Some(owner);
                continue;
            }
            Some(_) => {}
        }
        own.push((*kind, who.clone()));
    }
    let Some(member) = member else { return Err(Unreachable) };
    let opening = Opening { identities: own.clone(), number: None, opt_in };
    let (id, made) = open(rooms, &member, opening, pepper).await?;
    for (_, who) in &own {
        super::accrue::settle(rooms, who, &id).await?;
    }
    Ok(SignedUp::Member { id, made, conflict })
}

/// Opens a member's books, with a number that is his alone.
async fn open(
    rooms: &impl Rooms,
    member: &MemberId,
    mut opening: Opening,
    pepper: &[u8],
) -> Result<(MemberId, bool), Unreachable> {
    let (id, mut reply) = ask_member(rooms, member, Command::Open(opening.clone())).await?;
    // Who has no number yet is given one that nobody has: its entry is claimed first.
    for attempt in 0..8 {
        match reply {
            Reply::Opened { made } => return Ok((id, made)),
            Reply::NeedsNumber => {}
            _ => return Err(Unreachable),
        }
        let number = MemberNumber::draw(id.as_str(), attempt);
        let who = Identity::Number(number.clone()).pseudonym(pepper);
        let known = rooms.entry(&who, directory::Command::Claim(id.clone())).await?;
        if known.member.as_ref() != Some(&id) {
            continue;
        }
        opening.number = Some(number);
        opening.identities.push((Kind::Number, who));
        reply = ask_member(rooms, &id, Command::Open(opening.clone())).await?.1;
    }
    Err(Unreachable)
}
