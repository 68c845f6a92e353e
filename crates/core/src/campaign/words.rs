//! A table of words, made to be asked often: which questions does this word answer with yes?
//!
//! A plain hash table with open addressing. Its hash is not keyed, because the words in it are a
//! marketer's: whatever words a cart asks for, an answer takes no longer than the longest run of taken
//! slots, and half of the slots are free.

use crate::word::WordKey;

/// Numbers of questions.
pub(super) type Questions = Vec<usize>;

#[derive(Clone, Debug)]
struct Word {
    key: WordKey,
    text: Box<str>,
    yes: Questions,
}

/// A table of words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    words: Vec<Word>,
    /// Numbers of words from 1, at the places their hashes say, or the next free ones; 0 is free.
    slots: Vec<u32>,
    /// A bit for each word's length and last letter: most words that are not in the table have another one.
    sieve: u64,
}

impl Words {
    /// A table of words, each given once.
    pub fn new(words: impl Iterator<Item = (String, Questions)>) -> Self {
        let words: Vec<Word> = words
            .map(|(text, yes)| Word { key: WordKey::of(&text), text: text.into(), yes })
            .collect();
        let mut slots = vec![0_u32; words.len().saturating_mul(2).next_power_of_two()];
        let mask = slots.len().wrapping_sub(1);
        for (word, number) in words.iter().zip(1_u32..) {
            let mut slot = word.key.slot();
            while slots.get(slot & mask).is_some_and(|taken| *taken != 0) {
                slot = slot.wrapping_add(1);
            }
            if let Some(free) = slots.get_mut(slot & mask) {
                *free = number;
            }
        }
        let sieve = words.iter().fold(0, |sieve, word| sieve | sieve_bit(&word.text));
        Self { words, slots, sieve }
    }

    /// Whether no word is in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The questions that a word answers with yes.
    pub fn look_up(&self, text: &str) -> &[usize] {
        if self.sieve & sieve_bit(text) == 0 {
            return &[];
        }
        let key = WordKey::of(text);
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = key.slot();
        // Half of the slots are free, and a free one ends the search.
        while let Some(word) = self.at(slot & mask) {
            if word.key == key && (key.is_whole() || *word.text == *text) {
                return &word.yes;
            }
            slot = slot.wrapping_add(1);
        }
        &[]
    }

    /// The word in a slot.
    fn at(&self, slot: usize) -> Option<&Word> {
        let number = usize::try_from(*self.slots.get(slot)?).ok()?;
        self.words.get(number.wrapping_sub(1))
    }
}

fn sieve_bit(text: &str) -> u64 {
    let last = text.as_bytes().last().map_or(0, |last| usize::from(*last));
    1 << (text.len().wrapping_mul(7).wrapping_add(last) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_answers_its_own_questions_and_no_others() {
        let text = |number: usize| format!("SKU-{}", number * number);
        let words = (0..1000).map(|number| (text(number), vec![number, 1000]));
        let words = Words::new(words);
        for number in 0..1000 {
            assert_eq!(words.look_up(&text(number)), [number, 1000]);
        }
        for other in ["", "SKU-", "SKU-2", "sku-4", "SKU-4 "] {
            assert_eq!(words.look_up(other), [0_usize; 0], "{other:?}");
        }
    }

    #[test]
    fn words_of_any_length_that_differ_in_one_byte_are_not_the_same() {
        for length in 0..40 {
            let word = "abcdefghijklmnopqrstuvwxyz0123456789-_.:".get(..length).unwrap();
            let words = Words::new(std::iter::once((word.to_owned(), vec![7])));
            assert_eq!(words.look_up(word), [7], "{word:?}");
            assert_eq!(words.look_up(&format!("{word}!")), [0_usize; 0]);
            for place in 0..length {
                let mut other = word.as_bytes().to_vec();
                other[place] = b'#';
                let other = String::from_utf8(other).unwrap();
                assert_eq!(words.look_up(&other), [0_usize; 0], "{word:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_empty_table_answers_nothing() {
        assert_eq!(Words::new(std::iter::empty()).look_up("A"), [0_usize; 0]);
        assert_eq!(Words::default().look_up("A"), [0_usize; 0]);
    }
}
