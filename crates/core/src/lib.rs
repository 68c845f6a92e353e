//! The rules of promo-edge, pure: no I/O, no clock, no randomness, no Worker type.
//!
//! What comes in is bytes and instants, what goes out is decisions. Everything here builds and
//! tests natively in seconds, and runs unchanged inside the Worker.

pub mod campaign;
pub mod cart;
pub mod checkout;
pub mod code;
pub mod csv;
pub mod decimal;
pub mod engine;
pub mod erasure;
pub mod fault;
pub mod guard;
pub mod ident;
pub mod identity;
pub mod issuance;
pub mod json;
pub mod ledger;
pub mod location;
pub mod loyalty;
pub mod money;
pub mod redact;
pub mod registry;
pub mod replies;
pub mod revision;
pub mod schema;
pub mod secret;
pub mod time;
mod word;
