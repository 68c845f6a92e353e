//! Durable Objects: thin wrappers over the machines of `promo-core`, one file a class.
//!
//! An object reads, lets its machine decide, and writes, without an await in between: the runtime
//! runs one request of an object at a time between awaits, so a command is one turn. The writes of a
//! turn are one transaction ([`store::in_one_transaction`]), and no reply leaves before they are
//! durable (the runtime's output gate).

pub mod ask;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod conflicts;
pub mod erasure;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod identifier;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod ledger;
pub mod location;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod member;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod numbers;
mod object;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod pool;
pub mod registry;
#[expect(missing_docs, reason = "the macro's own methods have none")]
pub mod replies;
mod store;

use std::rc::Rc;

pub use conflicts::Conflicts;
pub use identifier::Identifier;
pub use ledger::Ledger;
pub use member::Member;
pub use numbers::Numbers;
pub use object::Object;
use object::{Access, Wrapper};
pub use pool::Pool;
pub use replies::Replies;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Request, Response};

/// The version of what is said between edge and object. During a deployment an old edge can talk to
/// a new object and the other way round: what either cannot understand is refused, and the caller
/// tries again elsewhere or later.
const VERSION: u32 = 1;

/// The binding of the [`Conflicts`] class; there is one object.
pub const CONFLICTS: &str = "CONFLICTS";
/// The binding of the [`Identifier`] class; an object is named by an identity's pseudonym.
pub const IDENTIFIER: &str = "IDENTIFIER";
/// The binding of the [`Ledger`] class; an object is named by its campaign's id.
pub const LEDGER: &str = "LEDGER";
/// The binding of the [`Member`] class; an object is named by a member's name.
pub const MEMBER: &str = "MEMBER";
/// The binding of the [`Numbers`] class; an object is named by [`numbers::shelf`].
pub const NUMBERS: &str = "NUMBERS";
/// The binding of the [`Pool`] class; an object is named by its instrument type's code.
pub const POOL: &str = "POOL";
/// The binding of the [`Replies`] class; an object is named by the digest of an `Idempotency-Key`.
pub const REPLIES: &str = "REPLIES";

/// An object of the class with this name, as wrangler.toml has it.
fn construct(class: &str, object: Access) -> Option<Rc<dyn object::Wrapped>> {
    Some(match class {
        "Erasure" => Wrapper::<erasure::Erasure>::construct(class, object),
        "Location" => Wrapper::<location::Location>::construct(class, object),
        "Registry" => Wrapper::<registry::Registry>::construct(class, object),
        _ => return None,
    })
}

/// What goes to an object and comes back.
#[derive(Serialize, Deserialize)]
pub struct Message<T> {
    v: u32,
    body: T,
    /// Rows that were written for it.
    #[serde(default)]
    rows: u64,
}

impl<T> Message<T> {
    /// A message of this version.
    pub const fn new(body: T) -> Self {
        Self { v: VERSION, body, rows: 0 }
    }

    /// What it says and how many rows were written, if it is of a version we understand.
    ///
    /// # Errors
    /// When it is of another version.
    pub fn open(self) -> worker::Result<(T, u64)> {
        if self.v == VERSION {
            Ok((self.body, self.rows))
        } else {
            Err(format!("a message of version {} came to version {VERSION}", self.v).into())
        }
    }
}

/// Reads a question, decides it, answers; `decide` also says how many rows it wrote.
async fn answer<Q: DeserializeOwned, A: Serialize>(
    mut request: Request,
    decide: impl FnOnce(Q) -> worker::Result<(A, u64)>,
) -> worker::Result<Response> {
    let message: Message<Q> = serde_json::from_slice(&request.bytes().await?)?;
    let (question, _) = message.open()?;
    let (body, rows) = decide(question)?;
    Response::from_bytes(serde_json::to_vec(&Message { v: VERSION, body, rows })?)
}
