//! The checkout's `Ports`, as one request on one edge has them.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join_all;
use promo_core::campaign::Codes;
use promo_core::checkout::{CleanUp, Found, Ports, Query, Resolution, Unreachable, clean_up};
use promo_core::code::CanonicalCode;
use promo_core::ident::{CampaignId, CodeKey, LocationId};
use promo_core::ledger::campaign;
use promo_core::ledger::shard::Shard;
use promo_core::location::{self, tab};
use promo_core::revision::Revision;

use crate::bug;
use crate::dice::Dice;
use crate::sim::Millis;
use crate::world::{World, id};

/// As in the Worker: what the objects may take of a request's time.
const BUDGET: Millis = 1700;
const PEEK_BUDGET: Millis = 150;
const WORD_BUDGET: Millis = 150;
const CLEAN_UP_WAITS: [Millis; 4] = [0, 1000, 5000, 15_000];

pub struct Edge {
    pub world: Rc<World>,
    pub dice: RefCell<Dice>,
    pub deadline: Millis,
    /// The REDEEM it answers, as the history has it.
    pub entry: Option<usize>,
    /// What is to be done after the answer has gone out.
    pub left: RefCell<Vec<CleanUp>>,
}

impl Edge {
    pub fn new(world: &Rc<World>, dice: Dice, entry: Option<usize>) -> Self {
        Self {
            dice: RefCell::new(dice),
            deadline: world.sim.now() + BUDGET,
            entry,
            left: RefCell::default(),
            world: Rc::clone(world),
        }
    }

    /// A campaign's document, perhaps an old one, perhaps not at all.
    async fn read(
        &self,
        campaign: &CampaignId,
        code: &CanonicalCode,
    ) -> Result<Option<Found>, Unreachable> {
        let world = &self.world;
        let wait = self.dice.borrow_mut().between(0, 5);
        world.sim.sleep(wait).await;
        if world.goes_wrong(&self.dice, world.plan.faults.catalogue_fails) {
            return Err(Unreachable);
        }
        let stale = if world.calm.get() { 0 } else { world.plan.faults.stale };
        let age = self.dice.borrow_mut().between(0, stale);
        let plan = world.plan.campaigns.iter().position(|plan| plan.id == campaign.as_str());
        let Some(index) = plan else { return Ok(None) };
        let found = world.document(index, world.sim.now() - age).campaign;
        let holds = match found.codes() {
            Codes::Fixed(codes) => codes.contains(code),
            _ => true,
        };
        Ok(holds.then(|| Found::by(found, CodeKey::of(code))))
    }
}

impl Ports for Edge {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        let Query::Code(code) = query else { return Ok(Resolution::nothing()) };
        // CODE01 is the second code of c0.
        let number = code.as_str().strip_prefix("CODE").and_then(|rest| rest.get(..1));
        let Some(number) = number else { return Ok(Resolution::nothing()) };
        let found = self.read(&id(&format!("c{number}")), code).await?;
        Ok(found.map_or_else(Resolution::nothing, Resolution::Found))
    }

    async fn renew(&self, _: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        // Nothing is announced in these worlds yet.
        Err(Unreachable)
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        let world = &self.world;
        if let Some(reply) = bug::skipped_ledger(world.bug, command) {
            return Ok(reply);
        }
        let peek = command.is_read_only();
        let until =
            if peek { self.deadline.min(world.sim.now() + PEEK_BUDGET) } else { self.deadline };
        if let (Some(entry), campaign::Command::Redeem(_)) = (self.entry, command)
            && world.plan.faults.doubled > 0
        {
            world.history.borrow_mut().redeems[entry].doubled.insert(campaign.clone());
        }
        let (inner, to, asked) = (Rc::clone(world), campaign.clone(), command.clone());
        let at = shard.clone();
        let turn = move || inner.ledger(&to, &at, &asked);
        let reply = world.exchange(&self.dice, until, turn).await;
        reply.or_else(|error| bug::guess(world.bug, command).ok_or(error))
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        let each = commands.iter().map(|(shard, command)| self.ledger(campaign, shard, command));
        join_all(each).await
    }

    async fn exhausted(&self, campaign: &CampaignId) -> campaign::Mark {
        let ledgers = self.world.ledgers.borrow();
        let root = ledgers.get(campaign).and_then(|objects| objects.get(&Shard::root()));
        root.map(|root| root.mark.clone()).unwrap_or_default()
    }

    fn region(&self) -> &str {
        ""
    }

    async fn location(
        &self,
        at: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        let world = &self.world;
        if let Some(reply) = bug::skipped_location(world.bug, &command) {
            return Ok(reply);
        }
        let until = match command {
            location::Command::Tab(_, tab::Command::Undo(_)) => world.sim.now() + WORD_BUDGET,
            _ => self.deadline,
        };
        let (inner, deadline) = (Rc::clone(world), world.begin.plus_millis(until));
        let at = at.clone();
        let turn = move || inner.location(&at, &command, deadline);
        match world.exchange(&self.dice, until, turn).await? {
            location::Reply::Late => Err(Unreachable),
            reply => Ok(reply),
        }
    }

    fn later(&self, left: CleanUp) {
        if let (true, Some(entry)) = (left.undoes(), self.entry) {
            self.world.undone(entry, &left, false);
        }
        self.left.borrow_mut().push(left);
    }
}

/// What a location does when its alarm rings: until all is undone that an edge left word of.
pub async fn wake(world: Rc<World>, at: LocationId) {
    for round in 0..200 {
        let Some(alarm) = world.locations.borrow().get(&at).and_then(|rows| rows.alarm) else {
            return;
        };
        let wait = alarm.millis() - world.now().millis();
        // Nothing falls due today but what is to be undone.
        if wait > 3_600_000 {
            return;
        }
        world.sim.sleep(wait.max(1)).await;
        let now = world.now();
        let wake = location::Command::Wake;
        let location::Reply::Woken(woken) = world.location(&at, &wake, now) else { return };
        for (number, undo) in woken.undos.into_iter().enumerate() {
            let parts = [6, u64::try_from(world.sim.now()).unwrap(), round, number as u64];
            let edge = Edge::new(&world, Dice::of(world.plan.seed, &parts), None);
            let undo = CleanUp::of(&at, undo);
            if let Some(left) = bug::twist_clean_up(world.bug, &undo) {
                let _ = clean_up(&edge, &left).await;
            }
        }
    }
}

/// What an edge does after its answer has gone out, as the Worker does it.
pub async fn clean_up_all(
    world: Rc<World>,
    mut dice: Dice,
    entry: Option<usize>,
    left: Vec<CleanUp>,
) {
    for left in left {
        for wait in CLEAN_UP_WAITS {
            world.sim.sleep(wait).await;
            let edge = Edge::new(&world, Dice::of(dice.next(), &[]), None);
            let twisted = bug::twist_clean_up(world.bug, &left);
            let done = match &twisted {
                Some(left) => clean_up(&edge, left).await.is_ok(),
                None => true,
            };
            if done {
                if let (true, Some(entry)) = (left.undoes(), entry) {
                    world.undone(entry, &left, true);
                }
                break;
            }
        }
    }
}
