//! The engine: which offers apply to a cart, and what each takes off which line.
//!
//! [`decide`] is a total function of campaigns, cart, context and what stands on the tab: the same
//! question has the same answer, here, in the Worker and on the command line.

mod apply;
mod bundle;
mod buy_get;
mod detail;
mod facts;
mod level;
pub(crate) mod look;
mod matching;
mod per_unit;
mod pick;
mod reason;
mod row;
mod rows;
pub mod simulate;
mod spread;
mod standing;
mod tape;
mod turn;
mod units;
mod watch;

#[cfg(test)]
mod tests;

pub use detail::Detail;
pub use per_unit::PerUnit;
pub use reason::Reason;
pub use standing::{FeeShare, LineShare, Standing, StandingOffer};

use std::fmt;

use detail::Cause;
use pick::Orders;
use rows::Rows;
use turn::Turn;
use watch::Watch;

use crate::{
    campaign::{Campaign, Rounding},
    cart::Cart,
    money::{Currency, Money},
    time::{Instant, Zone},
};

/// A campaign that is asked, its code having matched, and what the ledger says of its offers.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The campaign.
    pub campaign: &'a Campaign,
    /// What the ledger allows each offer, in the campaign's order; those beyond the end are open.
    pub allowances: &'a [Allowance],
    /// The most that all the campaign's offers may give together, in the order they are applied.
    pub at_most: Option<Money>,
}

impl<'a> Asked<'a> {
    /// A campaign with all its offers open.
    #[must_use]
    pub fn open(campaign: &'a Campaign) -> Self {
        Self { campaign, allowances: &[], at_most: None }
    }
}

/// What the ledger allows an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowance {
    /// Whatever it is worth.
    #[default]
    Open,
    /// So much and no more; the smaller sum is spread by the campaign's rule.
    AtMost(Money),
    /// Nothing, for this reason; the offer takes no part in any choice.
    Refused(Reason),
    /// Nobody asked for the offer: it neither applies nor is it rejected.
    NotAsked,
}

/// What is known of the place and the time, besides the cart.
#[derive(Clone, Debug)]
pub struct Context {
    /// When.
    pub at: Instant,
    /// Where.
    pub location: LocationFacts,
    /// The deployment's zone, for want of another.
    pub default_zone: Zone,
}

/// What is known of the location.
#[derive(Clone, Debug, Default)]
pub struct LocationFacts {
    /// Its zone.
    pub timezone: Option<Zone>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What applies, and what does not and why.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// What every amount is in.
    pub currency: Currency,
    /// The whole discount.
    pub discount: Money,
    /// The offers that apply, in the order they were applied.
    pub applied: Vec<Applied>,
    /// The campaigns and offers that do not.
    pub rejected: Vec<Rejected<'a>>,
}

/// An offer that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which of the campaigns asked.
    pub campaign: usize,
    /// Which of its offers.
    pub offer: usize,
    /// How much it gives, more than nothing.
    pub discount: Money,
    /// What it takes off which of the cart's lines, in the cart's order, without zeros.
    pub lines: Vec<(usize, Money)>,
    /// What it takes off each unit, for each of [`Self::lines`]; empty unless
    /// [`decide_by_unit`] was asked.
    pub units: Vec<PerUnit>,
    /// What it takes off which of the cart's fees, in the cart's order, without zeros.
    pub fees: Vec<(usize, Money)>,
    /// The rounding policy it was computed by.
    pub rounding: Rounding,
}

/// A campaign or an offer that does not apply.
#[derive(Clone, Debug)]
pub struct Rejected<'a> {
    /// Which of the campaigns asked.
    pub campaign: usize,
    /// Which of its offers; none: the whole campaign.
    pub offer: Option<usize>,
    /// Why.
    pub reason: Reason,
    /// Why in words, for staff. Written only when it is shown.
    pub detail: Detail<'a>,
}

/// A question that cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// The offers would leave more differently priced units than can be kept apart.
    TooManyUnits,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyUnits => {
                "the offers would give too many units of the cart prices of their own"
            }
        })
    }
}

impl std::error::Error for EngineError {}

/// Decides which offers apply to a cart on whose tab others may stand already. The campaigns are asked
/// in the order given; the code of each has matched.
///
/// What stands comes first, whatever its priority, and stays: offers decided one after another, each
/// with the earlier ones standing, give what one decision on all of them in that order gives. Beside an
/// exclusive offer that stands its campaign's others are [`Reason::Excluded`], and an exclusive one is
/// beside any other; of a group the one that stands stays ([`Reason::Outbid`]). An offer that stands itself
/// is neither applied nor rejected again. The cart is gross (see [`Cart::gross`]).
///
/// # Errors
/// When the quantities are so large that what is left of each unit cannot be kept.
pub fn decide<'a>(
    asked: &[Asked<'a>],
    cart: &'a Cart,
    context: &'a Context,
    standing: &'a Standing,
) -> Result<Decision<'a>, EngineError> {
    decide_watched(asked, cart, context, standing, None)
}

/// The same decision, with [`Applied::units`], from which [`StandingOffer::of`] makes what stands
/// afterwards.
///
/// # Errors
/// As [`decide`].
pub fn decide_by_unit<'a>(
    asked: &[Asked<'a>],
    cart: &'a Cart,
    context: &'a Context,
    standing: &'a Standing,
) -> Result<Decision<'a>, EngineError> {
    decide_watched(asked, cart, context, standing, Some(Watch::default()))
}

fn decide_watched<'a>(
    asked: &[Asked<'a>],
    cart: &'a Cart,
    context: &'a Context,
    standing: &'a Standing,
    mut watch: Option<Watch>,
) -> Result<Decision<'a>, EngineError> {
    let orders = Orders::default();
    let mut rows = Rows::after(cart, standing)?;
    if let Some(watch) = &mut watch {
        watch.begin(&mut rows);
    }
    let mut decision = Decision {
        currency: cart.currency(),
        discount: Money::ZERO,
        applied: Vec::new(),
        rejected: Vec::new(),
    };
    // The campaigns that gave a discount so far.
    let mut gave: Vec<&Campaign> = Vec::new();
    for (index, asked) in asked.iter().enumerate() {
        if let Some((reason, cause)) = closed(asked.campaign, &gave, standing, cart, context) {
            decision.rejected.push(Rejected {
                campaign: index,
                offer: None,
                reason,
                detail: Detail(cause),
            });
            continue;
        }
        let applied_before = decision.applied.len();
        let turn = Turn::new(index, asked, cart, context, standing);
        rows = turn.take(rows, &orders, &mut decision, watch.as_mut())?;
        if decision.applied.len() > applied_before {
            gave.push(asked.campaign);
        }
    }
    decision.discount = decision
        .applied
        .iter()
        .fold(Money::ZERO, |sum, applied| sum.saturating_add(applied.discount));
    Ok(decision)
}

/// Why a campaign as a whole does not apply, if it does not.
fn closed<'a>(
    campaign: &'a Campaign,
    gave: &[&'a Campaign],
    standing: &'a Standing,
    cart: &Cart,
    context: &Context,
) -> Option<(Reason, Cause<'a>)> {
    if !campaign.active() {
        return Some((Reason::Inactive, Cause::Inactive));
    }
    let zone = context.location.timezone.as_ref();
    let zone = zone.unwrap_or(&context.default_zone);
    if let Some(start) = campaign.starts_at(zone)
        && context.at < start
    {
        return Some((Reason::NotStarted, Cause::NotStarted(start)));
    }
    if let Some(end) = campaign.expires_at(zone)
        && context.at >= end
    {
        return Some((Reason::Ended, Cause::Ended(end)));
    }
    if campaign.currency() != cart.currency() {
        let (campaign, cart) = (campaign.currency(), cart.currency());
        return Some((Reason::WrongCurrency, Cause::Currency { campaign, cart }));
    }
    let stands = standing.bars(campaign).map(|standing| standing.offer.campaign.as_str());
    let barring = || gave.iter().find(|other| !campaign.combines(other));
    let with = stands.or_else(|| barring().map(|other| other.id().as_str()))?;
    Some((Reason::DoesNotCombine, Cause::DoesNotCombine { with }))
}
