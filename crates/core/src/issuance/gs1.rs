//! GS1 check digits, and EAN-13 numbers of our own making.

use crate::ident::TypeCode;

/// How many numbers of a type one prefix holds.
pub const SERIALS: u64 = 1_000_000;

/// The mod-10 check digit of a number written without it: from the right, weights 3, 1, 3, …;
/// the digit makes the sum a multiple of 10. `None` when there is anything but digits.
#[must_use]
pub fn check_digit(digits: &str) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let mut sum = 0_u32;
    for (index, c) in digits.chars().rev().enumerate() {
        let weight = if index.is_multiple_of(2) { 3 } else { 1 };
        // At most 27 for each character of a text: no text in memory overflows it within a u32.
        sum = sum.wrapping_add(c.to_digit(10)?.wrapping_mul(weight)) % 10;
    }
    char::from_digit(10_u32.wrapping_sub(sum) % 10, 10)
}

/// An EAN-13 of the range that GS1 leaves to a shop's own use: prefix 20 to 29, the type's code, a
/// serial of six digits, the check digit. Types therefore never make each other's numbers. `None` for
/// another prefix, or a serial that is too large.
#[must_use]
pub fn in_store_ean13(prefix: u8, code: &TypeCode, serial: u64) -> Option<String> {
    if !(20..=29).contains(&prefix) || serial >= SERIALS {
        return None;
    }
    let mut digits = format!("{prefix}{code}{serial:06}");
    digits.push(check_digit(&digits)?);
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(number: &str) -> bool {
        let (digits, last) = number.split_at(12);
        number.len() == 13 && check_digit(digits) == last.chars().next()
    }

    #[test]
    fn the_check_digit_is_that_of_gs1() {
        assert_eq!(check_digit("400638133393"), Some('1'));
        assert_eq!(check_digit("123456789012"), Some('8'));
        assert_eq!(check_digit("000000000000"), Some('0'));
        assert_eq!(check_digit("12345678901x"), None);
        assert_eq!(check_digit(""), None);
        // Far more digits than any number has.
        assert!(check_digit(&"9".repeat(1_000_000)).is_some());
    }

    #[test]
    fn a_wrong_digit_is_always_noticed_and_so_are_most_swaps() {
        let number = "4006381333931";
        for place in 0..13 {
            for digit in '0'..='9' {
                let mut wrong: Vec<char> = number.chars().collect();
                if wrong[place] == digit {
                    continue;
                }
                wrong[place] = digit;
                let wrong: String = wrong.into_iter().collect();
                assert!(!checks(&wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn a_number_of_our_own_says_its_type_and_serial() {
        let code = TypeCode::parse("1234").unwrap();
        assert_eq!(in_store_ean13(21, &code, 7).as_deref(), Some("2112340000072"));
        assert_eq!(in_store_ean13(19, &code, 7), None);
        assert_eq!(in_store_ean13(30, &code, 7), None);
        assert_eq!(in_store_ean13(29, &code, SERIALS), None);
        let numbers: std::collections::BTreeSet<_> =
            (0..5000).filter_map(|serial| in_store_ean13(20, &code, serial)).collect();
        assert_eq!(numbers.len(), 5000);
        assert!(numbers.iter().all(|number| checks(number)));
    }
}
