//! The offers that a REDEEM names: which of them may be answered at all.
//!
//! An offer whose code leads nowhere is a miss, unless it stands on the tab: the same question gets the
//! same answer, whatever became of its code since. On a locked tab only what stands is answered, and
//! offers whose codes exist are rejected exactly as made-up ones are. Codes that prove themselves are
//! exempt.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::redeem::undo;
use super::resolve::{Found, Resolution};
use super::round::{Party, customer};
use super::{Event, Failure, Ports, Redeemed, Rejection, Unreachable, rights};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::{CampaignId, OfferRef};
use crate::ledger::campaign::{Ask, Brought, Outcome, Redeem};
use crate::ledger::shard::{LedgerLayout, Shard};
use crate::ledger::tab;

/// What may stand on the tab, by campaign, with the object that keeps it.
type Claimed = BTreeMap<CampaignId, (Shard, Vec<OfferRef>)>;

/// An offer that is named, and what its code leads to.
struct Named {
    offer: OfferRef,
    resolution: Resolution,
}

impl Named {
    /// Whether its campaign has such an offer and such a code.
    fn is_known(&self) -> bool {
        let Resolution::Found(found) = &self.resolution else { return false };
        found.campaign.has_offer(&self.offer.offer)
    }

    /// Whether nobody could have guessed its code.
    const fn is_signed(&self) -> bool {
        match &self.resolution {
            Resolution::Found(found) => found.proven.is_some(),
            Resolution::Unknown { signed, .. } => *signed,
        }
    }

    /// Why it is unknown, for staff.
    fn why(&self) -> &str {
        match &self.resolution {
            Resolution::Found(_) => "the campaign has no such offer",
            Resolution::Unknown { why, .. } => why,
        }
    }
}

/// The campaigns that take part, each with the offers named of it. What is unknown, and what is not
/// answered on a locked tab, is in the answer already; so is what stands of it.
pub(super) async fn admitted(
    ports: &impl Ports,
    offer_ids: &[String],
    event: &Event,
    answer: &mut Redeemed,
) -> Result<Vec<(Vec<OfferRef>, Party)>, Failure> {
    let named = look_up(ports, read(offer_ids, answer)).await?;
    let unknown = named.iter().any(|named| !named.is_known());
    let mut claimed = None;
    if unknown {
        claimed = Some(claims(ports, &named, event).await);
    }
    let lock = if named.iter().all(Named::is_signed) {
        None
    } else {
        let misses = misses(&named, claimed.as_ref());
        ports.guard(&event.tab, misses).await.err()
    };
    let open = |named: &Named| named.is_known() && (lock.is_none() || named.is_signed());
    let (open, closed): (Vec<_>, Vec<_>) = named.into_iter().partition(open);
    if !closed.is_empty() {
        let claimed = match claimed {
            Some(claimed) => claimed,
            None => claims(ports, &closed, event).await,
        };
        recall(ports, closed, claimed, lock, event, answer).await;
    }
    let parties = parties(ports, open, event, answer).await;
    if parties.is_empty() && answer.applied.is_empty() && !answer.is_to_be_asked_again() {
        answer.locked = lock;
    }
    Ok(parties)
}

/// The offers named, each once; what is no `offer_id` of ours is rejected at once.
fn read(offer_ids: &[String], answer: &mut Redeemed) -> Vec<OfferRef> {
    let mut named = Vec::new();
    let mut seen = BTreeSet::new();
    for id in offer_ids {
        match OfferRef::parse(id) {
            Some(offer) if seen.contains(&offer) => {}
            Some(offer) => {
                seen.insert(offer.clone());
                named.push(offer);
            }
            None => answer.rejected.push(Rejection {
                offer_id: id.clone(),
                reason: Reason::UnknownCode,
                detail: "this is no offer_id of ours".to_owned(),
            }),
        }
    }
    named
}

/// Looks up what each offer's code leads to, each code of a campaign once.
async fn look_up(ports: &impl Ports, offers: Vec<OfferRef>) -> Result<Vec<Named>, Unreachable> {
    let code = |offer: &OfferRef| (offer.campaign.clone(), offer.code.clone());
    let codes: BTreeMap<_, _> = offers.iter().map(|offer| (code(offer), offer)).collect();
    let found = join_all(codes.values().map(|offer| ports.find_offer(offer))).await;
    let mut resolutions = BTreeMap::new();
    for (code, resolution) in codes.into_keys().zip(found) {
        resolutions.insert(code, resolution?);
    }
    let named = offers.iter().filter_map(|offer| {
        let resolution = resolutions.get(&code(offer))?.clone();
        Some(Named { offer: offer.clone(), resolution })
    });
    Ok(named.collect())
}

/// What may stand on the tab of these offers; an error when the tab does not answer.
async fn claims(
    ports: &impl Ports,
    named: &[Named],
    event: &Event,
) -> Result<Claimed, Unreachable> {
    let offers = named.iter().map(|named| named.offer.clone()).collect();
    match ports.tab(&event.tab, &tab::Command::Claimed(offers)).await? {
        tab::Reply::Claimed(claimed) => Ok(claimed),
        _ => Err(Unreachable),
    }
}

/// How many codes are guessed: each that leads nowhere counts once for each campaign it is named of. Where
/// it is not known what stands, nothing will be told of them.
fn misses(named: &[Named], claimed: Option<&Result<Claimed, Unreachable>>) -> u16 {
    let Some(Ok(claimed)) = claimed else { return 0 };
    let stands = |offer: &OfferRef| {
        claimed.get(&offer.campaign).is_some_and(|(_, offers)| offers.contains(offer))
    };
    let guessed = named
        .iter()
        .filter(|named| !named.is_known() && !named.is_signed() && !stands(&named.offer));
    let codes: BTreeSet<_> =
        guessed.map(|named| (&named.offer.campaign, &named.offer.code)).collect();
    u16::try_from(codes.len()).unwrap_or(u16::MAX)
}

/// Answers what stands of offers that are not looked at any closer, and rejects the others: as unknown,
/// unless it cannot be known now.
async fn recall(
    ports: &impl Ports,
    closed: Vec<Named>,
    claimed: Result<Claimed, Unreachable>,
    lock: Option<Lock>,
    event: &Event,
    answer: &mut Redeemed,
) {
    let not_now = claimed.is_err() || lock == Some(Lock::Silent);
    let claimed = claimed.unwrap_or_default();
    let mut standing = BTreeMap::new();
    for (campaign, (home, offers)) in claimed {
        let terms = closed.iter().find_map(|named| match &named.resolution {
            Resolution::Found(found) if *found.campaign.id() == campaign => Some(found),
            _ => None,
        });
        let command = question(offers, terms, event);
        let asks = command.asks.clone();
        let outcomes = match rights::redeem(ports, &campaign, &home, command).await {
            Ok(redeemed) => redeemed.outcomes,
            Err(_) => {
                undo(ports, &campaign, home, event).await;
                Vec::new()
            }
        };
        let outcomes = outcomes.into_iter().map(Some).chain(std::iter::repeat(None));
        standing.extend(asks.into_iter().map(|ask| ask.offer).zip(outcomes));
    }
    for named in closed {
        let detail = if lock.is_some() { "the tab is locked" } else { named.why() };
        match standing.get(&named.offer) {
            Some(Some(outcome @ Outcome::Applied { .. })) => {
                answer.known = true;
                answer.add(&named.offer, outcome, &[]);
            }
            Some(None) => answer.not_now(&named.offer, "the ledger is silent"),
            None if not_now => answer.not_now(&named.offer, "it cannot be known what stands"),
            Some(Some(_)) | None => answer.reject(&named.offer, Reason::UnknownCode, detail),
        }
    }
}

/// Asks the ledger which of these stand. It notes that this attempt hears of them.
fn question(offers: Vec<OfferRef>, found: Option<&Found>, event: &Event) -> Redeem {
    Redeem {
        tab: event.tab.clone(),
        customer: event.customer.as_ref().map(|person| person.name.clone()),
        pos: event.pos.to_owned(),
        received: event.received,
        attempt: event.attempt.clone(),
        currency: event.cart.currency(),
        asks: offers.into_iter().map(|offer| Ask { offer, give: None }).collect(),
        counters: Vec::new(),
        revision: None,
        keep_days: 0,
        layout: found.map_or(LedgerLayout::SINGLE, |found| found.campaign.ledger()),
        brought: Brought::default(),
    }
}

/// The campaigns of known offers, in the order they are first named. Of a campaign one code counts on a
/// tab: the first one named.
async fn parties(
    ports: &impl Ports,
    named: Vec<Named>,
    event: &Event,
    answer: &mut Redeemed,
) -> Vec<(Vec<OfferRef>, Party)> {
    let mut campaigns: Vec<(Found, Vec<OfferRef>)> = Vec::new();
    for Named { offer, resolution } in named {
        let Resolution::Found(found) = resolution else { continue };
        let same = |(first, _): &&mut (Found, _)| first.campaign.id() == found.campaign.id();
        match campaigns.iter_mut().find(same) {
            None => campaigns.push((found, vec![offer])),
            Some((first, offers)) if first.key == found.key => offers.push(offer),
            Some(_) => {
                let detail = "another code of the same campaign";
                answer.reject(&offer, Reason::DoesNotCombine, detail);
            }
        }
    }
    answer.known |= !campaigns.is_empty();
    let mut parties = Vec::new();
    for (found, offers) in campaigns {
        let Ok(person) = customer(ports, &found, event, false).await else {
            offers.iter().for_each(|offer| answer.not_now(offer, "the member is silent"));
            continue;
        };
        let asked = |key: &_| offers.iter().any(|offer| offer.offer == *key);
        let party = Party::new(found, person, event, asked);
        parties.push((offers, party));
    }
    parties
}
