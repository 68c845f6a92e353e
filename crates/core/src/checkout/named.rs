//! The offers that a REDEEM names: which of them may be answered at all.
//!
//! An offer whose code leads nowhere is a miss, unless it stands on the tab: the same question gets the
//! same answer, whatever became of its code since. On a locked tab only what stands is answered, and
//! offers whose codes exist are rejected exactly as made-up ones are. Codes that prove themselves are
//! exempt.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::on_tab::OnTab;
use super::resolve::{Found, Resolution};
use super::round::{Party, customer};
use super::tab::told;
use super::{Event, Failure, Ports, Redeemed, Rejection, Unreachable};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::OfferRef;
use crate::ledger::shard::LedgerLayout;

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

/// A campaign that takes part, with the offers named of it.
pub(super) struct Take {
    /// The offers.
    pub offers: Vec<OfferRef>,
    /// The campaign.
    pub party: Party,
    /// Whether nobody could have guessed its code: a lock is not heeded.
    pub signed: bool,
}

/// The campaigns that take part. What is unknown, and what is known not to be answered on a locked tab,
/// is in the answer already; so is what stands of it.
pub(super) async fn admitted(
    ports: &impl Ports,
    offer_ids: &[String],
    event: &Event,
    on_tab: &mut OnTab,
    answer: &mut Redeemed,
) -> Result<Vec<Take>, Failure> {
    let mut named = look_up(ports, read(offer_ids, answer)).await?;
    if !named.iter().all(Named::is_known) {
        let guarded = !named.iter().all(Named::is_signed);
        let silent = on_tab.look(ports, event, guarded).await.is_err();
        let misses = if silent { 0 } else { misses(&named, on_tab) };
        if misses > 0 && on_tab.lock.is_none() {
            let (location, names) = (&event.tab.location, Some(event.names()));
            on_tab.lock = told(ports, location, names, misses).await.err();
        }
        let locked = on_tab.lock.is_some();
        let open = |named: &Named| named.is_known() && (!locked || named.is_signed());
        let (open, closed): (Vec<_>, Vec<_>) = named.into_iter().partition(open);
        answer_closed(ports, closed, silent, event, on_tab, answer).await;
        named = open;
    }
    Ok(takes(ports, named, event, answer).await)
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

/// How many codes are guessed: each that leads nowhere counts once for each campaign it is named of.
fn misses(named: &[Named], on_tab: &OnTab) -> u16 {
    let guessed = named
        .iter()
        .filter(|named| !named.is_known() && !named.is_signed() && !on_tab.stands(&named.offer));
    let codes: BTreeSet<_> =
        guessed.map(|named| (&named.offer.campaign, &named.offer.code)).collect();
    u16::try_from(codes.len()).unwrap_or(u16::MAX)
}

/// Answers what stands of offers that are not looked at any closer, and rejects the others: as unknown,
/// unless it cannot be known now.
async fn answer_closed(
    ports: &impl Ports,
    closed: Vec<Named>,
    silent: bool,
    event: &Event,
    on_tab: &OnTab,
    answer: &mut Redeemed,
) {
    let not_now = silent || on_tab.lock == Some(Lock::Silent);
    let mut layouts = BTreeMap::new();
    for named in &closed {
        let layout = match &named.resolution {
            Resolution::Found(found) => found.campaign.ledger(),
            Resolution::Unknown { .. } => LedgerLayout::SINGLE,
        };
        layouts.entry(named.offer.campaign.clone()).or_insert(layout);
    }
    let (mut applied, mut unheard) = (BTreeMap::new(), BTreeSet::new());
    for (campaign, layout) in layouts {
        let of_it = closed.iter().map(|named| &named.offer);
        let of_it = of_it.filter(|it| it.campaign == campaign && on_tab.stands(it));
        let of_it = of_it.filter(|it| !on_tab.is_overtaken(it, event));
        let offers: Vec<OfferRef> = of_it.cloned().collect();
        match on_tab.recall(ports, event, &offers, None, layout).await {
            Ok(stands) => applied.extend(stands),
            Err(Unreachable) => unheard.extend(offers),
        }
    }
    for named in closed {
        let locked = on_tab.lock.is_some();
        let detail = if locked { "the tab is locked" } else { named.why() };
        match applied.get(&named.offer) {
            Some(outcome) => {
                answer.known = true;
                answer.add(&named.offer, outcome, &[]);
            }
            None if unheard.contains(&named.offer) => {
                answer.not_now(&named.offer, "the ledger is silent");
            }
            None if not_now => answer.not_now(&named.offer, "it cannot be known what stands"),
            None => answer.reject(&named.offer, Reason::UnknownCode, detail),
        }
    }
}

/// The campaigns of known offers, in the order they are first named. Of a campaign one code counts on a
/// tab: the first one named.
async fn takes(
    ports: &impl Ports,
    named: Vec<Named>,
    event: &Event,
    answer: &mut Redeemed,
) -> Vec<Take> {
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
    let mut takes = Vec::new();
    for (found, offers) in campaigns {
        let Ok(person) = customer(ports, &found, event, false).await else {
            offers.iter().for_each(|offer| answer.not_now(offer, "the member is silent"));
            continue;
        };
        let signed = found.proven.is_some();
        let asked = |key: &_| offers.iter().any(|offer| offer.offer == *key);
        let party = Party::new(found, person, event, asked);
        takes.push(Take { offers, party, signed });
    }
    takes
}
