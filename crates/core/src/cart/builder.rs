//! The one way into a [`Cart`]: whatever is put in is checked here, and every fault is noted with the
//! place it has in the neutral cart.

use std::borrow::Cow;

use super::{Cart, CustomerData, FeeData, LineData, MOST, Span, Words, extended, lexicon::Lexicon};
use crate::{
    fault::{Path, Sink},
    ident::{LocationId, TabId},
    money::{Currency, Money},
};

/// A text that is borrowed where it can be.
pub(super) type Text<'t> = Option<Cow<'t, str>>;

/// How much there is of a line, before it is checked.
#[derive(Clone, Copy)]
pub(super) enum Units {
    /// So many units.
    Whole(i64),
    /// So many thousandths of one, which are no whole number of units.
    Thousandths(i64),
    /// One unit of something sold by weight, whose price is that of all of it.
    Weighed,
}

/// A line before it is checked.
#[derive(Default)]
pub(super) struct LineFields<'t> {
    pub id: Text<'t>,
    pub sku: Text<'t>,
    pub name: Text<'t>,
    pub category: Words,
    pub tag: Words,
    pub quantity: Option<Units>,
    pub unit_price: Option<i64>,
    pub min_unit_price: Option<i64>,
}

/// A fee before it is checked.
#[derive(Default)]
pub(super) struct FeeFields<'t> {
    pub id: Text<'t>,
    pub kind: Text<'t>,
    pub amount: Option<i64>,
}

/// A customer before it is checked.
#[derive(Default)]
pub(super) struct CustomerFields<'t> {
    pub id: Text<'t>,
    pub phone: Text<'t>,
    pub email: Text<'t>,
    pub tier: Text<'t>,
    pub tag: Words,
    pub first_order: Option<bool>,
    pub orders: Option<i64>,
}

/// A cart's own keys before they are checked.
#[derive(Default)]
pub(super) struct CartFields<'t> {
    pub tab_id: Text<'t>,
    pub location_id: Text<'t>,
    pub currency: Text<'t>,
    pub channel: Text<'t>,
    pub subtotal: Option<i64>,
    pub tax: Option<i64>,
    pub total: Option<i64>,
}

/// A cart in the making.
#[derive(Default)]
pub(super) struct Builder {
    lines: Vec<LineData>,
    fees: Vec<FeeData>,
    customer: Option<CustomerData>,
    words: Vec<u32>,
    lexicon: Lexicon,
    text: String,
    /// The lines' ids, each with its line's place in the document.
    line_ids: Vec<(Span, usize)>,
    fee_ids: Vec<(Span, usize)>,
}

impl Builder {
    /// A builder with room for what a text of so many bytes usually has.
    pub fn for_text(bytes: usize) -> Self {
        Self {
            lines: Vec::with_capacity(bytes / 128),
            words: Vec::with_capacity(bytes / 64),
            line_ids: Vec::with_capacity(bytes / 128),
            text: String::with_capacity(bytes / 2),
            ..Self::default()
        }
    }

    /// Where the next word will stand.
    pub fn mark(&self) -> u32 {
        index(self.words.len())
    }

    /// Adds a word to the list that began at the mark.
    pub fn word(&mut self, text: &str) {
        let number = self.lexicon.number(text, &mut self.text, keep);
        self.words.push(number);
    }

    /// The words since the mark.
    pub fn words_since(&self, mark: u32) -> Words {
        Words { start: mark, end: self.mark() }
    }

    /// Forgets the lines, when a document has the key twice: the last one counts.
    pub fn restart_lines(&mut self) {
        self.lines.clear();
        self.line_ids.clear();
    }

    /// Forgets the fees.
    pub fn restart_fees(&mut self) {
        self.fees.clear();
        self.fee_ids.clear();
    }

    pub fn line(&mut self, fields: &LineFields<'_>, path: &Path<'_>, sink: &Sink) {
        let id = required(fields.id.as_deref(), "id", path, sink).map(|id| self.keep(id));
        self.line_ids.extend(id.zip(place(path)));
        let units = units(fields.quantity, path, sink);
        let unit_price = bounded(fields.unit_price, 0, "unit_price", path, sink);
        let floor = fields.min_unit_price.unwrap_or(0);
        let floor = bounded(Some(floor), 0, "min_unit_price", path, sink);
        let (Some(id), Some(units), Some(unit_price), Some(floor)) = (id, units, unit_price, floor)
        else {
            return;
        };
        let Some((quantity, unit_price, min_unit_price)) = units.priced(unit_price, floor) else {
            let detail = format!("costs more than {MOST} at this quantity");
            sink.add(&Path::Key(path, "unit_price"), detail);
            return;
        };
        let line = LineData {
            id,
            sku: self.keep_some(fields.sku.as_deref()),
            name: self.keep_some(fields.name.as_deref()),
            category: fields.category,
            tag: fields.tag,
            quantity,
            unit_price,
            min_unit_price,
            weighed: !matches!(units, Measured::Units(_)),
        };
        self.lines.push(line);
    }

    pub fn fee(&mut self, fields: &FeeFields<'_>, path: &Path<'_>, sink: &Sink) {
        let id = required(fields.id.as_deref(), "id", path, sink).map(|id| self.keep(id));
        self.fee_ids.extend(id.zip(place(path)));
        let kind = required(fields.kind.as_deref(), "kind", path, sink);
        let amount = match fields.amount {
            None => missing("amount", path, sink),
            amount => money(amount, "amount", path, sink),
        };
        if let (Some(id), Some(kind), Some(amount)) = (id, kind, amount) {
            let kind = self.keep(kind);
            self.fees.push(FeeData { id, kind, amount });
        }
    }

    pub fn customer(&mut self, fields: &CustomerFields<'_>, path: &Path<'_>, sink: &Sink) {
        let orders = fields.orders.and_then(|orders| {
            let whole = u64::try_from(orders).ok();
            if whole.is_none() {
                sink.add(&Path::Key(path, "orders"), "must not be negative");
            }
            whole
        });
        // An identity of nothing but spaces identifies nobody.
        let named = |text: &Text<'_>| text.as_deref().map(str::trim).unwrap_or_default() != "";
        let identity = |builder: &mut Self, text: &Text<'_>| {
            named(text).then(|| builder.keep_some(text.as_deref())).flatten()
        };
        self.customer = Some(CustomerData {
            id: identity(self, &fields.id),
            phone: identity(self, &fields.phone),
            email: identity(self, &fields.email),
            tier: self.keep_some(fields.tier.as_deref()),
            tag: fields.tag,
            first_order: fields.first_order,
            orders,
        });
    }

    /// The cart, if nothing is wrong with it.
    pub fn finish(mut self, fields: &CartFields<'_>, path: &Path<'_>, sink: &Sink) -> Option<Cart> {
        let sound_so_far = sink.is_empty();
        for (ids, key) in [(&mut self.line_ids, "lines"), (&mut self.fee_ids, "fees")] {
            once_each(ids, &self.text, &Path::Key(path, key), sink);
        }
        let tab_id = name(fields.tab_id.as_deref(), "tab_id", path, sink, TabId::parse);
        let location_id =
            name(fields.location_id.as_deref(), "location_id", path, sink, LocationId::parse);
        let currency = required(fields.currency.as_deref(), "currency", path, sink);
        let currency = currency.and_then(|text| {
            Currency::parse(text)
                .map_err(|error| sink.add(&Path::Key(path, "currency"), error.to_string()))
                .ok()
        });
        let subtotal = money(fields.subtotal, "subtotal", path, sink);
        let tax = money(fields.tax, "tax", path, sink);
        let total = money(fields.total, "total", path, sink);
        let lines_total = sum(self
            .lines
            .iter()
            .map(|line| Money::new(line.quantity).checked_mul(line.unit_price)));
        if lines_total.is_none() {
            sink.add(&Path::Key(path, "lines"), too_much("the lines' prices"));
        }
        let fees_total = sum(self.fees.iter().map(|fee| Some(fee.amount)));
        if fees_total.is_none() {
            sink.add(&Path::Key(path, "fees"), too_much("the fees"));
        }
        let (lines_total, fees_total) = (lines_total?, fees_total?);
        if sound_so_far && self.lines.is_empty() && fields.subtotal.is_none() {
            let detail = "is missing; it may be left out only when there are lines to sum up";
            sink.add(&Path::Key(path, "subtotal"), detail);
        }
        let subtotal = subtotal.unwrap_or(lines_total);
        for goods in [subtotal, lines_total] {
            if goods.checked_add(fees_total).is_none() {
                sink.add(path, too_much("the goods and fees"));
                return None;
            }
        }
        let channel = self.keep_some(fields.channel.as_deref());
        Some(Cart {
            tab_id,
            location_id,
            currency: currency?,
            channel,
            lines: self.lines,
            fees: self.fees,
            customer: self.customer,
            lines_total,
            fees_total,
            subtotal,
            tax,
            total,
            words: self.words,
            lexicon: self.lexicon.into_spans(),
            text: self.text,
        })
    }

    fn keep(&mut self, text: &str) -> Span {
        keep(&mut self.text, text)
    }

    fn keep_some(&mut self, text: Option<&str>) -> Option<Span> {
        text.map(|text| self.keep(text))
    }
}

/// Where in its list an element stands.
fn place(path: &Path<'_>) -> Option<usize> {
    match path {
        Path::Index(_, index) => Some(*index),
        _ => None,
    }
}

/// Notes every id that stands there for a second time.
fn once_each(ids: &mut [(Span, usize)], text: &str, path: &Path<'_>, sink: &Sink) {
    ids.sort_unstable_by(|(a, i), (b, j)| a.of(text).cmp(&b.of(text)).then(i.cmp(j)));
    let same = |pair: &[(Span, usize)]| match pair {
        [(a, first), (b, again)] if a.of(text) == b.of(text) => Some((*again, *first)),
        _ => None,
    };
    let mut twice: Vec<(usize, usize)> = ids.windows(2).filter_map(same).collect();
    twice.sort_unstable();
    for (again, first) in twice {
        let element = Path::Index(path, again);
        let detail = format!("is the id of {path}/{first} too; ids are unique");
        sink.add(&Path::Key(&element, "id"), detail);
    }
}

/// A sound quantity.
#[derive(Clone, Copy)]
enum Measured {
    Units(u64),
    Thousandths(u64),
    Weighed,
}

impl Measured {
    /// Units, the price of one, and its floor; `None` when that is more than [`MOST`].
    fn priced(self, unit_price: u64, floor: u64) -> Option<(u64, u64, u64)> {
        match self {
            Self::Units(units) => Some((units, unit_price, floor)),
            Self::Weighed => Some((1, unit_price, floor)),
            Self::Thousandths(parts) => {
                Some((1, extended(parts, unit_price)?, extended(parts, floor)?))
            }
        }
    }
}

fn units(quantity: Option<Units>, path: &Path<'_>, sink: &Sink) -> Option<Measured> {
    match quantity {
        Some(Units::Weighed) => Some(Measured::Weighed),
        Some(Units::Thousandths(parts)) => {
            let most = MOST.saturating_mul(1000);
            let sound = u64::try_from(parts).ok().filter(|parts| (1..=most).contains(parts));
            if sound.is_none() {
                let detail = format!("must be more than 0 and at most {MOST}");
                sink.add(&Path::Key(path, "quantity"), detail);
            }
            sound.map(Measured::Thousandths)
        }
        Some(Units::Whole(units)) => {
            bounded(Some(units), 1, "quantity", path, sink).map(Measured::Units)
        }
        None => missing("quantity", path, sink),
    }
}

/// Keeps a text in the buffer of all texts.
pub(super) fn keep(buffer: &mut String, text: &str) -> Span {
    let start = index(buffer.len());
    buffer.push_str(text);
    Span { start, end: index(buffer.len()) }
}

/// A document of 4 GiB does not get here; if one did, its texts would be cut, not mixed up.
pub(super) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn too_much(what: &str) -> String {
    format!("{what} add up to more than {}", Money::MAX)
}

fn sum(mut amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    amounts.try_fold(Money::ZERO, |sum, amount| sum.checked_add(amount?))
}

fn missing<T>(key: &'static str, path: &Path<'_>, sink: &Sink) -> Option<T> {
    sink.add(&Path::Key(path, key), "is missing");
    None
}

fn required<'t>(
    text: Option<&'t str>,
    key: &'static str,
    path: &Path<'_>,
    sink: &Sink,
) -> Option<&'t str> {
    match text {
        None => missing(key, path, sink),
        text => text,
    }
}

fn name<T>(
    text: Option<&str>,
    key: &'static str,
    path: &Path<'_>,
    sink: &Sink,
    parse: fn(&str) -> Result<T, crate::ident::BadName>,
) -> Option<T> {
    parse(text?).map_err(|error| sink.add(&Path::Key(path, key), error.to_string())).ok()
}

/// A whole number from `least` to [`MOST`].
fn bounded(
    number: Option<i64>,
    least: u64,
    key: &'static str,
    path: &Path<'_>,
    sink: &Sink,
) -> Option<u64> {
    let Some(number) = number else {
        return missing(key, path, sink);
    };
    let whole = u64::try_from(number).ok();
    let sound = whole.filter(|whole| (least..=MOST).contains(whole));
    if sound.is_none() {
        let detail = format!("{number} is not a whole number from {least} to {MOST}");
        sink.add(&Path::Key(path, key), detail);
    }
    sound
}

fn money(number: Option<i64>, key: &'static str, path: &Path<'_>, sink: &Sink) -> Option<Money> {
    let number = number?;
    let money = u64::try_from(number).ok().map(Money::new);
    if money.is_none() {
        let detail = format!("{number} is negative; an amount is at least 0");
        sink.add(&Path::Key(path, key), detail);
    }
    money
}
