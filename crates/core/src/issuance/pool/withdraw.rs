//! Numbers that nobody has leave the pool: they were uploaded to the wrong type, or too many of them.
//!
//! The free numbers are those at the positions from `head` up to `tail`. So that this stays true, the last
//! free ones move into the places of those that leave.

use std::collections::BTreeSet;

use super::Books;
use super::message::{Position, Reply, State};
use super::turn::Turn;
use crate::ident::CodeKey;

impl<B: Books> Turn<'_, B> {
    /// Withdraws these numbers, or says which are given out.
    pub(super) fn withdraw(&mut self, numbers: &[CodeKey]) -> Result<Reply, B::Error> {
        let (mut leaving, mut absent) = (BTreeSet::new(), Vec::new());
        let mut given_out = Vec::new();
        for (index, number) in numbers.iter().enumerate() {
            match self.books.find(number)? {
                None => absent.push(index),
                Some((position, found)) => match found.state() {
                    State::Free => drop(leaving.insert(position)),
                    state => given_out.push((index, state)),
                },
            }
        }
        if !given_out.is_empty() {
            return Ok(Reply::GivenOut(given_out));
        }
        let count = u64::try_from(leaving.len()).unwrap_or(u64::MAX);
        let tail: Position = self.pool.tail.saturating_sub(count);
        let holes = leaving.iter().copied().take_while(|position| *position < tail);
        let last = (tail..self.pool.tail).filter(|position| !leaving.contains(position));
        self.changes.moved = last.zip(holes).collect();
        self.changes.withdrawn = leaving.into_iter().collect();
        self.pool.tail = tail;
        Ok(Reply::Withdrawn(absent))
    }
}
