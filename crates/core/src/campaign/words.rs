//! A table of words, made to be asked often: which questions does this word answer with yes?
//!
//! A plain hash table with open addressing. Its hash is not keyed, because the words in it are a
//! marketer's: whatever words a cart asks for, an answer takes no longer than the longest run of taken
//! slots, and half of the slots are free.

/// Questions as bits: of which word of a line's answers, and which bits.
pub(super) type Bits = Vec<(usize, u64)>;

#[derive(Clone, Debug)]
struct Word {
    hash: u64,
    text: Box<str>,
    yes: Bits,
}

/// A table of words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    words: Vec<Word>,
    /// Numbers of words from 1, at the places their hashes say, or the next free ones; 0 is free.
    slots: Vec<u32>,
}

impl Words {
    /// A table of words, each given once.
    pub fn new(words: impl Iterator<Item = (String, Bits)>) -> Self {
        let words: Vec<Word> = words
            .map(|(text, yes)| Word { hash: hash(text.as_bytes()), text: text.into(), yes })
            .collect();
        let mut slots = vec![0_u32; words.len().saturating_mul(2).next_power_of_two()];
        for (word, number) in words.iter().zip(1_u32..) {
            let free = probe(word.hash, slots.len())
                .find(|slot| slots.get(*slot).is_some_and(|taken| *taken == 0));
            if let Some(slot) = free.and_then(|slot| slots.get_mut(slot)) {
                *slot = number;
            }
        }
        Self { words, slots }
    }

    /// Whether no word is in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds a word's answers to those of its line.
    pub fn look_up(&self, text: &str, answers: &mut [u64]) {
        let hash = hash(text.as_bytes());
        for slot in probe(hash, self.slots.len()) {
            let number = self.slots.get(slot).copied().unwrap_or(0);
            let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let Some(word) = index.and_then(|index| self.words.get(index)) else {
                return;
            };
            if word.hash == hash && *word.text == *text {
                for (index, bits) in &word.yes {
                    if let Some(answer) = answers.get_mut(*index) {
                        *answer |= bits;
                    }
                }
                return;
            }
        }
    }
}

/// The slots to look at in turn, each once.
fn probe(hash: u64, slots: usize) -> impl Iterator<Item = usize> {
    let mask = slots.wrapping_sub(1);
    // The upper half is the better mixed one.
    let start = usize::try_from(hash >> 32).unwrap_or_default();
    (0..slots).map(move |step| start.wrapping_add(step) & mask)
}

fn hash(bytes: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, part: u64| (hash ^ part).wrapping_mul(MIX).rotate_left(29);
    let mut hash = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let part = chunk.iter().rev().fold(0, |part, byte| part << 8 | u64::from(*byte));
        hash = mix(hash, part);
    }
    let part = chunks.remainder().iter().fold(0, |part, byte| part << 8 | u64::from(*byte));
    mix(hash, part).wrapping_mul(MIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_answers_its_own_questions_and_no_others() {
        let text = |number: u64| format!("SKU-{}", number * number);
        let words = (0..1000).map(|number| (text(number), vec![(0, number), (1, 1)]));
        let words = Words::new(words);
        for number in 0..1000 {
            let mut answers = [0, 0];
            words.look_up(&text(number), &mut answers);
            assert_eq!(answers, [number, 1]);
        }
        for other in ["", "SKU-", "SKU-2", "sku-4", "SKU-4 "] {
            let mut answers = [0, 0];
            words.look_up(other, &mut answers);
            assert_eq!(answers, [0, 0], "{other:?}");
        }
    }

    #[test]
    fn an_empty_table_answers_nothing() {
        let mut answers = [0];
        Words::new(std::iter::empty()).look_up("A", &mut answers);
        Words::default().look_up("A", &mut answers);
        assert_eq!(answers, [0]);
    }
}
