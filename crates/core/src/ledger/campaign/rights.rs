//! Rights: how several objects count one quota and never pass its limit.
//!
//! Every counter has one *owner*. The others that count it hold *rights*: they may count so far and no
//! further without asking anybody. The owner hands out rights in blocks that shrink as the rest shrinks,
//! and when it has none left it recalls what the others have not spent, so the last unit is sold
//! wherever it sits (escrow, O'Neil 1986; bounded counters, Balegas et al., arXiv 1503.09052).
//!
//! # Why a right is never doubled
//! Nothing is ever sent as "five more". Each side keeps sums that only grow: all it ever granted, all it
//! ever gave back. A message tells the sum; whoever hears it takes the larger of the two. So a message
//! lost strands a right until the next one, and a message doubled or overtaken changes nothing. The
//! giver has written before the taker hears.
//!
//! INVARIANT: at the owner, what it has used itself plus, for each holder, granted − given back is at
//! least what all have used together, and at most every ceiling under which rights are still out.
//!
//! # Ceilings
//! They come with each command, from the document as that edge has read it. A right remembers the ceiling
//! under which it was granted, and is not spent under a lower one without the owner; and the owner hands
//! out nothing beyond the lowest ceiling that a holder with rights in hand still goes by.
//!
//! # Dry holders
//! A holder whose rights were recalled is *dry*: the owner knows exactly what it has used, and what a
//! reversal frees there it gives back in the same turn. So when all are dry, "sold out" is one look at
//! the owner. Should such a return be lost, the owner asks all of them again after [`SETTLE`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::counter::Counter;
use crate::ledger::shard::{LedgerLayout, Shard};
use crate::time::Instant;

/// Counters are exact in the store below this (2^53: integers cross JavaScript as doubles).
pub(super) const MOST: u64 = 1 << 53;
/// After so many milliseconds the owner of an exhausted counter asks dry holders again, should a return
/// of theirs have been lost.
const SETTLE: i64 = 10_000;

/// What one object keeps of one counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Counted here: uses, or minor units.
    pub used: u64,
    /// Absent: it is the owner, and never shared it.
    pub rights: Option<Rights>,
}

/// What an object that counts together with others keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// It hands them out.
    Owner(Owner),
    /// It has got them.
    Holder(Holder),
}

/// What the owner keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Since which layout; see [`Siblings::term`](crate::ledger::shard::Siblings::term).
    pub term: u32,
    /// Who has got how much.
    pub grants: BTreeMap<Shard, Grant>,
    /// All it ever got as a holder, before it was the owner: should it be a holder again, its sums go on
    /// from there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub got_before: u64,
}

/// What the owner knows of one holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// All that was ever granted.
    pub granted: u64,
    /// All that ever came back.
    pub back: u64,
    /// The lowest ceiling under which the holder may still spend.
    pub lowest: u64,
    /// The ceiling of the last grant.
    pub last: u64,
    /// When it was last heard to have given back all it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled: Option<Instant>,
    /// The holder has spent all that is out, and keeps nothing it gets back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry: bool,
}

/// What a holder keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Whom it asks.
    pub owner: Shard,
    /// Since which layout that is the owner, as far as this holder knows.
    pub term: u32,
    /// All it ever got.
    pub received: u64,
    /// All it ever gave back.
    pub returned: u64,
    /// The ceiling under which it got the last of it.
    pub ceiling: u64,
    /// What is freed here goes back at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry: bool,
    /// It was the owner: what it handed on, told again to whoever asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estate: Option<BTreeMap<Shard, Grant>>,
}

/// A holder asks for rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// To what.
    pub counter: Counter,
    /// Who asks.
    pub holder: Shard,
    /// So many more.
    pub units: u64,
    /// All it ever got.
    pub received: u64,
    /// All it ever gave back.
    pub returned: u64,
    /// What it has in hand.
    pub unspent: u64,
    /// The ceiling under which it may spend that.
    pub ceiling: u64,
    /// What others gave back because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recalled: Vec<Returned>,
}

/// What came of a [`Provision`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provided {
    /// Here they are.
    Granted(Granted),
    /// First these must give back what they have not spent; with what each was ever granted.
    Recall(Vec<(Shard, Granted)>),
    /// Another object owns this counter; with what was handed on to it, should it not have got it.
    Moved(Shard, Option<Estate>),
    /// The owner itself needs something first.
    Need(Need),
}

/// All that a holder was ever granted of one counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The counter.
    pub key: String,
    /// By whom.
    pub owner: Shard,
    /// The owner's term.
    pub term: u32,
    /// All of it.
    pub granted: u64,
    /// Under which ceiling.
    pub ceiling: u64,
    /// There is no more anywhere.
    pub last: bool,
}

/// All that a holder has ever given back of one counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The counter.
    pub key: String,
    /// The owner it goes to.
    pub owner: Shard,
    /// Who gives back.
    pub holder: Shard,
    /// All it ever got.
    pub received: u64,
    /// All it ever gave back.
    pub returned: u64,
}

/// What an object lacks to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// The list of layouts, from the root.
    Layouts,
    /// To take a counter over from whoever owned it by an earlier layout.
    Adopt(Adopt),
    /// Rights.
    Rights(Shard, Provision),
}

/// A counter is to pass to its owner by a later layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopt {
    /// The counter.
    pub counter: Counter,
    /// The layout by which it passes.
    pub layout: LedgerLayout,
    /// From whom.
    pub from: Shard,
    /// To whom.
    pub to: Shard,
    /// The new owner's term.
    pub term: u32,
}

/// A counter that passes from one owner to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estate {
    /// The counter.
    pub key: String,
    /// The new owner's term.
    pub term: u32,
    /// Who holds how much, the former owner included.
    pub grants: BTreeMap<Shard, Grant>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(sum: &u64) -> bool {
    *sum == 0
}

impl Grant {
    const fn out(&self) -> u64 {
        self.granted.saturating_sub(self.back)
    }

    /// Hears what its holder ever gave back; exact when the holder had got all.
    fn hear(&mut self, received: u64, returned: u64, recalled: Option<Instant>) {
        self.back = self.back.max(returned);
        if recalled.is_some() && received == self.granted {
            self.recalled = recalled;
            self.dry = true;
        }
    }
}

impl Owner {
    /// What is out with others.
    pub fn out(&self) -> u64 {
        self.grants.values().fold(0, |sum, grant| sum.saturating_add(grant.out()))
    }

    /// Those with rights in hand, perhaps.
    fn wet(&self) -> impl Iterator<Item = (&Shard, &Grant)> {
        self.grants.iter().filter(|(_, grant)| !grant.dry && grant.out() > 0)
    }

    /// How far the owner itself may count under a ceiling without asking anybody.
    pub(super) fn reach(&self, ceiling: u64) -> u64 {
        let lowest = self.wet().map(|(_, grant)| grant.lowest).min().unwrap_or(u64::MAX);
        ceiling.min(lowest).min(MOST).saturating_sub(self.out())
    }

    /// Whether there is nothing left under a ceiling, having counted `used` itself.
    pub(super) fn is_exhausted(&self, used: u64, ceiling: u64) -> bool {
        used.saturating_add(self.out()) >= ceiling && self.wet().next().is_none()
    }

    /// Hears what a holder gave back; `recalled`: all it had, and when.
    pub fn restock(&mut self, returned: &Returned, recalled: Option<Instant>) {
        if let Some(grant) = self.grants.get_mut(&returned.holder) {
            grant.hear(returned.received, returned.returned, recalled);
        }
    }

    /// Grants rights, or says who must give back first. `used`: what the owner itself has counted;
    /// `shards`: over how many holders the rest is to last.
    pub fn provide(
        &mut self,
        me: &Shard,
        used: u64,
        asked: &Provision,
        shards: u32,
        now: Instant,
    ) -> Provided {
        for returned in &asked.recalled {
            self.restock(returned, Some(now));
        }
        let term = self.term;
        let tell = |grant: &Grant, ceiling, last| {
            let (key, owner) = (asked.counter.key.clone(), me.clone());
            Granted { key, owner, term, granted: grant.granted, ceiling, last }
        };
        let granted = |grant: &Grant, ceiling, last| Provided::Granted(tell(grant, ceiling, last));
        let ceiling = asked.counter.ceiling.min(MOST);
        let own = asked.holder == *me;
        if !own {
            let grant = self.grants.entry(asked.holder.clone()).or_default();
            grant.hear(asked.received, asked.returned, None);
            if grant.granted > asked.received {
                // On its way, or lost: the same again.
                return granted(grant, grant.last, false);
            }
            let wet = !grant.dry && grant.out() > 0;
            grant.lowest = if wet { grant.lowest.min(ceiling) } else { ceiling };
        }
        let total = used.saturating_add(self.out());
        let rest = ceiling.saturating_sub(total);
        let after = total.saturating_add(asked.units);
        let others = |(shard, _): &(&Shard, &Grant)| own || **shard != asked.holder;
        let recall = |of: Vec<(&Shard, &Grant)>| {
            let each = |(shard, grant): (&Shard, &Grant)| (shard.clone(), tell(grant, 0, false));
            Provided::Recall(of.into_iter().map(each).collect())
        };
        if !own && asked.unspent > 0 && asked.ceiling > ceiling && total > ceiling {
            // The limit was lowered below what is out: whatever is unspent must come back.
            return recall(self.wet().collect());
        }
        if rest >= asked.units {
            let lower = |(_, grant): &(&Shard, &Grant)| grant.lowest < after;
            let in_the_way: Vec<_> = self.wet().filter(others).filter(lower).collect();
            if !in_the_way.is_empty() {
                return recall(in_the_way);
            }
        } else {
            let wet: Vec<_> = self.wet().filter(others).collect();
            if !wet.is_empty() {
                return recall(wet);
            }
            let long_ago = |(_, grant): &(&Shard, &Grant)| {
                let recent = grant.recalled.is_some_and(|at| at.plus_millis(SETTLE) > now);
                grant.out() > 0 && !recent
            };
            let silent: Vec<_> = self.grants.iter().filter(long_ago).filter(others).collect();
            if !silent.is_empty() {
                return recall(silent);
            }
        }
        if own {
            return granted(&Grant::default(), ceiling, rest < asked.units);
        }
        let lowest = self.wet().filter(others).map(|(_, grant)| grant.lowest).min();
        let free = lowest.map_or(rest, |lowest| lowest.saturating_sub(total).min(rest));
        let block = asked.units.max(rest.checked_div(u64::from(shards)).unwrap_or(0)).min(free);
        let last = rest < asked.units;
        let grant = self.grants.entry(asked.holder.clone()).or_default();
        grant.granted = grant.granted.saturating_add(block);
        grant.last = ceiling;
        grant.dry &= block == 0;
        granted(grant, ceiling, last)
    }
}

impl Holder {
    /// How far it may count under a ceiling without asking the owner.
    pub(super) const fn reach(&self, ceiling: u64, used: u64) -> u64 {
        if self.ceiling > ceiling { used } else { self.received.saturating_sub(self.returned) }
    }

    /// What it may still count, having counted `used`.
    #[must_use]
    pub const fn in_hand(&self, used: u64) -> u64 {
        self.received.saturating_sub(self.returned).saturating_sub(used)
    }

    /// Hears what it was granted.
    pub(super) fn receive(&mut self, granted: &Granted) {
        if granted.granted < self.received || granted.term < self.term {
            return;
        }
        self.dry &= granted.granted == self.received;
        self.received = granted.granted;
        self.ceiling = granted.ceiling;
        self.owner.clone_from(&granted.owner);
        self.term = granted.term;
    }

    /// Gives back all it has not spent, and keeps nothing from now on.
    pub(super) fn give_back(&mut self, granted: u64, used: u64) {
        self.received = self.received.max(granted);
        self.returned = self.returned.max(self.received.saturating_sub(used));
        self.dry = true;
    }

    /// Counts so much less. A dry holder gives it back at once: true.
    pub(super) const fn free(&mut self, units: u64) -> bool {
        if self.dry {
            self.returned = self.returned.saturating_add(units);
        }
        self.dry
    }

    /// Asks for what it takes to count that far, having counted `used`.
    pub(super) fn provision(
        &self,
        counter: &Counter,
        me: &Shard,
        used: u64,
        target: u64,
    ) -> Provision {
        let mine = self.received.saturating_sub(self.returned);
        Provision {
            counter: counter.clone(),
            holder: me.clone(),
            units: target.saturating_sub(mine),
            received: self.received,
            returned: self.returned,
            unspent: self.in_hand(used),
            ceiling: self.ceiling,
            recalled: Vec::new(),
        }
    }
}
