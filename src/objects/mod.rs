//! Durable Objects: thin wrappers over the machines of `promo-core`, one file a class.
//!
//! An object reads, lets its machine decide, and writes, without an await in between: the runtime
//! runs one request of an object at a time between awaits, so a command is one turn. The writes of a
//! turn are one transaction ([`store::in_one_transaction`]), and no reply leaves before they are
//! durable (the runtime's output gate).

#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod ledger;
mod store;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod tab;

pub use ledger::Ledger;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub use tab::Tab;
use worker::{Request, Response};

/// The version of what is said between edge and object. During a deployment an old edge can talk to
/// a new object and the other way round: what either cannot understand is refused, and the caller
/// tries again elsewhere or later.
const VERSION: u32 = 1;

/// The binding of the [`Ledger`] class; an object is named by its campaign's id.
pub const LEDGER: &str = "LEDGER";
/// The binding of the [`Tab`] class; an object is named by the tab's id.
pub const TAB: &str = "TAB";

/// What goes to an object and comes back.
#[derive(Serialize, Deserialize)]
pub struct Message<T> {
    v: u32,
    body: T,
}

impl<T> Message<T> {
    /// A message of this version.
    pub const fn new(body: T) -> Self {
        Self { v: VERSION, body }
    }

    /// What it says, if it is of a version we understand.
    ///
    /// # Errors
    /// When it is of another version.
    pub fn open(self) -> worker::Result<T> {
        if self.v == VERSION {
            Ok(self.body)
        } else {
            Err(format!("a message of version {} came to version {VERSION}", self.v).into())
        }
    }
}

/// Reads a command, decides it, answers.
async fn answer<C: DeserializeOwned, R: Serialize>(
    mut request: Request,
    decide: impl FnOnce(C) -> worker::Result<R>,
) -> worker::Result<Response> {
    let message: Message<C> = serde_json::from_slice(&request.bytes().await?)?;
    let reply = decide(message.open()?)?;
    Response::from_bytes(serde_json::to_vec(&Message::new(reply))?)
}
