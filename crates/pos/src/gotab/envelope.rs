//! The envelope GoTab's Promo and Loyalty events share: `event_type`, the guest's `lookup_value`, and
//! the tab.
//!
//! Known for INQUIRE; assumed to be the same for the other events. The shapes inside `tab_data`
//! (items, customers) are not published and assumed here, each beside the code that reads it.

use promo_core::cart::{Cart, CartDraft, CustomerDraft, LineDraft};
use promo_core::fault::{Faults, Path, Sink};
use promo_core::ident::{LocationId, TabId};
use promo_core::ledger::TabKey;
use serde_json::Value;

use super::wire::{first, integer, text, text_at, texts};

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
        let event_type = text_at(&body, &["event_type"])
            .ok_or_else(|| Faults::one("/event_type", "say which event this is"))?
            .to_ascii_uppercase();
        let lookup_value = text_at(&body, &["lookup_value"]);
        Ok(Self { body, event_type, lookup_value })
    }

    /// `tab_data`, or an empty object's stand-in when it is missing.
    pub(super) fn tab_data(&self) -> &Value {
        self.body.get("tab_data").unwrap_or(&Value::Null)
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
        self.draft(tab, currency).check().map_err(|faults| faults.below("/tab_data"))
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
        let mut draft = self.draft(tab, currency);
        let customer = draft.customer.get_or_insert_default();
        customer.id.get_or_insert_with(|| id.to_owned());
        customer.tier = tier.map(str::to_owned);
        draft.check().map_err(|faults| faults.below("/tab_data"))
    }

    fn draft(&self, tab: &TabKey, currency: &str) -> CartDraft {
        let data = self.tab_data();
        let amount = |key: &str| first(data, &[key]).and_then(integer);
        let mut lines: Vec<LineDraft> =
            self.items().enumerate().flat_map(|(index, item)| lines(index, item)).collect();
        name_apart(&mut lines);
        CartDraft {
            tab_id: Some(tab.tab.as_str().to_owned()),
            location_id: Some(tab.location.as_str().to_owned()),
            currency: Some(currency.to_owned()),
            channel: text_at(data, &["channel"]),
            lines,
            fees: Vec::new(),
            subtotal: amount("subtotal"),
            tax: amount("tax"),
            total: amount("total"),
            customer: self.customer(),
        }
    }

    /// Assumed: `items`, or when that is empty the items of `orders`.
    fn items(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        let list = |key| self.tab_data().get(key).and_then(Value::as_array);
        match list("items") {
            Some(items) if !items.is_empty() => Box::new(items.iter()),
            _ => Box::new(
                list("orders")
                    .into_iter()
                    .flatten()
                    .filter_map(|order| order.get("items").and_then(Value::as_array))
                    .flatten(),
            ),
        }
    }

    /// Assumed: `customers` as an object is one customer, as a list the first is who pays.
    fn customer(&self) -> Option<CustomerDraft> {
        let customers = first(self.tab_data(), &["customers"])?;
        let customer = match customers {
            Value::Array(list) => list.first()?,
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

    /// The offers an event names, in any of the shapes a POS might send them. Assumed throughout.
    #[must_use]
    pub fn offer_ids(&self) -> Vec<String> {
        let mut found = Vec::new();
        let named = ["offers", "offer_ids", "redemptions", "selected_offers"];
        for place in [&self.body, self.tab_data()] {
            if let Some(list) = first(place, &named) {
                collect_offer_ids(list, &mut found);
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|id| seen.insert(id.clone()));
        found
    }
}

fn told<T>(sink: &Sink, path: &Path<'_>, detail: &str) -> Option<T> {
    sink.add(path, detail);
    None
}

/// Items may share a product's id; lines of a cart may not share theirs.
fn name_apart(lines: &mut [LineDraft]) {
    let mut seen = std::collections::HashSet::new();
    for (index, line) in lines.iter_mut().enumerate() {
        while !seen.insert(line.id.clone()) {
            line.id = format!("{}~{index}", line.id);
        }
    }
}

/// Strings, objects with `offer_id`, lists of either, and the nested groups of the INQUIRE reply.
fn collect_offer_ids(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|entry| collect_offer_ids(entry, found)),
        Value::Object(_) => match (first(value, &["offer_id"]), first(value, &["offers"])) {
            (Some(id), _) => found.extend(text(id)),
            (None, Some(nested)) => collect_offer_ids(nested, found),
            (None, None) => found.extend(text_at(value, &["id"])),
        },
        one => found.extend(text(one)),
    }
}

/// One item as lines of equal units.
///
/// Assumed: prices are minor units like the tab's. An item that states only its sum over several
/// units which do not divide it becomes two lines one minor unit apart, so that the lines still add
/// up to what the guest owes; a fraction of a unit (a weighed item) is one unit at its whole price.
/// Voided items (no units) and negative ones (somebody else's discount) are no lines.
fn lines(index: usize, item: &Value) -> Vec<LineDraft> {
    let quantity = first(item, &["quantity", "qty"]);
    let whole = quantity.map_or(Some(1), integer);
    let each = first(item, &["unit_price", "price"]).and_then(integer);
    let sum = first(item, &["subtotal", "total", "amount"]).and_then(integer);
    let id = text_at(item, &["item_id", "uuid", "id", "product_id"])
        .unwrap_or_else(|| format!("#{}", index.saturating_add(1)));
    let line = |suffix: &str, quantity: i64, unit_price: i64| LineDraft {
        id: format!("{id}{suffix}"),
        sku: text_at(item, &["sku", "product_id", "product_uuid"]),
        name: text_at(item, &["name"]),
        category: first(item, &["category", "categories", "product_type"])
            .map(texts)
            .unwrap_or_default(),
        tag: first(item, &["tag", "tags"]).map(texts).unwrap_or_default(),
        quantity,
        unit_price,
        min_unit_price: None,
    };
    match (whole, each, sum) {
        (Some(units), _, _) if units <= 0 => Vec::new(),
        (_, Some(price), _) | (_, None, Some(price)) if price < 0 => Vec::new(),
        (Some(units), Some(price), _) => vec![line("", units, price)],
        (Some(units), None, Some(sum)) => {
            let low = sum.checked_div(units).unwrap_or(0);
            let dearer = sum.checked_rem(units).unwrap_or(0);
            let cheaper = units.saturating_sub(dearer);
            if dearer == 0 {
                vec![line("", units, low)]
            } else {
                vec![line("", dearer, low.saturating_add(1)), line("~", cheaper, low)]
            }
        }
        // A fraction of a unit.
        (None, each, sum) => sum.or(each).map(|price| line("", 1, price)).into_iter().collect(),
        (Some(_), None, None) => Vec::new(),
    }
}
