//! The Worker, and only glue: what comes in goes to a route ([`routes`]), documents come from KV
//! ([`catalogue`]), state lives in Durable Objects ([`objects`]). No business rule is here; those are
//! in `promo-core`, and the wires of points of sale in `promo-pos`.
//!
//! Built with `panic = "abort"`: a panic traps, and the shim (`xtask/node/shim.mjs`) then resets the
//! whole instance. Every other request in flight fails and the objects lose their memory. So no panic
//! may be reachable from input, and the workspace lints see to that.

mod catalogue;
mod customers;
mod deadline;
mod erasing;
mod http;
mod members;
mod objects;
mod ports;
mod rooms;
mod router;
mod routes;
mod settings;
mod wallet;

pub use objects::{Conflicts, Identifier, Ledger, Member, Numbers, Object, Pool, Replies};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    http::clock::set(&env);
    settings::look_at_secrets(&env);
    router::handle(request, env, context).await
}
