//! The harness of the black-box tests: the service as it is deployed, on the real runtime, over HTTP.
//!
//! ```no_run
//! # use promo_tests::Service;
//! # use serde_json::json;
//! let mut service = Service::start();
//! let reply = service.put("/admin/campaigns/summer").admin().json(&json!({ "id": "summer" }));
//! assert_eq!(reply.status, 200, "{reply}");
//! service.kill(); // as the power would
//! service.restart(); // same state, same port
//! ```
//!
//! Each service has a port and a state directory of its own, so tests run side by side. A service dies
//! with its test, or with the test process however that ends.
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a harness fails the test it serves; there is nobody to return an error to"
)]

pub mod campaign;
pub mod erasure;
pub mod gotab;
mod http;
pub mod programme;
pub mod promo;
mod service;
pub mod sqlite;
pub mod wallet;

pub use http::{Exchange, Reply};
pub use service::{Line, Options, Service, secrets};

/// Whether the tests that take minutes are to run (`cargo xtask test --long`).
pub fn long() -> bool {
    std::env::var_os("PROMO_LONG").is_some_and(|value| value == "1")
}

/// The value, or the test fails and says what could not be done.
#[track_caller]
fn must<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
