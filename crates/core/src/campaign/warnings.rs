//! What is sound but looks wrong: a marketer will want to know before the guests do.
//!
//! Only what is certain is told, so that a warning is worth reading: an offer is called shadowed only
//! when no cart whatever lets it apply.

use super::{
    Campaign, CombinesWith, Moment, Offer, Quota,
    discount::{Discount, Rate, UnitLimits},
    never,
    quota::Measure,
};
use crate::{
    fault::{Fault, Path},
    money::Money,
    time::{Instant, TimeOfDay, Zone},
};

/// No place's clock is further behind Greenwich than this.
const FURTHEST_BEHIND: i64 = 12 * 3_600_000;

/// The warnings while they are gathered.
struct Warnings(Vec<Fault>);

impl Warnings {
    fn add(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        self.0.push(Fault { pointer: path.to_string(), detail: detail.into() });
    }
}

pub(super) fn of(campaign: &Campaign, now: Instant) -> Vec<Fault> {
    let mut warnings = Warnings(Vec::new());
    let root = Path::Root;
    running(campaign, now, &mut warnings);
    if let CombinesWith::Only(ids) = &campaign.combines_with
        && ids.contains(&campaign.id)
    {
        warnings.add(
            &Path::Key(&root, "combines_with"),
            "names the campaign itself, which always combines with itself",
        );
    }
    quotas(&campaign.quotas, &root, &mut warnings);
    let offers = Path::Key(&root, "offers");
    for (index, offer) in campaign.offers.iter().enumerate() {
        offer_by_itself(campaign, offer, &Path::Index(&offers, index), &mut warnings);
    }
    for (place, index) in campaign.order.iter().enumerate() {
        let path = Path::Index(&offers, *index);
        shadowed(campaign, place, *index, &path, &mut warnings);
    }
    warnings.0
}

fn running(campaign: &Campaign, now: Instant, warnings: &mut Warnings) {
    let (root, utc) = (Path::Root, Zone::utc());
    let Some(end) = campaign.ends_at else {
        return;
    };
    // Without a zone of its own, the campaign is over everywhere only when it is where it ends last.
    let grace = match (end, &campaign.zone) {
        (Moment::Wall(_), None) => FURTHEST_BEHIND,
        _ => 0,
    };
    let ends = campaign.expires_at(&utc).unwrap_or_default();
    if ends.plus_millis(grace) <= now {
        warnings.add(
            &Path::Key(&root, "ends_at"),
            format!("is in the past ({ends}): nothing of the campaign applies any more"),
        );
    }
    let comparable = match (campaign.starts_at, end) {
        (Some(Moment::Wall(_)), Moment::Wall(_))
        | (Some(Moment::Instant(_)), Moment::Instant(_)) => true,
        (Some(_), _) => campaign.zone.is_some(),
        (None, _) => false,
    };
    if comparable && campaign.starts_at(&utc) >= Some(ends) {
        warnings.add(
            &Path::Key(&root, "ends_at"),
            "is not after \"starts_at\": the campaign never runs",
        );
    }
}

fn quotas(quotas: &[Quota], path: &Path<'_>, warnings: &mut Warnings) {
    let path = Path::Key(path, "quotas");
    for (index, quota) in quotas.iter().enumerate() {
        let path = Path::Index(&path, index);
        match quota.measure {
            Measure::Limit(0) => {
                warnings.add(&Path::Key(&path, "limit"), "of 0 lets nothing apply");
            }
            Measure::Budget { amount: Money::ZERO, .. } => {
                warnings.add(&Path::Key(&path, "budget"), "of 0 lets nothing apply");
            }
            _ => {}
        }
    }
}

fn offer_by_itself(campaign: &Campaign, offer: &Offer, path: &Path<'_>, warnings: &mut Warnings) {
    quotas(&offer.quotas, path, warnings);
    let when = Path::Key(path, "when");
    if let Some(condition) = &offer.when {
        if let Some(why) = never::holds(condition, &campaign.matchers) {
            warnings.add(&when, format!("never holds: {why}"));
        }
        let day_starts = campaign.day_starts;
        if never::nights_are_cut(condition, |hours| hours.end > day_starts) {
            let midnight = if day_starts == TimeOfDay::MIDNIGHT { " (midnight)" } else { "" };
            warnings.add(
                &when,
                format!(
                    "its hours run on after the business day ends at {day_starts}{midnight}, so the \
                     part of a night after that counts as the next day; set \"business_day_starts\" \
                     to when the place closes"
                ),
            );
        }
    }
    let several = offer.discounts.len() > 1;
    for (index, discount) in offer.discounts.iter().enumerate() {
        let list = Path::Key(path, "discounts");
        let place = if several { Path::Index(&list, index) } else { Path::Key(path, "discount") };
        if let Some(why) = never::gives(discount, &campaign.matchers) {
            warnings.add(&place, format!("never gives anything: {why}"));
        }
        if let Discount::Picked { count, at_least, .. } = discount
            && at_least < count
        {
            warnings.add(
                &Path::Key(&place, "at_least"),
                format!("is less than the {count} that are picked, and counts as that"),
            );
        }
    }
}

/// Whether another offer of the campaign always takes this one's place.
fn shadowed(
    campaign: &Campaign,
    place: usize,
    index: usize,
    path: &Path<'_>,
    warnings: &mut Warnings,
) {
    let Some(offer) = campaign.offers.get(index) else {
        return;
    };
    for (other_place, other_index) in campaign.order.iter().enumerate() {
        let Some(other) = campaign.offers.get(*other_index).filter(|_| *other_index != index)
        else {
            continue;
        };
        // Whenever this offer may apply, so may the other one: no condition or quota holds it back.
        let as_open = other.when.is_none() || other.when == offer.when;
        if !as_open || other.asks_what_remains || !other.quotas.is_empty() {
            continue;
        }
        let first = other_place < place;
        let excludes = other.exclusive
            && (first || !offer.exclusive)
            && other.discounts.iter().any(gives_on_any_goods)
            && offer.discounts.iter().all(is_on_goods);
        let outbids = first
            && other.group.is_some()
            && other.group == offer.group
            && other.exclusive == offer.exclusive
            && gives_at_least(&other.discounts, &offer.discounts);
        if excludes || outbids {
            let why = if excludes { "applies alone" } else { "is worth at least as much" };
            warnings.add(path, format!("never applies: {:?} {why}", other.id.as_str()));
            return;
        }
    }
}

/// Whether a discount gives something on every cart whose goods have anything to take.
fn gives_on_any_goods(discount: &Discount) -> bool {
    match discount {
        Discount::Amount { on, .. } => on.tab,
        Discount::Rate { rate: Rate::AmountEach(_), on, units, .. } => {
            on.tab && *units == UnitLimits::NONE
        }
        _ => false,
    }
}

/// Whether a discount is on goods alone, and never on a fee.
fn is_on_goods(discount: &Discount) -> bool {
    match discount {
        Discount::Rate { on, .. }
        | Discount::Amount { on, .. }
        | Discount::Tiers { on, .. }
        | Discount::Picked { on, .. } => on.fees.is_empty(),
        Discount::BuyGet { .. } | Discount::Bundle { .. } => true,
    }
}

/// Whether one offer's discount is worth at least another's on every cart.
fn gives_at_least(more: &[Discount], less: &[Discount]) -> bool {
    let ([more], [less]) = (more, less) else {
        return false;
    };
    match (more, less) {
        (
            Discount::Rate { rate, on, max, units },
            Discount::Rate { rate: less_rate, on: less_on, max: less_max, units: less_units },
        ) => {
            let rate_more = match (rate, less_rate) {
                (Rate::Percent(more), Rate::Percent(less)) => more >= less,
                (Rate::AmountEach(more), Rate::AmountEach(less)) => more >= less,
                (Rate::UnitPrice(price), Rate::UnitPrice(higher)) => price <= higher,
                _ => false,
            };
            rate_more && max >= less_max && on == less_on && units == less_units
        }
        (Discount::Amount { amount, on }, Discount::Amount { amount: less, on: less_on }) => {
            amount >= less && on == less_on
        }
        _ => false,
    }
}
