//! Jobs in a small deployment kept in maps, cut off anywhere.
#![expect(clippy::arithmetic_side_effects, reason = "a test counts a few rows")]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::*;
use crate::ident::{CampaignId, LocationId, TabId, TypeCode};
use crate::identity::{Identity, Kind, Pseudonym, Rules};
use crate::ledger::TabKey;
use crate::ledger::shard::Shard;
use crate::loyalty::MemberId;
use crate::loyalty::member::Trace;
use crate::time::Instant;

/// The rows of one job.
#[derive(Clone, Default)]
struct Rows {
    job: Option<Job>,
    places: BTreeMap<Place, Progress>,
}

impl Store for Rows {
    type Error = Infallible;

    fn progress(&self, place: &Place) -> Result<Option<Progress>, Infallible> {
        Ok(self.places.get(place).cloned())
    }

    fn due(
        &self,
        stages: Stages,
        by: Instant,
        most: u32,
    ) -> Result<Vec<(Place, Progress)>, Infallible> {
        let mut due: Vec<_> = self.pending(stages).filter(|(_, it)| it.due <= Some(by)).collect();
        due.sort_by_key(|(place, progress)| (place.stage(), progress.due));
        due.truncate(usize::try_from(most).unwrap());
        Ok(due)
    }

    fn first_due(&self, stages: Stages) -> Result<Option<Instant>, Infallible> {
        Ok(self.pending(stages).filter_map(|(_, progress)| progress.due).min())
    }

    fn silent(&self, most: u32) -> Result<Vec<(Place, Progress)>, Infallible> {
        let all = Stages { first: 0, last: u8::MAX };
        let silent = self.pending(all).filter(|(_, progress)| progress.tries > 0);
        Ok(silent.take(usize::try_from(most).unwrap()).collect())
    }

    fn left(&self) -> Result<u64, Infallible> {
        Ok(u64::try_from(self.pending(Stages { first: 0, last: u8::MAX }).count()).unwrap())
    }
}

impl Rows {
    fn pending(&self, stages: Stages) -> impl Iterator<Item = (Place, Progress)> {
        let within = move |place: &Place| (stages.first..=stages.last).contains(&place.stage());
        let pending = self.places.iter().filter(|(_, progress)| progress.due.is_some());
        pending
            .filter(move |(place, _)| within(place))
            .map(|(place, it)| (place.clone(), it.clone()))
    }

    fn write(&mut self, changes: Changes, now: Instant) {
        self.job = changes.job.or(self.job.take());
        if let Some(stages) = changes.revisit {
            for (place, progress) in &mut self.places {
                if place.stage() >= stages.first {
                    *progress = Progress::due(now);
                }
            }
        }
        self.places.extend(changes.put);
        if changes.forget {
            self.places.clear();
        }
    }
}

/// A deployment: who is who, and where each name is kept.
#[derive(Clone, Default)]
struct Town {
    owners: BTreeMap<Pseudonym, MemberId>,
    members: BTreeMap<MemberId, Trace>,
    /// By campaign and shard, names in rows.
    ledgers: BTreeMap<(CampaignId, Shard), Vec<String>>,
    pools: BTreeMap<TypeCode, Vec<String>>,
    /// Those that do not answer, so many times more.
    silent: BTreeMap<Place, u32>,
}

fn id(text: &str) -> MemberId {
    MemberId::parse(text).unwrap()
}

fn who(text: &str) -> Pseudonym {
    Identity::parse(text, &Rules::default()).unwrap().pseudonym(b"pepper")
}

fn campaign(text: &str) -> CampaignId {
    CampaignId::parse(text).unwrap()
}

fn tab(text: &str) -> TabKey {
    TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse(text).unwrap() }
}

/// Rows that a store looks at in one batch.
const BATCH: usize = 2;

impl Town {
    fn ask(&mut self, job: &Job, place: &Place, progress: &Progress) -> Heard {
        if let Some(left) = self.silent.get_mut(place).filter(|left| **left > 0) {
            *left -= 1;
            return Heard::Silent("no answer".to_owned());
        }
        let (mut traces, mut rows, mut next) = (Traces::default(), 0, None);
        match place {
            Place::Identity { who, typed } => {
                traces = of_identity(job, who, *typed, self.owners.get(who));
            }
            Place::Member(id) => {
                traces = of_member(self.members.get(id).unwrap_or(&Trace::default()), b"pepper");
            }
            Place::Entry(who) => rows = u64::from(self.owners.remove(who).is_some()),
            Place::Books(id) => {
                self.members.insert(id.clone(), Trace::default());
                rows = 1;
            }
            Place::Conflicts | Place::Remains(_) | Place::Tab(..) => {}
            Place::List(Listed::Ledgers, round) => {
                let ids: BTreeSet<_> = self.ledgers.keys().map(|(id, _)| id.clone()).collect();
                traces.places.extend(ids.into_iter().map(|id| Place::Ledger(id, *round)));
            }
            Place::List(Listed::Campaigns, _) => {}
            Place::List(Listed::Pools, _) => {
                traces.places.extend(self.pools.keys().cloned().map(Place::Pool));
            }
            Place::Ledger(id, _) => {
                let of = self.ledgers.keys().filter(|(campaign, _)| campaign == id);
                let shards: Vec<Shard> = of.map(|(_, shard)| shard.clone()).collect();
                let divided = shards.len() > 1;
                let place = |shard| Place::Shard { campaign: id.clone(), shard, divided };
                traces.places.extend(shards.into_iter().map(place));
            }
            Place::Shard { campaign, shard, divided } => {
                let names = self.ledgers.get_mut(&(campaign.clone(), shard.clone())).unwrap();
                (rows, next) = erase(names, &job.replacements(*divided), progress);
            }
            Place::Pool(code) => {
                let names = self.pools.get_mut(code).unwrap();
                (rows, next) = erase(names, &job.replacements(false), progress);
            }
        }
        Heard::Answer { traces, rows, next }
    }

    fn names(&self) -> Vec<&str> {
        let rows = self.ledgers.values().chain(self.pools.values()).flatten();
        rows.map(String::as_str).collect()
    }
}

fn erase(rows: &mut [String], names: &Replacements, at: &Progress) -> (u64, Option<String>) {
    let from: usize = at.cursor.as_deref().map_or(0, |text| text.parse().unwrap());
    let mut found = 0;
    for row in rows.iter_mut().skip(from).take(BATCH) {
        if let Some(renamed) = names.replace(row) {
            (*row, found) = (renamed, found + 1);
        }
    }
    (found, (from + BATCH < rows.len()).then(|| (from + BATCH).to_string()))
}

const PHONE: &str = "+16085550100";
const EMAIL: &str = "a@b.example";
const OTHER: &str = "+16085550199";

fn town() -> Town {
    let mut town = Town::default();
    let (anna, before) = (id("ANNA00000001"), id("ANNA00000002"));
    town.owners.insert(who(PHONE), anna.clone());
    town.owners.insert(who(EMAIL), before.clone());
    town.owners.insert(who(OTHER), id("BERT00000001"));
    let identities =
        vec![(Kind::Phone, who(PHONE)), (Kind::Email, who(EMAIL)), (Kind::Phone, who(OTHER))];
    let trace = Trace {
        identities,
        absorbed: vec![before.clone()],
        tabs: vec![tab("t1"), tab("t2")],
        ..Trace::default()
    };
    town.members.insert(anna.clone(), trace);
    town.members.insert(before.clone(), Trace { moved: Some(anna.clone()), ..Trace::default() });
    let of_anna =
        [who(PHONE).to_string(), who(EMAIL).to_string(), anna.to_string(), before.to_string()];
    let others = [who(OTHER).to_string(), "BERT00000001".to_owned()];
    let all: Vec<String> = of_anna.iter().chain(&others).cloned().collect();
    for shard in ["", "1", "2"] {
        town.ledgers.insert((campaign("divided"), Shard::named(shard)), all.clone());
    }
    town.ledgers.insert((campaign("plain"), Shard::root()), all.clone());
    town.pools.insert(TypeCode::parse("2101").unwrap(), all);
    town
}

/// Runs a job; `cut` says after which questions the process dies, before it has written down the answer.
/// Returns the job as it ended.
fn run(
    town: &mut Town,
    rows: &mut Rows,
    now: &Cell<Instant>,
    cut: impl Fn(usize) -> bool,
) -> usize {
    let mut asked = 0;
    for _ in 0..10_000 {
        let at = now.get();
        let job = rows.job.clone().unwrap();
        match next(rows, &job, at, 3).unwrap() {
            Next::Done => return asked,
            Next::Wait(until) => now.set(until),
            Next::Write(changes) => rows.write(*changes, at),
            Next::Ask(places) => {
                for (place, progress) in places {
                    let job = rows.job.clone().unwrap();
                    let answer = town.ask(&job, &place, &progress);
                    asked += 1;
                    if !cut(asked) {
                        let changes = heard(rows, &job, &place, answer, at).unwrap();
                        rows.write(changes, at);
                    }
                }
            }
        }
    }
    panic!("the job does not end: {:?}", rows.places);
}

fn started(typed: &str) -> (Rows, Cell<Instant>) {
    let now = Instant::from_millis(1000);
    let mut rows = Rows::default();
    rows.write(begin("job".to_owned(), "token".to_owned(), &[who(typed)], now), now);
    (rows, Cell::new(now))
}

#[track_caller]
fn assert_gone(town: &Town, rows: &Rows) {
    for name in [who(PHONE).as_str(), who(EMAIL).as_str(), "ANNA00000001", "ANNA00000002"] {
        assert!(!town.names().contains(&name), "{name} is left");
        let kept = serde_json::to_string(&rows.job).unwrap();
        assert!(!kept.contains(name), "the job keeps {name}");
    }
    assert!(rows.places.is_empty());
    for other in [who(OTHER).as_str(), "BERT00000001"] {
        assert_eq!(town.names().iter().filter(|name| **name == other).count(), 5);
    }
    assert_eq!(town.owners.get(&who(OTHER)), Some(&id("BERT00000001")));
}

#[test]
fn a_person_is_erased_everywhere_under_every_name_by_any_of_them() {
    for typed in [PHONE, EMAIL] {
        let mut town = town();
        let (mut rows, now) = started(typed);
        run(&mut town, &mut rows, &now, |_| false);
        assert_gone(&town, &rows);
        let told = report(&rows, rows.job.as_ref().unwrap()).unwrap();
        assert_eq!((told.state.as_str(), told.found, told.left), ("done", Some(true), 0));
        assert_eq!((told.counts.members, told.counts.identifiers), (2, 2));
        assert_eq!((told.counts.ledgers, told.counts.rows), (2, 16));
        assert_eq!((told.counts.pools, told.counts.cards), (1, 4));
    }
}

#[test]
fn a_job_that_is_cut_off_at_any_question_goes_on_and_ends_the_same() {
    let mut whole = town();
    let (mut rows, now) = started(PHONE);
    let asked = run(&mut whole, &mut rows, &now, |_| false);
    for at in 1..=asked {
        let mut town = town();
        let (mut rows, now) = started(PHONE);
        let again = run(&mut town, &mut rows, &now, |n| n == at);
        assert_gone(&town, &rows);
        // One question was asked twice; a batch that had found somebody may be read once more or less.
        assert!(again <= asked + 1, "{again} questions where {asked} are enough");
    }
    // And at every second one.
    let mut town = town();
    let (mut rows, now) = started(PHONE);
    run(&mut town, &mut rows, &now, |n| n % 2 == 0);
    assert_gone(&town, &rows);
}

#[test]
fn who_does_not_answer_is_asked_again_later_and_holds_nobody_up() {
    let mut town = town();
    let shard = Place::Shard { campaign: campaign("plain"), shard: Shard::root(), divided: false };
    town.silent.insert(shard.clone(), 5);
    let (mut rows, now) = started(PHONE);
    let start = now.get();
    for _ in 0..60 {
        let job = rows.job.clone().unwrap();
        match next(&rows, &job, now.get(), 3).unwrap() {
            Next::Wait(until) if rows.left().unwrap() == 1 => {
                let told = report(&rows, &job).unwrap();
                assert_eq!(told.problems[0].place, "the ledger of plain");
                assert_eq!(
                    (told.state.as_str(), told.problems[0].next.clone()),
                    ("running", until.to_string())
                );
                break;
            }
            Next::Wait(until) => now.set(until),
            Next::Write(changes) => rows.write(*changes, now.get()),
            Next::Ask(places) => {
                for (place, progress) in places {
                    let job = rows.job.clone().unwrap();
                    let answer = town.ask(&job, &place, &progress);
                    rows.write(heard(&rows, &job, &place, answer, now.get()).unwrap(), start);
                }
            }
            Next::Done => panic!("the job is done without it"),
        }
    }
    run(&mut town, &mut rows, &now, |_| false);
    assert_gone(&town, &rows);
    let waited = now.get().millis() - start.millis();
    assert!((62_000..LONGEST_WAIT).contains(&waited), "2 + 4 + 8 + 16 + 32 s: {waited}");
}

#[test]
fn a_ledger_that_appears_while_the_job_runs_is_visited() {
    let mut town = town();
    let (mut rows, now) = started(PHONE);
    let job = rows.job.clone().unwrap();
    for list in Listed::ALL {
        let place = Place::List(list, 1);
        let answer = town.ask(&job, &place, &Progress::default());
        rows.write(
            heard(&rows, &rows.job.clone().unwrap(), &place, answer, now.get()).unwrap(),
            now.get(),
        );
    }
    town.ledgers.insert(
        (campaign("late"), Shard::root()),
        vec![who(PHONE).to_string(), who(OTHER).to_string()],
    );
    town.ledgers.insert((campaign("divided"), Shard::named("3")), vec![who(EMAIL).to_string()]);
    run(&mut town, &mut rows, &now, |_| false);
    assert!(!town.names().contains(&who(PHONE).as_str()));
    assert!(!town.names().contains(&who(EMAIL).as_str()));
    assert_eq!(rows.job.unwrap().counts.ledgers, 3);
}

#[test]
fn a_second_request_for_the_person_joins_the_job_and_what_it_adds_is_erased_too() {
    let mut town = town();
    let (mut rows, now) = started(PHONE);
    run(&mut town, &mut rows.clone(), &Cell::new(now.get()), |_| false);
    // Half-way: everything but the last place was visited under the names known so far.
    let spelling = who("+16085550111");
    town.ledgers.get_mut(&(campaign("plain"), Shard::root())).unwrap().push(spelling.to_string());
    let mut job = rows.job.clone().unwrap();
    job.quiet_from = Some(now.get());
    rows.job = Some(job);
    assert!(is_about(rows.job.as_ref().unwrap(), &[who(PHONE), spelling.clone()]));
    assert!(!is_about(rows.job.as_ref().unwrap(), std::slice::from_ref(&spelling)));
    rows.write(
        add(rows.job.clone().unwrap(), &[who(PHONE), spelling.clone()], now.get()),
        now.get(),
    );
    run(&mut town, &mut rows, &now, |_| false);
    assert!(!town.names().contains(&spelling.as_str()));
    assert!(
        !is_about(rows.job.as_ref().unwrap(), &[who(PHONE)]),
        "a job that is done is no longer about anybody"
    );
}

#[test]
fn nobody_is_found_where_nobody_is_and_a_text_that_names_nobody_asks_nobody() {
    let mut town = town();
    let (mut rows, now) = started("+16085550177");
    run(&mut town, &mut rows, &now, |_| false);
    let told = report(&rows, rows.job.as_ref().unwrap()).unwrap();
    assert_eq!((told.state.as_str(), told.found, told.counts.rows), ("done", Some(false), 0));
    let at = now.get();
    let changes = begin("job".to_owned(), "token".to_owned(), &[], at);
    assert_eq!((changes.put.len(), changes.job.unwrap().ended), (0, Some(at)));
}
