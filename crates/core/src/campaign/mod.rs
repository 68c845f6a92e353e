//! Campaigns: what a marketer writes, checked whole and made ready to be asked many times.
//!
//! [`Campaign::from_json`] either names every fault of a document, each with its place, or returns a
//! campaign that the engine can evaluate without another check: a campaign that exists is sound.
//! Reading and compiling are one pass (`document` and the modules below it), because a fault is best
//! told where it is found.

mod change;
mod codes;
pub(crate) mod condition;
pub(crate) mod discount;
pub(crate) mod document;
pub(crate) mod matcher;
mod never;
pub(crate) mod percent;
mod phase;
pub(crate) mod quota;
pub(crate) mod rounding;
mod warnings;
mod words;

#[cfg(test)]
mod tests;

pub use codes::{Codes, too_long};
pub use phase::Phase;
pub use quota::{Measure, OnShort, Quota, Scopes};
pub use rounding::{Mode, PercentBasis, PercentOf, Remainder, Rounding};

use serde::{Deserialize, Serialize};

use crate::ledger::shard::LedgerLayout;
use crate::{
    fault::{Fault, Faults},
    ident::{CampaignId, OfferId, OfferKey},
    money::Currency,
    revision::Revision,
    time::{Calendar, Instant, TimeOfDay, WallTime, Zone},
};
use condition::Condition;
use discount::Discount;
use matcher::Matchers;

/// A sound campaign.
#[derive(Clone, Debug)]
pub struct Campaign {
    id: CampaignId,
    revision: Option<Revision>,
    name: String,
    description: String,
    active: bool,
    currency: Currency,
    zone: Option<Zone>,
    day_starts: TimeOfDay,
    starts_at: Option<Moment>,
    ends_at: Option<Moment>,
    codes: Codes,
    offers: Vec<Offer>,
    /// The offers in the order they are applied: by priority, then as in the document.
    order: Vec<usize>,
    quotas: Vec<Quota>,
    combines_with: CombinesWith,
    rounding: Rounding,
    percent_of: PercentOf,
    inquire: Inquire,
    ledger: LedgerLayout,
    retention_days: u32,
    guest: Guest,
    matchers: Matchers,
}

/// A time in a campaign: what the wall shows in the campaign's zone, or an instant whatever the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Wall(WallTime),
    Instant(Instant),
}

impl Moment {
    pub(crate) fn instant(self, zone: &Zone) -> Instant {
        match self {
            Self::Wall(wall) => zone.instant(&wall),
            Self::Instant(instant) => instant,
        }
    }
}

/// Which other campaigns may give a discount on the same tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CombinesWith {
    /// None.
    #[default]
    None,
    /// Any.
    Any,
    /// These.
    Only(Vec<CampaignId>),
}

impl CombinesWith {
    /// Whether this side agrees to stand beside a campaign.
    #[must_use]
    pub fn names(&self, id: &CampaignId) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Only(ids) => ids.contains(id),
        }
    }
}

/// For how many days redemptions are kept apart, unless the document says otherwise.
pub const RETENTION_DAYS: u32 = 400;
/// For how many days at least: what is folded into totals can no longer be reversed.
const LEAST_RETENTION_DAYS: u64 = 30;

/// Whether an inquiry asks the ledger what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inquire {
    /// It asks.
    #[default]
    Live,
    /// It looks only at the published mark "exhausted".
    Fast,
}

/// What guests are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// The text of a refusal, instead of the deployment's.
    pub refused: Option<String>,
    /// Whether a refusal may say what is missing.
    pub hints: bool,
}

/// One offer of a campaign.
#[derive(Clone, Debug)]
pub struct Offer {
    id: OfferId,
    name: String,
    description: String,
    priority: i64,
    exclusive: bool,
    /// The group, by number; equal numbers are one group.
    group: Option<usize>,
    /// Its name.
    group_name: Option<String>,
    when: Option<Condition>,
    /// Whether `when` asks for the subtotal that earlier offers left.
    asks_what_remains: bool,
    discounts: Vec<Discount>,
    quotas: Vec<Quota>,
}

impl Campaign {
    /// Reads, checks and compiles a campaign.
    ///
    /// # Errors
    /// Every fault of the document, each with a JSON Pointer to its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        document::from_json(json)
    }

    /// What is sound but looks wrong: offers that can never apply, an end in the past, ….
    #[must_use]
    pub fn warnings(&self, now: Instant) -> Vec<Fault> {
        warnings::of(self, now)
    }

    /// The id, unique in the deployment.
    #[must_use]
    pub fn id(&self) -> &CampaignId {
        &self.id
    }

    /// The revision under which the registry published it; none for a document put into KV by hand, and
    /// for one that is only tried out.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// The same campaign as published under a revision.
    #[must_use]
    pub fn at_revision(self, revision: Revision) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// The name that guests see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The description, perhaps empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The marketer's switch.
    #[must_use]
    pub fn active(&self) -> bool {
        self.active
    }

    /// What every amount is in.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// By which codes the campaign is reached.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Whether it has an offer of this key.
    #[must_use]
    pub fn has_offer(&self, key: &OfferKey) -> bool {
        self.offers.iter().any(|offer| OfferKey::of(&self.id, offer.id()) == *key)
    }

    /// How many characters a code of this campaign may have, as an `offer_id` writes it: what
    /// [`too_long`] is asked with.
    #[must_use]
    pub fn room_for_codes(&self) -> usize {
        codes::room_for_codes(&self.id, self.offers.iter().map(Offer::id))
    }

    /// The offers, as in the document.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The quotas of the campaign as a whole.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// Which other campaigns may give a discount on the same tab.
    #[must_use]
    pub fn combines_with(&self) -> &CombinesWith {
        &self.combines_with
    }

    /// Whether both campaigns may give a discount on one tab: both sides must agree.
    #[must_use]
    pub fn combines(&self, other: &Self) -> bool {
        self.combines_with.names(&other.id) && other.combines_with.names(&self.id)
    }

    /// The rounding policy.
    #[must_use]
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// What a later percentage is taken of.
    #[must_use]
    pub fn percent_of(&self) -> PercentOf {
        self.percent_of
    }

    /// Whether an inquiry asks the ledger.
    #[must_use]
    pub fn inquire(&self) -> Inquire {
        self.inquire
    }

    /// How the ledger is laid out.
    #[must_use]
    pub fn ledger(&self) -> LedgerLayout {
        self.ledger
    }

    /// How many days redemptions are kept.
    #[must_use]
    pub fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// What guests are told.
    #[must_use]
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// The zone of the campaign, when it names one.
    #[must_use]
    pub fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    /// From when on the campaign runs, if not for ever: by its own zone's wall clock, else by the given
    /// one's.
    #[must_use]
    pub fn starts_at(&self, zone: &Zone) -> Option<Instant> {
        let zone = self.zone.as_ref().unwrap_or(zone);
        self.starts_at.map(|moment| moment.instant(zone))
    }

    /// When the campaign is over, if ever: by its own zone's wall clock, else by the given one's (the
    /// location's, else the deployment's).
    #[must_use]
    pub fn expires_at(&self, zone: &Zone) -> Option<Instant> {
        let zone = self.zone.as_ref().unwrap_or(zone);
        self.ends_at.map(|moment| moment.instant(zone))
    }

    /// The business days that conditions go by: in the campaign's zone, else the location's, else the
    /// deployment's.
    #[must_use]
    pub fn calendar(&self, location: Option<&Zone>, default: &Zone) -> Calendar {
        Calendar {
            zone: self.zone.as_ref().or(location).unwrap_or(default).clone(),
            day_starts: self.day_starts,
        }
    }

    /// The business days that a quota's window goes by: in the campaign's zone, else, when it counts
    /// each location by itself, the location's, else the deployment's (so that a count over several
    /// locations has one day, wherever the event came from).
    #[must_use]
    pub fn quota_calendar(
        &self,
        quota: &Quota,
        location: Option<&Zone>,
        default: &Zone,
    ) -> Calendar {
        self.calendar(location.filter(|_| quota.per.location), default)
    }

    /// The same campaign on these business days, in a zone that is not the location's.
    pub(crate) fn on_days_of(mut self, calendar: &Calendar) -> Self {
        self.zone = Some(calendar.zone.clone());
        self.day_starts = calendar.day_starts;
        self
    }

    /// The same campaign beside these others.
    pub(crate) fn beside(mut self, others: CombinesWith) -> Self {
        self.combines_with = others;
        self
    }

    /// The same campaign in a currency, with one offer more, which takes a sum off the tab.
    pub(crate) fn paying(
        mut self,
        currency: Currency,
        more: Option<(OfferId, String, u64)>,
    ) -> Self {
        self.currency = currency;
        if let Some((id, name, amount)) = more {
            self.order.push(self.offers.len());
            self.offers.push(Offer::of_amount(id, name, amount));
        }
        self
    }

    pub(crate) fn day_starts(&self) -> TimeOfDay {
        self.day_starts
    }

    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    pub(crate) fn matchers(&self) -> &Matchers {
        &self.matchers
    }
}

impl Offer {
    /// The id, unique in the campaign.
    #[must_use]
    pub fn id(&self) -> &OfferId {
        &self.id
    }

    /// The name that guests see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The description that guests see, perhaps empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Offers of a higher priority are applied first.
    #[must_use]
    pub fn priority(&self) -> i64 {
        self.priority
    }

    /// Whether the offer applies alone.
    #[must_use]
    pub fn exclusive(&self) -> bool {
        self.exclusive
    }

    /// The quotas that count this offer alone.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// An offer that takes a sum off the tab.
    fn of_amount(id: OfferId, name: String, amount: u64) -> Self {
        let on = discount::Target { tab: true, ..discount::Target::default() };
        Self {
            id,
            name,
            description: String::new(),
            // After everything that has conditions and shares of its own.
            priority: -1000,
            exclusive: false,
            group: None,
            group_name: None,
            when: None,
            asks_what_remains: false,
            discounts: vec![Discount::Amount { amount, on }],
            quotas: Vec::new(),
        }
    }

    /// The same offer with more quotas.
    pub(crate) fn with_quotas(mut self, quotas: Vec<Quota>) -> Self {
        self.quotas.extend(quotas);
        self
    }

    /// The name of the offer's group, of which only one offer applies.
    #[must_use]
    pub fn group_name(&self) -> Option<&str> {
        self.group_name.as_deref()
    }

    pub(crate) fn group(&self) -> Option<usize> {
        self.group
    }

    pub(crate) fn when(&self) -> Option<&Condition> {
        self.when.as_ref()
    }

    pub(crate) fn asks_what_remains(&self) -> bool {
        self.asks_what_remains
    }

    pub(crate) fn discounts(&self) -> &[Discount] {
        &self.discounts
    }
}
