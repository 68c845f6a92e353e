//! What is to be done to units in turn, as a tape that is read while one walks along them.
//!
//! A tape says "so many for this, then so many for that, and all of it so often", so that a pattern
//! over a billion units is one entry.

/// What happens to a unit that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Pass,
    /// The discount at work is on it.
    Pick,
    /// It loses so much.
    Lose(u64),
}

/// Units to be taken in turn: so many times, some for one act, then some for another and a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Take {
    pub times: u64,
    pub acts: [(u64, Act); 3],
}

impl Take {
    /// So many units for one act.
    pub fn once(count: u64, act: Act) -> Self {
        Self { times: 1, acts: [(count, act), (0, Act::Pass), (0, Act::Pass)] }
    }

    fn period(&self) -> u64 {
        self.acts.iter().fold(0, |sum, (count, _)| sum.saturating_add(*count))
    }
}

/// Where one stands in a list of takes.
pub(super) struct Tape<'t> {
    takes: &'t [Take],
    /// Repetitions of the first take that are done.
    done: u64,
    /// Units of the current repetition that are done.
    inside: u64,
}

impl<'t> Tape<'t> {
    pub fn new(takes: &'t [Take]) -> Self {
        let mut tape = Self { takes, done: 0, inside: 0 };
        tape.settle();
        tape
    }

    /// Goes on to the next take that has units, once one is done.
    fn settle(&mut self) {
        while let Some((take, after)) = self.takes.split_first() {
            if self.done < take.times && take.period() > 0 {
                break;
            }
            self.takes = after;
            self.done = 0;
            self.inside = 0;
        }
    }

    /// What is done to the next unit; nothing at the end.
    pub fn act(&self) -> Option<Act> {
        Some(self.next()?.1)
    }

    /// How many units in a row the next act is for.
    pub fn ahead(&self) -> u64 {
        self.next().map_or(0, |(ahead, _)| ahead)
    }

    fn next(&self) -> Option<(u64, Act)> {
        let mut end = 0_u64;
        for (count, act) in self.takes.first()?.acts {
            end = end.saturating_add(count);
            if self.inside < end {
                return Some((end.saturating_sub(self.inside), act));
            }
        }
        None
    }

    /// Goes on by so many units of the next act.
    pub fn advance(&mut self, units: u64) {
        let Some(take) = self.takes.first() else {
            return;
        };
        self.inside = self.inside.saturating_add(units);
        if self.inside >= take.period() {
            self.inside = 0;
            self.done = self.done.saturating_add(1);
            self.settle();
        }
    }

    /// The acts to come and how often, when they come at least twice within so many units.
    pub fn repeats(&self, units: u64) -> Option<([(u64, Act); 3], u64)> {
        let take = self.takes.first().filter(|_| self.inside == 0)?;
        let fit = units.checked_div(take.period())?;
        let whole = take.times.saturating_sub(self.done).min(fit);
        (whole > 1).then_some((take.acts, whole))
    }

    /// Goes on by whole repetitions, and says how many units they had.
    pub fn skip_repeats(&mut self, times: u64) -> u64 {
        let period = self.takes.first().map_or(0, Take::period);
        self.done = self.done.saturating_add(times);
        self.settle();
        period.saturating_mul(times)
    }
}
