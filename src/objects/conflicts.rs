//! Pairs of members who may be one, listed for an operator to merge. One object has them all: they are
//! few, and nothing waits for it. A pair is listed once, however often it is met.

use promo_core::loyalty::MemberId;
use promo_core::time::Instant;
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use super::store::{in_one_transaction, rows, write};
use crate::http::{clock, now};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS pair (one TEXT, other TEXT, since TEXT NOT NULL,
     PRIMARY KEY (one, other)) WITHOUT ROWID";
/// Pairs that are told at once.
pub const PAGE: usize = 100;

/// The list.
#[durable_object(fetch)]
pub struct Conflicts {
    state: State,
}

/// What is asked of it; it answers with the list.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// These may be one.
    Add(MemberId, MemberId),
    /// This one is merged, or erased.
    Remove(MemberId),
    /// The pairs after this one.
    List {
        /// Where the page before ended.
        after: Option<(MemberId, MemberId)>,
    },
}

/// A pair, and when it was first met.
pub type Pair = (MemberId, MemberId, Instant);

impl DurableObject for Conflicts {
    fn new(state: State, env: Env) -> Self {
        clock::set(&env);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            sql.exec(TABLE, None)?;
            let (query, row) = match question {
                Question::Add(one, other) => {
                    let (one, other) = if one < other { (one, other) } else { (other, one) };
                    let row: Vec<worker::SqlStorageValue> = vec![
                        one.as_str().into(),
                        other.as_str().into(),
                        now().millis().to_string().into(),
                    ];
                    ("INSERT OR IGNORE INTO pair (one, other, since) VALUES (?, ?, ?)", row)
                }
                Question::Remove(member) => {
                    let row = vec![member.as_str().into(), member.as_str().into()];
                    ("DELETE FROM pair WHERE one = ? OR other = ?", row)
                }
                Question::List { after } => {
                    let (one, other) = match &after {
                        Some((one, other)) => (one.as_str(), other.as_str()),
                        None => ("", ""),
                    };
                    let query = format!(
                        "SELECT one, other, since FROM pair WHERE (one, other) > (?, ?)
                         ORDER BY one, other LIMIT {PAGE}"
                    );
                    let found = rows(&sql, &query, vec![one.into(), other.into()])?;
                    let pairs: Option<Vec<Pair>> = found.into_iter().map(pair).collect();
                    return Ok((pairs.ok_or("a pair cannot be read")?, 0));
                }
            };
            let rows = in_one_transaction(&self.state, move || write(&sql, query, row))?;
            Ok((Vec::<Pair>::new(), rows))
        })
        .await
    }
}

fn pair([one, other, since]: [String; 3]) -> Option<Pair> {
    let since = Instant::from_millis(since.parse().ok()?);
    Some((MemberId::parse(&one)?, MemberId::parse(&other)?, since))
}
