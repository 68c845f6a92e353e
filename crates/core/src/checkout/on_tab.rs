//! What a REDEEM knows of its tab.

use std::collections::{BTreeMap, BTreeSet};

use super::tab::{self as tabs, look, unseen};
use super::{CleanUp, Event, Ports, Unreachable, rights};
use crate::engine::{Standing, StandingOffer};
use crate::guard::Lock;
use crate::ident::OfferRef;
use crate::ledger::Attempt;
use crate::ledger::campaign::{Ask, Brought, Outcome, Redeem, Which};
use crate::ledger::shard::LedgerLayout;
use crate::location::tab::{self, Place, Seen, Undo};
use crate::money::Money;

/// What stands on a tab, as far as one REDEEM has heard.
pub(super) struct OnTab {
    /// What the location has said; before it has said anything, that nothing stands.
    pub seen: Seen,
    /// Whether it has said anything.
    pub looked: bool,
    /// What this REDEEM has taken so far.
    pub own: Vec<StandingOffer>,
    /// Why nothing is told on the tab but what stands.
    pub lock: Option<Lock>,
}

impl OnTab {
    pub fn new(event: &Event) -> Self {
        Self { seen: unseen(&event.tab.tab), looked: false, own: Vec::new(), lock: None }
    }

    /// Hears what the location says.
    pub fn hear(&mut self, seen: Seen) {
        self.seen = seen;
        self.looked = true;
    }

    /// Asks the location.
    pub async fn look(
        &mut self,
        ports: &impl Ports,
        event: &Event,
        guarded: bool,
    ) -> Result<(), Unreachable> {
        let looked = look(ports, event, Some(&event.attempt), guarded).await?;
        self.lock = looked.locked.map(Lock::Until).or(self.lock);
        if let Some(seen) = looked.seen {
            self.hear(seen);
        }
        Ok(())
    }

    /// Whether an offer stands or may be about to, by somebody else's claim.
    pub fn stands(&self, offer: &OfferRef) -> bool {
        self.seen.standing.offers.iter().any(|standing| standing.offer == *offer)
    }

    /// Whether the tab keeps a reversal of this offer that was received after the REDEEM.
    pub fn is_overtaken(&self, offer: &OfferRef, event: &Event) -> bool {
        self.seen.barriers.covering(offer) >= Some(event.received)
    }

    /// What others have taken but for these offers, which do not stand after all.
    pub fn others(&self, absent: &BTreeSet<OfferRef>) -> Standing {
        let offers = self.seen.standing.offers.iter();
        Standing { offers: offers.filter(|it| !absent.contains(&it.offer)).cloned().collect() }
    }

    /// The same, with what this REDEEM has taken.
    pub fn standing(&self, absent: &BTreeSet<OfferRef>) -> Standing {
        let mut standing = self.others(absent);
        for own in &self.own {
            if standing.offers.iter().all(|other| other.offer != own.offer) {
                standing.offers.push(own.clone());
            }
        }
        standing
    }

    /// Notes what this REDEEM has taken.
    pub fn took(&mut self, mut offer: StandingOffer, amount: Money) {
        offer.amount = amount;
        self.own.push(offer);
    }

    /// Asks a campaign's ledger which of these offers of it stand, wherever it keeps the tab; `admitted`
    /// is where this REDEEM was told that it does. The ledger notes that this attempt has heard of them.
    ///
    /// # Errors
    /// When it does not answer: what it may have noted is undone.
    pub async fn recall(
        &self,
        ports: &impl Ports,
        event: &Event,
        offers: &[OfferRef],
        admitted: Option<&Place>,
        layout: LedgerLayout,
    ) -> Result<BTreeMap<OfferRef, Outcome>, Unreachable> {
        let mut stands = BTreeMap::new();
        let Some(first) = offers.first() else { return Ok(stands) };
        let places = self.seen.places.iter().chain(admitted);
        let places: BTreeSet<&Place> = places.filter(|it| it.campaign == first.campaign).collect();
        for place in places {
            let rest: Vec<_> = offers.iter().filter(|it| !stands.contains_key(*it)).collect();
            let command = question(&rest, place, layout, event);
            let heard = rights::redeem(ports, &place.campaign, &place.home, command).await;
            let Ok(redeemed) = heard else {
                undo(ports, place, event).await;
                return Err(Unreachable);
            };
            let outcomes = rest.into_iter().cloned().zip(redeemed.outcomes);
            stands.extend(outcomes.filter(|(_, it)| matches!(it, Outcome::Applied { .. })));
        }
        Ok(stands)
    }
}

/// Asks a ledger which of these stand.
fn question(offers: &[&OfferRef], place: &Place, layout: LedgerLayout, event: &Event) -> Redeem {
    Redeem {
        tab: tabs::key(&event.tab.location, place),
        customer: event.customer.as_ref().map(|person| person.name.clone()),
        pos: event.pos.to_owned(),
        received: event.received,
        attempt: event.attempt.clone(),
        currency: event.cart.currency(),
        asks: offers.iter().map(|offer| Ask { offer: (*offer).clone(), give: None }).collect(),
        counters: Vec::new(),
        revision: None,
        keep_days: 0,
        layout,
        brought: Brought::default(),
    }
}

/// Has undone what this REDEEM perhaps took, and nobody hears of.
pub(super) async fn undo(ports: &impl Ports, place: &Place, event: &Event) {
    // The location first, which remembers though we die; then we do it ourselves, which is sooner. Both
    // is harmless, and should the location be silent too, there is still the second.
    let attempt = Attempt { name: event.attempt.clone(), received: event.received };
    let undo = tab::Command::Undo(Undo { place: place.clone(), attempt });
    let names = place.tab.clone().into();
    let _ = tabs::command(ports, &event.tab.location, names, undo).await;
    ports.later(left(place, None, event));
}

/// What a REDEEM leaves to be done at a place.
pub(super) fn left(
    place: &Place,
    standing: Option<BTreeMap<OfferRef, Money>>,
    event: &Event,
) -> CleanUp {
    CleanUp {
        campaign: place.campaign.clone(),
        home: place.home.clone(),
        tab: tabs::key(&event.tab.location, place),
        which: Which::Attempt(event.attempt.clone()),
        received: event.received,
        standing,
    }
}
