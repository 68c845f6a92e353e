//! The keys of signed codes, as the secret `CODE_KEYS` has them.
//!
//! `1:SECRET,2:SECRET`: the highest version makes codes, all of them prove codes. A key is revoked by
//! taking its version out: every code made with it stops being one. A value without a version is
//! version 1, so that the first key needs no number.

use std::collections::BTreeMap;
use std::fmt;

/// A key's number: 1 to 31, one character of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct KeyVersion(u8);

impl KeyVersion {
    /// The highest.
    pub const MAX: Self = Self(31);

    /// The version of this number, if it is one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The keys of a deployment, at least one. What they are is never shown.
#[derive(Clone)]
pub struct Keys(BTreeMap<KeyVersion, Box<str>>);

/// Why a text is no list of keys. Says nothing of the secrets themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKeys {
    /// No key at all.
    Empty,
    /// One of several keys has no version.
    NoVersion,
    /// A version is not 1 to 31.
    BadVersion,
    /// A version has an empty secret.
    NoSecret(KeyVersion),
    /// A version is there twice.
    Twice(KeyVersion),
}

impl fmt::Display for BadKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no key; write 1:SECRET"),
            Self::NoVersion => f.write_str(
                "one of several keys has no version; write 1:SECRET,2:SECRET, the highest makes codes",
            ),
            Self::BadVersion => write!(f, "a key's version is 1 to {}", KeyVersion::MAX),
            Self::NoSecret(version) => write!(f, "key {version} has no secret"),
            Self::Twice(version) => write!(f, "key {version} is there twice"),
        }
    }
}

impl std::error::Error for BadKeys {}

impl Keys {
    /// Reads `CODE_KEYS`.
    ///
    /// # Errors
    /// When it is not one secret, or a list of `version:secret` with commas between.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        let entries: Vec<&str> =
            text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let alone = entries.len() == 1;
        let mut keys = BTreeMap::new();
        for entry in entries {
            let versioned = entry
                .split_once(':')
                .filter(|(number, _)| !number.is_empty() && number.bytes().all(is_digit));
            let (version, secret) = match versioned {
                Some((number, secret)) => {
                    let version = number.parse().ok().and_then(KeyVersion::new);
                    (version.ok_or(BadKeys::BadVersion)?, secret.trim())
                }
                None if alone => (KeyVersion(1), entry),
                None => return Err(BadKeys::NoVersion),
            };
            if secret.is_empty() {
                return Err(BadKeys::NoSecret(version));
            }
            if keys.insert(version, secret.into()).is_some() {
                return Err(BadKeys::Twice(version));
            }
        }
        if keys.is_empty() { Err(BadKeys::Empty) } else { Ok(Self(keys)) }
    }

    /// The version that makes codes: the highest.
    #[must_use]
    pub fn newest(&self) -> KeyVersion {
        self.0.last_key_value().map_or(KeyVersion(1), |(version, _)| *version)
    }

    /// The secret of a version, if it is (still) there.
    pub(super) fn secret(&self, version: KeyVersion) -> Option<&[u8]> {
        self.0.get(&version).map(|secret| secret.as_bytes())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str) -> Vec<u8> {
        Keys::parse(text).unwrap().0.keys().map(|version| version.get()).collect()
    }

    #[test]
    fn keys_have_versions_and_the_highest_is_the_newest() {
        assert_eq!(versions(" 2:b , 10:c,1:a,"), [1, 2, 10]);
        assert_eq!(Keys::parse("2:b,10:c,1:a").unwrap().newest().get(), 10);
    }

    #[test]
    fn a_plain_value_is_version_1_whatever_characters_it_has() {
        for plain in ["5f0c9a", "a:b", "é:1:2", ":"] {
            let keys = Keys::parse(plain).unwrap();
            assert_eq!(keys.secret(KeyVersion(1)), Some(plain.as_bytes()), "{plain}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, why) in [
            ("", BadKeys::Empty),
            (" , ", BadKeys::Empty),
            ("a,b", BadKeys::NoVersion),
            ("1:a,b", BadKeys::NoVersion),
            ("0:a", BadKeys::BadVersion),
            ("32:a", BadKeys::BadVersion),
            ("1000:a", BadKeys::BadVersion),
            ("3: ", BadKeys::NoSecret(KeyVersion(3))),
            ("1:a,1:b", BadKeys::Twice(KeyVersion(1))),
        ] {
            assert_eq!(Keys::parse(text).unwrap_err(), why, "{text:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", Keys::parse("1:hidden,2:also").unwrap());
        assert!(!shown.contains("hidden") && !shown.contains("also"), "{shown}");
    }
}
