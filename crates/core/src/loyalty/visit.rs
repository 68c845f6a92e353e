//! A closed tab: whose its points are, and which of its closings counts.
//!
//! A till sends a closed tab again when it heard no answer, and again *changed* when the tab was opened
//! and closed once more; nothing in the event tells the one from the other, nor the first from the last
//! when an old one is late. So a closing is known by a digest of what was sent: one that was heard before
//! is a repeat, whenever it comes, and of those not heard before the one that reached an edge last
//! counts.
//!
//! Two members may claim one tab (a phone number and an address were given, and two people signed up):
//! this object gives it to one of them. Each change has a number, so that the members' books can tell an
//! old message from a new one.

use serde::{Deserialize, Serialize};

use super::MemberId;
use super::facts::Facts;
use crate::money::Money;
use crate::time::{Date, Instant};

/// Digests kept of one tab.
const KEPT_DIGESTS: usize = 16;

/// One closing of a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When it reached the edge.
    pub received: Instant,
    /// Of what was sent.
    pub digest: String,
    /// The business day.
    pub on: Date,
    /// What was paid after discounts, without tax and tip.
    pub paid: Money,
    /// What that earns, before any tier's multiplier; 0 as long as there are `facts`.
    pub points: u64,
    /// There was no programme yet: from these the points are counted once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<Facts>>,
}

impl Closing {
    /// Whether a programme has said what it earns.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.facts.is_none()
    }
}

/// What was told of a closed tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The closing that counts.
    pub last: Closing,
    /// The digests of the others that were heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<String>,
}

impl Told {
    /// A closing told for the first time.
    #[must_use]
    pub const fn new(last: Closing) -> Self {
        Self { last, heard: Vec::new() }
    }

    fn has_heard(&self, digest: &str) -> bool {
        self.last.digest == digest || self.heard.iter().any(|heard| heard == digest)
    }

    /// Hears what was told elsewhere; returns whether there was anything new.
    pub fn hear(&mut self, other: &Self) -> bool {
        let mut new = false;
        for digest in &other.heard {
            if !self.has_heard(digest) {
                self.note(digest.clone());
                new = true;
            }
        }
        if self.has_heard(&other.last.digest) {
            return new;
        }
        if other.last.received < self.last.received {
            self.note(other.last.digest.clone());
        } else {
            // The visit was on the day the tab was closed first.
            let on = self.last.on.min(other.last.on);
            let before = std::mem::replace(&mut self.last, Closing { on, ..other.last.clone() });
            self.note(before.digest);
        }
        true
    }

    fn note(&mut self, digest: String) {
        if self.heard.len() >= KEPT_DIGESTS {
            self.heard.remove(0);
        }
        self.heard.push(digest);
    }
}

/// All that is kept of one closed tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// What was told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<MemberId>,
    /// Whose it was before it was told to be another's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<MemberId>,
    /// The latest reversal of the whole tab: a closing received up to then does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Instant>,
    /// How often what stands has changed.
    pub revision: u32,
}

/// What is asked of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The tab was closed so, by this member.
    Close {
        /// What is told.
        told: Told,
        /// Whose it is.
        owner: MemberId,
    },
    /// The whole tab is reversed.
    Reverse {
        /// When that reached the edge.
        received: Instant,
    },
    /// These members are erased: the tab is nobody's if it was theirs, and what was told of it up to then
    /// counts for nobody who comes later.
    Forget {
        /// Who.
        members: Vec<MemberId>,
        /// When.
        at: Instant,
    },
}

/// What a member's books are told of a tab. All of it, so that they can tell by themselves whether it is theirs: a
/// message is on its way while members are merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The visit's revision.
    pub revision: u32,
    /// Whose the tab is, by the name he had then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<MemberId>,
    /// What counts; none: nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

/// What stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose it is.
    pub owner: Option<MemberId>,
    /// Who has no points of it any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<MemberId>,
    /// What counts; none: nothing does.
    pub closing: Option<Closing>,
    /// How often what stands has changed.
    pub revision: u32,
}

impl Standing {
    /// What everybody concerned is told.
    #[must_use]
    pub fn ruling(&self) -> Ruling {
        let Self { owner, closing, revision, .. } = self.clone();
        Ruling { revision, owner, closing }
    }

    /// Who is concerned: whoever has the points, and whoever had them.
    pub fn concerned(&self) -> impl Iterator<Item = &MemberId> {
        self.before.iter().chain(&self.owner)
    }
}

impl Visit {
    /// Decides one command; also returns whether anything changed.
    pub fn apply(&mut self, command: Command) -> (Standing, bool) {
        let (before, stood) = (self.clone(), self.standing());
        match command {
            Command::Close { told, owner } => {
                let last = told.last.digest.clone();
                match &mut self.told {
                    Some(known) => {
                        known.hear(&told);
                    }
                    None => self.told = Some(told),
                }
                // A closing that counts says whose the tab is; a repeat or a late one does not.
                let counts = self.told.as_ref().is_some_and(|known| known.last.digest == last);
                let new = before.told.as_ref().is_none_or(|known| !known.has_heard(&last));
                match &self.owner {
                    None => self.owner = Some(owner),
                    Some(known) if *known != owner && counts && new => {
                        self.before.push(known.clone());
                        self.before.retain(|member| *member != owner);
                        self.owner = Some(owner);
                    }
                    Some(_) => {}
                }
            }
            Command::Reverse { received } => self.barrier = self.barrier.max(Some(received)),
            Command::Forget { members, at } => self.forget(&members, at),
        }
        if self.standing() != stood {
            self.revision = self.revision.saturating_add(1);
        }
        (self.standing(), *self != before)
    }

    fn forget(&mut self, members: &[MemberId], at: Instant) {
        self.before.retain(|member| !members.contains(member));
        if self.owner.take_if(|owner| members.contains(owner)).is_some() {
            self.barrier = self.barrier.max(Some(at));
            // A digest of what a till sent about the person.
            self.told = None;
        }
    }

    fn standing(&self) -> Standing {
        let counts = |told: &&Told| Some(told.last.received) > self.barrier;
        Standing {
            owner: self.owner.clone(),
            before: self.before.clone(),
            closing: self.told.as_ref().filter(counts).map(|told| told.last.clone()),
            revision: self.revision,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ident::{LocationId, TabId};
    use crate::ledger::TabKey;

    pub fn tab(name: &str) -> TabKey {
        TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse(name).unwrap() }
    }

    /// A closing for so many points; its digest is the sum's.
    pub fn told(received: i64, points: u64) -> Told {
        Told::new(Closing {
            received: Instant::from_millis(received),
            digest: format!("of {points}"),
            on: Date::parse("2026-07-04").unwrap(),
            paid: Money::new(points).checked_mul(100).unwrap(),
            points,
            facts: None,
        })
    }

    fn id(text: &str) -> MemberId {
        MemberId::parse(text).unwrap()
    }

    fn close(visit: &mut Visit, received: i64, points: u64, owner: &str) -> (Option<u64>, bool) {
        let command = Command::Close { told: told(received, points), owner: id(owner) };
        let (standing, changed) = visit.apply(command);
        (standing.closing.map(|closing| closing.points), changed)
    }

    #[test]
    fn a_tab_closed_again_with_another_sum_counts_with_the_last_whatever_is_repeated_late() {
        let mut visit = Visit::default();
        assert_eq!(close(&mut visit, 1, 10, "MEMBER01"), (Some(10), true));
        assert_eq!(close(&mut visit, 2, 10, "MEMBER01"), (Some(10), false));
        assert_eq!(close(&mut visit, 3, 20, "MEMBER01"), (Some(20), true));
        // The first once more, late.
        assert_eq!(close(&mut visit, 4, 10, "MEMBER01"), (Some(20), false));
        // And one that was overtaken.
        assert_eq!(close(&mut visit, 2, 15, "MEMBER01"), (Some(20), true));
        assert_eq!(visit.revision, 2);
    }

    #[test]
    fn of_two_members_who_claim_one_tab_the_first_has_it() {
        let mut visit = Visit::default();
        close(&mut visit, 1, 10, "MEMBER01");
        close(&mut visit, 1, 10, "MEMBER02");
        assert_eq!((visit.owner, visit.before), (Some(id("MEMBER01")), vec![]));
    }

    #[test]
    fn a_tab_closed_again_for_another_guest_is_that_guests() {
        let mut visit = Visit::default();
        close(&mut visit, 1, 10, "MEMBER01");
        close(&mut visit, 2, 11, "MEMBER02");
        assert_eq!(
            (visit.owner.clone(), visit.before.clone()),
            (Some(id("MEMBER02")), vec![id("MEMBER01")])
        );
        close(&mut visit, 3, 12, "MEMBER01");
        assert_eq!((visit.owner, visit.before), (Some(id("MEMBER01")), vec![id("MEMBER02")]));
    }

    #[test]
    fn a_reversed_tab_counts_again_only_when_it_is_closed_anew() {
        let mut visit = Visit::default();
        close(&mut visit, 1, 10, "MEMBER01");
        let reverse = Command::Reverse { received: Instant::from_millis(5) };
        assert_eq!(visit.apply(reverse.clone()).0.closing, None);
        assert!(!visit.apply(reverse).1);
        assert_eq!(close(&mut visit, 6, 10, "MEMBER01"), (None, false));
        assert_eq!(close(&mut visit, 4, 11, "MEMBER01").0, None);
        assert_eq!(close(&mut visit, 7, 12, "MEMBER01").0, Some(12));
    }

    #[test]
    fn a_reversal_that_overtakes_the_closing_cancels_it() {
        let mut visit = Visit::default();
        visit.apply(Command::Reverse { received: Instant::from_millis(5) });
        assert_eq!(close(&mut visit, 4, 10, "MEMBER01"), (None, true));
    }
}
