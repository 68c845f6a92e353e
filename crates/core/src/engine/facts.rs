//! Whether conditions hold, and when one does not, why.

use std::cell::OnceCell;

use super::{
    Context,
    detail::{Cause, Missing, Unknown},
    matching::Matching,
    reason::Reason,
};
use crate::{
    campaign::{
        Campaign,
        condition::{Condition, CustomerFacts, ItemsBounds, Range},
    },
    cart::{Cart, Customer},
    ident::LocationId,
    time::{Date, Local, business_date},
};

/// What a campaign's conditions are about.
pub(super) struct Facts<'m, 'a> {
    pub campaign: &'a Campaign,
    pub cart: &'a Cart,
    pub context: &'a Context,
    pub matching: &'m Matching<'a>,
    local: OnceCell<Local>,
}

impl<'m, 'a> Facts<'m, 'a> {
    pub fn new(
        campaign: &'a Campaign,
        cart: &'a Cart,
        context: &'a Context,
        matching: &'m Matching<'a>,
    ) -> Self {
        Self { campaign, cart, context, matching, local: OnceCell::new() }
    }

    /// Whether the condition holds when the earlier offers took so much off the goods.
    pub fn hold(&self, condition: &Condition, taken: u64) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.hold(part, taken)),
            Condition::Any(parts) => parts.iter().any(|part| self.hold(part, taken)),
            Condition::Not(part) => !self.hold(part, taken),
            Condition::Subtotal { range, remaining } => {
                range.holds(self.subtotal(*remaining, taken))
            }
            Condition::Items(bounds) => self.items_missing(bounds).is_none(),
            Condition::Location(ids) => self.here().is_some_and(|id| has(ids, id)),
            Condition::LocationTag(tags) => {
                let mut here = self.context.location.tags.iter();
                here.any(|tag| has(tags, tag))
            }
            Condition::Days(days) => days.has(self.today().weekday()),
            Condition::Hours(ranges) => {
                let now = self.local().time;
                ranges.iter().any(|range| range.hold(now))
            }
            Condition::Dates(ranges) => {
                let today = self.today();
                let mut ranges = ranges.iter();
                ranges.any(|(first, last)| *first <= today && today <= *last)
            }
            Condition::Channel(channels) => self.cart.channel().is_some_and(|it| has(channels, it)),
            Condition::Customer(facts) => unknown(facts, self.cart.customer()).is_none(),
        }
    }

    /// Why the condition, which does not hold, does not: its single cause, if it has one.
    pub fn why(&self, condition: &'a Condition, taken: u64) -> (Reason, Cause<'a>) {
        match condition {
            Condition::All(parts) => {
                let failing = parts.iter().filter(|part| !self.hold(part, taken));
                self.single_cause(failing, taken)
            }
            Condition::Any(parts) => self.single_cause(parts.iter(), taken),
            Condition::Not(part) => self.why_not(part, taken),
            Condition::Subtotal { range, remaining } => {
                let cause = self.subtotal_cause(*range, *remaining, taken);
                (Reason::SubtotalOutOfRange, cause)
            }
            Condition::Items(bounds) => {
                let missing = self.items_missing(bounds).unwrap_or(Missing::Quantity(0, 0));
                let currency = self.cart.currency();
                (Reason::ItemsMissing, Cause::Items { missing, currency })
            }
            Condition::Location(ids) => {
                let here = self.here();
                (Reason::WrongLocation, Cause::Location { ids, here })
            }
            Condition::LocationTag(tags) => {
                let here = &self.context.location.tags;
                (Reason::WrongLocation, Cause::LocationTag { tags, here })
            }
            Condition::Days(days) => {
                let today = self.today().weekday();
                (Reason::OutsideDays, Cause::Days { days: *days, today })
            }
            Condition::Hours(ranges) => {
                let now = self.local().time;
                (Reason::OutsideHours, Cause::Hours { ranges, now })
            }
            Condition::Dates(ranges) => {
                let today = self.today();
                (Reason::OutsideDates, Cause::Dates { ranges, today })
            }
            Condition::Channel(channels) => {
                let here = self.cart.channel();
                (Reason::WrongChannel, Cause::Channel { channels, here })
            }
            Condition::Customer(facts) => {
                let what = unknown(facts, self.cart.customer()).unwrap_or(Unknown::Identity);
                (Reason::WrongCustomer, Cause::Customer { facts, what })
            }
        }
    }

    /// Several things fail: one cause, when all of them have the same.
    fn single_cause(
        &self,
        failing: impl Iterator<Item = &'a Condition>,
        taken: u64,
    ) -> (Reason, Cause<'a>) {
        let mut causes = failing.map(|part| self.why(part, taken));
        let Some(first) = causes.next() else {
            return (Reason::ConditionNotMet, Cause::NothingToMeet);
        };
        if causes.all(|cause| cause.0 == first.0) {
            first
        } else {
            (Reason::ConditionNotMet, Cause::SeveralCauses)
        }
    }

    /// Something holds that should not: the cause is that one leaf, if it is one.
    fn why_not(&self, holding: &'a Condition, taken: u64) -> (Reason, Cause<'a>) {
        let reason = match holding {
            Condition::Not(part) => return self.why(part, taken),
            Condition::All(_) | Condition::Any(_) => Reason::ConditionNotMet,
            Condition::Subtotal { .. } => Reason::SubtotalOutOfRange,
            // Items are there, so that "missing" would say the opposite.
            Condition::Items(_) => Reason::ConditionNotMet,
            Condition::Location(_) | Condition::LocationTag(_) => Reason::WrongLocation,
            Condition::Days(_) => Reason::OutsideDays,
            Condition::Hours(_) => Reason::OutsideHours,
            Condition::Dates(_) => Reason::OutsideDates,
            Condition::Channel(_) => Reason::WrongChannel,
            Condition::Customer(_) => Reason::WrongCustomer,
        };
        (reason, Cause::HoldsButShouldNot)
    }

    fn subtotal(&self, remaining: bool, taken: u64) -> u64 {
        let subtotal = self.cart.subtotal().minor();
        if remaining { subtotal.saturating_sub(taken) } else { subtotal }
    }

    fn subtotal_cause(&self, range: Range, remaining: bool, taken: u64) -> Cause<'a> {
        Cause::Subtotal {
            range,
            is: self.subtotal(remaining, taken),
            currency: self.cart.currency(),
        }
    }

    fn items_missing(&self, bounds: &ItemsBounds) -> Option<Missing> {
        let sums = self.matching.sums(bounds.matcher);
        if sums.quantity < bounds.min_quantity {
            return Some(Missing::Quantity(sums.quantity, bounds.min_quantity));
        }
        if sums.amount < bounds.min_amount {
            return Some(Missing::Amount(sums.amount, bounds.min_amount));
        }
        if bounds.min_different > 0 {
            let different = self.matching.different(bounds.matcher);
            if different < bounds.min_different {
                return Some(Missing::Different(different, bounds.min_different));
            }
        }
        None
    }

    fn here(&self) -> Option<&'a str> {
        self.cart.location_id().map(LocationId::as_str)
    }

    fn local(&self) -> Local {
        *self.local.get_or_init(|| {
            let location = self.context.location.timezone.as_ref();
            let zone = self.campaign.zone().or(location);
            zone.unwrap_or(&self.context.default_zone).local(self.context.at)
        })
    }

    fn today(&self) -> Date {
        business_date(self.local(), self.campaign.day_starts())
    }
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|it| it == word)
}

/// The first thing that is asked of the customer and not so.
fn unknown(facts: &CustomerFacts, customer: Option<Customer<'_>>) -> Option<Unknown> {
    let customer = customer.filter(Customer::known);
    if facts.known.is_some_and(|known| known != customer.is_some()) {
        return Some(Unknown::Identity);
    }
    if let Some(tags) = &facts.tag
        && !customer.is_some_and(|it| it.tags().any(|tag| has(tags, tag)))
    {
        return Some(Unknown::Tag);
    }
    if let Some(tiers) = &facts.tier
        && !customer.and_then(|it| it.tier()).is_some_and(|tier| has(tiers, tier))
    {
        return Some(Unknown::Tier);
    }
    if facts.first_order.is_some() && customer.and_then(|it| it.first_order()) != facts.first_order
    {
        return Some(Unknown::FirstOrder);
    }
    if let Some(range) = facts.orders
        && !customer.and_then(|it| it.orders()).is_some_and(|orders| range.holds(orders))
    {
        return Some(Unknown::Orders);
    }
    None
}
