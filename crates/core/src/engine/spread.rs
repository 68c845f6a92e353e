//! Spreading a sum over takers: in proportion to the price left of each, by the campaign's remainder
//! rule, none beyond what can be taken of it.
//!
//! The takers are lines, or, for a bundle, the units of a set; equal neighbours stand together as one
//! [`Taker`], so that a set of a million units is spread over as quickly as one of two. The shares
//! always add up to the sum, or, when the takers cannot take that much together, to all they can take.
//!
//! Whoever cannot take his exact share gets all he can, until everyone who is left can take his exact
//! share of the rest; that rest is then rounded once. So a rounded share passes what its taker can take
//! by no more than the rounding, and one round is enough to deal out a difference: at least as many
//! takers were rounded the other way as there are minor units to deal, and each of them can take one
//! (or has one to give back).
//!
//! Proportions are exact, `sum × price ÷ prices` as quotient and rest, never a fraction; in 64 bits
//! while the factors have 32, which is every real tab, else in 128.

use std::cmp::Reverse;

use crate::campaign::{Remainder, Rounding, percent::rounds_up};

/// Neighbours that are alike: what is left of the price of each, and how much of that can be taken.
///
/// INVARIANT: what all takers have together fits 63 bits, as everything of a sound cart does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taker {
    pub count: u64,
    pub price: u64,
    pub room: u64,
}

/// What neighbours that are alike get: each of them a share, and then one minor unit more or less for
/// some of them, as [`Got::members`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Got {
    each: u64,
    /// How many minor units more they get together.
    more: u64,
    /// How many less.
    less: u64,
    /// What was left of the division.
    rest: u64,
}

impl Got {
    fn each(each: u64, rest: u64) -> Self {
        Self { each, more: 0, less: 0, rest }
    }

    /// What they get together.
    pub fn sum(&self, count: u64) -> u64 {
        self.each.wrapping_mul(count).wrapping_add(self.more).wrapping_sub(self.less)
    }

    /// What each gets, in their order: so many and the share of each.
    pub fn members(&self, taker: &Taker, remainder: Remainder) -> [(u64, u64); 3] {
        let (count, each) = (taker.count, self.each);
        if remainder != Remainder::Last {
            let first = self.more.saturating_add(self.less);
            let share = if self.more > 0 { each.saturating_add(1) } else { each.saturating_sub(1) };
            return [(first, share), (count.saturating_sub(first), each), (0, 0)];
        }
        // The last takes as far as it can, then the one before.
        let (difference, reach, end) = if self.more > 0 {
            (self.more, taker.room.saturating_sub(each), taker.room)
        } else {
            (self.less, each, 0)
        };
        let (Some(whole), Some(rest)) =
            (difference.checked_div(reach), difference.checked_rem(reach))
        else {
            return [(count, each), (0, 0), (0, 0)];
        };
        let one = u64::from(rest > 0);
        let partly =
            if self.more > 0 { each.saturating_add(rest) } else { each.saturating_sub(rest) };
        [(count.saturating_sub(whole).saturating_sub(one), each), (one, partly), (whole, end)]
    }
}

/// Spreads a sum over takers, and says how much of it they take; what they get comes in their order.
pub(super) fn spread(
    sum: u64,
    takers: impl DoubleEndedIterator<Item = Taker> + ExactSizeIterator + Clone,
    rounding: Rounding,
    got: &mut Vec<Got>,
) -> u64 {
    got.clear();
    let (mut room, mut prices, mut short) = (0_u64, 0_u64, false);
    for taker in takers.clone() {
        room = room.wrapping_add(taker.count.wrapping_mul(taker.room));
        prices = prices.wrapping_add(taker.count.wrapping_mul(taker.price));
        short |= taker.room < taker.price;
    }
    if sum >= room {
        got.extend(takers.map(|taker| Got::each(taker.room, 0)));
        return room;
    }
    let mut open = Open { sum, prices, aside: Vec::new() };
    if short {
        open.set_aside(takers.clone());
    }
    let Rounding { mode, remainder, .. } = rounding;
    let prices = open.prices;
    let shared = match remainder {
        Remainder::Largest => open.share(takers.clone(), got, |_, _| false),
        Remainder::First => {
            open.share(takers.clone(), got, |_, rest| rest > prices.wrapping_sub(rest))
        }
        Remainder::Last => open
            .share(takers.clone(), got, |quotient, rest| rounds_up(mode, quotient, rest, prices)),
    };
    let (missing, excess) = (open.sum.saturating_sub(shared), shared.saturating_sub(open.sum));
    if missing == 0 && excess == 0 {
        return sum;
    }
    match remainder {
        Remainder::Largest => largest(missing, prices, takers, got),
        Remainder::First => first(missing, excess, takers, &open, got),
        Remainder::Last => last(missing, excess, takers, &open, got),
    }
    sum
}

/// Who is left to be spread over.
struct Open {
    /// What is left of the sum.
    sum: u64,
    /// The prices left of them together.
    prices: u64,
    /// Whether each taker has got all he can already; empty when nobody has.
    aside: Vec<bool>,
}

impl Open {
    fn is_aside(&self, place: usize) -> bool {
        self.aside.get(place).copied().unwrap_or(false)
    }

    /// Sets aside whoever cannot take his exact share.
    fn set_aside(&mut self, takers: impl Iterator<Item = Taker> + Clone) {
        if !takers.clone().any(|taker| self.exceeds(&taker)) {
            return;
        }
        // Once somebody is set aside the others' shares grow, so nobody comes back: asked in the order
        // in which they run short, everyone is asked once.
        let places = takers.clone().count();
        self.aside = vec![false; places];
        let short = takers.enumerate().filter(|(_, taker)| taker.room < taker.price);
        let mut in_order: Vec<(usize, Taker)> = short.collect();
        in_order.sort_unstable_by(|(_, left), (_, right)| {
            let cross = |a: &Taker, b: &Taker| u128::from(a.room).wrapping_mul(b.price.into());
            cross(left, right).cmp(&cross(right, left))
        });
        for (place, taker) in in_order {
            if !self.exceeds(&taker) {
                break;
            }
            self.sum = self.sum.saturating_sub(taker.count.wrapping_mul(taker.room));
            self.prices = self.prices.saturating_sub(taker.count.wrapping_mul(taker.price));
            if let Some(aside) = self.aside.get_mut(place) {
                *aside = true;
            }
        }
    }

    /// Gives each taker his exact share, rounded as `up` says of its quotient and rest, and says how much
    /// those get together who are not set aside.
    fn share(
        &self,
        takers: impl Iterator<Item = Taker>,
        got: &mut Vec<Got>,
        up: impl Fn(u64, u64) -> bool,
    ) -> u64 {
        let mut shared = 0_u64;
        let mut share = |taker: Taker| {
            let (quotient, rest) = proportion(self.sum, taker.price, self.prices);
            let each = quotient.wrapping_add(u64::from(up(quotient, rest)));
            shared = shared.wrapping_add(each.wrapping_mul(taker.count));
            Got::each(each, rest)
        };
        if self.aside.is_empty() {
            got.extend(takers.map(share));
        } else {
            let all = |taker: Taker| Got::each(taker.room, 0);
            let takers = takers.zip(&self.aside);
            got.extend(takers.map(|(taker, aside)| if *aside { all(taker) } else { share(taker) }));
        }
        shared
    }

    /// Whether a taker's exact share, `sum × price ÷ prices`, is more than he has room for.
    fn exceeds(&self, taker: &Taker) -> bool {
        let Taker { price, room, .. } = *taker;
        let Self { sum, prices, .. } = *self;
        if room >= price {
            false
        } else if (sum | price | room | prices) >> 32 == 0 {
            sum.wrapping_mul(price) > room.wrapping_mul(prices)
        } else {
            let wide = |a: u64, b: u64| u128::from(a).wrapping_mul(b.into());
            wide(sum, price) > wide(room, prices)
        }
    }
}

/// `sum × price ÷ prices` and what is left of the division.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the products are of two 32-bit or two 64-bit numbers in twice the bits, and the divisor \
              is not 0"
)]
fn proportion(sum: u64, price: u64, prices: u64) -> (u64, u64) {
    let prices = prices.max(1);
    if (sum | price) >> 32 == 0 {
        let product = sum * price;
        (product / prices, product % prices)
    } else {
        let (product, prices) = (u128::from(sum) * u128::from(price), u128::from(prices));
        // The price is at most the prices, so the quotient is at most the sum.
        ((product / prices) as u64, (product % prices) as u64)
    }
}

/// What is left over goes to the largest fractional parts first, of equals to the earlier.
fn largest(
    missing: u64,
    prices: u64,
    takers: impl Iterator<Item = Taker> + Clone,
    got: &mut [Got],
) {
    let single = takers.clone().all(|taker| taker.count == 1);
    match usize::try_from(missing) {
        Ok(missing) if single => largest_single(missing, prices, got),
        _ => largest_of_groups(missing, takers, got),
    }
}

/// One each for the first so many: what matters is the fraction of the last of them, and not the order.
fn largest_single(missing: usize, prices: u64, got: &mut [Got]) {
    // The fractions in heaps by their highest bits: only the heap that the last one is in is put in order.
    const HEAPS: usize = 64;
    let shift = u64::BITS.saturating_sub(prices.leading_zeros()).saturating_sub(HEAPS.ilog2());
    // A fraction is less than the prices, so that no bit is lost.
    let heap = |got: &Got| got.rest.wrapping_shr(shift) as usize % HEAPS;
    let mut counts = [0_usize; HEAPS];
    for got in got.iter() {
        if let Some(count) = counts.get_mut(heap(got)) {
            *count = count.wrapping_add(1);
        }
    }
    let mut missing = missing;
    let mut last = HEAPS.wrapping_sub(1);
    while let Some(count) = counts.get(last).filter(|count| missing > **count) {
        missing = missing.wrapping_sub(*count);
        last = last.wrapping_sub(1);
    }
    let in_heap = got.iter().filter(|got| heap(got) == last);
    let mut rests: Vec<u64> = in_heap.map(|got| got.rest).collect();
    rests.sort_unstable_by_key(|rest| Reverse(*rest));
    let Some(threshold) = missing.checked_sub(1).and_then(|place| rests.get(place)) else {
        return;
    };
    let larger = rests.iter().take_while(|rest| *rest > threshold).count();
    let mut equal = missing.saturating_sub(larger);
    for got in got {
        if got.rest > *threshold {
            got.more = 1;
        } else if got.rest == *threshold && equal > 0 {
            got.more = 1;
            equal = equal.saturating_sub(1);
        }
    }
}

fn largest_of_groups(missing: u64, takers: impl Iterator<Item = Taker>, got: &mut [Got]) {
    let mut missing = missing;
    let groups = takers.zip(got.iter()).enumerate();
    let mut by_fraction: Vec<(Reverse<u64>, usize, u64)> =
        groups.map(|(place, (taker, got))| (Reverse(got.rest), place, taker.count)).collect();
    by_fraction.sort_unstable();
    for (_, place, count) in by_fraction {
        if let Some(got) = got.get_mut(place) {
            got.more = missing.min(count);
            missing = missing.saturating_sub(got.more);
        }
    }
}

/// The earliest take the difference, one unit each.
fn first(
    missing: u64,
    excess: u64,
    takers: impl Iterator<Item = Taker>,
    open: &Open,
    got: &mut [Got],
) {
    let (mut missing, mut excess) = (missing, excess);
    for (place, (taker, got)) in takers.zip(got.iter_mut()).enumerate() {
        if open.is_aside(place) {
            continue;
        }
        if missing > 0 && got.each < taker.room {
            got.more = missing.min(taker.count);
            missing = missing.saturating_sub(got.more);
        } else if excess > 0 && got.each > 0 {
            got.less = excess.min(taker.count);
            excess = excess.saturating_sub(got.less);
        }
        if missing == 0 && excess == 0 {
            return;
        }
    }
}

/// The last takes the difference as far as it can, and then the one before.
fn last(
    missing: u64,
    excess: u64,
    takers: impl DoubleEndedIterator<Item = Taker> + ExactSizeIterator,
    open: &Open,
    got: &mut [Got],
) {
    let (mut missing, mut excess) = (missing, excess);
    for (place, (taker, got)) in takers.zip(got.iter_mut()).enumerate().rev() {
        if open.is_aside(place) {
            continue;
        }
        let reach = taker.room.saturating_sub(got.each);
        got.more = missing.min(reach.wrapping_mul(taker.count));
        missing = missing.saturating_sub(got.more);
        got.less = excess.min(got.each.wrapping_mul(taker.count));
        excess = excess.saturating_sub(got.less);
        if missing == 0 && excess == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
