//! Reading a cart's values in one pass, without a tree: carts come with every request.
//!
//! A value of the wrong kind is noted and replaced by one that passes every check, so that it is told
//! once and the rest of the cart is still looked at. No cart comes of it, because the sink is then no
//! longer empty. Nulls count as absent.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{
    Words,
    builder::{Builder, Text},
};
use crate::{
    fault::{Path, Sink},
    json::{KeySeed, Skip, deeper},
};

/// Stands in for a text of the wrong kind: sound as a name and as a currency.
const ANY_TEXT: &str = "XXX";
/// Stands in for a number of the wrong kind: sound as a quantity and as an amount.
const ANY_NUMBER: i64 = 1;

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub sink: &'s Sink,
    pub path: &'s Path<'s>,
    pub depth: usize,
}

/// What an object's keys are read into.
pub(super) trait Fields<'de>: Default {
    /// Reads the value of a key, known or not.
    fn read<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        builder: &mut Builder,
        place: Place<'_>,
    ) -> Result<(), A::Error>;

    /// Hands the object to the builder.
    fn done(&self, _: &mut Builder, _: Place<'_>) {}
}

/// A value that is neither list nor object, or the name of what it is instead.
enum Scalar<'de> {
    Null,
    Flag(bool),
    Number(i64),
    Text(Cow<'de, str>),
    Other(&'static str),
}

pub(super) fn text<'de, A: MapAccess<'de>>(
    map: &mut A,
    place: Place<'_>,
) -> Result<Text<'de>, A::Error> {
    Ok(match map.next_value_seed(ScalarSeed(place.depth))? {
        Scalar::Null => None,
        Scalar::Text(text) => Some(text),
        other => {
            wrong(&other, "a text", place);
            Some(Cow::Borrowed(ANY_TEXT))
        }
    })
}

pub(super) fn number<'de, A: MapAccess<'de>>(
    map: &mut A,
    place: Place<'_>,
) -> Result<Option<i64>, A::Error> {
    Ok(match map.next_value_seed(ScalarSeed(place.depth))? {
        Scalar::Null => None,
        Scalar::Number(number) => Some(number),
        other => {
            wrong(&other, "a whole number", place);
            Some(ANY_NUMBER)
        }
    })
}

pub(super) fn flag<'de, A: MapAccess<'de>>(
    map: &mut A,
    place: Place<'_>,
) -> Result<Option<bool>, A::Error> {
    Ok(match map.next_value_seed(ScalarSeed(place.depth))? {
        Scalar::Null => None,
        Scalar::Flag(flag) => Some(flag),
        other => {
            wrong(&other, "true or false", place);
            None
        }
    })
}

pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A, place: Place<'_>) -> Result<(), A::Error> {
    map.next_value_seed(Skip { depth: place.depth })
}

fn wrong(found: &Scalar<'_>, expected: &str, place: Place<'_>) {
    let found = match found {
        Scalar::Null => "null",
        Scalar::Flag(_) => "true or false",
        Scalar::Number(_) => "a number",
        Scalar::Text(_) => "a text",
        Scalar::Other(what) => what,
    };
    note(found, expected, place);
}

fn note(found: &str, expected: &str, place: Place<'_>) {
    if !place.sink.is_full() {
        place.sink.add(place.path, format!("is {found}, and should be {expected}"));
    }
}

struct ScalarSeed(usize);

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(value).map_or(Scalar::Other("too large a number"), Scalar::Number))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other("a number with a fraction or an exponent, or too large a one"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scalar<'de>, A::Error> {
        Skip { depth: self.0 }.visit_seq(list)?;
        Ok(Scalar::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Scalar<'de>, A::Error> {
        Skip { depth: self.0 }.visit_map(object)?;
        Ok(Scalar::Other("an object"))
    }
}

/// Notes whatever is not what was expected, and reads over it.
macro_rules! nothing_else {
    ($expected:literal, $nothing:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str($expected)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            note("true or false", $expected, self.place);
            Ok($nothing)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            note("a number", $expected, self.place);
            Ok($nothing)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            note("a number", $expected, self.place);
            Ok($nothing)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            note("a number", $expected, self.place);
            Ok($nothing)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            note("a text", $expected, self.place);
            Ok($nothing)
        }
    };
}

/// Reads an object; nothing for null, or for anything else once that has been noted.
pub(super) struct ObjectSeed<'s, F> {
    builder: &'s mut Builder,
    place: Place<'s>,
    fields: PhantomData<F>,
}

impl<'s, F> ObjectSeed<'s, F> {
    pub fn new(builder: &'s mut Builder, place: Place<'s>) -> Self {
        Self { builder, place, fields: PhantomData }
    }
}

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for ObjectSeed<'_, F> {
    type Value = Option<F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<F>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for ObjectSeed<'_, F> {
    type Value = Option<F>;

    nothing_else!("an object", None);

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<F>, A::Error> {
        let depth = self.place.depth;
        Skip { depth }.visit_seq(list)?;
        note("a list", "an object", self.place);
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<F>, A::Error> {
        let depth = deeper(self.place.depth)?;
        let mut fields = F::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let place =
                Place { sink: self.place.sink, path: &Path::Key(self.place.path, &key), depth };
            fields.read(&key, &mut map, self.builder, place)?;
        }
        Ok(Some(fields))
    }
}

/// Reads a list of objects, and hands each to the builder.
pub(super) struct ListSeed<'s, F> {
    builder: &'s mut Builder,
    place: Place<'s>,
    fields: PhantomData<F>,
}

impl<'s, F> ListSeed<'s, F> {
    pub fn new(builder: &'s mut Builder, place: Place<'s>) -> Self {
        Self { builder, place, fields: PhantomData }
    }
}

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for ListSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for ListSeed<'_, F> {
    type Value = ();

    nothing_else!("a list", ());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let depth = deeper(self.place.depth)?;
        let mut index = 0_usize;
        loop {
            let place =
                Place { sink: self.place.sink, path: &Path::Index(self.place.path, index), depth };
            let seed = ObjectSeed::<F>::new(self.builder, place);
            match list.next_element_seed(seed)? {
                None => return Ok(()),
                Some(None) => {}
                Some(Some(fields)) => fields.done(self.builder, place),
            }
            index = index.saturating_add(1);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        let depth = self.place.depth;
        Skip { depth }.visit_map(object)?;
        note("an object", "a list", self.place);
        Ok(())
    }
}

/// Reads a list of words.
pub(super) struct WordsSeed<'s> {
    pub builder: &'s mut Builder,
    pub place: Place<'s>,
}

impl<'de> DeserializeSeed<'de> for WordsSeed<'_> {
    type Value = Words;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Words, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for WordsSeed<'_> {
    type Value = Words;

    nothing_else!("a list of texts", Words::default());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let depth = deeper(self.place.depth)?;
        let mark = self.builder.mark();
        let mut index = 0_usize;
        while let Some(element) = list.next_element_seed(ScalarSeed(depth))? {
            match element {
                Scalar::Null => {}
                Scalar::Text(word) => self.builder.word(&word),
                other => wrong(
                    &other,
                    "a text",
                    Place { path: &Path::Index(self.place.path, index), ..self.place },
                ),
            }
            index = index.saturating_add(1);
        }
        Ok(self.builder.words_since(mark))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Words, A::Error> {
        let depth = self.place.depth;
        Skip { depth }.visit_map(object)?;
        note("an object", "a list of texts", self.place);
        Ok(Words::default())
    }
}
