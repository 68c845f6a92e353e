//! `POST /gotab/promo`: GoTab's Promo events. The wire is [`promo_pos::gotab::promo`]; what happens
//! is [`promo_core::checkout`].

use promo_core::checkout::{Event, Failure, Inquired, Reversal, inquire, redeem, reverse};
use promo_core::fault::Faults;
use promo_core::guard::Lock;
use promo_core::ledger::TabKey;
use promo_pos::gotab::envelope::Envelope;
use promo_pos::gotab::promo::{self, Asked};
use serde_json::json;
use worker::Env;

use super::till::{self, Place};
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;

/// Which POS this is, in ledgers and logs.
pub(super) const POS: &str = "gotab";
/// GoTab does not say under which key it looks for a text.
const TEXT_KEYS: &[&str] = &["message", "error"];

/// Answers a Promo event.
///
/// # Errors
/// 404 with a text for the guest, 400 for anything else about the event; 401, 413, 415, 503 as
/// everywhere.
pub async fn promo(call: &Call, env: &Env) -> Result<Reply, Problem> {
    answer(call, env).await.map_err(mirrored)
}

async fn answer(call: &Call, env: &Env) -> Result<Reply, Problem> {
    let envelope = Envelope::read(&call.json_body().await?).map_err(bad_event)?;
    let asked = promo::asked(&envelope).map_err(bad_event)?;
    call.trace.note("event", envelope.event_type.as_str());
    let tab = envelope.tab().map_err(bad_event)?;
    let edge = Edge::new(env, call)?;
    match asked {
        Asked::Inquire { code } => {
            let place = Place::read(&edge, env, &tab.location, Some(&code)).await?;
            let event = event(call, env, &place, &envelope, tab)?;
            let inquired = inquire(&edge, &code, &event).await.map_err(failed)?;
            call.trace.note_inquired(&inquired);
            match inquired {
                Inquired::Offers(quotes) => {
                    Ok(Reply::json(200, &promo::inquire_reply(&quotes, place.amount_unit())))
                }
                Inquired::Locked(lock) => Err(locked(lock, place.refused())),
                refused => Err(Problem::new(404, &place.refusal(&refused))),
            }
        }
        Asked::Redeem { offer_ids } => {
            let place = Place::read(&edge, env, &tab.location, None).await?;
            let event = event(call, env, &place, &envelope, tab)?;
            let redeemed = redeem(&edge, &offer_ids, &event).await.map_err(failed)?;
            call.trace.note_redeemed(&redeemed);
            if let Some(lock) = redeemed.locked {
                return Err(locked(lock, place.refused()));
            }
            if !redeemed.known {
                return Err(Problem::new(404, place.refused()));
            }
            let (unit, text) = (place.amount_unit(), place.refused());
            let reply = promo::redeem_reply(&redeemed.applied, &redeemed.rejected, text, unit);
            Ok(Reply::json(200, &reply))
        }
        Asked::Reverse { offer_ids } => {
            let (also, received) = (envelope.also(&tab), call.received);
            let reversal = Reversal { tab, also, offer_ids, received };
            let reversed = reverse(&edge, &reversal).await.map_err(failed)?;
            call.trace.note_reversed(&reversed);
            Ok(Reply::json(200, &json!({})))
        }
    }
}

fn event(
    call: &Call,
    env: &Env,
    place: &Place,
    envelope: &Envelope,
    tab: TabKey,
) -> Result<Event, Problem> {
    let cart = envelope.cart(&tab, place.currency()).map_err(bad_event)?;
    let also = envelope.also(&tab);
    Ok(Event { also, ..place.event(call, env, POS, tab, cart)? })
}

/// What GoTab hears on a locked tab: its ordinary refusal, as if the code was none.
pub(super) fn locked(lock: Lock, text: &str) -> Problem {
    match lock {
        Lock::Until(_) => Problem::new(404, text),
        Lock::Silent => failed(Failure::Unreachable),
    }
}

/// A refusal whose text is where GoTab may look for it.
pub fn mirrored(problem: Problem) -> Problem {
    problem.mirrored(TEXT_KEYS)
}

/// A refusal of an event that cannot be read.
pub(super) fn bad_event(faults: Faults) -> Problem {
    Problem::faults(400, "the event cannot be read", faults)
}

/// What GoTab hears when an event cannot be answered.
pub(super) fn failed(failure: Failure) -> Problem {
    till::failed(failure, 400)
}
