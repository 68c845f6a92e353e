//! How a request reaches codes that prove themselves, and who has guessed too much.
//!
//! A code with the shape of a signed one is looked for under its prefix, and nowhere else if a campaign
//! signs with it: the campaign's document is all that is read, and no object is asked, whether the code
//! turns out to be one or was made up. Every other code is looked up where codes are listed, and in the
//! same wait the location's guard says whether its tab is still listened to.

use std::rc::Rc;

use futures_util::future::join;
use promo_core::campaign::{Campaign, Codes};
use promo_core::checkout::{Found, Unreachable};
use promo_core::code::CanonicalCode;
use promo_core::code::signed::{NotProven, Proven, Signed};
use promo_core::guard::Limits;
use promo_core::ident::{LocationId, OfferRef};
use promo_core::ledger::TabKey;
use promo_core::location::Location;
use promo_core::time::Instant;

use super::{Edge, PEEK_BUDGET};
use crate::catalogue::prefix_key;
use crate::http::{Problem, now};
use crate::objects::{GUARD, guard};
use crate::settings;

/// A code whose prefix belongs to a campaign of signed codes.
pub enum OfSeries {
    /// It is one of them.
    Proven(Rc<Campaign>, Proven),
    /// It is none, or what stands under the prefix cannot be used.
    Refused(String),
}

impl OfSeries {
    /// As a checkout wants it.
    pub(super) fn found(self) -> Option<Found> {
        match self {
            Self::Proven(campaign, proven) => {
                Some(Found { code: Some(proven.code), ..campaign.into() })
            }
            Self::Refused(_) => None,
        }
    }
}

/// What is known of a tab before a code on it is decided.
pub struct Asked {
    /// The location's document.
    pub location: Location,
    /// Whether a miss is to be counted: not of a code that cannot be guessed.
    pub counts: bool,
    /// Until when the tab is not listened to.
    pub locked: Option<Instant>,
}

impl Edge<'_> {
    /// What a typed code proves, if it may be one that proves itself; `None`: look elsewhere.
    ///
    /// # Errors
    /// When KV cannot be read, or the keys cannot.
    pub async fn signed(&self, code: &CanonicalCode) -> Result<Option<OfSeries>, Unreachable> {
        let Some(signed) = Signed::read(code) else { return Ok(None) };
        let found = self.catalogue.by_prefix(signed.prefix()).await;
        let said = match found.map_err(|error| self.silent(&error))? {
            None => return Ok(None),
            Some(Err(why)) => OfSeries::Refused(why),
            Some(Ok(campaign)) => self.proven(&signed, campaign)?,
        };
        self.note(&said, &prefix_key(signed.prefix()));
        Ok(Some(said))
    }

    /// The same for an `offer_id`: its campaign is known, and its code must be in its one spelling, as
    /// it was handed out. `None`: it is none of a campaign with signed codes.
    pub(super) async fn signed_ref(
        &self,
        offer: &OfferRef,
    ) -> Result<Option<OfSeries>, Unreachable> {
        let Some(code) = offer.code.code() else { return Ok(None) };
        let Some(signed) = Signed::read(&code) else { return Ok(None) };
        let campaign = self.catalogue.campaign(&offer.campaign).await;
        let Some(Ok(campaign)) = campaign.map_err(|error| self.silent(&error))? else {
            return Ok(None);
        };
        if !matches!(campaign.codes(), Codes::Signed { .. }) {
            return Ok(None);
        }
        let said = match self.proven(&signed, campaign)? {
            OfSeries::Proven(_, proven) if proven.code != code => {
                OfSeries::Refused("the code is not written as it was handed out".to_owned())
            }
            said => said,
        };
        self.note(&said, offer.campaign.as_str());
        Ok(Some(said))
    }

    fn proven(&self, signed: &Signed, campaign: Rc<Campaign>) -> Result<OfSeries, Unreachable> {
        let Codes::Signed { prefix, count } = campaign.codes() else {
            return Ok(OfSeries::Refused(NotProven::OtherPrefix.to_string()));
        };
        let keys = settings::code_keys(self.env).map_err(|problem| {
            self.trace.note("unreachable", problem.for_the_log());
            Unreachable
        })?;
        Ok(match signed.prove(&keys, campaign.id(), prefix, *count) {
            Ok(proven) => OfSeries::Proven(campaign, proven),
            Err(why) => OfSeries::Refused(why.to_string()),
        })
    }

    fn note(&self, said: &OfSeries, what: &str) {
        match said {
            OfSeries::Proven(_, proven) => self.trace.note("serial", proven.serial),
            OfSeries::Refused(why) => self.trace.note("catalogue", format!("{what}: {why}")),
        }
    }

    /// What must be known before a typed code is decided, in as few waits as it takes: one, and for a
    /// code that looks signed and has no signed campaign's prefix two.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn asked(
        &self,
        tab: &TabKey,
        typed: &str,
        limits: &Limits,
    ) -> Result<Asked, Problem> {
        let code = CanonicalCode::parse(typed).ok();
        if let Some(signed) = code.as_ref().and_then(Signed::read) {
            let key = prefix_key(signed.prefix());
            let location = self.catalogue.location_and(&tab.location, Some(key.clone())).await?;
            if self.catalogue.has_seen(&key) {
                return Ok(Asked { location, counts: false, locked: None });
            }
        }
        let question = guard::Question { tab: tab.tab.clone(), limits: *limits, missed: false };
        let look_up = self.location_and_entry(&tab.location, typed);
        let (location, locked) =
            join(Box::pin(look_up), Box::pin(self.ask_guard(&tab.location, &question))).await;
        Ok(Asked { location: location?, counts: true, locked })
    }

    /// Counts a miss, before its answer goes out.
    pub async fn missed(&self, tab: &TabKey, limits: &Limits) {
        let question = guard::Question { tab: tab.tab.clone(), limits: *limits, missed: true };
        self.ask_guard(&tab.location, &question).await;
    }

    /// Until when a tab is not listened to. A guard that does not answer in time holds nobody up: the
    /// till goes on.
    async fn ask_guard(&self, at: &LocationId, question: &guard::Question) -> Option<Instant> {
        let until = now().plus_millis(PEEK_BUDGET);
        self.ask(GUARD, at.as_str(), "", question, until).await.unwrap_or_default()
    }
}
