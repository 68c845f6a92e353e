//! Money is a whole number of a currency's minor unit. There is no float, no sign and no rounding
//! here: a discount is an amount too, and what is taken from what is said by the code that takes it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in the minor unit of some [`Currency`] (1250 is 12.50 USD, and 1250 JPY).
///
/// INVARIANT: at most [`Money::MAX`], so that an amount fits the signed integers of SQLite, and two
/// of them can be added without overflow.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u64", into = "u64")]
pub struct Money(u64);

/// An amount beyond [`Money::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an amount is at most {}", Money::MAX)
    }
}

impl std::error::Error for TooMuch {}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, 2^63 − 1 minor units.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// So many minor units; more than [`Money::MAX`] counts as that.
    #[must_use]
    pub const fn new(minor: u64) -> Self {
        if minor > Self::MAX.0 { Self::MAX } else { Self(minor) }
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, unless it is beyond [`Money::MAX`].
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) if sum <= Self::MAX.0 => Some(Self(sum)),
            _ => None,
        }
    }

    /// So many times the amount, unless it is beyond [`Money::MAX`].
    #[must_use]
    pub const fn checked_mul(self, times: u64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(product) if product <= Self::MAX.0 => Some(Self(product)),
            _ => None,
        }
    }

    /// The difference, unless it is below nothing.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The sum, at most [`Money::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::new(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The smaller of the two.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        if self.0 < other.0 { self } else { other }
    }
}

impl TryFrom<u64> for Money {
    type Error = TooMuch;

    fn try_from(minor: u64) -> Result<Self, TooMuch> {
        if minor > Self::MAX.0 { Err(TooMuch) } else { Ok(Self(minor)) }
    }
}

impl From<Money> for u64 {
    fn from(money: Money) -> Self {
        money.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A currency by its ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is no currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCurrency;

impl fmt::Display for NoCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a currency is three capital letters, as in \"USD\" (ISO 4217)")
    }
}

impl std::error::Error for NoCurrency {}

impl Currency {
    /// Reads an ISO 4217 code, in capital letters.
    ///
    /// # Errors
    /// When the text is not three capital letters. Whether a country uses it is not asked.
    pub fn parse(text: &str) -> Result<Self, NoCurrency> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(NoCurrency),
        }
    }

    /// The code's three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: `parse` lets only capital letters in, so this is never the empty text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits stand after the decimal point of a major unit: 2 for USD, 0 for JPY, 3 for
    /// KWD. Source: ISO 4217, list one (2024), "minor unit".
    #[must_use]
    pub const fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_never_passes_the_largest() {
        assert_eq!(Money::new(u64::MAX), Money::MAX);
        assert_eq!(Money::MAX.checked_add(Money::new(1)), None);
        assert_eq!(Money::MAX.checked_mul(2), None);
        assert_eq!(Money::MAX.saturating_add(Money::MAX), Money::MAX);
        assert!(serde_json::from_str::<Money>("9223372036854775808").is_err());
        assert_eq!(Money::new(3).checked_sub(Money::new(4)), None);
        assert_eq!(Money::new(3).saturating_sub(Money::new(4)), Money::ZERO);
    }

    #[test]
    fn a_currency_knows_its_minor_unit() {
        let exponent = |text| Currency::parse(text).unwrap().exponent();
        assert_eq!((exponent("USD"), exponent("JPY"), exponent("KWD")), (2, 0, 3));
    }

    #[test]
    fn only_three_capital_letters_are_a_currency() {
        for text in ["usd", "US", "USDT", "U$D", "", "ÜSD"] {
            assert_eq!(Currency::parse(text), Err(NoCurrency), "{text:?}");
        }
    }
}
