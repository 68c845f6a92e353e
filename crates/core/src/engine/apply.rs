//! Applying one discount: which units it is on, how much each line gives, and what cuts that.
//!
//! Every kind of discount ends in [`reduce`]: chosen units of some rows, and a rate or a sum to take off
//! them. There the campaign's rounding makes shares of it, `max`, a budget and the subtotal cut them, and
//! what is left of the rows is written down. (A bundle makes its shares itself, set by set, and goes there
//! only when it is cut; a percentage of whole lines needs no units chosen.)

mod reduce;

use reduce::OfLines;

use super::{EngineError, matching::Matching, pick::Orders, row::Chosen, rows::Rows, spread::Got};
use crate::{
    campaign::{
        Campaign,
        discount::{Discount, Grant, Rate, Target, TierBy, UnitLimits},
    },
    money::Money,
};

/// What is taken off chosen units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Off {
    /// So much off each.
    Rate(Rate),
    /// So much off all of them together.
    Sum(u64),
}

/// Rows of the cart, by number, and what was taken off each.
pub(super) type Losses = Vec<(usize, Money)>;

/// The offers of one campaign at work on what is left of a cart.
pub(super) struct Application<'a> {
    pub campaign: &'a Campaign,
    pub matching: &'a Matching<'a>,
    pub orders: &'a Orders,
    /// What is left of the cart.
    pub rows: Rows,
    /// Whether it is only asked how much would be taken.
    trial: bool,
    /// What the offer at work has taken off which row, discount by discount.
    given: Losses,
    chosen: Vec<Chosen>,
    /// Whether units of the chosen rows may be marked.
    marked: bool,
    shares: Vec<u64>,
    got: Vec<Got>,
}

impl<'a> Application<'a> {
    pub fn new(
        campaign: &'a Campaign,
        matching: &'a Matching<'a>,
        orders: &'a Orders,
        rows: Rows,
    ) -> Self {
        Self {
            campaign,
            matching,
            orders,
            rows,
            trial: false,
            given: Vec::new(),
            chosen: Vec::new(),
            marked: false,
            shares: Vec::new(),
            got: Vec::new(),
        }
    }

    /// Applies the discounts of an offer one after another, all together giving at most so much, and
    /// says how much they give.
    pub fn offer(&mut self, discounts: &[Discount], most: u64) -> Result<u64, EngineError> {
        self.given.clear();
        let mut given: u64 = 0;
        for discount in discounts {
            let most = most.saturating_sub(given);
            given = given.saturating_add(self.discount(discount, most)?);
        }
        if discounts.len() > 1 {
            self.given.sort_by_key(|(row, _)| *row);
            self.given.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1 = first.1.saturating_add(later.1);
                }
                same
            });
        }
        Ok(given)
    }

    /// What the offer applied last has taken off which goods, and which fees.
    pub fn given(&self) -> (Losses, Losses) {
        let first_fee = self.rows.goods();
        let goods = self.given.partition_point(|(row, _)| *row < first_fee);
        let (on_goods, on_fees) = self.given.split_at_checked(goods).unwrap_or_default();
        let fee = |(row, share): &(usize, Money)| (row.saturating_sub(first_fee), *share);
        (on_goods.to_vec(), on_fees.iter().map(fee).collect())
    }

    /// What an offer would give alone on what is left of the cart. Nothing is taken.
    pub fn worth(&mut self, discounts: &[Discount], most: u64) -> Result<u64, EngineError> {
        if let [discount] = discounts {
            // One discount alone need not be taken to be known.
            self.trial = true;
            let worth = self.discount(discount, most);
            self.trial = false;
            return worth;
        }
        let rows = self.rows.clone();
        let worth = self.offer(discounts, most);
        self.rows = rows;
        worth
    }

    fn discount(&mut self, discount: &Discount, most: u64) -> Result<u64, EngineError> {
        match discount {
            Discount::Rate { rate, on, max, units } => {
                self.target(Off::Rate(*rate), on, *units, most.min(*max))
            }
            Discount::Amount { amount, on } => {
                self.target(Off::Sum(*amount), on, UnitLimits::NONE, most)
            }
            Discount::Tiers { tiers, by, on } => {
                let reached = self.tier_value(*by, on);
                let below = tiers.partition_point(|(from, _)| *from <= reached);
                let tier = below.checked_sub(1).and_then(|tier| tiers.get(tier));
                let Some((_, grant)) = tier else { return Ok(0) };
                let off = match grant {
                    Grant::Rate(rate) => Off::Rate(*rate),
                    Grant::Amount(amount) => Off::Sum(*amount),
                };
                self.target(off, on, UnitLimits::NONE, most)
            }
            Discount::Picked { pick, count, at_least, rate, on } => {
                let at_least = *at_least.max(count);
                let among = self.matching.rows(on, self.rows.goods());
                let among = among.iter();
                let picked = self.orders.first_units(&mut self.rows, among, *pick, at_least);
                let Some(picked) = picked else { return Ok(0) };
                self.choose_picked(&picked, *count)?;
                Ok(self.reduce(Off::Rate(*rate), most))
            }
            Discount::BuyGet { buy, get, rate, pick, max_times } => {
                self.buy_get(buy, get, *pick, *max_times)?;
                Ok(self.reduce(Off::Rate(*rate), most))
            }
            Discount::Bundle { parts, price, max_times } => {
                self.bundle(parts, *price, *max_times, most)
            }
        }
    }

    /// Takes something off a target, or off its first so many units.
    fn target(
        &mut self,
        mut off: Off,
        on: &Target,
        units: UnitLimits,
        most: u64,
    ) -> Result<u64, EngineError> {
        if units == UnitLimits::NONE
            && let Off::Rate(Rate::Percent(percent)) = off
        {
            match self.percent_of_lines(percent, on, most) {
                OfLines::Given(given) => return Ok(given),
                OfLines::Cut(most) => off = Off::Sum(most),
                OfLines::Otherwise => {}
            }
        }
        self.choose(on, units)?;
        Ok(self.reduce(off, most))
    }

    /// Chooses the units of a target: all, or the first so many.
    fn choose(&mut self, on: &Target, limits: UnitLimits) -> Result<(), EngineError> {
        self.marked = limits != UnitLimits::NONE;
        let Self { rows, matching, chosen, .. } = self;
        let on = matching.rows(on, rows.goods());
        chosen.clear();
        if limits == UnitLimits::NONE {
            on.iter().filter_map(|row| rows.choose_all(row)).for_each(|all| chosen.push(all));
            return Ok(());
        }
        let mut rest = limits.total;
        for row in on.iter() {
            if rest == 0 {
                break;
            }
            if let Some(first) = rows.choose_first(row, limits.per_line.min(rest))? {
                rest = rest.saturating_sub(first.count);
                chosen.push(first);
            }
        }
        Ok(())
    }

    /// Chooses the first so many of the units that can be picked, from rows in the order of picking.
    fn choose_picked(&mut self, order: &[usize], count: u64) -> Result<(), EngineError> {
        self.chosen.clear();
        self.marked = true;
        let mut rest = count;
        for row in order {
            if rest == 0 {
                break;
            }
            if let Some(chosen) = self.rows.choose_available(*row, rest)? {
                rest = rest.saturating_sub(chosen.count);
                self.chosen.push(chosen);
            }
        }
        // Shares go by the cart's order, whatever the order of picking.
        self.chosen.sort_unstable_by_key(|chosen| chosen.row);
        Ok(())
    }

    /// Chooses the units that are marked in these rows, which come in the cart's order.
    pub fn choose_marked(&mut self, rows: impl Iterator<Item = usize>) {
        self.chosen.clear();
        self.marked = true;
        for row in rows {
            if let Some(chosen) = self.rows.marked(row) {
                self.chosen.push(chosen);
            }
        }
    }

    /// Whether it is only asked how much would be taken.
    pub fn is_trial(&self) -> bool {
        self.trial
    }

    /// Notes what a row has lost.
    pub fn note(&mut self, row: usize, share: u64) {
        self.given.push((row, Money::new(share)));
    }

    fn tier_value(&self, by: TierBy, on: &Target) -> u64 {
        let mut value = 0_u64;
        let on = self.matching.rows(on, self.rows.goods());
        on.iter().filter_map(|row| self.rows.get(row)).for_each(|row| {
            value = value.saturating_add(match by {
                TierBy::Amount => row.count.wrapping_mul(row.price),
                TierBy::Quantity => row.count,
            });
        });
        value
    }
}
