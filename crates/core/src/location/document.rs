//! A location document: what an operator says of one place of business, where the deployment's
//! settings do not hold.
//!
//! ```json
//! {"timezone": "America/Chicago", "tag": ["airport"], "currency": "USD", "amount_unit": "major",
//!  "phone_region": "US", "cart": "net"}
//! ```
//! Every key is optional; an unknown one is a fault.

use serde_json::Value;

use crate::fault::{Faults, Path, Sink};
use crate::identity::Region;
use crate::money::Currency;
use crate::time::Zone;

/// In what a point of sale wants amounts of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountUnit {
    /// 5 is five dollars.
    Major,
    /// 5 is five cents.
    Minor,
}

impl AmountUnit {
    /// Reads `major` or `minor`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "major" => Some(Self::Major),
            "minor" => Some(Self::Minor),
            _ => None,
        }
    }
}

/// A checked location document.
#[derive(Clone, Debug, Default)]
pub struct Location {
    /// The place's clock.
    pub timezone: Option<Zone>,
    /// What campaigns may call it by.
    pub tags: Vec<String>,
    /// The currency of its tabs.
    pub currency: Option<Currency>,
    /// In what its POS wants amounts.
    pub amount_unit: Option<AmountUnit>,
    /// ISO 3166 country of phone numbers written without one.
    pub phone_region: Option<Region>,
    /// Whether its POS sends carts with the discounts that stand taken off already (`"cart": "net"`),
    /// or not (`"gross"`).
    pub cart_is_net: Option<bool>,
}

impl Location {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        let document: Value = serde_json::from_slice(json)
            .map_err(|error| Faults::one("", format!("this is not JSON: {error}")))?;
        let Value::Object(entries) = document else {
            return Err(Faults::one("", "a location is a JSON object"));
        };
        let (sink, root) = (Sink::new(), Path::Root);
        let mut location = Self::default();
        for (key, value) in &entries {
            let path = Path::Key(&root, key);
            if value.is_null() {
                continue;
            }
            match key.as_str() {
                "timezone" => {
                    location.timezone = read(value, &path, &sink, |text| {
                        Zone::parse(text).map_err(|error| format!("{text:?} {error}"))
                    });
                }
                "currency" => {
                    location.currency = read(value, &path, &sink, |text| {
                        Currency::parse(text).map_err(|error| format!("{text:?} {error}"))
                    });
                }
                "amount_unit" => {
                    location.amount_unit = read(value, &path, &sink, |text| {
                        AmountUnit::parse(text).ok_or("use \"major\" or \"minor\"".to_owned())
                    });
                }
                "phone_region" => {
                    location.phone_region = read(value, &path, &sink, |text| {
                        Region::parse(text).ok_or_else(|| {
                            format!("{text:?} is no country; use two letters, as in \"US\"")
                        })
                    });
                }
                "cart" => {
                    location.cart_is_net = read(value, &path, &sink, |text| match text {
                        "net" => Ok(true),
                        "gross" => Ok(false),
                        _ => Err("use \"gross\" or \"net\"".to_owned()),
                    });
                }
                "tag" => location.tags = read_tags(value, &path, &sink),
                _ => sink.add(
                    &path,
                    "is no key of a location; there are timezone, tag, currency, amount_unit, \
                     phone_region and cart",
                ),
            }
        }
        sink.check(Some(location))
    }
}

fn read<T>(
    value: &Value,
    path: &Path<'_>,
    sink: &Sink,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let parsed = value.as_str().ok_or_else(|| "must be a text".to_owned()).and_then(parse);
    parsed.map_err(|detail| sink.add(path, detail)).ok()
}

fn read_tags(value: &Value, path: &Path<'_>, sink: &Sink) -> Vec<String> {
    let Some(list) = value.as_array() else {
        sink.add(path, "must be a list of texts");
        return Vec::new();
    };
    let tags = list.iter().enumerate().filter_map(|(index, tag)| {
        let text = tag.as_str().map(str::to_owned);
        if text.is_none() {
            sink.add(&Path::Index(path, index), "must be a text");
        }
        text
    });
    tags.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_says_what_differs_from_the_deployment() {
        let json = br#"{"timezone": "America/Chicago", "tag": ["airport"], "currency": "USD",
            "amount_unit": "minor", "phone_region": null}"#;
        let location = Location::from_json(json).unwrap();
        assert_eq!(location.timezone.unwrap().name(), "America/Chicago");
        assert_eq!(location.tags, ["airport"]);
        assert_eq!(location.amount_unit, Some(AmountUnit::Minor));
        assert_eq!(location.phone_region, None);
    }

    #[test]
    fn every_fault_of_a_location_is_told_at_once() {
        let json = br#"{"timezone": "Mars/Base", "tag": ["a", 1], "currency": 5, "zone": "x",
            "amount_unit": "cents", "phone_region": "usa"}"#;
        let faults = Location::from_json(json).unwrap_err();
        let pointers: Vec<&str> =
            faults.as_slice().iter().map(|fault| fault.pointer.as_str()).collect();
        let all = ["/amount_unit", "/currency", "/phone_region", "/tag/1", "/timezone", "/zone"];
        assert_eq!(pointers.len(), all.len(), "{faults}");
        assert!(all.iter().all(|pointer| pointers.contains(pointer)), "{faults}");
    }
}
