//! Which request goes to which route, and what the routes of tills share.

mod admin;
mod gotab;
mod idempotent;
mod loyalty;
mod neutral;
mod till;
mod wallet;

use promo_core::schema;
use serde_json::json;
use worker::{Context, Env, Method, Request, Response};

use crate::http::{Call, Problem, Reply, clock};
use crate::ports::clean_up_all;

/// The description of every route; a test holds it against what is answered.
const OPENAPI: &str = include_str!("openapi.json");

/// Answers a request. Whatever goes wrong becomes a reply, and the next request is served.
pub async fn handle(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let call = Call::new(request);
    let result = dispatch(&call, &env).await;
    let left = call.later.take();
    if !left.is_empty() {
        context.wait_until(clean_up_all(env, call.attempt.clone(), left));
    }
    call.finish(result)
}

async fn dispatch(call: &Call, env: &Env) -> Result<Reply, Problem> {
    clock::check(env, call)?;
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let allowed: &[Method] = match segments.as_slice() {
        ["healthz"] | ["openapi.json"] | ["schema", "campaign.json" | "programme.json"] => {
            &[Method::Get]
        }
        ["gotab", "promo" | "loyalty"]
        | ["v1", "inquire" | "redeem" | "reverse"]
        | ["wallet", "notify"] => &[Method::Post],
        ["admin", rest @ ..] => admin::allowed(rest),
        _ => &[],
    };
    if allowed.is_empty() {
        return Err(Problem::new(404, "there is nothing at this address"));
    }
    if !allowed.contains(&call.method) {
        let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let detail = format!("this address takes {}", names.join(", "));
        return Err(Problem::new(405, &detail).with_header("allow", &names.join(", ")));
    }
    match segments.as_slice() {
        ["healthz"] => {
            let mut health = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")});
            if let (seconds, Some(health)) = (clock::offset(), health.as_object_mut())
                && seconds != 0
            {
                health.insert("clock_offset".to_owned(), seconds.into());
            }
            Ok(Reply::json(200, &health))
        }
        ["openapi.json"] => Ok(Reply::raw(200, "application/json", OPENAPI.into())),
        ["schema", "programme.json"] => {
            Ok(Reply::raw(200, "application/schema+json", schema::PROGRAMME.into()))
        }
        ["schema", _] => Ok(Reply::raw(200, "application/schema+json", schema::CAMPAIGN.into())),
        ["gotab", "promo"] => gotab::promo(call, env).await,
        ["wallet", _] => wallet::notify(call, env).await,
        ["gotab", "loyalty"] => loyalty::answer(call, env).await,
        ["v1", question] => neutral::answer(question, call, env).await,
        ["admin", rest @ ..] => admin::answer(rest, call, env).await,
        _ => Err(Problem::new(404, "there is nothing at this address")),
    }
}
