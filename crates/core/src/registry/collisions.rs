//! Which codes a campaign may not have: those of another, and those that one would take for another's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::{Claim, DocumentKey, claims};
use super::keys::{code_key, code_of, prefix_key};
use super::rows::Head;
use super::store::Store;
use crate::campaign::{Campaign, Codes};
use crate::code::CanonicalCode;
use crate::code::list::signed_prefix;
use crate::fault::{Faults, Path, Sink};
use crate::ident::CampaignId;

/// Codes that look like signed ones, told at once.
const TOLD: usize = 100;

/// What an edge found in KV, which the registry does not see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InKv {
    /// The document is there, and the registry did not write it.
    pub by_hand: bool,
    /// By key, the campaign that an entry leads to and that has it in its document.
    pub held: BTreeMap<String, Held>,
}

/// An entry of KV that leads to a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub campaign: CampaignId,
    /// It only names the campaign, as single codes do; otherwise it is a copy of the document.
    pub names: bool,
}

/// What an edge must look at in KV before it puts a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookAt {
    /// These keys.
    pub keys: Vec<String>,
    /// The codes that begin so and look like signed ones.
    pub beginning: Option<String>,
}

/// What an edge must look at in KV before it puts this campaign; `by_hand` is what stands under its id and
/// was put there without the registry.
#[must_use]
pub fn to_look_at(campaign: &Campaign, by_hand: Option<&Campaign>) -> LookAt {
    let mut look = LookAt::default();
    for (key, claim) in claims(campaign) {
        look.keys.extend(claim.looks_signed().map(|prefix| prefix_key(&prefix)));
        if let Claim::Prefix(written, _) = &claim {
            look.beginning = Some(written.clone());
        }
        look.keys.push(key);
    }
    let before = by_hand.map(claims).unwrap_or_default();
    look.keys.extend(before.into_iter().map(|(key, _)| key));
    look.keys.sort();
    look.keys.dedup();
    look
}

/// Whether the codes of an existing campaign are single ones.
pub(super) fn has_listed_codes<S: Store>(
    store: &S,
    campaign: &CampaignId,
    head: &Head,
) -> Result<bool, S::Error> {
    let version = store.version(&DocumentKey::campaign(campaign), head.revision)?;
    let document = version.and_then(|version| version.document);
    let read = document.and_then(|json| Campaign::from_json(json.as_bytes()).ok());
    Ok(read.is_some_and(|campaign| matches!(campaign.codes(), Codes::Listed)))
}

/// Who holds codes, as the registry and KV have it.
pub(super) struct Holders<'a, S> {
    pub store: &'a S,
    pub me: &'a DocumentKey,
    pub in_kv: &'a InKv,
}

impl<S: Store> Holders<'_, S> {
    /// Another campaign that holds a code.
    pub fn of_code(&self, code: &CanonicalCode) -> Result<Option<String>, S::Error> {
        let key = code_key(code);
        if let Some(owner) = self.of_key(&key)? {
            return Ok(Some(owner));
        }
        if let Some(campaign) = self.store.listed(code.as_str())?
            && self.is_other(&campaign)
            && self.names_hold(&campaign)?
        {
            return Ok(Some(campaign.to_string()));
        }
        self.in_kv(&key)
    }

    /// Another campaign that holds a prefix.
    pub fn of_prefix(&self, folded: &str) -> Result<Option<String>, S::Error> {
        let key = prefix_key(folded);
        match self.of_key(&key)? {
            Some(owner) => Ok(Some(owner)),
            None => self.in_kv(&key),
        }
    }

    fn of_key(&self, key: &str) -> Result<Option<String>, S::Error> {
        let entry = self.store.entry(key)?.filter(|entry| !entry.dropped);
        Ok(entry.filter(|entry| entry.owner != *self.me).map(|entry| entry.owner.id().to_owned()))
    }

    fn in_kv(&self, key: &str) -> Result<Option<String>, S::Error> {
        let Some(held) = self.in_kv.held.get(key) else { return Ok(None) };
        let holds = self.is_other(&held.campaign) && self.holds_in_kv(held)?;
        Ok(holds.then(|| held.campaign.to_string()))
    }

    /// An entry of KV that the index does not have counts if it names a campaign with single codes, or
    /// belongs to one that the registry does not know.
    fn holds_in_kv(&self, held: &Held) -> Result<bool, S::Error> {
        if held.names {
            return self.names_hold(&held.campaign);
        }
        Ok(self.store.head(&DocumentKey::campaign(&held.campaign))?.is_none())
    }

    /// Whether a single code's campaign still has single codes. One that the registry does not know is in KV
    /// alone, where the edge has looked.
    fn names_hold(&self, campaign: &CampaignId) -> Result<bool, S::Error> {
        match self.store.head(&DocumentKey::campaign(campaign))? {
            Some(head) => Ok(head.exists() && has_listed_codes(self.store, campaign, &head)?),
            None => Ok(true),
        }
    }

    fn is_other(&self, campaign: &CampaignId) -> bool {
        DocumentKey::campaign(campaign) != *self.me
    }

    /// Why a code would never be found under itself: it looks like a signed one of another campaign.
    pub fn taken_for_signed(&self, code: &CanonicalCode) -> Result<Option<String>, S::Error> {
        let Some(prefix) = signed_prefix(code) else { return Ok(None) };
        let other = self.of_prefix(&prefix)?;
        Ok(other.map(|id| format!("{code} would be taken for a signed code of campaign {id}")))
    }

    /// Codes of others that look like signed ones with this prefix, with their campaigns.
    fn looking_signed(&self, folded: &str) -> Result<BTreeMap<String, String>, S::Error> {
        let mut found = BTreeMap::new();
        for (key, entry) in self.store.looking_signed(folded, TOLD)? {
            if let Some(code) = code_of(&key)
                && entry.owner != *self.me
            {
                found.insert(code.to_string(), entry.owner.id().to_owned());
            }
        }
        for (code, campaign) in self.store.listed_looking_signed(folded, TOLD)? {
            if self.is_other(&campaign) && self.names_hold(&campaign)? {
                found.insert(code, campaign.to_string());
            }
        }
        for (key, held) in &self.in_kv.held {
            let Some(code) = code_of(key) else { continue };
            let looks = signed_prefix(&code).is_some_and(|prefix| prefix == folded);
            if looks && self.is_other(&held.campaign) && self.holds_in_kv(held)? {
                found.insert(code.to_string(), held.campaign.to_string());
            }
        }
        Ok(found)
    }

    /// Everything that stands against the codes a document claims.
    pub fn against(
        &self,
        claims: &BTreeMap<String, Claim>,
    ) -> Result<Result<(), Faults>, S::Error> {
        let sink = Sink::new();
        // In the order of the document.
        let mut codes: Vec<(usize, &CanonicalCode)> = Vec::new();
        for claim in claims.values() {
            match claim {
                Claim::Itself => {}
                Claim::Code(index, code) => codes.push((*index, code)),
                Claim::Prefix(written, folded) => {
                    let at = Path::Below("/codes/signed/prefix");
                    if let Some(holder) = self.of_prefix(folded)? {
                        sink.add(&at, format!("{written} belongs to campaign {holder}"));
                    }
                    for (code, holder) in self.looking_signed(folded)? {
                        let detail = format!(
                            "{code} is a code of campaign {holder} already, and would look like one \
                             of these"
                        );
                        sink.add(&at, detail);
                    }
                }
            }
        }
        codes.sort_unstable();
        for (index, code) in codes {
            let fixed = Path::Below("/codes/fixed");
            let at = Path::Index(&fixed, index);
            if let Some(holder) = self.of_code(code)? {
                sink.add(&at, format!("{code} belongs to campaign {holder}"));
            }
            if let Some(why) = self.taken_for_signed(code)? {
                sink.add(&at, why);
            }
        }
        Ok(sink.check(Some(())))
    }
}
