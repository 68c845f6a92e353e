//! The programme document's keys.

use std::collections::BTreeMap;

use super::earn::{Basis, Earn};
use super::{Pay, Points, Programme, REWARDS, Reward};
use crate::campaign::document::{OfferReader, combines_with, day_start, name};
use crate::campaign::matcher::MatcherReader;
use crate::campaign::{Campaign, CombinesWith, condition, discount, quota};
use crate::fault::{Faults, Path, Sink};
use crate::ident::{CampaignId, OfferId};
use crate::identity::{EmailRules, Region};
use crate::json::{At, Node};
use crate::loyalty::terms::{Expire, Multiplier, Tier};
use crate::money::Currency;
use crate::time::{Date, TimeOfDay, Zone};

/// The most points of anything: sums of them stay exact.
const MOST: u64 = 1_000_000_000;
/// The most days of anything: ten years.
const MOST_DAYS: u64 = 3650;
/// The most months: ten years.
const MOST_MONTHS: u64 = 120;
/// How many days a non-member's tab waits, unless the programme says otherwise.
const RETROACTIVE_DAYS: u64 = 90;

pub(super) fn from_json(json: &[u8]) -> Result<Programme, Faults> {
    let (sink, root) = (Sink::new(), Path::Root);
    let programme = Node::parse(json, &sink, &root)
        .and_then(|node| read(At { node: &node, path: &root, sink: &sink }));
    sink.check(programme)
}

fn read(at: At<'_>) -> Option<Programme> {
    let object = at.object(&[
        "name",
        "points",
        "timezone",
        "business_day_starts",
        "currency",
        "earn",
        "pending_days",
        "expire",
        "tiers",
        "rewards",
        "combines_with",
        "pay_with_points",
        "negative",
        "retroactive_days",
        "phone_region",
        "email_rules",
    ])?;
    let (mut offers, mut matchers) = (OfferReader::default(), MatcherReader::default());
    let days = |at: At<'_>| at.whole(0, MOST_DAYS);
    let name = object.need("name", name);
    let points = object.get("points", points);
    let zone = object.get("timezone", |at| at.parsed(Zone::parse));
    let day_starts = object.get("business_day_starts", day_start);
    let currency = object.get("currency", |at| at.parsed(Currency::parse));
    let earn = object.get("earn", |at| at.list(0, |at| earn(at, &mut matchers)));
    let pending_days = object.get("pending_days", days).unwrap_or(0);
    let expire = object.get("expire", expire).unwrap_or_default();
    let tiers = object.get("tiers", tiers).unwrap_or_default();
    let rewards = object.get("rewards", |at| rewards(at, &mut offers)).unwrap_or_default();
    let combines_with = object.get("combines_with", combines_with);
    let pay = object.get("pay_with_points", pay);
    let owed = object.get("negative", |at| at.one_of(&[("owe", true), ("clip", false)]));
    let retroactive_days = object.get("retroactive_days", days).unwrap_or(RETROACTIVE_DAYS);
    let region = object.get("phone_region", |at| {
        let no_region = "is no country; use two capital letters, as in \"US\"";
        at.parsed(|text| Region::parse(text).ok_or(no_region))
    });
    let email = object.get("email_rules", email_rules).unwrap_or_default();

    let id = CampaignId::parse(REWARDS).ok()?;
    let (name, euro) = (name?, Currency::parse("EUR").ok()?);
    let (rewards, offered): (Vec<_>, Vec<_>) = rewards.into_iter().unzip();
    // The currency of these two is the cart's, each time they are asked.
    let assembled = |offered, matchers| {
        Campaign::assembled(id.clone(), name.clone(), currency.unwrap_or(euro), offered, matchers)
    };
    Some(Programme {
        campaign: assembled(offered, offers.matchers),
        earning: assembled(Vec::new(), matchers),
        points: points.unwrap_or_else(|| Points {
            display_name: "Points".to_owned(),
            kind: "points".to_owned(),
        }),
        name,
        zone,
        day_starts: day_starts.unwrap_or(TimeOfDay::MIDNIGHT),
        currency,
        earn: earn.unwrap_or_default(),
        pending_days: u32::try_from(pending_days).unwrap_or(0),
        expire,
        tiers,
        rewards,
        combines_with: combines_with.unwrap_or(CombinesWith::Any),
        pay,
        owed: owed.unwrap_or(true),
        retroactive_days: u32::try_from(retroactive_days).unwrap_or(0),
        region,
        email,
    })
}

fn points(at: At<'_>) -> Option<Points> {
    let object = at.object(&["display_name", "type"])?;
    let display_name = object.get("display_name", name);
    let kind = object.get("type", name);
    Some(Points {
        display_name: display_name.unwrap_or_else(|| "Points".to_owned()),
        kind: kind.unwrap_or_else(|| "points".to_owned()),
    })
}

fn earn(at: At<'_>, matchers: &mut MatcherReader) -> Option<Earn> {
    let object = at.object(&["points", "per_amount", "per_visit", "per_item", "on", "when"])?;
    let points = object.need("points", |at| at.whole(1, MOST));
    let amount = object.get("per_amount", |at| at.money(1));
    let visit = object.get("per_visit", |at| {
        if at.flag()? { Some(()) } else { at.fault("should be true, or left out") }
    });
    let item = object.get("per_item", |at| matchers.read(at));
    let on = discount::on(&object, matchers);
    if object.has("on") && !object.has("per_amount") {
        object.fault::<()>("\"on\" says what a \"per_amount\" is of, and there is none");
    }
    let when = object.get("when", |at| condition::read(at, matchers));
    let keys = ["per_amount", "per_visit", "per_item"];
    let basis = match keys.map(|key| object.has(key)) {
        [true, false, false] => Basis::Amount(amount?.minor(), on?),
        [false, true, false] => {
            visit?;
            Basis::Visit
        }
        [false, false, true] => Basis::Item(item?),
        _ => {
            return object.fault(
                "should have exactly one of \"per_amount\", \"per_visit\" and \"per_item\"",
            );
        }
    };
    if object.has("when") && when.is_none() {
        return None;
    }
    Some(Earn { points: points?, basis, when })
}

fn expire(at: At<'_>) -> Option<Expire> {
    let object = at.object(&["after_months", "at"])?;
    let months = object.get("after_months", |at| at.whole(1, MOST_MONTHS));
    let date = object.get("at", |at| at.parsed(Date::parse));
    match (object.has("after_months"), object.has("at")) {
        (true, false) => Some(Expire::AfterMonths(u32::try_from(months?).ok()?)),
        (false, true) => date.map(Expire::At),
        _ => object.fault("should have one of \"after_months\" and \"at\""),
    }
}

fn tiers(at: At<'_>) -> Option<Vec<Tier>> {
    let (mut ids, mut floors) = (BTreeMap::new(), BTreeMap::new());
    let mut index = 0_usize;
    at.list(0, |at| {
        let place = index;
        index = place.saturating_add(1);
        let object = at.object(&["id", "from_points", "within_months", "multiplier"])?;
        let id = object.need("id", |at| {
            let id = at.parsed(OfferId::parse)?;
            match ids.insert(id.clone(), place) {
                Some(first) => at.fault(format!("is the id of /tiers/{first} too")),
                None => Some(id),
            }
        });
        let from_points = object.need("from_points", |at| {
            let points = at.whole(1, MOST)?;
            match floors.insert(points, place) {
                Some(first) => at.fault(format!("is where /tiers/{first} begins too")),
                None => Some(points),
            }
        });
        let months = object.get("within_months", |at| at.whole(1, MOST_MONTHS));
        let multiplier = object.get("multiplier", |at| at.parsed(Multiplier::parse));
        Some(Tier {
            id: id?.as_str().to_owned(),
            from_points: from_points?,
            within_months: months.and_then(|months| u32::try_from(months).ok()),
            multiplier: multiplier.unwrap_or(Multiplier::ONE),
        })
    })
}

fn rewards(at: At<'_>, offers: &mut OfferReader) -> Option<Vec<(Reward, crate::campaign::Offer)>> {
    let mut ids = BTreeMap::new();
    let mut index = 0_usize;
    at.list(0, |at| {
        let place = index;
        index = place.saturating_add(1);
        let object = at.object(&["id", "name", "cost", "offer", "quotas"])?;
        let id = object.need("id", |at| {
            let id = at.parsed(OfferId::parse)?;
            if super::is_payment(&id) {
                return at.fault("is kept for points that are spent for their value");
            }
            match ids.insert(id.clone(), place) {
                Some(first) => at.fault(format!("is the id of /rewards/{first} too")),
                None => Some(id),
            }
        });
        let name = object.need("name", name);
        let cost = object.need("cost", |at| at.whole(1, MOST));
        // Without an id or name of its own the offer is still looked at, for its faults.
        let stand_in = OfferId::parse("reward").ok()?;
        let offer = object.need("offer", |at| {
            let part_of = (id.as_ref().unwrap_or(&stand_in), name.as_deref().unwrap_or("reward"));
            offers.read_as(at, Some(part_of))
        });
        let quotas = object.get("quotas", quota::read_all).unwrap_or_default();
        name?;
        Some((Reward { id: id?, cost: cost? }, offer?.with_quotas(quotas)))
    })
}

fn pay(at: At<'_>) -> Option<Pay> {
    let object = at.object(&["points", "value"])?;
    let points = object.need("points", |at| at.whole(1, MOST));
    let value = object.need("value", |at| at.whole(1, MOST));
    Some(Pay { points: points?, value: value? })
}

fn email_rules(at: At<'_>) -> Option<EmailRules> {
    let object = at.object(&["ignore_dots_for", "ignore_plus"])?;
    let domains = object.get("ignore_dots_for", |at| at.texts());
    let ignore_plus = object.get("ignore_plus", |at| at.flag());
    Some(EmailRules {
        ignore_dots_for: domains.unwrap_or_default(),
        ignore_plus: ignore_plus.unwrap_or(false),
    })
}
