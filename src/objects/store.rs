//! An object's SQLite: what the crate does not bind, and what both classes need.

use std::cell::Cell;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Function, Reflect};
use worker::{SqlStorage, SqlStorageValue, State};

/// The first column of the first row, if there is a row.
pub fn first_value(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Option<SqlStorageValue>> {
    // `raw()` reports what goes wrong; `one()` and `to_array()` would throw past us.
    let row = sql.exec(query, bindings)?.raw().next().transpose()?;
    Ok(row.and_then(|row| row.into_iter().next()))
}

/// The JSON document in the first column of the first row.
pub fn first_document<T: DeserializeOwned>(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Option<T>> {
    match first_value(sql, query, bindings)? {
        Some(SqlStorageValue::String(text)) => Ok(Some(serde_json::from_str(&text)?)),
        Some(_) => Err("a document is no text".into()),
        None => Ok(None),
    }
}

/// All rows of a query whose columns are texts.
pub fn rows<const COLUMNS: usize>(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Vec<[String; COLUMNS]>> {
    let text = |value| match value {
        SqlStorageValue::String(text) => Ok(text),
        _ => Err(worker::Error::from("a column is no text")),
    };
    let row = |row: worker::Result<Vec<SqlStorageValue>>| {
        let texts = row?.into_iter().map(text).collect::<worker::Result<Vec<String>>>()?;
        texts.try_into().map_err(|_| "a row has other columns than it should".into())
    };
    sql.exec(query, bindings)?.raw().map(row).collect()
}

/// Runs `writes` as one transaction: all of them or, when one fails, none. Without it the runtime
/// would commit the statements before the failing one. Returns the rows written, which the platform
/// bills.
pub fn in_one_transaction(
    state: &State,
    writes: impl FnOnce() -> worker::Result<u64> + 'static,
) -> worker::Result<u64> {
    let storage: JsValue = state.storage().as_raw().into();
    let function: Function = Reflect::get(&storage, &"transactionSync".into())?.dyn_into()?;
    let rows = Rc::new(Cell::new(0));
    let told = Rc::clone(&rows);
    let body =
        Closure::once(move || writes().map(|written| told.set(written)).map_err(JsValue::from));
    function.call1(&storage, body.as_ref())?;
    Ok(rows.get())
}

/// Executes a statement that writes; returns the rows it wrote.
pub fn write(sql: &SqlStorage, query: &str, bindings: Vec<SqlStorageValue>) -> worker::Result<u64> {
    let cursor = sql.exec(query, bindings)?;
    Ok(u64::try_from(cursor.rows_written()).unwrap_or(u64::MAX))
}
