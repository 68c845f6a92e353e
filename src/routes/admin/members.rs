//! What operators read and do with members: one member's points, adjusting them, merging two who are one,
//! erasing a person. What they are to decide is [`super::conflicts`].

use promo_core::identity::Identity;
use promo_core::loyalty::member::books::{Place, Posting};
use promo_core::loyalty::member::{Adjusted, Command, Reply as Said, View};
use promo_core::loyalty::merge::{self, Merged};
use promo_core::loyalty::{MemberId, Rooms, ask_member, directory, spend};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{faulty, is_json, not_there};
use crate::http::{Call, Problem, Reply};
use crate::members::{find, pepper, rules, silent};
use crate::objects::conflicts::Question;
use crate::ports::Edge;
use promo_core::fault::Faults;

/// Postings that are shown of a member.
const HISTORY: u32 = 100;
/// The most points an operator adds or takes at once.
const MOST: i64 = 1_000_000_000;
/// The longest key of an adjustment, in bytes.
const LONGEST_KEY: usize = 255;

/// A member as an operator sees him.
///
/// # Errors
/// 404 when nobody has such an identifier, 503 when an object does not answer.
pub async fn show(edge: &Edge<'_>, identifier: &str) -> Result<Reply, Problem> {
    let (_, view) = member(edge, identifier).await?;
    Ok(Reply::json(200, &document(&view)))
}

async fn member(edge: &Edge<'_>, identifier: &str) -> Result<(MemberId, View), Problem> {
    let identity = read(edge, identifier).await?;
    find(edge, &[identity], HISTORY).await?.ok_or_else(|| not_there("member"))
}

async fn read(edge: &Edge<'_>, identifier: &str) -> Result<Identity, Problem> {
    let rules = rules(edge).await?;
    // What is typed stays out of the answer: it goes to logs of others.
    Identity::parse(identifier, &rules)
        .map_err(|error| Problem::new(404, &format!("there is no such member: that {error}")))
}

fn document(view: &View) -> Value {
    let kinds: Vec<_> = view.identities.iter().map(|kind| json!(kind)).collect();
    json!({
        "number": view.number,
        "since": view.since.map(|at| at.to_string()),
        "opt_in": view.opt_in,
        "identities": kinds,
        "balance": view.balance.total,
        "available": view.balance.available,
        "pending": view.balance.pending,
        "tier": view.tier,
        "accounts": view.accounts,
        "expiring": view.expiring.iter()
            .map(|(on, points)| json!({"on": on, "points": points})).collect::<Vec<_>>(),
        "history": view.history.iter().map(line).collect::<Vec<_>>(),
    })
}

/// A posting as an operator reads it.
fn line(posting: &Posting) -> Value {
    let place = |place: &Place| json!({"account": place.account, "lot": place.lot});
    json!({
        "posting": posting.number,
        "at": posting.at.to_string(),
        "on": posting.on,
        "why": posting.why,
        "points": posting.points,
        "from": place(&posting.from),
        "to": place(&posting.to),
        "location": posting.tab.as_ref().map(|tab| &tab.location),
        "tab": posting.tab.as_ref().map(|tab| &tab.tab),
        "offer": posting.redemption.as_ref().map(|(offer, _)| offer.offer.as_str()),
        "reason": posting.reason,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjustment {
    points: i64,
    reason: String,
    #[serde(default)]
    id: Option<String>,
}

/// Adds or takes points, for a reason; once for each `Idempotency-Key`, and once for each `id` in the body. The key is
/// kept with the member's books, in the turn that posts.
///
/// # Errors
/// 404 when there is no such member; 422 without points or a reason, and for a key that came with another adjustment.
pub async fn adjust(edge: &Edge<'_>, call: &Call, identifier: &str) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let fault = |pointer: &str, detail: &str| faulty("adjustment", Faults::one(pointer, detail));
    let asked: Adjustment = serde_json::from_slice(&json).map_err(|error| {
        let form = "send {\"points\": 50, \"reason\": \"…\"}, the points as a whole number";
        fault("", &format!("{form}: {error}"))
    })?;
    if asked.points == 0 || !(-MOST..=MOST).contains(&asked.points) {
        return Err(fault("/points", "say how many points to add, or below zero to take away"));
    }
    if asked.reason.trim().is_empty() || asked.reason.len() > 500 {
        return Err(fault("/reason", "say why, in at most 500 bytes"));
    }
    let sound = |key: &str| (1..=LONGEST_KEY).contains(&key.len());
    if asked.id.as_deref().is_some_and(|id| !sound(id)) {
        return Err(fault("/id", "has 1 to 255 bytes, or is left out"));
    }
    let header = call.header("idempotency-key");
    if header.as_deref().is_some_and(|key| !sound(key)) {
        return Err(Problem::new(422, "an Idempotency-Key has 1 to 255 bytes"));
    }
    let header = header.map(|key| format!("header {key}"));
    let keys = header.into_iter().chain(asked.id.iter().map(|id| format!("id {id}"))).collect();
    let (id, _) = member(edge, identifier).await?;
    let reason = asked.reason.trim().to_owned();
    let adjusted = Adjusted { points: asked.points, reason, id: asked.id };
    let command = Command::Adjust { adjusted, keys };
    match ask_member(edge, &id, command).await.map_err(silent)? {
        (id, Said::View(_)) => {
            call.trace.note("outcome", "adjusted");
            shown(edge, &id).await
        }
        (_, Said::OtherAdjustment) => {
            Err(Problem::new(422, "this key came with another adjustment before; take a new one"))
        }
        _ => Err(not_there("member")),
    }
}

/// The member as he is now.
pub(super) async fn shown(edge: &Edge<'_>, id: &MemberId) -> Result<Reply, Problem> {
    let found = spend::show(edge, id, HISTORY).await.map_err(silent)?;
    let (_, view) = found.ok_or_else(|| not_there("member"))?;
    Ok(Reply::json(200, &document(&view)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merger {
    from: String,
}

/// Merges another member into this one: points, tabs and identities are this one's from now on. What was
/// cut off is done by doing it again: see [`promo_core::loyalty::merge`].
///
/// # Errors
/// 404 when this member is not there, 422 when nobody has the other identifier, 409 when they are one already.
pub async fn merge(edge: &Edge<'_>, call: &Call, identifier: &str) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let fault = |detail: &str| faulty("merger", Faults::one("/from", detail));
    let form = "send {\"from\": \"…\"}: who is merged into this member, by any identifier of his";
    let asked: Merger =
        serde_json::from_slice(&json).map_err(|error| fault(&format!("{form} ({error})")))?;
    let (into, _) = member(edge, identifier).await?;
    let other = read(edge, &asked.from).await?.pseudonym(&pepper(edge)?);
    let known = edge.entry(&other, directory::Command::Look).await.map_err(silent)?;
    let from = known.member.ok_or_else(|| fault("nobody has this identifier"))?;
    join(edge, call, &from, &into).await
}

/// Makes one member of two.
///
/// # Errors
/// 409 when they are one already, 503 when an object does not answer.
pub(super) async fn join(
    edge: &Edge<'_>,
    call: &Call,
    from: &MemberId,
    into: &MemberId,
) -> Result<Reply, Problem> {
    match merge::merge(edge, from, into).await.map_err(silent)? {
        Merged::One(id) => {
            let merged = Question::Merged(from.clone(), into.clone());
            edge.ask_conflicts(&merged).await.map_err(silent)?;
            call.trace.note("outcome", "merged");
            shown(edge, &id).await
        }
        Merged::Already(_) => {
            call.trace.note("outcome", "one member already");
            Err(Problem::new(409, "these are one member already"))
        }
    }
}
