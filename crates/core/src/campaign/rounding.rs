//! How a campaign rounds, and what its percentages are taken of.

use serde::{Deserialize, Serialize};

use crate::json::At;

/// What a percentage is rounded on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PercentBasis {
    /// Each line's share.
    #[default]
    Line,
    /// Each unit's own share.
    Unit,
    /// The sum over the target, which is then spread over its lines.
    Order,
}

/// Which way a fraction of a minor unit goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A half goes up.
    #[default]
    HalfUp,
    /// A half goes to the even neighbour.
    HalfEven,
    /// Every fraction goes down.
    Down,
}

/// Who takes the minor units that a spread sum leaves over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remainder {
    /// The lines with the largest fractional parts.
    #[default]
    Largest,
    /// The earliest lines.
    First,
    /// The last line.
    Last,
}

/// A campaign's rounding policy, as every reply names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rounding {
    /// What a percentage is rounded on.
    pub percent_basis: PercentBasis,
    /// Which way a fraction goes.
    pub mode: Mode,
    /// Who takes what is left over.
    pub remainder: Remainder,
}

/// What a later percentage in a stack is taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PercentOf {
    /// What the earlier discounts left.
    #[default]
    Remaining,
    /// The original prices.
    Initial,
}

pub(super) fn read(at: At<'_>) -> Option<Rounding> {
    let object = at.object(&["percent_basis", "mode", "remainder"])?;
    let bases = [
        ("line", PercentBasis::Line),
        ("unit", PercentBasis::Unit),
        ("order", PercentBasis::Order),
    ];
    let modes = [("half_up", Mode::HalfUp), ("half_even", Mode::HalfEven), ("down", Mode::Down)];
    let remainders =
        [("largest", Remainder::Largest), ("first", Remainder::First), ("last", Remainder::Last)];
    let basis = object.get("percent_basis", |at| at.one_of(&bases));
    let mode = object.get("mode", |at| at.one_of(&modes));
    let remainder = object.get("remainder", |at| at.one_of(&remainders));
    Some(Rounding {
        percent_basis: basis.unwrap_or_default(),
        mode: mode.unwrap_or_default(),
        remainder: remainder.unwrap_or_default(),
    })
}
