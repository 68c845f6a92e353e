//! `POST /v1/inquire`, `/v1/redeem`, `/v1/reverse`: the neutral API. The wire is
//! [`promo_pos::neutral`]; what happens is [`promo_core::checkout`].

use promo_core::checkout::{Failure, Inquired, Reversal, redeem, reverse};
use promo_core::fault::Faults;
use promo_pos::neutral::{Body, InquireReply, redeem_reply, reverse_reply, tab_of};
use sha2::{Digest, Sha256};
use worker::Env;

use super::till::{self, Counter, Place};
use crate::http::{Call, Problem, Reply};
use crate::objects::replies;
use crate::ports::Edge;
use crate::settings::authorize;

/// Which POS this is, in ledgers and logs.
const POS: &str = "neutral";

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

/// Answers a question of the neutral API; with an `Idempotency-Key`, for a day with the first reply.
///
/// # Errors
/// 404 for a code that is refused, 429 while a tab is not listened to, 422 for a body with faults or another body under the same key; 400,
/// 401, 413, 415, 503 as everywhere.
pub async fn answer(question: &str, call: &Call, env: &Env) -> Result<Reply, Problem> {
    authorize(call, env, "API_AUTH", "")?;
    let json = call.json_body().await?;
    let edge = Edge::new(env, call)?;
    let Some(key) = call.header("idempotency-key") else {
        return decide(question, &json, call, env, &edge).await;
    };
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
        return Err(Problem::new(422, &detail));
    }
    let name = digest(&[key.as_bytes()]);
    let request = digest(&[question.as_bytes(), b"\n", &json]);
    let ask = async |question| {
        let silent = |_| Problem::ours(503, "the replies kept do not answer");
        edge.ask_replies(&name, &question).await.map_err(silent)
    };
    let kept = match ask(replies::Question::Recall).await? {
        Some(kept) => kept,
        None => {
            let first = decide(question, &json, call, env, &edge).await;
            let first = first.unwrap_or_else(|problem| {
                call.trace.note("problem", problem.for_the_log());
                problem.into_reply()
            });
            // A failure of ours, or that it is not the time, is no answer to keep: the till is to ask
            // again.
            let again = first.status >= 500 || first.status == 429;
            let (false, Ok(body)) = (again, String::from_utf8(first.body.clone())) else {
                return Ok(first);
            };
            let kept = replies::Kept {
                request: request.clone(),
                status: first.status,
                content_type: first.content_type.clone().into_owned(),
                body,
            };
            match ask(replies::Question::Keep(kept)).await? {
                Some(kept) => kept,
                None => return Ok(first),
            }
        }
    };
    if kept.request != request {
        return Err(Problem::new(422, "this Idempotency-Key came with another request before"));
    }
    Ok(Reply::raw(kept.status, kept.content_type, kept.body.into_bytes()))
}

fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn decide(
    question: &str,
    json: &[u8],
    call: &Call,
    env: &Env,
    edge: &Edge<'_>,
) -> Result<Reply, Problem> {
    let body = Body::read(json).map_err(|faults| Problem::faults(400, "no JSON object", faults))?;
    match question {
        "inquire" => {
            let code = body.code().map_err(faulty)?;
            let cart = body.cart().map_err(faulty)?;
            let tab = tab_of(&cart).map_err(faulty)?;
            let counter = Counter::read(edge, env, &tab, code).await?;
            let place = &counter.place;
            let event = place.event(call, env, POS, tab, cart)?;
            match counter.inquire(edge, call, code, &event).await.map_err(failed)? {
                Ok(Inquired::Offers(offers)) => {
                    Ok(Reply::json(200, &InquireReply { offers: &offers }))
                }
                Ok(refused) => Err(Problem::new(404, &place.refusal(&refused))),
                Err(seconds) => Err(Problem::new(429, place.refused())
                    .with_header("retry-after", &seconds.to_string())),
            }
        }
        "redeem" => {
            let offer_ids = body.offer_ids().map_err(faulty)?;
            if offer_ids.is_empty() {
                return Err(faulty(Faults::one("/offer_ids", "name at least one offer_id")));
            }
            let cart = body.cart().map_err(faulty)?;
            let tab = tab_of(&cart).map_err(faulty)?;
            let place = Place::read(edge, env, &tab.location).await?;
            let event = place.event(call, env, POS, tab, cart)?;
            let redeemed = redeem(edge, &offer_ids, &event).await.map_err(failed)?;
            call.trace.note_redeemed(&redeemed);
            Ok(Reply::json(200, &redeem_reply(&redeemed, place.refused())))
        }
        _ => {
            let offer_ids = body.offer_ids().map_err(faulty)?;
            let tab = body.tab().map_err(faulty)?;
            let reversal = Reversal { tab, offer_ids, received: call.received };
            let reversed = reverse(edge, &reversal).await.map_err(failed)?;
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
