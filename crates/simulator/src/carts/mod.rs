//! Carts with lines, campaigns of every kind, several of them in one REDEEM, and quotas and budgets that
//! run out: nothing is lost or late here, and what every answer must be is computed beforehand by the
//! oracle of promo-core and a list of what stands.

mod bugs;
mod expect;
mod holder;
mod seeds;
mod shop;

#[path = "../../../core/tests/generate/mod.rs"]
#[allow(unused_imports, reason = "nothing is shrunk here")]
mod generate;
#[path = "../../../core/tests/oracle/mod.rs"]
mod oracle;
