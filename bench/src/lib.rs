//! What a checkout costs, counted in Wasm instructions, and the rules run as Wasm outside of a Worker.
//!
//! Time depends on the machine and on its neighbours; a count of instructions does not, so a test can hold
//! it to a limit. The rules (`crates/core`) are built as the Worker is, by the same compiler with the same
//! options, into a module of their own ([`engine-wasm`](../engine-wasm/src/lib.rs)); [`count`] adds
//! counters to it, [`engine`] runs it, [`cost`] counts the [`cases`].
//!
//! The limits come from the nearest thing to a standard: Shopify allows a discount Function 11 million
//! instructions at a cart of 200 lines, parsing and writing included. A tenth of that is ours.

pub mod cases;
pub mod cost;
pub mod count;
pub mod engine;
