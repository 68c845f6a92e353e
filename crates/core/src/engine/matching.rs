//! Which lines of a cart a campaign's matchers mean, found once for all its offers, and only when one
//! of them asks.

use std::{borrow::Cow, cell::OnceCell};

use crate::{
    campaign::{
        Campaign,
        discount::Target,
        matcher::{Answers, MatcherId, Matchers},
    },
    cart::{Cart, LineSet},
    word::WordKey,
};

/// What the lines that a matcher means add up to, before any discount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// How many units.
    pub quantity: u64,
    /// What they cost.
    pub amount: u64,
}

/// A campaign's matchers on one cart.
pub(super) struct Matching<'a> {
    matchers: &'a Matchers,
    cart: &'a Cart,
    answers: OnceCell<Answers>,
    means: Vec<OnceCell<LineSet>>,
    sums: Vec<OnceCell<Sums>>,
    different: Vec<OnceCell<u64>>,
}

impl<'a> Matching<'a> {
    pub fn new(campaign: &'a Campaign, cart: &'a Cart) -> Self {
        let matchers = campaign.matchers();
        Self {
            matchers,
            cart,
            answers: OnceCell::new(),
            means: vec![OnceCell::new(); matchers.len()],
            sums: vec![OnceCell::new(); matchers.len()],
            different: vec![OnceCell::new(); matchers.len()],
        }
    }

    /// The lines of the cart that the matcher means.
    pub fn lines(&self, id: MatcherId) -> &LineSet {
        static NONE: LineSet = LineSet::NONE;
        self.means.get(id.index()).map_or(&NONE, |means| means.get_or_init(|| self.find(id)))
    }

    fn find(&self, id: MatcherId) -> LineSet {
        if self.matchers.is_everything(id) {
            return LineSet::all_of(self.cart.lines().len());
        }
        let answers = self.answers.get_or_init(|| self.matchers.answers(self.cart));
        self.matchers.find(id, self.cart, answers)
    }

    /// What the lines that the matcher means add up to.
    pub fn sums(&self, id: MatcherId) -> Sums {
        self.sums
            .get(id.index())
            .map_or_else(Sums::default, |sums| *sums.get_or_init(|| self.add_up(id)))
    }

    fn add_up(&self, id: MatcherId) -> Sums {
        let mut sums = Sums::default();
        for line in self.lines(id).iter().filter_map(|index| self.cart.line(index)) {
            let (quantity, price) = (line.quantity(), line.unit_price().minor());
            sums.quantity = sums.quantity.saturating_add(quantity);
            sums.amount = sums.amount.saturating_add(quantity.wrapping_mul(price));
        }
        sums
    }

    /// How many different skus the lines that the matcher means have. A line without a sku has none.
    pub fn different(&self, id: MatcherId) -> u64 {
        let different = self.different.get(id.index());
        different.map_or(0, |different| *different.get_or_init(|| self.count_different(id)))
    }

    fn count_different(&self, id: MatcherId) -> u64 {
        let lines = self.lines(id).iter().filter_map(|index| self.cart.line(index));
        let skus = lines.filter_map(|line| line.sku());
        let mut skus: Vec<(WordKey, &str)> = skus.map(|sku| (WordKey::of(sku), sku)).collect();
        skus.sort_unstable_by(WordKey::compare);
        skus.dedup_by(|left, right| WordKey::compare(left, right).is_eq());
        u64::try_from(skus.len()).unwrap_or(u64::MAX)
    }

    /// The rows a target is, of which so many are goods; fees come behind.
    pub fn rows(&self, target: &Target, goods: usize) -> Cow<'_, LineSet> {
        if let (false, [id], []) = (target.tab, &target.items[..], &target.fees[..]) {
            return Cow::Borrowed(self.lines(*id));
        }
        let mut rows = if target.tab { LineSet::all_of(goods) } else { LineSet::none_of(goods) };
        if !target.tab {
            target.items.iter().for_each(|id| rows.join(self.lines(*id)));
        }
        if !target.fees.is_empty() {
            let fees = self.cart.fees();
            rows.make_room(goods.saturating_add(fees.len()));
            for (fee, row) in fees.zip(goods..) {
                if target.fees.iter().any(|kind| kind == fee.kind()) {
                    rows.add(row);
                }
            }
        }
        Cow::Owned(rows)
    }
}
