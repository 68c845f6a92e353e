//! Buy some, get some: which units are bought and which are got.
//!
//! Sets form one after another, bought units first, and a set counts only when it is full. A set is
//! tried row by row, not unit by unit, and while all its bought units come from one line and all its
//! got units from one line, the sets after it are the same and are formed at once. Any other set uses
//! a line up, so the work grows with the lines and not with their quantities.

use super::{
    EngineError,
    apply::Application,
    row::Row,
    tape::{Act, Take},
};
use crate::campaign::discount::{Part, Pick};

/// Takes units from rows in a fixed order.
struct Queue {
    order: Vec<usize>,
    next: usize,
}

impl Queue {
    fn new(order: Vec<usize>) -> Self {
        Self { order, next: 0 }
    }

    /// Takes so many units for one set; `false` when there are not so many.
    fn take(
        &mut self,
        quantity: u64,
        available: &mut [u64],
        taken: &mut Vec<(usize, u64)>,
    ) -> bool {
        taken.clear();
        let mut rest = quantity;
        while rest > 0 {
            let Some(row) = self.order.get(self.next) else {
                return false;
            };
            let Some(units) = available.get_mut(*row).filter(|units| **units > 0) else {
                self.next = self.next.saturating_add(1);
                continue;
            };
            let some = rest.min(*units);
            *units = units.saturating_sub(some);
            rest = rest.saturating_sub(some);
            taken.push((*row, some));
        }
        true
    }
}

/// What the sets take of each row.
struct Taking {
    /// Where the next units begin, of rows that have few.
    next: Vec<usize>,
    /// What is taken in turn, of rows that have many.
    takes: Vec<(usize, Take)>,
    /// Whether anything is got of each row.
    got: Vec<bool>,
}

impl Application<'_> {
    /// Chooses the got units of all full sets.
    pub(super) fn buy_get(
        &mut self,
        buy: &Part,
        get: &Part,
        pick: Pick,
        max_times: u64,
    ) -> Result<(), EngineError> {
        let Taking { mut takes, got, .. } = self.sets(buy, get, pick, max_times);
        let is_got = |row: usize| got.get(row).copied().unwrap_or(false);
        // Stable: within a row, in the order in which the sets took them.
        takes.sort_by_key(|(row, _)| *row);
        for of_row in takes.chunk_by(|left, right| left.0 == right.0) {
            if let Some((row, _)) = of_row.first().filter(|(row, _)| is_got(*row)) {
                let acts: Vec<Take> = of_row.iter().map(|(_, take)| *take).collect();
                self.rows.take_turns(*row, &acts, true)?;
            }
        }
        self.choose_marked((0..got.len()).filter(|row| is_got(*row)));
        Ok(())
    }

    /// Forms the sets. The got units of rows that have few are marked.
    fn sets(&mut self, buy: &Part, get: &Part, pick: Pick, max_times: u64) -> Taking {
        let matching = self.matching;
        let (bought, got) = (matching.lines(buy.items), matching.lines(get.items));
        let means = |lines: &[bool], row: usize| lines.get(row).copied().unwrap_or(false);
        let mut available: Vec<u64> = vec![0; self.rows.len()];
        for (row, available) in available.iter_mut().enumerate() {
            if means(bought, row) || means(got, row) {
                *available = self.rows.available(row);
            }
        }
        // Bought first is what cannot be got.
        let (mut to_buy, mut both) = (Vec::new(), Vec::new());
        for row in self.orders.by(Pick::Dearest, &self.rows) {
            match (means(bought, *row), means(got, *row)) {
                (true, false) => to_buy.push(*row),
                (true, true) => both.push(*row),
                _ => {}
            }
        }
        to_buy.append(&mut both);
        let to_get = self.orders.by(pick, &self.rows).iter().copied();
        let to_get = to_get.filter(|row| means(got, *row)).collect();
        let (mut to_buy, mut to_get) = (Queue::new(to_buy), Queue::new(to_get));
        let rows = self.rows.len();
        let mut taking = Taking { next: vec![0; rows], takes: Vec::new(), got: vec![false; rows] };
        let (mut buys, mut gets) = (Vec::new(), Vec::new());
        let mut times = max_times;
        while times > 0
            && to_buy.take(buy.quantity, &mut available, &mut buys)
            && to_get.take(get.quantity, &mut available, &mut gets)
        {
            times = times.saturating_sub(1);
            let mut sets = 1;
            if let ([(from, _)], [(of, _)]) = (&buys[..], &gets[..]) {
                let more = alike(&mut available, (*from, buy.quantity), (*of, get.quantity), times);
                times = times.saturating_sub(more);
                sets = more.saturating_add(1);
                if from == of && sets > 1 {
                    self.take_in_turn(*from, sets, buy.quantity, get.quantity, &mut taking);
                    continue;
                }
            }
            for (row, units) in &buys {
                self.take(*row, units.saturating_mul(sets), Act::Pass, &mut taking);
            }
            for (row, units) in &gets {
                self.take(*row, units.saturating_mul(sets), Act::Pick, &mut taking);
            }
        }
        taking
    }

    /// Takes the next units of a row.
    fn take(&mut self, row: usize, units: u64, act: Act, taking: &mut Taking) {
        let picked = act == Act::Pick;
        if let Some(got) = taking.got.get_mut(row) {
            *got |= picked;
        }
        let few = self.rows.get(row).is_some_and(Row::is_few);
        match taking.next.get_mut(row).filter(|_| few) {
            Some(next) => *next = self.rows.take_few(row, units, picked, *next),
            None => taking.takes.push((row, Take::once(units, act))),
        }
    }

    /// Takes bought and got units of a row by turns.
    fn take_in_turn(&mut self, row: usize, sets: u64, buy: u64, get: u64, taking: &mut Taking) {
        if self.rows.get(row).is_some_and(Row::is_few) {
            for _ in 0..sets {
                self.take(row, buy, Act::Pass, taking);
                self.take(row, get, Act::Pick, taking);
            }
            return;
        }
        if let Some(got) = taking.got.get_mut(row) {
            *got = true;
        }
        let acts = [(buy, Act::Pass), (get, Act::Pick), (0, Act::Pass)];
        taking.takes.push((row, Take { times: sets, acts }));
    }
}

/// How many more sets, at most `times`, take from the same two lines as the one before; they are taken.
fn alike(
    available: &mut [u64],
    (from, bought): (usize, u64),
    (of, got): (usize, u64),
    times: u64,
) -> u64 {
    let left = |available: &[u64], row: usize| available.get(row).copied().unwrap_or(0);
    let fit = |units: u64, quantity: u64| units.checked_div(quantity).unwrap_or(0);
    let more = if from == of {
        fit(left(available, from), bought.saturating_add(got))
    } else {
        fit(left(available, from), bought).min(fit(left(available, of), got))
    }
    .min(times);
    for (row, quantity) in [(from, bought), (of, got)] {
        if let Some(units) = available.get_mut(row) {
            *units = units.saturating_sub(quantity.saturating_mul(more));
        }
    }
    more
}
