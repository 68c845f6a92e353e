//! The promises that hold at every moment, looked at after every turn and every answer.

use std::collections::BTreeMap;

use promo_core::ident::{CampaignId, OfferRef};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::rights::{Provided, Rights};
use promo_core::ledger::campaign::{Command, Outcome, Redeem, Refusal, Reply, TabRecord};
use promo_core::ledger::shard::Shard;
use promo_core::time::{Calendar, Instant, TimeOfDay, Window, Zone};

use crate::count::{self, Use, counts_offer, quotas, recount};
use crate::history::{History, Said};
use crate::plan::{Kind, QuotaPlan};
use crate::world::World;

pub const OVERSOLD: &str = "1, never oversold";
pub const UNDERSOLD: &str = "2, never undersold";
pub const DURABLE: &str = "3, acknowledged means durable";
pub const ONCE: &str = "4, once";
pub const ORDER: &str = "5, any order";
pub const TAB: &str = "8, one tab at a time";
pub const SETTLED: &str = "10, what was perhaps taken is settled";
pub const UNREACHABLE: &str = "10, unreachable is never applied";

/// The business day, in the campaigns' zone, as counters name it.
pub fn day(at: Instant) -> String {
    let calendar = Calendar { zone: Zone::utc(), day_starts: TimeOfDay::parse("00:00").unwrap() };
    calendar.window_key(Window::Day, at)
}

/// After a turn of a campaign's ledger, once it is written.
pub fn after_turn(
    world: &World,
    campaign: &CampaignId,
    command: &Command,
    reply: &Reply,
    grown: &[String],
) {
    let counted = recount(world, campaign);
    let used = used(world, campaign);
    if counted != used {
        let how = format!("{campaign} counts {used:?}, and {counted:?} stands");
        return world.break_promise(ONCE, how);
    }
    let (Command::Redeem(redeem), Reply::Redeemed(redeemed)) = (command, reply) else { return };
    for (ask, outcome) in redeem.asks.iter().zip(&redeemed.outcomes) {
        let plans = world.tab_plans.borrow();
        let tab = &plans[&redeem.tab].0;
        let day = day(redeem.received);
        let by = Use { code: ask.offer.code.as_str(), day: &day, tab };
        let limits = limits(world, campaign, redeem, &ask.offer);
        let key = |quota: &QuotaPlan| count::key(quota, &by).unwrap_or_default();
        let count = |quota: &QuotaPlan| counted.get(&key(quota)).copied().unwrap_or(0);
        match outcome {
            Outcome::Applied { .. } => {
                for (quota, _, most) in limits {
                    // What was taken before may be more than a limit that was lowered since.
                    if count(&quota) > most && grown.contains(&key(&quota)) {
                        let how = format!("{campaign} {quota:?}: {} of {most}", count(&quota));
                        return world.break_promise(OVERSOLD, how);
                    }
                }
            }
            // Of a divided ledger "sold out" is a verdict of the owner: see `before_verdict`.
            Outcome::Refused(Refusal::QuotaExhausted) if !was_divided(world, campaign) => {
                let uses = |quota: &QuotaPlan| quota.kind == Kind::Uses;
                let full = limits.iter().any(|(q, least, _)| uses(q) && count(q) + 1 > *least);
                if !full {
                    let how = format!("{} refused while {counted:?}", ask.offer);
                    return world.break_promise(UNDERSOLD, how);
                }
            }
            _ => {}
        }
    }
    after_tab(world, &redeem.tab);
}

/// What every counter counts over all objects of a ledger, where it is not zero.
fn used(world: &World, campaign: &CampaignId) -> BTreeMap<String, u64> {
    let mut used = BTreeMap::new();
    for (key, stock) in world.ledgers.borrow()[campaign].values().flat_map(|l| &l.stocks) {
        *used.entry(key.clone()).or_insert(0) += stock.used;
    }
    used.retain(|_, units| *units > 0);
    used
}

fn was_divided(world: &World, campaign: &CampaignId) -> bool {
    let ledgers = world.ledgers.borrow();
    ledgers[campaign].keys().any(|shard| !shard.is_root())
}

/// When an owner says that there is no more anywhere, there is none: all is counted, or in the hands of
/// whoever asks, or on its way back from a holder whose message was lost.
pub fn before_verdict(world: &World, campaign: &CampaignId, command: &Command, reply: &Reply) {
    let (Command::Provide(provide), Reply::Provided(provided, _)) = (command, reply) else {
        return;
    };
    // Who only looks has left with the others what they may have in hand again by now.
    if provide.peek {
        return;
    }
    for (asked, provided) in provide.provisions.iter().zip(provided) {
        let Provided::Granted(granted) = provided else { continue };
        if !granted.last {
            continue;
        }
        let key = &asked.counter.key;
        let ledgers = world.ledgers.borrow();
        let stocks = || ledgers[campaign].iter().filter_map(|(s, l)| Some((s, l.stocks.get(key)?)));
        let counted: u64 = stocks().map(|(_, stock)| stock.used).sum();
        let owner = stocks().find_map(|(_, stock)| match &stock.rights {
            Some(Rights::Owner(owner)) => Some(owner.clone()),
            _ => None,
        });
        let back = |shard: &Shard| {
            let told = asked.recalled.iter().filter(|r| r.holder == *shard);
            let told = told.map(|returned| returned.returned).max().unwrap_or(0);
            let known = owner.as_ref().and_then(|owner| owner.grants.get(shard));
            known.map_or(0, |grant| grant.back).max(told)
        };
        // What a reversal has freed at home since it asked, it will find there.
        let (mut on_its_way, mut in_hand) = (0, asked.unspent);
        for (shard, stock) in stocks() {
            let Some(Rights::Holder(holder)) = &stock.rights else { continue };
            let mut back = back(shard);
            if *shard == asked.holder {
                in_hand = in_hand.max(holder.received - holder.returned - stock.used);
                back = back.max(asked.returned);
            }
            on_its_way += holder.returned.saturating_sub(back);
        }
        let counted = counted + on_its_way + in_hand;
        let rest = asked.counter.ceiling.saturating_sub(counted);
        drop(ledgers);
        if rest >= asked.units && asked.units > 0 {
            let how = format!("{campaign} says no more of {key}, and there is {rest}: {asked:?}");
            return world.break_promise(UNDERSOLD, how);
        }
    }
}

/// The quotas an offer must find room in, with the lowest and the highest limit that any edge may
/// have read for this REDEEM.
fn limits(
    world: &World,
    campaign: &CampaignId,
    redeem: &Redeem,
    offer: &OfferRef,
) -> Vec<(QuotaPlan, u64, u64)> {
    let index = world.plan.campaigns.iter().position(|p| p.id == campaign.as_str()).unwrap();
    let since = redeem.received.millis()
        - world.begin.millis()
        - world.plan.faults.stale
        - world.plan.faults.skew;
    let documents = world.documents.borrow();
    let versions = &documents[index];
    let later = versions.iter().skip(1).map(|v| v.since).chain([i64::MAX]);
    let read: Vec<_> = versions.iter().zip(later).filter(|(_, until)| *until >= since).collect();
    let quotas = quotas(&world.plan.campaigns[index]).into_iter().enumerate();
    quotas
        .filter(|(_, q)| counts_offer(q, offer) || (q.offer.is_none() && q.kind == Kind::Uses))
        .map(|(n, quota)| {
            let limits = read.iter().map(|(v, _)| v.limits.get(n).copied().unwrap_or(quota.limit));
            let (least, most) = (limits.clone().min().unwrap(), limits.max().unwrap());
            (quota, least, most)
        })
        .collect()
}

/// What stands on a tab by all ledgers: it combines, it fits under what the tab costs, and the tab
/// knows of it (else a reversal of the whole tab would not find it).
pub fn after_tab(world: &World, tab: &TabKey) {
    let plans = world.tab_plans.borrow();
    let plan = &plans[tab].0;
    let claimed = world.tab(tab).standing(None);
    let mut all = Vec::new();
    for (n, campaign) in world.plan.campaigns.iter().enumerate() {
        let id = crate::world::id(&campaign.id);
        for (offer, amount) in standing(world, &id, tab) {
            let claim = claimed.offers.iter().find(|claim| claim.offer == offer);
            let claimed = claim.is_some_and(|claim| claim.amount.minor() >= amount);
            if !claimed {
                let how = format!("{offer} gives {amount} on {} unclaimed", tab.tab);
                return world.break_promise(TAB, how);
            }
            all.push((n, offer, amount));
        }
    }
    let sum: u64 = all.iter().map(|(_, _, amount)| amount).sum();
    if sum > plan.subtotal + plan.fee {
        return world.break_promise(TAB, format!("{} gives {sum}: {all:?}", tab.tab));
    }
    for (n, offer, _) in &all {
        for (m, other, _) in &all {
            let together = if n == m {
                offer.code == other.code
            } else {
                world.plan.campaigns[*n].combines(&world.plan.campaigns[*m])
            };
            if !together {
                return world.break_promise(TAB, format!("{offer} stands beside {other}"));
            }
        }
    }
}

/// What stands on a tab by one campaign's ledger.
pub fn standing(world: &World, campaign: &CampaignId, tab: &TabKey) -> Vec<(OfferRef, u64)> {
    let ledgers = world.ledgers.borrow();
    let records = ledgers[campaign].values().filter_map(|ledger| ledger.tabs.get(tab));
    let standing = records.flat_map(TabRecord::standing);
    standing.map(|(offer, r)| (offer.clone(), r.amount.minor())).collect()
}

/// What an edge has just said of a REDEEM.
pub fn after_answer(world: &World, entry: usize) {
    let history = world.history.borrow();
    let redeem = &history.redeems[entry];
    let Some(Ok(answer)) = &redeem.answer else { return };
    let mut broken = None;
    for offer in &redeem.offers {
        let id = offer.to_string();
        let applied = answer.applied.iter().filter(|quote| quote.offer_id == *offer).count();
        let rejected = answer.rejected.iter().filter(|r| r.offer_id == id).count();
        if applied + rejected != 1 {
            broken = Some((ONCE, format!("{id} has {applied} yeses and {rejected} noes")));
        } else if applied == 1 && lost(world, &history, entry, offer) {
            broken = Some((UNREACHABLE, format!("{id} said to be applied does not stand")));
        }
    }
    drop(history);
    if let Some((promise, how)) = broken {
        world.break_promise(promise, how);
    }
}

/// Whether an offer that a REDEEM was told stands does not, and no reversal is the reason.
pub fn lost(world: &World, history: &History, entry: usize, offer: &OfferRef) -> bool {
    let redeem = &history.redeems[entry];
    if redeem.said(offer) != Said::Applied {
        return false;
    }
    let reversed = history
        .reversals
        .iter()
        .any(|r| r.covers(&redeem.tab, offer) && r.received >= redeem.received);
    let stands = standing(world, &offer.campaign, &redeem.tab);
    !reversed && stands.iter().all(|(standing, _)| standing != offer)
}
