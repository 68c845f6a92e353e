//! Deliberate faults of the way from a cart to its discounts, each of which the seeds must catch.

use promo_core::checkout::{Event, Failure, Redeemed, redeem};
use promo_core::ident::OfferRef;
use promo_core::ledger::campaign::{Command, Outcome, Reply, Reverse, Which};
use promo_core::ledger::counter::Measure;

use super::shop::Shop;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartBug {
    /// Each campaign of a REDEEM is decided on the cart as it came.
    EachAlone,
    /// The campaigns apply in another order than they were named in.
    Backwards,
    /// An answer leaves the shares of fees out.
    NoFees,
    /// An answer leaves the shares of lines out.
    NoLines,
    /// What a budget has left is not heard: it is all or nothing.
    NothingOfTheRest,
    /// A budget is counted in uses.
    BudgetInUses,
    /// An offer's own quotas are not counted.
    OffersUncounted,
    /// A refusal of one offer refuses all.
    AllOrNothing,
    /// A reversal of one offer gives the whole tab back.
    ReversesAll,
    /// A reversal of a whole tab gives back nothing.
    ReversesNothing,
}

/// A REDEEM by an edge with the fault.
pub fn redeemed(shop: &Shop, offers: &[OfferRef], event: &Event) -> Result<Redeemed, Failure> {
    let ids: Vec<String> = offers.iter().map(ToString::to_string).collect();
    let mut answer = match shop.bug {
        Some(CartBug::EachAlone) => {
            let mut all = Redeemed::default();
            let mut rest = offers.to_vec();
            let before = shop.location.borrow().clone();
            while let Some(first) = rest.first().cloned() {
                let of_it = |offer: &OfferRef| offer.campaign == first.campaign;
                let (these, others) = rest.into_iter().partition::<Vec<_>, _>(of_it);
                rest = others;
                let these: Vec<_> = these.iter().map(ToString::to_string).collect();
                shop.location.replace(before.clone());
                let one = shop.now(redeem(shop, &these, event))?;
                all.applied.extend(one.applied);
                all.rejected.extend(one.rejected);
            }
            all
        }
        Some(CartBug::Backwards) => {
            let ids: Vec<String> = ids.into_iter().rev().collect();
            shop.now(redeem(shop, &ids, event))?
        }
        _ => shop.now(redeem(shop, &ids, event))?,
    };
    for quote in &mut answer.applied {
        match shop.bug {
            Some(CartBug::NoFees) => quote.fees.clear(),
            Some(CartBug::NoLines) => quote.lines.clear(),
            _ => {}
        }
    }
    Ok(answer)
}

/// What a ledger is asked instead.
pub fn twist_question(bug: Option<CartBug>, command: &Command) -> Command {
    let mut command = command.clone();
    match (bug, &mut command) {
        (Some(CartBug::NothingOfTheRest), Command::Redeem(r) | Command::Peek(r)) => {
            r.counters.iter_mut().for_each(|counter| counter.partial = false);
        }
        (Some(CartBug::BudgetInUses), Command::Redeem(r) | Command::Peek(r)) => {
            r.counters.iter_mut().for_each(|counter| counter.measure = Measure::Uses);
        }
        (Some(CartBug::OffersUncounted), Command::Redeem(r) | Command::Peek(r)) => {
            r.counters.retain(|counter| counter.offer.is_none());
        }
        (Some(CartBug::ReversesAll), Command::Reverse(Reverse { which, .. }))
            if matches!(which, Which::Offers(_)) =>
        {
            *which = Which::All;
        }
        (Some(CartBug::ReversesNothing), Command::Reverse(Reverse { which, .. }))
            if *which == Which::All =>
        {
            *which = Which::Offers(Vec::new());
        }
        _ => {}
    }
    command
}

/// What a ledger answers instead.
pub fn twist_answer(bug: Option<CartBug>, reply: &mut Reply) {
    let Reply::Redeemed(redeemed) = reply else {
        return;
    };
    if bug != Some(CartBug::AllOrNothing) {
        return;
    }
    let refused = |outcome: &&Outcome| matches!(outcome, Outcome::Refused(_));
    if let Some(refused) = redeemed.outcomes.iter().find(refused).cloned() {
        redeemed.outcomes.fill(refused);
    }
}
