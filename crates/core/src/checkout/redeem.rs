//! REDEEM: these offers, now. See the module page for the way of one.

use std::collections::BTreeMap;

use super::quote::{Quote, Rejection};
use super::round::{Party, Round, Said};
use super::{Event, Failure, Ports};
use crate::campaign::{Campaign, CombinesWith};
use crate::engine::Reason;
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::campaign::{Command, Outcome, Reply, Reverse, Which};
use crate::ledger::tab::{self, Admission, Admit, Combines, Settle};
use crate::money::Money;

/// Rounds after which a REDEEM gives up. Each round takes an offer out or lowers a sum, so only other
/// guests at the same instant could make it this many.
const ROUNDS: usize = 64;
/// A claim on a tab that bars others and is older than this (in milliseconds) was perhaps never
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
    let named = read_named(offer_ids, &mut answer);
    let mut parties = Vec::new();
    for (campaign, refs) in &named {
        let Some(first) = refs.first() else { continue };
        let Some(found) = ports.by_ref(first).await? else {
            answer.reject_all(refs, Reason::UnknownCode, "no campaign has this offer and code");
            continue;
        };
        let (known, unknown): (Vec<_>, Vec<_>) =
            refs.iter().cloned().partition(|offer| has_offer(&found, offer));
        answer.reject_all(&unknown, Reason::UnknownCode, "the campaign has no such offer");
        // One code of a campaign on a tab: the first one named.
        let (known, other): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|offer| offer.code == first.code);
        answer.reject_all(&other, Reason::DoesNotCombine, "another code of the same campaign");
        let party = Party::new(found, first.code.clone(), event, |key| {
            known.iter().any(|offer| offer.offer == *key)
        });
        answer.known |= !known.is_empty();
        if !known.is_empty() {
            parties.push((campaign.clone(), known, party));
        }
    }
    let (refs, parties): (Vec<_>, Vec<_>) =
        parties.into_iter().map(|(id, refs, party)| ((id, refs), party)).unzip();
    let mut round = Round::new(parties, event);
    for (party, (_, refs)) in refs.iter().enumerate() {
        redeem_campaign(ports, &mut round, party, refs, event, &mut answer).await?;
    }
    Ok(answer)
}

/// The offers named, by campaign in the order they were named; what is no `offer_id` of ours is
/// rejected at once.
fn read_named(offer_ids: &[String], answer: &mut Redeemed) -> Vec<(CampaignId, Vec<OfferRef>)> {
    let mut named: Vec<(CampaignId, Vec<OfferRef>)> = Vec::new();
    for id in offer_ids {
        let Some(offer) = OfferRef::parse(id) else {
            answer.rejected.push(Rejection {
                offer_id: id.clone(),
                reason: Reason::UnknownCode,
                detail: "this is no offer_id of ours".to_owned(),
            });
            continue;
        };
        match named.iter_mut().find(|(campaign, _)| *campaign == offer.campaign) {
            Some((_, refs)) if refs.contains(&offer) => {}
            Some((_, refs)) => refs.push(offer),
            None => named.push((offer.campaign.clone(), vec![offer])),
        }
    }
    named
}

fn has_offer(campaign: &Campaign, offer: &OfferRef) -> bool {
    campaign
        .offers()
        .iter()
        .any(|o| crate::ident::OfferKey::of(campaign.id(), o.id()) == offer.offer)
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
    // The largest claim made on the tab, to be settled when less was taken.
    let mut claimed: BTreeMap<OfferRef, Money> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let Said { quotes, rejections } = round.decide(index)?;
        let Some(party) = round.parties.get_mut(index) else { return Ok(()) };
        let campaign = std::rc::Rc::clone(&party.campaign);
        if !quotes.is_empty() {
            match admit(ports, &campaign, &quotes, event).await {
                Some(Admission::Admitted) => {}
                Some(Admission::Short(room)) if room > Money::ZERO => {
                    party.limit(room);
                    continue;
                }
                Some(Admission::Short(_)) => {
                    party.refuse_all(Reason::WorthNothing);
                    continue;
                }
                Some(Admission::Barred { .. }) => {
                    party.refuse_all(Reason::DoesNotCombine);
                    continue;
                }
                Some(Admission::Reversed) => {
                    party.refuse_all(Reason::AlreadyReversed);
                    continue;
                }
                None => {
                    answer.reject_all(
                        refs,
                        Reason::TemporarilyUnavailable,
                        "the tab did not answer",
                    );
                    return Ok(());
                }
            }
        }
        claimed.extend(quotes.iter().map(|quote| (quote.offer_id.clone(), quote.discount)));
        let command = party.command(&quotes, refs, event);
        let Ok(Reply::Redeemed(redeemed)) =
            ports.ledger(campaign.id(), &Command::Redeem(command.clone())).await
        else {
            let undo = Reverse {
                tab: event.tab.clone(),
                which: Which::Attempt(event.attempt.clone()),
                received: event.received,
            };
            ports.undo_later(campaign.id(), undo);
            answer.reject_all(refs, Reason::TemporarilyUnavailable, "the ledger did not answer");
            return Ok(());
        };
        if party.hear(&command, &redeemed) {
            continue;
        }
        for (ask, outcome) in command.asks.iter().zip(&redeemed.outcomes) {
            match outcome {
                Outcome::Applied { answer: kept, .. } => match serde_json::from_str(kept) {
                    Ok(quote) => answer.applied.push(quote),
                    Err(error) => answer.reject(
                        &ask.offer,
                        Reason::TemporarilyUnavailable,
                        &format!("the ledger's answer cannot be read: {error}"),
                    ),
                },
                _ => {
                    let id = ask.offer.to_string();
                    let why = rejections.iter().find(|rejection| rejection.offer_id == id);
                    answer.rejected.push(why.cloned().unwrap_or(Rejection {
                        offer_id: id,
                        reason: Reason::WorthNothing,
                        detail: String::new(),
                    }));
                }
            }
        }
        let as_claimed = claimed.iter().all(|(o, sum)| redeemed.standing.get(o) == Some(sum));
        if !as_claimed {
            let settle = Settle {
                campaign: campaign.id().clone(),
                offers: redeemed.standing,
                received: event.received,
            };
            // A claim too many bars others only until one of them looks closer; see `admit`.
            let _ = ports.tab(&event.tab, &tab::Command::Settle(settle)).await;
        }
        return Ok(());
    }
    answer.reject_all(refs, Reason::TemporarilyUnavailable, "too many guests at once");
    Ok(())
}

/// Asks the tab; `None` when it, or what must be asked to settle an old claim, does not answer.
async fn admit(
    ports: &impl Ports,
    campaign: &Campaign,
    quotes: &[Quote],
    event: &Event,
) -> Option<Admission> {
    let admit = tab::Command::Admit(Admit {
        campaign: campaign.id().clone(),
        combines: match campaign.combines_with() {
            CombinesWith::None => Combines::None,
            CombinesWith::Any => Combines::Any,
            CombinesWith::Only(ids) => Combines::Only(ids.clone()),
        },
        offers: quotes.iter().map(|q| (q.offer_id.clone(), q.discount)).collect(),
        ceiling: event.cart.subtotal().saturating_add(event.cart.fees_total()),
        received: event.received,
    });
    for _ in 0..ROUNDS {
        let tab::Reply::Admission(admission) = ports.tab(&event.tab, &admit).await.ok()? else {
            return None;
        };
        match admission {
            Admission::Barred { by, since } if since.plus_millis(STALE) < event.received => {
                if !settle_stale(ports, &by, event).await? {
                    return Some(Admission::Barred { by, since });
                }
            }
            other => return Some(other),
        }
    }
    None
}

/// Asks the ledger of a campaign that has claimed on this tab for long whether anything stands there;
/// returns whether the claim is gone.
async fn settle_stale(ports: &impl Ports, by: &CampaignId, event: &Event) -> Option<bool> {
    let void = Command::Void { tab: event.tab.clone(), received: event.received };
    let Reply::Reversed(found) = ports.ledger(by, &void).await.ok()? else { return None };
    let gone = found.left.is_empty();
    let settle = Settle { campaign: by.clone(), offers: found.left, received: event.received };
    ports.tab(&event.tab, &tab::Command::Settle(settle)).await.ok()?;
    Some(gone)
}

impl Redeemed {
    fn reject(&mut self, offer: &OfferRef, reason: Reason, detail: &str) {
        let offer_id = offer.to_string();
        self.rejected.push(Rejection { offer_id, reason, detail: detail.to_owned() });
    }

    fn reject_all(&mut self, offers: &[OfferRef], reason: Reason, detail: &str) {
        for offer in offers {
            self.reject(offer, reason, detail);
        }
    }
}
