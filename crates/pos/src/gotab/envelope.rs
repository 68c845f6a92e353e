//! The envelope GoTab's Promo and Loyalty events share: `event_type`, the guest's `lookup_value`, and
//! the tab. An event may come wrapped, as GoTab's public sample shows it: `{"method", "headers",
//! "json", "body": {event}}`; places of faults are then those inside the event.
//!
//! Known for INQUIRE; assumed to be the same for the other events. The shapes inside `tab_data`
//! (items, customers) are not published and assumed here, each beside the code that reads it.

use promo_core::cart::{Cart, CartDraft, CustomerDraft};
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::{LocationId, TabId};
use promo_core::identity::Kind;
use promo_core::ledger::TabKey;
use promo_core::money::Currency;
use serde_json::Value;

use super::wire::{amount, first, named, text_at};
use super::{items, offer_ids};

/// One event as GoTab sent it, with its JSON still at hand for what only one API reads.
#[derive(Debug)]
pub struct Envelope {
    /// The whole body.
    pub body: Value,
    /// `event_type`, in upper case.
    pub event_type: String,
    /// The code as typed, or who the guest is.
    pub lookup_value: Option<String>,
}

impl Envelope {
    /// Reads the envelope; what it holds is read when it is needed.
    ///
    /// # Errors
    /// When the body is no JSON object or has no `event_type`.
    pub fn read(body: &[u8]) -> Result<Self, Faults> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| Faults::one("", format!("this is not JSON: {error}")))?;
        if !body.is_object() {
            return Err(Faults::one("", "an event is a JSON object"));
        }
        let body = unwrapped(body)?;
        let event_type = text_at(&body, &["event_type"])
            .ok_or_else(|| Faults::one("/event_type", "say which event this is"))?
            .to_ascii_uppercase();
        let lookup_value = text_at(&body, &["lookup_value"]);
        Ok(Self { body, event_type, lookup_value })
    }

    /// `tab_data`, or an empty object's stand-in when it is missing.
    pub(super) fn tab_data(&self) -> &Value {
        first(&self.body, &["tab_data"]).unwrap_or(&Value::Null)
    }

    /// Which tab of which location. Known: both names are there. Assumed: `tab_uuid` names a tab
    /// for good and `tab_id` is the number staff see, so the former is preferred.
    ///
    /// # Errors
    /// When the event names no tab or no location.
    pub fn tab(&self) -> Result<TabKey, Faults> {
        let sink = Sink::new();
        let (place, name) = (Path::Below("/location_id"), Path::Below("/tab_data/tab_uuid"));
        let location = text_at(&self.body, &["location_id"])
            .or_else(|| text_at(self.tab_data(), &["location_id"]));
        let location = match location.as_deref().map(LocationId::parse) {
            Some(Ok(location)) => Some(location),
            Some(Err(error)) => told(&sink, &place, &error.to_string()),
            None => told(&sink, &place, "say at which location the tab is"),
        };
        let tab = text_at(self.tab_data(), &["tab_uuid", "tab_id"]);
        let tab = match tab.as_deref().map(TabId::parse) {
            Some(Ok(tab)) => Some(tab),
            Some(Err(error)) => told(&sink, &name, &error.to_string()),
            None => told(&sink, &name, "say which tab this is"),
        };
        sink.check(location.zip(tab).map(|(location, tab)| TabKey { location, tab }))
    }

    /// Another name of the tab, if the event gives two: a number beside the uuid.
    #[must_use]
    pub fn also(&self, tab: &TabKey) -> Option<TabId> {
        let number = text_at(self.tab_data(), &["tab_id"])?;
        TabId::parse(&number).ok().filter(|number| *number != tab.tab)
    }

    /// At which location it happened.
    ///
    /// # Errors
    /// When the event names none.
    pub fn location(&self) -> Result<LocationId, Faults> {
        let told = text_at(&self.body, &["location_id"])
            .or_else(|| text_at(self.tab_data(), &["location_id"]))
            .ok_or_else(|| Faults::one("/location_id", "say at which location the tab is"))?;
        LocationId::parse(&told).map_err(|error| Faults::one("/location_id", error.to_string()))
    }

    /// The tab as a cart. GoTab states no currency, so the location's or deployment's is passed in.
    ///
    /// # Errors
    /// When the tab is no sound cart; the places are those of the event.
    pub fn cart(&self, tab: &TabKey, currency: &str) -> Result<Cart, Faults> {
        self.draft(tab, currency)?.check().map_err(|faults| faults.below("/tab_data"))
    }

    /// Whether every item and sum of the tab can be read, though they may make no sound cart, as when there
    /// is nothing on the tab yet.
    ///
    /// # Errors
    /// Each that cannot be read.
    pub fn legible(&self, tab: &TabKey, currency: &str) -> Result<(), Faults> {
        self.draft(tab, currency).map(|_| ())
    }

    /// The tab as a cart of a member's, who has this name and tier.
    ///
    /// # Errors
    /// As [`Envelope::cart`].
    pub fn cart_of_member(
        &self,
        tab: &TabKey,
        currency: &str,
        (id, tier): (&str, Option<&str>),
    ) -> Result<Cart, Faults> {
        let mut draft = self.draft(tab, currency)?;
        let customer = draft.customer.get_or_insert_default();
        customer.id.get_or_insert_with(|| id.to_owned());
        customer.tier = tier.map(str::to_owned);
        draft.check().map_err(|faults| faults.below("/tab_data"))
    }

    fn draft(&self, tab: &TabKey, currency: &str) -> Result<CartDraft, Faults> {
        let (data, sink) = (self.tab_data(), Sink::new());
        let root = Path::Root;
        let path = Path::Key(&root, "tab_data");
        let exponent = Currency::parse(currency).map_or(2, Currency::exponent);
        let amount = |key: &str| {
            let (key, value) = named(data, &[key])?;
            let read = amount(value, exponent);
            if read.is_none() {
                sink.add(&Path::Key(&path, &key), NO_AMOUNT);
            }
            read
        };
        let lines = items::lines(data, &path, exponent, &sink);
        let subtotal = amount("subtotal");
        // Where all that was on the tab was taken off again, there is nothing left to pay.
        let nothing_left = lines.is_empty() && items::any(data);
        let draft = CartDraft {
            tab_id: Some(tab.tab.as_str().to_owned()),
            location_id: Some(tab.location.as_str().to_owned()),
            currency: Some(currency.to_owned()),
            channel: text_at(data, &["channel"]),
            lines,
            fees: Vec::new(),
            subtotal: subtotal.or(nothing_left.then_some(0)),
            tax: amount("tax"),
            total: amount("total"),
            customer: self.customer(),
        };
        sink.check(Some(draft))
    }

    /// Assumed: `customers` as an object is one customer, as a list the first is who pays.
    fn customer(&self) -> Option<CustomerDraft> {
        let customers = first(self.tab_data(), &["customers"])?;
        let customer = match customers {
            Value::Array(list) => list.iter().find(|customer| customer.is_object())?,
            one => one,
        };
        let known = CustomerDraft {
            id: text_at(customer, &["customer_id", "uuid", "id"]),
            phone: text_at(customer, &["phone", "phone_number"]),
            email: text_at(customer, &["email"]),
            ..CustomerDraft::default()
        };
        let anybody = known.id.is_some() || known.phone.is_some() || known.email.is_some();
        anybody.then_some(known)
    }

    /// What `lookup_type` says that `lookup_value` is, where it says anything known.
    #[must_use]
    pub fn lookup_kind(&self) -> Option<Kind> {
        let told = text_at(&self.body, &["lookup_type"])?.to_ascii_lowercase();
        match told.replace(['_', '-', ' '], "").as_str() {
            "phone" => Some(Kind::Phone),
            "email" => Some(Kind::Email),
            "loyaltynumber" => Some(Kind::Number),
            _ => None,
        }
    }

    /// The offers an event names, in any of the shapes a POS might send them; none: the whole tab.
    ///
    /// # Errors
    /// When something names offers and cannot be read, or names more than are taken.
    pub fn offer_ids(&self) -> Result<Vec<String>, Faults> {
        let data = Path::Below("/tab_data");
        offer_ids::named([(Path::Root, &self.body), (data, self.tab_data())])
    }

    /// The offers that a reversal names; none: the whole tab.
    ///
    /// # Errors
    /// As [`Envelope::offer_ids`], and when offers are named where nobody reads them.
    pub fn reversed_offer_ids(&self) -> Result<Vec<String>, Faults> {
        let named = self.offer_ids()?;
        if named.is_empty() {
            offer_ids::none_elsewhere(&self.body)?;
        }
        Ok(named)
    }
}

const NO_AMOUNT: &str = "is no amount that can be read; write minor units as a whole number (1100), or \
    major units as a text (\"11.00\")";

/// The event in its wrapper, or the event itself.
fn unwrapped(mut body: Value) -> Result<Value, Faults> {
    let wrapper = ["method", "headers", "json", "body"];
    let is_event = first(&body, &["event_type"]).is_some();
    if is_event || !wrapper.iter().any(|key| body.get(key).is_some()) {
        return Ok(body);
    }
    // Assumed: what the wrapper's sender had as text, it may have left as text.
    let event = |inner: &mut Value| match inner.take() {
        Value::String(text) => serde_json::from_str(&text).ok().filter(Value::is_object),
        inner => Some(inner).filter(Value::is_object),
    };
    let found = ["body", "json"].into_iter().find_map(|key| body.get_mut(key).and_then(event));
    let missing = || Faults::one("/body", "this wrapper has no event; put the event here");
    found.filter(|event| event.as_object().is_some_and(|it| !it.is_empty())).ok_or_else(missing)
}

fn told<T>(sink: &Sink, path: &Path<'_>, detail: &str) -> Option<T> {
    sink.add(path, detail);
    None
}
