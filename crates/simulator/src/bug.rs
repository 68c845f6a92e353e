//! Deliberate faults, each as a ledger somewhere once had it: what the checks are worth is shown by
//! what they catch.

use std::collections::BTreeMap;

use promo_core::checkout::CleanUp;
use promo_core::ledger::campaign::rights::{Granted, Provided, Stock};
use promo_core::ledger::campaign::{
    Books as _, Changes, Command, Give, Outcome, Redeem, Redeemed, Reply, Reverse, Which, apply,
};
use promo_core::ledger::counter::Measure;
use promo_core::ledger::shard::Shard;
use promo_core::location::{self, tab};

use crate::sim::Millis;
use crate::world::Ledger;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A REDEEM reads in one turn and writes in another (a check that is not atomic).
    RedeemInTwoTurns,
    /// A REVERSE does: the reverse path without the lock that the redeem path has (medusa#16595).
    ReverseInTwoTurns,
    /// A reversal leaves no barrier.
    NoBarrier,
    /// A tab keeps no barrier for offers whose campaigns never stood on it.
    NoTabBarrier,
    /// A write that changed no row is taken for one that did (shopper#510).
    LostWrite,
    /// A repeated REDEEM takes again.
    TakenTwice,
    /// A cancelled order keeps its use (saleor, commercetools, Shopify).
    ReversedInNameOnly,
    /// The limit is compared with what was used before, not with what would be.
    OneTooMany,
    /// What was claimed on a tab and not taken stays claimed.
    NeverSettled,
    /// An undo also reverses what another attempt heard of.
    UndoTakesAll,
    /// Nothing is undone.
    NeverUndone,
    /// A ledger that does not answer is taken to have agreed.
    AppliedOnAGuess,
    /// Rights whose message was lost are granted once more, on top.
    GrantedTwice,
    /// A holder says that it gave rights back, and spends them.
    RecallForgotten,
    /// An owner that has none left says that there are none, and others hold some.
    NeverRecalled,
    /// A counter is taken over, and the former owner goes on.
    TwoOwners,
}

/// What the ledger answers and writes with the fault; and after how long it writes.
pub fn twist_ledger(
    bug: Option<Bug>,
    books: &Ledger,
    shard: &Shard,
    command: &Command,
    reply: &mut Reply,
    changes: &mut Changes,
) -> Option<Millis> {
    match (bug?, command) {
        (Bug::RedeemInTwoTurns, Command::Redeem(_))
        | (Bug::ReverseInTwoTurns, Command::Reverse(_)) => return Some(5),
        (Bug::UndoTakesAll, Command::Reverse(Reverse { which: Which::Attempt(_), .. })) => {
            let Command::Reverse(undo) = command else { return None };
            let all = Command::Reverse(Reverse { which: Which::All, ..undo.clone() });
            (*reply, *changes) = apply(books, shard, &all, undo.received).unwrap();
        }
        (Bug::NoBarrier, Command::Reverse(_)) => {
            if let Some((_, record)) = &mut changes.tab {
                record.barrier = None;
                record.offers.values_mut().for_each(|standing| standing.barrier = None);
            }
        }
        (Bug::LostWrite, Command::Redeem(redeem)) if redeem.received.millis() % 3 == 0 => {
            *changes = Changes::default();
        }
        (Bug::TakenTwice, Command::Redeem(redeem))
            if recalls(reply) && changes.stocks.is_empty() =>
        {
            let counted = redeem.counters.iter().filter(|c| c.measure == Measure::Uses);
            let again = |key: &String| {
                let stock = books.stock(key).unwrap().unwrap_or_default();
                (key.clone(), Stock { used: stock.used + 1, ..stock })
            };
            changes.stocks = counted.map(|counter| again(&counter.key)).collect();
        }
        (Bug::ReversedInNameOnly, Command::Reverse(_)) => changes.stocks.clear(),
        (Bug::GrantedTwice, Command::Provide(provide)) => {
            let Reply::Provided(provided, _) = reply else { return None };
            for (provided, asked) in provided.iter_mut().zip(&provide.provisions) {
                // "So many more", as if nothing could be on its way already.
                if let Provided::Granted(granted) = provided
                    && changes.stocks.is_empty()
                {
                    granted.granted += asked.units;
                }
            }
        }
        (Bug::RecallForgotten, Command::Recall(_)) => changes.stocks.clear(),
        (Bug::NeverRecalled, Command::Provide(provide)) => {
            let Reply::Provided(provided, _) = reply else { return None };
            for (provided, asked) in provided.iter_mut().zip(&provide.provisions) {
                if let Provided::Recall(from) = provided {
                    let Some((_, granted)) = from.first() else { continue };
                    let (granted, key) = (granted.clone(), asked.counter.key.clone());
                    *provided = Provided::Granted(Granted {
                        key,
                        granted: asked.received,
                        last: true,
                        ..granted
                    });
                }
            }
        }
        (Bug::TwoOwners, Command::Cede(..)) => changes.stocks.clear(),
        (Bug::OneTooMany, Command::Redeem(redeem)) => {
            let more = Command::Redeem(Redeem {
                counters: redeem
                    .counters
                    .iter()
                    .cloned()
                    .map(|mut counter| {
                        counter.ceiling += 1;
                        counter
                    })
                    .collect(),
                ..redeem.clone()
            });
            (*reply, *changes) = apply(books, shard, &more, redeem.received).unwrap();
        }
        _ => {}
    }
    None
}

fn recalls(reply: &Reply) -> bool {
    let Reply::Redeemed(redeemed) = reply else { return false };
    redeemed.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied { .. }))
}

/// What the edge takes for the ledger's answer when none came.
pub fn guess(bug: Option<Bug>, command: &Command) -> Option<Reply> {
    let (Some(Bug::AppliedOnAGuess), Command::Redeem(redeem)) = (bug, command) else { return None };
    let agreed = |give: &Option<Give>| match give {
        Some(give) => Outcome::Applied { amount: give.amount, answer: give.answer.clone() },
        None => Outcome::Absent,
    };
    let given = redeem.asks.iter().filter_map(|ask| Some((ask.offer.clone(), ask.give.as_ref()?)));
    Some(Reply::Redeemed(Redeemed {
        outcomes: redeem.asks.iter().map(|ask| agreed(&ask.give)).collect(),
        room: None,
        standing: given.map(|(offer, give)| (offer, give.amount)).collect(),
        needs: Vec::new(),
    }))
}

/// What the edge believes without asking.
pub fn skipped_ledger(bug: Option<Bug>, command: &Command) -> Option<Reply> {
    match (bug?, command) {
        (Bug::NeverSettled, Command::Fence { .. }) => Some(Reply::Standing(BTreeMap::new())),
        _ => None,
    }
}

pub fn skipped_location(bug: Option<Bug>, command: &location::Command) -> Option<location::Reply> {
    let settles = matches!(command, location::Command::Tab(_, tab::Command::Settle(_)));
    let skipped = bug == Some(Bug::NeverSettled) && settles;
    skipped.then_some(location::Reply::Tab(tab::Reply::Settled))
}

/// What a location is asked.
pub fn twist_location(bug: Option<Bug>, command: &mut location::Command) {
    if let (Some(Bug::NoTabBarrier), location::Command::Tab(_, tab::Command::Admit(admit))) =
        (bug, command)
    {
        admit.named.clear();
    }
}

/// What is cleaned up; none: nothing.
pub fn twist_clean_up(bug: Option<Bug>, left: &CleanUp) -> Option<CleanUp> {
    (bug != Some(Bug::NeverUndone)).then(|| left.clone())
}
