//! Codes that prove themselves: a campaign of a million of them stores nothing until one is used.
//!
//! A code is its campaign's prefix and a body of 16 digits in base 32, most significant first:
//!
//! | bits | what |
//! |---|---|
//! | 5 | the key's version |
//! | 30 | the serial, permuted |
//! | 45 | the tag |
//!
//! The *tag* is the beginning of HMAC-SHA256 over campaign, key version and serial, under the key of
//! that version. Whoever has no key makes a body that checks with a probability of 2⁻⁴⁵ a try, so a
//! body checks or it does not, and nobody has to be asked.
//!
//! The *permutation* hides serials: neighbours do not look alike, and nobody can tell from a few codes
//! how many there are. It is a Feistel cipher over all 30 bits, keyed for each campaign and version. It
//! is the same whatever a campaign's `count` is, and the body has always 16 digits: a campaign that is
//! given more codes keeps those that are printed already. The tag, not the permutation, is what keeps
//! codes from being made up.
//!
//! The body's length is fixed, so a code has one prefix, what stands before its last 16 digits: two
//! prefixes of which one begins like the other are never taken for each other.
//!
//! A body may be typed with O for 0, and with I or L for 1, and so may the prefix: guests cannot know
//! where one ends. So prefixes are compared as they would be read ([`Prefix::folded`]), and a code that
//! is proven is counted under its one spelling ([`Proven::code`]): no misreading is a second use.
//!
//! What is made here must never change: codes are printed on paper. The tests hold some of them, made
//! by another program.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::base32::{digit, folded, value};
use super::keys::{KeyVersion, Keys};
use super::{CanonicalCode, MAX_LENGTH};
use crate::ident::{CampaignId, LEAST_ROOM_FOR_CODE};

/// The digits of a body.
pub const BODY: usize = 16;
/// The most codes of a campaign.
pub const MOST: u64 = 1 << SERIAL_BITS;
/// The most characters of a prefix: with a body, a code fits the `offer_id`s of every campaign.
pub const LONGEST_PREFIX: usize = 25;

const SERIAL_BITS: u32 = 30;
const TAG_BITS: u32 = 45;
const HALF_BITS: u32 = SERIAL_BITS / 2;
const ROUNDS: u8 = 8;
/// Digits shown between hyphens.
const GROUP: usize = 4;

const _: () = assert!(LONGEST_PREFIX + BODY <= MAX_LENGTH);
const _: () = assert!(LONGEST_PREFIX + BODY <= LEAST_ROOM_FOR_CODE);

/// What every code of a campaign begins with: capital letters and figures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(Box<str>);

impl Prefix {
    /// Reads a prefix in any case, with hyphens and spaces; `None` when it is not 1 to 25 of A-Z and
    /// 0-9.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut prefix: String = text.chars().filter(|c| *c != '-' && *c != ' ').collect();
        prefix.make_ascii_uppercase();
        let sound = prefix.bytes().all(|b| b.is_ascii_alphanumeric())
            && (1..=LONGEST_PREFIX).contains(&prefix.len());
        sound.then(|| Self(prefix.into_boxed_str()))
    }

    /// As it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is read: prefixes that are read alike are the same prefix.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.chars().map(folded).collect()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A code that has the shape of a signed one. Whether it is one, [`Signed::prove`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    prefix: Box<str>,
    version: u8,
    permuted: u32,
    tag: u64,
}

/// A signed code that is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// In its one spelling.
    pub code: CanonicalCode,
    /// Which code of its campaign it is, from 0.
    pub serial: u32,
    /// By which key it was made.
    pub key: KeyVersion,
}

/// Why a code that has the shape of a signed one is none of a campaign's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotProven {
    /// The campaign's codes begin otherwise.
    OtherPrefix,
    /// There is no key of this version, or no longer.
    NoSuchKey(u8),
    /// It was mistyped or made up, or is another campaign's.
    WrongTag,
    /// It is of this campaign, which has not so many codes.
    BeyondCount(u32),
}

impl fmt::Display for NotProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPrefix => f.write_str("the campaign's codes have another prefix"),
            Self::NoSuchKey(version) => {
                write!(f, "its key {version} is not in CODE_KEYS, or no longer")
            }
            Self::WrongTag => f.write_str("it does not prove itself: mistyped, or made up"),
            Self::BeyondCount(serial) => {
                write!(f, "its serial {serial} is beyond the campaign's count of codes")
            }
        }
    }
}

impl std::error::Error for NotProven {}

impl Signed {
    /// Reads a code that ends in 16 digits of base 32 and has something before them; `None` when it
    /// cannot be a signed one.
    #[must_use]
    pub fn read(code: &CanonicalCode) -> Option<Self> {
        let text = code.as_str();
        let (prefix, body) = text.split_at_checked(text.len().checked_sub(BODY)?)?;
        let prefix: String = Prefix::parse(prefix)?.folded();
        let mut bits = 0_u128;
        for c in body.chars() {
            bits = (bits << 5) | value(c)?;
        }
        let low = |bits: u128, count: u32| u64::try_from(bits & mask(count)).unwrap_or_default();
        let permuted = low(bits >> TAG_BITS, SERIAL_BITS);
        Some(Self {
            prefix: prefix.into_boxed_str(),
            version: u8::try_from(bits >> (TAG_BITS + SERIAL_BITS)).ok()?,
            permuted: u32::try_from(permuted).ok()?,
            tag: low(bits, TAG_BITS),
        })
    }

    /// What stands before the body, as [`Prefix::folded`] has it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether it is a code of this campaign.
    ///
    /// # Errors
    /// Why it is none.
    pub fn prove(
        &self,
        keys: &Keys,
        campaign: &CampaignId,
        prefix: &Prefix,
        count: u64,
    ) -> Result<Proven, NotProven> {
        if prefix.folded() != *self.prefix {
            return Err(NotProven::OtherPrefix);
        }
        let version = KeyVersion::new(self.version);
        let mint = version.and_then(|version| Mint::of(keys, version, campaign, prefix));
        let mint = mint.ok_or(NotProven::NoSuchKey(self.version))?;
        let serial = mint.permutation.undo(self.permuted);
        if mint.tag(serial) != self.tag {
            return Err(NotProven::WrongTag);
        }
        if u64::from(serial) >= count {
            return Err(NotProven::BeyondCount(serial));
        }
        Ok(Proven { code: mint.code(serial), serial, key: mint.version })
    }
}

/// Makes the codes of a campaign with one key.
pub struct Mint<'a> {
    version: KeyVersion,
    prefix: &'a Prefix,
    permutation: Permutation,
    /// Has read the campaign and the version.
    tag: Hmac<Sha256>,
}

impl<'a> Mint<'a> {
    /// With the newest key.
    #[must_use]
    pub fn newest(keys: &Keys, campaign: &CampaignId, prefix: &'a Prefix) -> Option<Self> {
        Self::of(keys, keys.newest(), campaign, prefix)
    }

    /// With the key of a version, if there is one.
    #[must_use]
    pub fn of(
        keys: &Keys,
        version: KeyVersion,
        campaign: &CampaignId,
        prefix: &'a Prefix,
    ) -> Option<Self> {
        let secret = keys.secret(version)?;
        // An id has no zero byte, so no two series begin their messages alike.
        let series = [campaign.as_str().as_bytes(), &[0, version.get()]].concat();
        let tag = mac(secret)?.chain_update(b"promo-edge code tag\0").chain_update(&series);
        let permute = mac(secret)?.chain_update(b"promo-edge code order\0").chain_update(&series);
        let permutation = Permutation { key: mac(&permute.finalize().into_bytes())? };
        Some(Self { version, prefix, permutation, tag })
    }

    /// The key's version.
    #[must_use]
    pub const fn version(&self) -> KeyVersion {
        self.version
    }

    /// The code of a serial; of one beyond 30 bits, that of its lowest 30.
    #[must_use]
    pub fn code(&self, serial: u32) -> CanonicalCode {
        let serial = serial & low_bits(SERIAL_BITS);
        let mut bits = u128::from(self.version.get());
        bits = (bits << SERIAL_BITS) | u128::from(self.permutation.apply(serial));
        bits = (bits << TAG_BITS) | u128::from(self.tag(serial));
        let mut text = String::with_capacity(self.prefix.as_str().len().saturating_add(BODY));
        text.push_str(self.prefix.as_str());
        text.extend((0_u32..16).rev().map(|place| digit(bits >> place.saturating_mul(5))));
        CanonicalCode::of_canonical(text)
    }

    /// The code of a serial as it is shown: `SMR-1GKX-…`.
    #[must_use]
    pub fn shown(&self, serial: u32) -> String {
        shown(self.prefix, &self.code(serial))
    }

    fn tag(&self, serial: u32) -> u64 {
        let tag = self.tag.clone().chain_update(serial.to_be_bytes()).finalize().into_bytes();
        let head = tag.iter().take(8).fold(0_u64, |head, byte| (head << 8) | u64::from(*byte));
        head >> (u64::BITS - TAG_BITS)
    }
}

/// A signed code as it is shown, its body in groups of four.
#[must_use]
pub fn shown(prefix: &Prefix, code: &CanonicalCode) -> String {
    let mut text = prefix.as_str().to_owned();
    for (place, c) in code.as_str().chars().skip(prefix.as_str().len()).enumerate() {
        if place % GROUP == 0 {
            text.push('-');
        }
        text.push(c);
    }
    text
}

/// A Feistel cipher over the serials: each round adds to one half a keyed function of the other, so it
/// can be undone whatever that function is.
struct Permutation {
    key: Hmac<Sha256>,
}

impl Permutation {
    fn apply(&self, serial: u32) -> u32 {
        let (mut left, mut right) = halves(serial);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        joined(left, right)
    }

    fn undo(&self, permuted: u32) -> u32 {
        let (mut left, mut right) = halves(permuted);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        joined(left, right)
    }

    fn round(&self, round: u8, half: u32) -> u32 {
        let mac = self.key.clone().chain_update([round]).chain_update(half.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let head = mac.iter().take(2).fold(0_u32, |head, byte| (head << 8) | u32::from(*byte));
        head & low_bits(HALF_BITS)
    }
}

const fn halves(serial: u32) -> (u32, u32) {
    (serial >> HALF_BITS, serial & low_bits(HALF_BITS))
}

const fn joined(left: u32, right: u32) -> u32 {
    (left << HALF_BITS) | right
}

const fn low_bits(count: u32) -> u32 {
    (1_u32 << count).wrapping_sub(1)
}

const fn mask(count: u32) -> u128 {
    (1_u128 << count).wrapping_sub(1)
}

fn mac(key: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes a key of any length, so there is always one.
    Hmac::new_from_slice(key).ok()
}

#[cfg(test)]
mod tests;
