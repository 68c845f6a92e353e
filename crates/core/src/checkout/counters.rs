//! From a campaign's quotas to the counters one redemption touches.

use crate::campaign::{Campaign, Codes, Measure, Offer, OnShort, Quota, Scopes};
use crate::ident::{CodeKey, OfferId, OfferKey, TypeCode};
use crate::issuance::Kind;
use crate::ledger::counter::{self, Counter};
use crate::ledger::shard::{Apart, ShardBy};
use crate::time::{Calendar, Instant, Window, Zone};

use super::{Event, Instrument, Mark, Person};

/// What one redemption must find room in, and what it may not have at all because nobody knows who
/// the guest is.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Every counter any of the campaign's offers touches.
    pub counters: Vec<Counter>,
    /// A quota of the campaign counts each customer, and nobody knows this one.
    pub unknown_customer: bool,
    /// The same for these offers alone, by index.
    pub unknown_customer_for: Vec<usize>,
}

/// The counters of a campaign for this event and code.
pub(super) fn counters(
    campaign: &Campaign,
    instrument: Option<&Instrument>,
    code: &CodeKey,
    customer: Option<&Person>,
    event: &Event,
) -> Counters {
    let mut found = Counters::default();
    let marks = |quota: &Quota, offer: Option<&OfferKey>| {
        marks(campaign, quota, offer, code, customer, event)
    };
    let counter = |quota: &Quota, offer: Option<&OfferKey>| {
        counter(campaign, quota, offer, code, customer, event)
    };
    if let Some(coupon) = instrument.filter(|instrument| instrument.kind == Kind::Coupon)
        && let Ok(Some(uses)) = counter(&ONCE_PER_CODE, None)
    {
        let key = format!("{}|", coupon_uses(&coupon.code, Some(code)));
        found.counters.push(Counter { key, ..uses });
    }
    for quota in campaign.quotas().iter().chain(once_per_code(campaign).as_ref()) {
        match counter(quota, None) {
            Ok(counter) => found.counters.extend(counter.into_iter().chain(marks(quota, None))),
            Err(UnknownCustomer) => found.unknown_customer = true,
        }
    }
    for (index, offer) in campaign.offers().iter().enumerate() {
        let key = OfferKey::of(campaign.id(), offer.id());
        for quota in offer.quotas() {
            match counter(quota, Some(&key)) {
                Ok(counter) => {
                    let marks = marks(quota, Some(&key));
                    found.counters.extend(counter.into_iter().chain(marks));
                }
                Err(UnknownCustomer) => found.unknown_customer_for.push(index),
            }
        }
    }
    found
}

/// A single code is usable once, unless the document itself says how often.
fn once_per_code(campaign: &Campaign) -> Option<Quota> {
    let single = matches!(campaign.codes(), Codes::Signed { .. } | Codes::Listed);
    let said = campaign.quotas().iter().any(|quota| quota.per.code);
    (single && !said).then_some(ONCE_PER_CODE)
}

const ONCE_PER_CODE: Quota = Quota {
    per: Scopes { code: true, customer: false, location: false },
    window: Window::Total,
    measure: Measure::Limit(1),
    anonymous_allowed: false,
};

/// What the keys of the counters begin with that count each coupon of a type, or this one of them. The
/// type stands with the owner, as no offer's key does, so neither is ever counted as the other; the
/// window is the whole of time, whose counters are never dropped.
#[must_use]
pub fn coupon_uses(code: &TypeCode, number: Option<&CodeKey>) -> String {
    let per = ONCE_PER_CODE.per;
    match number {
        None => format!("*{code}|uses|{per}|total|total|"),
        Some(number) => format!("*{code}|uses|{per}|total|total|{number}|"),
    }
}

struct UnknownCustomer;

fn counter(
    campaign: &Campaign,
    quota: &Quota,
    offer: Option<&OfferKey>,
    code: &CodeKey,
    customer: Option<&Person>,
    event: &Event,
) -> Result<Option<Counter>, UnknownCustomer> {
    let person = match (customer, quota.per.customer) {
        (_, false) => None,
        (Some(person), true) => Some(person),
        (None, true) if quota.anonymous_allowed => return Ok(None),
        (None, true) => return Err(UnknownCustomer),
    };
    let (ceiling, measure, partial) = match quota.measure {
        Measure::Limit(uses) => (uses, counter::Measure::Uses, false),
        Measure::Budget { amount, on_short } => {
            (amount.minor(), counter::Measure::Amount, on_short == OnShort::Partial)
        }
    };
    let key = Key::of(campaign, quota, offer, code, event);
    let name = person.map(|person| person.name.as_str());
    let names = person.into_iter().flat_map(|it| &it.also).map(|name| key.of_customer(name));
    let heeded =
        person.map(Person::heeds).unwrap_or_default().into_iter().map(|mark| key.of_mark(&mark));
    Ok(Some(Counter {
        key: key.of_customer(name.unwrap_or_default()),
        also: names.chain(heeded).collect(),
        ceiling,
        measure,
        partial,
        offer: offer.cloned(),
        apart: Apart::of(quota.per.code.then_some(code), name),
    }))
}

/// The marks that a redemption leaves under the guest's weaker names: see [`Mark`]. They are
/// counted, and never in the way. A divided ledger leaves none: its objects would have to ask each
/// other for them.
fn marks(
    campaign: &Campaign,
    quota: &Quota,
    offer: Option<&OfferKey>,
    code: &CodeKey,
    customer: Option<&Person>,
    event: &Event,
) -> Vec<Counter> {
    let Some(person) = customer.filter(|_| quota.per.customer) else { return Vec::new() };
    if campaign.ledger().is_divided() {
        return Vec::new();
    }
    let key = Key::of(campaign, quota, offer, code, event);
    let measure = match quota.measure {
        Measure::Limit(_) => counter::Measure::Uses,
        Measure::Budget { .. } => counter::Measure::Amount,
    };
    let mark = |mark: &Mark| Counter {
        key: key.of_mark(mark),
        also: Vec::new(),
        ceiling: u64::MAX,
        measure,
        partial: false,
        offer: offer.cloned(),
        apart: Apart::of(quota.per.code.then_some(code), Some(&mark.name)),
    };
    person.leaves().iter().map(mark).collect()
}

/// The keys of one quota's counters, for whoever it may count.
struct Key<'a> {
    quota: &'a Quota,
    owner: &'a str,
    /// The window, and which.
    window: String,
    code: &'a str,
    location: &'a str,
}

impl<'a> Key<'a> {
    fn of(
        campaign: &Campaign,
        quota: &'a Quota,
        offer: Option<&'a OfferKey>,
        code: &'a CodeKey,
        event: &'a Event,
    ) -> Self {
        let place = event.context.location.timezone.as_ref();
        let calendar = campaign.quota_calendar(quota, place, &event.context.default_zone);
        Self {
            quota,
            owner: owner(offer),
            window: window(quota, &calendar, event.received),
            code: if quota.per.code { code.as_str() } else { "" },
            location: if quota.per.location { event.tab.location.as_str() } else { "" },
        }
    }

    fn of_customer(&self, name: &str) -> String {
        self.with(measured(self.quota), name)
    }

    /// What is measured differs, so that whoever adds up a quota's counters passes marks over.
    fn of_mark(&self, mark: &Mark) -> String {
        let what = format!("{}+{}", measured(self.quota), mark.beside);
        self.with(&what, &mark.name)
    }

    fn with(&self, measured: &str, customer: &str) -> String {
        let Self { quota, owner, window, code, location } = self;
        // Only the location can hold any character, so it comes last.
        format!("{owner}|{measured}|{}|{window}|{code}|{customer}|{location}", quota.per)
    }
}

/// Whether a campaign counts each customer apart, so that it must be known who this one is.
pub(super) fn counts_customers(campaign: &Campaign) -> bool {
    let of_offers = campaign.offers().iter().flat_map(Offer::quotas);
    let layout = campaign.ledger();
    campaign.quotas().iter().chain(of_offers).any(|quota| quota.per.customer)
        || (layout.is_divided() && layout.by == ShardBy::Customer)
}

/// What the keys of all counters of one quota begin with, in the window of an instant. The limit is
/// no part of it.
fn prefix(quota: &Quota, offer: Option<&OfferKey>, calendar: &Calendar, at: Instant) -> String {
    let (owner, window) = (owner(offer), window(quota, calendar, at));
    format!("{owner}|{}|{}|{window}|", measured(quota), quota.per)
}

fn owner(offer: Option<&OfferKey>) -> &str {
    offer.map_or("*", OfferKey::as_str)
}

const fn measured(quota: &Quota) -> &'static str {
    match quota.measure {
        Measure::Limit(_) => "uses",
        Measure::Budget { .. } => "amount",
    }
}

fn window(quota: &Quota, calendar: &Calendar, at: Instant) -> String {
    format!("{}|{}", quota.window.as_str(), calendar.window_key(quota.window, at))
}

/// A quota of a campaign's document, and where its counters are.
#[derive(Clone, Debug)]
pub struct QuotaCounters<'a> {
    /// The offer whose quota it is; none: the campaign's.
    pub offer: Option<&'a OfferId>,
    /// The quota.
    pub quota: &'a Quota,
    /// What the keys of its counters begin with, in the window of now.
    pub prefix: String,
}

/// Every quota of a campaign, for an operator to read. Where each location has its own clock, the
/// window is that of the deployment's.
#[must_use]
pub fn quota_counters<'a>(
    campaign: &'a Campaign,
    default_zone: &Zone,
    now: Instant,
) -> Vec<QuotaCounters<'a>> {
    let calendar = campaign.calendar(None, default_zone);
    let of_campaign = campaign.quotas().iter().map(|quota| (None, quota));
    let of_offers = campaign
        .offers()
        .iter()
        .flat_map(|offer| offer.quotas().iter().map(move |quota| (Some(offer.id()), quota)));
    of_campaign
        .chain(of_offers)
        .map(|(offer, quota)| {
            let key = offer.map(|offer| OfferKey::of(campaign.id(), offer));
            let prefix = prefix(quota, key.as_ref(), &calendar, now);
            QuotaCounters { offer, quota, prefix }
        })
        .collect()
}
