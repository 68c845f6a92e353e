//! What the neutral API says of and does for a member of the loyalty programme.

use std::rc::Rc;

use promo_core::cart::Cart;
use promo_core::checkout::{CleanUp, Event, Person, Ports, Query, Resolution, Unreachable, told};
use promo_core::guard::Limits;
use promo_core::ident::{CampaignId, CodeKey, LocationId, OfferRef};
use promo_core::ledger::campaign;
use promo_core::ledger::shard::Shard;
use promo_core::location;
use promo_core::loyalty::member::View;
use promo_core::loyalty::programme::{Programme, REWARDS};
use promo_core::loyalty::{MemberId, spend};
use promo_core::money::Currency;
use promo_core::revision::Revision;
use promo_pos::neutral::{Body, Who, identities, inquire_reply, tab_of};

use super::{POS, Request, failed, faulty};
use crate::http::{Problem, Reply};
use crate::members::{Rewards, find, rules, silent, worth_something};
use crate::routes::till::Place;

/// A redemption by a member: his event, and the world in which his rewards are found.
pub(super) struct OfMember<'a> {
    pub ports: Till<'a>,
    pub event: Event,
}

impl Request<'_> {
    /// What is offered to whoever asks without a code: to a member, his points and the rewards that he
    /// can afford and that are worth something on this cart, if there is one.
    pub(super) async fn inquire_without_code(&self, body: &Body) -> Result<Reply, Problem> {
        let asked = body.customer().map_err(faulty)?;
        let (cart, below) = match (&asked, body.has_cart()) {
            (Some(_), false) => (None, Vec::new()),
            _ => body.cart().map(|(cart, below)| (Some(cart), below)).map_err(faulty)?,
        };
        let mut ignored = body.ignored(&["code", "customer", "cart"], below);
        if let Some(Who::Customer(_, places)) = &asked {
            ignored.extend(places.iter().cloned());
        }
        let nothing = Ok(Reply::json(200, &inquire_reply(&[], None, &ignored)));
        let tab = cart.as_ref().map(tab_of).transpose().map_err(faulty)?;
        let Some(programme) = self.edge.catalogue.programme().await? else { return nothing };
        let place = match &tab {
            Some(tab) => Some(Place::read(self.edge, self.env, &tab.location, None).await?),
            None => None,
        };
        let reading = match &place {
            Some(place) => place.rules(Some(&programme)),
            None => rules(self.edge).await?,
        };
        let of_cart = cart.as_ref().and_then(Cart::customer);
        let (named, number) = match &asked {
            Some(who) => (who.identities(&reading), who.number()),
            None => of_cart.map_or((Vec::new(), None), |customer| {
                (identities(&customer, &reading), customer.id())
            }),
        };
        let found = match find(self.edge, &named, 0).await? {
            None => self.holder(number).await?,
            found => found,
        };
        if let (Some(tab), Some(place)) = (&tab, &place)
            && (number.is_some() || !named.is_empty())
        {
            // A look-up that finds nobody is a miss like a code that leads nowhere.
            let misses = u16::from(found.is_none());
            let names = Some(self.edge.names(tab));
            if let Err(lock) = told(self.edge, &tab.location, names, misses).await {
                self.call.trace.note_locked(lock);
                return Err(self.locked(lock, place));
            }
        }
        let Some((id, view)) = found else {
            self.call.trace.note("outcome", "unknown");
            return nothing;
        };
        self.call.trace.note("outcome", "offered");
        let mut quotes = Vec::new();
        if let (Some(cart), Some(tab), Some(place)) = (cart, tab, place) {
            let event = place.event(self.call, self.env, POS, tab, cart)?;
            let event = as_member(event, &id, &view);
            let rewards = self.rewards(&place, &programme, &view)?;
            quotes = worth_something(&rewards, &id, &view, &event).await.map_err(failed)?;
        }
        let member = Some((&*programme, &view));
        Ok(Reply::json(200, &inquire_reply(&quotes, member, &ignored)))
    }

    /// The event as a member's, where a reward is among these offers; else as it is.
    pub(super) async fn of_member(
        &self,
        place: &Place,
        offer_ids: &[String],
        event: Event,
    ) -> Result<Result<OfMember<'_>, Event>, Problem> {
        let named = offer_ids.iter().filter_map(|id| OfferRef::parse(id));
        let mut rewards = named.filter(|offer| offer.campaign.as_str() == REWARDS);
        let Some(owner) = rewards.find_map(|offer| spend::member_of(&offer)) else {
            return Ok(Err(event));
        };
        let Some(programme) = self.edge.catalogue.programme().await? else {
            return Ok(Err(event));
        };
        let Some((id, view)) = spend::show(self.edge, &owner, 0).await.map_err(silent)? else {
            return Ok(Err(event));
        };
        let ports = Till(self.rewards(place, &programme, &view)?);
        Ok(Ok(OfMember { ports, event: as_member(event, &id, &view) }))
    }

    /// The member to whom a card or coupon with this number was given.
    async fn holder(&self, number: Option<&str>) -> Result<Option<(MemberId, View)>, Problem> {
        let Some(Ok(number)) = number.map(CodeKey::of_scanned) else { return Ok(None) };
        let holder = self.edge.holder_of(&number).await.map_err(silent)?;
        let Some(id) = holder.and_then(|holder| MemberId::parse(&holder.member)) else {
            return Ok(None);
        };
        spend::show(self.edge, &id, 0).await.map_err(silent)
    }

    fn rewards(
        &self,
        place: &Place,
        programme: &Rc<Programme>,
        view: &View,
    ) -> Result<Rewards<'_, '_>, Problem> {
        let currency = Currency::parse(place.currency())
            .map_err(|error| Problem::ours(503, &error.to_string()))?;
        Ok(Rewards {
            edge: self.edge,
            programme: Rc::clone(programme),
            campaign: programme.campaign(currency, place.zone(), None),
            available: u64::try_from(view.balance.available).unwrap_or(0),
        })
    }
}

fn as_member(event: Event, id: &MemberId, view: &View) -> Event {
    Event {
        cart: event.cart.of_member(id.as_str(), view.tier.as_deref()),
        customer: Some(Person::member(id)),
        attempt: spend::attempt(&event.attempt, id),
        ..event
    }
}

/// The world as a checkout reaches it that may hold rewards beside other offers.
pub(super) struct Till<'a>(Rewards<'a, 'a>);

impl Ports for Till<'_> {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        self.0.edge.find(query).await
    }

    async fn find_offer(&self, offer: &OfferRef) -> Result<Resolution, Unreachable> {
        match offer.campaign.as_str() == REWARDS {
            true => self.0.find_offer(offer).await,
            false => self.0.edge.find_offer(offer).await,
        }
    }

    fn limits(&self) -> Option<Limits> {
        self.0.limits()
    }

    async fn renew(&self, campaign: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        self.0.renew(campaign).await
    }

    async fn person(&self, who: &Person, hurry: bool) -> Result<Person, Unreachable> {
        self.0.person(who, hurry).await
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        self.0.ledger(campaign, shard, command).await
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        self.0.ledgers(campaign, commands).await
    }

    async fn exhausted(&self, campaign: &CampaignId) -> campaign::Mark {
        self.0.exhausted(campaign).await
    }

    fn region(&self) -> &str {
        self.0.region()
    }

    async fn location(
        &self,
        at: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        self.0.location(at, command).await
    }

    fn later(&self, clean_up: CleanUp) {
        self.0.later(clean_up);
    }
}
