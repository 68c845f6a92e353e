//! A tab's items as lines of a cart. The shape of an item is not published; assumed throughout:
//!
//! - prices are in minor units as numbers and in major units as texts, like the tab's;
//! - an item's sum (`subtotal`, `total` without the item's own `tax`, `amount`) that is more than its
//!   price times its quantity includes its options, and is what the line is worth;
//! - a line below zero, in quantity or price, takes its twin off: the same product at the same price.
//!   Of a price below zero without a twin it is assumed that it is somebody else's discount: no line;
//! - an item that states only its sum over several units which do not divide it becomes two lines one
//!   minor unit apart, so that the lines still add up to what the guest owes;
//! - an item whose price or quantity cannot be read is a fault: a discount on part of a tab is wrong.

use promo_core::cart::{LineDraft, MOST, extended};
use promo_core::decimal;
use promo_core::fault::{Path, Sink};
use serde_json::Value;

use super::wire::{amount, first, named, text, text_at, texts};

/// A unit in thousandths, as quantities are kept here.
const UNIT: u64 = 1000;

/// The lines of a tab's data, which stands at `path`; amounts as texts have so many decimals.
pub(super) fn lines(data: &Value, path: &Path<'_>, exponent: u32, sink: &Sink) -> Vec<LineDraft> {
    let mut items = Vec::new();
    if !listed(data, "items", path, sink, |item, at| items.extend(read(item, at, exponent, sink))) {
        listed(data, "orders", path, sink, |order, at| {
            listed(order, "items", at, sink, |item, at| {
                items.extend(read(item, at, exponent, sink));
            });
        });
    }
    let (voids, mut kept): (Vec<Item<'_>>, Vec<Item<'_>>) =
        items.into_iter().partition(|item| item.void.is_some());
    for void in &voids {
        take_off(void, &mut kept);
    }
    let mut lines: Vec<LineDraft> =
        kept.iter().enumerate().flat_map(|(index, item)| item.lines(index)).collect();
    name_apart(&mut lines);
    lines
}

/// Whether a tab's data has items, though they may come to nothing.
pub(super) fn any(data: &Value) -> bool {
    let has = |of: &Value| {
        let items = first(of, &["items"]).and_then(Value::as_array);
        items.is_some_and(|items| items.iter().any(Value::is_object))
    };
    let orders = first(data, &["orders"]).and_then(Value::as_array);
    has(data) || orders.is_some_and(|orders| orders.iter().any(has))
}

/// Goes through a list; whether there is anything in it. Nulls in it are passed over, and so is an
/// object without entries, as some encoders write an empty list.
fn listed<'v>(
    object: &'v Value,
    key: &str,
    path: &Path<'_>,
    sink: &Sink,
    mut each: impl FnMut(&'v Value, &Path<'_>),
) -> bool {
    let Some((key, value)) = named(object, &[key]) else { return false };
    let path = Path::Key(path, &key);
    match value {
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                let at = Path::Index(&path, index);
                match element {
                    Value::Null => {}
                    Value::Object(_) => each(element, &at),
                    _ => sink.add(&at, "must be an object"),
                }
            }
            !list.is_empty()
        }
        Value::Object(entries) if entries.is_empty() => false,
        _ => {
            sink.add(&path, "must be a list");
            true
        }
    }
}

/// How a line says that it takes another off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Void {
    /// By so many units less than none.
    Quantity,
    /// By a price below zero alone, which may be a discount too.
    Price,
}

/// An item that can be priced.
struct Item<'v> {
    item: &'v Value,
    /// Its own name, not its product's.
    own: Option<String>,
    sku: Option<String>,
    name: Option<String>,
    /// How much of it there is.
    thousandths: u64,
    /// What all of it costs.
    worth: u64,
    void: Option<Void>,
}

fn read<'v>(item: &'v Value, path: &Path<'_>, exponent: u32, sink: &Sink) -> Option<Item<'v>> {
    let name = text_at(item, &["name", "product_name"]);
    let quantity = match named(item, &["quantity", "qty"]) {
        None => 1000,
        Some((key, value)) => {
            let quantity = text(value).map(|text| decimal::scaled(&text, 3));
            let fault = |why: &str| fault(&Path::Key(path, &key), name.as_deref(), why, sink);
            match quantity {
                Some(Ok(quantity)) if within(quantity, MOST.saturating_mul(UNIT)) => quantity,
                Some(Ok(_)) => return fault("is too large a quantity"),
                Some(Err(why)) => return fault(&why.to_string()),
                None => return fault("is no quantity; write a number"),
            }
        }
    };
    if quantity == 0 {
        // Nothing of it is on the tab.
        return None;
    }
    let price = |keys: &[&str]| price(item, keys, exponent, path, name.as_deref(), sink);
    let each = price(&["unit_price", "price"])?;
    let (subtotal, total) = (price(&["subtotal"])?, price(&["total"])?);
    let (sum, tax) = (price(&["amount"])?, price(&["tax"])?);
    // A total is what the guest pays, like the tab's.
    let total = total.map(|total| match tax {
        Some(tax) if tax.signum() == total.signum() => total.saturating_sub(tax),
        _ => total,
    });
    let sums = [subtotal, total, sum];
    let negative = |amount: &Option<i64>| amount.is_some_and(|amount| amount < 0);
    let void = match quantity < 0 {
        true => Some(Void::Quantity),
        false if negative(&each) || sums.iter().any(negative) => Some(Void::Price),
        false => None,
    };
    let thousandths = quantity.unsigned_abs();
    let Some(worth) = worth(thousandths, each, sums) else {
        let at = Path::Key(path, "unit_price");
        let why = match each.or(sums.into_iter().flatten().next()) {
            Some(_) => "is too large a price at this quantity",
            None => "is missing; write the price of one unit in minor units",
        };
        return fault(&at, name.as_deref(), why, sink);
    };
    Some(Item {
        item,
        own: text_at(item, &["item_id", "uuid", "id"]),
        sku: text_at(item, &["sku", "product_id", "product_uuid"]),
        name,
        thousandths,
        worth,
        void,
    })
}

/// A price that is there, that is not, or (none) one that cannot be read.
#[expect(
    clippy::option_option,
    reason = "no price is no fault, a price that cannot be read is one"
)]
fn price(
    item: &Value,
    keys: &[&str],
    exponent: u32,
    path: &Path<'_>,
    name: Option<&str>,
    sink: &Sink,
) -> Option<Option<i64>> {
    let Some((key, value)) = named(item, keys) else { return Some(None) };
    match amount(value, exponent) {
        Some(amount) if within(amount, MOST.saturating_mul(UNIT)) => Some(Some(amount)),
        _ => {
            let why = "is no price that can be read; write minor units as a whole number (2000), or \
                       major units as a text (\"20.00\")";
            fault(&Path::Key(path, &key), name, why, sink)
        }
    }
}

fn within(number: i64, most: u64) -> bool {
    number.unsigned_abs() <= most
}

fn fault<T>(path: &Path<'_>, name: Option<&str>, why: &str, sink: &Sink) -> Option<T> {
    match name {
        Some(name) => sink.add(path, format!("of {name:?} {why}")),
        None => sink.add(path, why),
    }
    None
}

/// What an item is worth; none when it says nothing of it, or too much.
fn worth(thousandths: u64, each: Option<i64>, sums: [Option<i64>; 3]) -> Option<u64> {
    let mut sums = sums.into_iter().flatten().map(i64::unsigned_abs);
    let Some(each) = each else { return sums.next() };
    let plain = match thousandths.checked_rem(UNIT) {
        Some(0) if each.unsigned_abs() <= MOST => {
            thousandths.checked_div(UNIT)?.checked_mul(each.unsigned_abs())?
        }
        _ => extended(thousandths, each.unsigned_abs())?,
    };
    Some(sums.fold(plain, u64::max))
}

/// Takes a void's units off its twins: the same product at the same price, of equal quantity before
/// others. Where the quantity itself is below zero, what it says of the price matters less than which
/// item it is.
fn take_off(void: &Item<'_>, kept: &mut [Item<'_>]) {
    let mut left = void.thousandths;
    let same = |item: &Item<'_>| {
        (item.is(void) || (item.is_nameless() && void.is_nameless())) && item.costs_as(void)
    };
    let by_quantity = void.void == Some(Void::Quantity);
    type Fits<'f, 'v> = &'f dyn Fn(&Item<'v>) -> bool;
    let twins: [(bool, Fits<'_, '_>); 4] = [
        (true, &|it| it.thousandths == void.thousandths && same(it)),
        (true, &|it| same(it)),
        (by_quantity, &|it| it.own.is_some() && it.own == void.own),
        (by_quantity, &|it| it.is(void)),
    ];
    for (_, fits) in twins.into_iter().filter(|(tried, _)| *tried) {
        for item in kept.iter_mut() {
            if left > 0 && item.thousandths > 0 && fits(item) {
                left = left.saturating_sub(item.take(left));
            }
        }
    }
}

impl Item<'_> {
    /// Whether both are the same product.
    fn is(&self, other: &Self) -> bool {
        match (&self.sku, &other.sku) {
            (Some(one), Some(two)) => one == two,
            _ if self.own.is_some() && self.own == other.own => true,
            _ => self.name.is_some() && self.name == other.name,
        }
    }

    /// Whether nothing tells which product it is.
    fn is_nameless(&self) -> bool {
        self.sku.is_none() && self.own.is_none() && self.name.is_none()
    }

    /// Whether a unit of both costs the same.
    fn costs_as(&self, other: &Self) -> bool {
        let cross = |worth: u64, of: u64| u128::from(worth).checked_mul(u128::from(of));
        cross(self.worth, other.thousandths) == cross(other.worth, self.thousandths)
    }

    /// Takes off so much, as far as it goes; how much that was.
    fn take(&mut self, thousandths: u64) -> u64 {
        let taken = thousandths.min(self.thousandths);
        let left = self.thousandths.saturating_sub(taken);
        let share = u128::from(self.worth).checked_mul(u128::from(left));
        let share = share.and_then(|share| share.checked_div(u128::from(self.thousandths)));
        self.worth = share.and_then(|share| u64::try_from(share).ok()).unwrap_or(0);
        self.thousandths = left;
        taken
    }

    /// As lines of equal units.
    fn lines(&self, index: usize) -> Vec<LineDraft> {
        let whole = self.thousandths.is_multiple_of(UNIT).then_some(self.thousandths / UNIT);
        match whole {
            Some(0) => Vec::new(),
            None => vec![self.line(index, "", 1, self.worth, true)],
            Some(units) => {
                let low = self.worth.checked_div(units).unwrap_or(0);
                let dearer = self.worth.checked_rem(units).unwrap_or(0);
                let cheaper = units.saturating_sub(dearer);
                match dearer {
                    0 => vec![self.line(index, "", units, low, false)],
                    _ => vec![
                        self.line(index, "", dearer, low.saturating_add(1), false),
                        self.line(index, "~", cheaper, low, false),
                    ],
                }
            }
        }
    }

    fn line(
        &self,
        index: usize,
        suffix: &str,
        quantity: u64,
        unit_price: u64,
        weighed: bool,
    ) -> LineDraft {
        let product = || text_at(self.item, &["product_id"]);
        let id = self.own.clone().or_else(product);
        let id = id.unwrap_or_else(|| format!("#{}", index.saturating_add(1)));
        let words = |keys: &[&str]| first(self.item, keys).map(texts).unwrap_or_default();
        LineDraft {
            id: format!("{id}{suffix}"),
            sku: self.sku.clone(),
            name: self.name.clone(),
            category: words(&["category", "categories", "category_name", "product_type"]),
            tag: words(&["tag", "tags"]),
            quantity: i64::try_from(quantity).unwrap_or(i64::MAX),
            unit_price: i64::try_from(unit_price).unwrap_or(i64::MAX),
            min_unit_price: None,
            weighed,
        }
    }
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

#[cfg(test)]
mod tests;
