//! JSON as documents need it: nothing lost, nothing guessed, every fault with its place.
//!
//! A derived `Deserialize` stops at the first fault and cannot say that a key stands twice or is a
//! misspelling. Documents are therefore read into a [`Node`] tree first (borrowing from the text), and
//! then by hand through [`At`], which knows the way it came. Carts, which are read at every request,
//! skip the tree ([`pull`]). Both refuse nesting beyond [`DEEPEST`], so the stack is bounded whatever
//! comes in.

use std::{borrow::Cow, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::fault::{Path, Sink};

pub(crate) mod pull;
mod read;

pub(crate) use read::shortened;
pub use read::{At, Object};

/// How deep lists and objects may be nested.
pub const DEEPEST: usize = 64;

/// A JSON value, its keys in the order of the document and as often as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A whole number from 0.
    Whole(u64),
    /// A whole number below 0.
    Negative(i64),
    /// Any other number: with a fraction, an exponent, or beyond 64 bits.
    Fraction,
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// An object.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Reads a document; what is no JSON is noted in the sink.
    pub fn parse(json: &'a [u8], sink: &Sink, path: &Path<'_>) -> Option<Self> {
        document(json, NodeSeed { depth: 0 }, sink, path)
    }

    /// What kind of value this is, for a fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Negative(_) | Self::Fraction => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a whole document with a seed.
pub(crate) fn document<'a, S: DeserializeSeed<'a>>(
    json: &'a [u8],
    seed: S,
    sink: &Sink,
    path: &Path<'_>,
) -> Option<S::Value> {
    // Checked once as a whole, which is cheaper than text by text.
    let text = match std::str::from_utf8(json) {
        Ok(text) => text,
        Err(error) => {
            sink.add(path, format!("is not JSON: not UTF-8 from byte {}", error.valid_up_to()));
            return None;
        }
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read =
        seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| {
        let what = if error.is_data() { "cannot be read" } else { "is not JSON" };
        sink.add(path, format!("{what}: {error}"));
    })
    .ok()
}

/// One level deeper, unless that is too deep.
pub(crate) fn deeper<E: de::Error>(depth: usize) -> Result<usize, E> {
    if depth >= DEEPEST {
        Err(E::custom(format_args!("nested more than {DEEPEST} deep")))
    } else {
        Ok(depth.saturating_add(1))
    }
}

/// Reads a [`Node`] that stands at this depth.
#[derive(Clone, Copy)]
pub(crate) struct NodeSeed {
    /// How many lists and objects it stands in.
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(u64::try_from(value).map_or(Node::Negative(value), Node::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Fraction)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let seed = Self { depth: deeper(self.depth)? };
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(seed)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node<'de>, A::Error> {
        let seed = Self { depth: deeper(self.depth)? };
        let mut members = Vec::new();
        while let Some(key) = object.next_key_seed(KeySeed)? {
            members.push((key, object.next_value_seed(seed)?));
        }
        Ok(Node::Object(members))
    }
}

/// Reads a key, borrowed where it can be.
#[derive(Clone, Copy)]
pub(crate) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

/// Reads over a value of no interest.
#[derive(Clone, Copy)]
pub(crate) struct Skip {
    /// How many lists and objects it stands in.
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let seed = Self { depth: deeper(self.depth)? };
        while list.next_element_seed(seed)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let seed = Self { depth: deeper(self.depth)? };
        while object.next_key_seed(KeySeed)?.is_some() {
            object.next_value_seed(seed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &[u8]) -> String {
        let sink = Sink::new();
        let node = Node::parse(json, &sink, &Path::Root);
        sink.check(node).unwrap_err().to_string()
    }

    #[test]
    fn nesting_is_refused_beyond_sixty_four() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        let sink = Sink::new();
        assert!(Node::parse(&nested(64), &sink, &Path::Root).is_some());
        assert!(fault(&nested(65)).contains("nested more than 64 deep"));
        assert!(fault(&vec![b'['; 200_000]).contains("nested more than 64 deep"));
    }

    #[test]
    fn what_is_no_json_is_one_fault_of_the_document() {
        for json in [
            &b"1e400"[..],
            b"",
            b"{",
            b"[1,]",
            b"{\"a\":1} x",
            b"\"\xff\"",
            b"nul",
            b"\xef\xbb\xbf{}",
            b"NaN",
        ] {
            assert!(fault(json).starts_with("is not JSON"), "{json:?}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_kept_twice() {
        let sink = Sink::new();
        let node = Node::parse(br#"{"a":1,"a":-2,"b":1.0}"#, &sink, &Path::Root);
        let Some(Node::Object(members)) = node else { panic!("an object") };
        let values: Vec<&Node<'_>> = members.iter().map(|(_, value)| value).collect();
        assert_eq!(values, [&Node::Whole(1), &Node::Negative(-2), &Node::Fraction]);
    }
}
