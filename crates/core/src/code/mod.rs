//! Codes: the one canonical form of all of them ([`CanonicalCode`]), and those that prove themselves
//! ([`signed`]).

pub mod base32;
mod canonical;
pub mod keys;
pub mod list;
pub mod signed;

pub use canonical::{CanonicalCode, CodeError, MAX_LENGTH, MIN_LENGTH};
