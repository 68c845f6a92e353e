//! The one wrapper around every class of Durable Objects.
//!
//! A class is a name, a list of schema steps, and a pure machine: see [`Class`]. Everything else is here
//! and in the shim (`xtask/node/shim.mjs`), once for all of them:
//!
//! - *One question, one turn.* A question arrives as one text by RPC and is answered by one text. Reading,
//!   deciding and writing happen without an await in one transaction (`transactionSync`, in the shim): an
//!   error rolls all of it back, and no reply leaves before its writes are durable (the output gate).
//! - *Versions.* A message carries the version of the protocol, and the storage the number of schema steps
//!   it has seen. Whatever is newer than this build is refused, not guessed at.
//! - *Deadlines.* A question carries the instant after which its sender has given up. One that is reached
//!   later is answered `late`, and nothing is written.
//! - *One alarm.* A class says when something falls due next; all its reasons share the object's alarm. The
//!   first turn after the object woke sets an alarm that was lost, and does first what has fallen due. An
//!   alarm that fails is set again, because the platform drops one that fails six times.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use promo_core::time::Instant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, SqlStorage, SqlStorageValue, State};

use super::store::{first_value, in_one_transaction};
use crate::http::{clock, log, now};

/// The version of the messages between edge and object. During a deployment an edge of one version talks to
/// an object of another: what either cannot understand is refused, and the caller tries again.
pub const VERSION: u32 = 2;

/// After how many milliseconds an alarm whose work failed comes again.
const AFTER_FAILURE: i64 = 10_000;

/// A class of Durable Objects.
pub trait Class: Sized + 'static {
    /// What is asked of an object.
    type Question: DeserializeOwned;

    /// The steps that bring an object's storage up to date. One is added at the end, and never changed.
    const SCHEMA: &'static [&'static str];

    /// An object of the class, which has read nothing yet. Its memory is a cache; SQLite is the truth.
    fn open(object: Access) -> Self;

    /// Decides one question.
    ///
    /// # Errors
    /// When the storage cannot be read or written; nothing of the turn is kept then.
    fn decide(&self, turn: &Turn<'_>, question: Self::Question) -> worker::Result<Answer>;

    /// When something falls due next, if anything does.
    ///
    /// # Errors
    /// When the storage cannot be read.
    fn due(&self, turn: &Turn<'_>) -> worker::Result<Option<Instant>> {
        let _ = turn;
        Ok(None)
    }

    /// Does what has fallen due.
    fn wake(self: Rc<Self>) -> impl Future<Output = worker::Result<()>> {
        std::future::ready(Ok(()))
    }
}

/// What a question is answered: a document of the type that the question names. See [`super::ask::Ask`].
pub struct Answer(String);

impl Answer {
    /// The reply to a question of this type.
    ///
    /// # Errors
    /// When the reply cannot be written as JSON.
    pub fn to<Q: super::ask::Ask>(reply: &Q::Reply) -> worker::Result<Self> {
        Ok(Self(serde_json::to_string(reply)?))
    }
}

/// One turn of an object: the storage it reads and writes, and the instant at which it decides.
pub struct Turn<'a> {
    /// The object's SQLite.
    pub sql: &'a SqlStorage,
    /// The instant of the decision.
    pub now: Instant,
    written: Cell<u64>,
}

impl Turn<'_> {
    /// Executes a statement that writes, and counts the rows: the platform bills them.
    ///
    /// # Errors
    /// When it fails.
    pub fn write(&self, query: &str, bindings: Vec<SqlStorageValue>) -> worker::Result<()> {
        let cursor = self.sql.exec(query, bindings)?;
        self.wrote(u64::try_from(cursor.rows_written()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Counts rows that were written otherwise.
    pub fn wrote(&self, rows: u64) {
        self.written.set(self.written.get().saturating_add(rows));
    }
}

/// What an object has outside a turn: for the work of an alarm, which may wait for others.
#[derive(Clone)]
pub struct Access {
    /// The deployment's bindings.
    pub env: Env,
    state: Rc<State>,
}

impl Access {
    /// Runs one turn, as a transaction.
    ///
    /// # Errors
    /// When `work` fails; nothing of it is kept then.
    pub fn turn<T: 'static>(
        &self,
        work: impl FnOnce(&Turn<'_>) -> worker::Result<T> + 'static,
    ) -> worker::Result<T> {
        let sql = self.state.storage().sql();
        let done = Rc::new(Cell::new(None));
        let told = Rc::clone(&done);
        in_one_transaction(&self.state, move || {
            let turn = Turn { sql: &sql, now: now(), written: Cell::new(0) };
            told.set(Some(work(&turn)?));
            Ok(turn.written.get())
        })?;
        done.take().ok_or_else(|| "a transaction did not run".into())
    }
}

/// A question as it travels.
#[derive(Deserialize)]
struct Envelope<Q> {
    v: u32,
    /// After this instant, in milliseconds, the sender has given up.
    #[serde(default)]
    until: Option<i64>,
    q: Q,
}

/// A reply as it travels. One of `a` and `late` is there.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "A: Deserialize<'de>"))]
pub(super) struct Letter<A> {
    /// [`VERSION`].
    pub v: u32,
    /// Rows that were written.
    #[serde(default)]
    pub rows: u64,
    /// The answer, which may be `null`.
    #[serde(default, deserialize_with = "there")]
    pub a: Option<A>,
    /// The sender had given up already; nothing was written.
    #[serde(default)]
    pub late: bool,
}

/// A field that is there, whatever its value: without this, an answer `null` would be none.
fn there<'de, A: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<A>, D::Error> {
    A::deserialize(from).map(Some)
}

/// An object of some class, as the shim calls it.
#[wasm_bindgen]
pub struct Object {
    inner: Rc<dyn Wrapped>,
}

#[wasm_bindgen(
    js_sys = ::worker::js_sys,
    wasm_bindgen_futures = ::worker::wasm_bindgen_futures
)]
impl Object {
    /// Constructs an object of the class with this name.
    ///
    /// # Errors
    /// When there is no such class.
    #[wasm_bindgen(constructor)]
    pub fn new(class: &str, state: DurableObjectState, env: Env) -> Result<Object, JsValue> {
        clock::set(&env);
        let object = Access { env, state: Rc::new(State::from(state)) };
        let inner = super::construct(class, object)
            .ok_or_else(|| JsValue::from_str(&format!("there is no class {class}")))?;
        Ok(Self { inner })
    }

    /// Answers one question in one turn. No answer: something has fallen due, which the caller must have
    /// done first, by [`Object::wake`].
    ///
    /// # Errors
    /// When the turn fails; the caller rolls it back.
    pub fn ask(&self, question: &str) -> Result<Option<String>, JsValue> {
        Ok(self.inner.ask(question)?)
    }

    /// When the alarm is to be set to, in milliseconds of the real clock; `NaN`: it stays as it is.
    pub fn alarm_at(&self) -> f64 {
        self.inner.alarm_at()
    }

    /// Does what has fallen due, and says when the alarm is to come again, as [`Object::alarm_at`] does.
    pub async fn wake(&self) -> f64 {
        Rc::clone(&self.inner).wake().await
    }
}

/// A class with its type forgotten.
pub(super) trait Wrapped {
    fn ask(&self, question: &str) -> worker::Result<Option<String>>;
    fn alarm_at(&self) -> f64;
    fn wake(self: Rc<Self>) -> Pin<Box<dyn Future<Output = f64>>>;
}

/// An object of a class.
pub(super) struct Wrapper<C> {
    name: String,
    object: Access,
    class: Rc<C>,
    /// The schema is up to date, and what had fallen due when the object woke is done.
    ready: Cell<bool>,
    /// For when the alarm is known to be set.
    armed: Cell<Option<Instant>>,
    /// For when it is to be set.
    next: Cell<Option<Instant>>,
}

impl<C: Class> Wrapper<C> {
    pub(super) fn construct(name: &str, object: Access) -> Rc<dyn Wrapped> {
        Rc::new(Self {
            name: name.to_owned(),
            class: Rc::new(C::open(object.clone())),
            object,
            ready: Cell::new(false),
            armed: Cell::new(None),
            next: Cell::new(None),
        })
    }

    /// Notes for when the alarm must be set, unless it comes that early already.
    fn arm(&self, turn: &Turn<'_>) -> worker::Result<()> {
        if let Some(due) = self.class.due(turn)?
            && self.armed.get().is_none_or(|armed| due < armed)
        {
            self.next.set(Some(due));
        }
        Ok(())
    }
}

impl<C: Class> Wrapped for Wrapper<C> {
    fn ask(&self, question: &str) -> worker::Result<Option<String>> {
        let sql = self.object.state.storage().sql();
        let turn = Turn { sql: &sql, now: now(), written: Cell::new(0) };
        let first = !self.ready.get();
        if first {
            upgrade(&turn, C::SCHEMA)?;
            if self.class.due(&turn)?.is_some_and(|due| due <= turn.now) {
                self.ready.set(true);
                return Ok(None);
            }
        }
        let envelope: Envelope<C::Question> = serde_json::from_str(question)?;
        if envelope.v != VERSION {
            let (theirs, ours) = (envelope.v, VERSION);
            return Err(format!("a message of version {theirs} came to version {ours}").into());
        }
        if envelope.until.is_some_and(|until| turn.now.millis() > until) {
            return Ok(Some(format!(r#"{{"v":{VERSION},"rows":0,"late":true}}"#)));
        }
        let Answer(answer) = self.class.decide(&turn, envelope.q)?;
        let rows = turn.written.get();
        if rows > 0 || first {
            self.arm(&turn)?;
        }
        // Only now: what an error rolls back is done again.
        self.ready.set(true);
        Ok(Some(format!(r#"{{"v":{VERSION},"rows":{rows},"a":{answer}}}"#)))
    }

    fn alarm_at(&self) -> f64 {
        let Some(next) = self.next.take() else { return f64::NAN };
        self.armed.set(Some(next));
        // The platform's clock is not moved by CLOCK_OFFSET.
        next.millis().saturating_sub(clock::offset().saturating_mul(1000)) as f64
    }

    fn wake(self: Rc<Self>) -> Pin<Box<dyn Future<Output = f64>>> {
        Box::pin(async move {
            self.armed.set(None);
            let upgraded = self.object.turn(|turn| upgrade(turn, C::SCHEMA));
            let worked = match upgraded {
                Ok(()) => Rc::clone(&self.class).wake().await,
                Err(error) => Err(error),
            };
            let wrapper = Rc::clone(&self);
            let due = self.object.turn(move |turn| wrapper.class.due(turn));
            let failed = [worked.err(), due.as_ref().err().map(|error| error.to_string().into())];
            for error in failed.iter().flatten() {
                let name = &self.name;
                let problem = format!("the alarm of {name}: {error}");
                log::warn(serde_json::json!({ "problem": problem }));
            }
            let pause = if failed.iter().flatten().next().is_some() { AFTER_FAILURE } else { 0 };
            let earliest = now().plus_millis(pause);
            self.next.set(match due {
                Ok(due) => due.map(|due| due.max(earliest)),
                Err(_) => Some(earliest),
            });
            self.alarm_at()
        })
    }
}

/// Brings the storage up to date, once after the object woke.
fn upgrade(turn: &Turn<'_>, steps: &[&str]) -> worker::Result<()> {
    let table = "CREATE TABLE IF NOT EXISTS schema (id INTEGER PRIMARY KEY CHECK (id = 1), steps INTEGER NOT NULL)";
    turn.sql.exec(table, None)?;
    let seen = match first_value(turn.sql, "SELECT steps FROM schema", Vec::new())? {
        Some(SqlStorageValue::Integer(steps)) => usize::try_from(steps).unwrap_or(usize::MAX),
        _ => 0,
    };
    if seen > steps.len() {
        return Err("this storage was written by a newer version of promo-edge".into());
    }
    let missing = steps.get(seen..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        turn.sql.exec(step, None)?;
    }
    let steps = i64::try_from(steps.len()).map_err(|_| "too many schema steps")?;
    let row = vec![SqlStorageValue::try_from_i64(steps)?];
    turn.sql.exec("INSERT OR REPLACE INTO schema (id, steps) VALUES (1, ?)", row)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_nothing_is_an_answer() {
        let read = |text| serde_json::from_str::<Letter<Option<u8>>>(text).unwrap();
        assert_eq!(read(r#"{"v":2,"rows":0,"a":null}"#).a, Some(None));
        assert_eq!(read(r#"{"v":2,"rows":0,"a":7}"#).a, Some(Some(7)));
        let late = read(r#"{"v":2,"rows":0,"late":true}"#);
        assert!(late.late && late.a.is_none());
    }
}
