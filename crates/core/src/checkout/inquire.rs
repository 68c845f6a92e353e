//! INQUIRE: is this code good, and what is it worth on this tab? Consumes nothing.

use std::rc::Rc;

use futures_util::future::join;

use super::quote::Quote;
use super::rights::{self, Undecided};
use super::round::{Party, Round, customer, named as customer_named};
use super::{Event, Failure, Found, Ports, Query, Resolution};
use crate::campaign::{Campaign, Inquire};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::{CampaignId, CodeKey, OfferKey};

/// What a till is told of a code.
#[derive(Clone, Debug)]
pub enum Inquired {
    /// These offers, at least one.
    Offers(Vec<Quote>),
    /// None; the guest is told no more than the campaign's `guest.hints` allow.
    Refused {
        /// The campaign, if the code has one.
        campaign: Option<Rc<Campaign>>,
        /// Why.
        reason: Reason,
        /// For staff.
        detail: String,
    },
    /// Nothing is told on this tab now, whatever the code is.
    Locked(Lock),
}

impl Inquired {
    /// Whether it counts against guessing: see [`crate::guard`]. A campaign with hints says itself that
    /// its codes exist.
    #[must_use]
    pub fn is_miss(&self) -> bool {
        let Self::Refused { campaign, reason, .. } = self else { return false };
        let hints = campaign.as_ref().is_some_and(|campaign| campaign.guest().hints);
        let same_to_all = matches!(
            reason,
            Reason::UnknownCode
                | Reason::Inactive
                | Reason::NotStarted
                | Reason::Ended
                | Reason::QuotaExhausted
                | Reason::BudgetExhausted
        );
        same_to_all && !hints
    }
}

/// How often a document may change while one INQUIRE is answered.
const RENEWALS: usize = 4;

/// What asking once comes to.
enum Asked {
    Told(Inquired),
    /// The ledger has heard of a newer document of this campaign.
    Outdated(CampaignId),
}

/// Answers an INQUIRE.
///
/// With `"inquire": "live"` the ledger is asked, read-only, whether each offer is still to be had;
/// when it does not answer in time, the answer is what the document alone says. With `"fast"` only what
/// the ledger has published as exhausted is heeded. REDEEM decides in any case. A ledger that has heard of a
/// newer document has this decided again by it.
///
/// The location's guard is told of a miss, and is asked about everything else but a code that proves
/// itself and a good code of a `"fast"` campaign; with `"live"` in the same wait as the ledger.
///
/// # Errors
/// When the catalogue cannot be read, or the cart cannot be priced.
pub async fn inquire(ports: &impl Ports, typed: &str, event: &Event) -> Result<Inquired, Failure> {
    for _ in 0..RENEWALS {
        match inquire_once(ports, typed, event).await? {
            Asked::Told(told) => return Ok(told),
            Asked::Outdated(campaign) => drop(ports.renew(&campaign).await?),
        }
    }
    Err(Failure::Unreachable)
}

async fn inquire_once(ports: &impl Ports, typed: &str, event: &Event) -> Result<Asked, Failure> {
    let resolution = match Query::typed(typed) {
        Ok(query) => ports.find(&query).await?,
        Err(error) => Resolution::Unknown { signed: false, stored: false, why: error.to_string() },
    };
    match resolution {
        Resolution::Found(found) => {
            let guarded = found.proven.is_none();
            ask(ports, found, event, guarded, |_| true).await
        }
        Resolution::Unknown { signed, why, .. } => {
            let reason = Reason::UnknownCode;
            let unknown = Inquired::Refused { campaign: None, reason, detail: why };
            let told = if signed { unknown } else { tell(ports, event, unknown).await };
            Ok(Asked::Told(told))
        }
    }
}

/// Answers what one offer of a campaign is worth, which no code but something else led to.
///
/// # Errors
/// When the cart cannot be priced.
pub async fn inquire_offer(
    ports: &impl Ports,
    campaign: Rc<Campaign>,
    key: CodeKey,
    offer: &OfferKey,
    event: &Event,
) -> Result<Inquired, Failure> {
    match ask(ports, Found::by(campaign, key), event, false, |named| named == offer).await? {
        Asked::Told(told) => Ok(told),
        // What no code leads to is no document of its own.
        Asked::Outdated(_) => Err(Failure::Unreachable),
    }
}

/// Tells a refusal, if the guard allows it.
async fn tell(ports: &impl Ports, event: &Event, refused: Inquired) -> Inquired {
    let misses = u16::from(refused.is_miss());
    ports.guard(&event.tab, misses).await.map_or_else(Inquired::Locked, |()| refused)
}

async fn ask(
    ports: &impl Ports,
    found: Found,
    event: &Event,
    guarded: bool,
    named: impl Fn(&OfferKey) -> bool,
) -> Result<Asked, Failure> {
    let live = found.campaign.inquire() == Inquire::Live;
    // Only the ledger counts customers. What cannot be found out in time REDEEM will.
    let person = match live {
        true => customer(ports, &found, event, true).await.ok(),
        false => None,
    };
    let person = person.unwrap_or_else(|| customer_named(&found, event).cloned());
    let mut party = Party::new(found, person, event, named);
    if !live {
        party.heed(&ports.exhausted(party.campaign.id()).await);
    }
    let mut round = Round::new(vec![party], event);
    // Whether the guard has let the question pass.
    let mut passed = !guarded;
    loop {
        let said = round.decide(0)?;
        let Some(party) = round.parties.first_mut() else {
            return Err(Failure::Unreachable);
        };
        let quotes = said.quotes;
        if quotes.is_empty() {
            let first = said.rejections.into_iter().next();
            let (reason, detail) = first.map_or((Reason::WorthNothing, String::new()), |first| {
                (first.reason, first.detail)
            });
            let campaign = Some(Rc::clone(&party.campaign));
            let refused = Inquired::Refused { campaign, reason, detail };
            let told = !guarded || (passed && !refused.is_miss());
            let told = if told { refused } else { tell(ports, event, refused).await };
            return Ok(Asked::Told(told));
        }
        if !live {
            return Ok(Asked::Told(Inquired::Offers(quotes)));
        }
        let command = party.command(&quotes, &[], event);
        let home = party.home(event, ports.region());
        let peek = rights::peek(ports, party.campaign.id(), &home, command.clone());
        let peeked = if passed {
            peek.await
        } else {
            let (guard, peeked) = join(ports.guard(&event.tab, 0), peek).await;
            if let Err(lock) = guard {
                return Ok(Asked::Told(Inquired::Locked(lock)));
            }
            passed = true;
            peeked
        };
        match peeked {
            Ok(redeemed) if party.hear(&command, &redeemed) => {}
            Err(Undecided::Outdated) => {
                return Ok(Asked::Outdated(party.campaign.id().clone()));
            }
            _ => return Ok(Asked::Told(Inquired::Offers(quotes))),
        }
    }
}
