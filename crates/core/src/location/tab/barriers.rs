//! Reversals of offers whose campaigns never stood on a tab.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::OfferRef;
use crate::time::Instant;

/// Barriers kept apart. Past that the earliest one stands for every offer: a REDEEM that was received
/// before it and is still on its way is refused, though perhaps nobody reversed it.
const KEPT: usize = 128;

/// Up to which instant offers were reversed before their campaigns claimed anything. Bounded, whatever
/// is reversed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barriers {
    /// By offer, its latest reversal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<OfferRef, Instant>,
    /// The latest barrier that is no longer kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folded: Option<Instant>,
}

impl Barriers {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.folded.is_none()
    }

    /// An offer was reversed at that instant; returns whether that is news.
    pub(super) fn raise(&mut self, offer: OfferRef, received: Instant) -> bool {
        let before = self.covering(&offer);
        if before >= Some(received) {
            return false;
        }
        self.kept.insert(offer, received);
        self.fold();
        true
    }

    /// Takes over all of another tab.
    pub(super) fn join(&mut self, other: Self) {
        for (offer, received) in other.kept {
            let latest = self.kept.get(&offer).copied().max(Some(received)).unwrap_or(received);
            self.kept.insert(offer, latest);
        }
        self.folded = self.folded.max(other.folded);
        self.fold();
    }

    fn fold(&mut self) {
        while self.kept.len() > KEPT {
            let earliest = self.kept.iter().min_by_key(|(_, at)| **at);
            let Some((offer, at)) = earliest.map(|(offer, at)| (offer.clone(), *at)) else { break };
            self.kept.remove(&offer);
            self.folded = self.folded.max(Some(at));
        }
    }

    /// Up to when a REDEEM of this offer is refused.
    pub(crate) fn covering(&self, offer: &OfferRef) -> Option<Instant> {
        self.kept.get(offer).copied().max(self.folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(n: i64) -> OfferRef {
        OfferRef::parse(&format!("a.o{n}.CODE")).unwrap()
    }

    #[test]
    fn barriers_are_bounded_and_none_is_forgotten() {
        let mut barriers = Barriers::default();
        for n in 1..=1000 {
            assert!(barriers.raise(offer(n), Instant::from_millis(n)));
        }
        assert_eq!(barriers.kept.len(), KEPT);
        for n in 1..=1000 {
            let until = barriers.covering(&offer(n));
            assert!(until >= Some(Instant::from_millis(n)), "{n}");
            assert!(until < Some(Instant::from_millis(1001)), "{n}: later REDEEMs go on");
        }
    }

    #[test]
    fn an_earlier_or_repeated_reversal_is_no_news() {
        let mut barriers = Barriers::default();
        assert!(barriers.raise(offer(1), Instant::from_millis(5)));
        assert!(!barriers.raise(offer(1), Instant::from_millis(5)));
        assert!(!barriers.raise(offer(1), Instant::from_millis(4)));
        assert_eq!(barriers.covering(&offer(1)), Some(Instant::from_millis(5)));
        assert_eq!(barriers.covering(&offer(2)), None);
    }
}
