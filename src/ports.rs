//! How a checkout reaches the catalogue, the ledgers and the locations from an edge, and how long it waits.

mod codes;
mod instruments;
mod registry;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use promo_core::checkout::{
    CleanUp, KnownBy, Person, Ports, Query, Resolution, Unreachable, clean_up,
};
use promo_core::guard::Limits;
use promo_core::ident::{CampaignId, LocationId, TabId};
use promo_core::ledger::shard::Shard;
use promo_core::ledger::{TabKey, campaign};
use promo_core::location::tab::{self, Place};
use promo_core::location::{self, Message, Shown, TabNames};
use promo_core::loyalty::programme::REWARDS;
use promo_core::loyalty::{person, spend};
use promo_core::replies;
use promo_core::revision::Revision;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use worker::{Delay, Env, Method, Request, RequestInit};

use crate::catalogue::{Catalogue, mark_key};
use crate::deadline;
use crate::http::{Call, Trace, log, now};
use crate::objects::ask::{Ask, NoAnswer, ask};
use crate::objects::{self, LEDGER, REPLIES};
use promo_core::time::Instant;

/// A point of sale hears an answer within 2 s whatever happens; this is what KV and the objects may take
/// of it together, in milliseconds.
const BUDGET: i64 = 1700;
/// What they may take of one of the wallet's.
const PATIENCE: i64 = 20_000;
/// What an INQUIRE waits for the ledger before it answers from what it knows.
const PEEK_BUDGET: i64 = 150;

/// What leaving word at a tab may take on top of [`BUDGET`].
const WORD_BUDGET: i64 = 150;

/// What is waited before each attempt at cleaning up, in milliseconds.
const CLEAN_UP_WAITS: [u64; 4] = [0, 1000, 5000, 15_000];

/// The world as one request reaches it.
pub struct Edge<'a> {
    /// The documents.
    pub catalogue: Catalogue<'a>,
    pub(crate) env: &'a Env,
    pub(crate) trace: &'a Trace,
    later: &'a RefCell<Vec<CleanUp>>,
    /// By when KV and the objects must have answered.
    pub(crate) deadline: Instant,
    /// By when an INQUIRE must have heard all it asks, once it has begun to ask.
    peek_until: Cell<Option<Instant>>,
    /// Where the caller is, as [`crate::http::Call`] says.
    region: &'static str,
    /// How many misses are too many, once the place is known.
    limits: Cell<Option<Limits>>,
    /// Who guests turned out to be, by what they were known as first.
    people: RefCell<HashMap<String, Person>>,
    /// Another name of the tab that this request is about.
    also: RefCell<Option<TabId>>,
}

impl<'a> Edge<'a> {
    /// For one request.
    ///
    /// # Errors
    /// When the deployment lacks a binding.
    pub fn new(env: &'a Env, call: &'a Call) -> worker::Result<Self> {
        let deadline = call.received.plus_millis(BUDGET);
        let edge = Self::open(env, &call.trace, &call.later, deadline)?;
        Ok(Self { region: call.region, ..edge })
    }

    /// For a request of a caller who waits longer than a till does, and would only ask again.
    ///
    /// # Errors
    /// When the deployment lacks a binding.
    pub fn patient(env: &'a Env, call: &'a Call) -> worker::Result<Self> {
        let deadline = call.received.plus_millis(PATIENCE);
        let edge = Self::open(env, &call.trace, &call.later, deadline)?;
        Ok(Self { region: call.region, ..edge })
    }

    /// With this deadline.
    ///
    /// # Errors
    /// When the deployment lacks a binding.
    pub fn open(
        env: &'a Env,
        trace: &'a Trace,
        later: &'a RefCell<Vec<CleanUp>>,
        deadline: Instant,
    ) -> worker::Result<Self> {
        let catalogue = Catalogue::open(env, trace, deadline)?;
        Ok(Self {
            catalogue,
            env,
            trace,
            later,
            deadline,
            peek_until: Cell::default(),
            region: "",
            limits: Cell::default(),
            people: RefCell::default(),
            also: RefCell::default(),
        })
    }

    /// Until when an INQUIRE waits for what it asks, of which this may be the first.
    fn peek_until(&self) -> Instant {
        let until = self.peek_until.get().unwrap_or(now().plus_millis(PEEK_BUDGET));
        self.peek_until.set(Some(until));
        until.min(self.deadline)
    }

    /// Asks an object and waits at most so long. An object that is not there yet is made near `region`.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        binding: &str,
        name: &str,
        region: &str,
        question: &Q,
        deadline: Instant,
    ) -> Result<A, Unreachable> {
        let start = now();
        let exchange = exchange(self.env, binding, name, region, question);
        let answer = deadline::by(deadline, exchange).await;
        let answer = answer.unwrap_or_else(|timed_out| Err(timed_out.to_string().into()));
        self.trace.ledger_since(start);
        match answer {
            Ok((answer, rows)) => {
                self.trace.wrote(rows);
                Ok(answer)
            }
            Err(error) => {
                self.trace.note("unreachable", format!("{binding} {name}: {error}"));
                Err(Unreachable)
            }
        }
    }

    /// Asks an object by RPC and waits at most so long. An object that is not there yet is made near
    /// `region`.
    ///
    /// # Errors
    /// When it cannot be reached in time; the trace says why.
    pub async fn call<Q: Ask>(
        &self,
        name: &str,
        region: &str,
        question: &Q,
        deadline: Instant,
    ) -> Result<Q::Reply, Unreachable> {
        reach(self.env, self.trace, name, region, question, deadline).await
    }

    /// All that a location keeps of a tab, by any of its names.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn show_tab(&self, tab: &TabKey) -> Result<Option<Box<Shown>>, Unreachable> {
        let show = location::Command::Show(tab.tab.clone().into());
        match Ports::location(self, &tab.location, show).await? {
            location::Reply::Shown(shown) => Ok(shown),
            _ => Err(Unreachable),
        }
    }

    /// Has the tab of this request known by another name as well.
    pub fn known_as(&self, also: Option<TabId>) {
        self.also.replace(also);
    }

    /// All names that this request gives a tab.
    pub fn names(&self, tab: &TabKey) -> TabNames {
        TabNames { name: tab.tab.clone(), also: self.also.borrow().clone() }
    }

    /// Asks an object of a campaign's ledger.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ask_ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        question: &objects::ledger::Question,
    ) -> Result<objects::ledger::Answer, Unreachable> {
        let deadline = match question {
            objects::ledger::Question::Decide(asked) if asked.command.is_read_only() => {
                self.peek_until()
            }
            // What an INQUIRE has moved on the way waits no longer than the INQUIRE itself.
            objects::ledger::Question::Decide(asked) if asked.command.is_upkeep() => {
                self.peek_until.get().unwrap_or(self.deadline).min(self.deadline)
            }
            _ => self.deadline,
        };
        let name = ledger_name(campaign, shard);
        self.ask(LEDGER, &name, shard.region(), question, deadline).await
    }

    /// Asks a campaign's ledger, as its machine is asked.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ask_quotas(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        let question = objects::ledger::Question::Decide(Box::new(objects::ledger::Decide {
            campaign: campaign.clone(),
            me: shard.clone(),
            command: command.clone(),
        }));
        match self.ask_ledger(campaign, shard, &question).await? {
            objects::ledger::Answer::Decided(reply) => Ok(reply),
            _ => Err(Unreachable),
        }
    }

    /// Asks the object that keeps the first reply to an `Idempotency-Key`.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ask_replies(
        &self,
        name: &str,
        command: replies::Command,
    ) -> Result<replies::Answer, Unreachable> {
        let deadline = match command {
            replies::Command::Claim { .. } | replies::Command::Recall { .. } => self.deadline,
            // The work may have used all the time there was.
            _ => self.deadline.max(now().plus_millis(WORD_BUDGET)),
        };
        let question = objects::replies::Question { name: name.to_owned(), command };
        self.ask(REPLIES, name, "", &question, deadline).await
    }

    /// What the ledgers of these campaigns keep of a tab.
    ///
    /// # Errors
    /// When one cannot be reached.
    pub async fn tab_records(
        &self,
        tab: &TabKey,
        campaigns: &[CampaignId],
    ) -> Result<Vec<campaign::TabRecord>, Unreachable> {
        let Some(shown) = self.show_tab(tab).await? else { return Ok(Vec::new()) };
        let places = shown.record.tab.claims().iter().map(tab::Claim::place);
        let places: Vec<Place> = places.filter(|it| campaigns.contains(&it.campaign)).collect();
        let each = places.iter().map(async |place| {
            let key = TabKey { location: tab.location.clone(), tab: place.tab.clone() };
            let question = objects::ledger::Question::Tab(key);
            match self.ask_ledger(&place.campaign, &place.home, &question).await? {
                objects::ledger::Answer::Tabs(tabs) => Ok(tabs),
                _ => Err(Unreachable),
            }
        });
        let mut records = Vec::new();
        for answer in join_all(each).await {
            records.extend(answer?.into_iter().map(|(_, record)| record));
        }
        Ok(records)
    }
}

/// Asks an object by RPC and waits at most so long: see [`Edge::call`].
///
/// # Errors
/// When it cannot be reached in time; the trace says why.
pub async fn reach<Q: Ask>(
    env: &Env,
    trace: &Trace,
    name: &str,
    region: &str,
    question: &Q,
    deadline: Instant,
) -> Result<Q::Reply, Unreachable> {
    let exchange = ask(env, name, region, question, Some(deadline));
    heard(trace, Q::BINDING, name, deadline, exchange).await
}

/// Waits for an answer at most so long.
async fn heard<A>(
    trace: &Trace,
    binding: &str,
    name: &str,
    deadline: Instant,
    exchange: impl Future<Output = Result<(A, u64), NoAnswer>>,
) -> Result<A, Unreachable> {
    let start = now();
    let answer = deadline::by(deadline, exchange).await;
    let answer =
        answer.unwrap_or_else(|timed_out| Err(NoAnswer::Unreachable(timed_out.to_string())));
    trace.ledger_since(start);
    answer
        .map(|(answer, rows)| {
            trace.wrote(rows);
            answer
        })
        .map_err(|error| {
            trace.note("unreachable", format!("{binding} {name}: {error}"));
            Unreachable
        })
}

/// The name of an object of a campaign's ledger.
fn ledger_name(campaign: &CampaignId, shard: &Shard) -> String {
    match shard.is_root() {
        true => campaign.to_string(),
        false => format!("{campaign}#{}", shard.as_str()),
    }
}

/// Has an object of a campaign's ledger decide a command, for whoever has no request to answer.
///
/// # Errors
/// When it fails.
pub async fn command_ledger(
    env: &Env,
    campaign: &CampaignId,
    shard: &Shard,
    command: &campaign::Command,
) -> worker::Result<campaign::Reply> {
    let question = objects::ledger::Question::Decide(Box::new(objects::ledger::Decide {
        campaign: campaign.clone(),
        me: shard.clone(),
        command: command.clone(),
    }));
    let name = ledger_name(campaign, shard);
    match exchange(env, LEDGER, &name, shard.region(), &question).await? {
        (objects::ledger::Answer::Decided(reply), _) => Ok(reply),
        _ => Err("the ledger answered another question".into()),
    }
}

/// One question to an object, its answer, and the rows written for it. A fresh stub for each: some failures break one for good.
async fn exchange<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    region: &str,
    question: &Q,
) -> worker::Result<(A, u64)> {
    let namespace = env.durable_object(binding)?;
    let stub = match region {
        "" => namespace.get_by_name(name)?,
        region => namespace.get_by_name_with_location_hint(name, region)?,
    };
    let body = serde_json::to_string(&objects::Message::new(question))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init("https://object/", &init)?;
    let mut response = stub.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(format!("the object answered {}", response.status_code()).into());
    }
    serde_json::from_slice::<objects::Message<A>>(&response.bytes().await?)?.open()
}

impl Ports for Edge<'_> {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        self.look(query).await
    }

    fn limits(&self) -> Option<Limits> {
        self.limits.get().filter(|limits| limits.tab > 0 || limits.location > 0)
    }

    async fn renew(&self, campaign: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        self.catalogue.renew(campaign).await
    }

    async fn person(&self, who: &Person, hurry: bool) -> Result<Person, Unreachable> {
        if who.known_by == KnownBy::Nothing {
            return Ok(who.clone());
        }
        if let Some(known) = self.people.borrow().get(&who.name) {
            return Ok(known.clone());
        }
        let until = if hurry { self.peek_until() } else { self.deadline };
        let found = deadline::by(until, person::of(self, who)).await.map_err(|_| Unreachable)??;
        self.people.borrow_mut().insert(who.name.clone(), found.clone());
        Ok(found)
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        if campaign.as_str() == REWARDS {
            // Rewards also take points. What they cost is known where they are redeemed
            // (`crate::members`); here they are only given back.
            return Box::pin(spend::decide(self, command, |_, _| None)).await;
        }
        self.ask_quotas(campaign, shard, command).await
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        join_all(commands.iter().map(|(shard, command)| self.ledger(campaign, shard, command)))
            .await
    }

    async fn exhausted(&self, campaign: &CampaignId) -> campaign::Mark {
        let read = self.catalogue.read(&mark_key(campaign)).await.ok().flatten();
        read.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    fn region(&self) -> &str {
        self.region
    }

    async fn location(
        &self,
        at: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        let deadline = match command {
            // The ledger has used all the time there was; this is what is left until the till gives up.
            location::Command::Tab(_, tab::Command::Undo(_)) => now().plus_millis(WORD_BUDGET),
            _ => self.deadline,
        };
        // It judges for itself what comes too late: a settlement never does.
        let question = objects::location::At(at.clone(), Message { deadline, command });
        let exchange = ask(self.env, at.as_str(), "", &question, None);
        let reply = heard(self.trace, "LOCATION", at.as_str(), deadline, exchange).await?;
        match reply {
            location::Reply::Late => {
                self.trace.note("unreachable", format!("LOCATION {at}: it was late"));
                Err(Unreachable)
            }
            location::Reply::Unreadable(unreadable) => {
                let detail = unreadable.detail;
                self.trace.note("unreachable", format!("LOCATION {at}: a record: {detail}"));
                Err(Unreachable)
            }
            reply => Ok(reply),
        }
    }

    fn later(&self, clean_up: CleanUp) {
        self.later.borrow_mut().push(clean_up);
    }
}

/// Cleans up once; whether that is done.
pub async fn clean_up_once(env: &Env, left: &CleanUp) -> bool {
    let (trace, later) = (Trace::default(), RefCell::default());
    match Edge::open(env, &trace, &later, now().plus_millis(BUDGET)) {
        Ok(edge) => clean_up(&edge, left).await.is_ok(),
        Err(_) => false,
    }
}

/// Cleans up after an answer has gone out, trying again while something does not answer. What is given
/// up is in the log, and settled by whoever meets it.
pub async fn clean_up_all(env: Env, id: String, left: Vec<CleanUp>) {
    for left in left {
        for wait in CLEAN_UP_WAITS {
            Delay::from(Duration::from_millis(wait)).await;
            let done = clean_up_once(&env, &left).await;
            if done {
                break;
            }
            let (campaign, tab) = (&left.campaign, &left.tab.tab);
            log::warn(
                json!({"id": id, "campaign": campaign, "tab": tab, "outcome": "not cleaned up"}),
            );
        }
    }
}
