//! A location: its document, and the machine that is the only writer of what happens there.
//!
//! One object a location keeps, for each tab, what stands on it ([`tab`]) and what it was closed
//! with, by whichever of its names an event gives; and who has tried too many codes that are none
//! ([`crate::guard`]). All of it is one pure machine, [`decide`]: it reads rows through [`Store`],
//! and returns the reply, the rows to write in the same turn, and when it is to be woken.
//!
//! # Turns
//! A command is one turn, so whatever a reply says was true when everything before it was written,
//! and nothing of what came after it. An answer that says that something is locked, or counted, or
//! admitted is exact, however many ask at once.
//!
//! # Deadlines
//! A [`Message`] says after which instant its sender has given up. One that is reached later is
//! answered [`Reply::Late`], and writes nothing: nobody would hear what it did. Commands that are
//! right to do however late (reversals, settlements, what is to be undone) are done.
//!
//! # Waking
//! A location has one alarm. Each decision says when it is to be woken at the latest for what it
//! has written; the caller sets its alarm if none is set or the one that is set is later. What is
//! said when it was woken ([`Command::Wake`]) is exact: the alarm is to be set to that.

mod document;
mod kept;
mod misses;
mod record;
mod rows;
mod store;
mod sweep;
pub mod tab;

pub use document::{AmountUnit, Location};
pub use record::{KeptVisit, LEAST_DAYS, Record, TabNames, Unreadable, Visited};
pub use rows::Rows;
pub use store::{Changes, Index, MissRow, ReplyRow, RowKey, Store, TabRow};
pub use sweep::{BATCH, UNDO_BATCH, Woken};

use serde::{Deserialize, Serialize};

use crate::guard::Limits;
use crate::ident::{CampaignId, CodeKey, TabId};
use crate::loyalty::visit;
use crate::replies;
use crate::time::Instant;
use record::{Found, find};

/// A command with the instant after which nobody waits for its reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// After which its sender has given up.
    pub deadline: Instant,
    /// What is asked.
    pub command: Command,
}

/// What is asked of a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A command to a tab.
    Tab(TabNames, tab::Command),
    /// A command about a closed tab.
    Visit {
        /// Which tab.
        names: TabNames,
        /// What was told of it.
        command: visit::Command,
        /// For how many days the tab is kept at least.
        keep_days: u32,
    },
    /// Whether anything is told on a tab, and what stands there. It writes nothing, unless it is
    /// the first to give the tab two names.
    Look {
        /// Which tab, if there is one yet.
        names: Option<TabNames>,
        /// When a tab is locked.
        limits: Limits,
        /// The attempt that asks, whose own claims are left out of what stands.
        attempt: Option<String>,
    },
    /// Codes were asked for that are none: may that be told?
    Miss {
        /// On which tab, if there is one yet.
        names: Option<TabNames>,
        /// When a tab is locked.
        limits: Limits,
        /// How many codes.
        misses: u16,
        /// Unless something of this campaign, by this code, stands on the tab: then none is a
        /// miss, and nothing is counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unless: Option<(CampaignId, CodeKey)>,
    },
    /// A command to the reply under an `Idempotency-Key`, by the name that [`replies::name`]
    /// makes.
    Reply(String, replies::Command),
    /// All that is kept of a tab. Nothing is written.
    Show(TabNames),
    /// The alarm went off.
    Wake,
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was reached after its deadline; nothing was done.
    Late,
    /// A record that it needs cannot be read; nothing was done.
    Unreadable(Unreadable),
    /// To [`Command::Tab`].
    Tab(tab::Reply),
    /// To [`Command::Visit`].
    Visit(Visited),
    /// To [`Command::Look`].
    Look(Looked),
    /// To [`Command::Miss`]: `locked` says until when nothing may be told, if these misses may not.
    Miss(Looked),
    /// To [`Command::Reply`].
    Reply(replies::Answer),
    /// To [`Command::Show`].
    Shown(Option<Box<Shown>>),
    /// To [`Command::Wake`].
    Woken(Woken),
}

/// What there is to know before anything is told on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Until when nothing is told, if nothing is.
    pub locked: Option<Instant>,
    /// What stands on the tab, if one is named.
    pub seen: Option<tab::Seen>,
}

/// All that is kept of a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its own name.
    pub tab: TabId,
    /// Its other names.
    pub names: Vec<TabId>,
    /// What is kept.
    pub record: Record,
}

impl Command {
    /// Whether it is right to do though its sender has given up.
    const fn is_never_late(&self) -> bool {
        match self {
            Self::Tab(_, command) => !matches!(command, tab::Command::Admit(_)),
            Self::Visit { command, .. } => matches!(command, visit::Command::Reverse { .. }),
            Self::Reply(_, command) => {
                matches!(command, replies::Command::Keep { .. } | replies::Command::Release { .. })
            }
            Self::Wake => true,
            Self::Look { .. } | Self::Miss { .. } | Self::Show(_) => false,
        }
    }
}

/// Decides one message: what to answer, what to write before anybody hears the answer, and when
/// the location is to be woken (see the module page).
///
/// # Errors
/// Only those of reading the store.
pub fn decide<S: Store>(
    store: &S,
    message: &Message,
    now: Instant,
) -> Result<(Reply, Changes, Option<Instant>), S::Error> {
    let mut changes = Changes::default();
    if now > message.deadline && !message.command.is_never_late() {
        return Ok((Reply::Late, changes, None));
    }
    let reply = match &message.command {
        Command::Tab(names, command) => on_tab(store, names, command, now, &mut changes)?,
        Command::Visit { names, command, keep_days } => match find(store, names, now)? {
            Ok(mut found) => {
                found.record.keep_days = found.record.keep_days.max(*keep_days);
                let (told, changed) = found.record.visit(&found.tab, command);
                changes = found.changes(changed, now);
                Reply::Visit(told)
            }
            Err(unreadable) => Reply::Unreadable(unreadable),
        },
        Command::Look { names, limits, attempt } => {
            look(store, names.as_ref(), limits, attempt.as_deref(), now, &mut changes)?
        }
        Command::Miss { names, limits, misses, unless } => {
            miss(store, names.as_ref(), limits, *misses, unless.as_ref(), now, &mut changes)?
        }
        Command::Reply(name, command) => {
            match kept::apply(store, name, command, now, &mut changes)? {
                Ok(answer) => Reply::Reply(answer),
                Err(unreadable) => Reply::Unreadable(unreadable),
            }
        }
        Command::Show(names) => match find(store, names, now)? {
            Ok(found) => Reply::Shown(show(found)),
            Err(unreadable) => Reply::Unreadable(unreadable),
        },
        Command::Wake => {
            let (woken, next) = sweep::wake(store, now, &mut changes)?;
            return Ok((Reply::Woken(woken), changes, next));
        }
    };
    let wake_at = changes.wake_at();
    Ok((reply, changes, wake_at))
}

fn on_tab<S: Store>(
    store: &S,
    names: &TabNames,
    command: &tab::Command,
    now: Instant,
    changes: &mut Changes,
) -> Result<Reply, S::Error> {
    let mut found = match find(store, names, now)? {
        Ok(found) => found,
        Err(unreadable) => return Ok(Reply::Unreadable(unreadable)),
    };
    if let tab::Command::Admit(admit) = command {
        if let Some(limits) = &admit.limits {
            let locked = match misses::read(store, Some(&found.tab))? {
                Ok(mut counted) => counted.locked(limits, now),
                Err(unreadable) => return Ok(Reply::Unreadable(unreadable)),
            };
            if let Some(until) = locked {
                let seen = found.record.tab.see(&found.tab, Some(&admit.attempt.name));
                let locked = tab::Admission::Locked { until, seen };
                return Ok(Reply::Tab(tab::Reply::Admission(locked)));
            }
        }
        found.record.keep_days = found.record.keep_days.max(admit.keep_days);
    }
    let (reply, changed) = found.record.tab.apply(&found.tab, command);
    *changes = found.changes(changed, now);
    Ok(Reply::Tab(reply))
}

fn look<S: Store>(
    store: &S,
    names: Option<&TabNames>,
    limits: &Limits,
    attempt: Option<&str>,
    now: Instant,
    changes: &mut Changes,
) -> Result<Reply, S::Error> {
    let (mut seen, mut tab) = (None, None);
    if let Some(names) = names {
        match find(store, names, now)? {
            Ok(found) => {
                seen = Some(found.record.tab.see(&found.tab, attempt));
                tab = Some(found.tab.clone());
                *changes = found.changes(false, now);
            }
            Err(unreadable) => return Ok(Reply::Unreadable(unreadable)),
        }
    }
    Ok(match misses::read(store, tab.as_ref())? {
        Ok(mut counted) => Reply::Look(Looked { locked: counted.locked(limits, now), seen }),
        Err(unreadable) => Reply::Unreadable(unreadable),
    })
}

fn miss<S: Store>(
    store: &S,
    names: Option<&TabNames>,
    limits: &Limits,
    misses: u16,
    unless: Option<&(CampaignId, CodeKey)>,
    now: Instant,
    changes: &mut Changes,
) -> Result<Reply, S::Error> {
    let (mut seen, mut tab) = (None, None);
    if let Some(names) = names {
        match find(store, names, now)? {
            Ok(found) => {
                seen = Some(found.record.tab.see(&found.tab, None));
                tab = Some(found.tab.clone());
                *changes = found.changes(false, now);
            }
            Err(unreadable) => return Ok(Reply::Unreadable(unreadable)),
        }
    }
    let stands = unless.is_some_and(|(campaign, code)| {
        let standing = seen.iter().flat_map(|seen| seen.standing.of(campaign));
        standing.into_iter().any(|standing| standing.offer.code == *code)
    });
    Ok(match misses::read(store, tab.as_ref())? {
        Ok(mut counted) => Reply::Miss(Looked {
            locked: match stands {
                true => counted.locked(limits, now),
                false => counted.miss(limits, misses, now, changes),
            },
            seen,
        }),
        Err(unreadable) => Reply::Unreadable(unreadable),
    })
}

fn show(found: Found) -> Option<Box<Shown>> {
    let Found { tab, record, known, .. } = found;
    known.then(|| Box::new(Shown { tab, names: record.names.clone(), record }))
}

#[cfg(test)]
mod tests;
