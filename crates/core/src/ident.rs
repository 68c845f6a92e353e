//! Names of things, each parsed once at the border.
//!
//! The `offer_id` a point of sale is handed ([`OfferRef`]) must by itself lead back to campaign,
//! offer and code, because a REDEEM may come without the code that was typed. It is written
//! `campaign.offer.CODE`, opaque to the till but readable in a log, in at most 128 characters of
//! `[A-Za-z0-9._~:-]`.
//!
//! A typed code always stands there in full: one that does not fit is refused where it comes in
//! ([`room_for_code`]). What is abbreviated to a digest, marked by `-`, with which no slug and no code
//! begins, is the id of an offer, which is compared with those of the campaign, and the number of a card
//! or coupon, which counts only if that very number was given out.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::code::{CanonicalCode, CodeError};

/// The most characters of a POS's own names (tab, location).
const MAX_NAME_BYTES: usize = 128;
/// The most bytes of what a scanner reads.
const MAX_SCANNED: usize = 512;
/// The most characters of an `offer_id` we hand out.
const MAX_OFFER_REF: usize = 128;

/// A name that does not have the form it should; the text says which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadName(pub &'static str);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadName {}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads the name.
            ///
            /// # Errors
            /// When the text has not the form of such a name.
            pub fn parse(text: &str) -> Result<Self, BadName> {
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// The name's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// A campaign's id, unique in the deployment: `[a-z0-9][a-z0-9-]{0,63}`.
    CampaignId,
    check_slug
);
name_type!(
    /// An offer's id, unique in its campaign: `[a-z0-9][a-z0-9-]{0,63}`.
    OfferId,
    check_slug
);
name_type!(
    /// A tab as the POS names it. Only together with its location is it one tab.
    TabId,
    check_pos_name
);
name_type!(
    /// A place of business as the POS names it.
    LocationId,
    check_pos_name
);

name_type!(
    /// An instrument type's code: four digits.
    TypeCode,
    check_type_code
);
name_type!(
    /// A card as the wallet app names it: one segment of a path, so not `.` and not `..`.
    CardId,
    check_card_id
);

fn check_card_id(text: &str) -> Result<(), BadName> {
    if text == "." || text == ".." {
        return Err(BadName("must not be \".\" or \"..\", which name no segment of a path"));
    }
    check_pos_name(text)
}

fn check_type_code(text: &str) -> Result<(), BadName> {
    if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(BadName("use four digits, as in \"1234\""))
    }
}

fn check_slug(text: &str) -> Result<(), BadName> {
    let bytes = text.as_bytes();
    let first_ok = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest_ok = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    if first_ok && rest_ok && bytes.len() <= 64 {
        Ok(())
    } else {
        Err(BadName("use 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit"))
    }
}

fn check_pos_name(text: &str) -> Result<(), BadName> {
    if text.is_empty() {
        Err(BadName("must not be empty"))
    } else if text.len() > MAX_NAME_BYTES {
        Err(BadName("must be at most 128 bytes long"))
    } else if text.chars().any(char::is_control) {
        Err(BadName("must not hold control characters"))
    } else {
        Ok(())
    }
}

/// What an `offer_id` says: which campaign, which of its offers, and by which code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OfferRef {
    /// The campaign named.
    pub campaign: CampaignId,
    /// The key of the offer named.
    pub offer: OfferKey,
    /// The key of the code that led to the offer.
    pub code: CodeKey,
}

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The key's text: ASCII, without a full stop.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn read(text: &str) -> Option<Self> {
                let sound = !text.is_empty() && text.bytes().all(|b| is_ref_byte(b) && b != b'.');
                sound.then(|| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::read(&text).ok_or_else(|| serde::de::Error::custom("not a key of ours"))
            }
        }
    };
}

key_type!(
    /// An offer as it is written in an `offer_id` and kept in the ledger: its id, or the digest of
    /// one too long to stand beside its campaign's.
    OfferKey
);
key_type!(
    /// A code as it is written in an `offer_id` and counted in the ledger: the code itself, with
    /// what is not ASCII escaped; or the digest of a card's number that is no code, or too long for
    /// one. Equal codes have equal keys, and a code has only this one.
    CodeKey
);

impl OfferKey {
    /// The key of an offer: the same, whichever code leads to it.
    #[must_use]
    pub fn of(campaign: &CampaignId, offer: &OfferId) -> Self {
        let room =
            MAX_OFFER_REF.saturating_sub(campaign.as_str().len()).saturating_sub(2 + CodeKey::MAX);
        if offer.as_str().len() <= room {
            Self(offer.as_str().into())
        } else {
            Self(digest(offer.as_str()).into())
        }
    }
}

/// How many characters the key of a code may have beside this campaign and offer, so that the
/// `offer_id` has at most 128: at least 41.
#[must_use]
pub fn room_for_code(campaign: &CampaignId, offer: &OfferId) -> usize {
    let others = [campaign.as_str().len(), OfferKey::of(campaign, offer).as_str().len(), 2];
    others.into_iter().fold(MAX_OFFER_REF, usize::saturating_sub)
}

/// The same beside the shortest id an offer can have.
#[must_use]
pub fn most_room_for_code(campaign: &CampaignId) -> usize {
    MAX_OFFER_REF.saturating_sub(campaign.as_str().len()).saturating_sub(3)
}

/// What [`room_for_code`] leaves at least.
pub(crate) const LEAST_ROOM_FOR_CODE: usize = CodeKey::MAX;

impl CodeKey {
    /// A key of this length fits beside every campaign and offer: an id of 64 characters, and the
    /// digest of an offer's.
    const MAX: usize = MAX_OFFER_REF - 64 - 2 - DIGEST_LENGTH;

    /// The key of a code.
    #[must_use]
    pub fn of(code: &CanonicalCode) -> Self {
        let mut escaped = String::with_capacity(code.as_str().len());
        for c in code.as_str().chars() {
            if c.is_ascii_alphanumeric() {
                escaped.push(c);
            } else {
                escaped.push_str(&format!("~{:x}:", u32::from(c)));
            }
        }
        Self(escaped.into_boxed_str())
    }

    /// The key of the number of a card or coupon that could be a code. It fits every `offer_id`.
    #[must_use]
    pub fn of_number(code: &CanonicalCode) -> Self {
        let key = Self::of(code);
        if key.0.len() > Self::MAX { Self(digest(code.as_str()).into_boxed_str()) } else { key }
    }

    /// The key of what a scanner read as the number of a card or coupon, which need not be a code: what
    /// a QR code holds may be any text.
    ///
    /// # Errors
    /// Why it is no code, where it is too short, too long or not printable to be anything else.
    pub fn of_scanned(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        match CanonicalCode::parse(text) {
            Ok(code) => Ok(Self::of_number(&code)),
            Err(error @ CodeError::TooShort) => Err(error),
            Err(error) => {
                let printable = !text.chars().any(char::is_control);
                let scanned = printable && text.len() <= MAX_SCANNED;
                scanned.then(|| Self(digest(text).into_boxed_str())).ok_or(error)
            }
        }
    }

    /// The code this key was made of; none for a number's digest, and for what is written in any other
    /// way than [`CodeKey::of`] writes a code.
    #[must_use]
    pub fn code(&self) -> Option<CanonicalCode> {
        let mut parts = self.0.split('~');
        let mut text = parts.next()?.to_owned();
        for part in parts {
            let (hex, rest) = part.split_once(':')?;
            text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
            text.push_str(rest);
        }
        let code = CanonicalCode::parse(&text).ok()?;
        // A digest begins with a hyphen, which a code's canonical form drops.
        (Self::of(&code) == *self).then_some(code)
    }

    /// Whether it has the form of a number's digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let body = self.0.strip_prefix('-');
        self.0.len() == DIGEST_LENGTH && body.is_some_and(|body| body.bytes().all(hex))
    }
}

impl OfferRef {
    /// Reads an `offer_id` a POS sends back; `None` when it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_OFFER_REF {
            return None;
        }
        let mut parts = text.split('.');
        let (campaign, offer, code) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            campaign: CampaignId::parse(campaign).ok()?,
            offer: OfferKey::read(offer)?,
            code: CodeKey::read(code)?,
        })
    }
}

impl OfferRef {
    /// The offer's part: its id, or the digest of one too long to stand here.
    #[must_use]
    pub fn offer_name(&self) -> &str {
        self.offer.as_str()
    }
}

impl Serialize for OfferRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OfferRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an offer_id of ours"))
    }
}

impl fmt::Display for OfferRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.campaign, self.offer, self.code)
    }
}

const fn is_ref_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b':' | b'-')
}

/// A hyphen and 80 bits of SHA-256 in hexadecimal.
const DIGEST_LENGTH: usize = 21;

fn digest(text: &str) -> String {
    let mut out = String::with_capacity(DIGEST_LENGTH);
    out.push('-');
    for byte in Sha256::digest(text.as_bytes()).iter().take(10) {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(campaign: &CampaignId, offer: &OfferId, code: &CanonicalCode) -> OfferRef {
        OfferRef {
            campaign: campaign.clone(),
            offer: OfferKey::of(campaign, offer),
            code: CodeKey::of(code),
        }
    }

    fn names(campaign: &str, offer: &str, code: &str) -> (CampaignId, OfferId, CanonicalCode) {
        (
            CampaignId::parse(campaign).unwrap(),
            OfferId::parse(offer).unwrap(),
            CanonicalCode::parse(code).unwrap(),
        )
    }

    #[test]
    fn an_offer_id_reads_like_what_it_names() {
        let (campaign, offer, code) = names("summer-2026", "ten-off", "summer-10");
        let id = reference(&campaign, &offer, &code).to_string();
        assert_eq!(id, "summer-2026.ten-off.SUMMER10");
    }

    #[test]
    fn an_offer_id_leads_back_to_campaign_offer_and_code_however_long_they_are() {
        let longest = "x".repeat(64);
        let mut refused = 0;
        for campaign in ["c", &longest] {
            for offer in ["o", &longest] {
                for code in [
                    "ABC",
                    "ÉTÉ10",
                    &"9".repeat(64),
                    &"é".repeat(64),
                    &"A".repeat(41),
                    &"A".repeat(42),
                ] {
                    let (campaign, offer, code) = names(campaign, offer, code);
                    let id = reference(&campaign, &offer, &code).to_string();
                    let room = room_for_code(&campaign, &offer);
                    assert!(room >= CodeKey::MAX && room <= most_room_for_code(&campaign));
                    assert_eq!(id.len() <= 128, CodeKey::of(&code).as_str().len() <= room, "{id}");
                    assert!(id.bytes().all(is_ref_byte), "{id}");
                    let Some(read) = OfferRef::parse(&id) else {
                        assert!(id.len() > 128, "{id}");
                        refused += 1;
                        continue;
                    };
                    assert_eq!(read.campaign, campaign);
                    assert_eq!(read.offer, OfferKey::of(&campaign, &offer));
                    assert_ne!(
                        read.offer,
                        OfferKey::of(&campaign, &OfferId::parse("other").unwrap())
                    );
                    assert_eq!(read.code.code(), Some(code), "a code is never abbreviated");
                    assert_eq!(read.to_string(), id);
                }
            }
        }
        assert!(refused > 4, "{refused}");
    }

    #[test]
    fn a_number_fits_every_offer_id_and_is_no_code_s_key_when_it_is_abbreviated() {
        let (campaign, offer, code) = names(&"x".repeat(64), &"y".repeat(64), &"7".repeat(64));
        let number = CodeKey::of_number(&code);
        let id = OfferRef {
            campaign: campaign.clone(),
            offer: OfferKey::of(&campaign, &offer),
            code: number.clone(),
        };
        assert!(id.to_string().len() <= 128);
        assert_eq!(OfferRef::parse(&id.to_string()), Some(id));
        assert!(number.is_digest() && number.code().is_none());
        assert_ne!(number, CodeKey::of(&code));
        let short = CanonicalCode::parse("4006381333931").unwrap();
        assert_eq!(CodeKey::of_number(&short), CodeKey::of(&short));
    }

    #[test]
    fn what_a_scanner_read_has_a_key_though_it_is_no_code() {
        let key = |text| CodeKey::of_scanned(text).unwrap();
        assert_eq!(key(" summer-10 "), CodeKey::of(&CanonicalCode::parse("SUMMER10").unwrap()));
        let url = key("https://shop.example/c?id=Ab1");
        assert!(url.as_str().starts_with('-') && url.code().is_none());
        assert_ne!(url, key("https://shop.example/c?id=aB1"));
        assert_eq!(CodeKey::of_scanned("??"), Ok(key("??")));
        assert_eq!(CodeKey::of_scanned("12"), Err(CodeError::TooShort));
        assert!(CodeKey::of_scanned("a\u{7}bc").is_err());
        assert!(CodeKey::of_scanned(&"/".repeat(513)).is_err());
    }

    #[test]
    fn what_is_no_offer_id_of_ours_is_none() {
        for text in [
            "",
            "a",
            "a.b",
            "a.b.c.d",
            "A.b.C",
            "a..C",
            "a.b.",
            "a.b.ÉTÉ",
            "a b.c.D",
            &"a".repeat(200),
        ] {
            assert_eq!(OfferRef::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_the_key_of_its_code_names_no_code() {
        for text in [
            "a.b.abc",
            "a.b.~41:BC",
            "a.b.A~42:C",
            "a.b.~C9:T~C9:10",
            "a.b.~0c9:T~c9:10",
            "a.b.~e9:T~e9:10",
            "a.b.A-BC",
            "a.b.A_BC",
            "a.b.~zz:",
            "a.b.~",
            "a.b.AB",
            "a.b.-00",
            "a.b.-0000000001",
            "a.b.-dead",
            "a.b.-dead00000000000000DE",
        ] {
            let key = OfferRef::parse(text).unwrap().code;
            assert_eq!((key.code(), key.is_digest()), (None, false), "{text}");
        }
        assert!(OfferRef::parse("a.b.-dead0000000000000000").unwrap().code.is_digest());
    }

    #[test]
    fn slugs_and_pos_names_have_their_forms() {
        for bad in ["", "-a", "A", "a_b", "é", &"a".repeat(65)] {
            assert!(CampaignId::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a\nb", &"a".repeat(129)] {
            assert!(TabId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(TabId::parse("O2oFAC7fXeYNEWmmOBFZr_4S").is_ok());
    }
}
