//! What operators are to decide about members: whether two are one person, and whether an identity is a member's.

use promo_core::identity::Kind;
use promo_core::loyalty::conflict::{Conflict, State};
use promo_core::loyalty::member::View;
use promo_core::loyalty::merge::{Merged, merge};
use promo_core::loyalty::sign_up::give;
use promo_core::loyalty::{MemberId, spend};
use serde_json::{Value, json};

use super::{members, not_there};
use crate::http::{Call, Problem, Reply};
use crate::members::silent;
use crate::objects::conflicts::{Answer, Listed, PAGE, Question};
use crate::ports::Edge;

/// What is to be decided, the oldest first.
///
/// # Errors
/// 422 for a cursor of somebody else's, 503 when an object does not answer.
pub async fn list(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let cursor = call.query("cursor").map(|cursor| cursor.parse::<u64>());
    let after = cursor.transpose().map_err(|_| Problem::new(422, "this is no cursor of ours"))?;
    let listed = ask(edge, Question::List(after.unwrap_or(0))).await?;
    let last = listed.last().filter(|_| listed.len() >= PAGE);
    let cursor = last.map(|last| last.number.to_string());
    let mut lines = Vec::new();
    for one in &listed {
        lines.extend(line(edge, one).await?);
    }
    Ok(Reply::json(200, &json!({"conflicts": lines, "cursor": cursor})))
}

async fn ask(edge: &Edge<'_>, question: Question) -> Result<Vec<Listed>, Problem> {
    match edge.ask_conflicts(&question).await.map_err(silent)? {
        Answer::Listed(listed) => Ok(listed),
        _ => Ok(Vec::new()),
    }
}

/// A conflict as an operator reads it; none when there is nothing to decide any more.
async fn line(edge: &Edge<'_>, listed: &Listed) -> Result<Option<Value>, Problem> {
    let (kind, members, identifiers) = match &listed.conflict {
        Conflict::Members(one, other) => {
            let (one, other) = (seen(edge, one).await?, seen(edge, other).await?);
            // Who was merged or erased since is nobody's to merge.
            let (Some((one, first)), Some((other, second))) = (one, other) else { return Ok(None) };
            if one == other {
                return Ok(None);
            }
            ("members", vec![first, second], Vec::new())
        }
        Conflict::Identity(member, (kind, _)) => {
            let Some((_, view)) = seen(edge, member).await? else { return Ok(None) };
            ("identifier", vec![view], vec![*kind])
        }
    };
    let members: Vec<Value> = members.iter().map(member).collect();
    Ok(Some(json!({
        "id": listed.conflict.id(),
        "kind": kind,
        "members": members,
        "identifiers": identifiers,
        "listed": listed.since.to_string(),
    })))
}

async fn seen(edge: &Edge<'_>, member: &MemberId) -> Result<Option<(MemberId, View)>, Problem> {
    spend::show(edge, member, 0).await.map_err(silent)
}

fn member(view: &View) -> Value {
    let kinds: &[Kind] = &view.identities;
    json!({
        "number": view.number,
        "identities": kinds,
        "balance": view.balance.total,
        "since": view.since.map(|at| at.to_string()),
    })
}

/// Accepts or dismisses: of two members the first takes the other in, or the identifier is the member's.
///
/// Repeating is harmless, and after a 503 needed.
///
/// # Errors
/// 404 when nothing of this id was listed, or the member is erased; 409 when it was decided otherwise, or the
/// identifier is another member's now; 503 when an object does not answer.
pub async fn decide(
    edge: &Edge<'_>,
    call: &Call,
    id: &str,
    accepted: bool,
) -> Result<Reply, Problem> {
    let listed = ask(edge, Question::Find(id.to_owned())).await?;
    let Some(Listed { state, conflict, .. }) = listed.into_iter().next() else {
        return Err(not_there("conflict"));
    };
    let Some(decided) = state.decided(accepted) else {
        let before = if accepted { "dismissed" } else { "accepted" };
        return Err(Problem::new(409, &format!("this was {before} before")));
    };
    if decided == State::Dismissed {
        note(edge, id, decided).await?;
        call.trace.note("outcome", "dismissed");
        return Ok(Reply::json(200, &json!({"id": id, "state": decided})));
    }
    let member = match &conflict {
        Conflict::Members(into, from) => match merge(edge, from, into).await.map_err(silent)? {
            Merged::One(id) | Merged::Already(id) => id,
        },
        Conflict::Identity(member, identity) => {
            let owner = give(edge, member, identity).await.map_err(silent)?;
            let owner = owner.ok_or_else(|| not_there("member"))?;
            let ours = seen(edge, member).await?.is_some_and(|(id, _)| id == owner);
            if !ours {
                let detail = "this identifier is another member's now; the two are listed";
                return Err(Problem::new(409, detail));
            }
            owner
        }
    };
    note(edge, id, decided).await?;
    call.trace.note("outcome", "accepted");
    members::shown(edge, &member).await
}

async fn note(edge: &Edge<'_>, id: &str, state: State) -> Result<(), Problem> {
    let question = Question::Decide(id.to_owned(), state);
    edge.ask_conflicts(&question).await.map(drop).map_err(silent)
}
