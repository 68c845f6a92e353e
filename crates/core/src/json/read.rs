//! Reading a [`Node`] tree by hand: every accessor notes what is wrong and goes on, so that one pass
//! finds every fault.

use std::borrow::Cow;

use super::Node;
use crate::{
    fault::{Path, Sink},
    money::Money,
};

/// A value and the way to it.
#[derive(Clone, Copy)]
pub struct At<'n> {
    /// The value.
    pub node: &'n Node<'n>,
    /// Where it stands.
    pub path: &'n Path<'n>,
    /// Where faults are noted.
    pub sink: &'n Sink,
}

/// An object whose keys are known ones, and the way to it.
#[derive(Clone, Copy)]
pub struct Object<'n> {
    members: &'n [(Cow<'n, str>, Node<'n>)],
    nulls_are_absent: bool,
    path: &'n Path<'n>,
    sink: &'n Sink,
}

impl<'n> At<'n> {
    /// Notes a fault here.
    pub fn fault<T>(&self, detail: impl Into<String>) -> Option<T> {
        self.sink.add(self.path, detail);
        None
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.fault(format!("is {}, and should be {what}", self.node.kind()))
    }

    /// A text.
    pub fn text(&self) -> Option<&'n str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => self.expected("a text"),
        }
    }

    /// A text that a parser turns into something.
    pub fn parsed<T, E: ToString>(&self, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        parse(text)
            .map_err(|error| {
                self.sink.add(self.path, format!("{:?}: {}", shortened(text), error.to_string()));
            })
            .ok()
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).or_else(|| {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            let known = known.join(", ");
            self.fault(format!("{:?} should be one of {known}", shortened(text)))
        })
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        match self.node {
            Node::Flag(flag) => Some(*flag),
            _ => self.expected("true or false"),
        }
    }

    /// A whole number in a closed range.
    pub fn whole(&self, least: u64, most: u64) -> Option<u64> {
        match self.node {
            Node::Whole(number) if *number < least => {
                self.fault(format!("{number} is less than {least}"))
            }
            Node::Whole(number) if *number > most => {
                self.fault(format!("{number} is more than {most}"))
            }
            Node::Whole(number) => Some(*number),
            Node::Negative(number) => self.fault(format!("{number} is less than {least}")),
            Node::Fraction => {
                self.fault(format!("should be a whole number from {least} to {most}"))
            }
            _ => self.expected("a whole number"),
        }
    }

    /// A whole number in a closed range that may reach below 0.
    pub fn signed(&self, least: i64, most: i64) -> Option<i64> {
        let number = match self.node {
            Node::Whole(number) => i64::try_from(*number).unwrap_or(i64::MAX),
            Node::Negative(number) => *number,
            Node::Fraction => {
                return self.fault(format!("should be a whole number from {least} to {most}"));
            }
            _ => return self.expected("a whole number"),
        };
        if number < least || number > most {
            return self.fault(format!("{number} is not from {least} to {most}"));
        }
        Some(number)
    }

    /// An amount of at least so many minor units.
    pub fn money(&self, least: u64) -> Option<Money> {
        self.whole(least, Money::MAX.minor()).map(Money::new)
    }

    /// Each element of a list of at least so many. An element with a fault is left out.
    pub fn list<T>(
        &self,
        least: usize,
        mut read: impl FnMut(At<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Node::List(nodes) = self.node else {
            return self.expected("a list");
        };
        if nodes.len() < least {
            self.sink.add(self.path, "should not be empty");
        }
        // Once no fault would be noted any more, there is nothing to find out.
        let readable = nodes.iter().take_while(|_| !self.sink.is_full());
        let elements = readable.enumerate().filter_map(|(index, node)| {
            read(At { node, path: &Path::Index(self.path, index), sink: self.sink })
        });
        Some(elements.collect())
    }

    /// How many elements it has, if it is a list.
    pub const fn length(&self) -> Option<usize> {
        match self.node {
            Node::List(nodes) => Some(nodes.len()),
            _ => None,
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.list(0, |text| text.text().map(str::to_owned))
    }

    /// An object with no other keys than these, each once.
    pub fn object(&self, known: &[&str]) -> Option<Object<'n>> {
        let Node::Object(members) = self.node else {
            return self.expected("an object");
        };
        let mut seen = vec![false; known.len()];
        for (key, _) in members {
            if self.sink.is_full() {
                break;
            }
            let path = Path::Key(self.path, key);
            let place = known.iter().position(|name| name == key);
            match place.and_then(|place| seen.get_mut(place)) {
                None => self.sink.add(&path, unknown_key(key, known)),
                Some(true) => self.sink.add(&path, "stands here twice"),
                Some(first) => *first = true,
            }
        }
        Some(Object { members, nulls_are_absent: false, path: self.path, sink: self.sink })
    }

    /// An object of which only some keys are of interest, and nulls count as absent.
    pub fn open_object(&self) -> Option<Object<'n>> {
        match self.node {
            Node::Object(members) => {
                Some(Object { members, nulls_are_absent: true, path: self.path, sink: self.sink })
            }
            _ => self.expected("an object"),
        }
    }

    /// The keys of an object, of whatever they are; none for anything else.
    pub fn keys(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        let members: &[_] = match self.node {
            Node::Object(members) => members,
            _ => &[],
        };
        members.iter().map(|(key, _): &(Cow<'n, str>, _)| key.as_ref())
    }
}

impl<'n> Object<'n> {
    /// Whether there is such a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: &str) -> Option<(&'n str, &'n Node<'n>)> {
        let mut members = self.members.iter();
        let (key, node) = members.find(|(name, _)| name == key)?;
        let absent = self.nulls_are_absent && *node == Node::Null;
        (!absent).then_some((key.as_ref(), node))
    }

    /// Reads a key that may be absent.
    pub fn get<T>(&self, key: &str, read: impl FnOnce(At<'_>) -> Option<T>) -> Option<T> {
        let (key, node) = self.find(key)?;
        read(At { node, path: &Path::Key(self.path, key), sink: self.sink })
    }

    /// Reads a key that must be there.
    pub fn need<T>(&self, key: &str, read: impl FnOnce(At<'_>) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.sink.add(&Path::Key(self.path, key), "is missing");
        }
        self.get(key, read)
    }

    /// Notes a fault of the object.
    pub fn fault<T>(&self, detail: impl Into<String>) -> Option<T> {
        self.sink.add(self.path, detail);
        None
    }
}

/// Enough of a text to know it by.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const ENOUGH: usize = 60;
    match text.char_indices().nth(ENOUGH) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (distance(key, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3));
    match nearest {
        Some((_, name)) => format!("is not a known key; did you mean {name:?}?"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
            let known = known.join(", ");
            format!("is not a known key; the keys known here are {known}")
        }
    }
}

/// How many letters have to be put in, taken out or changed to come from one key to another
/// (Levenshtein), case aside.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 64 {
        return usize::MAX;
    }
    let right: Vec<u8> = right.bytes().map(|b| b.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().map(|b| b.to_ascii_lowercase()).enumerate() {
        let mut diagonal = i;
        let mut before = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (b, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal.saturating_add(usize::from(a != *b));
            diagonal = *cell;
            *cell = changed.min(diagonal.min(before).saturating_add(1));
            before = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told_the_nearest_known_one() {
        let known = ["percent", "amount", "max_units"];
        assert!(unknown_key("precent", &known).contains("did you mean \"percent\"?"));
        assert!(unknown_key("maxUnits", &known).contains("did you mean \"max_units\"?"));
        assert!(unknown_key("colour", &known).contains("the keys known here are"));
        assert!(unknown_key(&"x".repeat(100_000), &known).contains("the keys known here are"));
    }

    #[test]
    fn the_distance_is_the_number_of_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("Percent", "percent"), 0);
    }
}
