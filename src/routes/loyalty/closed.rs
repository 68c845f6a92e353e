//! ACCRUAL and REVERSAL: what tills say of closed tabs, also while there is no programme. Neither is acknowledged
//! and dropped.

use std::rc::Rc;

use promo_core::checkout::{CleanUp, Event, Ports, Reversal, clean_up, reverse};
use promo_core::ident::{CodeKey, OfferRef};
use promo_core::identity::{Identity, Pseudonym, Rules};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Reverse, Which};
use promo_core::ledger::shard::Shard;
use promo_core::location::tab::Claim;
use promo_core::loyalty::accrue::{Accrued, Guests, accrue, take_back};
use promo_core::loyalty::facts::{Facts, MOST_BYTES};
use promo_core::loyalty::programme::{Programme, REWARDS, rewards_id, waits_for_programme};
use promo_core::loyalty::spend::{self, reverse_tab};
use promo_core::loyalty::visit::{Closing, Told};
use promo_core::loyalty::{MemberId, Rooms, directory};
use promo_core::money::Money;
use promo_core::time::{Calendar, TimeOfDay};
use promo_pos::gotab::envelope::Envelope;
use promo_pos::gotab::loyalty;
use serde_json::json;
use sha2::{Digest, Sha256};
use worker::Env;

use super::super::gotab::{POS, bad_event, failed};
use super::super::till::Place;
use crate::http::{Call, Problem, Reply};
use crate::members::{find, pepper, silent};
use crate::ports::Edge;

/// An event of a closed tab with all that is needed to answer it.
pub(super) struct Closed<'a> {
    pub call: &'a Call,
    pub env: &'a Env,
    pub edge: &'a Edge<'a>,
    pub envelope: Envelope,
    pub place: Place,
    /// None: there is none yet.
    pub programme: Option<Rc<Programme>>,
    pub rules: Rules,
}

/// Whom a till knows at a tab.
struct Known {
    guests: Guests,
    identities: Vec<Identity>,
}

impl Closed<'_> {
    fn tab(&self) -> Result<TabKey, Problem> {
        self.envelope.tab().map_err(bad_event)
    }

    pub(super) async fn accrual(&self) -> Result<Reply, Problem> {
        let tab = self.tab()?;
        self.call.trace.note("location", tab.location.as_str());
        self.call.trace.note("tab", tab.tab.as_str());
        let Known { guests, identities } = self.known().await?;
        if guests.known_by.is_empty() && guests.holder.is_none() {
            self.call.trace.note("outcome", "nobody's");
            return Ok(Reply::json(200, &json!({})));
        }
        let told = Told::new(self.closing(&tab, &guests, &identities).await?);
        let received = self.call.received;
        let until = match &self.programme {
            Some(programme) => programme.waits_until(received),
            None => waits_for_programme(received),
        };
        let accrued = accrue(self.edge, &guests, &tab, &told, until).await;
        let outcome = match accrued.map_err(silent)? {
            Accrued::Credited(_) => "credited",
            Accrued::Waits if self.programme.is_none() => "waits for a programme",
            Accrued::Waits => "waits",
            Accrued::Nobodys => "nobody's",
        };
        self.call.trace.note("outcome", outcome);
        Ok(Reply::json(200, &json!({})))
    }

    /// Whom the till knows, as at INQUIRE: by the identity that it looked up, else by the card or coupon whose number
    /// that is; then by what else it says.
    async fn known(&self) -> Result<Known, Problem> {
        let pepper = pepper(self.edge)?;
        let (lookup, mut identities) = loyalty::guests(&self.envelope, &self.rules);
        let mut guests = Guests::default();
        let scanned = loyalty::scanned(&self.envelope).map(CodeKey::of_scanned);
        let holder = match scanned {
            Some(Ok(number)) if !self.is_members(lookup.as_ref(), &pepper).await? => {
                self.edge.holder_of(&number).await.map_err(silent)?
            }
            _ => None,
        };
        match (holder, lookup) {
            (Some(holder), _) => {
                guests.holder = MemberId::parse(&holder.member);
                if self.programme.is_none() {
                    // Until there is a programme the tab waits where his sign-up left his name.
                    let entry = Pseudonym::parse(&holder.pseudonym);
                    let what = "the holder of a card is known by nothing";
                    guests.known_by.push(entry.ok_or_else(|| Problem::ours(503, what))?);
                }
            }
            (None, Some(lookup)) => identities.insert(0, lookup),
            (None, None) => {}
        }
        guests.known_by.extend(identities.iter().map(|identity| identity.pseudonym(&pepper)));
        Ok(Known { guests, identities })
    }

    async fn is_members(&self, who: Option<&Identity>, pepper: &[u8]) -> Result<bool, Problem> {
        let Some(who) = who else { return Ok(false) };
        let look = directory::Command::Look;
        let known = self.edge.entry(&who.pseudonym(pepper), look).await.map_err(silent)?;
        Ok(known.member.is_some())
    }

    /// How the tab was closed: with the points it earns, or as long as there is no programme with what they will be
    /// counted from.
    async fn closing(
        &self,
        tab: &TabKey,
        guests: &Guests,
        identities: &[Identity],
    ) -> Result<Closing, Problem> {
        let received = self.call.received;
        let calendar = match &self.programme {
            Some(programme) => programme.calendar(self.place.zone()),
            None => {
                let zone = self.place.zone().clone();
                Calendar { zone, day_starts: TimeOfDay::MIDNIGHT }
            }
        };
        let nothing = Closing {
            received,
            digest: digest(&self.envelope),
            on: calendar.business_date(received),
            paid: Money::ZERO,
            points: 0,
            facts: None,
        };
        if loyalty::is_below_zero(&self.envelope) {
            return Ok(nothing);
        }
        let event = self.event(tab, guests, identities).await?;
        let paid = loyalty::paid(&self.envelope, &event.cart);
        if let Some(programme) = &self.programme {
            let points = programme.earned(&event.cart, &event.context, paid);
            return Ok(Closing { paid, points, ..nothing });
        }
        let Some(facts) = Facts::of(&event.cart, &event.context) else {
            let what = format!(
                "there is no loyalty programme yet, and of a closed tab at most {MOST_BYTES} bytes are kept until \
                 there is one"
            );
            return Err(Problem::ours(503, &what));
        };
        Ok(Closing { paid, facts: Some(Box::new(facts)), ..nothing })
    }

    /// The event as conditions want it: of a member, where what is earned may depend on who earns it.
    async fn event(
        &self,
        tab: &TabKey,
        guests: &Guests,
        identities: &[Identity],
    ) -> Result<Event, Problem> {
        let asks = self.programme.as_ref().is_some_and(|programme| programme.asks_who_earns());
        let member = match (&guests.holder, asks) {
            (_, false) => None,
            (Some(holder), true) => spend::show(self.edge, holder, 0).await.map_err(silent)?,
            (None, true) => find(self.edge, identities, 0).await?,
        };
        let currency = self.place.currency();
        let cart = match &member {
            Some((id, view)) => {
                let member = (id.as_str(), view.tier.as_deref());
                self.envelope.cart_of_member(tab, currency, member)
            }
            None => self.envelope.cart(tab, currency),
        };
        self.place.event(self.call, self.env, POS, tab.clone(), cart.map_err(bad_event)?)
    }

    /// The tab by every name that the ledger of rewards may know it by.
    async fn known_names(&self, tab: TabKey) -> Result<Vec<TabKey>, Problem> {
        let shown = self.edge.show_tab(&tab).await.map_err(silent)?;
        let claims = shown.iter().flat_map(|shown| shown.record.tab.claims());
        let rewards = claims.map(Claim::place).filter(|it| it.campaign.as_str() == REWARDS);
        let location = &tab.location;
        let key = |tab| TabKey { location: location.clone(), tab };
        let mut keys: Vec<TabKey> = rewards.map(|place| key(place.tab)).collect();
        if !keys.contains(&tab) {
            keys.push(tab);
        }
        Ok(keys)
    }

    /// A reversal needs no programme: what was earned and redeemed is in the books.
    pub(super) async fn reverse(&self, offer_ids: Vec<String>) -> Result<Reply, Problem> {
        let (tab, received) = (self.tab()?, self.call.received);
        if !offer_ids.is_empty() {
            // The rest is another API's, which hears of it by itself.
            let ours = |id: &String| {
                OfferRef::parse(id).is_some_and(|offer| offer.campaign.as_str() == REWARDS)
            };
            let offer_ids: Vec<String> = offer_ids.into_iter().filter(ours).collect();
            if offer_ids.is_empty() {
                self.call.trace.note("outcome", "nothing of ours");
                return Ok(Reply::json(200, &json!({})));
            }
            let also = self.envelope.also(&tab);
            let reversal = Reversal { tab, also, offer_ids, received };
            let reversed = reverse(self.edge, &reversal).await.map_err(failed)?;
            self.call.trace.note_reversed(&reversed);
            return Ok(Reply::json(200, &json!({})));
        }
        let owner = take_back(self.edge, &tab, received).await.map_err(silent)?;
        let which = Which::All;
        let owner: Vec<MemberId> = owner.into_iter().collect();
        for tab in self.known_names(tab).await? {
            let all = Reverse { tab: tab.clone(), which: which.clone(), received };
            let found = reverse_tab(self.edge, &all, &owner).await.map_err(silent)?;
            if let Some(campaign) = rewards_id() {
                let (home, standing) = (Shard::root(), Some(found.left));
                let which = which.clone();
                let left = CleanUp { campaign, home, tab, which, received, standing };
                if clean_up(self.edge, &left).await.is_err() {
                    Ports::later(self.edge, left);
                }
            }
        }
        self.call.trace.note("outcome", "reversed");
        Ok(Reply::json(200, &json!({})))
    }
}

/// By what a closing is known from another: the keys of the event in one order, whatever theirs was.
fn digest(envelope: &Envelope) -> String {
    let digest = Sha256::digest(envelope.body.to_string().as_bytes());
    digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}
