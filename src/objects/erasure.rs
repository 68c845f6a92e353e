//! Jobs that erase persons, in their object's SQLite: [`promo_core::erasure`], which says why a job may be cut
//! off anywhere. One object has all jobs: they are few, and an operator who asks again for the same person
//! meets the job that is under way.
//!
//! The work is done in the alarm, a batch at a time; what is asked of a place is in [`crate::erasing`].

use std::rc::Rc;

use promo_core::erasure::{
    Changes, Heard, Job, Next, Place, Progress, Report, Stages, Store, add, begin, heard, is_about,
    next, report,
};
use promo_core::identity::Pseudonym;
use promo_core::time::Instant;
use worker::{SqlStorage, SqlStorageValue};

use super::ask::questions;
use super::object::{Access, Answer, Class, Turn};
use super::store::{first_document, first_value, rows};
use crate::erasing;

/// The one object of its class.
pub const ALL: &str = "all";
/// Places that are asked at once.
const AT_ONCE: u32 = 8;
/// A job that is done is shown for so many milliseconds: 400 days.
const SHOWN: i64 = 34_560_000_000;

questions! {
    /// What is asked of the object.
    pub enum Question to "ERASURE" {
        /// Erase whoever is called this. With an id and a name for a new job, should none be under way.
        Start(String, String, Vec<Pseudonym>) -> Report,
        /// How far a job is; nothing where there is none.
        Show(String) -> Vec<Report>,
    }
}

/// All jobs.
pub struct Erasure {
    object: Access,
}

impl Class for Erasure {
    type Question = Question;

    const SCHEMA: &'static [&'static str] = &[
        "CREATE TABLE job (id TEXT PRIMARY KEY, running INTEGER NOT NULL, at INTEGER NOT NULL, \
         record TEXT NOT NULL) WITHOUT ROWID",
        // A place is due at an instant, or was visited.
        "CREATE TABLE place (job TEXT, key TEXT, stage INTEGER NOT NULL, due INTEGER, \
         tries INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (job, key)) WITHOUT ROWID",
        "CREATE INDEX due ON place (job, stage, due) WHERE due IS NOT NULL",
    ];

    fn open(object: Access) -> Self {
        Self { object }
    }

    fn decide(&self, turn: &Turn<'_>, question: Question) -> worker::Result<Answer> {
        match question {
            Question::Start(Start(id, token, who)) => {
                let running = running(turn.sql)?;
                let changes = match running.into_iter().find(|job| is_about(job, &who)) {
                    Some(job) => {
                        let id = job.id.clone();
                        let changes = add(job, &who, turn.now);
                        write(turn, &id, changes)?;
                        return Answer::to::<Start>(&told(turn.sql, &id)?.ok_or(GONE)?);
                    }
                    None => begin(id.clone(), token, &who, turn.now),
                };
                let shown = turn.now.plus_millis(-SHOWN).millis();
                let old = vec![SqlStorageValue::try_from_i64(shown)?];
                turn.write("DELETE FROM job WHERE running = 0 AND at < ?", old)?;
                write(turn, &id, changes)?;
                Answer::to::<Start>(&told(turn.sql, &id)?.ok_or(GONE)?)
            }
            Question::Show(Show(id)) => {
                let found: Vec<Report> = told(turn.sql, &id)?.into_iter().collect();
                Answer::to::<Show>(&found)
            }
        }
    }

    fn due(&self, turn: &Turn<'_>) -> worker::Result<Option<Instant>> {
        let mut first = None;
        for job in running(turn.sql)? {
            let due = match next(&Rows::of(turn.sql, &job.id), &job, turn.now, 1)? {
                Next::Ask(_) | Next::Write(_) => Some(turn.now),
                Next::Wait(until) => Some(until),
                Next::Done => None,
            };
            first = first.into_iter().chain(due).min();
        }
        Ok(first)
    }

    async fn wake(self: Rc<Self>) -> worker::Result<()> {
        for job in self.object.turn(|turn| running(turn.sql))? {
            self.step(job.id).await?;
        }
        Ok(())
    }
}

const GONE: &str = "a job is gone";

impl Erasure {
    /// Asks the next places of a job, and writes down what they answered.
    async fn step(&self, id: String) -> worker::Result<()> {
        let of = id.clone();
        let asked = self.object.turn(move |turn| {
            loop {
                let Some(job) = job(turn.sql, &of)? else { return Ok(None) };
                match next(&Rows::of(turn.sql, &of), &job, turn.now, AT_ONCE)? {
                    Next::Ask(places) => return Ok(Some((job, places))),
                    Next::Write(changes) => write(turn, &of, *changes)?,
                    Next::Wait(_) | Next::Done => return Ok(None),
                }
            }
        })?;
        let Some((job, places)) = asked else { return Ok(()) };
        let answers = erasing::ask(&self.object.env, &job, &places).await;
        self.object.turn(move |turn| {
            for ((place, _), answer) in places.into_iter().zip(answers) {
                take_in(turn, &id, &place, answer)?;
            }
            Ok(())
        })
    }
}

fn take_in(turn: &Turn<'_>, id: &str, place: &Place, answer: Heard) -> worker::Result<()> {
    // As it is now: an operator may have given it more names while the place was asked.
    let Some(job) = job(turn.sql, id)?.filter(|job| job.ended.is_none()) else { return Ok(()) };
    let changes = heard(&Rows::of(turn.sql, id), &job, place, answer, turn.now)?;
    write(turn, id, changes)
}

fn job(sql: &SqlStorage, id: &str) -> worker::Result<Option<Job>> {
    first_document(sql, "SELECT record FROM job WHERE id = ?", vec![id.into()])
}

fn told(sql: &SqlStorage, id: &str) -> worker::Result<Option<Report>> {
    job(sql, id)?.map(|job| report(&Rows::of(sql, id), &job)).transpose()
}

/// Jobs that are not done, the oldest first.
fn running(sql: &SqlStorage) -> worker::Result<Vec<Job>> {
    let found = rows(sql, "SELECT record FROM job WHERE running = 1 ORDER BY at", Vec::new())?;
    found.into_iter().map(|[record]: [String; 1]| Ok(serde_json::from_str(&record)?)).collect()
}

fn write(turn: &Turn<'_>, id: &str, changes: Changes) -> worker::Result<()> {
    if let Some(job) = changes.job {
        let at = job.ended.unwrap_or(job.started).millis();
        let running = i64::from(job.ended.is_none());
        let row = vec![
            id.into(),
            SqlStorageValue::try_from_i64(running)?,
            SqlStorageValue::try_from_i64(at)?,
            serde_json::to_string(&job)?.into(),
        ];
        turn.write(
            "INSERT OR REPLACE INTO job (id, running, at, record) VALUES (?, ?, ?, ?)",
            row,
        )?;
    }
    if let Some(Stages { first, .. }) = changes.revisit {
        let fresh = serde_json::to_string(&Progress::due(turn.now))?;
        let row = vec![
            SqlStorageValue::try_from_i64(turn.now.millis())?,
            fresh.into(),
            id.into(),
            SqlStorageValue::try_from_i64(first.into())?,
        ];
        let query = "UPDATE place SET due = ?, tries = 0, record = ? WHERE job = ? AND stage >= ?";
        turn.write(query, row)?;
    }
    for (place, progress) in changes.put {
        let due = match progress.due {
            Some(due) => SqlStorageValue::try_from_i64(due.millis())?,
            None => SqlStorageValue::Null,
        };
        let row = vec![
            id.into(),
            key(&place)?.into(),
            SqlStorageValue::try_from_i64(place.stage().into())?,
            due,
            SqlStorageValue::try_from_i64(progress.tries.into())?,
            serde_json::to_string(&progress)?.into(),
        ];
        let query = "INSERT OR REPLACE INTO place (job, key, stage, due, tries, record) \
                     VALUES (?, ?, ?, ?, ?, ?)";
        turn.write(query, row)?;
    }
    if changes.forget {
        turn.write("DELETE FROM place WHERE job = ?", vec![id.into()])?;
    }
    Ok(())
}

fn key(place: &Place) -> worker::Result<String> {
    Ok(serde_json::to_string(place)?)
}

/// The rows of one job.
struct Rows<'a> {
    sql: &'a SqlStorage,
    job: &'a str,
}

impl<'a> Rows<'a> {
    const fn of(sql: &'a SqlStorage, job: &'a str) -> Self {
        Self { sql, job }
    }

    fn places(
        &self,
        rest: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> worker::Result<Vec<(Place, Progress)>> {
        let query = format!("SELECT key, record FROM place WHERE job = ? AND {rest}");
        let bindings = std::iter::once(self.job.into()).chain(bindings).collect();
        let found = rows(self.sql, &query, bindings)?;
        let read = |[key, record]: [String; 2]| {
            Ok((serde_json::from_str(&key)?, serde_json::from_str(&record)?))
        };
        found.into_iter().map(read).collect()
    }
}

fn between(stages: Stages) -> worker::Result<[SqlStorageValue; 2]> {
    let stage = |stage: u8| SqlStorageValue::try_from_i64(stage.into());
    Ok([stage(stages.first)?, stage(stages.last)?])
}

impl Store for Rows<'_> {
    type Error = worker::Error;

    fn progress(&self, place: &Place) -> worker::Result<Option<Progress>> {
        let query = "SELECT record FROM place WHERE job = ? AND key = ?";
        first_document(self.sql, query, vec![self.job.into(), key(place)?.into()])
    }

    fn due(
        &self,
        stages: Stages,
        by: Instant,
        most: u32,
    ) -> worker::Result<Vec<(Place, Progress)>> {
        let rest = format!("stage BETWEEN ? AND ? AND due <= ? ORDER BY stage, due LIMIT {most}");
        let by = SqlStorageValue::try_from_i64(by.millis())?;
        self.places(&rest, between(stages)?.into_iter().chain([by]).collect())
    }

    fn first_due(&self, stages: Stages) -> worker::Result<Option<Instant>> {
        let query = "SELECT min(due) FROM place \
                     WHERE job = ? AND stage BETWEEN ? AND ? AND due IS NOT NULL";
        let [first, last] = between(stages)?;
        match first_value(self.sql, query, vec![self.job.into(), first, last])? {
            Some(SqlStorageValue::Integer(due)) => Ok(Some(Instant::from_millis(due))),
            _ => Ok(None),
        }
    }

    fn silent(&self, most: u32) -> worker::Result<Vec<(Place, Progress)>> {
        let rest = format!("due IS NOT NULL AND tries > 0 ORDER BY stage, due LIMIT {most}");
        self.places(&rest, Vec::new())
    }

    fn left(&self) -> worker::Result<u64> {
        let query = "SELECT count(*) FROM place WHERE job = ? AND due IS NOT NULL";
        match first_value(self.sql, query, vec![self.job.into()])? {
            Some(SqlStorageValue::Integer(left)) => Ok(u64::try_from(left).unwrap_or_default()),
            _ => Ok(0),
        }
    }
}
