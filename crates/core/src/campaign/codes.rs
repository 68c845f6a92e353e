//! By which codes a campaign is reached.

use std::collections::BTreeMap;

use crate::{
    code::{
        CanonicalCode,
        signed::{LONGEST_PREFIX, MOST, Prefix},
    },
    json::At,
};

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

fn yes(at: At<'_>) -> Option<()> {
    if at.flag()? { Some(()) } else { at.fault("should be true, or left out") }
}

fn fixed(at: At<'_>) -> Option<Vec<CanonicalCode>> {
    let mut places: BTreeMap<CanonicalCode, usize> = BTreeMap::new();
    let mut index = 0_usize;
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
