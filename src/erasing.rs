//! What the erasing of a person asks of each place, and what is kept of how identities were ever read.

use std::cell::RefCell;

use futures_util::future::join_all;
use promo_core::checkout::Unreachable;
use promo_core::erasure::{Heard, Job, Listed, Place, Progress, Traces, of_identity, of_member};
use promo_core::identity::{Pseudonym, Rules, RulesEver};
use promo_core::ledger::TabKey;
use promo_core::ledger::shard::Shard;
use promo_core::loyalty::member::{self, Reply};
use promo_core::loyalty::{MemberId, Rooms, directory, visit};
use serde::de::DeserializeOwned;
use worker::Env;

use crate::catalogue::Catalogue;
use crate::http::{Problem, Trace, now};
use crate::objects::{conflicts, ledger, location, pool};
use crate::ports::Edge;

/// What a place may take to answer, in milliseconds.
const PATIENCE: i64 = 5000;
/// Names of a list that are read at once.
const PAGE: u64 = 100;
/// The entry in KV of the rules by which identities were ever read.
const RULES_EVER: &str = "identity-rules";

/// Asks these places of a job, all at once.
pub async fn ask(env: &Env, job: &Job, places: &[(Place, Progress)]) -> Vec<Heard> {
    let (trace, later) = (Trace::default(), RefCell::default());
    let edge = match Edge::open(env, &trace, &later, now().plus_millis(PATIENCE)) {
        Ok(edge) => edge,
        Err(error) => return places.iter().map(|_| Heard::Silent(error.to_string())).collect(),
    };
    join_all(places.iter().map(async |(place, progress)| {
        let asking = Asking { edge: &edge, job, after: progress.cursor.as_deref() };
        match asking.place(place).await {
            Ok((traces, rows, next)) => Heard::Answer { traces, rows, next },
            Err(why) => Heard::Silent(why),
        }
    }))
    .await
}

/// What a place answers: what that leads to, rows in which the person was found, and where to go on.
type Answer = Result<(Traces, u64, Option<String>), String>;

struct Asking<'a, 'e> {
    edge: &'a Edge<'e>,
    job: &'a Job,
    /// Where the answer before ended.
    after: Option<&'a str>,
}

fn silent(_: Unreachable) -> String {
    "it did not answer".to_owned()
}

fn found(rows: u64) -> Answer {
    Ok((Traces::default(), rows, None))
}

fn leads(places: Vec<Place>, next: Option<String>) -> Answer {
    Ok((Traces { names: Vec::new(), places }, 0, next))
}

fn other() -> String {
    "it answered another question".to_owned()
}

impl Asking<'_, '_> {
    /// The cursor as it was given.
    fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, String> {
        self.after.map(serde_json::from_str).transpose().map_err(|error| error.to_string())
    }

    fn members(&self) -> Vec<MemberId> {
        self.job.names.iter().filter_map(|name| MemberId::parse(name)).collect()
    }

    async fn place(&self, place: &Place) -> Answer {
        match place {
            Place::Identity { who, typed } => {
                let look = self.edge.entry(who, directory::Command::Look).await.map_err(silent)?;
                Ok((of_identity(self.job, who, *typed, look.member.as_ref()), 0, None))
            }
            Place::Member(id) => self.member(id).await,
            Place::Entry(who) => self.entry(who).await,
            Place::Conflicts => {
                let members = self.members().into_iter().map(Some).chain([None]);
                for member in members {
                    let question = conflicts::Question::Forget(member, self.identities());
                    self.edge.ask_conflicts(&question).await.map_err(silent)?;
                }
                found(0)
            }
            Place::Books(id) => {
                let erase = member::Command::Erase;
                match self.edge.member(id, erase).await.map_err(silent)? {
                    Reply::Identities(_) => found(1),
                    Reply::Erased => found(0),
                    _ => Err(other()),
                }
            }
            Place::Remains(id) => {
                self.edge.member(id, member::Command::Erase).await.map_err(silent)?;
                found(0)
            }
            Place::List(list, round) => self.list(*list, *round).await,
            Place::Ledger(campaign, _) => {
                let roster = ledger::Question::Roster;
                let root = Shard::root();
                let asked = self.edge.ask_ledger(campaign, &root, &roster);
                let ledger::Answer::Roster(mut shards) = asked.await.map_err(silent)? else {
                    return Err(other());
                };
                shards.push(Shard::root());
                let divided = shards.len() > 1;
                let shard = |shard| Place::Shard { campaign: campaign.clone(), shard, divided };
                leads(shards.into_iter().map(shard).collect(), None)
            }
            Place::Shard { campaign, shard, divided } => {
                let names = self.job.replacements(*divided);
                let erase = ledger::Question::Erase { names, after: self.cursor()? };
                let asked = self.edge.ask_ledger(campaign, shard, &erase);
                let ledger::Answer::Erased { rows, tabs, next } = asked.await.map_err(silent)?
                else {
                    return Err(other());
                };
                let tab = |tab: TabKey| Place::Tab(tab.location, tab.tab);
                let traces =
                    Traces { names: Vec::new(), places: tabs.into_iter().map(tab).collect() };
                let next = next.map(|next| serde_json::to_string(&next)).transpose();
                Ok((traces, rows, next.map_err(|error| error.to_string())?))
            }
            Place::Pool(code) => {
                let erase = pool::Question::Erase {
                    names: self.job.replacements(false),
                    after: self.cursor()?,
                };
                match self.edge.ask_pool(code, &erase).await.map_err(silent)? {
                    pool::Answer::Erased { rows, next } => {
                        let next = next.map(|next| serde_json::to_string(&next)).transpose();
                        Ok((Traces::default(), rows, next.map_err(|error| error.to_string())?))
                    }
                    _ => Err(other()),
                }
            }
            Place::Tab(location, tab) => {
                self.tab(&TabKey { location: location.clone(), tab: tab.clone() }).await
            }
        }
    }

    fn identities(&self) -> Vec<Pseudonym> {
        let read = |name: &String| serde_json::from_value(name.as_str().into()).ok();
        self.job.names.iter().filter_map(read).collect()
    }

    async fn member(&self, id: &MemberId) -> Answer {
        let trace = member::Command::Trace(self.cursor()?);
        let Reply::Trace(trace) = self.edge.member(id, trace).await.map_err(silent)? else {
            return Err(other());
        };
        let pepper = crate::members::pepper(self.edge).map_err(|it| it.for_the_log().to_owned())?;
        let last = trace.tabs.last().filter(|_| trace.more);
        let next =
            last.map(serde_json::to_string).transpose().map_err(|error| error.to_string())?;
        Ok((of_member(&trace, &pepper), 0, next))
    }

    /// Forgets an identity, with the tabs that wait for whoever signs up with it.
    async fn entry(&self, who: &Pseudonym) -> Answer {
        let forget = directory::Command::Forget;
        let known = self.edge.entry(who, forget).await.map_err(silent)?;
        found(u64::from(known.forgot))
    }

    async fn list(&self, list: Listed, round: u32) -> Answer {
        let (catalogue, cursor) = (&self.edge.catalogue, self.after.map(str::to_owned));
        let kv = |error: crate::catalogue::KvFailure| error.to_string();
        let (places, next) = match list {
            Listed::Ledgers | Listed::Campaigns => {
                let (ids, next) = match list {
                    Listed::Ledgers => catalogue.ledger_ids(cursor, PAGE).await.map_err(kv)?,
                    _ => catalogue.campaign_ids(cursor, PAGE).await.map_err(kv)?,
                };
                (ids.into_iter().map(|id| Place::Ledger(id, round)).collect(), next)
            }
            Listed::Pools => {
                let (ids, next) = catalogue.instrument_types(cursor, PAGE).await.map_err(kv)?;
                (ids.into_iter().map(Place::Pool).collect(), next)
            }
        };
        leads(places, next)
    }

    /// A tab: what stands on it, and whose it was when it was closed.
    async fn tab(&self, tab: &TabKey) -> Answer {
        let (edge, members) = (self.edge, self.members());
        if members.is_empty() {
            // Only members are named there.
            return found(0);
        }
        // First, because a closed tab is not of whatever takes the place of a member's name.
        edge.visit(tab, visit::Command::Forget { members, at: self.job.started })
            .await
            .map_err(silent)?;
        let erase = location::Erase(tab.tab.clone(), self.job.replacements(false));
        edge.call(tab.location.as_str(), "", &erase, edge.deadline).await.map_err(silent)?;
        found(1)
    }
}

/// The rules by which this deployment ever read identities, those of now included.
///
/// # Errors
/// When KV cannot be read.
pub async fn rules_ever(catalogue: &Catalogue<'_>, now: &Rules) -> Result<RulesEver, Problem> {
    let mut ever = kept(catalogue).await?;
    ever.note(now);
    Ok(ever)
}

async fn kept(catalogue: &Catalogue<'_>) -> Result<RulesEver, Problem> {
    let kept = catalogue.read(RULES_EVER).await?;
    // Nobody else writes it.
    Ok(kept.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
}

/// Notes rules that are about to hold, so that whoever was counted by them can be erased after they have
/// changed.
///
/// # Errors
/// When KV cannot be read or written.
pub async fn note_rules(catalogue: &Catalogue<'_>, rules: &Rules) -> Result<(), Problem> {
    let mut ever = kept(catalogue).await?;
    if ever.note(rules) {
        let json =
            serde_json::to_vec(&ever).map_err(|error| Problem::ours(500, &error.to_string()))?;
        catalogue.write(RULES_EVER, &json).await?;
    }
    Ok(())
}
