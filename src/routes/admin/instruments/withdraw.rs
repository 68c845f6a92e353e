//! Numbers that nobody has are taken back: uploaded to the wrong type, or too many of them.

use promo_core::fault::{Faults, Sink};
use promo_core::ident::{CodeKey, TypeCode};
use promo_core::issuance::number::{fault_of, read_lines};
use promo_core::issuance::pool::{Command, Reply as Decided, State};
use serde_json::json;

use super::{another_answer, format, key, known, refused, silent};
use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::routes::admin::not_there;

/// Withdraws the numbers of the body: all of them or, when any is given out, none. Numbers that are not
/// there are no fault, so that the same list can be sent again.
///
/// # Errors
/// 409 with the lines whose numbers are given out, 422 for lines that are no numbers, 415 for another
/// media type.
pub async fn list(edge: &Edge<'_>, call: &Call, code: &str) -> Result<Reply, Problem> {
    let (code, document) = &known(edge, call, code).await?;
    let format = format(call)?;
    let body = call.body().await?;
    let numbers = read_lines(&body, format, document.symbology).map_err(refused)?;
    if numbers.is_empty() {
        return Err(refused(Faults::one("", "there is no number in the body")));
    }
    let keys: Vec<CodeKey> = numbers.iter().map(|(_, number)| number.key().clone()).collect();
    let (withdrawn, absent) = withdraw(edge, code, &keys).await?.map_err(|given_out| {
        let sink = Sink::new();
        sink.extend(given_out.iter().filter_map(|(index, state)| {
            let (line, number) = numbers.get(*index)?;
            Some(fault_of(*line, &format!("{:?} is {}", number.as_str(), word(*state))))
        }));
        let detail = "some of these numbers are given out; none was withdrawn";
        match sink.check::<()>(None) {
            Err(faults) => Problem::faults(409, detail, faults),
            Ok(()) => Problem::new(409, detail),
        }
    })?;
    call.trace.note("withdrawn", withdrawn);
    Ok(Reply::json(200, &json!({"type": code, "withdrawn": withdrawn, "not_there": absent})))
}

/// Withdraws one number.
///
/// # Errors
/// 409 when it is given out, 404 when it is no number of the type.
pub async fn one(edge: &Edge<'_>, call: &Call, code: &str, number: &str) -> Result<Reply, Problem> {
    let (code, _) = &known(edge, call, code).await?;
    match withdraw(edge, code, &[key(number)?]).await? {
        Ok((0, _)) => Err(not_there("number")),
        Ok((withdrawn, _)) => {
            Ok(Reply::json(200, &json!({"type": code, "number": number, "withdrawn": withdrawn})))
        }
        Err(given_out) => {
            let state = given_out.first().map_or(State::Reserved, |(_, state)| *state);
            let detail = format!("this number is {}: block it instead", word(state));
            Err(Problem::new(409, &detail))
        }
    }
}

/// A number by its index, with the state that it is in.
type GivenOut = Vec<(usize, State)>;

/// How many were withdrawn and how many were not there; or which are given out.
async fn withdraw(
    edge: &Edge<'_>,
    code: &TypeCode,
    keys: &[CodeKey],
) -> Result<Result<(usize, usize), GivenOut>, Problem> {
    let command = Command::Withdraw(keys.to_vec());
    let absent = match edge.decide(code, command).await.map_err(|_| silent())? {
        Decided::Withdrawn(absent) => absent.len(),
        Decided::GivenOut(given_out) => return Ok(Err(given_out)),
        _ => return Err(another_answer()),
    };
    // Only now may another type have them. What was cut off here is done by withdrawing once more: then
    // the pool does not know them, and their entries are this type's still.
    let released = edge.release(code, keys).await.map_err(|_| silent())?;
    let released = usize::try_from(released).unwrap_or(usize::MAX);
    let withdrawn = keys.len().saturating_sub(absent).max(released);
    Ok(Ok((withdrawn, keys.len().saturating_sub(withdrawn))))
}

const fn word(state: State) -> &'static str {
    match state {
        State::Free => "free",
        State::Reserved => "reserved for a card",
        State::Active => "given out",
        State::Blocked => "given out and blocked",
    }
}
