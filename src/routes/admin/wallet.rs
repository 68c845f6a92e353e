//! What operators do about the wallet: try the connection, see which requests are stuck and why, have
//! them tried again or put away.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use promo_core::ident::TypeCode;
use promo_core::issuance::call::Heard;
use promo_core::issuance::pool::{
    Command, Progress, Reply as Decided, Request as Asked, RequestNo,
};
use serde_json::{Value, json};
use worker::Env;

use super::not_there;
use crate::http::{Call, Problem, Reply, now};
use crate::objects::pool::{Answer, Question};
use crate::ports::Edge;
use crate::routes::wallet::request_id;
use crate::settings::{self, Defaults};
use crate::wallet::{Health, Wallet};

/// Requests on one page of a list.
const PAGE: u32 = 100;
/// Pools that are asked at once.
const AT_ONCE: usize = 32;
/// Instrument types of a deployment that are looked at.
const TYPES: u64 = 1000;

/// Tries the connection both ways: whether the wallet answers us, and whether we would let it in. The
/// secret that the wallet's people say they use may be sent along as `{"secret": "…"}`.
///
/// # Errors
/// 400 for another body, 503 without `WALLET_URL`.
pub async fn check(call: &Call, env: &Env) -> Result<Reply, Problem> {
    let wallet = Wallet::of(env);
    if !wallet.has_address() {
        let detail = "the setting WALLET_URL is not set: there is no wallet to call";
        return Err(Problem::new(503, detail));
    }
    let body = call.body().await?;
    let secret = match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(body)) => body.get("secret").and_then(Value::as_str).map(str::to_owned),
        _ if body.trim_ascii().is_empty() => None,
        _ => return Err(Problem::new(400, "the body, if any, is {\"secret\": \"…\"}")),
    };
    let wrong = match wrong_with_calling(&wallet).await {
        None => wrong_with_being_called(env, secret.as_deref()),
        wrong => wrong,
    };
    let reply = match wrong {
        None => json!({"status": "SUCCESS", "code": 0}),
        Some((code, cause, detail)) => {
            json!({"status": "ERROR", "code": code, "cause": cause, "detail": detail})
        }
    };
    call.trace.note("outcome", reply.clone());
    Ok(Reply::json(200, &reply))
}

type Wrong = (u32, &'static str, String);

async fn wrong_with_calling(wallet: &Wallet) -> Option<Wrong> {
    let address = |what: String| (1, "address", format!("{what}: is WALLET_URL right?"));
    let wrong = match wallet.health().await {
        Health::Well => return None,
        Health::Status(status @ (401 | 403)) if wallet.has_token() => {
            (2, "token", format!("the wallet refuses our token ({status}): is WALLET_TOKEN right?"))
        }
        Health::Status(status @ (401 | 403)) => (
            2,
            "token",
            format!("the wallet wants a token ({status}), and WALLET_TOKEN is not set"),
        ),
        Health::Status(status @ 500..) => {
            (6, "wallet", format!("the wallet is there, and is not well ({status})"))
        }
        Health::Status(status) => address(format!("something answers GET /health with {status}")),
        Health::NotTheProtocol => {
            let detail = "something answers, but not with JSON: it is no wallet of this protocol";
            (5, "protocol", detail.to_owned())
        }
        Health::Silent(Heard::TimedOut) => {
            (3, "time-out", "the wallet did not answer GET /health in time".to_owned())
        }
        Health::Silent(Heard::Unreachable(why)) => match wallet.listens().await {
            (false, _) => address(format!("nothing answers there ({why})")),
            (true, true) => (4, "certificate", format!("no safe connection to the wallet: {why}")),
            (true, false) => {
                let detail = format!("something listens there that does not speak HTTP ({why})");
                (5, "protocol", detail)
            }
        },
        Health::Silent(heard) => address(heard.to_string()),
    };
    Some(wrong)
}

fn wrong_with_being_called(env: &Env, secret: Option<&str>) -> Option<Wrong> {
    let Some(valid) = settings::text(env, "WALLET_AUTH") else {
        let detail = "the secret WALLET_AUTH is not set, so the wallet cannot call us";
        return Some((7, "secret", detail.to_owned()));
    };
    let given = secret.or_else(|| valid.split(',').next()).unwrap_or_default();
    let let_in = settings::is_one_of(given, &valid);
    let detail = "we would not let the wallet in with this secret: it is not in WALLET_AUTH";
    (!let_in).then(|| (7, "secret", detail.to_owned()))
}

/// A page of the requests of all types that are stuck, type by type.
///
/// # Errors
/// 422 for a cursor of somebody else's, 503 when a pool does not answer.
pub async fn errors(edge: &Edge<'_>, call: &Call, env: &Env) -> Result<Reply, Problem> {
    let after = match call.query("cursor") {
        None => None,
        Some(cursor) => match read_id(&cursor) {
            Some(after) => Some(after),
            None => return Err(Problem::new(422, "this is no cursor of ours")),
        },
    };
    let (codes, _) = edge.catalogue.instrument_types(None, TYPES).await?;
    let codes: Vec<TypeCode> = codes
        .into_iter()
        .filter(|code| after.as_ref().is_none_or(|(first, _)| code >= first))
        .collect();
    let mut stuck: Vec<(TypeCode, RequestNo, Asked)> = Vec::new();
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    for codes in codes.chunks(AT_ONCE) {
        let asked = codes.iter().map(async |code| {
            let after = after.as_ref().filter(|(first, _)| first == code).map(|(_, no)| *no);
            // One more than a page shows that there is another.
            let question = Question::Stuck { after, limit: PAGE.saturating_add(1) };
            (code, edge.ask_pool(code, &question).await)
        });
        for (code, answer) in join_all(asked).await {
            let Ok(Answer::Requests(found)) = answer else {
                return Err(Problem::ours(503, "a pool did not answer"));
            };
            stuck.extend(found.into_iter().map(|(no, asked)| (code.clone(), no, asked)));
        }
        if stuck.len() > most {
            break;
        }
    }
    let more = stuck.len() > most;
    stuck.truncate(most);
    let last = stuck.last().filter(|_| more).map(|(code, no, _)| request_id(code, *no));
    let mut over: BTreeMap<&TypeCode, bool> = BTreeMap::new();
    for (code, ..) in stuck.iter().filter(|(.., asked)| asked.turn().is_some()) {
        if !over.contains_key(code) {
            over.insert(code, is_over(edge, env, code).await?);
        }
    }
    let line = |(code, no, asked): &(TypeCode, RequestNo, Asked)| {
        line(code, *no, asked, over.get(code).copied().unwrap_or_default())
    };
    let errors: Vec<Value> = stuck.iter().map(line).collect();
    Ok(Reply::json(200, &json!({"errors": errors, "cursor": last})))
}

/// Whether a type is not given out now, so that those who wait for it are not served.
async fn is_over(edge: &Edge<'_>, env: &Env, code: &TypeCode) -> Result<bool, Problem> {
    let Some(Ok(document)) = edge.catalogue.instrument_type(code).await? else { return Ok(false) };
    Ok(!document.window(&Defaults::read(env)?.zone).holds(now()))
}

/// One stuck request as an operator reads it; `over`: its type is not given out now.
fn line(code: &TypeCode, no: RequestNo, asked: &Asked, over: bool) -> Value {
    let (state, attempts, next) = match asked.progress {
        Progress::Waiting { .. } => ("waiting", None, None),
        Progress::Calling { failures, next, .. } => ("retrying", Some(failures), Some(next)),
        _ => ("failed", None, None),
    };
    let heard = asked.trouble.as_ref().and_then(|trouble| trouble.heard.as_ref());
    let doubtful = asked.trouble.as_ref().is_some_and(|trouble| trouble.doubtful);
    let (cause, detail) = match heard {
        Some(heard) if doubtful => (
            "address",
            format!(
                "{heard}, as it did for at least three cards in a row: is the path in WALLET_URL \
                 right? Try again when it is; dismiss this if the app really has no such card"
            ),
        ),
        Some(heard) => (heard.cause(), heard.to_string()),
        None if over => {
            ("type_over", format!("type {code} is not given out now, and no number is"))
        }
        None => (
            "no_free_number",
            format!("no number of type {code} is free: upload some, and it is served in turn"),
        ),
    };
    json!({
        "id": request_id(code, no), "type": code, "card_id": asked.ask.card, "state": state,
        "cause": cause, "detail": detail, "asked_at": asked.asked.to_string(),
        "at": asked.trouble.as_ref().map(|trouble| trouble.at.to_string()),
        "attempts": attempts, "next_attempt_at": next.map(|next| next.to_string()),
    })
}

fn read_id(id: &str) -> Option<(TypeCode, RequestNo)> {
    let (code, no) = id.split_once('-')?;
    Some((TypeCode::parse(code).ok()?, no.parse().ok()?))
}

/// Has a stuck request tried again, or puts it away.
///
/// # Errors
/// 404 when its type is not there, 409 for a request that is not stuck.
pub async fn settle(edge: &Edge<'_>, id: &str, retry: bool) -> Result<Reply, Problem> {
    let (code, no) = read_id(id).ok_or_else(|| not_there("request"))?;
    if edge.catalogue.instrument_type(&code).await?.is_none() {
        return Err(not_there("request"));
    }
    let command = if retry { Command::Retry(no) } else { Command::Dismiss(no) };
    let decided = edge.decide(&code, command).await.map_err(|_| {
        Problem::ours(503, "the pool did not answer").with_header("retry-after", "1")
    })?;
    match decided {
        Decided::Request { state, .. } => Ok(Reply::json(200, &json!({"id": id, "state": state}))),
        _ => Err(Problem::new(409, "there is no such request, or it is not stuck")),
    }
}
