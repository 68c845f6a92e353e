//! The keys of KV. See the catalogue of the Worker for what stands under each.

use crate::code::CanonicalCode;
use crate::ident::{CampaignId, LocationId, TypeCode};

/// The key of the loyalty programme's document.
pub const PROGRAMME_KEY: &str = "programme";

/// The key of a campaign's document.
#[must_use]
pub fn campaign_key(id: &CampaignId) -> String {
    format!("campaign:{id}")
}

/// The key of a location's document.
#[must_use]
pub fn location_key(id: &LocationId) -> String {
    format!("location:{id}")
}

/// The key of an instrument type's document.
#[must_use]
pub fn instrument_key(code: &TypeCode) -> String {
    format!("instrument:{code}")
}

/// The key of a code's entry.
#[must_use]
pub fn code_key(code: &CanonicalCode) -> String {
    format!("code:{code}")
}

/// The code of such a key.
#[must_use]
pub fn code_of(key: &str) -> Option<CanonicalCode> {
    CanonicalCode::parse(key.strip_prefix("code:")?).ok()
}

/// The key of the campaign whose signed codes begin so, as [`Prefix::folded`] has it.
///
/// [`Prefix::folded`]: crate::code::signed::Prefix::folded
#[must_use]
pub fn prefix_key(folded: &str) -> String {
    format!("code-prefix:{folded}")
}
