//! JSON Schemas of the documents that people write, for editors and other programs.
//!
//! A schema is the checker's twin for those who cannot call it. `tests/schema.rs` holds the two
//! together: what the one accepts and the other refuses is a bug, but for a list of rules that JSON
//! Schema cannot say.

/// JSON Schema 2020-12 of the campaign document.
pub const CAMPAIGN: &str = include_str!("../schema/campaign.json");

/// JSON Schema 2020-12 of the loyalty programme's document, which refers to the campaign's.
pub const PROGRAMME: &str = include_str!("../schema/programme.json");
