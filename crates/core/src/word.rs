//! What tells words apart without looking at all of them: tables of words compare this first.

use std::cmp::Ordering;

/// A word's length, and its first and last bytes. Words of at most 16 bytes are the same when these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WordKey {
    length: usize,
    first: u64,
    last: u64,
}

impl WordKey {
    /// The key of a word.
    pub fn of(word: &str) -> Self {
        let (word, length) = (word.as_bytes(), word.len());
        if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            return Self { length, first, last };
        }
        if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            return Self { length, first: first.into(), last: last.into() };
        }
        let first = word.iter().fold(0, |first, byte| first << 8 | u64::from(*byte));
        Self { length, first, last: 0 }
    }

    /// Whether words with this key are the same.
    pub fn is_whole(&self) -> bool {
        self.length <= 16
    }

    /// An order of words in which equal ones stand together, found without reading most of them.
    pub fn compare(left: &(Self, &str), right: &(Self, &str)) -> Ordering {
        let texts = || if left.0.is_whole() { Ordering::Equal } else { left.1.cmp(right.1) };
        left.0.cmp(&right.0).then_with(texts)
    }

    /// Where to look for a word in a table, some of whose bits count. It is not keyed: who chooses words
    /// can make it the same for many.
    pub fn slot(&self) -> usize {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let first = (self.first ^ self.length as u64).wrapping_mul(MIX);
        let mixed = (first.rotate_left(29) ^ self.last).wrapping_mul(MIX);
        // The upper half is the better mixed one.
        usize::try_from(mixed >> 32).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_have_the_same_key_only_if_they_are_the_same() {
        for length in 0..=16 {
            let word = "abcdefghijklmnop".get(..length).unwrap();
            let key = WordKey::of(word);
            assert!(key.is_whole());
            assert_ne!(key, WordKey::of(&format!("{word}!")));
            for place in 0..length {
                let mut other = word.as_bytes().to_vec();
                other[place] = b'#';
                assert_ne!(key, WordKey::of(str::from_utf8(&other).unwrap()), "{word:?}");
            }
        }
        let long = ["seventeen letters", "seventeem letters"];
        let [left, right] = long.map(|word| (WordKey::of(word), word));
        assert_eq!(left.0, right.0);
        assert!(!left.0.is_whole());
        assert!(WordKey::compare(&left, &right).is_gt());
        assert!(WordKey::compare(&left, &left).is_eq());
    }
}
