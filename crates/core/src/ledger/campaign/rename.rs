//! Other names in the place of a person's, in one object of a ledger, a batch at a time.
//!
//! A redemption names the counters it took from, so that a reversal gives back exactly that. Redemptions and
//! counters cannot be renamed in one turn where there are many. So with each tab what its redemptions have
//! taken moves to the counters of the new names, in the same turn; when all tabs are done, what is left of the
//! old counters follows. At every moment the counters together have counted what they had, and a reversal
//! finds its units under the name it knows.

use serde::{Deserialize, Serialize};

use super::record::{State, TabRecord};
use super::rights::{Grant, Holder, Owner, Rights, Stock};
use crate::erasure::Replacements;
use crate::ledger::TabKey;

/// Where a batch ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cursor {
    /// After this tab; none: before the first.
    Tabs(Option<TabKey>),
    /// After the counter of this key; empty: before the first.
    Counters(String),
}

/// A tab's record with other names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The record.
    pub record: String,
    /// What moves with it.
    pub moves: Vec<Move>,
}

/// Units that move from one counter to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The counter's key.
    pub from: String,
    /// The other's.
    pub to: String,
    /// How many.
    pub units: u64,
}

/// Renames a tab's record, as it is stored; none: the person is not named in it. In a record that cannot be
/// read the names are replaced as well, and nothing moves.
#[must_use]
pub fn rename(record: &str, names: &Replacements) -> Option<Renamed> {
    let renamed = names.replace(record)?;
    let before: TabRecord = serde_json::from_str(record).unwrap_or_default();
    let redemptions = before.offers.values().flat_map(|standing| &standing.redemptions);
    let taken = redemptions.filter(|it| it.state == State::Applied).flat_map(|it| &it.took);
    let moves = taken.chain(&before.shared).filter_map(|taken| {
        let to = names.replace(&taken.key)?;
        Some(Move { from: taken.key.clone(), to, units: taken.units })
    });
    Some(Renamed { moves: moves.collect(), record: renamed })
}

/// Moves units from one counter to another, as far as they are there.
pub fn move_units(from: &mut Stock, to: &mut Stock, units: u64) {
    let units = units.min(from.used);
    from.used = from.used.saturating_sub(units);
    to.used = to.used.saturating_add(units);
}

/// Two counters of one person become one. Nobody is ever counted under its name again, so its rights only
/// have to tell what is in hand and to take what is given back.
#[must_use]
pub fn join(one: Stock, other: Stock) -> Stock {
    let rights = match (one.rights, other.rights) {
        (None, rights) | (rights, None) => rights,
        (Some(Rights::Holder(one)), Some(Rights::Holder(other))) => {
            Some(Rights::Holder(join_holders(one, &other)))
        }
        (Some(Rights::Owner(one)), Some(Rights::Owner(other))) => {
            Some(Rights::Owner(join_owners(one, other)))
        }
        (Some(owner @ Rights::Owner(_)), Some(_)) | (Some(_), Some(owner @ Rights::Owner(_))) => {
            Some(owner)
        }
    };
    Stock { used: one.used.saturating_add(other.used), rights }
}

fn join_holders(one: Holder, other: &Holder) -> Holder {
    Holder {
        term: one.term.max(other.term),
        received: one.received.saturating_add(other.received),
        returned: one.returned.saturating_add(other.returned),
        ceiling: one.ceiling.max(other.ceiling),
        dry: one.dry && other.dry,
        ..one
    }
}

fn join_owners(mut one: Owner, other: Owner) -> Owner {
    for (shard, theirs) in other.grants {
        let grant = one.grants.entry(shard).or_default();
        *grant = Grant {
            granted: grant.granted.saturating_add(theirs.granted),
            back: grant.back.saturating_add(theirs.back),
            lowest: grant.lowest.max(theirs.lowest),
            last: grant.last.max(theirs.last),
            recalled: grant.recalled.max(theirs.recalled),
            dry: grant.dry && theirs.dry,
        };
    }
    one.term = one.term.max(other.term);
    one.got_before = one.got_before.saturating_add(other.got_before);
    one
}
