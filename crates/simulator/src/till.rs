//! Tills: they ask, wait, ask again, and remember what they heard.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use promo_core::checkout::{self, Event, Person, Reversal};
use promo_core::engine::{Context, LocationFacts};
use promo_core::ident::OfferRef;
use promo_core::ledger::TabKey;
use promo_core::time::{Instant, Zone};

use crate::check;
use crate::dice::Dice;
use crate::edge::{Edge, clean_up_all};
use crate::history::{RedeemEntry, ReverseEntry};
use crate::plan::{Action, Named, Start, What};
use crate::sim::{Millis, Slot};
use crate::world::World;

/// After this a till gives up.
const PATIENCE: Millis = 2500;

/// Actions that others follow, and where those wait.
#[derive(Default)]
pub struct Followers(RefCell<Vec<(u64, Slot<()>)>>);

/// Starts all tills of the plan.
pub fn open(world: &Rc<World>) {
    let followers = Rc::new(Followers::default());
    for action in world.plan.actions.clone() {
        let order = Dice::of(world.plan.seed, &[3, action.id]).next();
        let slot = match action.start {
            Start::After(other, _) if world.plan.actions.iter().any(|a| a.id == other) => {
                let slot = Slot::new();
                followers.0.borrow_mut().push((other, slot.clone()));
                Some(slot)
            }
            _ => None,
        };
        let (world, followers) = (Rc::clone(world), Rc::clone(&followers));
        let sim = Rc::clone(&world);
        sim.sim.spawn(order, async move {
            if let Some(slot) = slot {
                world.sim.wait(&slot, Millis::MAX).await;
            }
            let (Start::At(wait) | Start::After(_, wait)) = action.start;
            world.sim.sleep(wait).await;
            act(&world, &action).await;
            for (after, slot) in followers.0.borrow().iter() {
                if *after == action.id {
                    world.sim.fill(slot, ());
                }
            }
        });
    }
}

async fn act(world: &Rc<World>, action: &Action) {
    let again = match &action.what {
        What::Limit { campaign, quota, limit } => {
            let document = world.document(*campaign, world.sim.now());
            let mut limits = document.limits;
            limits[*quota] = *limit;
            world.note(|| format!("limits of c{campaign} are now {limits:?}"));
            return world.publish(*campaign, limits, document.layout);
        }
        What::Layout { campaign, layout } => {
            world.note(|| format!("c{campaign} is now laid out as {layout:?}"));
            let limits = world.document(*campaign, world.sim.now()).limits;
            return world.publish(*campaign, limits, *layout);
        }
        What::Inquire { .. } => 0,
        What::Redeem { again, .. } | What::Reverse { again, .. } => *again,
    };
    for n in 0..=again {
        let mut dice = Dice::of(world.plan.seed, &[4, action.id, u64::from(n)]);
        if n > 0 {
            world.sim.sleep(dice.pick(&[0, 10, 200, 2000])).await;
        }
        ask(world, action, n, dice).await;
    }
}

/// One message of a till to an edge, and its answer.
async fn ask(world: &Rc<World>, action: &Action, n: u32, dice: Dice) {
    let dice = RefCell::new(dice);
    let slot = Slot::new();
    let mut copies = 0;
    if !world.goes_wrong(&dice, world.plan.faults.lost_request) {
        copies = 1 + u32::from(world.goes_wrong(&dice, world.plan.faults.doubled));
    }
    for copy in 0..copies {
        let (inner, slot, action) = (Rc::clone(world), slot.clone(), action.clone());
        let own = Dice::of(dice.borrow_mut().next(), &[u64::from(copy)]);
        let (go, back) = (world.delay(&dice), world.delay(&dice));
        let lost = world.goes_wrong(&dice, world.plan.faults.lost_reply);
        let order = dice.borrow_mut().next();
        world.sim.at(world.sim.now() + go, order, move || {
            let edge = (action.edge + usize::try_from(n + copy).unwrap()) % 3;
            let world = Rc::clone(&inner);
            let attempt = format!("a{}.{n}.{copy}", action.id);
            arrive(&inner, &action, edge, attempt, own, move || {
                if !lost {
                    let inner = Rc::clone(&world);
                    let at = world.sim.now() + back;
                    world.sim.at(at, order, move || inner.sim.fill(&slot, ()));
                }
            });
        });
    }
    world.sim.wait(&slot, world.sim.now() + PATIENCE).await;
}

/// An event at an edge, which may die over it.
fn arrive(
    world: &Rc<World>,
    action: &Action,
    edge: usize,
    attempt: String,
    mut dice: Dice,
    answered: impl FnOnce() + 'static,
) {
    let skew = world.plan.faults.skew;
    let off = Dice::of(world.plan.seed, &[2, u64::try_from(edge).unwrap()]).between(-skew, skew);
    let received = world.now().plus_millis(off);
    let dies = dice.happens(world.plan.faults.edge_dies).then(|| dice.pick(&[3, 20, 60, 2000]));
    let tab = world.tab_key(action.tab);
    let order = dice.next();
    let after: Rc<Cell<Option<u64>>> = Rc::default();
    let task = match action.what.clone() {
        What::Limit { .. } | What::Layout { .. } => return,
        What::Inquire { campaign, code } => {
            let code = world.plan.campaigns[campaign].codes[code].clone();
            let event = event(world, tab, received, attempt);
            let edge = Edge::new(world, dice, None);
            world.sim.spawn(order, async move {
                // What is shown binds nobody.
                let _ = checkout::inquire(&edge, &code, &event).await;
                answered();
            })
        }
        What::Redeem { offers, .. } => {
            let ids = offer_ids(world, &offers);
            let answered = Answered { after: Rc::clone(&after), tell: answered };
            let redeem = redeem(world, tab, ids, received, attempt, dice, answered);
            world.sim.spawn(order, redeem)
        }
        What::Reverse { offers, unknown, .. } => {
            let mut offer_ids = offer_ids(world, &offers);
            if unknown && !offer_ids.is_empty() {
                offer_ids.extend(["nobody's".to_owned(), "c0.never.NEVER".to_owned()]);
            }
            let reversal = Reversal { tab, also: None, offer_ids, received };
            let answered = Answered { after: Rc::clone(&after), tell: answered };
            let edge = Edge::new(world, dice, None);
            world.sim.spawn(order, reverse(Rc::clone(world), edge, reversal, attempt, answered))
        }
    };
    if let Some(wait) = dies {
        let inner = Rc::clone(world);
        world.sim.at(world.sim.now() + wait, order, move || {
            let died = [Some(task), after.get()].into_iter().flatten();
            if died.filter(|task| inner.sim.kill(*task)).count() > 0 {
                inner.note(|| format!("edge {edge} dies"));
            }
        });
    }
}

/// What follows an answer.
pub struct Answered<F> {
    /// The till hears it.
    pub tell: F,
    /// What the edge still does; it dies with the edge.
    pub after: Rc<Cell<Option<u64>>>,
}

impl<F: FnOnce()> Answered<F> {
    fn go(self, edge: &Edge) {
        (self.tell)();
        let left = edge.left.take();
        if left.is_empty() {
            return;
        }
        let dice = Dice::of(edge.dice.borrow_mut().next(), &[]);
        let clean = clean_up_all(Rc::clone(&edge.world), dice, edge.entry, left);
        self.after.set(Some(edge.world.sim.spawn(0, clean)));
    }
}

/// A REDEEM at an edge, from its arrival to its answer.
pub fn redeem(
    world: &Rc<World>,
    tab: TabKey,
    offer_ids: Vec<String>,
    received: Instant,
    attempt: String,
    dice: Dice,
    answered: Answered<impl FnOnce() + 'static>,
) -> impl Future<Output = ()> + 'static {
    let entry = world.history.borrow().redeems.len();
    world.note(|| {
        format!("REDEEM {attempt} on {} at {}: {offer_ids:?}", tab.tab, received.millis())
    });
    world.history.borrow_mut().redeems.push(RedeemEntry {
        attempt: attempt.clone(),
        tab: tab.clone(),
        offers: offer_ids.iter().filter_map(|id| OfferRef::parse(id)).collect(),
        received,
        answer: None,
        undo: std::collections::BTreeMap::new(),
        doubled: std::collections::BTreeSet::new(),
        word_left: std::collections::BTreeSet::new(),
    });
    let event = event(world, tab, received, attempt);
    let edge = Edge::new(world, dice, Some(entry));
    let world = Rc::clone(world);
    async move {
        let answer = checkout::redeem(&edge, &offer_ids, &event).await;
        world.note(|| format!("REDEEM {} answered: {}", event.attempt, told(&answer)));
        world.history.borrow_mut().redeems[entry].answer = Some(answer);
        check::after_answer(&world, entry);
        answered.go(&edge);
    }
}

/// A REVERSE at an edge, from its arrival to its answer.
pub async fn reverse(
    world: Rc<World>,
    edge: Edge,
    reversal: Reversal,
    name: String,
    answered: Answered<impl FnOnce() + 'static>,
) {
    world.note(|| {
        let (tab, at) = (&reversal.tab.tab, reversal.received.millis());
        format!("REVERSE {name} on {tab} at {at}: {:?}", reversal.offer_ids)
    });
    let entry = world.history.borrow().reversals.len();
    world.history.borrow_mut().reversals.push(ReverseEntry {
        tab: reversal.tab.clone(),
        offers: reversal.offer_ids.iter().filter_map(|id| OfferRef::parse(id)).collect(),
        received: reversal.received,
        answer: None,
    });
    let answer = checkout::reverse(&edge, &reversal).await;
    world.note(|| format!("REVERSE {name} answered: {answer:?}"));
    world.history.borrow_mut().reversals[entry].answer = Some(answer);
    answered.go(&edge);
}

fn event(world: &World, tab: TabKey, received: Instant, attempt: String) -> Event {
    let plans = world.tab_plans.borrow();
    let (plan, cart) = &plans[&tab];
    Event {
        also: None,
        net: false,
        customer: plan.customer.clone().map(|name| Person { name, ..Person::default() }),
        cart: cart.clone(),
        received,
        attempt,
        pos: "simulated",
        context: Context {
            at: received,
            location: LocationFacts::default(),
            default_zone: Zone::utc(),
        },
        tab,
    }
}

fn offer_ids(world: &World, offers: &[Named]) -> Vec<String> {
    let id =
        |(campaign, offer, code): &Named| world.plan.campaigns[*campaign].offer_id(*offer, *code);
    offers.iter().map(id).collect()
}

fn told(answer: &Result<checkout::Redeemed, checkout::Failure>) -> String {
    match answer {
        Err(failure) => failure.to_string(),
        Ok(answer) => {
            let applied = answer.applied.iter();
            let applied = applied.map(|q| format!("{}={}", q.offer_id, q.discount.minor()));
            let rejected = answer.rejected.iter();
            let rejected = rejected.map(|r| format!("{} {}", r.offer_id, r.reason.as_str()));
            format!("{:?}", applied.chain(rejected).collect::<Vec<_>>())
        }
    }
}
