//! What a job does next, and what it makes of an answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Replacements;
use super::place::{Listed, Place, Progress, Stages};
use crate::identity::Pseudonym;
use crate::time::Instant;

/// What was under way when the doors were closed has ended after so many milliseconds.
pub const PAUSE: i64 = 3000;
/// After how many milliseconds a place that did not answer is first tried again.
const SHORTEST_WAIT: i64 = 2000;
/// The longest that a place is left alone which did not answer, in milliseconds.
pub const LONGEST_WAIT: i64 = 3_600_000;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id, random.
    pub id: String,
    /// What the person is called from now on, random; forgotten when the job is done.
    pub token: String,
    /// When it began.
    pub started: Instant,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Instant>,
    /// Every name the person was counted under, in the order in which they were found; forgotten when the
    /// job is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// How often the lists were read.
    pub round: u32,
    /// The last reading named something new.
    pub fresh: bool,
    /// When the stores may be visited, once the doors are closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_from: Option<Instant>,
    /// What it has done.
    pub counts: Counts,
}

/// What a job has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Members erased, merged-away ones too.
    pub members: u64,
    /// Identities that something was kept of.
    pub identifiers: u64,
    /// Ledgers visited.
    pub ledgers: u64,
    /// Rows of ledgers in which the person was named.
    pub rows: u64,
    /// Pools visited.
    pub pools: u64,
    /// Rows of pools in which the person was named.
    pub cards: u64,
    /// Tabs on which the person was named.
    pub tabs: u64,
}

impl Counts {
    pub(super) const fn something(&self) -> bool {
        self.members > 0 || self.identifiers > 0 || self.rows > 0 || self.cards > 0 || self.tabs > 0
    }
}

/// What an answer leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Names of the person.
    pub names: Vec<String>,
    /// More places to visit.
    pub places: Vec<Place>,
}

/// What came of a question to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It did not answer; why.
    Silent(String),
    /// It answered.
    Answer {
        /// What that leads to.
        traces: Traces,
        /// In how many rows the person was found.
        rows: u64,
        /// Where it is to be asked again from, if it has more.
        next: Option<String>,
    },
}

/// What the machine reads of one job.
pub trait Store {
    /// Why a read failed.
    type Error;

    /// How far the visit of a place is, if it is one of the job's.
    ///
    /// # Errors
    /// When the store cannot be read; so of all of these.
    fn progress(&self, place: &Place) -> Result<Option<Progress>, Self::Error>;

    /// Places of these stages that are due by then, the lowest stage and the longest due first.
    ///
    /// # Errors
    /// As [`Store::progress`].
    fn due(
        &self,
        stages: Stages,
        by: Instant,
        most: u32,
    ) -> Result<Vec<(Place, Progress)>, Self::Error>;

    /// When the first place of these stages is due, if one is not visited yet.
    ///
    /// # Errors
    /// As [`Store::progress`].
    fn first_due(&self, stages: Stages) -> Result<Option<Instant>, Self::Error>;

    /// Places that did not answer when they were last asked.
    ///
    /// # Errors
    /// As [`Store::progress`].
    fn silent(&self, most: u32) -> Result<Vec<(Place, Progress)>, Self::Error>;

    /// How many places are not visited yet.
    ///
    /// # Errors
    /// As [`Store::progress`].
    fn left(&self) -> Result<u64, Self::Error>;
}

/// What is to be written, in one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The job.
    pub job: Option<Job>,
    /// Places.
    pub put: Vec<(Place, Progress)>,
    /// Every place of these stages is to be visited from its beginning.
    pub revisit: Option<Stages>,
    /// The job is done: none of its places is kept.
    pub forget: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask these.
    Ask(Vec<(Place, Progress)>),
    /// Write this, and ask again what is next.
    Write(Box<Changes>),
    /// Nothing until then.
    Wait(Instant),
    /// The job is done.
    Done,
}

/// Begins a job for whoever is called this.
#[must_use]
pub fn begin(id: String, token: String, who: &[Pseudonym], now: Instant) -> Changes {
    let job = Job {
        id,
        token,
        started: now,
        ended: None,
        names: Vec::new(),
        round: 1,
        fresh: false,
        quiet_from: None,
        counts: Counts::default(),
    };
    if who.is_empty() {
        // Nobody is called nothing.
        let job = Some(Job { ended: Some(now), token: String::new(), ..job });
        return Changes { job, ..Changes::default() };
    }
    let mut changes = add(job, who, now);
    changes.revisit = None;
    changes.put.extend(lists(1, now));
    changes
}

/// Whether a job that is under way is about whoever is called this.
#[must_use]
pub fn is_about(job: &Job, who: &[Pseudonym]) -> bool {
    job.ended.is_none() && who.iter().any(|who| job.names.iter().any(|name| name == who.as_str()))
}

/// More names that were typed for the person of a job. What was visited without them is visited again.
#[must_use]
pub fn add(mut job: Job, who: &[Pseudonym], now: Instant) -> Changes {
    let mut changes = Changes::default();
    let known = |who: &&Pseudonym| job.names.iter().any(|name| name == who.as_str());
    let fresh: BTreeSet<&Pseudonym> = who.iter().filter(|who| !known(who)).collect();
    if fresh.is_empty() {
        return changes;
    }
    for who in &fresh {
        let place = Place::Identity { who: (*who).clone(), typed: true };
        changes.put.push((place, Progress::due(now)));
    }
    job.names.extend(fresh.iter().map(ToString::to_string));
    changes.put.push((Place::Conflicts, Progress::due(now)));
    changes.revisit = Some(Stages::STORES);
    changes.job = Some(job);
    changes
}

fn lists(round: u32, now: Instant) -> impl Iterator<Item = (Place, Progress)> {
    Listed::ALL.into_iter().map(move |list| (Place::List(list, round), Progress::due(now)))
}

/// What is to be done next.
///
/// # Errors
/// Only those of reading the store.
pub fn next<S: Store>(store: &S, job: &Job, now: Instant, most: u32) -> Result<Next, S::Error> {
    if job.ended.is_some() {
        return Ok(Next::Done);
    }
    for stages in Stages::GATES {
        let Some(first) = store.first_due(stages)? else { continue };
        if stages.first > 1 {
            match job.quiet_from {
                None => {
                    let quiet_from = Some(now.plus_millis(PAUSE));
                    return Ok(write(Job { quiet_from, ..job.clone() }));
                }
                Some(from) if from > now => return Ok(Next::Wait(from)),
                Some(_) => {}
            }
        }
        if first > now {
            return Ok(Next::Wait(first));
        }
        return Ok(Next::Ask(store.due(stages, now, most)?));
    }
    if job.fresh || job.round < 2 {
        let round = job.round.saturating_add(1);
        let job = Job { round, fresh: false, ..job.clone() };
        let put = lists(round, now).collect();
        let changes = Changes { job: Some(job), put, ..Changes::default() };
        return Ok(Next::Write(Box::new(changes)));
    }
    let done = Job { ended: Some(now), names: Vec::new(), token: String::new(), ..job.clone() };
    let changes = Changes { job: Some(done), forget: true, ..Changes::default() };
    Ok(Next::Write(Box::new(changes)))
}

fn write(job: Job) -> Next {
    Next::Write(Box::new(Changes { job: Some(job), ..Changes::default() }))
}

/// Takes in what a place answered.
///
/// # Errors
/// Only those of reading the store.
pub fn heard<S: Store>(
    store: &S,
    job: &Job,
    place: &Place,
    heard: Heard,
    now: Instant,
) -> Result<Changes, S::Error> {
    let mut changes = Changes::default();
    let Some(mut progress) = store.progress(place)?.filter(|known| known.due.is_some()) else {
        return Ok(changes);
    };
    let (traces, rows, next) = match heard {
        Heard::Answer { traces, rows, next } => (traces, rows, next),
        Heard::Silent(detail) => {
            let wait = SHORTEST_WAIT.saturating_mul(1 << progress.tries.min(12)).min(LONGEST_WAIT);
            progress.tries = progress.tries.saturating_add(1);
            progress.detail = Some(detail);
            progress.due = Some(now.plus_millis(wait));
            changes.put.push((place.clone(), progress));
            return Ok(changes);
        }
    };
    let mut job = job.clone();
    for name in traces.names {
        if !job.names.contains(&name) {
            job.names.push(name);
        }
    }
    let mut new = BTreeSet::new();
    for place in traces.places {
        if store.progress(&place)?.is_none() && new.insert(place.clone()) {
            job.fresh |= matches!(place, Place::Shard { .. } | Place::Pool(_));
            changes.put.push((place, Progress::due(now)));
        }
    }
    let found = progress.found || rows > 0;
    let over = next.is_none();
    job.counts.heard(place, rows, over && progress.passes == 0);
    let again = over && found && place.is_read_in_batches();
    progress = Progress {
        due: (!over || again).then_some(now),
        cursor: next,
        tries: 0,
        detail: None,
        found: !over && found,
        passes: progress.passes.saturating_add(u32::from(over)),
    };
    changes.put.push((place.clone(), progress));
    changes.job = Some(job);
    Ok(changes)
}

impl Counts {
    /// Counts what a place answered; `first`: it has now been read once to its end.
    fn heard(&mut self, place: &Place, rows: u64, first: bool) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        match place {
            Place::Entry(_) => add(&mut self.identifiers, rows.min(1)),
            Place::Books(_) => add(&mut self.members, rows.min(1)),
            Place::Shard { shard, .. } => {
                add(&mut self.rows, rows);
                add(&mut self.ledgers, u64::from(first && shard.is_root()));
            }
            Place::Pool(_) => {
                add(&mut self.cards, rows);
                add(&mut self.pools, u64::from(first));
            }
            Place::Tab(..) => add(&mut self.tabs, rows.min(1)),
            Place::Identity { .. }
            | Place::Member(_)
            | Place::Conflicts
            | Place::Remains(_)
            | Place::List(..)
            | Place::Ledger(..) => {}
        }
    }
}

impl Job {
    /// What takes the place of the person's names. `divided`: in a ledger of several objects.
    #[must_use]
    pub fn replacements(&self, divided: bool) -> Replacements {
        Replacements::new(&self.names, &self.token, divided)
    }
}
