//! What is noted while a request is answered: where the time went, and what was decided.

use std::cell::RefCell;

use promo_core::checkout::{Inquired, Redeemed, Reversed};
use promo_core::guard::Lock;
use promo_core::time::Instant;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::now;

/// Notes taken on the way, for `Server-Timing` and for the log line.
#[derive(Default)]
pub struct Trace {
    kv: RefCell<i64>,
    ledger: RefCell<i64>,
    rows_written: RefCell<u64>,
    notes: RefCell<Map<String, Value>>,
}

impl Trace {
    /// Notes something for the log line. Never a secret, never a customer's phone or e-mail.
    pub fn note(&self, key: &str, value: impl Into<Value>) {
        self.notes.borrow_mut().insert(key.to_owned(), value.into());
    }

    /// Notes how an INQUIRE ended.
    pub fn note_inquired(&self, inquired: &Inquired) {
        match inquired {
            Inquired::Offers(quotes) => {
                self.note("outcome", "offered");
                self.note("campaign", quotes.first().map(|quote| quote.campaign.as_str()));
            }
            Inquired::Refused { campaign, reason, detail } => {
                self.note("outcome", "refused");
                self.note("campaign", campaign.as_ref().map(|campaign| campaign.id().as_str()));
                self.note("reason", reason.as_str());
                self.note("detail", detail.as_str());
            }
            Inquired::Locked(lock) => self.note_locked(*lock),
        }
    }

    /// Notes that nothing was told on a locked tab.
    pub fn note_locked(&self, lock: Lock) {
        self.note("outcome", "locked");
        let silent = lock == Lock::Silent;
        self.note("reason", if silent { "guard_silent" } else { "too_many_misses" });
    }

    /// Notes how a REDEEM ended.
    pub fn note_redeemed(&self, redeemed: &Redeemed) {
        if let Some(lock) = redeemed.locked {
            return self.note_locked(lock);
        }
        let applied: Vec<Value> =
            redeemed.applied.iter().map(|quote| quote.offer_id.to_string().into()).collect();
        self.note("outcome", if applied.is_empty() { "rejected" } else { "applied" });
        self.note("applied", applied);
        let rejected = redeemed.rejected.iter().map(|rejection| {
            json!({"offer_id": rejection.offer_id, "reason": rejection.reason.as_str(),
                "detail": rejection.detail})
        });
        self.note("rejected", rejected.collect::<Vec<_>>());
    }

    /// Notes how a reversal ended.
    pub fn note_reversed(&self, reversed: &Reversed) {
        let given_back: Vec<Value> =
            reversed.reversed.iter().map(|offer| offer.to_string().into()).collect();
        self.note("outcome", "reversed");
        self.note("reversed", given_back);
    }

    /// Where a request's time went, which took so many milliseconds in all.
    pub fn spent(&self, total: i64) -> Spent {
        let (kv, ledger) = (*self.kv.borrow(), *self.ledger.borrow());
        let decide = total.saturating_sub(kv).saturating_sub(ledger).max(0);
        Spent { kv, ledger, decide }
    }

    /// What was noted.
    pub fn notes(&self) -> Map<String, Value> {
        let mut notes = self.notes.borrow().clone();
        notes.insert("rows_written".to_owned(), (*self.rows_written.borrow()).into());
        notes
    }

    /// Counts rows that ledgers and tabs have written: the platform bills them.
    pub fn wrote(&self, rows: u64) {
        let total = self.rows_written.borrow().saturating_add(rows);
        self.rows_written.replace(total);
    }

    /// Counts the time since `start` as spent on KV.
    pub fn kv_since(&self, start: Instant) {
        add(&self.kv, start);
    }

    /// Counts the time since `start` as spent on ledgers and tabs.
    pub fn ledger_since(&self, start: Instant) {
        add(&self.ledger, start);
    }
}

/// Milliseconds by part. The runtime's clock stands still between I/O, so `decide` is what the rest
/// of the request waited for, and mostly 0.
#[derive(Serialize)]
pub struct Spent {
    kv: i64,
    ledger: i64,
    decide: i64,
}

impl Spent {
    /// The value of `Server-Timing`.
    pub fn server_timing(&self) -> String {
        let Self { kv, ledger, decide } = self;
        format!("kv;dur={kv}, ledger;dur={ledger}, decide;dur={decide}")
    }
}

fn add(part: &RefCell<i64>, start: Instant) {
    let spent = now().millis().saturating_sub(start.millis());
    let total = part.borrow().saturating_add(spent);
    part.replace(total);
}
