//! Two members become one: the one departs with all he has, the other takes it in.
//!
//! The departing one first says where he is from now on, and answers nothing else; only then are his books
//! taken in. What is cut off in between is done by merging once more: he gives the same books again, and
//! they are taken in once.

use serde::{Deserialize, Serialize};

use super::books::{Books, OWED, Posting};
use super::{Changes, Profile, Reply, Store, TabNote};
use crate::ledger::TabKey;
use crate::loyalty::MemberId;

/// All that a member has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Luggage {
    /// Who he was.
    pub profile: Profile,
    /// His postings.
    pub postings: Vec<Posting>,
    /// His tabs.
    pub tabs: Vec<(TabKey, TabNote)>,
}

pub(super) fn depart<S: Store>(
    store: &S,
    profile: Profile,
    postings: Vec<Posting>,
    into: &MemberId,
) -> Result<(Reply, Changes), S::Error> {
    let mut changes = Changes::default();
    match &profile.moved {
        Some(moved) if moved != into => return Ok((Reply::Moved(moved.clone()), changes)),
        Some(_) => {}
        None => {
            let moved = Some(into.clone());
            changes.profile = Some(Profile { moved, ..profile.clone() });
        }
    }
    let profile = Profile { moved: None, ..profile };
    let luggage = Luggage { profile, postings, tabs: store.tabs()? };
    Ok((Reply::Luggage(luggage), changes))
}

pub(super) fn absorb<S: Store>(
    store: &S,
    mut profile: Profile,
    own: &[Posting],
    from: &MemberId,
    luggage: &Luggage,
) -> Result<(Reply, Changes), S::Error> {
    if profile.absorbed.contains(from) {
        return Ok((Reply::Done, Changes::default()));
    }
    profile.absorbed.push(from.clone());
    profile.absorbed.extend(luggage.profile.absorbed.iter().cloned());
    for kept in &luggage.profile.identities {
        if !profile.identities.contains(kept) {
            profile.identities.push(kept.clone());
        }
    }
    let books = Books::of(own);
    let lots = books.lots().map(|(number, _)| number).max().unwrap_or(OWED);
    let last = own.last().map_or(0, |posting| posting.number);
    let renumbered = |lot: u32| if lot == OWED { OWED } else { lot.saturating_add(lots) };
    let postings = luggage.postings.iter().cloned().map(|mut posting| {
        posting.number = posting.number.saturating_add(last);
        posting.from.lot = renumbered(posting.from.lot);
        posting.to.lot = renumbered(posting.to.lot);
        posting
    });
    let mut tabs = Vec::new();
    for (tab, theirs) in &luggage.tabs {
        let mut note = store.tab(tab)?.unwrap_or_default();
        if note.lot.is_none() {
            note.lot = theirs.lot.map(renumbered);
            note.multiplier = theirs.multiplier;
            note.revision = note.revision.max(theirs.revision);
        }
        if let Some(theirs) = &theirs.spending {
            // Offers carry their member's name, so both have their own.
            let spending = note.spending.get_or_insert_default();
            spending.offers.extend(theirs.offers.clone());
            spending.barrier = spending.barrier.max(theirs.barrier);
            spending.fence = spending.fence.max(theirs.fence);
        }
        tabs.push((tab.clone(), note));
    }
    let changes =
        Changes { wipe: false, profile: Some(profile), postings: postings.collect(), tabs };
    Ok((Reply::Done, changes))
}
