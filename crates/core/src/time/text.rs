//! Times as they are written: RFC 3339, dates, and times of day. Only these forms, so that two readers
//! of a campaign never read two times.

use std::fmt;

use jiff::civil;

use super::{Date, Instant};

/// What is wrong with a time or zone, said after the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTime(pub &'static str);

impl fmt::Display for BadTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadTime {}

/// What a clock and calendar on a wall show, no matter where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime {
    shown: civil::DateTime,
}

const NO_TIME: BadTime =
    BadTime("is no time; write it as \"2026-06-01T00:00\" or \"2026-06-01T00:00:00-05:00\"");

impl WallTime {
    /// Reads `2026-06-01T00:00`, with seconds and an offset when they are given. The offset is in
    /// minutes east of Greenwich.
    ///
    /// # Errors
    /// When the text is no such time.
    pub fn parse(text: &str) -> Result<(Self, Option<i32>), BadTime> {
        let (date, rest) = text.split_at_checked(10).ok_or(NO_TIME)?;
        let date = parse_date(date).map_err(|_| NO_TIME)?;
        let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(NO_TIME)?;
        let (clock, offset) = split_offset(rest)?;
        let (hour_minute, seconds) = clock.split_at_checked(5).ok_or(NO_TIME)?;
        let minutes = match parse_time_of_day(hour_minute) {
            Ok(minutes) if minutes < 24 * 60 => minutes,
            _ => return Err(NO_TIME),
        };
        let (second, millis) = match seconds.strip_prefix(':') {
            None if seconds.is_empty() => (0, 0),
            None => return Err(NO_TIME),
            Some(seconds) => parse_seconds(seconds)?,
        };
        let part = |value: u16| i8::try_from(value).map_err(|_| NO_TIME);
        let time = civil::Time::new(
            part(minutes / 60)?,
            part(minutes % 60)?,
            second,
            i32::from(millis).saturating_mul(1_000_000),
        )
        .map_err(|_| NO_TIME)?;
        let shown = date.0.to_datetime(time);
        Ok((Self { shown }, offset))
    }

    pub(super) fn civil(&self) -> civil::DateTime {
        self.shown
    }

    /// The instant when the wall shows this so many minutes east of Greenwich.
    #[must_use]
    pub fn at_offset(&self, minutes_east: i32) -> Instant {
        let utc = super::Zone::utc().instant(self);
        utc.plus_millis(i64::from(minutes_east).saturating_mul(-60_000))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (Date(self.shown.date()), self.shown.time());
        write!(f, "{date}T{:02}:{:02}", time.hour(), time.minute())?;
        if time.second() != 0 {
            write!(f, ":{:02}", time.second())?;
        }
        Ok(())
    }
}

/// A number of exactly these digits.
fn digits(text: &str) -> Option<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

pub(super) fn parse_date(text: &str) -> Result<Date, BadTime> {
    let read = || {
        let (year, rest) = text.split_at_checked(4)?;
        let (month, rest) = rest.strip_prefix('-')?.split_at_checked(2)?;
        let day = rest.strip_prefix('-').filter(|day| day.len() == 2)?;
        let year = i16::try_from(digits(year)?).ok()?;
        let month = i8::try_from(digits(month)?).ok()?;
        let day = i8::try_from(digits(day)?).ok()?;
        civil::Date::new(year, month, day).ok()
    };
    read().map(Date).ok_or(BadTime("is no day; write it as \"2026-07-04\""))
}

/// Minutes since midnight, 0 to 1440.
pub(super) fn parse_time_of_day(text: &str) -> Result<u16, BadTime> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        if hour.len() != 2 || minute.len() != 2 {
            return None;
        }
        let (hour, minute) = (digits(hour)?, digits(minute)?);
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && minutes <= 24 * 60).then_some(minutes)
    };
    read().ok_or(BadTime("is no time of day; write it as \"16:00\""))
}

/// `SS` or `SS.fff…`; a leap second counts as the last one of its minute.
fn parse_seconds(text: &str) -> Result<(i8, u16), BadTime> {
    let (whole, fraction) = match text.split_once('.') {
        None => (text, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    let second = digits(whole).filter(|second| whole.len() == 2 && *second <= 60);
    let second = i8::try_from(second.ok_or(NO_TIME)?.min(59)).map_err(|_| NO_TIME)?;
    let Some(fraction) = fraction else {
        return Ok((second, 0));
    };
    if fraction.is_empty() || fraction.len() > 18 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NO_TIME);
    }
    let millis: String = fraction.chars().chain("00".chars()).take(3).collect();
    Ok((second, digits(&millis).ok_or(NO_TIME)?))
}

/// What stands before the offset, and the offset in minutes east.
fn split_offset(text: &str) -> Result<(&str, Option<i32>), BadTime> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Ok((clock, Some(0)));
    }
    let Some(sign) = text.rfind(['+', '-']) else {
        return Ok((text, None));
    };
    let (clock, offset) = text.split_at_checked(sign).ok_or(NO_TIME)?;
    let minutes = offset
        .get(1..)
        .and_then(|offset| parse_time_of_day(offset).ok())
        .filter(|minutes| *minutes < 24 * 60)
        .ok_or(NO_TIME)?;
    let minutes = i32::from(minutes);
    Ok((clock, Some(if offset.starts_with('-') { minutes.saturating_neg() } else { minutes })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_needs_an_offset() {
        assert!(Instant::parse("2026-07-04T17:30:00").is_err());
        let zulu = Instant::parse("2026-07-04T22:30:00Z").unwrap();
        for same in [
            "2026-07-04T17:30:00-05:00",
            "2026-07-04t22:30:00.000z",
            "2026-07-05T04:15:00+05:45",
            "2026-07-04 22:30Z",
        ] {
            assert_eq!(Instant::parse(same), Ok(zulu), "{same}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-07-04",
            "2026-07-04T",
            "2026-07-04T24:00:00Z",
            "2026-07-04T17:30:0Z",
            "2026-07-04T17:30:00.Z",
            "2026-07-04T17:30:00+0500",
            "2026-07-04T17:30:00+24:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "20260704T173000Z",
            "+026-07-04T17:30:00Z",
            "2026-07-04T17:30:61Z",
            "2026-07-04T17:30:00Zé",
            "é026-07-04T17:30:00Z",
        ] {
            assert!(Instant::parse(text).is_err(), "{text:?}");
        }
        for text in ["2026-7-04", "2026-07-4", "2026/07/04", "2026-07-04 ", "10000-01-01"] {
            assert!(Date::parse(text).is_err(), "{text:?}");
        }
        for text in ["4:00", "04:60", "24:01", "0400", "04:00:00", "-1:00", "+4:00"] {
            assert!(parse_time_of_day(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_wall_time_is_shown_as_it_is_written() {
        for text in ["2026-06-01T00:00", "2026-06-01T23:59:59"] {
            assert_eq!(WallTime::parse(text).unwrap().0.to_string(), text);
        }
    }
}
