//! What one identity leads to: a member, or the closed tabs that wait for whoever signs up with it.
//!
//! # The race
//! A guest signs up while his tab is being closed elsewhere. Both come to this entry, one after the
//! other: the closed tab either waits before the claim, and the claim's answer names it, or comes after
//! it, and its answer names the member. There is no third order, so no tab is forgotten.
//!
//! Two sign-ups at once both claim for a member of their own making; the first claim stands, the second
//! is told whose the identity is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MemberId;
use super::visit::Told;
use crate::ledger::TabKey;
use crate::time::Instant;

/// The most closed tabs that wait for one identity; then the oldest is let go. (An identity with more is
/// a house's own, that its staff type for everybody.)
pub const MOST_WAITING: usize = 250;

/// All that is kept of one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub member: Option<MemberId>,
    /// What waits for its owner.
    pub waiting: BTreeMap<TabKey, Waiting>,
}

/// A closed tab that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What was told of it.
    pub told: Told,
    /// Until when.
    pub until: Instant,
}

/// What is asked of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// What it leads to.
    Look,
    /// Let a closed tab wait, unless somebody owns the identity and the tab's points are known.
    Wait {
        /// The tab.
        tab: TabKey,
        /// What is told of it.
        waiting: Waiting,
    },
    /// It is this member's, unless it is somebody's.
    Claim(MemberId),
    /// It is another member's now: whoever of these it was is part of that one.
    Hand {
        /// Whose it was.
        from: Vec<MemberId>,
        /// Whose it is.
        to: MemberId,
    },
    /// It is not this member's, if it was.
    Release(MemberId),
    /// These tabs' points are in their owner's books.
    Credited(Vec<TabKey>),
    /// Nothing is to be kept.
    Forget,
}

/// What an entry answers: whose it is now, and what waits for the owner's books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whose it is.
    pub member: Option<MemberId>,
    /// What waits; told only where there is an owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<(TabKey, Told)>,
    /// Something was kept of it, and is not any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgot: bool,
}

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The owner, if that changes.
    pub member: Option<Option<MemberId>>,
    /// Tabs that wait, or wait otherwise.
    pub put: Vec<(TabKey, Waiting)>,
    /// Tabs that wait no more.
    pub gone: Vec<TabKey>,
}

impl Entry {
    /// Decides one command.
    pub fn apply(&mut self, command: Command) -> (Known, Changes) {
        let mut changes = Changes::default();
        let forgets = command == Command::Forget;
        match command {
            Command::Look => {}
            Command::Wait { tab, waiting } => {
                if self.member.is_none() || !waiting.told.last.is_counted() {
                    self.wait(tab, waiting, &mut changes);
                }
            }
            Command::Claim(member) => {
                if self.member.is_none() {
                    self.member = Some(member);
                    changes.member = Some(self.member.clone());
                }
            }
            Command::Hand { from, to } => {
                if self.member.as_ref().is_some_and(|member| from.contains(member)) {
                    self.member = Some(to);
                    changes.member = Some(self.member.clone());
                }
            }
            Command::Release(from) => {
                if self.member.as_ref() == Some(&from) {
                    self.member = None;
                    changes.member = Some(None);
                }
            }
            Command::Credited(tabs) => {
                let there = tabs.into_iter().filter(|tab| self.waiting.remove(tab).is_some());
                changes.gone = there.collect();
            }
            Command::Forget => {
                changes.gone = std::mem::take(&mut self.waiting).into_keys().collect();
                if self.member.take().is_some() {
                    changes.member = Some(None);
                }
            }
        }
        let waiting = match self.member {
            Some(_) => self.waiting.iter().map(|(tab, w)| (tab.clone(), w.told.clone())).collect(),
            None => Vec::new(),
        };
        let forgot = forgets && changes != Changes::default();
        (Known { member: self.member.clone(), waiting, forgot }, changes)
    }

    fn wait(&mut self, tab: TabKey, waiting: Waiting, changes: &mut Changes) {
        if let Some(before) = self.waiting.get_mut(&tab) {
            if before.told.hear(&waiting.told) {
                changes.put.push((tab, before.clone()));
            }
            return;
        }
        if self.waiting.len() >= MOST_WAITING {
            let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.until);
            if let Some(oldest) = oldest.map(|(tab, _)| tab.clone()) {
                self.waiting.remove(&oldest);
                changes.gone.push(oldest);
            }
        }
        self.waiting.insert(tab.clone(), waiting.clone());
        changes.put.push((tab, waiting));
    }

    /// Lets go what has waited long enough.
    pub fn expire(&mut self, now: Instant) -> Changes {
        let over = self.waiting.iter().filter(|(_, waiting)| waiting.until <= now);
        let gone: Vec<TabKey> = over.map(|(tab, _)| tab.clone()).collect();
        gone.iter().for_each(|tab| drop(self.waiting.remove(tab)));
        Changes { gone, ..Changes::default() }
    }

    /// When the next one has waited long enough.
    #[must_use]
    pub fn next_end(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::visit::tests::{tab, told};

    fn id(text: &str) -> MemberId {
        MemberId::parse(text).unwrap()
    }

    fn wait(name: &str, received: i64) -> Command {
        let until = Instant::from_millis(received).plus_millis(1000);
        let waiting = Waiting { told: told(received, 10), until };
        Command::Wait { tab: tab(name), waiting }
    }

    #[test]
    fn of_two_sign_ups_at_once_the_first_stands_and_the_second_is_told_whose_it_is() {
        let mut entry = Entry::default();
        let first = entry.apply(Command::Claim(id("MEMBER01")));
        assert_eq!(first.0.member, Some(id("MEMBER01")));
        let second = entry.apply(Command::Claim(id("MEMBER02")));
        assert_eq!((second.0.member, second.1), (Some(id("MEMBER01")), Changes::default()));
    }

    #[test]
    fn a_tab_that_waits_is_told_to_whoever_claims_and_again_until_it_is_credited() {
        let mut entry = Entry::default();
        entry.apply(wait("t", 5));
        for _ in 0..2 {
            let (known, _) = entry.apply(Command::Claim(id("MEMBER01")));
            assert_eq!(known.waiting.len(), 1);
        }
        let (known, changes) = entry.apply(Command::Credited(vec![tab("t"), tab("u")]));
        assert_eq!((known.waiting.len(), changes.gone), (0, vec![tab("t")]));
        let (known, changes) = entry.apply(wait("u", 6));
        assert_eq!((known.member, changes), (Some(id("MEMBER01")), Changes::default()));
    }

    #[test]
    fn a_tab_sent_again_waits_once_and_writes_nothing() {
        let mut entry = Entry::default();
        entry.apply(wait("t", 5));
        assert_eq!(entry.apply(wait("t", 5)).1, Changes::default());
        assert_eq!(entry.waiting.len(), 1);
    }

    #[test]
    fn what_has_waited_long_enough_goes_and_the_oldest_goes_before_there_are_too_many() {
        let mut entry = Entry::default();
        for n in 0..300 {
            entry.apply(wait(&format!("t{n}"), n));
        }
        assert_eq!(entry.waiting.len(), MOST_WAITING);
        assert!(!entry.waiting.contains_key(&tab("t0")));
        assert_eq!(entry.next_end(), Some(Instant::from_millis(1050)));
        assert_eq!(entry.expire(Instant::from_millis(1050)).gone, [tab("t50")]);
    }

    #[test]
    fn only_the_merged_members_identities_are_handed_over_and_what_is_forgotten_is_gone() {
        let mut entry = Entry::default();
        entry.apply(Command::Claim(id("MEMBER01")));
        let hand = |from| Command::Hand { from: vec![id(from)], to: id("MEMBER03") };
        assert_eq!(entry.apply(hand("MEMBER02")).0.member, Some(id("MEMBER01")));
        assert_eq!(entry.apply(hand("MEMBER01")).0.member, Some(id("MEMBER03")));
        entry.apply(Command::Release(id("MEMBER01")));
        assert_eq!(entry.member, Some(id("MEMBER03")));
        entry.apply(Command::Release(id("MEMBER03")));
        assert_eq!(entry.member, None);
        entry.apply(Command::Claim(id("MEMBER01")));
        entry.apply(Command::Forget);
        assert_eq!(entry, Entry::default());
    }
}
