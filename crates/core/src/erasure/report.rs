//! What an operator is told of a job.

use serde::{Deserialize, Serialize};

use super::job::{Counts, Job, Store};
use super::place::{Place, Progress};

/// Problems told in one report.
const PROBLEMS: u32 = 20;

/// A place that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which.
    pub place: String,
    /// Why not.
    pub detail: String,
    /// How often in a row it did not.
    pub tries: u32,
    /// When it is asked again (RFC 3339).
    pub next: String,
}

/// What an operator is told of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its id.
    pub id: String,
    /// `running` or `done`.
    pub state: String,
    /// Whether anything was found that is tied to the person; absent as long as nothing was and the job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<bool>,
    /// When it began (RFC 3339).
    pub started: String,
    /// When it was done (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What it has done.
    #[serde(flatten)]
    pub counts: Counts,
    /// Whether nobody finds the person any more: the directory and the members' books have forgotten. What
    /// is left then are the stores.
    pub closed: bool,
    /// Places that are known and not visited yet.
    pub left: u64,
    /// Those that do not answer, the first [`PROBLEMS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What an operator is told of a job.
///
/// # Errors
/// Only those of reading the store.
pub fn report<S: Store>(store: &S, job: &Job) -> Result<Report, S::Error> {
    let problem = |(place, progress): (Place, Progress)| Problem {
        place: place.name(),
        detail: progress.detail.unwrap_or_default(),
        tries: progress.tries,
        next: progress.due.unwrap_or(job.started).to_string(),
    };
    let something = job.counts.something();
    Ok(Report {
        id: job.id.clone(),
        state: if job.ended.is_some() { "done" } else { "running" }.to_owned(),
        found: (something || job.ended.is_some()).then_some(something),
        started: job.started.to_string(),
        ended: job.ended.map(|at| at.to_string()),
        counts: job.counts,
        closed: job.quiet_from.is_some() || job.ended.is_some(),
        left: store.left()?,
        problems: store.silent(PROBLEMS)?.into_iter().map(problem).collect(),
    })
}
