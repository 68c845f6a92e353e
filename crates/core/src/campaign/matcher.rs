//! Which lines of a cart a matcher means, made quick to answer for many lines and offers.
//!
//! Every list in a campaign's matchers ("category is one of …") is a *question*, asked of each line
//! once: the campaign's table knows for each word which questions it answers with yes, so a line's
//! answers are found by its words. A question's answers are then some lines, as
//! bits, and a matcher is what its questions' lines have in common, however long its lists are and however
//! many offers share them.

use std::collections::BTreeMap;

use super::words::{Questions, Words};
use crate::{
    cart::{Cart, LineSet},
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
    /// The questions to be answered with yes, by number.
    yes: Questions,
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
    questions: usize,
}

impl Matchers {
    /// How many matchers there are.
    pub(crate) fn len(&self) -> usize {
        self.matchers.len()
    }

    /// Asks all questions of all lines of a cart.
    pub(crate) fn answers<'m>(&'m self, cart: &Cart) -> Answers {
        // Lines share their categories and tags: these are looked up once for all of them.
        let look_up = |table: &'m Words| -> Vec<&'m [usize]> {
            let words = cart.lexicon().filter(|_| !table.is_empty());
            words.map(|word| table.look_up(word)).collect()
        };
        let (categories, tags) = (look_up(&self.category), look_up(&self.tag));
        let questions = self.questions.max(1);
        let mut of_64 = vec![0_u64; cart.lines().len().div_ceil(64).saturating_mul(questions)];
        let mut lines = cart.lines();
        for answers in of_64.chunks_exact_mut(questions) {
            for (place, line) in lines.by_ref().take(64).enumerate() {
                let bit = 1 << place;
                if !categories.is_empty() {
                    let words = line.category_numbers().filter_map(|word| categories.get(word));
                    words.for_each(|yes| set(answers, yes, bit));
                }
                if !tags.is_empty() {
                    let words = line.tag_numbers().filter_map(|word| tags.get(word));
                    words.for_each(|yes| set(answers, yes, bit));
                }
                if let Some(sku) = line.sku().filter(|_| !self.sku.is_empty()) {
                    set(answers, self.sku.look_up(sku), bit);
                }
                if let Some(name) = line.name().filter(|_| !self.name.is_empty()) {
                    set(answers, self.name.look_up(name), bit);
                }
            }
        }
        Answers { of_64, questions }
    }

    /// Whether a matcher means every line.
    pub(crate) fn is_everything(&self, id: MatcherId) -> bool {
        self.matchers.get(id.0).is_some_and(Matcher::is_everything)
    }

    /// The lines of a cart that a matcher means, by their answers.
    pub(crate) fn find(&self, id: MatcherId, cart: &Cart, answers: &Answers) -> LineSet {
        let matcher = self.matchers.get(id.0);
        matcher.map(|matcher| matcher.find(cart, answers)).unwrap_or_default()
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

    /// The lines that it means.
    fn find(&self, cart: &Cart, answers: &Answers) -> LineSet {
        let mut lines = answers.all(&self.yes, cart.lines().len());
        if !self.prices_are_free() {
            let fits = |price: u64| self.least_price <= price && price <= self.most_price;
            let price = |line| cart.line(line).map_or(0, |line| line.unit_price().minor());
            let mut within = LineSet::none_of(cart.lines().len());
            lines.iter().filter(|line| fits(price(*line))).for_each(|line| within.add(line));
            lines = within;
        }
        if let Some(not) = &self.not {
            lines.without(&not.find(cart, answers));
        }
        lines
    }
}

/// Sets a line's bit in the answers to some questions.
#[inline(always)]
fn set(answers: &mut [u64], questions: &[usize], bit: u64) {
    for question in questions {
        if let Some(answers) = answers.get_mut(*question) {
            *answers |= bit;
        }
    }
}

/// Which of a cart's lines answer which of a campaign's questions with yes.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// For each 64 lines as many words of bits as there are questions.
    of_64: Vec<u64>,
    questions: usize,
}

impl Answers {
    /// Of so many lines, those that answer all of some questions with yes.
    fn all(&self, questions: &[usize], lines: usize) -> LineSet {
        let mut all = LineSet::all_of(lines);
        for (lines, answers) in all.words_mut().zip(self.of_64.chunks_exact(self.questions)) {
            for question in questions {
                *lines &= answers.get(*question).copied().unwrap_or(0);
            }
        }
        all
    }
}

/// A campaign's matchers while it is read.
#[derive(Default)]
pub(crate) struct MatcherReader {
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
            yes.push(question);
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
        yes.sort_unstable();
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
        let questions = self.questions.len();
        let mut tables: BTreeMap<Attribute, BTreeMap<String, Questions>> = BTreeMap::new();
        for ((attribute, words), question) in self.questions {
            let table = tables.entry(attribute).or_default();
            for word in words {
                table.entry(word).or_default().push(question);
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
            questions,
        }
    }
}
