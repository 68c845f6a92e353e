//! Whether a campaign gives anything at an instant, as far as its document alone says.

use super::Campaign;
use crate::time::{Instant, Zone};

/// Where a campaign is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It runs.
    Live,
    /// It is switched off.
    Off,
    /// It starts later.
    NotStarted,
    /// It is over.
    Ended,
}

impl Phase {
    /// As it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Off => "off",
            Self::NotStarted => "not_started",
            Self::Ended => "ended",
        }
    }
}

impl Campaign {
    /// Where it is in its life at an instant; in the given zone, unless it names one itself.
    #[must_use]
    pub fn phase(&self, zone: &Zone, now: Instant) -> Phase {
        if !self.active() {
            Phase::Off
        } else if self.starts_at(zone).is_some_and(|start| now < start) {
            Phase::NotStarted
        } else if self.expires_at(zone).is_some_and(|end| now >= end) {
            Phase::Ended
        } else {
            Phase::Live
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_begins_at_its_start_and_is_over_at_its_end() {
        let document = |more: &str| {
            let json = format!(
                r#"{{"id": "a", "name": "A", "currency": "USD", "codes": {{"none": true}}, {more}
                   "timezone": "Europe/Madrid", "starts_at": "2026-05-01T00:00",
                   "ends_at": "2026-06-01T00:00",
                   "offers": [{{"id": "o", "name": "O", "discount": {{"percent": "10"}}}}]}}"#
            );
            Campaign::from_json(json.as_bytes()).unwrap()
        };
        let zone = Zone::parse("UTC").unwrap();
        let at = |text: &str| document("").phase(&zone, Instant::parse(text).unwrap());
        assert_eq!(at("2026-04-30T21:59:59Z"), Phase::NotStarted);
        assert_eq!(at("2026-04-30T22:00:00Z"), Phase::Live);
        assert_eq!(at("2026-05-31T21:59:59Z"), Phase::Live);
        assert_eq!(at("2026-05-31T22:00:00Z"), Phase::Ended);
        let off = document("\"active\": false,");
        assert_eq!(off.phase(&zone, Instant::parse("2026-05-15T00:00:00Z").unwrap()), Phase::Off);
    }
}
