//! A number for each unit of a line, first to last: what is left of it, or what is taken off it.
//!
//! A line may have 10^9 units, and a discount may leave them in a pattern that repeats (buy 2, get
//! 1). So the numbers are kept as *stretches*: some runs of equal units, and how often they are
//! repeated. Two such lists are combined unit by unit ([`PerUnit::combine`]) without going over
//! single units where their patterns meet.

use serde::{Deserialize, Serialize};

use super::EngineError;

/// The most runs that are looked at to combine two lists.
const MOST_STEPS: usize = 20_000;

/// Some equal neighbours: how many, and the number of each.
type Run = (u64, u64);

/// A number for each unit of a line, as stretches of runs: `[{"runs": [[1, 1200], [2, 0]]}]` is
/// 1200 for the first unit and 0 for the two after it. Units beyond the end have 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerUnit(Vec<Stretch>);

/// Runs that are repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    #[serde(default = "once", skip_serializing_if = "is_once")]
    times: u64,
    /// INVARIANT: no run is of 0 units.
    #[serde(deserialize_with = "runs")]
    runs: Vec<Run>,
}

/// Lists are equal when every unit has the same number, however their runs are written.
impl PartialEq for PerUnit {
    fn eq(&self, other: &Self) -> bool {
        let differ = |own: u64, other: u64| u64::from(own != other);
        let same = |left: &Self, right: &Self| {
            left.combine(right, differ).is_ok_and(|differing| differing.is_zero())
        };
        self.0 == other.0 || (same(self, other) && same(other, self))
    }
}

impl Eq for PerUnit {}

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_once(times: &u64) -> bool {
    *times == 1
}

fn runs<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Run>, D::Error> {
    let mut runs = Vec::<Run>::deserialize(deserializer)?;
    runs.retain(|(count, _)| *count > 0);
    Ok(runs)
}

impl PerUnit {
    /// The same number for each of so many units.
    #[must_use]
    pub fn equal(count: u64, number: u64) -> Self {
        let mut all = Self::default();
        all.push(count, number);
        all
    }

    /// Whether there are no units, or all have 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.runs().all(|(_, _, number)| number == 0)
    }

    /// The sum over all units.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum_of(|number| number)
    }

    /// The sum over all units of what a function makes of each number.
    pub(super) fn sum_of(&self, of: impl Fn(u64) -> u64) -> u64 {
        self.runs().fold(0, |sum, (times, count, number)| {
            sum.saturating_add(of(number).saturating_mul(count).saturating_mul(times))
        })
    }

    /// The number that all units have, if they have one.
    pub(super) fn common(&self) -> Option<u64> {
        let (_, _, first) = self.runs().next()?;
        self.runs().all(|(_, _, number)| number == first).then_some(first)
    }

    /// The larger number of either for each unit, however many units either has.
    #[must_use]
    pub(super) fn or_more(&self, other: &Self) -> Self {
        let units = |of: &Self| {
            of.runs().fold(0_u64, |sum, (times, count, _)| {
                sum.saturating_add(times.saturating_mul(count))
            })
        };
        let (longer, shorter) =
            if units(self) >= units(other) { (self, other) } else { (other, self) };
        let more = longer.combine(shorter, u64::max);
        // Lists that cannot be combined: the one with more is more than nothing.
        more.unwrap_or_else(|_| if self.sum() >= other.sum() { self } else { other }.clone())
    }

    /// Each run with how often it is repeated: times, units, number.
    fn runs(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.0.iter().flat_map(|stretch| {
            stretch.runs.iter().map(|(count, number)| (stretch.times, *count, *number))
        })
    }

    /// The stretches: how often, and which runs.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (u64, &[Run])> {
        self.0.iter().map(|stretch| (stretch.times, &stretch.runs[..]))
    }

    /// The number of each unit; for a line of few units.
    pub(super) fn each(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|stretch| {
            let times = usize::try_from(stretch.times).unwrap_or(usize::MAX);
            let runs = std::iter::repeat_n(&stretch.runs, times).flatten();
            runs.flat_map(|(count, number)| {
                std::iter::repeat_n(*number, usize::try_from(*count).unwrap_or(usize::MAX))
            })
        })
    }

    /// Adds units at the end.
    pub(super) fn push(&mut self, count: u64, number: u64) {
        if count == 0 {
            return;
        }
        if let Some(last) = self.0.last_mut().filter(|last| last.times == 1) {
            match last.runs.last_mut().filter(|(_, same)| *same == number) {
                Some((before, _)) => *before = before.saturating_add(count),
                None => last.runs.push((count, number)),
            }
            return;
        }
        self.0.push(Stretch { times: 1, runs: vec![(count, number)] });
    }

    /// Adds a stretch at the end.
    pub(super) fn repeat(&mut self, times: u64, runs: impl Iterator<Item = Run>) {
        let mut stretch = Self::default();
        runs.for_each(|(count, number)| stretch.push(count, number));
        let Some(Stretch { runs, .. }) = stretch.0.pop() else { return };
        match runs[..] {
            [(count, number)] => self.push(count.saturating_mul(times), number),
            _ if times == 1 => {
                runs.into_iter().for_each(|(count, number)| self.push(count, number));
            }
            _ if times > 1 => self.0.push(Stretch { times, runs }),
            _ => {}
        }
    }

    /// Combines the numbers of each unit here with those there; the result has as many units as
    /// this.
    ///
    /// # Errors
    /// When their patterns meet so seldom that too many runs would have to be looked at.
    pub(super) fn combine(
        &self,
        other: &Self,
        of: impl Fn(u64, u64) -> u64 + Copy,
    ) -> Result<Self, EngineError> {
        let mut combined = Self::default();
        let (mut here, mut there) = (Cursor::new(self), Cursor::new(other));
        for _ in 0..MOST_STEPS {
            let Some(head) = here.head() else { return Ok(combined) };
            // Beyond the end there is nothing, for as long as one likes.
            match (head, there.head().unwrap_or(Head::Run(u64::MAX, 0))) {
                (Head::Run(units, number), Head::Run(others, other)) => {
                    let units = units.min(others);
                    combined.push(units, of(number, other));
                    here.skip(units);
                    there.skip(units);
                }
                (Head::Repeat(stretch), Head::Run(others, other)) if stretch.fits(others) > 0 => {
                    let times = stretch.fits(others);
                    let runs = stretch.runs.iter().map(|(units, own)| (*units, of(*own, other)));
                    combined.repeat(times, runs);
                    here.skip_repeats(times);
                    there.skip(stretch.period.saturating_mul(times));
                }
                (Head::Run(units, number), Head::Repeat(stretch)) if stretch.fits(units) > 0 => {
                    let times = stretch.fits(units);
                    let runs = stretch.runs.iter().map(|(units, off)| (*units, of(number, *off)));
                    combined.repeat(times, runs);
                    here.skip(stretch.period.saturating_mul(times));
                    there.skip_repeats(times);
                }
                (Head::Repeat(own), Head::Repeat(others)) if own.period == others.period => {
                    let times = own.times.min(others.times);
                    let once = own.once().combine(&others.once(), of)?;
                    combined.repeat(times, once.runs().map(|(_, units, number)| (units, number)));
                    here.skip_repeats(times);
                    there.skip_repeats(times);
                }
                (Head::Repeat(own), Head::Repeat(others)) if own.period < others.period => {
                    there.unroll();
                }
                (Head::Repeat(_), _) => here.unroll(),
                (Head::Run(..), Head::Repeat(_)) => there.unroll(),
            }
        }
        Err(EngineError::TooManyUnits)
    }
}

/// What comes next of a list.
#[derive(Clone, Copy)]
enum Head<'p> {
    /// Some equal units.
    Run(u64, u64),
    /// Whole repetitions of a stretch.
    Repeat(Repeat<'p>),
}

/// Repetitions that are still to come.
#[derive(Clone, Copy)]
struct Repeat<'p> {
    times: u64,
    runs: &'p [Run],
    /// Units of one repetition, more than 0.
    period: u64,
}

impl Repeat<'_> {
    /// How many of the repetitions so many units are.
    fn fits(&self, units: u64) -> u64 {
        units.checked_div(self.period).unwrap_or(0).min(self.times)
    }

    fn once(&self) -> PerUnit {
        PerUnit(vec![Stretch { times: 1, runs: self.runs.to_vec() }])
    }
}

/// Where one stands in a list.
struct Cursor<'p> {
    /// The repetition at work, and how many of the first run's units are done.
    front: &'p [Run],
    done: u64,
    /// Further repetitions of the stretch at work.
    times: u64,
    runs: &'p [Run],
    rest: &'p [Stretch],
}

impl<'p> Cursor<'p> {
    fn new(list: &'p PerUnit) -> Self {
        Self { front: &[], done: 0, times: 0, runs: &[], rest: &list.0 }
    }

    fn head(&mut self) -> Option<Head<'p>> {
        loop {
            if let Some((count, number)) = self.front.first() {
                return Some(Head::Run(count.saturating_sub(self.done), *number));
            }
            if self.times > 1 {
                let period = self.runs.iter().fold(0_u64, |sum, (n, _)| sum.saturating_add(*n));
                if period > 0 {
                    let (times, runs) = (self.times, self.runs);
                    return Some(Head::Repeat(Repeat { times, runs, period }));
                }
                self.times = 0;
            }
            if self.times == 1 {
                self.unroll();
                continue;
            }
            let (next, rest) = self.rest.split_first()?;
            (self.times, self.runs, self.rest) = (next.times, &next.runs, rest);
        }
    }

    /// Goes into the next repetition, run by run.
    fn unroll(&mut self) {
        (self.front, self.done) = (self.runs, 0);
        self.times = self.times.saturating_sub(1);
    }

    /// Goes on by units of the run that comes next.
    fn skip(&mut self, units: u64) {
        let Some(((count, _), after)) = self.front.split_first() else { return };
        self.done = self.done.saturating_add(units);
        if self.done >= *count {
            (self.front, self.done) = (after, 0);
        }
    }

    fn skip_repeats(&mut self, times: u64) {
        self.times = self.times.saturating_sub(times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(stretches: &[(u64, &[Run])]) -> PerUnit {
        let stretch =
            |(times, runs): &(u64, &[Run])| Stretch { times: *times, runs: runs.to_vec() };
        PerUnit(stretches.iter().map(stretch).collect())
    }

    fn minus(left: &PerUnit, off: &PerUnit) -> PerUnit {
        left.combine(off, u64::saturating_sub).unwrap()
    }

    #[test]
    fn lists_are_combined_unit_by_unit_however_their_stretches_lie() {
        let lists = [
            list(&[(1, &[(12, 9)])]),
            list(&[(6, &[(1, 5), (1, 7)])]),
            list(&[(4, &[(2, 3), (1, 8)])]),
            list(&[(2, &[(1, 1), (3, 2)]), (1, &[(2, 6)])]),
            list(&[(1, &[(5, 4)]), (3, &[(1, 2), (1, 0)])]),
            list(&[(2, &[(3, 1), (2, 9), (1, 4)])]),
            list(&[]),
            list(&[(3, &[(3, 4), (2, 5)])]),
        ];
        for left in &lists {
            for off in &lists {
                let mut others: Vec<u64> = off.each().collect();
                others.resize(20, 0);
                let expected: Vec<u64> =
                    left.each().zip(others).map(|(a, b)| a.saturating_sub(b)).collect();
                assert_eq!(
                    minus(left, off).each().collect::<Vec<_>>(),
                    expected,
                    "{left:?} {off:?}"
                );
            }
        }
    }

    #[test]
    fn a_pattern_over_a_billion_units_is_combined_at_once() {
        let prices = PerUnit::equal(1_000_000_000, 1200);
        let got = list(&[(333_333_333, &[(2, 0), (1, 1200)])]);
        let left = minus(&prices, &got);
        assert_eq!(left, list(&[(333_333_333, &[(2, 1200), (1, 0)]), (1, &[(1, 1200)])]));
        assert_eq!(left.sum(), 666_666_667 * 1200);
        assert_eq!(minus(&left, &got).sum(), 666_666_667 * 1200);
        assert_eq!(prices.combine(&left, u64::saturating_sub).unwrap(), minus(&prices, &left));
    }

    #[test]
    fn patterns_that_never_meet_are_an_error_and_not_a_loop() {
        let odd = list(&[(300_000_000, &[(2, 5), (1, 0)])]);
        let even = list(&[(300_000_000, &[(1, 5), (1, 0)])]);
        assert!(odd.combine(&even, u64::saturating_sub).is_err());
    }

    #[test]
    fn lists_are_equal_however_their_runs_are_written() {
        let written = list(&[(1, &[(1, 0), (4, 10), (1, 0), (4, 10), (7, 0)])]);
        assert_eq!(list(&[(2, &[(1, 0), (4, 10)])]), written);
        assert_ne!(list(&[(3, &[(1, 0), (4, 10)])]), written);
        assert_ne!(written, list(&[(3, &[(1, 0), (4, 10)])]));
        assert_eq!(PerUnit::equal(3, 0), PerUnit::default());
    }

    #[test]
    fn a_list_is_short_in_json_and_read_back() {
        let some = list(&[(1, &[(1, 1200), (2, 0)]), (50, &[(2, 0), (1, 7)])]);
        let json = serde_json::to_string(&some).unwrap();
        assert_eq!(json, r#"[{"runs":[[1,1200],[2,0]]},{"times":50,"runs":[[2,0],[1,7]]}]"#);
        assert_eq!(serde_json::from_str::<PerUnit>(&json).unwrap(), some);
        let odd: PerUnit =
            serde_json::from_str(r#"[{"times":0,"runs":[[1,1]]},{"runs":[[0,9]]}]"#).unwrap();
        assert_eq!(minus(&PerUnit::equal(2, 5), &odd), PerUnit::equal(2, 5));
    }
}
