//! REDEEM: these offers, now. See the module page for the way of one.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::clean_up::settle_stale;
use super::named::admitted;
use super::quote::{Quote, Rejection};
use super::rights::{self, Undecided};
use super::round::{Party, Round, Said, customer};
use super::{CleanUp, Event, Failure, Ports, Resolution, Unreachable, clean_up};
use crate::campaign::{Campaign, CombinesWith};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::Attempt;
use crate::ledger::campaign::{Outcome, Which};
use crate::ledger::shard::Shard;
use crate::ledger::tab::{self, Admission, Admit, Combines, Undo};
use crate::money::Money;

/// Rounds after which a REDEEM gives up. Each round takes an offer out or lowers a sum, so only other
/// guests at the same instant could make it this many.
const ROUNDS: usize = 64;
/// A claim on a tab that stands in the way and is older than this (in milliseconds) was perhaps never
/// settled: nobody is still waiting for its REDEEM.
const STALE: i64 = 10_000;

/// What became of the offers a REDEEM named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redeemed {
    /// These stand.
    pub applied: Vec<Quote>,
    /// These do not.
    pub rejected: Vec<Rejection>,
    /// Whether any of the named offers was one of ours.
    pub known: bool,
    /// Nothing is told on this tab now, whatever the codes are: none of the named offers stands.
    pub locked: Option<Lock>,
}

/// Answers a REDEEM that names these `offer_id`s.
///
/// # Errors
/// When the catalogue cannot be read, or the cart cannot be priced. A ledger or tab that cannot be
/// reached is no error: its offers are rejected as `temporarily_unavailable`.
pub async fn redeem(
    ports: &impl Ports,
    offer_ids: &[String],
    event: &Event,
) -> Result<Redeemed, Failure> {
    let mut answer = Redeemed::default();
    let parties = admitted(ports, offer_ids, event, &mut answer).await?;
    let (refs, parties): (Vec<_>, Vec<_>) = parties.into_iter().unzip();
    let mut round = Round::new(parties, event);
    for (party, refs) in refs.iter().enumerate() {
        redeem_campaign(ports, &mut round, party, refs, event, &mut answer).await?;
    }
    Ok(answer)
}

/// One campaign's part of a REDEEM.
async fn redeem_campaign(
    ports: &impl Ports,
    round: &mut Round<'_>,
    index: usize,
    refs: &[OfferRef],
    event: &Event,
    answer: &mut Redeemed,
) -> Result<(), Failure> {
    // What was claimed on the tab, to be settled when less was taken.
    let mut claimed: BTreeMap<OfferRef, Money> = BTreeMap::new();
    let mut home: Option<Shard> = None;
    // Offers that a newer document does not have any more.
    let mut gone: Vec<Rejection> = Vec::new();
    // What the ledger said stands, until the tab has heard of it.
    let mut stands: Option<BTreeMap<OfferRef, Money>> = None;
    let is_last = round.parties.len() == index.saturating_add(1);
    let mut refs = refs.to_vec();
    for _ in 0..ROUNDS {
        let Said { quotes, mut rejections } = round.decide(index)?;
        rejections.extend(gone.iter().cloned());
        let Some(party) = round.parties.get_mut(index) else { return Ok(()) };
        let campaign = Rc::clone(&party.campaign);
        let wished = home.clone().unwrap_or_else(|| party.home(event, ports.region()));
        if !quotes.is_empty() {
            for quote in &quotes {
                // The most that was claimed: a later round may ask for less.
                let most = claimed.entry(quote.offer_id.clone()).or_insert(Money::ZERO);
                *most = (*most).max(quote.discount);
            }
            match admit(ports, &campaign, wished.clone(), &quotes, &refs, event).await {
                Ok(Admission::Admitted(kept)) => home = Some(kept),
                Ok(Admission::Short { .. }) if stands.is_some() => {
                    // What an earlier round claimed, and the ledger refused, is in its own way.
                    let left = to_settle(campaign.id(), wished, stands.take(), event);
                    if clean_up(ports, &left).await.is_err() {
                        answer.reject_all(
                            &refs,
                            Reason::TemporarilyUnavailable,
                            "the tab is silent",
                        );
                        ports.later(left);
                        return Ok(());
                    }
                    continue;
                }
                Ok(Admission::Short { room, claimed, .. }) => {
                    let asked = |quote: &Quote| (quote.offer_id.clone(), quote.discount);
                    let asked: Vec<_> = quotes.iter().map(asked).collect();
                    party.fit(&asked, &claimed, room, Reason::WorthNothing);
                    continue;
                }
                Ok(Admission::Barred(_)) => {
                    party.refuse_all(Reason::DoesNotCombine);
                    continue;
                }
                Ok(Admission::Reversed) => {
                    party.refuse_all(Reason::AlreadyReversed);
                    continue;
                }
                Ok(Admission::Overtaken(offers)) => {
                    party.refuse(&offers, Reason::AlreadyReversed);
                    answer.overtaken(&mut refs, &offers);
                    continue;
                }
                Err(Unreachable) => {
                    answer.reject_all(&refs, Reason::TemporarilyUnavailable, "the tab is silent");
                    later(ports, campaign.id(), wished, Some(BTreeMap::new()), event);
                    return Ok(());
                }
            }
        } else if home.is_none() {
            // What is only named may have been redeemed before.
            let command = tab::Command::Home(tab::Home {
                campaign: campaign.id().clone(),
                otherwise: wished.clone(),
                named: refs.clone(),
                received: event.received,
            });
            let Ok(tab::Reply::Home(kept, offers)) = ports.tab(&event.tab, &command).await else {
                answer.reject_all(&refs, Reason::TemporarilyUnavailable, "the tab is silent");
                return Ok(());
            };
            answer.overtaken(&mut refs, &offers);
            home = Some(kept);
        }
        if refs.is_empty() {
            if !claimed.is_empty() {
                let kept = home.unwrap_or(wished);
                later(ports, campaign.id(), kept, Some(BTreeMap::new()), event);
            }
            return Ok(());
        }
        let kept = home.clone().unwrap_or(wished);
        let command = party.command(&quotes, &refs, event);
        let taken = rights::redeem(ports, campaign.id(), &kept, command.clone()).await;
        if taken == Err(Undecided::Outdated) {
            match renew(ports, party, &refs, event).await {
                Ok(unknown) => gone = unknown,
                Err(_) => {
                    let detail = "the campaign has changed, and its document cannot be read";
                    answer.reject_all(&refs, Reason::TemporarilyUnavailable, detail);
                    later(ports, campaign.id(), kept, Some(BTreeMap::new()), event);
                    return Ok(());
                }
            }
            continue;
        }
        let Ok(redeemed) = taken else {
            answer.reject_all(&refs, Reason::TemporarilyUnavailable, "the ledger is silent");
            undo(ports, campaign.id(), kept, event).await;
            return Ok(());
        };
        if party.hear(&command, &redeemed) {
            stands = Some(redeemed.standing);
            continue;
        }
        for (ask, outcome) in command.asks.iter().zip(&redeemed.outcomes) {
            answer.add(&ask.offer, outcome, &rejections);
        }
        if claimed.iter().any(|(offer, most)| redeemed.standing.get(offer) != Some(most)) {
            let left = to_settle(campaign.id(), kept, Some(redeemed.standing), event);
            // At once, where it would be in the way of this REDEEM's other campaigns.
            if is_last || clean_up(ports, &left).await.is_err() {
                ports.later(left);
            }
        }
        return Ok(());
    }
    answer.reject_all(&refs, Reason::TemporarilyUnavailable, "too many guests at once");
    if let (Some(party), Some(home)) = (round.parties.get(index), home) {
        later(ports, party.campaign.id(), home, Some(BTreeMap::new()), event);
    }
    Ok(())
}

/// Puts the document that counts in the place of one that a ledger has refused as out of date. What it does
/// not have any more, or what its code does not lead to any more, is only asked for: it may stand already.
/// Returns the rejections of those.
async fn renew(
    ports: &impl Ports,
    party: &mut Party,
    refs: &[OfferRef],
    event: &Event,
) -> Result<Vec<Rejection>, Unreachable> {
    let revision = ports.renew(party.campaign.id()).await?;
    let Some(first) = refs.first() else { return Ok(Vec::new()) };
    let found = ports.find_offer(first).await?;
    let reject = |offer: &OfferRef| Rejection {
        offer_id: offer.to_string(),
        reason: Reason::UnknownCode,
        detail: "the campaign has changed: it has no such offer and code any more".to_owned(),
    };
    let unknown = match found {
        Resolution::Found(found) => {
            let campaign = Rc::clone(&found.campaign);
            let person = customer(ports, &found, event, false).await?;
            let asked = |key: &_| refs.iter().any(|offer| offer.offer == *key);
            *party = Party::new(found, person, event, asked);
            refs.iter().filter(|offer| !campaign.has_offer(&offer.offer)).map(reject).collect()
        }
        Resolution::Unknown { .. } => {
            party.refuse_all(Reason::UnknownCode);
            refs.iter().map(reject).collect()
        }
    };
    party.revision = revision;
    Ok(unknown)
}

/// Has undone what this REDEEM perhaps took, and nobody hears of.
pub(super) async fn undo(ports: &impl Ports, campaign: &CampaignId, home: Shard, event: &Event) {
    // The tab first, which remembers though we die; then we do it ourselves, which is sooner. Both is
    // harmless, and should the tab be silent too, there is still the second.
    let undo = tab::Command::Undo(Undo {
        campaign: campaign.clone(),
        home: home.clone(),
        tab: event.tab.clone(),
        attempt: Attempt { name: event.attempt.clone(), received: event.received },
    });
    let _ = ports.tab(&event.tab, &undo).await;
    later(ports, campaign, home, None, event);
}

/// Leaves what this REDEEM claimed for a campaign to be settled; when it is not known what stands, it
/// is to be undone.
fn later(
    ports: &impl Ports,
    campaign: &CampaignId,
    home: Shard,
    standing: Option<BTreeMap<OfferRef, Money>>,
    event: &Event,
) {
    ports.later(to_settle(campaign, home, standing, event));
}

fn to_settle(
    campaign: &CampaignId,
    home: Shard,
    standing: Option<BTreeMap<OfferRef, Money>>,
    event: &Event,
) -> CleanUp {
    CleanUp {
        campaign: campaign.clone(),
        home,
        tab: event.tab.clone(),
        which: Which::Attempt(event.attempt.clone()),
        received: event.received,
        standing,
    }
}

/// Asks the tab. Whoever stands in the way for long is looked at closer, once.
async fn admit(
    ports: &impl Ports,
    campaign: &Campaign,
    home: Shard,
    quotes: &[Quote],
    named: &[OfferRef],
    event: &Event,
) -> Result<Admission, Unreachable> {
    let admit = tab::Command::Admit(Admit {
        campaign: campaign.id().clone(),
        combines: match campaign.combines_with() {
            CombinesWith::None => Combines::None,
            CombinesWith::Any => Combines::Any,
            CombinesWith::Only(ids) => Combines::Only(ids.clone()),
        },
        home,
        offers: quotes.iter().map(|quote| (quote.offer_id.clone(), quote.discount)).collect(),
        named: named.to_vec(),
        ceiling: event.cart.subtotal().saturating_add(event.cart.fees_total()),
        attempt: Attempt { name: event.attempt.clone(), received: event.received },
    });
    let stale = event.received.plus_millis(-STALE);
    let mut looked_at: Vec<CampaignId> = Vec::new();
    loop {
        let tab::Reply::Admission(admission) = ports.tab(&event.tab, &admit).await? else {
            return Err(Unreachable);
        };
        let in_the_way = match &admission {
            Admission::Barred(neighbour) => std::slice::from_ref(neighbour),
            Admission::Short { by, .. } => by,
            Admission::Admitted(_) | Admission::Reversed | Admission::Overtaken(_) => {
                return Ok(admission);
            }
        };
        let old = in_the_way
            .iter()
            .find(|neighbour| neighbour.since <= stale && !looked_at.contains(&neighbour.campaign));
        let Some(old) = old else { return Ok(admission) };
        settle_stale(ports, &event.tab, old, stale).await?;
        looked_at.push(old.campaign.clone());
    }
}

impl Redeemed {
    /// Adds what became of one offer; `said` is why the engine did not give it.
    pub(super) fn add(&mut self, offer: &OfferRef, outcome: &Outcome, said: &[Rejection]) {
        match outcome {
            Outcome::Applied { answer, .. } => match serde_json::from_str(answer) {
                Ok(quote) => self.applied.push(quote),
                Err(error) => {
                    let detail = format!("the answer that was kept cannot be read: {error}");
                    self.reject(offer, Reason::TemporarilyUnavailable, &detail);
                }
            },
            Outcome::Refused(_) | Outcome::Short(_) | Outcome::Open | Outcome::Absent => {
                let id = offer.to_string();
                match said.iter().find(|rejection| rejection.offer_id == id) {
                    Some(rejection) => self.rejected.push(rejection.clone()),
                    None => self.reject(offer, Reason::WorthNothing, ""),
                }
            }
        }
    }

    /// Takes those out of what is asked for that a reversal overtook: whatever stands of them was asked
    /// for by a later REDEEM, and this one must not hear of it.
    fn overtaken(&mut self, refs: &mut Vec<OfferRef>, offers: &[OfferRef]) {
        let (gone, left): (Vec<_>, Vec<_>) =
            std::mem::take(refs).into_iter().partition(|offer| offers.contains(offer));
        self.reject_all(&gone, Reason::AlreadyReversed, "it was reversed after it was asked for");
        *refs = left;
    }

    /// Rejects an offer that is perhaps to be had.
    pub(super) fn not_now(&mut self, offer: &OfferRef, detail: &str) {
        self.known = true;
        self.reject(offer, Reason::TemporarilyUnavailable, detail);
    }

    /// Whether another answer may be had at another time.
    pub(super) fn is_to_be_asked_again(&self) -> bool {
        self.rejected.iter().any(|rejection| rejection.reason == Reason::TemporarilyUnavailable)
    }

    pub(super) fn reject(&mut self, offer: &OfferRef, reason: Reason, detail: &str) {
        let offer_id = offer.to_string();
        self.rejected.push(Rejection { offer_id, reason, detail: detail.to_owned() });
    }

    fn reject_all(&mut self, offers: &[OfferRef], reason: Reason, detail: &str) {
        for offer in offers {
            self.reject(offer, reason, detail);
        }
    }
}
