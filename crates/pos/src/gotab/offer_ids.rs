//! The offers an event names, wherever and however it names them. Assumed throughout.
//!
//! An event that names one offer must never be taken for one that means the whole tab. So every key that
//! may hold offers is read and what they name is united, and what stands there but cannot be read is a
//! fault.

use std::collections::HashSet;

use promo_core::checkout::MOST_OFFERS;
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::OfferRef;
use serde_json::Value;

use super::wire::{says_anything, text};

/// The keys that may hold offers, of an event and of its tab.
const KEYS: [&str; 9] = [
    "offers",
    "offer_ids",
    "offer_id",
    "offer",
    "redemptions",
    "redemption",
    "selected_offers",
    "applied_offers",
    "redeemed_offers",
];
/// The keys under which an entry says which offer it is.
const IDS: [&str; 2] = ["offer_id", "id"];

/// The offers named at these places, each once, in the order in which they are met. None named: no
/// place names any.
pub(super) fn named<'a>(
    places: impl IntoIterator<Item = (Path<'a>, &'a Value)>,
) -> Result<Vec<String>, Faults> {
    let (sink, mut found) = (Sink::new(), Vec::new());
    for (path, place) in places {
        for (key, value) in holding(place, &KEYS) {
            let path = Path::Key(&path, key);
            let before = found.len();
            collect(value, &path, &sink, &mut found);
            let names = found.len().saturating_sub(before);
            if names > MOST_OFFERS {
                let detail =
                    format!("names {names} offers; at most {MOST_OFFERS} fit in one event");
                sink.add(&path, detail);
            } else if names == 0 && !is_empty(value) && sink.is_empty() {
                sink.add(&path, UNREADABLE);
            }
        }
    }
    let mut seen = HashSet::new();
    found.retain(|id| seen.insert(id.clone()));
    if found.len() > MOST_OFFERS && sink.is_empty() {
        let detail = format!(
            "the event names {} offers; at most {MOST_OFFERS} fit in one event",
            found.len()
        );
        return Err(Faults::one("", detail));
    }
    sink.check(Some(found))
}

const UNREADABLE: &str = "names no offer that can be read; write a list of offer_ids, each a text or \
    an object with offer_id, or leave it empty to mean the whole tab";

/// Refuses an event whose body names offers where nobody reads them: a key that is not known, with
/// an offer's key in it or with a list of `offer_id`s. It does not mean the whole tab.
pub(super) fn none_elsewhere(body: &Value) -> Result<(), Faults> {
    let sink = Sink::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        if !is(key, "tab_data") && hides(value) {
            sink.add(&Path::Key(&Path::Root, key), MISPLACED);
        }
    }
    sink.check(Some(()))
}

const MISPLACED: &str = "seems to name offers, but is not read; write a list of offer_ids under \"offers\", or \
    leave this out to mean the whole tab";

/// Whether a value names offers somewhere below.
fn hides(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|entry| {
            let offer = entry.as_str().and_then(|text| OfferRef::parse(text.trim()));
            offer.is_some() || hides(entry)
        }),
        Value::Object(entries) => {
            holding(value, &KEYS).any(|(_, named)| !is_empty(named)) || entries.values().any(hides)
        }
        _ => false,
    }
}

/// The members of an object that stand under one of these keys, in any spelling (`offer_ids`, `offerIds`,
/// `OfferIDs`), and say anything.
fn holding<'v>(
    object: &'v Value,
    keys: &'v [&'v str],
) -> impl Iterator<Item = (&'v str, &'v Value)> {
    let members = object.as_object().into_iter().flatten();
    let members = members.map(|(key, value)| (key.as_str(), value));
    members.filter(|(key, value)| says_anything(value) && keys.iter().any(|known| is(key, known)))
}

/// Whether both are one key, however it is spelled.
fn is(key: &str, known: &str) -> bool {
    let letters = |text: &'_ str| {
        let bare = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
        bare.map(|c| c.to_ascii_lowercase()).collect::<String>()
    };
    letters(key) == letters(known)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// Texts, objects with `offer_id`, lists of either, and the nested groups of the INQUIRE reply.
fn collect(value: &Value, path: &Path<'_>, sink: &Sink, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(list) => {
            for (index, entry) in list.iter().enumerate() {
                collect(entry, &Path::Index(path, index), sink, found);
            }
        }
        Value::Object(entries) if entries.is_empty() => {}
        Value::Object(_) => entry(value, path, sink, found),
        one => match text(one) {
            Some(id) => found.push(id),
            // A blank text is as good as none.
            None if one.is_string() => {}
            None => sink.add(path, UNREADABLE),
        },
    }
}

/// An offer, or a group of them. A group may have an id of its own, which is no offer's.
fn entry(value: &Value, path: &Path<'_>, sink: &Sink, found: &mut Vec<String>) {
    let before = (found.len(), sink.is_empty());
    let mut nested = false;
    for (key, value) in holding(value, &KEYS).filter(|(key, _)| !is(key, "offer_id")) {
        nested = true;
        collect(value, &Path::Key(path, key), sink, found);
    }
    let ids = if nested { &IDS[..1] } else { &IDS[..] };
    found.extend(holding(value, ids).find_map(|(_, id)| text(id)));
    let silent = found.len() == before.0 && sink.is_empty() == before.1;
    if silent && !nested {
        sink.add(path, UNREADABLE);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Vec<String>, String> {
        named([(Path::Root, body)]).map_err(|faults| faults.as_slice()[0].pointer.clone())
    }

    #[test]
    fn what_every_key_names_is_united() {
        let one = || Ok(vec!["one".to_owned()]);
        for body in [
            json!({"offers": [], "offer_ids": ["one"]}),
            json!({"offers": [], "redemptions": [{"offer_id": "one", "amount": 5}]}),
            json!({"offers": null, "offerIds": ["one", null]}),
            json!({"offer_id": "one"}),
            json!({"Offers": ["one"]}),
            json!({"offers": [], "offerIDs": ["one"]}),
            json!({"OFFER_IDS": [{"OfferID": "one"}]}),
            json!({"offers": "one", "selected_offers": {"offerId": "one"}}),
            json!({"offers": [{"name": "Group", "id": "g", "offers": [{"offer_id": "one"}]}]}),
            json!({"redemptions": [{"offer": {"id": "one"}}]}),
            json!({"offers": {"offers": [{"name": "G", "offers": ["one"]}]}, "offer": " one "}),
        ] {
            assert_eq!(read(&body), one(), "{body}");
        }
        let body = json!({"offers": ["a", {"id": 7}], "offer_ids": ["b", "a"], "redemption": "c"});
        let united = read(&body).map(|ids| ids.into_iter().collect::<HashSet<_>>());
        assert_eq!(united, Ok(["a", "7", "b", "c"].map(str::to_owned).into()));
    }

    #[test]
    fn only_what_is_absent_or_empty_names_nothing() {
        for body in [
            json!({}),
            json!({"offers": []}),
            json!({"offers": null, "offer_ids": [], "redemptions": {}, "offer_id": ""}),
        ] {
            assert_eq!(read(&body), Ok(Vec::new()), "{body}");
        }
        for (body, pointer) in [
            (json!({"offers": [{"name": "one"}]}), "/offers/0"),
            (json!({"offers": [null]}), "/offers"),
            (json!({"offers": [[]]}), "/offers"),
            (json!({"offers": [""]}), "/offers"),
            (json!({"offers": true}), "/offers"),
            (json!({"offers": [], "redemptions": [{"code": "X"}]}), "/redemptions/0"),
            (json!({"offers": [{"name": "Group", "offers": []}]}), "/offers"),
            (json!({"offers": [{"offer_id": null}]}), "/offers/0"),
            (json!({"offers": ["good", {"offer_id": {}}]}), "/offers/1"),
        ] {
            assert_eq!(read(&body), Err(pointer.to_owned()), "{body}");
        }
    }

    #[test]
    fn offers_named_under_a_key_that_nobody_reads_do_not_mean_the_whole_tab() {
        for (body, pointer) in [
            (json!({"applied": ["camp.ten-off.SUMMER10"]}), Some("/applied")),
            (json!({"offers": [], "reversal": {"offers": ["one"]}}), Some("/reversal")),
            (json!({"discounts": [{"offerId": "one"}]}), Some("/discounts")),
            (json!({"discounts": [{"amount": 5}], "note": "camp.ten-off.SUMMER10"}), None),
            (json!({"reversal": {"offers": [], "offer_id": null}, "loyalty_points": []}), None),
            (json!({"tab_data": {"adjustments": [{"offer_id": "one"}]}, "offers": {}}), None),
        ] {
            let fault = none_elsewhere(&body).err();
            let found = fault.as_ref().map(|faults| faults.as_slice()[0].pointer.as_str());
            assert_eq!(found, pointer, "{body}");
        }
    }

    #[test]
    fn at_most_fifty_offers_are_named() {
        let ids = |count| (0..count).map(|n| format!("o{n}")).collect::<Vec<_>>();
        assert_eq!(
            read(&json!({"offers": ids(50), "offer_ids": ids(50)})).map(|ids| ids.len()),
            Ok(50)
        );
        assert_eq!(read(&json!({"offers": ids(51)})), Err("/offers".to_owned()));
        assert_eq!(read(&json!({"offers": vec!["same"; 51]})), Err("/offers".to_owned()));
        let more: Vec<String> = (50..60).map(|n| format!("o{n}")).collect();
        assert_eq!(read(&json!({"offers": ids(50), "offer_ids": more})), Err(String::new()));
    }
}
