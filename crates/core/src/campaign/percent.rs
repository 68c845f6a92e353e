//! A percentage is an exact decimal: 0 to 100 with up to four digits after the point, kept as whole
//! ten-thousandths of a percent, so that a share is one multiplication and one division of integers.

use std::fmt;

use super::rounding::Mode;

/// A percentage.
///
/// INVARIANT: at most [`Percent::WHOLE`] ten-thousandths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// A hundred percent.
    pub const WHOLE: Self = Self(1_000_000);

    /// Reads `12.5`.
    ///
    /// # Errors
    /// When the text is no decimal from 0 to 100 with up to four digits after the point; the text
    /// says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "should be a decimal from \"0\" to \"100\", as in \"12.5\"";
        let (whole, fraction) = match text.split_once('.') {
            None => (text, None),
            Some((whole, fraction)) => (whole, Some(fraction)),
        };
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return Err(FORM);
        }
        let fraction = fraction.unwrap_or_default();
        if fraction.len() > 4 {
            return Err("should have at most four digits after the point");
        }
        let digits = format!("{whole}{fraction:0<4}");
        match digits.parse::<u64>().map(u32::try_from) {
            Ok(Ok(parts)) if parts <= Self::WHOLE.0 => Ok(Self(parts)),
            _ => Err("is more than 100"),
        }
    }

    /// So much percent of an amount, rounded.
    #[must_use]
    pub fn of(self, amount: u64, mode: Mode) -> u64 {
        self.rounded(mode)(amount)
    }

    /// So much percent of amounts, rounded, for many of them.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the divisor is a constant; the fast product is of numbers below 2^32 and 2^20, the \
                  slow one in 128 bits; a quotient grows by one at most, being no more than the amount"
    )]
    pub(crate) fn rounded(self, mode: Mode) -> impl Fn(u64) -> u64 {
        const WHOLE: u64 = Percent::WHOLE.0 as u64;
        let parts = u64::from(self.0);
        // What is added before a division that rounds down; a half to the even neighbour needs the rest.
        let more = match mode {
            Mode::Down => Some(0),
            Mode::HalfUp => Some(WHOLE / 2),
            Mode::HalfEven => None,
        };
        move |amount| {
            if amount >> 32 == 0 {
                let product = amount * parts;
                if let Some(more) = more {
                    return (product + more) / WHOLE;
                }
                let (quotient, rest) = (product / WHOLE, product % WHOLE);
                return quotient + u64::from(rounds_up(mode, quotient, rest, WHOLE));
            }
            let (product, whole) = (u128::from(amount) * u128::from(parts), u128::from(WHOLE));
            // Both fit: the quotient is at most the amount, the rest less than the divisor.
            let (quotient, rest) = ((product / whole) as u64, (product % whole) as u64);
            quotient + u64::from(rounds_up(mode, quotient, rest, WHOLE))
        }
    }
}

/// Whether `quotient` and `rest` parts of `divisor` are rounded to the next whole number.
#[must_use]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the rest is less than the divisor, so their difference is not below zero"
)]
pub(crate) fn rounds_up(mode: Mode, quotient: u64, rest: u64, divisor: u64) -> bool {
    // Compared by the difference, because twice the rest may not fit.
    let other = divisor - rest.min(divisor);
    match mode {
        Mode::Down => false,
        Mode::HalfUp => rest >= other,
        Mode::HalfEven => rest > other || (rest == other && quotient % 2 == 1),
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:04}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(percent: &str, amount: u64, mode: Mode) -> u64 {
        Percent::parse(percent).unwrap().of(amount, mode)
    }

    #[test]
    fn a_percentage_is_a_decimal_with_up_to_four_digits() {
        for (text, shown) in [
            ("0", "0"),
            ("12.5", "12.5"),
            ("100.0000", "100"),
            ("33.3333", "33.3333"),
            ("0.0500", "0.05"),
            ("05", "5"),
        ] {
            assert_eq!(Percent::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e1",
            " 5",
            "5 ",
            "5%",
            "1,5",
            "٣",
            "1.00000",
            "1.2.3",
            "100.0001",
            "101",
            "99999999999999999999999999",
            "4294967296",
        ] {
            assert!(Percent::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_half_goes_up_to_the_even_or_down() {
        assert_eq!(of("10", 105, Mode::HalfUp), 11);
        assert_eq!(of("10", 105, Mode::HalfEven), 10);
        assert_eq!(of("10", 115, Mode::HalfEven), 12);
        assert_eq!(of("10", 105, Mode::Down), 10);
        assert_eq!(of("10", 109, Mode::Down), 10);
        assert_eq!(of("10", 104, Mode::HalfUp), 10);
        assert_eq!(of("0.0001", 499_999, Mode::HalfUp), 0);
        assert_eq!(of("0.0001", 500_000, Mode::HalfUp), 1);
        assert_eq!(of("0.0001", 500_000, Mode::HalfEven), 0);
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let most = u64::try_from(i64::MAX).unwrap();
        assert_eq!(of("100", most, Mode::HalfUp), most);
        assert_eq!(of("50", most, Mode::HalfUp), most / 2 + 1);
        assert_eq!(of("50", most, Mode::Down), most / 2);
        assert_eq!(of("100", u64::MAX, Mode::HalfEven), u64::MAX);
    }
}
