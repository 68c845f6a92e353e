//! What can be told of a condition or a discount without a cart: that it never holds, or gives nothing.
//!
//! Only what is certain is told: a condition that is not called impossible may still be.

use std::collections::BTreeSet;

use super::{
    condition::{Condition, CustomerFacts, Days, Hours, Range},
    discount::{Discount, Grant, Part, Rate, Target},
    matcher::Matchers,
    percent::Percent,
};

/// Why a condition never holds, if that is certain.
pub(super) fn holds(condition: &Condition, matchers: &Matchers) -> Option<String> {
    match condition {
        Condition::All(parts) => {
            let mut parts_never = parts.iter().filter_map(|part| holds(part, matchers));
            parts_never.next().or_else(|| contradiction(parts))
        }
        Condition::Any(parts) if parts.is_empty() => Some("\"any\" of nothing never holds".into()),
        Condition::Any(parts) => {
            let never: Option<Vec<String>> =
                parts.iter().map(|part| holds(part, matchers)).collect();
            never.map(|reasons| reasons.join("; "))
        }
        Condition::Not(part) if always(part) => Some("what it denies always holds".into()),
        Condition::Not(_) => None,
        Condition::Subtotal { range, .. } if range.is_empty() => {
            Some(empty_range("subtotal", *range))
        }
        Condition::Subtotal { .. } => None,
        Condition::Items(bounds)
            if bounds.min_quantity.max(bounds.min_amount).max(bounds.min_different) > 0
                && matchers.is_nothing(bounds.matcher) =>
        {
            Some("its items match no line of any cart".into())
        }
        Condition::Items(_) => None,
        Condition::Location(words) => nothing_listed("location", words.is_empty()),
        Condition::LocationTag(words) => nothing_listed("location_tag", words.is_empty()),
        Condition::Channel(words) => nothing_listed("channel", words.is_empty()),
        Condition::Days(days) => nothing_listed("days", days.is_empty()),
        Condition::Hours(ranges) if ranges.iter().all(|range| range.start == range.end) => {
            Some("no range of its \"hours\" has any time in it".into())
        }
        Condition::Hours(_) => None,
        Condition::Dates(ranges) if ranges.iter().all(|(first, last)| first > last) => {
            Some("no range of its \"dates\" has any day in it".into())
        }
        Condition::Dates(_) => None,
        Condition::Customer(facts) => customer(facts),
    }
}

fn nothing_listed(key: &str, nothing: bool) -> Option<String> {
    nothing.then(|| format!("its \"{key}\" lists nothing"))
}

fn empty_range(key: &str, range: Range) -> String {
    format!("no {key} is at least {} and at most {}", range.min, range.max)
}

fn customer(facts: &CustomerFacts) -> Option<String> {
    let CustomerFacts { known, tag, tier, first_order, orders } = facts;
    let asks = tag.is_some() || tier.is_some() || first_order.is_some() || orders.is_some();
    if *known == Some(false) && asks {
        return Some("nothing else is known of a customer who is not known".into());
    }
    if let Some(range) = orders.filter(|range| range.is_empty()) {
        return Some(empty_range("number of orders", range));
    }
    let empty = |words: &Option<Vec<String>>| words.as_ref().is_some_and(Vec::is_empty);
    nothing_listed("tag", empty(tag)).or_else(|| nothing_listed("tier", empty(tier)))
}

/// Whether a condition always holds.
fn always(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(always),
        Condition::Any(parts) => parts.iter().any(always),
        Condition::Days(days) => *days == Days::ALL,
        Condition::Subtotal { range, .. } => *range == Range { min: 0, max: u64::MAX },
        Condition::Customer(facts) => **facts == CustomerFacts::default(),
        _ => false,
    }
}

/// Parts of an "all" that cannot hold together.
fn contradiction(parts: &[Condition]) -> Option<String> {
    let mut days = Days::ALL;
    let mut subtotal = Range { min: 0, max: u64::MAX };
    let (mut channels, mut locations) = (None, None);
    let mut known = None;
    for part in flattened(parts) {
        match part {
            Condition::Days(some) => days = days.and(*some),
            Condition::Subtotal { range, remaining: false } => {
                subtotal.min = subtotal.min.max(range.min);
                subtotal.max = subtotal.max.min(range.max);
            }
            Condition::Channel(words) => narrow(&mut channels, words),
            Condition::Location(words) => narrow(&mut locations, words),
            Condition::Customer(facts) => {
                let needs = facts.known.or((**facts != CustomerFacts::default()).then_some(true));
                if let (Some(before), Some(now)) = (known, needs)
                    && before != now
                {
                    return Some("the customer cannot be known and not known".into());
                }
                known = known.or(needs);
            }
            Condition::Not(denied) if flattened(parts).any(|part| part == &**denied) => {
                return Some("it asks for something and denies it".into());
            }
            _ => {}
        }
    }
    let nothing = |words: Option<BTreeSet<&str>>| words.is_some_and(|words| words.is_empty());
    if days.is_empty() {
        Some("its \"days\" have no day in common".into())
    } else if subtotal.is_empty() {
        Some(empty_range("subtotal", subtotal))
    } else if nothing(channels) {
        Some("its lists of channels have none in common".into())
    } else if nothing(locations) {
        Some("its lists of locations have none in common".into())
    } else {
        None
    }
}

/// The parts of an "all", with those of an "all" in it in its place.
fn flattened(parts: &[Condition]) -> impl Iterator<Item = &Condition> {
    let mut open: Vec<&Condition> = parts.iter().rev().collect();
    std::iter::from_fn(move || {
        loop {
            match open.pop()? {
                Condition::All(parts) => open.extend(parts.iter().rev()),
                part => return Some(part),
            }
        }
    })
}

fn narrow<'w>(common: &mut Option<BTreeSet<&'w str>>, words: &'w [String]) {
    let words: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    *common = Some(match common.take() {
        None => words,
        Some(before) => before.intersection(&words).copied().collect(),
    });
}

/// Why a discount never gives anything, if that is certain.
pub(super) fn gives(discount: &Discount, matchers: &Matchers) -> Option<&'static str> {
    const NO_TARGET: &str = "its target is never anything";
    let part = |part: &Part| matchers.is_nothing(part.items);
    match discount {
        Discount::Rate { rate, on, .. } | Discount::Picked { rate, on, .. } => {
            rate_gives(*rate).or_else(|| is_nothing(on, matchers).then_some(NO_TARGET))
        }
        Discount::Amount { on, .. } => is_nothing(on, matchers).then_some(NO_TARGET),
        Discount::Tiers { tiers, on, .. } => {
            let nothing = |grant: &Grant| match grant {
                Grant::Rate(rate) => rate_gives(*rate).is_some(),
                Grant::Amount(_) => false,
            };
            if tiers.iter().all(|(_, grant)| nothing(grant)) {
                return Some("no tier takes anything off");
            }
            is_nothing(on, matchers).then_some(NO_TARGET)
        }
        Discount::BuyGet { buy, get, rate, .. } => rate_gives(*rate)
            .or_else(|| (part(buy) || part(get)).then_some("its items match no line of any cart")),
        Discount::Bundle { parts, .. } => {
            parts.iter().any(part).then_some("one of its parts matches no line of any cart")
        }
    }
}

fn rate_gives(rate: Rate) -> Option<&'static str> {
    let nothing = Percent::parse("0").ok().map(Rate::Percent);
    (Some(rate) == nothing).then_some("0 percent takes nothing off")
}

fn is_nothing(on: &Target, matchers: &Matchers) -> bool {
    !on.tab && on.fees.is_empty() && on.items.iter().all(|items| matchers.is_nothing(*items))
}

/// Whether the clock of a condition runs on after midnight while its days end there: "Friday from 22:00
/// to 02:00" is then Friday's first two hours and its last two.
pub(super) fn nights_are_cut(
    condition: &Condition,
    days_end_before: impl Fn(&Hours) -> bool,
) -> bool {
    let (mut days, mut nights) = (false, false);
    for part in flattened(std::slice::from_ref(condition)) {
        match part {
            Condition::Days(_) | Condition::Dates(_) => days = true,
            Condition::Hours(ranges) => {
                nights |=
                    ranges.iter().any(|range| range.end < range.start && days_end_before(range));
            }
            _ => {}
        }
    }
    days && nights
}
