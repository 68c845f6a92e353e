//! One campaign's part of a REDEEM.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::clean_up::settle_stale;
use super::named::Take;
use super::on_tab::{OnTab, left, undo};
use super::quote::Rejection;
use super::rights::{self, Undecided};
use super::round::{Party, Said, customer};
use super::tab::{self as tabs};
use super::{Event, Failure, Ports, Redeemed, Resolution, Unreachable, clean_up};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::OfferRef;
use crate::ledger::Attempt;
use crate::ledger::campaign::Outcome;
use crate::location::tab::{self, Admission, Admit, Entry, Place};
use crate::money::Money;

/// Rounds after which a REDEEM gives up. Each round takes an offer out or lowers a sum, or hears of what
/// another has done on the tab, so only other guests at the same instant could make it this many.
const ROUNDS: usize = 64;
/// A claim on a tab that is older than this (in milliseconds) was perhaps never settled: nobody is still
/// waiting for its REDEEM.
const STALE: i64 = 10_000;

/// Whether there is anything to decide again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Again,
    Done,
}

/// A campaign of which offers are to be taken.
pub(super) struct Taking<'a, P> {
    ports: &'a P,
    event: &'a Event,
    party: Party,
    /// Whether a lock is not heeded.
    signed: bool,
    /// Whether no campaign comes after it.
    is_last: bool,
    /// What is not answered yet.
    pending: Vec<OfferRef>,
    /// What is claimed on the tab, but does not stand by the ledger.
    absent: BTreeSet<OfferRef>,
    /// Where its ledger keeps the tab, once that is known.
    place: Option<Place>,
    /// The most that was claimed of each offer, to be settled when less was taken.
    claimed: BTreeMap<OfferRef, Money>,
    /// Offers that a newer document does not have any more.
    gone: Vec<Rejection>,
    /// What the ledger last said that stands.
    stands: BTreeMap<OfferRef, Money>,
    /// Whose old claims were settled.
    settled: BTreeSet<Place>,
    /// Offers that a reversal overtook: whatever stands of them was asked for by a later REDEEM, and this
    /// one must not hear of it.
    overtaken: BTreeSet<OfferRef>,
    /// Only what stands is answered.
    locked: bool,
}

impl<'a, P: Ports> Taking<'a, P> {
    pub fn new(ports: &'a P, event: &'a Event, take: Take, is_last: bool) -> Self {
        let Take { offers: pending, party, signed } = take;
        Self {
            ports,
            event,
            party,
            signed,
            is_last,
            pending,
            absent: BTreeSet::new(),
            place: None,
            claimed: BTreeMap::new(),
            gone: Vec::new(),
            stands: BTreeMap::new(),
            settled: BTreeSet::new(),
            overtaken: BTreeSet::new(),
            locked: false,
        }
    }

    /// Takes them; returns whether the tab was open to it.
    ///
    /// # Errors
    /// When the cart cannot be priced.
    pub async fn run(mut self, on_tab: &mut OnTab, answer: &mut Redeemed) -> Result<bool, Failure> {
        for _ in 0..ROUNDS {
            if self.recall(on_tab, answer).await == Next::Done
                || self.step(on_tab, answer).await? == Next::Done
            {
                break;
            }
        }
        self.not_now(answer, "too many guests at once");
        self.settle_own().await;
        Ok(!self.locked)
    }

    /// Rejects all that is not answered yet.
    fn not_now(&mut self, answer: &mut Redeemed, detail: &str) {
        self.pending.drain(..).for_each(|offer| answer.not_now(&offer, detail));
    }

    /// Rejects all that is not answered yet, for a reason.
    fn reject(&mut self, answer: &mut Redeemed, reason: Reason, detail: &str) {
        self.pending.drain(..).for_each(|offer| answer.reject(&offer, reason, detail));
    }

    fn reject_overtaken(&mut self, on_tab: &OnTab, answer: &mut Redeemed) {
        let overtaken = |offer: &OfferRef| {
            self.overtaken.contains(offer) || on_tab.is_overtaken(offer, self.event)
        };
        let (gone, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(overtaken);
        self.pending = rest;
        self.party.refuse(&gone, Reason::AlreadyReversed);
        let detail = "it was reversed after it was asked for";
        gone.iter().for_each(|offer| answer.reject(offer, Reason::AlreadyReversed, detail));
    }

    /// Answers what stands already.
    async fn recall(&mut self, on_tab: &OnTab, answer: &mut Redeemed) -> Next {
        self.reject_overtaken(on_tab, answer);
        // In the order in which they were taken, so that the same question has the same answer.
        let claimed = on_tab.seen.standing.offers.iter().map(|standing| &standing.offer);
        let taken = self.stands.keys().filter(|offer| !on_tab.stands(offer));
        let asked: Vec<OfferRef> = claimed
            .chain(taken)
            .filter(|offer| self.pending.contains(offer) && !self.absent.contains(offer))
            .cloned()
            .collect();
        if !asked.is_empty() {
            let layout = self.party.campaign.ledger();
            let place = self.place.as_ref();
            let heard = on_tab.recall(self.ports, self.event, &asked, place, layout).await;
            let Ok(stands) = heard else {
                // What was claimed goes with what is undone.
                self.claimed.clear();
                self.not_now(answer, "the ledger is silent");
                return Next::Done;
            };
            for offer in asked {
                match stands.get(&offer) {
                    Some(outcome) => {
                        answer.add(&offer, outcome, &[]);
                        self.pending.retain(|pending| *pending != offer);
                    }
                    None => drop(self.absent.insert(offer)),
                }
            }
        }
        if self.pending.is_empty() { Next::Done } else { Next::Again }
    }

    /// Decides once.
    async fn step(&mut self, on_tab: &mut OnTab, answer: &mut Redeemed) -> Result<Next, Failure> {
        if !self.signed && on_tab.lock.is_some() {
            self.locked = true;
            if on_tab.lock == Some(Lock::Silent) {
                self.not_now(answer, "it cannot be known what stands");
            }
            self.reject(answer, Reason::UnknownCode, "the tab is locked");
            return Ok(Next::Done);
        }
        if self.settle_stale(on_tab).await {
            // What is said of it now is heard at the next admission, if not here.
            let _ = on_tab.look(self.ports, self.event, !self.signed).await;
            return Ok(Next::Again);
        }
        let standing = on_tab.standing(&self.absent);
        if self.party.has_other_code(&standing) {
            let detail = "another code of the same campaign stands on the tab";
            self.reject(answer, Reason::DoesNotCombine, detail);
            return Ok(Next::Done);
        }
        let others = on_tab.others(&self.absent);
        let mut said = self.party.decide(self.event, &standing, &others)?;
        said.rejections.extend(self.gone.iter().cloned());
        if said.quotes.is_empty() {
            if !on_tab.looked {
                let looked = on_tab.look(self.ports, self.event, !self.signed).await;
                if looked.is_err() {
                    self.not_now(answer, "the location is silent");
                    return Ok(Next::Done);
                }
                return Ok(Next::Again);
            }
            self.pending.drain(..).for_each(|offer| answer.refuse(&offer, &said.rejections));
            return Ok(Next::Done);
        }
        match self.admit(on_tab, &said).await {
            Ok(Some(place)) => self.take(on_tab, &said, &place, answer).await,
            Ok(None) => Ok(Next::Again),
            Err(detail) => {
                self.not_now(answer, detail);
                Ok(Next::Done)
            }
        }
    }

    /// Asks the location. Returns where the ledger keeps the tab; none when it is to be decided again.
    async fn admit(
        &mut self,
        on_tab: &mut OnTab,
        said: &Said,
    ) -> Result<Option<Place>, &'static str> {
        let campaign = self.party.campaign.id().clone();
        let home = self.party.home(self.event, self.ports.region());
        let attempt = Attempt { name: self.event.attempt.clone(), received: self.event.received };
        let admit = tab::Command::Admit(Admit {
            attempt,
            version: on_tab.seen.version,
            ceiling: said.ceiling,
            keep_days: self.party.campaign.retention_days(),
            limits: self.ports.limits().filter(|_| !self.signed),
            named: self.pending.clone(),
            campaigns: vec![Entry { campaign, home, offers: said.offers.clone() }],
        });
        let (location, names) = (&self.event.tab.location, self.event.names());
        let admission = match tabs::command(self.ports, location, names, admit).await {
            Ok(tab::Reply::Admission(admission)) => Some(admission),
            _ => None,
        };
        if matches!(admission, None | Some(Admission::Admitted { .. })) {
            for offer in &said.offers {
                // The most that was claimed: a later round may ask for less.
                let most = self.claimed.entry(offer.offer.clone()).or_insert(Money::ZERO);
                *most = (*most).max(offer.amount);
            }
        }
        match admission {
            Some(admission) => self.hear(on_tab, admission),
            None => Err("the location is silent"),
        }
    }

    fn hear(
        &mut self,
        on_tab: &mut OnTab,
        admission: Admission,
    ) -> Result<Option<Place>, &'static str> {
        match admission {
            Admission::Admitted { version, places } => {
                on_tab.seen.version = version;
                self.place = places.into_iter().next();
                return Ok(self.place.clone());
            }
            Admission::Moved(seen) => on_tab.hear(seen),
            Admission::Locked { until, seen } => {
                on_tab.hear(seen);
                on_tab.lock = Some(Lock::Until(until));
            }
            Admission::Short { room } if room.is_zero() => {
                self.party.refuse_all(Reason::WorthNothing);
            }
            Admission::Short { room } => self.party.limit(room),
            Admission::Barred(_) => self.party.refuse_all(Reason::DoesNotCombine),
            Admission::Reversed => self.party.refuse_all(Reason::AlreadyReversed),
            Admission::Overtaken(offers) => self.overtaken.extend(offers),
            Admission::Busy => return Err("too much on this tab is to be undone"),
        }
        Ok(None)
    }

    /// Asks the ledger.
    async fn take(
        &mut self,
        on_tab: &mut OnTab,
        said: &Said,
        place: &Place,
        answer: &mut Redeemed,
    ) -> Result<Next, Failure> {
        let key = tabs::key(&self.event.tab.location, place);
        let command = self.party.command(&said.quotes, &self.pending, key, self.event);
        let taken = rights::redeem(self.ports, &place.campaign, &place.home, command.clone()).await;
        let redeemed = match taken {
            Ok(redeemed) => redeemed,
            Err(Undecided::Outdated) => {
                if self.renew().await.is_err() {
                    let detail = "the campaign has changed, and its document cannot be read";
                    self.not_now(answer, detail);
                    return Ok(Next::Done);
                }
                return Ok(Next::Again);
            }
            Err(Undecided::Unreachable) => {
                undo(self.ports, place, self.event).await;
                self.claimed.clear();
                self.not_now(answer, "the ledger is silent");
                return Ok(Next::Done);
            }
        };
        self.stands.clone_from(&redeemed.standing);
        if self.party.hear(&command, &redeemed) {
            return Ok(Next::Again);
        }
        for (ask, outcome) in command.asks.iter().zip(&redeemed.outcomes) {
            answer.add(&ask.offer, outcome, &said.rejections);
            let own = said.offers.iter().find(|own| own.offer == ask.offer);
            if let (Some(own), Outcome::Applied { amount, .. }) = (own, outcome) {
                on_tab.took(own.clone(), *amount);
            }
        }
        self.pending.clear();
        Ok(Next::Done)
    }

    /// Puts the document that counts in the place of one that a ledger has refused as out of date. What it
    /// does not have any more, or what its code does not lead to any more, is not given.
    async fn renew(&mut self) -> Result<(), Unreachable> {
        let revision = self.ports.renew(self.party.campaign.id()).await?;
        let Some(first) = self.pending.first() else { return Ok(()) };
        let reject = |offer: &OfferRef| Rejection {
            offer_id: offer.to_string(),
            reason: Reason::UnknownCode,
            detail: "the campaign has changed: it has no such offer and code any more".to_owned(),
        };
        match self.ports.find_offer(first).await? {
            Resolution::Found(found) => {
                let campaign = Rc::clone(&found.campaign);
                let person = customer(self.ports, &found, self.event, false).await?;
                let asked = |key: &_| self.pending.iter().any(|offer| offer.offer == *key);
                self.party = Party::new(found, person, self.event, asked);
                let unknown = self.pending.iter().filter(|it| !campaign.has_offer(&it.offer));
                self.gone = unknown.map(reject).collect();
            }
            Resolution::Unknown { .. } => {
                self.party.refuse_all(Reason::UnknownCode);
                self.gone = self.pending.iter().map(reject).collect();
            }
        }
        self.party.revision = revision;
        Ok(())
    }

    /// Has claims settled that are old and may stand in the way. What a ledger does not say is believed.
    /// Returns whether anything was.
    async fn settle_stale(&mut self, on_tab: &OnTab) -> bool {
        let stale = self.event.received.plus_millis(-STALE);
        let old = on_tab.seen.claimed.iter().filter(|claimed| claimed.since <= stale);
        let old: Vec<Place> = old.map(|claimed| claimed.place.clone()).collect();
        let mut any = false;
        for place in old {
            if self.settled.insert(place.clone()) {
                let location = &self.event.tab.location;
                any |= settle_stale(self.ports, location, &place, stale).await.is_ok();
            }
        }
        any
    }

    /// Settles what was claimed and is not what stands.
    async fn settle_own(&self) {
        if self.claimed.iter().all(|(offer, most)| self.stands.get(offer) == Some(most)) {
            return;
        }
        let campaign = self.party.campaign.id().clone();
        let home = self.party.home(self.event, self.ports.region());
        let place = self.place.clone();
        let place =
            place.unwrap_or_else(|| Place { campaign, tab: self.event.tab.tab.clone(), home });
        let settle = left(&place, Some(self.stands.clone()), self.event);
        // At once, where it would be in the way of this REDEEM's other campaigns.
        if self.is_last || clean_up(self.ports, &settle).await.is_err() {
            self.ports.later(settle);
        }
    }
}
