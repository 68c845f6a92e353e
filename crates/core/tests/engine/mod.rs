//! The engine as the tests see it: JSON in, JSON out.
#![allow(dead_code, reason = "each test target uses its own part")]
use promo_core::campaign::Campaign;
use promo_core::engine::simulate::{self, Defaults, Request};
use promo_core::engine::{Allowance, Asked, Decision, Reason, Standing, decide};
use promo_core::money::Money;
use promo_core::time::Zone;
use serde_json::{Value, json};

/// The engine's reply, or what it says is wrong with the request.
pub fn simulate(request: &Value) -> Result<Value, String> {
    let reply = bytes(request)?;
    serde_json::from_slice(&reply).map_err(|error| error.to_string())
}

/// The engine's reply as it goes over the wire.
pub fn bytes(request: &Value) -> Result<Vec<u8>, String> {
    let request = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let defaults = Defaults { now: None, zone: Zone::utc() };
    simulate::simulate(&request, &defaults).map_err(|faults| faults.to_string())
}

/// The engine's reply where the ledger has spoken: `request["allowed"]` is what it lets through, as the
/// oracle reads it. Every campaign of the request is asked.
pub fn decide_allowed(request: &Value) -> Result<Value, String> {
    let sent = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let read = Request::from_json(&sent).map_err(|faults| faults.to_string())?;
    let defaults = Defaults { now: None, zone: Zone::utc() };
    let context = read.context(&defaults).map_err(|faults| faults.to_string())?;
    let campaigns = read.campaigns().ok_or("no campaigns")?;
    let allowances: Vec<Vec<Allowance>> = campaigns
        .iter()
        .map(|campaign| {
            let allowed = &request["allowed"][campaign.id().as_str()]["offers"];
            let offers = campaign.offers().iter();
            offers.map(|offer| allowance(&allowed[offer.id().as_str()])).collect()
        })
        .collect();
    let at_most = |campaign: &Campaign| {
        let most = request["allowed"][campaign.id().as_str()]["at_most"].as_u64();
        most.map(Money::new)
    };
    let asked: Vec<Asked<'_>> = campaigns
        .iter()
        .zip(&allowances)
        .map(|(campaign, allowances)| Asked { campaign, allowances, at_most: at_most(campaign) })
        .collect();
    let decision = decide(&asked, read.cart(), &context, Standing::nothing())
        .map_err(|error| error.to_string())?;
    Ok(told(&decision, campaigns, &read))
}

fn allowance(allowed: &Value) -> Allowance {
    if allowed == "not_asked" {
        return Allowance::NotAsked;
    }
    if let Some(most) = allowed["at_most"].as_u64() {
        return Allowance::AtMost(Money::new(most));
    }
    let reason = serde_json::from_value::<Reason>(allowed["refused"].clone());
    reason.map_or(Allowance::Open, Allowance::Refused)
}

/// A decision as `simulate` replies it, without the wording.
fn told(decision: &Decision<'_>, campaigns: &[Campaign], read: &Request) -> Value {
    let (cart, offer_id) = (read.cart(), |campaign: usize, offer: usize| {
        campaigns[campaign].offers()[offer].id().as_str()
    });
    let share = |id: &str, discount: Money| json!({"id": id, "discount": discount});
    let offers = decision.applied.iter().map(|applied| {
        let lines = applied.lines.iter();
        let fees = applied.fees.iter();
        json!({
            "campaign": campaigns[applied.campaign].id().as_str(),
            "offer": offer_id(applied.campaign, applied.offer),
            "discount": applied.discount,
            "lines": lines.map(|(at, n)| share(cart.line(*at).unwrap().id(), *n)).collect::<Vec<_>>(),
            "fees": fees.map(|(at, n)| share(cart.fee(*at).unwrap().id(), *n)).collect::<Vec<_>>(),
            "rounding": applied.rounding,
        })
    });
    let rejected = decision.rejected.iter().map(|rejected| {
        let campaign = campaigns[rejected.campaign].id().as_str();
        let mut one = json!({"campaign": campaign, "reason": rejected.reason});
        if let Some(offer) = rejected.offer {
            one["offer"] = json!(offer_id(rejected.campaign, offer));
        }
        one
    });
    json!({
        "discount": decision.discount, "currency": decision.currency,
        "offers": offers.collect::<Vec<_>>(), "rejected": rejected.collect::<Vec<_>>(),
    })
}
