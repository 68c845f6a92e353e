//! `/admin/…`: what operators do. JSON, under the bearer token `ADMIN_TOKEN`.

mod customers;
mod instruments;
mod ledger;
mod members;
mod wallet;

use std::collections::BTreeSet;
use std::rc::Rc;

use promo_core::campaign::{Campaign, Codes};
use promo_core::code::CanonicalCode;
use promo_core::engine::simulate;
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::{CampaignId, LocationId};
use promo_core::location::Location;
use promo_core::loyalty::programme::{Programme, REWARDS};
use serde_json::json;
use worker::{Env, Method};

use crate::catalogue::{Catalogue, PROGRAMME_KEY, campaign_key, code_key, location_key};
use crate::http::{Call, Problem, Reply, now};
use crate::ports::Edge;
use crate::settings::{Defaults, authorize};

/// Campaigns on one page of a list.
const PAGE: u64 = 100;

/// Which methods an address below `/admin` takes; none: there is nothing.
pub fn allowed(segments: &[&str]) -> &'static [Method] {
    match segments {
        ["campaigns", _] => &[Method::Get, Method::Put, Method::Delete],
        ["locations", _] | ["programme"] => &[Method::Get, Method::Put],
        ["members", _] | ["conflicts"] => &[Method::Get],
        ["members", _, "adjust" | "merge"] => &[Method::Post],
        ["campaigns"] | ["campaigns", _, "ledger" | "redemptions"] | ["codes" | "tabs", _] => {
            &[Method::Get]
        }
        ["instruments", _] => &[Method::Get, Method::Put],
        ["instruments"] | ["instruments", _, "numbers", _] | ["wallet", "errors"] => &[Method::Get],
        ["customers", _] => &[Method::Delete],
        ["simulate"]
        | ["instruments", _, "numbers"]
        | ["instruments", _, "numbers", _, "block" | "unblock"]
        | ["wallet", "check"]
        | ["wallet", "errors", _, "retry" | "dismiss"] => &[Method::Post],
        _ => &[],
    }
}

/// Answers an operator.
///
/// # Errors
/// 404 for what is not there, 422 for a document with faults, 409 for a code another campaign holds;
/// 400, 401, 413, 415, 503 as everywhere.
pub async fn answer(segments: &[&str], call: &Call, env: &Env) -> Result<Reply, Problem> {
    authorize(call, env, "ADMIN_TOKEN", "Bearer ")?;
    let edge = Edge::new(env, call)?;
    let catalogue = &edge.catalogue;
    match (segments, &call.method) {
        (["campaigns"], _) => list_campaigns(catalogue, call).await,
        (["campaigns", id], Method::Put) => put_campaign(catalogue, call, id).await,
        (["campaigns", id], Method::Delete) => delete_campaign(catalogue, call, id).await,
        (["campaigns", id], _) => {
            let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
            stored(catalogue, &campaign_key(&id), "campaign").await
        }
        (["locations", id], Method::Put) => put_location(catalogue, call, id).await,
        (["locations", id], _) => {
            let id = LocationId::parse(id).map_err(|_| not_there("location"))?;
            stored(catalogue, &location_key(&id), "location").await
        }
        (["programme"], Method::Put) => put_programme(catalogue, call).await,
        (["programme"], _) => stored(catalogue, PROGRAMME_KEY, "programme").await,
        (["members", identifier], _) => members::show(&edge, identifier).await,
        (["members", identifier, "adjust"], _) => members::adjust(&edge, call, identifier).await,
        (["members", identifier, "merge"], _) => members::merge(&edge, call, identifier).await,
        (["conflicts"], _) => members::conflicts(&edge, call).await,
        (["codes", code], _) => show_code(catalogue, code).await,
        (["simulate"], _) => simulate_request(catalogue, call, env).await,
        (["campaigns", id, "ledger"], _) => ledger::quotas(&edge, call, env, id).await,
        (["campaigns", id, "redemptions"], _) => ledger::redemptions(&edge, call, id).await,
        (["instruments", rest @ ..], _) => instruments::answer(rest, &edge, call, env).await,
        (["wallet", rest @ ..], _) => wallet::answer(rest, &edge, call, env).await,
        (["customers", identifier], _) => customers::erase(&edge, call, identifier).await,
        (["tabs", tab], _) => ledger::tab(&edge, tab).await,
        _ => Err(not_there("address")),
    }
}

fn not_there(what: &str) -> Problem {
    Problem::new(404, &format!("there is no such {what}"))
}

/// A document as it was put.
async fn stored(catalogue: &Catalogue<'_>, key: &str, what: &str) -> Result<Reply, Problem> {
    let json = catalogue.read(key).await?.ok_or_else(|| not_there(what))?;
    Ok(Reply::raw(200, "application/json", json))
}

async fn list_campaigns(catalogue: &Catalogue<'_>, call: &Call) -> Result<Reply, Problem> {
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

/// Stores a campaign under its id and under each of its fixed codes, and forgets the codes it no
/// longer has.
async fn put_campaign(catalogue: &Catalogue<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
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
    let codes = fixed_codes(&campaign);
    let sink = Sink::new();
    for (index, code) in codes.iter().enumerate() {
        if let Some(holder) = holder(catalogue, code).await?.filter(|holder| holder != id) {
            let fixed = Path::Below("/codes/fixed");
            sink.add(&Path::Index(&fixed, index), format!("{code} belongs to campaign {holder}"));
        }
    }
    sink.check(Some(())).map_err(|faults| {
        Problem::faults(409, "another campaign holds a code of this one", faults)
    })?;

    let before = match catalogue.campaign(campaign.id()).await? {
        Some(Ok(before)) => fixed_codes(&before).into_iter().collect(),
        _ => BTreeSet::new(),
    };
    catalogue.write(&campaign_key(campaign.id()), &json).await?;
    for code in &codes {
        catalogue.write(&code_key(code), &json).await?;
    }
    for gone in before.iter().filter(|code| !codes.contains(code)) {
        catalogue.remove(&code_key(gone)).await?;
    }
    Ok(Reply::json(200, &json!({"id": id, "warnings": campaign.warnings(now())})))
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

fn fixed_codes(campaign: &Campaign) -> Vec<CanonicalCode> {
    match campaign.codes() {
        Codes::Fixed(codes) => codes.clone(),
        _ => Vec::new(),
    }
}

/// The campaign that holds a code, or what else stands in its place.
async fn holder(
    catalogue: &Catalogue<'_>,
    code: &CanonicalCode,
) -> Result<Option<String>, Problem> {
    Ok(match catalogue.code_entry(code).await? {
        Some(Ok(campaign)) => Some(campaign.id().as_str().to_owned()),
        // An entry that leads nowhere may be overwritten: that is how it is mended.
        Some(Err(_)) | None => None,
    })
}

async fn delete_campaign(
    catalogue: &Catalogue<'_>,
    call: &Call,
    id: &str,
) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let found = catalogue.campaign(&id).await?.ok_or_else(|| not_there("campaign"))?;
    let codes = found.map(|campaign| fixed_codes(&campaign)).unwrap_or_default();
    for code in &codes {
        if holder(catalogue, code).await?.as_deref() == Some(id.as_str()) {
            catalogue.remove(&code_key(code)).await?;
        }
    }
    catalogue.remove(&campaign_key(&id)).await?;
    Ok(Reply::json(200, &json!({"deleted": id})))
}

async fn put_location(catalogue: &Catalogue<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = LocationId::parse(id)
        .map_err(|error| Problem::new(422, &format!("the location's id {error}")))?;
    let json = call.json_body().await?;
    is_json(&json)?;
    Location::from_json(&json).map_err(|f| faulty("location", f))?;
    catalogue.write(&location_key(&id), &json).await?;
    Ok(Reply::json(200, &json!({"id": id})))
}

async fn put_programme(catalogue: &Catalogue<'_>, call: &Call) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let programme = Programme::from_json(&json).map_err(|f| faulty("programme", f))?;
    catalogue.write(PROGRAMME_KEY, &json).await?;
    let warnings = programme.warnings(now());
    Ok(Reply::json(200, &json!({"name": programme.name(), "warnings": warnings})))
}

/// What a code leads to, or why it leads nowhere: for the marketer who put a document by hand.
async fn show_code(catalogue: &Catalogue<'_>, typed: &str) -> Result<Reply, Problem> {
    let code = CanonicalCode::parse(typed)
        .map_err(|error| Problem::new(404, &format!("{typed:?} is no code: {error}")))?;
    match catalogue.code_entry(&code).await? {
        Some(Ok(campaign)) => {
            Ok(Reply::json(200, &json!({"code": code, "campaign": campaign.id()})))
        }
        Some(Err(why)) => Ok(Reply::json(200, &json!({"code": code, "refused": why}))),
        None => Err(not_there("code")),
    }
}

/// What the engine would say, without touching or counting anything: of the request's own campaigns,
/// or without any of those that are stored.
async fn simulate_request(
    catalogue: &Catalogue<'_>,
    call: &Call,
    env: &Env,
) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let refused = |faults| faulty("request", faults);
    let request = simulate::Request::from_json(&json).map_err(refused)?;
    let defaults = simulate::Defaults { now: Some(call.received), zone: Defaults::read(env)?.zone };
    let context = request.context(&defaults).map_err(refused)?;
    if request.campaigns().is_some() {
        return Ok(Reply::json(200, &request.reply(&context).map_err(refused)?));
    }
    let codes = request.codes();
    let mut reached: Vec<Rc<Campaign>> = Vec::new();
    let mut unknown = Vec::new();
    for code in codes.iter().flatten() {
        match catalogue.by_code(code).await? {
            Some(found) if reached.iter().any(|campaign| campaign.id() == found.id()) => {}
            Some(found) => reached.push(found),
            None => unknown.push(*code),
        }
    }
    if codes.is_none() {
        reached = every_campaign(catalogue).await?;
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
