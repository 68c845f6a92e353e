//! The promises when all is quiet: every message has arrived or is lost, every undo is done or dead.

use promo_core::ident::OfferRef;
use promo_core::ledger::TabKey;

use crate::check::{DURABLE, ONCE, ORDER, SETTLED, after_tab, lost, standing};
use crate::history::{History, Said};
use crate::world::{World, id};

pub fn check(world: &World) {
    let history = world.history.borrow();
    let verdict = durable(world, &history)
        .or_else(|| explained(world, &history))
        .or_else(|| one_answer(&history))
        .or_else(|| reversed_once(world, &history));
    let tabs: Vec<TabKey> = world.tab_plans.borrow().keys().cloned().collect();
    drop(history);
    if let Some((promise, how)) = verdict {
        return world.break_promise(promise, how);
    }
    for tab in tabs {
        after_tab(world, &tab);
    }
}

type Verdict = Option<(&'static str, String)>;

/// What anybody was told stands, stands, unless a reversal that came no earlier covers it.
fn durable(world: &World, history: &History) -> Verdict {
    for (entry, redeem) in history.redeems.iter().enumerate() {
        if let Some(offer) = redeem.offers.iter().find(|o| lost(world, history, entry, o)) {
            let how = format!("{} heard that {offer} stands, and it does not", redeem.attempt);
            return Some((DURABLE, how));
        }
    }
    None
}

/// What stands has a reason: a REDEEM later than every reversal that succeeded, which was told so or
/// whose answer nobody knows. acknowledged ≤ used ≤ acknowledged + unknown.
fn explained(world: &World, history: &History) -> Verdict {
    for campaign in &world.plan.campaigns {
        let tabs: Vec<TabKey> = all_tabs(world, &id(&campaign.id));
        for tab in &tabs {
            for (offer, _) in standing(world, &id(&campaign.id), tab) {
                if let Some(promise) = unexplained(history, tab, &offer) {
                    return Some((promise, format!("{offer} stands on {} for no reason", tab.tab)));
                }
            }
        }
    }
    None
}

fn unexplained(history: &History, tab: &TabKey, offer: &OfferRef) -> Option<&'static str> {
    let reversed = history.reversals.iter().filter(|r| r.succeeded() && r.covers(tab, offer));
    let reversed = reversed.map(|r| r.received).max();
    let may = |r: &&crate::history::RedeemEntry| r.names(tab, offer) && r.may_stand(offer);
    let mut reasons = history.redeems.iter().filter(may).peekable();
    if reasons.peek().is_none() {
        return Some(SETTLED);
    }
    let after = reasons.any(|redeem| reversed.is_none_or(|reversed| redeem.received > reversed));
    (!after).then_some(ORDER)
}

/// Without a reversal, and nothing undone, everybody hears the same answer.
fn one_answer(history: &History) -> Verdict {
    for (entry, redeem) in history.redeems.iter().enumerate() {
        for offer in &redeem.offers {
            let same = |r: &&crate::history::RedeemEntry| r.names(&redeem.tab, offer);
            let undone = history.redeems.iter().filter(same).any(|r| !r.undo.is_empty());
            let reversed = history.reversals.iter().any(|r| r.covers(&redeem.tab, offer));
            if undone || reversed || redeem.said(offer) != Said::Applied {
                continue;
            }
            let quote = |redeem: &crate::history::RedeemEntry| {
                let answer = redeem.answer.as_ref()?.as_ref().ok()?;
                answer.applied.iter().find(|quote| quote.offer_id == *offer).cloned()
            };
            let first = quote(redeem);
            let others = history.redeems[entry..].iter().filter(same).filter_map(quote);
            if others.into_iter().any(|other| first.as_ref() != Some(&other)) {
                return Some((ONCE, format!("{offer} on {} has two answers", redeem.tab.tab)));
            }
        }
    }
    None
}

/// No redemption is given back twice: tills hear of no more reversals than there were.
fn reversed_once(world: &World, history: &History) -> Verdict {
    let mut told: std::collections::BTreeMap<(&TabKey, &OfferRef), usize> = Default::default();
    for reversal in &history.reversals {
        let Some(Ok(answer)) = &reversal.answer else { continue };
        for offer in &answer.reversed {
            *told.entry((&reversal.tab, offer)).or_default() += 1;
        }
    }
    for ((tab, offer), times) in told {
        let ledgers = world.ledgers.borrow();
        let records = ledgers[&offer.campaign].values().filter_map(|ledger| ledger.tabs.get(tab));
        let epochs: usize = records
            .filter_map(|record| record.offers.get(offer))
            .map(|standing| standing.redemptions.len())
            .sum();
        if times > epochs {
            let how = format!("{offer} on {} given back {times} of {epochs} times", tab.tab);
            return Some((ONCE, how));
        }
    }
    None
}

fn all_tabs(world: &World, campaign: &promo_core::ident::CampaignId) -> Vec<TabKey> {
    let ledgers = world.ledgers.borrow();
    ledgers[campaign].values().flat_map(|ledger| ledger.tabs.keys().cloned()).collect()
}
