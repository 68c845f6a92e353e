//! Which lines of a cart a matcher means, made quick to answer for many lines and offers.
//!
//! Every list in a campaign's matchers ("category is one of …") is a *question*, asked of each line
//! once: the campaign's table knows for each word which questions it answers with yes, so a line's
//! answers are some bits, found by one look-up for each of its words. A matcher is then a comparison
//! of bits, however long its lists are and however many offers share them.

use std::collections::BTreeMap;

use super::words::{Bits, Words};
use crate::{
    cart::Line,
    json::{At, Object},
    money::Money,
};

/// What a list in a matcher is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Attribute {
    Sku,
    Category,
    Tag,
    Name,
}

const ATTRIBUTES: [(&str, Attribute); 4] = [
    ("sku", Attribute::Sku),
    ("category", Attribute::Category),
    ("tag", Attribute::Tag),
    ("name", Attribute::Name),
];

/// The keys of a matcher.
pub(super) const KEYS: [&str; 6] = ["sku", "category", "tag", "name", "unit_price", "not"];

/// One of a campaign's matchers, by number. Equal matchers have one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MatcherId(usize);

impl MatcherId {
    /// The number.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A matcher: all that it says must hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Matcher {
    /// The questions to be answered with yes, as bits of the given words of a line's answers.
    yes: Bits,
    least_price: u64,
    most_price: u64,
    not: Option<Box<Matcher>>,
}

/// A campaign's matchers and the table of their words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matchers {
    matchers: Vec<Matcher>,
    sku: Words,
    category: Words,
    tag: Words,
    name: Words,
    width: usize,
}

impl Matchers {
    /// How many matchers there are.
    pub(crate) fn len(&self) -> usize {
        self.matchers.len()
    }

    /// How many words a line's answers take.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Answers a line's questions, into [`Self::width`] words that are 0.
    pub(crate) fn answer(&self, line: &Line<'_>, answers: &mut [u64]) {
        if !self.sku.is_empty()
            && let Some(sku) = line.sku()
        {
            self.sku.look_up(sku, answers);
        }
        if !self.category.is_empty() {
            for category in line.categories() {
                self.category.look_up(category, answers);
            }
        }
        if !self.tag.is_empty() {
            for tag in line.tags() {
                self.tag.look_up(tag, answers);
            }
        }
        if !self.name.is_empty()
            && let Some(name) = line.name()
        {
            self.name.look_up(name, answers);
        }
    }

    /// Whether a matcher means every line.
    pub(crate) fn is_everything(&self, id: MatcherId) -> bool {
        self.matchers.get(id.0).is_some_and(Matcher::is_everything)
    }

    /// Whether a matcher means each of some lines, by their answers, [`Self::width`] words for each, and
    /// their prices.
    pub(crate) fn find(
        &self,
        id: MatcherId,
        answers: &[u64],
        prices: &(impl ExactSizeIterator<Item = u64> + Clone),
    ) -> Vec<bool> {
        let mut means = vec![true; prices.len()];
        if let Some(matcher) = self.matchers.get(id.0) {
            matcher.narrow(answers, self.width, prices, &mut means);
        }
        means
    }

    /// Whether a matcher means no line of any cart: its prices contradict each other, one of its lists
    /// is empty, or it excludes every line.
    pub(crate) fn is_nothing(&self, id: MatcherId) -> bool {
        self.matchers.get(id.0).is_some_and(Matcher::is_nothing)
    }
}

impl Matcher {
    fn is_everything(&self) -> bool {
        self.yes.is_empty() && self.prices_are_free() && self.not.is_none()
    }

    fn prices_are_free(&self) -> bool {
        self.least_price == 0 && self.most_price == u64::MAX
    }

    fn is_nothing(&self) -> bool {
        self.least_price > self.most_price
            || self.not.as_ref().is_some_and(|not| not.is_everything())
    }

    /// Leaves of some lines those that it means: one thing asked after the other of all lines.
    fn narrow(
        &self,
        answers: &[u64],
        width: usize,
        prices: &(impl ExactSizeIterator<Item = u64> + Clone),
        means: &mut [bool],
    ) {
        for (word, bits) in &self.yes {
            for (means, answers) in means.iter_mut().zip(answers.chunks_exact(width.max(1))) {
                *means &= answers.get(*word).is_some_and(|answer| answer & bits == *bits);
            }
        }
        if !self.prices_are_free() {
            for (means, price) in means.iter_mut().zip(prices.clone()) {
                *means &= self.least_price <= price && price <= self.most_price;
            }
        }
        if let Some(not) = &self.not {
            let mut denied = vec![true; means.len()];
            not.narrow(answers, width, prices, &mut denied);
            for (means, denied) in means.iter_mut().zip(denied) {
                *means &= !denied;
            }
        }
    }
}

/// A campaign's matchers while it is read.
#[derive(Default)]
pub(super) struct MatcherReader {
    matchers: BTreeMap<Matcher, MatcherId>,
    /// The questions by what they ask: equal lists are one question.
    questions: BTreeMap<(Attribute, Vec<String>), usize>,
}

impl MatcherReader {
    /// Reads a matcher.
    pub fn read(&mut self, at: At<'_>) -> Option<MatcherId> {
        let matcher = self.matcher(&at.object(&KEYS)?)?;
        let next = MatcherId(self.matchers.len());
        Some(*self.matchers.entry(matcher).or_insert(next))
    }

    fn matcher(&mut self, object: &Object<'_>) -> Option<Matcher> {
        let mut yes = Vec::new();
        let mut nothing = false;
        for (key, attribute) in ATTRIBUTES {
            if !object.has(key) {
                continue;
            }
            let mut words = object.get(key, |at| at.texts())?;
            words.sort_unstable();
            words.dedup();
            nothing |= words.is_empty();
            let next = self.questions.len();
            let question = *self.questions.entry((attribute, words)).or_insert(next);
            set(&mut yes, question);
        }
        let prices = object.get("unit_price", |at| {
            let range = at.object(&["min", "max"])?;
            let bound = |key| range.get(key, |at| at.whole(0, Money::MAX.minor()));
            Some((bound("min"), bound("max")))
        });
        let (least_price, most_price) = prices.unwrap_or_default();
        let not = object.get("not", |at| self.matcher(&at.object(&KEYS)?));
        if object.has("not") && not.is_none() {
            return None;
        }
        // No word is one of an empty list: prices that contradict each other say so at once.
        let (least, most) = if nothing { (1, 0) } else { (0, u64::MAX) };
        Some(Matcher {
            yes,
            least_price: least_price.unwrap_or(0).max(least),
            most_price: most_price.unwrap_or(u64::MAX).min(most),
            not: not.map(Box::new),
        })
    }

    /// The matchers, with the table of their words.
    pub fn finish(self) -> Matchers {
        let width = self.questions.len().div_ceil(64);
        let mut tables: BTreeMap<Attribute, BTreeMap<String, Vec<(usize, u64)>>> = BTreeMap::new();
        for ((attribute, words), question) in self.questions {
            let table = tables.entry(attribute).or_default();
            for word in words {
                set(table.entry(word).or_default(), question);
            }
        }
        let mut table = |attribute| {
            let words = tables.remove(&attribute).unwrap_or_default();
            Words::new(words.into_iter())
        };
        let mut numbered: Vec<(MatcherId, Matcher)> =
            self.matchers.into_iter().map(|(m, id)| (id, m)).collect();
        numbered.sort_unstable_by_key(|(id, _)| *id);
        Matchers {
            matchers: numbered.into_iter().map(|(_, matcher)| matcher).collect(),
            sku: table(Attribute::Sku),
            category: table(Attribute::Category),
            tag: table(Attribute::Tag),
            name: table(Attribute::Name),
            width,
        }
    }
}

/// Sets the bit of a question.
fn set(yes: &mut Vec<(usize, u64)>, question: usize) {
    let (word, bit) = (question / 64, 1_u64 << (question % 64));
    match yes.iter_mut().find(|(index, _)| *index == word) {
        Some((_, bits)) => *bits |= bit,
        None => yes.push((word, bit)),
    }
}
