//! What REDEEMs have claimed of one campaign on a tab.

use serde::{Deserialize, Serialize};

use super::{Place, Settle};
use crate::engine::StandingOffer;
use crate::ident::{CampaignId, OfferRef, TabId};
use crate::ledger::Attempt;
use crate::ledger::shard::Shard;
use crate::time::Instant;

/// Claims kept apart for each offer: the first one then stands for all earlier ones. (Those have
/// most likely ended; a late one must still be able to say that it got less than it claimed.)
pub(super) const KEPT_ASKS: usize = 8;

/// What a campaign may have given on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Which campaign.
    pub(super) campaign: CampaignId,
    /// The tab's name in its ledger.
    pub(super) tab: TabId,
    /// Which object of its ledger keeps the tab.
    #[serde(default, skip_serializing_if = "Shard::is_root")]
    pub(super) home: Shard,
    /// Each offer with who claimed it: what stands, or may be about to. Empty: the campaign once
    /// stood here, and its ledger knows the history. INVARIANT: no offer without a claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) offers: Vec<Vec<Asked>>,
}

/// What one REDEEM claimed of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Which REDEEM.
    pub attempt: Attempt,
    /// The offer, and what it takes off which line.
    pub offer: StandingOffer,
    /// Up to when its ledger had settled it when it last said that it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Instant>,
}

impl Claim {
    pub(super) fn new(campaign: &CampaignId, tab: &TabId, home: &Shard) -> Self {
        Self {
            campaign: campaign.clone(),
            tab: tab.clone(),
            home: home.clone(),
            offers: Vec::new(),
        }
    }

    /// Where the campaign's ledger keeps this tab.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { campaign: self.campaign.clone(), tab: self.tab.clone(), home: self.home.clone() }
    }

    /// Who claimed what, offer by offer.
    pub fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.offers.iter().flatten()
    }

    pub(super) fn is(&self, campaign: &CampaignId, tab: &TabId) -> bool {
        self.campaign == *campaign && self.tab == *tab
    }

    /// The offers that stand or may be about to, each with the most that any of its claims is, but
    /// for those that only this attempt has claimed.
    pub(super) fn standing(&self, but: Option<&str>) -> impl Iterator<Item = StandingOffer> {
        self.offers.iter().filter_map(move |asked| {
            if asked.iter().all(|asked| Some(asked.attempt.name.as_str()) == but) {
                return None;
            }
            let mut asked = asked.iter();
            let mut standing = asked.next()?.offer.clone();
            asked.for_each(|further| standing.cover(&further.offer));
            Some(standing)
        })
    }

    /// Up to when each of these claims but this attempt's is known to be true at least: when its
    /// REDEEM was received, or up to when its ledger has settled it since.
    pub(super) fn since(&self, but: Option<&str>) -> Option<Instant> {
        let others = self.asked().filter(|asked| Some(asked.attempt.name.as_str()) != but);
        others.map(|asked| asked.confirmed.max(Some(asked.attempt.received))).min()?
    }

    /// Claims an offer for an attempt, in the place of what the attempt claimed of it before.
    pub(super) fn add(&mut self, offer: &StandingOffer, attempt: &Attempt) {
        let new = Asked { attempt: attempt.clone(), offer: offer.clone(), confirmed: None };
        let Some(all) = self.of_mut(&offer.offer) else {
            self.offers.push(vec![new]);
            return;
        };
        if let Some(own) = all.iter_mut().find(|asked| asked.attempt.name == attempt.name) {
            if own.offer != *offer {
                *own = new;
            }
            return;
        }
        if all.len() >= KEPT_ASKS {
            let oldest = all.remove(0);
            for next in all.iter_mut().take(1) {
                next.attempt.absorb(&oldest.attempt);
                next.offer.cover(&oldest.offer);
            }
        }
        all.push(new);
    }

    fn of_mut(&mut self, offer: &OfferRef) -> Option<&mut Vec<Asked>> {
        let of = |all: &&mut Vec<Asked>| all.first().is_some_and(|it| it.offer.offer == *offer);
        self.offers.iter_mut().find(of)
    }

    /// Takes claims away.
    pub(super) fn forget(&mut self, which: impl Fn(&Asked) -> bool) {
        self.offers.iter_mut().for_each(|all| all.retain(|asked| !which(asked)));
        self.offers.retain(|all| !all.is_empty());
    }

    pub(super) fn settle(&mut self, settle: &Settle) {
        for all in &mut self.offers {
            let Some(offer) = all.first().map(|asked| asked.offer.offer.clone()) else { continue };
            let settled =
                |asked: &Asked| settle.which.covers(&offer, &asked.attempt, settle.received);
            let Some(amount) = settle.standing.get(&offer) else {
                all.retain(|asked| !settled(asked));
                continue;
            };
            // It stands, if only because somebody else asked for it: with the shares of whoever
            // did.
            let as_it_stands = all.iter().find(|asked| asked.offer.amount == *amount);
            let as_it_stands = as_it_stands.map(|asked| asked.offer.clone());
            for asked in all.iter_mut().filter(|asked| settled(asked)) {
                match &as_it_stands {
                    Some(offer) if asked.offer.amount != *amount => asked.offer = offer.clone(),
                    _ => asked.offer.amount = *amount,
                }
                asked.confirmed = asked.confirmed.max(Some(settle.received));
            }
        }
        self.offers.retain(|all| !all.is_empty());
    }

    /// Takes over the claims of the same campaign and tab.
    pub(super) fn join(&mut self, other: Self) {
        for asked in other.offers.into_iter().flatten() {
            match self.of_mut(&asked.offer.offer) {
                Some(all) if all.contains(&asked) => {}
                Some(all) => all.push(asked),
                None => self.offers.push(vec![asked]),
            }
        }
    }
}
