//! Some of a cart's lines, as bits: what is asked of all lines is asked of 64 at once, and going through
//! a few of many passes over the others.

/// Some of a cart's lines, by their indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineSet {
    words: Vec<u64>,
}

impl LineSet {
    /// None of no lines.
    pub const NONE: Self = Self { words: Vec::new() };

    /// None of so many lines.
    pub fn none_of(lines: usize) -> Self {
        Self { words: vec![0; lines.div_ceil(64)] }
    }

    /// All of so many lines.
    pub fn all_of(lines: usize) -> Self {
        let mut words = vec![u64::MAX; lines.div_ceil(64)];
        let in_last = lines % 64;
        if let Some(last) = words.last_mut().filter(|_| in_last > 0) {
            *last = (1_u64 << in_last).wrapping_sub(1);
        }
        Self { words }
    }

    /// Makes room for so many lines.
    pub fn make_room(&mut self, lines: usize) {
        self.words.resize(lines.div_ceil(64).max(self.words.len()), 0);
    }

    /// Adds a line; there has to be room for it.
    pub fn add(&mut self, line: usize) {
        if let Some(word) = self.words.get_mut(line / 64) {
            *word |= 1 << (line % 64);
        }
    }

    /// Whether a line is one of them.
    pub fn has(&self, line: usize) -> bool {
        self.words.get(line / 64).is_some_and(|word| word >> (line % 64) & 1 == 1)
    }

    /// Adds others.
    pub fn join(&mut self, others: &Self) {
        for (word, others) in self.words.iter_mut().zip(&others.words) {
            *word |= others;
        }
    }

    /// The bits of each 64 lines.
    pub fn words_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        self.words.iter_mut()
    }

    /// Leaves those that are not among others.
    pub fn without(&mut self, others: &Self) {
        for (word, others) in self.words.iter_mut().zip(&others.words) {
            *word &= !others;
        }
    }

    /// The first line from an index on.
    pub fn next_from(&self, line: usize) -> Option<usize> {
        let (mut index, mut hidden) = (line / 64, line % 64);
        loop {
            let word = self.words.get(index)? >> hidden << hidden;
            if word != 0 {
                return Some(index << 6 | word.trailing_zeros() as usize);
            }
            index = index.wrapping_add(1);
            hidden = 0;
        }
    }

    /// The lines' indices, ascending.
    pub fn iter(&self) -> Lines<'_> {
        Lines { words: self.words.iter(), bits: 0, start: 0_usize.wrapping_sub(64) }
    }
}

/// Goes through the lines of a set.
pub(crate) struct Lines<'s> {
    words: std::slice::Iter<'s, u64>,
    /// What is left of the bits at work, and the line of the first of them.
    bits: u64,
    start: usize,
}

impl Iterator for Lines<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.bits = *self.words.next()?;
            self.start = self.start.wrapping_add(64);
        }
        let line = self.start | self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        Some(line)
    }

    // The same as one loop inside another, with nothing to be kept between two lines.
    #[inline]
    fn fold<B, F: FnMut(B, usize) -> B>(self, first: B, mut each: F) -> B {
        let Self { words, mut bits, mut start } = self;
        let mut words = words.copied();
        let mut all = first;
        loop {
            while bits != 0 {
                all = each(all, start | bits.trailing_zeros() as usize);
                bits &= bits.wrapping_sub(1);
            }
            let Some(next) = words.next() else {
                return all;
            };
            bits = next;
            start = start.wrapping_add(64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(lines: &[usize]) -> LineSet {
        let mut set = LineSet::none_of(130);
        lines.iter().for_each(|line| set.add(*line));
        set
    }

    fn listed(set: &LineSet) -> Vec<usize> {
        set.iter().collect()
    }

    #[test]
    fn lines_come_back_in_their_order() {
        let lines = [0, 5, 63, 64, 127, 128, 129];
        let set = set(&[129, 5, 64, 0, 127, 63, 128, 5, 192]);
        assert_eq!(listed(&set), lines);
        assert_eq!((0..200).filter(|line| set.has(*line)).collect::<Vec<_>>(), lines);
        for line in 0..200 {
            let next = lines.iter().copied().find(|other| *other >= line);
            assert_eq!(set.next_from(line), next);
        }
        let (mut one_by_one, mut iter) = (Vec::new(), set.iter());
        while let Some(line) = iter.next() {
            one_by_one.push(line);
            let rest = set.iter().filter(|other| *other > line);
            assert!(Lines { words: iter.words.clone(), ..iter }.eq(rest));
        }
        assert_eq!(one_by_one, lines);
    }

    #[test]
    fn all_lines_are_no_more_than_there_are() {
        for lines in [0, 1, 63, 64, 65, 128, 130] {
            assert_eq!(listed(&LineSet::all_of(lines)), (0..lines).collect::<Vec<_>>());
            assert!(listed(&LineSet::none_of(lines)).is_empty());
        }
    }

    #[test]
    fn there_may_be_more_lines_later() {
        let mut set = LineSet::all_of(3);
        set.make_room(70);
        set.make_room(1);
        set.add(69);
        assert_eq!(listed(&set), [0, 1, 2, 69]);
    }

    #[test]
    fn sets_are_joined_and_taken_away() {
        let (mut joined, mut rest) = (set(&[1, 2, 100]), set(&[1, 2, 100]));
        let others = set(&[2, 3, 100, 101]);
        joined.join(&others);
        rest.without(&others);
        assert_eq!(listed(&joined), [1, 2, 3, 100, 101]);
        assert_eq!(listed(&rest), [1]);
    }
}
