//! The neutral API: the three questions in our own words, for any point of sale. The cart is that of
//! the campaign language, amounts are in minor units. Keys that nobody reads are told in the reply, so that
//! a typo is seen in the first test.

use promo_core::cart::{Cart, Customer, MOST_IGNORED};
use promo_core::checkout::{MOST_OFFERS, Quote, Redeemed, Reversed};
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::{LocationId, TabId};
use promo_core::identity::{Identity, Rules};
use promo_core::ledger::TabKey;
use promo_core::loyalty::member::View;
use promo_core::loyalty::programme::Programme;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::gotab::loyalty::Points;

/// The most characters that are shown of a key that nobody reads.
const LONGEST_KEY: usize = 200;

/// Whom a question is about.
#[derive(Debug)]
pub enum Who {
    /// As somebody gave it: a phone number, an e-mail address, a loyalty number, a card's number.
    Text(String),
    /// As a cart says it; the cart has nothing else. With the places in it of keys that nobody reads.
    Customer(Box<Cart>, Vec<String>),
}

impl Who {
    /// Each identity that can be read.
    #[must_use]
    pub fn identities(&self, rules: &Rules) -> Vec<Identity> {
        match self {
            Self::Text(text) => Identity::parse(text, rules).into_iter().collect(),
            Self::Customer(cart, _) => {
                cart.customer().map(|customer| identities(&customer, rules)).unwrap_or_default()
            }
        }
    }

    /// What may be the number of a card or coupon.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Customer(cart, _) => cart.customer().and_then(|customer| customer.id()),
        }
    }
}

/// Each identity of a cart's customer that can be read.
#[must_use]
pub fn identities(customer: &Customer<'_>, rules: &Rules) -> Vec<Identity> {
    let told = [customer.phone(), customer.email(), customer.id()];
    let mut identities = Vec::new();
    for (place, text) in told.into_iter().enumerate() {
        let Some(Ok(identity)) = text.map(|text| Identity::parse(text, rules)) else { continue };
        // A till's own name for a guest is none of ours, though it reads like a phone number.
        let ours = place < 2 || matches!(identity, Identity::Number(_));
        if ours && !identities.contains(&identity) {
            identities.push(identity);
        }
    }
    identities
}

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

    /// The code to inquire about, if it is about one.
    ///
    /// # Errors
    /// When it is no text.
    pub fn code(&self) -> Result<Option<&str>, Faults> {
        match self.entries.get("code") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(code)) => Ok(Some(code)),
            Some(_) => Err(Faults::one("/code", "must be a text")),
        }
    }

    /// Who is asked about, if anybody is.
    ///
    /// # Errors
    /// When it is neither a text nor a sound customer, as in a cart.
    pub fn customer(&self) -> Result<Option<Who>, Faults> {
        match self.entries.get("customer") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(Who::Text(text.trim().to_owned()))),
            Some(customer @ Value::Object(_)) => {
                let cart =
                    serde_json::json!({"currency": "XXX", "subtotal": 0, "customer": customer});
                let (cart, ignored) = Cart::from_json_noting(cart.to_string().as_bytes())?;
                Ok(Some(Who::Customer(Box::new(cart), ignored)))
            }
            Some(_) => {
                let detail = "must be a text (a phone number, an e-mail address, a loyalty number or \
                              a card's number) or an object, as in the cart";
                Err(Faults::one("/customer", detail))
            }
        }
    }

    /// The offers named, at least one; `None`: the key is not there.
    ///
    /// # Errors
    /// When `offer_ids` is no list of texts, is empty, or names more than [`MOST_OFFERS`].
    pub fn offer_ids(&self) -> Result<Option<Vec<String>>, Faults> {
        let list = match self.entries.get("offer_ids") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Faults::one("/offer_ids", "must be a list of texts")),
        };
        if list.is_empty() {
            let detail = "names no offer; leave the key out of a reversal of the whole tab";
            return Err(Faults::one("/offer_ids", detail));
        }
        if list.len() > MOST_OFFERS {
            let detail =
                format!("names {} offers; at most {MOST_OFFERS} fit in one request", list.len());
            return Err(Faults::one("/offer_ids", detail));
        }
        let (sink, all) = (Sink::new(), Path::Below("/offer_ids"));
        let mut ids = Vec::new();
        for (index, id) in list.iter().enumerate() {
            match id.as_str() {
                Some(id) => ids.push(id.to_owned()),
                None => sink.add(&Path::Index(&all, index), "must be a text"),
            }
        }
        sink.check(Some(ids)).map(Some)
    }

    /// Whether there is a cart.
    #[must_use]
    pub const fn has_cart(&self) -> bool {
        self.cart.is_some()
    }

    /// The cart, with the places below it of keys that nobody reads.
    ///
    /// # Errors
    /// When there is none, or it is not sound.
    pub fn cart(&self) -> Result<(Cart, Vec<String>), Faults> {
        let cart = self.cart.as_ref().ok_or_else(|| Faults::one("/cart", "is missing"))?;
        Cart::from_json_noting(cart.get().as_bytes()).map_err(|faults| faults.below("/cart"))
    }

    /// Where keys stand that nobody reads, of a question that reads these; `below_cart` as
    /// [`Body::cart`] tells them.
    #[must_use]
    pub fn ignored(&self, read: &[&str], below_cart: Vec<String>) -> Vec<String> {
        let own = self.entries.keys().map(String::as_str);
        let own = own.chain(self.cart.is_some().then_some("cart"));
        let own = own.filter(|key| !read.contains(key)).map(|key| {
            let key: String = key.chars().take(LONGEST_KEY).collect();
            Path::Key(&Path::Root, &key).to_string()
        });
        let below = below_cart.into_iter().map(|place| format!("/cart{place}"));
        own.chain(below).take(MOST_IGNORED).collect()
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
    /// What is offered on this cart.
    offers: &'a [Quote],
    /// What a member has.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<[Points; 1]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ignored: &'a [String],
}

/// Answers an inquiry; of a member with what he has.
#[must_use]
pub fn inquire_reply<'a>(
    offers: &'a [Quote],
    member: Option<(&Programme, &View)>,
    ignored: &'a [String],
) -> InquireReply<'a> {
    let points = member.map(|(programme, view)| [Points::of(programme, view)]);
    InquireReply { offers, points, ignored }
}

/// The reply to a redemption.
#[derive(Debug, Serialize)]
pub struct RedeemReply<'a> {
    applied: &'a [Quote],
    rejected: Vec<Rejected<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ignored: &'a [String],
}

#[derive(Debug, Serialize)]
struct Rejected<'a> {
    offer_id: &'a str,
    reason: &'static str,
    message: &'a str,
}

/// Answers a redemption; a guest reads `message` where an offer was rejected.
#[must_use]
pub fn redeem_reply<'a>(
    redeemed: &'a Redeemed,
    message: &'a str,
    ignored: &'a [String],
) -> RedeemReply<'a> {
    let rejected = redeemed.rejected.iter().map(|rejection| Rejected {
        offer_id: &rejection.offer_id,
        reason: rejection.reason.as_str(),
        message,
    });
    RedeemReply { applied: &redeemed.applied, rejected: rejected.collect(), ignored }
}

/// The reply to a reversal.
#[derive(Debug, Serialize)]
pub struct ReverseReply {
    reversed: Vec<String>,
    unchanged: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
}

/// Answers a reversal.
#[must_use]
pub fn reverse_reply(reversed: &Reversed, ignored: Vec<String>) -> ReverseReply {
    ReverseReply {
        reversed: reversed.reversed.iter().map(ToString::to_string).collect(),
        unchanged: reversed.unchanged.clone(),
        ignored,
    }
}

#[cfg(test)]
mod tests {
    use promo_core::identity::Region;

    use super::*;

    fn body(json: &str) -> Body {
        Body::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn offer_ids_name_one_to_fifty_offers_or_are_left_out() {
        let read = |json: &str| body(json).offer_ids().map_err(|f| f.as_slice()[0].pointer.clone());
        assert_eq!(read("{}"), Ok(None));
        assert_eq!(read(r#"{"offer_ids": null}"#), Ok(None));
        assert_eq!(read(r#"{"offer_ids": ["a"]}"#), Ok(Some(vec!["a".to_owned()])));
        for wrong in ["[]", "{}", "\"a\"", "7"] {
            let json = format!(r#"{{"offer_ids": {wrong}}}"#);
            assert_eq!(read(&json), Err("/offer_ids".to_owned()), "{wrong}");
        }
        assert_eq!(read(r#"{"offer_ids": ["a", null]}"#), Err("/offer_ids/1".to_owned()));
        let many = |count: usize| format!("{{\"offer_ids\": {:?}}}", vec!["a"; count]);
        assert_eq!(read(&many(50)).map(|ids| ids.map(|ids| ids.len())), Ok(Some(50)));
        assert_eq!(read(&many(51)), Err("/offer_ids".to_owned()));
    }

    #[test]
    fn keys_that_nobody_reads_are_told_of_the_body_and_of_the_cart() {
        let body = body(
            r#"{"offer_ids": ["a"], "offers": 1, "cart": {"currency": "USD", "subtotal": 1, "tags": []}}"#,
        );
        let (_, below) = body.cart().unwrap();
        let ignored = body.ignored(&["offer_ids", "cart"], below);
        assert_eq!(ignored, ["/offers", "/cart/tags"]);
        assert_eq!(body.ignored(&["offer_ids", "offers"], Vec::new()), ["/cart"]);
    }

    #[test]
    fn a_customer_is_a_text_or_an_object_as_in_the_cart() {
        let rules = Rules { region: Region::parse("US"), ..Rules::default() };
        let read = |json: &str| {
            let who = body(json).customer().map_err(|f| f.as_slice()[0].pointer.clone())?;
            let identities = who.map(|who| who.identities(&rules)).unwrap_or_default();
            Ok::<_, String>(identities.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let phone = || Ok(vec!["phone:+16085550100".to_owned()]);
        assert_eq!(read(r#"{"customer": "(608) 555-0100"}"#), phone());
        assert_eq!(read(r#"{"customer": {"phone": "608 555 0100", "id": "6085550111"}}"#), phone());
        assert_eq!(
            read(r#"{"customer": {"email": "A@b.example", "phone": "n/a"}}"#),
            Ok(vec!["email:a@b.example".to_owned()])
        );
        for nobody in ["{}", r#"{"customer": null}"#, r#"{"customer": " "}"#, r#"{"customer": {}}"#]
        {
            assert_eq!(read(nobody), Ok(vec![]), "{nobody}");
        }
        assert_eq!(read(r#"{"customer": 7}"#), Err("/customer".to_owned()));
        assert_eq!(read(r#"{"customer": {"phone": 7}}"#), Err("/customer/phone".to_owned()));
    }

    #[test]
    fn a_code_is_a_text() {
        assert_eq!(body("{}").code(), Ok(None));
        assert_eq!(body(r#"{"code": "A"}"#).code(), Ok(Some("A")));
        assert!(body(r#"{"code": 10}"#).code().is_err());
    }
}
