//! What is left of each unit of a line, kept for runs of equal units.
//!
//! A line may have 10^9 units, and a discount may leave every one of them with a price of its own; yet
//! discounts treat units alike but for the first few, or in a pattern that repeats (buy 2, get 1). So
//! the units are a list of runs, each run some units with the same left, and a stretch of runs may be
//! repeated. Sums and what is done to every unit alike look only at a run's weight (its units times its
//! repetitions); only what is done to *the first* units has to know where a run stands, and goes
//! through one function, [`Runs::rewrite`]. Nothing here depends on the number of units but the number
//! of runs, which never exceeds it, and which the caller bounds.

use super::{
    EngineError,
    level::{Level, Takers, level},
    per_unit::PerUnit,
    tape::{Act, Take, Tape},
};

/// Some neighbouring units with the same left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// How many units, in one repetition.
    pub count: u64,
    /// What is left of each.
    pub left: u64,
    /// How often the stretch that the run belongs to is repeated.
    pub times: u64,
    /// How many runs the stretch has that begins here; 0 inside of one.
    pub stretch: usize,
    /// Whether the discount at work is on these units.
    pub picked: bool,
}

impl Run {
    /// A run by itself.
    pub fn once(count: u64, left: u64, picked: bool) -> Self {
        Self { count, left, times: 1, stretch: 1, picked }
    }

    /// How many units, in all repetitions.
    pub fn weight(&self) -> u64 {
        self.count.saturating_mul(self.times)
    }
}

/// The units of a line, first to last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// The units with what is left of each.
    pub fn of(left: &PerUnit) -> Self {
        let mut runs = Self::default();
        for (times, stretch) in left.stretches() {
            runs.repeat(times, stretch.iter().map(|(count, left)| (*count, (*left, false))));
        }
        runs
    }

    /// What is left of each unit.
    pub fn per_unit(&self) -> PerUnit {
        let mut left = PerUnit::default();
        let mut rest = &self.0[..];
        while let Some(first) = rest.first() {
            let (stretch, after) =
                rest.split_at_checked(first.stretch.max(1)).unwrap_or((rest, &[]));
            left.repeat(first.times, stretch.iter().map(|run| (run.count, run.left)));
            rest = after;
        }
        left
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is left of each unit, when it is the same of all.
    pub fn equal(&self) -> Option<u64> {
        match self.0[..] {
            [run] if run.times == 1 => Some(run.left),
            _ => None,
        }
    }

    /// A run.
    pub fn get(&self, index: usize) -> Option<&Run> {
        self.0.get(index)
    }

    /// The runs.
    pub fn iter(&self) -> impl Iterator<Item = &Run> {
        self.0.iter()
    }

    /// The runs, to change what is left of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.0.iter_mut()
    }

    /// Adds a run by itself at the end.
    pub fn push(&mut self, count: u64, left: u64, picked: bool) {
        if count == 0 {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.times == 1 && last.left == left && last.picked == picked => {
                last.count = last.count.saturating_add(count);
            }
            _ => self.0.push(Run::once(count, left, picked)),
        }
    }

    /// Takes `sum` off the units a discount is on, in equal parts as far as each can take it above the
    /// floor, the first ones taking the odd minor units. No more is taken than they can take.
    pub fn lose(&mut self, sum: u64, floor: u64, all: bool) {
        let on = |run: &Run| all || run.picked;
        let Level { each, odd } = self.level_of(sum, floor, on);
        for run in self.0.iter_mut().filter(|run| on(run)) {
            let room = run.left.saturating_sub(floor);
            run.left = run.left.saturating_sub(each.min(room));
        }
        // Who has taken `each` and is not at the floor can take one more.
        if odd > 0 {
            let takes = [Take::once(odd, Act::Lose(1))];
            // The odd ones end in one run, so that only few runs are added, and no limit is needed.
            let _ = self.rewrite(&takes, usize::MAX, |run| on(run) && run.left > floor);
        }
    }

    fn level_of(&self, sum: u64, floor: u64, on: impl Fn(&Run) -> bool) -> Level {
        let takers = || {
            self.0
                .iter()
                .filter(|run| on(run))
                .map(|run| Takers { room: run.left.saturating_sub(floor), count: run.weight() })
        };
        let (mut count, mut least) = (0_u64, u64::MAX);
        for takers in takers() {
            count = count.saturating_add(takers.count);
            least = least.min(takers.room);
        }
        match (sum.checked_div(count), sum.checked_rem(count)) {
            (None, _) | (_, None) => Level::default(),
            // Nobody is short of room: the common case needs no list.
            (Some(each), Some(odd)) if each < least || (each == least && odd == 0) => {
                Level { each, odd }
            }
            _ => level(&mut takers().collect::<Vec<_>>(), sum),
        }
    }

    /// Takes the eligible units in turn, first to last, and does to them what `takes` says. Units
    /// beyond its end stay as they are.
    ///
    /// # Errors
    /// When there would be more runs than `most`; the units are then of no use any more.
    pub fn rewrite(
        &mut self,
        takes: &[Take],
        most: usize,
        eligible: impl Fn(&Run) -> bool,
    ) -> Result<(), EngineError> {
        let mut tape = Tape::new(takes);
        let old = std::mem::take(&mut self.0);
        self.0.reserve(old.len().saturating_add(2));
        let mut rest = &old[..];
        while let Some(first) = rest.first() {
            let (stretch, after) =
                rest.split_at_checked(first.stretch.max(1)).unwrap_or((rest, &[]));
            rest = after;
            self.rewrite_stretch(stretch, first.times, &mut tape, most, &eligible)?;
        }
        Ok(())
    }

    fn rewrite_stretch(
        &mut self,
        stretch: &[Run],
        mut times: u64,
        tape: &mut Tape<'_>,
        most: usize,
        eligible: &impl Fn(&Run) -> bool,
    ) -> Result<(), EngineError> {
        let once: u64 = stretch
            .iter()
            .filter(|run| eligible(run))
            .fold(0, |sum, run| sum.saturating_add(run.count));
        while times > 0 {
            if self.0.len() > most {
                return Err(EngineError::TooManyUnits);
            }
            let act = tape.act();
            // As many repetitions as one act covers whole, or all that are left when nothing happens.
            let whole = match (act, tape.ahead().checked_div(once)) {
                (Some(_), Some(whole)) => whole.min(times),
                _ => times,
            };
            if whole > 0 {
                let act = act.unwrap_or(Act::Pass);
                self.repeat(
                    whole,
                    stretch.iter().map(|run| {
                        let after =
                            if eligible(run) { apply(run, act) } else { (run.left, run.picked) };
                        (run.count, after)
                    }),
                );
                tape.advance(once.saturating_mul(whole));
                times = times.saturating_sub(whole);
                continue;
            }
            for run in stretch {
                if eligible(run) {
                    self.rewrite_run(run, tape);
                } else {
                    self.push(run.count, run.left, run.picked);
                }
            }
            times = times.saturating_sub(1);
        }
        Ok(())
    }

    fn rewrite_run(&mut self, run: &Run, tape: &mut Tape<'_>) {
        let mut count = run.count;
        while count > 0 {
            if let Some((acts, whole)) = tape.repeats(count) {
                self.repeat(whole, acts.into_iter().map(|(n, act)| (n, apply(run, act))));
                let taken = tape.skip_repeats(whole);
                count = count.saturating_sub(taken);
                continue;
            }
            let Some(act) = tape.act() else {
                return self.push(count, run.left, run.picked);
            };
            let taken = tape.ahead().min(count);
            let (left, picked) = apply(run, act);
            self.push(taken, left, picked);
            tape.advance(taken);
            count = count.saturating_sub(taken);
        }
    }

    /// Adds a stretch of runs, repeated.
    fn repeat(&mut self, times: u64, runs: impl Iterator<Item = (u64, (u64, bool))>) {
        let begin = self.0.len();
        for (count, (left, picked)) in runs.filter(|(count, _)| *count > 0) {
            if times == 1 {
                self.push(count, left, picked);
            } else {
                self.0.push(Run { count, left, times, stretch: 0, picked });
            }
        }
        if times == 1 {
            return;
        }
        let length = self.0.len().saturating_sub(begin);
        if length == 1 {
            // One run repeated is a longer run.
            if let Some(run) = self.0.pop() {
                self.push(run.weight(), run.left, run.picked);
            }
        } else if let Some(first) = self.0.get_mut(begin) {
            first.stretch = length;
        }
    }

    /// Takes the marks off, and joins what is alike again.
    pub fn unpick(&mut self) {
        let mut alike = false;
        let mut before: Option<(u64, u64)> = None;
        for run in &mut self.0 {
            run.picked = false;
            alike |= run.times == 1 && before == Some((1, run.left));
            before = Some((run.times, run.left));
        }
        if alike {
            let _ = self.rewrite(&[], usize::MAX, |_| false);
        }
    }
}

fn apply(run: &Run, act: Act) -> (u64, bool) {
    match act {
        Act::Pass => (run.left, run.picked),
        Act::Pick => (run.left, true),
        Act::Lose(amount) => (run.left.saturating_sub(amount), run.picked),
    }
}

#[cfg(test)]
mod tests;
