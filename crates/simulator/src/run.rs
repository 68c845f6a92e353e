//! One seed from plan to verdict, and the shortest history that still fails.

use crate::bug::Bug;
use crate::history::Moves;
use crate::plan::{Faults, Plan};
use crate::world::{Broken, World};
use crate::{end, probe, till};

/// What a world came to.
pub struct Outcome {
    pub broken: Option<Broken>,
    pub diary: Vec<String>,
    pub facts: Facts,
}

/// What happened in a world: a simulation in which nothing happens proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    pub applied: usize,
    pub refused: usize,
    pub unavailable: usize,
    pub unknown: usize,
    pub reversed: usize,
    pub undone: usize,
    pub moves: Moves,
}

impl Facts {
    pub fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        self.refused += other.refused;
        self.unavailable += other.unavailable;
        self.unknown += other.unknown;
        self.reversed += other.reversed;
        self.undone += other.undone;
        self.moves.provided += other.moves.provided;
        self.moves.recalled += other.moves.recalled;
        self.moves.ceded += other.moves.ceded;
        self.moves.at_root += other.moves.at_root;
    }
}

pub fn run(plan: &Plan, bug: Option<Bug>, diary: bool) -> Outcome {
    let world = World::new(plan.clone(), bug, diary);
    till::open(&world);
    world.sim.run();
    if world.broken.borrow().is_none() {
        end::check(&world);
    }
    let facts = facts(&world);
    if world.broken.borrow().is_none() {
        probe::run(&world);
    }
    if world.broken.borrow().is_none() {
        end::check(&world);
    }
    world.sim.clear();
    let diary = world.history.borrow_mut().diary.take().unwrap_or_default();
    Outcome { broken: world.broken.take(), diary, facts }
}

fn facts(world: &World) -> Facts {
    use crate::history::Said;
    let history = world.history.borrow();
    let mut facts = Facts { moves: history.moves, ..Facts::default() };
    for redeem in &history.redeems {
        for offer in &redeem.offers {
            match redeem.said(offer) {
                Said::Applied => facts.applied += 1,
                Said::Refused => facts.refused += 1,
                Said::Unavailable => facts.unavailable += 1,
                Said::Nothing => facts.unknown += 1,
            }
        }
        facts.undone += redeem.undo.values().filter(|done| **done).count();
    }
    for reversal in &history.reversals {
        if let Some(Ok(answer)) = &reversal.answer {
            facts.reversed += answer.reversed.len();
        }
    }
    facts
}

/// Leaves out whatever can be left out while the same promise still breaks.
pub fn shorten(plan: &Plan, bug: Option<Bug>, broken: &Broken) -> Plan {
    let fails = |plan: &Plan| {
        run(plan, bug, false).broken.is_some_and(|again| again.promise == broken.promise)
    };
    let mut least = plan.clone();
    loop {
        let before = least.actions.len();
        for index in (0..least.actions.len()).rev() {
            let mut fewer = least.clone();
            fewer.actions.remove(index);
            if fails(&fewer) {
                least = fewer;
            }
        }
        if least.actions.len() == before {
            break;
        }
    }
    let off: [fn(&mut Faults); 10] = [
        |f| f.lost_request = 0,
        |f| f.lost_reply = 0,
        |f| f.doubled = 0,
        |f| f.crash_before = 0,
        |f| f.crash_after = 0,
        |f| f.late = 0,
        |f| f.edge_dies = 0,
        |f| f.catalogue_fails = 0,
        |f| f.stale = 0,
        |f| f.skew = 0,
    ];
    for off in off {
        let mut calmer = least.clone();
        off(&mut calmer.faults);
        if fails(&calmer) {
            least = calmer;
        }
    }
    least
}

/// What to read when a seed fails: how to replay it, and its shortest history.
pub fn report(plan: &Plan, bug: Option<Bug>, broken: &Broken) -> String {
    let least = shorten(plan, bug, broken);
    let short = run(&least, bug, true);
    let how = short.broken.as_ref().unwrap_or(broken);
    let campaigns: Vec<String> = least.campaigns.iter().map(|c| format!("{c:?}")).collect();
    let tabs: Vec<String> = least.tabs.iter().map(|t| format!("{t:?}")).collect();
    format!(
        "\npromise {} is broken: {}\nreplay: PROMO_SEED={} cargo test -p promo-simulator the_promises_hold\n{}\n{}\n{:?}\nits shortest history:\n{}\n",
        how.promise,
        how.how,
        plan.seed,
        campaigns.join("\n"),
        tabs.join("\n"),
        least.faults,
        short.diary.join("\n"),
    )
}
