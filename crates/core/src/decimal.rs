//! Exact decimals from their text. No float is involved, so what a point of sale writes is what counts.

use std::fmt;

/// Why a text is no decimal that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDecimal {
    /// It has something else than digits, one point and a minus sign, or no digit.
    NotANumber,
    /// It has digits other than 0 beyond so many decimals.
    TooFine(u32),
    /// It does not fit 64 bits.
    TooLarge,
}

impl fmt::Display for BadDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("is not a plain decimal number, such as 12.5"),
            Self::TooFine(0) => f.write_str("must be a whole number"),
            Self::TooFine(places) => write!(f, "has more than {places} decimals"),
            Self::TooLarge => f.write_str("is too large"),
        }
    }
}

impl std::error::Error for BadDecimal {}

/// Reads a decimal as a whole number of its `places`-th decimal: with 3 places `0.25` is 250. Zeros
/// beyond the last place change nothing. Exponents, separators of thousands and currency signs are
/// refused.
///
/// # Errors
/// When it is no plain decimal number, has more decimals, or does not fit 64 bits.
pub fn scaled(text: &str, places: u32) -> Result<i64, BadDecimal> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(BadDecimal::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    let wanted = usize::try_from(places).unwrap_or(usize::MAX);
    let missing = wanted.checked_sub(fraction.len()).ok_or(BadDecimal::TooFine(places))?;
    let written = whole.bytes().chain(fraction.bytes());
    let zeros = std::iter::repeat_n(b'0', missing);
    let value = written.chain(zeros).try_fold(0_i64, |value, digit| {
        value.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
    });
    let value = value.ok_or(BadDecimal::TooLarge)?;
    Ok(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_read_to_the_last_digit() {
        for (text, places, value) in [
            ("0.25", 3, 250),
            ("1.500", 3, 1500),
            ("2", 3, 2000),
            ("2.0000", 3, 2000),
            ("-0.125", 3, -125),
            ("20.00", 2, 2000),
            ("20", 2, 2000),
            (".5", 2, 50),
            ("0.070", 2, 7),
            ("1100.0", 0, 1100),
            ("-0", 0, 0),
            ("9223372036854775807", 0, i64::MAX),
            ("90071992547409.93", 2, 9_007_199_254_740_993),
        ] {
            assert_eq!(scaled(text, places), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", "-", ".", "1e3", "1,5", "$5", "5 ", "+5", "--5", "1.2.3", "0x10", "١"] {
            assert_eq!(scaled(text, 2), Err(BadDecimal::NotANumber), "{text}");
        }
        assert_eq!(scaled("0.001", 2), Err(BadDecimal::TooFine(2)));
        assert_eq!(scaled("1100.5", 0), Err(BadDecimal::TooFine(0)));
        assert_eq!(scaled("9223372036854775808", 0), Err(BadDecimal::TooLarge));
        assert_eq!(scaled("9223372036854775807", 1), Err(BadDecimal::TooLarge));
    }
}
