//! What a till or an operator sees of a member.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::books::{Account, Books, Posting};
use super::{Profile, Reply, tier};
use crate::identity::{Kind, MemberNumber};
use crate::loyalty::Terms;
use crate::time::{Date, Instant};

/// A member as he is today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// His loyalty number.
    pub number: MemberNumber,
    /// Since when he is a member.
    pub since: Option<Instant>,
    /// Whether he agreed to be written to, if he was asked.
    pub opt_in: Option<bool>,
    /// What kinds of identity he is found by.
    pub identities: Vec<Kind>,
    /// His points.
    pub balance: Balance,
    /// The tier he holds.
    pub tier: Option<String>,
    /// What every account holds; their sum is zero.
    pub accounts: BTreeMap<Account, i64>,
    /// Which of his points expire, and on which days.
    pub expiring: BTreeMap<Date, i64>,
    /// His latest postings, the newest first.
    pub history: Vec<Posting>,
}

/// Points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// All of them; below zero when more was taken back than was there.
    pub total: i64,
    /// Those that can be spent.
    pub available: i64,
    /// Those that cannot be spent yet.
    pub pending: i64,
}

impl View {
    /// What is seen, if he is a member.
    pub(super) fn reply(
        profile: &Profile,
        books: &Books,
        terms: &Terms,
        postings: &[&Posting],
        history: u32,
    ) -> Reply {
        let Some(number) = profile.number.clone() else { return Reply::Nobody };
        let all = [
            Account::Issued,
            Account::Pending,
            Account::Available,
            Account::Spent,
            Account::Expired,
        ];
        let (available, pending) = (books.held(Account::Available), books.held(Account::Pending));
        let mut expiring: BTreeMap<Date, i64> = BTreeMap::new();
        for (number, lot) in books.lots() {
            let held = books
                .in_lot(Account::Available, number)
                .saturating_add(books.in_lot(Account::Pending, number));
            if let (Some(day), true) = (lot.expires, held > 0) {
                let sum = expiring.entry(day).or_default();
                *sum = sum.saturating_add(held);
            }
        }
        let mut identities: Vec<Kind> = profile.identities.iter().map(|(kind, _)| *kind).collect();
        identities.sort();
        let most = usize::try_from(history).unwrap_or(usize::MAX);
        Reply::View(Box::new(Self {
            number,
            since: profile.since,
            opt_in: profile.opt_in,
            identities,
            balance: Balance { total: available.saturating_add(pending), available, pending },
            tier: tier(books, &terms.tiers, terms.today).map(|tier| tier.id.clone()),
            accounts: all.into_iter().map(|account| (account, books.held(account))).collect(),
            expiring,
            history: postings.iter().rev().take(most).map(|posting| (*posting).clone()).collect(),
        }))
    }
}
