//! The registry's publisher: from the outbox to KV and to the ledgers.
//!
//! The object publishes by its alarm, and nobody else does, so that there is one publisher at a time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use promo_core::ident::CampaignId;
use promo_core::ledger::campaign::{Command, Reply};
use promo_core::ledger::shard::Shard;
use promo_core::registry::{self, Publication, Published};
use promo_core::revision::Announcement;
use worker::{Delay, Env, KvStore};

use super::super::object::Access;
use super::rows::{self, Rows};
use crate::catalogue::OFFERS;
use crate::ports::command_ledger;

/// What one object or one write may take, in milliseconds.
const BUDGET: u64 = 5000;
/// Objects of a ledger that are told at once.
const AT_ONCE: usize = 50;
/// What is sent out for one alarm: the platform allows it a thousand requests. The rest is for the next.
const MOST: usize = 700;

/// Publishes until nothing is due, or enough was done for one alarm.
pub async fn publish(object: &Access) -> worker::Result<()> {
    let mut sent = 0;
    while sent < MOST {
        let due = object.turn(|turn| registry::due(&Rows(turn.sql), turn.now))?;
        if due.is_empty() {
            break;
        }
        let done = join_all(due.iter().map(|publication| perform(&object.env, publication))).await;
        for (done, requests) in done {
            sent = sent.saturating_add(requests);
            object.turn(move |turn| {
                let changes = registry::published(&Rows(turn.sql), &done, turn.now)?;
                rows::write(turn, changes)
            })?;
        }
    }
    Ok(())
}

/// Does what can be done of a publication; returns how many requests that took.
async fn perform(env: &Env, publication: &Publication) -> (Published, usize) {
    let (heard, (mut done, failed)) =
        join(announce(env, publication), write(env, publication)).await;
    let (announced, told) = match heard {
        Ok(told) => (true, told),
        Err(error) => {
            warn(publication, &format!("its ledger: {error}"));
            (false, 0)
        }
    };
    done.announced = announced;
    done.failed = failed || !announced;
    let written = publication.write.len().saturating_add(publication.remove.len());
    (done, written.saturating_add(told))
}

fn warn(publication: &Publication, what: &str) {
    let problem = format!("{} is not published yet: {what}", publication.key);
    worker::console_warn!("{}", serde_json::json!({"problem": problem}));
}

/// Tells the root of the campaign's ledger, and then everybody the root knows; returns how many.
async fn announce(env: &Env, publication: &Publication) -> worker::Result<usize> {
    let Some(announcement) = publication.announce else { return Ok(0) };
    let Some(campaign) = publication.key.as_campaign() else { return Ok(0) };
    let roster = tell(env, &campaign, &Shard::root(), announcement).await?;
    for shards in roster.chunks(AT_ONCE) {
        let told = shards.iter().map(|shard| tell(env, &campaign, shard, announcement));
        for told in join_all(told).await {
            told?;
        }
    }
    Ok(roster.len().saturating_add(1))
}

async fn tell(
    env: &Env,
    campaign: &CampaignId,
    shard: &Shard,
    announcement: Announcement,
) -> worker::Result<Vec<Shard>> {
    let command = Command::Announce(announcement);
    match within(command_ledger(env, campaign, shard, &command)).await? {
        Reply::Announced(roster) => Ok(roster),
        _ => Err("it answered something else".into()),
    }
}

/// Writes and removes entries of KV; returns what was done, and whether something failed.
async fn write(env: &Env, publication: &Publication) -> (Published, bool) {
    let mut done = Published {
        key: publication.key.clone(),
        revision: publication.revision,
        announced: false,
        written: Vec::new(),
        removed: Vec::new(),
        failed: false,
    };
    let kv = match env.kv(OFFERS) {
        Ok(kv) => kv,
        Err(error) => {
            warn(publication, &error.to_string());
            return (done, true);
        }
    };
    let value = publication.value.as_deref().unwrap_or_default();
    let writes = publication.write.iter().map(|key| within(put(&kv, key, value)));
    let removes = publication.remove.iter().map(|key| within(remove(&kv, key)));
    let (written, removed) = join(join_all(writes), join_all(removes)).await;
    let mut failed = false;
    let mut sort = |keys: &[String], results: Vec<worker::Result<()>>| {
        let mut good = Vec::new();
        for (key, result) in keys.iter().zip(results) {
            match result {
                Ok(()) => good.push(key.clone()),
                Err(error) => {
                    failed = true;
                    warn(publication, &format!("{key}: {error}"));
                }
            }
        }
        good
    };
    done.written = sort(&publication.write, written);
    done.removed = sort(&publication.remove, removed);
    (done, failed)
}

async fn put(kv: &KvStore, key: &str, value: &str) -> worker::Result<()> {
    let put = kv.put_bytes(key, value.as_bytes()).map_err(|error| error.to_string())?;
    put.execute().await.map_err(|error| error.to_string().into())
}

async fn remove(kv: &KvStore, key: &str) -> worker::Result<()> {
    kv.delete(key).await.map_err(|error| error.to_string().into())
}

async fn within<T>(work: impl Future<Output = worker::Result<T>>) -> worker::Result<T> {
    match select(pin!(work), Delay::from(Duration::from_millis(BUDGET))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(format!("no answer within {BUDGET} ms").into()),
    }
}
