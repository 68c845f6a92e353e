//! Applying one discount: which units it is on, how much each line gives, and what cuts that.
//!
//! Every kind of discount ends in [`Application::reduce`]: chosen units of some rows, and a rate or a
//! sum to take off them. There the campaign's rounding makes shares of it, `max`, a budget and the
//! subtotal cut them, and what is left of the rows is written down. (A bundle makes its shares itself,
//! set by set, and comes here only when it is cut.)

use super::{
    EngineError,
    matching::Matching,
    pick::Orders,
    rows::{Chosen, Rows},
    spread::{Taker, spread},
};
use crate::campaign::{
    Campaign, Mode, PercentBasis, PercentOf, Rounding,
    discount::{Discount, Grant, Rate, Target, TierBy, UnitLimits},
    percent::Percent,
};

/// What is taken off chosen units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Off {
    /// So much off each.
    Rate(Rate),
    /// So much off all of them together.
    Sum(u64),
}

/// The offers of one campaign at work on what is left of a cart.
pub(super) struct Application<'a> {
    pub campaign: &'a Campaign,
    pub matching: &'a Matching<'a>,
    pub orders: &'a Orders,
    /// What is left of the cart.
    pub rows: Rows,
    /// What the offer at work has taken off each row so far.
    pub given: Vec<u64>,
    targets: Vec<usize>,
    chosen: Vec<Chosen>,
    shares: Vec<u64>,
    cut: Vec<u64>,
}

impl<'a> Application<'a> {
    pub fn new(
        campaign: &'a Campaign,
        matching: &'a Matching<'a>,
        orders: &'a Orders,
        rows: Rows,
    ) -> Self {
        let given = vec![0; rows.len()];
        Self {
            campaign,
            matching,
            orders,
            rows,
            given,
            targets: Vec::new(),
            chosen: Vec::new(),
            shares: Vec::new(),
            cut: Vec::new(),
        }
    }

    /// Applies the discounts of an offer one after another, all together giving at most so much, and
    /// says how much they give.
    pub fn offer(&mut self, discounts: &[Discount], most: u64) -> Result<u64, EngineError> {
        self.given.fill(0);
        let mut given: u64 = 0;
        for discount in discounts {
            let most = most.saturating_sub(given);
            given = given.saturating_add(self.discount(discount, most)?);
        }
        Ok(given)
    }

    /// What an offer would give alone on what is left of the cart. Nothing is taken.
    pub fn worth(&mut self, discounts: &[Discount], most: u64) -> Result<u64, EngineError> {
        let rows = self.rows.clone();
        let worth = self.offer(discounts, most);
        self.rows = rows;
        worth
    }

    fn discount(&mut self, discount: &Discount, most: u64) -> Result<u64, EngineError> {
        match discount {
            Discount::Rate { rate, on, max, units } => {
                self.choose(on, *units)?;
                Ok(self.reduce(Off::Rate(*rate), most.min(*max)))
            }
            Discount::Amount { amount, on } => {
                self.choose(on, UnitLimits::NONE)?;
                Ok(self.reduce(Off::Sum(*amount), most))
            }
            Discount::Tiers { tiers, by, on } => {
                let reached = self.tier_value(*by, on);
                let below = tiers.partition_point(|(from, _)| *from <= reached);
                let tier = below.checked_sub(1).and_then(|tier| tiers.get(tier));
                let Some((_, grant)) = tier else { return Ok(0) };
                self.choose(on, UnitLimits::NONE)?;
                let off = match grant {
                    Grant::Rate(rate) => Off::Rate(*rate),
                    Grant::Amount(amount) => Off::Sum(*amount),
                };
                Ok(self.reduce(off, most))
            }
            Discount::Picked { pick, count, at_least, rate, on } => {
                self.target(on);
                let targets = std::mem::take(&mut self.targets);
                let picked =
                    self.orders.first_units(&self.rows, &targets, *pick, *at_least.max(count));
                self.targets = targets;
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

    fn target(&mut self, on: &Target) {
        self.matching.target(on, &self.rows, &mut self.targets);
    }

    /// Chooses the units of a target: all, or the first so many.
    fn choose(&mut self, on: &Target, limits: UnitLimits) -> Result<(), EngineError> {
        self.target(on);
        self.chosen.clear();
        if limits == UnitLimits::NONE {
            let rows = self.targets.iter();
            self.chosen.extend(rows.filter_map(|row| self.rows.choose_all(*row)));
            return Ok(());
        }
        let mut rest = limits.total;
        for row in &self.targets {
            if rest == 0 {
                break;
            }
            let first = limits.per_line.min(rest);
            if let Some(chosen) = self.rows.choose_first(*row, first)? {
                rest = rest.saturating_sub(chosen.count);
                self.chosen.push(chosen);
            }
        }
        Ok(())
    }

    /// Chooses the first so many of the units that can be picked, from rows in the order of picking.
    fn choose_picked(&mut self, order: &[usize], count: u64) -> Result<(), EngineError> {
        self.chosen.clear();
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

    /// Puts units that were chosen elsewhere in the place of those chosen last.
    pub fn set_chosen(&mut self, chosen: impl Iterator<Item = Chosen>) {
        self.chosen.clear();
        self.chosen.extend(chosen);
        self.chosen.sort_unstable_by_key(|chosen| chosen.row);
    }

    fn tier_value(&mut self, by: TierBy, on: &Target) -> u64 {
        self.target(on);
        let rows = self.targets.iter().filter_map(|row| self.rows.get(*row));
        rows.fold(0, |sum: u64, row| {
            sum.saturating_add(match by {
                TierBy::Amount => row.count.wrapping_mul(row.price),
                TierBy::Quantity => row.count,
            })
        })
    }

    /// Takes a rate or a sum off the chosen units, at most so much, and says how much that is.
    pub fn reduce(&mut self, off: Off, most: u64) -> u64 {
        let exact = self.share(off);
        let total = add_up(&self.shares);
        let rounding = self.campaign.rounding();
        let mut cut_from = None;
        if total > most {
            spread_over(most, &self.chosen, rounding, &mut self.shares);
            cut_from = Some(0);
        }
        // Goods come first among the chosen; what they give together ends at the subtotal.
        let goods = self.chosen.partition_point(|chosen| chosen.row < self.rows.goods());
        let (chosen_goods, _) = self.chosen.split_at_checked(goods).unwrap_or_default();
        let (goods_shares, _) = self.shares.split_at_mut_checked(goods).unwrap_or_default();
        let ceiling = self.rows.ceiling();
        let mut goods_cut = cut_from.is_some();
        if add_up(goods_shares) > ceiling {
            spread_over(ceiling, chosen_goods, rounding, &mut self.cut);
            goods_shares.copy_from_slice(&self.cut);
            goods_cut = true;
        }
        let mut given = 0_u64;
        let in_parts = goods_cut || !exact;
        for (chosen, share) in self.chosen.iter().zip(&self.shares) {
            if *share == 0 {
                continue;
            }
            // A fee is one unit: what it loses as a part and by itself is the same.
            match off {
                Off::Rate(rate) if !in_parts => {
                    let percent_of = self.campaign.percent_of();
                    let mode = rounding.mode;
                    let price = self.rows.get(chosen.row).map_or(0, |row| row.price);
                    let loss = |left| unit_loss(rate, left, price, percent_of, mode);
                    self.rows.lose_each(chosen, *share, &loss);
                }
                _ => self.rows.lose(chosen, *share),
            }
            if let Some(row) = self.given.get_mut(chosen.row) {
                *row = row.saturating_add(*share);
            }
            given = given.saturating_add(*share);
        }
        self.rows.release(&self.chosen);
        given
    }

    /// Makes the shares of the chosen rows, and says whether each is what its units lose one by one
    /// (and not a sum to be taken off them in equal parts).
    fn share(&mut self, off: Off) -> bool {
        let rounding = self.campaign.rounding();
        self.shares.clear();
        let rate = match off {
            Off::Sum(sum) => {
                spread_over(sum, &self.chosen, rounding, &mut self.shares);
                return false;
            }
            Off::Rate(rate) => rate,
        };
        let percent_of = self.campaign.percent_of();
        match (rate, rounding.percent_basis) {
            (Rate::Percent(percent), PercentBasis::Line) => {
                let rows = &self.rows;
                self.shares.extend(self.chosen.iter().map(|chosen| {
                    let share = percent.of(base(rows, chosen, percent_of), rounding.mode);
                    share.min(chosen.room)
                }));
                false
            }
            (Rate::Percent(percent), PercentBasis::Order) => {
                let bases = self.chosen.iter().map(|chosen| base(&self.rows, chosen, percent_of));
                let sum = bases.fold(0_u64, u64::saturating_add);
                let sum = percent.of(sum, rounding.mode);
                spread_over(sum, &self.chosen, rounding, &mut self.shares);
                false
            }
            _ => {
                let rows = &self.rows;
                self.shares.extend(self.chosen.iter().map(|chosen| {
                    rows.get(chosen.row).map_or(0, |row| {
                        let loss =
                            |left| unit_loss(rate, left, row.price, percent_of, rounding.mode);
                        row.measure(chosen, &loss)
                    })
                }));
                true
            }
        }
    }
}

/// Spreads a sum over chosen rows, in proportion to what is left of each.
fn spread_over(sum: u64, chosen: &[Chosen], rounding: Rounding, shares: &mut Vec<u64>) {
    shares.clear();
    shares.resize(chosen.len(), 0);
    let takers =
        chosen.iter().map(|chosen| Taker { count: 1, price: chosen.left, room: chosen.room });
    spread(sum, takers, rounding, |place, gets| {
        if let Some(share) = shares.get_mut(place) {
            *share = gets.iter().map(|(count, each)| count.saturating_mul(*each)).sum();
        }
    });
}

/// What a percentage of chosen units is taken of.
fn base(rows: &Rows, chosen: &Chosen, percent_of: PercentOf) -> u64 {
    match percent_of {
        PercentOf::Remaining => chosen.left,
        PercentOf::Initial => {
            let price = rows.get(chosen.row).map_or(0, |row| row.price);
            chosen.count.wrapping_mul(price)
        }
    }
}

/// What a rate takes off one unit, its floor aside.
fn unit_loss(rate: Rate, left: u64, price: u64, percent_of: PercentOf, mode: Mode) -> u64 {
    match rate {
        Rate::Percent(percent) => percent_loss(percent, left, price, percent_of, mode),
        Rate::AmountEach(amount) => amount,
        Rate::UnitPrice(unit_price) => left.saturating_sub(unit_price),
    }
}

fn percent_loss(percent: Percent, left: u64, price: u64, percent_of: PercentOf, mode: Mode) -> u64 {
    let of = match percent_of {
        PercentOf::Remaining => left,
        PercentOf::Initial => price,
    };
    percent.of(of, mode)
}

fn add_up(shares: &[u64]) -> u64 {
    shares.iter().fold(0, |sum, share| sum.saturating_add(*share))
}
