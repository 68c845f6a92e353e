//! What an offer gives: one of eight kinds, each on some of the cart.

use super::{
    matcher::{KEYS, MatcherId, MatcherReader},
    percent::Percent,
};
use crate::{
    json::{At, Object},
    money::Money,
};

/// A discount.
#[derive(Clone, Debug)]
pub(crate) enum Discount {
    /// A rate on the units of a target.
    Rate {
        /// How much off each.
        rate: Rate,
        /// What of.
        on: Target,
        /// The most that the whole discount may be.
        max: u64,
        /// How many units.
        units: UnitLimits,
    },
    /// One sum spread over a target.
    Amount {
        /// The sum.
        amount: u64,
        /// What over.
        on: Target,
    },
    /// For each full set of bought and got units, a rate on the got ones.
    BuyGet {
        /// What is bought for one set.
        buy: Part,
        /// What is got for one set.
        get: Part,
        /// How much off what is got.
        rate: Rate,
        /// Which units are got.
        pick: Pick,
        /// The most sets.
        max_times: u64,
    },
    /// Each set for one price.
    Bundle {
        /// What a set is made of.
        parts: Vec<Part>,
        /// What a set costs.
        price: u64,
        /// The most sets.
        max_times: u64,
    },
    /// The highest tier reached.
    Tiers {
        /// The tiers, ascending by where they start.
        tiers: Vec<(u64, Grant)>,
        /// What has to reach them.
        by: TierBy,
        /// What of.
        on: Target,
    },
    /// A rate on the cheapest or dearest units of a target.
    Picked {
        /// Which.
        pick: Pick,
        /// How many.
        count: u64,
        /// Once so many can be picked, and never fewer than are picked.
        at_least: u64,
        /// How much off each.
        rate: Rate,
        /// What of.
        on: Target,
    },
}

/// How much a unit is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// By so much percent.
    Percent(Percent),
    /// By so much.
    AmountEach(u64),
    /// To this price.
    UnitPrice(u64),
}

/// What a tier gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// A rate on each unit.
    Rate(Rate),
    /// One sum.
    Amount(u64),
}

/// What has to reach a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TierBy {
    /// The target's value before any discount.
    #[default]
    Amount,
    /// The target's units.
    Quantity,
}

/// Which units are taken first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Those of the lowest price.
    #[default]
    Cheapest,
    /// Those of the highest price.
    Dearest,
}

/// How many units a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitLimits {
    /// Over the whole target.
    pub total: u64,
    /// Of each line.
    pub per_line: u64,
}

impl UnitLimits {
    /// All of them.
    pub(crate) const NONE: Self = Self { total: u64::MAX, per_line: u64::MAX };
}

/// Some units of some lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Which lines.
    pub items: MatcherId,
    /// How many units.
    pub quantity: u64,
}

/// What a discount is on: a set of lines and fees, in the cart's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Every line, or the subtotal of a cart without lines.
    pub tab: bool,
    /// The lines that one of these means.
    pub items: Vec<MatcherId>,
    /// The fees of these kinds.
    pub fees: Vec<String>,
}

const RATES: [&str; 3] = ["percent", "amount_each", "unit_price"];

/// The kinds by the key that names each, with all the keys that each may have. A rate among the units
/// picked makes no kind of its own, so those come first.
const KINDS: [(&str, &[&str]); 9] = [
    ("buy", &["buy", "get", "pick", "max_times"]),
    ("bundle", &["bundle", "price", "max_times"]),
    ("tiers", &["tiers", "by", "on"]),
    ("cheapest", &["cheapest", "percent", "amount_each", "unit_price", "on", "at_least"]),
    ("dearest", &["dearest", "percent", "amount_each", "unit_price", "on", "at_least"]),
    ("percent", &["percent", "on", "max", "max_units", "max_units_per_line"]),
    ("amount_each", &["amount_each", "on", "max_units", "max_units_per_line"]),
    ("unit_price", &["unit_price", "on", "max_units", "max_units_per_line"]),
    ("amount", &["amount", "on"]),
];

/// Which kind a discount is, once its keys are known to be those of that kind.
fn kind<'n>(at: At<'n>) -> Option<(&'static str, Object<'n>)> {
    let has = |key: &str| at.keys().any(|name| name == key);
    let Some((kind, keys)) = KINDS.iter().find(|(kind, _)| has(kind)) else {
        let mut known: Vec<&str> = KINDS.iter().flat_map(|(_, keys)| *keys).copied().collect();
        known.sort_unstable();
        known.dedup();
        at.object(&known)?;
        let kinds: Vec<String> = KINDS.iter().map(|(kind, _)| format!("{kind:?}")).collect();
        return at.fault(format!("should have exactly one of {}", kinds.join(", ")));
    };
    let others = KINDS.iter().filter(|(other, _)| has(other) && !keys.contains(other));
    let others: Vec<String> = others.map(|(other, _)| format!("{other:?}")).collect();
    if !others.is_empty() {
        let others = others.join(" and ");
        return at.fault(format!(
            "has {kind:?} and {others}: a discount is of one kind; several go into \"discounts\""
        ));
    }
    at.object(keys).map(|object| (*kind, object))
}

/// Reads a discount.
pub(super) fn read(at: At<'_>, matchers: &mut MatcherReader) -> Option<Discount> {
    let (key, object) = kind(at)?;
    match key {
        "buy" => buy_get(&object, matchers),
        "bundle" => bundle(&object, matchers),
        "tiers" => tiers(&object, matchers),
        "cheapest" => picked(&object, key, Pick::Cheapest, matchers),
        "dearest" => picked(&object, key, Pick::Dearest, matchers),
        "amount" => {
            let amount = object.need("amount", |at| minor(at, 1));
            let on = on(&object, matchers);
            Some(Discount::Amount { amount: amount?, on: on? })
        }
        _ => {
            let rate = rate(&object);
            let max = object.get("max", |at| minor(at, 1));
            let limit = |key| object.get(key, |at| minor(at, 1)).unwrap_or(u64::MAX);
            let units =
                UnitLimits { total: limit("max_units"), per_line: limit("max_units_per_line") };
            let on = on(&object, matchers);
            Some(Discount::Rate { rate: rate?, on: on?, max: max.unwrap_or(u64::MAX), units })
        }
    }
}

fn minor(at: At<'_>, least: u64) -> Option<u64> {
    at.whole(least, Money::MAX.minor())
}

fn rate(object: &Object<'_>) -> Option<Rate> {
    let given = RATES.iter().filter(|key| object.has(key)).count();
    if given != 1 {
        object.fault::<()>(
            "should have exactly one of \"percent\", \"amount_each\" and \"unit_price\"",
        );
    }
    let percent = object.get("percent", |at| at.parsed(Percent::parse).map(Rate::Percent));
    let each = object.get("amount_each", |at| minor(at, 1).map(Rate::AmountEach));
    let price = object.get("unit_price", |at| minor(at, 0).map(Rate::UnitPrice));
    percent.or(each).or(price)
}

fn buy_get(object: &Object<'_>, matchers: &mut MatcherReader) -> Option<Discount> {
    let buy = object.need("buy", |at| part(&at.object(&["items", "quantity"])?, matchers));
    let get = object.need("get", |at| {
        let keys = ["items", "quantity", "percent", "amount_each", "unit_price"];
        let object = at.object(&keys)?;
        let part = part(&object, matchers);
        let rate = rate(&object);
        Some((part?, rate?))
    });
    let picks = [("cheapest", Pick::Cheapest), ("dearest", Pick::Dearest)];
    let pick = object.get("pick", |at| at.one_of(&picks));
    let max_times = object.get("max_times", |at| minor(at, 1));
    let (get, rate) = get?;
    Some(Discount::BuyGet {
        buy: buy?,
        get,
        rate,
        pick: pick.unwrap_or_default(),
        max_times: max_times.unwrap_or(u64::MAX),
    })
}

fn part(object: &Object<'_>, matchers: &mut MatcherReader) -> Option<Part> {
    let items = object.need("items", |at| matchers.read(at));
    let quantity = object.need("quantity", |at| minor(at, 1));
    Some(Part { items: items?, quantity: quantity? })
}

fn bundle(object: &Object<'_>, matchers: &mut MatcherReader) -> Option<Discount> {
    let parts = object
        .need("bundle", |at| at.list(1, |at| part(&at.object(&["items", "quantity"])?, matchers)));
    let price = object.need("price", |at| minor(at, 0));
    let max_times = object.get("max_times", |at| minor(at, 1));
    Some(Discount::Bundle {
        parts: parts?,
        price: price?,
        max_times: max_times.unwrap_or(u64::MAX),
    })
}

fn tiers(object: &Object<'_>, matchers: &mut MatcherReader) -> Option<Discount> {
    let mut above = None;
    let tiers = object.need("tiers", |at| {
        at.list(1, |at| {
            let object = at.object(&["from", "percent", "amount", "amount_each", "unit_price"])?;
            let from = object.need("from", |at| {
                let from = minor(at, 0)?;
                if above.is_some_and(|above| from <= above) {
                    at.fault::<()>("should be more than the \"from\" of the tier before");
                }
                above = Some(from);
                Some(from)
            });
            let grant = if object.has("amount") {
                if RATES.iter().any(|key| object.has(key)) {
                    object.fault::<()>("should have an \"amount\" or a rate, not both");
                }
                object.get("amount", |at| minor(at, 1).map(Grant::Amount))
            } else {
                rate(&object).map(Grant::Rate)
            };
            Some((from?, grant?))
        })
    });
    let words = [("amount", TierBy::Amount), ("quantity", TierBy::Quantity)];
    let by = object.get("by", |at| at.one_of(&words));
    let on = on(object, matchers);
    Some(Discount::Tiers { tiers: tiers?, by: by.unwrap_or_default(), on: on? })
}

fn picked(
    object: &Object<'_>,
    key: &str,
    pick: Pick,
    matchers: &mut MatcherReader,
) -> Option<Discount> {
    let count = object.need(key, |at| minor(at, 1));
    let at_least = object.get("at_least", |at| minor(at, 1));
    let rate = rate(object);
    let on = on(object, matchers);
    let count = count?;
    Some(Discount::Picked {
        pick,
        count,
        at_least: at_least.unwrap_or(count),
        rate: rate?,
        on: on?,
    })
}

/// Reads the target that "on" says; absent, the whole tab.
pub(crate) fn on(object: &Object<'_>, matchers: &mut MatcherReader) -> Option<Target> {
    let mut target = Target::default();
    if object.has("on") {
        object.get("on", |at| add_target(at, &mut target, matchers))?;
    } else {
        target.tab = true;
    }
    Some(target)
}

fn add_target(at: At<'_>, target: &mut Target, matchers: &mut MatcherReader) -> Option<()> {
    if let crate::json::Node::Text(text) = at.node {
        if text != "tab" {
            return at
                .fault("should be \"tab\", or an object with \"items\", \"fees\" or \"any_of\"");
        }
        target.tab = true;
        return Some(());
    }
    let keys = ["items", "fees", "any_of"];
    let object = at.object(&keys)?;
    match keys.map(|key| object.has(key)) {
        [true, false, false] => {
            let items = object.get("items", |at| matchers.read(at))?;
            if !target.items.contains(&items) {
                target.items.push(items);
            }
            Some(())
        }
        [false, true, false] => {
            target.fees.extend(object.get("fees", |at| at.texts())?);
            Some(())
        }
        [false, false, true] => {
            object.get("any_of", |at| at.list(0, |at| add_target(at, target, matchers))).map(|_| ())
        }
        _ => {
            let near = at.keys().any(|key| KEYS.contains(&key));
            object.fault(if near {
                "should have exactly one of \"items\", \"fees\" and \"any_of\"; a matcher goes into \
                 {\"items\": …}"
            } else {
                "should have exactly one of \"items\", \"fees\" and \"any_of\""
            })
        }
    }
}
