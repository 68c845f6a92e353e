//! The oracle: `simulate` a second time, written from `campaign.md` alone, as slowly and as plainly as possible.
//!
//! Every unit of every line is a struct of its own, a percentage is a big rational, nothing is remembered or
//! shortened, and each sentence of the specification stands beside the lines that obey it (`//>` quotes it).
//! It takes well-formed requests only: what must be refused is tested elsewhere.
#![allow(dead_code, reason = "each test target uses its own part of the oracle")]

mod allowed;
mod campaigns;
mod discount;
mod eligible;
mod pick;
mod spread;
mod tab;
mod time;

use serde_json::{Value, json};

/// What `promo simulate` must answer to a well-formed `request`, without the `detail` of a rejection.
///
/// A rejection of a whole campaign has no `offer`; a typed code that reaches none has `code` and no `campaign`.
pub fn simulate(request: &Value) -> Value {
    let cart = &request["cart"];
    let mut tab = tab::Tab::from_cart(cart);
    let mut applied = Vec::new();
    let mut rejected = Vec::new();
    let mut gave = Vec::new();

    for campaign in campaigns::in_order(request, &mut rejected) {
        campaigns::run(campaign, request, &mut tab, &mut gave, &mut applied, &mut rejected);
    }

    let discount: i64 =
        applied.iter().map(|offer: &Value| offer["discount"].as_i64().unwrap()).sum();
    json!({"discount": discount, "currency": cart["currency"], "offers": applied, "rejected": rejected})
}

/// The members of a JSON list; an absent list has none.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether a JSON list of strings has this string.
fn has(list_of_strings: &Value, wanted: &Value) -> bool {
    wanted.is_string() && list(list_of_strings).contains(wanted)
}

/// Whether two JSON lists of strings have a member in common.
fn share_a_member(one: &Value, other: &Value) -> bool {
    list(one).iter().any(|member| has(other, member))
}

/// Whether `number` lies in the closed range `{"min": …, "max": …}`; either bound may be absent.
fn in_range(range: &Value, number: i64) -> bool {
    let above = range["min"].as_i64().is_none_or(|min| number >= min);
    let below = range["max"].as_i64().is_none_or(|max| number <= max);
    above && below
}
