//! An instrument type: the document an operator writes of one kind of card or coupon.
//!
//! ```json
//! {"name": "Tap Club card", "kind": "card", "symbology": "EAN_13", "campaign": "tap-club",
//!  "once_per_customer": true, "available_from": "2026-06-01T00:00",
//!  "available_until": "2027-01-01T00:00"}
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::campaign::Moment;
use crate::fault::{Faults, Path, Sink};
use crate::ident::CampaignId;
use crate::issuance::pool::Window;
use crate::json::{At, Node};
use crate::time::{BadTime, Instant, WallTime, Zone};

/// The longest name, in characters: what a phone shows on one line.
const LONGEST_NAME: usize = 35;

/// How often an instrument is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Again and again.
    Card,
    /// Once.
    Coupon,
}

/// The names of the kinds.
pub(super) const KINDS: [(&str, Kind); 2] = [("card", Kind::Card), ("coupon", Kind::Coupon)];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| kind == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

/// What a number is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Symbology {
    /// 13 digits, the last of them a check digit.
    #[serde(rename = "EAN_13")]
    Ean13,
    /// Any text of letters and digits.
    #[serde(rename = "CODE_128")]
    Code128,
    /// Any text of letters and digits.
    QrCode,
}

const SYMBOLOGIES: [(&str, Symbology); 3] = [
    ("EAN_13", Symbology::Ean13),
    ("CODE_128", Symbology::Code128),
    ("QR_CODE", Symbology::QrCode),
];

/// A sound instrument type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentType {
    /// What guests read.
    pub name: String,
    /// How often each is used.
    pub kind: Kind,
    /// What each is printed as.
    pub symbology: Symbology,
    /// Whose offers each grants.
    pub campaign: CampaignId,
    /// Whether a customer who asks again gets the number of before.
    pub once_per_customer: bool,
    available_from: Option<Moment>,
    available_until: Option<Moment>,
}

/// Where an instant lies in a type's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Before it: none is given out before this instant.
    NotYet(Instant),
    /// In it.
    Open,
    /// After it: since this instant none is given out, and those given out are expired.
    Over(Instant),
}

impl InstrumentType {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        let (sink, root) = (Sink::new(), Path::Root);
        let read = Node::parse(json, &sink, &root)
            .and_then(|node| read(At { node: &node, path: &root, sink: &sink }));
        sink.check(read)
    }

    /// The window; `zone` is the clock of times written without an offset.
    #[must_use]
    pub fn window(&self, zone: &Zone) -> Window {
        Window {
            from: self.available_from.map(|from| from.instant(zone)),
            until: self.available_until.map(|until| until.instant(zone)),
        }
    }

    /// Where an instant lies in the window; `zone` is the clock of times written without an offset.
    #[must_use]
    pub fn availability(&self, at: Instant, zone: &Zone) -> Availability {
        if let Some(from) = self.available_from.map(|from| from.instant(zone))
            && at < from
        {
            return Availability::NotYet(from);
        }
        match self.available_until.map(|until| until.instant(zone)) {
            Some(until) if at >= until => Availability::Over(until),
            _ => Availability::Open,
        }
    }
}

fn read(at: At<'_>) -> Option<InstrumentType> {
    let object = at.object(&[
        "name",
        "kind",
        "symbology",
        "campaign",
        "once_per_customer",
        "available_from",
        "available_until",
    ])?;
    let name = object.need("name", |at| {
        let name = at.text()?.trim();
        match name.chars().count() {
            0 => at.fault("should not be empty"),
            1..=LONGEST_NAME => Some(name.to_owned()),
            long => at.fault(format!("has {long} characters; at most {LONGEST_NAME} are shown")),
        }
    });
    let kind = object.need("kind", |at| at.one_of(&KINDS));
    let symbology = object.need("symbology", |at| at.one_of(&SYMBOLOGIES));
    let campaign = object.need("campaign", |at| at.parsed(CampaignId::parse));
    let once_per_customer = object.get("once_per_customer", |at| at.flag()).unwrap_or(false);
    let available_from = object.get("available_from", moment);
    let available_until = object.get("available_until", moment);
    // Any one clock tells whether one is before the other, unless only one of them has an offset.
    let utc = Zone::utc();
    if let (Some(from), Some(until)) = (available_from, available_until)
        && until.instant(&utc) <= from.instant(&utc)
    {
        object.get("available_until", |at| at.fault::<()>("should be after \"available_from\""));
    }
    Some(InstrumentType {
        name: name?,
        kind: kind?,
        symbology: symbology?,
        campaign: campaign?,
        once_per_customer,
        available_from,
        available_until,
    })
}

fn moment(at: At<'_>) -> Option<Moment> {
    if *at.node == Node::Null {
        return None;
    }
    at.parsed(|text| {
        let (wall, offset) = WallTime::parse(text)?;
        Ok::<_, BadTime>(match offset {
            None => Moment::Wall(wall),
            Some(offset) => Moment::Instant(wall.at_offset(offset)),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_what_it_gives_and_when() {
        let json = br#"{"name": "Tap Club", "kind": "card", "symbology": "EAN_13",
            "campaign": "tap-club", "once_per_customer": true,
            "available_from": "2026-06-01T00:00", "available_until": "2026-07-01T00:00:00Z"}"#;
        let document = InstrumentType::from_json(json).unwrap();
        assert_eq!((document.kind, document.symbology), (Kind::Card, Symbology::Ean13));
        let zone = Zone::parse("America/Chicago").unwrap();
        let at = |text| document.availability(Instant::parse(text).unwrap(), &zone);
        let from = Instant::parse("2026-06-01T05:00:00Z").unwrap();
        assert_eq!(at("2026-06-01T04:59:59Z"), Availability::NotYet(from));
        assert_eq!(at("2026-06-01T05:00:00Z"), Availability::Open);
        let until = Instant::parse("2026-07-01T00:00:00Z").unwrap();
        assert_eq!(at("2026-07-01T00:00:00Z"), Availability::Over(until));
        let window = document.window(&zone);
        assert_eq!(window, Window { from: Some(from), until: Some(until) });
        assert!(window.holds(from) && !window.holds(until));
    }

    #[test]
    fn every_fault_of_a_type_is_told_at_once() {
        let json = br#"{"name": "A name that is longer than a phone shows it", "kind": "cards",
            "symbology": "EAN-13", "campaing": "x", "once_per_customer": 1,
            "available_from": "2026-07-01T00:00", "available_until": "2026-06-01T00:00"}"#;
        let faults = InstrumentType::from_json(json).unwrap_err();
        let pointers: Vec<&str> = faults.as_slice().iter().map(|f| f.pointer.as_str()).collect();
        for pointer in [
            "/name",
            "/kind",
            "/symbology",
            "/campaing",
            "/campaign",
            "/once_per_customer",
            "/available_until",
        ] {
            assert!(pointers.contains(&pointer), "{pointer} of {faults}");
        }
        assert_eq!(pointers.len(), 7, "{faults}");
    }
}
