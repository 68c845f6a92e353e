//! Why an offer does not apply: a closed set.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a campaign or an offer does not apply. The words are those of every reply and log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No code that was typed leads to the campaign.
    UnknownCode,
    /// The campaign is switched off.
    Inactive,
    /// The campaign has not started yet.
    NotStarted,
    /// The campaign is over.
    Ended,
    /// Not at this time of day.
    OutsideHours,
    /// Not on this day of the week.
    OutsideDays,
    /// Not on this date.
    OutsideDates,
    /// Not at this location.
    WrongLocation,
    /// Not on this channel.
    WrongChannel,
    /// Not for this customer.
    WrongCustomer,
    /// The subtotal is too low or too high.
    SubtotalOutOfRange,
    /// The cart lacks items.
    ItemsMissing,
    /// A condition fails for no single cause.
    ConditionNotMet,
    /// The campaign is in another currency than the cart.
    WrongCurrency,
    /// An exclusive offer applies.
    Excluded,
    /// A better offer of the same group applies.
    Outbid,
    /// The campaign does not combine with one that gave a discount already.
    DoesNotCombine,
    /// The offer is worth nothing on this cart.
    WorthNothing,
    /// The ledger: a quota is used up.
    QuotaExhausted,
    /// The ledger: a budget is spent.
    BudgetExhausted,
    /// The ledger: a quota counts customers, and this one is not known.
    CustomerUnknown,
    /// The member's books: not so many points are there.
    InsufficientPoints,
    /// The ledger: the redemption was reversed before it was handled.
    AlreadyReversed,
    /// The ledger could not be asked in time.
    TemporarilyUnavailable,
}

impl Reason {
    /// The reason's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::Inactive => "inactive",
            Self::NotStarted => "not_started",
            Self::Ended => "ended",
            Self::OutsideHours => "outside_hours",
            Self::OutsideDays => "outside_days",
            Self::OutsideDates => "outside_dates",
            Self::WrongLocation => "wrong_location",
            Self::WrongChannel => "wrong_channel",
            Self::WrongCustomer => "wrong_customer",
            Self::SubtotalOutOfRange => "subtotal_out_of_range",
            Self::ItemsMissing => "items_missing",
            Self::ConditionNotMet => "condition_not_met",
            Self::WrongCurrency => "wrong_currency",
            Self::Excluded => "excluded",
            Self::Outbid => "outbid",
            Self::DoesNotCombine => "does_not_combine",
            Self::WorthNothing => "worth_nothing",
            Self::QuotaExhausted => "quota_exhausted",
            Self::BudgetExhausted => "budget_exhausted",
            Self::CustomerUnknown => "customer_unknown",
            Self::InsufficientPoints => "insufficient_points",
            Self::AlreadyReversed => "already_reversed",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
