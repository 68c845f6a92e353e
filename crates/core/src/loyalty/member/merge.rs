//! Two members become one, as each of them sees it; [`crate::loyalty::merge`] says in which steps.
//!
//! Who leaves changes nothing any more and answers nobody from his books: whoever asks is given all of them, and
//! has them taken in first. So nothing is ever decided while half a member is here and half there. Taking in is
//! done once for each member; then the one who left keeps no more than where he is now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::books::{Books, LET_OFF, OWED, Posting, Turn};
use super::tabs::{Whose, stand, undo};
use super::{Adjusted, Changes, Command, Profile, Reply, Store, TabNote, add};
use crate::ledger::{TabKey, campaign::TabRecord};
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
    /// Adjustments, by their keys.
    #[serde(default)]
    pub adjusted: Vec<(String, Adjusted)>,
}

/// What a member says who is part of another one.
pub(super) fn moved(profile: Profile, command: &Command) -> (Reply, Changes) {
    let Some(at) = profile.moved.clone() else { return (Reply::Nobody, Changes::default()) };
    match command {
        Command::Point { to } if *to != at => {
            let profile = Profile { moved: Some(to.clone()), ..profile };
            (Reply::Moved(to.clone()), Changes { profile: Some(profile), ..Changes::default() })
        }
        _ => (Reply::Moved(at), Changes::default()),
    }
}

/// What a member says who is leaving.
pub(super) fn leaving<S: Store>(
    store: &S,
    profile: Profile,
    command: &Command,
) -> Result<(Reply, Changes), S::Error> {
    if let Command::Arrived { at } = command {
        let profile = Profile { moved: Some(at.clone()), ..Profile::default() };
        let changes = Changes { wipe: true, profile: Some(profile), ..Changes::default() };
        return Ok((Reply::Moved(at.clone()), changes));
    }
    let Some(into) = profile.leaving.clone() else {
        return Ok((Reply::Nobody, Changes::default()));
    };
    let luggage = Luggage {
        profile: Profile { leaving: None, ..profile },
        postings: store.postings()?,
        tabs: store.tabs()?,
        adjusted: store.all_adjusted()?,
    };
    Ok((Reply::Leaving { into, luggage: Box::new(luggage) }, Changes::default()))
}

/// Leaves for another member.
pub(super) fn depart<S: Store>(
    store: &S,
    profile: Profile,
    into: &MemberId,
) -> Result<(Reply, Changes), S::Error> {
    let profile = Profile { leaving: Some(into.clone()), ..profile };
    let (reply, _) = leaving(store, profile.clone(), &Command::Here)?;
    Ok((reply, Changes { profile: Some(profile), ..Changes::default() }))
}

/// Takes a member in.
pub(super) fn absorb<S: Store>(
    store: &S,
    (me, mut profile): (&MemberId, Profile),
    from: &MemberId,
    luggage: &Luggage,
    mut turn: Turn<'_>,
) -> Result<(Reply, Changes), S::Error> {
    if profile.absorbed.contains(from) || from == me {
        return Ok((Reply::Done, Changes::default()));
    }
    let own = store.postings()?;
    let mut books = Books::of(&own);
    let mut postings = renumbered(&luggage.postings, &books);
    postings.iter().for_each(|posting| books.add(posting));
    profile.absorbed.push(from.clone());
    profile.absorbed.extend(luggage.profile.absorbed.iter().cloned());
    if profile.erased {
        return Ok((Reply::Done, forgotten(profile, &mut books, turn)));
    }
    introduce(&mut profile, &luggage.profile);
    let shift = Books::of(&own).lots().map(|(number, _)| number).max().unwrap_or(OWED);
    let whose = Whose { me, profile: &profile };
    let mut ours: BTreeMap<TabKey, TabNote> = store.tabs()?.into_iter().collect();
    let mut tabs = Vec::new();
    for (tab, theirs) in &luggage.tabs {
        let mut theirs = theirs.clone();
        theirs.lot = theirs.lot.map(|lot| shifted(lot, shift));
        let (mut note, other_lot) = match ours.remove(tab) {
            None => (theirs, None),
            Some(ours) => joined(ours, theirs),
        };
        if let Some(lot) = other_lot {
            undo(lot, tab, &mut books, &mut turn);
        }
        // He may have heard that the tab is this member's, who has not heard it.
        stand(&mut note, tab, &whose, &mut books, &mut turn);
        tabs.push((tab.clone(), note));
    }
    for (tab, mut note) in ours {
        // This member may have heard that a tab is his, who has not heard it.
        let mut names = [from].into_iter().chain(&luggage.profile.absorbed);
        if note.heard.owner.as_ref().is_some_and(|owner| names.any(|name| name == owner)) {
            stand(&mut note, &tab, &whose, &mut books, &mut turn);
            tabs.push((tab, note));
        }
    }
    postings.append(&mut turn.posted);
    let adjusted = luggage.adjusted.clone();
    Ok((Reply::Done, Changes { wipe: false, profile: Some(profile), postings, tabs, adjusted }))
}

/// Their postings, as they are written behind those of these books.
fn renumbered(theirs: &[Posting], books: &Books) -> Vec<Posting> {
    let shift = books.lots().map(|(number, _)| number).max().unwrap_or(OWED);
    let mut number = books.last();
    let renumber = |posting: &Posting| {
        let mut posting = posting.clone();
        number = number.saturating_add(1);
        posting.number = number;
        posting.from.lot = shifted(posting.from.lot, shift);
        posting.to.lot = shifted(posting.to.lot, shift);
        posting
    };
    theirs.iter().map(renumber).collect()
}

const fn shifted(lot: u32, shift: u32) -> u32 {
    match lot {
        OWED | LET_OFF => lot,
        lot => lot.saturating_add(shift),
    }
}

/// Who the two are together.
fn introduce(profile: &mut Profile, theirs: &Profile) {
    add(&mut profile.identities, &theirs.identities);
    profile.number = profile.number.take().or_else(|| theirs.number.clone());
    profile.since = match (profile.since, theirs.since) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    profile.opt_in = profile.opt_in.or(theirs.opt_in);
}

/// One note of two about the same tab, with what was heard last; and a lot that is one too many.
fn joined(ours: TabNote, theirs: TabNote) -> (TabNote, Option<u32>) {
    let (later, earlier) = match theirs.heard.revision > ours.heard.revision {
        true => (theirs, ours),
        false => (ours, theirs),
    };
    let (lot, multiplier, other) = match later.lot {
        Some(_) => (later.lot, later.multiplier, earlier.lot),
        None => (earlier.lot, earlier.multiplier.or(later.multiplier), None),
    };
    let spending = match (later.spending, earlier.spending) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    };
    (TabNote { heard: later.heard, lot, multiplier, spending }, other)
}

/// Offers carry their member's name, so each record has its own.
fn both(mut one: TabRecord, other: TabRecord) -> TabRecord {
    one.offers.extend(other.offers);
    one.barrier = one.barrier.max(other.barrier);
    one.fence = one.fence.max(other.fence);
    one.undone.extend(other.undone);
    one
}

/// Somebody is taken in by a member who was erased meanwhile: they were one person, who is forgotten.
fn forgotten(profile: Profile, books: &mut Books, mut turn: Turn<'_>) -> Changes {
    books.close(&mut turn);
    let mut rest = Turn { posted: Vec::new(), ..turn };
    let postings = books.totals(&mut rest);
    Changes { wipe: true, profile: Some(profile), postings, ..Changes::default() }
}
