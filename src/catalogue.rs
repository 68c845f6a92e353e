//! The catalogue: documents in KV, checked, and kept parsed in the isolate.
//!
//! | key | value |
//! |---|---|
//! | `campaign:<id>` | the campaign's document |
//! | `code:<CODE>` | the same document again for a `fixed` code, so that the commonest inquiry is one read; `{"campaign": "<id>"}` for a `listed` one |
//! | `code-prefix:<PREFIX>` | the same document again for `signed` codes; the prefix as it is read, O being 0, I and L being 1 |
//! | `location:<id>` | the location's document |
//! | `instrument:<type>` | the instrument type's document |
//! | `programme` | the loyalty programme's document |
//! | `exhausted:<id>` | what the campaign's ledger says is exhausted; ends by itself after an hour |
//! | `ledger:<id>` | `{}`: this campaign has a ledger, whatever became of its document |
//!
//! What the registry publishes carries its revision ([`copy`]); a document that was put by hand is the bare
//! JSON. Which counts is said in [`renewed`].
//!
//! KV is read every time (it caches at the edge by itself, and a `PUT` is to be visible to the next
//! request); what is saved is the parsing: a document whose bytes are those of last time is the
//! parsed one of last time.

mod renewed;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::rc::Rc;

use futures_util::future::join_all;
use promo_core::campaign::Campaign;
use promo_core::checkout::resolve::{Documents, Entry, Key};
use promo_core::fault::Faults;
use promo_core::ident::{CampaignId, LocationId, TypeCode};
use promo_core::issuance::InstrumentType;
use promo_core::location::Location;
use promo_core::loyalty::programme::Programme;
use promo_core::registry::copy;
pub use promo_core::registry::keys::{
    PROGRAMME_KEY, campaign_key, code_key, instrument_key, location_key, prefix_key,
};
use promo_core::time::Instant;
use renewed::Renewed;
pub use renewed::{Stored, is_known_now};
use serde::Deserialize;
use worker::{Env, KvError, KvStore};

use crate::deadline::{self, TimedOut};
use crate::http::{Trace, now};

/// The binding of the KV namespace.
pub const OFFERS: &str = "OFFERS";
/// Parsed documents kept in an isolate; past that it starts afresh.
const KEPT: usize = 512;

/// Keys that KV reads at once.
const BULK: usize = 100;

/// The bytes of a programme, and what they say.
type KeptProgramme = (Vec<u8>, Result<Rc<Programme>, Rc<Faults>>);

/// Why it is not known what the loyalty programme says.
pub enum NoProgramme {
    /// KV cannot be read.
    Kv(KvFailure),
    /// The document has faults: it was not put by the route that would have refused it.
    Broken(Rc<Faults>),
}

impl fmt::Display for NoProgramme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kv(error) => write!(f, "KV: {error}"),
            Self::Broken(faults) => write!(f, "{PROGRAMME_KEY}: {faults}"),
        }
    }
}

thread_local! {
    static PROGRAMME: RefCell<Option<KeptProgramme>> = const { RefCell::new(None) };
    static PARSED: RefCell<HashMap<String, (Vec<u8>, Entry)>> = RefCell::new(HashMap::new());
}

/// Why KV did not do what it was asked.
#[derive(Debug)]
pub enum KvFailure {
    /// It said so.
    Failed(KvError),
    /// It said nothing in time.
    TimedOut(TimedOut),
}

impl From<KvError> for KvFailure {
    fn from(error: KvError) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for KvFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TimedOut(timed_out) => timed_out.fmt(f),
        }
    }
}

/// The catalogue as one request reads it.
pub struct Catalogue<'a> {
    env: &'a Env,
    kv: KvStore,
    /// By when KV must have answered everything this request asks.
    deadline: Instant,
    trace: &'a Trace,
    /// What this request has read ahead.
    seen: RefCell<HashMap<String, Option<Vec<u8>>>>,
    renewed: Renewed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    campaign: CampaignId,
}

impl<'a> Catalogue<'a> {
    /// Opens the catalogue. Past the deadline every wait for KV is given up.
    ///
    /// # Errors
    /// When the deployment has no such namespace.
    pub fn open(env: &'a Env, trace: &'a Trace, deadline: Instant) -> worker::Result<Self> {
        let (seen, renewed) = (RefCell::default(), Renewed::default());
        Ok(Self { env, kv: env.kv(OFFERS)?, deadline, trace, seen, renewed })
    }

    /// Asks KV, and counts how long that took.
    async fn timed<T>(
        &self,
        asked: impl Future<Output = Result<T, KvError>>,
    ) -> Result<T, KvFailure> {
        let start = now();
        let answer = deadline::by(self.deadline, asked).await;
        self.trace.kv_since(start);
        Ok(answer.map_err(KvFailure::TimedOut)??)
    }

    /// A campaign by its id, or what is wrong with its document.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn campaign(
        &self,
        id: &CampaignId,
    ) -> Result<Option<Result<Rc<Campaign>, Rc<Faults>>>, KvFailure> {
        Ok(self.counting_entry(&campaign_key(id)).await?.map(|entry| match entry {
            Entry::Campaign(campaign) => Ok(campaign),
            Entry::Broken(faults) => Err(faults),
            Entry::Pointer(_) => Err(Rc::new(Faults::one("", "this is no campaign"))),
        }))
    }

    /// A location's document, an empty one where there is none or none that can be used; and in the
    /// same wait the programme, which says how guests are told apart, and another entry that will be
    /// asked for next.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn location_and(
        &self,
        id: &LocationId,
        key: Option<String>,
    ) -> Result<Location, KvFailure> {
        let mut keys = vec![location_key(id), PROGRAMME_KEY.to_owned()];
        keys.extend(key);
        keys.retain(|key| !self.seen.borrow().contains_key(key));
        let reads = keys.iter().map(async |key| self.kv.get(key).bytes().await);
        let all = self.timed(async { Ok(join_all(reads).await) }).await?;
        for (key, json) in keys.into_iter().zip(all) {
            self.seen.borrow_mut().insert(key, json?);
        }
        let Some(json) = self.read(&location_key(id)).await? else {
            return Ok(Location::default());
        };
        Ok(Location::from_json(copy::read(&json).1).unwrap_or_else(|faults| {
            self.trace.note("catalogue", format!("{}: {faults}", location_key(id)));
            Location::default()
        }))
    }

    /// An instrument type, or what is wrong with its document.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn instrument_type(
        &self,
        code: &TypeCode,
    ) -> Result<Option<Result<InstrumentType, Faults>>, KvFailure> {
        let json = self.read(&instrument_key(code)).await?;
        Ok(json.map(|json| InstrumentType::from_json(copy::read(&json).1)))
    }

    /// A page of the codes of all instrument types, and where the next one starts.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn instrument_types(
        &self,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<(Vec<TypeCode>, Option<String>), KvFailure> {
        let (names, cursor) = self.names("instrument:", cursor, limit).await?;
        Ok((names.iter().filter_map(|name| TypeCode::parse(name).ok()).collect(), cursor))
    }

    /// The loyalty programme, if there is one. It is read once a request.
    ///
    /// # Errors
    /// When KV cannot be read, or what is there is no programme: that is not the same as none.
    pub async fn programme(&self) -> Result<Option<Rc<Programme>>, NoProgramme> {
        let json = self.read(PROGRAMME_KEY).await.map_err(NoProgramme::Kv)?;
        self.seen.borrow_mut().insert(PROGRAMME_KEY.to_owned(), json.clone());
        let Some(json) = json else { return Ok(None) };
        let kept = PROGRAMME.with_borrow(|kept| {
            kept.as_ref()
                .filter(|(bytes, _)| *bytes == json)
                .map(|(_, programme)| programme.clone())
        });
        let programme = kept.unwrap_or_else(|| {
            let programme = Programme::from_json(copy::read(&json).1).map(Rc::new).map_err(Rc::new);
            PROGRAMME.set(Some((json, programme.clone())));
            programme
        });
        programme.map(Some).map_err(NoProgramme::Broken)
    }

    /// An entry's bytes.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, KvFailure> {
        if let Some(json) = self.seen.borrow().get(key) {
            return Ok(json.clone());
        }
        self.timed(self.kv.get(key).bytes()).await
    }

    /// Which of these keys have an entry, asked many at once.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn stored(&self, keys: &[String]) -> Result<HashSet<String>, KvFailure> {
        let asked = keys.chunks(BULK).map(|keys| self.kv.get_bulk(keys).text());
        let found = self.timed(async { Ok(join_all(asked).await) }).await?;
        let mut stored = HashSet::new();
        for found in found {
            stored.extend(found?.into_iter().filter_map(|(key, json)| json.map(|_| key)));
        }
        Ok(stored)
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// When KV cannot be written.
    pub async fn write(&self, key: &str, json: &[u8]) -> Result<(), KvFailure> {
        self.timed(self.kv.put_bytes(key, json)?.execute()).await
    }

    /// A page of the ids of all campaigns, and where the next one starts.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn campaign_ids(
        &self,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<(Vec<CampaignId>, Option<String>), KvFailure> {
        self.ids("campaign:", cursor, limit).await
    }

    /// A page of the campaigns that have a ledger, whatever became of their documents.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn ledger_ids(
        &self,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<(Vec<CampaignId>, Option<String>), KvFailure> {
        self.ids("ledger:", cursor, limit).await
    }

    async fn ids(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<(Vec<CampaignId>, Option<String>), KvFailure> {
        let (names, cursor) = self.names(prefix, cursor, limit).await?;
        Ok((names.iter().filter_map(|name| CampaignId::parse(name).ok()).collect(), cursor))
    }

    /// A page of the keys that begin so, without their beginning.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn names(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<(Vec<String>, Option<String>), KvFailure> {
        let mut list = self.kv.list().prefix(prefix.to_owned()).limit(limit);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = self.timed(list.execute()).await?;
        let names = page.keys.iter().filter_map(|key| key.name.strip_prefix(prefix));
        let names = names.map(str::to_owned).collect();
        Ok((names, if page.list_complete { None } else { page.cursor }))
    }

    async fn counting_entry(&self, key: &str) -> Result<Option<Entry>, KvFailure> {
        let stored = self.stored_entry(key).await?;
        Ok(self.counting(key, stored).await)
    }

    async fn stored_entry(&self, key: &str) -> Result<Option<Entry>, KvFailure> {
        let Some(json) = self.read(key).await? else {
            return Ok(None);
        };
        let kept = PARSED.with_borrow(|parsed| {
            parsed.get(key).filter(|(bytes, _)| *bytes == json).map(|(_, entry)| entry.clone())
        });
        if let Some(entry) = kept {
            return Ok(Some(entry));
        }
        let entry = parse(&json);
        PARSED.with_borrow_mut(|parsed| {
            if parsed.len() >= KEPT {
                parsed.clear();
            }
            parsed.insert(key.to_owned(), (json, entry.clone()));
        });
        Ok(Some(entry))
    }
}

impl Documents for Catalogue<'_> {
    type Error = KvFailure;

    async fn entry(&self, key: Key<'_>) -> Result<Option<Entry>, KvFailure> {
        let key = match key {
            Key::Campaign(id) => campaign_key(id),
            Key::Code(code) => code_key(code),
            Key::Prefix(folded) => prefix_key(folded),
        };
        self.counting_entry(&key).await
    }
}

fn parse(value: &[u8]) -> Entry {
    let (revision, json) = copy::read(value);
    if let Ok(pointer) = serde_json::from_slice::<Pointer>(json) {
        return Entry::Pointer(pointer.campaign);
    }
    match Campaign::from_json(json) {
        Ok(campaign) => Entry::Campaign(Rc::new(match revision {
            Some(revision) => campaign.at_revision(revision),
            None => campaign,
        })),
        Err(faults) => Entry::Broken(Rc::new(faults)),
    }
}

/// The key of what a ledger says is exhausted.
pub fn mark_key(id: &CampaignId) -> String {
    format!("exhausted:{id}")
}

/// The key under which a ledger is listed.
pub fn ledger_key(id: &CampaignId) -> String {
    format!("ledger:{id}")
}
