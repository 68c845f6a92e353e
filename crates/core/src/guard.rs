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
//!   limit, however many are asked for at once.
//!
//! The misses are kept by one object a location, and each question to it is one turn ([`hear`]): it reads
//! the location's misses and the tab's, decides, and writes both. A code is looked up first; if it is a
//! miss, the turn that counts it also says whether it may be told: the one after the last that is allowed
//! is answered as locked, and is not counted. So whoever asks many at once learns no more than whoever
//! asks one after another. What is kept is bounded: of a tab and of a location never more misses than
//! their limits.
//!
//! Whoever names no tab (a guest may be looked up before there is one) is counted at the location, and
//! refused once the location's limit is reached.

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

/// Why nothing more is told on a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It has missed too often: until then.
    Until(Instant),
    /// The guard does not answer. What cannot be counted is not told.
    Silent,
}

/// Hears of so many misses at once, none for a question that is none: each is counted, unless the tab is
/// locked or becomes so before the last of them. Then nothing of the question is to be answered, and this
/// says until when.
pub fn hear(
    mut tab: Option<&mut Misses>,
    location: &mut Misses,
    limits: &Limits,
    misses: u16,
    now: Instant,
) -> Option<Instant> {
    let until = |tab: &Option<&mut Misses>, location: &Misses| match tab {
        Some(tab) => locked(tab, location, limits, now),
        None => location.over(limits.location, limits.window, now),
    };
    for _ in 0..misses {
        let until = until(&tab, location);
        if until.is_some() {
            return until;
        }
        if let Some(tab) = &mut tab {
            tab.add(limits.tab, limits.window, now);
        }
        location.add(limits.location, limits.window, now);
    }
    // Misses that were allowed are told, though with the last of them the tab is locked.
    if misses > 0 { None } else { until(&tab, location) }
}

/// Until when a tab is not listened to, if it is not now.
#[must_use]
fn locked(tab: &Misses, location: &Misses, limits: &Limits, now: Instant) -> Option<Instant> {
    let own = tab.over(limits.tab, limits.window, now);
    let shared = location.over(limits.location, limits.window, now);
    // For the others' misses a tab is locked only as long as it has one of its own.
    let missed = tab.last().map(|last| last.plus_millis(limits.window)).filter(|end| now < *end);
    let shared = shared.zip(missed).map(|(until, end)| until.min(end));
    own.max(shared)
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

        fn miss(&mut self, tab: u32, limits: &Limits, at: i64) -> Option<i64> {
            self.misses(tab, limits, 1, at)
        }

        fn misses(&mut self, tab: u32, limits: &Limits, misses: u16, at: i64) -> Option<i64> {
            let tab = self.tabs.entry(tab).or_default();
            let now = Instant::from_millis(at);
            hear(Some(tab), &mut self.all, limits, misses, now).map(Instant::millis)
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
    fn the_turn_that_counts_a_miss_says_whether_it_may_be_told() {
        let mut place = Place::default();
        let told = (0..300).filter(|n| place.miss(1, &LIMITS, n / 50).is_none()).count();
        assert_eq!(told, 10, "the eleventh is answered as locked");
        assert_eq!((place.tabs[&1].0.len(), place.all.0.len()), (10, 10), "and is not counted");
    }

    #[test]
    fn of_several_misses_at_once_all_are_told_or_none() {
        let mut place = Place::default();
        assert_eq!(place.misses(1, &LIMITS, 7, 0), None);
        assert_eq!(place.misses(1, &LIMITS, 4, 1), Some(600_000));
        assert_eq!(place.tabs[&1].0.len(), 10, "whoever asks too many has tried all the same");
        assert_eq!(place.misses(2, &LIMITS, 10, 1), None);
        assert_eq!(place.misses(2, &LIMITS, 0, 1), Some(600_001));
        assert_eq!(place.misses(3, &LIMITS, u16::MAX, 2), Some(600_002));
    }

    #[test]
    fn without_a_tab_the_location_s_limit_holds() {
        let mut all = Misses::default();
        let now = Instant::from_millis;
        let limits = Limits { tab: 1, location: 3, window: 1000 };
        for n in 0..3 {
            assert_eq!(hear(None, &mut all, &limits, 1, now(n)), None);
        }
        assert_eq!(hear(None, &mut all, &limits, 0, now(3)), Some(now(1000)));
        assert_eq!(hear(None, &mut all, &limits, 1, now(3)), Some(now(1000)));
        assert_eq!(hear(None, &mut all, &limits, 1, now(1000)), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut place = Place::default();
        for n in 0..5000 {
            place.miss(1, &LIMITS, n);
            place.miss(u32::try_from(n).unwrap() + 2, &LIMITS, n);
        }
        assert_eq!((place.tabs[&1].0.len(), place.all.0.len()), (10, 200));
        assert_eq!(place.miss(1, &LIMITS, 5_000_000), None);
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
