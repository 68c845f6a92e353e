//! The machine's books as tables.
//!
//! A number's row is written once when it joins and once when it is given out; a request is one row.
//! The queue, the calls that are due and the requests that are stuck are partial indexes over
//! requests, so that the first of each is one read, and what is in none of them costs nothing.

use std::cell::Cell;

use promo_core::ident::{CardId, CodeKey};
use promo_core::issuance::Number;
use promo_core::issuance::pool::{
    Books, Changes, Given, Instrument, Pool, Position, Request, RequestNo,
};
use promo_core::time::Instant;
use serde::de::DeserializeOwned;
use worker::{SqlStorage, SqlStorageValue};

use crate::objects::store;

const TABLES: [&str; 8] = [
    "CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)",
    // `text` is there only where it is not the key itself.
    "CREATE TABLE IF NOT EXISTS number (position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, \
     text TEXT, given TEXT)",
    "CREATE TABLE IF NOT EXISTS request (no INTEGER PRIMARY KEY, card TEXT NOT NULL UNIQUE, \
     turn INTEGER, due INTEGER, stuck INTEGER, record TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS waiting ON request (turn) WHERE turn IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS due ON request (due) WHERE due IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS stuck ON request (stuck) WHERE stuck IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS customer (member TEXT PRIMARY KEY, position INTEGER NOT NULL) \
     WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS upload (id TEXT PRIMARY KEY, lines INTEGER NOT NULL) WITHOUT ROWID",
];

type Row = Vec<SqlStorageValue>;

/// The tables, and how many rows were read of them.
pub struct Sqlite {
    sql: SqlStorage,
    read: Cell<u64>,
}

impl Sqlite {
    pub fn open(sql: SqlStorage) -> worker::Result<Self> {
        for table in TABLES {
            sql.exec(table, None)?;
        }
        Ok(Self { sql, read: Cell::new(0) })
    }

    /// Rows read so far, as the platform counts and bills them.
    pub const fn rows_read(&self) -> u64 {
        self.read.get()
    }

    fn rows(&self, query: &str, bindings: Row) -> worker::Result<Vec<Row>> {
        let cursor = self.sql.exec(query, bindings)?;
        let rows = cursor.raw().collect::<worker::Result<Vec<Row>>>()?;
        let read = u64::try_from(cursor.rows_read()).unwrap_or(u64::MAX);
        self.read.set(self.read.get().saturating_add(read));
        Ok(rows)
    }

    fn row(&self, query: &str, bindings: Row) -> worker::Result<Option<Row>> {
        Ok(self.rows(query, bindings)?.into_iter().next())
    }

    fn requests(&self, rest: &str, bindings: Row) -> worker::Result<Vec<(RequestNo, Request)>> {
        let rows = self.rows(&format!("SELECT no, record FROM request {rest}"), bindings)?;
        rows.into_iter()
            .map(|row| {
                let [no, record] = columns(row)?;
                Ok((whole(&no)?, document(&record)?))
            })
            .collect()
    }

    fn instrument(
        &self,
        rest: &str,
        binding: SqlStorageValue,
    ) -> worker::Result<Option<(Position, Instrument)>> {
        let query = format!("SELECT position, coalesce(text, key), given FROM number WHERE {rest}");
        let Some(row) = self.row(&query, vec![binding])? else { return Ok(None) };
        let [position, text, given] = columns(row)?;
        let given = match given {
            SqlStorageValue::Null => None,
            given => Some(document(&given)?),
        };
        let number = number(text)?;
        Ok(Some((whole(&position)?, Instrument { number, given })))
    }

    /// Requests that are to be called back by now, the longest due first.
    pub fn due(&self, now: Instant, most: u32) -> worker::Result<Vec<(RequestNo, Request)>> {
        let rest = format!("WHERE due <= ? ORDER BY due LIMIT {most}");
        self.requests(&rest, vec![SqlStorageValue::try_from_i64(now.millis())?])
    }

    /// Requests that an operator should know of.
    pub fn stuck(
        &self,
        after: Option<RequestNo>,
        limit: u32,
    ) -> worker::Result<Vec<(RequestNo, Request)>> {
        let after = after.map_or(Ok(-1), i64::try_from).map_err(|_| "a request out of range")?;
        let rest = format!("WHERE stuck > ? ORDER BY stuck LIMIT {limit}");
        self.requests(&rest, vec![SqlStorageValue::try_from_i64(after)?])
    }

    /// Whether somebody waits who can be served now.
    pub fn somebody_can_be_served(&self, now: Instant) -> worker::Result<bool> {
        Ok(self.pool()?.can_serve_from(now).is_some_and(|from| from <= now))
    }

    /// When there is something to do next.
    pub fn next_due(&self, now: Instant) -> worker::Result<Option<Instant>> {
        let serve = self.pool()?.can_serve_from(now);
        let call = self.next_call()?;
        Ok(serve.into_iter().chain(call).min())
    }

    fn next_call(&self) -> worker::Result<Option<Instant>> {
        let query = "SELECT due FROM request WHERE due IS NOT NULL ORDER BY due LIMIT 1";
        match self.row(query, Vec::new())?.and_then(|row| row.into_iter().next()) {
            Some(SqlStorageValue::Integer(due)) => Ok(Some(Instant::from_millis(due))),
            _ => Ok(None),
        }
    }
}

impl Books for Sqlite {
    type Error = worker::Error;

    fn pool(&self) -> worker::Result<Pool> {
        match self.row("SELECT record FROM pool", Vec::new())? {
            Some(row) => {
                let [record] = columns(row)?;
                document(&record)
            }
            None => Ok(Pool::default()),
        }
    }

    fn request(&self, no: RequestNo) -> worker::Result<Option<Request>> {
        let found = self.requests("WHERE no = ?", vec![integer(no)?])?;
        Ok(found.into_iter().next().map(|(_, request)| request))
    }

    fn request_of(&self, card: &CardId) -> worker::Result<Option<(RequestNo, Request)>> {
        Ok(self.requests("WHERE card = ?", vec![card.as_str().into()])?.into_iter().next())
    }

    fn waiting(&self, most: u32) -> worker::Result<Vec<(RequestNo, Request)>> {
        let rest = format!("WHERE turn IS NOT NULL ORDER BY turn LIMIT {most}");
        self.requests(&rest, Vec::new())
    }

    fn at(&self, position: Position) -> worker::Result<Option<Instrument>> {
        Ok(self.instrument("position = ?", integer(position)?)?.map(|(_, found)| found))
    }

    fn find(&self, number: &CodeKey) -> worker::Result<Option<(Position, Instrument)>> {
        self.instrument("key = ?", number.as_str().into())
    }

    fn known(&self, numbers: &[Number]) -> worker::Result<Vec<usize>> {
        let keys: Vec<&CodeKey> = numbers.iter().map(Number::key).collect();
        let query = "SELECT asked.key FROM json_each(?) AS asked \
                     JOIN number ON number.key = asked.value ORDER BY asked.key";
        let known = self.rows(query, vec![serde_json::to_string(&keys)?.into()])?;
        let index = |row| {
            let [index] = columns(row)?;
            usize::try_from(whole(&index)?).map_err(|_| "an index is out of range".into())
        };
        known.into_iter().map(index).collect()
    }

    fn number_of(&self, member: &str) -> worker::Result<Option<Position>> {
        let query = "SELECT position FROM customer WHERE member = ?";
        first_whole(self.row(query, vec![member.into()])?)
    }

    fn lines_done(&self, upload: &str) -> worker::Result<u64> {
        let query = "SELECT lines FROM upload WHERE id = ?";
        Ok(first_whole(self.row(query, vec![upload.into()])?)?.unwrap_or_default())
    }
}

/// Writes what the machine decided; returns the rows written.
pub fn write(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    let mut put = |query: &str, row: Row| {
        rows = rows.saturating_add(store::write(sql, query, row)?);
        Ok::<_, worker::Error>(())
    };
    if let Some((first, numbers)) = changes.added {
        let pairs: Vec<(&CodeKey, Option<&str>)> = numbers.iter().map(pair).collect();
        put(
            "INSERT INTO number (position, key, text) SELECT ? + key, value ->> 0, value ->> 1 \
             FROM json_each(?)",
            vec![integer(first)?, serde_json::to_string(&pairs)?.into()],
        )?;
    }
    if !changes.withdrawn.is_empty() {
        let query = "DELETE FROM number WHERE position IN (SELECT value FROM json_each(?))";
        put(query, vec![serde_json::to_string(&changes.withdrawn)?.into()])?;
    }
    for (from, to) in changes.moved {
        let query = "UPDATE number SET position = ?, given = NULL WHERE position = ?";
        put(query, vec![integer(to)?, integer(from)?])?;
    }
    for (position, given) in changes.given {
        let given: Given = given;
        let row = vec![serde_json::to_string(&given)?.into(), integer(position)?];
        put("UPDATE number SET given = ? WHERE position = ?", row)?;
    }
    for (member, position) in changes.first {
        match position {
            Some(position) => put(
                "INSERT OR REPLACE INTO customer (member, position) VALUES (?, ?)",
                vec![member.into(), integer(position)?],
            )?,
            None => put("DELETE FROM customer WHERE member = ?", vec![member.into()])?,
        }
    }
    for (no, request) in changes.requests {
        let due = request.due().map(|due| SqlStorageValue::try_from_i64(due.millis()));
        let row = vec![
            integer(no)?,
            request.ask.card.as_str().into(),
            request.turn().map_or(Ok(SqlStorageValue::Null), integer)?,
            due.unwrap_or(Ok(SqlStorageValue::Null))?,
            if request.is_stuck() { integer(no)? } else { SqlStorageValue::Null },
            serde_json::to_string(&request)?.into(),
        ];
        let query = "INSERT INTO request (no, card, turn, due, stuck, record) \
                     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (no) DO UPDATE SET turn = excluded.turn, \
                     due = excluded.due, stuck = excluded.stuck, record = excluded.record";
        put(query, row)?;
    }
    if let Some((upload, lines)) = changes.lines_done {
        let query = "INSERT OR REPLACE INTO upload (id, lines) VALUES (?, ?)";
        put(query, vec![upload.into(), integer(lines)?])?;
    }
    if let Some(pool) = changes.pool {
        let record = serde_json::to_string(&pool)?;
        put("INSERT OR REPLACE INTO pool (id, record) VALUES (1, ?)", vec![record.into()])?;
    }
    Ok(rows)
}

fn pair(number: &Number) -> (&CodeKey, Option<&str>) {
    let key = number.key();
    (key, Some(number.as_str()).filter(|text| *text != key.as_str()))
}

fn columns<const COLUMNS: usize>(row: Row) -> worker::Result<[SqlStorageValue; COLUMNS]> {
    row.try_into().map_err(|_| "a row has other columns than it should".into())
}

fn first_whole(row: Option<Row>) -> worker::Result<Option<u64>> {
    let value = row.and_then(|row| row.into_iter().next());
    value.as_ref().map(whole).transpose()
}

fn document<T: DeserializeOwned>(value: &SqlStorageValue) -> worker::Result<T> {
    match value {
        SqlStorageValue::String(text) => Ok(serde_json::from_str(text)?),
        _ => Err("a document is no text".into()),
    }
}

fn number(value: SqlStorageValue) -> worker::Result<Number> {
    match value {
        SqlStorageValue::String(text) => Ok(serde_json::from_value(text.into())?),
        _ => Err("a number is no text".into()),
    }
}

fn whole(value: &SqlStorageValue) -> worker::Result<u64> {
    match value {
        SqlStorageValue::Integer(number) => {
            u64::try_from(*number).map_err(|_| "a number is below zero".into())
        }
        _ => Err("a number is not whole".into()),
    }
}

fn integer(number: u64) -> worker::Result<SqlStorageValue> {
    let number = i64::try_from(number).map_err(|_| "a number is out of range")?;
    SqlStorageValue::try_from_i64(number)
}
