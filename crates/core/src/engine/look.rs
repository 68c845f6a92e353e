//! Looking at a cart as a campaign's conditions and targets do, without any discount.

use super::{Context, facts::Facts, matching::Matching};
use crate::{
    campaign::{Campaign, condition::Condition, discount::Target, matcher::MatcherId},
    cart::Cart,
};

/// A cart seen through a campaign's matchers.
pub(crate) struct Look<'a> {
    campaign: &'a Campaign,
    cart: &'a Cart,
    context: &'a Context,
    matching: Matching<'a>,
}

impl<'a> Look<'a> {
    /// At this cart.
    pub(crate) fn new(campaign: &'a Campaign, cart: &'a Cart, context: &'a Context) -> Self {
        Self { campaign, cart, context, matching: Matching::new(campaign, cart) }
    }

    /// Whether a condition holds, before any discount.
    pub(crate) fn holds(&self, condition: &Condition) -> bool {
        Facts::new(self.campaign, self.cart, self.context, &self.matching).hold(condition, 0)
    }

    /// How many units a matcher means.
    pub(crate) fn units(&self, id: MatcherId) -> u64 {
        self.matching.sums(id).quantity
    }

    /// What a target costs, before any discount.
    pub(crate) fn amount(&self, target: &Target) -> u64 {
        let goods = self.cart.lines().len();
        let price = |row: usize| {
            let line = self.cart.line(row);
            let line = line.map(|line| line.unit_price().minor().saturating_mul(line.quantity()));
            let fee = || self.cart.fee(row.saturating_sub(goods)).map(|fee| fee.amount().minor());
            line.or_else(fee).unwrap_or(0)
        };
        self.matching.rows(target, goods).iter().map(price).fold(0, u64::saturating_add)
    }
}
