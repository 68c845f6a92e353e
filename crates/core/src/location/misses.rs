//! A location's guard against guessing ([`crate::guard`]), over its rows.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::Unreadable;
use super::store::{Changes, MissRow, Store};
use crate::guard::{self, Limits, Misses};
use crate::ident::TabId;
use crate::time::Instant;

/// What the guard has counted of a tab and of its location.
pub(super) struct Counted {
    tab: Option<(TabId, Misses)>,
    location: Misses,
}

/// Reads what is counted of a tab, if one is named, and of its location.
pub(super) fn read<S: Store>(
    store: &S,
    tab: Option<&TabId>,
) -> Result<Result<Counted, Unreadable>, S::Error> {
    let location = store.misses(None)?;
    let own = match tab {
        Some(tab) => Some((tab, store.misses(Some(tab))?)),
        None => None,
    };
    let counted = || {
        let location = parse(None, location)?;
        let own = own.map(|(tab, text)| Ok((tab.clone(), parse(Some(tab), text)?))).transpose()?;
        Ok(Counted { tab: own, location })
    };
    Ok(counted())
}

fn parse<T: Default + DeserializeOwned>(
    tab: Option<&TabId>,
    text: Option<String>,
) -> Result<T, Unreadable> {
    let unreadable =
        |error: serde_json::Error| Unreadable { tab: tab.cloned(), detail: error.to_string() };
    text.map_or_else(|| Ok(T::default()), |text| serde_json::from_str(&text).map_err(unreadable))
}

impl Counted {
    /// Until when nothing is told on the tab, if nothing is now.
    pub fn locked(&mut self, limits: &Limits, now: Instant) -> Option<Instant> {
        self.hear(limits, 0, now)
    }

    /// Hears of so many misses in one turn. Until when nothing is told, if these must not be: then
    /// they are not all counted, because nobody learns of them.
    pub fn miss(
        mut self,
        limits: &Limits,
        misses: u16,
        now: Instant,
        changes: &mut Changes,
    ) -> Option<Instant> {
        let locked = self.hear(limits, misses, now);
        if misses > 0 {
            let until = now.plus_millis(limits.window);
            let row = |tab, misses: &Misses| MissRow { tab, misses: text(misses), until };
            changes.misses.push(row(None, &self.location));
            if let Some((tab, own)) = self.tab {
                changes.misses.push(row(Some(tab), &own));
            }
        }
        locked
    }

    fn hear(&mut self, limits: &Limits, misses: u16, now: Instant) -> Option<Instant> {
        let tab = self.tab.as_mut().map(|(_, misses)| misses);
        guard::hear(tab, &mut self.location, limits, misses, now)
    }
}

fn text(document: &impl Serialize) -> String {
    // Our own type to memory: it does not fail.
    serde_json::to_string(document).unwrap_or_default()
}
