//! What answers a request, one file for each family of routes. Which one does is in [`crate::router`].

pub mod admin;
pub mod documents;
pub mod gotab;
mod idempotent;
pub mod loyalty;
pub mod neutral;
mod till;
pub mod wallet;
