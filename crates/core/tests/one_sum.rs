//! One tab, one sum: offers decided one after another, each with the earlier ones standing, give what one
//! event on all of them gives, to the unit.
//!
//! 3,000 generated requests; 100,000 with `PROMO_LONG=1`; one with `PROMO_SEED=n`, the number a failure
//! prints.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod generate;

use promo_core::campaign::{Campaign, Offer};
use promo_core::cart::Cart;
use promo_core::code::CanonicalCode;
use promo_core::engine::{
    Allowance, Asked, Context, Decision, LocationFacts, Standing, StandingOffer, decide,
    decide_by_unit,
};
use promo_core::ident::CodeKey;
use promo_core::time::{Instant, Zone};
use serde_json::Value;

struct Case {
    campaigns: Vec<Campaign>,
    cart: Cart,
    context: Context,
}

/// What a decision says, whatever the places of its campaigns are.
#[derive(Default, PartialEq, Debug)]
struct Said {
    applied: Vec<String>,
    rejected: Vec<String>,
}

impl Case {
    /// The case of a request, unless shrinking has made it senseless.
    fn of(request: &Value) -> Option<Self> {
        let bytes = |value: &Value| value.to_string().into_bytes();
        let campaigns = request["campaigns"].as_array()?.iter();
        let tags = request["location"]["tag"].as_array().into_iter().flatten();
        let zone = request["location"]["timezone"].as_str()?;
        Some(Self {
            campaigns: campaigns
                .map(|it| Campaign::from_json(&bytes(it)).ok())
                .collect::<Option<_>>()?,
            cart: Cart::from_json(&bytes(&request["cart"])).ok()?,
            context: Context {
                at: Instant::parse(request["at"].as_str()?).ok()?,
                location: LocationFacts {
                    timezone: Some(Zone::parse(zone).ok()?),
                    tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
                },
                default_zone: Zone::utc(),
            },
        })
    }

    /// Decides an event beside what stands, adds to it what applies, and says what was said.
    fn event(&self, asked: &[Asked<'_>], standing: &mut Standing) -> Said {
        let before = standing.clone();
        let decision = decide_by_unit(asked, &self.cart, &self.context, &before).unwrap();
        let plain = decide(asked, &self.cart, &self.context, &before).unwrap();
        assert_eq!(said(&plain, asked), said(&decision, asked), "units are only told");
        for applied in &decision.applied {
            let code = CodeKey::of(&CanonicalCode::parse("CODE").unwrap());
            let campaign = asked[applied.campaign].campaign;
            let new = StandingOffer::of(applied, campaign, code, &self.cart).unwrap();
            let of_lines: u64 = new.lines.iter().map(|line| line.units.sum()).sum();
            let lines: u64 = applied.lines.iter().map(|(_, share)| share.minor()).sum();
            assert_eq!(of_lines, lines, "the units add up to the lines");
            standing.offers.push(new);
        }
        said(&decision, asked)
    }

    fn together(&self) -> (Said, Standing) {
        let asked: Vec<Asked<'_>> = self.campaigns.iter().map(Asked::open).collect();
        let mut standing = Standing::default();
        (self.event(&asked, &mut standing), standing)
    }
}

fn said(decision: &Decision<'_>, asked: &[Asked<'_>]) -> Said {
    let id = |campaign: usize| asked[campaign].campaign.id();
    let applied = decision.applied.iter().map(|it| {
        let (lines, fees) = (&it.lines, &it.fees);
        format!("{} {} {} {lines:?} {fees:?}", id(it.campaign), it.offer, it.discount)
    });
    let rejected = decision
        .rejected
        .iter()
        .map(|it| format!("{} {:?} {} {}", id(it.campaign), it.offer, it.reason, it.detail));
    Said { applied: applied.collect(), rejected: rejected.collect() }
}

/// Checks every seed's case; what `check` complains of fails the test, as small as it can be shown.
fn for_every_case(check: impl Fn(&Case, &Value) -> Result<(), String>) {
    let complaint = |request: &Value| check(&Case::of(request)?, request).err();
    for seed in generate::seeds() {
        let request = generate::request(seed);
        assert!(Case::of(&request).is_some(), "seed {seed} is no case");
        if let Some(first) = complaint(&request) {
            let smallest = generate::shrink(&request, |smaller| complaint(smaller).is_some());
            panic!("seed {seed}: {first}\n\nshrunk: {smallest}\n{:?}", complaint(&smallest));
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(at_once: &T, one_by_one: &T) -> Result<(), String> {
    match at_once == one_by_one {
        true => Ok(()),
        false => Err(format!("at once: {at_once:?}\n\none by one: {one_by_one:?}")),
    }
}

#[test]
fn campaigns_redeemed_one_after_another_give_what_one_event_gives() {
    for_every_case(|case, _| {
        let (at_once, all) = case.together();
        let (mut one_by_one, mut standing) = (Said::default(), Standing::default());
        for campaign in &case.campaigns {
            let Said { applied, rejected } = case.event(&[Asked::open(campaign)], &mut standing);
            one_by_one.applied.extend(applied);
            one_by_one.rejected.extend(rejected);
        }
        same(&at_once, &one_by_one)?;
        same(&all, &standing)
    });
}

#[test]
fn offers_redeemed_one_by_one_in_their_order_give_what_one_event_gives() {
    for_every_case(|case, _| {
        let (_, all) = case.together();
        let mut standing = Standing::default();
        for offer in &all.offers {
            let of = |it: &&Campaign| *it.id() == offer.offer.campaign;
            let campaign = case.campaigns.iter().find(of).unwrap();
            let named = |it: &Offer| it.id().as_str() == offer.offer.offer_name();
            let allow = |it: &Offer| match named(it) {
                true => Allowance::Open,
                false => Allowance::NotAsked,
            };
            let allowances: Vec<Allowance> = campaign.offers().iter().map(allow).collect();
            let asked = [Asked { campaign, allowances: &allowances, at_most: None }];
            case.event(&asked, &mut standing);
        }
        same(&all, &standing)
    });
}

#[test]
fn whatever_is_redeemed_afterwards_takes_nothing_that_is_not_there() {
    for_every_case(|case, request| {
        let (_, mut standing) = case.together();
        // The same campaigns under other names, twice over.
        for round in 0..2 {
            for document in request["campaigns"].as_array().into_iter().flatten() {
                let mut document = document.clone();
                let id = document["id"].as_str().unwrap_or("c").to_owned();
                document["id"] = format!("{id}-{round}").into();
                document["combines_with"] = "any".into();
                let campaign = Campaign::from_json(&document.to_string().into_bytes());
                let campaign = campaign.map_err(|faults| faults.to_string())?;
                case.event(&[Asked::open(&campaign)], &mut standing);
            }
        }
        let cart = &case.cart;
        let mut places = vec![(
            standing.amount().minor(),
            cart.subtotal().saturating_add(cart.fees_total()).minor(),
            "the tab".to_owned(),
        )];
        for line in cart.lines() {
            let shares = standing.offers.iter().flat_map(|offer| &offer.lines);
            let off: u64 = shares.filter(|it| it.id == line.id()).map(|it| it.units.sum()).sum();
            let room = line.unit_price().saturating_sub(line.min_unit_price());
            places.push((off, room.minor() * line.quantity(), format!("line {}", line.id())));
        }
        for fee in cart.fees() {
            let shares = standing.offers.iter().flat_map(|offer| &offer.fees);
            let off: u64 = shares.filter(|it| it.id == fee.id()).map(|it| it.amount.minor()).sum();
            places.push((off, fee.amount().minor(), format!("fee {}", fee.id())));
        }
        match places.iter().find(|(off, most, _)| off > most) {
            Some((off, most, of)) => Err(format!("{of} loses {off} of {most}")),
            None => Ok(()),
        }
    });
}
