//! Units that are kept one by one, because they are few and differ: which of them a discount is on, as bits,
//! and how they take a share.

use crate::engine::level::{Level, Takers, level};

/// Up to so many units are few.
pub(super) const FEW: u64 = 16;

/// Whether the discount is on a unit.
pub(super) fn has(marks: u16, place: usize) -> bool {
    marks & bit(place) != 0
}

/// The bit of a unit.
pub(super) fn bit(place: usize) -> u16 {
    // INVARIANT: few units are at most 16.
    1_u16.wrapping_shl(u32::try_from(place).unwrap_or_default())
}

/// The quotient and the rest; a divisor of 0 counts as 1.
#[expect(clippy::arithmetic_side_effects, reason = "the divisor is not 0")]
pub(super) fn divide(share: u64, count: u64) -> (u64, u64) {
    let count = count.max(1);
    (share / count, share % count)
}

/// Takes a share off few units, in equal parts.
pub(super) fn lose_all(units: &mut [u64], floor: u64, share: u64) {
    let (each, odd) = divide(share, units.len() as u64);
    let most = floor.wrapping_add(each).wrapping_add(u64::from(odd > 0));
    if units.iter().any(|left| *left < most) {
        return lose_level(units, |_| true, floor, share);
    }
    // Nobody is short of room: the common case needs no list.
    let mut odd = odd;
    for left in units {
        let one = u64::from(odd > 0);
        odd = odd.wrapping_sub(one);
        *left = left.wrapping_sub(each).wrapping_sub(one);
    }
}

/// Takes a share off the marked ones of few units, in equal parts.
pub(super) fn lose_marked(units: &mut [u64], marks: u16, floor: u64, share: u64) {
    if marks.count_ones() > 1 {
        return lose_level(units, |place| has(marks, place), floor, share);
    }
    let place = usize::try_from(marks.trailing_zeros()).unwrap_or_default();
    if let Some(unit) = units.get_mut(place) {
        *unit = unit.saturating_sub(share);
    }
}

/// Takes a share off some of few units, in equal parts as far as each can take it.
fn lose_level(units: &mut [u64], on: impl Fn(usize) -> bool, floor: u64, share: u64) {
    let chosen = units.iter().enumerate().filter(|(place, _)| on(*place));
    let takers = chosen.map(|(_, left)| Takers { room: left.saturating_sub(floor), count: 1 });
    let Level { each, mut odd } = level(&mut takers.collect::<Vec<_>>(), share);
    for (_, left) in units.iter_mut().enumerate().filter(|(place, _)| on(*place)) {
        let room = left.saturating_sub(floor);
        let one = u64::from(odd > 0 && room > each);
        odd = odd.wrapping_sub(one);
        *left = left.wrapping_sub(each.min(room)).wrapping_sub(one);
    }
}
