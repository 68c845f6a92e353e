//! Runs against units kept one by one.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use super::*;

/// Every unit by itself: what is left of it, and whether it is picked.
fn units(runs: &Runs) -> Vec<(u64, bool)> {
    let mut units = Vec::new();
    let mut rest = &runs.0[..];
    while let Some(first) = rest.first() {
        let (stretch, after) = rest.split_at(first.stretch.max(1));
        for _ in 0..first.times {
            for run in stretch {
                units.extend((0..run.count).map(|_| (run.left, run.picked)));
            }
        }
        rest = after;
    }
    units
}

fn apply_to(unit: &mut (u64, bool), act: Act) {
    match act {
        Act::Pass => {}
        Act::Pick => unit.1 = true,
        Act::Lose(amount) => unit.0 = unit.0.saturating_sub(amount),
    }
}

/// The same as [`Runs::rewrite`], unit by unit.
fn rewritten(units: &mut [(u64, bool)], takes: &[Take], floor: u64) {
    let acts = takes.iter().flat_map(|take| {
        let once = take.acts.iter().flat_map(|(n, act)| (0..*n).map(move |_| *act));
        let once: Vec<Act> = once.collect();
        (0..take.times).flat_map(move |_| once.clone())
    });
    for (unit, act) in units.iter_mut().filter(|unit| unit.0 > floor).zip(acts) {
        apply_to(unit, act);
    }
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) % sides
    }

    fn take(&mut self) -> Take {
        let acts = [Act::Pass, Act::Pick, Act::Lose(1), Act::Lose(3)];
        Take {
            times: self.roll(5),
            acts: [0; 3].map(|_| (self.roll(4), acts[self.roll(4) as usize])),
        }
    }
}

#[test]
fn runs_are_the_same_as_units_kept_one_by_one() {
    for seed in 0..3000 {
        let mut dice = Dice(seed);
        let mut runs = Runs::default();
        runs.push(dice.roll(40) + 1, 10, false);
        let mut naive = units(&runs);
        for _ in 0..6 {
            let floor = dice.roll(3);
            let takes: Vec<Take> = (0..dice.roll(4)).map(|_| dice.take()).collect();
            runs.rewrite(&takes, usize::MAX, |run| run.left > floor).unwrap();
            rewritten(&mut naive, &takes, floor);
            assert_eq!(units(&runs), naive, "seed {seed}");

            let (sum, all) = (dice.roll(60), dice.roll(2) == 0);
            runs.lose(sum, floor, all);
            lose(&mut naive, sum, floor, all);
            assert_eq!(units(&runs), naive, "seed {seed}");

            if dice.roll(2) == 0 {
                runs.unpick();
                naive.iter_mut().for_each(|unit| unit.1 = false);
                assert_eq!(units(&runs), naive, "seed {seed}");
            }
        }
    }
}

/// The same as [`Runs::lose`]: one minor unit each, round after round, the last round only for the
/// first ones.
fn lose(units: &mut [(u64, bool)], sum: u64, floor: u64, all: bool) {
    let mut rest = sum;
    while rest > 0 {
        let mut taken = false;
        for unit in units.iter_mut().filter(|unit| all || unit.1) {
            if rest > 0 && unit.0 > floor {
                unit.0 -= 1;
                rest -= 1;
                taken = true;
            }
        }
        if !taken {
            return;
        }
    }
}

#[test]
fn a_pattern_over_a_billion_units_takes_a_few_runs() {
    let mut runs = Runs::default();
    runs.push(1_000_000_000, 10, false);
    let acts = [(2, Act::Pass), (1, Act::Pick), (0, Act::Pass)];
    let takes = [Take { times: 333_333_333, acts }];
    runs.rewrite(&takes, 100, |_| true).unwrap();
    let picked = runs.iter().filter(|run| run.picked).map(Run::weight).sum::<u64>();
    assert_eq!((picked, runs.len()), (333_333_333, 3));
    runs.lose(1_000_000_007, 0, false);
    assert!(runs.len() < 10, "{runs:?}");
}

#[test]
fn a_pattern_that_cannot_be_kept_in_few_runs_is_an_error_at_once() {
    let mut runs = Runs::default();
    runs.push(1_000_000_000, 10, false);
    let acts = |n| [(n, Act::Pass), (1, Act::Lose(10)), (0, Act::Pass)];
    runs.rewrite(&[Take { times: 300_000_000, acts: acts(2) }], 1000, |_| true).unwrap();
    let again = [Take { times: 10_000_000, acts: acts(4) }];
    let error = runs.rewrite(&again, 1000, |run| run.left > 0);
    assert_eq!(error, Err(EngineError::TooManyUnits));
}
