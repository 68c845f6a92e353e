//! The campaign document's own keys, and those of its offers.

use std::collections::BTreeMap;

use super::{
    Campaign, Codes, CombinesWith, Guest, Inquire, LEAST_RETENTION_DAYS, Moment, Offer, PercentOf,
    RETENTION_DAYS, codes,
    condition::{self, Condition},
    discount,
    matcher::MatcherReader,
    quota, rounding,
};
use crate::ledger::shard::{LedgerLayout, ShardBy};
use crate::{
    fault::{Faults, Path, Sink},
    ident::{CampaignId, OfferId},
    json::{At, Node},
    money::Currency,
    time::{BadTime, TimeOfDay, WallTime, Zone},
};

/// The longest name or description, in bytes.
const LONGEST_TEXT: usize = 2000;

pub(super) fn from_json(json: &[u8]) -> Result<Campaign, Faults> {
    let (sink, root) = (Sink::new(), Path::Root);
    let campaign = Node::parse(json, &sink, &root)
        .and_then(|node| read(At { node: &node, path: &root, sink: &sink }));
    sink.check(campaign)
}

/// Reads a campaign that is part of another document.
pub(crate) fn read(at: At<'_>) -> Option<Campaign> {
    let object = at.object(&[
        "id",
        "name",
        "description",
        "active",
        "currency",
        "timezone",
        "business_day_starts",
        "starts_at",
        "ends_at",
        "codes",
        "offers",
        "quotas",
        "combines_with",
        "rounding",
        "percent_of",
        "inquire",
        "ledger",
        "retention_days",
        "guest",
    ])?;
    let mut offers = OfferReader::default();
    let percents = [("remaining", PercentOf::Remaining), ("initial", PercentOf::Initial)];
    let inquiries = [("live", Inquire::Live), ("fast", Inquire::Fast)];

    let id = object.need("id", |at| at.parsed(CampaignId::parse));
    let name = object.need("name", name);
    let description = object.get("description", text).unwrap_or_default();
    let active = object.get("active", |at| at.flag()).unwrap_or(true);
    let currency = object.need("currency", |at| at.parsed(Currency::parse));
    let zone = object.get("timezone", |at| at.parsed(Zone::parse));
    let day_starts = object.get("business_day_starts", day_start);
    let starts_at = object.get("starts_at", moment);
    let ends_at = object.get("ends_at", moment);
    let codes = object.need("codes", codes::read);
    let read_offers = object.need("offers", |at| at.list(1, |at| offers.read(at)));
    let quotas = object.get("quotas", quota::read_all).unwrap_or_default();
    let combines_with = object.get("combines_with", combines_with);
    let rounding = object.get("rounding", rounding::read).unwrap_or_default();
    let percent_of = object.get("percent_of", |at| at.one_of(&percents));
    let inquire = object.get("inquire", |at| at.one_of(&inquiries));
    let ledger = object.get("ledger", ledger);
    let retention_days = object.get("retention_days", |at| at.whole(LEAST_RETENTION_DAYS, 3650));
    let guest = object.get("guest", guest).unwrap_or_default();

    let read_offers = read_offers?;
    if let (Some(id), Some(codes)) = (&id, &codes) {
        codes::check_room(at, id, codes, read_offers.iter().map(Offer::id));
    }
    let order = in_order(&read_offers);
    Some(Campaign {
        revision: None,
        id: id?,
        name: name?,
        description,
        active,
        currency: currency?,
        zone,
        day_starts: day_starts.unwrap_or_default(),
        starts_at,
        ends_at,
        codes: codes?,
        offers: read_offers,
        order,
        quotas,
        combines_with: combines_with.unwrap_or(CombinesWith::None),
        rounding,
        percent_of: percent_of.unwrap_or_default(),
        inquire: inquire.unwrap_or_default(),
        ledger: ledger.unwrap_or(LedgerLayout::SINGLE),
        retention_days: retention_days
            .map_or(RETENTION_DAYS, |days| days.try_into().unwrap_or(u32::MAX)),
        guest,
        matchers: offers.matchers.finish(),
    })
}

/// The offers while they are read.
#[derive(Default)]
pub(crate) struct OfferReader {
    pub(crate) matchers: MatcherReader,
    groups: BTreeMap<String, usize>,
    places: BTreeMap<OfferId, usize>,
    count: usize,
}

impl OfferReader {
    fn read(&mut self, at: At<'_>) -> Option<Offer> {
        self.read_as(at, None)
    }

    /// Reads an offer that is part of something with an id and a name of its own: it goes by that id,
    /// and by that name unless it has one.
    pub(crate) fn read_as(
        &mut self,
        at: At<'_>,
        part_of: Option<(&OfferId, &str)>,
    ) -> Option<Offer> {
        let place = self.count;
        self.count = place.saturating_add(1);
        let object = at.object(&[
            "id",
            "name",
            "description",
            "priority",
            "stacking",
            "group",
            "when",
            "discount",
            "discounts",
            "quotas",
        ])?;
        let (id, name) = match part_of {
            Some((id, whole)) => {
                object.get("id", |at| at.parsed(OfferId::parse));
                let own = object.get("name", name);
                (Some(id.clone()), Some(own.unwrap_or_else(|| whole.to_owned())))
            }
            None => {
                let id = object.need("id", |at| {
                    let id = at.parsed(OfferId::parse)?;
                    if let Some(first) = self.places.insert(id.clone(), place) {
                        return at.fault(format!("is the id of /offers/{first} too"));
                    }
                    Some(id)
                });
                (id, object.need("name", name))
            }
        };
        let description = object.get("description", text).unwrap_or_default();
        let priority = object.get("priority", |at| at.signed(-1000, 1000));
        let stackings = [("combine", false), ("exclusive", true)];
        let exclusive = object.get("stacking", |at| at.one_of(&stackings));
        let group = object.get("group", |at| {
            let next = self.groups.len();
            let name = self::name(at)?;
            Some((*self.groups.entry(name.clone()).or_insert(next), name))
        });
        let (group, group_name) = group.unzip();
        let when = object.get("when", |at| condition::read(at, &mut self.matchers));
        let one = object.get("discount", |at| discount::read(at, &mut self.matchers));
        let several =
            object.get("discounts", |at| at.list(1, |at| discount::read(at, &mut self.matchers)));
        let discounts = match (object.has("discount"), object.has("discounts")) {
            (true, false) => one.map(|discount| vec![discount]),
            (false, true) => several,
            _ => object.fault("should have one of \"discount\" and \"discounts\""),
        };
        let quotas = object.get("quotas", quota::read_all).unwrap_or_default();
        if object.has("when") && when.is_none() {
            return None;
        }
        Some(Offer {
            id: id?,
            name: name?,
            description,
            priority: priority.unwrap_or(0),
            exclusive: exclusive.unwrap_or(false),
            group,
            group_name,
            asks_what_remains: when.as_ref().is_some_and(Condition::asks_what_remains),
            when,
            discounts: discounts?,
            quotas,
        })
    }
}

impl Campaign {
    /// A campaign that another document is the source of: reached by no code, and always running.
    pub(crate) fn assembled(
        id: CampaignId,
        name: String,
        currency: Currency,
        offers: Vec<Offer>,
        matchers: MatcherReader,
    ) -> Self {
        Self {
            revision: None,
            id,
            name,
            description: String::new(),
            active: true,
            currency,
            zone: None,
            day_starts: TimeOfDay::MIDNIGHT,
            starts_at: None,
            ends_at: None,
            codes: Codes::None,
            order: in_order(&offers),
            offers,
            quotas: Vec::new(),
            combines_with: CombinesWith::Any,
            rounding: rounding::Rounding::default(),
            percent_of: PercentOf::default(),
            inquire: Inquire::Live,
            ledger: LedgerLayout::SINGLE,
            retention_days: RETENTION_DAYS,
            guest: Guest::default(),
            matchers: matchers.finish(),
        }
    }
}

/// The order in which offers apply.
fn in_order(offers: &[Offer]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..offers.len()).collect();
    // Stable: ties stay in the order of the document.
    order.sort_by_key(|index| std::cmp::Reverse(offers.get(*index).map_or(0, Offer::priority)));
    order
}

fn text(at: At<'_>) -> Option<String> {
    let text = at.text()?;
    if text.len() > LONGEST_TEXT {
        return at.fault(format!("is longer than {LONGEST_TEXT} bytes"));
    }
    Some(text.to_owned())
}

pub(crate) fn name(at: At<'_>) -> Option<String> {
    let name = text(at)?;
    if name.trim().is_empty() {
        return at.fault("should not be empty");
    }
    Some(name)
}

pub(crate) fn day_start(at: At<'_>) -> Option<TimeOfDay> {
    at.parsed(|text| match TimeOfDay::parse(text)? {
        TimeOfDay::END_OF_DAY => Err(BadTime("is the end of a day; write it as \"00:00\"")),
        time => Ok(time),
    })
}

fn moment(at: At<'_>) -> Option<Moment> {
    at.parsed(|text| {
        let (wall, offset) = WallTime::parse(text)?;
        Ok::<_, BadTime>(match offset {
            None => Moment::Wall(wall),
            Some(offset) => Moment::Instant(wall.at_offset(offset)),
        })
    })
}

pub(crate) fn combines_with(at: At<'_>) -> Option<CombinesWith> {
    match at.node {
        Node::List(_) => at.list(0, |at| at.parsed(CampaignId::parse)).map(CombinesWith::Only),
        Node::Text(text) if text == "none" => Some(CombinesWith::None),
        Node::Text(text) if text == "any" => Some(CombinesWith::Any),
        _ => at.fault("should be \"none\", \"any\", or a list of campaigns' ids"),
    }
}

fn ledger(at: At<'_>) -> Option<LedgerLayout> {
    let object = at.object(&["shards", "by"])?;
    let words = [("code", ShardBy::Code), ("customer", ShardBy::Customer), ("tab", ShardBy::Tab)];
    let shards = object.get("shards", |at| at.whole(1, 1024));
    let by = object.get("by", |at| at.one_of(&words));
    Some(LedgerLayout::new(shards.unwrap_or(1).try_into().unwrap_or(1), by.unwrap_or_default()))
}

fn guest(at: At<'_>) -> Option<Guest> {
    let object = at.object(&["refused", "hints"])?;
    Some(Guest {
        refused: object.get("refused", name),
        hints: object.get("hints", |at| at.flag()).unwrap_or(false),
    })
}
