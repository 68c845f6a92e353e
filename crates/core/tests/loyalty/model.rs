//! Members' points as a bookkeeper with paper would keep them: a list of lots for each member, and what
//! each day and each event does to it. Nothing here is shared with the machine, not even the calendar.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

/// What the programme says.
#[derive(Clone, Debug)]
pub struct Rules {
    pub pending_days: i64,
    /// In how many months points expire.
    pub months: Option<i64>,
    /// What was taken back and spent already is not owed.
    pub clip: bool,
    /// Id, from how many points, earned in how many months, half points a point: ascending.
    pub tiers: Vec<(&'static str, i64, i64, i64)>,
}

#[derive(Clone, Debug)]
pub struct Lot {
    /// The tab that earned it.
    pub tab: Option<usize>,
    pub earned: Date,
    pub matures: Date,
    pub expires: Option<Date>,
    pub issued: i64,
    pub pending: i64,
    pub available: i64,
    pub expired: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Member {
    pub lots: Vec<Lot>,
    pub owed: i64,
    /// What was taken back, had been spent, and is not owed: points that come back pay it.
    pub let_off: i64,
    pub spent: i64,
    /// What a tab's points are multiplied by, in halves.
    halves: BTreeMap<usize, i64>,
    /// By tab and the name under which it was redeemed: which lots paid how much.
    pub rewards: BTreeMap<(usize, String), Vec<(usize, i64)>>,
}

/// What happened to a point that a plain history of earning would not show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub waited: i64,
    pub matured: i64,
    pub lapsed: i64,
    pub owed: i64,
    pub clipped: i64,
    pub settled: i64,
    pub paid_off: i64,
    pub multiplied: i64,
    pub reopened: i64,
    pub returned: i64,
    pub returned_late: i64,
}

pub struct Model {
    pub rules: Rules,
    pub today: Date,
    pub members: BTreeMap<String, Member>,
    pub seen: Seen,
}

impl Member {
    pub fn available(&self) -> i64 {
        self.lots.iter().map(|lot| lot.available).sum::<i64>() - self.owed
    }

    pub fn pending(&self) -> i64 {
        self.lots.iter().map(|lot| lot.pending).sum()
    }

    pub fn expired(&self) -> i64 {
        self.lots.iter().map(|lot| lot.expired).sum()
    }

    /// Points that are still there, by the day on which they go.
    pub fn expiring(&self) -> BTreeMap<String, i64> {
        let mut days = BTreeMap::new();
        for lot in self.lots.iter().filter(|lot| lot.available + lot.pending > 0) {
            if let Some(day) = lot.expires {
                *days.entry(day.to_string()).or_default() += lot.available + lot.pending;
            }
        }
        days
    }

    pub fn tier(&self, rules: &Rules, on: Date) -> Option<(&'static str, i64)> {
        let held = rules.tiers.iter().rev().find(|(_, from, months, _)| {
            let counts = |lot: &&Lot| {
                lot.tab.is_some() && lot.earned <= on && lot.earned + months.months() > on
            };
            self.lots.iter().filter(counts).map(|lot| lot.issued).sum::<i64>() >= *from
        });
        held.map(|(id, _, _, halves)| (*id, *halves))
    }

    /// Takes available points, those that go first first; returns what each lot gave, and what is
    /// missing.
    fn take(&mut self, points: i64) -> (Vec<(usize, i64)>, i64) {
        let (mut missing, mut parts) = (points, Vec::new());
        while missing > 0 {
            let there = self.lots.iter().enumerate().filter(|(_, lot)| lot.available > 0);
            let far = Date::MAX;
            let first = there.min_by_key(|(index, lot)| (lot.expires.unwrap_or(far), *index));
            let Some(index) = first.map(|(index, _)| index) else { break };
            let part = missing.min(self.lots[index].available);
            self.lots[index].available -= part;
            missing -= part;
            parts.push((index, part));
        }
        (parts, missing)
    }

    /// Returns how many of the points that takes.
    fn pay_what_was_let_off(&mut self, points: i64) -> i64 {
        let paid = points.min(self.let_off);
        self.let_off -= paid;
        paid
    }

    fn pay_what_is_owed(&mut self, seen: &mut Seen) {
        let owed = self.owed;
        self.owed = self.take(owed).1;
        seen.settled += owed - self.owed;
    }
}

impl Model {
    pub fn new(rules: Rules, today: Date) -> Self {
        Self { rules, today, members: BTreeMap::new(), seen: Seen::default() }
    }

    /// Another day begins.
    pub fn next_day(&mut self) {
        self.today = self.today.tomorrow().unwrap();
        let today = self.today;
        for member in self.members.values_mut() {
            for index in 0..member.lots.len() {
                let lot = &mut member.lots[index];
                if lot.matures == today {
                    self.seen.matured += lot.pending;
                    lot.available += std::mem::take(&mut lot.pending);
                    member.pay_what_is_owed(&mut self.seen);
                }
            }
            for lot in member.lots.iter_mut().filter(|lot| lot.expires == Some(today)) {
                let over = std::mem::take(&mut lot.available) + std::mem::take(&mut lot.pending);
                lot.expired += over;
                self.seen.lapsed += over;
            }
        }
    }

    fn open_lot(&self, tab: Option<usize>, earned: Date, pending_days: i64) -> Lot {
        Lot {
            tab,
            earned,
            matures: earned + pending_days.days(),
            expires: self.rules.months.map(|months| earned + months.months()),
            issued: 0,
            pending: 0,
            available: 0,
            expired: 0,
        }
    }

    /// So many points more in a lot, which may be old.
    fn credit(&mut self, name: &str, lot: usize, points: i64) {
        let (today, seen) = (self.today, &mut self.seen);
        let member = self.members.get_mut(name).unwrap();
        member.lots[lot].issued += points;
        if member.lots[lot].matures > today {
            seen.waited += points;
            member.lots[lot].pending += points;
            return;
        }
        member.lots[lot].available += points;
        member.pay_what_is_owed(seen);
        let lot = &mut member.lots[lot];
        if lot.expires.is_some_and(|expires| expires <= today) {
            let over = std::mem::take(&mut lot.available);
            lot.expired += over;
            seen.lapsed += over;
        }
    }

    /// A tab of this member's is to have earned so many points, or none, on that day.
    pub fn tab_earns(&mut self, name: &str, tab: usize, on: Date, points: Option<i64>) {
        let rules = self.rules.clone();
        let fresh = self.open_lot(Some(tab), on, rules.pending_days);
        let Some(member) = self.members.get_mut(name) else { return };
        let mut to_be = 0;
        if let Some(points) = points {
            let held = member.tier(&rules, on).map_or(2, |(_, halves)| halves);
            let halves = *member.halves.entry(tab).or_insert(held);
            to_be = points * halves / 2;
            self.seen.multiplied += to_be - points;
        }
        let lot = member.lots.iter().position(|lot| lot.tab == Some(tab));
        let Some(lot) = lot else {
            if to_be > 0 {
                member.lots.push(fresh);
                let lot = member.lots.len() - 1;
                self.credit(name, lot, to_be);
            }
            return;
        };
        let more = to_be - member.lots[lot].issued;
        if more > 0 {
            self.seen.reopened += more;
            let paid = member.pay_what_was_let_off(more);
            member.lots[lot].issued += paid;
            self.seen.paid_off += paid;
            self.credit(name, lot, more - paid);
        } else {
            self.take_back(name, lot, -more);
        }
    }

    fn take_back(&mut self, name: &str, lot: usize, points: i64) {
        let member = self.members.get_mut(name).unwrap();
        let mut missing = points;
        let own = &mut member.lots[lot];
        for held in [&mut own.pending, &mut own.available, &mut own.expired] {
            let part = missing.min(*held);
            *held -= part;
            missing -= part;
        }
        let missing = member.take(missing).1;
        if self.rules.clip {
            self.seen.clipped += missing;
            member.let_off += missing;
        } else {
            self.seen.owed += missing;
            member.owed += missing;
        }
        member.lots[lot].issued -= points;
    }

    /// An operator adds points, or takes some.
    pub fn adjust(&mut self, name: &str, points: i64) {
        if points > 0 {
            let lot = self.open_lot(None, self.today, 0);
            self.members.get_mut(name).unwrap().lots.push(lot);
            let lot = self.members[name].lots.len() - 1;
            return self.credit(name, lot, points);
        }
        let clip = self.rules.clip;
        let member = self.members.get_mut(name).unwrap();
        let missing = member.take(-points).1;
        if clip {
            self.seen.clipped += missing;
            member.let_off += missing;
        } else {
            self.seen.owed += missing;
            member.owed += missing;
        }
    }

    /// A reward is asked for on a tab, under a name; whether it stands then.
    pub fn redeem(&mut self, name: &str, tab: usize, as_whom: &str, cost: i64) -> bool {
        let Some(member) = self.members.get_mut(name) else { return false };
        let key = (tab, as_whom.to_owned());
        if member.rewards.contains_key(&key) {
            return true;
        }
        if member.available() < cost {
            return false;
        }
        let (parts, _) = member.take(cost);
        member.spent += cost;
        member.rewards.insert(key, parts);
        true
    }

    /// A reward is given back: its points return to their lots, for a day at least.
    pub fn give_back(&mut self, name: &str, tab: usize, as_whom: &str) {
        let (today, seen) = (self.today, &mut self.seen);
        let Some(member) = self.members.get_mut(name) else { return };
        let Some(parts) = member.rewards.remove(&(tab, as_whom.to_owned())) else { return };
        // At noon: 24 hours from now is in the middle of tomorrow.
        let a_day_on = today + 2.days();
        for (lot, points) in parts {
            member.spent -= points;
            let paid = member.pay_what_was_let_off(points);
            seen.paid_off += paid;
            let points = points - paid;
            if points == 0 {
                continue;
            }
            seen.returned += points;
            if member.lots[lot].expires.is_none_or(|expires| expires >= a_day_on) {
                member.lots[lot].available += points;
            } else {
                seen.returned_late += points;
                let expires = Some(a_day_on);
                let lot = &member.lots[lot];
                let fresh =
                    Lot { tab: None, expires, issued: 0, pending: 0, expired: 0, ..lot.clone() };
                member.lots.push(Lot { available: points, ..fresh });
            }
        }
        member.pay_what_is_owed(seen);
    }

    /// One member's books become part of another's.
    pub fn merge(&mut self, from: &str, into: &str) {
        let mut gone = self.members.remove(from).unwrap();
        let member = self.members.get_mut(into).unwrap();
        let before = member.lots.len();
        member.lots.append(&mut gone.lots);
        member.owed += gone.owed;
        member.let_off += gone.let_off;
        member.spent += gone.spent;
        for (tab, halves) in gone.halves {
            member.halves.entry(tab).or_insert(halves);
        }
        for (key, parts) in gone.rewards {
            let moved = parts.into_iter().map(|(lot, points)| (lot + before, points)).collect();
            member.rewards.insert(key, moved);
        }
        member.pay_what_is_owed(&mut self.seen);
    }
}

impl Seen {
    pub fn all(&self) -> [(&'static str, i64); 11] {
        [
            ("waited", self.waited),
            ("matured", self.matured),
            ("lapsed", self.lapsed),
            ("owed", self.owed),
            ("clipped", self.clipped),
            ("settled", self.settled),
            ("paid off", self.paid_off),
            ("multiplied", self.multiplied),
            ("reopened", self.reopened),
            ("returned", self.returned),
            ("returned late", self.returned_late),
        ]
    }

    pub fn add(&mut self, other: &Self) {
        self.waited += other.waited;
        self.matured += other.matured;
        self.lapsed += other.lapsed;
        self.owed += other.owed;
        self.clipped += other.clipped;
        self.settled += other.settled;
        self.paid_off += other.paid_off;
        self.multiplied += other.multiplied;
        self.reopened += other.reopened;
        self.returned += other.returned;
        self.returned_late += other.returned_late;
    }
}
