//! The campaigns, ledgers and tabs of a seed, and the edge that reaches them at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as Waiting, Poll, Waker};

use promo_core::campaign::{Campaign, Codes};
use promo_core::cart::Cart;
use promo_core::checkout::{
    CleanUp, Event, Found, Instrument, Ports, Query, Resolution, Unreachable, clean_up,
};
use promo_core::code::CanonicalCode;
use promo_core::engine::Context;
use promo_core::engine::simulate::{Defaults, Request};
use promo_core::ident::{CampaignId, CodeKey, LocationId, OfferId, OfferKey, OfferRef, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{self, apply};
use promo_core::ledger::shard::Shard;
use promo_core::location::{self, Rows};
use promo_core::revision::Revision;
use promo_core::time::{Instant, Zone};
use serde_json::{Value, json};

use super::bugs::{self, CartBug};
use super::generate;
use crate::dice::Dice;
use crate::world::{Ledger, id};

/// A quota as the plan knows it; at most one of a campaign is a budget.
#[derive(Clone, Debug)]
pub struct Quota {
    /// The offer whose it is; none: the campaign's.
    pub offer: Option<String>,
    /// `None`: uses. Otherwise minor units, and whether an offer may get the rest.
    pub partial: Option<bool>,
    pub limit: u64,
}

pub struct Shop {
    /// The campaigns' documents, and their quotas beside them.
    pub documents: Vec<Value>,
    pub quotas: Vec<Vec<Quota>>,
    campaigns: Vec<Rc<Campaign>>,
    /// The request of the seed: its place and time.
    pub request: Value,
    context: Context,
    pub bug: Option<CartBug>,
    /// What every code is the number of; none: it is a code.
    pub instrument: Option<Instrument>,
    pub ledgers: RefCell<BTreeMap<CampaignId, Ledger>>,
    pub location: RefCell<Rows>,
    left: RefCell<Vec<CleanUp>>,
}

impl Shop {
    pub fn new(seed: u64, bug: Option<CartBug>) -> Self {
        let mut request = generate::request(seed);
        request.as_object_mut().unwrap().remove("codes");
        let dice = &mut Dice::of(seed, &[8]);
        let (mut documents, mut quotas) = (Vec::new(), Vec::new());
        for (n, campaign) in request["campaigns"].as_array().unwrap().iter().enumerate() {
            let mut document = campaign.clone();
            document["codes"] = json!({"fixed": [format!("CODE{n}")]});
            let own = draw_quotas(&document, &request["cart"], dice);
            write_quotas(&mut document, &own);
            documents.push(document);
            quotas.push(own);
        }
        request["campaigns"] = json!(documents);
        Self::of(request, quotas, bug)
    }

    /// A shop with the campaigns of a request, whose quotas these are.
    pub fn of(request: Value, quotas: Vec<Vec<Quota>>, bug: Option<CartBug>) -> Self {
        let documents = request["campaigns"].as_array().unwrap().clone();
        let read = Request::from_json(request.to_string().as_bytes()).unwrap();
        let defaults = Defaults { now: None, zone: Zone::utc() };
        let read_one = |document: &Value| {
            Rc::new(Campaign::from_json(document.to_string().as_bytes()).unwrap())
        };
        let ids = documents.iter().map(|d| (id(d["id"].as_str().unwrap()), Ledger::default()));
        Self {
            campaigns: documents.iter().map(read_one).collect(),
            ledgers: RefCell::new(ids.collect()),
            context: read.context(&defaults).unwrap(),
            documents,
            quotas,
            request,
            bug,
            instrument: None,
            location: RefCell::default(),
            left: RefCell::default(),
        }
    }

    pub fn offer_ref(&self, campaign: usize, offer: usize) -> OfferRef {
        let document = &self.documents[campaign];
        let id = id(document["id"].as_str().unwrap());
        let name = OfferId::parse(document["offers"][offer]["id"].as_str().unwrap()).unwrap();
        let code = CanonicalCode::parse(&format!("CODE{campaign}")).unwrap();
        OfferRef { offer: OfferKey::of(&id, &name), campaign: id, code: CodeKey::of(&code) }
    }

    /// The campaign and the offer that an `offer_id` names.
    pub fn named(&self, of: &OfferRef) -> (usize, usize) {
        let campaign = self.campaigns.iter().position(|c| *c.id() == of.campaign).unwrap();
        let offers = self.campaigns[campaign].offers().len();
        let offer = (0..offers).find(|offer| self.offer_ref(campaign, *offer) == *of);
        (campaign, offer.unwrap())
    }

    pub fn event(&self, tab: &TabKey, cart: &Value, received: Instant, attempt: String) -> Event {
        Event {
            tab: tab.clone(),
            also: None,
            net: false,
            cart: Cart::from_json(cart.to_string().as_bytes()).unwrap(),
            received,
            attempt,
            pos: "simulated",
            customer: None,
            context: Context { at: self.context.at, ..self.context.clone() },
        }
    }

    fn found(&self, campaign: &Rc<Campaign>, code: &CanonicalCode) -> Found {
        let by_code = Found::by(Rc::clone(campaign), CodeKey::of(code));
        Found { instrument: self.instrument.clone(), ..by_code }
    }

    /// What comes of a question when everybody answers at once, and what is left to do is done.
    pub fn now<T>(&self, question: impl Future<Output = T>) -> T {
        let answer = at_once(question);
        for left in self.left.take() {
            at_once(clean_up(self, &left)).unwrap();
        }
        answer
    }
}

fn at_once<T>(question: impl Future<Output = T>) -> T {
    let mut waiting = Waiting::from_waker(Waker::noop());
    match pin!(question).poll(&mut waiting) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("there is nobody to wait for"),
    }
}

pub fn tab_key(number: usize) -> TabKey {
    let tab = TabId::parse(&format!("t{number}")).unwrap();
    TabKey { location: LocationId::parse("1019").unwrap(), tab }
}

fn draw_quotas(document: &Value, cart: &Value, dice: &mut Dice) -> Vec<Quota> {
    let lines = cart["lines"].as_array().map_or(&[][..], Vec::as_slice);
    let price =
        |line: &Value| line["quantity"].as_u64().unwrap() * line["unit_price"].as_u64().unwrap();
    let worth = lines.iter().map(price).sum::<u64>().max(20);
    let mut quotas = Vec::new();
    if dice.one_in(2) {
        quotas.push(Quota { offer: None, partial: None, limit: dice.pick(&[1, 2, 3]) });
    }
    let offers = document["offers"].as_array().unwrap();
    let budget = |offer: Option<String>, dice: &mut Dice| {
        let share = dice.pick(&[2, 3, 5, 10]);
        Quota { offer, partial: Some(dice.one_in(2)), limit: worth / share + 1 }
    };
    match dice.below(4) {
        0 => quotas.push(budget(None, dice)),
        1 => {
            let offer = &offers[dice.below(offers.len())];
            quotas.push(budget(Some(offer["id"].as_str().unwrap().to_owned()), dice));
        }
        _ => {}
    }
    for offer in offers {
        if !dice.one_in(4) {
            continue;
        }
        let offer = Some(offer["id"].as_str().unwrap().to_owned());
        quotas.push(Quota { offer, partial: None, limit: dice.pick(&[1, 2]) });
    }
    quotas
}

fn write_quotas(document: &mut Value, quotas: &[Quota]) {
    let written = |quota: &Quota| match quota.partial {
        None => json!({"limit": quota.limit}),
        Some(partial) => {
            let on_short = if partial { "partial" } else { "refuse" };
            json!({"budget": quota.limit, "on_short": on_short})
        }
    };
    let of = |offer: Option<&str>| -> Vec<Value> {
        quotas.iter().filter(|q| q.offer.as_deref() == offer).map(written).collect()
    };
    document["quotas"] = json!(of(None));
    for offer in document["offers"].as_array_mut().unwrap() {
        let own = of(offer["id"].as_str());
        offer["quotas"] = json!(own);
    }
}

impl Ports for Shop {
    async fn find(&self, query: &Query) -> Result<Resolution, Unreachable> {
        let Query::Code(code) = query else { return Ok(Resolution::nothing()) };
        let holds = |campaign: &&Rc<Campaign>| match campaign.codes() {
            Codes::Fixed(codes) => codes.contains(code),
            _ => false,
        };
        let found = self.campaigns.iter().find(holds).map(|campaign| self.found(campaign, code));
        Ok(found.map_or_else(Resolution::nothing, Resolution::Found))
    }

    async fn renew(&self, _: &CampaignId) -> Result<Option<Revision>, Unreachable> {
        // No document changes here.
        Err(Unreachable)
    }

    async fn ledger(
        &self,
        campaign: &CampaignId,
        shard: &Shard,
        command: &campaign::Command,
    ) -> Result<campaign::Reply, Unreachable> {
        let mut ledgers = self.ledgers.borrow_mut();
        let ledger = ledgers.get_mut(campaign).unwrap();
        let command = bugs::twist_question(self.bug, command);
        let (mut reply, changes) = apply(&*ledger, shard, &command, self.context.at).unwrap();
        ledger.tabs.extend(changes.tab);
        ledger.stocks.extend(changes.stocks);
        bugs::twist_answer(self.bug, &mut reply);
        Ok(reply)
    }

    async fn ledgers(
        &self,
        campaign: &CampaignId,
        commands: &[(Shard, campaign::Command)],
    ) -> Vec<Result<campaign::Reply, Unreachable>> {
        let mut replies = Vec::new();
        for (shard, command) in commands {
            replies.push(self.ledger(campaign, shard, command).await);
        }
        replies
    }

    async fn exhausted(&self, _: &CampaignId) -> campaign::Mark {
        campaign::Mark::default()
    }

    fn region(&self) -> &str {
        ""
    }

    async fn location(
        &self,
        _: &LocationId,
        command: location::Command,
    ) -> Result<location::Reply, Unreachable> {
        let now = self.context.at;
        Ok(self.location.borrow_mut().ask(command, now, now))
    }

    fn later(&self, left: CleanUp) {
        self.left.borrow_mut().push(left);
    }
}
