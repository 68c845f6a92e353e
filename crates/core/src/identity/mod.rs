//! Who somebody is: a phone number, an e-mail address, a loyalty number of ours, or a point of sale's
//! own name for a guest; each in one spelling, so that a guest is found however a till writes him.
//!
//! This is the one notion of identity, for counting a campaign's guests, for members and for cards. It is
//! never stored or logged: what is, is its [`Pseudonym`], HMAC-SHA256 under the deployment's secret
//! `PII_PEPPER`. Equal identities have equal pseudonyms, and without the secret nobody finds the guest.

mod email;
mod guest;
mod number;
mod phone;
mod spellings;

use std::fmt;

pub use email::Email;
pub use guest::{Guest, guest_id, guest_phone, of_customer};
use hmac::{Hmac, KeyInit, Mac};
pub use number::MemberNumber;
pub use phone::{Phone, Region};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;
pub use spellings::{RulesEver, number_as_id, spellings};
use unicode_normalization::UnicodeNormalization;

/// A text that is no identity; it says what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadIdentity(pub(crate) &'static str);

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadIdentity {}

/// How identities are brought to one spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Where phone numbers without a country are from.
    pub region: Option<Region>,
    /// What of an e-mail address does not count.
    pub email: EmailRules,
}

/// What of an e-mail address does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailRules {
    /// Domains whose mailboxes are the same with and without dots.
    pub ignore_dots_for: Vec<String>,
    /// Whether `guest+anything` is `guest`.
    pub ignore_plus: bool,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// By telephone.
    Phone(Phone),
    /// By e-mail.
    Email(Email),
    /// By loyalty number.
    Number(MemberNumber),
}

impl Identity {
    /// Reads what a guest gave or an operator typed: an address has an `@`, a loyalty number begins
    /// with its letter, anything else is a phone number.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str, rules: &Rules) -> Result<Self, BadIdentity> {
        let text = plain(text);
        let text = text.as_str();
        let is_tel = || text.to_ascii_lowercase().starts_with(phone::SCHEME);
        if text.contains('@') {
            Email::parse(text, &rules.email).map(Self::Email)
        } else if text.starts_with(['M', 'm']) {
            MemberNumber::parse(text).map(Self::Number)
        } else if text.starts_with(|c: char| c.is_alphabetic()) && !is_tel() {
            Err(BadIdentity("is no phone number, no e-mail address and no loyalty number"))
        } else {
            Phone::parse(text, rules.region).map(Self::Phone)
        }
    }

    /// Reads what is known to be of a kind.
    ///
    /// # Errors
    /// When it is not.
    pub fn parse_as(kind: Kind, text: &str, rules: &Rules) -> Result<Self, BadIdentity> {
        match kind {
            Kind::Phone => Phone::parse(text.trim(), rules.region).map(Self::Phone),
            Kind::Email => Email::parse(text.trim(), &rules.email).map(Self::Email),
            Kind::Number => MemberNumber::parse(text.trim()).map(Self::Number),
        }
    }

    /// Which kind it is: `phone`, `email` or `number`.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Phone(_) => Kind::Phone,
            Self::Email(_) => Kind::Email,
            Self::Number(_) => Kind::Number,
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn pseudonym(&self, pepper: &[u8]) -> Pseudonym {
        Pseudonym::of(&self.to_string(), pepper)
    }
}

/// With its kind, because this is what its pseudonym is made of.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => write!(f, "phone:{phone}"),
            Self::Email(email) => write!(f, "email:{email}"),
            Self::Number(number) => write!(f, "number:{number}"),
        }
    }
}

/// A kind of identity, in the order in which they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A loyalty number.
    Number,
}

/// What is kept of an identity: 128 bits of its HMAC, enough to tell the guests of the world apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Pseudonym(Box<str>);

impl Pseudonym {
    /// Reads one that was kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| Self(text.into()))
    }

    fn of(identity: &str, pepper: &[u8]) -> Self {
        let mut text = String::with_capacity(32);
        // A key of any length is one: this does not fail.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(pepper) {
            mac.update(identity.as_bytes());
            for byte in mac.finalize().into_bytes().iter().take(16) {
                text.push_str(&format!("{byte:02x}"));
            }
        }
        Self(text.into())
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pseudonym {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a pseudonym of ours"))
    }
}

/// A text in one form of Unicode, without what nobody types and copying brings along: such
/// characters are not seen, and are no part of a number or an address.
fn plain(text: &str) -> String {
    let unseen = |c: char| {
        matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        )
    };
    let seen: String = text.nfkc().filter(|c| !unseen(*c)).collect();
    seen.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_gives_tells_by_itself_what_it_is() {
        let rules = Rules { region: Region::parse("US"), ..Rules::default() };
        let number = MemberNumber::draw("x", 0);
        for (text, shown) in [
            ("(608) 555-0100", "phone:+16085550100".to_owned()),
            ("A@b.example", "email:a@b.example".to_owned()),
            ("\u{feff}Tel:608-555-0100", "phone:+16085550100".to_owned()),
            (number.as_str(), format!("number:{number}")),
        ] {
            assert_eq!(Identity::parse(text, &rules).unwrap().to_string(), shown);
        }
        for text in ["", "Anna", "mallory", "12", "@"] {
            assert!(Identity::parse(text, &rules).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pseudonym_is_hexadecimal_and_depends_on_the_pepper() {
        let identity = Identity::parse("a@b.example", &Rules::default()).unwrap();
        let one = identity.pseudonym(b"pepper");
        assert_eq!(one.as_str().len(), 32);
        assert_ne!(one, identity.pseudonym(b"salt"));
        let read: Pseudonym = serde_json::from_str(&format!("{:?}", one.as_str())).unwrap();
        assert_eq!(read, one);
        assert!(serde_json::from_str::<Pseudonym>("\"guest\"").is_err());
    }
}
