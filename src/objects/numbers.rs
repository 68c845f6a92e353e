//! Which instrument type a number belongs to: what a till's look-up asks first.
//!
//! All numbers of all types are spread over a few objects by a hash of the number. An entry is written
//! before its number joins a pool, and goes only after its number was withdrawn from there, so a number is found through any edge from the
//! instant it is active (nothing is cached, no negative answer lingers), and no two types ever have
//! the same one. An entry whose upload was then refused leads to a pool that does not know the number,
//! which is as good as none.

use promo_core::code::list::signed_prefix;
use promo_core::code::signed::BODY;
use promo_core::ident::{CodeKey, TypeCode};
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

use super::store::{first_value, in_one_transaction, rows, write};

/// How many objects there are. Changing it would lose what is written.
const SHELVES: u32 = 16;
/// Numbers that are told of those that look signed.
const TOLD: usize = 20;
const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS number (key TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID";

/// The names of all objects.
pub fn shelves() -> Vec<String> {
    (0..SHELVES).map(|shelf| format!("shelf-{shelf:02}")).collect()
}

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
    /// Which of these are numbers of a type.
    Types(Vec<CodeKey>),
    /// Some of those that would be taken for signed codes whose prefix is read so.
    LookingSigned(String),
    /// These are no longer this type's.
    Release(TypeCode, Vec<CodeKey>),
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Find`].
    Found(Option<TypeCode>),
    /// To [`Question::Others`] and [`Question::Claim`]: by number, the other type. To
    /// [`Question::Types`] and [`Question::LookingSigned`]: by number, its type.
    Others(Vec<(CodeKey, TypeCode)>),
    /// To [`Question::Release`]: how many were this type's.
    Released(u64),
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
                Question::Types(numbers) => {
                    let numbers = serde_json::to_string(&numbers)?;
                    return Ok((Answer::Others(others(&sql, "", &numbers)?), 0));
                }
                Question::LookingSigned(prefix) => {
                    return Ok((Answer::Others(looking_signed(&sql, &prefix)?), 0));
                }
                Question::Release(code, numbers) => {
                    let query = "DELETE FROM number WHERE type = ? AND key IN \
                                 (SELECT value FROM json_each(?))";
                    let row = vec![code.as_str().into(), serde_json::to_string(&numbers)?.into()];
                    let rows = in_one_transaction(&self.state, move || write(&sql, query, row))?;
                    return Ok((Answer::Released(rows), rows));
                }
                Question::Others(code, numbers) | Question::Claim(code, numbers) => {
                    (code, serde_json::to_string(&numbers)?)
                }
            };
            let others = others(&sql, code.as_str(), &numbers)?;
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
        Some(SqlStorageValue::String(code)) => {
            TypeCode::parse(&code).map(Some).map_err(|error| error.to_string().into())
        }
        Some(_) => Err("a type is no text".into()),
        None => Ok(None),
    }
}

/// Some of the numbers whose shape is that of a signed code with this prefix.
fn looking_signed(sql: &SqlStorage, prefix: &str) -> worker::Result<Vec<(CodeKey, TypeCode)>> {
    let query = "SELECT json_quote(key), json_quote(type) FROM number WHERE length(key) = ? AND \
                 replace(replace(replace(substr(key, 1, ?), 'O', '0'), 'I', '1'), 'L', '1') = ?";
    let length = |length: usize| i64::try_from(length).map_err(|_| "a prefix is too long");
    let row = vec![
        SqlStorageValue::try_from_i64(length(prefix.len().saturating_add(BODY))?)?,
        SqlStorageValue::try_from_i64(length(prefix.len())?)?,
        prefix.into(),
    ];
    let found = rows(sql, query, row)?.into_iter().map(read).collect::<worker::Result<Vec<_>>>()?;
    let looks =
        |key: &CodeKey| key.code().as_ref().and_then(signed_prefix).as_deref() == Some(prefix);
    Ok(found.into_iter().filter(|(key, _)| looks(key)).take(TOLD).collect())
}

fn read([number, code]: [String; 2]) -> worker::Result<(CodeKey, TypeCode)> {
    Ok((serde_json::from_str(&number)?, serde_json::from_str(&code)?))
}

fn others(sql: &SqlStorage, code: &str, numbers: &str) -> worker::Result<Vec<(CodeKey, TypeCode)>> {
    let query = "SELECT json_quote(number.key), json_quote(number.type) FROM json_each(?) AS asked \
                 JOIN number ON number.key = asked.value WHERE number.type <> ?";
    rows(sql, query, vec![numbers.into(), code.into()])?.into_iter().map(read).collect()
}
