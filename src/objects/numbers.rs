//! Which instrument type a number belongs to: what a till's look-up asks first.
//!
//! All numbers of all types are spread over a few objects by a hash of the number. An entry is written
//! before its number joins a pool and never changes, so a number is found through any edge from the
//! instant it is active (nothing is cached, no negative answer lingers), and no two types ever have
//! the same one. An entry whose upload was then refused leads to a pool that does not know the number,
//! which is as good as none.

use promo_core::ident::{CodeKey, TypeCode};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, State, durable_object, wasm_bindgen,
};

use super::store::{first_value, in_one_transaction, rows, write};

/// How many objects there are. Changing it would lose what is written.
const SHELVES: u32 = 16;
const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS number (key TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID";

/// The name of the object that knows a number.
pub fn shelf(number: &CodeKey) -> String {
    // FNV-1a: it must be the same for ever.
    let hash = number
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("shelf-{:02}", hash % SHELVES)
}

/// Some of all numbers.
#[durable_object(fetch)]
pub struct Numbers {
    state: State,
}

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The type of a number.
    Find(CodeKey),
    /// Which of these belong to another type than this.
    Others(TypeCode, Vec<CodeKey>),
    /// These belong to this type, unless one belongs to another; then none is written.
    Claim(TypeCode, Vec<CodeKey>),
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Find`].
    Found(Option<TypeCode>),
    /// To [`Question::Others`] and [`Question::Claim`]: by number, the other type.
    Others(Vec<(CodeKey, TypeCode)>),
}

impl DurableObject for Numbers {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            sql.exec(TABLE, None)?;
            let claims = matches!(question, Question::Claim(..));
            let (code, numbers) = match question {
                Question::Find(number) => return Ok((Answer::Found(find(&sql, &number)?), 0)),
                Question::Others(code, numbers) | Question::Claim(code, numbers) => {
                    (code, serde_json::to_string(&numbers)?)
                }
            };
            let others = others(&sql, &code, &numbers)?;
            if !claims || !others.is_empty() {
                return Ok((Answer::Others(others), 0));
            }
            let rows = in_one_transaction(&self.state, move || {
                let query =
                    "INSERT OR IGNORE INTO number (key, type) SELECT value, ? FROM json_each(?)";
                write(&sql, query, vec![code.as_str().into(), numbers.into()])
            })?;
            Ok((Answer::Others(Vec::new()), rows))
        })
        .await
    }
}

fn find(sql: &SqlStorage, number: &CodeKey) -> worker::Result<Option<TypeCode>> {
    let query = "SELECT type FROM number WHERE key = ?";
    match first_value(sql, query, vec![number.as_str().into()])? {
        Some(worker::SqlStorageValue::String(code)) => {
            TypeCode::parse(&code).map(Some).map_err(|error| error.to_string().into())
        }
        Some(_) => Err("a type is no text".into()),
        None => Ok(None),
    }
}

fn others(
    sql: &SqlStorage,
    code: &TypeCode,
    numbers: &str,
) -> worker::Result<Vec<(CodeKey, TypeCode)>> {
    let query = "SELECT json_quote(number.key), json_quote(number.type) FROM json_each(?) AS asked \
                 JOIN number ON number.key = asked.value WHERE number.type <> ?";
    let read = |[number, code]: [String; 2]| {
        Ok((serde_json::from_str(&number)?, serde_json::from_str(&code)?))
    };
    rows(sql, query, vec![numbers.into(), code.as_str().into()])?.into_iter().map(read).collect()
}
