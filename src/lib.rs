//! The Worker: what comes in goes to a route.
//!
//! Built with `panic = "abort"`: a panic traps, and the shim (`xtask/node/shim.mjs`) then resets the whole
//! instance. Every other request in flight fails and the objects lose their memory. So no panic may be
//! reachable from input, and the workspace lints see to that.

#![expect(
    missing_docs,
    reason = "the macro for Durable Objects exports methods without any"
)]

use serde_json::json;
use worker::{
    Context, Env, Method, Request, Response, Result, SqlStorageValue, State, durable_object, event,
    wasm_bindgen,
};

/// Name of the binding to the [`Ledger`] class in `wrangler.toml`.
const LEDGER: &str = "LEDGER";

#[event(fetch)]
async fn fetch(req: Request, env: Env, _ctx: Context) -> Result<Response> {
    match (req.method(), req.path().as_str()) {
        (Method::Get, "/healthz") => Response::from_json(&json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
        })),
        (_, "/ledger") => {
            let stub = env.durable_object(LEDGER)?.get_by_name("first")?;
            stub.fetch_with_request(req).await
        }
        _ => Response::error("not found", 404),
    }
}

/// Counts in SQLite, to prove that storage works.
#[durable_object(fetch)]
pub struct Ledger {
    state: State,
}

impl worker::DurableObject for Ledger {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, req: Request) -> Result<Response> {
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS n (x INTEGER NOT NULL)", None)?;
        if req.method() == Method::Post {
            sql.exec("INSERT INTO n (x) VALUES (1)", None)?;
        }
        let mut rows = sql.exec("SELECT count(*) FROM n", None)?.raw();
        let count = match rows.next().transpose()?.as_deref() {
            Some([SqlStorageValue::Integer(count)]) => Some(*count),
            _ => None,
        };
        Response::from_json(&json!({ "count": count }))
    }
}
