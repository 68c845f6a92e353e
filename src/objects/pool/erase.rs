//! Other names in the place of a person's: who numbers were given to, and who asked for them. What a number is
//! and counts does not change; whoever has the card goes on using it, as nobody.

use promo_core::erasure::Replacements;
use promo_core::issuance::pool::{Given, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{SqlStorage, SqlStorageValue};

use crate::objects::ledger::{bound, names_one};
use crate::objects::store::{rows, write};

/// Rows that are looked at in one turn.
const BATCH: u32 = 250;

/// Where a batch ended: after the row of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cursor {
    /// Of the numbers.
    Numbers(i64),
    /// Of the requests.
    Requests(i64),
}

/// Does the batch after this one; returns the rows in which the person was named.
pub fn erase(
    sql: &SqlStorage,
    names: &Replacements,
    after: Option<Cursor>,
) -> worker::Result<(u64, Option<Cursor>)> {
    match after.unwrap_or(Cursor::Numbers(-1)) {
        Cursor::Numbers(after) => {
            let given = Column { table: "number", key: "position", record: "given" };
            let (mut rows, last) = given.erase::<Given>(sql, names, after)?;
            if last.is_none() {
                // By which the same customer would get the same number again.
                let query = "DELETE FROM customer WHERE member IN (SELECT value FROM json_each(?))";
                rows = rows.saturating_add(write(sql, query, vec![bound(names)?])?);
            }
            Ok((rows, Some(last.map_or(Cursor::Requests(-1), Cursor::Numbers))))
        }
        Cursor::Requests(after) => {
            let asked = Column { table: "request", key: "no", record: "record" };
            let (rows, last) = asked.erase::<Request>(sql, names, after)?;
            Ok((rows, last.map(Cursor::Requests)))
        }
    }
}

/// A column of documents.
struct Column {
    table: &'static str,
    key: &'static str,
    record: &'static str,
}

impl Column {
    /// Does a batch; also where it ended, if there is more.
    fn erase<T: DeserializeOwned>(
        &self,
        sql: &SqlStorage,
        names: &Replacements,
        after: i64,
    ) -> worker::Result<(u64, Option<i64>)> {
        let Self { table, key, record } = self;
        let query = format!(
            "SELECT CAST({key} AS TEXT), CASE WHEN {} THEN {record} ELSE '' END FROM {table} \
             WHERE {key} > ? ORDER BY {key} LIMIT {BATCH}",
            names_one(record)
        );
        let after = SqlStorageValue::try_from_i64(after)?;
        let batch: Vec<[String; 2]> = rows(sql, &query, vec![bound(names)?, after])?;
        let full = batch.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        let (mut changed, mut last) = (0_u64, None);
        for [row, document] in batch {
            let row: i64 = row.parse().map_err(|_| "a row's number is none")?;
            last = Some(row);
            let Some(renamed) = names.replace(&document) else { continue };
            // What cannot be read any more must not be written.
            serde_json::from_str::<T>(&renamed)?;
            let query = format!("UPDATE {table} SET {record} = ? WHERE {key} = ?");
            let bindings = vec![renamed.into(), SqlStorageValue::try_from_i64(row)?];
            changed = changed.saturating_add(write(sql, &query, bindings)?);
        }
        Ok((changed, last.filter(|_| full)))
    }
}
