//! Which lines of a cart a campaign's matchers mean, found once for all its offers, and only when one
//! of them asks.

use std::cell::OnceCell;

use crate::{
    campaign::{
        Campaign,
        discount::Target,
        matcher::{MatcherId, Matchers},
    },
    cart::Cart,
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
    /// The answers of each line, [`Matchers::width`] words for each.
    answers: OnceCell<Vec<u64>>,
    means: Vec<OnceCell<Vec<bool>>>,
    sums: Vec<OnceCell<Sums>>,
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
        }
    }

    /// Whether the matcher means each line of the cart.
    pub fn lines(&self, id: MatcherId) -> &[bool] {
        self.means
            .get(id.index())
            .map_or(&[], |means| means.get_or_init(|| self.find(id)).as_slice())
    }

    fn find(&self, id: MatcherId) -> Vec<bool> {
        let lines = self.cart.lines();
        if self.matchers.is_everything(id) {
            return vec![true; lines.len()];
        }
        let width = self.matchers.width();
        let prices = lines.map(|line| line.unit_price().minor());
        let answers = self.answers.get_or_init(|| {
            let mut answers = vec![0; prices.len().saturating_mul(width)];
            for (line, answers) in self.cart.lines().zip(answers.chunks_exact_mut(width.max(1))) {
                self.matchers.answer(&line, answers);
            }
            answers
        });
        self.matchers.find(id, answers, &prices)
    }

    /// What the lines that the matcher means add up to.
    pub fn sums(&self, id: MatcherId) -> Sums {
        self.sums
            .get(id.index())
            .map_or_else(Sums::default, |sums| *sums.get_or_init(|| self.add_up(id)))
    }

    fn add_up(&self, id: MatcherId) -> Sums {
        let mut sums = Sums::default();
        for (line, means) in self.cart.lines().zip(self.lines(id)) {
            if *means {
                let (quantity, price) = (line.quantity(), line.unit_price().minor());
                sums.quantity = sums.quantity.saturating_add(quantity);
                sums.amount = sums.amount.saturating_add(quantity.wrapping_mul(price));
            }
        }
        sums
    }

    /// How many different skus the lines that the matcher means have. A line without a sku has none.
    pub fn different(&self, id: MatcherId) -> u64 {
        let lines = self.cart.lines().zip(self.lines(id));
        let mut skus: Vec<&str> =
            lines.filter(|(_, means)| **means).filter_map(|(line, _)| line.sku()).collect();
        skus.sort_unstable();
        skus.dedup();
        u64::try_from(skus.len()).unwrap_or(u64::MAX)
    }

    /// Goes through the rows a target is, in the cart's order, lines before fees.
    pub fn target(&self, target: &Target, goods: usize, mut each: impl FnMut(usize)) {
        match (target.tab, &target.items[..]) {
            (true, _) => (0..goods).for_each(&mut each),
            (false, []) => {}
            (false, [id]) => {
                for (row, means) in self.lines(*id).iter().enumerate() {
                    if *means {
                        each(row);
                    }
                }
            }
            (false, ids) => {
                let means = |row: &usize| {
                    ids.iter().any(|id| self.lines(*id).get(*row).copied().unwrap_or(false))
                };
                (0..goods).filter(means).for_each(&mut each);
            }
        }
        if !target.fees.is_empty() {
            for (fee, row) in self.cart.fees().zip(goods..) {
                if target.fees.iter().any(|kind| kind == fee.kind()) {
                    each(row);
                }
            }
        }
    }
}
