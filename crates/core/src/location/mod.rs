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
mod store;
mod sweep;
pub mod tab;

pub use document::{AmountUnit, Location};
pub use record::{KeptVisit, LEAST_DAYS, Names, Record, TabNames, Unreadable, Visited};
pub use store::{Changes, Index, MissRow, ReplyRow, RowKey, Store, TabRow};
pub use sweep::{BATCH, UNDO_BATCH, Woken};

use serde::{Deserialize, Serialize};

use crate::guard::Limits;
use crate::ident::TabId;
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
    /// To [`Command::Miss`]: until when nothing may be told, if these misses may not.
    Miss(Option<Instant>),
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
        Command::Tab(names, command) => match find(store, names, now)? {
            Ok(found) => on_tab(found, command, now, &mut changes),
            Err(unreadable) => Reply::Unreadable(unreadable),
        },
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
        Command::Miss { names, limits, misses } => {
            let tab = match own_name(store, names.as_ref(), now, &mut changes)? {
                Ok(tab) => tab,
                Err(unreadable) => return Ok((Reply::Unreadable(unreadable), changes, None)),
            };
            match misses::read(store, tab.as_ref())? {
                Ok(counted) => Reply::Miss(counted.miss(limits, *misses, now, &mut changes)),
                Err(unreadable) => Reply::Unreadable(unreadable),
            }
        }
        Command::Reply(name, command) => {
            match kept::apply(store, name, command, now, &mut changes)? {
                Ok(answer) => Reply::Reply(answer),
                Err(unreadable) => Reply::Unreadable(unreadable),
            }
        }
        Command::Show(names) => match find(store, names, now)? {
            Ok(found) => Reply::Shown(show(store, found)?),
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

fn on_tab(mut found: Found, command: &tab::Command, now: Instant, changes: &mut Changes) -> Reply {
    if let tab::Command::Admit(admit) = command {
        found.record.keep_days = found.record.keep_days.max(admit.keep_days);
    }
    let (reply, changed) = found.record.tab.apply(&found.tab, command);
    *changes = found.changes(changed, now);
    Reply::Tab(reply)
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

/// The own name of the tab that is named, if one is.
fn own_name<S: Store>(
    store: &S,
    names: Option<&TabNames>,
    now: Instant,
    changes: &mut Changes,
) -> Result<Result<Option<TabId>, Unreadable>, S::Error> {
    let Some(names) = names else { return Ok(Ok(None)) };
    Ok(find(store, names, now)?.map(|found| {
        let tab = found.tab.clone();
        *changes = found.changes(false, now);
        Some(tab)
    }))
}

fn show<S: Store>(store: &S, found: Found) -> Result<Option<Box<Shown>>, S::Error> {
    let Found { tab, record, .. } = found;
    if store.record(&tab)?.is_none() {
        return Ok(None);
    }
    let names = store.names_of(&tab)?;
    Ok(Some(Box::new(Shown { tab, names, record })))
}

#[cfg(test)]
mod tests;
