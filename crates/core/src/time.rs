//! Instants, time zones, and the business calendar. No clock: whoever asks says what time it is.
//!
//! A campaign thinks in a place's local time. [`Zone`] turns an [`Instant`] into what the clock on the
//! wall shows there ([`Local`]); [`Calendar`] knows also that a bar's Friday ends on Saturday at 04:00.
//! Zones are those of the IANA database bundled with the `jiff` crate, so no system is asked.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

mod text;

pub use text::{BadTime, WallTime};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// The instant so many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant so many milliseconds later (earlier when negative), as far as instants reach.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Reads an RFC 3339 time with an offset, as in `2026-07-04T17:30:00-05:00`. Digits beyond the
    /// millisecond are cut off.
    ///
    /// # Errors
    /// When the text is no such time.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        match WallTime::parse(text)? {
            (_, None) => Err(BadTime("needs an offset, as in \"2026-07-04T17:30:00Z\"")),
            (wall, Some(offset)) => Ok(wall.at_offset(offset)),
        }
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

/// RFC 3339 in UTC, to the second: `2026-09-01T05:00:00Z`; milliseconds only when there are any.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = TimeZone::UTC.to_datetime(self.timestamp());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            utc.year(),
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second()
        )?;
        match utc.millisecond() {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

/// A day of some calendar, without a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    /// Reads `2026-07-04`.
    ///
    /// # Errors
    /// When the text is no such day.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        text::parse_date(text)
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        Weekday::from_monday(self.0.weekday().to_monday_zero_offset().unsigned_abs().into())
    }

    fn yesterday(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// The day so many days later (earlier when negative), as far as the calendar reaches.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days.clamp(-1_000_000, 1_000_000))))
    }

    /// The same day so many months later (earlier when negative); of a month that has no such day, its
    /// last.
    #[must_use]
    pub fn plus_months(self, months: i64) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().months(months.clamp(-100_000, 100_000))))
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0.year(), self.0.month(), self.0.day());
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// The week, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    fn from_monday(days: usize) -> Self {
        Self::ALL.get(days).copied().unwrap_or(Self::Sunday)
    }

    /// Its name in a campaign: `mon`, `tue`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }
}

/// A time of day: minutes since local midnight, 0 to 1440 (only an end is `24:00`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self(0);
    /// `24:00`, the end of a day.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// Reads `04:00`; `24:00` is the end of the day.
    ///
    /// # Errors
    /// When the text is no such time.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        text::parse_time_of_day(text).map(Self)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// What calendar and clock on a wall show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// The day.
    pub date: Date,
    /// The time of day, whole minutes; seconds are cut off.
    pub time: TimeOfDay,
}

/// An IANA time zone, cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Finds a zone by its IANA name, as in `America/Chicago`.
    ///
    /// # Errors
    /// When the bundled database has no zone of that name.
    pub fn parse(name: &str) -> Result<Self, BadTime> {
        // The database would take any case, and POSIX strings are no IANA names.
        let sound = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-'));
        let zone = if sound { TimeZone::get(name).ok() } else { None };
        zone.filter(|zone| zone.iana_name().is_some())
            .map(Self)
            .ok_or(BadTime("is no time zone; use an IANA name, as in \"America/Chicago\""))
    }

    /// The zone's IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the wall shows in this zone at an instant.
    #[must_use]
    pub fn local(&self, at: Instant) -> Local {
        let local = self.0.to_datetime(at.timestamp());
        let minutes =
            i32::from(local.hour()).saturating_mul(60).saturating_add(i32::from(local.minute()));
        Local {
            date: Date(local.date()),
            time: TimeOfDay(u16::try_from(minutes).unwrap_or_default()),
        }
    }

    /// The instant when the wall shows this. A time that a change of the clocks skips counts as the
    /// one as far after the change (02:30 is then 03:30); of one that comes twice the first counts.
    #[must_use]
    pub fn instant(&self, wall: &WallTime) -> Instant {
        let timestamp = self.0.to_timestamp(wall.civil()).unwrap_or(Timestamp::MAX);
        Instant(timestamp.as_millisecond())
    }
}

/// How long a count lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// For good.
    Total,
    /// A business day.
    Day,
    /// A week of business days, from Monday.
    Week,
    /// A calendar month of business days.
    Month,
}

impl Window {
    /// Its name in a campaign.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// Business days: in which zone, and when a day starts there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Whose wall clock counts.
    pub zone: Zone,
    /// Before this time of day it is still the day before.
    pub day_starts: TimeOfDay,
}

impl Calendar {
    /// The business date at an instant.
    #[must_use]
    pub fn business_date(&self, at: Instant) -> Date {
        business_date(self.zone.local(at), self.day_starts)
    }

    /// The key of the stretch of time that an instant falls in: `total`, the date of the day
    /// (`2026-07-04`), the date of the week's Monday (`2026-06-29`), or the month (`2026-07`).
    #[must_use]
    pub fn window_key(&self, window: Window, at: Instant) -> String {
        match window {
            Window::Total => Window::Total.as_str().to_owned(),
            Window::Day => self.business_date(at).to_string(),
            Window::Week => {
                let mut day = self.business_date(at);
                while day.weekday() != Weekday::Monday && day != day.yesterday() {
                    day = day.yesterday();
                }
                day.to_string()
            }
            Window::Month => {
                let day = self.business_date(at).0;
                format!("{:04}-{:02}", day.year(), day.month())
            }
        }
    }
}

/// The business date when the wall shows this.
#[must_use]
pub fn business_date(local: Local, day_starts: TimeOfDay) -> Date {
    if local.time < day_starts { local.date.yesterday() } else { local.date }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn chicago() -> Zone {
        Zone::parse("America/Chicago").unwrap()
    }

    #[test]
    fn an_instant_is_shown_in_universal_time() {
        assert_eq!(at("2026-09-01T00:00:00-05:00").to_string(), "2026-09-01T05:00:00Z");
        assert_eq!(at("2026-09-01T00:00:00.0789Z").to_string(), "2026-09-01T00:00:00.078Z");
        assert_eq!(Instant::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        // Beyond the calendar's reach: the calendar's own end, not a panic.
        assert!(Instant::from_millis(i64::MAX).to_string().starts_with("9999"));
        assert!(!Instant::from_millis(i64::MIN).to_string().is_empty());
    }

    #[test]
    fn a_zone_is_an_iana_name_and_nothing_else() {
        assert_eq!(chicago().name(), "America/Chicago");
        for name in ["", "Mars/Olympus", "CST6CDT,M3.2.0,M11.1.0", "../etc", "America/"] {
            assert!(Zone::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_bars_friday_ends_on_saturday_at_four() {
        let calendar = Calendar { zone: chicago(), day_starts: TimeOfDay::parse("04:00").unwrap() };
        let weekday = |text| calendar.business_date(at(text)).weekday();
        assert_eq!(weekday("2026-07-04T03:59:59-05:00"), Weekday::Friday);
        assert_eq!(weekday("2026-07-04T04:00:00-05:00"), Weekday::Saturday);
    }

    #[test]
    fn a_window_has_one_key_for_all_its_instants() {
        let calendar = Calendar { zone: chicago(), day_starts: TimeOfDay::parse("04:00").unwrap() };
        let key = |window, text| calendar.window_key(window, at(text));
        assert_eq!(key(Window::Total, "2026-07-04T17:30:00-05:00"), "total");
        assert_eq!(key(Window::Day, "2026-07-05T03:00:00-05:00"), "2026-07-04");
        // Monday 29 June to Sunday 5 July, whose last hours are already Monday by the wall clock.
        assert_eq!(key(Window::Week, "2026-06-29T04:00:00-05:00"), "2026-06-29");
        assert_eq!(key(Window::Week, "2026-07-06T03:59:00-05:00"), "2026-06-29");
        assert_eq!(key(Window::Month, "2026-08-01T03:00:00-05:00"), "2026-07");
    }

    #[test]
    fn a_wall_time_that_is_skipped_or_comes_twice_is_one_instant() {
        let instant = |text| chicago().instant(&WallTime::parse(text).unwrap().0);
        // 2026-03-08, 02:00 to 03:00 does not exist in Chicago.
        assert_eq!(instant("2026-03-08T02:30"), at("2026-03-08T03:30:00-05:00"));
        // 2026-11-01, 01:00 to 02:00 comes twice.
        assert_eq!(instant("2026-11-01T01:30"), at("2026-11-01T01:30:00-05:00"));
    }

    #[test]
    fn the_wall_follows_the_change_of_the_clocks() {
        let time = |text| chicago().local(at(text)).time.to_string();
        assert_eq!(time("2026-03-08T07:59:59Z"), "01:59");
        assert_eq!(time("2026-03-08T08:00:00Z"), "03:00");
    }
}
