//! A pool's books in memory, which count what is read of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use promo_core::ident::{CardId, CodeKey};
use promo_core::issuance::pool::{
    Ask, Books, Changes, Command, Given, Holder, Instrument, Pool, Position, Reply, Request,
    RequestNo, apply,
};
use promo_core::issuance::{Number, Symbology};
use promo_core::time::Instant;

#[derive(Default)]
pub struct Maps {
    pub pool: Pool,
    pub requests: BTreeMap<RequestNo, Request>,
    pub instruments: BTreeMap<Position, Instrument>,
    pub first: BTreeMap<String, Position>,
    pub lines: BTreeMap<String, u64>,
    places: BTreeMap<CodeKey, Position>,
    reads: Cell<usize>,
}

impl Maps {
    /// Decides and writes a command; the reply, and how many records were read and written.
    pub fn run(&mut self, command: &Command, now: Instant) -> (Reply, usize, usize) {
        self.reads.set(0);
        let (reply, changes) = apply(&*self, command, now).unwrap_or_else(|never| match never {});
        let reads = self.reads.get();
        let written = self.write(changes);
        (reply, reads, written)
    }

    fn write(&mut self, changes: Changes) -> usize {
        let mut rows = 0;
        if let Some((first, numbers)) = changes.added {
            for (position, number) in (first..).zip(numbers) {
                assert!(self.places.insert(number.key().clone(), position).is_none(), "{number:?}");
                self.instruments.insert(position, Instrument { number, given: None });
                rows += 1;
            }
        }
        for position in changes.withdrawn {
            let gone = self.instruments.remove(&position).unwrap();
            self.places.remove(gone.number.key());
            rows += 1;
        }
        for (from, to) in changes.moved {
            let number = self.instruments.remove(&from).unwrap().number;
            self.places.insert(number.key().clone(), to);
            assert!(self.instruments.insert(to, Instrument { number, given: None }).is_none());
            rows += 1;
        }
        for (position, given) in changes.given {
            self.instruments.get_mut(&position).unwrap().given = Some(given);
            rows += 1;
        }
        for (member, first) in changes.first {
            match first {
                Some(first) => self.first.insert(member, first),
                None => self.first.remove(&member),
            };
            rows += 1;
        }
        rows += changes.requests.len();
        self.requests.extend(changes.requests);
        if let Some((upload, lines)) = changes.lines_done {
            self.lines.insert(upload, lines);
            rows += 1;
        }
        if let Some(pool) = changes.pool {
            self.pool = pool;
            rows += 1;
        }
        rows
    }

    fn read<T>(&self, rows: usize, value: T) -> Result<T, Infallible> {
        self.reads.set(self.reads.get() + rows);
        Ok(value)
    }

    pub fn given(&self) -> impl Iterator<Item = (Position, &Given, &Number)> {
        self.instruments.iter().filter_map(|(position, instrument)| {
            Some((*position, instrument.given.as_ref()?, &instrument.number))
        })
    }
}

impl Books for Maps {
    type Error = Infallible;

    fn pool(&self) -> Result<Pool, Infallible> {
        self.read(1, self.pool.clone())
    }

    fn request(&self, no: RequestNo) -> Result<Option<Request>, Infallible> {
        self.read(1, self.requests.get(&no).cloned())
    }

    fn request_of(&self, card: &CardId) -> Result<Option<(RequestNo, Request)>, Infallible> {
        let found = self.requests.iter().find(|(_, request)| request.ask.card == *card);
        self.read(1, found.map(|(no, request)| (*no, request.clone())))
    }

    fn waiting(&self, most: u32) -> Result<Vec<(RequestNo, Request)>, Infallible> {
        let mut waiting: Vec<_> =
            self.requests.iter().filter(|(_, request)| request.turn().is_some()).collect();
        waiting.sort_by_key(|(_, request)| request.turn());
        let most = usize::try_from(most).unwrap();
        let first: Vec<_> =
            waiting.into_iter().take(most).map(|(no, request)| (*no, request.clone())).collect();
        self.read(first.len(), first)
    }

    fn at(&self, position: Position) -> Result<Option<Instrument>, Infallible> {
        self.read(1, self.instruments.get(&position).cloned())
    }

    fn find(&self, number: &CodeKey) -> Result<Option<(Position, Instrument)>, Infallible> {
        let found = self.places.get(number);
        self.read(1, found.map(|position| (*position, self.instruments[position].clone())))
    }

    fn known(&self, numbers: &[Number]) -> Result<Vec<usize>, Infallible> {
        let known = numbers.iter().enumerate();
        let known = known.filter(|(_, number)| self.places.contains_key(number.key()));
        self.read(numbers.len(), known.map(|(index, _)| index).collect())
    }

    fn number_of(&self, member: &str) -> Result<Option<Position>, Infallible> {
        self.read(1, self.first.get(member).copied())
    }

    fn lines_done(&self, upload: &str) -> Result<u64, Infallible> {
        self.read(1, self.lines.get(upload).copied().unwrap_or_default())
    }
}

pub fn numbers(from: u64, count: u64) -> Vec<Number> {
    let number = |n| Number::parse(&format!("NUMBER{n:08}"), Symbology::Code128).unwrap();
    (from..from + count).map(number).collect()
}

pub fn ask(card: &str, member: &str, once: bool) -> Command {
    let holder = Holder { member: member.to_owned(), pseudonym: format!("p-{member}") };
    let card = CardId::parse(card).unwrap();
    let (absorbed, symbology) = (Vec::new(), Symbology::Code128);
    Command::Ask(Ask { card, holder, absorbed, once, symbology })
}
