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
//! INVARIANT: what stands by a campaign's ledger is claimed here, and no less of it; else two codes
//! could stand that do not combine. So a claim is kept apart for each attempt that made it, and a
//! settlement takes away only those that can never again lead to a redemption: its own attempt's, when
//! that has ended; or those of REDEEMs received up to an instant, when the ledger has a fence or a
//! barrier against them (see [`super::campaign`]). Whatever else is on its way keeps its claim, and
//! settlements may come late, twice and in any order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Attempt;
use super::campaign::Which;
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
}

/// What a campaign may have given on this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whom it stands beside.
    pub combines: Combines,
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
    Campaigns(Vec<CampaignId>),
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
    /// It may, and the claim is written.
    Admitted,
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
}

/// A campaign that has claimed on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Which.
    pub campaign: CampaignId,
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
                (Reply::Campaigns(self.claims.keys().cloned().collect()), changed)
            }
        }
    }

    fn admit(&mut self, admit: Admit) -> (Admission, bool) {
        if self.barrier.is_some_and(|barrier| admit.attempt.received <= barrier) {
            return (Admission::Reversed, false);
        }
        let mut given = Money::ZERO;
        for (other, claim) in self.claims.iter().filter(|(id, _)| **id != admit.campaign) {
            let Some(since) = claim.received().max() else { continue };
            let together = claim.combines.accepts(&admit.campaign) && admit.combines.accepts(other);
            if !together {
                return (Admission::Barred(Neighbour { campaign: other.clone(), since }), false);
            }
            given = given.saturating_add(claim.total());
        }
        let before = self.claims.get(&admit.campaign);
        let mut claim = Claim {
            combines: admit.combines,
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
                Some(Neighbour { campaign: campaign.clone(), since: claim.received().min()? })
            };
            let short = Admission::Short {
                room: left.saturating_sub(claimed_before),
                claimed: before.map(Claim::by_offer).unwrap_or_default(),
                by: self.claims.iter().filter_map(since).collect(),
            };
            return (short, false);
        }
        let changed = before != Some(&claim);
        self.claims.insert(admit.campaign, claim);
        (Admission::Admitted, changed)
    }

    fn settle(&mut self, settle: &Settle) -> bool {
        let Some(claim) = self.claims.get_mut(&settle.campaign) else {
            return false;
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
        claim.offers != before
    }
}

impl Claim {
    /// What is claimed, by offer.
    #[must_use]
    pub fn by_offer(&self) -> BTreeMap<OfferRef, Money> {
        let most = |asked: &Vec<Asked>| asked.iter().map(|asked| asked.amount).max();
        self.offers.iter().filter_map(|(o, asked)| Some((o.clone(), most(asked)?))).collect()
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
        let received = Instant::from_millis(received);
        Admit {
            campaign: id(campaign),
            combines,
            offers: offers(campaign, &[("o", amount)]),
            ceiling: Money::new(1000),
            attempt: Attempt { name: format!("at {}", received.millis()), received },
        }
    }

    /// The REDEEM received then has ended, and this is what stands.
    fn ended(campaign: &str, standing: &[(&str, u64)], received: i64) -> Settle {
        let which = Which::Attempt(format!("at {received}"));
        Settle { which, ..reversed(campaign, standing, received) }
    }

    fn reversed(campaign: &str, standing: &[(&str, u64)], received: i64) -> Settle {
        Settle {
            campaign: id(campaign),
            which: Which::All,
            received: Instant::from_millis(received),
            standing: offers(campaign, standing),
        }
    }

    fn room(admission: &Admission) -> Option<u64> {
        match admission {
            Admission::Short { room, .. } => Some(room.minor()),
            _ => None,
        }
    }

    fn barred_by_a(since: i64) -> Admission {
        Admission::Barred(Neighbour { campaign: id("a"), since: Instant::from_millis(since) })
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
        assert_eq!(room(&second), Some(300));
        assert_eq!(tab.admit(admit("b", Combines::Any, 300, 2)).0, Admission::Admitted);
    }

    #[test]
    fn a_campaigns_offers_add_up_and_a_repeated_one_counts_once() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 700, 1));
        assert_eq!(tab.admit(admit("a", Combines::Any, 700, 1)), (Admission::Admitted, false));
        let mut more = admit("a", Combines::Any, 0, 2);
        more.offers = offers("a", &[("p", 400)]);
        let Admission::Short { room, claimed, .. } = tab.admit(more).0 else {
            panic!("the tab has not room for both");
        };
        assert_eq!((room, claimed), (Money::new(300), offers("a", &[("o", 700)])));
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
        assert!(tab.settle(&ended("a", &[], 1)));
        assert_eq!(tab.admit(admit("b", Combines::None, 900, 2)).0, Admission::Admitted);
    }

    #[test]
    fn a_settlement_never_uncovers_what_is_still_on_its_way() {
        // Of two REDEEMs of one offer one has ended with nothing, whichever; or a reversal came in
        // between.
        for settle in [ended("a", &[], 1), ended("a", &[], 5), reversed("a", &[], 4)] {
            let mut tab = Tab::default();
            tab.admit(admit("a", Combines::None, 700, 1));
            tab.admit(admit("a", Combines::None, 700, 5));
            assert!(tab.settle(&settle));
            assert!(!tab.settle(&settle));
            let barred = tab.admit(admit("b", Combines::None, 1, 9)).0;
            assert!(matches!(barred, Admission::Barred(_)), "{settle:?}");
            tab.settle(&reversed("a", &[], 5));
            assert_eq!(tab.admit(admit("b", Combines::None, 1, 9)).0, Admission::Admitted);
        }
    }

    #[test]
    fn a_reversal_of_one_offer_leaves_the_claim_on_another() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::None, 700, 1));
        let mut other = admit("a", Combines::None, 0, 2);
        other.offers = offers("a", &[("p", 100)]);
        tab.admit(other);
        let named = offers("a", &[("o", 0)]).into_keys().collect();
        tab.settle(&Settle { which: Which::Offers(named), ..reversed("a", &[], 3) });
        assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("p", 100)]));
    }

    #[test]
    fn what_stands_stays_claimed_for_as_much_as_it_gives() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 700, 1));
        tab.settle(&ended("a", &[("o", 300)], 1));
        assert_eq!(room(&tab.admit(admit("b", Combines::Any, 900, 2)).0), Some(700));
        // Somebody else has asked for it, so a reversal left it.
        tab.settle(&reversed("a", &[("o", 300)], 3));
        assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("o", 300)]));
    }

    #[test]
    fn very_many_attempts_are_kept_as_one() {
        let mut tab = Tab::default();
        for n in 1..=20 {
            tab.admit(admit("a", Combines::Any, 700, n));
            tab.settle(&ended("a", &[("o", 600)], n));
        }
        let kept: Vec<usize> = tab.claims[&id("a")].offers.values().map(Vec::len).collect();
        assert_eq!(kept, [KEPT_ASKS]);
        tab.settle(&reversed("a", &[], 19));
        assert_eq!(tab.claims[&id("a")].by_offer(), offers("a", &[("o", 600)]));
        tab.settle(&reversed("a", &[], 20));
        assert!(tab.claims[&id("a")].offers.is_empty());
    }

    #[test]
    fn a_reversal_of_the_tab_refuses_the_redeem_it_overtook_and_names_who_must_hear() {
        let mut tab = Tab::default();
        tab.admit(admit("a", Combines::Any, 1, 1));
        let (reply, changed) = tab.apply(Command::Reverse { received: Instant::from_millis(5) });
        assert_eq!((reply, changed), (Reply::Campaigns(vec![id("a")]), true));
        assert_eq!(tab.admit(admit("b", Combines::Any, 1, 5)).0, Admission::Reversed);
        assert_eq!(tab.admit(admit("b", Combines::Any, 1, 6)).0, Admission::Admitted);
    }
}
