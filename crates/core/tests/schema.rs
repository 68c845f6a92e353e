//! The campaign's JSON Schema and the checker are one set of rules, written twice. Everything that
//! the one accepts and the other refuses is a bug, but for the rules in `schema/unsayable.rs`, which
//! JSON Schema cannot say and the schema's descriptions tell.
//!
//! `PROMO_LONG=1` tries more mutants, `PROMO_SEED=n` those of one seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[allow(unused_imports, reason = "nothing is shrunk here")]
mod generate;
#[path = "schema/mutate.rs"]
mod mutate;
#[path = "schema/unsayable.rs"]
mod unsayable;

use std::{fs, path::Path, sync::LazyLock};

use generate::Dice;
use jsonschema::Validator;
use mutate::Members;
use promo_core::{campaign::Campaign, fault::Fault, schema};
use serde_json::{Value, json};
use unsayable::{RULES, Rule, sound};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(schema::CAMPAIGN).unwrap());
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).unwrap());

fn faults(document: &Value) -> Vec<Fault> {
    let json = serde_json::to_vec(document).unwrap();
    Campaign::from_json(&json).err().into_iter().flatten().collect()
}

/// The rule that a fault tells, if the schema could not have told it.
fn rule(document: &Value, fault: &Fault) -> Option<&'static Rule> {
    let value = document.pointer(&fault.pointer)?;
    RULES.iter().find(|rule| fault.detail.contains(rule.fault) && (rule.excuses)(value))
}

/// Whether both accept the document (true) or both refuse it; why they disagree, if they do.
fn agreed(document: &Value) -> Result<bool, String> {
    let faults = faults(document);
    let says_schema = VALIDATOR.is_valid(document);
    match (says_schema, faults.is_empty()) {
        (true, false) => match faults.iter().find(|fault| rule(document, fault).is_none()) {
            Some(fault) => Err(format!("the schema accepts, the checker says {fault}")),
            None => Ok(false),
        },
        (false, true) => {
            let errors = VALIDATOR.iter_errors(document);
            let errors: Vec<String> =
                errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
            Err(format!("the checker accepts, the schema says {}", errors.join("; ")))
        }
        (says_schema, _) => Ok(says_schema),
    }
}

fn assert_both_accept(name: &str, document: &Value) {
    assert_eq!(agreed(document), Ok(true), "{name}: {:?}\n{document}", faults(document));
}

/// The smallest campaign.
fn plain() -> Value {
    json!({
        "id": "plain", "name": "Plain", "currency": "USD", "codes": {"none": true},
        "offers": [{"id": "o", "name": "O", "discount": {"amount": 5}}],
    })
}

/// The smallest campaign, and with it by turns each thing that a campaign may have.
fn parts() -> Vec<Value> {
    let everything = sound();
    let mut parts = vec![plain()];
    let mut with = |place: &str, key: &str, value: &Value| {
        let mut part = plain();
        part.pointer_mut(place).unwrap()[key] = value.clone();
        parts.push(part);
    };
    for (key, value) in everything.as_object().unwrap().iter().filter(|(key, _)| *key != "offers") {
        with("", key, value);
    }
    with("", "codes", &json!({"signed": {"prefix": "SMR", "count": 100}}));
    with("", "codes", &json!({"listed": true}));
    with("", "combines_with", &json!("any"));
    let offers = everything["offers"].as_array().unwrap();
    for condition in offers[0]["when"]["all"].as_array().unwrap() {
        with("/offers/0", "when", condition);
    }
    with("/offers/0", "when", &json!({"all": [{"any": []}]}));
    for offer in offers {
        let mut offer = offer.clone();
        offer.as_object_mut().unwrap().remove("when");
        with("", "offers", &json!([offer]));
    }
    parts
}

/// What makes a part itself, as places.
fn own_places(part: &Value) -> Vec<String> {
    let plain = plain();
    let own = |place: &String| part == &plain || plain.pointer(place) != part.pointer(place);
    mutate::places(part).into_iter().filter(own).collect()
}

/// Campaigns of the vectors and of `examples/`.
fn corpus() -> Vec<(String, Value)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = vec![("everything".to_owned(), sound())];
    for file in ["settled", "published", "generated"] {
        let path = here.join(format!("tests/vectors/{file}.json"));
        let cases: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for case in cases {
            for campaign in case["request"]["campaigns"].as_array().unwrap() {
                corpus.push((case["name"].to_string(), campaign.clone()));
            }
        }
    }
    for entry in fs::read_dir(here.join("../../examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let campaign = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            corpus.push((path.display().to_string(), campaign));
        }
    }
    corpus
}

#[test]
fn campaigns_known_to_be_sound_are_accepted_by_both() {
    let corpus = corpus();
    assert!(corpus.len() > 285, "only {} campaigns found", corpus.len());
    for (name, campaign) in &corpus {
        assert_both_accept(name, campaign);
    }
}

#[test]
fn generated_campaigns_are_accepted_by_both() {
    for seed in generate::seeds() {
        for campaign in generate::request(seed)["campaigns"].as_array().unwrap() {
            assert_both_accept(&format!("seed {seed}"), campaign);
        }
    }
}

#[test]
fn a_value_at_the_border_in_any_place_is_judged_alike_by_both() {
    let (mut accepted, mut refused) = (0, 0);
    let pool = mutate::pool();
    for campaign in &parts() {
        assert_both_accept("a part", campaign);
        for place in own_places(campaign) {
            for value in &pool {
                let mutant = mutate::replaced(campaign, &place, value);
                match agreed(&mutant) {
                    Ok(true) => accepted += 1,
                    Ok(false) => refused += 1,
                    Err(why) => panic!("{place} = {value}: {why}"),
                }
            }
        }
    }
    assert!(accepted > 2_000 && refused > 20_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn any_key_in_any_object_is_judged_alike_by_both() {
    let mut members = Members::new();
    corpus().iter().for_each(|(_, campaign)| mutate::gather(campaign, &mut members));
    members.insert("colour".to_owned(), vec![json!("red")]);
    for campaign in &parts() {
        for place in own_places(campaign) {
            let Some(object) = campaign.pointer(&place).unwrap().as_object() else { continue };
            for key in object.keys() {
                let mut without = object.clone();
                without.remove(key);
                let mutant = mutate::replaced(campaign, &place, &Value::Object(without));
                assert!(agreed(&mutant).is_ok(), "{place} without {key}: {:?}", agreed(&mutant));
            }
            for (key, values) in &members {
                for value in values.iter().take(3) {
                    let mut with = object.clone();
                    with.insert(key.clone(), value.clone());
                    let mutant = mutate::replaced(campaign, &place, &Value::Object(with));
                    let verdict = agreed(&mutant);
                    assert!(verdict.is_ok(), "{place}/{key} = {value}: {verdict:?}");
                }
            }
        }
    }
}

#[test]
fn mutants_of_sound_campaigns_are_judged_alike_by_both() {
    let (corpus, pool) = (corpus(), mutate::pool());
    let mut members = Members::new();
    corpus.iter().for_each(|(_, campaign)| mutate::gather(campaign, &mut members));
    let mut accepted = 0;
    for seed in generate::seeds() {
        let dice = &mut Dice::new(seed);
        for _ in 0..3 {
            let mut mutant = if dice.one_in(2) {
                corpus[dice.below(corpus.len())].1.clone()
            } else {
                generate::request(seed)["campaigns"][0].clone()
            };
            for _ in 0..dice.of(&[1, 1, 1, 2, 3]) {
                mutate::mutate(&mut mutant, dice, &pool, &members);
            }
            match agreed(&mutant) {
                Ok(verdict) => accepted += u64::from(verdict),
                Err(why) => panic!("PROMO_SEED={seed}: {why}\n{mutant}"),
            }
        }
    }
    assert!(accepted > 0, "every mutant was refused: there is nothing to learn from them");
}

#[test]
fn each_rule_that_the_schema_cannot_say_is_the_checkers_and_is_told_in_words() {
    for rule in &RULES {
        assert!(!rule.broken.is_empty());
        for (place, value) in rule.broken {
            let mut broken = sound();
            let (parent, key) = place.rsplit_once('/').unwrap();
            let parent = broken.pointer_mut(parent).unwrap();
            match parent {
                Value::Array(list) => list[key.parse::<usize>().unwrap()] = value(),
                _ => parent[key] = value(),
            }
            assert!(VALIDATOR.is_valid(&broken), "the schema can say: {}", rule.fault);
            let faults = faults(&broken);
            let is_it = |fault: &Fault| fault.detail.contains(rule.fault);
            assert!(!faults.is_empty() && faults.iter().all(is_it), "{}: {faults:?}", rule.fault);
        }
        for place in rule.told_at {
            let told = SCHEMA.pointer(place).unwrap_or_else(|| panic!("{place} is not there"));
            let told = told["description"].as_str().unwrap();
            assert!(rule.words.split('|').any(|words| told.contains(words)), "{place}: {told}");
        }
    }
}

#[test]
fn a_code_that_stands_twice_in_the_same_letters_is_refused_by_both() {
    let mut campaign = plain();
    campaign["codes"] = json!({"fixed": ["AAA", "AAA"]});
    assert!(!VALIDATOR.is_valid(&campaign) && !faults(&campaign).is_empty());
}

#[test]
fn a_key_that_stands_twice_is_the_checkers_to_refuse() {
    let json =
        schema_example().to_string().replacen('{', "{\"active\": true, \"active\": true, ", 1);
    let faults = Campaign::from_json(json.as_bytes()).unwrap_err();
    assert_eq!(faults.to_string(), "/active: stands here twice");
    assert!(SCHEMA["description"].as_str().unwrap().contains("stands twice in one object"));
}

fn schema_example() -> &'static Value {
    &SCHEMA["examples"][0]
}

/// Every subschema that stands for a property, an element or a definition.
fn subschemas() -> Vec<(String, &'static Value)> {
    let keyed = ["properties", "$defs"];
    mutate::places(&SCHEMA)
        .into_iter()
        .filter(|place| {
            let above = place.rsplit_once('/').map_or("", |(above, _)| above);
            let (grand, last) = above.rsplit_once('/').unwrap_or(("", above));
            let is_member = keyed.contains(&last.trim_start_matches('/'));
            // A property may itself be called "properties"; here none is.
            is_member && !grand.ends_with("/anonymous") && !grand.contains("dependentSchemas")
        })
        .map(|place| {
            let subschema = SCHEMA.pointer(&place).unwrap();
            (place, subschema)
        })
        .collect()
}

/// What a subschema says under a key, by itself or through its reference.
fn said(subschema: &'static Value, key: &str) -> &'static Value {
    match (&subschema[key], subschema["$ref"].as_str()) {
        (Value::Null, Some(reference)) => {
            said(SCHEMA.pointer(reference.trim_start_matches('#')).unwrap(), key)
        }
        (own, _) => own,
    }
}

#[test]
fn every_property_is_explained_and_its_examples_and_default_are_sound() {
    let subschemas = subschemas();
    assert!(subschemas.len() > 100, "only {} found", subschemas.len());
    for (place, subschema) in subschemas {
        for key in ["title", "description"] {
            assert!(said(subschema, key).is_string(), "{place} has no {key}");
        }
        let mut alone = subschema.clone();
        alone["$defs"] = SCHEMA["$defs"].clone();
        let validator = jsonschema::draft202012::new(&alone).unwrap();
        let examples = said(subschema, "examples").as_array();
        let is_property = place.contains("/properties/");
        assert!(!is_property || examples.is_some_and(|list| !list.is_empty()), "{place}");
        let default = subschema.get("default");
        for value in examples.into_iter().flatten().chain(default) {
            assert!(validator.is_valid(value), "{place}: {value}");
        }
        let told = said(subschema, "description").as_str().unwrap();
        if subschema.get("default").is_some_and(|default| !default.is_object()) {
            assert!(told.contains("efault"), "{place} does not tell its default");
        }
    }
    assert_both_accept("the schema's example", schema_example());
}
