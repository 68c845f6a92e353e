//! Members, as routes reach them: found, made, and shown.

use std::rc::Rc;

use futures_util::future::join_all;
use promo_core::checkout::{
    CleanUp, Event, Failure, Found, Inquired, Person, Ports, Query, Quote, Resolution, Unreachable,
    inquire_offer, look_at,
};
use promo_core::guard::Limits;
use promo_core::ident::{CampaignId, CodeKey, LocationId, OfferKey, OfferRef};
use promo_core::identity::{Identity, Rules};
use promo_core::ledger::campaign;
use promo_core::ledger::shard::Shard;
use promo_core::location;
use promo_core::loyalty::programme::{Programme, REWARDS, rewards_id};
use promo_core::loyalty::sign_up::{self, SignedUp};
use promo_core::loyalty::{MemberId, Rooms, accrue, directory, spend};
use promo_core::revision::Revision;
use promo_core::{campaign::Campaign, loyalty::member::View};

use crate::http::{Call, Problem};
use crate::ports::Edge;
use crate::settings;

/// The deployment's pepper.
///
/// # Errors
/// 503 when it has none.
pub fn pepper(edge: &Edge<'_>) -> Result<Vec<u8>, Problem> {
    let what = "the secret PII_PEPPER is not set, so no guest can be known";
    let pepper = settings::text(edge.env, "PII_PEPPER").map(String::into_bytes);
    pepper.ok_or_else(|| Problem::ours(503, what))
}

/// How identities are read where there is no location: as the programme says.
///
/// # Errors
/// When KV cannot be read.
pub async fn rules(edge: &Edge<'_>) -> Result<Rules, Problem> {
    let programme = edge.catalogue.programme().await?;
    Ok(programme.map_or_else(Rules::default, |programme| Rules {
        region: programme.region(),
        email: programme.email_rules().clone(),
    }))
}

/// The member whom any of these identities names, with what he has; closed tabs that still wait for him
/// are in his books first. Where they name two, the phone number is believed before the address, and both
/// are listed for an operator.
///
/// # Errors
/// 503 when an object does not answer.
pub async fn find(
    edge: &Edge<'_>,
    identities: &[Identity],
    history: u32,
) -> Result<Option<(MemberId, View)>, Problem> {
    let found = sign_up::find(edge, identities, &pepper(edge)?).await.map_err(silent)?;
    let Some(member) = found.member else { return Ok(None) };
    for who in &found.waiting {
        accrue::settle(edge, who, &member).await.map_err(silent)?;
    }
    let shown = spend::show(edge, &member, history).await.map_err(silent)?;
    if let Some((at, _)) = &shown
        && *at != member
    {
        // He was merged, and that was cut off before his identities were told: they are now.
        for (_, who) in &found.by {
            let hand = directory::Command::Hand { from: vec![member.clone()], to: at.clone() };
            edge.entry(who, hand).await.map_err(silent)?;
        }
    }
    Ok(shown)
}

/// Finds the member whom these identities name, or makes one. See [`sign_up::find_or_make`].
///
/// # Errors
/// 503 when an object does not answer: the same call again does what is left.
pub async fn find_or_make(
    edge: &Edge<'_>,
    call: &Call,
    identities: &[Identity],
    opt_in: Option<bool>,
) -> Result<SignedUp, Problem> {
    let candidate = MemberId::parse(&call.attempt.to_ascii_uppercase());
    let candidate = candidate.ok_or_else(|| Problem::ours(500, "no name for a member"))?;
    let pepper = pepper(edge)?;
    sign_up::find_or_make(edge, identities, &pepper, &candidate, opt_in).await.map_err(silent)
}

/// What a caller hears when an object is silent.
pub fn silent(_: Unreachable) -> Problem {
    Problem::ours(503, "an object did not answer in time").with_header("retry-after", "1")
}

/// The rewards that a member can afford and that are worth something on this tab.
///
/// # Errors
/// When the cart cannot be priced.
pub async fn worth_something(
    rewards: &Rewards<'_, '_>,
    id: &MemberId,
    view: &View,
    event: &Event,
) -> Result<Vec<Quote>, Failure> {
    let (Some(key), Some(campaign)) = (spend::key_of(id), rewards_id()) else {
        return Ok(Vec::new());
    };
    let affordable = rewards.programme.rewards().iter().filter(|reward| {
        i64::try_from(reward.cost).is_ok_and(|cost| cost <= view.balance.available)
    });
    let keys: Vec<OfferKey> =
        affordable.map(|reward| OfferKey::of(&campaign, &reward.id)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let seen = look_at(rewards, event).await.ok().flatten();
    // Each by itself: the guest will choose.
    let asked = keys.iter().map(|offer| {
        let seen = seen.clone();
        inquire_offer(rewards, Rc::clone(&rewards.campaign), key.clone(), offer, event, seen)
    });
    let mut quotes = Vec::new();
    for inquired in join_all(asked).await {
        if let Inquired::Offers(offers) = inquired? {
            // What stands is not offered again.
            quotes.extend(offers.into_iter().filter(|quote| !quote.standing));
        }
    }
    Ok(quotes)
}

/// The world as a checkout of rewards reaches it.
pub struct Rewards<'e, 'a> {
    /// Everything else.
    pub edge: &'e Edge<'a>,
    /// The programme.
    pub programme: Rc<Programme>,
    /// Its rewards, as a campaign.
    pub campaign: Rc<Campaign>,
    /// More points than this are not spent for their value, whatever the tab takes of them.
    pub available: u64,
}

impl Ports for Rewards<'_, '_> {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        // A member's name stands where other offers have their code.
        Ok(match query {
            Query::Code(code) if MemberId::parse(code.as_str()).is_some() => {
                let rewards = Rc::clone(&self.campaign);
                Resolution::Found(Found::by(rewards, CodeKey::of(code)))
            }
            _ => Resolution::nothing(),
        })
    }

    fn limits(&self) -> Option<Limits> {
        self.edge.limits()
    }

    async fn renew(&self, campaign: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        self.edge.renew(campaign).await
    }

    async fn person(&self, who: &Person, hurry: bool) -> Result<Person, Unreachable> {
        Ports::person(self.edge, who, hurry).await
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        if campaign.as_str() != REWARDS {
            return Ports::ledger(self.edge, campaign, shard, command).await;
        }
        let cost = |offer: &OfferRef, gives| {
            // Who asks to spend more than there is spends nothing, though the tab would take less.
            let asked = promo_core::loyalty::programme::paid_with(&offer.offer);
            let too_many = asked.is_some_and(|points| points > self.available);
            if too_many { None } else { self.programme.cost(&offer.offer, gives) }
        };
        spend::decide(self.edge, command, cost).await
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        join_all(commands.iter().map(|(shard, command)| self.ledger(campaign, shard, command)))
            .await
    }

    async fn exhausted(&self, campaign: &CampaignId) -> campaign::Mark {
        Ports::exhausted(self.edge, campaign).await
    }

    fn region(&self) -> &str {
        self.edge.region()
    }

    async fn location(
        &self,
        at: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        Ports::location(self.edge, at, command).await
    }

    fn later(&self, clean_up: CleanUp) {
        self.edge.later(clean_up);
    }
}
