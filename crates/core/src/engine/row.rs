//! One line or fee while offers are applied: what is left of each of its units.
//!
//! What is left of the row as a whole, and how much of that can still be taken above its floor, is
//! kept as a number, so that choosing and sharing never look at units. The units themselves are kept in
//! the cheapest way that is exact: as one number while they are equal; once they are not, few of them
//! one by one, in a buffer that all rows share, and many as [`Runs`]. And a share of all of them is only
//! noted ([`super::rows`] keeps the notes) until somebody looks at single units.

mod few;
mod supply;

pub(super) use supply::Supply;

use std::num::NonZeroU32;

use few::{FEW, bit, divide, has, lose_all, lose_marked};

use super::{
    EngineError,
    per_unit::PerUnit,
    tape::{Act, Take, Tape},
    units::{Run, Runs},
};

/// A line or a fee of the cart.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// How many units.
    pub count: u64,
    /// The cart's price of each.
    pub price: u64,
    /// The floor of each.
    pub floor: u64,
    /// What is left of all units.
    pub left: u64,
    /// How much of that can be taken, the floor being kept.
    pub room: u64,
    /// The last share of all units that the units do not know of yet, in the notes.
    pub owed: Option<NonZeroU32>,
    /// Which of few units the discount at work is on.
    marks: u16,
    units: Units,
}

#[derive(Clone, Debug)]
enum Units {
    /// All with the same left.
    Equal(u64),
    /// Few, one by one, from here on in the buffer of few units.
    Few(usize),
    /// Many.
    Runs(Runs),
}

/// Some units of a row, which a discount is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Which row.
    pub row: usize,
    /// Whether it is all of its units; else they are marked.
    pub all: bool,
    /// How many units.
    pub count: u64,
    /// What is left of them.
    pub left: u64,
    /// How much of that can be taken.
    pub room: u64,
}

impl Row {
    /// A row of the cart as it came.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sound cart's products fit 63 bits, and the floor's is less than the price's"
    )]
    pub fn new(count: u64, price: u64, floor: u64) -> Self {
        Self {
            count,
            price,
            floor,
            left: count * price,
            room: count * price.saturating_sub(floor),
            owed: None,
            marks: 0,
            units: Units::Equal(price),
        }
    }

    /// Takes off what earlier events have taken, unit by unit; only from a row of the cart as it came.
    ///
    /// # Errors
    /// When what is left would be too many runs.
    pub fn stand(
        &mut self,
        off: &PerUnit,
        few: &mut Vec<u64>,
        most: usize,
    ) -> Result<(), EngineError> {
        let left = PerUnit::equal(self.count, self.price).combine(off, u64::saturating_sub)?;
        self.left = left.sum();
        self.room = left.sum_of(|left| left.saturating_sub(self.floor));
        self.units = if let Some(left) = left.common() {
            Units::Equal(left)
        } else if self.is_few() {
            let start = few.len();
            few.extend(left.each());
            Units::Few(start)
        } else {
            let runs = Runs::of(&left);
            if runs.len() > most {
                return Err(EngineError::TooManyUnits);
            }
            Units::Runs(runs)
        };
        Ok(())
    }

    /// What is left of each unit, once the units were told what was taken off them.
    pub fn per_unit(&self, few: &[u64]) -> PerUnit {
        match &self.units {
            Units::Equal(left) => PerUnit::equal(self.count, *left),
            Units::Few(_) => {
                let mut all = PerUnit::default();
                self.own(few).iter().for_each(|left| all.push(1, *left));
                all
            }
            Units::Runs(runs) => runs.per_unit(),
        }
    }

    /// How many runs the row keeps.
    pub fn runs(&self) -> usize {
        match &self.units {
            Units::Runs(runs) => runs.len(),
            _ => 0,
        }
    }

    /// Whether the row has so few units that they are kept one by one, once they differ.
    pub fn is_few(&self) -> bool {
        self.count <= FEW
    }

    /// Keeps the units one by one, or as runs, when they are about to differ.
    fn part(&mut self, few: &mut Vec<u64>) {
        let Units::Equal(left) = self.units else {
            return;
        };
        self.units = if self.is_few() {
            let start = few.len();
            few.resize(start.saturating_add(usize::try_from(self.count).unwrap_or_default()), left);
            Units::Few(start)
        } else {
            let mut runs = Runs::default();
            runs.push(self.count, left, false);
            Units::Runs(runs)
        };
    }

    /// The row's own units in the buffer of few units; none when they are many.
    fn own<'f>(&self, few: &'f [u64]) -> &'f [u64] {
        match self.units {
            Units::Few(start) => few.get(start..self.end(start)).unwrap_or_default(),
            _ => &[],
        }
    }

    fn own_mut<'f>(&self, few: &'f mut [u64]) -> &'f mut [u64] {
        match self.units {
            Units::Few(start) => few.get_mut(start..self.end(start)).unwrap_or_default(),
            _ => &mut [],
        }
    }

    /// Where few units end in their buffer.
    fn end(&self, start: usize) -> usize {
        start.wrapping_add(usize::try_from(self.count).unwrap_or_default())
    }

    /// How many units have something to take.
    pub fn available(&self, few: &[u64]) -> u64 {
        self.available_of(self.own(few))
    }

    /// The same, by the row's own units, if it has few.
    fn available_of(&self, own: &[u64]) -> u64 {
        if self.room == 0 {
            return 0;
        }
        match &self.units {
            Units::Few(_) => {
                own.iter().fold(0, |sum, left| sum.wrapping_add(u64::from(*left > self.floor)))
            }
            Units::Equal(_) => self.count,
            Units::Runs(runs) => {
                let available = runs.iter().filter(|run| run.left > self.floor);
                available.fold(0, |sum, run| sum.saturating_add(run.weight()))
            }
        }
    }

    /// All units.
    pub fn all(&self, row: usize) -> Chosen {
        Chosen { row, all: true, count: self.count, left: self.left, room: self.room }
    }

    /// The marked units.
    pub fn marked(&self, row: usize, few: &[u64]) -> Chosen {
        let mut chosen = Chosen { row, all: false, count: 0, left: 0, room: 0 };
        let mut add = |count: u64, left: u64| {
            // The products and sums are parts of the row's own.
            chosen.count = chosen.count.wrapping_add(count);
            chosen.left = chosen.left.wrapping_add(count.wrapping_mul(left));
            let room = left.saturating_sub(self.floor);
            chosen.room = chosen.room.wrapping_add(count.wrapping_mul(room));
        };
        for (place, left) in self.own(few).iter().enumerate() {
            if has(self.marks, place) {
                add(1, *left);
            }
        }
        if let Units::Runs(runs) = &self.units {
            for run in runs.iter().filter(|run| run.picked) {
                add(run.weight(), run.left);
            }
        }
        chosen
    }

    /// Does something to units in turn: to all, or to those that have something to take.
    pub fn take_turns(
        &mut self,
        takes: &[Take],
        available: bool,
        few: &mut Vec<u64>,
        most: usize,
    ) -> Result<(), EngineError> {
        let floor = self.floor;
        self.part(few);
        if let Units::Runs(runs) = &mut self.units {
            return runs.rewrite(takes, most, |run: &Run| !available || run.left > floor);
        }
        let (mut tape, mut marks) = (Tape::new(takes), self.marks);
        for (place, left) in self.own_mut(few).iter_mut().enumerate() {
            if available && *left <= floor {
                continue;
            }
            match tape.act() {
                None => break,
                Some(Act::Pass) => {}
                Some(Act::Pick) => marks |= bit(place),
                Some(Act::Lose(amount)) => *left = left.saturating_sub(amount),
            }
            tape.advance(1);
        }
        self.marks = marks;
        Ok(())
    }

    /// Takes the next few units that have something to take, from a place on; marks them, if they are
    /// picked, and says where the next ones begin.
    pub fn take_few(
        &mut self,
        mut units: u64,
        picked: bool,
        from: usize,
        few: &mut Vec<u64>,
    ) -> usize {
        self.part(few);
        let (mut marks, mut next) = (self.marks, from);
        for (place, left) in self.own(few).iter().enumerate().skip(from) {
            if units == 0 {
                break;
            }
            next = place.wrapping_add(1);
            if *left > self.floor {
                units = units.wrapping_sub(1);
                if picked {
                    marks |= bit(place);
                }
            }
        }
        self.marks = marks;
        next
    }

    /// How much a rate takes off the chosen units, each unit by itself.
    pub fn measure(&self, chosen: &Chosen, few: &[u64], loss: &impl Fn(u64) -> u64) -> u64 {
        let floor = self.floor;
        let of = |left: u64| loss(left).min(left.saturating_sub(floor));
        // The products and sums are parts of what is left of the row.
        match &self.units {
            Units::Few(_) if chosen.all => {
                self.own(few).iter().fold(0, |sum, left| sum.wrapping_add(of(*left)))
            }
            Units::Few(_) => {
                let units = self.own(few).iter().enumerate();
                let on = units.filter(|(place, _)| has(self.marks, *place));
                on.fold(0, |sum, (_, left)| sum.wrapping_add(of(*left)))
            }
            Units::Equal(left) => of(*left).wrapping_mul(self.count),
            Units::Runs(runs) => {
                let on = runs.iter().filter(|run| chosen.all || run.picked);
                on.fold(0, |sum, run| sum.wrapping_add(of(run.left).wrapping_mul(run.weight())))
            }
        }
    }

    /// Takes off each chosen unit what a rate takes off it; `share` is what [`Self::measure`] said.
    pub fn lose_each(
        &mut self,
        chosen: &Chosen,
        share: u64,
        few: &mut [u64],
        loss: &impl Fn(u64) -> u64,
    ) {
        let (floor, marks) = (self.floor, self.marks);
        let after = |left: u64| left.wrapping_sub(loss(left).min(left.saturating_sub(floor)));
        match &mut self.units {
            Units::Few(_) if chosen.all => {
                for left in self.own_mut(few) {
                    *left = after(*left);
                }
            }
            Units::Few(_) => {
                for (place, left) in self.own_mut(few).iter_mut().enumerate() {
                    if has(marks, place) {
                        *left = after(*left);
                    }
                }
            }
            Units::Equal(left) => *left = after(*left),
            Units::Runs(runs) => {
                for run in runs.iter_mut().filter(|run| chosen.all || run.picked) {
                    run.left = after(run.left);
                }
            }
        }
        self.account(share);
    }

    /// Takes a share off the marked units, or off all, in equal parts as far as each can take it. The row
    /// as a whole is accounted by [`Self::account`].
    pub fn lose(&mut self, all: bool, share: u64, few: &mut Vec<u64>) {
        if let Units::Equal(left) = &mut self.units {
            let (each, odd) = divide(share, self.count);
            if odd == 0 {
                *left = left.saturating_sub(each);
                return;
            }
            self.part(few);
        }
        match &mut self.units {
            Units::Few(_) if all => lose_all(self.own_mut(few), self.floor, share),
            Units::Few(_) => lose_marked(self.own_mut(few), self.marks, self.floor, share),
            Units::Equal(_) => {}
            Units::Runs(runs) => runs.lose(share, self.floor, all),
        }
    }

    /// Lets a single unit know what is left of it.
    pub fn settle_single(&mut self, few: &mut [u64]) {
        let whole = self.left;
        match &mut self.units {
            Units::Equal(left) => *left = whole,
            _ => self.own_mut(few).iter_mut().for_each(|left| *left = whole),
        }
    }

    /// Takes the marks off; many units that are all equal again need no runs.
    pub fn release(&mut self) {
        self.marks = 0;
        if let Units::Runs(runs) = &mut self.units {
            runs.unpick();
            if let Some(left) = runs.equal() {
                self.units = Units::Equal(left);
            }
        }
    }

    /// Accounts for what units have lost.
    pub fn account(&mut self, share: u64) {
        // INVARIANT: no share is more than there is room, nor that more than what is left.
        self.left = self.left.wrapping_sub(share);
        self.room = self.room.wrapping_sub(share);
    }

    /// The units that have something to take, as groups of equal neighbours.
    pub fn supply<'r>(&'r self, few: &'r [u64]) -> Supply<'r> {
        Supply { row: self, few: self.own(few), run: 0, inside: 0, repeated: 0 }
    }
}
