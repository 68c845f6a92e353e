//! A campaign's ledger: its counters and its redemptions, decided one command at a time.
//!
//! # The protocol
//! The edge computes what each offer is worth and sends [`Redeem`]. The ledger looks at every counter
//! of the campaign that this redemption touches and takes from all of them, or from none: when one
//! offer is refused or its budget is short, nothing is written, the reply says which, and the edge
//! computes again without it (a discount may depend on the one before). So the ledger needs no
//! engine, and the engine no ledger.
//!
//! # Why it is right
//! - *Never oversold*: a counter is read, compared and raised in one turn; there is no second path to
//!   it. The comparison is against what was used before, not including this very redemption.
//! - *Once*: a redemption is kept under (tab, offer) with its answer; asked again, it is recalled
//!   before any quota is looked at.
//! - *Any order*: a reversal leaves a barrier, the instant it reached the edge. A REDEEM received at or
//!   before the barrier, yet handled after it, is refused; one received later is a new epoch. A
//!   reversal never touches a redemption that was asked for, or asked for again, after it.
//! - *What is not there stays away*: a fence refuses what was received before it and has not arrived,
//!   so that a tab can forget a claim without a REDEEM on its way making it true behind its back.
//! - *A stop is a stop*: an object remembers the newest revision of the document it was told of, and
//!   answers `outdated` to what was computed from an older one ([`announced`]).
//! - *A reversal gives back what was taken*: each redemption keeps what it took from which counter.
//!
//! A divided ledger is several of these machines; what holds between them is in [`rights`] and
//! `escrow`. One alone is the owner of all its counters and never hears of either.

mod announced;
mod drawing;
mod escrow;
mod exhausted;
mod message;
mod record;
pub mod rename;
pub mod rights;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::BTreeMap;

use drawing::{Draw, Drawing};
use escrow::Place;
pub use exhausted::Mark;
pub use message::{
    Ask, Brought, Ceded, Command, Enrolled, Enrolment, Give, GivenBack, Outcome, Provide, Redeem,
    Redeemed, Refusal, Reply, Reverse, Reversed, Which,
};
pub use record::{Redemption, Standing, State, TabRecord};
use rights::{Need, Rights, Stock};
pub use totals::{Total, Totals};

use super::TabKey;
use super::counter::Taken;
use super::shard::{Shard, Siblings};
use crate::ident::OfferRef;
use crate::money::Money;
use crate::revision::Announcement;
use crate::time::Instant;

/// What the machine reads. A Durable Object answers from its SQLite, a test from a map.
pub trait Books {
    /// Why a read failed.
    type Error;

    /// What is kept of a tab.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tab(&self, tab: &TabKey) -> Result<Option<TabRecord>, Self::Error>;

    /// What is kept of a counter; none for one never seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stock(&self, key: &str) -> Result<Option<Stock>, Self::Error>;

    /// What this object knows of the others of its ledger.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn siblings(&self) -> Result<Siblings, Self::Error>;

    /// What was last marked as exhausted.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mark(&self) -> Result<Mark, Self::Error>;

    /// Which revision of the campaign's document was last announced here.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn announced(&self) -> Result<Option<Announcement>, Self::Error>;

    /// Whether neither a tab nor a counter was ever written here.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_empty(&self) -> Result<bool, Self::Error>;
}

/// What is to be written, all of it in the turn that decided it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The tab's new record, if it changed.
    pub tab: Option<(TabKey, TabRecord)>,
    /// Counters' new values.
    pub stocks: BTreeMap<String, Stock>,
    /// What it now knows of the others.
    pub siblings: Option<Siblings>,
    /// What is exhausted now, to be published.
    pub mark: Option<Mark>,
    /// What was announced.
    pub announced: Option<Announcement>,
}

/// Decides one command to the object `me`: what to answer, and what to write before anybody hears the
/// answer.
///
/// # Errors
/// Only those of reading the books.
pub fn apply<B: Books>(
    books: &B,
    me: &Shard,
    command: &Command,
    now: Instant,
) -> Result<(Reply, Changes), B::Error> {
    let mut changes = Changes::default();
    let before = books.announced()?;
    let heard = announced::heard(before, command);
    if let Some(announcement) = announced::refuses(heard, command) {
        return Ok((Reply::Outdated(announcement), changes));
    }
    let reply = match command {
        Command::Redeem(redeem) => {
            let decided = decide(books, me, redeem, true, now)?;
            if decided.complete {
                changes = decided.changes(redeem);
                // What was brought is kept with the layouts that came with it.
                changes.announced = heard.filter(|_| heard != before);
            }
            Reply::Redeemed(decided.answer(true))
        }
        Command::Peek(redeem) => {
            Reply::Redeemed(decide(books, me, redeem, false, now)?.answer(false))
        }
        Command::Reverse(reverse) => {
            Reply::Reversed(give_back(books, me, reverse, now, &mut changes)?)
        }
        Command::Fence { tab, received } => {
            let mut record = books.tab(tab)?.unwrap_or_default();
            let standing = record.given();
            if record.fence < Some(*received) {
                record.fence = Some(*received);
                changes.tab = Some((tab.clone(), record));
            }
            Reply::Standing(standing)
        }
        Command::Provide(provide) => {
            let layouts = match &provide.enrol {
                Some(enrolment) => escrow::enrol(books, enrolment, &mut changes)?,
                None => Vec::new(),
            };
            let known = [&layouts, &provide.layouts].into_iter().max_by_key(|list| list.len());
            let known = known.map_or(&[][..], Vec::as_slice);
            let place = Place::of(books, me, provide.layout, known)?;
            let provided = escrow::provide(books, &place, provide, now, &mut changes)?;
            if provide.peek {
                changes = Changes::default();
            }
            let announced = heard.filter(|_| provide.enrol.is_some());
            Reply::Provided(provided, Enrolled { layouts, announced })
        }
        Command::Recall(granted) => {
            Reply::Returned(escrow::recall(books, me, granted, &mut changes)?)
        }
        Command::Unspent(granted) => {
            Reply::Returned(escrow::recall(books, me, granted, &mut Changes::default())?)
        }
        Command::Restock(returned) => {
            escrow::restock(books, returned, &mut changes)?;
            Reply::Done
        }
        Command::Cede(adopt, layouts) => {
            let place = Place::of(books, me, adopt.layout, layouts)?;
            Reply::Ceded(escrow::cede(books, &place, adopt, &mut changes)?)
        }
        Command::Adopt(estate) => {
            escrow::adopt(books, me, estate, &mut changes)?;
            Reply::Done
        }
        Command::Announce(announcement) => {
            changes.announced = announced::news(heard, announcement);
            Reply::Announced(books.siblings()?.roster.into_iter().collect())
        }
    };
    exhausted::update(books, command, &mut changes)?;
    Ok((reply, changes))
}

/// A decision before it is known whether it takes effect.
struct Decided {
    outcomes: Vec<(Outcome, Freshness)>,
    room: Option<Money>,
    /// Every offer that gives something can be had as asked.
    complete: bool,
    before: TabRecord,
    after: TabRecord,
    stocks: BTreeMap<String, Stock>,
    siblings: Option<Siblings>,
    needs: Vec<Need>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Freshness {
    Before,
    Now,
}

impl Decided {
    fn changes(&self, redeem: &Redeem) -> Changes {
        let changed = self.before != self.after;
        Changes {
            tab: changed.then(|| (redeem.tab.clone(), self.after.clone())),
            stocks: self.stocks.clone(),
            siblings: self.siblings.clone(),
            mark: None,
            announced: None,
        }
    }

    /// What the caller hears: unless it took effect, what was to be applied now is only open.
    fn answer(self, taken: bool) -> Redeemed {
        let takes_effect = taken && self.complete;
        let told = |(outcome, freshness)| match outcome {
            Outcome::Applied { .. } if freshness == Freshness::Now && !takes_effect => {
                Outcome::Open
            }
            other => other,
        };
        let record = if takes_effect { &self.after } else { &self.before };
        Redeemed {
            standing: record.given(),
            outcomes: self.outcomes.into_iter().map(told).collect(),
            room: self.room,
            needs: self.needs,
        }
    }
}

fn decide<B: Books>(
    books: &B,
    me: &Shard,
    redeem: &Redeem,
    taking: bool,
    now: Instant,
) -> Result<Decided, B::Error> {
    let before = books.tab(&redeem.tab)?.unwrap_or_default();
    let mut record = before.clone();
    let place = Place::of(books, me, redeem.layout, &redeem.brought.layouts)?;
    let mut drawing = Drawing::open(books, &place, redeem)?;
    let mut shared = record.standing().next().is_some();
    let (mut outcomes, mut room, mut complete) = (Vec::new(), None::<Money>, true);
    for ask in &redeem.asks {
        // First of all: one that is too late must not even be noted among those that heard.
        if record.overtaken(&ask.offer, redeem) {
            complete &= ask.give.is_none();
            outcomes.push((Outcome::Refused(Refusal::AlreadyReversed), Freshness::Now));
            continue;
        }
        if let Some(recalled) = record.recall(&ask.offer, redeem) {
            outcomes.push((recalled, Freshness::Before));
            continue;
        }
        let by_another_code =
            record.standing().any(|(standing, _)| standing.code != ask.offer.code);
        let outcome = match &ask.give {
            None => Outcome::Absent,
            Some(_) if record.fence >= Some(redeem.received) => Outcome::Refused(Refusal::Late),
            // A campaign stands on a tab by one of its codes: two do not combine.
            Some(_) if by_another_code => Outcome::Refused(Refusal::DoesNotCombine),
            Some(give) => match drawing.draw(&place, &ask.offer.offer, give.amount, shared) {
                Draw::Taken { own, once } => {
                    if !shared {
                        record.shared = once;
                        shared = true;
                    }
                    record.add(redeem, ask, give, own, now);
                    Outcome::Applied { amount: give.amount, answer: give.answer.clone() }
                }
                Draw::Short { left, of_campaign: false } => Outcome::Short(left),
                Draw::Short { left, of_campaign: true } => {
                    room = Some(room.map_or(left, |room| room.min(left)));
                    Outcome::Open
                }
                Draw::Refused(refusal) => Outcome::Refused(refusal),
                Draw::Lacking => {
                    shared = true;
                    Outcome::Open
                }
            },
        };
        complete &= ask.give.is_none() || matches!(outcome, Outcome::Applied { .. });
        outcomes.push((outcome, Freshness::Now));
    }
    let mut needs: Vec<Need> = drawing.needs.into_values().collect();
    // The root must know of every shard that has redemptions, to find them. One that it does not know was
    // told of no revision: for whoever only peeks the root must be asked too.
    let takes = (complete && before != record) || !needs.is_empty();
    if (takes || !taking) && !me.is_root() && place.siblings.layouts.is_empty() {
        needs.push(Need::Layouts);
    }
    complete &= needs.is_empty();
    let learned = !redeem.brought.layouts.is_empty() && place.siblings != books.siblings()?;
    let siblings = learned.then_some(place.siblings);
    let stocks = drawing.changed;
    Ok(Decided { outcomes, room, complete, before, after: record, stocks, siblings, needs })
}

fn give_back<B: Books>(
    books: &B,
    me: &Shard,
    reverse: &Reverse,
    now: Instant,
    changes: &mut Changes,
) -> Result<Reversed, B::Error> {
    let mut record = books.tab(&reverse.tab)?.unwrap_or_default();
    let mut reply = Reversed::default();
    let mut returned: Vec<Taken> = Vec::new();
    let named: Vec<OfferRef> = match &reverse.which {
        Which::Offers(offers) => offers.clone(),
        Which::All | Which::Attempt(_) => {
            record.standing().map(|(offer, _)| offer.clone()).collect()
        }
    };
    for offer in named {
        let standing = record.offers.entry(offer.clone()).or_default();
        if matches!(reverse.which, Which::Offers(_)) {
            standing.barrier = standing.barrier.max(Some(reverse.received));
        }
        let applied = standing.redemptions.last_mut().filter(|last| last.state == State::Applied);
        if let Some(redemption) = applied
            && redemption.is_covered(&offer, reverse)
        {
            redemption.state = State::Reversed;
            redemption.reversed = Some(now);
            redemption.answer.clear();
            returned.append(&mut redemption.took);
            reply.reversed.push(GivenBack { offer, amount: redemption.amount });
        } else if reply.reversed.iter().all(|given| given.offer != offer) {
            reply.unchanged.push(offer);
        }
    }
    match &reverse.which {
        Which::All => record.barrier = record.barrier.max(Some(reverse.received)),
        Which::Attempt(attempt) => record.undo(attempt),
        Which::Offers(_) => {}
    }
    reply.left = record.given();
    if reply.left.is_empty() {
        returned.append(&mut record.shared);
    }
    for Taken { key, units } in returned {
        let mut stock = match changes.stocks.remove(&key) {
            Some(changed) => changed,
            None => books.stock(&key)?.unwrap_or_default(),
        };
        stock.used = stock.used.saturating_sub(units);
        if let Some(Rights::Holder(holder)) = &mut stock.rights
            && holder.free(units)
        {
            reply.returned.retain(|returned| returned.key != key);
            reply.returned.push(holder.returned(&key, me));
        }
        changes.stocks.insert(key, stock);
    }
    changes.tab = Some((reverse.tab.clone(), record));
    Ok(reply)
}
