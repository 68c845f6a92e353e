//! By which codes a campaign is reached.

use std::collections::BTreeMap;

use crate::{
    code::{
        CanonicalCode,
        signed::{LONGEST_PREFIX, MOST, Prefix},
    },
    fault::Path,
    ident::{CampaignId, CodeKey, OfferId, most_room_for_code, room_for_code},
    json::At,
};

/// The most fixed codes of a campaign: each is an entry of its own that a `PUT` looks up and writes.
pub const MOST_FIXED: usize = 1000;

/// By which codes a campaign is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// By these, each usable many times.
    Fixed(Vec<CanonicalCode>),
    /// By codes that prove themselves.
    Signed {
        /// What every code begins with.
        prefix: Prefix,
        /// How many codes there are.
        count: u64,
    },
    /// By single codes, each stored by itself.
    Listed,
    /// By none: only through a reward, a card or a coupon.
    None,
}

pub(super) fn read(at: At<'_>) -> Option<Codes> {
    let keys = ["fixed", "signed", "listed", "none"];
    let object = at.object(&keys)?;
    match keys.map(|key| object.has(key)) {
        [true, false, false, false] => object.get("fixed", fixed).map(Codes::Fixed),
        [false, true, false, false] => object.get("signed", signed),
        [false, false, true, false] => object.get("listed", yes).map(|()| Codes::Listed),
        [false, false, false, true] => object.get("none", yes).map(|()| Codes::None),
        _ => object
            .fault("should have exactly one of \"fixed\", \"signed\", \"listed\" and \"none\""),
    }
}

/// Tells each fixed code that would not fit the `offer_id`s of its campaign. `at` is the document.
pub(super) fn check_room<'o>(
    at: At<'_>,
    id: &CampaignId,
    codes: &Codes,
    offers: impl IntoIterator<Item = &'o OfferId>,
) {
    let Codes::Fixed(codes) = codes else { return };
    let codes_at = Path::Key(at.path, "codes");
    let fixed_at = Path::Key(&codes_at, "fixed");
    let room = room_for_codes(id, offers);
    for (index, code) in codes.iter().enumerate() {
        if let Some(why) = too_long(code, room) {
            at.sink.add(&Path::Index(&fixed_at, index), why);
        }
    }
}

/// How many characters a code may have, as an `offer_id` writes it, beside each of these offers.
pub(super) fn room_for_codes<'o>(
    id: &CampaignId,
    offers: impl IntoIterator<Item = &'o OfferId>,
) -> usize {
    let rooms = offers.into_iter().map(|offer| room_for_code(id, offer));
    rooms.min().unwrap_or_else(|| most_room_for_code(id))
}

/// What is wrong with a code that has only so much room in an `offer_id`, if it does not fit.
#[must_use]
pub fn too_long(code: &CanonicalCode, room: usize) -> Option<String> {
    let length = CodeKey::of(code).as_str().len();
    let escaped = if code.as_str().is_ascii() {
        ""
    } else {
        "; a letter other than A to Z is written by its number and takes up to 8"
    };
    (length > room).then(|| {
        format!(
            "is too long: campaign.offer.CODE has at most 128 characters, so a code here has at most \
             {room}, and this one takes {length}{escaped}; shorten the code, or the ids"
        )
    })
}

fn yes(at: At<'_>) -> Option<()> {
    if at.flag()? { Some(()) } else { at.fault("should be true, or left out") }
}

fn fixed(at: At<'_>) -> Option<Vec<CanonicalCode>> {
    let mut places: BTreeMap<CanonicalCode, usize> = BTreeMap::new();
    let mut index = 0_usize;
    if at.length().is_some_and(|length| length > MOST_FIXED) {
        return at.fault(format!(
            "has more than {MOST_FIXED} codes: for many codes write {{\"listed\": true}} and import \
             them, or {{\"signed\": {{\"prefix\": \"ABC\", \"count\": 100000}}}} and have them made"
        ));
    }
    at.list(1, |at| {
        let place = index;
        index = index.saturating_add(1);
        let code = at.parsed(CanonicalCode::parse)?;
        if let Some(first) = places.insert(code.clone(), place) {
            return at.fault(format!(
                "is the same code as number {} of the list",
                first.saturating_add(1)
            ));
        }
        Some(code)
    })
}

fn signed(at: At<'_>) -> Option<Codes> {
    let object = at.object(&["prefix", "count"])?;
    let prefix = object.need("prefix", |at| {
        let prefix = Prefix::parse(at.text()?);
        prefix.or_else(|| at.fault(format!("should be 1 to {LONGEST_PREFIX} of A-Z and 0-9")))
    });
    let count = object.need("count", |at| at.whole(1, MOST));
    Some(Codes::Signed { prefix: prefix?, count: count? })
}
