//! What of a programme a member's books go by, at one moment.

use serde::{Deserialize, Serialize};

use crate::time::Date;

/// The terms of a programme today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The business day in the programme's zone.
    pub today: Date,
    /// The first business day that begins at least 24 hours from now.
    pub tomorrow: Date,
    /// How many business days points wait before they can be spent.
    pub pending_days: u32,
    /// When points expire.
    pub expire: Expire,
    /// The tiers, by what they take, ascending.
    pub tiers: Vec<Tier>,
    /// Whether what was taken back and is not there any more is owed.
    pub owed: bool,
}

/// When points expire: at the beginning of a business day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expire {
    /// Never.
    #[default]
    Never,
    /// So many months after the visit.
    AfterMonths(u32),
    /// On this day.
    At(Date),
}

impl Expire {
    /// The first day on which points of that day are no more.
    #[must_use]
    pub fn of(self, earned: Date) -> Option<Date> {
        match self {
            Self::Never => None,
            Self::AfterMonths(months) => Some(earned.plus_months(months.into())),
            Self::At(date) => Some(date),
        }
    }
}

/// A tier: who has earned so much lately earns more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Its id, as conditions name it.
    pub id: String,
    /// From how many points.
    pub from_points: u64,
    /// Earned in how many months; none: ever.
    pub within_months: Option<u32>,
    /// What earned points are multiplied by.
    pub multiplier: Multiplier,
}

/// An exact decimal, kept as ten-thousandths.
///
/// INVARIANT: at most 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Multiplier(u32);

impl Multiplier {
    /// As many again as none.
    pub const ONE: Self = Self(10_000);

    /// Reads `1.5`.
    ///
    /// # Errors
    /// When the text is no decimal from 0 to 1000 with up to four digits after the point.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "should be a decimal from \"0\" to \"1000\" with up to four digits after the point, as in \"1.5\"";
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 4) || !digits(fraction, 4) {
            return Err(FORM);
        }
        let parts = format!("{whole}{fraction:0<4}").parse::<u32>().map_err(|_| FORM)?;
        if parts <= 10_000_000 { Ok(Self(parts)) } else { Err(FORM) }
    }

    /// So many times these points; a fraction of a point is dropped.
    #[must_use]
    pub fn of(self, points: u64) -> u64 {
        let product = u128::from(points).saturating_mul(u128::from(self.0));
        u64::try_from(product.checked_div(10_000).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiplier_is_exact_and_drops_fractions_of_points() {
        for (text, points, product) in
            [("1.5", 3, 4), ("1", 7, 7), ("0.3333", 10_000, 3333), ("0", 5, 0), ("1000", 2, 2000)]
        {
            assert_eq!(Multiplier::parse(text).unwrap().of(points), product, "{text}");
        }
        for text in ["", ".5", "1.", "1.00000", "-1", "1,5", "1000.0001", "99999", "1e2", "one"] {
            assert!(Multiplier::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn points_of_the_29th_of_february_expire_on_the_28th_of_a_common_year() {
        let day = |text| Date::parse(text).unwrap();
        let expire = Expire::AfterMonths(12);
        assert_eq!(expire.of(day("2028-02-29")), Some(day("2029-02-28")));
        assert_eq!(Expire::AfterMonths(48).of(day("2028-02-29")), Some(day("2032-02-29")));
        assert_eq!(expire.of(day("2027-02-28")), Some(day("2028-02-28")));
        assert_eq!(Expire::At(day("2027-01-01")).of(day("2026-01-01")), Some(day("2027-01-01")));
        assert_eq!(Expire::Never.of(day("2026-01-01")), None);
    }
}
