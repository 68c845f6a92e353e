//! What an operator is to decide about members ([`promo_core::loyalty::conflict`]), and the register of
//! mergers ([`promo_core::loyalty::register`]). One object has them all: they are few, and no till waits for it.

use std::collections::BTreeMap;

use promo_core::identity::Pseudonym;
use promo_core::loyalty::MemberId;
use promo_core::loyalty::conflict::{Conflict, State};
use promo_core::loyalty::register::{Command, Joined, Merger, Register};
use promo_core::time::Instant;
use serde::{Deserialize, Serialize};
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, durable_object,
    wasm_bindgen,
};

use super::store::{in_one_transaction, rows, write};
use crate::http::{clock, now};

const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS conflict (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE,
     state TEXT NOT NULL, since TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS merger (member TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID",
];
/// Conflicts that are told at once.
pub const PAGE: usize = 100;

/// The list.
#[durable_object(fetch)]
pub struct Conflicts {
    state: worker::State,
}

/// What is asked of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// List this, unless it was listed before, whatever was decided then.
    Add(Conflict),
    /// One of them.
    Find(String),
    /// It is decided.
    Decide(String, State),
    /// These are one member: what is listed of the two is decided.
    Merged(MemberId, MemberId),
    /// Somebody is erased: these were his identities, and perhaps he was a member.
    Forget(Option<MemberId>, Vec<Pseudonym>),
    /// Those that are open, after this number.
    List(u64),
    /// The register's.
    Register(Command),
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// What is listed.
    Listed(Vec<Listed>),
    /// The register's.
    Joined(Joined),
}

/// Something that was listed.
#[derive(Serialize, Deserialize)]
pub struct Listed {
    /// Its place in the list.
    pub number: u64,
    /// What became of it.
    pub state: State,
    /// When it was first met.
    pub since: Instant,
    /// What it is.
    pub conflict: Conflict,
}

impl DurableObject for Conflicts {
    fn new(state: worker::State, env: Env) -> Self {
        clock::set(&env);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        super::answer(request, |question: Question| {
            let sql = self.state.storage().sql();
            for table in TABLES {
                sql.exec(table, None)?;
            }
            match question {
                Question::List(after) => {
                    let query = format!(
                        "SELECT CAST(number AS TEXT), state, since, record FROM conflict
                         WHERE number > ? AND state = 'open' ORDER BY number LIMIT {PAGE}"
                    );
                    let after = i64::try_from(after).unwrap_or(i64::MAX);
                    let after = SqlStorageValue::try_from_i64(after)?;
                    Ok((Answer::Listed(listed(&sql, &query, vec![after])?), 0))
                }
                Question::Find(id) => {
                    let query = "SELECT CAST(number AS TEXT), state, since, record FROM conflict
                         WHERE id = ?";
                    Ok((Answer::Listed(listed(&sql, query, vec![id.into()])?), 0))
                }
                Question::Register(command) => self.register(&sql, command),
                other => self.write(&sql, other).map(|rows| (Answer::Done, rows)),
            }
        })
        .await
    }
}

impl Conflicts {
    fn write(&self, sql: &SqlStorage, question: Question) -> worker::Result<u64> {
        let mut writes: Vec<(&'static str, Vec<SqlStorageValue>)> = Vec::new();
        match question {
            Question::Add(conflict) => {
                let row = vec![
                    conflict.id().into(),
                    now().millis().to_string().into(),
                    serde_json::to_string(&conflict)?.into(),
                ];
                let query = "INSERT OR IGNORE INTO conflict (id, state, since, record)
                     VALUES (?, 'open', ?, ?)";
                writes.push((query, row));
            }
            Question::Decide(id, state) => {
                let row = vec![word(state).into(), id.into()];
                writes.push(("UPDATE conflict SET state = ? WHERE id = ?", row));
            }
            Question::Merged(one, other) => {
                let row = vec![Conflict::Members(one, other).id().into()];
                writes.push(("UPDATE conflict SET state = 'accepted' WHERE id = ?", row));
            }
            Question::Forget(member, identities) => {
                let query = "SELECT CAST(number AS TEXT), state, since, record FROM conflict";
                for found in listed(sql, query, Vec::new())? {
                    let of_his = matches!(&found.conflict, Conflict::Identity(_, (_, who))
                        if identities.contains(who));
                    let names_him =
                        member.as_ref().is_some_and(|member| found.conflict.names(member));
                    if of_his || names_him {
                        let row = vec![found.conflict.id().into()];
                        writes.push(("DELETE FROM conflict WHERE id = ?", row));
                    }
                }
                if let Some(member) = &member {
                    // Who was merged into somebody erased is erased too.
                    let query = "DELETE FROM merger WHERE member = ? OR record ->> 'into' = ?";
                    let row = vec![member.as_str().into(), member.as_str().into()];
                    writes.push((query, row));
                }
            }
            _ => {}
        }
        let sql = self.state.storage().sql();
        in_one_transaction(&self.state, move || {
            writes.into_iter().try_fold(0_u64, |rows, (query, row)| {
                Ok(rows.saturating_add(write(&sql, query, row)?))
            })
        })
    }

    fn register(&self, sql: &SqlStorage, command: Command) -> worker::Result<(Answer, u64)> {
        let found = rows(sql, "SELECT member, record FROM merger", Vec::new())?;
        let mut mergers: BTreeMap<MemberId, Merger> = BTreeMap::new();
        for [member, record] in found {
            let member = MemberId::parse(&member).ok_or("this is no member's name")?;
            mergers.insert(member, serde_json::from_str(&record)?);
        }
        let (joined, change) = Register { mergers }.apply(command);
        let Some((member, merger)) = change else { return Ok((Answer::Joined(joined), 0)) };
        let row = vec![member.as_str().into(), serde_json::to_string(&merger)?.into()];
        let query = "INSERT OR REPLACE INTO merger (member, record) VALUES (?, ?)";
        let sql = self.state.storage().sql();
        let rows = in_one_transaction(&self.state, move || write(&sql, query, row))?;
        Ok((Answer::Joined(joined), rows))
    }
}

fn listed(
    sql: &SqlStorage,
    query: &str,
    bindings: Vec<SqlStorageValue>,
) -> worker::Result<Vec<Listed>> {
    let found = rows(sql, query, bindings)?;
    let read = |[number, state, since, record]: [String; 4]| {
        let no_number = |error: std::num::ParseIntError| worker::Error::from(error.to_string());
        Ok(Listed {
            number: number.parse().map_err(no_number)?,
            state: match state.as_str() {
                "accepted" => State::Accepted,
                "dismissed" => State::Dismissed,
                _ => State::Open,
            },
            since: Instant::from_millis(since.parse().map_err(no_number)?),
            conflict: serde_json::from_str(&record)?,
        })
    };
    found.into_iter().map(read).collect()
}

const fn word(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Accepted => "accepted",
        State::Dismissed => "dismissed",
    }
}
