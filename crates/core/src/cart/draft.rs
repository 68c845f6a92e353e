//! A cart as a point of sale's adapter fills it in: plain texts and numbers, not yet checked.

use std::borrow::Cow;

use super::{
    Cart,
    builder::{Builder, CartFields, CustomerFields, FeeFields, LineFields, Text, Units},
};
use crate::fault::{Faults, Path, Sink};

/// A cart before it is checked. Amounts are in the currency's minor unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the cart's keys in the documentation")]
pub struct CartDraft {
    pub tab_id: Option<String>,
    pub location_id: Option<String>,
    pub currency: Option<String>,
    pub channel: Option<String>,
    pub lines: Vec<LineDraft>,
    pub fees: Vec<FeeDraft>,
    pub subtotal: Option<i64>,
    pub tax: Option<i64>,
    pub total: Option<i64>,
    pub customer: Option<CustomerDraft>,
}

/// A line before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the cart's keys in the documentation")]
pub struct LineDraft {
    pub id: String,
    pub sku: Option<String>,
    pub name: Option<String>,
    pub category: Vec<String>,
    pub tag: Vec<String>,
    pub quantity: i64,
    pub unit_price: i64,
    pub min_unit_price: Option<i64>,
    /// Sold by weight: `unit_price` is the price of all of it ([`super::extended`]), and `quantity` is 1.
    pub weighed: bool,
}

/// A fee before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the cart's keys in the documentation")]
pub struct FeeDraft {
    pub id: String,
    pub kind: String,
    pub amount: i64,
}

/// A customer before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the cart's keys in the documentation")]
pub struct CustomerDraft {
    pub id: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub tag: Vec<String>,
    pub tier: Option<String>,
    pub first_order: Option<bool>,
    pub orders: Option<i64>,
}

impl CartDraft {
    /// The sound cart.
    ///
    /// # Errors
    /// Every fault, at the place it has in the neutral cart (`/lines/0/quantity`).
    pub fn check(&self) -> Result<Cart, Faults> {
        let (sink, root) = (Sink::new(), Path::Root);
        let mut builder = Builder::default();
        let (lines, fees) = (Path::Key(&root, "lines"), Path::Key(&root, "fees"));
        for (index, line) in self.lines.iter().enumerate() {
            let fields = LineFields {
                id: text(&line.id),
                sku: optional(&line.sku),
                name: optional(&line.name),
                category: words(&mut builder, &line.category),
                tag: words(&mut builder, &line.tag),
                quantity: Some(match line.weighed {
                    true => Units::Weighed,
                    false => Units::Whole(line.quantity),
                }),
                unit_price: Some(line.unit_price),
                min_unit_price: line.min_unit_price,
            };
            builder.line(&fields, &Path::Index(&lines, index), &sink);
        }
        for (index, fee) in self.fees.iter().enumerate() {
            let fields =
                FeeFields { id: text(&fee.id), kind: text(&fee.kind), amount: Some(fee.amount) };
            builder.fee(&fields, &Path::Index(&fees, index), &sink);
        }
        if let Some(customer) = &self.customer {
            let fields = CustomerFields {
                id: optional(&customer.id),
                phone: optional(&customer.phone),
                email: optional(&customer.email),
                tier: optional(&customer.tier),
                tag: words(&mut builder, &customer.tag),
                first_order: customer.first_order,
                orders: customer.orders,
            };
            builder.customer(&fields, &Path::Key(&root, "customer"), &sink);
        }
        let fields = CartFields {
            tab_id: optional(&self.tab_id),
            location_id: optional(&self.location_id),
            currency: optional(&self.currency),
            channel: optional(&self.channel),
            subtotal: self.subtotal,
            tax: self.tax,
            total: self.total,
        };
        let cart = builder.finish(&fields, &root, &sink);
        sink.check(cart)
    }
}

fn text(text: &str) -> Text<'_> {
    Some(Cow::Borrowed(text))
}

fn optional(text: &Option<String>) -> Text<'_> {
    text.as_deref().map(Cow::Borrowed)
}

fn words(builder: &mut Builder, texts: &[String]) -> super::Words {
    let mark = builder.mark();
    for text in texts {
        builder.word(text);
    }
    builder.words_since(mark)
}
