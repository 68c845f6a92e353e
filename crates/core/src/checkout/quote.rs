//! An offer with what it gives on a tab: what a till is told, and what the ledger keeps to tell it
//! again.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::campaign::{Campaign, Rounding};
use crate::engine::{Applied, Reason};
use crate::ident::OfferRef;
use crate::money::{Currency, Money};

/// An offer and what it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What the till names it by from now on.
    pub offer_id: OfferRef,
    /// The campaign's id.
    pub campaign: String,
    /// The campaign's name, shown to guests as the group's.
    pub group: String,
    /// The offer's id.
    pub offer: String,
    /// The offer's name.
    pub name: String,
    /// More about it; may be empty.
    pub description: String,
    /// What it gives, in minor units.
    pub discount: Money,
    /// Of this currency.
    pub currency: Currency,
    /// Lines' shares, only those that are not zero.
    pub lines: Vec<Share>,
    /// Fees' shares, only those that are not zero.
    pub fees: Vec<Share>,
    /// The rounding policy that was used.
    pub rounding: Rounding,
    /// RFC 3339, if the campaign ends.
    pub expires_at: Option<String>,
    /// An INQUIRE lists it because it stands on the tab already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standing: bool,
}

impl Quote {
    /// An applied offer as a till is told of it.
    pub(super) fn of(
        applied: &Applied,
        campaign: &Campaign,
        offer_id: OfferRef,
        event: &Event,
    ) -> Option<Self> {
        let offer = campaign.offers().get(applied.offer)?;
        let line = |(index, discount): &(usize, Money)| {
            let line = event.cart.line(*index)?;
            let (id, weighed) = (line.id().to_owned(), line.weighed());
            Some(Share { id, discount: *discount, weighed })
        };
        let fee = |(index, discount): &(usize, Money)| {
            let id = event.cart.fee(*index)?.id().to_owned();
            Some(Share { id, discount: *discount, weighed: false })
        };
        let context = &event.context;
        let zone = context.location.timezone.as_ref().unwrap_or(&context.default_zone);
        Some(Self {
            offer_id,
            campaign: campaign.id().as_str().to_owned(),
            group: campaign.name().to_owned(),
            offer: offer.id().as_str().to_owned(),
            name: offer.name().to_owned(),
            description: offer.description().to_owned(),
            discount: applied.discount,
            currency: event.cart.currency(),
            lines: applied.lines.iter().filter_map(line).collect(),
            fees: applied.fees.iter().filter_map(fee).collect(),
            rounding: applied.rounding,
            expires_at: campaign.expires_at(zone).map(|at| at.to_string()),
            standing: false,
        })
    }
}

/// What a line or fee gives up of its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The line's or fee's id in the cart.
    pub id: String,
    /// In minor units.
    pub discount: Money,
    /// A line of something sold by weight, taken as one unit at the price of all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weighed: bool,
}

/// An offer a till asked for and does not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// As the till named it.
    pub offer_id: String,
    /// Why.
    pub reason: Reason,
    /// For staff.
    pub detail: String,
}
