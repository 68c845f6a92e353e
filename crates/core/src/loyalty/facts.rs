//! What is kept of a closed tab as long as no programme says what it earns: the cart without whoever paid, and
//! the place. It is bounded in size, and says nothing of a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MemberId;
use crate::cart::{Cart, CartDraft, CustomerDraft, FeeDraft, LineDraft};
use crate::engine::{Context, LocationFacts};
use crate::fault::Faults;
use crate::time::{Instant, Zone};

/// The most bytes that are kept of one tab, as JSON.
pub const MOST_BYTES: usize = 64 * 1024;

/// The facts of a closed tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    location: Option<String>,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<(Article, i64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fees: Vec<(String, i64)>,
    subtotal: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

/// What was sold on a line, at which price.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
struct Article {
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    category: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tag: Vec<String>,
    price: i64,
}

impl Facts {
    /// The facts of a tab; `None` when they are more than is kept.
    #[must_use]
    pub fn of(cart: &Cart, context: &Context) -> Option<Self> {
        let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        // Lines of the same are one: a round of drinks is entered one by one.
        let mut lines: BTreeMap<Article, i64> = BTreeMap::new();
        for line in cart.lines() {
            let article = Article {
                sku: line.sku().map(str::to_owned),
                name: line.name().map(str::to_owned),
                category: line.categories().map(str::to_owned).collect(),
                tag: line.tags().map(str::to_owned).collect(),
                price: signed(line.unit_price().minor()),
            };
            let units = lines.entry(article).or_default();
            *units = units.saturating_add(signed(line.quantity()));
        }
        let facts = Self {
            location: cart.location_id().map(ToString::to_string),
            currency: cart.currency().to_string(),
            channel: cart.channel().map(str::to_owned),
            lines: lines.into_iter().collect(),
            fees: cart
                .fees()
                .map(|fee| (fee.kind().to_owned(), signed(fee.amount().minor())))
                .collect(),
            subtotal: signed(cart.subtotal().minor()),
            tax: cart.tax().map(|tax| signed(tax.minor())),
            total: cart.total().map(|total| signed(total.minor())),
            timezone: context.location.timezone.as_ref().map(|zone| zone.name().to_owned()),
            tags: context.location.tags.clone(),
        };
        let size = serde_json::to_vec(&facts).map_or(usize::MAX, |json| json.len());
        (size <= MOST_BYTES).then_some(facts)
    }

    /// The tab again, as its owner's.
    ///
    /// # Errors
    /// When the facts are no sound tab; then they are not ours.
    pub fn cart(&self, owner: &MemberId) -> Result<Cart, Faults> {
        let line = |(index, (article, units)): (usize, &(Article, i64))| LineDraft {
            id: format!("#{index}"),
            sku: article.sku.clone(),
            name: article.name.clone(),
            category: article.category.clone(),
            tag: article.tag.clone(),
            quantity: *units,
            unit_price: article.price,
            ..LineDraft::default()
        };
        let fee = |(index, (kind, amount)): (usize, &(String, i64))| FeeDraft {
            id: format!("#{index}"),
            kind: kind.clone(),
            amount: *amount,
        };
        let draft = CartDraft {
            location_id: self.location.clone(),
            currency: Some(self.currency.clone()),
            channel: self.channel.clone(),
            lines: self.lines.iter().enumerate().map(line).collect(),
            fees: self.fees.iter().enumerate().map(fee).collect(),
            subtotal: Some(self.subtotal),
            tax: self.tax,
            total: self.total,
            customer: Some(CustomerDraft {
                id: Some(owner.to_string()),
                ..CustomerDraft::default()
            }),
            ..CartDraft::default()
        };
        draft.check()
    }

    /// The place and the time again.
    #[must_use]
    pub fn context(&self, at: Instant, default_zone: &Zone) -> Context {
        let timezone = self.timezone.as_deref().and_then(|name| Zone::parse(name).ok());
        let location = LocationFacts { timezone, tags: self.tags.clone() };
        Context { at, location, default_zone: default_zone.clone() }
    }
}
