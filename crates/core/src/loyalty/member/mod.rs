//! One member: who he is to us, his books, and what he redeems.
//!
//! # Why it is right
//! - *Once*: what a tab earned is kept with the number of the visit's revision it was computed from; an
//!   older message, or the same once more, changes nothing. What is to stand is told, not what is to be
//!   added.
//! - *Never overdrawn*: a redemption is decided by the very machine that decides a campaign's
//!   ([`crate::ledger::campaign`]), with the member's points as its one counter and what an offer costs as
//!   its amount; the points are read, compared and taken in one turn. So a REDEEM that is repeated,
//!   overtaken, reversed or undone does with points what it does with quotas.
//! - *The sum is zero*: nothing moves but by a [posting](books::Posting).

pub mod books;
mod merge;
mod spending;
#[cfg(test)]
mod tests;
mod view;

use serde::{Deserialize, Serialize};

use books::{About, Account, Books, Lot, Posting, Turn, Why};
pub use merge::Luggage;
pub use view::View;

use super::sign_up::Kept;
use super::terms::{Multiplier, Tier};
use super::visit::Closing;
use super::{MemberId, Terms};
use crate::identity::MemberNumber;
use crate::ledger::{TabKey, campaign};
use crate::time::{Date, Instant};

/// No tab earns more: sums stay exact wherever they travel.
const MOST_POINTS: u64 = 1_000_000_000_000;

/// Who a member is to us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// His loyalty number; none before he is opened, and when he is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<MemberNumber>,
    /// What he is found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Kept>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// Whether he agreed to be written to, if he was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_in: Option<bool>,
    /// Members whose books are part of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<MemberId>,
    /// The member whose books these are part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<MemberId>,
    /// The person was erased.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// What a member has of one tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabNote {
    /// The visit's revision that was heard last.
    #[serde(default)]
    pub revision: u32,
    /// The lot of what it earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<u32>,
    /// By what its points are multiplied: the tier's that was held before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<Multiplier>,
    /// What was redeemed on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<campaign::TabRecord>,
}

/// What a sign-up tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// A number that is this member's alone.
    pub number: Option<MemberNumber>,
    /// What he is found by.
    pub identities: Vec<Kept>,
    /// Whether he agrees to be written to, if he was asked.
    pub opt_in: Option<bool>,
}

/// What is to stand of a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// The tab.
    pub tab: TabKey,
    /// The visit's revision.
    pub revision: u32,
    /// How it was closed; none: it earns nothing, or not this member.
    pub closing: Option<Closing>,
}

/// What is asked of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Be a member.
    Open(Opening),
    /// What he has, with so many of his latest postings.
    Show(u32),
    /// These tabs earn this.
    Accrue(Vec<Accrual>),
    /// The rewards' ledger asks: amounts are points.
    Ledger(campaign::Command),
    /// An operator adds or takes points.
    Adjust {
        /// How many.
        points: i64,
        /// Why.
        reason: String,
    },
    /// Be part of another member from now on.
    Depart {
        /// Of whom.
        into: MemberId,
    },
    /// Take a departed member's books in.
    Absorb {
        /// Whose.
        from: MemberId,
        /// They.
        luggage: Luggage,
    },
    /// What he is found by.
    Identities,
    /// Under which names campaigns may have counted this member.
    Names,
    /// The person is erased.
    Erase,
}

/// What a member answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// He is a member, and whether he was made one now.
    Opened {
        /// Whether he was not before.
        made: bool,
    },
    /// To be a member he needs a number.
    NeedsNumber,
    /// What he has.
    View(Box<View>),
    /// It is done.
    Done,
    /// What he is found by.
    Identities(Vec<Kept>),
    /// What the member is found by, and which members are part of this one.
    Names(Vec<Kept>, Vec<MemberId>),
    /// To the rewards' ledger.
    Ledger(campaign::Reply),
    /// His books, to be taken in elsewhere.
    Luggage(Luggage),
    /// Ask this member.
    Moved(MemberId),
    /// He is no member, or not any more.
    Nobody,
}

/// What the machine reads.
pub trait Store {
    /// Why a read failed.
    type Error;

    /// Who he is.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn profile(&self) -> Result<Profile, Self::Error>;

    /// All postings, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn postings(&self) -> Result<Vec<Posting>, Self::Error>;

    /// What he has of a tab.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tab(&self, tab: &TabKey) -> Result<Option<TabNote>, Self::Error>;

    /// All his tabs.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tabs(&self) -> Result<Vec<(TabKey, TabNote)>, Self::Error>;
}

/// What is to be written, all of it in the turn that decided it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// First, everything there is goes.
    pub wipe: bool,
    /// Who he is.
    pub profile: Option<Profile>,
    /// New postings.
    pub postings: Vec<Posting>,
    /// What changed of tabs.
    pub tabs: Vec<(TabKey, TabNote)>,
}

/// Decides one command: what to answer, and what to write before anybody hears the answer.
///
/// # Errors
/// Only those of reading the store.
pub fn apply<S: Store>(
    store: &S,
    command: &Command,
    terms: &Terms,
    now: Instant,
) -> Result<(Reply, Changes), S::Error> {
    let profile = store.profile()?;
    if let (Some(into), false) = (&profile.moved, matches!(command, Command::Depart { .. })) {
        return Ok((Reply::Moved(into.clone()), Changes::default()));
    }
    if profile.erased {
        return Ok((Reply::Nobody, Changes::default()));
    }
    if let Command::Open(opening) = command {
        return Ok(open(profile, opening, now));
    }
    if let Command::Identities = command {
        return Ok((Reply::Identities(profile.identities), Changes::default()));
    }
    if let Command::Names = command {
        let Profile { identities, absorbed, .. } = profile;
        return Ok((Reply::Names(identities, absorbed), Changes::default()));
    }
    let postings = store.postings()?;
    let mut books = Books::of(&postings);
    let mut turn = Turn { at: now, terms, posted: Vec::new() };
    books.catch_up(&mut turn);
    let mut changes = Changes::default();
    let reply = match command {
        Command::Show(history) => {
            let all: Vec<&Posting> = postings.iter().chain(&turn.posted).collect();
            // What the days brought is shown, and written only with the next change.
            return Ok((View::reply(&profile, &books, terms, &all, *history), changes));
        }
        Command::Accrue(accruals) => {
            accrue(store, accruals, &mut books, &mut turn, &mut changes)?;
            Reply::Done
        }
        Command::Ledger(command) => {
            let all = (&postings[..], &mut books, &mut turn);
            Reply::Ledger(spending::decide(store, command, all, &mut changes)?)
        }
        Command::Adjust { points, reason } => {
            adjust(*points, reason, &mut books, &mut turn);
            let all: Vec<&Posting> = postings.iter().chain(&turn.posted).collect();
            View::reply(&profile, &books, terms, &all, 1)
        }
        Command::Depart { into } => {
            return merge::depart(store, profile, postings, into);
        }
        Command::Absorb { from, luggage } => {
            return merge::absorb(store, profile, &postings, from, luggage);
        }
        Command::Open(_) | Command::Identities | Command::Names => {
            return Ok((Reply::Nobody, changes));
        }
        Command::Erase => return Ok(erase(&mut books, turn)),
    };
    changes.postings = turn.posted;
    Ok((reply, changes))
}

fn open(mut profile: Profile, opening: &Opening, now: Instant) -> (Reply, Changes) {
    let before = profile.clone();
    let made = profile.number.is_none();
    if made {
        let Some(number) = &opening.number else {
            return (Reply::NeedsNumber, Changes::default());
        };
        profile.number = Some(number.clone());
        profile.since = Some(now);
    }
    for kept in &opening.identities {
        if !profile.identities.contains(kept) {
            profile.identities.push(kept.clone());
        }
    }
    profile.opt_in = opening.opt_in.or(profile.opt_in);
    let changed = profile != before;
    let changes = Changes { profile: changed.then_some(profile), ..Changes::default() };
    (Reply::Opened { made }, changes)
}

/// The tier held at the end of a day, if any.
pub(super) fn tier<'t>(books: &Books, tiers: &'t [Tier], on: Date) -> Option<&'t Tier> {
    let reached = |tier: &&Tier| {
        // Points count for a tier as long as they would last if they expired after as many months.
        let lasts = |day: Date, months: u32| day.plus_months(months.into()) > on;
        let earned = books
            .earned(|day| day <= on && tier.within_months.is_none_or(|months| lasts(day, months)));
        u64::try_from(earned).is_ok_and(|earned| earned >= tier.from_points)
    };
    tiers.iter().filter(reached).max_by_key(|tier| tier.from_points)
}

fn accrue<S: Store>(
    store: &S,
    accruals: &[Accrual],
    books: &mut Books,
    turn: &mut Turn<'_>,
    changes: &mut Changes,
) -> Result<(), S::Error> {
    let mut accruals: Vec<&Accrual> = accruals.iter().collect();
    // In the order of the visits, because a tab earns at the tier held before it.
    accruals.sort_by_key(|accrual| {
        accrual.closing.as_ref().map(|closing| (closing.on, closing.received))
    });
    for Accrual { tab, revision, closing } in accruals {
        let mut note = store.tab(tab)?.unwrap_or_default();
        if *revision <= note.revision {
            continue;
        }
        note.revision = *revision;
        let about = About { tab: Some(tab.clone()), ..About::default() };
        let before = note.lot.map_or(0, |lot| books.in_lot(Account::Issued, lot).saturating_neg());
        let mut points = 0;
        if let Some(closing) = closing {
            let held = || tier(books, &turn.terms.tiers, closing.on);
            let multiplier = note
                .multiplier
                .unwrap_or_else(|| held().map_or(Multiplier::ONE, |tier| tier.multiplier));
            note.multiplier = Some(multiplier);
            points = multiplier.of(closing.points).min(MOST_POINTS);
        }
        let more = i64::try_from(points).unwrap_or(i64::MAX).saturating_sub(before);
        match (note.lot, closing) {
            (Some(lot), _) if more > 0 => books.issue_more(turn, more, lot, &about),
            (Some(lot), _) => {
                books.take_back(turn, Why::Corrected, more.saturating_neg(), lot, &about);
            }
            (None, Some(closing)) if points > 0 => {
                let lot = Lot {
                    earned: closing.on,
                    matures: closing.on.plus_days(turn.terms.pending_days.into()),
                    expires: turn.terms.expire.of(closing.on),
                    by_tab: true,
                };
                note.lot = Some(books.issue(turn, Why::Earned, points, lot, &about));
            }
            (None, _) => {}
        }
        changes.tabs.push((tab.clone(), note));
    }
    Ok(())
}

fn adjust(points: i64, reason: &str, books: &mut Books, turn: &mut Turn<'_>) {
    let about = About { reason: Some(reason.to_owned()), ..About::default() };
    let today = turn.terms.today;
    if points > 0 {
        let expires = turn.terms.expire.of(today);
        let lot = Lot { earned: today, matures: today, expires, by_tab: false };
        books.issue(turn, Why::Adjusted, points.unsigned_abs(), lot, &about);
    } else {
        books.take_back(turn, Why::Adjusted, points.saturating_neg(), books::OWED, &about);
    }
}

/// Nothing that names anybody is left: one posting for all that was spent, one for all that is over.
fn erase(books: &mut Books, mut turn: Turn<'_>) -> (Reply, Changes) {
    books.close(&mut turn);
    let mut rest = Turn { posted: Vec::new(), ..turn };
    let postings = books.totals(&mut rest);
    let profile = Profile { erased: true, ..Profile::default() };
    let changes = Changes { wipe: true, profile: Some(profile), postings, tabs: Vec::new() };
    (Reply::Done, changes)
}
