//! What each offer takes off which unit, found by what is left before it and after.

use super::{EngineError, PerUnit, rows::Rows};
use crate::money::Money;

/// Keeps what is left of each unit, to tell what an offer takes off which.
#[derive(Default)]
pub(super) struct Watch {
    /// By row, before the offer at work.
    left: Vec<PerUnit>,
}

impl Watch {
    /// Looks at the cart before the first offer.
    pub fn begin(&mut self, rows: &mut Rows) {
        self.left = (0..rows.goods()).map(|row| rows.per_unit(row)).collect();
    }

    /// What the offer that was applied last has taken off each unit of the lines it took anything
    /// off.
    pub fn taken(
        &mut self,
        rows: &mut Rows,
        lines: &[(usize, Money)],
    ) -> Result<Vec<PerUnit>, EngineError> {
        let mut taken = Vec::with_capacity(lines.len());
        for (row, _) in lines {
            let left = rows.per_unit(*row);
            if let Some(before) = self.left.get_mut(*row) {
                taken.push(before.combine(&left, u64::saturating_sub)?);
                *before = left;
            }
        }
        Ok(taken)
    }
}
