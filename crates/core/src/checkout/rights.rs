//! A divided ledger, as an edge asks it: the object that keeps the tab decides, and when it lacks rights
//! or knowledge the edge fetches them from the others and asks again.
//!
//! The objects never speak to one another, so none ever waits while it decides; a message lost on the
//! way strands a right until the next one asks, and doubles none (see [`crate::ledger::campaign::rights`]).
//! A ledger that is not divided answers the first time.

use std::collections::BTreeMap;

use super::{Ports, Unreachable};
use crate::ident::CampaignId;
use crate::ledger::campaign::rights::{Adopt, Granted, Need, Provided, Provision};
use crate::ledger::campaign::{
    Brought, Ceded, Command, Enrolment, Outcome, Provide, Redeem, Redeemed, Reply, Reverse,
    Reversed,
};
use crate::ledger::shard::{LedgerLayout, Shard};
use crate::revision::Revision;

/// Messages after which an edge gives up fetching for one question. Each is one step nearer, unless other
/// guests take what was fetched at the same instant.
const STEPS: u32 = 200;

/// Why there is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    /// An object that must be asked does not answer.
    Unreachable,
    /// The command was computed from an older document than counts; nothing was taken.
    Outdated,
}

impl From<Unreachable> for Undecided {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

/// Takes.
///
/// # Errors
/// When an object that must be asked does not answer: what was asked may have been taken. When the
/// document is out of date.
pub(super) async fn redeem(
    ports: &impl Ports,
    campaign: &CampaignId,
    home: &Shard,
    redeem: Redeem,
) -> Result<Redeemed, Undecided> {
    Fetching::new(ports, campaign, home, &redeem, false).ask(redeem).await
}

/// The same question, taking nothing: whether it could be had, wherever the rights to it are. What moves
/// is at most who counts what, when the ledger was laid out anew, as the first REDEEM would move it.
///
/// # Errors
/// When an object that must be asked does not answer, or the document is out of date.
pub(super) async fn peek(
    ports: &impl Ports,
    campaign: &CampaignId,
    home: &Shard,
    redeem: Redeem,
) -> Result<Redeemed, Undecided> {
    Fetching::new(ports, campaign, home, &redeem, true).ask(redeem).await
}

/// Gives back, and has rights that are free now go where others look for them. Should that message be
/// lost, the owner asks for them.
///
/// # Errors
/// When the tab's home does not answer.
pub(super) async fn give_back(
    ports: &impl Ports,
    campaign: &CampaignId,
    home: &Shard,
    reverse: Reverse,
) -> Result<Reversed, Unreachable> {
    let reply = ports.ledger(campaign, home, &Command::Reverse(reverse)).await?;
    let Reply::Reversed(found) = reply else { return Err(Unreachable) };
    let mut by_owner: BTreeMap<Shard, Vec<_>> = BTreeMap::new();
    for returned in &found.returned {
        by_owner.entry(returned.owner.clone()).or_default().push(returned.clone());
    }
    for (owner, returned) in by_owner {
        let _ = ports.ledger(campaign, &owner, &Command::Restock(returned)).await;
    }
    Ok(found)
}

/// What one question needs, being fetched.
struct Fetching<'a, P: Ports> {
    ports: &'a P,
    campaign: &'a CampaignId,
    home: &'a Shard,
    layout: LedgerLayout,
    revision: Option<Revision>,
    /// No rights are to be moved, only looked at.
    peek: bool,
    /// The root has noted the home and its layout, though this only looks.
    enrolled: bool,
    brought: Brought,
    steps: u32,
}

impl<'a, P: Ports> Fetching<'a, P> {
    fn new(
        ports: &'a P,
        campaign: &'a CampaignId,
        home: &'a Shard,
        redeem: &Redeem,
        peek: bool,
    ) -> Self {
        let Redeem { layout, revision, .. } = *redeem;
        let brought = Brought::default();
        Self { ports, campaign, home, layout, revision, peek, enrolled: false, brought, steps: 0 }
    }

    async fn send(&mut self, to: &Shard, command: &Command) -> Result<Reply, Undecided> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > STEPS {
            return Err(Undecided::Unreachable);
        }
        match self.ports.ledger(self.campaign, to, command).await? {
            Reply::Outdated(_) => Err(Undecided::Outdated),
            reply => Ok(reply),
        }
    }

    async fn ask(&mut self, mut redeem: Redeem) -> Result<Redeemed, Undecided> {
        loop {
            redeem.brought = self.brought.clone();
            let command = match self.peek {
                true => Command::Peek(redeem.clone()),
                false => Command::Redeem(redeem.clone()),
            };
            let Reply::Redeemed(redeemed) = self.send(self.home, &command).await? else {
                return Err(Undecided::Unreachable);
            };
            // With a refusal there is something to decide again, perhaps without what is lacking.
            let refused = |o: &Outcome| matches!(o, Outcome::Refused(_) | Outcome::Short(_));
            if redeemed.needs.is_empty()
                || redeemed.room.is_some()
                || redeemed.outcomes.iter().any(refused)
            {
                return Ok(redeemed);
            }
            self.fetch(redeemed.needs).await?;
        }
    }

    async fn fetch(&mut self, needs: Vec<Need>) -> Result<(), Undecided> {
        let mut by_owner: BTreeMap<Shard, Vec<Provision>> = BTreeMap::new();
        let mut enrol = false;
        for need in needs {
            match need {
                Need::Layouts => {
                    enrol = true;
                    by_owner.entry(Shard::root()).or_default();
                }
                Need::Adopt(adopt) => self.adopt(adopt).await?,
                Need::Rights(owner, provision) => {
                    by_owner.entry(owner).or_default().push(provision);
                }
            }
        }
        for (owner, provisions) in by_owner {
            let enrol = enrol && owner.is_root();
            self.provide(owner, provisions, enrol).await?;
        }
        Ok(())
    }

    /// Asks an owner for rights, and does what it says must be done first.
    async fn provide(
        &mut self,
        owner: Shard,
        provisions: Vec<Provision>,
        enrol: bool,
    ) -> Result<(), Undecided> {
        let mut layouts = Vec::new();
        let mut enrol = enrol.then(|| Enrolment { shard: self.home.clone(), layout: self.layout });
        let mut asked: Vec<(Shard, Provision)> =
            provisions.into_iter().map(|provision| (owner.clone(), provision)).collect();
        while let Some(to) = asked.first().map(|(to, _)| to.clone()).or_else(|| {
            // Enrolling alone.
            enrol.as_ref().map(|_| Shard::root())
        }) {
            let (now, rest): (Vec<_>, Vec<_>) =
                asked.into_iter().partition(|(owner, _)| *owner == to);
            asked = rest;
            let provisions: Vec<_> = now.into_iter().map(|(_, provision)| provision).collect();
            let command = Command::Provide(Provide {
                layout: self.layout,
                revision: self.revision,
                layouts: std::mem::take(&mut layouts),
                enrol: enrol.take(),
                peek: self.peek,
                provisions: provisions.clone(),
            });
            let Reply::Provided(provided, enrolled) = self.send(&to, &command).await? else {
                return Err(Undecided::Unreachable);
            };
            if !enrolled.layouts.is_empty() {
                self.brought.layouts = enrolled.layouts;
                self.brought.announced = enrolled.announced;
            }
            for (mut provision, provided) in provisions.into_iter().zip(provided) {
                match provided {
                    Provided::Granted(granted) => self.bring(granted),
                    Provided::Moved(owner, estate) => {
                        if let Some(estate) = estate {
                            self.send(&owner, &Command::Adopt(estate)).await?;
                        }
                        asked.push((owner, provision));
                    }
                    Provided::Recall(from) => {
                        self.recall(&mut provision, from).await?;
                        asked.push((to.clone(), provision));
                    }
                    Provided::Need(need) => {
                        layouts = self.settle(&to, need).await?;
                        asked.push((to.clone(), provision));
                    }
                }
            }
        }
        Ok(())
    }

    fn bring(&mut self, granted: Granted) {
        if granted.last && !self.brought.last.contains(&granted.key) {
            self.brought.last.push(granted.key.clone());
        }
        self.brought.grants.retain(|before| before.key != granted.key);
        self.brought.grants.push(granted);
    }

    /// Has others give back what they have not spent, or say how much that is.
    async fn recall(
        &mut self,
        provision: &mut Provision,
        from: Vec<(Shard, Granted)>,
    ) -> Result<(), Undecided> {
        self.steps = self.steps.saturating_add(1);
        // Who only looks leaves with the others what they have. What the home itself has under a higher
        // limit must come back before it is counted under a lower one.
        let look = self.peek && from.iter().all(|(holder, _)| *holder != provision.holder);
        let command = |granted| match look {
            true => Command::Unspent(vec![granted]),
            false => Command::Recall(vec![granted]),
        };
        let commands: Vec<_> =
            from.into_iter().map(|(holder, granted)| (holder, command(granted))).collect();
        let replies = self.ports.ledgers(self.campaign, &commands).await;
        provision.recalled.clear();
        let mut silent = false;
        for reply in replies {
            match reply {
                Ok(Reply::Returned(returned)) => provision.recalled.extend(returned),
                _ => silent = true,
            }
        }
        for returned in provision.recalled.iter().filter(|r| r.holder == provision.holder) {
            (provision.received, provision.returned) = (returned.received, returned.returned);
            provision.unspent = 0;
        }
        if !silent {
            return Ok(());
        }
        // Nobody can say "sold out" now; what came back must not be stranded.
        if let Some(first) = provision.recalled.first().filter(|_| !look) {
            let owner = first.owner.clone();
            let restock = Command::Restock(provision.recalled.clone());
            self.send(&owner, &restock).await?;
        }
        Err(Undecided::Unreachable)
    }

    /// Sees to what an object other than the home lacks; returns the list of layouts, if it is that.
    async fn settle(&mut self, at: &Shard, need: Need) -> Result<Vec<LedgerLayout>, Undecided> {
        match need {
            Need::Layouts => self.layouts(at).await,
            Need::Adopt(adopt) => self.adopt(adopt).await.map(|()| Vec::new()),
            Need::Rights(..) => Err(Undecided::Unreachable),
        }
    }

    /// The list of layouts, from the root, which notes who asks.
    async fn layouts(&mut self, shard: &Shard) -> Result<Vec<LedgerLayout>, Undecided> {
        let enrolment = Enrolment { shard: shard.clone(), layout: self.layout };
        let command = Command::Provide(Provide {
            layout: self.layout,
            revision: self.revision,
            layouts: Vec::new(),
            enrol: Some(enrolment),
            peek: false,
            provisions: Vec::new(),
        });
        match self.send(&Shard::root(), &command).await? {
            Reply::Provided(_, enrolled) => Ok(enrolled.layouts),
            _ => Err(Undecided::Unreachable),
        }
    }

    /// Moves a counter to its owner by a later layout, from whoever has it; an earlier owner may first
    /// have to take it over itself.
    async fn adopt(&mut self, adopt: Adopt) -> Result<(), Undecided> {
        if self.peek && !self.enrolled {
            // Until now the root has only said how the list would be. What moves must move by the list as
            // it is: if that is another one, whoever asked for this must look again.
            let layouts = self.layouts(&self.home.clone()).await?;
            self.enrolled = true;
            if layouts != self.brought.layouts {
                self.brought.layouts = layouts;
                return Ok(());
            }
        }
        let mut waiting = vec![adopt];
        while let Some(next) = waiting.last_mut() {
            let Adopt { from, to, counter, .. } = next.clone();
            let mut layouts = self.brought.layouts.clone();
            if layouts.is_empty() {
                layouts = self.layouts(&Shard::root()).await?;
            }
            let cede = Command::Cede(next.clone(), layouts);
            let Reply::Ceded(ceded) = self.send(&from, &cede).await? else {
                return Err(Undecided::Unreachable);
            };
            match ceded {
                Ceded::Estate(estate) => {
                    self.send(&to, &Command::Adopt(estate)).await?;
                    waiting.pop();
                }
                Ceded::Moved(owner, term) if owner == from => {
                    // It owns the counter by a still later layout: whoever asked for it holds of it.
                    let (key, granted, ceiling, last) = (counter.key, 0, 0, false);
                    let nothing = Granted { key, owner, term, granted, ceiling, last };
                    self.send(&to, &Command::Recall(vec![nothing])).await?;
                    waiting.pop();
                }
                Ceded::Moved(owner, _) => next.from = owner,
                Ceded::Need(Need::Adopt(earlier)) => waiting.push(earlier),
                Ceded::Need(_) => return Err(Undecided::Unreachable),
            }
        }
        Ok(())
    }
}
