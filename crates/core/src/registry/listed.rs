//! Single codes: each is an entry of KV that only names its campaign.
//!
//! A campaign may have a million of them, so KV holds them alone, and the registry only who holds each: one
//! short row. Of those that are added through the service a code has one holder at every moment; those that
//! somebody writes into KV in bulk are found when a code meets them.

use serde::{Deserialize, Serialize};

use super::changes::Faulty;
use super::collisions::{Holders, InKv, has_listed_codes};
use super::document::DocumentKey;
use super::keys::code_key;
use super::rows::{Audit, Changes};
use super::store::Store;
use crate::code::CanonicalCode;
use crate::code::list::signed_prefix;
use crate::fault::Sink;
use crate::ident::CampaignId;
use crate::issuance::number::fault_of;
use crate::time::Instant;

/// Add single codes to a campaign: all of them, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddCodes {
    /// To which.
    pub campaign: CampaignId,
    /// The codes, with the lines they stand on, counted from 1.
    pub codes: Vec<(u64, CanonicalCode)>,
    /// Who adds them.
    pub who: String,
    /// Only say what would be.
    pub dry_run: bool,
    /// What the edge found in KV.
    pub in_kv: InKv,
}

/// What came of [`AddCodes`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Added {
    /// These are the campaign's now, and are to be written to KV; the others were there.
    Done(Vec<CanonicalCode>),
    /// The campaign has no single codes, or is not there.
    NotListed,
    /// These lines stand against it, and nothing was added.
    Collides(Faulty),
}

/// Adds single codes.
///
/// # Errors
/// Only those of reading the store.
pub fn add_codes<S: Store>(
    store: &S,
    add: &AddCodes,
    now: Instant,
) -> Result<(Added, Changes), S::Error> {
    let refused = |why| Ok((why, Changes::default()));
    let me = DocumentKey::campaign(&add.campaign);
    let head = store.head(&me)?;
    if let Some(head) = &head
        && !(head.exists() && has_listed_codes(store, &add.campaign, head)?)
    {
        return refused(Added::NotListed);
    }
    let holders = Holders { store, me: &me, in_kv: &add.in_kv };
    let (sink, mut changes, mut new) = (Sink::new(), Changes::default(), Vec::new());
    for (line, code) in &add.codes {
        let key = code_key(code);
        let withdrawn = store.entry(&key)?.filter(|entry| entry.dropped);
        let why = match (holders.of_code(code)?, holders.taken_for_signed(code)?, withdrawn) {
            (Some(holder), ..) => format!("{code} belongs to campaign {holder}"),
            (None, Some(why), _) => why,
            // KV is about to forget it, and would forget the new entry.
            (None, None, Some(entry)) => {
                format!("{code} is just being withdrawn from {}: send it again", entry.owner)
            }
            (None, None, None) => {
                if store.listed(code.as_str())?.as_ref() != Some(&add.campaign) {
                    let listed = (add.campaign.clone(), signed_prefix(code));
                    changes.listed.insert(code.as_str().to_owned(), listed);
                }
                let held = add.in_kv.held.get(&key);
                if held.is_none_or(|held| !held.names || held.campaign != add.campaign) {
                    new.push(code.clone());
                }
                continue;
            }
        };
        sink.extend([fault_of(*line, &why)]);
    }
    if let Err(faults) = sink.check(Some(())) {
        return refused(Added::Collides(faults.into()));
    }
    if add.dry_run {
        return refused(Added::Done(new));
    }
    if !changes.listed.is_empty() {
        let revision = head.map(|head| head.revision).unwrap_or_default();
        changes.audit.push(Audit {
            at: now,
            who: add.who.clone(),
            document: me,
            from: revision,
            to: revision,
            action: "add_codes".to_owned(),
        });
    }
    Ok((Added::Done(new), changes))
}
