//! The moment of the request, on the campaign's clock.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;

/// The request's moment in a campaign's zone.
#[derive(Clone, Debug)]
pub struct Moment {
    now: Zoned,
    business_day_starts: Time,
}

impl Moment {
    pub fn of(campaign: &Value, request: &Value) -> Moment {
        //> optional IANA zone; absent: the location's zone, else the deployment's
        let zone = campaign["timezone"]
            .as_str()
            .or(request["location"]["timezone"].as_str())
            .unwrap_or("UTC");
        let at: Timestamp = request["at"].as_str().unwrap().parse().unwrap();
        Moment {
            now: at.to_zoned(TimeZone::get(zone).unwrap()),
            //> optional, default "00:00"
            business_day_starts: clock(campaign["business_day_starts"].as_str().unwrap_or("00:00")),
        }
    }

    /// Why the campaign's window is not open, if it is not.
    pub fn outside_window(&self, campaign: &Value) -> Option<&'static str> {
        let now = self.now.timestamp();
        if let Some(starts) = campaign["starts_at"].as_str()
            && now < self.instant(starts)
        {
            return Some("not_started");
        }
        //> optional, EXCLUSIVE
        if let Some(ends) = campaign["ends_at"].as_str()
            && now >= self.instant(ends)
        {
            return Some("ended");
        }
        None
    }

    //> local wall time in the zone, or RFC 3339 with an offset (absolute)
    fn instant(&self, text: &str) -> Timestamp {
        if let Ok(absolute) = text.parse::<Timestamp>() {
            return absolute;
        }
        // A wall time the clocks skip counts on from before the change; one they repeat is the first of the two.
        let wall: DateTime = text.parse().unwrap();
        self.now.time_zone().to_ambiguous_timestamp(wall).compatible().unwrap()
    }

    //> a bar's Friday ends Saturday 04:00
    fn business_date(&self) -> jiff::civil::Date {
        let today = self.now.date();
        if self.now.time() < self.business_day_starts {
            today.checked_sub(1.day()).unwrap()
        } else {
            today
        }
    }

    //> the business day (local, shifted by `business_day_starts`)
    pub fn in_days(&self, days: &[Value]) -> bool {
        let day = match self.business_date().weekday() {
            Weekday::Monday => "mon",
            Weekday::Tuesday => "tue",
            Weekday::Wednesday => "wed",
            Weekday::Thursday => "thu",
            Weekday::Friday => "fri",
            Weekday::Saturday => "sat",
            Weekday::Sunday => "sun",
        };
        days.iter().any(|listed| listed == day)
    }

    //> the local clock; start inclusive, end exclusive; a range may cross midnight
    pub fn in_hours(&self, ranges: &[Value]) -> bool {
        let now = self.now.time();
        ranges.iter().any(|range| {
            let start = clock(range[0].as_str().unwrap());
            let end = clock(range[1].as_str().unwrap());
            if start <= end { start <= now && now < end } else { start <= now || now < end }
        })
    }

    //> the business date lies in a closed range
    pub fn in_dates(&self, ranges: &[Value]) -> bool {
        let date = self.business_date().to_string();
        ranges.iter().any(|range| {
            range[0].as_str().unwrap() <= date.as_str()
                && date.as_str() <= range[1].as_str().unwrap()
        })
    }
}

fn clock(hours_and_minutes: &str) -> Time {
    hours_and_minutes.parse().unwrap()
}
