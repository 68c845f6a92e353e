//! Other names in the place of a person's, a batch of rows at a time:
//! [`promo_core::ledger::campaign::rename`], which says why a reversal in between gives back what it must.

use promo_core::erasure::Replacements;
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::Books;
use promo_core::ledger::campaign::rename::{Cursor, join, move_units, rename};
use promo_core::ledger::campaign::rights::Stock;
use worker::{SqlStorage, SqlStorageValue};

use super::super::store::{rows, write};
use super::{Sqlite, tab_key};

/// Rows that are looked at in one turn: a few milliseconds' work.
const BATCH: u32 = 250;

/// What a batch has done.
#[derive(Default)]
pub struct Erased {
    /// Rows in which the person was named.
    pub rows: u64,
    /// The tabs among them.
    pub tabs: Vec<TabKey>,
    /// Where to go on.
    pub next: Option<Cursor>,
    /// Rows that were written.
    pub written: u64,
}

/// Does the batch after this one, in one transaction of the caller's.
pub fn erase(
    sql: &SqlStorage,
    names: &Replacements,
    after: Option<Cursor>,
) -> worker::Result<Erased> {
    match after.unwrap_or(Cursor::Tabs(None)) {
        Cursor::Tabs(after) => erase_tabs(sql, names, after.as_ref()),
        Cursor::Counters(after) => erase_counters(sql, names, &after),
    }
}

/// The condition that a column has one of the names, which are bound as one document.
pub fn names_one(column: &str) -> String {
    format!("EXISTS (SELECT 1 FROM json_each(?) AS name WHERE instr({column}, name.value))")
}

/// The names as they are bound for [`names_one`].
pub fn bound(names: &Replacements) -> worker::Result<SqlStorageValue> {
    Ok(serde_json::to_string(&names.names().collect::<Vec<_>>())?.into())
}

fn erase_tabs(
    sql: &SqlStorage,
    names: &Replacements,
    after: Option<&TabKey>,
) -> worker::Result<Erased> {
    let (location, tab) = match after {
        Some(key) => (key.location.as_str(), key.tab.as_str()),
        None => ("", ""),
    };
    let query = format!(
        "SELECT location, tab, CASE WHEN {} THEN record ELSE '' END FROM tab \
         WHERE (location, tab) > (?, ?) ORDER BY location, tab LIMIT {BATCH}",
        names_one("record")
    );
    let bindings = vec![bound(names)?, location.into(), tab.into()];
    let batch: Vec<[String; 3]> = rows(sql, &query, bindings)?;
    let full = batch.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let mut erased = Erased::default();
    let mut last = None;
    for [location, tab, record] in batch {
        let key = tab_key(&location, &tab)?;
        if let Some(renamed) = rename(&record, names) {
            for units in renamed.moves {
                let (mut from, mut to) = (stock(sql, &units.from)?, stock(sql, &units.to)?);
                move_units(&mut from, &mut to, units.units);
                put(sql, &units.from, from, &mut erased)?;
                put(sql, &units.to, to, &mut erased)?;
            }
            let query = "UPDATE tab SET record = ? WHERE location = ? AND tab = ?";
            let row = vec![renamed.record.into(), location.into(), tab.into()];
            erased.written = erased.written.saturating_add(write(sql, query, row)?);
            erased.rows = erased.rows.saturating_add(1);
            erased.tabs.push(key.clone());
        }
        last = Some(key);
    }
    erased.next = Some(match last.filter(|_| full) {
        Some(last) => Cursor::Tabs(Some(last)),
        None => Cursor::Counters(String::new()),
    });
    Ok(erased)
}

fn erase_counters(sql: &SqlStorage, names: &Replacements, after: &str) -> worker::Result<Erased> {
    let query = format!(
        "SELECT key, CASE WHEN {} THEN 'named' ELSE '' END FROM counter WHERE key > ? \
         ORDER BY key LIMIT {BATCH}",
        names_one("counter.key")
    );
    let batch: Vec<[String; 2]> = rows(sql, &query, vec![bound(names)?, after.into()])?;
    let full = batch.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let next = batch.last().filter(|_| full).map(|[key, _]| Cursor::Counters(key.clone()));
    let mut erased = Erased { next, ..Erased::default() };
    for [key, named] in batch {
        let Some(to) = names.replace(&key).filter(|_| !named.is_empty()) else { continue };
        let joined = join(stock(sql, &to)?, stock(sql, &key)?);
        put(sql, &to, joined, &mut erased)?;
        let gone = write(sql, "DELETE FROM counter WHERE key = ?", vec![key.into()])?;
        erased.written = erased.written.saturating_add(gone);
        erased.rows = erased.rows.saturating_add(1);
    }
    Ok(erased)
}

fn stock(sql: &SqlStorage, key: &str) -> worker::Result<Stock> {
    Ok(Sqlite(sql).stock(key)?.unwrap_or_default())
}

fn put(sql: &SqlStorage, key: &str, stock: Stock, erased: &mut Erased) -> worker::Result<()> {
    let written = super::write_stock(sql, key, stock)?;
    erased.written = erased.written.saturating_add(written);
    Ok(())
}
