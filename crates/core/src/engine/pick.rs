//! The order in which units are picked: by the cart's price, of equals the earlier line's first.

use std::cell::OnceCell;

use super::rows::Rows;
use crate::{campaign::discount::Pick, cart::LineSet};

/// The rows of a cart by price, put in order once and only when an offer picks.
#[derive(Default)]
pub(super) struct Orders {
    cheapest: OnceCell<Order>,
    dearest: OnceCell<Order>,
}

/// All rows, those to be picked first first.
struct Order {
    rows: Vec<usize>,
    /// The place of each row.
    places: Vec<usize>,
}

impl Order {
    fn new(rows: Vec<usize>) -> Self {
        let mut places = vec![0; rows.len()];
        for (place, row) in rows.iter().enumerate() {
            if let Some(of_row) = places.get_mut(*row) {
                *of_row = place;
            }
        }
        Self { rows, places }
    }
}

impl Orders {
    fn by(&self, pick: Pick, rows: &Rows) -> &Order {
        let cheapest = self.cheapest.get_or_init(|| {
            let prices: Vec<u64> = rows.iter().map(|row| row.price).collect();
            Order::new(ascending(&prices))
        });
        match pick {
            Pick::Cheapest => cheapest,
            Pick::Dearest => self.dearest.get_or_init(|| {
                // From the other end, but rows of one price in the cart's order.
                let price = |row: &usize| rows.get(*row).map(|row| row.price);
                let mut rows = Vec::with_capacity(cheapest.rows.len());
                for alike in cheapest.rows.chunk_by(|l, r| price(l) == price(r)).rev() {
                    rows.extend_from_slice(alike);
                }
                Order::new(rows)
            }),
        }
    }

    /// Goes along some of the rows in the order of picking.
    pub fn walk(&self, pick: Pick, rows: &Rows, among: impl Iterator<Item = usize>) -> Walk<'_> {
        let order = self.by(pick, rows);
        let mut places = LineSet::none_of(rows.len());
        among.for_each(|row| places.add(order.places.get(row).copied().unwrap_or(usize::MAX)));
        let mut walk = Walk { order, places, at: None };
        walk.go_to(0);
        walk
    }

    /// The first of some rows that have units to pick, in the order of picking, until there are
    /// `at_least` such units; nothing when there are fewer.
    pub fn first_units(
        &self,
        rows: &mut Rows,
        among: impl Iterator<Item = usize>,
        pick: Pick,
        at_least: u64,
    ) -> Option<Vec<usize>> {
        // Nobody asks for the rows after those that have enough.
        let mut available = 0_u64;
        let mut first = Vec::new();
        let mut walk = self.walk(pick, rows, among);
        while let Some(row) = walk.row() {
            let units = rows.available(row);
            if units > 0 {
                first.push(row);
                available = available.saturating_add(units);
            }
            if available >= at_least {
                return Some(first);
            }
            walk.pass();
        }
        None
    }
}

/// Goes along some rows in an order, as far as somebody asks.
pub(super) struct Walk<'o> {
    order: &'o Order,
    /// The rows' places in the order.
    places: LineSet,
    /// The place where one stands, and the row there.
    at: Option<(usize, usize)>,
}

impl Walk<'_> {
    /// Where one stands; nowhere at the end.
    pub fn row(&self) -> Option<usize> {
        Some(self.at?.1)
    }

    /// Goes on to the next row.
    pub fn pass(&mut self) {
        if let Some((place, _)) = self.at {
            self.go_to(place.saturating_add(1));
        }
    }

    /// Goes to the first row from a place on.
    fn go_to(&mut self, place: usize) {
        let place = self.places.next_from(place);
        self.at = place.and_then(|place| Some((place, *self.order.rows.get(place)?)));
    }
}

/// The places of numbers, the smallest number's first, those of equals in their order: sorted byte by byte,
/// from the lowest on, as far as there are any.
fn ascending(numbers: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    let mut sorted = vec![0; numbers.len()];
    let largest = numbers.iter().copied().max().unwrap_or(0);
    let mut shift = 0_u32;
    while largest.checked_shr(shift).unwrap_or(0) > 0 {
        let byte = |number: u64| usize::from(number.wrapping_shr(shift).to_le_bytes()[0]);
        // Where the numbers with each byte begin.
        let mut begins = [0_usize; 256];
        for number in numbers {
            if let Some(count) = begins.get_mut(byte(*number)) {
                *count = count.wrapping_add(1);
            }
        }
        let mut begin = 0_usize;
        for count in &mut begins {
            begin = begin.wrapping_add(std::mem::replace(count, begin));
        }
        for place in &order {
            let number = numbers.get(*place).copied().unwrap_or_default();
            if let Some(next) = begins.get_mut(byte(number)) {
                if let Some(sorted) = sorted.get_mut(*next) {
                    *sorted = *place;
                }
                *next = next.wrapping_add(1);
            }
        }
        std::mem::swap(&mut order, &mut sorted);
        shift = shift.wrapping_add(8);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_come_first_and_equals_in_their_order() {
        assert_eq!(ascending(&[]), [0_usize; 0]);
        assert_eq!(ascending(&[0, 0, 0]), [0, 1, 2]);
        assert_eq!(ascending(&[300, 5, 256, 5, 1]), [4, 1, 3, 2, 0]);
        let large = [u64::MAX, 1 << 40, 7, u64::MAX - 1, 1 << 40, 0];
        assert_eq!(ascending(&large), [5, 2, 1, 4, 3, 0]);
    }
}
