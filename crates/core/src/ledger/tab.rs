//! A tab's machine: which campaigns stand on one tab, and how much they may still give.
//!
//! Campaigns have a ledger each, so two of them know nothing of one another. What holds for a tab as
//! a whole is decided here, before a campaign's ledger is asked:
//!
//! - two codes stand together only if both sides agree (`combines_with`);
//! - all discounts together never exceed the tab's subtotal plus its fees;
//! - a reversal of the whole tab reaches every campaign on it, and refuses a REDEEM it overtook, even
//!   one of a campaign that nobody had heard of on this tab yet.
//!
//! # The protocol
//! A REDEEM first *admits* its offers: written here before the ledger is asked, so a crash in between
//! leaves a claim too many, never a redemption nobody knows of. A claim that was not taken is
//! *settled* afterwards to what the ledger says stands. One that nobody settled (the edge died) still
//! bars others; whoever meets it settles it.
//!
//! A tab also remembers which object of a campaign's ledger keeps its redemptions: its *home*, from the
//! first admission on, whatever becomes of the campaign's layout. So every later command meets the
//! barriers and the history that the earlier ones left.
//!
//! A till that was told "not now" because a ledger did not answer must not be charged for it: the edge
//! leaves word here before it answers, and the tab has the attempt undone, though the edge die the next
//! instant.
//!
//! A reversal that names offers asks here first. A campaign that has claimed on this tab hears of it, and
//! its ledger keeps the barrier. One that never has may be a campaign that does not exist, and its ledger
//! must not come into being for it: then the *tab* keeps the barrier, offer by offer, and refuses the
//! REDEEM that the reversal overtook when that one asks to be admitted. Every REDEEM does, before its
//! ledger is asked, so no barrier is missed: it is either here, or the claim was here when the reversal
//! came, and the ledger heard. They are bounded ([`Barriers`]).
//!
//! # Why settling is safe
//! INVARIANT: what stands by a campaign's ledger is claimed here, and no less of it; else two codes
//! could stand that do not combine. So a claim is kept apart for each attempt that made it, and a
//! settlement takes away only those that can never again lead to a redemption: its own attempt's, when
//! that has ended; or those of REDEEMs received up to an instant, when the ledger has a fence or a
//! barrier against them (see [`super::campaign`]). Whatever else is on its way keeps its claim, and
//! settlements may come late, twice and in any order.

mod barriers;

use std::collections::BTreeMap;

pub use barriers::Barriers;
use serde::{Deserialize, Serialize};

use super::campaign::Which;
use super::shard::Shard;
use super::{Attempt, TabKey};
use crate::ident::{CampaignId, OfferRef};
use crate::money::Money;
use crate::time::Instant;

/// Claims kept apart for each offer: the first one then stands for all earlier ones. (Those have most
/// likely ended; a late one must still be able to say that it got less than it claimed.)
const KEPT_ASKS: usize = 8;

/// What stands, or may stand, on one tab of one location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tab {
    /// By campaign, in no order that matters.
    pub claims: BTreeMap<CampaignId, Claim>,
    /// The latest reversal of the whole tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Instant>,
    /// Offers that were reversed before their campaigns ever stood here.
    #[serde(default, skip_serializing_if = "Barriers::is_empty")]
    pub barriers: Barriers,
    /// Attempts whose till was told "not now", though they may have taken something: to be undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undos: Vec<Undo>,
}

/// What one attempt perhaps took of a campaign, and nobody heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Which object of its ledger keeps this tab.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
    /// The tab.
    pub tab: TabKey,
    /// The attempt.
    pub attempt: Attempt,
}

/// What a campaign may have given on this tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whom it stands beside.
    pub combines: Combines,
    /// Which object of its ledger keeps this tab.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
    /// By offer, who claimed it: what stands, or may be about to. Empty: the campaign once stood here,
    /// and its ledger knows the history.
    pub offers: BTreeMap<OfferRef, Vec<Asked>>,
}

/// What one REDEEM claimed of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub attempt: Attempt,
    /// The discount.
    pub amount: Money,
}

/// Which other campaigns' discounts a campaign stands beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combines {
    /// None.
    #[default]
    None,
    /// All that agree.
    Any,
    /// These, if they agree.
    Only(Vec<CampaignId>),
}

impl Combines {
    fn accepts(&self, other: &CampaignId) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Only(list) => list.contains(other),
        }
    }
}

/// A command to a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// May this campaign give this much here?
    Admit(Admit),
    /// This is what stands.
    Settle(Settle),
    /// The whole tab is reversed: which campaigns must hear of it?
    Reverse {
        /// When the event reached the edge.
        received: Instant,
    },
    /// These offers are reversed: which campaigns must hear of it? For the offers of the others, which
    /// never stood here, the tab itself keeps a barrier.
    ReverseOffers {
        /// Which.
        offers: Vec<OfferRef>,
        /// When the event reached the edge.
        received: Instant,
    },
    /// This is to be undone, whoever dies: the tab sees to it until it is settled.
    Undo(Undo),
    /// A REDEEM has nothing to give and only asks what it redeemed before: which object keeps this tab?
    /// Nothing is written.
    Home(Home),
    /// Which of these offers may stand here? Nothing is written.
    Claimed(Vec<OfferRef>),
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Command::Admit`].
    Admission(Admission),
    /// To [`Command::Settle`] and [`Command::Undo`].
    Settled,
    /// To [`Command::Reverse`] and [`Command::ReverseOffers`]: campaigns, and who keeps this tab.
    Campaigns(Vec<(CampaignId, Shard)>),
    /// To [`Command::Home`]: who keeps this tab, and which of the offers are [`Admission::Overtaken`].
    Home(Shard, Vec<OfferRef>),
    /// To [`Command::Claimed`]: by campaign, who keeps this tab, and which.
    Claimed(BTreeMap<CampaignId, (Shard, Vec<OfferRef>)>),
}

/// Offers of a campaign are named that have nothing to give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Who is going to keep this tab, if nobody does.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub otherwise: Shard,
    /// The offers.
    pub named: Vec<OfferRef>,
    /// When the REDEEM reached the edge.
    pub received: Instant,
}

/// A campaign asks to give these discounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Whom it stands beside.
    pub combines: Combines,
    /// Which object of its ledger is to keep this tab, if none does.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
    /// What it would give, by offer.
    pub offers: BTreeMap<OfferRef, Money>,
    /// What it only names, as it has nothing to give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<OfferRef>,
    /// The tab's subtotal plus its fees.
    pub ceiling: Money,
    /// The REDEEM.
    pub attempt: Attempt,
}

/// What a campaign's ledger says stands, after some of what was claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Whose claims are settled, as a reversal names them: an attempt that has ended, or what the
    /// ledger has a fence or barrier against.
    pub which: Which,
    /// The fence or barrier.
    pub received: Instant,
    /// What stands, by offer.
    pub standing: BTreeMap<OfferRef, Money>,
}

/// Whether a campaign may give on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may, and the claim is written; this object keeps the tab.
    Admitted(Shard),
    /// All together would exceed the tab.
    Short {
        /// This much more may the campaign claim.
        room: Money,
        /// What it has claimed.
        claimed: BTreeMap<OfferRef, Money>,
        /// Those who have claimed all the rest, itself included, each with its first REDEEM.
        by: Vec<Neighbour>,
    },
    /// A campaign it does not combine with may stand here; with its latest REDEEM.
    Barred(Neighbour),
    /// The whole tab was reversed after this REDEEM was received.
    Reversed,
    /// These of the offers were reversed after this REDEEM was received; nothing was claimed.
    Overtaken(Vec<OfferRef>),
}

/// A campaign that has claimed on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Which.
    pub campaign: CampaignId,
    /// Which object of its ledger keeps this tab.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub home: Shard,
    /// When its REDEEM reached the edge.
    pub since: Instant,
}

impl Tab {
    /// Decides one command; returns the answer and whether the tab changed.
    pub fn apply(&mut self, command: Command) -> (Reply, bool) {
        match command {
            Command::Admit(admit) => {
                let (admission, changed) = self.admit(admit);
                (Reply::Admission(admission), changed)
            }
            Command::Settle(settle) => (Reply::Settled, self.settle(&settle)),
            Command::Reverse { received } => {
                let changed = self.barrier.is_none_or(|barrier| barrier < received);
                self.barrier = self.barrier.max(Some(received));
                let homes = self.claims.iter().map(|(id, claim)| (id.clone(), claim.home.clone()));
                (Reply::Campaigns(homes.collect()), changed)
            }
            Command::ReverseOffers { offers, received } => self.reverse_offers(offers, received),
            Command::Undo(undo) => {
                let known = self.undos.contains(&undo);
                if !known {
                    self.undos.push(undo);
                }
                (Reply::Settled, !known)
            }
            Command::Home(Home { campaign, otherwise, named, received }) => {
                let home = self.claims.get(&campaign).map(|claim| claim.home.clone());
                let overtaken = self.overtaken(&named, received).cloned().collect();
                (Reply::Home(home.unwrap_or(otherwise), overtaken), false)
            }
            Command::Claimed(offers) => (Reply::Claimed(self.claimed(offers)), false),
        }
    }

    fn claimed(&self, offers: Vec<OfferRef>) -> BTreeMap<CampaignId, (Shard, Vec<OfferRef>)> {
        let mut claimed = BTreeMap::new();
        for offer in offers {
            let Some(claim) = self.claims.get(&offer.campaign) else { continue };
            if claim.offers.contains_key(&offer) {
                let none = || (claim.home.clone(), Vec::new());
                claimed.entry(offer.campaign.clone()).or_insert_with(none).1.push(offer);
            }
        }
        claimed
    }

    fn reverse_offers(&mut self, offers: Vec<OfferRef>, received: Instant) -> (Reply, bool) {
        let (mut homes, mut changed) = (BTreeMap::new(), false);
        for offer in offers {
            if let Some(claim) = self.claims.get(&offer.campaign) {
                homes.insert(offer.campaign, claim.home.clone());
                continue;
            }
            changed |= self.barriers.raise(offer, received);
        }
        (Reply::Campaigns(homes.into_iter().collect()), changed)
    }

    /// Those of the offers that were reversed at or after this instant.
    fn overtaken<'o>(
        &self,
        offers: impl IntoIterator<Item = &'o OfferRef>,
        received: Instant,
    ) -> impl Iterator<Item = &'o OfferRef> {
        let until = |offer: &OfferRef| self.barriers.covering(offer).max(self.barrier);
        offers.into_iter().filter(move |offer| until(offer) >= Some(received))
    }

    fn admit(&mut self, admit: Admit) -> (Admission, bool) {
        if self.barrier.is_some_and(|barrier| admit.attempt.received <= barrier) {
            return (Admission::Reversed, false);
        }
        let named = admit.offers.keys().chain(&admit.named);
        let overtaken: Vec<_> = self.overtaken(named, admit.attempt.received).cloned().collect();
        if !overtaken.is_empty() {
            return (Admission::Overtaken(overtaken), false);
        }
        let mut given = Money::ZERO;
        for (other, claim) in self.claims.iter().filter(|(id, _)| **id != admit.campaign) {
            let Some(since) = claim.received().max() else { continue };
            let together = claim.combines.accepts(&admit.campaign) && admit.combines.accepts(other);
            if !together {
                return (Admission::Barred(claim.neighbour(other, since)), false);
            }
            given = given.saturating_add(claim.total());
        }
        let before = self.claims.get(&admit.campaign);
        let mut claim = Claim {
            combines: admit.combines,
            home: before.map_or(admit.home, |claim| claim.home.clone()),
            offers: before.map(|claim| claim.offers.clone()).unwrap_or_default(),
        };
        for (offer, amount) in admit.offers {
            claim.add(offer, Asked { attempt: admit.attempt.clone(), amount });
        }
        let left = admit.ceiling.saturating_sub(given);
        let claimed_before = before.map_or(Money::ZERO, Claim::total);
        // What was claimed before is not asked about again: a till repeats a REDEEM with the tab as
        // it is by then, perhaps already smaller by this very discount.
        if claim.total() > left.max(claimed_before) {
            let since = |(campaign, claim): (&CampaignId, &Claim)| {
                Some(claim.neighbour(campaign, claim.received().min()?))
            };
            let short = Admission::Short {
                room: left.saturating_sub(claimed_before),
                claimed: before.map(Claim::by_offer).unwrap_or_default(),
                by: self.claims.iter().filter_map(since).collect(),
            };
            return (short, false);
        }
        let changed = before != Some(&claim);
        let home = claim.home.clone();
        self.claims.insert(admit.campaign, claim);
        (Admission::Admitted(home), changed)
    }

    fn settle(&mut self, settle: &Settle) -> bool {
        let undos = self.undos.len();
        if let Which::Attempt(name) = &settle.which {
            let done = |u: &Undo| u.campaign == settle.campaign && u.attempt.name == *name;
            self.undos.retain(|undo| !done(undo));
        }
        let undone = undos != self.undos.len();
        let Some(claim) = self.claims.get_mut(&settle.campaign) else {
            return undone;
        };
        let before = claim.offers.clone();
        for (offer, asked) in &mut claim.offers {
            let settled =
                |asked: &Asked| settle.which.covers(offer, &asked.attempt, settle.received);
            match settle.standing.get(offer) {
                None => asked.retain(|asked| !settled(asked)),
                // It stands, if only because somebody else asked for it.
                Some(amount) => {
                    asked.iter_mut().filter(|a| settled(a)).for_each(|a| a.amount = *amount);
                }
            }
        }
        claim.offers.retain(|_, asked| !asked.is_empty());
        undone || claim.offers != before
    }
}

impl Claim {
    /// What is claimed, by offer.
    #[must_use]
    pub fn by_offer(&self) -> BTreeMap<OfferRef, Money> {
        let most = |asked: &Vec<Asked>| asked.iter().map(|asked| asked.amount).max();
        self.offers.iter().filter_map(|(o, asked)| Some((o.clone(), most(asked)?))).collect()
    }

    fn neighbour(&self, campaign: &CampaignId, since: Instant) -> Neighbour {
        Neighbour { campaign: campaign.clone(), home: self.home.clone(), since }
    }

    fn total(&self) -> Money {
        self.by_offer().into_values().fold(Money::ZERO, Money::saturating_add)
    }

    /// When the REDEEMs that claimed reached the edge.
    fn received(&self) -> impl Iterator<Item = Instant> {
        self.offers.values().flatten().map(|asked| asked.attempt.received)
    }

    fn add(&mut self, offer: OfferRef, new: Asked) {
        let all = self.offers.entry(offer).or_default();
        if let Some(own) = all.iter_mut().find(|asked| asked.attempt == new.attempt) {
            own.amount = own.amount.max(new.amount);
            return;
        }
        if all.len() >= KEPT_ASKS {
            let oldest = all.remove(0);
            for next in all.iter_mut().take(1) {
                next.attempt.absorb(&oldest.attempt);
                next.amount = next.amount.max(oldest.amount);
            }
        }
        all.push(new);
    }
}

#[cfg(test)]
mod tests;
