//! How a request reaches the numbers of cards and coupons: what one leads to at a till, and the pool
//! it is in.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::{join, join_all};
use promo_core::campaign::Campaign;
use promo_core::checkout::{Instrument, Person, Unreachable};
use promo_core::code::signed::Prefix;
use promo_core::ident::{CodeKey, TypeCode};
use promo_core::issuance::Number;
use promo_core::issuance::document::Availability;
use promo_core::issuance::pool::{Command, Holder, Reply, State};
use promo_core::loyalty::MemberId;
use promo_core::time::Instant;

use super::Edge;
use crate::catalogue::KvFailure;
use crate::http::now;
use crate::objects::{NUMBERS, POOL, numbers, pool};
use crate::settings::Defaults;

/// What an operator's upload may take, in milliseconds.
const UPLOAD: i64 = 25_000;

impl Edge<'_> {
    /// What a number leads to, if it is that of a card or coupon that counts now.
    ///
    /// # Errors
    /// When its objects or KV cannot be reached.
    pub(super) async fn look_up(
        &self,
        number: &CodeKey,
    ) -> Result<Option<(Rc<Campaign>, Instrument)>, Unreachable> {
        let Some(code) = self.type_of(number).await? else { return Ok(None) };
        let question = pool::Question::Find(number.clone());
        let (found, document) =
            join(self.ask_pool(&code, &question), self.catalogue.instrument_type(&code)).await;
        let document = document.map_err(|error| self.silent(&error))?;
        let (pool::Answer::Found(Some(found)), Some(Ok(document))) = (found?, document) else {
            return Ok(None);
        };
        let Some(given) = found.given.filter(|given| given.state() == State::Active) else {
            return Ok(None);
        };
        let zone = Defaults::read(self.env).map_err(|_| Unreachable)?.zone;
        if let Availability::Over(since) = document.availability(now(), &zone) {
            self.trace.note("instrument", format!("type {code} is over since {since}"));
            return Ok(None);
        }
        let campaign = self.catalogue.campaign(&document.campaign).await;
        let Some(Ok(campaign)) = campaign.map_err(|error| self.silent(&error))? else {
            let what = format!("type {code} names campaign {}, which is none", document.campaign);
            self.trace.note("instrument", what);
            return Ok(None);
        };
        self.trace.note("instrument", code.as_str());
        let customer = person(given.holder);
        let instrument = Instrument { code, kind: document.kind, customer };
        Ok(Some((campaign, instrument)))
    }

    async fn type_of(&self, number: &CodeKey) -> Result<Option<TypeCode>, Unreachable> {
        let question = numbers::Question::Find(number.clone());
        let shelf = numbers::shelf(number);
        match self.ask(NUMBERS, &shelf, "", &question, self.deadline).await? {
            numbers::Answer::Found(code) => Ok(code),
            _ => Err(Unreachable),
        }
    }

    /// The customer who was given an active number.
    ///
    /// # Errors
    /// When its objects cannot be reached.
    pub async fn holder_of(&self, number: &CodeKey) -> Result<Option<Holder>, Unreachable> {
        let Some(code) = self.type_of(number).await? else { return Ok(None) };
        let question = pool::Question::Find(number.clone());
        let pool::Answer::Found(found) = self.ask_pool(&code, &question).await? else {
            return Err(Unreachable);
        };
        let given = found.and_then(|found| found.given);
        Ok(given.filter(|given| given.state() == State::Active).map(|given| given.holder))
    }

    pub(super) fn silent(&self, error: &KvFailure) -> Unreachable {
        self.trace.note("unreachable", format!("KV: {error}"));
        Unreachable
    }

    /// Asks the pool of a type.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ask_pool(
        &self,
        code: &TypeCode,
        question: &pool::Question,
    ) -> Result<pool::Answer, Unreachable> {
        self.ask(POOL, code.as_str(), "", question, self.deadline).await
    }

    /// Has the pool of a type decide a command.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn decide(&self, code: &TypeCode, command: Command) -> Result<Reply, Unreachable> {
        let deadline = match command {
            Command::Add(_) | Command::Withdraw(_) => now().plus_millis(UPLOAD),
            _ => self.deadline,
        };
        let question = pool::Question::Decide(command);
        match self.ask(POOL, code.as_str(), "", &question, deadline).await? {
            pool::Answer::Decided(reply, rows_read) => {
                self.trace.note("rows_read", rows_read);
                Ok(reply)
            }
            _ => Err(Unreachable),
        }
    }

    /// Which of these numbers belong to another type than this. With `claim`, and if none does, they
    /// belong to this one from now on.
    ///
    /// # Errors
    /// When any of their objects cannot be reached; those reached may have been claimed.
    pub async fn claim(
        &self,
        code: &TypeCode,
        numbers: &[(u64, Number)],
        claim: bool,
    ) -> Result<Vec<(CodeKey, TypeCode)>, Unreachable> {
        let keys = numbers.iter().map(|(_, number)| number.key());
        let question = |keys| match claim {
            true => numbers::Question::Claim(code.clone(), keys),
            false => numbers::Question::Others(code.clone(), keys),
        };
        let mut others = Vec::new();
        for answer in self.ask_shelves(keys, question).await {
            match answer? {
                numbers::Answer::Others(more) => others.extend(more),
                _ => return Err(Unreachable),
            }
        }
        Ok(others)
    }

    /// Which of these are numbers of a type, and of which.
    ///
    /// # Errors
    /// When any of their objects cannot be reached.
    pub async fn numbers_among(
        &self,
        keys: &[CodeKey],
    ) -> Result<Vec<(CodeKey, TypeCode)>, Unreachable> {
        let mut found = Vec::new();
        for answer in self.ask_shelves(keys.iter(), numbers::Question::Types).await {
            match answer? {
                numbers::Answer::Others(more) => found.extend(more),
                _ => return Err(Unreachable),
            }
        }
        Ok(found)
    }

    /// Some of the numbers that would be taken for signed codes with this prefix.
    ///
    /// # Errors
    /// When any of their objects cannot be reached.
    pub async fn numbers_like(
        &self,
        prefix: &Prefix,
    ) -> Result<Vec<(CodeKey, TypeCode)>, Unreachable> {
        let question = numbers::Question::LookingSigned(prefix.folded());
        let deadline: Instant = now().plus_millis(UPLOAD);
        let shelves = numbers::shelves();
        let asked = shelves.iter().map(|shelf| self.ask(NUMBERS, shelf, "", &question, deadline));
        let mut found = Vec::new();
        for answer in join_all(asked).await {
            match answer? {
                numbers::Answer::Others(more) => found.extend(more),
                _ => return Err(Unreachable),
            }
        }
        Ok(found)
    }

    /// These numbers are no longer this type's; returns how many were.
    ///
    /// # Errors
    /// When any of their objects cannot be reached.
    pub async fn release(&self, code: &TypeCode, keys: &[CodeKey]) -> Result<u64, Unreachable> {
        let question = |keys| numbers::Question::Release(code.clone(), keys);
        let mut released = 0_u64;
        for answer in self.ask_shelves(keys.iter(), question).await {
            match answer? {
                numbers::Answer::Released(more) => released = released.saturating_add(more),
                _ => return Err(Unreachable),
            }
        }
        Ok(released)
    }

    /// Asks each object for those of the numbers that it knows.
    async fn ask_shelves<'k>(
        &self,
        keys: impl Iterator<Item = &'k CodeKey>,
        question: impl Fn(Vec<CodeKey>) -> numbers::Question,
    ) -> Vec<Result<numbers::Answer, Unreachable>> {
        let mut shelves: BTreeMap<String, Vec<CodeKey>> = BTreeMap::new();
        for key in keys {
            shelves.entry(numbers::shelf(key)).or_default().push(key.clone());
        }
        let deadline: Instant = now().plus_millis(UPLOAD);
        let asked = shelves.into_iter().map(|(shelf, keys)| (shelf, question(keys)));
        let asked = asked.map(async |(shelf, question)| {
            self.ask(NUMBERS, &shelf, "", &question, deadline).await
        });
        join_all(asked).await
    }
}

/// The customer who has a number, as quotas count one. Numbers given out before were counted by the
/// pseudonym.
fn person(holder: Holder) -> Person {
    let Holder { member, pseudonym } = holder;
    match MemberId::parse(&member) {
        Some(id) => Person { also: vec![pseudonym], ..Person::member(&id) },
        None => Person { name: pseudonym, ..Person::default() },
    }
}
