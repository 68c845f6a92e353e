//! A row's units that have something to take, one group of equal neighbours after the other.

use super::{Row, Units};
use crate::engine::units::Runs;

/// Walks over the units of a row that have something to take.
pub(in crate::engine) struct Supply<'r> {
    pub(super) row: &'r Row,
    pub(super) few: &'r [u64],
    /// The run, or the unit of few, that comes next.
    pub(super) run: usize,
    /// How many runs of its stretch were walked over.
    pub(super) inside: usize,
    /// How often the stretch was.
    pub(super) repeated: u64,
}

impl Iterator for Supply<'_> {
    /// How many, and what is left of each.
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        match &self.row.units {
            Units::Few(_) => {
                let full = |left: &u64| *left > self.row.floor;
                let (place, left) =
                    self.few.iter().enumerate().skip(self.run).find(|(_, left)| full(left))?;
                let alike = self.few.iter().skip(place).take_while(|other| *other == left).count();
                self.run = place.saturating_add(alike);
                Some((u64::try_from(alike).unwrap_or_default(), *left))
            }
            Units::Equal(left) => {
                let first = self.run == 0 && self.row.room > 0;
                self.run = 1;
                first.then_some((self.row.count, *left))
            }
            Units::Runs(runs) => self.next_run(runs),
        }
    }
}

impl Supply<'_> {
    /// How many units there are.
    pub fn available(&self) -> u64 {
        self.row.available_of(self.few)
    }

    /// What none of them can be taken below.
    pub fn floor(&self) -> u64 {
        self.row.floor
    }

    fn next_run(&mut self, runs: &Runs) -> Option<(u64, u64)> {
        loop {
            let begin = runs.get(self.run)?;
            let stretch = begin.stretch.max(1);
            let run = runs.get(self.run.saturating_add(self.inside))?;
            self.inside = self.inside.saturating_add(1);
            if self.inside >= stretch {
                self.inside = 0;
                self.repeated = self.repeated.saturating_add(1);
                // A stretch that has nothing to take is not walked over again and again.
                let mut all = runs.iter().skip(self.run).take(stretch);
                let empty = self.repeated == 1 && all.all(|run| run.left <= self.row.floor);
                if empty || self.repeated >= begin.times {
                    self.repeated = 0;
                    self.run = self.run.saturating_add(stretch);
                }
            }
            if run.left > self.row.floor {
                return Some((run.count, run.left));
            }
        }
    }
}
