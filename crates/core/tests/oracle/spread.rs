//! Rounding, and spreading a sum over lines and a share over units.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use serde_json::Value;

use super::tab::{At, Tab, Take};

/// A campaign's rounding policy with nothing left out.
#[derive(Clone, Debug)]
pub struct Policy {
    pub percent_basis: String,
    pub mode: String,
    pub remainder: String,
    pub percent_of: String,
}

impl Policy {
    pub fn of(campaign: &Value) -> Policy {
        let or = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
        let rounding = &campaign["rounding"];
        //> optional; these are the defaults
        Policy {
            percent_basis: or(&rounding["percent_basis"], "line"),
            mode: or(&rounding["mode"], "half_up"),
            remainder: or(&rounding["remainder"], "largest"),
            percent_of: or(&campaign["percent_of"], "remaining"),
        }
    }
}

pub fn whole(number: i64) -> BigRational {
    BigRational::from_integer(BigInt::from(number))
}

fn to_i64(number: &BigRational) -> i64 {
    assert!(number.is_integer());
    number.to_integer().to_i64().unwrap()
}

fn half() -> BigRational {
    BigRational::new(BigInt::from(1), BigInt::from(2))
}

/// Rounds a number that is not negative.
pub fn round(number: &BigRational, mode: &str) -> i64 {
    let floor = number.floor();
    let part = number - &floor;
    let floor = to_i64(&floor);
    let odd = floor % 2;
    match mode {
        "half_up" => floor + i64::from(part >= half()),
        "half_even" => floor + i64::from(part > half() || (part == half() && odd == 1)),
        "half_down" => floor + i64::from(part > half()),
        "down" => floor,
        other => panic!("mode {other}"),
    }
}

/// One who shares in a sum: the price left of it, and how much of that it can give.
#[derive(Clone, Copy, Debug)]
struct Sharer {
    left: i64,
    room: i64,
}

/// Each sharer's part of `sum`.
fn shares(sum: i64, sharers: &[Sharer], policy: &Policy) -> Vec<i64> {
    let mut got = vec![0; sharers.len()];
    let mut rest = sum;
    let mut others: Vec<usize> = (0..sharers.len()).collect();

    //> Lines that cannot take their exact share (a floor) first get all they can, and the rest is spread once over the others
    let exact: Vec<BigRational> = loop {
        //> in proportion to the price left of each (not the room above its floor)
        let left: i64 = others.iter().map(|&i| sharers[i].left).sum();
        if left == 0 {
            //> the sum shrinks only when none can take more
            return got;
        }
        let exact: Vec<BigRational> =
            others.iter().map(|&i| whole(rest) * whole(sharers[i].left) / whole(left)).collect();
        let cannot: Vec<usize> = others
            .iter()
            .zip(&exact)
            .filter(|&(&i, share)| whole(sharers[i].room) < *share)
            .map(|(&i, _)| i)
            .collect();
        if cannot.is_empty() {
            break exact;
        }
        for i in cannot {
            got[i] = sharers[i].room;
            rest -= got[i];
            others.retain(|&other| other != i);
        }
    };

    // From here on each of the others can take its exact share; what is left to do is to make whole numbers of them.
    let rounded_by = match policy.remainder.as_str() {
        //> `"largest"` floors every share
        "largest" => "down",
        //> `"first"` rounds each share half down
        "first" => "half_down",
        //> `"last"` rounds each share by `mode`
        "last" => &policy.mode,
        other => panic!("remainder {other}"),
    };
    for (&i, share) in others.iter().zip(&exact) {
        got[i] = round(share, rounded_by);
    }
    let mut difference = rest - others.iter().map(|&i| got[i]).sum::<i64>();

    let turns: Vec<usize> = match policy.remainder.as_str() {
        "largest" => {
            //> gives the left-over minor units to the largest fractional parts first, ties to the earlier line
            let mut by_part: Vec<(usize, BigRational)> =
                others.iter().zip(&exact).map(|(&i, share)| (i, share - share.floor())).collect();
            by_part.sort_by(|(i, one), (j, other)| other.cmp(one).then(i.cmp(j)));
            by_part.into_iter().map(|(i, _)| i).collect()
        }
        //> lets the earliest lines take the difference one unit each
        "first" => others.clone(),
        //> lets the last line take the difference […] (`last`: to the line before)
        "last" => others.iter().rev().copied().collect(),
        other => panic!("remainder {other}"),
    };
    for i in turns {
        let most = if policy.remainder == "last" { i64::MAX } else { 1 };
        //> Whoever takes a difference takes it as far as it can without going below zero or beyond what it has left
        let taken = if difference >= 0 {
            difference.min(most).min(sharers[i].room - got[i])
        } else {
            difference.max(-most).max(-got[i])
        };
        //> what it cannot take goes to the next
        got[i] += taken;
        difference -= taken;
    }
    //> The shares always add up to the sum.
    assert_eq!(difference, 0, "{sum} over {sharers:?} by {policy:?} gives {got:?}");
    got
}

/// The units of a selection by thing, both in cart order.
pub fn by_thing(selection: &[At]) -> Vec<Vec<At>> {
    let mut sorted = selection.to_vec();
    sorted.sort();
    sorted.chunk_by(|one, other| one.thing == other.thing).map(<[At]>::to_vec).collect()
}

fn sharer(tab: &Tab, units: &[At]) -> Sharer {
    Sharer {
        left: units.iter().map(|&at| tab.unit(at).left).sum(),
        room: units.iter().map(|&at| tab.unit(at).room()).sum(),
    }
}

//> **Spreading a sum over lines**
pub fn over_lines(tab: &Tab, selection: &[At], sum: i64, policy: &Policy) -> Vec<Take> {
    let lines = by_thing(selection);
    let sharers: Vec<Sharer> = lines.iter().map(|units| sharer(tab, units)).collect();
    let mut takes = Vec::new();
    for (units, share) in lines.iter().zip(shares(sum, &sharers, policy)) {
        takes.extend(over_units(tab, units, share));
    }
    takes
}

/// As [`over_lines`], with every unit by itself.
//> each set's saving is spread over its units
pub fn over_single_units(tab: &Tab, selection: &[At], sum: i64, policy: &Policy) -> Vec<Take> {
    let mut units = selection.to_vec();
    units.sort();
    let sharers: Vec<Sharer> = units.iter().map(|&at| sharer(tab, &[at])).collect();
    units
        .iter()
        .zip(shares(sum, &sharers, policy))
        .map(|(&at, amount)| Take { at, amount })
        .collect()
}

//> A share of a line goes over its units in equal parts, as far as each can take it, its first units taking the odd minor units
pub fn over_units(tab: &Tab, units: &[At], share: i64) -> Vec<Take> {
    let mut takes: Vec<Take> = units.iter().map(|&at| Take { at, amount: 0 }).collect();
    let mut rest = share;
    while rest > 0 {
        let can: Vec<usize> =
            (0..takes.len()).filter(|&i| takes[i].amount < tab.unit(takes[i].at).room()).collect();
        assert!(!can.is_empty(), "a line was given more than its units can take");
        let each = rest / i64::try_from(can.len()).unwrap();
        if each == 0 {
            for &i in can.iter().take(usize::try_from(rest).unwrap()) {
                takes[i].amount += 1;
            }
            return takes;
        }
        // Equal parts, until the first of them is full.
        let until_full =
            can.iter().map(|&i| tab.unit(takes[i].at).room() - takes[i].amount).min().unwrap();
        for i in can {
            takes[i].amount += each.min(until_full);
            rest -= each.min(until_full);
        }
    }
    takes
}
