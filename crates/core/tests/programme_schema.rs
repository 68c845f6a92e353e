//! The programme's JSON Schema and its checker are one set of rules, written twice: what the one accepts
//! and the other refuses is a bug, but for what JSON Schema cannot say and the descriptions tell.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[allow(unused_imports, reason = "only the dice are needed")]
mod generate;
#[path = "schema/mutate.rs"]
#[allow(dead_code, reason = "the campaign's schema needs more")]
mod mutate;

use std::sync::LazyLock;

use jsonschema::Validator;
use mutate::Members;
use promo_core::{fault::Fault, loyalty::programme::Programme, schema};
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(schema::PROGRAMME).unwrap());
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| validator(&SCHEMA));

/// A validator that finds the campaign's schema beside this one, as an editor and a browser do.
fn validator(schema: &Value) -> Validator {
    let campaign: Value = serde_json::from_str(schema::CAMPAIGN).unwrap();
    let mut whole = schema.clone();
    whole["$defs"]["campaign"] = campaign["$defs"].clone();
    let text = whole.to_string().replace("campaign.json#/$defs/", "#/$defs/campaign/");
    // The campaign's own references are within its own definitions.
    let mut whole: Value = serde_json::from_str(&text).unwrap();
    let own = whole["$defs"]["campaign"].to_string();
    let own = own.replace("\"#/$defs/", "\"#/$defs/campaign/");
    whole["$defs"]["campaign"] = serde_json::from_str(&own).unwrap();
    jsonschema::draft202012::new(&whole).unwrap()
}

fn faults(document: &Value) -> Vec<Fault> {
    let json = serde_json::to_vec(document).unwrap();
    Programme::from_json(&json).err().into_iter().flatten().collect()
}

/// What only the checker knows: words of its faults.
const UNSAYABLE: [&str; 9] = [
    "should be a whole number from",
    "is longer than 2000 bytes",
    "too",
    "is no time zone",
    "is no day; write it as",
    "should be more than the \"from\" of the tier before",
    "nested more than 64 deep",
    "is no country",
    "should be a decimal",
];

fn agreed(document: &Value) -> Result<bool, String> {
    let faults = faults(document);
    match (VALIDATOR.is_valid(document), faults.is_empty()) {
        (true, false) => {
            let said = |fault: &&Fault| !UNSAYABLE.iter().any(|words| fault.detail.contains(words));
            match faults.iter().find(said) {
                Some(fault) => Err(format!("the schema accepts, the checker says {fault}")),
                None => Ok(false),
            }
        }
        (false, true) => {
            let errors: Vec<String> = VALIDATOR
                .iter_errors(document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            Err(format!("the checker accepts, the schema says {}", errors.join("; ")))
        }
        (says, _) => Ok(says),
    }
}

/// A programme with something of every kind.
fn sound() -> Value {
    let mut sound = SCHEMA["examples"][0].clone();
    sound["currency"] = json!("USD");
    sound["negative"] = json!("clip");
    sound["combines_with"] = json!(["summer"]);
    sound["expire"] = json!({"at": "2027-01-01"});
    sound["earn"][0]["on"] = json!({"items": {"sku": ["IPA"]}});
    let reward = json!({"id": "five", "name": "5 off", "cost": 50, "offer": {"id": "x", "name": "Five",
        "description": "d", "priority": 1, "stacking": "exclusive", "group": "g",
        "discounts": [{"amount": 500}], "when": {"days": ["mon"]}, "quotas": [{"limit": 5}]}});
    sound["rewards"].as_array_mut().unwrap().push(reward);
    sound
}

#[test]
fn sound_programmes_are_accepted_by_both() {
    for document in [&sound(), &SCHEMA["examples"][0], &json!({"name": "Plain"})] {
        assert_eq!(agreed(document), Ok(true), "{:?}", faults(document));
    }
}

#[test]
fn a_value_at_the_border_in_any_place_is_judged_alike_by_both() {
    let (mut accepted, mut refused) = (0, 0);
    let mut pool = mutate::pool();
    pool.extend(
        ["points-5", "points-x", "1.5", "1000.0000", "01.5", "2027-02-30", "US", "ZZ"]
            .map(Value::from),
    );
    for place in mutate::places(&sound()) {
        for value in &pool {
            match agreed(&mutate::replaced(&sound(), &place, value)) {
                Ok(true) => accepted += 1,
                Ok(false) => refused += 1,
                Err(why) => panic!("{place} = {value}: {why}"),
            }
        }
    }
    assert!(accepted > 300 && refused > 5_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn any_key_in_any_object_is_judged_alike_by_both() {
    let mut members = Members::new();
    mutate::gather(&sound(), &mut members);
    members.insert("colour".to_owned(), vec![json!("red")]);
    for place in mutate::places(&sound()) {
        let sound = sound();
        let Some(object) = sound.pointer(&place).unwrap().as_object() else { continue };
        for key in object.keys() {
            let mut without = object.clone();
            without.remove(key);
            let verdict = agreed(&mutate::replaced(&sound, &place, &Value::Object(without)));
            assert!(verdict.is_ok(), "{place} without {key}: {verdict:?}");
        }
        for (key, values) in &members {
            for value in values.iter().take(2) {
                let mut with = object.clone();
                with.insert(key.clone(), value.clone());
                let verdict = agreed(&mutate::replaced(&sound, &place, &Value::Object(with)));
                assert!(verdict.is_ok(), "{place}/{key} = {value}: {verdict:?}");
            }
        }
    }
}

#[test]
fn what_the_schema_cannot_say_is_told_in_words() {
    for (place, value, words) in [
        ("/timezone", json!("America/Springfield"), "must be a zone of the IANA database"),
        ("/phone_region", json!("ZZ"), "must be a country with a calling code"),
        ("/expire/at", json!("2027-02-30"), "ust be a day of the calendar"),
        ("/tiers/0/multiplier", json!("1000.5"), "from 0 to 1000"),
        ("/rewards/1/id", json!("free-pint"), "nique in the programme"),
    ] {
        let broken = mutate::replaced(&sound(), place, &value);
        assert!(VALIDATOR.is_valid(&broken), "the schema can say {place}");
        assert!(!faults(&broken).is_empty(), "{place}");
        let text = SCHEMA.to_string();
        assert!(text.to_lowercase().contains(&words.to_lowercase()), "{words}");
    }
}
