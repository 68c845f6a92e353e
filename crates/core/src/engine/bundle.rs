//! Bundles: each set for one price, its saving spread over its units.
//!
//! A set's parts take their units in document order, each the dearest matching; its saving is spread
//! over the units one by one (and not line by line), in the cart's order. While every part takes
//! from one line, and from units of one price left, the next set is the same and is formed at once; any
//! other set uses up a line or a run of equal units, so the work grows with those and not with the
//! quantities. Units of a set are neighbours in their line, because a set is complete before the next
//! one takes.

use super::{
    EngineError,
    apply::{Application, Off},
    pick::Walk,
    row::Supply,
    rows::{MOST_RUNS, Rows},
    spread::{Got, Taker, spread},
    tape::{Act, Take},
};
use crate::{
    campaign::discount::{Part, Pick},
    cart::LineSet,
};

/// What is left to be bundled of one row.
struct Store<'r> {
    supply: Supply<'r>,
    /// Units not taken yet.
    available: u64,
    /// Those of them in the group that is at the front, and what is left of each.
    group: (u64, u64),
}

/// What is left to be bundled of the rows that were looked at so far: a bundle may need few of many.
struct Stores<'r> {
    rows: &'r Rows,
    stores: Vec<Option<Store<'r>>>,
}

impl<'r> Stores<'r> {
    fn get(&mut self, row: usize) -> Option<&mut Store<'r>> {
        let store = self.stores.get_mut(row)?;
        if store.is_none() {
            let supply = self.rows.supply(row)?;
            let available = supply.available();
            *store = Some(Store { supply, available, group: (0, 0) });
        }
        store.as_mut()
    }
}

impl Store<'_> {
    /// Takes what a set takes of this row, as groups of equal units.
    fn take(&mut self, share: &Share, taken: &mut Vec<(usize, Taker)>) -> Result<(), EngineError> {
        let mut rest = share.units;
        while rest > 0 {
            if self.group.0 == 0 {
                let Some(group) = self.supply.next() else {
                    return Ok(());
                };
                self.group = group;
                if taken.len() > MOST_RUNS {
                    return Err(EngineError::TooManyUnits);
                }
            }
            let (in_group, price) = self.group;
            let count = rest.min(in_group);
            let room = price.saturating_sub(self.supply.floor());
            taken.push((share.row, Taker { count, price, room }));
            self.group.0 = in_group.saturating_sub(count);
            self.available = self.available.saturating_sub(count);
            rest = rest.saturating_sub(count);
        }
        Ok(())
    }
}

/// What a set takes of one row.
#[derive(Clone, Copy)]
struct Share {
    row: usize,
    units: u64,
}

/// All sets of a bundle.
#[derive(Default)]
struct Sets {
    /// What happens to the units of each row in turn.
    takes: Vec<(usize, Take)>,
    /// What each row loses, as the sets have it.
    losses: Vec<(usize, u64)>,
    total: u64,
    /// The set at work: what it takes of which row, its units, and what each of these gets.
    shares: Vec<Share>,
    units: Vec<(usize, Taker)>,
    got: Vec<Got>,
}

impl Application<'_> {
    /// Applies a bundle, giving at most so much, and says how much it gives.
    pub(super) fn bundle(
        &mut self,
        parts: &[Part],
        price: u64,
        max_times: u64,
        most: u64,
    ) -> Result<u64, EngineError> {
        let mut sets = self.bundle_sets(parts, price, max_times)?;
        let most = most.min(self.rows.ceiling());
        if self.is_trial() {
            return Ok(sets.total.min(most));
        }
        // Stable: within a row, in the order in which the sets took them.
        sets.takes.sort_by_key(|(row, _)| *row);
        let cut = sets.total > most;
        let (mut marked, mut acts) = (Vec::new(), Vec::new());
        for of_row in sets.takes.chunk_by(|left, right| left.0 == right.0) {
            let Some((row, _)) = of_row.first() else {
                continue;
            };
            let act = |(_, take): &(usize, Take)| if cut { picked(*take) } else { *take };
            acts.clear();
            acts.extend(of_row.iter().map(act));
            self.rows.take_turns(*row, &acts, true)?;
            marked.push(*row);
        }
        if cut {
            // The smaller sum is spread over the units of all sets that save anything.
            self.choose_marked(marked.into_iter());
            return Ok(self.reduce(Off::Sum(most), most));
        }
        sets.losses.sort_unstable_by_key(|(row, _)| *row);
        for of_row in sets.losses.chunk_by(|left, right| left.0 == right.0) {
            let loss = of_row.iter().fold(0_u64, |sum, (_, loss)| sum.saturating_add(*loss));
            if let Some((row, _)) = of_row.first().filter(|_| loss > 0) {
                self.rows.account(*row, loss);
                self.note(*row, loss);
            }
        }
        self.rows.count_goods(sets.total);
        Ok(sets.total)
    }

    fn bundle_sets(
        &mut self,
        parts: &[Part],
        price: u64,
        max_times: u64,
    ) -> Result<Sets, EngineError> {
        let lines: Vec<&LineSet> =
            parts.iter().map(|part| self.matching.lines(part.items)).collect();
        for row in lines.iter().flat_map(|lines| lines.iter()) {
            self.rows.settle(row);
        }
        let mut stores = Stores { rows: &self.rows, stores: Vec::new() };
        stores.stores.resize_with(self.rows.goods(), || None);
        let walk = |lines: &&LineSet| self.orders.walk(Pick::Dearest, &self.rows, lines.iter());
        let walks = lines.iter().map(walk);
        let quantities = parts.iter().map(|part| part.quantity);
        let mut queues: Vec<(u64, Walk<'_>)> = quantities.zip(walks).collect();
        let mut sets = Sets::default();
        let mut times = max_times;
        while times > 0 {
            let Some(from_one_each) = set(&mut queues, &mut stores, &mut sets.shares) else {
                break;
            };
            let same = if from_one_each { times } else { 1 };
            let more = self.take_set(same, price, &mut stores, &mut sets)?;
            times = times.saturating_sub(more);
            if sets.takes.len() > MOST_RUNS {
                return Err(EngineError::TooManyUnits);
            }
        }
        Ok(sets)
    }

    /// Takes a set and the sets after it that are the same, no more than may be, and says how many these
    /// are together.
    fn take_set(
        &self,
        most: u64,
        price: u64,
        stores: &mut Stores<'_>,
        sets: &mut Sets,
    ) -> Result<u64, EngineError> {
        let Sets { takes, losses, total, shares, units, got } = sets;
        let mut same = most;
        // The set's units in the cart's order, equal neighbours together.
        units.clear();
        for share in shares.iter() {
            let Some(store) = stores.get(share.row) else {
                continue;
            };
            let before = units.len();
            store.take(share, units)?;
            let equal = units.len() == before.saturating_add(1);
            let further = store.group.0.checked_div(share.units).unwrap_or(0);
            same = same.min(if equal { further.saturating_add(1) } else { 1 });
        }
        for share in shares.iter() {
            if let Some(store) = stores.get(share.row) {
                // The sets that are the same take from the group at the front.
                let more = share.units.wrapping_mul(same.saturating_sub(1));
                store.group.0 = store.group.0.saturating_sub(more);
                store.available = store.available.saturating_sub(more);
            }
        }
        let value = units.iter().fold(0_u64, |sum, (_, taker)| {
            sum.saturating_add(taker.count.wrapping_mul(taker.price))
        });
        let saving = value.saturating_sub(price);
        let takers = units.iter().map(|(_, taker)| *taker);
        let rounding = self.campaign.rounding();
        spread(saving, takers, rounding, got);
        for ((row, taker), got) in units.iter().zip(got.iter()) {
            let loss = got.sum(taker.count).wrapping_mul(same);
            if saving == 0 {
                let all = taker.count.saturating_mul(same);
                takes.push((*row, Take::once(all, Act::Pass)));
                continue;
            }
            let members = got.members(taker, rounding.remainder);
            let acts = members.map(|(count, share)| (count, Act::Lose(share)));
            takes.push((*row, Take { times: same, acts }));
            losses.push((*row, loss));
            *total = total.saturating_add(loss);
        }
        Ok(same)
    }
}

/// The same take, picking the units of sets that save anything.
fn picked(take: Take) -> Take {
    let acts = take.acts.map(|(count, act)| match act {
        Act::Lose(_) => (count, Act::Pick),
        act => (count, act),
    });
    Take { acts, ..take }
}

/// Forms the next set: what it takes of each row, in the cart's order, and whether every part takes
/// from one row. Nothing when there is no full set any more.
fn set(
    queues: &mut [(u64, Walk<'_>)],
    stores: &mut Stores<'_>,
    shares: &mut Vec<Share>,
) -> Option<bool> {
    shares.clear();
    let mut from_one_each = true;
    for (quantity, walk) in queues {
        let mut rest = *quantity;
        let mut places = 0_usize;
        while rest > 0 {
            let row = walk.row()?;
            let store = stores.get(row).filter(|store| store.available > 0);
            let Some(store) = store else {
                walk.pass();
                continue;
            };
            let units = rest.min(store.available);
            store.available = store.available.saturating_sub(units);
            rest = rest.saturating_sub(units);
            places = places.saturating_add(1);
            shares.push(Share { row, units });
        }
        from_one_each &= places == 1;
    }
    shares.sort_by_key(|share| share.row);
    shares.dedup_by(|later, first| {
        let same = later.row == first.row;
        if same {
            first.units = first.units.saturating_add(later.units);
        }
        same
    });
    // Until it is known that the set is full, its units were only reserved.
    for share in shares.iter() {
        if let Some(store) = stores.get(share.row) {
            store.available = store.available.saturating_add(share.units);
        }
    }
    Some(from_one_each)
}
