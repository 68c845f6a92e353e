//! Buy some, get some: which units are bought and which are got.
//!
//! Sets form one after another, bought units first, and a set counts only when it is full. A set is
//! tried row by row, not unit by unit, and while all its bought units come from one line and all its
//! got units from one line, the sets after it are the same and are formed at once. Any other set uses
//! a line up, so the work grows with the lines and not with their quantities.

use super::{
    EngineError,
    apply::Application,
    tape::{Act, Take},
};
use crate::campaign::discount::{Part, Pick};

/// Takes units from rows in a fixed order.
struct Queue {
    order: Vec<usize>,
    next: usize,
}

impl Queue {
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

impl Application<'_> {
    /// Chooses the got units of all full sets.
    pub(super) fn buy_get(
        &mut self,
        buy: &Part,
        get: &Part,
        pick: Pick,
        max_times: u64,
    ) -> Result<(), EngineError> {
        let takes = self.sets(buy, get, pick, max_times);
        let mut chosen = Vec::new();
        for of_row in takes.chunk_by(|left, right| left.0 == right.0) {
            let picks =
                |(_, take): &(usize, Take)| take.acts.iter().any(|(_, act)| *act == Act::Pick);
            let Some((row, _)) = of_row.iter().find(|take| picks(take)) else {
                continue;
            };
            let acts: Vec<Take> = of_row.iter().map(|(_, take)| *take).collect();
            chosen.push(self.rows.choose(*row, &acts, true)?);
        }
        self.set_chosen(chosen.into_iter());
        Ok(())
    }

    /// What is bought and got of each row in turn, the rows in the cart's order.
    fn sets(&self, buy: &Part, get: &Part, pick: Pick, max_times: u64) -> Vec<(usize, Take)> {
        let (bought, got) = (self.matching.lines(buy.items), self.matching.lines(get.items));
        let means = |lines: &[bool], row: usize| lines.get(row).copied().unwrap_or(false);
        let mut available: Vec<u64> = self
            .rows
            .iter()
            .enumerate()
            .map(
                |(row, data)| {
                    if means(bought, row) || means(got, row) { data.available() } else { 0 }
                },
            )
            .collect();
        let order = |pick| self.orders.by(pick, &self.rows).iter().copied();
        let dearest = || order(Pick::Dearest).filter(|row| means(bought, *row));
        // Bought first is what cannot be got.
        let only_bought = dearest().filter(|row| !means(got, *row));
        let mut to_buy = Queue {
            order: only_bought.chain(dearest().filter(|row| means(got, *row))).collect(),
            next: 0,
        };
        let mut to_get =
            Queue { order: order(pick).filter(|row| means(got, *row)).collect(), next: 0 };
        let mut takes: Vec<(usize, Take)> = Vec::new();
        let (mut buys, mut gets) = (Vec::new(), Vec::new());
        let mut times = max_times;
        while times > 0
            && to_buy.take(buy.quantity, &mut available, &mut buys)
            && to_get.take(get.quantity, &mut available, &mut gets)
        {
            times = times.saturating_sub(1);
            if let ([(from, _)], [(of, _)]) = (&buys[..], &gets[..]) {
                let more = alike(&mut available, (*from, buy.quantity), (*of, get.quantity), times);
                times = times.saturating_sub(more);
                let sets = more.saturating_add(1);
                if from == of {
                    let acts =
                        [(buy.quantity, Act::Pass), (get.quantity, Act::Pick), (0, Act::Pass)];
                    takes.push((*from, Take { times: sets, acts }));
                } else {
                    let all = |quantity: u64, act| Take::once(quantity.saturating_mul(sets), act);
                    takes.push((*from, all(buy.quantity, Act::Pass)));
                    takes.push((*of, all(get.quantity, Act::Pick)));
                }
            } else {
                let once = |act| move |(row, units): &(usize, u64)| (*row, Take::once(*units, act));
                takes.extend(buys.iter().map(once(Act::Pass)));
                takes.extend(gets.iter().map(once(Act::Pick)));
            }
        }
        // Stable: within a row, in the order in which the sets took them.
        takes.sort_by_key(|(row, _)| *row);
        takes
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
