//! Members' points over the years, against a bookkeeper who does every sum by hand: points that wait and
//! expire, tiers that come and go, tabs closed again and reversed, rewards given back, debts, members
//! who are merged and erased. One event at a time; what runs at once is in `loyalty.rs`.
//!
//! `PROMO_SEED=n` runs one history, `PROMO_LONG=1` many more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "loyalty/model.rs"]
mod model;
#[path = "loyalty/world.rs"]
mod world;

use std::collections::BTreeMap;

use jiff::civil::date;
use model::{Model, Rules};
use promo_core::ident::{CampaignId, LocationId, OfferId, OfferKey, OfferRef, TabId};
use promo_core::identity::{self, Identity};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{
    Ask, Brought, Command, Give, Outcome, Redeem, Reply, Reverse, Which,
};
use promo_core::ledger::shard::LedgerLayout;
use promo_core::loyalty::accrue::{Guests, accrue, take_back};
use promo_core::loyalty::directory::Command as Entry;
use promo_core::loyalty::member::{self, View, books::Account};
use promo_core::loyalty::merge::{Merged, merge};
use promo_core::loyalty::programme::{Programme, REWARDS};
use promo_core::loyalty::sign_up::{SignedUp, find_or_make};
use promo_core::loyalty::visit::{Closing, Told};
use promo_core::loyalty::{MemberId, Rooms, spend};
use promo_core::money::{Currency, Money};
use promo_core::time::{Date, Instant, Zone};
use serde_json::json;
use world::{Way, World, race};

const PEPPER: &[u8] = b"pepper";
const GUESTS: usize = 4;
const TABS: usize = 12;
const COST: i64 = 30;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn seeds() -> Vec<u64> {
    match std::env::var("PROMO_SEED").map(|seed| seed.parse()) {
        Ok(Ok(seed)) => vec![seed],
        _ if std::env::var_os("PROMO_LONG").is_some() => (0..5_000).collect(),
        _ => (0..150).collect(),
    }
}

fn identities(guest: usize) -> Vec<Identity> {
    let rules = identity::Rules::default();
    let phone = Identity::parse(&format!("+1 608 555 010{guest}"), &rules).unwrap();
    let email = Identity::parse(&format!("guest{guest}@x.example"), &rules).unwrap();
    vec![phone, email]
}

fn tab(number: usize) -> TabKey {
    let name = format!("tab-{number}");
    TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse(&name).unwrap() }
}

fn reward(member: &MemberId) -> OfferRef {
    let campaign = CampaignId::parse(REWARDS).unwrap();
    let offer = OfferKey::of(&campaign, &OfferId::parse("reward").unwrap());
    OfferRef { campaign, offer, code: spend::key_of(member).unwrap() }
}

/// What is known of a closed tab: whose it is, the day it was closed first, whether anything counts.
#[derive(Clone, Debug)]
struct Closed {
    owner: Option<String>,
    on: jiff::civil::Date,
    points: Option<i64>,
    sent: Told,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    merged: usize,
    erased: usize,
    signed_up: usize,
    redeemed: usize,
    refused: usize,
    tabs_taken_back: i64,
    rewards_of_tabs: usize,
    tiers: usize,
}

struct Tale {
    world: World,
    programme: Programme,
    model: Model,
    /// By guest, while he is somebody.
    members: BTreeMap<usize, MemberId>,
    /// Rewards that stand, by tab and by whom they were redeemed.
    rewards: Vec<(usize, MemberId)>,
    tabs: BTreeMap<usize, Closed>,
    drawn: u64,
    times: Times,
    diary: Vec<String>,
}

impl Tale {
    fn new(seed: u64) -> Self {
        let dice = world::Dice::new(seed);
        let rules = Rules {
            pending_days: [0, 0, 1, 5][dice.below(4)],
            months: [None, Some(1), Some(2), Some(12)][dice.below(4)],
            clip: dice.one_in(3),
            tiers: match dice.below(3) {
                0 => Vec::new(),
                1 => vec![("gold", 100, 3, 3)],
                _ => vec![("silver", 50, 2, 3), ("gold", 120, 6, 4)],
            },
        };
        let tiers = rules.tiers.iter().map(|(id, from, months, halves)| {
            let multiplier = format!("{}.{}", halves / 2, halves % 2 * 5);
            json!({"id": id, "from_points": from, "within_months": months, "multiplier": multiplier})
        });
        let mut document = json!({
            "name": "Club", "timezone": "UTC", "pending_days": rules.pending_days,
            "tiers": tiers.collect::<Vec<_>>(), "negative": if rules.clip { "clip" } else { "owe" },
        });
        if let Some(months) = rules.months {
            document["expire"] = json!({"after_months": months});
        }
        let programme = Programme::from_json(document.to_string().as_bytes()).unwrap();
        let noon = Instant::parse("2026-01-30T12:00:00Z").unwrap();
        let world = World::new(seed.wrapping_add(1 << 32), programme.terms(&Zone::utc(), noon));
        world.now.set(noon.millis());
        Self {
            world,
            programme,
            model: Model::new(rules, date(2026, 1, 30)),
            members: BTreeMap::new(),
            rewards: Vec::new(),
            tabs: BTreeMap::new(),
            drawn: 0,
            times: Times::default(),
            diary: Vec::new(),
        }
    }

    /// Days go by.
    fn wait(&mut self, days: usize) {
        for _ in 0..days {
            self.world.now.set(self.world.now.get() + DAY);
            self.model.next_day();
        }
        let now = Instant::from_millis(self.world.now.get());
        *self.world.terms.borrow_mut() = self.programme.terms(&Zone::utc(), now);
    }

    fn today(&self) -> Date {
        Date::parse(&self.model.today.to_string()).unwrap()
    }

    fn name(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    fn signs_up(&mut self, guest: usize) {
        let candidate = MemberId::parse(&format!("MEMBER{:06}", self.name())).unwrap();
        let who = identities(guest);
        let made = alone(find_or_make(&self.world, &who, PEPPER, &candidate, None));
        let SignedUp::Member { id, .. } = made else { panic!("{made:?}") };
        if self.members.insert(guest, id.clone()).is_some() {
            return;
        }
        self.times.signed_up += 1;
        self.model.members.insert(id.to_string(), model::Member::default());
        // What waited is credited in the order in which it was closed.
        let mut waiting: Vec<usize> = (0..TABS).filter(|tab| guest_at(*tab) == guest).collect();
        waiting.retain(|tab| self.tabs.get(tab).is_some_and(|closed| closed.owner.is_none()));
        waiting.sort_by_key(|tab| (self.tabs[tab].on, self.tabs[tab].sent.last.received));
        for tab in waiting {
            let closed = self.tabs.get_mut(&tab).unwrap();
            closed.owner = Some(id.to_string());
            let (on, points) = (closed.on, closed.points);
            self.model.tab_earns(id.as_str(), tab, on, points);
        }
    }

    fn sends(&self, number: usize, told: &Told) {
        let until = Instant::from_millis(i64::MAX);
        let known_by =
            identities(guest_at(number)).iter().map(|who| who.pseudonym(PEPPER)).collect();
        let guests = Guests { holder: None, known_by };
        alone(accrue(&self.world, &guests, &tab(number), told, until));
    }

    fn closes(&mut self, number: usize, points: i64) {
        let received = self.world.tick();
        let told = Told::new(Closing {
            received,
            digest: format!("closing {}", self.name()),
            on: self.today(),
            paid: Money::new(points.unsigned_abs()),
            points: points.unsigned_abs(),
            facts: None,
        });
        self.sends(number, &told);
        let today = self.model.today;
        let now_owner = self.members.get(&guest_at(number)).map(ToString::to_string);
        let closed = self.tabs.entry(number).or_insert_with(|| Closed {
            owner: None,
            on: today,
            points: None,
            sent: told.clone(),
        });
        (closed.points, closed.sent) = (Some(points), told);
        let on = closed.on;
        if let Some(owner) = now_owner {
            closed.owner = Some(owner.clone());
            self.model.tab_earns(&owner, number, on, Some(points));
        }
    }

    /// What was sent last is sent once more.
    fn closes_again(&mut self, number: usize) {
        if let Some(closed) = self.tabs.get(&number) {
            self.sends(number, &closed.sent);
        }
    }

    fn reverses_tab(&mut self, number: usize) {
        let received = self.world.tick();
        let all = Reverse { tab: tab(number), which: Which::All, received };
        let found = alone(spend::reverse_tab(&self.world, &all, &[]));
        alone(take_back(&self.world, &tab(number), received));
        let (these, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.rewards).into_iter().partition(|(tab, _)| *tab == number);
        self.rewards = others;
        assert_eq!(found.reversed.len(), these.len(), "every reward of the tab is given back");
        self.times.rewards_of_tabs += these.len();
        for (_, member) in these {
            let books = self.books_of(&member);
            self.model.give_back(&books, number, member.as_str());
        }
        let Some(closed) = self.tabs.get_mut(&number) else { return };
        let on = closed.on;
        // A closing that waits for its guest is kept, and the reversal stands in its way. Once more it
        // takes nothing.
        let Some(points) = closed.points.take() else { return };
        if let Some(owner) = closed.owner.clone() {
            let books = self.books_of(&MemberId::parse(&owner).unwrap());
            self.times.tabs_taken_back += points;
            self.model.tab_earns(&books, number, on, None);
        }
    }

    /// In whose books somebody's are now.
    fn books_of(&self, member: &MemberId) -> String {
        let mut id = member.clone();
        while let Some(into) = &self.world.members.borrow()[&id].profile.moved {
            id = into.clone();
        }
        id.to_string()
    }

    fn redeems(&mut self, number: usize) {
        let Some(member) = self.members.get(&guest_at(number)).cloned() else { return };
        let give = Give { amount: Money::new(500), answer: "\"given\"".to_owned() };
        let redeem = Redeem {
            tab: tab(number),
            customer: Some(member.to_string()),
            pos: "test".to_owned(),
            received: self.world.tick(),
            attempt: spend::attempt(&format!("attempt-{}", self.name()), &member),
            currency: Currency::parse("USD").unwrap(),
            asks: vec![Ask { offer: reward(&member), give: Some(give) }],
            counters: Vec::new(),
            keep_days: 400,
            layout: LedgerLayout::SINGLE,
            brought: Brought::default(),
            revision: None,
        };
        let cost = |_: &OfferRef, _| Some(COST.unsigned_abs());
        let reply = alone(spend::decide(&self.world, &Command::Redeem(redeem), cost));
        let Reply::Redeemed(redeemed) = reply else { panic!("{reply:?}") };
        let stands = matches!(redeemed.outcomes[0], Outcome::Applied { .. });
        // The rewards of one tab are one member's, also when two have become one since.
        let another = |(tab, whose): &(usize, MemberId)| *tab == number && *whose != member;
        let should = !self.rewards.iter().any(another)
            && self.model.redeem(member.as_str(), number, member.as_str(), COST);
        assert_eq!(stands, should, "{:?}", redeemed.outcomes);
        if stands {
            self.times.redeemed += 1;
            if !self.rewards.contains(&(number, member.clone())) {
                self.rewards.push((number, member));
            }
        } else {
            self.times.refused += 1;
        }
    }

    fn reverses_a_reward(&mut self) {
        if self.rewards.is_empty() {
            return;
        }
        let (number, member) = self.rewards.swap_remove(self.world.dice.below(self.rewards.len()));
        let which = Which::Offers(vec![reward(&member)]);
        let reverse = Reverse { tab: tab(number), which, received: self.world.tick() };
        // Twice gives back once.
        for _ in 0..2 {
            let reverse = Command::Reverse(reverse.clone());
            alone(spend::decide(&self.world, &reverse, |_, _| None));
        }
        let books = self.books_of(&member);
        self.model.give_back(&books, number, member.as_str());
    }

    fn adjusts(&mut self, guest: usize, points: i64) {
        let Some(member) = self.members.get(&guest).cloned() else { return };
        let adjusted = member::Adjusted { points, reason: "so".to_owned(), id: None };
        let adjust = member::Command::Adjust { adjusted, keys: Vec::new() };
        alone(self.world.member(&member, adjust));
        self.model.adjust(member.as_str(), points);
    }

    /// An operator finds that two guests are one.
    fn merges(&mut self, from: usize, into: usize) {
        let pair = (self.members.get(&from).cloned(), self.members.get(&into).cloned());
        let (Some(gone), Some(stays)) = pair else { return };
        if gone == stays {
            return;
        }
        self.times.merged += 1;
        assert_eq!(alone(merge(&self.world, &gone, &stays)), Merged::One(stays.clone()));
        self.model.merge(gone.as_str(), stays.as_str());
        self.members.values_mut().filter(|m| **m == gone).for_each(|m| *m = stays.clone());
    }

    fn erases(&mut self, guest: usize) {
        let Some(member) = self.members.get(&guest).cloned() else { return };
        self.times.erased += 1;
        let all = alone(self.world.member(&member, member::Command::Identities));
        let member::Reply::Identities(all) = all else { panic!("{all:?}") };
        for (_, who) in all {
            alone(self.world.entry(&who, Entry::Forget));
        }
        alone(self.world.member(&member, member::Command::Erase));
        self.members.retain(|_, known| *known != member);
        self.model.members.remove(member.as_str());
        // What he closed is nobody's; closed once more it waits for whoever signs up then.
        let gone: Vec<String> = (self.world.members.borrow().iter())
            .filter(|(_, kept)| kept.profile.moved.as_ref() == Some(&member))
            .map(|(id, _)| id.to_string())
            .chain([member.to_string()])
            .collect();
        for closed in self.tabs.values_mut() {
            if closed.owner.as_ref().is_some_and(|owner| gone.contains(owner)) {
                (closed.owner, closed.points) = (None, None);
            }
        }
    }

    fn goes_on(&mut self) {
        let (number, guest) = (self.world.dice.below(TABS), self.world.dice.below(GUESTS));
        let other = self.world.dice.below(GUESTS);
        let points = [10, 20, 40, 80][self.world.dice.below(4)];
        let what = self.world.dice.below(30);
        self.diary
            .push(format!("{} {what}: tab {number} guest {guest} {points}", self.model.today));
        match what {
            0..=2 => self.signs_up(guest),
            3..=9 => self.closes(number, points),
            10 => self.closes_again(number),
            11 | 12 => self.reverses_tab(number),
            13..=17 => self.redeems(number),
            18..=20 => self.reverses_a_reward(),
            21 => self.adjusts(guest, points / 2),
            22 => self.adjusts(guest, -points),
            23 if self.world.dice.one_in(2) => self.merges(guest, other),
            24 if self.world.dice.one_in(4) => self.erases(guest),
            25 => self.wait(40),
            _ => self.wait(1 + self.world.dice.below(6)),
        }
    }

    fn postings(&self, member: &MemberId) -> String {
        let members = self.world.members.borrow();
        let line = |posting: &member::books::Posting| {
            let (from, to, on, why) = (posting.from, posting.to, posting.on, posting.why);
            format!("{on} {why:?} {}: {from:?} to {to:?}", posting.points)
        };
        members[member].postings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn view(&self, member: &MemberId) -> Option<View> {
        alone(spend::show(&self.world, member, 0)).map(|(_, view)| view)
    }

    /// Everybody has what the bookkeeper says, and nobody else has anything.
    fn compare(&mut self) {
        let all: Vec<MemberId> = self.world.members.borrow().keys().cloned().collect();
        for id in all {
            let moved = self.world.members.borrow()[&id].profile.moved.is_some();
            let model = self.model.members.get(id.as_str()).filter(|_| !moved);
            let (Some(view), Some(model)) = (self.view(&id), model) else {
                assert!(moved || self.view(&id).is_none(), "{id} should be nobody");
                continue;
            };
            let has = (view.balance.available, view.balance.pending, view.balance.total);
            let (available, pending) = (model.available(), model.pending());
            let should = (available, pending, available + pending);
            assert_eq!(has, should, "{id}: {model:#?}\n{}", self.postings(&id));
            let days = view.expiring.iter().map(|(day, points)| (day.to_string(), *points));
            assert_eq!(days.collect::<BTreeMap<_, _>>(), model.expiring(), "{id}");
            assert_eq!(view.accounts[&Account::Expired], model.expired(), "{id}");
            assert_eq!(view.accounts[&Account::Spent], model.spent, "{id}");
            assert_eq!(view.accounts.values().sum::<i64>(), 0, "{id}");
            let tier = model.tier(&self.model.rules, self.model.today).map(|(id, _)| id);
            self.times.tiers += usize::from(tier.is_some());
            assert_eq!(view.tier.as_deref(), tier, "{id}");
        }
        let ledger = self.world.quotas.borrow();
        let standing = ledger.tabs.values().map(|record| record.standing().count());
        assert_eq!(standing.sum::<usize>(), self.rewards.len(), "what stands of rewards");
    }
}

/// The guest who sits at a table.
fn guest_at(tab: usize) -> usize {
    tab % GUESTS
}

/// What comes of it when nothing goes wrong.
fn alone<T: 'static, E: std::fmt::Debug + 'static>(way: impl Future<Output = Result<T, E>>) -> T {
    let found = std::cell::RefCell::new(None);
    let way: Way<'_> = Box::pin(async {
        *found.borrow_mut() = Some(way.await);
        true
    });
    assert_eq!(race(vec![way], &world::Dice::new(1), 0), [Some(true)]);
    found.take().unwrap().unwrap()
}

#[test]
fn after_every_event_every_member_has_what_a_bookkeeper_says() {
    let (mut seen, mut times) = (model::Seen::default(), Times::default());
    for seed in seeds() {
        let mut tale = Tale::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..90 {
                tale.goes_on();
                tale.compare();
            }
        }));
        assert!(
            outcome.is_ok(),
            "PROMO_SEED={seed}: {:?}\n{}",
            tale.model.rules,
            tale.diary.join("\n")
        );
        seen.add(&tale.model.seen);
        times.add(&tale.times);
    }
    // Histories in which nothing happens prove nothing.
    if seeds().len() >= 150 {
        let all = seen.all();
        assert!(all.iter().all(|(_, n)| *n > 100), "{all:?}");
        let all = times.all();
        assert!(all.iter().all(|(_, n)| *n > 20), "{all:?}");
    }
}

impl Times {
    fn all(&self) -> [(&'static str, i64); 8] {
        let count = |n: usize| i64::try_from(n).unwrap();
        [
            ("merged", count(self.merged)),
            ("erased", count(self.erased)),
            ("signed up", count(self.signed_up)),
            ("redeemed", count(self.redeemed)),
            ("refused", count(self.refused)),
            ("taken back", self.tabs_taken_back),
            ("rewards of tabs", count(self.rewards_of_tabs)),
            ("tiers", count(self.tiers)),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.merged += other.merged;
        self.erased += other.erased;
        self.signed_up += other.signed_up;
        self.redeemed += other.redeemed;
        self.refused += other.refused;
        self.tabs_taken_back += other.tabs_taken_back;
        self.rewards_of_tabs += other.rewards_of_tabs;
        self.tiers += other.tiers;
    }
}
