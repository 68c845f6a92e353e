//! What operators do with instrument types and their numbers.

pub mod withdraw;

use std::collections::HashMap;

use futures_util::future::join;
use promo_core::campaign::Codes;
use promo_core::checkout::coupon_uses;
use promo_core::fault::{Fault, Faults, Path, Sink};
use promo_core::ident::{CodeKey, TypeCode};
use promo_core::issuance::document::Availability;
use promo_core::issuance::number::{Format, fault_of, read_lines};
use promo_core::issuance::pool::{Add, Command, Part, Pool, Reply as Decided, State};
use promo_core::issuance::{InstrumentType, Kind, Number};
use promo_core::registry::DocumentKey;
use serde_json::{Value, json};
use worker::Env;

use super::documents::put_simple;
use super::{PAGE, codes, faulty, is_json, ledger, not_there};
use crate::http::{Call, Problem, Reply, now};
use crate::objects::pool::{Answer, Question};
use crate::ports::Edge;
use crate::settings::Defaults;

/// The type of this code, and its document.
async fn known(
    edge: &Edge<'_>,
    call: &Call,
    code: &str,
) -> Result<(TypeCode, InstrumentType), Problem> {
    let code = TypeCode::parse(code).map_err(|_| not_there("instrument type"))?;
    call.trace.note("type", code.as_str());
    let document = edge.catalogue.instrument_type(&code).await?;
    let document = document.ok_or_else(|| not_there("instrument type"))?;
    let document = document.map_err(|faults| faulty("stored instrument type", faults))?;
    Ok((code, document))
}

/// A page of the types that are stored.
///
/// # Errors
/// 503 when KV does not answer.
pub async fn list(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let (codes, cursor) = edge.catalogue.instrument_types(call.query("cursor"), PAGE).await?;
    let mut types = Vec::new();
    for code in codes {
        types.push(match edge.catalogue.instrument_type(&code).await? {
            Some(Ok(document)) => {
                json!({"type": code, "name": document.name, "kind": document.kind})
            }
            Some(Err(faults)) => json!({"type": code, "errors": faults}),
            None => continue,
        });
    }
    Ok(Reply::json(200, &json!({"instruments": types, "cursor": cursor})))
}

/// Stores a type. What numbers already depend on stays as it is.
///
/// # Errors
/// 409 for what cannot be changed any more, 422 for a document with faults or a code that is none; 400,
/// 413, 415, 503 as everywhere.
pub async fn put(edge: &Edge<'_>, call: &Call, env: &Env, code: &str) -> Result<Reply, Problem> {
    let code = &TypeCode::parse(code)
        .map_err(|error| Problem::new(422, &format!("the type's code {code:?}: {error}")))?;
    call.trace.note("type", code.as_str());
    let json = call.json_body().await?;
    is_json(&json)?;
    let document = InstrumentType::from_json(&json).map_err(|f| faulty("instrument type", f))?;
    if let Some(Ok(before)) = edge.catalogue.instrument_type(code).await? {
        let pool = pool(edge, code).await?;
        let sink = Sink::new();
        let fixed = |key, detail: &str| sink.add(&Path::Key(&Path::Root, key), detail);
        if pool.tail > 0 && before.kind != document.kind {
            fixed("kind", "cannot change once there are numbers");
        }
        if pool.tail > 0 && before.symbology != document.symbology {
            fixed("symbology", "cannot change once there are numbers");
        }
        let given_out = pool.head > 0 && before.kind == Kind::Coupon;
        if given_out && before.campaign != document.campaign {
            fixed(
                "campaign",
                "cannot change once coupons are given out: the used ones would be good again; \
                 make another type",
            );
        }
        sink.check(Some(())).map_err(|faults| {
            Problem::faults(409, "numbers of this type depend on what it was", faults)
        })?;
    }
    let key = DocumentKey::instrument_type(code);
    let changed = put_simple(edge, call, key, json).await?;
    open(edge, env, code, &document).await?;
    let warnings = warnings(edge, &document).await?;
    Ok(changed.reply(json!({"type": code, "warnings": warnings})))
}

/// Tells the pool when the type is given out, so that nobody who waits is served outside of it.
async fn open(
    edge: &Edge<'_>,
    env: &Env,
    code: &TypeCode,
    document: &InstrumentType,
) -> Result<(), Problem> {
    let window = document.window(&Defaults::read(env)?.zone);
    edge.decide(code, Command::Open(window)).await.map(drop).map_err(|_| silent())
}

/// How the numbers of the body are written.
fn format(call: &Call) -> Result<Format, Problem> {
    match call.media_type().as_str() {
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::Ndjson),
        _ => {
            let detail = "send numbers as Content-Type: text/csv or application/x-ndjson";
            Err(Problem::new(415, detail))
        }
    }
}

async fn warnings(edge: &Edge<'_>, document: &InstrumentType) -> Result<Vec<Fault>, Problem> {
    let id = &document.campaign;
    let detail = match edge.catalogue.campaign(id).await? {
        None => format!("there is no campaign {id} yet: until then the numbers grant nothing"),
        Some(Err(_)) => format!("campaign {id} has faults: until then the numbers grant nothing"),
        Some(Ok(campaign)) if *campaign.codes() != Codes::None => {
            format!("campaign {id} has codes of its own, by which it is had without a number too")
        }
        Some(Ok(_)) => return Ok(Vec::new()),
    };
    Ok(vec![Fault { pointer: "/campaign".to_owned(), detail }])
}

async fn pool(edge: &Edge<'_>, code: &TypeCode) -> Result<Pool, Problem> {
    match edge.ask_pool(code, &Question::Show).await.map_err(|_| silent())? {
        Answer::Pool(pool) => Ok(pool),
        _ => Err(another_answer()),
    }
}

fn silent() -> Problem {
    Problem::ours(503, "the pool did not answer").with_header("retry-after", "1")
}

fn another_answer() -> Problem {
    Problem::ours(500, "the pool answered another question")
}

/// A type with how many of its numbers are in each state.
///
/// # Errors
/// 404 when there is none of this code, 503 when its pool does not answer.
pub async fn show(edge: &Edge<'_>, call: &Call, env: &Env, code: &str) -> Result<Reply, Problem> {
    let (code, document) = &known(edge, call, code).await?;
    let (pool, redeemed) = join(pool(edge, code), redeemed(edge, code, document, None)).await;
    let (pool, redeemed) = (pool?, redeemed?);
    // One that was used and then blocked is blocked.
    let redeemed = redeemed.min(pool.active);
    let unused = pool.active.saturating_sub(redeemed);
    let (active, expired) = if is_over(env, document)? { (0, unused) } else { (unused, 0) };
    let mut shown = stored(edge, code).await?;
    shown.insert("type".to_owned(), json!(code));
    shown.insert(
        "counts".to_owned(),
        json!({
            "free": pool.free(), "reserved": pool.reserved, "active": active,
            "redeemed": redeemed, "blocked": pool.blocked, "expired": expired,
        }),
    );
    shown.insert("waiting".to_owned(), json!(pool.waiting));
    Ok(Reply::json(200, &shown))
}

/// The document as it was put.
async fn stored(
    edge: &Edge<'_>,
    code: &TypeCode,
) -> Result<serde_json::Map<String, Value>, Problem> {
    let found = edge.document(&DocumentKey::instrument_type(code)).await?;
    let (_, json) = found.unwrap_or_default();
    match serde_json::from_slice(&json) {
        Ok(Value::Object(document)) => Ok(document),
        _ => Err(not_there("instrument type")),
    }
}

fn is_over(env: &Env, document: &InstrumentType) -> Result<bool, Problem> {
    let zone = Defaults::read(env)?.zone;
    Ok(matches!(document.availability(now(), &zone), Availability::Over(_)))
}

/// How many coupons of a type are used, or whether this one is: what the campaign's ledger says.
async fn redeemed(
    edge: &Edge<'_>,
    code: &TypeCode,
    document: &InstrumentType,
    number: Option<&CodeKey>,
) -> Result<u64, Problem> {
    match document.kind {
        Kind::Card => Ok(0),
        Kind::Coupon => ledger::used(edge, &document.campaign, coupon_uses(code, number)).await,
    }
}

/// The numbers of the body join the pool: all of them or, with any fault, none.
///
/// # Errors
/// 404 when there is no type of this code, 409 for a part of an upload that is out of step, 422 for numbers
/// with faults or of somebody else's.
pub async fn add(edge: &Edge<'_>, call: &Call, env: &Env, code: &str) -> Result<Reply, Problem> {
    let (code, document) = &known(edge, call, code).await?;
    let format = format(call)?;
    let part = part(call)?;
    let body = call.body().await?;
    let done = |added: u64, lines: Option<u64>| match lines {
        Some(lines) => json!({"type": code, "added": added, "lines_done": lines}),
        None => json!({"type": code, "added": added}),
    };
    if let Some(part) = &part {
        let lines = lines_done(edge, code, &part.upload).await?;
        if body.is_empty() || lines >= part.line.saturating_add(part.lines) {
            return Ok(Reply::json(200, &done(0, Some(lines))));
        }
        if lines != part.line {
            return Err(out_of_step(lines));
        }
    }
    let numbers = read_lines(&body, format, document.symbology).map_err(refused)?;
    if numbers.is_empty() && part.is_none() {
        return Err(refused(Faults::one("", "there is no number in the body")));
    }
    let keys: Vec<Number> = numbers.iter().map(|(_, number)| number.clone()).collect();
    let question = Question::Known(keys.clone());
    let codes = codes::codes_among(&edge.catalogue, &numbers);
    let looks = join(edge.ask_pool(code, &question), edge.claim(code, &numbers, false));
    let ((known, others), codes) = join(looks, codes).await;
    let Answer::Known(known) = known.map_err(|_| silent())? else { return Err(another_answer()) };
    taken(code, &numbers, &known, &others.map_err(|_| silent())?, codes?)?;
    // What was free a moment ago may be another type's by now.
    let others = edge.claim(code, &numbers, true).await.map_err(|_| silent())?;
    taken(code, &numbers, &[], &others, Vec::new())?;
    open(edge, env, code, document).await?;
    let has_part = part.is_some();
    let add = Command::Add(Add { numbers: keys, part });
    match edge.decide(code, add).await.map_err(|_| silent())? {
        Decided::Added { added, lines } => {
            // Somebody may have withdrawn the same numbers between the two.
            edge.claim(code, &numbers, true).await.map_err(|_| silent())?;
            call.trace.note("added", added);
            Ok(Reply::json(200, &done(added, has_part.then_some(lines))))
        }
        Decided::OutOfStep { lines } => Err(out_of_step(lines)),
        Decided::Known(known) => Err(taken(code, &numbers, &known, &[], Vec::new())
            .err()
            .unwrap_or_else(|| Problem::ours(500, "numbers are known that were not sent"))),
        _ => Err(another_answer()),
    }
}

/// `?upload=…&line=…&lines=…`: this is a part of a long file.
fn part(call: &Call) -> Result<Option<Part>, Problem> {
    let Some(upload) = call.query("upload") else { return Ok(None) };
    let number = |name: &str| call.query(name).unwrap_or_default().parse::<u64>().ok();
    match (upload.len(), number("line"), number("lines")) {
        (1..=128, Some(line), Some(lines)) => Ok(Some(Part { upload, line, lines })),
        _ => {
            let detail = "upload is a name of the file (at most 128 bytes), line the number of lines \
                          before this part, lines that of its own";
            Err(Problem::new(422, detail))
        }
    }
}

async fn lines_done(edge: &Edge<'_>, code: &TypeCode, upload: &str) -> Result<u64, Problem> {
    let question = Question::LinesDone(upload.to_owned());
    match edge.ask_pool(code, &question).await.map_err(|_| silent())? {
        Answer::Lines(lines) => Ok(lines),
        _ => Err(another_answer()),
    }
}

fn out_of_step(lines: u64) -> Problem {
    let detail = format!("of this upload {lines} lines are done: go on there");
    Problem::new(409, &detail).with("lines_done", lines)
}

/// A fault for each line whose number is somebody's already.
fn taken(
    code: &TypeCode,
    numbers: &[(u64, Number)],
    known: &[usize],
    others: &[(CodeKey, TypeCode)],
    codes: Vec<(u64, String)>,
) -> Result<(), Problem> {
    if known.is_empty() && others.is_empty() && codes.is_empty() {
        return Ok(());
    }
    let lines: HashMap<&CodeKey, u64> =
        numbers.iter().map(|(line, number)| (number.key(), *line)).collect();
    let here = known.iter().filter_map(|index| {
        let (line, number) = numbers.get(*index)?;
        Some((*line, format!("{:?} is a number of type {code} already", number.as_str())))
    });
    let elsewhere = others.iter().filter_map(|(number, other)| {
        Some((*lines.get(number)?, format!("\"{number}\" is a number of type {other}")))
    });
    let mut faults: Vec<(u64, String)> = here.chain(elsewhere).chain(codes).collect();
    faults.sort();
    let sink = Sink::new();
    sink.extend(faults.iter().map(|(line, why)| fault_of(*line, why)));
    sink.check(Some(())).map_err(refused)
}

fn refused(faults: Faults) -> Problem {
    faulty("list of numbers", faults)
}

/// One number, its state and whose it is.
///
/// # Errors
/// 404 when there is no such type or number, 503 when its pool does not answer.
pub async fn show_number(
    edge: &Edge<'_>,
    call: &Call,
    env: &Env,
    code: &str,
    number: &str,
) -> Result<Reply, Problem> {
    let (code, document) = &known(edge, call, code).await?;
    let key = key(number)?;
    let question = Question::Find(key.clone());
    let (found, uses) =
        join(edge.ask_pool(code, &question), redeemed(edge, code, document, Some(&key))).await;
    let Answer::Found(found) = found.map_err(|_| silent())? else { return Err(another_answer()) };
    let found = found.ok_or_else(|| not_there("number"))?;
    let state = match found.state() {
        State::Active if uses? > 0 => json!("redeemed"),
        State::Active if is_over(env, document)? => json!("expired"),
        state => json!(state),
    };
    let customer = found.given.as_ref().map(|given| given.holder.member.as_str());
    Ok(Reply::json(
        200,
        &json!({
            "type": code, "number": found.number.as_str(), "state": state, "customer": customer,
        }),
    ))
}

fn key(number: &str) -> Result<CodeKey, Problem> {
    CodeKey::of_scanned(number).map_err(|_| not_there("number"))
}

/// Blocks a number that was given out, or lets it count again.
///
/// # Errors
/// 404 when there is no such type, 409 for a number that was not given out.
pub async fn block(
    edge: &Edge<'_>,
    call: &Call,
    code: &str,
    number: &str,
    blocked: bool,
) -> Result<Reply, Problem> {
    let (code, _) = &known(edge, call, code).await?;
    let command = Command::Block { number: key(number)?, blocked };
    match edge.decide(code, command).await.map_err(|_| silent())? {
        Decided::Blocked(state) => {
            Ok(Reply::json(200, &json!({"type": code, "number": number, "state": state})))
        }
        _ => Err(Problem::new(409, "only a number that was given out can be blocked")),
    }
}
