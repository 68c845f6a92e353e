//! A cart that came net of the offers that stand on its tab, made gross again.

use super::{Cart, MOST};
use crate::{
    engine::{EngineError, Standing},
    fault::Faults,
    money::Money,
};

impl Cart {
    /// The cart as it would be without the offers that stand, when the point of sale sent it with
    /// their discounts taken off: what each took is added back to its line, its fee, `subtotal`
    /// and `total`.
    ///
    /// A line's price of one unit is what all its units cost together divided by them, rounded
    /// half up, which is exact where the point of sale's own division was. Where the subtotal and
    /// what stands add up to the lines as they came, the lines are gross already, and only
    /// `subtotal` and `total` are added to.
    ///
    /// # Errors
    /// When an amount would be larger than a cart's may be, at its place in the cart.
    pub fn gross(mut self, standing: &Standing) -> Result<Self, Faults> {
        if standing.is_nothing() {
            return Ok(self);
        }
        let on = standing
            .on(&self)
            .map_err(|error: EngineError| Faults::one("/lines", error.to_string()))?;
        let too_much = |pointer: &str| {
            Faults::one(pointer, "is too large once what stands on the tab is added back")
        };
        let lines_came_gross =
            !self.lines.is_empty() && self.subtotal.checked_add(on.goods) == Some(self.lines_total);
        let was_sum = self.subtotal == self.lines_total;
        let lines = if lines_came_gross { Vec::new() } else { on.lines };
        for (index, off) in lines {
            let Some(line) = self.lines.get_mut(index) else { continue };
            let before = line.quantity.saturating_mul(line.unit_price);
            let all = before.saturating_add(off.sum());
            // A sound line has units.
            let half = line.quantity.div_euclid(2);
            let price = all.saturating_add(half).checked_div(line.quantity).unwrap_or(MOST);
            if price > MOST {
                return Err(too_much(&format!("/lines/{index}/unit_price")));
            }
            line.unit_price = price;
        }
        for (index, off) in on.fees {
            if let Some(fee) = self.fees.get_mut(index) {
                let amount = fee.amount.checked_add(off);
                fee.amount = amount.ok_or_else(|| too_much(&format!("/fees/{index}/amount")))?;
            }
        }
        let lines =
            self.lines.iter().map(|line| Money::new(line.quantity).checked_mul(line.unit_price));
        let sum = |mut amounts: Box<dyn Iterator<Item = Option<Money>> + '_>| {
            amounts.try_fold(Money::ZERO, |sum, amount| sum.checked_add(amount?))
        };
        self.lines_total = sum(Box::new(lines)).ok_or_else(|| too_much("/lines"))?;
        let fees = self.fees.iter().map(|fee| Some(fee.amount));
        self.fees_total = sum(Box::new(fees)).ok_or_else(|| too_much("/fees"))?;
        self.subtotal = match was_sum && !self.lines.is_empty() {
            true => self.lines_total,
            false => {
                let gross = self.subtotal.checked_add(on.goods);
                gross.ok_or_else(|| too_much("/subtotal"))?
            }
        };
        self.total = self.total.map(|total| total.saturating_add(standing.amount()));
        for goods in [self.subtotal, self.lines_total] {
            goods.checked_add(self.fees_total).ok_or_else(|| too_much("/subtotal"))?;
        }
        Ok(self)
    }
}
