//! What leads from a member's books to a person, and erasing books that are another member's by now.

use serde::{Deserialize, Serialize};

use super::{Changes, Profile, Reply, Store};
use crate::identity::MemberNumber;
use crate::ledger::TabKey;
use crate::loyalty::MemberId;
use crate::loyalty::sign_up::Kept;

/// What leads from a member's books to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The loyalty number.
    pub number: Option<MemberNumber>,
    /// What the member is found by.
    pub identities: Vec<Kept>,
    /// Members whose books are part of these.
    pub absorbed: Vec<MemberId>,
    /// The member whose books these are part of.
    pub moved: Option<MemberId>,
    /// Some of the member's tabs, in order.
    pub tabs: Vec<TabKey>,
    /// There are more.
    pub more: bool,
}

/// Tabs told in one [`Trace`].
pub const TRACED_TABS: usize = 500;

pub(super) fn trace<S: Store>(
    store: &S,
    profile: Profile,
    after: Option<&TabKey>,
) -> Result<Reply, S::Error> {
    let mut tabs = store.tabs_after(after, TRACED_TABS.saturating_add(1))?;
    let more = tabs.len() > TRACED_TABS;
    tabs.truncate(TRACED_TABS);
    let Profile { number, identities, absorbed, moved, leaving, .. } = profile;
    let moved = moved.or(leaving);
    Ok(Reply::Trace(Box::new(Trace { number, identities, absorbed, moved, tabs, more })))
}

/// Nothing is left of a member who was merged away: the postings go on adding up where they went. Of one who
/// was erased before, not even who was taken in: those are erased by now.
pub(super) fn erase_departed(profile: Profile) -> (Reply, Changes) {
    let gone = Profile { erased: true, ..Profile::default() };
    let wipe = !profile.erased;
    let changed = profile != gone;
    let changes = Changes { wipe, profile: changed.then_some(gone), ..Changes::default() };
    let reply = if wipe { Reply::Identities(profile.identities) } else { Reply::Erased };
    (reply, changes)
}

impl Profile {
    /// Whether the books are part of another member's, or nobody's.
    pub(super) const fn is_not_ones_own(&self) -> bool {
        self.moved.is_some() || self.leaving.is_some() || self.erased
    }
}
