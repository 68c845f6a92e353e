//! A code's one canonical form.
//!
//! A guest types `summer-10`, a poster prints `SUMMER 10`, a marketer stores `Summer10`. Wherever a
//! code is looked up, hashed, counted or imported it goes through [`CanonicalCode::parse`] first, so
//! that no two spellings are ever counted apart (a peer accepted lower case and then did not count
//! the use: shopware#14397).

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The fewest letters and digits a code may have.
pub const MIN_LENGTH: usize = 3;
/// The most letters and digits a code may have.
pub const MAX_LENGTH: usize = 64;
/// Typed text of more characters than this is refused unread: no spelling of a code needs four for each
/// letter or digit, hyphens and white space included.
const MAX_TYPED: usize = 4 * MAX_LENGTH;

/// A promo code in canonical form: Unicode NFKC, upper-cased, without white space and hyphens,
/// 3 to 64 letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CanonicalCode(Box<str>);

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// Fewer than 3 letters or digits are left.
    TooShort,
    /// More than 64 letters or digits are left.
    TooLong,
    /// A character that is neither a letter nor a digit, white space or hyphen.
    BadCharacter(char),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "a code has at least {MIN_LENGTH} letters or digits"),
            Self::TooLong => write!(f, "a code has at most {MAX_LENGTH} letters or digits"),
            Self::BadCharacter(c) => {
                write!(f, "{c:?} is neither a letter nor a digit; a code is made of those alone")
            }
        }
    }
}

impl std::error::Error for CodeError {}

impl CanonicalCode {
    /// Reads a code as somebody typed it.
    ///
    /// # Errors
    /// When what is left without white space and hyphens is not 3 to 64 letters or digits.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        if typed.chars().nth(MAX_TYPED).is_some() {
            return Err(CodeError::TooLong);
        }
        let mut code = String::with_capacity(typed.len());
        let mut length = 0_usize;
        // Upper-casing can take a text out of NFKC, so it is composed once more: the canonical form
        // of a canonical form is itself.
        for c in typed.nfkc().flat_map(char::to_uppercase).nfkc() {
            if c.is_whitespace() || is_hyphen(c) {
                continue;
            }
            if !c.is_alphanumeric() {
                return Err(CodeError::BadCharacter(c));
            }
            length = length.saturating_add(1);
            if length > MAX_LENGTH {
                return Err(CodeError::TooLong);
            }
            code.push(c);
        }
        if length < MIN_LENGTH {
            return Err(CodeError::TooShort);
        }
        Ok(Self(code.into_boxed_str()))
    }

    /// A text that is made in canonical form.
    pub(super) fn of_canonical(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CanonicalCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let typed = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&typed).map_err(serde::de::Error::custom)
    }
}

/// Hyphens, dashes and the minus sign: what a word processor makes of a typed `-`.
const fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(typed: &str) -> String {
        CanonicalCode::parse(typed).unwrap().as_str().to_owned()
    }

    #[test]
    fn every_spelling_of_a_code_is_the_same_code() {
        for typed in [
            "SUMMER10",
            "summer10",
            " Summer-10 ",
            "SUM MER\u{a0}10",
            "sum–mer\u{2011}10",
            "ＳＵＭＭＥＲ１０",
        ] {
            assert_eq!(canonical(typed), "SUMMER10", "{typed:?}");
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_one() {
        assert_eq!(canonical("e\u{301}te\u{301}10"), canonical("ÉTÉ10"));
        assert_eq!(canonical("straße"), "STRASSE");
    }

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself() {
        for typed in ["summer10", "été10", "ﬁsh12", "ΑΒΓς1", "①②③④"] {
            let once = canonical(typed);
            assert_eq!(canonical(&once), once);
        }
    }

    #[test]
    fn what_is_typed_too_long_is_refused_unread() {
        // The underscore at the front would be found first, if anything was read.
        let typed = |length: usize| format!("_{}", "É".repeat(length - 1));
        assert_eq!(CanonicalCode::parse(&typed(256)), Err(CodeError::BadCharacter('_')));
        assert_eq!(CanonicalCode::parse(&typed(257)), Err(CodeError::TooLong));
        // Every letter of the longest code may be spelled with a hyphen and as two characters.
        let longest = CanonicalCode::parse(&"-e\u{301}".repeat(64));
        assert_eq!(longest.unwrap().as_str(), "É".repeat(64));
    }

    #[test]
    fn what_is_no_code_says_why() {
        assert_eq!(CanonicalCode::parse("--a b--"), Err(CodeError::TooShort));
        assert_eq!(CanonicalCode::parse(&"A".repeat(65)), Err(CodeError::TooLong));
        assert_eq!(CanonicalCode::parse(&"A".repeat(5000)), Err(CodeError::TooLong));
        assert_eq!(CanonicalCode::parse("SUMMER_10"), Err(CodeError::BadCharacter('_')));
        assert_eq!(CanonicalCode::parse("A\u{0}BC"), Err(CodeError::BadCharacter('\u{0}')));
    }
}
