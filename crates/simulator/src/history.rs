//! What the tills did and heard, which is what the promises are about; and, on demand, a diary.

use std::collections::{BTreeMap, BTreeSet};

use promo_core::checkout::{Failure, Redeemed, Reversed};
use promo_core::ident::{CampaignId, OfferRef};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::Command;
use promo_core::ledger::shard::Shard;
use promo_core::location::tab::Undo;
use promo_core::time::Instant;

#[derive(Default)]
pub struct History {
    pub redeems: Vec<RedeemEntry>,
    pub reversals: Vec<ReverseEntry>,
    /// The code and business day of the redemption that a campaign's uses of a tab are counted by.
    pub opened: BTreeMap<(CampaignId, TabKey), Opened>,
    /// How often rights were handed out, recalled, and counters taken over.
    pub moves: Moves,
    /// What happened, in words, when somebody wants to read it.
    pub diary: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Moves {
    pub provided: usize,
    pub recalled: usize,
    pub ceded: usize,
    /// Messages of any kind to a root.
    pub at_root: usize,
}

impl History {
    /// A tab knows what is to be undone.
    pub fn left_word(&mut self, undo: &Undo) {
        for redeem in self.redeems.iter_mut().filter(|r| r.attempt == undo.attempt.name) {
            redeem.word_left.insert(undo.place.campaign.clone());
        }
    }

    pub fn count(&mut self, shard: &Shard, command: &Command) {
        let moves = &mut self.moves;
        moves.at_root += usize::from(shard.is_root());
        match command {
            Command::Provide(_) => moves.provided += 1,
            Command::Recall(_) => moves.recalled += 1,
            Command::Cede(..) => moves.ceded += 1,
            _ => {}
        }
    }
}

#[derive(Clone)]
pub struct Opened {
    pub code: String,
    pub day: String,
}

/// One REDEEM as it reached an edge.
pub struct RedeemEntry {
    pub attempt: String,
    pub tab: TabKey,
    pub offers: Vec<OfferRef>,
    pub received: Instant,
    /// What the edge answered; none: it died, and nobody will know.
    pub answer: Option<Result<Redeemed, Failure>>,
    /// Undone at these campaigns: whether the undo has been acknowledged.
    pub undo: BTreeMap<CampaignId, bool>,
    /// Campaigns to whose ledger the network brought the same command twice.
    pub doubled: BTreeSet<CampaignId>,
    /// Campaigns at which the tab has word that it is to be undone.
    pub word_left: BTreeSet<CampaignId>,
}

/// One REVERSE as it reached an edge.
pub struct ReverseEntry {
    pub tab: TabKey,
    /// Empty: the whole tab.
    pub offers: Vec<OfferRef>,
    pub received: Instant,
    pub answer: Option<Result<Reversed, Failure>>,
}

/// What an edge said of one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Applied,
    Refused,
    /// It could not be asked.
    Unavailable,
    /// Nobody heard anything.
    Nothing,
}

impl RedeemEntry {
    pub fn names(&self, tab: &TabKey, offer: &OfferRef) -> bool {
        self.tab == *tab && self.offers.contains(offer)
    }

    pub fn said(&self, offer: &OfferRef) -> Said {
        let Some(answer) = &self.answer else { return Said::Nothing };
        let Ok(answer) = answer else { return Said::Refused };
        let id = offer.to_string();
        if answer.applied.iter().any(|quote| quote.offer_id == *offer) {
            return Said::Applied;
        }
        match answer.rejected.iter().find(|rejection| rejection.offer_id == id) {
            Some(rejection) if rejection.reason.as_str() == "temporarily_unavailable" => {
                Said::Unavailable
            }
            _ => Said::Refused,
        }
    }

    /// Whether this REDEEM may be why an offer stands: it was told so, or nobody can know.
    pub fn may_stand(&self, offer: &OfferRef) -> bool {
        let doubled = self.doubled.contains(&offer.campaign);
        match self.said(offer) {
            Said::Applied | Said::Nothing => true,
            // Its undo was lost with the edge that would have done it, which could not leave word either.
            Said::Unavailable => {
                let word_left = self.word_left.contains(&offer.campaign);
                !word_left && self.undo.get(&offer.campaign) == Some(&false)
            }
            // See `limits::a_doubled_command_can_take_what_was_refused`.
            Said::Refused => doubled,
        }
    }
}

impl ReverseEntry {
    pub fn covers(&self, tab: &TabKey, offer: &OfferRef) -> bool {
        self.tab == *tab && (self.offers.is_empty() || self.offers.contains(offer))
    }

    pub fn succeeded(&self) -> bool {
        matches!(self.answer, Some(Ok(_)))
    }
}
