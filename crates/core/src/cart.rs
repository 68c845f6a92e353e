//! The cart: what a guest is about to pay for, as the offers see it.
//!
//! A cart that exists is sound: every quantity is positive, every amount is within bounds, and every
//! product and sum that the offers can ask for fits [`Money`]. There are two ways to one, JSON
//! ([`Cart::from_json`]) and a point of sale's adapter ([`CartDraft::check`]), and both pass the same
//! checks in [`builder`]. All texts lie in one buffer, so that a cart of 200 lines costs a handful of
//! allocations and can be kept without what it was read from.

use std::ops::Range;

use crate::{
    fault::{Faults, Path, Sink},
    ident::{LocationId, TabId},
    money::{Currency, Money},
};

mod builder;
mod draft;
mod gross;
mod identify;
mod lexicon;
mod line_set;
pub(crate) mod read;

pub use draft::{CartDraft, CustomerDraft, FeeDraft, LineDraft};
pub(crate) use line_set::LineSet;

/// The most units of a line, and the highest price of one.
pub const MOST: u64 = 1_000_000_000;

/// Of so many keys that nobody reads it is told where they stand.
pub const MOST_IGNORED: usize = 100;

/// What something sold by weight costs: so many thousandths of a unit at the price of one, rounded half
/// up. `None` when that is more than [`MOST`].
#[must_use]
pub fn extended(thousandths: u64, unit_price: u64) -> Option<u64> {
    let product = u128::from(thousandths).checked_mul(u128::from(unit_price))?;
    let rounded = product.checked_add(500)?.checked_div(1000)?;
    u64::try_from(rounded).ok().filter(|price| *price <= MOST)
}

/// Where a text lies in the cart's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        let place = |place| usize::try_from(place).unwrap_or(usize::MAX);
        place(self.start)..place(self.end)
    }

    fn of(self, text: &str) -> Option<&str> {
        text.get(self.range())
    }
}

/// Which of the cart's words (categories, tags) belong to something.
type Words = Span;

#[derive(Clone, Debug, PartialEq, Eq)]
struct LineData {
    id: Span,
    sku: Option<Span>,
    name: Option<Span>,
    category: Words,
    tag: Words,
    quantity: u64,
    unit_price: u64,
    min_unit_price: u64,
    weighed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FeeData {
    id: Span,
    kind: Span,
    amount: Money,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CustomerData {
    id: Option<Span>,
    phone: Option<Span>,
    email: Option<Span>,
    tier: Option<Span>,
    tag: Words,
    first_order: Option<bool>,
    orders: Option<u64>,
}

/// A sound cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    tab_id: Option<TabId>,
    location_id: Option<LocationId>,
    currency: Currency,
    channel: Option<Span>,
    lines: Vec<LineData>,
    fees: Vec<FeeData>,
    customer: Option<CustomerData>,
    lines_total: Money,
    fees_total: Money,
    subtotal: Money,
    tax: Option<Money>,
    total: Option<Money>,
    /// The lines' and the customer's words, by their numbers in the lexicon.
    words: Vec<u32>,
    lexicon: Vec<Span>,
    text: String,
}

impl Cart {
    /// Reads and checks a cart. Unknown keys are ignored and nulls count as absent.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        let sink = Sink::new();
        let cart = read::document(json, &sink, &Path::Root, 0);
        sink.check(cart)
    }

    /// As [`Cart::from_json`], and tells where keys stand that nobody reads (the first
    /// [`MOST_IGNORED`] of them), as JSON Pointers: `/tags`, `/lines/0/price`.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn from_json_noting(json: &[u8]) -> Result<(Self, Vec<String>), Faults> {
        let sink = Sink::new();
        let (cart, ignored) = read::noting(json, &sink, &Path::Root, 0);
        Ok((sink.check(cart)?, ignored))
    }

    /// The same cart of a member: of this name where the cart gives the customer none, and of this tier.
    #[must_use]
    pub fn of_member(mut self, id: &str, tier: Option<&str>) -> Self {
        let mut customer = self.customer.take().unwrap_or_default();
        if customer.id.is_none() {
            customer.id = Some(builder::keep(&mut self.text, id));
        }
        customer.tier = tier.map(|tier| builder::keep(&mut self.text, tier));
        self.customer = Some(customer);
        self
    }

    /// The tab, when the POS named it.
    #[must_use]
    pub fn tab_id(&self) -> Option<&TabId> {
        self.tab_id.as_ref()
    }

    /// The location, when the POS named it.
    #[must_use]
    pub fn location_id(&self) -> Option<&LocationId> {
        self.location_id.as_ref()
    }

    /// What every amount of the cart is in.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// How the guest orders: `qr`, `pos`, ….
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        self.text(self.channel)
    }

    /// The lines, in the cart's order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> + Clone {
        self.lines.iter().map(|data| Line { cart: self, data })
    }

    /// The line at an index.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<Line<'_>> {
        self.lines.get(index).map(|data| Line { cart: self, data })
    }

    /// The fees, in the cart's order.
    pub fn fees(&self) -> impl ExactSizeIterator<Item = Fee<'_>> {
        self.fees.iter().map(|data| Fee { cart: self, data })
    }

    /// The fee at an index.
    #[must_use]
    pub fn fee(&self, index: usize) -> Option<Fee<'_>> {
        self.fees.get(index).map(|data| Fee { cart: self, data })
    }

    /// What conditions believe the goods cost: the POS's own word, else the sum of the lines.
    #[must_use]
    pub fn subtotal(&self) -> Money {
        self.subtotal
    }

    /// The sum of the lines' prices.
    #[must_use]
    pub fn lines_total(&self) -> Money {
        self.lines_total
    }

    /// The sum of the fees.
    #[must_use]
    pub fn fees_total(&self) -> Money {
        self.fees_total
    }

    /// The tax, when the POS named it. No offer looks at it.
    #[must_use]
    pub fn tax(&self) -> Option<Money> {
        self.tax
    }

    /// The tab's total, when the POS named it. No offer looks at it.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        self.total
    }

    /// What is known of who pays, when anything is.
    #[must_use]
    pub fn customer(&self) -> Option<Customer<'_>> {
        self.customer.as_ref().map(|data| Customer { cart: self, data })
    }

    /// The words of categories and tags, by their numbers; a word may stand there twice.
    pub(crate) fn lexicon(&self) -> impl Iterator<Item = &str> {
        self.lexicon.iter().map(|span| span.of(&self.text).unwrap_or_default())
    }

    fn text(&self, span: Option<Span>) -> Option<&str> {
        span?.of(&self.text)
    }

    fn numbers(&self, words: Words) -> impl Iterator<Item = usize> + use<'_> {
        let numbers = self.words.get(words.range()).unwrap_or_default();
        numbers.iter().map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
    }

    fn words(&self, words: Words) -> impl Iterator<Item = &str> {
        self.numbers(words).filter_map(|number| self.text(self.lexicon.get(number).copied()))
    }
}

/// A line of the cart: some units of one thing at one price.
#[derive(Clone, Copy, Debug)]
pub struct Line<'c> {
    cart: &'c Cart,
    data: &'c LineData,
}

impl<'c> Line<'c> {
    /// The POS's name for the line.
    #[must_use]
    pub fn id(&self) -> &'c str {
        self.cart.text(Some(self.data.id)).unwrap_or_default()
    }

    /// The article.
    #[must_use]
    pub fn sku(&self) -> Option<&'c str> {
        self.cart.text(self.data.sku)
    }

    /// The article's name.
    #[must_use]
    pub fn name(&self) -> Option<&'c str> {
        self.cart.text(self.data.name)
    }

    /// The article's categories.
    pub fn categories(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        self.cart.words(self.data.category)
    }

    /// The article's tags.
    pub fn tags(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        self.cart.words(self.data.tag)
    }

    /// The categories' numbers in the cart's lexicon.
    pub(crate) fn category_numbers(&self) -> impl Iterator<Item = usize> + use<'c> {
        self.cart.numbers(self.data.category)
    }

    /// The tags' numbers in the cart's lexicon.
    pub(crate) fn tag_numbers(&self) -> impl Iterator<Item = usize> + use<'c> {
        self.cart.numbers(self.data.tag)
    }

    /// How many units, 1 to 10^9.
    #[must_use]
    pub fn quantity(&self) -> u64 {
        self.data.quantity
    }

    /// Whether it is one unit of something sold by weight, at the price of all of it.
    #[must_use]
    pub fn weighed(&self) -> bool {
        self.data.weighed
    }

    /// The price of one unit, at most 10^9 minor units.
    #[must_use]
    pub fn unit_price(&self) -> Money {
        Money::new(self.data.unit_price)
    }

    /// The floor that no discount takes a unit below.
    #[must_use]
    pub fn min_unit_price(&self) -> Money {
        Money::new(self.data.min_unit_price)
    }
}

/// A fee of the tab: delivery, service, ….
#[derive(Clone, Copy, Debug)]
pub struct Fee<'c> {
    cart: &'c Cart,
    data: &'c FeeData,
}

impl<'c> Fee<'c> {
    /// The POS's name for the fee.
    #[must_use]
    pub fn id(&self) -> &'c str {
        self.cart.text(Some(self.data.id)).unwrap_or_default()
    }

    /// What it is for, as campaigns name it.
    #[must_use]
    pub fn kind(&self) -> &'c str {
        self.cart.text(Some(self.data.kind)).unwrap_or_default()
    }

    /// How much it is.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.data.amount
    }
}

/// What is known of who pays.
#[derive(Clone, Copy, Debug)]
pub struct Customer<'c> {
    cart: &'c Cart,
    data: &'c CustomerData,
}

impl<'c> Customer<'c> {
    /// The POS's or the programme's name for the customer.
    #[must_use]
    pub fn id(&self) -> Option<&'c str> {
        self.cart.text(self.data.id)
    }

    /// The phone number.
    #[must_use]
    pub fn phone(&self) -> Option<&'c str> {
        self.cart.text(self.data.phone)
    }

    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> Option<&'c str> {
        self.cart.text(self.data.email)
    }

    /// Whether there is any of id, phone and e-mail.
    #[must_use]
    pub fn known(&self) -> bool {
        self.data.id.is_some() || self.data.phone.is_some() || self.data.email.is_some()
    }

    /// The customer's tags.
    pub fn tags(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        self.cart.words(self.data.tag)
    }

    /// The customer's tier.
    #[must_use]
    pub fn tier(&self) -> Option<&'c str> {
        self.cart.text(self.data.tier)
    }

    /// Whether this is the first order, if anybody knows.
    #[must_use]
    pub fn first_order(&self) -> Option<bool> {
        self.data.first_order
    }

    /// How many orders came before this one, if anybody knows.
    #[must_use]
    pub fn orders(&self) -> Option<u64> {
        self.data.orders
    }
}

#[cfg(test)]
mod tests;
