//! The programme: how points are earned, when they expire, and what they buy. One document a deployment,
//! checked like a campaign: [`Programme::from_json`] names every fault, or returns a programme that can
//! be gone by without another check.
//!
//! Its rewards are the offers of one campaign ([`REWARDS`]) that no code leads to, so that what a reward
//! gives is computed and counted where every other offer's is.

mod document;
mod earn;
#[cfg(test)]
mod tests;
mod warnings;

use std::rc::Rc;

use earn::Earn;

use super::terms::{Expire, Tier};
use super::visit::{Closing, Told};
use super::{MemberId, Terms};
use crate::campaign::{Campaign, CombinesWith};
use crate::cart::Cart;
use crate::engine::Context;
use crate::fault::{Fault, Faults};
use crate::ident::{CampaignId, OfferId, OfferKey};
use crate::identity::{EmailRules, Region};
use crate::money::{Currency, Money};
use crate::time::{Calendar, Date, Instant, TimeOfDay, Zone};

/// The id of the campaign whose offers the rewards are. No other campaign may have it.
pub const REWARDS: &str = "loyalty-programme";
/// What the offer is called by that spends points for their value; how many follows.
const PAYMENT: &str = "points-";
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// How much longer a tab is counted that was closed when no programme could be seen: an edge may see it later than
/// the guest at the next table does.
const GRACE: i64 = 60 * 60 * 1000;
/// How long a closed tab waits for a programme, in days; as long as redemptions are kept.
const WAITS_FOR_PROGRAMME: i64 = 400;

/// Until when a closed tab is kept that no programme has counted.
#[must_use]
pub fn waits_for_programme(closed: Instant) -> Instant {
    closed.plus_millis(WAITS_FOR_PROGRAMME.saturating_mul(DAY))
}

/// A sound programme.
#[derive(Clone, Debug)]
pub struct Programme {
    name: String,
    points: Points,
    zone: Option<Zone>,
    day_starts: TimeOfDay,
    currency: Option<Currency>,
    earn: Vec<Earn>,
    /// Where the conditions of `earn` are asked.
    earning: Campaign,
    pending_days: u32,
    expire: Expire,
    tiers: Vec<Tier>,
    rewards: Vec<Reward>,
    /// The rewards' offers, in their order.
    campaign: Campaign,
    combines_with: CombinesWith,
    pay: Option<Pay>,
    owed: bool,
    retroactive_days: u32,
    region: Option<Region>,
    email: EmailRules,
}

/// What points are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// For guests.
    pub display_name: String,
    /// For the point of sale.
    pub kind: String,
}

/// What a reward costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// Its id, and that of its offer.
    pub id: OfferId,
    /// How many points.
    pub cost: u64,
}

/// What points are worth as money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pay {
    /// So many points
    pub points: u64,
    /// are worth so many minor units.
    pub value: u64,
}

impl Pay {
    /// What some points are worth; a fraction of a minor unit is dropped.
    #[must_use]
    pub fn worth(self, points: u64) -> u64 {
        proportion(points, self.value, self.points)
    }

    /// How many points a sum takes: enough to cover it.
    #[must_use]
    pub fn cost(self, value: u64) -> u64 {
        let product = u128::from(value).saturating_mul(u128::from(self.points));
        u64::try_from(product.div_ceil(u128::from(self.value.max(1)))).unwrap_or(u64::MAX)
    }
}

/// `amount` × `times` / `of`, rounded down.
fn proportion(amount: u64, times: u64, of: u64) -> u64 {
    let product = u128::from(amount).saturating_mul(u128::from(times));
    u64::try_from(product.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(u64::MAX)
}

impl Programme {
    /// Reads, checks and compiles a programme.
    ///
    /// # Errors
    /// Every fault of the document, each with a JSON Pointer to its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        document::from_json(json)
    }

    /// What is sound but looks wrong.
    #[must_use]
    pub fn warnings(&self, now: Instant) -> Vec<Fault> {
        warnings::of(self, now)
    }

    /// The name that guests see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What points are called.
    #[must_use]
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The rewards, as in the document.
    #[must_use]
    pub fn rewards(&self) -> &[Reward] {
        &self.rewards
    }

    /// What points are worth as money, if they are.
    #[must_use]
    pub fn pay(&self) -> Option<Pay> {
        self.pay
    }

    /// How long a non-member's closed tab waits for a sign-up, from its closing on.
    #[must_use]
    pub fn waits_until(&self, closed: Instant) -> Instant {
        closed.plus_millis(i64::from(self.retroactive_days).saturating_mul(DAY))
    }

    /// What a closed tab earns that was told when there was no programme; `None` when it has waited longer than
    /// this programme counts back.
    #[must_use]
    pub fn count(
        &self,
        told: &Told,
        owner: &MemberId,
        default: &Zone,
        now: Instant,
    ) -> Option<Told> {
        let last = &told.last;
        let Some(facts) = &last.facts else { return Some(told.clone()) };
        if self.waits_until(last.received).plus_millis(GRACE) <= now {
            return None;
        }
        let context = facts.context(last.received, default);
        // Facts that are no tab are not ours: they earn nothing.
        let points = facts.cart(owner).map_or(0, |cart| self.earned(&cart, &context, last.paid));
        let on = self.calendar(default).business_date(last.received);
        let last = Closing { on, points, facts: None, ..last.clone() };
        Some(Told { last, ..told.clone() })
    }

    /// Where phone numbers without a country are from, for want of a location's word.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// What of an e-mail address does not count.
    #[must_use]
    pub fn email_rules(&self) -> &EmailRules {
        &self.email
    }

    /// The business days that everything in the programme goes by.
    #[must_use]
    pub fn calendar(&self, default: &Zone) -> Calendar {
        Calendar {
            zone: self.zone.as_ref().unwrap_or(default).clone(),
            day_starts: self.day_starts,
        }
    }

    /// What a member's books go by now.
    #[must_use]
    pub fn terms(&self, default: &Zone, now: Instant) -> Terms {
        Terms {
            pending_days: self.pending_days,
            expire: self.expire,
            tiers: self.tiers.clone(),
            owed: self.owed,
            ..Terms::without(&self.calendar(default), now)
        }
    }

    /// The campaign of the rewards in a cart's currency; with `points`, also the offer that spends so
    /// many for their value.
    #[must_use]
    pub fn campaign(
        &self,
        currency: Currency,
        default: &Zone,
        points: Option<u64>,
    ) -> Rc<Campaign> {
        let payment = points.zip(self.pay).and_then(|(points, pay)| {
            let id = OfferId::parse(&format!("{PAYMENT}{points}")).ok()?;
            let name = format!("{points} {}", self.points.display_name);
            Some((id, name, pay.worth(points)))
        });
        let campaign = self.campaign.clone().on_days_of(&self.calendar(default));
        let campaign = campaign.beside(self.combines_with.clone());
        Rc::new(campaign.paying(self.currency.unwrap_or(currency), payment))
    }

    /// How many points an offer of the rewards' campaign costs when it gives so much; `None` when it is
    /// no such offer.
    #[must_use]
    pub fn cost(&self, offer: &OfferKey, gives: Money) -> Option<u64> {
        let id = rewards_id()?;
        let key = |reward: &&Reward| OfferKey::of(&id, &reward.id) == *offer;
        if let Some(reward) = self.rewards.iter().find(key) {
            return Some(reward.cost);
        }
        let most = paid_with(offer)?;
        Some(self.pay?.cost(gives.minor()).min(most))
    }

    /// Whether what is earned may depend on who earns it.
    #[must_use]
    pub fn asks_who_earns(&self) -> bool {
        self.earn.iter().any(|rule| rule.when.is_some())
    }

    /// What a closed tab earns, before any tier's multiplier, of which so much was paid.
    #[must_use]
    pub fn earned(&self, cart: &Cart, context: &Context, paid: Money) -> u64 {
        let earning = self.earning.clone().on_days_of(&self.calendar(&context.default_zone));
        earn::earned(&self.earn, &earning, cart, context, paid)
    }
}

impl Terms {
    /// The terms where nobody has said any: points are for ever, and can be spent at once.
    #[must_use]
    pub fn without(calendar: &Calendar, now: Instant) -> Self {
        // It begins no earlier than a day from now, whatever the clocks do.
        let tomorrow: Date = calendar.business_date(now.plus_millis(DAY)).plus_days(1);
        Self {
            today: calendar.business_date(now),
            tomorrow,
            pending_days: 0,
            expire: Expire::Never,
            tiers: Vec::new(),
            owed: true,
        }
    }
}

/// The id of the rewards' campaign.
#[must_use]
pub fn rewards_id() -> Option<CampaignId> {
    CampaignId::parse(REWARDS).ok()
}

/// Whether an id is kept for points that are spent for their value.
fn is_payment(id: &OfferId) -> bool {
    let points = id.as_str().strip_prefix(PAYMENT);
    points.is_some_and(|points| !points.is_empty() && points.bytes().all(|b| b.is_ascii_digit()))
}

/// How many points an offer spends for their value, if that is what it does.
#[must_use]
pub fn paid_with(offer: &OfferKey) -> Option<u64> {
    offer.as_str().strip_prefix(PAYMENT)?.parse().ok()
}
