//! Cards and coupons through a wallet app: what an operator sets up, and who gets which number.
//!
//! - [`document`]: an *instrument type*, the document an operator writes;
//! - [`number`]: the numbers of a type, as they are uploaded, and [`gs1`]: their check digits, and
//!   numbers of our own making;
//! - [`notification`]: what the wallet app tells us;
//! - [`pool`]: the machine that gives each request the first free number, once;
//! - [`call`]: what the wallet's answer to a call back means, and when to call again.
//!
//! An instrument is one number: `free → reserved → active → (redeemed | blocked | expired)`, and
//! `reserved → free` when the app refuses for good. What is kept is free, reserved, active and blocked
//! ([`pool`]); *redeemed* is what the campaign's ledger says of a coupon's use, and *expired* what the
//! type's window says, so neither can ever disagree with what a till is told.

pub mod call;
pub mod document;
pub mod gs1;
pub mod notification;
pub mod number;
pub mod pool;

pub use document::{InstrumentType, Kind, Symbology};
pub use number::Number;
