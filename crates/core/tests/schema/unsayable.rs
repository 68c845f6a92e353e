//! The rules of a campaign that JSON Schema cannot say: for each the fault by which the checker tells
//! it, the descriptions that tell it instead, and a document that breaks nothing else.

use serde_json::{Value, json};

/// A value and the place where it is put.
pub type Patch = (&'static str, fn() -> Value);

/// A rule that only the checker knows.
pub struct Rule {
    /// Words that every fault of this rule has.
    pub fault: &'static str,
    /// Where the schema tells it in words, as JSON Pointers into the schema.
    pub told_at: &'static [&'static str],
    /// Words that stand in those descriptions.
    pub words: &'static str,
    /// What the faulty value must look like; anything else the schema should have refused.
    pub excuses: fn(&Value) -> bool,
    /// A document that breaks this rule alone, as patches of [`sound`].
    pub broken: &'static [Patch],
}

/// A campaign with something of every kind.
pub fn sound() -> Value {
    serde_json::from_str(include_str!("everything.json")).unwrap()
}

const fn any(_: &Value) -> bool {
    true
}

fn is_not_ascii(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_ascii())
}

fn is_name_of_a_zone(value: &Value) -> bool {
    let has = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    value.as_str().is_some_and(|text| !text.is_empty() && text.chars().all(has))
}

/// A number that JSON Schema takes for whole though it is not written so.
fn is_whole_float(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| value.is_f64() && number.fract() == 0.0)
}

fn is_day(value: &Value) -> bool {
    let day = value.as_str().and_then(|text| text.get(8..10));
    day.is_some_and(|day| ["29", "30", "31"].contains(&day))
}

pub const RULES: [Rule; 13] = [
    Rule {
        fault: "should be a whole number from",
        told_at: &[""],
        words: "without a point or an exponent",
        excuses: is_whole_float,
        broken: &[("/offers/0/priority", || json!(1.0)), ("/retention_days", || json!(4e2))],
    },
    Rule {
        fault: "is longer than 2000 bytes",
        told_at: &[
            "/properties/name",
            "/properties/description",
            "/properties/guest/properties/refused",
            "/$defs/offer/properties/name",
            "/$defs/offer/properties/description",
            "/$defs/offer/properties/group",
        ],
        words: "t most 2000 bytes",
        excuses: is_not_ascii,
        broken: &[("/name", || "é".repeat(1001).into())],
    },
    Rule {
        fault: "is the same code as number",
        told_at: &["/$defs/codes/properties/fixed"],
        words: "no code may stand here twice",
        excuses: any,
        broken: &[("/codes", || json!({"fixed": ["SUMMER10", "summer-10"]}))],
    },
    Rule {
        fault: "a code has at least 3 letters or digits",
        told_at: &["/$defs/codes/properties/fixed"],
        words: "3 to 64 letters or digits",
        excuses: is_not_ascii,
        broken: &[("/codes", || json!({"fixed": ["é1"]}))],
    },
    Rule {
        fault: "a code has at most 64 letters or digits",
        told_at: &["/$defs/codes/properties/fixed"],
        words: "3 to 64 letters or digits",
        excuses: is_not_ascii,
        broken: &[("/codes", || json!({"fixed": ["é".repeat(65)]}))],
    },
    Rule {
        fault: "is neither a letter nor a digit",
        told_at: &["/$defs/codes/properties/fixed"],
        words: "3 to 64 letters or digits",
        excuses: is_not_ascii,
        broken: &[("/codes", || json!({"fixed": ["ÉTÉ!"]}))],
    },
    Rule {
        fault: "is too long: campaign.offer.CODE",
        told_at: &["/$defs/codes/properties/fixed"],
        words: "has at most 128 characters",
        excuses: any,
        broken: &[("/codes", || json!({"fixed": ["é".repeat(64)]}))],
    },
    Rule {
        fault: "is the id of /offers/",
        told_at: &["/properties/offers", "/$defs/offer/properties/id"],
        words: "nique in the campaign|No two may have the same id",
        excuses: any,
        broken: &[("/offers/1/id", || json!("one"))],
    },
    Rule {
        fault: "is no time zone",
        told_at: &["/properties/timezone"],
        words: "must be a zone of the IANA database",
        excuses: is_name_of_a_zone,
        broken: &[("/timezone", || json!("America/Springfield"))],
    },
    Rule {
        fault: "is no time; write it as",
        told_at: &["/properties/starts_at", "/properties/ends_at"],
        words: "The day must exist",
        excuses: is_day,
        broken: &[("/starts_at", || json!("2026-02-30T00:00"))],
    },
    Rule {
        fault: "is no day; write it as",
        told_at: &["/$defs/condition/properties/dates", "/$defs/date"],
        words: "must exist",
        excuses: is_day,
        broken: &[("/offers/0/when/all/8/dates/0/1", || json!("2027-02-29"))],
    },
    Rule {
        fault: "should be more than the \"from\" of the tier before",
        told_at: &[
            "/$defs/discount/oneOf/6/properties/tiers",
            "/$defs/discount/oneOf/6/properties/tiers/items/properties/from",
        ],
        words: "greater than the one before|More than the `from` of the tier before",
        excuses: any,
        broken: &[("/offers/6/discount/tiers/2/from", || json!(2000))],
    },
    Rule {
        fault: "nested more than 64 deep",
        told_at: &[""],
        words: "nested more than 64 deep",
        excuses: any,
        broken: &[("/offers/1/when", || {
            (0..62).fold(json!({"all": []}), |inner, _| json!({"not": inner}))
        })],
    },
];
