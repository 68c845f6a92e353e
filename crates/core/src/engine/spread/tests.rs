//! All of a small world, and the largest numbers.

use super::*;
use crate::campaign::{Mode, PercentBasis};

fn policy(remainder: Remainder, mode: Mode) -> Rounding {
    Rounding { percent_basis: PercentBasis::Order, mode, remainder }
}

/// Spreads over units of these prices and rooms.
fn over(sum: u64, units: &[(u64, u64)], rounding: Rounding) -> Vec<u64> {
    let takers = units.iter().map(|&(price, room)| Taker { count: 1, price, room });
    let mut got = Vec::new();
    spread(sum, takers, rounding, &mut got);
    got.iter().map(|got| got.sum(1)).collect()
}

/// The same, equal neighbours together.
fn over_groups(sum: u64, units: &[(u64, u64)], rounding: Rounding) -> Vec<u64> {
    let groups: Vec<Taker> = units
        .chunk_by(|left, right| left == right)
        .map(|group| Taker { count: group.len() as u64, price: group[0].0, room: group[0].1 })
        .collect();
    let mut got = Vec::new();
    spread(sum, groups.iter().copied(), rounding, &mut got);
    let mut shares = Vec::new();
    for (got, taker) in got.iter().zip(&groups) {
        let begin = shares.len();
        for (count, share) in got.members(taker, rounding.remainder) {
            shares.extend(std::iter::repeat_n(share, count as usize));
        }
        assert_eq!(shares[begin..].iter().sum::<u64>(), got.sum(taker.count));
    }
    shares
}

const ALL: [Remainder; 3] = [Remainder::Largest, Remainder::First, Remainder::Last];
const MODES: [Mode; 3] = [Mode::HalfUp, Mode::HalfEven, Mode::Down];

#[test]
fn the_shares_add_up_and_equal_neighbours_may_stand_together() {
    let kinds = [(0, 0), (1, 1), (3, 3), (3, 1), (7, 2), (7, 7)];
    for code in 0..kinds.len().pow(4) {
        let units: Vec<(u64, u64)> =
            (0_u32..4).map(|place| kinds[code / kinds.len().pow(place) % kinds.len()]).collect();
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
    let third = 666_666_666_666_666_666;
    assert_eq!(shares, [third, third + 1, third + 1]);
}
