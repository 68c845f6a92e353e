//! `POST /wallet/notify`: a wallet app tells us that a guest asked for a card or coupon.
//!
//! The customer is found or made, and the first free number of the type is bound to the card in one
//! turn of the type's pool; the pool's alarm then calls the wallet back. Sent again, it is the same
//! request with the same number.

use promo_core::fault::Faults;
use promo_core::ident::TypeCode;
use promo_core::issuance::InstrumentType;
use promo_core::issuance::document::Availability;
use promo_core::issuance::notification::Notification;
use promo_core::issuance::pool::{Ask, Command, Reply as Decided, RequestNo, RequestState};
use serde_json::json;
use worker::Env;

use super::admin::is_json;
use crate::customers;
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::settings::Defaults;
use crate::wallet::Wallet;

/// Answers a notification.
///
/// # Errors
/// 409 when no number is free (the request is kept, and served in the order of asking) or the type is
/// not given out now, 422 for a notification with faults; 400, 401, 413, 415, 503 as everywhere.
pub async fn notify(call: &Call, env: &Env) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let notification = Notification::from_json(&json).map_err(faulty)?;
    // A wallet's people test their requests before anybody has told us where the wallet is.
    if !Wallet::of(env).has_address() {
        let what = "the setting WALLET_URL is not set, so no card could ever be activated";
        return Err(Problem::ours(503, what));
    }
    // A new customer is written in several places, which may all have to be made first.
    let edge = Edge::patient(env, call)?;
    let document = document(&edge, call, env, &notification).await?;
    let (holder, member) = customers::find_or_make(&edge, call, &notification.user).await?;
    let InstrumentType { once_per_customer: once, symbology, .. } = document;
    let absorbed = if once { customers::absorbed(&edge, &member).await? } else { Vec::new() };
    let Notification { card, code, .. } = notification;
    let ask = Ask { card, holder, absorbed, once, symbology };
    let decided = edge.decide(&code, Command::Ask(ask)).await.map_err(|_| {
        Problem::ours(503, "the pool did not answer").with_header("retry-after", "1")
    })?;
    let Decided::Request { request, state } = decided else {
        return Err(Problem::ours(500, "the pool answered another question"));
    };
    let id = request_id(&code, request);
    call.trace.note("request", id.as_str());
    call.trace.note("outcome", json!(state));
    if state == RequestState::Waiting {
        let detail = format!(
            "no number of type {code} is free now; the request waits, and is served in the order of \
             asking once there are numbers"
        );
        return Err(Problem::new(409, &detail).with("request_id", id).with("state", json!(state)));
    }
    Ok(Reply::json(202, &json!({ "request_id": id, "state": state })))
}

/// The name of a request outside its pool.
pub fn request_id(code: &TypeCode, request: RequestNo) -> String {
    format!("{code}-{request}")
}

/// The type that is asked for, which must be one that is given out now.
async fn document(
    edge: &Edge<'_>,
    call: &Call,
    env: &Env,
    notification: &Notification,
) -> Result<InstrumentType, Problem> {
    let code = &notification.code;
    call.trace.note("type", code.as_str());
    let found = edge.catalogue.instrument_type(code).await?;
    let document = match found {
        Some(Ok(document)) => document,
        Some(Err(faults)) => {
            call.trace.note("catalogue", format!("instrument:{code}: {faults}"));
            let detail = format!("the document of instrument type {code} has faults");
            return Err(faulty(Faults::one("/type", detail)));
        }
        None => {
            let detail = format!("there is no instrument type {code}");
            return Err(faulty(Faults::one("/type", detail)));
        }
    };
    if notification.kind.is_some_and(|kind| kind != document.kind) {
        let detail = format!("instrument type {code} is a {}", document.kind);
        return Err(faulty(Faults::one("/kind", detail)));
    }
    let detail = match document.availability(call.received, &Defaults::read(env)?.zone) {
        Availability::Open => return Ok(document),
        Availability::NotYet(from) => format!("type {code} is not given out before {from}"),
        Availability::Over(since) => format!("type {code} is not given out since {since}"),
    };
    Err(Problem::new(409, &detail))
}

fn faulty(faults: Faults) -> Problem {
    Problem::faults(422, "the notification has faults", faults)
}
