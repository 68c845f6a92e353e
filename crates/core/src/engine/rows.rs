//! What is left of the cart while offers are applied: a row for each line and each fee.
//!
//! A row starts with equal units, and most stay so; only when a discount treats its units differently
//! does it keep [`Runs`]. What is left of a row as a whole, and how much of that can still be taken
//! above its floor, is kept as a number, so that a discount on whole lines never looks at units.

use super::{
    EngineError,
    tape::{Act, Take},
    units::{Run, Runs},
};
use crate::cart::Cart;

/// The most runs that a cart's rows may have together. A cart of no more units than this never comes
/// near it, whatever the offers.
pub(super) const MOST_RUNS: usize = 200_000;

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
    /// What is left of each unit while they are equal.
    each: u64,
    /// The units, once they are not.
    runs: Runs,
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
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sound cart's products fit 63 bits, and the floor's is less than the price's"
    )]
    fn new(count: u64, price: u64, floor: u64) -> Self {
        Self {
            count,
            price,
            floor,
            left: count * price,
            room: count * price.saturating_sub(floor),
            each: price,
            runs: Runs::default(),
        }
    }

    /// How many runs the row keeps.
    fn runs(&self) -> usize {
        self.runs.len()
    }

    /// How many units have something to take.
    pub fn available(&self) -> u64 {
        if self.room == 0 {
            0
        } else if self.runs.is_empty() {
            self.count
        } else {
            let available = self.runs.iter().filter(|run| run.left > self.floor);
            available.fold(0, |sum, run| sum.saturating_add(run.weight()))
        }
    }

    /// The units that have something to take, as groups of equal ones: how many, and what is left of
    /// each.
    pub fn supply(&self) -> Supply<'_> {
        Supply { row: self, run: 0, inside: 0, repeated: 0 }
    }

    /// Sums up what is left of the units that `all` or the marks say.
    fn chosen(&self, row: usize, all: bool) -> Chosen {
        if all {
            return Chosen { row, all, count: self.count, left: self.left, room: self.room };
        }
        let mut chosen = Chosen { row, all, count: 0, left: 0, room: 0 };
        for run in self.runs.iter().filter(|run| run.picked) {
            let (weight, room) = (run.weight(), run.left.saturating_sub(self.floor));
            chosen.count = chosen.count.saturating_add(weight);
            chosen.left = chosen.left.saturating_add(weight.saturating_mul(run.left));
            chosen.room = chosen.room.saturating_add(weight.saturating_mul(room));
        }
        chosen
    }

    /// Does something to units in turn.
    fn take_turns(
        &mut self,
        takes: &[Take],
        most: usize,
        available: bool,
    ) -> Result<(), EngineError> {
        if self.runs.is_empty() {
            self.runs.push(self.count, self.each, false);
        }
        let floor = self.floor;
        self.runs.rewrite(takes, most, |run: &Run| !available || run.left > floor)
    }

    /// How much a rate takes off the chosen units, each unit by itself.
    pub fn measure(&self, chosen: &Chosen, loss: &impl Fn(u64) -> u64) -> u64 {
        let of = |left: u64| loss(left).min(left.saturating_sub(self.floor));
        if self.runs.is_empty() {
            return of(self.each).saturating_mul(self.count);
        }
        self.runs
            .iter()
            .filter(|run| chosen.all || run.picked)
            .fold(0, |sum, run| sum.saturating_add(of(run.left).saturating_mul(run.weight())))
    }

    /// Takes off each chosen unit what a rate takes off it; `share` is what [`Self::measure`] said.
    fn lose_each(&mut self, chosen: &Chosen, share: u64, loss: &impl Fn(u64) -> u64) {
        if self.runs.is_empty() {
            return self.lose(chosen, share);
        }
        let floor = self.floor;
        for run in self.runs.iter_mut().filter(|run| chosen.all || run.picked) {
            let loss = loss(run.left).min(run.left.saturating_sub(floor));
            run.left = run.left.saturating_sub(loss);
        }
        self.account(share);
    }

    /// Takes a share off the chosen units, in equal parts as far as each can take it.
    fn lose(&mut self, chosen: &Chosen, share: u64) {
        if self.runs.is_empty() {
            match (share.checked_div(self.count), share.checked_rem(self.count)) {
                (Some(each), Some(0)) => self.each = self.each.saturating_sub(each),
                (Some(each), Some(odd)) => {
                    let low = self.each.saturating_sub(each);
                    self.runs.push(odd, low.saturating_sub(1), false);
                    self.runs.push(self.count.saturating_sub(odd), low, false);
                }
                _ => {}
            }
        } else {
            self.runs.lose(share, self.floor, chosen.all);
        }
        self.account(share);
    }

    /// Takes the marks off; units that are all equal again need no runs.
    fn release(&mut self) {
        self.runs.unpick();
        if let Some(each) = self.runs.equal() {
            self.each = each;
            self.runs = Runs::default();
        }
    }

    fn account(&mut self, share: u64) {
        self.left = self.left.saturating_sub(share);
        self.room = self.room.saturating_sub(share);
    }
}

/// Walks over the units of a row that have something to take.
pub(super) struct Supply<'r> {
    row: &'r Row,
    run: usize,
    inside: usize,
    repeated: u64,
}

impl Iterator for Supply<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        if self.row.runs.is_empty() {
            let first = self.run == 0 && self.row.room > 0;
            self.run = 1;
            return first.then_some((self.row.count, self.row.each));
        }
        loop {
            let begin = self.row.runs.get(self.run)?;
            let stretch = begin.stretch.max(1);
            let run = self.row.runs.get(self.run.saturating_add(self.inside))?;
            self.inside = self.inside.saturating_add(1);
            if self.inside >= stretch {
                self.inside = 0;
                self.repeated = self.repeated.saturating_add(1);
            }
            if self.repeated >= begin.times {
                self.repeated = 0;
                self.run = self.run.saturating_add(stretch);
            }
            if run.left > self.row.floor {
                return Some((run.count, run.left));
            }
            if begin.times > 1 && self.nothing_in(stretch) {
                self.run = self.run.saturating_add(stretch);
                (self.inside, self.repeated) = (0, 0);
            }
        }
    }
}

impl Supply<'_> {
    /// Whether a repeated stretch has no unit with anything to take: then it is not walked over again
    /// and again.
    fn nothing_in(&self, stretch: usize) -> bool {
        self.inside == 0
            && self.repeated == 1
            && self
                .row
                .runs
                .iter()
                .skip(self.run)
                .take(stretch)
                .all(|run| run.left <= self.row.floor)
    }
}

/// What is left of a cart.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// How many rows are goods: the lines, or the subtotal of a cart without lines.
    goods: usize,
    /// How much all further discounts on goods may take together.
    ceiling: u64,
    /// How much was taken off goods.
    taken: u64,
    /// How many runs the rows keep.
    runs: usize,
}

impl Rows {
    /// The cart as it came.
    pub fn new(cart: &Cart) -> Self {
        let lines = cart.lines();
        let mut rows = Vec::with_capacity(lines.len().saturating_add(cart.fees().len()).max(1));
        rows.extend(lines.map(|line| {
            let (price, floor) = (line.unit_price(), line.min_unit_price());
            Row::new(line.quantity(), price.minor(), floor.minor())
        }));
        let mut ceiling = cart.subtotal().min(cart.lines_total()).minor();
        if rows.is_empty() {
            ceiling = cart.subtotal().minor();
            rows.push(Row::new(1, ceiling, 0));
        }
        let goods = rows.len();
        rows.extend(cart.fees().map(|fee| Row::new(1, fee.amount().minor(), 0)));
        Self { rows, goods, ceiling, taken: 0, runs: 0 }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many of them are goods; the others are fees.
    pub fn goods(&self) -> usize {
        self.goods
    }

    /// How much all further discounts on goods may take together.
    pub fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// How much was taken off goods.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// A row.
    pub fn get(&self, row: usize) -> Option<&Row> {
        self.rows.get(row)
    }

    /// The rows in the cart's order.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// All units of a row.
    pub fn choose_all(&self, row: usize) -> Option<Chosen> {
        self.rows.get(row).map(|data| data.chosen(row, true))
    }

    /// The first so many units of a row, whether or not anything is left of them.
    pub fn choose_first(&mut self, row: usize, count: u64) -> Result<Option<Chosen>, EngineError> {
        let takes = [Take::once(count, Act::Pick)];
        match self.rows.get(row) {
            Some(data) if data.count > count => self.choose(row, &takes, false).map(Some),
            _ => Ok(self.choose_all(row)),
        }
    }

    /// The first so many units of a row that have something to take.
    pub fn choose_available(
        &mut self,
        row: usize,
        count: u64,
    ) -> Result<Option<Chosen>, EngineError> {
        let takes = [Take::once(count, Act::Pick)];
        match self.rows.get(row) {
            Some(data) if data.runs.is_empty() && data.count <= count => Ok(self.choose_all(row)),
            Some(_) => self.choose(row, &takes, true).map(Some),
            None => Ok(None),
        }
    }

    /// The units of a row that are picked in turn.
    pub fn choose(
        &mut self,
        row: usize,
        takes: &[Take],
        available: bool,
    ) -> Result<Chosen, EngineError> {
        self.take_turns(row, takes, available)?;
        Ok(self
            .rows
            .get(row)
            .map_or(Chosen { row, all: false, count: 0, left: 0, room: 0 }, |data| {
                data.chosen(row, false)
            }))
    }

    /// Does something to units of a row in turn. What they lose is accounted by [`Self::account`].
    pub fn take_turns(
        &mut self,
        row: usize,
        takes: &[Take],
        available: bool,
    ) -> Result<(), EngineError> {
        let Some(data) = self.rows.get_mut(row) else {
            return Ok(());
        };
        let others = self.runs.saturating_sub(data.runs());
        data.take_turns(takes, MOST_RUNS.saturating_sub(others), available)?;
        self.runs = others.saturating_add(data.runs());
        Ok(())
    }

    /// Takes a share off chosen units.
    pub fn lose(&mut self, chosen: &Chosen, share: u64) {
        if let Some(data) = self.rows.get_mut(chosen.row) {
            let before = data.runs();
            data.lose(chosen, share);
            self.runs = self.runs.saturating_sub(before).saturating_add(data.runs());
        }
        self.count_taken(chosen.row, share);
    }

    /// Takes off each chosen unit what a rate takes off it.
    pub fn lose_each(&mut self, chosen: &Chosen, share: u64, loss: &impl Fn(u64) -> u64) {
        if let Some(data) = self.rows.get_mut(chosen.row) {
            data.lose_each(chosen, share, loss);
        }
        self.count_taken(chosen.row, share);
    }

    /// Accounts for what units have lost in turn.
    pub fn account(&mut self, row: usize, share: u64) {
        if let Some(data) = self.rows.get_mut(row) {
            data.account(share);
        }
        self.count_taken(row, share);
    }

    fn count_taken(&mut self, row: usize, share: u64) {
        if row < self.goods {
            self.ceiling = self.ceiling.saturating_sub(share);
            self.taken = self.taken.saturating_add(share);
        }
    }

    /// Takes the marks of a discount off again.
    pub fn release(&mut self, chosen: &[Chosen]) {
        for chosen in chosen.iter().filter(|chosen| !chosen.all) {
            if let Some(data) = self.rows.get_mut(chosen.row) {
                let before = data.runs();
                data.release();
                self.runs = self.runs.saturating_sub(before).saturating_add(data.runs());
            }
        }
    }
}
