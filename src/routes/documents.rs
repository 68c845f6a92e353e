//! What anyone may read: whether the service is there, and the documents that describe it.

use promo_core::schema;
use serde_json::json;

use crate::http::{Reply, clock};

/// The description of every route; tests hold it against the table of routes and against what is answered.
pub const OPENAPI: &str = include_str!("openapi.json");

/// `GET /healthz`: that it runs, and which version.
pub fn health() -> Reply {
    let mut health = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")});
    if let (seconds, Some(health)) = (clock::offset(), health.as_object_mut())
        && seconds != 0
    {
        health.insert("clock_offset".to_owned(), seconds.into());
    }
    Reply::json(200, &health)
}

/// `GET /openapi.json`.
pub fn openapi() -> Reply {
    Reply::raw(200, "application/json", OPENAPI.into())
}

/// `GET /schema/campaign.json`.
pub fn campaign_schema() -> Reply {
    Reply::raw(200, "application/schema+json", schema::CAMPAIGN.into())
}

/// `GET /schema/programme.json`.
pub fn programme_schema() -> Reply {
    Reply::raw(200, "application/schema+json", schema::PROGRAMME.into())
}
