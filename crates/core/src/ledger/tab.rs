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
//! # Why settling is safe
//! Whoever settles has first put up a fence or a barrier at the campaign's ledger (see
//! [`super::campaign`]): no REDEEM received up to an instant can take these offers any more. The
//! settlement carries that instant, and a claim with a REDEEM received later is left alone. So a
//! settlement never uncovers a redemption: not one that stands, nor one on its way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::{CampaignId, OfferRef};
use crate::money::Money;
use crate::time::Instant;

/// What stands, or may stand, on one tab of one location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tab {
    /// By campaign, in no order that matters.
    pub claims: BTreeMap<CampaignId, Claim>,
    /// The latest reversal of the whole tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Instant>,
}

/// What a campaign may have given on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whom it stands beside.
    pub combines: Combines,
    /// Discount by offer: what stands, or is about to. Empty: the campaign once stood here, and its
    /// ledger knows the history.
    pub offers: BTreeMap<OfferRef, Money>,
    /// The latest REDEEM that claimed.
    pub received: Instant,
}

/// Which other campaigns' discounts a campaign stands beside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combines {
    /// None.
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
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Command::Admit`].
    Admission(Admission),
    /// To [`Command::Settle`].
    Settled,
    /// To [`Command::Reverse`].
    Campaigns(Vec<Neighbour>),
}

/// A campaign asks to give these discounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Whom it stands beside.
    pub combines: Combines,
    /// What it would give, by offer.
    pub offers: BTreeMap<OfferRef, Money>,
    /// The tab's subtotal plus its fees.
    pub ceiling: Money,
    /// When the REDEEM reached the edge.
    pub received: Instant,
}

/// What a campaign's ledger says of offers that were claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// Which campaign.
    pub campaign: CampaignId,
    /// What each of these offers gives; zero: it does not stand. Others are left as they are.
    pub offers: BTreeMap<OfferRef, Money>,
    /// REDEEMs received up to here can take none of them any more.
    pub received: Instant,
}

/// Whether a campaign may give on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may, and the claim is written.
    Admitted,
    /// All together would exceed the tab.
    Short {
        /// This much is left for the offers asked for.
        left: Money,
        /// Those who may have the rest.
        beside: Vec<Neighbour>,
    },
    /// A campaign it does not combine with may stand here.
    Barred(Neighbour),
    /// The whole tab was reversed after this REDEEM was received.
    Reversed,
}

/// A campaign that has claimed on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Which.
    pub campaign: CampaignId,
    /// Its offers that stand, or are about to.
    pub offers: Vec<OfferRef>,
    /// When its latest REDEEM reached the edge.
    pub since: Instant,
}

impl Neighbour {
    fn of(campaign: &CampaignId, claim: &Claim) -> Self {
        Self {
            campaign: campaign.clone(),
            offers: claim.offers.keys().cloned().collect(),
            since: claim.received,
        }
    }
}

impl Tab {
    /// Decides one command; returns the answer and whether the tab changed.
    pub fn apply(&mut self, command: Command) -> (Reply, bool) {
        match command {
            Command::Admit(admit) => {
                let (admission, changed) = self.admit(admit);
                (Reply::Admission(admission), changed)
            }
            Command::Settle(settle) => (Reply::Settled, self.settle(settle)),
            Command::Reverse { received } => {
                let changed = self.barrier.is_none_or(|barrier| barrier < received);
                self.barrier = self.barrier.max(Some(received));
                {
                    let all = self.claims.iter().map(|(id, claim)| Neighbour::of(id, claim));
                    (Reply::Campaigns(all.collect()), changed)
                }
            }
        }
    }

    fn admit(&mut self, admit: Admit) -> (Admission, bool) {
        if self.barrier.is_some_and(|barrier| admit.received <= barrier) {
            return (Admission::Reversed, false);
        }
        let (mut given, mut beside) = (Money::ZERO, Vec::new());
        let others = self.claims.iter().filter(|(id, _)| **id != admit.campaign);
        for (other, claim) in others.filter(|(_, claim)| !claim.offers.is_empty()) {
            let together = claim.combines.accepts(&admit.campaign) && admit.combines.accepts(other);
            if !together {
                return (Admission::Barred(Neighbour::of(other, claim)), false);
            }
            given = given.saturating_add(total(claim.offers.values()));
            beside.push(Neighbour::of(other, claim));
        }
        let before = self.claims.get(&admit.campaign);
        let mut offers = before.map(|claim| claim.offers.clone()).unwrap_or_default();
        let others = offers.iter().filter(|(offer, _)| !admit.offers.contains_key(offer));
        let kept = total(others.map(|(_, amount)| amount));
        for (offer, amount) in admit.offers {
            let claimed = offers.entry(offer).or_insert(Money::ZERO);
            *claimed = (*claimed).max(amount);
        }
        let left = admit.ceiling.saturating_sub(given);
        let claimed_before = before.map_or(Money::ZERO, |claim| total(claim.offers.values()));
        // What was claimed before is not asked about again: a till repeats a REDEEM with the tab as
        // it is by then, perhaps already smaller by this very discount.
        if total(offers.values()) > left.max(claimed_before) {
            return (Admission::Short { left: left.saturating_sub(kept), beside }, false);
        }
        let received = before.map_or(admit.received, |claim| claim.received.max(admit.received));
        let claim = Claim { combines: admit.combines, offers, received };
        let changed = before != Some(&claim);
        self.claims.insert(admit.campaign, claim);
        (Admission::Admitted, changed)
    }

    fn settle(&mut self, settle: Settle) -> bool {
        let Some(claim) = self.claims.get_mut(&settle.campaign) else {
            return false;
        };
        if claim.received > settle.received {
            return false;
        }
        let before = claim.offers.clone();
        for (offer, amount) in settle.offers {
            if amount == Money::ZERO {
                claim.offers.remove(&offer);
            } else {
                claim.offers.insert(offer, amount);
            }
        }
        claim.offers != before
    }
}

fn total<'a>(amounts: impl Iterator<Item = &'a Money>) -> Money {
    amounts.fold(Money::ZERO, |sum, amount| sum.saturating_add(*amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> CampaignId {
        CampaignId::parse(name).unwrap()
    }

    fn offers(campaign: &str, amounts: &[(&str, u64)]) -> BTreeMap<OfferRef, Money> {
        amounts
            .iter()
            .map(|(offer, amount)| {
                let offer = OfferRef::parse(&format!("{campaign}.{offer}.CODE")).unwrap();
                (offer, Money::new(*amount))
            })
            .collect()
    }

    fn admit(campaign: &str, combines: Combines, amount: u64, received: i64) -> Admit {
        Admit {
            campaign: id(campaign),
            combines,
            offers: offers(campaign, &[("o", amount)]),
            ceiling: Money::new(1000),
            received: Instant::from_millis(received),
        }
    }

    fn settle(campaign: &str, amounts: &[(&str, u64)], received: i64) -> Settle {
        let received = Instant::from_millis(received);
        Settle { campaign: id(campaign), offers: offers(campaign, amounts), received }
    }

    fn barred_by_a(since: i64) -> Admission {
        Admission::Barred(a_since(since))
    }

    fn a_since(since: i64) -> Neighbour {
        Neighbour {
            campaign: id("a"),
            offers: offers("a", &[("o", 1)]).into_keys().collect(),
            since: Instant::from_millis(since),
        }
    }

    #[test]
    fn two_campaigns_stand_together_only_when_both_agree() {
        let only_b = || Combines::Only(vec![id("b")]);
        for (a, b, together) in [
            (Combines::None, Combines::Any, false),
            (Combines::Any, Combines::None, false),
            (Combines::Any, Combines::Any, true),
            (only_b(), Combines::Any, true),
            (only_b(), Combines::None, false),
        ] {
            let mut tab = Tab::default();
            assert_eq!(tab.admit(admit("a", a, 10, 1)).0, Admission::Admitted);
            let second = tab.admit(admit("b", b, 10, 2)).0;
            let barred = barred_by_a(1);
            assert_eq!(second, if together { Admission::Admitted } else { barred });
        }
    }

    #[test]
    fn all_discounts_of_a_tab_stop_at_what_it_costs() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 700, 1));
        let second = tab.admit(admit("b", Combines::Any, 400, 2)).0;
        assert_eq!(second, Admission::Short { left: Money::new(300), beside: vec![a_since(1)] });
        assert_eq!(tab.admit(admit("b", Combines::Any, 300, 2)).0, Admission::Admitted);
    }

    #[test]
    fn a_campaigns_offers_add_up_and_a_repeated_one_counts_once() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 700, 1));
        assert_eq!(tab.admit(admit("a", Combines::Any, 700, 1)), (Admission::Admitted, false));
        let mut more = admit("a", Combines::Any, 0, 2);
        more.offers = offers("a", &[("p", 400)]);
        let short = Admission::Short { left: Money::new(300), beside: Vec::new() };
        assert_eq!(tab.admit(more).0, short);
    }

    #[test]
    fn a_repeat_on_a_tab_that_has_become_smaller_is_admitted() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 700, 1));
        let mut again = admit("a", Combines::Any, 700, 2);
        again.ceiling = Money::new(300);
        assert_eq!(tab.admit(again).0, Admission::Admitted);
    }

    #[test]
    fn what_was_not_taken_is_settled_and_leaves_room() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::None, 700, 1));
        assert!(tab.settle(settle("a", &[("o", 0)], 1)));
        assert_eq!(tab.admit(admit("b", Combines::None, 900, 2)).0, Admission::Admitted);
    }

    #[test]
    fn a_settlement_leaves_the_offers_it_does_not_name() {
        let mut tab = Tab::default();
        let mut two = admit("a", Combines::Any, 700, 1);
        two.offers = offers("a", &[("o", 700), ("p", 100)]);
        tab.admit(two);
        tab.settle(settle("a", &[("o", 300)], 1));
        let second = tab.admit(admit("b", Combines::Any, 601, 2)).0;
        let Admission::Short { left, .. } = second else { panic!("{second:?}") };
        assert_eq!(left, Money::new(600));
    }

    #[test]
    fn an_old_settlement_never_uncovers_a_newer_claim() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::None, 700, 1));
        tab.admit(admit("a", Combines::None, 700, 5));
        assert!(!tab.settle(settle("a", &[("o", 0)], 4)));
        let barred = barred_by_a(5);
        assert_eq!(tab.admit(admit("b", Combines::None, 1, 6)).0, barred);
    }

    #[test]
    fn a_reversal_of_the_tab_refuses_the_redeem_it_overtook_and_names_who_must_hear() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 1, 1));
        let (reply, changed) = tab.apply(Command::Reverse { received: Instant::from_millis(5) });
        assert_eq!((reply, changed), (Reply::Campaigns(vec![a_since(1)]), true));
        assert_eq!(tab.admit(admit("b", Combines::Any, 1, 5)).0, Admission::Reversed);
        assert_eq!(tab.admit(admit("b", Combines::Any, 1, 6)).0, Admission::Admitted);
    }
}
