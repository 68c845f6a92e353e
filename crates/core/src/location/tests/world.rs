//! What happens in an interleaving: tills, a reversal, and what must hold after each of their
//! steps.

use std::collections::BTreeSet;

use super::ledgers::{Ledger, Ledgers, unclaimed};
use super::plot::{Bug, Plot};
use super::*;
use crate::engine::Standing;
use crate::ledger::campaign::Outcome;

/// When the REDEEMs were received.
pub const RECEIVED: [i64; 2] = [10, 20];

/// What a ledger is asked for: each offer with what it gives.
type Asks = Vec<(OfferRef, Money)>;

/// What a till does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Till {
    /// It asks the tab, having decided on this.
    Decided { version: u64, standing: Standing },
    /// It asks the ledger.
    Admitted { place: Place, offers: Asks },
    /// It tells the tab what came of it.
    Heard { place: Place, standing: BTreeMap<OfferRef, Money> },
    /// It was not heard what came of it: the tab is told that it is to be undone.
    Unheard { place: Place },
    /// Its guest was told whether the offer applies.
    Done(bool),
    /// Its edge died.
    Dead,
}

/// What the reversal does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reversal {
    Tab,
    Ledgers(Vec<Place>),
    Settles(Vec<Place>, Place, BTreeMap<OfferRef, Money>),
    Done,
}

/// The location, the ledgers, and how far everybody is.
#[derive(Clone)]
pub struct World {
    here: Map,
    ledgers: Ledgers,
    tills: [Till; 2],
    reversal: Reversal,
    /// An edge died, or a message went astray: one of these happens once.
    spoilt: bool,
    /// A REDEEM that its ledger has still to hear, though nobody waits for the answer.
    astray: Option<(usize, Place, Asks)>,
    /// What the location is having undone, and what its ledger said stands.
    undoing: Option<(Undo, BTreeMap<OfferRef, Money>)>,
}

/// One message to one object, the death of an edge, or that a message to a ledger goes astray.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Till(usize),
    Reversal,
    Death(usize),
    Astray(usize),
    Arrives,
    Undo,
}

impl World {
    pub fn new() -> Self {
        let till = || Till::Decided { version: 0, standing: Standing::default() };
        Self {
            here: Map::default(),
            ledgers: Ledgers::new(),
            tills: [till(), till()],
            reversal: Reversal::Tab,
            spoilt: false,
            astray: None,
            undoing: None,
        }
    }

    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (index, till) in self.tills.iter().enumerate() {
            if !matches!(till, Till::Done(_) | Till::Dead) {
                steps.push(Step::Till(index));
            }
            let between = matches!(till, Till::Admitted { .. } | Till::Heard { .. });
            if !self.spoilt && between {
                steps.push(Step::Death(index));
            }
            if !self.spoilt && matches!(till, Till::Admitted { .. }) {
                steps.push(Step::Astray(index));
            }
        }
        if self.reversal != Reversal::Done {
            steps.push(Step::Reversal);
        }
        if self.astray.is_some() {
            steps.push(Step::Arrives);
        }
        if self.undoing.is_some() || self.to_be_undone().is_some() {
            steps.push(Step::Undo);
        }
        steps
    }

    pub fn take(&mut self, step: Step, plot: &Plot) -> Result<(), String> {
        match step {
            Step::Till(index) => self.till(index, plot),
            Step::Reversal => {
                self.reverse(plot);
                Ok(())
            }
            Step::Death(index) => {
                self.spoilt = true;
                self.tills[index] = Till::Dead;
                Ok(())
            }
            Step::Astray(index) => {
                self.spoilt = true;
                if let Till::Admitted { place, offers } = self.tills[index].clone() {
                    self.tills[index] = Till::Unheard { place: place.clone() };
                    self.astray = Some((index, place, offers));
                }
                Ok(())
            }
            Step::Arrives => {
                if let Some((index, place, offers)) = self.astray.take() {
                    let ledger = self.ledgers.entry(place.campaign.clone()).or_default();
                    ledger.redeem(&place, at(RECEIVED[index]), &offers, plot.limit);
                }
                Ok(())
            }
            Step::Undo => {
                self.undo();
                Ok(())
            }
        }
    }

    fn to_be_undone(&self) -> Option<Undo> {
        let record = &self.here.tabs.get(&tab_id("t"))?.record;
        let record: Record = serde_json::from_str(record).unwrap();
        record.tab.undos().first().cloned()
    }

    /// The location's alarm: the ledger first, then the tab.
    fn undo(&mut self) {
        if let Some((undo, standing)) = self.undoing.take() {
            let which = Which::Attempt(undo.attempt.name);
            return self.settle(&undo.place, which, undo.attempt.received, standing);
        }
        let Some(undo) = self.to_be_undone() else { return };
        let ledger = self.ledgers.entry(undo.place.campaign.clone()).or_default();
        let which = Which::Attempt(undo.attempt.name.clone());
        let left = ledger.reverse(&undo.place, which, undo.attempt.received);
        self.undoing = Some((undo, left));
    }

    fn till(&mut self, index: usize, plot: &Plot) -> Result<(), String> {
        let received = RECEIVED[index];
        let (campaign, _) = plot.names[index];
        let campaign = plot.campaigns[campaign].id().clone();
        self.tills[index] = match self.tills[index].clone() {
            Till::Decided { version, standing } => {
                let offers = plot.decide(index, &standing);
                self.admit(index, version, offers, plot)?
            }
            Till::Admitted { place, offers } => {
                let ledger = self.ledgers.entry(campaign).or_default();
                let heard = ledger.redeem(&place, at(received), &offers, plot.limit);
                let applied = |outcome: &Outcome| matches!(outcome, Outcome::Applied { .. });
                match heard {
                    (outcomes, _) if outcomes.iter().all(applied) => Till::Done(true),
                    (_, standing) => Till::Heard { place, standing },
                }
            }
            Till::Heard { place, standing } => {
                let which = match plot.bug {
                    Bug::SettlesForOthers => Which::All,
                    _ => Which::Attempt(attempt(received).name),
                };
                let received = match plot.bug {
                    Bug::SettlesForOthers => at(1000),
                    _ => at(received),
                };
                self.settle(&place, which, received, standing);
                Till::Done(false)
            }
            Till::Unheard { place } => {
                let undo = Undo { place, attempt: attempt(received) };
                self.here.tab(&named("t"), tab::Command::Undo(undo), 100);
                Till::Done(false)
            }
            other => other,
        };
        Ok(())
    }

    fn admit(
        &mut self,
        index: usize,
        version: u64,
        offers: Vec<StandingOffer>,
        plot: &Plot,
    ) -> Result<Till, String> {
        let received = RECEIVED[index];
        let (campaign, _) = plot.names[index];
        let campaign = plot.campaigns[campaign].id().clone();
        if offers.is_empty() {
            return Ok(Till::Done(false));
        }
        let asks: Vec<_> = offers.iter().map(|it| (it.offer.clone(), it.amount)).collect();
        if plot.bug == Bug::DoesNotAsk {
            let place = Place { campaign, tab: tab_id("t"), home: Shard::root() };
            return Ok(Till::Admitted { place, offers: asks });
        }
        let admit = Admit {
            attempt: attempt(received),
            version,
            ceiling: plot.cart.subtotal(),
            keep_days: 400,
            limits: None,
            named: Vec::new(),
            campaigns: vec![Entry { campaign, home: Shard::root(), offers }],
        };
        Ok(match self.here.admit(&named("t"), admit, 100) {
            Admission::Admitted { places, .. } => {
                Till::Admitted { place: places[0].clone(), offers: asks }
            }
            Admission::Moved(seen) => {
                let standing = match plot.bug {
                    Bug::DecidesOnNothing => Standing::default(),
                    _ => seen.standing,
                };
                Till::Decided { version: seen.version, standing }
            }
            Admission::Reversed => Till::Done(false),
            other if plot.bug == Bug::None => {
                return Err(format!("the engine asked for {other:?}"));
            }
            _ => Till::Done(false),
        })
    }

    fn reverse(&mut self, plot: &Plot) {
        let received = at(plot.reversed);
        self.reversal = match self.reversal.clone() {
            Reversal::Tab => {
                let command = tab::Command::Reverse { received };
                let tab::Reply::Places(places) = self.here.tab(&named("t"), command, 100) else {
                    panic!("a reversal is answered with places")
                };
                if places.is_empty() { Reversal::Done } else { Reversal::Ledgers(places) }
            }
            Reversal::Ledgers(mut places) => {
                let place = places.remove(0);
                let ledger = self.ledgers.entry(place.campaign.clone()).or_default();
                let left = ledger.reverse(&place, Which::All, received);
                Reversal::Settles(places, place, left)
            }
            Reversal::Settles(places, place, left) => {
                self.settle(&place, Which::All, received, left);
                if places.is_empty() { Reversal::Done } else { Reversal::Ledgers(places) }
            }
            Reversal::Done => Reversal::Done,
        };
    }

    fn settle(
        &mut self,
        place: &Place,
        which: Which,
        received: Instant,
        standing: BTreeMap<OfferRef, Money>,
    ) {
        let (campaign, tab) = (place.campaign.clone(), place.tab.clone());
        let settle = Settle { campaign, tab, which, received, standing };
        self.here.tab(&named("t"), tab::Command::Settle(settle), 100);
    }

    /// Somebody meets what was left behind, long after.
    fn clean_up(&mut self) {
        for Claimed { place, .. } in self.here.seen(&named("t"), 20_000).claimed {
            let ledger = self.ledgers.entry(place.campaign.clone()).or_default();
            let standing = ledger.fence(&place, at(10_000));
            self.settle(&place, Which::All, at(10_000), standing);
        }
    }

    fn standing(&self) -> Vec<(OfferRef, Money, Vec<Instant>)> {
        self.ledgers.values().flat_map(Ledger::standing).collect()
    }

    /// What must hold after every step.
    pub fn check(&mut self, plot: &Plot) -> Result<(), String> {
        if let Some(unclaimed) = unclaimed(&self.ledgers, &mut self.here) {
            return Err(unclaimed);
        }
        let standing = self.standing();
        let all: u64 = standing.iter().map(|(_, amount, _)| amount.minor()).sum();
        let (most, offers) = plot.most;
        if all > most || standing.len() > offers {
            return Err(format!("{all} of {most} stand by {} offers", standing.len()));
        }
        match self.ledgers.values().find(|ledger| ledger.used() > plot.limit) {
            Some(ledger) => Err(format!("{} uses of {}", ledger.used(), plot.limit)),
            None => Ok(()),
        }
    }

    /// What must hold when everybody is done.
    pub fn check_at_the_end(&mut self, plot: &Plot) -> Result<(), String> {
        self.clean_up();
        self.check(plot)?;
        let stands = self.standing();
        let claimed = self.here.seen(&named("t"), 20_001).standing.offers;
        if claimed.len() != stands.len() {
            return Err(format!("{} claimed, {} stand", claimed.len(), stands.len()));
        }
        let used: u64 = self.ledgers.values().map(Ledger::used).sum();
        let campaigns: BTreeSet<&CampaignId> = stands.iter().map(|(it, ..)| &it.campaign).collect();
        if used != campaigns.len() as u64 {
            return Err(format!("{used} uses, {} campaigns stand", campaigns.len()));
        }
        let reversed = at(plot.reversed);
        let covered = stands.iter().find(|(_, _, heard)| heard.iter().all(|at| *at <= reversed));
        if let Some((offer, ..)) = covered {
            return Err(format!("{offer} was reversed and stands"));
        }
        for (index, till) in self.tills.iter().enumerate() {
            let after = at(RECEIVED[index]) > reversed;
            let offer = plot.offer(index);
            let stands = stands.iter().any(|(it, ..)| *it == offer);
            if *till == Till::Done(true) && after && !stands {
                return Err(format!("till {index} was told that {offer} applies"));
            }
            let told = |(index, till): (usize, &Till)| {
                *till == Till::Done(true) && plot.offer(index) == offer
            };
            if stands && !self.tills.iter().enumerate().any(told) {
                return Err(format!("{offer} stands, and nobody was told"));
            }
        }
        Ok(())
    }

    pub fn fingerprint(&self) -> String {
        let Self { here, ledgers, tills, reversal, spoilt, astray, undoing } = self;
        let spoilt = (spoilt, astray, undoing);
        format!("{:?} {ledgers:?} {tills:?} {reversal:?} {spoilt:?}", here.tabs)
    }
}
