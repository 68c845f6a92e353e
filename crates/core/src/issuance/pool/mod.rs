//! The pool of an instrument type: each request gets the first free number, once.
//!
//! # The protocol
//! A card asks ([`Command::Ask`]) and is bound to the first free number in the same turn, or takes its
//! place in a queue. The wallet is then called back, as often as it takes, and [`Command::Called`]
//! says what came of it: the number is active, tried again later, free again (the app has no such
//! card), or stays reserved until an operator has looked.
//!
//! # Why it is right
//! - *Nobody has two, and no number two customers*: taking moves `head` on and writes who has the
//!   number in one turn. A card's request is found by the card, so asking again finds the number of
//!   before; with `once`, a customer's number is found by the customer.
//! - *The same cost whatever is in the pool*: the free numbers are the positions from `head` to
//!   `tail`. Taking the first is a read by key; an empty pool is seen without looking at it. A number
//!   that comes back joins at the tail.
//! - *In the order of asking*: nobody who asks passes those who wait, even while numbers that were
//!   just uploaded are still being handed to them.
//! - *A kill between any two steps loses nothing*: a request that has a number is due until a call
//!   came back, so a call nobody heard the end of is made again, with the same number.
//! - *A number that was ever confirmed is never given again*, and one goes back only when the last
//!   request that has it is refused. A card whose number was confirmed keeps it, whatever the app
//!   answers to a repeated call.
//! - *A wrong address does not look like refused cards*: when the app knew none of three different cards
//!   in a row, nothing more is given back, and all of them are listed for an operator.
//! - *An answer counts for what it says*, also when it arrives after an operator dismissed the request.

mod called;
mod message;
#[cfg(test)]
mod tests;
mod turn;
mod withdraw;

use std::collections::BTreeMap;

pub use message::{
    Add, Ask, Bound, Command, Given, Holder, Instrument, Part, Pool, Position, Progress, Reply,
    Request, RequestNo, RequestState, State, Trouble, Window,
};
use turn::Turn;

use super::Number;
use crate::ident::{CardId, CodeKey};
use crate::time::Instant;

/// What the machine reads. A Durable Object answers from its SQLite, a test from maps.
pub trait Books {
    /// Why a read failed.
    type Error;

    /// The pool as a whole.
    ///
    /// # Errors
    /// When the store cannot be read; so of all of these.
    fn pool(&self) -> Result<Pool, Self::Error>;

    /// A request.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn request(&self, no: RequestNo) -> Result<Option<Request>, Self::Error>;

    /// The request of a card.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn request_of(&self, card: &CardId) -> Result<Option<(RequestNo, Request)>, Self::Error>;

    /// At most so many requests that wait, by their turns.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn waiting(&self, most: u32) -> Result<Vec<(RequestNo, Request)>, Self::Error>;

    /// The number at a position.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn at(&self, position: Position) -> Result<Option<Instrument>, Self::Error>;

    /// Where a number is.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn find(&self, number: &CodeKey) -> Result<Option<(Position, Instrument)>, Self::Error>;

    /// Which of these numbers are here, by index.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn known(&self, numbers: &[Number]) -> Result<Vec<usize>, Self::Error>;

    /// The number that a customer was given first.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn number_of(&self, member: &str) -> Result<Option<Position>, Self::Error>;

    /// How many lines of an upload are done.
    ///
    /// # Errors
    /// As [`Books::pool`].
    fn lines_done(&self, upload: &str) -> Result<u64, Self::Error>;
}

/// What is to be written, all of it in the turn that decided it, and in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Numbers that join, at the positions from this one on.
    pub added: Option<(Position, Vec<Number>)>,
    /// The free numbers at these positions leave the pool.
    pub withdrawn: Vec<Position>,
    /// Numbers that are free move from here to there.
    pub moved: Vec<(Position, Position)>,
    /// Who has the numbers at these positions now.
    pub given: BTreeMap<Position, Given>,
    /// Customers' first numbers.
    pub first: BTreeMap<String, Option<Position>>,
    /// Requests' new records.
    pub requests: BTreeMap<RequestNo, Request>,
    /// An upload's lines that are done.
    pub lines_done: Option<(String, u64)>,
    /// The pool's new record.
    pub pool: Option<Pool>,
}

/// Decides one command: what to answer, and what to write before anybody hears the answer.
///
/// # Errors
/// Only those of reading the books.
pub fn apply<B: Books>(
    books: &B,
    command: &Command,
    now: Instant,
) -> Result<(Reply, Changes), B::Error> {
    let mut turn = Turn::open(books, now)?;
    let reply = match command {
        Command::Ask(ask) => turn.ask(ask)?,
        Command::Add(add) => turn.add(add)?,
        Command::Serve(most) => {
            turn.serve(*most)?;
            Reply::Served
        }
        Command::Called { request, heard } => turn.called(*request, heard)?,
        Command::Retry(request) => turn.retry(*request)?,
        Command::Dismiss(request) => turn.dismiss(*request)?,
        Command::Block { number, blocked } => turn.block(number, *blocked)?,
        Command::Withdraw(numbers) => turn.withdraw(numbers)?,
        Command::Open(window) => turn.open_window(*window)?,
    };
    Ok((reply, turn.close()))
}
