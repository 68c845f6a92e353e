//! What a typed code, a scanned number or an `offer_id` leads to: one order, for all who ask.
//!
//! | what is asked | is looked up | and is proven by |
//! |---|---|---|
//! | a code with the shape of a signed one | under its prefix; nowhere else if that is a campaign's | its own tag |
//! | a code | under itself, in its one canonical spelling | the campaign's list, or its entry for a campaign of listed codes |
//! | a code that no campaign has | among the numbers of cards and coupons | having been given out, and counting now |
//! | a scanned text that is no code, or a number's digest | among those numbers alone | the same |
//! | an `offer_id` | by its code, as above | what is found being the campaign it names, and the code being written as it was handed out |
//!
//! There is no other way to a campaign: a code that is not found is unknown, whatever the campaign that
//! an `offer_id` names says of its codes.

use std::rc::Rc;

use super::{Instrument, Unreachable};
use crate::campaign::{Campaign, Codes, too_long};
use crate::code::keys::Keys;
use crate::code::signed::{Proven, Signed};
use crate::code::{CanonicalCode, CodeError};
use crate::fault::Faults;
use crate::ident::{CampaignId, CodeKey, OfferRef};

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// A code; perhaps the number of a card or coupon that could be one.
    Code(CanonicalCode),
    /// The number of a card or coupon that could not be a code.
    Number(CodeKey),
}

impl Query {
    /// What somebody typed or scanned.
    ///
    /// # Errors
    /// Why it can be neither a code nor a number.
    pub fn typed(text: &str) -> Result<Self, CodeError> {
        match CanonicalCode::parse(text) {
            Ok(code) => Ok(Self::Code(code)),
            Err(_) => CodeKey::of_scanned(text).map(Self::Number),
        }
    }

    /// What the code in an `offer_id` is looked up as; none: no such key is ever handed out.
    #[must_use]
    pub fn of_key(key: &CodeKey) -> Option<Self> {
        let number = || key.is_digest().then(|| Self::Number(key.clone()));
        key.code().map(Self::Code).or_else(number)
    }
}

/// What is found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The campaign whose offers it grants.
    pub campaign: Rc<Campaign>,
    /// The code as it is counted and written in an `offer_id`: its one spelling.
    pub key: CodeKey,
    /// The card or coupon whose number it is, if it is one.
    pub instrument: Option<Instrument>,
    /// What it proves, if it is one that proves itself.
    pub proven: Option<Proven>,
}

impl Found {
    /// A campaign that a code, or something that stands for one, leads to.
    #[must_use]
    pub const fn by(campaign: Rc<Campaign>, key: CodeKey) -> Self {
        Self { campaign, key, instrument: None, proven: None }
    }
}

/// What a look-up comes to.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// It leads to a campaign.
    Found(Found),
    /// It leads nowhere.
    Unknown {
        /// Its prefix belongs to a campaign of signed codes: nobody guesses one, so it is no miss.
        signed: bool,
        /// Whether something is stored under it all the same.
        stored: bool,
        /// Why, for staff.
        why: String,
    },
}

impl Resolution {
    /// Nothing holds it.
    #[must_use]
    pub fn nothing() -> Self {
        let why = "no campaign has this code".to_owned();
        Self::Unknown { signed: false, stored: false, why }
    }

    const fn refused(signed: bool, why: String) -> Self {
        Self::Unknown { signed, stored: true, why }
    }

    /// The same as what an `offer_id` leads to: only if it is the campaign named there, and the code is
    /// written as it was handed out.
    #[must_use]
    pub fn named(self, offer: &OfferRef) -> Self {
        let Self::Found(found) = self else { return self };
        let signed = found.proven.is_some();
        let why = if *found.campaign.id() != offer.campaign {
            "the code is another campaign's"
        } else if found.key != offer.code {
            "the code is not written as it was handed out"
        } else {
            return Self::Found(found);
        };
        Self::refused(signed, why.to_owned())
    }
}

/// Where a document is stored.
#[derive(Clone, Copy, Debug)]
pub enum Key<'k> {
    /// Under a campaign's id.
    Campaign(&'k CampaignId),
    /// Under a code.
    Code(&'k CanonicalCode),
    /// Under the prefix of signed codes, as [`Prefix::folded`](crate::code::signed::Prefix::folded) has
    /// it.
    Prefix(&'k str),
}

/// What is stored there.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A sound campaign.
    Campaign(Rc<Campaign>),
    /// A listed code's campaign.
    Pointer(CampaignId),
    /// Something else, with what is wrong with it.
    Broken(Rc<Faults>),
}

/// The stored documents.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Documents {
    /// Why a document could not be read.
    type Error;

    /// What is stored under a key.
    async fn entry(&self, key: Key<'_>) -> Result<Option<Entry>, Self::Error>;
}

/// All that a look-up needs.
#[expect(async_fn_in_trait, reason = "a Worker is one thread; its futures need not be Send")]
pub trait Directory: Documents<Error = Unreachable> {
    /// The campaign and the card or coupon of a number that was given out and counts now.
    async fn number(
        &self,
        key: &CodeKey,
    ) -> Result<Option<(Rc<Campaign>, Instrument)>, Unreachable>;

    /// The keys of signed codes.
    ///
    /// # Errors
    /// When there are none that can be read: then no signed code is known from a made-up one.
    fn keys(&self) -> Result<Keys, Unreachable>;
}

/// Looks something up, in the order of the module page.
///
/// # Errors
/// When something that must be read does not answer.
pub async fn resolve(directory: &impl Directory, query: &Query) -> Result<Resolution, Unreachable> {
    let number = match query {
        Query::Number(key) => key.clone(),
        Query::Code(code) => {
            if let Some(resolution) = resolve_signed(directory, code).await? {
                return Ok(resolution);
            }
            if let Some(found) = holder_of_code(directory, code).await? {
                return Ok(match found {
                    Ok(campaign) => Resolution::Found(Found::by(campaign, CodeKey::of(code))),
                    // What cannot be used is no code, and so may be a number.
                    Err(why) => match by_number(directory, CodeKey::of_number(code)).await? {
                        Some(found) => Resolution::Found(found),
                        None => Resolution::refused(false, why),
                    },
                });
            }
            CodeKey::of_number(code)
        }
    };
    let found = by_number(directory, number).await?;
    Ok(found.map_or_else(Resolution::nothing, Resolution::Found))
}

async fn resolve_signed(
    directory: &impl Directory,
    code: &CanonicalCode,
) -> Result<Option<Resolution>, Unreachable> {
    let Some(signed) = Signed::read(code) else { return Ok(None) };
    let campaign = match holder_of_prefix(directory, signed.prefix()).await? {
        None => return Ok(None),
        Some(Err(why)) => return Ok(Some(Resolution::refused(true, why))),
        Some(Ok(campaign)) => campaign,
    };
    let Codes::Signed { prefix, count } = campaign.codes() else { return Ok(None) };
    Ok(Some(match signed.prove(&directory.keys()?, campaign.id(), prefix, *count) {
        Ok(proven) => {
            let key = CodeKey::of(&proven.code);
            let proven = Some(proven);
            Resolution::Found(Found { campaign, key, instrument: None, proven })
        }
        Err(why) => Resolution::refused(true, why.to_string()),
    }))
}

async fn by_number(directory: &impl Directory, key: CodeKey) -> Result<Option<Found>, Unreachable> {
    let found = directory.number(&key).await?;
    Ok(found.map(|(campaign, instrument)| Found {
        instrument: Some(instrument),
        ..Found::by(campaign, key)
    }))
}

/// The campaign whose signed codes begin so, or why what is stored there cannot be used; none: nothing
/// is stored there.
///
/// # Errors
/// When it cannot be read.
pub async fn holder_of_prefix<D: Documents>(
    documents: &D,
    folded: &str,
) -> Result<Option<Result<Rc<Campaign>, String>>, D::Error> {
    let entry = documents.entry(Key::Prefix(folded)).await?;
    Ok(entry.map(|entry| match entry {
        Entry::Broken(faults) => Err(faults.to_string()),
        Entry::Campaign(campaign) => match campaign.codes() {
            Codes::Signed { prefix, .. } if prefix.folded() == folded => Ok(campaign),
            _ => Err("the document has no signed codes with this prefix".to_owned()),
        },
        Entry::Pointer(_) => Err("this is no campaign".to_owned()),
    }))
}

/// The campaign that a fixed or listed code leads to, or why what is stored there cannot be used; none:
/// nothing is stored there.
///
/// # Errors
/// When it cannot be read.
pub async fn holder_of_code<D: Documents>(
    documents: &D,
    code: &CanonicalCode,
) -> Result<Option<Result<Rc<Campaign>, String>>, D::Error> {
    let Some(entry) = documents.entry(Key::Code(code)).await? else { return Ok(None) };
    Ok(Some(match entry {
        Entry::Broken(faults) => Err(faults.to_string()),
        Entry::Campaign(campaign) => match campaign.codes() {
            Codes::Fixed(codes) if codes.contains(code) => Ok(campaign),
            _ => Err("the document does not list this code among its fixed codes".to_owned()),
        },
        Entry::Pointer(id) => match documents.entry(Key::Campaign(&id)).await? {
            Some(Entry::Campaign(campaign)) => lists(campaign, code),
            Some(Entry::Broken(faults)) => Err(faults.to_string()),
            Some(Entry::Pointer(_)) => Err("this is no campaign".to_owned()),
            None => Err(format!("there is no campaign {id}")),
        },
    }))
}

/// Whether a campaign that a code's entry names can have it.
fn lists(campaign: Rc<Campaign>, code: &CanonicalCode) -> Result<Rc<Campaign>, String> {
    if !matches!(campaign.codes(), Codes::Listed) {
        return Err(format!("campaign {} has no listed codes", campaign.id()));
    }
    match too_long(code, campaign.room_for_codes()) {
        Some(why) => Err(format!("{code} {why}")),
        None => Ok(campaign),
    }
}

#[cfg(test)]
mod tests;
