//! One turn of the machine: what it has read and what it will write.

use super::message::{
    Add, Ask, Bound, Given, Instrument, Pool, Position, Progress, Reply, Request, RequestNo,
    RequestState, State, Trouble, Window,
};
use super::{Books, Changes};
use crate::ident::CodeKey;
use crate::issuance::Number;
use crate::time::Instant;

/// Requests that wait and are served in the turn that numbers join; the others follow in turns of
/// their own.
const SERVED_AT_ONCE: u32 = 500;

pub(super) struct Turn<'b, B> {
    pub(super) books: &'b B,
    pub(super) now: Instant,
    before: Pool,
    pub(super) pool: Pool,
    pub(super) changes: Changes,
}

impl<'b, B: Books> Turn<'b, B> {
    pub fn open(books: &'b B, now: Instant) -> Result<Self, B::Error> {
        let pool = books.pool()?;
        Ok(Self { books, now, before: pool.clone(), pool, changes: Changes::default() })
    }

    pub fn close(mut self) -> Changes {
        if self.pool != self.before {
            self.changes.pool = Some(self.pool);
        }
        self.changes
    }

    pub fn ask(&mut self, ask: &Ask) -> Result<Reply, B::Error> {
        let (no, request) = match self.books.request_of(&ask.card)? {
            None => {
                let no = self.pool.requests;
                self.pool.requests = no.saturating_add(1);
                (no, self.open_request(ask)?)
            }
            Some((no, mut request)) => {
                request.asked = self.now;
                match request.progress {
                    // The app lives: what is due need not wait any longer.
                    Progress::Calling { since, failures, .. } => {
                        request.progress = Progress::Calling { since, failures, next: self.now };
                    }
                    Progress::Waiting { .. } => {
                        // Who the customer is may be known better now.
                        request.ask = ask.clone();
                        self.look_again(&mut request)?;
                    }
                    Progress::Done | Progress::Failed | Progress::Dismissed
                        if request.bound.is_some() =>
                    {
                        request.progress = self.calling();
                    }
                    _ => request = self.open_request(ask)?,
                }
                (no, request)
            }
        };
        self.reply(no, request)
    }

    /// A request that has no number yet, with one if it can be had.
    fn open_request(&mut self, ask: &Ask) -> Result<Request, B::Error> {
        let mut request = Request {
            ask: ask.clone(),
            asked: self.now,
            progress: Progress::Waiting { turn: self.pool.turns },
            bound: None,
            confirmed: false,
            trouble: None,
        };
        self.bind_or_wait(&mut request)?;
        Ok(request)
    }

    /// Gives a request a number, or the last place in the queue.
    pub(super) fn bind_or_wait(&mut self, request: &mut Request) -> Result<(), B::Error> {
        let may_take = self.may_take();
        if !self.bind(request, may_take)? {
            request.progress = Progress::Waiting { turn: self.pool.turns };
            self.pool.turns = self.pool.turns.saturating_add(1);
            self.pool.waiting = self.pool.waiting.saturating_add(1);
            request.trouble = Some(Trouble { at: self.now, heard: None, doubtful: false });
        }
        Ok(())
    }

    /// Whether somebody who asks now may take a free number: nobody passes those who wait.
    pub(super) fn may_take(&self) -> bool {
        self.pool.waiting == 0 && self.pool.window.holds(self.now)
    }

    /// Gives a request its customer's number, where there is to be only one, or the first free one;
    /// whether there was any.
    pub(super) fn bind(&mut self, request: &mut Request, may_take: bool) -> Result<bool, B::Error> {
        let holder = &request.ask.holder;
        if request.ask.once
            && let Some((position, number, mut given)) = self.number_before(&request.ask)?
        {
            given.requests = given.requests.saturating_add(1);
            self.changes.given.insert(position, given);
            request.bound = Some(Bound { position, number });
        } else {
            while may_take && request.bound.is_none() && self.pool.head < self.pool.tail {
                let position = self.pool.head;
                self.pool.head = position.saturating_add(1);
                let Some(Instrument { number, given: None }) = self.at(position)? else { continue };
                self.pool.reserved = self.pool.reserved.saturating_add(1);
                let holder = holder.clone();
                if self.number_of(&holder.member)?.is_none() {
                    self.changes.first.insert(holder.member.clone(), Some(position));
                }
                let given = Given { holder, requests: 1, confirmed: false, blocked: false };
                self.changes.given.insert(position, given);
                request.bound = Some(Bound { position, number });
            }
        }
        if request.bound.is_none() {
            return Ok(false);
        }
        request.progress = self.calling();
        request.trouble = None;
        Ok(true)
    }

    /// The number that a customer has, also one given out under the name of a member who was merged
    /// into this one.
    fn number_before(&self, ask: &Ask) -> Result<Option<(Position, Number, Given)>, B::Error> {
        let names = || std::iter::once(&ask.holder.member).chain(&ask.absorbed);
        for name in names() {
            if let Some(position) = self.number_of(name)?
                && let Some(Instrument { number, given: Some(given) }) = self.at(position)?
                && names().any(|name| *name == given.holder.member)
            {
                return Ok(Some((position, number, given)));
            }
        }
        Ok(None)
    }

    pub fn add(&mut self, add: &Add) -> Result<Reply, B::Error> {
        let mut lines = 0;
        if let Some(part) = &add.part {
            let done = self.books.lines_done(&part.upload)?;
            lines = part.line.saturating_add(part.lines);
            if done >= lines {
                return Ok(Reply::Added { added: 0, lines: done });
            }
            if done != part.line {
                return Ok(Reply::OutOfStep { lines: done });
            }
        }
        let known = self.books.known(&add.numbers)?;
        if !known.is_empty() {
            return Ok(Reply::Known(known));
        }
        let added = u64::try_from(add.numbers.len()).unwrap_or(u64::MAX);
        self.changes.added = Some((self.pool.tail, add.numbers.clone()));
        self.changes.lines_done = add.part.as_ref().map(|part| (part.upload.clone(), lines));
        self.pool.tail = self.pool.tail.saturating_add(added);
        self.serve(SERVED_AT_ONCE)?;
        Ok(Reply::Added { added, lines })
    }

    /// Those that wait get numbers, as far as there are any.
    pub fn serve(&mut self, most: u32) -> Result<(), B::Error> {
        if self.pool.can_serve_from(self.now).is_none_or(|from| from > self.now) {
            return Ok(());
        }
        for (no, mut request) in self.books.waiting(most)? {
            // What this turn has changed is not in the books yet.
            if self.changes.requests.contains_key(&no) {
                continue;
            }
            if !self.bind(&mut request, true)? {
                break;
            }
            self.pool.waiting = self.pool.waiting.saturating_sub(1);
            self.changes.requests.insert(no, request);
        }
        Ok(())
    }

    /// Writes who has a number, and counts it in its new state.
    pub(super) fn give(&mut self, position: Position, given: Given, before: State) {
        if let Some(count) = self.count(before) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.count(given.state()) {
            *count = count.saturating_add(1);
        }
        self.changes.given.insert(position, given);
    }

    const fn count(&mut self, state: State) -> Option<&mut u64> {
        match state {
            State::Free => None,
            State::Reserved => Some(&mut self.pool.reserved),
            State::Active => Some(&mut self.pool.active),
            State::Blocked => Some(&mut self.pool.blocked),
        }
    }

    /// One request less has this number. When it was the last and the app has never shown it, it is
    /// free again, behind all others.
    pub(super) fn let_go(&mut self, position: Position) -> Result<(), B::Error> {
        let Some(Instrument { given: Some(mut given), .. }) = self.at(position)? else {
            return Ok(());
        };
        given.requests = given.requests.saturating_sub(1);
        if given.requests > 0 || given.state() != State::Reserved {
            self.changes.given.insert(position, given);
            return Ok(());
        }
        self.pool.reserved = self.pool.reserved.saturating_sub(1);
        self.changes.given.remove(&position);
        self.changes.moved.push((position, self.pool.tail));
        self.pool.tail = self.pool.tail.saturating_add(1);
        if self.number_of(&given.holder.member)? == Some(position) {
            self.changes.first.insert(given.holder.member, None);
        }
        Ok(())
    }

    /// Hears when the type is given out, and serves who waited for that.
    pub fn open_window(&mut self, window: Window) -> Result<Reply, B::Error> {
        self.pool.window = window;
        self.serve(SERVED_AT_ONCE)?;
        Ok(Reply::Served)
    }

    /// One that waits may be given its customer's number, if that was found meanwhile.
    pub(super) fn look_again(&mut self, request: &mut Request) -> Result<(), B::Error> {
        if self.bind(request, false)? {
            self.pool.waiting = self.pool.waiting.saturating_sub(1);
        }
        Ok(())
    }

    pub fn block(&mut self, number: &CodeKey, blocked: bool) -> Result<Reply, B::Error> {
        let found = self.books.find(number)?;
        let Some((position, Instrument { given: Some(given), .. })) = found else {
            return Ok(Reply::Impossible);
        };
        let before = given.state();
        let given = Given { blocked, ..given };
        let state = given.state();
        if state == before {
            return Ok(Reply::Blocked(state));
        }
        let nobody_has_it = given.requests == 0 && state == State::Reserved;
        self.give(position, given, before);
        if nobody_has_it {
            self.let_go(position)?;
            self.serve(1)?;
            return Ok(Reply::Blocked(State::Free));
        }
        Ok(Reply::Blocked(state))
    }

    pub(super) const fn calling(&self) -> Progress {
        Progress::Calling { since: self.now, failures: 0, next: self.now }
    }

    /// Writes a request, and says where it stands.
    pub(super) fn reply(&mut self, no: RequestNo, request: Request) -> Result<Reply, B::Error> {
        let state = match (&request.progress, &request.bound) {
            (Progress::Waiting { .. }, _) => RequestState::Waiting,
            (Progress::Refused, _) => RequestState::Refused,
            (_, None) => RequestState::Dismissed,
            (_, Some(bound)) => match self.at(bound.position)?.and_then(|found| found.given) {
                Some(given) if given.confirmed => RequestState::Active,
                _ => RequestState::Reserved,
            },
        };
        self.changes.requests.insert(no, request);
        Ok(Reply::Request { request: no, state })
    }

    fn number_of(&self, member: &str) -> Result<Option<Position>, B::Error> {
        match self.changes.first.get(member) {
            Some(changed) => Ok(*changed),
            None => self.books.number_of(member),
        }
    }

    /// The number at a position as this turn leaves it.
    pub(super) fn at(&self, position: Position) -> Result<Option<Instrument>, B::Error> {
        let moved = |end: fn(&(Position, Position)) -> Position| {
            self.changes.moved.iter().find(|moved| end(moved) == position)
        };
        let mut found = match (moved(|(from, _)| *from), moved(|(_, to)| *to), &self.changes.added)
        {
            (Some(_), ..) => None,
            (_, Some((from, _)), _) => {
                let moved = self.books.at(*from)?;
                moved.map(|moved| Instrument { given: None, ..moved })
            }
            (.., Some((first, numbers))) if position >= *first => {
                let index = usize::try_from(position.saturating_sub(*first)).unwrap_or(usize::MAX);
                let number = numbers.get(index).cloned();
                number.map(|number| Instrument { number, given: None })
            }
            _ => self.books.at(position)?,
        };
        if let (Some(found), Some(given)) = (&mut found, self.changes.given.get(&position)) {
            found.given = Some(given.clone());
        }
        Ok(found)
    }
}
