//! Handing out whole minor units in equal parts to takers of different room.
//!
//! One rule serves the units of a line ("in equal parts, as far as each can take it, its first units
//! taking the odd minor units") and the lines that take a difference one unit each, round after round:
//! everyone gets the same, up to his room, and what is then left over is one each for the first who
//! have room for it.

/// Some takers of equal room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Takers {
    /// How much each can take.
    pub room: u64,
    /// How many there are.
    pub count: u64,
}

/// Everyone gets `each`, or his room when that is less; `odd` of those with more room get one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub each: u64,
    pub odd: u64,
}

/// The level at which takers take `sum` together, or all they can when that is less. The order of the
/// takers is lost.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the rooms and counts are those of a cart, whose products and sums fit 63 bits; `need` \
              is at most `rest` where it is subtracted, and `count` is not 0 where it divides"
)]
pub(super) fn level(takers: &mut [Takers], sum: u64) -> Level {
    takers.sort_unstable_by_key(|takers| takers.room);
    let mut count: u64 = takers.iter().map(|takers| takers.count).sum();
    let mut rest = sum;
    let mut each = 0;
    for takers in takers.iter() {
        // Raising the level to this room costs that much of everyone who is still at the level.
        let need = (takers.room - each).saturating_mul(count);
        if need > rest {
            break;
        }
        rest -= need;
        each = takers.room;
        count -= takers.count;
    }
    if count == 0 {
        return Level { each, odd: 0 };
    }
    Level { each: each + rest / count, odd: rest % count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rooms: &[(u64, u64)], sum: u64) -> (u64, u64) {
        let mut takers: Vec<Takers> =
            rooms.iter().map(|&(room, count)| Takers { room, count }).collect();
        let level = level(&mut takers, sum);
        (level.each, level.odd)
    }

    #[test]
    fn everyone_takes_the_same_while_there_is_room() {
        assert_eq!(of(&[(10, 3)], 7), (2, 1));
        assert_eq!(of(&[(10, 3)], 30), (10, 0));
    }

    #[test]
    fn what_one_cannot_take_the_others_take() {
        assert_eq!(of(&[(10, 2), (1, 1)], 10), (4, 1));
        assert_eq!(of(&[(0, 5), (3, 2), (9, 1)], 8), (2, 2));
        assert_eq!(of(&[(0, 5), (3, 2), (9, 1)], 10), (4, 0));
    }

    #[test]
    fn more_than_all_can_take_is_all_they_can() {
        assert_eq!(of(&[(2, 1), (5, 1)], 100), (5, 0));
        assert_eq!(of(&[], 5), (0, 0));
    }
}
