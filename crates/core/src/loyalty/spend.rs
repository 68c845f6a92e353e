//! Redeeming: the rewards' ledger and a member's points as one.
//!
//! A reward is an offer of the rewards' campaign; its `offer_id` carries the member's name where other
//! offers have their code. A checkout asks that campaign's ledger like any other's, and here the question
//! goes to two: the ledger, which counts quotas, and the member, who has the points. Both run the same
//! machine, hear the same commands, and decide by the instant an event reached the edge, so what the one
//! recalls, refuses or gives back the other does too.
//!
//! Points are taken before quotas are, and given back when a quota has run out in between (behind a fence,
//! so that what is given back is not taken by an earlier attempt that is still on its way). When one of
//! the two is silent nothing is acknowledged, and the clean-up undoes the attempt at both; the attempt's
//! name ends with the member's, because an attempt that the ledger never heard of is known by nothing
//! else.

use std::collections::{BTreeMap, BTreeSet};

use super::member::{self, View};
use super::{MemberId, Rooms, ask_member};
use crate::checkout::Unreachable;
use crate::ident::{CodeKey, OfferRef};
use crate::ledger::campaign::{
    Ask, Command, Give, Outcome, Redeem, Redeemed, Refusal, Reply, Reverse, Reversed, Which,
};
use crate::money::Money;

/// Stands between an attempt's own name and the member's.
const MEMBERS: char = '@';

/// The name of an attempt of one member's.
#[must_use]
pub fn attempt(name: &str, member: &MemberId) -> String {
    format!("{name}{MEMBERS}{member}")
}

/// The member whose an `offer_id` of the rewards' campaign is.
#[must_use]
pub fn member_of(offer: &OfferRef) -> Option<MemberId> {
    MemberId::parse(offer.code.as_str())
}

/// What stands for the code in the `offer_id`s of a member.
#[must_use]
pub fn key_of(member: &MemberId) -> Option<CodeKey> {
    crate::code::CanonicalCode::parse(member.as_str()).ok().map(|code| CodeKey::of(&code))
}

/// Asks a member what he has, with so many of his latest postings.
///
/// # Errors
/// When he cannot be reached.
pub async fn show(
    rooms: &impl Rooms,
    id: &MemberId,
    history: u32,
) -> Result<Option<(MemberId, View)>, Unreachable> {
    match ask_member(rooms, id, member::Command::Show(history)).await? {
        (id, member::Reply::View(view)) => Ok(Some((id, *view))),
        _ => Ok(None),
    }
}

/// Decides a command of the rewards' ledger; `cost` says how many points an offer takes that gives so
/// much.
///
/// # Errors
/// When the ledger or the member cannot be reached; what was asked may have happened.
pub async fn decide(
    rooms: &impl Rooms,
    command: &Command,
    cost: impl Fn(&OfferRef, Money) -> Option<u64>,
) -> Result<Reply, Unreachable> {
    match command {
        Command::Redeem(redeem) => redeem_both(rooms, redeem, cost).await,
        // What can be afforded is asked before; this asks for quotas.
        Command::Peek(_) => rooms.ledger(command).await,
        Command::Reverse(reverse) => reverse_both(rooms, reverse).await,
        Command::Fence { .. } => {
            let reply = rooms.ledger(command).await?;
            if let Reply::Standing(standing) = &reply {
                for member in standing.keys().filter_map(member_of).collect::<BTreeSet<_>>() {
                    ask(rooms, &member, command.clone()).await?;
                }
            }
            Ok(reply)
        }
        // Between the objects of a divided ledger, which this one is not.
        _ => rooms.ledger(command).await,
    }
}

async fn redeem_both(
    rooms: &impl Rooms,
    redeem: &Redeem,
    cost: impl Fn(&OfferRef, Money) -> Option<u64>,
) -> Result<Reply, Unreachable> {
    let Some(member) = redeem.asks.first().and_then(|ask| member_of(&ask.offer)) else {
        return rooms.ledger(&Command::Redeem(redeem.clone())).await;
    };
    if !redeem.counters.is_empty() {
        let reply = rooms.ledger(&Command::Peek(redeem.clone())).await?;
        if !all_open(redeem, &reply) {
            return Ok(reply);
        }
    }
    let in_points = |ask: &Ask| {
        let points = |give: &Give| cost(&ask.offer, give.amount).unwrap_or(u64::MAX);
        let give = |give: &Give| Give { amount: Money::new(points(give)), answer: String::new() };
        Ask { offer: ask.offer.clone(), give: ask.give.as_ref().map(give) }
    };
    let asks = redeem.asks.iter().map(in_points).collect();
    let points = Redeem { asks, counters: Vec::new(), ..redeem.clone() };
    let mut taken = ask(rooms, &member, Command::Redeem(points)).await?;
    if !all_applied(redeem, &taken) {
        if let Reply::Redeemed(redeemed) = &mut taken {
            for outcome in &mut redeemed.outcomes {
                if *outcome == Outcome::Refused(Refusal::BudgetExhausted) {
                    *outcome = Outcome::Refused(Refusal::NotEnoughPoints);
                }
            }
        }
        return Ok(taken);
    }
    let mut reply = rooms.ledger(&Command::Redeem(redeem.clone())).await?;
    if !all_applied(redeem, &reply) {
        // Somebody else had the last of a quota just now, or a reversal overtook this. What the ledger does
        // not have, the member has not paid for: not by this attempt, nor by an earlier one that was cut
        // off. The fence sees to it that none of those takes anything behind our back.
        let fence = Command::Fence { tab: redeem.tab.clone(), received: redeem.received };
        let Reply::Standing(standing) = rooms.ledger(&fence).await? else {
            return Err(Unreachable);
        };
        let asked = redeem.asks.iter().map(|ask| ask.offer.clone());
        let undo = Reverse {
            tab: redeem.tab.clone(),
            which: Which::Offers(asked.filter(|offer| !standing.contains_key(offer)).collect()),
            received: redeem.received,
        };
        ask(rooms, &member, Command::Reverse(undo)).await?;
        if let Reply::Redeemed(redeemed) = &mut reply {
            redeemed.refuse_all(redeem);
        }
    }
    Ok(reply)
}

/// Whether a peek found room for every offer that gives something.
fn all_open(redeem: &Redeem, reply: &Reply) -> bool {
    let fine = |outcome: &Outcome| matches!(outcome, Outcome::Applied { .. } | Outcome::Open);
    matches!(reply, Reply::Redeemed(redeemed) if redeemed.room.is_none() && all(redeem, redeemed, fine))
}

/// Whether every offer that gives something was taken.
fn all_applied(redeem: &Redeem, reply: &Reply) -> bool {
    let fine = |outcome: &Outcome| matches!(outcome, Outcome::Applied { .. });
    matches!(reply, Reply::Redeemed(redeemed) if all(redeem, redeemed, fine))
}

fn all(redeem: &Redeem, redeemed: &Redeemed, fine: impl Fn(&Outcome) -> bool) -> bool {
    let outcomes = redeem.asks.iter().zip(&redeemed.outcomes);
    outcomes.filter(|(ask, _)| ask.give.is_some()).all(|(_, outcome)| fine(outcome))
}

impl Redeemed {
    /// What is not refused already is refused for now.
    fn refuse_all(&mut self, redeem: &Redeem) {
        self.room = None;
        for (ask, outcome) in redeem.asks.iter().zip(&mut self.outcomes) {
            if ask.give.is_some() && !matches!(outcome, Outcome::Refused(_)) {
                *outcome = Outcome::Refused(Refusal::Late);
            }
        }
    }
}

/// Reverses all of a tab's rewards, also those that a member paid for and the ledger never heard of: of
/// whoever it says redeemed here, and of `also`.
///
/// # Errors
/// When the ledger or a member cannot be reached.
pub async fn reverse_tab(
    rooms: &impl Rooms,
    reverse: &Reverse,
    also: &[MemberId],
) -> Result<Reversed, Unreachable> {
    let Reply::Reversed(mut reversed) = reverse_both(rooms, reverse).await? else {
        return Err(Unreachable);
    };
    for member in also {
        if let Reply::Reversed(more) = ask(rooms, member, Command::Reverse(reverse.clone())).await?
        {
            reversed.reversed.extend(more.reversed);
        }
    }
    Ok(reversed)
}

async fn reverse_both(rooms: &impl Rooms, reverse: &Reverse) -> Result<Reply, Unreachable> {
    // The members first: as long as the ledger has not heard, it says who they are.
    let members: BTreeSet<MemberId> = match &reverse.which {
        Which::Offers(offers) => offers.iter().filter_map(member_of).collect(),
        Which::Attempt(name) => {
            let member = name.rsplit_once(MEMBERS).map(|(_, member)| member);
            member.and_then(MemberId::parse).into_iter().collect()
        }
        Which::All => {
            let fence = Command::Fence { tab: reverse.tab.clone(), received: reverse.received };
            let Reply::Standing(standing) = rooms.ledger(&fence).await? else {
                return Err(Unreachable);
            };
            standing.keys().filter_map(member_of).collect()
        }
    };
    let mut given_back = Vec::new();
    for member in &members {
        match ask(rooms, member, Command::Reverse(reverse.clone())).await? {
            Reply::Reversed(reversed) => given_back.extend(reversed.reversed),
            _ => return Err(Unreachable),
        }
    }
    let Reply::Reversed(mut reversed) = rooms.ledger(&Command::Reverse(reverse.clone())).await?
    else {
        return Err(Unreachable);
    };
    // The ledger may have heard before, when the member was silent.
    for given in given_back {
        if reversed.reversed.iter().all(|known| known.offer != given.offer) {
            reversed.unchanged.retain(|offer| *offer != given.offer);
            reversed.reversed.push(given);
        }
    }
    Ok(Reply::Reversed(reversed))
}

/// Asks a member as the rewards' ledger. Somebody who is erased has nothing to take and nothing to give
/// back.
async fn ask(
    rooms: &impl Rooms,
    member: &MemberId,
    command: Command,
) -> Result<Reply, Unreachable> {
    let refused = match &command {
        Command::Redeem(redeem) | Command::Peek(redeem) => {
            let refuse = |ask: &Ask| match ask.give {
                Some(_) => Outcome::Refused(Refusal::NotEnoughPoints),
                None => Outcome::Absent,
            };
            let outcomes = redeem.asks.iter().map(refuse).collect();
            Reply::Redeemed(Redeemed {
                outcomes,
                room: None,
                standing: BTreeMap::new(),
                needs: Vec::new(),
            })
        }
        Command::Reverse(_) => Reply::Reversed(Reversed::default()),
        _ => Reply::Standing(BTreeMap::new()),
    };
    match ask_member(rooms, member, member::Command::Ledger(command)).await?.1 {
        member::Reply::Ledger(reply) => Ok(reply),
        member::Reply::Nobody | member::Reply::Erased => Ok(refused),
        _ => Err(Unreachable),
    }
}
