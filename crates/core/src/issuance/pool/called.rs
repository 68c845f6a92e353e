//! What came of a call back to the app, and what an operator does about it.

use super::Books;
use super::message::{Given, Instrument, Position, Progress, Reply, RequestNo, Trouble};
use super::turn::Turn;
use crate::issuance::call::{Heard, Verdict, next_attempt};

/// So many different cards that the app does not know, in a row, make its address doubtful.
const DOUBTFUL: usize = 3;

impl<B: Books> Turn<'_, B> {
    pub fn called(&mut self, no: RequestNo, heard: &Heard) -> Result<Reply, B::Error> {
        let Some(mut request) = self.books.request(no)? else { return Ok(Reply::Impossible) };
        let Some(position) = request.bound.as_ref().map(|bound| bound.position) else {
            // The number the call was about is the request's no more.
            return self.reply(no, request);
        };
        let trouble =
            |doubtful| Some(Trouble { at: self.now, heard: Some(heard.clone()), doubtful });
        let verdict = heard.verdict();
        match verdict {
            Verdict::Confirmed => {
                request.progress = Progress::Done;
                request.confirmed = true;
                request.trouble = None;
                self.pool.refused.clear();
                self.confirm(position)?;
            }
            Verdict::Gone => {
                let before = self.pool.refused.clone();
                if before.len() < DOUBTFUL && !before.contains(&no) {
                    self.pool.refused.push(no);
                }
                let doubtful = self.pool.refused.len() >= DOUBTFUL;
                request.trouble = trouble(doubtful);
                if request.confirmed || doubtful {
                    if request.progress != Progress::Dismissed {
                        request.progress = Progress::Failed;
                    }
                    if doubtful && before.len() < DOUBTFUL {
                        self.list_again(before)?;
                    }
                } else {
                    request.progress = Progress::Refused;
                    request.bound = None;
                    self.let_go(position)?;
                }
            }
            Verdict::Final | Verdict::Again => {
                if let Progress::Calling { since, failures, .. } = request.progress {
                    let failures = failures.saturating_add(1);
                    let next = next_attempt(since, failures, self.now);
                    request.progress = match next.filter(|_| verdict == Verdict::Again) {
                        Some(next) => Progress::Calling { since, failures, next },
                        None => Progress::Failed,
                    };
                    request.trouble = trouble(false);
                }
                // Otherwise an operator was quicker, and there is nothing to do about it.
            }
        }
        let reply = self.reply(no, request)?;
        self.serve(1)?;
        Ok(reply)
    }

    /// Requests that were given up because the app did not know their cards, though it was perhaps
    /// never asked: an operator is to see them, and they have numbers again as far as there are any.
    fn list_again(&mut self, given_up: Vec<RequestNo>) -> Result<(), B::Error> {
        for no in given_up {
            let Some(mut request) = self.books.request(no)? else { continue };
            if request.progress != Progress::Refused {
                continue;
            }
            let trouble = request.trouble.take();
            let may_take = self.may_take();
            self.bind(&mut request, may_take)?;
            request.progress = Progress::Failed;
            request.trouble = trouble.map(|trouble| Trouble { doubtful: true, ..trouble });
            self.changes.requests.insert(no, request);
        }
        Ok(())
    }

    fn confirm(&mut self, position: Position) -> Result<(), B::Error> {
        if let Some(Instrument { given: Some(given), .. }) = self.at(position)? {
            self.give(position, Given { confirmed: true, ..given.clone() }, given.state());
        }
        Ok(())
    }

    pub fn retry(&mut self, no: RequestNo) -> Result<Reply, B::Error> {
        let Some(mut request) = self.books.request(no)? else { return Ok(Reply::Impossible) };
        match request.progress {
            Progress::Calling { .. } | Progress::Failed if request.bound.is_some() => {
                request.progress = self.calling();
            }
            Progress::Failed => self.bind_or_wait(&mut request)?,
            Progress::Waiting { .. } => self.look_again(&mut request)?,
            _ => return Ok(Reply::Impossible),
        }
        self.reply(no, request)
    }

    pub fn dismiss(&mut self, no: RequestNo) -> Result<Reply, B::Error> {
        let Some(mut request) = self.books.request(no)? else { return Ok(Reply::Impossible) };
        if !request.is_stuck() {
            return Ok(Reply::Impossible);
        }
        if let Progress::Waiting { .. } = request.progress {
            self.pool.waiting = self.pool.waiting.saturating_sub(1);
        }
        let heard = request.trouble.as_ref().and_then(|trouble| trouble.heard.as_ref());
        let unknown = request.progress == Progress::Failed
            && heard.is_some_and(|heard| heard.verdict() == Verdict::Gone);
        if unknown
            && !request.confirmed
            && let Some(bound) = request.bound.take()
        {
            // The app said that it has no such card, and an operator believes it.
            request.progress = Progress::Refused;
            self.let_go(bound.position)?;
            let reply = self.reply(no, request)?;
            self.serve(1)?;
            return Ok(reply);
        }
        // A number it has stays with the card: the app may show it, though nobody heard so.
        request.progress = Progress::Dismissed;
        self.reply(no, request)
    }
}
