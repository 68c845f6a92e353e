//! Making shares and taking them: a rate or a sum off chosen units, and what cuts it.
//!
//! A share is first made for each row as a whole, and cut by `max`, a budget and the subtotal; only then
//! anything is taken. When it is only asked how much would be taken, it ends there.

use super::{Application, Off};
use crate::{
    campaign::{
        Campaign, PercentBasis, PercentOf, Rounding,
        discount::{Rate, Target},
        percent::Percent,
    },
    engine::{
        row::{Chosen, Row},
        rows::Rows,
        spread::{Taker, spread},
    },
    money::Money,
};

impl Application<'_> {
    /// Takes a percentage off each of some lines by itself, which is what most offers do: there is no need
    /// to choose units first.
    pub(super) fn percent_of_lines(&mut self, percent: Percent, on: &Target, most: u64) -> OfLines {
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
    pub(in crate::engine) fn reduce(&mut self, off: Off, most: u64) -> u64 {
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
pub(super) enum OfLines {
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
