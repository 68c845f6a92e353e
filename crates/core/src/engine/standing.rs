//! What stands on a tab: the offers redeemed there before, with what each took off which unit.
//!
//! A later decision on the same tab begins with what they left ([`super::decide`]), so that offers
//! redeemed one after another give what one event that names them in that order gives.
//!
//! Shares are kept by the ids of lines and fees, because the next event brings a cart of its own:
//! - a line that is not there any more counts towards the ceiling of the tab, and nothing else;
//! - a line of fewer units keeps the shares of its first units; one of more has new units
//!   untouched;
//! - a cart without lines has its subtotal as one unit, which all shares of goods are taken off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Applied, EngineError, per_unit::PerUnit};
use crate::{
    campaign::{Campaign, CombinesWith},
    cart::Cart,
    ident::{CampaignId, CodeKey, OfferKey, OfferRef},
    money::Money,
};

/// What stands on a tab, in the order in which it was redeemed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Standing {
    /// The offers.
    pub offers: Vec<StandingOffer>,
}

/// An offer that stands on a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOffer {
    /// Which, of which campaign, by which code.
    pub offer: OfferRef,
    /// Which other campaigns its campaign stands beside.
    pub combines_with: CombinesWith,
    /// The name of its group, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it stands alone among its campaign's offers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// What it gives, in minor units. What no line and no fee has of it is off the subtotal of a
    /// cart without lines.
    pub amount: Money,
    /// What it takes off lines, unit by unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineShare>,
    /// What it takes off fees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<FeeShare>,
}

/// What an offer takes off a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineShare {
    /// The line's id in the cart.
    pub id: String,
    /// What it takes off each unit, in minor units.
    pub units: PerUnit,
}

/// What an offer takes off a fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeShare {
    /// The fee's id in the cart.
    pub id: String,
    /// In minor units.
    pub amount: Money,
}

impl Standing {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> &'static Self {
        static NOTHING: Standing = Standing { offers: Vec::new() };
        &NOTHING
    }

    /// Whether nothing stands.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.offers.is_empty()
    }

    /// What all offers give together.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.offers.iter().fold(Money::ZERO, |sum, offer| sum.saturating_add(offer.amount))
    }

    /// The offers of a campaign.
    pub fn of<'s>(&'s self, campaign: &CampaignId) -> impl Iterator<Item = &'s StandingOffer> {
        self.offers.iter().filter(move |standing| standing.offer.campaign == *campaign)
    }

    /// The first offer that stands of another campaign, which and this one do not both agree to
    /// stand together.
    pub(super) fn bars<'s>(&'s self, campaign: &Campaign) -> Option<&'s StandingOffer> {
        self.offers.iter().find(|standing| {
            let other = &standing.offer.campaign;
            other != campaign.id()
                && !(campaign.combines_with().names(other)
                    && standing.combines_with.names(campaign.id()))
        })
    }

    /// What is taken off each line, fee and the goods of a cart as a whole.
    pub(crate) fn on(&self, cart: &Cart) -> Result<OnCart, EngineError> {
        let mut on = OnCart { lines: Vec::new(), fees: Vec::new(), goods: Money::ZERO };
        let lines: BTreeMap<&str, usize> = first_places(cart.lines().map(|line| line.id()));
        let fees: BTreeMap<&str, usize> = first_places(cart.fees().map(|fee| fee.id()));
        let (mut off_lines, mut off_fees) = (BTreeMap::new(), BTreeMap::new());
        for standing in &self.offers {
            on.goods = on.goods.saturating_add(standing.goods());
            for share in &standing.lines {
                let Some(index) = lines.get(share.id.as_str()) else { continue };
                let units = cart.line(*index).map_or(0, |line| line.quantity());
                let none = || PerUnit::equal(units, 0);
                let off = off_lines.entry(*index).or_insert_with(none);
                *off = off.combine(&share.units, u64::saturating_add)?;
            }
            for share in &standing.fees {
                if let Some(index) = fees.get(share.id.as_str()) {
                    let off = off_fees.entry(*index).or_insert(Money::ZERO);
                    *off = off.saturating_add(share.amount);
                }
            }
        }
        on.lines = off_lines.into_iter().collect();
        on.fees = off_fees.into_iter().collect();
        Ok(on)
    }
}

/// What stands, by the places of a cart's lines and fees.
pub(crate) struct OnCart {
    /// By line, what is taken off each unit.
    pub lines: Vec<(usize, PerUnit)>,
    /// By fee, what is taken off it.
    pub fees: Vec<(usize, Money)>,
    /// What is taken off goods, those that are not in the cart any more included.
    pub goods: Money,
}

/// The place of each id; ids are unique in a sound cart, and the first counts in any other.
fn first_places<'c>(ids: impl Iterator<Item = &'c str>) -> BTreeMap<&'c str, usize> {
    let mut places = BTreeMap::new();
    for (place, id) in ids.enumerate() {
        places.entry(id).or_insert(place);
    }
    places
}

impl StandingOffer {
    /// An offer as it stands once it is redeemed.
    ///
    /// `applied` is of a decision by [`super::decide_by_unit`] on this cart, and of this campaign;
    /// `None` when the campaign has no such offer.
    #[must_use]
    pub fn of(applied: &Applied, campaign: &Campaign, code: CodeKey, cart: &Cart) -> Option<Self> {
        let offer = campaign.offers().get(applied.offer)?;
        let line = |((index, share), units): (&(usize, Money), Option<&PerUnit>)| {
            let line = cart.line(*index)?;
            let equal = || PerUnit::equal(1, share.minor());
            Some(LineShare {
                id: line.id().to_owned(),
                units: units.cloned().unwrap_or_else(equal),
            })
        };
        let fee = |(index, share): &(usize, Money)| {
            Some(FeeShare { id: cart.fee(*index)?.id().to_owned(), amount: *share })
        };
        let units = applied.units.iter().map(Some).chain(std::iter::repeat(None));
        Some(Self {
            offer: OfferRef {
                campaign: campaign.id().clone(),
                offer: OfferKey::of(campaign.id(), offer.id()),
                code,
            },
            combines_with: campaign.combines_with().clone(),
            group: offer.group_name().map(str::to_owned),
            exclusive: offer.exclusive(),
            amount: applied.discount,
            lines: applied.lines.iter().zip(units).filter_map(line).collect(),
            fees: applied.fees.iter().filter_map(fee).collect(),
        })
    }

    /// Whether the two may stand on one tab as far as their campaigns go: both sides must agree.
    #[must_use]
    pub fn combines(&self, other: &Self) -> bool {
        let (own, others) = (&self.offer.campaign, &other.offer.campaign);
        own == others || (self.combines_with.names(others) && other.combines_with.names(own))
    }

    /// Stands also for another claim of the same offer: for the more of what either takes off each
    /// unit.
    pub fn cover(&mut self, other: &Self) {
        self.amount = self.amount.max(other.amount);
        for share in &other.lines {
            let Some(own) = self.lines.iter_mut().find(|own| own.id == share.id) else {
                self.lines.push(share.clone());
                continue;
            };
            own.units = own.units.or_more(&share.units);
        }
        for share in &other.fees {
            match self.fees.iter_mut().find(|own| own.id == share.id) {
                Some(own) => own.amount = own.amount.max(share.amount),
                None => self.fees.push(share.clone()),
            }
        }
    }

    /// What it takes off goods.
    #[must_use]
    pub fn goods(&self) -> Money {
        self.fees.iter().fold(self.amount, |rest, fee| rest.saturating_sub(fee.amount))
    }
}
