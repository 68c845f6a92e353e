//! `POST /v1/inquire`, `/v1/redeem`, `/v1/reverse`: the neutral API. The wire is
//! [`promo_pos::neutral`]; what happens is [`promo_core::checkout`], and for members
//! [`promo_core::loyalty`].

mod member;

use promo_core::checkout::{Failure, Inquired, Redeemed, Reversal, inquire, redeem, reverse};
use promo_core::fault::Faults;
use promo_core::guard::Lock;
use promo_core::ident::OfferRef;
use promo_core::ledger::TabKey;
use promo_core::replies::Says;
use promo_pos::neutral::{Body, inquire_reply, redeem_reply, reverse_reply, tab_of};
use worker::Env;

use super::idempotent::{Said, once};
use super::till::{self, Place};
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::settings::Caller;

/// Which POS this is, in ledgers and logs.
const POS: &str = "neutral";

/// Answers a question of the neutral API; with an `Idempotency-Key`, for a day with the first reply.
///
/// # Errors
/// 404 for a code that is refused, 429 while a tab is not listened to, 422 for a body with faults or
/// another body under the same key, 409 while a request under the same key is answered or when what was
/// answered is no longer true; 400, 401, 413, 415, 503 as everywhere.
pub async fn answer(
    question: &str,
    call: &Call,
    env: &Env,
    caller: &Caller,
) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    let edge = Edge::new(env, call)?;
    let request = Request { call, env, edge: &edge };
    let work = async {
        let body =
            Body::read(&json).map_err(|faults| Problem::faults(400, "no JSON object", faults))?;
        match question {
            "inquire" => request.inquire(&body).await.map(Said::from),
            "redeem" => request.redeem(&body).await,
            _ => request.reverse(&body).await,
        }
    };
    once(call, &edge, caller, question, &json, work).await
}

/// A request while it is answered.
struct Request<'a> {
    call: &'a Call,
    env: &'a Env,
    edge: &'a Edge<'a>,
}

impl Request<'_> {
    async fn inquire(&self, body: &Body) -> Result<Reply, Problem> {
        let Some(code) = body.code().map_err(faulty)? else {
            return self.inquire_without_code(body).await;
        };
        let (cart, below) = body.cart().map_err(faulty)?;
        let tab = tab_of(&cart).map_err(faulty)?;
        let place = Place::read(self.edge, self.env, &tab.location, Some(code)).await?;
        let event = place.event(self.call, self.env, POS, tab, cart)?;
        let inquired = inquire(self.edge, code, &event).await.map_err(failed)?;
        self.call.trace.note_inquired(&inquired);
        match inquired {
            Inquired::Offers(offers) => {
                let ignored = body.ignored(&["code", "cart"], below);
                Ok(Reply::json(200, &inquire_reply(&offers, None, &ignored)))
            }
            Inquired::Locked(lock) => Err(self.locked(lock, &place)),
            refused => Err(Problem::new(404, &place.refusal(&refused))),
        }
    }

    async fn redeem(&self, body: &Body) -> Result<Said, Problem> {
        let offer_ids = body.offer_ids().map_err(faulty)?;
        let missing = || faulty(Faults::one("/offer_ids", "name at least one offer_id"));
        let offer_ids = offer_ids.ok_or_else(missing)?;
        let (cart, below) = body.cart().map_err(faulty)?;
        let tab = tab_of(&cart).map_err(faulty)?;
        let place = Place::read(self.edge, self.env, &tab.location, None).await?;
        let event = place.event(self.call, self.env, POS, tab.clone(), cart)?;
        let (redeemed, attempt) = match self.of_member(&place, &offer_ids, event).await? {
            Ok(of_member) => {
                let redeemed = redeem(&of_member.ports, &offer_ids, &of_member.event).await;
                (redeemed.map_err(failed)?, of_member.event.attempt)
            }
            Err(event) => {
                let redeemed = redeem(self.edge, &offer_ids, &event).await.map_err(failed)?;
                (redeemed, event.attempt)
            }
        };
        self.call.trace.note_redeemed(&redeemed);
        if let Some(lock) = redeemed.locked {
            return Err(self.locked(lock, &place));
        }
        let ignored = body.ignored(&["offer_ids", "cart"], below);
        let reply = Reply::json(200, &redeem_reply(&redeemed, place.refused(), &ignored));
        let Redeemed { applied, .. } = redeemed;
        let applied = applied.into_iter().map(|quote| quote.offer_id).collect();
        Ok(Said { reply, says: Some(self.says(tab, attempt, applied, Vec::new())) })
    }

    /// What is answered on a locked tab, whatever the codes are.
    fn locked(&self, lock: Lock, place: &Place) -> Problem {
        let seconds = till::wait(lock, self.call);
        Problem::new(429, place.refused()).with_header("retry-after", &seconds.to_string())
    }

    async fn reverse(&self, body: &Body) -> Result<Said, Problem> {
        let offer_ids = body.offer_ids().map_err(faulty)?.unwrap_or_default();
        let tab = body.tab().map_err(faulty)?;
        let received = self.call.received;
        let reversal = Reversal { tab: tab.clone(), also: None, offer_ids, received };
        let reversed = reverse(self.edge, &reversal).await.map_err(failed)?;
        self.call.trace.note_reversed(&reversed);
        let ignored = body.ignored(&["offer_ids", "tab_id", "location_id"], Vec::new());
        let reply = Reply::json(200, &reverse_reply(&reversed, ignored));
        let attempt = self.call.attempt.clone();
        Ok(Said { reply, says: Some(self.says(tab, attempt, Vec::new(), reversed.reversed)) })
    }

    fn says(
        &self,
        tab: TabKey,
        attempt: String,
        applied: Vec<OfferRef>,
        reversed: Vec<OfferRef>,
    ) -> Says {
        Says { tab, received: self.call.received, attempt, applied, reversed }
    }
}

fn faulty(faults: Faults) -> Problem {
    Problem::faults(422, "the request has faults", faults)
}

fn failed(failure: Failure) -> Problem {
    till::failed(failure, 422)
}
