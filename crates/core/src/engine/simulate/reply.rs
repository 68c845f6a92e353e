//! The reply to a simulation, as it is written in JSON.

use serde::Serialize;

use crate::{
    campaign::{Campaign, Rounding},
    cart::Cart,
    code::{CanonicalCode, CodeError},
    engine::{Decision, Reason},
    money::{Currency, Money},
};

/// The reply to a simulation.
#[derive(Clone, Debug, Serialize)]
pub struct Reply<'a> {
    /// The whole discount.
    pub discount: Money,
    /// What every amount is in.
    pub currency: Currency,
    /// The offers that apply, in the order they were applied.
    pub offers: Vec<AppliedOffer<'a>>,
    /// The campaigns and offers that do not.
    pub rejected: Vec<Rejection<'a>>,
}

/// An offer that applies.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedOffer<'a> {
    /// Its campaign's id.
    pub campaign: &'a str,
    /// Its id.
    pub offer: &'a str,
    /// How much it gives.
    pub discount: Money,
    /// What it takes off which line, without zeros.
    pub lines: Vec<Share<'a>>,
    /// What it takes off which fee, without zeros.
    pub fees: Vec<Share<'a>>,
    /// The rounding policy it was computed by.
    pub rounding: Rounding,
}

/// A line's or a fee's share of a discount.
#[derive(Clone, Debug, Serialize)]
pub struct Share<'a> {
    /// The line's or fee's id.
    pub id: &'a str,
    /// How much is taken off it.
    pub discount: Money,
    /// A line of something sold by weight, taken as one unit at the price of all of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weighed: bool,
}

/// A campaign, an offer or a code that does not apply.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection<'a> {
    /// The campaign's id; only a code that leads nowhere has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<&'a str>,
    /// The code that leads nowhere; as it was typed, when it cannot be a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// The offer's id; none: the whole campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<&'a str>,
    /// Why.
    pub reason: Reason,
    /// Why in words, for staff.
    pub detail: String,
}

impl<'a> Reply<'a> {
    /// Puts ids in the place of a decision's numbers.
    pub(super) fn of(decision: &Decision<'_>, asked: &[&'a Campaign], cart: &'a Cart) -> Self {
        let campaign = |index: usize| asked.get(index).copied();
        let offer_id = |index: usize, offer: usize| {
            let offer = campaign(index)?.offers().get(offer)?;
            Some(offer.id().as_str())
        };
        let campaign_id = |index: usize| Some(campaign(index)?.id().as_str());
        let share = |id: Option<&'a str>, discount: Money, weighed: bool| Share {
            id: id.unwrap_or_default(),
            discount,
            weighed,
        };
        let offers = decision.applied.iter().map(|applied| AppliedOffer {
            campaign: campaign_id(applied.campaign).unwrap_or_default(),
            offer: offer_id(applied.campaign, applied.offer).unwrap_or_default(),
            discount: applied.discount,
            lines: applied
                .lines
                .iter()
                .map(|(index, discount)| {
                    let line = cart.line(*index);
                    let weighed = line.is_some_and(|line| line.weighed());
                    share(line.map(|line| line.id()), *discount, weighed)
                })
                .collect(),
            fees: applied
                .fees
                .iter()
                .map(|(fee, discount)| share(cart.fee(*fee).map(|fee| fee.id()), *discount, false))
                .collect(),
            rounding: applied.rounding,
        });
        let rejected = decision.rejected.iter().map(|rejected| Rejection {
            campaign: campaign_id(rejected.campaign),
            code: None,
            offer: rejected.offer.and_then(|offer| offer_id(rejected.campaign, offer)),
            reason: rejected.reason,
            detail: rejected.detail.to_string(),
        });
        Self {
            discount: decision.discount,
            currency: decision.currency,
            offers: offers.collect(),
            rejected: rejected.collect(),
        }
    }

    /// Adds that a code leads to no campaign.
    pub fn add_unknown_code(&mut self, code: &'a CanonicalCode) {
        self.reject_code(code.as_str(), "leads to no campaign".to_owned());
    }

    /// Adds that what was typed cannot be a code, and why.
    pub(super) fn add_no_code(&mut self, typed: &'a str, why: CodeError) {
        self.reject_code(typed, why.to_string());
    }

    fn reject_code(&mut self, code: &'a str, detail: String) {
        self.rejected.push(Rejection {
            campaign: None,
            code: Some(code),
            offer: None,
            reason: Reason::UnknownCode,
            detail,
        });
    }

    /// The reply as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Numbers, texts and lists of them: there is nothing in it that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
