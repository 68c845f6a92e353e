//! Loyalty numbers: ours, `M` and twelve digits of which the last checks the others.
//!
//! The letter keeps a number from being read as a telephone's, wherever that is from. The check digit
//! is Damm's, which tells every single wrong digit and every two neighbours swapped: a number misread
//! over a noisy bar is refused before anybody else's points are touched.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::BadIdentity;

const FORM: BadIdentity = BadIdentity(
    "is no loyalty number; it is M and twelve digits, and the last must check the others",
);
/// How many digits there are before the check digit.
const SERIAL_DIGITS: u32 = 11;

/// A loyalty number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberNumber(String);

/// Damm's table, of a quasigroup of order 10 without fixed points.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

impl MemberNumber {
    /// A number drawn from a seed; another `attempt` draws another, for when one is taken.
    #[must_use]
    pub fn draw(seed: &str, attempt: u32) -> Self {
        let digest = Sha256::digest(format!("{attempt}:{seed}").as_bytes());
        let drawn = digest.iter().take(8).fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
        let serial = drawn.checked_rem(10_u64.saturating_pow(SERIAL_DIGITS)).unwrap_or(0);
        let serial = format!("{serial:011}");
        let check = damm(&serial).unwrap_or(0);
        Self(format!("M{serial}{check}"))
    }

    /// Reads a number, in any case and grouped in any way.
    ///
    /// # Errors
    /// When it has not the form of one, or its check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, BadIdentity> {
        let text: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>();
        let text = text.to_ascii_uppercase();
        let digits = text.strip_prefix('M').ok_or(FORM)?;
        let right_length = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit());
        if right_length && damm(digits) == Some(0) { Ok(Self(text)) } else { Err(FORM) }
    }

    /// The number's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is left over of some digits: 0 when the last one checks the others.
fn damm(digits: &str) -> Option<u8> {
    digits.bytes().try_fold(0_u8, |row, digit| {
        DAMM.get(usize::from(row))?.get(usize::from(digit.checked_sub(b'0')?)).copied()
    })
}

impl fmt::Display for MemberNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for MemberNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MemberNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_number_reads_back_however_it_is_grouped() {
        for attempt in 0..50 {
            let number = MemberNumber::draw("a member", attempt);
            assert_eq!(number.as_str().len(), 13);
            let (head, tail) = number.as_str().split_at(5);
            let grouped = format!(" {} - {tail} ", head.to_lowercase());
            assert_eq!(MemberNumber::parse(&grouped), Ok(number));
        }
        assert_ne!(MemberNumber::draw("a", 0), MemberNumber::draw("a", 1));
        assert_ne!(MemberNumber::draw("a", 0), MemberNumber::draw("b", 0));
    }

    #[test]
    fn one_wrong_digit_or_two_swapped_neighbours_are_noticed() {
        let number = MemberNumber::draw("somebody", 0).to_string();
        for place in 1..number.len() {
            for digit in '0'..='9' {
                let mut wrong: Vec<char> = number.chars().collect();
                wrong[place] = digit;
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(MemberNumber::parse(&wrong).is_ok(), wrong == number, "{wrong}");
            }
            let mut swapped: Vec<char> = number.chars().collect();
            if place + 1 < swapped.len() {
                swapped.swap(place, place + 1);
            }
            let swapped: String = swapped.into_iter().collect();
            assert_eq!(MemberNumber::parse(&swapped).is_ok(), swapped == number, "{swapped}");
        }
    }

    #[test]
    fn what_is_no_number_of_ours_is_refused() {
        for text in ["", "M", "123456789012", "M12345", "M0000000000000", "X000000000000", "Mé"] {
            assert!(MemberNumber::parse(text).is_err(), "{text}");
        }
    }
}
