//! How loyalty reaches its objects from an edge.

use std::rc::Rc;

use promo_core::campaign::RETENTION_DAYS;
use promo_core::checkout::{Ports, Unreachable};
use promo_core::identity::Pseudonym;
use promo_core::ledger::shard::Shard;
use promo_core::ledger::{TabKey, campaign};
use promo_core::location::{self, Visited};
use promo_core::loyalty::conflict::Conflict;
use promo_core::loyalty::programme::{Programme, rewards_id};
use promo_core::loyalty::visit::Told;
use promo_core::loyalty::{Counted, MemberId, Rooms, Terms, directory, member, register, visit};
use promo_core::time::{Calendar, TimeOfDay, Zone};

use crate::http::now;
use crate::objects::{self, CONFLICTS, IDENTIFIER, MEMBER};
use crate::ports::Edge;
use crate::settings::Defaults;

/// The one object of its class.
const ALL: &str = "all";

impl Edge<'_> {
    /// What members' books go by now: the programme's terms, or those of none.
    async fn terms(&self) -> Result<Terms, Unreachable> {
        let (programme, zone) = self.programme_and_zone().await?;
        Ok(match programme {
            Some(programme) => programme.terms(&zone, now()),
            None => Terms::without(&Calendar { zone, day_starts: TimeOfDay::MIDNIGHT }, now()),
        })
    }

    async fn programme_and_zone(&self) -> Result<(Option<Rc<Programme>>, Zone), Unreachable> {
        let silent = |why: String| {
            self.trace.note("unreachable", why);
            Unreachable
        };
        let programme = self.catalogue.programme().await;
        let programme = programme.map_err(|error| silent(error.to_string()))?;
        let defaults = Defaults::read(self.env);
        let defaults = defaults.map_err(|problem| silent(problem.for_the_log().to_owned()))?;
        Ok((programme, defaults.zone))
    }

    /// Asks the list of what an operator is to decide about members.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn ask_conflicts(
        &self,
        question: &objects::conflicts::Question,
    ) -> Result<objects::conflicts::Answer, Unreachable> {
        self.ask(CONFLICTS, ALL, "", question, self.deadline).await
    }
}

impl Rooms for Edge<'_> {
    async fn entry(
        &self,
        who: &Pseudonym,
        command: directory::Command,
    ) -> Result<directory::Known, Unreachable> {
        self.ask(IDENTIFIER, who.as_str(), "", &command, self.deadline).await
    }

    async fn visit(&self, tab: &TabKey, command: visit::Command) -> Result<Visited, Unreachable> {
        let keep_days = RETENTION_DAYS;
        let visit = location::Command::Visit { names: self.names(tab), command, keep_days };
        match Ports::location(self, &tab.location, visit).await? {
            location::Reply::Visit(visited) => Ok(visited),
            _ => Err(Unreachable),
        }
    }

    async fn member(
        &self,
        id: &MemberId,
        command: member::Command,
    ) -> Result<member::Reply, Unreachable> {
        let terms = self.terms().await?;
        let question = objects::member::Question { me: id.clone(), command, terms };
        self.ask(MEMBER, id.as_str(), "", &question, self.deadline).await
    }

    async fn ledger(&self, command: &campaign::Command) -> Result<campaign::Reply, Unreachable> {
        let id = rewards_id().ok_or(Unreachable)?;
        self.ask_quotas(&id, &Shard::root(), command).await
    }

    async fn register(&self, command: register::Command) -> Result<register::Joined, Unreachable> {
        let question = objects::conflicts::Question::Register(command);
        match self.ask_conflicts(&question).await? {
            objects::conflicts::Answer::Joined(joined) => Ok(joined),
            _ => Err(Unreachable),
        }
    }

    async fn list(&self, conflict: &Conflict) -> Result<(), Unreachable> {
        let question = objects::conflicts::Question::Add(conflict.clone());
        self.ask_conflicts(&question).await.map(drop)
    }

    async fn count(&self, told: &Told, owner: &MemberId) -> Result<Counted, Unreachable> {
        let (programme, zone) = self.programme_and_zone().await?;
        let Some(programme) = programme else { return Ok(Counted::NotYet) };
        Ok(match programme.count(told, owner, &zone, now()) {
            Some(told) => Counted::So(told),
            None => Counted::TooOld,
        })
    }
}
