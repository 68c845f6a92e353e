//! `/admin/…`: what operators do. JSON, under the bearer token `ADMIN_TOKEN`.

pub mod codes;
pub mod conflicts;
mod currency;
pub mod customers;
pub mod documents;
pub mod instruments;
pub mod ledger;
pub mod members;
pub mod wallet;

use std::rc::Rc;

use promo_core::campaign::Campaign;
use promo_core::checkout::{Ports, Query, Resolution};
use promo_core::engine::simulate;
use promo_core::fault::Faults;
use worker::Env;

use crate::catalogue::Catalogue;
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::settings::{self, Defaults};

/// Campaigns on one page of a list.
const PAGE: u64 = 100;

fn not_there(what: &str) -> Problem {
    Problem::new(404, &format!("there is no such {what}"))
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
