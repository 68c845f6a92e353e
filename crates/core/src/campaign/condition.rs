//! When an offer may apply: a tree of facts about the cart, the place, the time and the customer.

use super::matcher::{MatcherId, MatcherReader};
use crate::{
    json::{At, Object},
    money::Money,
    time::{Date, TimeOfDay, Weekday},
};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// Any of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// The subtotal lies in the closed range.
    Subtotal {
        /// Where.
        range: Range,
        /// Whether after the offers applied before this one, and not before any discount.
        remaining: bool,
    },
    /// The matching lines reach every bound.
    Items(ItemsBounds),
    /// The event's location is one of these.
    Location(Vec<String>),
    /// The location has one of these tags.
    LocationTag(Vec<String>),
    /// The business day is one of these.
    Days(Days),
    /// The local clock shows a time in one of these ranges.
    Hours(Vec<Hours>),
    /// The business date lies in one of these closed ranges.
    Dates(Vec<(Date, Date)>),
    /// The cart's channel is one of these.
    Channel(Vec<String>),
    /// All of this is known of the customer.
    Customer(Box<CustomerFacts>),
}

/// A closed range; an absent bound is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl Range {
    /// Whether a number lies in the range.
    pub(crate) fn holds(self, number: u64) -> bool {
        self.min <= number && number <= self.max
    }

    /// Whether no number does.
    pub(crate) fn is_empty(self) -> bool {
        self.min > self.max
    }
}

/// What the lines that a matcher means must reach together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemsBounds {
    /// Which lines.
    pub matcher: MatcherId,
    /// At least so many units.
    pub min_quantity: u64,
    /// Units worth at least so much before any discount.
    pub min_amount: u64,
    /// At least so many different skus.
    pub min_different: u64,
}

/// Some days of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Days(u8);

impl Days {
    /// Whether a day is one of them.
    pub(crate) fn has(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days, from Monday.
    pub(crate) fn iter(self) -> impl Iterator<Item = Weekday> + Clone {
        Weekday::ALL.into_iter().filter(move |day| self.has(*day))
    }

    /// Those that are among others too.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The whole week.
    pub(crate) const ALL: Self = Self(0x7f);

    fn bit(day: Weekday) -> u8 {
        1 << (day as u8)
    }
}

/// A range of the clock, its start inclusive, its end exclusive; one that ends before it starts
/// crosses midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    /// The first time that counts.
    pub start: TimeOfDay,
    /// The first time that counts no more.
    pub end: TimeOfDay,
}

impl Hours {
    /// Whether a time lies in the range.
    pub(crate) fn hold(self, time: TimeOfDay) -> bool {
        if self.start <= self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }
}

/// What must be known of the customer; an absent key asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CustomerFacts {
    /// Whether it is known who it is.
    pub known: Option<bool>,
    /// One of these tags.
    pub tag: Option<Vec<String>>,
    /// One of these tiers.
    pub tier: Option<Vec<String>>,
    /// Whether this is the first order.
    pub first_order: Option<bool>,
    /// How many orders came before.
    pub orders: Option<Range>,
}

impl Condition {
    /// Whether a subtotal after the earlier offers is asked for anywhere in the tree.
    pub(crate) fn asks_what_remains(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_what_remains),
            Self::Not(part) => part.asks_what_remains(),
            Self::Subtotal { remaining, .. } => *remaining,
            _ => false,
        }
    }
}

const LEAVES: [&str; 12] = [
    "all",
    "any",
    "not",
    "subtotal",
    "items",
    "location",
    "location_tag",
    "days",
    "hours",
    "dates",
    "channel",
    "customer",
];

/// Reads a condition.
pub(crate) fn read(at: At<'_>, matchers: &mut MatcherReader) -> Option<Condition> {
    let object = at.object(&LEAVES)?;
    if at.keys().count() != 1 {
        return object
            .fault("should have exactly one key; several conditions go into \"all\" or \"any\"");
    }
    // No known key: the one there is has been noted as unknown.
    let key = LEAVES.iter().find(|key| object.has(key))?;
    object.get(key, |at| match *key {
        "all" => parts(at, matchers).map(Condition::All),
        "any" => parts(at, matchers).map(Condition::Any),
        "not" => read(at, matchers).map(|part| Condition::Not(Box::new(part))),
        "subtotal" => subtotal(&at.object(&["min", "max", "of"])?),
        "items" => items(at, matchers),
        "location" => at.texts().map(Condition::Location),
        "location_tag" => at.texts().map(Condition::LocationTag),
        "days" => days(at),
        "hours" => hours(at),
        "dates" => dates(at),
        "channel" => at.texts().map(Condition::Channel),
        _ => customer(at),
    })
}

fn parts(at: At<'_>, matchers: &mut MatcherReader) -> Option<Vec<Condition>> {
    at.list(0, |at| read(at, matchers))
}

fn range(object: &Object<'_>) -> Range {
    let bound = |key| object.get(key, |at| at.whole(0, Money::MAX.minor()));
    Range { min: bound("min").unwrap_or(0), max: bound("max").unwrap_or(u64::MAX) }
}

fn subtotal(object: &Object<'_>) -> Option<Condition> {
    let remaining = object.get("of", |at| at.one_of(&[("initial", false), ("remaining", true)]));
    Some(Condition::Subtotal { range: range(object), remaining: remaining.unwrap_or(false) })
}

fn items(at: At<'_>, matchers: &mut MatcherReader) -> Option<Condition> {
    let object = at.object(&["match", "min_quantity", "min_amount", "min_different"])?;
    let matcher = object.need("match", |at| matchers.read(at));
    let bound = |key| object.get(key, |at| at.whole(0, Money::MAX.minor()));
    Some(Condition::Items(ItemsBounds {
        min_quantity: bound("min_quantity").unwrap_or(1),
        min_amount: bound("min_amount").unwrap_or(0),
        min_different: bound("min_different").unwrap_or(0),
        matcher: matcher?,
    }))
}

fn days(at: At<'_>) -> Option<Condition> {
    let words = Weekday::ALL.map(|day| (day.as_str(), day));
    let named = at.list(0, |at| at.one_of(&words))?;
    let bits = named.into_iter().fold(0, |bits, day| bits | Days::bit(day));
    Some(Condition::Days(Days(bits)))
}

fn hours(at: At<'_>) -> Option<Condition> {
    let ranges = at.list(0, |at| {
        let (start, end) = pair(at, |at| at.parsed(TimeOfDay::parse))?;
        if start == TimeOfDay::END_OF_DAY {
            return at.fault("a range starts at \"00:00\" and not at \"24:00\"");
        }
        Some(Hours { start, end })
    })?;
    Some(Condition::Hours(ranges))
}

fn dates(at: At<'_>) -> Option<Condition> {
    at.list(0, |at| pair(at, |at| at.parsed(Date::parse))).map(Condition::Dates)
}

/// A list of exactly two.
fn pair<T: Copy>(at: At<'_>, read: impl Fn(At<'_>) -> Option<T>) -> Option<(T, T)> {
    let mut places = 0_usize;
    let both = at.list(0, |at| {
        places = places.saturating_add(1);
        read(at)
    })?;
    if places != 2 {
        return at.fault("should be a list of two: the first and the last");
    }
    match both[..] {
        [first, last] => Some((first, last)),
        _ => None,
    }
}

fn customer(at: At<'_>) -> Option<Condition> {
    let object = at.object(&["known", "tag", "tier", "first_order", "orders"])?;
    Some(Condition::Customer(Box::new(CustomerFacts {
        known: object.get("known", |at| at.flag()),
        tag: object.get("tag", |at| at.texts()),
        tier: object.get("tier", |at| at.texts()),
        first_order: object.get("first_order", |at| at.flag()),
        orders: object.get("orders", |at| Some(range(&at.object(&["min", "max"])?))),
    })))
}
