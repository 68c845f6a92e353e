//! Which revision of the campaign's document counts at this object.
//!
//! # Why a stop is a stop
//! The registry announces a revision to the root, and then to every shard the root knows. Let an
//! announcement be acknowledged by all of them. A redemption is written either by the root or by a shard
//! that has the list of layouts, which it got from the root when it enrolled:
//!
//! - enrolled before the root heard, the shard is on the root's roster, so it has heard too;
//! - enrolled afterwards, it was brought the announcement together with the list, and keeps both in the
//!   turn that first writes anything.
//!
//! Either way it refuses what was computed from an older document, however long the command was on its
//! way. What was decided before the last of them heard was decided before the change was acknowledged.

use super::message::Command;
use crate::revision::Announcement;

/// What this object knows with what a command brings.
pub(super) fn heard(known: Option<Announcement>, command: &Command) -> Option<Announcement> {
    let brought = match command {
        Command::Redeem(redeem) | Command::Peek(redeem) => redeem.brought.announced,
        _ => None,
    };
    Announcement::later(known, brought)
}

/// The announcement for which a command is out of date.
pub(super) fn refuses(heard: Option<Announcement>, command: &Command) -> Option<Announcement> {
    let computed_from = match command {
        Command::Redeem(redeem) if redeem.only_asks() => return None,
        Command::Redeem(redeem) | Command::Peek(redeem) => redeem.revision,
        Command::Provide(provide) => provide.revision,
        // What gives back, and what moves rights between objects, decides nothing.
        _ => return None,
    };
    heard.filter(|announcement| announcement.outdates(computed_from))
}

/// What there is to remember, if it is new.
pub(super) fn news(heard: Option<Announcement>, said: &Announcement) -> Option<Announcement> {
    heard.is_none_or(|heard| heard.revision < said.revision).then_some(*said)
}
