//! What every counter of a campaign should say, recomputed from what stands: from the plan's quotas
//! and the redemptions alone, without a look at what any of them says it took.

use std::collections::BTreeMap;

use promo_core::ident::{CampaignId, OfferRef};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::TabRecord;

use crate::check::day;
use crate::plan::{CampaignPlan, Kind, PLACES, QuotaPlan, TabPlan};
use crate::world::World;

/// Whom a counter counts: a guest on a tab, with a code, on a day.
pub struct Use<'a> {
    pub code: &'a str,
    pub day: &'a str,
    pub tab: &'a TabPlan,
}

/// The quotas of a campaign, with the limit of single codes, which no document names.
pub fn quotas(plan: &CampaignPlan) -> Vec<QuotaPlan> {
    let mut quotas = plan.quotas.clone();
    let said = quotas.iter().any(|quota| quota.offer.is_none() && quota.per.contains(&"code"));
    if plan.listed && !said {
        quotas.push(QuotaPlan {
            offer: None,
            per: vec!["code"],
            day: false,
            anonymous: false,
            kind: Kind::Uses,
            limit: 1,
        });
    }
    quotas
}

/// The counter of a quota that a use is counted by; none when it passes uncounted.
pub fn key(quota: &QuotaPlan, by: &Use<'_>) -> Option<String> {
    let has = |scope| quota.per.contains(&scope);
    if has("customer") && by.tab.customer.is_none() {
        return None;
    }
    let owner = quota.offer.map_or("*".to_owned(), |offer| format!("o{offer}"));
    let measure = if quota.kind == Kind::Uses { "uses" } else { "amount" };
    let (window, bucket) = if quota.day { ("day", by.day) } else { ("total", "total") };
    let only = |scope, text: &str| if has(scope) { text.to_owned() } else { String::new() };
    Some(format!(
        "{owner}|{measure}|{}|{window}|{bucket}|{}|{}|{}",
        quota.per.join("+"),
        only("code", by.code),
        only("customer", by.tab.customer.as_deref().unwrap_or_default()),
        only("location", PLACES[by.tab.place]),
    ))
}

/// Whether a quota counts this offer's redemption by itself; a campaign's uses count tabs.
pub fn counts_offer(quota: &QuotaPlan, offer: &OfferRef) -> bool {
    match quota.offer {
        Some(index) => offer.offer.as_str() == format!("o{index}"),
        None => quota.kind != Kind::Uses,
    }
}

/// Every counter of a campaign that is not zero.
pub fn recount(world: &World, campaign: &CampaignId) -> BTreeMap<String, u64> {
    let plan = world.plan.campaigns.iter().find(|plan| plan.id == campaign.as_str()).unwrap();
    let quotas = quotas(plan);
    let ledgers = world.ledgers.borrow();
    let mut counts = BTreeMap::new();
    for (tab, record) in ledgers[campaign].values().flat_map(|ledger| &ledger.tabs) {
        count_tab(world, campaign, &quotas, tab, record, &mut counts);
    }
    counts.retain(|_, count| *count > 0);
    counts
}

fn count_tab(
    world: &World,
    campaign: &CampaignId,
    quotas: &[QuotaPlan],
    key_of_tab: &TabKey,
    record: &TabRecord,
    counts: &mut BTreeMap<String, u64>,
) {
    let plans = world.tab_plans.borrow();
    let tab = &plans[key_of_tab].0;
    let mut add = |quota: &QuotaPlan, by: &Use<'_>, units: u64| {
        if let Some(key) = key(quota, by) {
            *counts.entry(key).or_insert(0) += units;
        }
    };
    for (offer, redemption) in record.standing() {
        let day = day(redemption.received);
        let by = Use { code: offer.code.as_str(), day: &day, tab };
        for quota in quotas.iter().filter(|quota| counts_offer(quota, offer)) {
            let units = if quota.kind == Kind::Uses { 1 } else { redemption.amount.minor() };
            add(quota, &by, units);
        }
    }
    if record.standing().next().is_none() {
        return;
    }
    let history = world.history.borrow();
    let Some(opened) = history.opened.get(&(campaign.clone(), key_of_tab.clone())) else { return };
    let by = Use { code: &opened.code, day: &opened.day, tab };
    for quota in quotas.iter().filter(|q| q.offer.is_none() && q.kind == Kind::Uses) {
        add(quota, &by, 1);
    }
}
