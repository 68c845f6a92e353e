//! The words of a cart's categories and tags, by number.
//!
//! Most lines share a few words, so a word that was met is looked for among those met lately and gets the
//! same number again: whoever asks something of each word asks it once and not line by line. That is
//! no promise: a word whose place was taken by another is kept once more. So a cart costs the same whatever
//! its words are.

use super::Span;
use crate::word::WordKey;

/// How many places there are for words met lately.
const LATELY: usize = 256;

/// Words, numbered in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexicon {
    words: Vec<(WordKey, Span)>,
    /// The number of the word met last, of those with the same place, and one more; 0: none.
    lately: Vec<u32>,
}

impl Lexicon {
    /// The number of a word; `keep` says where it is kept, if it has to be.
    pub fn number(
        &mut self,
        word: &str,
        text: &mut String,
        keep: impl FnOnce(&mut String, &str) -> Span,
    ) -> u32 {
        let key = WordKey::of(word);
        let place = key.slot() % LATELY;
        let met = self.lately.get(place).copied().unwrap_or(0).wrapping_sub(1);
        if let Some((known, span)) = usize::try_from(met).ok().and_then(|met| self.words.get(met))
            && *known == key
            && (key.is_whole() || span.of(text) == Some(word))
        {
            return met;
        }
        if self.lately.is_empty() {
            self.lately = vec![0; LATELY];
        }
        let number = super::builder::index(self.words.len());
        self.words.push((key, keep(text, word)));
        if let Some(lately) = self.lately.get_mut(place) {
            *lately = number.wrapping_add(1);
        }
        number
    }

    /// Where the words are kept.
    pub fn into_spans(self) -> Vec<Span> {
        self.words.into_iter().map(|(_, span)| span).collect()
    }
}
