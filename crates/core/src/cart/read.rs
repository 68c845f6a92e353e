//! Reading a cart from JSON, in one pass and without a tree: carts come with every checkout.
//!
//! A value of the wrong kind is noted and replaced by one that passes every check, so that it is told
//! once and the rest of the cart is still looked at. No cart comes of it, because the sink is then no
//! longer empty. Nulls count as absent, and of two equal keys the last one counts.

use std::borrow::Cow;

use super::{
    Cart, MOST_IGNORED, Words,
    builder::{Builder, CartFields, CustomerFields, FeeFields, LineFields, Text, Units},
};
use crate::{
    decimal,
    fault::{Path, Sink},
    json::pull::{FRACTION, Pull, Scalar, Wrong},
};

/// Stands in for a text of the wrong kind: sound as a name and as a currency.
const ANY_TEXT: &str = "XXX";
/// Stands in for a number of the wrong kind: sound as a quantity and as an amount.
const ANY_NUMBER: i64 = 1;
/// The most characters that are shown of the place of a key that nobody reads.
const LONGEST_PLACE: usize = 200;

/// Reads a cart that stands at a path, so deep.
pub(crate) fn document(json: &[u8], sink: &Sink, path: &Path<'_>, depth: usize) -> Option<Cart> {
    read(json, sink, Place { path, depth }, None)
}

/// As [`document`], with the places of keys that nobody reads.
pub(crate) fn noting(
    json: &[u8],
    sink: &Sink,
    path: &Path<'_>,
    depth: usize,
) -> (Option<Cart>, Vec<String>) {
    let mut ignored = Vec::new();
    let cart = read(json, sink, Place { path, depth }, Some(&mut ignored));
    (cart, ignored)
}

fn read(
    json: &[u8],
    sink: &Sink,
    place: Place<'_>,
    ignored: Option<&mut Vec<String>>,
) -> Option<Cart> {
    let path = place.path;
    let text = match std::str::from_utf8(json) {
        Ok(text) => text,
        Err(error) => {
            sink.add(path, format!("is not JSON: not UTF-8 from byte {}", error.valid_up_to()));
            return None;
        }
    };
    let builder = Builder::for_text(text.len());
    let mut reader = Reader { pull: Pull::new(text), builder, sink, ignored };
    match reader.cart(place) {
        Ok(Some(fields)) => reader.builder.finish(&fields, path, sink),
        Ok(None) => {
            sink.add(path, "should be a cart, an object");
            None
        }
        Err(Wrong(why)) => {
            let read = text.get(..reader.pull.at()).unwrap_or(text);
            let (line, column) =
                (read.matches('\n').count(), read.lines().last().map_or(0, str::len));
            let line = line.saturating_add(1);
            sink.add(path, format!("is not JSON: {why}, at line {line} after {column} bytes"));
            None
        }
    }
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'s> {
    path: &'s Path<'s>,
    depth: usize,
}

struct Reader<'a, 's> {
    pull: Pull<'a>,
    builder: Builder,
    sink: &'s Sink,
    /// Where keys stand that nobody reads, if anybody wants to know.
    ignored: Option<&'s mut Vec<String>>,
}

impl<'a> Reader<'a, '_> {
    fn cart(&mut self, place: Place<'_>) -> Result<Option<CartFields<'a>>, Wrong> {
        let mut fields = CartFields::default();
        let there = self.object(place, |reader, key, at| {
            match key {
                "tab_id" => fields.tab_id = reader.text(at)?,
                "location_id" => fields.location_id = reader.text(at)?,
                "currency" => fields.currency = reader.text(at)?,
                "channel" => fields.channel = reader.text(at)?,
                "subtotal" => fields.subtotal = reader.number(at)?,
                "tax" => fields.tax = reader.number(at)?,
                "total" => fields.total = reader.number(at)?,
                "lines" => {
                    reader.builder.restart_lines();
                    reader.list(at, "a list", Self::line)?;
                }
                "fees" => {
                    reader.builder.restart_fees();
                    reader.list(at, "a list", Self::fee)?;
                }
                "customer" => reader.customer(at)?,
                _ => reader.ignore(at)?,
            }
            Ok(())
        })?;
        self.pull.end()?;
        Ok(there.then_some(fields))
    }

    fn line(&mut self, place: Place<'_>) -> Result<(), Wrong> {
        let mut fields = LineFields::default();
        let there = self.object(place, |reader, key, at| {
            match key {
                "id" => fields.id = reader.text(at)?,
                "sku" => fields.sku = reader.text(at)?,
                "tag" => fields.tag = reader.words(at)?,
                "name" => fields.name = reader.text(at)?,
                "category" => fields.category = reader.words(at)?,
                "quantity" => fields.quantity = reader.units(at)?,
                "unit_price" => fields.unit_price = reader.number(at)?,
                "min_unit_price" => fields.min_unit_price = reader.number(at)?,
                _ => reader.ignore(at)?,
            }
            Ok(())
        })?;
        if there {
            self.builder.line(&fields, place.path, self.sink);
        }
        Ok(())
    }

    fn fee(&mut self, place: Place<'_>) -> Result<(), Wrong> {
        let mut fields = FeeFields::default();
        let there = self.object(place, |reader, key, at| {
            match key {
                "id" => fields.id = reader.text(at)?,
                "kind" => fields.kind = reader.text(at)?,
                "amount" => fields.amount = reader.number(at)?,
                _ => reader.ignore(at)?,
            }
            Ok(())
        })?;
        if there {
            self.builder.fee(&fields, place.path, self.sink);
        }
        Ok(())
    }

    fn customer(&mut self, place: Place<'_>) -> Result<(), Wrong> {
        let mut fields = CustomerFields::default();
        let there = self.object(place, |reader, key, at| {
            match key {
                "id" => fields.id = reader.text(at)?,
                "phone" => fields.phone = reader.text(at)?,
                "email" => fields.email = reader.text(at)?,
                "tier" => fields.tier = reader.text(at)?,
                "tag" => fields.tag = reader.words(at)?,
                "first_order" => fields.first_order = reader.flag(at)?,
                "orders" => fields.orders = reader.number(at)?,
                _ => reader.ignore(at)?,
            }
            Ok(())
        })?;
        if there {
            self.builder.customer(&fields, place.path, self.sink);
        }
        Ok(())
    }

    /// Reads an object member by member; `false` for null, or for anything else once that is noted.
    fn object(
        &mut self,
        place: Place<'_>,
        mut member: impl FnMut(&mut Self, &str, Place<'_>) -> Result<(), Wrong>,
    ) -> Result<bool, Wrong> {
        if self.pull.peek()? != b'{' {
            self.wrong(place, "an object")?;
            return Ok(false);
        }
        let depth = self.pull.enter(place.depth)?;
        let mut first = true;
        while self.pull.more(first, b'}')? {
            first = false;
            let key = self.pull.key()?;
            member(self, &key, Place { path: &Path::Key(place.path, &key), depth })?;
        }
        Ok(true)
    }

    /// Reads a list element by element; nothing for null, or for anything else once that is noted.
    fn list(
        &mut self,
        place: Place<'_>,
        expected: &str,
        mut element: impl FnMut(&mut Self, Place<'_>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        if self.pull.peek()? != b'[' {
            return self.wrong(place, expected);
        }
        let depth = self.pull.enter(place.depth)?;
        let mut index = 0_usize;
        while self.pull.more(index == 0, b']')? {
            element(self, Place { path: &Path::Index(place.path, index), depth })?;
            index = index.wrapping_add(1);
        }
        Ok(())
    }

    fn words(&mut self, place: Place<'_>) -> Result<Words, Wrong> {
        let mark = self.builder.mark();
        self.list(place, "a list of texts", |reader, at| {
            if let Some(word) = reader.text(at)? {
                reader.builder.word(&word);
            }
            Ok(())
        })?;
        Ok(self.builder.words_since(mark))
    }

    #[inline]
    fn text(&mut self, place: Place<'_>) -> Result<Text<'a>, Wrong> {
        match self.pull.plain_text() {
            Some(text) => Ok(Some(Cow::Borrowed(text))),
            None => self.any_text(place),
        }
    }

    #[inline(never)]
    fn any_text(&mut self, place: Place<'_>) -> Result<Text<'a>, Wrong> {
        Ok(match self.pull.scalar(place.depth)? {
            Scalar::Null => None,
            Scalar::Text(text) => Some(text),
            other => {
                self.note(&other, "a text", place);
                Some(Cow::Borrowed(ANY_TEXT))
            }
        })
    }

    fn number(&mut self, place: Place<'_>) -> Result<Option<i64>, Wrong> {
        match self.pull.plain_number() {
            Some(number) => Ok(Some(number)),
            None => self.any_number(place),
        }
    }

    #[inline(never)]
    fn any_number(&mut self, place: Place<'_>) -> Result<Option<i64>, Wrong> {
        Ok(match self.pull.scalar(place.depth)? {
            Scalar::Null => None,
            Scalar::Number(number) => Some(number),
            other => {
                self.note(&other, "a whole number", place);
                Some(ANY_NUMBER)
            }
        })
    }

    fn units(&mut self, place: Place<'_>) -> Result<Option<Units>, Wrong> {
        match self.pull.plain_number() {
            Some(number) => Ok(Some(Units::Whole(number))),
            None => self.any_units(place),
        }
    }

    #[inline(never)]
    fn any_units(&mut self, place: Place<'_>) -> Result<Option<Units>, Wrong> {
        self.pull.peek()?;
        let begin = self.pull.at();
        let units = match self.pull.scalar(place.depth)? {
            Scalar::Null => return Ok(None),
            Scalar::Number(number) => Units::Whole(number),
            Scalar::Other(FRACTION) => match decimal::scaled(self.pull.since(begin), 3) {
                Ok(parts) if parts % 1000 == 0 => Units::Whole(parts / 1000),
                Ok(parts) => Units::Thousandths(parts),
                Err(why) => {
                    self.sink.add(place.path, why.to_string());
                    Units::Whole(ANY_NUMBER)
                }
            },
            other => {
                self.note(&other, "a number of units", place);
                Units::Whole(ANY_NUMBER)
            }
        };
        Ok(Some(units))
    }

    /// Reads over the value of a key that nobody reads.
    #[cold]
    fn ignore(&mut self, place: Place<'_>) -> Result<(), Wrong> {
        if let Some(ignored) = &mut self.ignored
            && ignored.len() < MOST_IGNORED
        {
            let place: String = place.path.to_string().chars().take(LONGEST_PLACE).collect();
            if !ignored.contains(&place) {
                ignored.push(place);
            }
        }
        self.pull.skip(place.depth)
    }

    fn flag(&mut self, place: Place<'_>) -> Result<Option<bool>, Wrong> {
        Ok(match self.pull.scalar(place.depth)? {
            Scalar::Null => None,
            Scalar::Flag(flag) => Some(flag),
            other => {
                self.note(&other, "true or false", place);
                None
            }
        })
    }

    /// Notes what stands here instead of a list or an object, and reads over it; null is no fault.
    #[cold]
    fn wrong(&mut self, place: Place<'_>, expected: &str) -> Result<(), Wrong> {
        let found = self.pull.scalar(place.depth)?;
        if found != Scalar::Null {
            self.note(&found, expected, place);
        }
        Ok(())
    }

    #[cold]
    fn note(&self, found: &Scalar<'_>, expected: &str, place: Place<'_>) {
        if self.sink.is_full() {
            return;
        }
        let found = match found {
            Scalar::Null => "null",
            Scalar::Flag(_) => "true or false",
            Scalar::Number(_) => "a number",
            Scalar::Text(_) => "a text",
            Scalar::Other(what) => what,
        };
        self.sink.add(place.path, format!("is {found}, and should be {expected}"));
    }
}
