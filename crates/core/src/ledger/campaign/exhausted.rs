//! The mark "exhausted": what a ledger publishes so that an INQUIRE need not ask it.
//!
//! A cached "sold out" is safe: at worst a guest is not shown an offer that a reversal has just freed. A
//! cached "available" is not, so there is none, and REDEEM always decides in the ledger. The mark names
//! counters and the ceilings they have reached, so a limit that is raised opens at once, and so does the
//! next day, whose counters are others. Its epoch counts its changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::Command;
use super::rights::Rights;
use super::{Books, Changes};
use crate::ledger::counter::Counter;

/// Counters named in one mark; what comes after is asked for as before.
const MOST: usize = 100;

/// What is exhausted, where that is one count for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How often it has changed.
    pub epoch: u64,
    /// By counter, the ceiling it has reached.
    pub counters: BTreeMap<String, u64>,
}

impl Mark {
    /// Whether nothing is left of a counter, as far as this mark knows.
    #[must_use]
    pub fn covers(&self, counter: &Counter) -> bool {
        self.counters.get(&counter.key).is_some_and(|reached| *reached >= counter.ceiling)
    }
}

/// Brings the mark up to date with what a command has touched.
pub(super) fn update<B: Books>(
    books: &B,
    command: &Command,
    changes: &mut Changes,
) -> Result<(), B::Error> {
    let of = |counters: &mut dyn Iterator<Item = &Counter>| -> Vec<(String, Option<u64>)> {
        // What each guest or code has for himself is no news for the others.
        let shared = counters.filter(|counter| counter.apart.is_nothing());
        shared.map(|counter| (counter.key.clone(), Some(counter.ceiling))).collect()
    };
    let touched = match command {
        Command::Redeem(redeem) => of(&mut redeem.counters.iter()),
        Command::Provide(provide) if !provide.peek => {
            of(&mut provide.provisions.iter().map(|asked| &asked.counter))
        }
        Command::Reverse(_) | Command::Restock(_) => {
            changes.stocks.keys().map(|key| (key.clone(), None)).collect()
        }
        _ => return Ok(()),
    };
    if touched.is_empty() {
        return Ok(());
    }
    let before = books.mark()?;
    let mut mark = before.clone();
    for (key, ceiling) in touched {
        let Some(ceiling) = ceiling.or_else(|| mark.counters.get(&key).copied()) else { continue };
        let stock = match changes.stocks.get(&key) {
            Some(stock) => stock.clone(),
            None => books.stock(&key)?.unwrap_or_default(),
        };
        let exhausted = match &stock.rights {
            None => stock.used >= ceiling,
            Some(Rights::Owner(owner)) => owner.is_exhausted(stock.used, ceiling),
            Some(Rights::Holder(_)) => continue,
        };
        if !exhausted {
            mark.counters.remove(&key);
        } else if mark.counters.len() < MOST || mark.counters.contains_key(&key) {
            mark.counters.insert(key, ceiling);
        }
    }
    if mark != before {
        mark.epoch = mark.epoch.saturating_add(1);
        changes.mark = Some(mark);
    }
    Ok(())
}
