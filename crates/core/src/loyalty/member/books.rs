//! A member's books: postings between accounts, each from one and to one, so that their sum is zero
//! whatever happens. A balance is the sum of the postings, never a field.
//!
//! Points lie in *lots*, one for each tab or other source, because each has its own days of maturing and
//! expiring. Lot 0 is what the member owes: points taken back when they were spent already. As long as
//! something is owed, whatever becomes available pays it first.
//!
//! Under `"negative": "clip"` what cannot be taken back is *let off*: the programme has issued it ([`LET_OFF`]),
//! and the balance stays at zero. It is not forgotten: points that come back later, from a reversed redemption or
//! a tab whose sum rises again, pay it first; points earned anew do not. So the order of reversals does not matter:
//! what is available less what was let off is what was earned less what was spent.

use std::collections::BTreeMap;

pub use super::posting::{Account, LET_OFF, Lot, OWED, Place, Posting, Why};
use crate::ident::OfferRef;
use crate::ledger::TabKey;
use crate::loyalty::Terms;
use crate::time::{Date, Instant};

/// A member's postings, summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    sums: BTreeMap<Place, i64>,
    lots: BTreeMap<u32, Lot>,
    last: u64,
}

/// What all postings of one turn have in common.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// Now.
    pub at: Instant,
    /// The programme's terms.
    pub terms: &'a Terms,
    /// What was posted so far.
    pub posted: Vec<Posting>,
}

/// What a posting is about.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// A tab.
    pub tab: Option<TabKey>,
    /// A redemption.
    pub redemption: Option<(OfferRef, u32)>,
    /// An operator's reason.
    pub reason: Option<String>,
}

const fn place(account: Account, lot: u32) -> Place {
    Place { account, lot }
}

impl Books {
    /// The books that some postings make.
    #[must_use]
    pub fn of<'p>(postings: impl IntoIterator<Item = &'p Posting>) -> Self {
        let mut books = Self::default();
        postings.into_iter().for_each(|posting| books.add(posting));
        books
    }

    /// Adds a posting that is written already, or will be.
    pub fn add(&mut self, posting: &Posting) {
        let points = i64::try_from(posting.points).unwrap_or(i64::MAX);
        let from = self.sums.entry(posting.from).or_default();
        *from = from.saturating_sub(points);
        let to = self.sums.entry(posting.to).or_default();
        *to = to.saturating_add(points);
        if let Some(lot) = &posting.opens {
            self.lots.insert(posting.to.lot.max(posting.from.lot), lot.clone());
        }
        self.last = self.last.max(posting.number);
    }

    /// What an account holds over all lots.
    #[must_use]
    pub fn held(&self, account: Account) -> i64 {
        let of = self.sums.iter().filter(|(place, _)| place.account == account);
        of.fold(0, |sum, (_, points)| sum.saturating_add(*points))
    }

    /// What an account holds of one lot.
    #[must_use]
    pub fn in_lot(&self, account: Account, lot: u32) -> i64 {
        self.sums.get(&place(account, lot)).copied().unwrap_or(0)
    }

    /// What was let off and not paid since.
    #[must_use]
    pub fn let_off(&self) -> i64 {
        self.in_lot(Account::Issued, LET_OFF).saturating_neg()
    }

    /// The number of the last posting.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The lots, in the order they were opened.
    pub fn lots(&self) -> impl Iterator<Item = (u32, &Lot)> {
        self.lots.iter().map(|(number, lot)| (*number, lot))
    }

    /// How many points tabs earned on the days that `counts`.
    #[must_use]
    pub fn earned(&self, counts: impl Fn(Date) -> bool) -> i64 {
        let lots = self.lots.iter().filter(|(_, lot)| lot.by_tab && counts(lot.earned));
        lots.fold(0, |sum, (number, _)| sum.saturating_sub(self.in_lot(Account::Issued, *number)))
    }

    /// Posts a movement; none of no points.
    fn post(
        &mut self,
        turn: &mut Turn<'_>,
        (why, on): (Why, Date),
        points: i64,
        (from, to): (Place, Place),
        (opens, about): (Option<Lot>, &About),
    ) {
        let Ok(points) = u64::try_from(points) else { return };
        if points == 0 {
            return;
        }
        let posting = Posting {
            number: self.last.saturating_add(1),
            at: turn.at,
            on,
            why,
            points,
            from,
            to,
            opens,
            tab: about.tab.clone(),
            redemption: about.redemption.clone(),
            reason: about.reason.clone(),
        };
        self.add(&posting);
        turn.posted.push(posting);
    }

    /// Does what the days that have passed ask for: points mature, pay what is owed, and expire, day by
    /// day.
    pub fn catch_up(&mut self, turn: &mut Turn<'_>) {
        let today = turn.terms.today;
        loop {
            self.settle(turn);
            // What is due first; of one day's, points mature before they expire.
            let due = self.lots.iter().filter_map(|(number, lot)| {
                let held = |account| self.in_lot(account, *number) > 0;
                let pending = held(Account::Pending);
                let matures = (pending && lot.matures <= today).then_some((
                    lot.matures,
                    Why::Matured,
                    Account::Pending,
                    *number,
                ));
                let over = lot.expires.filter(|expires| *expires <= today);
                let lapses = over.and_then(|on| {
                    let account = if held(Account::Available) {
                        Account::Available
                    } else if pending {
                        Account::Pending
                    } else {
                        return None;
                    };
                    Some((on, Why::Lapsed, account, *number))
                });
                matures.into_iter().chain(lapses).min()
            });
            let Some((on, why, account, lot)) = due.min() else { return };
            let to = if why == Why::Matured { Account::Available } else { Account::Expired };
            let points = self.in_lot(account, lot);
            let way = (place(account, lot), place(to, lot));
            self.post(turn, (why, on), points, way, (None, &About::default()));
        }
    }

    /// What is owed is paid from what is available.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        let owed = self.in_lot(Account::Available, OWED).saturating_neg();
        if owed > 0 {
            let to = place(Account::Available, OWED);
            let when = (Why::Settled, turn.terms.today);
            self.take(turn, when, owed, to, &About::default());
        }
    }

    /// The lots that hold available points, those that expire first first.
    fn spendable(&self) -> Vec<(u32, i64)> {
        let mut lots: Vec<_> = self
            .lots
            .iter()
            .map(|(number, lot)| (lot, *number, self.in_lot(Account::Available, *number)))
            .filter(|(_, _, points)| *points > 0)
            .collect();
        lots.sort_by_key(|(lot, number, _)| (lot.expires.is_none(), lot.expires, *number));
        lots.into_iter().map(|(_, number, points)| (number, points)).collect()
    }

    /// Moves available points elsewhere, those that expire first first; returns how many are missing.
    /// They keep their lot, unless `to` is about what is owed or a certain lot's issue.
    fn take(
        &mut self,
        turn: &mut Turn<'_>,
        when: (Why, Date),
        points: i64,
        to: Place,
        about: &About,
    ) -> i64 {
        let mut missing = points;
        for (lot, there) in self.spendable() {
            let part = missing.min(there);
            let to = if to.account == Account::Spent { place(to.account, lot) } else { to };
            self.post(turn, when, part, (place(Account::Available, lot), to), (None, about));
            missing = missing.saturating_sub(part);
        }
        missing
    }

    /// Opens a lot with so many points; returns its number.
    pub fn issue(
        &mut self,
        turn: &mut Turn<'_>,
        why: Why,
        points: u64,
        lot: Lot,
        about: &About,
    ) -> u32 {
        let number = self.lots.keys().next_back().copied().unwrap_or(OWED).saturating_add(1);
        let on = lot.earned;
        let way = (place(Account::Issued, number), place(Account::Pending, number));
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        self.post(turn, (why, on), points, way, (Some(lot), about));
        self.catch_up(turn);
        number
    }

    /// Adds points to a lot that is there; what was let off is paid first.
    pub fn issue_more(&mut self, turn: &mut Turn<'_>, points: i64, lot: u32, about: &About) {
        let issued = place(Account::Issued, lot);
        let points = points.saturating_sub(self.pay_off(turn, points, issued, about));
        let when = (Why::Corrected, turn.terms.today);
        self.post(turn, when, points, (issued, place(Account::Pending, lot)), (None, about));
        self.catch_up(turn);
    }

    /// Pays what was let off from points that come back; returns how many that took.
    fn pay_off(&mut self, turn: &mut Turn<'_>, points: i64, from: Place, about: &About) -> i64 {
        let part = self.let_off().min(points).max(0);
        let when = (Why::Settled, turn.terms.today);
        self.post(turn, when, part, (from, place(Account::Issued, LET_OFF)), (None, about));
        part
    }

    /// Takes issued points back: those of the lot, then any others; what is spent already is owed, or let off if
    /// the terms say so.
    pub fn take_back(
        &mut self,
        turn: &mut Turn<'_>,
        why: Why,
        points: i64,
        lot: u32,
        about: &About,
    ) {
        let (issued, when) = (place(Account::Issued, lot), (why, turn.terms.today));
        let mut missing = points;
        for account in [Account::Pending, Account::Available] {
            let part = self.in_lot(account, lot).min(missing).max(0);
            self.post(turn, when, part, (place(account, lot), issued), (None, about));
            missing = missing.saturating_sub(part);
        }
        // What has expired is gone already: it is not taken twice.
        let lapsed = self.in_lot(Account::Expired, lot).min(missing).max(0);
        self.post(turn, when, lapsed, (place(Account::Expired, lot), issued), (None, about));
        missing = missing.saturating_sub(lapsed);
        missing = self.take(turn, when, missing, issued, about);
        let (why, from) = match turn.terms.owed {
            true => (why, place(Account::Available, OWED)),
            false => (Why::LetOff, place(Account::Issued, LET_OFF)),
        };
        self.post(turn, (why, turn.terms.today), missing, (from, issued), (None, about));
    }

    /// Spends points that are there.
    pub fn spend(&mut self, turn: &mut Turn<'_>, points: u64, about: &About) {
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        let when = (Why::Redeemed, turn.terms.today);
        self.take(turn, when, points, place(Account::Spent, OWED), about);
    }

    /// Returns what a redemption took to the lots it came from, after paying what was let off; what would be over
    /// in less than a day gets a lot of its own that is not.
    pub fn give_back(&mut self, turn: &mut Turn<'_>, took: &[(u32, i64)], about: &About) {
        let when = (Why::Returned, turn.terms.today);
        for (number, points) in took {
            let from = place(Account::Spent, *number);
            let Some(lot) = self.lots.get(number).cloned() else { continue };
            let points = points.saturating_sub(self.pay_off(turn, *points, from, about));
            if lot.expires.is_none_or(|expires| expires >= turn.terms.tomorrow) {
                let to = place(Account::Available, *number);
                self.post(turn, when, points, (from, to), (None, about));
                continue;
            }
            let fresh = self.lots.keys().next_back().copied().unwrap_or(OWED).saturating_add(1);
            let opens = Lot { expires: Some(turn.terms.tomorrow), by_tab: false, ..lot };
            let to = place(Account::Available, fresh);
            self.post(turn, when, points, (from, to), (Some(opens), about));
        }
        self.catch_up(turn);
    }

    /// Empties every account that a person could still use.
    pub fn close(&mut self, turn: &mut Turn<'_>) {
        let (when, about) = ((Why::Erased, turn.terms.today), About::default());
        let held: Vec<(Place, i64)> = self.sums.iter().map(|(place, n)| (*place, *n)).collect();
        for (from, points) in held {
            match from.account {
                Account::Pending | Account::Available if points > 0 => {
                    let to = place(Account::Expired, from.lot);
                    self.post(turn, when, points, (from, to), (None, &about));
                }
                // What is owed is let off.
                Account::Available => {
                    let issued = place(Account::Issued, from.lot);
                    self.post(turn, when, points.saturating_neg(), (issued, from), (None, &about));
                }
                _ => {}
            }
        }
    }

    /// Postings with the same totals, about nobody.
    pub fn totals(&self, turn: &mut Turn<'_>) -> Vec<Posting> {
        let mut fresh = Self::default();
        let (when, about) = ((Why::Erased, turn.terms.today), About::default());
        for account in [Account::Spent, Account::Expired] {
            let way = (place(Account::Issued, OWED), place(account, OWED));
            fresh.post(turn, when, self.held(account), way, (None, &about));
        }
        std::mem::take(&mut turn.posted)
    }
}
