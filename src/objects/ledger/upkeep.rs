//! What an object of a ledger does besides deciding: it makes itself known, folds what is too old to be
//! kept apart into totals.
//!
//! None of it changes what a counter has counted, so no promise of the ledger depends on it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use promo_core::campaign::RETENTION_DAYS;
use promo_core::ident::CampaignId;
use promo_core::ledger::campaign::{Command, Mark, TabRecord, Totals};
use promo_core::ledger::shard::Shard;
use promo_core::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use worker::{Delay, SqlStorage, SqlStorageValue};

use super::super::store::{first_document, in_one_transaction, rows, write};
use super::Ledger;
use crate::catalogue::{self, ledger_key, mark_key};
use crate::deadline;
use crate::http::{log, now};

/// What the object knows of the others.
pub const SIBLINGS: &str = "siblings";
/// For how many days redemptions are kept apart, as the last REDEEM said.
const KEEP_DAYS: &str = "keep_days";
/// The ledger is in the catalogue.
const LISTED: &str = "listed";
/// What is exhausted.
pub const MARK: &str = "mark";
/// Which revision of the campaign's document was announced.
pub const ANNOUNCED: &str = "announced";
/// When the last sweep was, in milliseconds.
const SWEPT: &str = "swept";
/// [`Totals`].
const TOTALS: &str = "totals";

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;
/// The longest window that starts again is a month: its counter is not dropped while it may count.
const WINDOW_DAYS: i64 = 62;
/// For how many seconds what was published as exhausted holds: should the message that it is free again be
/// lost, this is how long guests of a `fast` campaign are not shown it.
const MARK_LASTS: u64 = 3600;
/// After how many milliseconds it is published again while somebody asks.
const MARK_DUE: i64 = 1_800_000;
/// For how many milliseconds KV is waited for.
const PATIENCE: i64 = 10_000;
/// Tabs folded in one turn.
const FOLDED: u32 = 500;

/// What is being done about the mark.
#[derive(Default)]
pub struct Publishing {
    /// A task is at it.
    busy: Cell<bool>,
    /// It has changed since that task last read it.
    again: Cell<bool>,
    /// When it was last published.
    last: Cell<Option<Instant>>,
}

impl Publishing {
    /// Whether it is time to publish it once more, though it has not changed.
    pub fn is_due(&self) -> bool {
        !self.busy.get() && self.last.get().is_none_or(|at| at.plus_millis(MARK_DUE) < now())
    }
}

/// A fact that is kept.
pub fn fact<T: DeserializeOwned>(sql: &SqlStorage, name: &str) -> worker::Result<Option<T>> {
    first_document(sql, "SELECT value FROM fact WHERE name = ?", vec![name.into()])
}

/// Keeps a fact; returns the rows written.
pub fn note<T: Serialize>(sql: &SqlStorage, name: &str, value: &T) -> worker::Result<u64> {
    let query = "INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)";
    write(sql, query, vec![name.into(), serde_json::to_string(value)?.into()])
}

/// What redemptions that are no longer kept apart come to.
pub fn totals(sql: &SqlStorage) -> worker::Result<Totals> {
    Ok(fact(sql, TOTALS)?.unwrap_or_default())
}

impl Ledger {
    /// Publishes what is exhausted; one task at a time, so that an older one never comes last.
    pub(super) fn publish(&self, campaign: &CampaignId, changed: bool) {
        let (Ok(kv), Ok(sql)) = (self.env.kv(catalogue::OFFERS), self.sql()) else { return };
        let publishing = Rc::clone(&self.publishing);
        publishing.last.set(Some(now()));
        let nothing =
            || fact(&sql, MARK).ok().flatten().is_none_or(|m: Mark| m.counters.is_empty());
        if !changed && nothing() {
            return;
        }
        publishing.again.set(true);
        if publishing.busy.replace(true) {
            return;
        }
        let key = mark_key(campaign);
        self.state.wait_until(async move {
            while publishing.again.replace(false) {
                let mark: Mark = fact(&sql, MARK).ok().flatten().unwrap_or_default();
                let put = async {
                    if mark.counters.is_empty() {
                        return kv.delete(&key).await;
                    }
                    // `put` would make a JavaScript `Map` of it, which JSON writes as `{}`.
                    let json = serde_json::to_string(&mark).unwrap_or_default();
                    kv.put(&key, json)?.expiration_ttl(MARK_LASTS).execute().await
                };
                let put = deadline::by(now().plus_millis(PATIENCE), put).await;
                let failed = match put {
                    Ok(put) => put.err().map(|error| error.to_string()),
                    Err(timed_out) => Some(timed_out.to_string()),
                };
                if let Some(error) = failed {
                    log::warn(json!({"problem": format!("{key} could not be published: {error}")}));
                }
                // KV takes one write a second for a key.
                Delay::from(Duration::from_secs(1)).await;
            }
            publishing.busy.set(false);
        });
    }

    /// Notes for how long redemptions are kept apart, as often as a campaign says otherwise.
    pub(super) fn heed(&self, command: &Command) -> worker::Result<()> {
        let Command::Redeem(redeem) = command else { return Ok(()) };
        if redeem.only_asks() {
            return Ok(());
        }
        let days = Some(redeem.keep_days);
        if self.keep_days.replace(days) == days {
            return Ok(());
        }
        let sql = self.sql()?;
        if fact(&sql, KEEP_DAYS)? != days {
            note(&sql, KEEP_DAYS, &redeem.keep_days)?;
        }
        Ok(())
    }

    /// Once after it woke, when it has first written: everything here may be lost and is done again.
    pub(super) async fn tend(&self, campaign: CampaignId, me: &Shard) -> worker::Result<()> {
        let sql = self.sql()?;
        let storage = self.state.storage();
        match fact::<i64>(&sql, SWEPT)? {
            None => {
                note(&sql, SWEPT, &now().millis())?;
                storage.set_alarm(DAY).await?;
            }
            // The alarm was lost, or gave up.
            Some(swept) if swept < now().millis().saturating_sub(DAY.saturating_mul(2)) => {
                self.sweep().await?;
            }
            Some(_) => {}
        }
        if me.is_root() && fact::<bool>(&sql, LISTED)?.is_none() {
            // Whoever must find every ledger, also of a campaign that was put by hand or is gone.
            let kv = self.env.kv(catalogue::OFFERS)?;
            self.state.wait_until(async move {
                let key = ledger_key(&campaign);
                let done = async { kv.put(&key, "{}")?.execute().await };
                let done = deadline::by(now().plus_millis(PATIENCE), done).await;
                if matches!(done, Ok(Ok(()))) {
                    // Should this fail, it is listed once more.
                    let _ = note(&sql, LISTED, &true);
                }
            });
        }
        Ok(())
    }

    /// Folds what is too old, a part at a time, and comes back for the rest.
    pub(super) async fn sweep(&self) -> worker::Result<()> {
        let sql = self.sql()?;
        // Who was never told has no redemptions: the root of a divided ledger.
        let days = fact::<u32>(&sql, KEEP_DAYS)?.unwrap_or(RETENTION_DAYS);
        let days = i64::from(days);
        let before = now().millis().saturating_sub(days.saturating_mul(DAY));
        let old = format!("SELECT location, tab, record FROM tab WHERE updated < ? LIMIT {FOLDED}");
        let old: Vec<[String; 3]> = rows(&sql, &old, vec![SqlStorageValue::try_from_i64(before)?])?;
        let more = old.len() >= usize::try_from(FOLDED).unwrap_or(usize::MAX);
        let mut folded = totals(&sql)?;
        for [_, _, record] in &old {
            folded.fold(&serde_json::from_str::<TabRecord>(record)?);
        }
        let windows = before.min(now().millis().saturating_sub(WINDOW_DAYS.saturating_mul(DAY)));
        let windows = SqlStorageValue::try_from_i64(windows)?;
        in_one_transaction(&self.state, move || {
            let mut changed = 0_u64;
            for [location, tab, _] in old {
                let query = "DELETE FROM tab WHERE location = ? AND tab = ?";
                changed =
                    changed.saturating_add(write(&sql, query, vec![location.into(), tab.into()])?);
            }
            note(&sql, SWEPT, &now().millis())?;
            if changed > 0 {
                note(&sql, TOTALS, &folded)?;
            }
            let query = "DELETE FROM counter WHERE updated < ? AND instr(key, '|total|total|') = 0";
            write(&sql, query, vec![windows])
        })?;
        self.state.storage().set_alarm(if more { 1000 } else { DAY }).await
    }
}
