//! `POST /v1/inquire`, `/v1/redeem`, `/v1/reverse`: the neutral API. The wire is
//! [`promo_pos::neutral`]; what happens is [`promo_core::checkout`].

use promo_core::checkout::{Failure, Inquired, Reversal, inquire, redeem, reverse};
use promo_core::fault::Faults;
use promo_pos::neutral::{Body, InquireReply, redeem_reply, reverse_reply, tab_of};
use worker::Env;

use super::till::{self, Place};
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::settings::authorize;

/// Which POS this is, in ledgers and logs.
const POS: &str = "neutral";

/// Answers a question of the neutral API.
///
/// # Errors
/// 404 for a code that is refused, 422 for a body with faults; 400, 401, 413, 415, 503 as everywhere.
pub async fn answer(question: &str, call: &Call, env: &Env) -> Result<Reply, Problem> {
    authorize(call, env, "API_AUTH", "")?;
    let json = call.json_body().await?;
    let body =
        Body::read(&json).map_err(|faults| Problem::faults(400, "no JSON object", faults))?;
    let edge = Edge::new(env, call)?;
    match question {
        "inquire" => {
            let code = body.code().map_err(faulty)?;
            let cart = body.cart().map_err(faulty)?;
            let tab = tab_of(&cart).map_err(faulty)?;
            let place = Place::read(&edge, env, &tab.location, Some(code)).await?;
            let event = place.event(call, env, POS, tab, cart)?;
            let inquired = inquire(&edge, code, &event).await.map_err(failed)?;
            call.trace.note_inquired(&inquired);
            match &inquired {
                Inquired::Offers(offers) => Ok(Reply::json(200, &InquireReply { offers })),
                Inquired::Refused { .. } => Err(Problem::new(404, &place.refusal(&inquired))),
            }
        }
        "redeem" => {
            let offer_ids = body.offer_ids().map_err(faulty)?;
            if offer_ids.is_empty() {
                return Err(faulty(Faults::one("/offer_ids", "name at least one offer_id")));
            }
            let cart = body.cart().map_err(faulty)?;
            let tab = tab_of(&cart).map_err(faulty)?;
            let place = Place::read(&edge, env, &tab.location, None).await?;
            let event = place.event(call, env, POS, tab, cart)?;
            let redeemed = redeem(&edge, &offer_ids, &event).await.map_err(failed)?;
            call.trace.note_redeemed(&redeemed);
            Ok(Reply::json(200, &redeem_reply(&redeemed, place.refused())))
        }
        _ => {
            let offer_ids = body.offer_ids().map_err(faulty)?;
            let tab = body.tab().map_err(faulty)?;
            let reversal = Reversal { tab, offer_ids, received: call.received };
            let reversed = reverse(&edge, &reversal).await.map_err(failed)?;
            call.trace.note_reversed(&reversed);
            Ok(Reply::json(200, &reverse_reply(&reversed)))
        }
    }
}

fn faulty(faults: Faults) -> Problem {
    Problem::faults(422, "the request has faults", faults)
}

fn failed(failure: Failure) -> Problem {
    till::failed(failure, 422)
}
