//! The pool of an instrument type in its object's SQLite: [`promo_core::issuance::pool`], which says
//! why it is right; and the calls back to the wallet, made from the object's alarm.
//!
//! A request that has a number is due until a call came back, and the alarm is set in the turn that
//! makes it due: after a kill at any instant the alarm still comes, and calls again. The alarm catches
//! whatever goes wrong and sets itself anew, since the platform drops one that fails six times.

mod books;
mod erase;

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::join_all;
use promo_core::erasure::Replacements;
use promo_core::ident::CodeKey;
use promo_core::issuance::pool::{
    self, Changes, Command, Instrument, Reply, Request as Asked, RequestNo, apply,
};
use promo_core::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use self::books::{Sqlite, write};
pub use self::erase::Cursor;
use super::store::in_one_transaction;
use crate::http::{log, now};
use crate::wallet::Wallet;

/// Calls that are made at once.
const AT_ONCE: u32 = 16;
/// Requests that are served in one turn of the alarm.
const SERVED: u32 = 500;
/// How long one alarm works, in milliseconds; the next goes on at once.
const SHIFT: i64 = 60_000;
/// When the alarm comes again after something of ours failed.
const AFTER_FAILURE: i64 = 10_000;

/// One instrument type's pool.
#[durable_object(alarm)]
pub struct Pool {
    state: State,
    env: Env,
    /// When the alarm is known to be set for.
    armed: Cell<Option<Instant>>,
}

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A command to the machine.
    Decide(Command),
    /// A number.
    Find(CodeKey),
    /// The pool as a whole.
    Show,
    /// Which of these numbers are here, by index.
    Known(Vec<promo_core::issuance::Number>),
    /// How many lines of an upload are done.
    LinesDone(String),
    /// Requests that an operator should know of, those after this one.
    Stuck {
        /// Where the page before ended.
        after: Option<RequestNo>,
        /// How many.
        limit: u32,
    },
    /// Put meaningless names in the place of a person's, in the batch after this one.
    Erase {
        /// Which.
        names: Replacements,
        /// Where the batch before ended.
        after: Option<Cursor>,
    },
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The machine's reply, and how many rows were read for it.
    Decided(Reply, u64),
    /// A number.
    Found(Option<Instrument>),
    /// The pool as a whole.
    Pool(pool::Pool),
    /// Indexes.
    Known(Vec<usize>),
    /// Lines.
    Lines(u64),
    /// Requests, in the order in which they first asked.
    Requests(Vec<(RequestNo, Asked)>),
    /// What a batch has done.
    Erased {
        /// Rows in which a name was replaced.
        rows: u64,
        /// Where to go on.
        next: Option<Cursor>,
    },
}

impl DurableObject for Pool {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, armed: Cell::new(None) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answer = super::answer(request, |question: Question| {
            use pool::Books;
            let books = self.books()?;
            let answer = match question {
                Question::Decide(command) => {
                    let (reply, rows) = self.decide(&books, &command)?;
                    return Ok((Answer::Decided(reply, books.rows_read()), rows));
                }
                Question::Find(number) => {
                    Answer::Found(books.find(&number)?.map(|(_, found)| found))
                }
                Question::Show => Answer::Pool(books.pool()?),
                Question::Known(numbers) => Answer::Known(books.known(&numbers)?),
                Question::LinesDone(upload) => Answer::Lines(books.lines_done(&upload)?),
                Question::Stuck { after, limit } => Answer::Requests(books.stuck(after, limit)?),
                Question::Erase { names, after } => {
                    let (sql, next) = (self.state.storage().sql(), Rc::new(Cell::new(None)));
                    let told = Rc::clone(&next);
                    let rows = in_one_transaction(&self.state, move || {
                        let (rows, next) = erase::erase(&sql, &names, after)?;
                        told.set(next);
                        Ok(rows)
                    })?;
                    return Ok((Answer::Erased { rows, next: next.take() }, rows));
                }
            };
            Ok((answer, 0))
        })
        .await;
        // Still in the turn that wrote: both are durable together, and no reply leaves before.
        self.arm(0).await?;
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.armed.set(None);
        let pause = match self.work().await {
            Ok(()) => 0,
            Err(error) => {
                let what = format!("the pool's alarm: {error}");
                log::warn(json!({ "problem": what }));
                AFTER_FAILURE
            }
        };
        if self.arm(pause).await.is_err() {
            // Perhaps it only failed now; once more, as whatever it was may be over.
            self.state.storage().set_alarm(AFTER_FAILURE).await?;
        }
        Response::empty()
    }
}

impl Pool {
    fn books(&self) -> worker::Result<Sqlite> {
        Sqlite::open(self.state.storage().sql())
    }

    /// Decides a command and writes; also how many rows were written.
    fn decide(&self, books: &Sqlite, command: &Command) -> worker::Result<(Reply, u64)> {
        let (reply, changes) = apply(books, command, now())?;
        if changes == Changes::default() {
            return Ok((reply, 0));
        }
        let sql = self.state.storage().sql();
        let rows = in_one_transaction(&self.state, move || write(&sql, changes))?;
        Ok((reply, rows))
    }

    /// Serves those who wait and calls back what is due, until there is nothing left to do now.
    async fn work(&self) -> worker::Result<()> {
        let until = now().plus_millis(SHIFT);
        while now() < until {
            let books = self.books()?;
            if books.somebody_can_be_served(now())? {
                self.decide(&books, &Command::Serve(SERVED))?;
            }
            let due = books.due(now(), AT_ONCE)?;
            if due.is_empty() {
                break;
            }
            let wallet = Wallet::of(&self.env);
            let calls = due.iter().map(|(_, asked)| wallet.activate(asked));
            for ((request, asked), heard) in due.iter().zip(join_all(calls).await) {
                let card = asked.ask.card.as_str();
                let line = json!({
                    "event": "call back", "card": card, "request": request,
                    "outcome": heard.to_string(),
                });
                log::info(line);
                self.decide(&books, &Command::Called { request: *request, heard })?;
            }
        }
        Ok(())
    }

    /// Sets the alarm for what is due first, at least so many milliseconds from now.
    async fn arm(&self, pause: i64) -> worker::Result<()> {
        let Some(next) = self.books()?.next_due(now())? else { return Ok(()) };
        let next = next.max(now().plus_millis(pause));
        if self.armed.get().is_some_and(|armed| armed <= next) {
            return Ok(());
        }
        self.armed.set(Some(next));
        let wait = next.millis().saturating_sub(now().millis()).max(0);
        self.state.storage().set_alarm(wait).await
    }
}
