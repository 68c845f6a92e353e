//! The order in which units are picked: by the cart's price, of equals the earlier line's first.

use std::{cell::OnceCell, cmp::Reverse};

use super::rows::Rows;
use crate::campaign::discount::Pick;

/// The rows of a cart by price, put in order once and only when an offer picks.
#[derive(Default)]
pub(super) struct Orders {
    cheapest: OnceCell<Vec<usize>>,
    dearest: OnceCell<Vec<usize>>,
}

impl Orders {
    /// All rows, those to be picked first first.
    pub fn by(&self, pick: Pick, rows: &Rows) -> &[usize] {
        let price = |row: usize| rows.get(row).map_or(0, |row| row.price);
        let all = || (0..rows.len()).collect::<Vec<usize>>();
        match pick {
            Pick::Cheapest => self.cheapest.get_or_init(|| {
                let mut order = all();
                order.sort_unstable_by_key(|row| (price(*row), *row));
                order
            }),
            Pick::Dearest => self.dearest.get_or_init(|| {
                let mut order = all();
                order.sort_unstable_by_key(|row| (Reverse(price(*row)), *row));
                order
            }),
        }
    }

    /// The first of the target's rows that have units to pick, in the order of picking, until there are
    /// `at_least` such units; nothing when there are fewer.
    pub fn first_units(
        &self,
        rows: &mut Rows,
        target: &[usize],
        pick: Pick,
        at_least: u64,
    ) -> Option<Vec<usize>> {
        let mut within = vec![false; rows.len()];
        for row in target {
            if let Some(within) = within.get_mut(*row) {
                *within = true;
            }
        }
        // Nobody asks for the rows after those that have enough.
        let mut available = 0_u64;
        let mut first = Vec::new();
        for row in self.by(pick, rows) {
            if within.get(*row).copied().unwrap_or(false) {
                let units = rows.available(*row);
                if units > 0 {
                    first.push(*row);
                    available = available.saturating_add(units);
                }
                if available >= at_least {
                    return Some(first);
                }
            }
        }
        None
    }
}
