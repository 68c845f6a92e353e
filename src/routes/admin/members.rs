//! What operators read and do with members: one member's points, adjusting them, merging two who are one,
//! erasing a person.

use promo_core::identity::{Identity, Pseudonym};
use promo_core::loyalty::member::books::{Place, Posting};
use promo_core::loyalty::member::{Command, Reply as Said, View};
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
}

/// Adds or takes points, for a reason.
///
/// # Errors
/// 404 when there is no such member, 422 without points or a reason.
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
    let (id, _) = member(edge, identifier).await?;
    let command = Command::Adjust { points: asked.points, reason: asked.reason.trim().to_owned() };
    match ask_member(edge, &id, command).await.map_err(silent)? {
        (id, Said::View(_)) => {
            call.trace.note("outcome", "adjusted");
            let found = spend::show(edge, &id, HISTORY).await.map_err(silent)?;
            let (_, view) = found.ok_or_else(|| not_there("member"))?;
            Ok(Reply::json(200, &document(&view)))
        }
        _ => Err(not_there("member")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merger {
    from: String,
}

/// Merges another member into this one: points, tabs and identities are this one's from now on. What was
/// cut off is done by doing it again.
///
/// # Errors
/// 404 when one of them is not there, 422 when they are one already.
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
    if from == into {
        return Err(fault("these are one member already"));
    }
    let depart = Command::Depart { into: into.clone() };
    let luggage = match edge.member(&from, depart).await.map_err(silent)? {
        Said::Luggage(luggage) => luggage,
        Said::Moved(to) if to == into => return Err(fault("these are one member already")),
        _ => return Err(fault("this member is part of another one, or erased")),
    };
    let identities = luggage.profile.identities.clone();
    let absorb = Command::Absorb { from: from.clone(), luggage };
    let Said::Done = edge.member(&into, absorb).await.map_err(silent)? else {
        return Err(fault("the member cannot take anybody in"));
    };
    // Who comes by an identity of his is led on anyway; this spares the detour. The one that was named
    // here goes last, so that what is cut off can be done again.
    for (_, who) in identities.iter().filter(|(_, who)| *who != other) {
        hand(edge, who, &from, &into).await?;
    }
    edge.ask_conflicts(&Question::Remove(from.clone())).await.map_err(silent)?;
    hand(edge, &other, &from, &into).await?;
    call.trace.note("outcome", "merged");
    let found = spend::show(edge, &into, HISTORY).await.map_err(silent)?;
    let (_, view) = found.ok_or_else(|| not_there("member"))?;
    Ok(Reply::json(200, &document(&view)))
}

async fn hand(
    edge: &Edge<'_>,
    who: &Pseudonym,
    from: &MemberId,
    to: &MemberId,
) -> Result<(), Problem> {
    let hand = directory::Command::Hand { from: from.clone(), to: to.clone() };
    edge.entry(who, hand).await.map(drop).map_err(silent)
}

/// Members who may be one, by their numbers.
///
/// # Errors
/// 422 for a cursor of somebody else's, 503 when an object does not answer.
pub async fn conflicts(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let after = match call.query("cursor") {
        None => None,
        Some(cursor) => {
            let pair = cursor.split_once('.');
            let pair = pair
                .and_then(|(one, other)| Some((MemberId::parse(one)?, MemberId::parse(other)?)));
            Some(pair.ok_or_else(|| Problem::new(422, "this is no cursor of ours"))?)
        }
    };
    let pairs = edge.ask_conflicts(&Question::List { after }).await.map_err(silent)?;
    let full = pairs.len() >= crate::objects::conflicts::PAGE;
    let cursor = pairs.last().filter(|_| full).map(|(one, other, _)| format!("{one}.{other}"));
    let mut lines = Vec::new();
    for (one, other, since) in pairs {
        let found = (
            spend::show(edge, &one, 0).await.map_err(silent)?,
            spend::show(edge, &other, 0).await.map_err(silent)?,
        );
        // Who was merged or erased since is nobody's to merge.
        let (Some((one, first)), Some((other, second))) = found else { continue };
        if one != other {
            let members: Vec<Value> = [first, second]
                .iter()
                .map(|view| {
                    json!({"number": view.number, "identities": view.identities,
                        "balance": view.balance.total,
                        "since": view.since.map(|at| at.to_string())})
                })
                .collect();
            lines.push(json!({"members": members, "listed": since.to_string()}));
        }
    }
    Ok(Reply::json(200, &json!({"conflicts": lines, "cursor": cursor})))
}

/// Erases what loyalty keeps of a person; returns whether it kept anything. The books of a member go on
/// adding up, about nobody.
///
/// The identity that was given goes last, so that what is cut off can be done again.
///
/// # Errors
/// 503 when an object does not answer.
pub async fn erase(edge: &Edge<'_>, who: &Pseudonym) -> Result<bool, Problem> {
    let known = edge.entry(who, directory::Command::Look).await.map_err(silent)?;
    if let Some(member) = &known.member {
        let found = ask_member(edge, member, Command::Identities).await.map_err(silent)?;
        if let (id, Said::Identities(identities)) = found {
            for (_, other) in identities.iter().filter(|(_, other)| other != who) {
                edge.entry(other, directory::Command::Forget).await.map_err(silent)?;
            }
            edge.ask_conflicts(&Question::Remove(id.clone())).await.map_err(silent)?;
            ask_member(edge, &id, Command::Erase).await.map_err(silent)?;
        }
    }
    edge.entry(who, directory::Command::Forget).await.map_err(silent)?;
    Ok(known.member.is_some())
}
