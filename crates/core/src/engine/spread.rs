//! Spreading a sum over takers: in proportion to the price left of each, by the campaign's remainder
//! rule, none beyond what can be taken of it.
//!
//! The takers are lines, or, for a bundle, the units of a set; equal neighbours stand together as one
//! [`Taker`], so that a set of a million units is spread over as quickly as one of two. The shares
//! always add up to the sum, or, when the takers cannot take that much together, to all they can take.
//!
//! Whoever cannot take his exact share gets all he can, until everyone who is left can take his exact
//! share of the rest; that rest is then rounded once. So a rounded share never passes what its taker
//! can take by more than the rounding, and one round is enough to deal out a difference: at least as
//! many takers were rounded the other way as there are minor units to deal, and each of them can take
//! one (or has one to give back).
//!
//! Proportions are exact, `sum × price ÷ prices` as quotient and rest, never a fraction; in 64 bits
//! while the factors have 32, which is every real tab, else in 128.

use std::cmp::Reverse;

use crate::campaign::{Mode, Remainder, Rounding, percent::rounds_up};

/// Neighbours that are alike: what is left of the price of each, and how much of that can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taker {
    pub count: u64,
    pub price: u64,
    pub room: u64,
}

/// So many neighbours and the share of each.
pub(super) type Shares = (u64, u64);

/// A taker that takes part, and what each of its members gets.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its place among the takers.
    place: usize,
    taker: Taker,
    share: u64,
    rest: u64,
    /// What the members get: the first ones, a single one, the last ones.
    gets: [Shares; 3],
}

impl Part {
    fn all_get(&mut self, share: u64) {
        self.gets = [(self.taker.count, share), (0, 0), (0, 0)];
    }

    /// The first members get one share and the others another.
    fn first_get(&mut self, first: u64, share: u64, others: u64) {
        let rest = self.taker.count.saturating_sub(first);
        self.gets = [(first, share), (0, 0), (rest, others)];
    }
}

/// Spreads a sum over takers, and hands out what the members of each get: those of one taker in their
/// order, the takers in any.
pub(super) fn spread(
    sum: u64,
    takers: impl Iterator<Item = Taker> + Clone,
    rounding: Rounding,
    mut gets: impl FnMut(usize, [Shares; 3]),
) {
    let (mut room, mut prices, mut short) = (0_u64, 0_u64, false);
    for taker in takers.clone() {
        room = room.saturating_add(taker.count.saturating_mul(taker.room));
        prices = prices.saturating_add(taker.count.saturating_mul(taker.price));
        short |= taker.room < taker.price;
    }
    let mut sum = sum.min(room);
    if sum == 0 {
        return;
    }
    let mut parts: Vec<Part> = Vec::with_capacity(takers.size_hint().0);
    for (place, taker) in takers.enumerate() {
        if taker.room > 0 {
            let gets = [(taker.count, taker.room), (0, 0), (0, 0)];
            parts.push(Part { place, taker, share: 0, rest: 0, gets });
        } else {
            prices = prices.saturating_sub(taker.count.saturating_mul(taker.price));
        }
    }
    let mut open = &mut parts[..];
    if sum == room {
        open = &mut [];
    } else if short {
        open = set_aside(open, &mut sum, &mut prices);
    }
    for part in open.iter_mut() {
        (part.share, part.rest) = proportion(sum, part.taker.price, prices);
    }
    match rounding.remainder {
        Remainder::Largest => largest(open, sum),
        Remainder::First => first(open, sum, prices),
        Remainder::Last => last(open, sum, prices, rounding.mode),
    }
    for part in parts {
        gets(part.place, part.gets);
    }
}

/// Sets aside whoever cannot take his exact share, with all he can take, and says who is left.
fn set_aside<'p>(parts: &'p mut [Part], sum: &mut u64, prices: &mut u64) -> &'p mut [Part] {
    // Once somebody is set aside the others' shares grow, so nobody comes back: asked in the order in
    // which they run short, everyone is asked once.
    let nobody_short = parts.iter().all(|part| !exceeds(*sum, &part.taker, *prices));
    if nobody_short {
        return parts;
    }
    parts.sort_unstable_by(|left, right| {
        let cross =
            |a: &Part, b: &Part| u128::from(a.taker.room).wrapping_mul(b.taker.price.into());
        cross(left, right).cmp(&cross(right, left))
    });
    let mut aside = 0_usize;
    for part in parts.iter() {
        if !exceeds(*sum, &part.taker, *prices) {
            break;
        }
        let Taker { count, price, room } = part.taker;
        *sum = sum.saturating_sub(count.saturating_mul(room));
        *prices = prices.saturating_sub(count.saturating_mul(price));
        aside = aside.saturating_add(1);
    }
    let (_, open) = parts.split_at_mut_checked(aside).unwrap_or_default();
    open.sort_unstable_by_key(|part| part.place);
    open
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

/// Whether `sum × price ÷ prices`, the exact share, is more than there is room.
fn exceeds(sum: u64, taker: &Taker, prices: u64) -> bool {
    let Taker { price, room, .. } = *taker;
    if room >= price {
        return false;
    }
    if (sum | price | room | prices) >> 32 == 0 {
        sum.wrapping_mul(price) > room.wrapping_mul(prices)
    } else {
        u128::from(sum).wrapping_mul(price.into()) > u128::from(room).wrapping_mul(prices.into())
    }
}

/// What all shares add up to.
fn shared(parts: &[Part]) -> u64 {
    let shares = parts.iter().map(|part| part.taker.count.saturating_mul(part.share));
    shares.fold(0, u64::saturating_add)
}

/// Every share floored; what is left over goes to the largest fractional parts first, of equals to the
/// earlier.
fn largest(parts: &mut [Part], sum: u64) {
    let mut over = sum.saturating_sub(shared(parts));
    let single = parts.iter().all(|part| part.taker.count == 1);
    let key = |part: &Part| (Reverse(part.rest), part.place);
    match usize::try_from(over) {
        // One each for the first so many: the order among them is of no matter.
        Ok(over) if single && over < parts.len() => {
            parts.select_nth_unstable_by_key(over, key);
        }
        _ => parts.sort_unstable_by_key(key),
    }
    for part in parts {
        let first = over.min(part.taker.count);
        over = over.saturating_sub(first);
        part.first_get(first, part.share.saturating_add(1), part.share);
    }
}

/// Every share rounded, a half down; the earliest take the difference one unit each.
fn first(parts: &mut [Part], sum: u64, prices: u64) {
    for part in parts.iter_mut() {
        let up = part.rest > prices.saturating_sub(part.rest);
        part.share = part.share.saturating_add(u64::from(up));
    }
    let shared = shared(parts);
    let mut missing = sum.saturating_sub(shared);
    let mut excess = shared.saturating_sub(sum);
    for part in parts {
        let Part { taker, share, .. } = *part;
        if missing > 0 && share < taker.room {
            let first = missing.min(taker.count);
            missing = missing.saturating_sub(first);
            part.first_get(first, share.saturating_add(1), share);
        } else if excess > 0 && share > 0 {
            let first = excess.min(taker.count);
            excess = excess.saturating_sub(first);
            part.first_get(first, share.saturating_sub(1), share);
        } else {
            part.all_get(share);
        }
    }
}

/// Every share rounded by the campaign's mode; the last takes the difference, as far as it can, and
/// then the one before.
fn last(parts: &mut [Part], sum: u64, prices: u64, mode: Mode) {
    for part in parts.iter_mut() {
        let up = rounds_up(mode, part.share, part.rest, prices);
        part.share = part.share.saturating_add(u64::from(up));
    }
    let shared = shared(parts);
    let mut missing = sum.saturating_sub(shared);
    let mut excess = shared.saturating_sub(sum);
    for part in parts.iter_mut().rev() {
        let Part { taker, share, .. } = *part;
        // How much each member can take or give back, and what it then has.
        let (difference, each, end) = if missing > 0 {
            (&mut missing, taker.room.saturating_sub(share), taker.room)
        } else {
            (&mut excess, share, 0)
        };
        let Some(whole) = difference.checked_div(each) else {
            part.all_get(share);
            continue;
        };
        let whole = whole.min(taker.count);
        *difference = difference.saturating_sub(whole.saturating_mul(each));
        let rest = if whole < taker.count { std::mem::take(difference) } else { 0 };
        let one = u64::from(rest > 0);
        let partly = if end == 0 { share.saturating_sub(rest) } else { share.saturating_add(rest) };
        let unchanged = taker.count.saturating_sub(whole).saturating_sub(one);
        part.gets = [(unchanged, share), (one, partly), (whole, end)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::PercentBasis;

    fn policy(remainder: Remainder, mode: Mode) -> Rounding {
        Rounding { percent_basis: PercentBasis::Order, mode, remainder }
    }

    /// Spreads over units of these prices and rooms.
    fn over(sum: u64, units: &[(u64, u64)], rounding: Rounding) -> Vec<u64> {
        let takers = units.iter().map(|&(price, room)| Taker { count: 1, price, room });
        let mut shares = vec![0; units.len()];
        spread(sum, takers, rounding, |place, gets| {
            shares[place] = gets.into_iter().find(|(count, _)| *count > 0).unwrap().1;
        });
        shares
    }

    /// The same, equal neighbours together.
    fn over_groups(sum: u64, units: &[(u64, u64)], rounding: Rounding) -> Vec<u64> {
        let groups: Vec<Taker> = units
            .chunk_by(|left, right| left == right)
            .map(|group| Taker { count: group.len() as u64, price: group[0].0, room: group[0].1 })
            .collect();
        let mut shares = vec![Vec::new(); groups.len()];
        spread(sum, groups.iter().copied(), rounding, |place, gets| {
            for (count, share) in gets {
                shares[place].extend(std::iter::repeat_n(share, count as usize));
            }
        });
        for (shares, group) in shares.iter_mut().zip(&groups) {
            shares.resize(group.count as usize, 0);
        }
        shares.concat()
    }

    const ALL: [Remainder; 3] = [Remainder::Largest, Remainder::First, Remainder::Last];
    const MODES: [Mode; 3] = [Mode::HalfUp, Mode::HalfEven, Mode::Down];

    #[test]
    fn the_shares_add_up_and_equal_neighbours_may_stand_together() {
        // A small world, all of it: four takers of few prices and rooms.
        let kinds = [(0, 0), (1, 1), (3, 3), (3, 1), (7, 2), (7, 7)];
        for code in 0..kinds.len().pow(4) {
            let units: Vec<(u64, u64)> = (0_u32..4)
                .map(|place| kinds[code / kinds.len().pow(place) % kinds.len()])
                .collect();
            let room: u64 = units.iter().map(|unit| unit.1).sum();
            for sum in 0..=room + 1 {
                for (remainder, mode) in ALL.iter().flat_map(|r| MODES.map(|m| (*r, m))) {
                    let shares = over(sum, &units, policy(remainder, mode));
                    assert_eq!(shares.iter().sum::<u64>(), sum.min(room), "{units:?}");
                    for (share, unit) in shares.iter().zip(&units) {
                        assert!(*share <= unit.1, "{sum} over {units:?} by {remainder:?}");
                    }
                    assert_eq!(shares, over_groups(sum, &units, policy(remainder, mode)));
                }
            }
        }
    }

    #[test]
    fn who_runs_short_because_another_did_gets_all_he_can_too() {
        let units = [(10_000, 1000), (4000, 1000), (3000, 3000), (1000, 1000)];
        for remainder in ALL {
            let shares = over(3600, &units, policy(remainder, Mode::HalfUp));
            assert_eq!(shares, [1000, 1000, 1200, 400]);
        }
    }

    #[test]
    fn the_largest_sums_are_spread_exactly() {
        let big = 1_000_000_000_000_000_000;
        let units = [(big, big), (big, big), (big, big - 1)];
        let shares = over(2 * big, &units, policy(Remainder::First, Mode::HalfUp));
        assert_eq!(
            shares,
            [666_666_666_666_666_666, 666_666_666_666_666_667, 666_666_666_666_666_667]
        );
    }
}
