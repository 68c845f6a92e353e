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
mod posting;
mod spending;
mod tabs;
#[cfg(test)]
mod tests;
mod trace;
mod view;

use serde::{Deserialize, Serialize};

use books::{About, Books, Lot, Posting, Turn, Why};
pub use merge::Luggage;
pub use tabs::{Accrual, TabNote};
pub use trace::{TRACED_TABS, Trace};
use trace::{erase_departed, trace};
pub use view::View;

use super::sign_up::Kept;
use super::terms::Tier;
use super::{MemberId, Terms};
use crate::identity::MemberNumber;
use crate::ledger::{TabKey, campaign};
use crate::time::{Date, Instant};

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
    /// The member who takes these books in. Until he has, nothing here changes, and nobody is answered from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<MemberId>,
    /// The member whose books have these in them; nothing else is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<MemberId>,
    /// The person was erased.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// An operator's adjustment, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// How many points.
    pub points: i64,
    /// Why.
    pub reason: String,
    /// The operator's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
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

/// What is asked of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Be a member. Who is one already gets no identity by this.
    Open(Opening),
    /// Be found by these too: an operator says so.
    Know(Vec<Kept>),
    /// What he has, with so many of his latest postings.
    Show(u32),
    /// These tabs earn this.
    Accrue(Vec<Accrual>),
    /// The rewards' ledger asks: amounts are points.
    Ledger(campaign::Command),
    /// An operator adds or takes points.
    Adjust {
        /// What.
        adjusted: Adjusted,
        /// Under which keys it is done once.
        keys: Vec<String>,
    },
    /// Are you there? For whoever wants to know into whom somebody was merged.
    Here,
    /// Leave for another member, who takes you in.
    Depart {
        /// Whom.
        into: MemberId,
    },
    /// Take in a member who is leaving for you.
    Absorb {
        /// Whom.
        from: MemberId,
        /// All he has.
        luggage: Luggage,
    },
    /// All you had is there now.
    Arrived {
        /// Where.
        at: MemberId,
    },
    /// Whoever you were merged into was merged himself.
    Point {
        /// Into whom.
        to: MemberId,
    },
    /// What he is found by.
    Identities,
    /// Under which names campaigns may have counted this member.
    Names,
    /// What leads from the books to the person: of a merged-away member too, and with the tabs after this
    /// one.
    Trace(Option<TabKey>),
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
        /// What he is found by.
        identities: Vec<Kept>,
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
    /// To [`Command::Trace`].
    Trace(Box<Trace>),
    /// To the rewards' ledger.
    Ledger(campaign::Reply),
    /// He is on his way into another member, who is to take this in: see [`super::merge`].
    Leaving {
        /// Whom.
        into: MemberId,
        /// All he has.
        luggage: Box<Luggage>,
    },
    /// Ask this member.
    Moved(MemberId),
    /// Another adjustment was made under one of these keys.
    OtherAdjustment,
    /// He is no member yet.
    Nobody,
    /// He was one, and is erased.
    Erased,
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

    /// So many of his tabs after this one, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tabs_after(&self, after: Option<&TabKey>, most: usize) -> Result<Vec<TabKey>, Self::Error> {
        let mut tabs: Vec<TabKey> = self.tabs()?.into_iter().map(|(tab, _)| tab).collect();
        tabs.sort();
        tabs.retain(|tab| after.is_none_or(|after| tab > after));
        tabs.truncate(most);
        Ok(tabs)
    }

    /// The adjustments made under a key: one, unless members were merged.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn adjusted(&self, key: &str) -> Result<Vec<Adjusted>, Self::Error>;

    /// All adjustments that have a key, each with its key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn all_adjusted(&self) -> Result<Vec<(String, Adjusted)>, Self::Error>;
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
    /// Adjustments, by their keys.
    pub adjusted: Vec<(String, Adjusted)>,
}

/// Decides one command to the member of this name: what to answer, and what to write before anybody hears the
/// answer.
///
/// # Errors
/// Only those of reading the store.
pub fn apply<S: Store>(
    store: &S,
    me: &MemberId,
    command: &Command,
    terms: &Terms,
    now: Instant,
) -> Result<(Reply, Changes), S::Error> {
    let profile = store.profile()?;
    match command {
        Command::Trace(after) => {
            return Ok((trace(store, profile, after.as_ref())?, Changes::default()));
        }
        Command::Erase if profile.is_not_ones_own() => return Ok(erase_departed(profile)),
        _ => {}
    }
    if profile.moved.is_some() {
        return Ok(merge::moved(profile, command));
    }
    if profile.leaving.is_some() {
        return merge::leaving(store, profile, command);
    }
    let mut turn = Turn { at: now, terms, posted: Vec::new() };
    match command {
        Command::Absorb { from, luggage } => {
            return merge::absorb(store, (me, profile), from, luggage, turn);
        }
        _ if profile.erased => return Ok((Reply::Erased, Changes::default())),
        Command::Depart { into } => return merge::depart(store, profile, into),
        Command::Open(opening) => return Ok(open(profile, opening, now)),
        Command::Know(identities) => return Ok(know(profile, identities)),
        Command::Here | Command::Arrived { .. } | Command::Point { .. } => {
            return Ok((Reply::Done, Changes::default()));
        }
        Command::Identities => {
            return Ok((Reply::Identities(profile.identities), Changes::default()));
        }
        Command::Names => {
            let Profile { identities, absorbed, .. } = profile;
            return Ok((Reply::Names(identities, absorbed), Changes::default()));
        }
        _ => {}
    }
    let postings = store.postings()?;
    let mut books = Books::of(&postings);
    books.catch_up(&mut turn);
    let mut changes = Changes::default();
    let reply = match command {
        Command::Show(history) => {
            let all: Vec<&Posting> = postings.iter().chain(&turn.posted).collect();
            // What the days brought is shown, and written only with the next change.
            return Ok((View::reply(&profile, &books, terms, &all, *history), changes));
        }
        Command::Accrue(accruals) => {
            let whose = tabs::Whose { me, profile: &profile };
            tabs::accrue(store, &whose, accruals, &mut books, &mut turn, &mut changes)?;
            Reply::Done
        }
        Command::Ledger(command) => {
            let all = (&postings[..], &mut books, &mut turn);
            Reply::Ledger(spending::decide(store, command, all, &mut changes)?)
        }
        Command::Adjust { adjusted, keys } => {
            match adjust(store, adjusted, keys, &mut books, &mut turn)? {
                Some(kept) => changes.adjusted = kept,
                None => return Ok((Reply::OtherAdjustment, changes)),
            }
            let all: Vec<&Posting> = postings.iter().chain(&turn.posted).collect();
            View::reply(&profile, &books, terms, &all, 1)
        }
        Command::Erase => return Ok(erase(profile, &mut books, turn)),
        _ => return Ok((Reply::Nobody, changes)),
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
        add(&mut profile.identities, &opening.identities);
    }
    // Who gives what is not this member's says nothing for him.
    if opening.identities.iter().all(|kept| profile.identities.contains(kept)) {
        profile.opt_in = opening.opt_in.or(profile.opt_in);
    }
    let identities = profile.identities.clone();
    let changed = profile != before;
    let changes = Changes { profile: changed.then_some(profile), ..Changes::default() };
    (Reply::Opened { made, identities }, changes)
}

fn know(mut profile: Profile, identities: &[Kept]) -> (Reply, Changes) {
    if profile.number.is_none() {
        return (Reply::Nobody, Changes::default());
    }
    let before = profile.identities.len();
    add(&mut profile.identities, identities);
    let changed = profile.identities.len() != before;
    (Reply::Done, Changes { profile: changed.then_some(profile), ..Changes::default() })
}

fn add(known: &mut Vec<Kept>, more: &[Kept]) {
    for kept in more {
        if !known.contains(kept) {
            known.push(kept.clone());
        }
    }
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

/// Posts an adjustment, unless it was posted under one of its keys before; returns what to keep of it, `None` when
/// another one has a key.
fn adjust<S: Store>(
    store: &S,
    asked: &Adjusted,
    keys: &[String],
    books: &mut Books,
    turn: &mut Turn<'_>,
) -> Result<Option<Vec<(String, Adjusted)>>, S::Error> {
    let mut again = false;
    for key in keys {
        let known = store.adjusted(key)?;
        if known.iter().any(|known| known == asked) {
            again = true;
        } else if !known.is_empty() {
            return Ok(None);
        }
    }
    if again {
        turn.posted.clear();
        return Ok(Some(Vec::new()));
    }
    let about = About { reason: Some(asked.reason.clone()), ..About::default() };
    let today = turn.terms.today;
    if asked.points > 0 {
        let expires = turn.terms.expire.of(today);
        let lot = Lot { earned: today, matures: today, expires, by_tab: false };
        books.issue(turn, Why::Adjusted, asked.points.unsigned_abs(), lot, &about);
    } else {
        books.take_back(turn, Why::Adjusted, asked.points.saturating_neg(), books::OWED, &about);
    }
    Ok(Some(keys.iter().map(|key| (key.clone(), asked.clone())).collect()))
}

/// Nothing that names anybody is left: one posting for all that was spent, one for all that is over. (Which members
/// were taken in stays: who is still on his way in is erased too.) Answers what he was found by.
fn erase(profile: Profile, books: &mut Books, mut turn: Turn<'_>) -> (Reply, Changes) {
    books.close(&mut turn);
    let mut rest = Turn { posted: Vec::new(), ..turn };
    let postings = books.totals(&mut rest);
    let Profile { identities, absorbed, .. } = profile;
    let profile = Profile { erased: true, absorbed, ..Profile::default() };
    let changes = Changes { wipe: true, profile: Some(profile), postings, ..Changes::default() };
    (Reply::Identities(identities), changes)
}
