//! INQUIRE: is this code good, and what is it worth on this tab? Consumes nothing.

use std::rc::Rc;

use futures_util::future::join;

use super::quote::Quote;
use super::rights::{self, Undecided};
use super::round::{Party, Said, customer, named as customer_named};
use super::tab::{self as tabs, look, missed};
use super::{Event, Failure, Found, Ports, Query, Resolution, Unreachable};
use crate::campaign::{Campaign, Inquire};
use crate::engine::{Reason, Standing};
use crate::guard::Lock;
use crate::ident::{CampaignId, CodeKey, OfferKey, OfferRef};
use crate::ledger::campaign::{Outcome, Redeemed};
use crate::location::tab::Seen;

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
/// The location is told of a miss, and is asked about everything else but a code that proves itself and a
/// good code of a `"fast"` campaign; with `"live"` in the same wait as the ledger. Where something stands
/// on the tab, a `"live"` answer is decided again with it, and lists what stands of this code as well.
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
            ask(ports, found, event, guarded, None, |_| true).await
        }
        Resolution::Unknown { signed, why, .. } => {
            let reason = Reason::UnknownCode;
            let unknown = Inquired::Refused { campaign: None, reason, detail: why };
            let told = match signed {
                true => unknown,
                false => match tell(ports, event, 1, None).await {
                    Ok(_) => unknown,
                    Err(lock) => Inquired::Locked(lock),
                },
            };
            Ok(Asked::Told(told))
        }
    }
}

/// What stands on the tab of an event, for [`inquire_offer`].
///
/// # Errors
/// When the location does not answer.
pub async fn look_at(ports: &impl Ports, event: &Event) -> Result<Option<Seen>, Unreachable> {
    Ok(look(ports, event, None, false).await?.seen)
}

/// Answers what one offer of a campaign is worth, which no code but something else led to, on a tab on
/// which this was seen.
///
/// # Errors
/// When the cart cannot be priced.
pub async fn inquire_offer(
    ports: &impl Ports,
    campaign: Rc<Campaign>,
    key: CodeKey,
    offer: &OfferKey,
    event: &Event,
    seen: Option<Seen>,
) -> Result<Inquired, Failure> {
    let found = Found::by(campaign, key);
    match ask(ports, found, event, false, seen, |named| named == offer).await? {
        Asked::Told(told) => Ok(told),
        // What no code leads to is no document of its own.
        Asked::Outdated(_) => Err(Failure::Unreachable),
    }
}

/// Tells the location of so many misses, and hears whether they may be told. What stands by the code that
/// is asked for is no miss.
async fn tell(
    ports: &impl Ports,
    event: &Event,
    misses: u16,
    unless: Option<(CampaignId, CodeKey)>,
) -> Result<Option<Seen>, Lock> {
    missed(ports, &event.tab.location, Some(event.names()), misses, unless).await
}

async fn ask(
    ports: &impl Ports,
    found: Found,
    event: &Event,
    guarded: bool,
    seen: Option<Seen>,
    named: impl Fn(&OfferKey) -> bool,
) -> Result<Asked, Failure> {
    let live = found.campaign.inquire() == Inquire::Live;
    // Only the ledger counts customers. What cannot be found out in time REDEEM will.
    let person = match live {
        true => customer(ports, &found, event, true).await.ok(),
        false => None,
    };
    let person = person.unwrap_or_else(|| customer_named(&found, event).cloned());
    let mut party = Party::new(found, person, event, &named);
    if live {
        return ask_live(Live { ports, party, event, guarded, seen }, named).await;
    }
    party.heed(&ports.exhausted(party.campaign.id()).await);
    let said = party.decide(event, Standing::nothing(), Standing::nothing())?;
    if !said.quotes.is_empty() {
        return Ok(Asked::Told(Inquired::Offers(said.quotes)));
    }
    let refused = refused(&party, said);
    if !guarded {
        return Ok(Asked::Told(refused));
    }
    let told = tell(ports, event, u16::from(refused.is_miss()), None).await;
    Ok(Asked::Told(told.map_or_else(Inquired::Locked, |_| refused)))
}

fn refused(party: &Party, said: Said) -> Inquired {
    let first = said.rejections.into_iter().next();
    let (reason, detail) =
        first.map_or((Reason::WorthNothing, String::new()), |first| (first.reason, first.detail));
    Inquired::Refused { campaign: Some(Rc::clone(&party.campaign)), reason, detail }
}

/// An inquiry of a campaign that asks its ledger and the location.
struct Live<'a, P> {
    ports: &'a P,
    party: Party,
    event: &'a Event,
    /// Whether a lock is heeded, and a miss counted.
    guarded: bool,
    /// What the location has said.
    seen: Option<Seen>,
}

async fn ask_live<P: Ports>(
    mut live: Live<'_, P>,
    named: impl Fn(&OfferKey) -> bool,
) -> Result<Asked, Failure> {
    loop {
        let said = live.decide()?;
        let stands = live.stands(&named);
        if said.quotes.is_empty() && stands.is_empty() {
            let refused = refused(&live.party, said);
            match live.tell(&refused).await {
                Err(lock) => return Ok(Asked::Told(Inquired::Locked(lock))),
                Ok(true) => continue,
                Ok(false) => return Ok(Asked::Told(refused)),
            }
        }
        let peeked = match live.peek(&said.quotes, &stands).await {
            Err(lock) => return Ok(Asked::Told(Inquired::Locked(lock))),
            Ok(None) => continue,
            Ok(Some(peeked)) => peeked,
        };
        match peeked {
            Ok((again, redeemed)) => {
                if again {
                    continue;
                }
                let listed = redeemed.iter().flat_map(|it| listed(&stands, it));
                let quotes: Vec<Quote> = listed.chain(said.quotes).collect();
                if quotes.is_empty() {
                    // It was claimed, and does not stand: a REDEEM would be decided anew.
                    live.forget(&stands);
                    continue;
                }
                return Ok(Asked::Told(Inquired::Offers(quotes)));
            }
            Err(Undecided::Outdated) => {
                return Ok(Asked::Outdated(live.party.campaign.id().clone()));
            }
            Err(Undecided::Unreachable) if said.quotes.is_empty() => {
                return Err(Failure::Unreachable);
            }
            Err(Undecided::Unreachable) => return Ok(Asked::Told(Inquired::Offers(said.quotes))),
        }
    }
}

/// What a ledger says that stands of these.
fn listed<'a>(
    stands: &'a [OfferRef],
    redeemed: &'a Redeemed,
) -> impl Iterator<Item = Quote> + use<'a> {
    // They were asked after what the engine gives.
    let skip = redeemed.outcomes.len().saturating_sub(stands.len());
    redeemed.outcomes.iter().skip(skip).filter_map(|outcome| match outcome {
        Outcome::Applied { answer, .. } => {
            let quote: Quote = serde_json::from_str(answer).ok()?;
            Some(Quote { standing: true, ..quote })
        }
        _ => None,
    })
}

impl<P: Ports> Live<'_, P> {
    fn standing(&self) -> &Standing {
        self.seen.as_ref().map_or(Standing::nothing(), |seen| &seen.standing)
    }

    fn decide(&self) -> Result<Said, Failure> {
        let standing = self.standing();
        let mut said = self.party.decide(self.event, standing, standing)?;
        if self.party.has_other_code(standing) {
            said.quotes.clear();
            said.rejections = self.party.reject_all(
                Reason::DoesNotCombine,
                "another code of the same campaign stands on the tab",
            );
        }
        Ok(said)
    }

    /// What stands of this code, of the offers that are asked about.
    fn stands(&self, named: &impl Fn(&OfferKey) -> bool) -> Vec<OfferRef> {
        let own = self.standing().of(self.party.campaign.id()).map(|standing| &standing.offer);
        own.filter(|it| it.code == self.party.code && named(&it.offer)).cloned().collect()
    }

    /// Whether a refusal may be told; true, if something stands after all and it is to be decided again.
    async fn tell(&mut self, refused: &Inquired) -> Result<bool, Lock> {
        if self.seen.is_some() && !(self.guarded && refused.is_miss()) {
            return Ok(false);
        }
        let own = (self.party.campaign.id().clone(), self.party.code.clone());
        let misses = u16::from(self.guarded && refused.is_miss());
        let before = self.seen.is_some();
        let seen = match tell(self.ports, self.event, misses, Some(own)).await {
            Ok(seen) => seen,
            // Nothing is hidden from who has no code to guess.
            Err(_) if !self.guarded => return Ok(false),
            Err(lock) => return Err(lock),
        };
        let Some(seen) = seen.filter(|_| !before) else { return Ok(false) };
        let stands = !seen.standing.is_nothing();
        self.seen = Some(seen);
        Ok(stands)
    }

    /// Asks the ledger, and in the same wait the location, if it has not been. None: the location says
    /// that something stands, and it is to be decided again. The ledger's answer says whether that is so
    /// as well.
    async fn peek(
        &mut self,
        quotes: &[Quote],
        stands: &[OfferRef],
    ) -> Result<Option<Result<(bool, Option<Redeemed>), Undecided>>, Lock> {
        let campaign = self.party.campaign.id().clone();
        let place = self.seen.as_ref();
        let place = place.and_then(|seen| seen.places.iter().find(|it| it.campaign == campaign));
        let (key, home) = match place {
            Some(place) => (tabs::key(&self.event.tab.location, place), place.home.clone()),
            None => (self.event.tab.clone(), self.party.home(self.event, self.ports.region())),
        };
        let command = self.party.command(quotes, stands, key, self.event);
        let peek = rights::peek(self.ports, &campaign, &home, command.clone());
        let peeked = if self.seen.is_some() {
            peek.await
        } else {
            let look = look(self.ports, self.event, None, self.guarded);
            let (looked, peeked) = join(look, peek).await;
            let seen = match looked {
                Ok(looked) if looked.locked.is_some() => {
                    return looked.locked.map_or(Ok(None), |until| Err(Lock::Until(until)));
                }
                Ok(looked) => looked.seen,
                Err(Unreachable) if self.guarded && self.ports.limits().is_some() => {
                    return Err(Lock::Silent);
                }
                Err(Unreachable) => None,
            };
            let seen = seen.unwrap_or_else(|| tabs::unseen(&self.event.tab.tab));
            let nothing = seen.standing.is_nothing();
            self.seen = Some(seen);
            if !nothing {
                return Ok(None);
            }
            peeked
        };
        Ok(Some(peeked.map(|redeemed| (self.party.hear(&command, &redeemed), Some(redeemed)))))
    }

    /// Takes out of what stands what its ledger does not know.
    fn forget(&mut self, stands: &[OfferRef]) {
        if let Some(seen) = &mut self.seen {
            seen.standing.offers.retain(|standing| !stands.contains(&standing.offer));
        }
    }
}
