//! A member's books through the days.

use std::collections::BTreeMap;

use super::books::{Account, Books, Posting};
use super::*;
use crate::fault::Faults;
use crate::identity::{Identity, Kind, Rules};
use crate::loyalty::programme::Programme;
use crate::loyalty::visit::tests::tab;
use crate::loyalty::visit::{Closing, Ruling};
use crate::money::Money;
use crate::time::Zone;

/// A member and the programme he is in, in a bar in Chicago whose days end at four.
struct Bar {
    programme: Programme,
    profile: Profile,
    postings: Vec<Posting>,
    tabs: BTreeMap<TabKey, TabNote>,
    adjusted: Vec<(String, Adjusted)>,
    me: MemberId,
    now: Instant,
}

impl Store for Bar {
    type Error = Faults;

    fn profile(&self) -> Result<Profile, Faults> {
        Ok(self.profile.clone())
    }

    fn postings(&self) -> Result<Vec<Posting>, Faults> {
        Ok(self.postings.clone())
    }

    fn tab(&self, tab: &TabKey) -> Result<Option<TabNote>, Faults> {
        Ok(self.tabs.get(tab).cloned())
    }

    fn tabs(&self) -> Result<Vec<(TabKey, TabNote)>, Faults> {
        Ok(self.tabs.clone().into_iter().collect())
    }

    fn adjusted(&self, key: &str) -> Result<Vec<Adjusted>, Faults> {
        let known = self.adjusted.iter().filter(|(known, _)| known == key);
        Ok(known.map(|(_, adjusted)| adjusted.clone()).collect())
    }

    fn all_adjusted(&self) -> Result<Vec<(String, Adjusted)>, Faults> {
        Ok(self.adjusted.clone())
    }
}

impl Bar {
    fn new(more: &str) -> Self {
        let json = format!(
            r#"{{"name": "Club", "timezone": "America/Chicago", "business_day_starts": "04:00" {more}}}"#
        );
        let number = Some(MemberNumber::draw("x", 0));
        Self {
            programme: Programme::from_json(json.as_bytes()).unwrap(),
            profile: Profile { number, ..Profile::default() },
            postings: Vec::new(),
            tabs: BTreeMap::new(),
            adjusted: Vec::new(),
            me: MemberId::parse("MEMBER01").unwrap(),
            now: Instant::from_millis(0),
        }
    }

    fn ask(&mut self, at: &str, command: &Command) -> Reply {
        self.now = Instant::parse(at).unwrap();
        let terms = self.programme.terms(&Zone::utc(), self.now);
        let (reply, changes) = apply(self, &self.me, command, &terms, self.now).unwrap();
        if changes.wipe {
            (self.postings, self.tabs) = (Vec::new(), BTreeMap::new());
            self.adjusted = Vec::new();
        }
        self.profile = changes.profile.unwrap_or_else(|| self.profile.clone());
        self.postings.extend(changes.postings);
        self.tabs.extend(changes.tabs);
        self.adjusted.extend(changes.adjusted);
        let books = Books::of(&self.postings);
        let accounts = [
            Account::Issued,
            Account::Pending,
            Account::Available,
            Account::Spent,
            Account::Expired,
        ];
        assert_eq!(accounts.map(|account| books.held(account)).iter().sum::<i64>(), 0);
        reply
    }

    /// A tab is closed, its points being what they are; the revision is the one after the last.
    fn closes(&mut self, at: &str, name: &str, points: Option<u64>) {
        let known = self.tabs.get(&tab(name));
        let revision = known.map_or(1, |note| note.heard.revision.saturating_add(1));
        let received = Instant::parse(at).unwrap();
        let on = self.programme.calendar(&Zone::utc()).business_date(received);
        let closing = points.map(|points| Closing {
            received,
            digest: String::new(),
            on,
            paid: Money::new(points),
            points,
            facts: None,
        });
        let ruling = Ruling { revision, owner: Some(self.me.clone()), closing };
        let accrual = Accrual { tab: tab(name), ruling };
        self.ask(at, &Command::Accrue(vec![accrual.clone()]));
        // The same once more, and nothing changes.
        let before = self.postings.clone();
        self.ask(at, &Command::Accrue(vec![accrual]));
        assert_eq!(self.postings, before);
    }

    fn view(&mut self, at: &str) -> View {
        match self.ask(at, &Command::Show(100)) {
            Reply::View(view) => *view,
            other => panic!("{other:?}"),
        }
    }

    /// Points to be spent, points that wait.
    fn points(&mut self, at: &str) -> (i64, i64) {
        let balance = self.view(at).balance;
        assert_eq!(balance.total, balance.available.saturating_add(balance.pending));
        (balance.available, balance.pending)
    }
}

#[test]
fn points_mature_when_the_business_day_begins_whatever_the_clocks_do() {
    // The night of 8 March 2026 in Chicago has 23 hours, that of 1 November 25.
    for (closed, night, morning) in [
        ("2026-03-07T20:00:00-06:00", "2026-03-08T03:59:59-05:00", "2026-03-08T04:00:00-05:00"),
        ("2026-10-31T20:00:00-05:00", "2026-11-01T03:59:59-06:00", "2026-11-01T04:00:00-06:00"),
        ("2028-02-28T20:00:00-06:00", "2028-02-29T03:59:59-06:00", "2028-02-29T04:00:00-06:00"),
        // After midnight it is still the day before.
        ("2028-02-29T03:00:00-06:00", "2028-02-29T03:59:59-06:00", "2028-02-29T04:00:00-06:00"),
    ] {
        let mut bar = Bar::new(r#", "pending_days": 1"#);
        bar.closes(closed, "t", Some(10));
        assert_eq!(bar.points(night), (0, 10), "{night}");
        assert_eq!(bar.points(morning), (10, 0), "{morning}");
    }
}

#[test]
fn points_expire_by_the_date_and_not_by_a_label() {
    for (closed, last_night, morning) in [
        ("2027-02-28T20:00:00-06:00", "2028-02-28T03:59:59-06:00", "2028-02-28T04:00:00-06:00"),
        ("2028-02-29T20:00:00-06:00", "2029-02-28T03:59:59-06:00", "2029-02-28T04:00:00-06:00"),
        ("2026-03-08T20:00:00-05:00", "2027-03-08T03:59:59-06:00", "2027-03-08T04:00:00-06:00"),
        // As texts, 2026-10 comes after 2027-09 of nothing: dates are compared.
        ("2026-10-09T20:00:00-05:00", "2027-10-09T03:59:59-05:00", "2027-10-09T04:00:00-05:00"),
    ] {
        let mut bar = Bar::new(r#", "expire": {"after_months": 12}"#);
        bar.closes(closed, "t", Some(10));
        assert_eq!(bar.points(last_night), (10, 0), "{last_night}");
        assert_eq!(bar.points(morning), (0, 0), "{morning}");
        // Written, it is one posting, of the day it was due.
        bar.closes("2031-01-01T12:00:00-06:00", "u", Some(1));
        let lapsed: Vec<String> = bar
            .postings
            .iter()
            .filter(|posting| posting.why == Why::Lapsed)
            .map(|posting| format!("{} on {}", posting.points, posting.on))
            .collect();
        let (day, _) = morning.split_once('T').unwrap();
        assert_eq!(lapsed, [format!("10 on {day}")]);
    }
}

#[test]
fn a_tier_is_held_while_its_points_are_recent_and_a_tab_earns_at_the_tier_before_it() {
    let tiers = r#", "tiers": [
        {"id": "gold", "from_points": 100, "within_months": 12, "multiplier": "1.5"},
        {"id": "black", "from_points": 250, "within_months": 12, "multiplier": "2"}]"#;
    let mut bar = Bar::new(tiers);
    bar.closes("2028-02-29T20:00:00-06:00", "one", Some(100));
    assert_eq!(bar.points("2028-02-29T21:00:00-06:00"), (100, 0));
    bar.closes("2028-03-01T20:00:00-06:00", "two", Some(100));
    assert_eq!(bar.points("2028-03-01T21:00:00-06:00"), (250, 0));
    assert_eq!(bar.view("2028-03-01T21:00:00-06:00").tier.as_deref(), Some("black"));
    // The first tab closed anew: at the tier before it, which was none.
    bar.closes("2028-03-02T20:00:00-06:00", "one", Some(110));
    assert_eq!(bar.points("2028-03-02T21:00:00-06:00"), (260, 0));
    // A year later the first day counts no more.
    assert_eq!(bar.view("2029-02-28T12:00:00-06:00").tier.as_deref(), Some("gold"));
    assert_eq!(bar.view("2029-03-01T12:00:00-06:00").tier, None);
}

#[test]
fn what_is_taken_back_and_was_spent_is_owed_or_let_off() {
    for (negative, after, next) in [("owe", -60, -20), ("clip", 0, 40)] {
        let mut bar = Bar::new(&format!(r#", "negative": "{negative}""#));
        bar.closes("2026-07-01T20:00:00-05:00", "t", Some(100));
        let take = adjust(-60, "spent", &[]);
        bar.ask("2026-07-01T21:00:00-05:00", &take);
        assert_eq!(bar.points("2026-07-01T22:00:00-05:00"), (40, 0));
        bar.closes("2026-07-02T20:00:00-05:00", "t", None);
        assert_eq!(bar.points("2026-07-02T21:00:00-05:00"), (after, 0), "{negative}");
        bar.closes("2026-07-03T20:00:00-05:00", "u", Some(40));
        assert_eq!(bar.points("2026-07-03T21:00:00-05:00"), (next, 0), "{negative}");
    }
}

#[test]
fn points_that_expire_first_are_spent_first_and_come_back_for_at_least_a_day() {
    let mut bar = Bar::new(r#", "expire": {"after_months": 1}"#);
    bar.closes("2026-07-01T20:00:00-05:00", "old", Some(10));
    bar.closes("2026-07-20T20:00:00-05:00", "new", Some(10));
    let redeem = campaign_redeem("2026-07-25T20:00:00-05:00", 15);
    let reply = bar.ask("2026-07-25T20:00:00-05:00", &redeem);
    assert!(format!("{reply:?}").contains("Applied"), "{reply:?}");
    assert_eq!(bar.points("2026-07-25T21:00:00-05:00"), (5, 0));
    // The ten of 1 July would have expired on 1 August; reversed in the evening of 31 July they must last
    // till the evening of 1 August, so till the day after has begun.
    let evening = "2026-07-31T20:00:00-05:00";
    bar.ask(evening, &campaign_reverse(evening));
    assert_eq!(bar.points(evening), (20, 0));
    assert_eq!(bar.points("2026-08-02T03:59:00-05:00"), (20, 0));
    assert_eq!(bar.points("2026-08-02T04:00:00-05:00"), (10, 0));
    assert_eq!(bar.points("2026-08-20T03:59:00-05:00"), (10, 0));
    assert_eq!(bar.points("2026-08-20T04:00:00-05:00"), (0, 0));
}

fn offer() -> crate::ident::OfferRef {
    crate::ident::OfferRef::parse("loyalty-programme.reward.MEMBER01").unwrap()
}

fn campaign_redeem(at: &str, points: u64) -> Command {
    use crate::ledger::campaign::{Ask, Brought, Command as Ledger, Give, Redeem};
    Command::Ledger(Ledger::Redeem(Redeem {
        tab: tab("spent"),
        customer: None,
        pos: "test".to_owned(),
        received: Instant::parse(at).unwrap(),
        attempt: at.to_owned(),
        currency: crate::money::Currency::parse("USD").unwrap(),
        asks: vec![Ask {
            offer: offer(),
            give: Some(Give { amount: Money::new(points), answer: String::new() }),
        }],
        counters: Vec::new(),
        revision: None,
        keep_days: 400,
        layout: crate::ledger::shard::LedgerLayout::SINGLE,
        brought: Brought::default(),
    }))
}

fn campaign_reverse(at: &str) -> Command {
    use crate::ledger::campaign::{Command as Ledger, Reverse, Which};
    let received = Instant::parse(at).unwrap();
    Command::Ledger(Ledger::Reverse(Reverse {
        tab: tab("spent"),
        which: Which::Offers(vec![offer()]),
        received,
    }))
}

#[test]
fn an_erased_persons_books_balance_and_name_nobody() {
    let mut bar = Bar::new(r#", "pending_days": 2"#);
    bar.closes("2026-07-01T20:00:00-05:00", "dinner", Some(100));
    bar.closes("2026-07-09T20:00:00-05:00", "lunch", Some(10));
    bar.ask("2026-07-10T20:00:00-05:00", &campaign_redeem("2026-07-10T20:00:00-05:00", 30));
    let known =
        (Kind::Phone, Identity::parse("a@b.example", &Rules::default()).unwrap().pseudonym(b"p"));
    bar.profile.identities.push(known);
    let erased = bar.ask("2026-07-10T21:00:00-05:00", &Command::Erase);
    assert!(matches!(erased, Reply::Identities(all) if all.len() == 1));
    let books = Books::of(&bar.postings);
    assert_eq!(books.held(Account::Spent), 30);
    assert_eq!(books.held(Account::Expired), 80);
    assert_eq!(books.held(Account::Issued), -110);
    let left = format!("{:?} {:?} {:?}", bar.profile, bar.postings, bar.tabs);
    for name in ["dinner", "lunch", "reward", "Phone", "M0", "MemberNumber"] {
        assert!(!left.contains(name), "{name} in {left}");
    }
    for command in [Command::Show(1), Command::Erase, Command::Accrue(Vec::new())] {
        assert_eq!(bar.ask("2026-07-11T21:00:00-05:00", &command), Reply::Erased);
    }
}

/// An operator adds or takes points, under these keys.
fn adjust(points: i64, reason: &str, keys: &[&str]) -> Command {
    let adjusted = Adjusted { points, reason: reason.to_owned(), id: None };
    Command::Adjust { adjusted, keys: keys.iter().map(|key| (*key).to_owned()).collect() }
}

#[test]
fn an_adjustment_is_posted_once_for_its_key_also_after_a_merger() {
    let at = "2026-07-01T20:00:00-05:00";
    let (mut one, mut other) = (Bar::new(""), Bar::new(""));
    other.me = MemberId::parse("MEMBER02").unwrap();
    for bar in [&mut one, &mut other] {
        for _ in 0..2 {
            bar.ask(at, &adjust(50, "sorry", &["key"]));
            assert_eq!(bar.points(at), (50, 0));
        }
        assert_eq!(bar.ask(at, &adjust(51, "sorry", &["key"])), Reply::OtherAdjustment);
        assert_eq!(bar.ask(at, &adjust(50, "so sorry", &["other", "key"])), Reply::OtherAdjustment);
        // Without a key every request is another one.
        bar.ask(at, &adjust(1, "more", &[]));
        bar.ask(at, &adjust(1, "more", &[]));
        assert_eq!(bar.points(at), (52, 0));
    }
    other.ask(at, &adjust(7, "his own", &["his"]));
    merge(&mut other, &mut one, at);
    for (points, reason, key) in [(50, "sorry", "key"), (7, "his own", "his")] {
        one.ask(at, &adjust(points, reason, &[key]));
        assert_eq!(one.points(at), (111, 0), "{key}");
    }
    assert_eq!(one.ask(at, &adjust(8, "his own", &["his"])), Reply::OtherAdjustment);
}

/// The one is taken in by the other.
fn merge(from: &mut Bar, into: &mut Bar, at: &str) {
    let depart = Command::Depart { into: into.me.clone() };
    let Reply::Leaving { luggage, .. } = from.ask(at, &depart) else { panic!("no luggage") };
    for _ in 0..2 {
        // Whoever meets him is told the same.
        let met = from.ask(at, &Command::Show(1));
        assert!(matches!(met, Reply::Leaving { luggage: again, .. } if again == luggage));
        let absorb = Command::Absorb { from: from.me.clone(), luggage: (*luggage).clone() };
        assert_eq!(into.ask(at, &absorb), Reply::Done);
    }
    let arrived = Command::Arrived { at: into.me.clone() };
    assert_eq!(from.ask(at, &arrived), Reply::Moved(into.me.clone()));
    assert!(from.postings.is_empty() && from.tabs.is_empty() && from.adjusted.is_empty());
    assert_eq!(from.profile, Profile { moved: Some(into.me.clone()), ..Profile::default() });
}

#[test]
fn a_member_who_is_merged_brings_everything_once() {
    let (mut one, mut other) = (Bar::new(""), Bar::new(""));
    other.me = MemberId::parse("MEMBER02").unwrap();
    let at = "2026-07-01T20:00:00-05:00";
    one.closes(at, "mine", Some(10));
    other.closes(at, "yours", Some(100));
    other.ask(at, &campaign_redeem(at, 30));
    merge(&mut other, &mut one, at);
    assert_eq!(other.ask(at, &Command::Show(1)), Reply::Moved(one.me.clone()));
    assert_eq!(one.points(at), (80, 0));
    // What he redeemed is given back here, and what his tab earned is corrected here.
    let later = "2026-07-02T20:00:00-05:00";
    one.ask(later, &campaign_reverse(later));
    assert_eq!(one.points(later), (110, 0));
    one.closes(later, "yours", Some(50));
    assert_eq!(one.points(later), (60, 0));
}

#[test]
fn a_tab_that_both_members_had_counts_once_after_a_merger_as_its_visit_said_last() {
    let at = "2026-07-01T20:00:00-05:00";
    let ids = ["MEMBER01", "MEMBER02", "MEMBER03"].map(|id| MemberId::parse(id).unwrap());
    // The visit's revisions: whose the tab was, and its points; each member heard some of them.
    let history = [(&ids[0], 10), (&ids[1], 20), (&ids[0], 30), (&ids[2], 40), (&ids[1], 50)];
    let accrual = |revision: usize| {
        let (owner, points) = history[revision - 1];
        let on = Date::parse("2026-07-01").unwrap();
        let received = Instant::from_millis(revision as i64);
        let paid = Money::new(points);
        let digest = revision.to_string();
        let closing = Some(Closing { received, digest, on, paid, points, facts: None });
        let revision = u32::try_from(revision).unwrap();
        Accrual { tab: tab("t"), ruling: Ruling { revision, owner: Some(owner.clone()), closing } }
    };
    for heard_by_one in 0..=history.len() {
        for heard_by_other in 0..=history.len() {
            let (mut one, mut other) = (Bar::new(""), Bar::new(""));
            (one.me, other.me) = (ids[0].clone(), ids[1].clone());
            for (bar, heard) in [(&mut one, heard_by_one), (&mut other, heard_by_other)] {
                for revision in (1..=heard).rev().take(2).collect::<Vec<_>>().into_iter().rev() {
                    bar.ask(at, &Command::Accrue(vec![accrual(revision)]));
                }
            }
            merge(&mut other, &mut one, at);
            let last = heard_by_one.max(heard_by_other);
            let points = |last: usize| match last {
                0 | 4 => 0,
                last => history[last - 1].1 as i64,
            };
            let heard = format!("{heard_by_one} and {heard_by_other} heard");
            assert_eq!(one.points(at), (points(last), 0), "{heard}");
            for revision in 1..=history.len() {
                one.ask(at, &Command::Accrue(vec![accrual(revision)]));
                assert_eq!(one.points(at), (points(last.max(revision)), 0), "{heard}");
            }
        }
    }
}

#[test]
fn who_is_taken_in_by_somebody_erased_is_erased_with_him() {
    let (mut one, mut other) = (Bar::new(""), Bar::new(""));
    other.me = MemberId::parse("MEMBER02").unwrap();
    let at = "2026-07-01T20:00:00-05:00";
    one.closes(at, "mine", Some(10));
    other.closes(at, "yours", Some(100));
    one.ask(at, &Command::Erase);
    merge(&mut other, &mut one, at);
    assert_eq!(one.ask(at, &Command::Show(1)), Reply::Erased);
    assert_eq!(Books::of(&one.postings).held(Account::Expired), 110);
    assert!(one.tabs.is_empty());
}
