//! What is not promised: each limit as a test, so that it is known, and noticed when it goes away.

use std::cell::Cell;
use std::rc::Rc;

use promo_core::checkout::Reversal;
use promo_core::ident::OfferRef;
use promo_core::ledger::campaign::{Ask, Brought, Command, Give, Redeem};
use promo_core::ledger::counter::{Counter, Measure};
use promo_core::ledger::shard::{Apart, LedgerLayout, Shard};
use promo_core::money::{Currency, Money};

use crate::check::standing;
use crate::dice::Dice;
use crate::edge::Edge;
use crate::plan::{CampaignPlan, Faults, Kind, Plan, QuotaPlan, TabPlan};
use crate::till::{Answered, redeem, reverse};
use crate::world::{World, id};

/// One campaign with so many uses, two tabs, and nothing going wrong.
pub fn quiet(limit: u64, layout: LedgerLayout) -> Rc<World> {
    let quota = QuotaPlan {
        offer: None,
        per: Vec::new(),
        day: false,
        anonymous: false,
        kind: Kind::Uses,
        limit,
    };
    let campaign = CampaignPlan {
        layout,
        id: "c0".to_owned(),
        listed: false,
        codes: vec!["CODE00".to_owned()],
        offers: vec![100],
        combines: serde_json::json!("none"),
        quotas: vec![quota],
    };
    let tab = TabPlan { place: 0, customer: None, subtotal: 1000, fee: 0 };
    let plan = Plan {
        seed: 0,
        campaigns: vec![campaign],
        tabs: vec![tab.clone(), tab],
        actions: Vec::new(),
        faults: Faults::default(),
    };
    World::new(plan, None, false)
}

/// A REDEEM of the only offer, through an edge whose clock is so far ahead.
fn redeems(world: &Rc<World>, tab: usize, ahead: i64) {
    let answered = Answered { tell: || (), after: Rc::default() };
    let redeem = redeem(
        world,
        world.tab_key(tab),
        vec!["c0.o0.CODE00".to_owned()],
        world.now().plus_millis(ahead),
        format!("on {tab} at {}", world.sim.now()),
        Dice::of(1, &[]),
        answered,
    );
    world.sim.spawn(0, redeem);
    world.sim.run();
}

/// A reversal of the whole tab; whether it succeeded.
fn reverses(world: &Rc<World>, tab: usize, ahead: i64) -> bool {
    let done = Rc::new(Cell::new(false));
    let told = Rc::clone(&done);
    let answered = Answered { tell: move || told.set(true), after: Rc::default() };
    let reversal = Reversal {
        also: None,
        tab: world.tab_key(tab),
        offer_ids: Vec::new(),
        received: world.now().plus_millis(ahead),
    };
    let edge = Edge::new(world, Dice::of(2, &[]), None);
    let name = "reversal".to_owned();
    world.sim.spawn(0, reverse(Rc::clone(world), edge, reversal, name, answered));
    world.sim.run();
    done.get()
}

fn stands(world: &World, tab: usize) -> bool {
    !standing(world, &id("c0"), &world.tab_key(tab)).is_empty()
}

/// Which of two events was first is decided by the edges' clocks. A till that reverses through a clock
/// that is behind by more than it waited hears that it succeeded, and what it meant still stands: the
/// reversal looks as if it had been overtaken. So a till should wait for the bound of the clocks'
/// difference (twice what any one is off) between an answer and the reversal of it, or send it again.
/// The worlds of the seeds have clocks up to 50 ms off, and tills that wait.
#[test]
fn a_reversal_through_a_clock_behind_is_taken_for_an_earlier_one() {
    let world = quiet(1, LedgerLayout::SINGLE);
    redeems(&world, 0, 50);
    assert!(world.sim.now() < 100, "the till reverses before 100 ms have gone by");
    assert!(reverses(&world, 0, -50));
    assert!(stands(&world, 0), "the limit is gone: say so here and in ledger.md");
    world.sim.at(world.sim.now() + 100, 0, || ());
    world.sim.run();
    assert!(reverses(&world, 0, -50));
    assert!(!stands(&world, 0));
}

/// Only what was applied is remembered, so a command that was refused, and that the network brings a
/// second time when there is room, is taken, though its till was told no. Nothing is oversold, and the
/// tab's reversal gives it back; but until then a unit is used that no guest has. Cloudflare does not
/// bring a request to an object twice, and the Worker never sends a REDEEM twice under one attempt.
#[test]
fn a_doubled_command_can_take_what_was_refused() {
    let world = quiet(1, LedgerLayout::SINGLE);
    let tab = world.tab_key(1);
    redeems(&world, 0, 0);
    let offer = OfferRef::parse("c0.o0.CODE00").unwrap();
    let give = Give { amount: Money::new(100), answer: String::new() };
    let command = Command::Redeem(Redeem {
        tab: tab.clone(),
        customer: None,
        pos: "simulated".to_owned(),
        received: world.now(),
        attempt: "doubled".to_owned(),
        currency: Currency::parse("USD").unwrap(),
        asks: vec![Ask { offer, give: Some(give) }],
        revision: None,
        keep_days: 400,
        layout: LedgerLayout::SINGLE,
        brought: Brought::default(),
        counters: vec![Counter {
            apart: Apart::default(),
            also: Vec::new(),
            key: "*|uses||total|total|||".to_owned(),
            ceiling: 1,
            measure: Measure::Uses,
            partial: false,
            offer: None,
        }],
    });
    world.ledger(&id("c0"), &Shard::root(), &command);
    assert!(!stands(&world, 1));
    assert!(reverses(&world, 0, 0));
    world.ledger(&id("c0"), &Shard::root(), &command);
    assert!(stands(&world, 1), "the limit is gone: say so here and in history.rs");
}
