//! Guests who ask when all is quiet, and must get exactly what is left (promise 2): on the tabs of the
//! plan, where nothing abandoned may stand in the way (promises 8 and 10), and on fresh ones, down to
//! the last unit.

use std::cell::Cell;
use std::rc::Rc;

use promo_core::ledger::TabKey;

use crate::check::{UNDERSOLD, day, standing};
use crate::count::{Use, counts_offer, key, quotas, recount};
use crate::dice::Dice;
use crate::history::Said;
use crate::plan::{Kind, PLACES, TabPlan};
use crate::till::{Answered, redeem};
use crate::world::{World, id};

/// No guest asks more often than this on fresh tabs; limits are smaller.
const GUESTS: usize = 6;

pub fn run(world: &Rc<World>) {
    world.calm.set(true);
    world.note(|| "all is quiet".to_owned());
    // Long enough that whatever was abandoned is known to be.
    rest(world, 60_000);
    for tab in 0..world.plan.tabs.len() {
        let key = world.tab_key(tab);
        for campaign in 0..world.plan.campaigns.len() {
            let plan = &world.plan.campaigns[campaign];
            let stands = standing(world, &id(&plan.id), &key);
            let code = stands.first().and_then(|(offer, _)| {
                plan.codes.iter().position(|code| code == offer.code.as_str())
            });
            for offer in 0..plan.offers.len() {
                if !ask(world, &key, (campaign, offer, code.unwrap_or(0))) {
                    return;
                }
            }
        }
    }
    let mut guest = 0;
    for campaign in 0..world.plan.campaigns.len() {
        for place in 0..PLACES.len() {
            for code in 0..world.plan.campaigns[campaign].codes.len() {
                // To the last unit at one place with one code; elsewhere one guest is enough.
                let guests = if place + code == 0 { GUESTS } else { 1 };
                for _ in 0..guests {
                    guest += 1;
                    let tab = TabPlan {
                        place,
                        customer: Some(format!("guest {guest}")),
                        subtotal: 1000,
                        fee: 0,
                    };
                    let key = world.open_tab(&format!("fresh{guest}"), tab);
                    if expected(world, &key, (campaign, 0, code)).is_none() {
                        ask(world, &key, (campaign, 0, code));
                        break;
                    }
                    if !ask(world, &key, (campaign, 0, code)) {
                        return;
                    }
                }
            }
        }
    }
}

fn rest(world: &Rc<World>, wait: i64) {
    let inner = Rc::clone(world);
    world.sim.spawn(0, async move { inner.sim.sleep(wait).await });
    world.sim.run();
}

/// One guest asks for one offer; whether he gets what he should.
fn ask(world: &Rc<World>, tab: &TabKey, named: (usize, usize, usize)) -> bool {
    rest(world, 10);
    let expected = expected(world, tab, named);
    let (campaign, offer, code) = named;
    let plan = &world.plan.campaigns[campaign];
    let (id_text, answered) = (plan.offer_id(offer, code), Rc::new(Cell::new(false)));
    let entry = world.history.borrow().redeems.len();
    let heard = Rc::clone(&answered);
    let redeem = redeem(
        world,
        tab.clone(),
        vec![id_text.clone()],
        world.now(),
        format!("probe {entry}"),
        Dice::of(world.plan.seed, &[5, u64::try_from(entry).unwrap()]),
        Answered { tell: move || heard.set(true), after: Rc::default() },
    );
    world.sim.spawn(0, redeem);
    world.sim.run();
    if world.broken.borrow().is_some() {
        return false;
    }
    let reference = promo_core::ident::OfferRef::parse(&id_text).unwrap();
    let said = world.history.borrow().redeems[entry].said(&reference);
    let stands = standing(world, &id(&plan.id), tab);
    let got = stands.iter().find(|(offer, _)| *offer == reference).map(|(_, amount)| *amount);
    let sound = answered.get() && got == expected && (said == Said::Applied) == got.is_some();
    if !sound {
        let how = format!("{id_text} on {}: {got:?} ({said:?}), not {expected:?}", tab.tab);
        world.break_promise(UNDERSOLD, how);
    }
    sound
}

/// What an offer must give on a tab, by nothing but the plan and what stands.
fn expected(world: &World, tab: &TabKey, named: (usize, usize, usize)) -> Option<u64> {
    let (index, offer, code) = named;
    let plan = &world.plan.campaigns[index];
    let plans = world.tab_plans.borrow();
    let guest = &plans[tab].0;
    let stands = standing(world, &id(&plan.id), tab);
    let name = format!("o{offer}");
    let code = plan.codes[code].as_str();
    let same = |(o, _): &&(promo_core::ident::OfferRef, u64)| {
        o.offer.as_str() == name && o.code.as_str() == code
    };
    if let Some((_, amount)) = stands.iter().find(same) {
        return Some(*amount);
    }
    let mut given: u64 = stands.iter().map(|(_, amount)| amount).sum();
    for other in world.plan.campaigns.iter().filter(|other| other.id != plan.id) {
        let beside = standing(world, &id(&other.id), tab);
        if !beside.is_empty() && !plan.combines(other) {
            return None;
        }
        given += beside.iter().map(|(_, amount)| amount).sum::<u64>();
    }
    if stands.iter().any(|(offer, _)| offer.code.as_str() != code) {
        return None;
    }
    // They are off the goods, of which the others have taken so much.
    let mut amount = plan.offers[offer].min(guest.subtotal.saturating_sub(given));
    let counted = recount(world, &id(&plan.id));
    let limits = world.document(index, world.sim.now()).limits;
    let reference = promo_core::ident::OfferRef::parse(&format!("{}.{name}.{code}", plan.id));
    let today = day(world.now());
    for (n, quota) in quotas(plan).iter().enumerate() {
        let of_tab = quota.offer.is_none() && quota.kind == Kind::Uses;
        let customer = quota.per.contains(&"customer");
        let concerned = of_tab || counts_offer(quota, reference.as_ref().unwrap());
        if customer && concerned && guest.customer.is_none() && !quota.anonymous {
            return None;
        }
        if !concerned || (of_tab && !stands.is_empty()) {
            continue;
        }
        let Some(key) = key(quota, &Use { code, day: &today, tab: guest }) else { continue };
        let limit = limits.get(n).copied().unwrap_or(quota.limit);
        let left = limit.saturating_sub(counted.get(&key).copied().unwrap_or(0));
        match quota.kind {
            Kind::Uses if left == 0 => return None,
            Kind::Budget { partial: true } => amount = amount.min(left),
            Kind::Budget { partial: false } if amount > left => return None,
            _ => {}
        }
    }
    (amount > 0).then_some(amount)
}
