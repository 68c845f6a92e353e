//! What is left of the cart while offers are applied: a row for each line and each fee.
//!
//! Most discounts take a share off all units of a line, and most of what follows asks only for the line
//! as a whole. So such a share is accounted for the row at once, but its units are told only when a
//! discount looks at them one by one ([`Rows::settle`]): the notes are then worked off in their order,
//! and what comes out is what would have come out before.

use std::num::NonZeroU32;

use super::{
    EngineError,
    per_unit::PerUnit,
    row::{Chosen, Row, Supply},
    standing::Standing,
    tape::{Act, Take},
};
use crate::cart::Cart;

/// The most runs that a cart's rows may have together. A cart of no more units than this never comes
/// near it, whatever the offers; and a few offers in a few thousand bytes, over lines of a million units, are
/// answered in bounded time (`bench/tests/bounded.rs`).
pub(super) const MOST_RUNS: usize = 20_000;

/// Once there are so many notes all units are told, and the notes thrown away.
const MOST_NOTES: usize = 1 << 16;

/// What is left of a cart.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// What is left of the units of rows with few of them that differ, one by one.
    few: Vec<u64>,
    /// The shares of all units that units do not know of yet, each with the one before of its row.
    notes: Vec<(u64, Option<NonZeroU32>)>,
    /// Room to work off notes in.
    settling: Vec<u64>,
    /// How many rows are goods: the lines, or the subtotal of a cart without lines.
    goods: usize,
    /// How much all further discounts on goods may take together.
    ceiling: u64,
    /// How much all further discounts may take together, where something stood before.
    room: u64,
    /// How much was taken off goods.
    taken: u64,
    /// How many runs the rows keep.
    runs: usize,
}

impl Rows {
    /// The cart as it came.
    pub fn new(cart: &Cart) -> Self {
        let (lines, fees) = (cart.lines(), cart.fees());
        let mut rows = Vec::with_capacity(lines.len().saturating_add(fees.len()).max(1));
        for line in lines {
            let (price, floor) = (line.unit_price().minor(), line.min_unit_price().minor());
            rows.push(Row::new(line.quantity(), price, floor));
        }
        let mut ceiling = cart.subtotal().min(cart.lines_total()).minor();
        if rows.is_empty() {
            ceiling = cart.subtotal().minor();
            rows.push(Row::new(1, ceiling, 0));
        }
        let goods = rows.len();
        for fee in fees {
            rows.push(Row::new(1, fee.amount().minor(), 0));
        }
        Self {
            rows,
            few: Vec::new(),
            notes: Vec::new(),
            settling: Vec::new(),
            goods,
            ceiling,
            room: u64::MAX,
            taken: 0,
            runs: 0,
        }
    }

    /// What is left of the cart by the offers that stand on its tab.
    ///
    /// # Errors
    /// When the quantities are so large that what is left of each unit cannot be kept.
    pub fn after(cart: &Cart, standing: &Standing) -> Result<Self, EngineError> {
        let mut rows = Self::new(cart);
        if standing.is_nothing() {
            return Ok(rows);
        }
        let mut on = standing.on(cart)?;
        if cart.lines().len() == 0 {
            on.lines = vec![(0, PerUnit::equal(1, on.goods.minor()))];
        }
        let fees = on
            .fees
            .iter()
            .map(|(fee, off)| (fee.saturating_add(rows.goods), PerUnit::equal(1, off.minor())));
        let mut found = 0_u64;
        for (index, off) in on.lines.into_iter().chain(fees) {
            let most = MOST_RUNS.saturating_sub(rows.runs);
            let Some(row) = rows.rows.get_mut(index) else { continue };
            let before = row.left;
            row.stand(&off, &mut rows.few, most)?;
            rows.runs = rows.runs.saturating_add(row.runs());
            let off = before.saturating_sub(row.left);
            found = found.saturating_add(off);
            if index < rows.goods {
                rows.taken = rows.taken.saturating_add(off);
            }
        }
        let (goods, all) = (on.goods.minor(), standing.amount().minor());
        if found != all || goods > rows.ceiling {
            // Some of it is off lines or fees that are gone, or of a subtotal that fell: it counts too.
            let tab = cart.subtotal().saturating_add(cart.fees_total()).minor();
            rows.room = tab.saturating_sub(all);
        }
        rows.ceiling = rows.ceiling.saturating_sub(goods);
        Ok(rows)
    }

    /// How much all further discounts may take together, beside what each line, each fee and the
    /// subtotal allow. It is a limit only where what stands is not all to be found on the cart.
    pub fn room(&self) -> u64 {
        self.room
    }

    /// Accounts for what an offer has given.
    pub fn count(&mut self, given: u64) {
        self.room = self.room.saturating_sub(given);
    }

    /// What is left of each unit of a row.
    pub fn per_unit(&mut self, row: usize) -> PerUnit {
        self.settle(row);
        self.rows.get(row).map(|data| data.per_unit(&self.few)).unwrap_or_default()
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

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// A row.
    pub fn get(&self, row: usize) -> Option<&Row> {
        self.rows.get(row)
    }

    /// Tells the units of a row all that was taken off them together.
    pub fn settle(&mut self, row: usize) {
        let Some(data) = self.rows.get_mut(row) else {
            return;
        };
        if data.count == 1 {
            return data.settle_single(&mut self.few);
        }
        let Some(mut note) = data.owed.take() else {
            return;
        };
        // The notes lead back from the last; they are worked off from the first.
        let mut shares = std::mem::take(&mut self.settling);
        while let Some((share, before)) = self.notes.get(place(note)) {
            shares.push(*share);
            match before {
                Some(before) => note = *before,
                None => break,
            }
        }
        let runs = data.runs();
        while let Some(share) = shares.pop() {
            data.lose(true, share, &mut self.few);
        }
        self.settling = shares;
        self.runs = self.runs.wrapping_sub(runs).wrapping_add(data.runs());
    }

    /// Keeps the notes from growing without end, before so many more are made.
    pub fn make_room(&mut self, notes: usize) {
        if self.notes.len() > MOST_NOTES {
            for row in 0..self.rows.len() {
                self.settle(row);
            }
            self.notes.clear();
        }
        self.notes.reserve(notes);
    }

    /// How many units of a row have something to take.
    pub fn available(&mut self, row: usize) -> u64 {
        self.settle(row);
        self.rows.get(row).map_or(0, |row| row.available(&self.few))
    }

    /// The units of a row that have something to take, as groups of equal neighbours. Whoever asks has
    /// told them by [`Self::settle`] what was taken off them.
    pub fn supply(&self, row: usize) -> Option<Supply<'_>> {
        self.rows.get(row).map(|row| row.supply(&self.few))
    }

    /// All units of a row.
    pub fn choose_all(&self, row: usize) -> Option<Chosen> {
        self.rows.get(row).map(|data| data.all(row))
    }

    /// The first so many units of a row, whether or not anything is left of them.
    pub fn choose_first(&mut self, row: usize, count: u64) -> Result<Option<Chosen>, EngineError> {
        match self.rows.get(row) {
            Some(data) if data.count > count => {
                self.take_turns(row, &[Take::once(count, Act::Pick)], false)?;
                Ok(self.marked(row))
            }
            _ => Ok(self.choose_all(row)),
        }
    }

    /// The first so many units of a row that have something to take.
    pub fn choose_available(
        &mut self,
        row: usize,
        count: u64,
    ) -> Result<Option<Chosen>, EngineError> {
        if self.rows.get(row).is_some_and(|data| data.count == 1) {
            return Ok(self.choose_all(row));
        }
        self.take_turns(row, &[Take::once(count, Act::Pick)], true)?;
        Ok(self.marked(row))
    }

    /// The marked units of a row.
    pub fn marked(&self, row: usize) -> Option<Chosen> {
        self.rows.get(row).map(|data| data.marked(row, &self.few))
    }

    /// Does something to units of a row in turn. What they lose is accounted by [`Self::account`].
    pub fn take_turns(
        &mut self,
        row: usize,
        takes: &[Take],
        available: bool,
    ) -> Result<(), EngineError> {
        self.settle(row);
        let Some(data) = self.rows.get_mut(row) else {
            return Ok(());
        };
        let others = self.runs.saturating_sub(data.runs());
        let most = MOST_RUNS.saturating_sub(others);
        data.take_turns(takes, available, &mut self.few, most)?;
        self.runs = others.saturating_add(data.runs());
        Ok(())
    }

    /// Takes the next units that have something to take, of a row with few units, from a place on; marks
    /// them, if they are picked, and says where the next ones begin.
    pub fn take_few(&mut self, row: usize, units: u64, picked: bool, from: usize) -> usize {
        let data = self.rows.get_mut(row);
        data.map_or(from, |data| data.take_few(units, picked, from, &mut self.few))
    }

    /// How much a rate takes off chosen units, each by itself.
    pub fn measure(&mut self, chosen: &Chosen, loss: &impl Fn(u64, u64) -> u64) -> u64 {
        self.settle(chosen.row);
        self.rows.get(chosen.row).map_or(0, |data| {
            let price = data.price;
            data.measure(chosen, &self.few, &|left| loss(left, price))
        })
    }

    /// Takes a share off chosen units, in equal parts. It is accounted for goods by
    /// [`Self::count_goods`].
    pub fn lose(&mut self, chosen: &Chosen, share: u64) {
        if chosen.all {
            self.lose_all(chosen.row, share);
        } else if let Some(data) = self.rows.get_mut(chosen.row) {
            data.account(share);
            let before = data.runs();
            data.lose(false, share, &mut self.few);
            self.runs = self.runs.wrapping_sub(before).wrapping_add(data.runs());
        }
    }

    /// Takes a share off all units of a row, in equal parts; likewise.
    #[inline]
    pub fn lose_all(&mut self, row: usize, share: u64) {
        if let Some(data) = self.rows.get_mut(row) {
            data.account(share);
            // A single unit is what the row is.
            if data.count > 1 {
                self.notes.push((share, data.owed));
                data.owed = u32::try_from(self.notes.len()).ok().and_then(NonZeroU32::new);
            }
        }
    }

    /// Takes off each chosen unit what a rate takes off it. It is accounted for goods by
    /// [`Self::count_goods`].
    pub fn lose_each(&mut self, chosen: &Chosen, share: u64, loss: &impl Fn(u64, u64) -> u64) {
        if let Some(data) = self.rows.get_mut(chosen.row) {
            let price = data.price;
            data.lose_each(chosen, share, &mut self.few, &|left| loss(left, price));
        }
    }

    /// Accounts for what units of a row have lost in turn.
    pub fn account(&mut self, row: usize, share: u64) {
        if let Some(data) = self.rows.get_mut(row) {
            data.account(share);
        }
    }

    /// Accounts for what was taken off goods.
    pub fn count_goods(&mut self, taken: u64) {
        self.ceiling = self.ceiling.saturating_sub(taken);
        self.taken = self.taken.saturating_add(taken);
    }

    /// Takes the marks of a discount off again.
    pub fn release(&mut self, chosen: &[Chosen]) {
        for chosen in chosen.iter().filter(|chosen| !chosen.all) {
            if let Some(data) = self.rows.get_mut(chosen.row) {
                let before = data.runs();
                data.release();
                self.runs = self.runs.wrapping_sub(before).wrapping_add(data.runs());
            }
        }
    }
}

/// Where a note stands: they are numbered from 1.
fn place(note: NonZeroU32) -> usize {
    usize::try_from(note.get().wrapping_sub(1)).unwrap_or(usize::MAX)
}
