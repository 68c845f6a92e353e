//! Against guessing: who has tried too many codes that are none is not listened to for a while.
//!
//! A *miss* is an inquiry about a code that does not exist, is over or is used up: to the guest all
//! three look the same, so all three count, or the lock itself would tell which codes exist. What an
//! offer wants of the cart or the hour is no miss: a till asks again whenever something is ordered.
//!
//! # What it promises
//! - After so many misses on a tab within the window, everything on that tab is refused until the oldest
//!   of them has left the window, a good code too.
//! - After so many misses at a location within the window, the same holds for every tab there that has
//!   missed within it; tabs that have not go on.
//! - In no stretch of time as long as the window does a tab get more answers that are misses than its
//!   limit, but for those that were under way at once when the last of them was counted.
//!
//! The misses are kept by one object a location, and each question to it is one turn: it reads the
//! location's misses and the tab's, decides, and writes both. A miss is counted before its answer goes
//! out, so whoever asks one after another cannot outrun the count. What is kept is bounded: of a tab
//! and of a location never more misses than their limits.

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// How many misses are too many. A limit of 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// On a tab.
    pub tab: u16,
    /// At a location.
    pub location: u16,
    /// Within so many milliseconds.
    pub window: i64,
}

/// Misses within the window, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Misses(Vec<Instant>);

impl Misses {
    /// When the last one was.
    #[must_use]
    pub fn last(&self) -> Option<Instant> {
        self.0.last().copied()
    }

    /// When so many of them are no longer within the window, if they are now.
    fn over(&self, limit: u16, window: i64, now: Instant) -> Option<Instant> {
        let first = self.0.len().checked_sub(usize::from(limit.max(1)))?;
        let until = self.0.get(first)?.plus_millis(window);
        (limit > 0 && now < until).then_some(until)
    }

    fn add(&mut self, limit: u16, window: i64, now: Instant) {
        self.0.retain(|at| now < at.plus_millis(window));
        self.0.push(now);
        // One is enough to know that a tab has missed, whatever its own limit.
        let most = usize::from(limit.max(1));
        self.0.drain(..self.0.len().saturating_sub(most));
    }
}

/// Until when a tab is not listened to, if it is not now.
#[must_use]
pub fn locked(tab: &Misses, location: &Misses, limits: &Limits, now: Instant) -> Option<Instant> {
    let own = tab.over(limits.tab, limits.window, now);
    let shared = location.over(limits.location, limits.window, now);
    // For the others' misses a tab is locked only as long as it has one of its own.
    let missed = tab.last().map(|last| last.plus_millis(limits.window)).filter(|end| now < *end);
    let shared = shared.zip(missed).map(|(until, end)| until.min(end));
    own.max(shared)
}

/// Counts a miss.
pub fn miss(tab: &mut Misses, location: &mut Misses, limits: &Limits, now: Instant) {
    tab.add(limits.tab, limits.window, now);
    location.add(limits.location, limits.window, now);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LIMITS: Limits = Limits { tab: 10, location: 200, window: 600_000 };

    #[derive(Default)]
    struct Place {
        tabs: BTreeMap<u32, Misses>,
        all: Misses,
    }

    impl Place {
        fn locked(&self, tab: u32, limits: &Limits, at: i64) -> Option<i64> {
            let none = Misses::default();
            let tab = self.tabs.get(&tab).unwrap_or(&none);
            locked(tab, &self.all, limits, Instant::from_millis(at)).map(Instant::millis)
        }

        fn miss(&mut self, tab: u32, limits: &Limits, at: i64) {
            let tab = self.tabs.entry(tab).or_default();
            miss(tab, &mut self.all, limits, Instant::from_millis(at));
        }
    }

    #[test]
    fn the_tenth_miss_locks_the_tab_until_the_first_has_left_the_window() {
        let mut place = Place::default();
        for n in 0..10 {
            assert_eq!(place.locked(1, &LIMITS, n * 1000), None, "{n}");
            place.miss(1, &LIMITS, n * 1000);
        }
        assert_eq!(place.locked(1, &LIMITS, 9001), Some(600_000));
        assert_eq!(place.locked(1, &LIMITS, 599_999), Some(600_000));
        assert_eq!(place.locked(2, &LIMITS, 9001), None, "another tab goes on");
        // The first has left: one more try, and it is locked until the second has.
        assert_eq!(place.locked(1, &LIMITS, 600_000), None);
        place.miss(1, &LIMITS, 600_500);
        assert_eq!(place.locked(1, &LIMITS, 600_501), Some(601_000));
    }

    #[test]
    fn no_window_anywhere_has_more_misses_of_a_tab_than_the_limit() {
        let mut place = Place::default();
        let mut counted: Vec<i64> = Vec::new();
        for at in (0..3_000_000).step_by(700) {
            if place.locked(1, &LIMITS, at).is_none() {
                place.miss(1, &LIMITS, at);
                counted.push(at);
            }
        }
        for (n, first) in counted.iter().enumerate() {
            let within = counted[n..].iter().filter(|at| **at < first + LIMITS.window).count();
            assert!(within <= 10, "{within} from {first}");
        }
        assert!(counted.len() >= 41, "the tab is heard again: {}", counted.len());
    }

    #[test]
    fn two_hundred_misses_at_a_location_lock_the_tabs_that_have_missed() {
        let mut place = Place::default();
        for n in 0..200_u32 {
            assert_eq!(place.locked(n / 5, &LIMITS, i64::from(n)), None, "{n}");
            place.miss(n / 5, &LIMITS, i64::from(n));
        }
        assert_eq!(place.locked(0, &LIMITS, 300), Some(600_000));
        assert_eq!(place.locked(39, &LIMITS, 300), Some(600_000));
        assert_eq!(place.locked(40, &LIMITS, 300), None, "a tab that has not missed goes on");
        // A tab is free when its own last miss has left, though others go on.
        for n in 0..200_u32 {
            place.miss(1000 + n / 5, &LIMITS, 500_000 + i64::from(n));
        }
        assert_eq!(place.locked(0, &LIMITS, 600_003), Some(600_004));
        assert_eq!(place.locked(0, &LIMITS, 600_004), None);
        assert!(place.locked(1000, &LIMITS, 600_004).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut place = Place::default();
        for n in 0..5000 {
            place.miss(1, &LIMITS, n);
        }
        assert_eq!((place.tabs[&1].0.len(), place.all.0.len()), (10, 200));
        place.miss(1, &LIMITS, 5_000_000);
        assert_eq!((place.tabs[&1].0.len(), place.all.0.len()), (1, 1));
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit() {
        let off = Limits { tab: 0, location: 0, ..LIMITS };
        let tabs = Limits { tab: 0, location: 3, ..LIMITS };
        let (mut place, mut other) = (Place::default(), Place::default());
        for n in 0..50 {
            place.miss(1, &off, n);
            other.miss(1, &tabs, n);
        }
        assert_eq!(place.locked(1, &off, 60), None);
        assert!(other.locked(1, &tabs, 60).is_some());
        assert_eq!(other.locked(2, &tabs, 60), None);
    }
}
