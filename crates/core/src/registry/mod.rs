//! The registry: the truth for the documents that operators write.
//!
//! A change of a document is one turn: its new revision, the history, the codes it holds, an audit entry
//! and what is to be published are written together or not at all ([`put`], [`delete`]). KV is what tills
//! read, and only a projection: it is brought up to date afterwards ([`due`], [`published`]).
//!
//! # One holder of a code
//! Each KV key that holds a copy of a campaign is one [`Entry`], and has one owner: a code's uniqueness and
//! the list of what is in KV are the same index. A key whose owner drops it keeps its entry until KV has
//! forgotten it; another campaign may take the entry over at once, and then the copy of the new owner is
//! written where that of the old one would have been removed. So two campaigns that want one code at the
//! same instant are decided by which turn comes first, and no code outlives its campaign.
//!
//! Single codes (`listed`) that were added through the service are in the index too. Codes that somebody
//! writes into KV without the registry cannot be. What an edge found of those at a change comes with the
//! command ([`InKv`]), and is checked, as far as KV had told that edge by then.
//!
//! # Publishing
//! Of each document that KV or a ledger does not know as it is, the outbox has one [`Pending`] row. Whoever
//! publishes asks what is [`due`], announces the revision to the campaign's ledger, writes and removes KV
//! entries, and reports what was done ([`published`]); all of that may be repeated, may fail half-way, and
//! may be overtaken by a newer revision, which then is what is due. INVARIANT: there is one publisher at a
//! time, so that an older copy is not written after a newer one. Should it happen all the same (a write that
//! was given up, yet arrived), the copy says its revision: whoever meets it reports it ([`recall`]), and
//! it is written or removed again.
//!
//! The functions are pure: they read through [`Store`] and return what is to be written.

mod changes;
mod collisions;
pub mod copy;
mod document;
mod if_match;
pub mod keys;
mod listed;
mod publish;
mod read;
mod rows;
mod store;
#[cfg(test)]
mod tests;

pub use changes::{Delete, Put, Written, delete, put};
pub use collisions::{Held, InKv, LookAt, to_look_at};
pub use document::{DocumentKey, Kind};
pub use if_match::IfMatch;
pub use listed::{AddCodes, Added, add_codes};
pub use publish::{Publication, Published, due, published};
pub use read::{
    Found, History, List, Listing, Met, Recall, Recalled, Standing, get, history, list, not_owned,
    recall, standing, unknown,
};
pub use rows::{Audit, Changes, Entry, Head, Pending, Version};
pub use store::Store;
