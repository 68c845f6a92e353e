//! Buy some, get some: which units are bought and which are got.
//!
//! Sets form one after another, bought units first, and a set counts only when it is full. A set is
//! tried row by row, not unit by unit, and while all its bought units come from one line and all its
//! got units from one line, the sets after it are the same and are formed at once. Any other set uses
//! a line up, so the work grows with the lines and not with their quantities.

use super::{
    EngineError,
    apply::Application,
    pick::Walk,
    row::Row,
    rows::Rows,
    tape::{Act, Take},
};
use crate::{
    campaign::discount::{Part, Pick},
    cart::LineSet,
};

/// How many units of each row are to be had, of the rows that were looked at.
struct Available(Vec<Option<u64>>);

impl Available {
    fn of(&mut self, row: usize, rows: &mut Rows) -> Option<&mut u64> {
        let units = self.0.get_mut(row)?;
        Some(units.get_or_insert_with(|| rows.available(row)))
    }

    /// Takes so many more sets, at most `times`, from the same two lines as the one before, and says how many.
    fn take_alike(
        &mut self,
        (from, bought): (usize, u64),
        (of, got): (usize, u64),
        times: u64,
    ) -> u64 {
        let left = |row: usize| self.0.get(row).copied().flatten().unwrap_or(0);
        let fit = |units: u64, quantity: u64| units.checked_div(quantity).unwrap_or(0);
        let more = if from == of {
            fit(left(from), bought.saturating_add(got))
        } else {
            fit(left(from), bought).min(fit(left(of), got))
        }
        .min(times);
        for (row, quantity) in [(from, bought), (of, got)] {
            if let Some(Some(units)) = self.0.get_mut(row) {
                *units = units.saturating_sub(quantity.wrapping_mul(more));
            }
        }
        more
    }
}

/// Takes units from rows in a fixed order.
struct Queue<'o> {
    walk: Walk<'o>,
    /// Where to go on when it ends.
    then: Option<Walk<'o>>,
}

impl Queue<'_> {
    /// Takes so many units for one set; `false` when there are not so many.
    fn take(
        &mut self,
        quantity: u64,
        available: &mut Available,
        rows: &mut Rows,
        taken: &mut Vec<(usize, u64)>,
    ) -> bool {
        taken.clear();
        let mut rest = quantity;
        while rest > 0 {
            let Some(row) = self.walk.row() else {
                let Some(then) = self.then.take() else {
                    return false;
                };
                self.walk = then;
                continue;
            };
            let Some(units) = available.of(row, rows).filter(|units| **units > 0) else {
                self.walk.pass();
                continue;
            };
            let some = rest.min(*units);
            *units = units.saturating_sub(some);
            rest = rest.saturating_sub(some);
            taken.push((row, some));
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
    got: LineSet,
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
        // Stable: within a row, in the order in which the sets took them.
        takes.sort_by_key(|(row, _)| *row);
        let mut acts: Vec<Take> = Vec::new();
        for of_row in takes.chunk_by(|left, right| left.0 == right.0) {
            if let Some((row, _)) = of_row.first().filter(|(row, _)| got.has(*row)) {
                acts.clear();
                acts.extend(of_row.iter().map(|(_, take)| *take));
                self.rows.take_turns(*row, &acts, true)?;
            }
        }
        self.choose_marked(got.iter());
        Ok(())
    }

    /// Forms the sets. The got units of rows that have few are marked.
    fn sets(&mut self, buy: &Part, get: &Part, pick: Pick, max_times: u64) -> Taking {
        let matching = self.matching;
        let (bought, got) = (matching.lines(buy.items), matching.lines(get.items));
        // Bought first is what cannot be got.
        let mut only_bought = bought.clone();
        only_bought.without(got);
        let both = bought.iter().filter(|row| !only_bought.has(*row));
        let (orders, rows) = (self.orders, &self.rows);
        let mut to_buy = Queue {
            walk: orders.walk(Pick::Dearest, rows, only_bought.iter()),
            then: Some(orders.walk(Pick::Dearest, rows, both)),
        };
        let mut to_get = Queue { walk: orders.walk(pick, rows, got.iter()), then: None };
        let mut available = Available(vec![None; self.rows.len()]);
        let rows = self.rows.len();
        let mut taking =
            Taking { next: vec![0; rows], takes: Vec::new(), got: LineSet::none_of(rows) };
        let (mut buys, mut gets) = (Vec::new(), Vec::new());
        let mut times = max_times;
        while times > 0
            && to_buy.take(buy.quantity, &mut available, &mut self.rows, &mut buys)
            && to_get.take(get.quantity, &mut available, &mut self.rows, &mut gets)
        {
            times = times.saturating_sub(1);
            let mut sets = 1;
            if let ([(from, _)], [(of, _)]) = (&buys[..], &gets[..]) {
                let more = available.take_alike((*from, buy.quantity), (*of, get.quantity), times);
                times = times.saturating_sub(more);
                sets = more.saturating_add(1);
                if from == of && sets > 1 {
                    self.take_in_turn(*from, sets, buy.quantity, get.quantity, &mut taking);
                    continue;
                }
            }
            // The units of all sets are there, so that there are no more than the cart's.
            for (row, units) in &buys {
                self.take(*row, units.wrapping_mul(sets), Act::Pass, &mut taking);
            }
            for (row, units) in &gets {
                self.take(*row, units.wrapping_mul(sets), Act::Pick, &mut taking);
            }
        }
        taking
    }

    /// Takes the next units of a row.
    fn take(&mut self, row: usize, units: u64, act: Act, taking: &mut Taking) {
        let picked = act == Act::Pick;
        if picked {
            taking.got.add(row);
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
        taking.got.add(row);
        let acts = [(buy, Act::Pass), (get, Act::Pick), (0, Act::Pass)];
        taking.takes.push((row, Take { times: sets, acts }));
    }
}
