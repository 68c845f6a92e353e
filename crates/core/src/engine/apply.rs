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
    row::{Chosen, Row},
    rows::Rows,
    spread::{Got, Taker, spread},
};
use crate::{
    campaign::{
        Campaign, PercentBasis, PercentOf, Rounding,
        discount::{Discount, Grant, Rate, Target, TierBy, UnitLimits},
        percent::Percent,
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
        off: Off,
        on: &Target,
        units: UnitLimits,
        most: u64,
    ) -> Result<u64, EngineError> {
        let mut off = off;
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

    /// Takes a percentage off each of some lines by itself, which is what most offers do: there is no need
    /// to choose units first.
    fn percent_of_lines(&mut self, percent: Percent, on: &Target, most: u64) -> OfLines {
        let Rounding { percent_basis, mode, .. } = self.campaign.rounding();
        let of_line = percent_basis == PercentBasis::Line && on.fees.is_empty();
        if !of_line || self.campaign.percent_of() != PercentOf::Remaining {
            return OfLines::Otherwise;
        }
        let most = most.min(self.rows.ceiling());
        let of = percent.rounded(mode);
        let Self { rows, matching, given, .. } = self;
        let on = matching.rows(on, rows.goods());
        let share = |row: &Row| of(row.left).min(row.room);
        let shares = on.iter().filter_map(|row| rows.get(row)).map(share);
        let sum = shares.fold(0, u64::wrapping_add);
        if self.trial {
            return OfLines::Given(sum.min(most));
        }
        if sum > most {
            return OfLines::Cut(most);
        }
        rows.make_room(rows.goods());
        on.iter().for_each(|row| {
            let share = rows.get(row).map_or(0, share);
            if share > 0 {
                rows.lose_all(row, share);
                given.push((row, Money::new(share)));
            }
        });
        rows.count_goods(sum);
        OfLines::Given(sum)
    }

    /// Takes a rate or a sum off the chosen units, at most so much, and says how much that is.
    pub fn reduce(&mut self, off: Off, most: u64) -> u64 {
        // Goods come before fees; what all discounts take off goods ends at the subtotal.
        let goods = self.chosen.partition_point(|chosen| chosen.row < self.rows.goods());
        let ceiling = self.rows.ceiling();
        let most = if goods == self.chosen.len() { most.min(ceiling) } else { most };
        let Shared { sum: mut given, mut each } = match off {
            Off::Sum(sum) => self.spread_over_chosen(sum.min(most)),
            Off::Rate(rate) => self.share(rate, most),
        };
        let (of_goods, of_fees) = self.shares.split_at_mut_checked(goods).unwrap_or_default();
        let mut off_goods = given.wrapping_sub(add_up(of_fees));
        if off_goods > ceiling {
            // Fees are chosen too, which the subtotal does not end.
            let (chosen, _) = self.chosen.split_at_checked(goods).unwrap_or_default();
            let cut = spread(ceiling, takers(chosen), self.campaign.rounding(), &mut self.got);
            for (share, got) in of_goods.iter_mut().zip(&self.got) {
                *share = got.sum(1);
            }
            given = given.wrapping_sub(off_goods).wrapping_add(cut);
            off_goods = cut;
            each = None;
        }
        if !self.trial {
            match each {
                Some(rate) => self.lose_each(rate),
                None => self.lose(),
            }
            self.rows.count_goods(off_goods);
        }
        if self.marked {
            self.rows.release(&self.chosen);
        }
        given
    }

    /// Takes its share off each chosen row, in equal parts.
    fn lose(&mut self) {
        self.given.reserve(self.chosen.len());
        self.rows.make_room(self.chosen.len());
        for (chosen, share) in self.chosen.iter().zip(&self.shares) {
            if *share > 0 {
                self.rows.lose(chosen, *share);
                self.given.push((chosen.row, Money::new(*share)));
            }
        }
    }

    /// Takes a rate off each chosen unit.
    fn lose_each(&mut self, rate: Rate) {
        self.given.reserve(self.chosen.len());
        let loss = unit_loss(rate, self.campaign);
        for (chosen, share) in self.chosen.iter().zip(&self.shares) {
            if *share > 0 {
                self.rows.lose_each(chosen, *share, &loss);
                self.given.push((chosen.row, Money::new(*share)));
            }
        }
    }

    /// Makes the shares of the chosen rows of what a rate takes off them, at most so much together.
    fn share(&mut self, rate: Rate, most: u64) -> Shared {
        let (mode, percent_of) = (self.campaign.rounding().mode, self.campaign.percent_of());
        let Self { rows, chosen, shares, .. } = self;
        let mut sum = 0_u64;
        let mut add = |share: u64| {
            sum = sum.wrapping_add(share);
            share
        };
        shares.clear();
        let each = match (rate, self.campaign.rounding().percent_basis) {
            (Rate::Percent(percent), PercentBasis::Order) => {
                let base = chosen.iter().map(|chosen| base(rows, chosen, percent_of));
                let sum = base.fold(0, u64::wrapping_add);
                return self.spread_over_chosen(percent.of(sum, mode).min(most));
            }
            (Rate::Percent(percent), PercentBasis::Line) => {
                let of = percent.rounded(mode);
                let share = |it: &Chosen| add(of(base(rows, it, percent_of)).min(it.room));
                shares.extend(chosen.iter().map(share));
                None
            }
            _ => {
                let loss = unit_loss(rate, self.campaign);
                shares.extend(chosen.iter().map(|chosen| add(rows.measure(chosen, &loss))));
                Some(rate)
            }
        };
        if sum > most {
            return self.spread_over_chosen(most);
        }
        Shared { sum, each }
    }

    /// Makes the shares of a sum that is spread over the chosen rows.
    fn spread_over_chosen(&mut self, sum: u64) -> Shared {
        self.shares.clear();
        let last = self.chosen.last();
        if self.trial && last.is_none_or(|last| last.row < self.rows.goods()) {
            // How much it is needs no shares: only where fees are chosen too may goods alone be cut.
            let room = self.chosen.iter().fold(0, |sum: u64, it| sum.wrapping_add(it.room));
            return Shared { sum: sum.min(room), each: None };
        }
        let sum = spread(sum, takers(&self.chosen), self.campaign.rounding(), &mut self.got);
        self.shares.extend(self.got.iter().map(|got| got.sum(1)));
        Shared { sum, each: None }
    }
}

/// What came of taking a percentage off each of some lines by itself.
enum OfLines {
    /// It was taken, so much.
    Given(u64),
    /// Only this sum may be taken; nothing was.
    Cut(u64),
    /// Something else has to be looked at than lines; nothing was taken.
    Otherwise,
}

/// How much the shares of the chosen rows are together, and how their units take them.
struct Shared {
    sum: u64,
    /// The rate that makes each share, unit by unit; none: the units take the share in equal parts.
    each: Option<Rate>,
}

/// Rows as takers of a sum: each by itself, in proportion to what is left of it.
fn takers(chosen: &[Chosen]) -> impl DoubleEndedIterator<Item = Taker> + ExactSizeIterator + Clone {
    chosen.iter().map(|chosen| Taker { count: 1, price: chosen.left, room: chosen.room })
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

/// What a rate takes off one unit, its floor aside, by what is left of it and its price.
fn unit_loss(rate: Rate, campaign: &Campaign) -> impl Fn(u64, u64) -> u64 + use<> {
    let (mode, percent_of) = (campaign.rounding().mode, campaign.percent_of());
    move |left, price| match rate {
        Rate::Percent(percent) => match percent_of {
            PercentOf::Remaining => percent.of(left, mode),
            PercentOf::Initial => percent.of(price, mode),
        },
        Rate::AmountEach(amount) => amount,
        Rate::UnitPrice(unit_price) => left.saturating_sub(unit_price),
    }
}

fn add_up(shares: &[u64]) -> u64 {
    // Shares are parts of what is left of the cart, which fits 63 bits.
    shares.iter().fold(0, |sum, share| sum.wrapping_add(*share))
}
