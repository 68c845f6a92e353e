//! One object of a campaign's ledger in its SQLite: [`promo_core::ledger::campaign`], which says why it
//! is right, reading and writing its tables. What else an object does to them is in [`upkeep`].

mod erase;
mod upkeep;

use std::cell::Cell;
use std::rc::Rc;

use promo_core::erasure::Replacements;
use promo_core::ident::{CampaignId, LocationId, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::rename::Cursor;
use promo_core::ledger::campaign::rights::{Rights, Stock};
use promo_core::ledger::campaign::{
    Books, Changes, Command, Mark, Reply, TabRecord, Totals, apply,
};
use promo_core::ledger::shard::{Shard, Siblings};
use promo_core::revision::Announcement;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
    wasm_bindgen,
};

pub use self::erase::{bound, names_one};
use self::upkeep::Publishing;
use super::store::{self, first_document, first_value, in_one_transaction, rows};
use crate::http::{log, now};

// Keyed by text and without row ids: an index would be one more row written, and billed.
const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS tab (location TEXT, tab TEXT, record TEXT NOT NULL,
     updated INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (location, tab)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, used INTEGER NOT NULL, rights TEXT,
     updated INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
];
/// What came later, for objects from before it.
const COLUMNS: [(&str, &str, &str); 3] = [
    ("tab", "updated", "INTEGER NOT NULL DEFAULT 0"),
    ("counter", "rights", "TEXT"),
    ("counter", "updated", "INTEGER NOT NULL DEFAULT 0"),
];

/// One object's counters and redemptions.
#[durable_object(alarm)]
pub struct Ledger {
    state: State,
    env: Env,
    /// The tables are there.
    opened: Cell<bool>,
    /// This object has seen to its upkeep since it woke.
    tended: Cell<bool>,
    /// For how many days redemptions are kept apart, as it last heard.
    keep_days: Cell<Option<u32>>,
    /// What is being done about the mark.
    publishing: Rc<Publishing>,
}

/// What is asked of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A command to the machine.
    Decide(Box<Decide>),
    /// What the counters whose keys begin like this have counted, each beginning's sum; and who else
    /// belongs to this ledger, if this is the root.
    Sums(Vec<String>),
    /// Who else belongs to this ledger, if this is the root.
    Roster,
    /// The records of so many tabs, those after this one.
    Tabs {
        /// Where the page before ended.
        after: Option<TabKey>,
        /// How many.
        limit: u32,
    },
    /// The record of one tab.
    Tab(TabKey),
    /// What redemptions that are no longer kept apart come to.
    Totals,
    /// Put meaningless names in the place of a person's, in the batch after this one.
    Erase {
        /// Which.
        names: Replacements,
        /// Where the batch before ended.
        after: Option<Cursor>,
    },
}

/// A command, and to whom.
#[derive(Serialize, Deserialize)]
pub struct Decide {
    /// The campaign this object belongs to.
    pub campaign: CampaignId,
    /// Which object of its ledger it is.
    pub me: Shard,
    /// The command.
    pub command: Command,
}

/// What it answers, by the same names.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The machine's reply.
    Decided(Reply),
    /// Sums, in the order asked, and who else there is.
    Sums(Vec<Sum>, Vec<Shard>),
    /// Who else there is.
    Roster(Vec<Shard>),
    /// Tabs with their records, in the order of their keys.
    Tabs(Vec<(TabKey, TabRecord)>),
    /// What they come to.
    Totals(Totals),
    /// What a batch has done.
    Erased {
        /// Rows in which a name was replaced.
        rows: u64,
        /// The tabs among them.
        tabs: Vec<TabKey>,
        /// Where to go on.
        next: Option<Cursor>,
    },
}

/// What some counters have counted.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sum {
    /// Uses, or minor units.
    pub used: u64,
    /// Rights in hand: what they may still count without asking.
    pub held: u64,
}

impl Ledger {
    fn sql(&self) -> worker::Result<SqlStorage> {
        let sql = self.state.storage().sql();
        if !self.opened.replace(true) {
            for table in TABLES {
                sql.exec(table, None)?;
            }
            for (table, column, kind) in COLUMNS {
                let query = format!("SELECT name FROM pragma_table_info('{table}')");
                let there: Vec<[String; 1]> = rows(&sql, &query, Vec::new())?;
                if there.iter().all(|[name]| name != column) {
                    sql.exec(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"), None)?;
                }
            }
        }
        Ok(sql)
    }
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            opened: Cell::default(),
            tended: Cell::default(),
            keep_days: Cell::default(),
            publishing: Rc::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let (mut decided, mut marked) = (None, false);
        let answer = super::answer(request, |question: Question| {
            let sql = self.sql()?;
            let books = Sqlite(&sql);
            Ok(match question {
                Question::Decide(asked) => {
                    let Decide { campaign, me, command } = *asked;
                    let (reply, changes) = apply(&books, &me, &command, now())?;
                    marked = changes.mark.is_some();
                    let rows = match changes == Changes::default() {
                        true => 0,
                        false => in_one_transaction(&self.state, move || write(&sql, changes))?,
                    };
                    let announces = matches!(command, Command::Announce(_));
                    decided = Some((campaign, me, command, rows > 0 && !announces));
                    return Ok((Answer::Decided(reply), rows));
                }
                Question::Sums(prefixes) => {
                    let sums = prefixes.iter().map(|prefix| sum(&sql, prefix));
                    let sums = sums.collect::<worker::Result<_>>()?;
                    (Answer::Sums(sums, roster(&books)?), 0)
                }
                Question::Roster => (Answer::Roster(roster(&books)?), 0),
                Question::Tabs { after, limit } => (Answer::Tabs(page(&sql, after, limit)?), 0),
                Question::Tab(key) => {
                    let record = books.tab(&key)?;
                    (Answer::Tabs(record.map(|record| (key, record)).into_iter().collect()), 0)
                }
                Question::Totals => (Answer::Totals(upkeep::totals(&sql)?), 0),
                Question::Erase { names, after } => {
                    let done = Rc::new(Cell::new(erase::Erased::default()));
                    let told = Rc::clone(&done);
                    in_one_transaction(&self.state, move || {
                        let erased = erase::erase(&sql, &names, after)?;
                        let written = erased.written;
                        told.set(erased);
                        Ok(written)
                    })?;
                    let erase::Erased { rows, tabs, next, written } = done.take();
                    (Answer::Erased { rows, tabs, next }, written)
                }
            })
        })
        .await;
        let Some((campaign, me, command, wrote)) = decided else { return answer };
        if me.is_root() && (marked || self.publishing.is_due()) {
            self.publish(&campaign, marked);
        }
        // What was decided stands, whatever becomes of what follows.
        if wrote && let Err(error) = self.heed(&command) {
            log::warn(json!({"problem": format!("the ledger's upkeep failed: {error}")}));
        }
        if wrote
            && !self.tended.replace(true)
            && let Err(error) = self.tend(campaign, &me).await
        {
            log::warn(json!({"problem": format!("the ledger's upkeep failed: {error}")}));
        }
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.sweep().await?;
        Response::empty()
    }
}

/// Who else belongs to this ledger.
fn roster(books: &Sqlite<'_>) -> worker::Result<Vec<Shard>> {
    Ok(books.siblings()?.roster.into_iter().collect())
}

struct Sqlite<'a>(&'a SqlStorage);

impl Books for Sqlite<'_> {
    type Error = worker::Error;

    fn tab(&self, tab: &TabKey) -> worker::Result<Option<TabRecord>> {
        let query = "SELECT record FROM tab WHERE location = ? AND tab = ?";
        first_document(self.0, query, vec![tab.location.as_str().into(), tab.tab.as_str().into()])
    }

    fn stock(&self, key: &str) -> worker::Result<Option<Stock>> {
        let query = "SELECT used, rights FROM counter WHERE key = ?";
        let row = self.0.exec(query, vec![key.into()])?.raw().next().transpose()?;
        row.map(|row| stock(&row)).transpose()
    }

    fn siblings(&self) -> worker::Result<Siblings> {
        let known = upkeep::fact(self.0, upkeep::SIBLINGS)?;
        Ok(known.unwrap_or_default())
    }

    fn mark(&self) -> worker::Result<Mark> {
        Ok(upkeep::fact(self.0, upkeep::MARK)?.unwrap_or_default())
    }

    fn announced(&self) -> worker::Result<Option<Announcement>> {
        upkeep::fact(self.0, upkeep::ANNOUNCED)
    }

    fn is_empty(&self) -> worker::Result<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM tab) OR EXISTS (SELECT 1 FROM counter)";
        Ok(count(first_value(self.0, query, Vec::new())?.as_ref())? == 0)
    }
}

fn stock(row: &[SqlStorageValue]) -> worker::Result<Stock> {
    let rights = match row.get(1) {
        Some(SqlStorageValue::String(text)) => Some(serde_json::from_str(text)?),
        _ => None,
    };
    Ok(Stock { used: count(row.first())?, rights })
}

/// The sum of the counters whose keys begin with a prefix, which ends in `|`.
fn sum(sql: &SqlStorage, prefix: &str) -> worker::Result<Sum> {
    // The character after `|` ends the stretch of keys that begin so.
    let end = format!("{}}}", prefix.trim_end_matches('|'));
    let stretch = || vec![SqlStorageValue::from(prefix), end.as_str().into()];
    let query = "SELECT sum(used) FROM counter WHERE key >= ? AND key < ?";
    let used = count(first_value(sql, query, stretch())?.as_ref())?;
    let query = "SELECT used, rights FROM counter WHERE key >= ? AND key < ? AND rights NOT NULL";
    let mut held = 0_u64;
    for row in sql.exec(query, stretch())?.raw() {
        if let Stock { used, rights: Some(Rights::Holder(holder)) } = stock(&row?)? {
            held = held.saturating_add(holder.in_hand(used));
        }
    }
    Ok(Sum { used, held })
}

fn count(value: Option<&SqlStorageValue>) -> worker::Result<u64> {
    match value {
        None | Some(SqlStorageValue::Null) => Ok(0),
        Some(SqlStorageValue::Integer(used)) => {
            u64::try_from(*used).map_err(|_| "a counter is below zero".into())
        }
        Some(_) => Err("a counter is no whole number".into()),
    }
}

fn page(
    sql: &SqlStorage,
    after: Option<TabKey>,
    limit: u32,
) -> worker::Result<Vec<(TabKey, TabRecord)>> {
    let columns = "SELECT location, tab, record FROM tab";
    let order = format!("ORDER BY location, tab LIMIT {limit}");
    let (query, bindings) = match after {
        None => (format!("{columns} {order}"), Vec::new()),
        Some(TabKey { location, tab }) => (
            format!("{columns} WHERE (location, tab) > (?, ?) {order}"),
            vec![location.as_str().into(), tab.as_str().into()],
        ),
    };
    let read = |[location, tab, record]: [String; 3]| {
        Ok((tab_key(&location, &tab)?, serde_json::from_str(&record)?))
    };
    rows(sql, &query, bindings)?.into_iter().map(read).collect()
}

fn tab_key(location: &str, tab: &str) -> worker::Result<TabKey> {
    let location = LocationId::parse(location).map_err(|error| error.to_string())?;
    let tab = TabId::parse(tab).map_err(|error| error.to_string())?;
    Ok(TabKey { location, tab })
}

fn write(sql: &SqlStorage, changes: Changes) -> worker::Result<u64> {
    let mut rows = 0_u64;
    let updated = SqlStorageValue::try_from_i64(now().millis())?;
    if let Some((tab, record)) = changes.tab {
        let query =
            "INSERT OR REPLACE INTO tab (location, tab, record, updated) VALUES (?, ?, ?, ?)";
        let record = serde_json::to_string(&record)?;
        let (location, tab) = (tab.location.as_str().into(), tab.tab.as_str().into());
        let row = vec![location, tab, record.into(), updated.clone()];
        rows = rows.saturating_add(store::write(sql, query, row)?);
    }
    for (key, stock) in changes.stocks {
        rows = rows.saturating_add(write_stock(sql, &key, stock)?);
    }
    if let Some(siblings) = changes.siblings {
        rows = rows.saturating_add(upkeep::note(sql, upkeep::SIBLINGS, &siblings)?);
    }
    if let Some(announced) = changes.announced {
        rows = rows.saturating_add(upkeep::note(sql, upkeep::ANNOUNCED, &announced)?);
    }
    if let Some(mark) = changes.mark {
        rows = rows.saturating_add(upkeep::note(sql, upkeep::MARK, &mark)?);
    }
    Ok(rows)
}

fn write_stock(sql: &SqlStorage, key: &str, stock: Stock) -> worker::Result<u64> {
    let used = i64::try_from(stock.used).map_err(|_| "a counter is out of range")?;
    let rights = match stock.rights {
        Some(rights) => serde_json::to_string(&rights)?.into(),
        None => SqlStorageValue::Null,
    };
    let row = vec![
        key.into(),
        SqlStorageValue::try_from_i64(used)?,
        rights,
        SqlStorageValue::try_from_i64(now().millis())?,
    ];
    let query = "INSERT OR REPLACE INTO counter (key, used, rights, updated) VALUES (?, ?, ?, ?)";
    store::write(sql, query, row)
}
