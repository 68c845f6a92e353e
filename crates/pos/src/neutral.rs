//! The neutral API: the three questions in our own words, for any point of sale. The cart is that of
//! the campaign language, amounts are in minor units.

use promo_core::cart::Cart;
use promo_core::checkout::{Quote, Redeemed, Reversed};
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A question's body, read as far as its kind needs.
#[derive(Debug)]
pub struct Body {
    entries: Map<String, Value>,
    cart: Option<Box<RawValue>>,
}

impl Body {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// When the body is none.
    pub fn read(json: &[u8]) -> Result<Self, Faults> {
        #[derive(serde::Deserialize)]
        struct WithCart {
            cart: Option<Box<RawValue>>,
            #[serde(flatten)]
            entries: Map<String, Value>,
        }
        let not_json = |error| Faults::one("", format!("this is no JSON object: {error}"));
        let WithCart { cart, entries } = serde_json::from_slice(json).map_err(not_json)?;
        Ok(Self { entries, cart })
    }

    /// The code to inquire about.
    ///
    /// # Errors
    /// When there is none.
    pub fn code(&self) -> Result<&str, Faults> {
        let code = self.entries.get("code").and_then(Value::as_str);
        code.ok_or_else(|| Faults::one("/code", "say which code, as a text"))
    }

    /// The offers named.
    ///
    /// # Errors
    /// When `offer_ids` is no list of texts.
    pub fn offer_ids(&self) -> Result<Vec<String>, Faults> {
        let list = match self.entries.get("offer_ids") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Faults::one("/offer_ids", "must be a list of texts")),
        };
        let (sink, all) = (Sink::new(), Path::Below("/offer_ids"));
        let mut ids = Vec::new();
        for (index, id) in list.iter().enumerate() {
            match id.as_str() {
                Some(id) => ids.push(id.to_owned()),
                None => sink.add(&Path::Index(&all, index), "must be a text"),
            }
        }
        sink.check(Some(ids))
    }

    /// The cart.
    ///
    /// # Errors
    /// When there is none, or it is not sound.
    pub fn cart(&self) -> Result<Cart, Faults> {
        let cart = self.cart.as_ref().ok_or_else(|| Faults::one("/cart", "is missing"))?;
        Cart::from_json(cart.get().as_bytes()).map_err(|faults| faults.below("/cart"))
    }

    /// The tab that a reversal names.
    ///
    /// # Errors
    /// When it names no tab or no location.
    pub fn tab(&self) -> Result<TabKey, Faults> {
        let sink = Sink::new();
        let text = |key: &str| match self.entries.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let tab = text("tab_id").map(|id| TabId::parse(&id).map_err(|error| error.to_string()));
        let location =
            text("location_id").map(|id| LocationId::parse(&id).map_err(|error| error.to_string()));
        let tab = told(tab, &sink, "/tab_id", "say which tab");
        let location = told(location, &sink, "/location_id", "say at which location");
        sink.check(tab.zip(location).map(|(tab, location)| TabKey { location, tab }))
    }
}

fn told<T>(
    found: Option<Result<T, String>>,
    sink: &Sink,
    pointer: &str,
    missing: &str,
) -> Option<T> {
    match found.unwrap_or_else(|| Err(missing.to_owned())) {
        Ok(value) => Some(value),
        Err(detail) => {
            sink.add(&Path::Below(pointer), detail);
            None
        }
    }
}

/// The tab a cart is about.
///
/// # Errors
/// When the cart names no tab or no location.
pub fn tab_of(cart: &Cart) -> Result<TabKey, Faults> {
    let sink = Sink::new();
    if cart.tab_id().is_none() {
        sink.add(&Path::Below("/cart/tab_id"), "say which tab");
    }
    if cart.location_id().is_none() {
        sink.add(&Path::Below("/cart/location_id"), "say at which location");
    }
    let tab = cart.tab_id().zip(cart.location_id());
    sink.check(tab.map(|(tab, location)| TabKey { location: location.clone(), tab: tab.clone() }))
}

/// The reply to an inquiry.
#[derive(Debug, Serialize)]
pub struct InquireReply<'a> {
    /// The offers of the code on this cart.
    pub offers: &'a [Quote],
}

/// The reply to a redemption.
#[derive(Debug, Serialize)]
pub struct RedeemReply<'a> {
    applied: &'a [Quote],
    rejected: Vec<Rejected<'a>>,
}

#[derive(Debug, Serialize)]
struct Rejected<'a> {
    offer_id: &'a str,
    reason: &'static str,
    message: &'a str,
}

/// Answers a redemption; a guest reads `message` where an offer was rejected.
#[must_use]
pub fn redeem_reply<'a>(redeemed: &'a Redeemed, message: &'a str) -> RedeemReply<'a> {
    let rejected = redeemed.rejected.iter().map(|rejection| Rejected {
        offer_id: &rejection.offer_id,
        reason: rejection.reason.as_str(),
        message,
    });
    RedeemReply { applied: &redeemed.applied, rejected: rejected.collect() }
}

/// The reply to a reversal.
#[derive(Debug, Serialize)]
pub struct ReverseReply {
    reversed: Vec<String>,
    unchanged: Vec<String>,
}

/// Answers a reversal.
#[must_use]
pub fn reverse_reply(reversed: &Reversed) -> ReverseReply {
    ReverseReply {
        reversed: reversed.reversed.iter().map(ToString::to_string).collect(),
        unchanged: reversed.unchanged.clone(),
    }
}
