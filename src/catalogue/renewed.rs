//! What counts of a campaign where KV and the registry differ.
//!
//! An entry of KV that the registry wrote carries its revision; it is believed until a ledger refuses it as
//! out of date ([`Catalogue::renew`]). One that was put by hand carries none, and is believed as long as the
//! registry does not know its campaign. What the registry does not want in KV is reported to it, and it
//! removes it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use futures_util::future::join_all;
use promo_core::campaign::{Campaign, Codes};
use promo_core::checkout::Unreachable;
use promo_core::fault::Faults;
use promo_core::ident::CampaignId;
use promo_core::registry::keys::{code_key, prefix_key};
use promo_core::registry::{self, Held, Met, Recalled, copy};
use promo_core::revision::Revision;
use promo_core::time::Instant;
use serde::Deserialize;

use super::{BULK, Catalogue, Entry, KvFailure, campaign_key, parse};
use crate::http::now;
use crate::objects::registry::{NAME, Recall};
use crate::ports::reach;

/// For how long an isolate remembers that the registry does not know a campaign, in milliseconds.
const UNKNOWN_FOR: i64 = 10_000;
/// Campaigns that are remembered so; past that it starts afresh.
const REMEMBERED: usize = 1000;
/// What asking the registry may take, in milliseconds.
const BUDGET: i64 = 700;

thread_local! {
    static UNKNOWN: RefCell<HashMap<CampaignId, Instant>> = RefCell::new(HashMap::new());
}

/// What a request has learned from the registry.
#[derive(Default)]
pub struct Renewed {
    /// The entry that counts, whichever is found.
    counts: RefCell<HashMap<CampaignId, Entry>>,
    /// Its revision.
    revisions: RefCell<HashMap<CampaignId, Revision>>,
    /// The entries it has met.
    met: RefCell<Vec<(CampaignId, Met)>>,
}

/// Forgets that the registry does not know a campaign: it has just been put through this isolate.
pub fn is_known_now(id: &CampaignId) {
    UNKNOWN.with_borrow_mut(|unknown| unknown.remove(id));
}

fn is_unknown(id: &CampaignId) -> bool {
    UNKNOWN.with_borrow(|unknown| {
        unknown.get(id).is_some_and(|since| now() < since.plus_millis(UNKNOWN_FOR))
    })
}

fn remember_unknown(id: &CampaignId) {
    UNKNOWN.with_borrow_mut(|unknown| {
        if unknown.len() >= REMEMBERED {
            unknown.clear();
        }
        unknown.insert(id.clone(), now());
    });
}

/// What stands in KV under a key, whether it counts or not.
#[derive(Default)]
pub struct Stored {
    /// The campaign it says it is of.
    pub campaign: Option<CampaignId>,
    /// What is wrong with the document.
    pub faults: Option<Rc<Faults>>,
    /// The registry did not write it.
    pub by_hand: bool,
}

impl Catalogue<'_> {
    /// What stands in KV under a key.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn stored_at(&self, key: &str) -> Result<Stored, KvFailure> {
        #[derive(Deserialize)]
        struct Id {
            id: CampaignId,
        }
        let Some(value) = self.read(key).await? else { return Ok(Stored::default()) };
        let (revision, json) = copy::read(&value);
        let by_hand = revision.is_none();
        Ok(match parse(&value) {
            Entry::Campaign(campaign) => {
                Stored { campaign: Some(campaign.id().clone()), faults: None, by_hand }
            }
            Entry::Pointer(campaign) => {
                Stored { campaign: Some(campaign), faults: None, by_hand: false }
            }
            Entry::Broken(faults) => {
                let id = serde_json::from_slice::<Id>(json).ok();
                Stored { campaign: id.map(|id| id.id), faults: Some(faults), by_hand }
            }
        })
    }

    /// The revision that the registry has said counts, if this request has asked.
    pub fn renewed_revision(&self, id: &CampaignId) -> Option<Revision> {
        self.renewed.revisions.borrow().get(id).copied()
    }

    /// Has the document that the registry knows count for the rest of this request. Returns its revision;
    /// none, if the registry does not know the campaign.
    ///
    /// # Errors
    /// When the registry cannot be reached.
    pub async fn renew(&self, id: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        // Read in one statement: no borrow is held while the registry is asked.
        let met = (self.renewed.met.borrow().iter())
            .filter(|(of, _)| of == id)
            .map(|(_, met)| met.clone())
            .collect();
        let question = Recall(registry::Recall::Campaign(id.clone(), met));
        let until = now().plus_millis(BUDGET);
        let recalled = reach(self.env, self.trace, NAME, "", &question, until).await?;
        let Some(Recalled { revision, document, .. }) = recalled else {
            remember_unknown(id);
            return Ok(None);
        };
        is_known_now(id);
        let counts = match document.map(|document| Campaign::from_json(document.as_bytes())) {
            Some(Ok(campaign)) => Entry::Campaign(Rc::new(campaign.at_revision(revision))),
            Some(Err(faults)) => Entry::Broken(Rc::new(faults)),
            None => {
                let detail = format!("campaign {id} was deleted in revision {revision}");
                Entry::Broken(Rc::new(Faults::one("", detail)))
            }
        };
        self.renewed.counts.borrow_mut().insert(id.clone(), counts);
        self.renewed.revisions.borrow_mut().insert(id.clone(), revision);
        Ok(Some(revision))
    }

    /// The entry that counts, where this one was found; none was: a campaign's own may be known all the same.
    pub(super) async fn counting(&self, key: &str, found: Option<Entry>) -> Option<Entry> {
        let Some(Entry::Campaign(campaign)) = &found else {
            let id = key.strip_prefix("campaign:").and_then(|id| CampaignId::parse(id).ok());
            let known = id.and_then(|id| self.renewed.counts.borrow().get(&id).cloned());
            return known.or(found);
        };
        let (id, revision) = (campaign.id(), campaign.revision());
        let known = self.renewed.counts.borrow().get(id).cloned();
        if known.is_some() {
            return known;
        }
        let met = Met { key: key.to_owned(), revision };
        self.renewed.met.borrow_mut().push((id.clone(), met));
        if revision.is_none() && !is_unknown(id) {
            // A registry that is silent stops nobody: where it matters, the ledger knows better.
            let renewed = self.renew(id).await;
            if let Ok(Some(revision)) = renewed {
                let what = format!("{key} was put by hand; revision {revision} counts");
                self.trace.note("catalogue", what);
                return self.renewed.counts.borrow().get(id).cloned();
            }
        }
        found
    }

    /// A document that was put into KV by hand.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn by_hand(&self, key: &str) -> Result<Option<Vec<u8>>, KvFailure> {
        let value = self.read(key).await?;
        Ok(value.filter(|value| copy::read(value).0.is_none()))
    }

    /// What these keys of KV lead to, as far as the registry did not write it.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn held(&self, keys: &[String]) -> Result<BTreeMap<String, Held>, KvFailure> {
        let asked = keys.chunks(BULK).map(|keys| self.timed(self.kv.get_bulk(keys).text()));
        let found = join_all(asked).await;
        let mut held = BTreeMap::new();
        for found in found {
            for (key, value) in found? {
                let Some(value) = value else { continue };
                if let Some(holder) = self.holder(&key, value.as_bytes()).await? {
                    held.insert(key, holder);
                }
            }
        }
        Ok(held)
    }

    async fn holder(&self, key: &str, value: &[u8]) -> Result<Option<Held>, KvFailure> {
        Ok(match parse(value) {
            Entry::Campaign(campaign) if campaign.revision().is_none() => {
                let campaign_id = campaign.id().clone();
                has(&campaign, key).then_some(Held { campaign: campaign_id, names: false })
            }
            Entry::Pointer(campaign) => {
                let names = self.campaign(&campaign).await?.and_then(Result::ok);
                let listed = names.is_some_and(|named| matches!(named.codes(), Codes::Listed));
                listed.then_some(Held { campaign, names: true })
            }
            Entry::Campaign(_) | Entry::Broken(_) => None,
        })
    }
}

/// Whether a campaign says itself that this key is its.
fn has(campaign: &Campaign, key: &str) -> bool {
    match campaign.codes() {
        Codes::Fixed(codes) if codes.iter().any(|code| code_key(code) == key) => true,
        Codes::Signed { prefix, .. } if prefix_key(&prefix.folded()) == key => true,
        _ => campaign_key(campaign.id()) == key,
    }
}
