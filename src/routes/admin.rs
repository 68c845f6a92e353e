//! `/admin/…`: what operators do. JSON, under the bearer token `ADMIN_TOKEN`.

pub mod codes;
pub mod conflicts;
mod currency;
pub mod customers;
pub mod instruments;
pub mod ledger;
pub mod members;
pub mod wallet;

use std::rc::Rc;

use codes::Entry;
use promo_core::campaign::Campaign;
use promo_core::checkout::{Ports, Query, Resolution};
use promo_core::engine::simulate;
use promo_core::fault::Faults;
use promo_core::ident::{CampaignId, LocationId};
use promo_core::location::Location;
use promo_core::loyalty::programme::{Programme, REWARDS};
use serde_json::json;
use worker::Env;

use crate::catalogue::{Catalogue, PROGRAMME_KEY, campaign_key, location_key};
use crate::http::{Call, Problem, Reply, now};
use crate::ports::Edge;
use crate::settings::{self, Defaults};

/// Campaigns on one page of a list.
const PAGE: u64 = 100;

fn not_there(what: &str) -> Problem {
    Problem::new(404, &format!("there is no such {what}"))
}

/// A document as it was put.
async fn stored(catalogue: &Catalogue<'_>, key: &str, what: &str) -> Result<Reply, Problem> {
    let json = catalogue.read(key).await?.ok_or_else(|| not_there(what))?;
    Ok(Reply::raw(200, "application/json", json))
}

/// A campaign's document.
///
/// # Errors
/// 404 when there is none of this id.
pub async fn show_campaign(edge: &Edge<'_>, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    stored(&edge.catalogue, &campaign_key(&id), "campaign").await
}

/// A location's document.
///
/// # Errors
/// 404 when there is none of this id.
pub async fn show_location(edge: &Edge<'_>, id: &str) -> Result<Reply, Problem> {
    let id = LocationId::parse(id).map_err(|_| not_there("location"))?;
    stored(&edge.catalogue, &location_key(&id), "location").await
}

/// The loyalty programme's document.
///
/// # Errors
/// 404 when there is none.
pub async fn show_programme(edge: &Edge<'_>) -> Result<Reply, Problem> {
    stored(&edge.catalogue, PROGRAMME_KEY, "programme").await
}

/// A page of the campaigns that are stored.
///
/// # Errors
/// 503 when KV does not answer.
pub async fn list_campaigns(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let catalogue = &edge.catalogue;
    let (ids, cursor) = catalogue.campaign_ids(call.query("cursor"), PAGE).await?;
    let mut campaigns = Vec::new();
    for id in ids {
        campaigns.push(match catalogue.campaign(&id).await? {
            Some(Ok(campaign)) => json!({
                "id": id, "name": campaign.name(), "active": campaign.active(),
                "currency": campaign.currency(), "offers": campaign.offers().len(),
            }),
            Some(Err(faults)) => json!({"id": id, "errors": &*faults}),
            None => continue,
        });
    }
    Ok(Reply::json(200, &json!({"campaigns": campaigns, "cursor": cursor})))
}

/// Stores a campaign under its id and under each of its fixed codes or its prefix, and forgets those it
/// no longer has.
///
/// # Errors
/// 422 for a document with faults, 409 for a code another campaign holds; 400, 413, 415, 503 as
/// everywhere.
pub async fn put_campaign(
    edge: &Edge<'_>,
    call: &Call,
    env: &Env,
    id: &str,
) -> Result<Reply, Problem> {
    let catalogue = &edge.catalogue;
    let json = call.json_body().await?;
    is_json(&json)?;
    let campaign = Campaign::from_json(&json).map_err(|f| faulty("campaign", f))?;
    if campaign.id().as_str() != id {
        let detail = format!("is {:?}, but the address says {id:?}", campaign.id().as_str());
        return Err(faulty("campaign", Faults::one("/id", detail)));
    }
    if id == REWARDS {
        let detail = "is the id of the loyalty programme's rewards; take another";
        return Err(faulty("campaign", Faults::one("/id", detail)));
    }
    call.trace.note("campaign", id);
    codes::collisions(catalogue, &campaign).await?.map_err(|faults| {
        Problem::faults(409, "another campaign holds a code of this one", faults)
    })?;
    codes::numbers_in_the_way(edge, &campaign).await?.map_err(|faults| {
        Problem::faults(409, "a card or coupon has a code of this campaign", faults)
    })?;

    let before = catalogue.campaign(campaign.id()).await?;
    currency::may_change(edge, before.as_ref(), &campaign).await?;
    let before = match before {
        Some(Ok(before)) => Entry::of(&before),
        _ => Vec::new(),
    };
    catalogue.write(&campaign_key(campaign.id()), &json).await?;
    let keys: Vec<String> = Entry::of(&campaign).iter().map(Entry::key).collect();
    for key in &keys {
        catalogue.write(key, &json).await?;
    }
    for gone in before.iter().map(Entry::key).filter(|key| !keys.contains(key)) {
        catalogue.remove(&gone).await?;
    }
    let mut warnings = campaign.warnings(now());
    warnings.extend(codes::warnings(&campaign, env));
    Ok(Reply::json(200, &json!({"id": id, "warnings": warnings})))
}

/// The body is JSON at all; what is wrong with a document that is, is for its reader to say.
pub(super) fn is_json(body: &[u8]) -> Result<(), Problem> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body)
        .map(|_| ())
        .map_err(|error| Problem::new(400, &format!("the body is not JSON: {error}")))
}

fn faulty(what: &str, faults: Faults) -> Problem {
    Problem::faults(422, &format!("the {what} has faults"), faults)
}

/// Removes a campaign and what leads to it; its ledger stays.
///
/// # Errors
/// 404 when there is none of this id.
pub async fn delete_campaign(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let catalogue = &edge.catalogue;
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let found = catalogue.campaign(&id).await?.ok_or_else(|| not_there("campaign"))?;
    for entry in found.map(|campaign| Entry::of(&campaign)).unwrap_or_default() {
        if entry.holder(catalogue).await?.as_deref() == Some(id.as_str()) {
            catalogue.remove(&entry.key()).await?;
        }
    }
    currency::note(edge, &id).await?;
    catalogue.remove(&campaign_key(&id)).await?;
    Ok(Reply::json(200, &json!({"deleted": id})))
}

/// Stores a location's document.
///
/// # Errors
/// 422 for a document with faults or an id that is none; 400, 413, 415, 503 as everywhere.
pub async fn put_location(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = LocationId::parse(id)
        .map_err(|error| Problem::new(422, &format!("the location's id {error}")))?;
    let json = call.json_body().await?;
    is_json(&json)?;
    Location::from_json(&json).map_err(|f| faulty("location", f))?;
    edge.catalogue.write(&location_key(&id), &json).await?;
    Ok(Reply::json(200, &json!({"id": id})))
}

/// Stores the loyalty programme's document.
///
/// # Errors
/// 422 for a document with faults; 400, 413, 415, 503 as everywhere.
pub async fn put_programme(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let programme = Programme::from_json(&json).map_err(|f| faulty("programme", f))?;
    edge.catalogue.write(PROGRAMME_KEY, &json).await?;
    let warnings = programme.warnings(now());
    Ok(Reply::json(200, &json!({"name": programme.name(), "warnings": warnings})))
}

/// What the engine would say, without touching or counting anything: of the request's own campaigns,
/// or without any of those that are stored.
///
/// # Errors
/// 422 for a request with faults; 400, 413, 415, 503 as everywhere.
pub async fn simulate_request(edge: &Edge<'_>, call: &Call, env: &Env) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let refused = |faults| faulty("request", faults);
    let request = simulate::Request::from_json(&json).map_err(refused)?;
    let defaults = simulate::Defaults { now: Some(call.received), zone: Defaults::read(env)?.zone };
    let context = request.context(&defaults).map_err(refused)?;
    if request.campaigns().is_some() {
        let keys = settings::code_keys(env).ok();
        let reply = request.reply_proving(keys.as_ref(), &context).map_err(refused)?;
        return Ok(Reply::json(200, &reply));
    }
    let codes = request.codes();
    let mut reached: Vec<Rc<Campaign>> = Vec::new();
    let mut unknown = Vec::new();
    for code in codes.iter().flatten() {
        let silent = |_| Problem::ours(503, "KV does not answer, or CODE_KEYS cannot be read");
        let found = edge.find(&Query::Code((*code).clone())).await.map_err(silent)?;
        let found = match found {
            Resolution::Found(found) => Some(found.campaign),
            Resolution::Unknown { .. } => None,
        };
        match found {
            Some(found) if reached.iter().any(|campaign| campaign.id() == found.id()) => {}
            Some(found) => reached.push(found),
            None => unknown.push(*code),
        }
    }
    if codes.is_none() {
        reached = every_campaign(&edge.catalogue).await?;
    }
    let campaigns: Vec<&Campaign> = reached.iter().map(Rc::as_ref).collect();
    let mut reply = request.reply_with(&campaigns, &context).map_err(refused)?;
    unknown.into_iter().for_each(|code| reply.add_unknown_code(code));
    Ok(Reply::json(200, &reply))
}

/// Every sound campaign that is stored.
async fn every_campaign(catalogue: &Catalogue<'_>) -> Result<Vec<Rc<Campaign>>, Problem> {
    let (mut campaigns, mut cursor) = (Vec::new(), None);
    loop {
        let (ids, next) = catalogue.campaign_ids(cursor, PAGE).await?;
        for id in ids {
            campaigns.extend(catalogue.campaign(&id).await?.and_then(Result::ok));
        }
        match next {
            None => return Ok(campaigns),
            next => cursor = next,
        }
    }
}
