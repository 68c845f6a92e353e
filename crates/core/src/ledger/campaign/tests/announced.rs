//! A stop is a stop: announcements, redemptions and enrolments in every order.

use super::*;
use crate::revision::{DocumentState, Revision};

fn of(revision: u64) -> Announcement {
    Announcement { revision: Revision::new(revision), state: DocumentState::Live }
}

fn from(revision: Option<u64>, redeem: Redeem) -> Redeem {
    Redeem { revision: revision.map(Revision::new), ..redeem }
}

fn one_offer(tab: &str) -> Redeem {
    ask(tab, 1, &[("a", 100)], &[uses("k", 5)])
}

#[test]
fn what_was_computed_from_an_older_document_is_refused_and_writes_nothing() {
    let mut map = Map::default();
    let by_hand = from(None, one_offer("by hand"));
    assert_eq!(map.redeem(&by_hand).outcomes, [applied("a", 100)]);
    assert_eq!(map.apply(&Command::Announce(of(7))), Reply::Announced(Vec::new()));
    let before = map.tabs.clone();
    for old in [None, Some(1), Some(6)] {
        let old = from(old, one_offer("late"));
        for command in [Command::Redeem(old.clone()), Command::Peek(old)] {
            let (reply, changes) = apply(&map, &Shard::root(), &command, at(1000)).unwrap();
            assert_eq!((reply, changes), (Reply::Outdated(of(7)), Changes::default()));
        }
    }
    for (tab, new) in [("same", 7), ("newer", 8)] {
        let new = from(Some(new), one_offer(tab));
        assert_eq!(map.redeem(&new).outcomes, [applied("a", 100)]);
    }
    assert_eq!(map.tabs.len(), before.len() + 2);
}

#[test]
fn what_stands_is_given_back_whatever_was_announced_since() {
    let mut map = Map::default();
    map.redeem(&from(Some(1), one_offer("tab")));
    map.apply(&Command::Announce(Announcement { state: DocumentState::Deleted, ..of(2) }));
    assert_eq!(map.reverse("tab", None, 5).reversed.len(), 1);
    assert_eq!(map.used_of("k"), 0);
}

#[test]
fn announcements_are_heard_in_any_order_and_any_number_of_times() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 3], [3, 1, 2]] {
        let mut map = Map::default();
        for revision in order {
            map.apply(&Command::Announce(of(revision)));
        }
        assert_eq!(map.announced, Some(of(3)), "{order:?}");
    }
}

/// A ledger over several objects, an edge that redeems by the first revision, and the registry, which
/// announces the second: each a list of steps.
struct World {
    root: Map,
    shard: Map,
    /// What the edge will send next to the shard, and what it was told.
    redeem: Redeem,
    told: Option<Reply>,
    roster: Vec<Shard>,
}

impl World {
    fn new(enrolled: bool) -> Self {
        let layout = LedgerLayout::new(8, super::super::super::shard::ShardBy::Tab);
        let redeem = Redeem {
            layout,
            counters: Vec::new(),
            ..from(Some(1), ask("tab", 1, &[("a", 100)], &[]))
        };
        let mut world = Self {
            root: Map::default(),
            shard: Map::default(),
            redeem,
            told: None,
            roster: Vec::new(),
        };
        if enrolled {
            world.enrol();
            world.redeem.tab = tab_key("an earlier tab");
            world.send();
            world.redeem.tab = tab_key("tab");
            world.redeem.brought = Brought::default();
            world.told = None;
        }
        world
    }

    fn me() -> Shard {
        Shard::named("3")
    }

    /// The edge asks the shard.
    fn send(&mut self) {
        if self.is_over() {
            return;
        }
        self.told = Some(self.shard.apply_as(&Self::me(), &Command::Redeem(self.redeem.clone())));
    }

    /// The edge fetches what the shard lacks.
    fn enrol(&mut self) {
        if self.is_over() {
            return;
        }
        let (layout, revision) = (self.redeem.layout, self.redeem.revision);
        let reply = self.root.apply(&Command::Provide(Provide {
            layout,
            revision,
            layouts: Vec::new(),
            enrol: Some(Enrolment { shard: Self::me(), layout }),
            peek: false,
            provisions: Vec::new(),
        }));
        match reply {
            Reply::Provided(_, enrolled) => {
                self.redeem.brought.layouts = enrolled.layouts;
                self.redeem.brought.announced = enrolled.announced;
            }
            outdated => self.told = Some(outdated),
        }
    }

    /// Whether the edge has its decision.
    fn is_over(&self) -> bool {
        match &self.told {
            Some(Reply::Redeemed(redeemed)) => redeemed.needs.is_empty(),
            other => other.is_some(),
        }
    }

    fn announce_at_root(&mut self) {
        match self.root.apply(&Command::Announce(of(2))) {
            Reply::Announced(roster) => self.roster = roster,
            _ => panic!("an announcement is answered as such"),
        }
    }

    fn announce_at_roster(&mut self) {
        for shard in self.roster.clone() {
            self.shard.apply_as(&shard, &Command::Announce(of(2)));
        }
    }

    fn stands(&self) -> bool {
        self.shard
            .tabs
            .get(&tab_key("tab"))
            .is_some_and(|record| record.standing().next().is_some())
    }
}

/// Every way to merge so many steps of one with so many of another; true: a step of the first.
fn merges(one: usize, other: usize) -> Vec<Vec<bool>> {
    match (one, other) {
        (0, other) => vec![vec![false; other]],
        (one, 0) => vec![vec![true; one]],
        _ => {
            let with = |first: bool, rest: Vec<Vec<bool>>| {
                rest.into_iter().map(move |rest| [vec![first], rest].concat())
            };
            let first = with(true, merges(one.saturating_sub(1), other));
            first.chain(with(false, merges(one, other.saturating_sub(1)))).collect()
        }
    }
}

#[test]
fn once_all_have_heard_no_shard_decides_by_the_older_document_in_any_order() {
    let (mut before, mut refused) = (0, 0);
    for enrolled in [false, true] {
        for order in merges(3, 2) {
            let mut world = World::new(enrolled);
            let edge: [fn(&mut World); 3] = [World::send, World::enrol, World::send];
            let registry: [fn(&mut World); 2] =
                [World::announce_at_root, World::announce_at_roster];
            let (mut edge, mut registry) = (edge.into_iter(), registry.into_iter());
            let mut published = false;
            for of_edge in order.clone() {
                let stood = world.stands();
                let step = if of_edge { edge.next() } else { registry.next() };
                step.unwrap()(&mut world);
                assert!(stood || !world.stands() || !published, "{order:?}, enrolled: {enrolled}");
                published |= registry.len() == 0;
            }
            // A later one with a stale document, on whichever tab, is refused by shard or root.
            world.told = None;
            world.redeem.brought = Brought::default();
            let stood = world.stands();
            world.send();
            world.enrol();
            world.send();
            assert_eq!(world.told, Some(Reply::Outdated(of(2))), "{order:?}, enrolled: {enrolled}");
            assert_eq!(world.stands(), stood);
            before += usize::from(stood);
            refused += usize::from(!stood);
        }
    }
    // Both happen, or nothing was tried.
    assert!(before > 3 && refused > 3, "{before} before, {refused} refused");
}

#[test]
fn a_peek_at_a_shard_that_nobody_told_asks_for_the_root() {
    let mut world = World::new(false);
    let peek = Command::Peek(world.redeem.clone());
    let Reply::Redeemed(redeemed) = world.shard.apply_as(&World::me(), &peek) else {
        panic!("a peek is answered as such")
    };
    assert_eq!(redeemed.needs, [Need::Layouts]);
    assert_eq!(redeemed.outcomes, [Outcome::Open]);
}

#[test]
fn a_shard_that_enrolled_after_the_announcement_was_brought_it_and_refuses_older_ones_itself() {
    let mut world = World::new(false);
    world.announce_at_root();
    world.announce_at_roster();
    let old = world.redeem.clone();
    // Somebody with the new document comes first: from then on nobody asks the root any more.
    world.redeem = from(Some(2), world.redeem.clone());
    world.send();
    world.enrol();
    world.send();
    assert!(world.stands());
    assert_eq!(world.shard.announced, Some(of(2)));
    world.redeem = Redeem { tab: tab_key("another tab"), ..old };
    world.told = None;
    world.send();
    assert_eq!(world.told, Some(Reply::Outdated(of(2))));
}
