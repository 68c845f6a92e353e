//! What is asked of a pool, what it answers, and what it keeps.

use serde::{Deserialize, Serialize};

use crate::ident::{CardId, CodeKey};
use crate::issuance::call::Heard;
use crate::issuance::{Number, Symbology};
use crate::time::Instant;

/// A request's number within its pool: the order in which cards first asked.
pub type RequestNo = u64;
/// A number's place in the pool.
pub type Position = u64;

/// A command to a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A card wants a number.
    Ask(Ask),
    /// These numbers join the pool.
    Add(Add),
    /// Requests that wait get numbers, as far as there are any: at most so many.
    Serve(u32),
    /// A call back was made.
    Called {
        /// For which request.
        request: RequestNo,
        /// What came of it.
        heard: Heard,
    },
    /// An operator wants a request tried again now.
    Retry(RequestNo),
    /// An operator has seen a request and does not want it tried any more.
    Dismiss(RequestNo),
    /// An operator blocks a number that was given out, or lets it be used again.
    Block {
        /// Which.
        number: CodeKey,
        /// Whether it is to be blocked.
        blocked: bool,
    },
    /// These numbers leave the pool: all of them, or none.
    Withdraw(Vec<CodeKey>),
    /// From when until when the type is given out now.
    Open(Window),
}

/// When a type is given out. Nobody who waits is served outside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From this instant on; none: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Up to this instant, which is outside; none: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

impl Window {
    /// Whether an instant is inside.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Command::Ask`], [`Command::Called`], [`Command::Retry`] and [`Command::Dismiss`]: where
    /// the request stands now.
    Request {
        /// Which.
        request: RequestNo,
        /// Where it stands.
        state: RequestState,
    },
    /// To [`Command::Add`].
    Added {
        /// Numbers that joined; none when these lines had come before.
        added: u64,
        /// Lines of the upload that are done.
        lines: u64,
    },
    /// To [`Command::Add`]: the upload goes on at another line.
    OutOfStep {
        /// Lines of the upload that are done.
        lines: u64,
    },
    /// To [`Command::Add`]: these are in the pool already, so none was added. By index.
    Known(Vec<usize>),
    /// To [`Command::Serve`] and [`Command::Open`].
    Served,
    /// To [`Command::Withdraw`]: they are gone; those by these indexes were not here.
    Withdrawn(Vec<usize>),
    /// To [`Command::Withdraw`]: these are given out, so none was withdrawn. By index, with their states.
    GivenOut(Vec<(usize, State)>),
    /// To [`Command::Block`].
    Blocked(State),
    /// There is no such request or number, or it is in no state for that.
    Impossible,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// No number was free; it is served in the order of asking.
    Waiting,
    /// It has a number that the app has not confirmed yet.
    Reserved,
    /// It has a number that counts at a till.
    Active,
    /// The app has no such card.
    Refused,
    /// It had no number yet, and an operator dismissed it.
    Dismissed,
}

/// A card wants a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The card in the app; asked for again it is the same request.
    pub card: CardId,
    /// For whom.
    pub holder: Holder,
    /// Members who were merged into this customer: their numbers are this customer's too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<String>,
    /// The type says: one number a customer.
    pub once: bool,
    /// What the app is to show.
    pub symbology: Symbology,
}

/// The customer a number is given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The customer's own name with us.
    pub member: String,
    /// What stands for the customer in ledgers.
    pub pseudonym: String,
}

/// Numbers for the pool: all of them, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// The numbers, no two alike.
    pub numbers: Vec<Number>,
    /// The upload they are part of, so that it can be continued.
    pub part: Option<Part>,
}

/// A part of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The upload: a digest of the file.
    pub upload: String,
    /// Lines of the file before this part.
    pub line: u64,
    /// Lines of this part, whatever is on them.
    pub lines: u64,
}

/// What is kept of a pool as a whole.
///
/// INVARIANT: the free numbers are those at the positions from `head` up to `tail`, so that taking
/// the first is one read, however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The position of the first free number.
    pub head: Position,
    /// The position of the next number to join.
    pub tail: Position,
    /// Requests so far.
    pub requests: RequestNo,
    /// Turns in the queue of those that wait, so far.
    pub turns: u64,
    /// Requests that wait.
    pub waiting: u64,
    /// Numbers reserved.
    pub reserved: u64,
    /// Numbers active, used or not.
    pub active: u64,
    /// Numbers blocked.
    pub blocked: u64,
    /// When those who wait may be served.
    #[serde(default)]
    pub window: Window,
    /// The requests whose cards the app did not know, each once, since it last confirmed one. No more
    /// are kept than make the app's address doubtful.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RequestNo>,
}

impl Pool {
    /// How many numbers are free.
    #[must_use]
    pub const fn free(&self) -> u64 {
        self.tail.saturating_sub(self.head)
    }

    /// Since when, or from when on, those who wait can be served; none: there is nobody, there is no
    /// number, or the type is over.
    #[must_use]
    pub fn can_serve_from(&self, now: Instant) -> Option<Instant> {
        let somebody = self.waiting > 0 && self.free() > 0;
        let over = self.window.until.is_some_and(|until| until <= now);
        let from = self.window.from.map_or(now, |from| from.max(now));
        (somebody && !over).then_some(from)
    }
}

/// A number's place in life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has it.
    Free,
    /// Somebody has it, and the app has not confirmed that it shows it.
    Reserved,
    /// It counts at a till.
    Active,
    /// It was given out, and an operator does not want it to count.
    Blocked,
}

/// A number and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The number.
    pub number: Number,
    /// Who has it; nobody: it is free.
    pub given: Option<Given>,
}

/// A number that is given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// To whom.
    pub holder: Holder,
    /// How many requests have it that the app has not refused.
    pub requests: u64,
    /// Whether the app has ever confirmed it.
    pub confirmed: bool,
    /// Whether an operator blocked it.
    pub blocked: bool,
}

impl Given {
    /// Its state.
    #[must_use]
    pub const fn state(&self) -> State {
        match (self.blocked, self.confirmed) {
            (true, _) => State::Blocked,
            (false, true) => State::Active,
            (false, false) => State::Reserved,
        }
    }
}

impl Instrument {
    /// Its state.
    #[must_use]
    pub fn state(&self) -> State {
        self.given.as_ref().map_or(State::Free, Given::state)
    }
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was asked.
    pub ask: Ask,
    /// When, the last time.
    pub asked: Instant,
    /// Where it stands.
    pub progress: Progress,
    /// The number it has.
    pub bound: Option<Bound>,
    /// Whether the app has ever confirmed that this card shows its number. Then the number stays the
    /// card's, whatever the app answers later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
    /// What went wrong last, if the request is not well since.
    pub trouble: Option<Trouble>,
}

/// The number that a request has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Its place in the pool.
    pub position: Position,
    /// The number.
    pub number: Number,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It waits for a number.
    Waiting {
        /// Its place in the queue.
        turn: u64,
    },
    /// It has a number, and the wallet is to be called.
    Calling {
        /// Since when it is tried.
        since: Instant,
        /// Failures so far.
        failures: u32,
        /// When to call.
        next: Instant,
    },
    /// The wallet has confirmed.
    Done,
    /// No further call is made by itself.
    Failed,
    /// The same, and an operator has seen it.
    Dismissed,
    /// The wallet has no such card.
    Refused,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When.
    pub at: Instant,
    /// What; nothing: no number was free.
    pub heard: Option<Heard>,
    /// The app knew none of the last cards either, so it is doubtful whether it was asked at its right
    /// address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

impl Request {
    /// When the wallet is to be called, if it is.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        match self.progress {
            Progress::Calling { next, .. } => Some(next),
            _ => None,
        }
    }

    /// Its place in the queue, if it waits.
    #[must_use]
    pub const fn turn(&self) -> Option<u64> {
        match self.progress {
            Progress::Waiting { turn } => Some(turn),
            _ => None,
        }
    }

    /// Whether an operator should know of it.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        match self.progress {
            Progress::Waiting { .. } | Progress::Failed => true,
            Progress::Calling { .. } => self.trouble.is_some(),
            Progress::Done | Progress::Dismissed | Progress::Refused => false,
        }
    }
}
