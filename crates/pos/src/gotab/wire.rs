//! Tolerant reading of GoTab's JSON: identifiers as string or number, nulls and blank texts anywhere,
//! unknown keys ignored, several names for one thing. Each name is also read in the spelling of GoTab's
//! webhooks (`unit_price` as `unitPrice`).

use promo_core::decimal;
use serde_json::Value;

/// The value under the first of `keys` that says anything.
pub(super) fn first<'a>(object: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    named(object, keys).map(|(_, value)| value)
}

/// As [`first`], with the key it stands under.
pub(super) fn named<'a>(object: &'a Value, keys: &[&str]) -> Option<(String, &'a Value)> {
    keys.iter().find_map(|key| {
        let plain = said(object, key).map(|value| ((*key).to_owned(), value));
        plain.or_else(|| {
            let webhooks = camel_case(key)?;
            let value = said(object, &webhooks)?;
            Some((webhooks, value))
        })
    })
}

/// What stands under a key, unless it is null or a blank text.
fn said<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| says_anything(value))
}

/// Whether a value is neither null nor a blank text.
pub(super) fn says_anything(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// `unit_price` as `unitPrice`; none for one word.
fn camel_case(key: &str) -> Option<String> {
    let mut words = key.split('_');
    let mut camel = words.next()?.to_owned();
    let alone = camel.len() == key.len();
    for word in words {
        let (initial, rest) = word.split_at_checked(1)?;
        camel.push_str(&initial.to_ascii_uppercase());
        camel.push_str(rest);
    }
    (!alone).then_some(camel)
}

/// A text, or a number written as one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text under the first of `keys` that has one.
pub(super) fn text_at(object: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text(first(object, &[key])?))
}

/// A whole number, also when it is written `1100.0` or `"1100"`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    decimal::scaled(&text(value)?, 0).ok()
}

/// An amount of money in minor units. A number is in minor units already; a text is in major units, as
/// people write them: `"20.00"` is 2000 where the currency has two decimals.
pub(super) fn amount(value: &Value, exponent: u32) -> Option<i64> {
    let places = if value.is_string() { exponent } else { 0 };
    decimal::scaled(&text(value)?, places).ok()
}

/// A text or a list of texts.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_read_in_either_spelling_and_what_says_nothing_is_passed_over() {
        let item =
            json!({"unit_price": null, "unitPrice": 5, "price": 7, "productId": " ", "id": 9});
        assert_eq!(
            named(&item, &["unit_price", "price"]),
            Some(("unitPrice".to_owned(), &json!(5)))
        );
        assert_eq!(text_at(&item, &["product_id", "id"]), Some("9".to_owned()));
        assert_eq!(first(&item, &["sku"]), None);
        assert_eq!(first(&json!([1]), &["sku"]), None);
    }

    #[test]
    fn an_amount_as_text_is_in_major_units_and_as_number_in_minor_ones() {
        for (value, exponent, minor) in [
            (json!(2000), 2, Some(2000)),
            (json!(2000.0), 2, Some(2000)),
            (json!("20.00"), 2, Some(2000)),
            (json!("20"), 2, Some(2000)),
            (json!(" 20.5 "), 2, Some(2050)),
            (json!("-0.05"), 2, Some(-5)),
            (json!("20"), 0, Some(20)),
            (json!("1.234"), 3, Some(1234)),
            (json!(20.5), 2, None),
            (json!("20.005"), 2, None),
            (json!("1,000.00"), 2, None),
            (json!("$20"), 2, None),
            (json!(true), 2, None),
            (json!([20]), 2, None),
        ] {
            assert_eq!(amount(&value, exponent), minor, "{value}");
        }
    }
}
