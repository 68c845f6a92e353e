//! A tab's machine: what stands on one tab, and what may be about to.
//!
//! Campaigns have a ledger each, so two of them know nothing of one another. What holds for a tab
//! as a whole is decided here, before a campaign's ledger is asked:
//!
//! - each decision of the engine knows what stands, so that no line is taken below zero or its
//!   floor by two events, and what is exclusive stays alone;
//! - two codes stand together only if both sides agree (`combines_with`);
//! - all discounts together never exceed the tab's subtotal plus its fees;
//! - a reversal of the whole tab reaches every campaign on it, and refuses a REDEEM it overtook,
//!   even one of a campaign that nobody had heard of on this tab yet.
//!
//! # The protocol
//! A REDEEM decides on what it believes to stand, and *admits* its offers: written here before the
//! ledger is asked, so a crash in between leaves a claim too many, never a redemption nobody knows
//! of. What stands has a version. If it is not the one that the REDEEM was decided on, nothing is
//! written, and the answer is what stands ([`Admission::Moved`]): the edge decides again. So a
//! REDEEM on a tab where nothing stands, which is nearly every one, costs one message; and of two
//! at the same instant one decides again, with the other standing.
//!
//! An attempt that is told "not so much" by the ledger admits again, and thereby replaces what it
//! claimed of the campaigns it names. It may, because the ledger took nothing. Where the ledger
//! did not answer it must not: that claim has to be undone.
//!
//! A claim that was not taken is *settled* afterwards to what the ledger says stands. One that
//! nobody settled (the edge died) still bars others; whoever meets it settles it
//! ([`Seen::claimed`]).
//!
//! A tab also remembers where each campaign's ledger keeps its redemptions: by which name of the
//! tab, and in which object, its *home*, from the first admission on, whatever becomes of the
//! campaign's layout or the tab's names. So every later command meets the barriers and the history
//! that the earlier ones left.
//!
//! A till that was told "not now" because a ledger did not answer must not be charged for it: the
//! edge leaves word here before it answers, and the location has the attempt undone, though the
//! edge die the next instant. A tab with many attempts to be undone admits no more.
//!
//! A reversal that names offers asks here first. A campaign that has claimed on this tab hears of it, and
//! its ledger keeps the barrier. One that never has may be a campaign that does not exist, and its ledger
//! must not come into being for it: then the *tab* keeps the barrier, offer by offer, and refuses the
//! REDEEM that the reversal overtook when that one asks to be admitted, or looks. Every REDEEM does,
//! before its ledger is asked, so no barrier is missed: it is either here, or the claim was here when the
//! reversal came, and the ledger heard. They are bounded ([`Barriers`]).
//!
//! # Why settling is safe
//! INVARIANT: what stands by a campaign's ledger is claimed here, and no less of it; else two
//! codes could stand that do not combine. So a claim is kept apart for each attempt that made it,
//! and a settlement takes away only those that can never again lead to a redemption: its own
//! attempt's, when that has ended; or those of REDEEMs received up to an instant, when the ledger
//! has a fence or a barrier against them (see [`crate::ledger::campaign`]). Whatever else is on
//! its way keeps its claim, and settlements may come late, twice and in any order.

mod barriers;
mod claim;
mod message;

pub use barriers::Barriers;
pub use claim::{Asked, Claim};
pub use message::{Admission, Admit, Claimed, Command, Entry, Place, Reply, Seen, Settle, Undo};

use serde::{Deserialize, Serialize};

use crate::engine::Standing;
use crate::ident::{CampaignId, OfferRef, TabId};
use crate::ledger::campaign::Which;
use crate::money::Money;
use crate::time::Instant;

/// Attempts to be undone after which a tab admits no more, until some are.
pub const BUSY_UNDOS: usize = 32;
/// The most attempts to be undone that are kept of a tab.
pub const MOST_UNDOS: usize = 128;
/// The most campaigns, and the most offers of each, that a tab keeps claims of.
pub const MOST_CLAIMS: usize = 256;

/// What stands, or may stand, on one tab of one location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tab {
    /// How often what stands has changed.
    #[serde(default)]
    version: u64,
    /// By campaign and name of the tab in its ledger, in the order they first came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    claims: Vec<Claim>,
    /// The latest reversal of the whole tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    barrier: Option<Instant>,
    /// Offers that were reversed before their campaigns ever stood here.
    #[serde(default, skip_serializing_if = "Barriers::is_empty")]
    barriers: Barriers,
    /// Attempts whose till was told "not now", though they may have taken something: to be undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    undos: Vec<Undo>,
}

impl Tab {
    /// What is claimed, in the order the campaigns first came.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The latest reversal of the whole tab.
    #[must_use]
    pub const fn barrier(&self) -> Option<Instant> {
        self.barrier
    }

    /// What is still to be undone.
    #[must_use]
    pub fn undos(&self) -> &[Undo] {
        &self.undos
    }

    /// The version of what stands: 0 while nothing does.
    #[must_use]
    pub fn version(&self) -> u64 {
        let nothing = self.claims.iter().all(|claim| claim.offers.is_empty());
        if nothing { 0 } else { self.version }
    }

    /// What stands or may be about to, but for what only this attempt has claimed.
    #[must_use]
    pub fn standing(&self, attempt: Option<&str>) -> Standing {
        let offers = self.claims.iter().flat_map(|claim| claim.standing(attempt)).collect();
        Standing { offers }
    }

    /// What an edge is told to decide on.
    #[must_use]
    pub fn see(&self, name: &TabId, attempt: Option<&str>) -> Seen {
        let claimed =
            |claim: &Claim| Some(Claimed { place: claim.place(), since: claim.since(attempt)? });
        Seen {
            tab: name.clone(),
            version: self.version(),
            standing: self.standing(attempt),
            places: self.claims.iter().map(Claim::place).collect(),
            claimed: self.claims.iter().filter_map(claimed).collect(),
            barriers: self.barriers.clone(),
        }
    }

    /// Decides one command on the tab of this name; returns the answer and whether the tab
    /// changed.
    pub fn apply(&mut self, name: &TabId, command: &Command) -> (Reply, bool) {
        let before = self.clone();
        let reply = match command {
            Command::Admit(admit) => Reply::Admission(self.admit(name, admit)),
            Command::Settle(settle) => {
                self.settle(settle);
                Reply::Settled
            }
            Command::Reverse { received } => {
                self.barrier = self.barrier.max(Some(*received));
                Reply::Places(self.claims.iter().map(Claim::place).collect())
            }
            Command::ReverseOffers { offers, received } => {
                Reply::Places(self.reverse_offers(offers, *received))
            }
            Command::Undo(undo) => self.undo(undo),
        };
        if self.claims != before.claims && self.standing(None) != before.standing(None) {
            self.version = before.version.saturating_add(1);
        }
        let reply = match reply {
            Reply::Admission(Admission::Admitted { places, .. }) => {
                let version = self.version();
                Reply::Admission(Admission::Admitted { version, places })
            }
            other => other,
        };
        (reply, *self != before)
    }

    fn admit(&mut self, name: &TabId, admit: &Admit) -> Admission {
        if self.barrier.is_some_and(|barrier| admit.attempt.received <= barrier) {
            return Admission::Reversed;
        }
        let overtaken = self.overtaken(&admit.named, admit.attempt.received);
        if !overtaken.is_empty() {
            return Admission::Overtaken(overtaken);
        }
        let mut after = self.clone();
        after.replace(name, admit);
        let places = || {
            let of = |entry: &Entry| Some(after.claim_of(&entry.campaign)?.place());
            admit.campaigns.iter().filter_map(of).collect()
        };
        if after.claims == self.claims {
            // Repeated, or nothing new is asked for: it needs no version.
            return Admission::Admitted { version: 0, places: places() };
        }
        if admit.version != self.version() {
            return Admission::Moved(self.see(name, Some(&admit.attempt.name)));
        }
        if self.undos.len() >= BUSY_UNDOS || after.is_too_large() {
            return Admission::Busy;
        }
        if let Some(by) = after.barring(admit) {
            return Admission::Barred(by);
        }
        let (given, gives) = (self.total(), after.total());
        // What was claimed before is not asked about again: a till repeats a REDEEM with the tab
        // as it is by then, perhaps already smaller by this very discount.
        if gives > admit.ceiling.max(given) {
            return Admission::Short { room: admit.ceiling.saturating_sub(given) };
        }
        let places = places();
        *self = after;
        Admission::Admitted { version: 0, places }
    }

    /// Puts what an attempt asks for in the place of what it asked of the same campaigns before.
    fn replace(&mut self, name: &TabId, admit: &Admit) {
        for entry in &admit.campaigns {
            let place = match self.claims.iter().position(|it| it.campaign == entry.campaign) {
                Some(place) => place,
                None => {
                    self.claims.push(Claim::new(&entry.campaign, name, &entry.home));
                    self.claims.len().saturating_sub(1)
                }
            };
            let named = |asked: &Asked| entry.offers.iter().any(|o| o.offer == asked.offer.offer);
            let own = self.claims.iter_mut().filter(|claim| claim.campaign == entry.campaign);
            for claim in own {
                claim.forget(|asked| asked.attempt.name == admit.attempt.name && !named(asked));
            }
            if let Some(claim) = self.claims.get_mut(place) {
                entry.offers.iter().for_each(|offer| claim.add(offer, &admit.attempt));
            }
        }
    }

    fn claim_of(&self, campaign: &CampaignId) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.campaign == *campaign)
    }

    fn is_too_large(&self) -> bool {
        let large = |claim: &Claim| claim.offers.len() > MOST_CLAIMS;
        self.claims.len() > MOST_CLAIMS || self.claims.iter().any(large)
    }

    /// A campaign with a claim here that one which is admitted does not combine with.
    fn barring(&self, admit: &Admit) -> Option<CampaignId> {
        let standing = self.standing(None);
        let asks = |campaign: &CampaignId| {
            admit.campaigns.iter().any(|it| it.campaign == *campaign && !it.offers.is_empty())
        };
        let mut own = standing.offers.iter().filter(|offer| asks(&offer.offer.campaign));
        own.find_map(|own| standing.offers.iter().find(|other| !own.combines(other)))
            .map(|other| other.offer.campaign.clone())
    }

    fn total(&self) -> Money {
        self.standing(None).amount()
    }

    fn settle(&mut self, settle: &Settle) {
        if let Which::Attempt(name) = &settle.which {
            let done = |undo: &Undo| {
                undo.place.is(&settle.campaign, &settle.tab) && undo.attempt.name == *name
            };
            self.undos.retain(|undo| !done(undo));
        }
        let claim = self.claims.iter_mut().find(|it| it.is(&settle.campaign, &settle.tab));
        if let Some(claim) = claim {
            claim.settle(settle);
        }
    }

    fn reverse_offers(&mut self, offers: &[OfferRef], received: Instant) -> Vec<Place> {
        let mut places = Vec::new();
        for offer in offers {
            let own = self.claims.iter().filter(|claim| claim.campaign == offer.campaign);
            let own: Vec<Place> = own.map(Claim::place).collect();
            if own.is_empty() {
                self.barriers.raise(offer.clone(), received);
            }
            for place in own {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places
    }

    /// Those of the offers that were reversed at or after this instant.
    fn overtaken(&self, offers: &[OfferRef], received: Instant) -> Vec<OfferRef> {
        let overtaken = |offer: &&OfferRef| self.barriers.covering(offer) >= Some(received);
        offers.iter().filter(overtaken).cloned().collect()
    }

    fn undo(&mut self, undo: &Undo) -> Reply {
        if self.undos.contains(undo) {
            return Reply::Settled;
        }
        if self.undos.len() >= MOST_UNDOS {
            return Reply::Full;
        }
        self.undos.push(undo.clone());
        Reply::Settled
    }

    /// Takes over all that is known of another tab, which turned out to be this one.
    pub fn join(&mut self, other: Self) {
        let before = self.version.max(other.version);
        for claim in other.claims {
            match self.claims.iter_mut().find(|own| own.is(&claim.campaign, &claim.tab)) {
                Some(own) => own.join(claim),
                None => self.claims.push(claim),
            }
        }
        self.barrier = self.barrier.max(other.barrier);
        self.barriers.join(other.barriers);
        for undo in other.undos {
            if !self.undos.contains(&undo) {
                self.undos.push(undo);
            }
        }
        self.version = before.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
