//! The objects of one campaign's ledger, and which of them counts what.
//!
//! A ledger is one object, its *root*; a campaign that asks for `shards` has as many more. What follows
//! from the document alone is decided here:
//!
//! - the *home* of a tab, which keeps its redemptions: a shard named by the code, the customer or the
//!   tab. The tab itself remembers it, so it stays when the document changes;
//! - the *owner* of a counter, which alone hands out rights to it: the shard of its code or customer,
//!   where it counts those apart and the ledger is divided by them; else the root.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::TabKey;
use crate::ident::CodeKey;

/// By what a campaign's ledger is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardBy {
    /// By code.
    Code,
    /// By customer.
    Customer,
    /// By tab.
    #[default]
    Tab,
}

/// How a campaign's ledger is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LedgerLayout {
    /// Over how many objects, 1 to 1024.
    pub shards: u32,
    /// By what.
    pub by: ShardBy,
}

/// One object of a campaign's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shard(String);

/// What a counter counts apart, as far as a ledger may be divided by it; hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<u32>,
}

/// What an object knows of the others of its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Siblings {
    /// Every layout this ledger has had, in the order the root first heard of them; the same list at
    /// all objects, of which some know less.
    pub layouts: Vec<LedgerLayout>,
    /// At the root: the shards that have asked for anything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roster: BTreeSet<Shard>,
}

impl Shard {
    /// The object every ledger has.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the root.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Its name within the ledger; the root's is empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Near where it is to be, as its name begins; may be empty.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.trim_end_matches(|digit: char| digit.is_ascii_digit())
    }

    /// The one of that name, as [`Shard::as_str`] gave it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Apart {
    /// What a counter that counts this code, or this customer, apart is known by.
    #[must_use]
    pub fn of(code: Option<&CodeKey>, customer: Option<&str>) -> Self {
        Self { code: code.map(|code| hash(code.as_str())), customer: customer.map(hash) }
    }

    /// Whether it is nothing that a ledger is divided by.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.code.is_none() && self.customer.is_none()
    }
}

impl LedgerLayout {
    /// A root alone.
    pub const SINGLE: Self = Self { shards: 1, by: ShardBy::Tab };

    /// So many shards, by that. A single one is no shard.
    #[must_use]
    pub const fn new(shards: u32, by: ShardBy) -> Self {
        if shards > 1 { Self { shards, by } } else { Self::SINGLE }
    }

    /// Whether there are shards.
    #[must_use]
    pub const fn is_divided(self) -> bool {
        self.shards > 1
    }

    /// Who counts.
    #[must_use]
    pub fn owner(self, counted: Apart) -> Shard {
        let hash = match self.by {
            ShardBy::Code => counted.code,
            ShardBy::Customer => counted.customer,
            ShardBy::Tab => None,
        };
        hash.filter(|_| self.is_divided()).map_or_else(Shard::root, |hash| self.numbered(hash, ""))
    }

    /// Who keeps the redemptions of a tab that has no home yet. Only a ledger divided by tab can be near
    /// its callers: there each `region` has shards of its own.
    #[must_use]
    pub fn home(self, code: &CodeKey, customer: Option<&str>, tab: &TabKey, region: &str) -> Shard {
        if !self.is_divided() {
            return Shard::root();
        }
        let by_tab = hash(tab.tab.as_str());
        match self.by {
            ShardBy::Code => self.numbered(hash(code.as_str()), ""),
            ShardBy::Customer => self.numbered(customer.map_or(by_tab, hash), ""),
            ShardBy::Tab => self.numbered(by_tab, region),
        }
    }

    fn numbered(self, hash: u32, region: &str) -> Shard {
        let number = hash.checked_rem(self.shards).unwrap_or(0);
        Shard(format!("{region}{number}"))
    }
}

impl Siblings {
    /// Where a layout stands in the list: who owns a counter by a later one takes it over from who owned
    /// it by an earlier one. None: the list must be asked for.
    #[must_use]
    pub fn term(&self, layout: LedgerLayout) -> Option<u32> {
        if self.layouts.is_empty() && !layout.is_divided() {
            return Some(0);
        }
        let at = self.layouts.iter().position(|known| *known == layout)?;
        u32::try_from(at).ok()
    }

    /// Who counted before, by the layout in force before that term; none: nobody but `me`.
    #[must_use]
    pub fn owner_before(&self, term: u32, counted: Apart, me: &Shard) -> Option<Shard> {
        let earlier = self.layouts.iter().take(usize::try_from(term).unwrap_or(usize::MAX)).rev();
        earlier.map(|layout| layout.owner(counted)).find(|owner| owner != me)
    }

    /// Takes over a longer list.
    pub fn learn(&mut self, layouts: &[LedgerLayout]) {
        if layouts.len() > self.layouts.len() {
            self.layouts = layouts.to_vec();
        }
    }
}

/// FNV-1a: spreads names evenly, the same on every machine for ever.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_owned_by_the_shard_of_what_it_counts_apart_and_else_by_the_root() {
        let code = CodeKey::of(&crate::code::CanonicalCode::parse("SUMMER10").unwrap());
        let both = Apart::of(Some(&code), Some("ann"));
        let by_code = LedgerLayout::new(8, ShardBy::Code);
        let shard = by_code.owner(both);
        assert!(!shard.is_root());
        assert_eq!(by_code.owner(Apart::of(Some(&code), None)), shard);
        assert!(by_code.owner(Apart::of(None, Some("ann"))).is_root());
        assert!(LedgerLayout::new(8, ShardBy::Tab).owner(both).is_root());
        assert!(LedgerLayout::new(1, ShardBy::Code).owner(both).is_root());
    }

    #[test]
    fn codes_spread_over_all_shards() {
        let layout = LedgerLayout::new(8, ShardBy::Code);
        let mut counts = std::collections::BTreeMap::new();
        for n in 0..8000 {
            let apart = Apart { code: Some(hash(&format!("CODE{n}"))), customer: None };
            *counts.entry(layout.owner(apart)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 8);
        assert!(counts.values().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn only_a_ledger_that_was_never_divided_knows_its_layout_unasked() {
        let divided = LedgerLayout::new(4, ShardBy::Code);
        let mut siblings = Siblings::default();
        assert_eq!(siblings.term(LedgerLayout::SINGLE), Some(0));
        assert_eq!(siblings.term(divided), None);
        siblings.learn(&[divided]);
        assert_eq!((siblings.term(divided), siblings.term(LedgerLayout::SINGLE)), (Some(0), None));
    }
}
