//! `POST /gotab/loyalty`: GoTab's Loyalty events. The wire is [`promo_pos::gotab::loyalty`]; what happens
//! is [`promo_core::loyalty`].

mod closed;

use std::rc::Rc;

use closed::Closed;
use promo_core::checkout::{Event, Person, Quote, Redeemed, redeem, told};
use promo_core::fault::Faults;
use promo_core::ident::{CodeKey, OfferRef};
use promo_core::identity::Rules;
use promo_core::ledger::TabKey;
use promo_core::loyalty::member::View;
use promo_core::loyalty::programme::{Programme, REWARDS};
use promo_core::loyalty::sign_up::SignedUp;
use promo_core::loyalty::{MemberId, spend};
use promo_core::money::Currency;
use promo_pos::gotab::envelope::Envelope;
use promo_pos::gotab::loyalty::{self, Asked, Says};
use worker::Env;

use super::gotab::{POS, bad_event, failed, locked, mirrored};
use super::till::Place;
use crate::http::{Call, Problem, Reply};
use crate::members::{Rewards, find, find_or_make, silent, worth_something};
use crate::ports::Edge;

/// What a guest reads who is no member.
const NOBODY: &str = "No loyalty account was found.";
/// What a guest reads when a reward is not given.
const NOT_GIVEN: &str = "This reward cannot be used.";
/// Answers a Loyalty event.
///
/// # Errors
/// 404 for a guest nobody knows, 400 for anything else about the event; 401, 413, 415, 503 as everywhere.
pub async fn answer(call: &Call, env: &Env) -> Result<Reply, Problem> {
    handle(call, env).await.map_err(mirrored)
}

/// One event with all that is needed to answer it.
struct Visit<'a> {
    call: &'a Call,
    env: &'a Env,
    edge: &'a Edge<'a>,
    envelope: Envelope,
    place: Place,
    programme: Rc<Programme>,
    rules: Rules,
}

async fn handle(call: &Call, env: &Env) -> Result<Reply, Problem> {
    let envelope = Envelope::read(&call.json_body().await?).map_err(bad_event)?;
    let asked = loyalty::asked(&envelope).map_err(bad_event)?;
    call.trace.note("event", envelope.event_type.as_str());
    let edge = Edge::new(env, call)?;
    let location = envelope.location().map_err(bad_event)?;
    edge.known_as(envelope.tab().ok().and_then(|tab| envelope.also(&tab)));
    let place = Place::read(&edge, env, &location, None).await?;
    // A programme that cannot be read is not the same as none: the till is to ask again.
    let programme = edge.catalogue.programme().await?;
    let rules = place.rules(programme.as_deref());
    let closed = match &asked {
        Asked::Accrual => Some(None),
        Asked::Reverse { offer_ids } => Some(Some(offer_ids.clone())),
        _ => None,
    };
    if let Some(reversed) = closed {
        let closed = Closed { call, env, edge: &edge, envelope, place, programme, rules };
        return match reversed {
            None => closed.accrual().await,
            Some(offer_ids) => closed.reverse(offer_ids).await,
        };
    }
    let Some(programme) = programme else {
        call.trace.note("outcome", "there is no programme");
        return Err(Problem::new(404, NOBODY));
    };
    let visit = Visit { call, env, edge: &edge, envelope, place, programme, rules };
    match asked {
        Asked::Create => visit.create().await,
        Asked::Redeem { offer_ids, points } => visit.redeem(&offer_ids, points).await,
        _ => visit.inquire().await,
    }
}

impl Visit<'_> {
    fn currency(&self) -> Result<Currency, Problem> {
        Currency::parse(self.place.currency())
            .map_err(|error| Problem::ours(503, &error.to_string()))
    }

    fn tab(&self) -> Result<TabKey, Problem> {
        self.envelope.tab().map_err(bad_event)
    }

    /// The guest as a member, if he is one.
    async fn guest(&self) -> Result<Option<(MemberId, View)>, Problem> {
        let (identities, unreadable) = loyalty::who(&self.envelope, Says::Lookup, &self.rules);
        if identities.is_empty() && unreadable.is_none() {
            return Err(bad_event(Faults::one(
                "/lookup_value",
                "say who the guest is: a phone number, an e-mail address or a loyalty number",
            )));
        }
        let found = find(self.edge, &identities, 0).await?;
        if found.is_some() {
            return Ok(found);
        }
        // The number of a card or coupon leads to the customer it was given to.
        let scanned = loyalty::scanned(&self.envelope).map(CodeKey::of_scanned);
        let Some(Ok(number)) = scanned else { return Ok(None) };
        let holder = self.edge.holder_of(&number).await.map_err(silent)?;
        let Some(id) = holder.and_then(|holder| MemberId::parse(&holder.member)) else {
            return Ok(None);
        };
        spend::show(self.edge, &id, 0).await.map_err(silent)
    }

    /// The event as a checkout wants it, of this member.
    fn event(&self, id: &MemberId, view: &View, tab: TabKey) -> Result<Event, Problem> {
        let member = (id.as_str(), view.tier.as_deref());
        let cart = self.envelope.cart_of_member(&tab, self.place.currency(), member);
        let cart = cart.map_err(bad_event)?;
        let event = self.place.event(self.call, self.env, POS, tab, cart)?;
        let attempt = spend::attempt(&event.attempt, id);
        let also = self.envelope.also(&event.tab);
        Ok(Event { customer: Some(Person::member(id)), attempt, also, ..event })
    }

    fn rewards(&self, view: &View, points: Option<u64>) -> Result<Rewards<'_, '_>, Problem> {
        let campaign = self.programme.campaign(self.currency()?, self.place.zone(), points);
        Ok(Rewards {
            edge: self.edge,
            programme: Rc::clone(&self.programme),
            campaign,
            available: u64::try_from(view.balance.available).unwrap_or(0),
        })
    }

    /// The guest, unless he is nobody or his tab has missed too often: to a guesser both look the same.
    async fn guest_told(&self) -> Result<(MemberId, View), Problem> {
        let found = self.guest().await?;
        self.tell(found.is_none()).await?;
        found.ok_or_else(|| self.nobody())
    }

    /// Counts a look-up that finds nobody, and whether its answer may be told.
    async fn tell(&self, miss: bool) -> Result<(), Problem> {
        let location = self.envelope.location().map_err(bad_event)?;
        let names = self.envelope.tab().ok().map(|tab| self.edge.names(&tab));
        let heard = told(self.edge, &location, names, u16::from(miss)).await;
        heard.map_err(|lock| {
            self.call.trace.note_locked(lock);
            locked(lock, NOBODY)
        })
    }

    fn nobody(&self) -> Problem {
        self.call.trace.note("outcome", "unknown");
        Problem::new(404, NOBODY)
    }

    async fn inquire(&self) -> Result<Reply, Problem> {
        let (id, view) = self.guest_told().await?;
        self.call.trace.note("outcome", "offered");
        let quotes = self.worth_something(&id, &view).await?;
        let unit = self.place.amount_unit();
        Ok(Reply::json(200, &loyalty::Reply::new(&self.programme, &view, &quotes, unit)))
    }

    /// The rewards that the member can afford and that are worth something on this tab.
    async fn worth_something(&self, id: &MemberId, view: &View) -> Result<Vec<Quote>, Problem> {
        // A guest may be asked about before there is a tab.
        let Ok(tab) = self.envelope.tab() else { return Ok(Vec::new()) };
        self.envelope.legible(&tab, self.place.currency()).map_err(bad_event)?;
        let Ok(event) = self.event(id, view, tab) else { return Ok(Vec::new()) };
        worth_something(&self.rewards(view, None)?, id, view, &event).await.map_err(failed)
    }

    async fn create(&self) -> Result<Reply, Problem> {
        let (identities, unreadable) = loyalty::who(&self.envelope, Says::Everything, &self.rules);
        if let Some(faults) = unreadable {
            return Err(bad_event(faults));
        }
        if identities.is_empty() {
            let detail = "say who signs up: a phone number, an e-mail address, or both";
            return Err(bad_event(Faults::one("/customer", detail)));
        }
        let opt_in = loyalty::opt_in(&self.envelope);
        let id = match find_or_make(self.edge, self.call, &identities, opt_in).await? {
            SignedUp::Member { id, made } => {
                self.call.trace.note("outcome", if made { "signed up" } else { "was a member" });
                id
            }
            SignedUp::Nobody => {
                let detail =
                    "nobody has this loyalty number; sign up with a phone number or an address";
                return Err(bad_event(Faults::one("/lookup_value", detail)));
            }
        };
        let Some((id, view)) = spend::show(self.edge, &id, 0).await.map_err(silent)? else {
            return Err(Problem::ours(503, "the member just made is none"));
        };
        let quotes = self.worth_something(&id, &view).await?;
        let reply = loyalty::Reply::new(&self.programme, &view, &quotes, self.place.amount_unit());
        Ok(Reply::json(200, &reply.with_number(&view)))
    }

    async fn redeem(&self, offer_ids: &[String], points: Option<u64>) -> Result<Reply, Problem> {
        let tab = self.tab()?;
        let named = offer_ids.iter().filter_map(|id| OfferRef::parse(id));
        let named = named.filter(|offer| offer.campaign.as_str() == REWARDS);
        // An offer_id says whose it is, also when nobody looks anybody up.
        let mut owner = named.filter_map(|offer| spend::member_of(&offer));
        let found = match owner.next() {
            Some(id) => spend::show(self.edge, &id, 0).await.map_err(silent)?,
            None if points.is_some() => Some(self.guest_told().await?),
            None => return Err(self.nobody()),
        };
        let Some((id, view)) = found else {
            self.tell(true).await?;
            return Err(self.nobody());
        };
        let mut offer_ids = offer_ids.to_vec();
        let points = points.filter(|_| self.programme.pay().is_some());
        if let (Some(points), Some(key)) = (points, spend::key_of(&id)) {
            offer_ids.push(format!("{REWARDS}.points-{points}.{key}"));
        }
        let event = self.event(&id, &view, tab)?;
        let rewards = self.rewards(&view, points)?;
        let redeemed = redeem(&rewards, &offer_ids, &event).await.map_err(failed)?;
        self.call.trace.note_redeemed(&redeemed);
        if let Some(lock) = redeemed.locked {
            return Err(locked(lock, NOBODY));
        }
        if !redeemed.known {
            return Err(Problem::new(404, NOBODY));
        }
        let Redeemed { applied, rejected, .. } = redeemed;
        let Some((_, view)) = spend::show(self.edge, &id, 0).await.map_err(silent)? else {
            return Err(Problem::ours(503, "the member is gone"));
        };
        let unit = self.place.amount_unit();
        let reply = loyalty::Reply::new(&self.programme, &view, &applied, unit);
        Ok(Reply::json(200, &reply.with_rejected(&rejected, NOT_GIVEN)))
    }
}
