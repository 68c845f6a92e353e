//! What a campaign's ledger keeps: one record a tab, one number a counter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::{Ask, Give, Outcome, Redeem, Reverse};
use crate::ident::OfferRef;
use crate::ledger::Attempt;
use crate::ledger::counter::Taken;
use crate::money::{Currency, Money};
use crate::time::Instant;

/// Past epochs kept for each offer of a tab; a till that redeems and reverses in a loop must not grow
/// a row without end.
const KEPT_EPOCHS: usize = 32;
/// Undone attempts kept for each tab, the latest ones.
const KEPT_UNDONE: usize = 32;
/// Attempts kept apart for each redemption: the first one then stands for all earlier ones, and is not
/// undone any more.
const KEPT_ATTEMPTS: usize = 8;

/// All a campaign's ledger keeps of one tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabRecord {
    /// By offer and code, everything that happened.
    pub offers: BTreeMap<OfferRef, Standing>,
    /// What the campaign's own use quotas count once for the tab, while any offer stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Taken>,
    /// The latest reversal of the whole tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Instant>,
    /// No REDEEM received up to here takes anything; see [`super::Command::Fence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Instant>,
    /// Attempts that were undone before they were heard of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
}

/// One offer on one tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Each epoch's redemption, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<Redemption>,
    /// The latest reversal that named this offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Instant>,
}

/// One redemption of one offer on one tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// 1 for the first on this tab, one more after each reversal.
    pub epoch: u32,
    /// Whether it stands.
    pub state: State,
    /// The discount given.
    pub amount: Money,
    /// Its currency.
    pub currency: Currency,
    /// The guest's pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Which POS asked.
    pub pos: String,
    /// The attempts that took it or heard that it stands: given back only when none is left.
    pub attempts: Vec<Attempt>,
    /// When the REDEEM reached the edge.
    pub received: Instant,
    /// When it was decided here.
    pub decided: Instant,
    /// When it was reversed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Instant>,
    /// What it took from the counters, besides what the tab shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took: Vec<Taken>,
    /// The answer the POS got, for when it asks again; dropped with the reversal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// Whether a redemption stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It stands.
    Applied,
    /// It was given back.
    Reversed,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Reversed => "reversed",
        }
    }
}

impl TabRecord {
    /// The redemption of an offer that stands, if one does.
    #[must_use]
    pub fn applied(&self, offer: &OfferRef) -> Option<&Redemption> {
        self.offers.get(offer)?.applied()
    }

    /// Every offer that stands, with its redemption.
    pub fn standing(&self) -> impl Iterator<Item = (&OfferRef, &Redemption)> {
        self.offers.iter().filter_map(|(offer, standing)| Some((offer, standing.applied()?)))
    }

    /// What every offer that stands gives.
    pub(super) fn given(&self) -> BTreeMap<OfferRef, Money> {
        self.standing().map(|(offer, standing)| (offer.clone(), standing.amount)).collect()
    }

    /// Whether a reversal covers what this REDEEM asks for: it was received at or after the REDEEM,
    /// or undid this very attempt.
    pub(super) fn overtaken(&self, offer: &OfferRef, redeem: &Redeem) -> bool {
        let named = self.offers.get(offer).and_then(|standing| standing.barrier);
        self.undone.contains(&redeem.attempt)
            || [self.barrier, named].into_iter().flatten().any(|barrier| redeem.received <= barrier)
    }

    /// Notes that an attempt was undone, should it still arrive.
    pub(super) fn undo(&mut self, attempt: &str) {
        if self.undone.iter().any(|undone| undone == attempt) {
            return;
        }
        if self.undone.len() >= KEPT_UNDONE {
            self.undone.remove(0);
        }
        self.undone.push(attempt.to_owned());
    }

    /// Recalls an offer that stands, and notes that this attempt hears of it.
    pub(super) fn recall(&mut self, offer: &OfferRef, redeem: &Redeem) -> Option<Outcome> {
        let standing = self.offers.get_mut(offer)?.redemptions.last_mut()?;
        if standing.state != State::Applied {
            return None;
        }
        let known = standing.attempts.iter().any(|heard| heard.name == redeem.attempt);
        if !known {
            if standing.attempts.len() >= KEPT_ATTEMPTS {
                let oldest = standing.attempts.remove(0);
                standing.attempts.iter_mut().take(1).for_each(|next| next.absorb(&oldest));
            }
            standing.attempts.push(redeem.attempt());
        }
        Some(Outcome::Applied { amount: standing.amount, answer: standing.answer.clone() })
    }

    pub(super) fn add(
        &mut self,
        redeem: &Redeem,
        ask: &Ask,
        give: &Give,
        took: Vec<Taken>,
        now: Instant,
    ) {
        let standing = self.offers.entry(ask.offer.clone()).or_default();
        let epoch = standing.redemptions.last().map_or(0, |last| last.epoch).saturating_add(1);
        if standing.redemptions.len() >= KEPT_EPOCHS {
            standing.redemptions.remove(0);
        }
        standing.redemptions.push(Redemption {
            epoch,
            state: State::Applied,
            amount: give.amount,
            currency: redeem.currency,
            customer: redeem.customer.clone(),
            pos: redeem.pos.clone(),
            attempts: vec![redeem.attempt()],
            received: redeem.received,
            decided: now,
            reversed: None,
            took,
            answer: give.answer.clone(),
        });
    }
}

impl Redeem {
    fn attempt(&self) -> Attempt {
        Attempt { name: self.attempt.clone(), received: self.received }
    }
}

impl Redemption {
    /// Whether a reversal gives this redemption back: the attempts it covers are crossed off, and
    /// nobody else has asked for it. (A till that reverses, and asks again before the reversal is
    /// handled, hears that the offer stands; the late reversal must not make that untrue.)
    pub(super) fn is_covered(&mut self, offer: &OfferRef, reverse: &Reverse) -> bool {
        let covers = |attempt: &Attempt| reverse.which.covers(offer, attempt, reverse.received);
        self.attempts.retain(|attempt| !covers(attempt));
        self.attempts.is_empty()
    }
}

impl Standing {
    pub(super) fn applied(&self) -> Option<&Redemption> {
        self.redemptions.last().filter(|last| last.state == State::Applied)
    }
}
