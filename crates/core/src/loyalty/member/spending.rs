//! Redemptions of one member, decided by the machine that decides a campaign's.

use super::books::{About, Account, Books, Posting, Turn, Why};
use super::{Changes, Store};
use crate::ident::OfferRef;
use crate::ledger::TabKey;
use crate::ledger::campaign::rights::Stock;
use crate::ledger::campaign::{self, Command, Mark, Redemption, Reply, State, TabRecord};
use crate::ledger::counter::{Counter, Measure};
use crate::ledger::shard::{Apart, Shard, Siblings};
use crate::revision::Announcement;

/// The one counter: points spent.
const POINTS: &str = "points";

/// What the machine reads of a member: one tab, and how many points were ever spent.
struct Purse {
    record: Option<TabRecord>,
    spent: u64,
}

impl campaign::Books for Purse {
    type Error = std::convert::Infallible;

    fn tab(&self, _: &TabKey) -> Result<Option<TabRecord>, Self::Error> {
        Ok(self.record.clone())
    }

    fn stock(&self, _: &str) -> Result<Option<Stock>, Self::Error> {
        Ok(Some(Stock { used: self.spent, rights: None }))
    }

    fn siblings(&self) -> Result<Siblings, Self::Error> {
        Ok(Siblings::default())
    }

    fn mark(&self) -> Result<Mark, Self::Error> {
        Ok(Mark::default())
    }

    fn announced(&self) -> Result<Option<Announcement>, Self::Error> {
        // A member's points are no campaign's document.
        Ok(None)
    }

    fn is_empty(&self) -> Result<bool, Self::Error> {
        Ok(false)
    }
}

/// Decides a command of the rewards' ledger, and posts what it takes or gives back.
pub(super) fn decide<S: Store>(
    store: &S,
    command: &Command,
    (postings, books, turn): (&[Posting], &mut Books, &mut Turn<'_>),
    changes: &mut Changes,
) -> Result<Reply, S::Error> {
    let tab = match command {
        Command::Redeem(redeem) | Command::Peek(redeem) => &redeem.tab,
        Command::Reverse(reverse) => &reverse.tab,
        Command::Fence { tab, .. } => tab,
        // Points are not divided between objects.
        _ => return Ok(Reply::Done),
    };
    let mut note = store.tab(tab)?.unwrap_or_default();
    let before = note.spending.clone().unwrap_or_default();
    let count = |account| u64::try_from(books.held(account)).unwrap_or(0);
    let purse = Purse { record: note.spending.clone(), spent: count(Account::Spent) };
    let ceiling = purse.spent.saturating_add(count(Account::Available));
    let mut command = command.clone();
    if let Command::Redeem(redeem) | Command::Peek(redeem) = &mut command {
        let points = Counter {
            key: POINTS.to_owned(),
            ceiling,
            measure: Measure::Amount,
            partial: false,
            offer: None,
            apart: Apart::default(),
            also: Vec::new(),
        };
        redeem.counters = vec![points];
        redeem.brought = campaign::Brought::default();
    }
    let Ok((reply, decided)) = campaign::apply(&purse, &Shard::root(), &command, turn.at);
    let Some((_, after)) = decided.tab else { return Ok(reply) };
    for (offer, redemption) in redemptions(&after) {
        let known = find(&before, offer, redemption.epoch);
        let about = About {
            tab: Some(tab.clone()),
            redemption: Some((offer.clone(), redemption.epoch)),
            reason: None,
        };
        match (known.map(|known| known.state), redemption.state) {
            (None, State::Applied) => books.spend(turn, redemption.amount.minor(), &about),
            (Some(State::Applied), State::Reversed) => {
                let took: Vec<(u32, i64)> = postings
                    .iter()
                    .filter(|posting| {
                        posting.why == Why::Redeemed
                            && posting.tab == about.tab
                            && posting.redemption == about.redemption
                    })
                    .map(|posting| {
                        (posting.from.lot, i64::try_from(posting.points).unwrap_or(i64::MAX))
                    })
                    .collect();
                books.give_back(turn, &took, &about);
            }
            _ => {}
        }
    }
    note.spending = Some(after);
    changes.tabs.push((tab.clone(), note));
    Ok(reply)
}

fn redemptions(record: &TabRecord) -> impl Iterator<Item = (&OfferRef, &Redemption)> {
    record
        .offers
        .iter()
        .flat_map(|(offer, standing)| standing.redemptions.iter().map(move |one| (offer, one)))
}

fn find<'r>(record: &'r TabRecord, offer: &OfferRef, epoch: u32) -> Option<&'r Redemption> {
    redemptions(record)
        .find(|(known, one)| *known == offer && one.epoch == epoch)
        .map(|(_, one)| one)
}
