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
//! # Nobody is taken over
//! A sign-up adds nothing to a member who is one already, or whoever knows a guest's phone number could have his
//! account with an address of his own. It answers that member, and what it gave beside is listed for an operator:
//! [`super::conflict`]. What makes a member is his *opening*, with all that the sign-up gave; of several at once the
//! first opens him, and what the others gave is listed.
//!
//! A way that is cut off leaves identities that lead to a member without books; who comes the same way
//! again opens them.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::conflict::Conflict;
use super::member::{Command, Opening, Reply};
use super::{MemberId, Rooms, ask_member, directory};
use crate::checkout::Unreachable;
use crate::identity::{Identity, Kind, MemberNumber, Pseudonym};

/// Sign-ups at once that are waited for before the till is to ask again.
const TRIES: usize = 4;

/// Who is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The member: of several, who is named by the identity that is believed first (phone, then e-mail, then number).
    pub member: Option<MemberId>,
    /// By which of the identities.
    pub by: Vec<Kept>,
    /// Under which identities closed tabs wait for the member's books: see [`super::accrue::settle`].
    pub waiting: Vec<Pseudonym>,
    /// Identities that nobody has.
    pub free: Vec<Kept>,
}

/// What a sign-up made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// This member, who is open for business.
    Member {
        /// Who.
        id: MemberId,
        /// Whether he was made one now.
        made: bool,
    },
    /// Nothing was given that a member could be found by: a loyalty number that nobody has makes none.
    Nobody,
}

/// An identity as it is kept, with its kind.
pub type Kept = (Kind, Pseudonym);

/// Identities as they are kept, each once, in the order in which they are believed.
pub fn kept(identities: &[Identity], pepper: &[u8]) -> Vec<Kept> {
    let mut kept: Vec<Kept> =
        identities.iter().map(|identity| (identity.kind(), identity.pseudonym(pepper))).collect();
    kept.sort();
    kept.dedup();
    kept
}

/// Finds a member; makes none. Where the identities name two, both are listed for an operator.
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
    let looks = identities.iter().map(|(_, who)| rooms.entry(who, directory::Command::Look));
    let mut known = Vec::new();
    for look in join_all(looks).await {
        known.push(look?);
    }
    let mut named: Vec<MemberId> = known.iter().filter_map(|known| known.member.clone()).collect();
    named.sort();
    named.dedup();
    // Names that differ may be one member's, who was merged.
    let mut at: BTreeMap<MemberId, MemberId> = BTreeMap::new();
    for name in &named {
        let found = match named.len() {
            1 => name.clone(),
            _ => ask_member(rooms, name, Command::Here).await?.0,
        };
        at.insert(name.clone(), found);
    }
    let mut found = Found::default();
    for (kept, known) in identities.iter().zip(known) {
        let Some(name) = known.member else {
            found.free.push(kept.clone());
            continue;
        };
        let member = at.get(&name).cloned().unwrap_or(name);
        match &found.member {
            Some(first) if *first != member => {
                rooms.list(&Conflict::Members(first.clone(), member)).await?;
                continue;
            }
            Some(_) => {}
            None => found.member = Some(member),
        }
        found.by.push(kept.clone());
        if !known.waiting.is_empty() {
            found.waiting.push(kept.1.clone());
        }
    }
    Ok(found)
}

/// Finds the member whom these identities name, or makes one whom all of them name; what waits under them is in his
/// books then. A member who is found gets no identity that he did not have.
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
) -> Result<SignedUp, Unreachable> {
    let identities = kept(identities, pepper);
    for _ in 0..TRIES {
        let found = find_kept(rooms, &identities).await?;
        let Some(member) = found.member.clone() else {
            let claimable = found.free.iter().any(|(kind, _)| *kind != Kind::Number);
            if !claimable {
                return Ok(SignedUp::Nobody);
            }
            match make(rooms, candidate, &found, opt_in, pepper).await? {
                Some(signed_up) => return Ok(signed_up),
                None => continue,
            }
        };
        // Who gives something that is not this member's says nothing for him.
        let opt_in = opt_in.filter(|_| found.by.len() == identities.len());
        let opening = Opening { identities: Vec::new(), number: None, opt_in };
        let (id, reply) = ask_member(rooms, &member, Command::Open(opening)).await?;
        match reply {
            Reply::Opened { .. } => {
                for kept in found.free.iter().filter(|(kind, _)| *kind != Kind::Number) {
                    rooms.list(&Conflict::Identity(id.clone(), kept.clone())).await?;
                }
                for who in &found.waiting {
                    super::accrue::settle(rooms, who, &id).await?;
                }
                return Ok(SignedUp::Member { id, made: false });
            }
            // A sign-up that was cut off, or is under way: this one goes on with it.
            Reply::NeedsNumber => {
                if let Some(signed_up) = make(rooms, &member, &found, opt_in, pepper).await? {
                    return Ok(signed_up);
                }
            }
            // He was erased while somebody signed up; whoever comes now is a new guest.
            Reply::Erased => {
                for (_, who) in &found.by {
                    for name in [&member, &id] {
                        rooms.entry(who, directory::Command::Release(name.clone())).await?;
                    }
                }
            }
            _ => return Err(Unreachable),
        }
    }
    Err(Unreachable)
}

/// Claims what nobody has for a member who is to be made, and opens his books; none when somebody else was faster.
async fn make(
    rooms: &impl Rooms,
    member: &MemberId,
    found: &Found,
    opt_in: Option<bool>,
    pepper: &[u8],
) -> Result<Option<SignedUp>, Unreachable> {
    let mut own = found.by.clone();
    for kept in found.free.iter().filter(|(kind, _)| *kind != Kind::Number) {
        let known = rooms.entry(&kept.1, directory::Command::Claim(member.clone())).await?;
        match known.member {
            Some(owner) if owner == *member => own.push(kept.clone()),
            Some(_) if own.is_empty() => return Ok(None),
            Some(owner) => rooms.list(&Conflict::Members(member.clone(), owner)).await?,
            None => return Err(Unreachable),
        }
    }
    own.sort();
    let opening = Opening { identities: own.clone(), number: None, opt_in };
    let Some((id, made, known)) = open(rooms, member, opening, pepper).await? else {
        return Ok(None);
    };
    for kept in own {
        if known.contains(&kept) {
            super::accrue::settle(rooms, &kept.1, &id).await?;
            continue;
        }
        // Another sign-up with one of these opened him first: the rest is not known to be the same guest's.
        rooms.entry(&kept.1, directory::Command::Release(member.clone())).await?;
        rooms.list(&Conflict::Identity(id.clone(), kept)).await?;
    }
    Ok(Some(SignedUp::Member { id, made }))
}

/// Opens a member's books, with a number that is his alone; none when he is erased.
async fn open(
    rooms: &impl Rooms,
    member: &MemberId,
    mut opening: Opening,
    pepper: &[u8],
) -> Result<Option<(MemberId, bool, Vec<Kept>)>, Unreachable> {
    let (id, mut reply) = ask_member(rooms, member, Command::Open(opening.clone())).await?;
    // Who has no number yet is given one that nobody has: its entry is claimed first.
    for attempt in 0..8 {
        match reply {
            Reply::Opened { made, identities } => return Ok(Some((id, made, identities))),
            Reply::NeedsNumber => {}
            Reply::Erased => return Ok(None),
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

/// Gives a member an identity that an operator says is his; what waits under it is in his books then. Returns whose
/// it is.
///
/// # Errors
/// When an object cannot be reached: the same call again does the rest.
pub async fn give(
    rooms: &impl Rooms,
    member: &MemberId,
    identity: &Kept,
) -> Result<Option<MemberId>, Unreachable> {
    let (id, Reply::Done) = ask_member(rooms, member, Command::Here).await? else {
        return Ok(None);
    };
    let known = rooms.entry(&identity.1, directory::Command::Claim(id.clone())).await?;
    let Some(owner) = known.member else { return Err(Unreachable) };
    let owner = ask_member(rooms, &owner, Command::Here).await?.0;
    if owner != id {
        rooms.list(&Conflict::Members(id, owner.clone())).await?;
        return Ok(Some(owner));
    }
    let know = Command::Know(vec![identity.clone()]);
    let (id, Reply::Done) = ask_member(rooms, &id, know).await? else { return Ok(None) };
    super::accrue::settle(rooms, &identity.1, &id).await?;
    Ok(Some(id))
}
