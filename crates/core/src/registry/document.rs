//! The documents the registry keeps.
//!
//! A further kind is a variant of [`Kind`], its reader in [`read`], and its key in KV.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::{self, code_key, prefix_key};
use crate::campaign::{Campaign, Codes};
use crate::code::CanonicalCode;
use crate::code::list::signed_prefix;
use crate::fault::Faults;
use crate::ident::{CampaignId, LocationId, TypeCode};
use crate::issuance::InstrumentType;
use crate::location::Location;
use crate::loyalty::programme::{Programme, REWARDS};
use crate::revision::DocumentState;

/// What a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A campaign.
    Campaign,
    /// A place of business.
    Location,
    /// The loyalty programme; there is one.
    Programme,
    /// A type of cards or coupons.
    InstrumentType,
}

impl Kind {
    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Location => "location",
            Self::Programme => "programme",
            Self::InstrumentType => "instrument_type",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Campaign, Self::Location, Self::Programme, Self::InstrumentType]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentKey {
    kind: Kind,
    id: String,
}

impl DocumentKey {
    /// A campaign's.
    #[must_use]
    pub fn campaign(id: &CampaignId) -> Self {
        Self { kind: Kind::Campaign, id: id.as_str().to_owned() }
    }

    /// A location's.
    #[must_use]
    pub fn location(id: &LocationId) -> Self {
        Self { kind: Kind::Location, id: id.as_str().to_owned() }
    }

    /// The programme's.
    #[must_use]
    pub fn programme() -> Self {
        Self { kind: Kind::Programme, id: String::new() }
    }

    /// An instrument type's.
    #[must_use]
    pub fn instrument_type(code: &TypeCode) -> Self {
        Self { kind: Kind::InstrumentType, id: code.as_str().to_owned() }
    }

    /// As the store has it.
    #[must_use]
    pub fn stored(kind: Kind, id: &str) -> Self {
        Self { kind, id: id.to_owned() }
    }

    /// Of which kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id within the kind; the programme's is empty.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The campaign, if it is one's.
    #[must_use]
    pub fn as_campaign(&self) -> Option<CampaignId> {
        (self.kind == Kind::Campaign).then(|| CampaignId::parse(&self.id).ok()).flatten()
    }

    /// The key in KV under which the document itself is published.
    #[must_use]
    pub fn kv_key(&self) -> String {
        match self.kind {
            Kind::Campaign => format!("campaign:{}", self.id),
            Kind::Location => format!("location:{}", self.id),
            Kind::Programme => keys::PROGRAMME_KEY.to_owned(),
            Kind::InstrumentType => format!("instrument:{}", self.id),
        }
    }
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Campaign => write!(f, "campaign {}", self.id),
            Kind::Location => write!(f, "location {}", self.id),
            Kind::Programme => f.write_str("programme"),
            Kind::InstrumentType => write!(f, "instrument type {}", self.id),
        }
    }
}

/// What one document says to the registry.
pub(super) struct Read {
    /// Whether it is switched off.
    pub state: DocumentState,
    /// The keys in KV that hold a copy, with what there is to know of each.
    pub claims: BTreeMap<String, Claim>,
}

/// One key in KV that a document wants.
pub(super) enum Claim {
    /// The document under its own id.
    Itself,
    /// A fixed code, the one at this index of the list.
    Code(usize, CanonicalCode),
    /// A prefix of signed codes: as it is written, and as it is read.
    Prefix(String, String),
}

impl Claim {
    /// Of a code that looks like a signed one: its prefix.
    pub fn looks_signed(&self) -> Option<String> {
        match self {
            Self::Code(_, code) => signed_prefix(code),
            Self::Itself | Self::Prefix(..) => None,
        }
    }
}

/// Reads a document.
pub(super) fn read(key: &DocumentKey, json: &[u8]) -> Result<Read, Faults> {
    let mut read = Read { state: DocumentState::Live, claims: BTreeMap::new() };
    read.claims.insert(key.kv_key(), Claim::Itself);
    match key.kind {
        Kind::Campaign => {
            let campaign = Campaign::from_json(json)?;
            if campaign.id().as_str() != key.id {
                let (is, should) = (campaign.id().as_str(), &key.id);
                let detail = format!("is {is:?}, but the address says {should:?}");
                return Err(Faults::one("/id", detail));
            }
            if key.id == REWARDS {
                let detail = "is the id of the loyalty programme's rewards; take another";
                return Err(Faults::one("/id", detail));
            }
            if !campaign.active() {
                read.state = DocumentState::Off;
            }
            read.claims.extend(claims(&campaign));
        }
        Kind::Location => drop(Location::from_json(json)?),
        Kind::Programme => drop(Programme::from_json(json)?),
        Kind::InstrumentType => drop(InstrumentType::from_json(json)?),
    }
    Ok(read)
}

/// The codes and the prefix of a campaign.
pub(super) fn claims(campaign: &Campaign) -> Vec<(String, Claim)> {
    match campaign.codes() {
        Codes::Fixed(codes) => {
            let codes = codes.iter().cloned().enumerate();
            codes.map(|(index, code)| (code_key(&code), Claim::Code(index, code))).collect()
        }
        Codes::Signed { prefix, .. } => {
            let folded = prefix.folded();
            vec![(prefix_key(&folded), Claim::Prefix(prefix.to_string(), folded))]
        }
        Codes::Listed | Codes::None => Vec::new(),
    }
}
