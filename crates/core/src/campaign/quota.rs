//! Quotas: how often a campaign or an offer may be used, or how much it may give.

use std::fmt;

use crate::{json::At, money::Money, time::Window};

/// What a quota counts apart. Nothing: the whole campaign (or offer) is one count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scopes {
    /// Each code by itself.
    pub code: bool,
    /// Each customer by himself.
    pub customer: bool,
    /// Each location by itself.
    pub location: bool,
}

impl Scopes {
    /// The names of the scopes, in one order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.code, "code"), (self.customer, "customer"), (self.location, "location")]
            .into_iter()
            .filter_map(|(counted, name)| counted.then_some(name))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = "+";
        }
        Ok(())
    }
}

/// What to do when a budget has less left than a discount needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnShort {
    /// Refuse the discount.
    #[default]
    Refuse,
    /// Give what is left.
    Partial,
}

impl OnShort {
    /// Its name in a campaign.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Partial => "partial",
        }
    }
}

/// What a quota measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// At most so many uses.
    Limit(u64),
    /// At most so much discount.
    Budget {
        /// How much.
        amount: Money,
        /// What to do with the last discount.
        on_short: OnShort,
    },
}

/// One quota of a campaign or an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// What is counted apart.
    pub per: Scopes,
    /// For how long a count lasts.
    pub window: Window,
    /// What is counted, and up to where.
    pub measure: Measure,
    /// Whether a redemption without a customer identity passes a `customer` quota (uncounted).
    pub anonymous_allowed: bool,
}

const WINDOWS: [(&str, Window); 4] = [
    (Window::Total.as_str(), Window::Total),
    (Window::Day.as_str(), Window::Day),
    (Window::Week.as_str(), Window::Week),
    (Window::Month.as_str(), Window::Month),
];
const ON_SHORT: [(&str, OnShort); 2] =
    [(OnShort::Refuse.as_str(), OnShort::Refuse), (OnShort::Partial.as_str(), OnShort::Partial)];

pub(crate) fn read_all(at: At<'_>) -> Option<Vec<Quota>> {
    at.list(0, read)
}

fn read(at: At<'_>) -> Option<Quota> {
    let keys = ["per", "window", "limit", "budget", "on_short", "anonymous"];
    let object = at.object(&keys)?;
    let per = object.get("per", read_scopes).unwrap_or_default();
    let window = object.get("window", |at| at.one_of(&WINDOWS));
    let limit = object.get("limit", |at| at.whole(0, Money::MAX.minor()));
    let budget = object.get("budget", |at| at.money(0));
    let on_short = object.get("on_short", |at| at.one_of(&ON_SHORT));
    let words = [("refuse", false), ("allow", true)];
    let anonymous = object.get("anonymous", |at| at.one_of(&words));
    if object.has("on_short") && !object.has("budget") {
        object.fault::<()>("\"on_short\" says what to do with a \"budget\", and there is none");
    }
    if object.has("anonymous") && !per.customer {
        object.fault::<()>("\"anonymous\" is for a quota that counts \"per\" \"customer\"");
    }
    let measure = match (object.has("limit"), object.has("budget")) {
        (true, false) => Measure::Limit(limit?),
        (false, true) => {
            Measure::Budget { amount: budget?, on_short: on_short.unwrap_or_default() }
        }
        _ => return object.fault("should have one of \"limit\" and \"budget\""),
    };
    Some(Quota {
        per,
        window: window.unwrap_or(Window::Total),
        measure,
        anonymous_allowed: anonymous.unwrap_or(false),
    })
}

fn read_scopes(at: At<'_>) -> Option<Scopes> {
    let words = [("code", 0_u8), ("customer", 1), ("location", 2)];
    let named = at.list(0, |at| at.one_of(&words))?;
    Some(Scopes {
        code: named.contains(&0),
        customer: named.contains(&1),
        location: named.contains(&2),
    })
}
