//! What a member has of closed tabs.

use serde::{Deserialize, Serialize};

use super::books::{About, Account, Books, Lot, Turn, Why};
use super::{Changes, Profile, Store, tier};
use crate::ledger::{TabKey, campaign};
use crate::loyalty::MemberId;
use crate::loyalty::terms::Multiplier;
use crate::loyalty::visit::{Closing, Ruling};

/// No tab earns more: sums stay exact wherever they travel.
const MOST_POINTS: u64 = 1_000_000_000_000;

/// What a member has of one tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabNote {
    /// What the visit said last.
    #[serde(default)]
    pub heard: Ruling,
    /// The lot of what it earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<u32>,
    /// By what its points are multiplied: the tier's that was held before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<Multiplier>,
    /// What was redeemed on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<campaign::TabRecord>,
}

/// What is to stand of a tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// The tab.
    pub tab: TabKey,
    /// What its visit says.
    pub ruling: Ruling,
}

/// Whose books these are: who he is, and whom he has taken in.
pub(super) struct Whose<'a> {
    pub me: &'a MemberId,
    pub profile: &'a Profile,
}

impl Whose<'_> {
    /// What counts of a tab for this member: nothing, when it is another's.
    fn counts<'r>(&self, ruling: &'r Ruling) -> Option<&'r Closing> {
        let owner = ruling.owner.as_ref()?;
        let ours = owner == self.me || self.profile.absorbed.contains(owner);
        ruling.closing.as_ref().filter(|_| ours)
    }
}

pub(super) fn accrue<S: Store>(
    store: &S,
    whose: &Whose<'_>,
    accruals: &[Accrual],
    books: &mut Books,
    turn: &mut Turn<'_>,
    changes: &mut Changes,
) -> Result<(), S::Error> {
    let mut accruals: Vec<&Accrual> = accruals.iter().collect();
    // In the order of the visits, because a tab earns at the tier held before it.
    accruals.sort_by_key(|accrual| {
        accrual.ruling.closing.as_ref().map(|closing| (closing.on, closing.received))
    });
    for Accrual { tab, ruling } in accruals {
        let mut note = store.tab(tab)?.unwrap_or_default();
        if ruling.revision <= note.heard.revision {
            continue;
        }
        note.heard = ruling.clone();
        stand(&mut note, tab, whose, books, turn);
        changes.tabs.push((tab.clone(), note));
    }
    Ok(())
}

/// Brings the books to what was heard of a tab.
pub(super) fn stand(
    note: &mut TabNote,
    tab: &TabKey,
    whose: &Whose<'_>,
    books: &mut Books,
    turn: &mut Turn<'_>,
) {
    let about = About { tab: Some(tab.clone()), ..About::default() };
    let before = note.lot.map_or(0, |lot| issued(books, lot));
    let closing = whose.counts(&note.heard);
    let mut points = 0;
    if let Some(closing) = closing {
        let held = || tier(books, &turn.terms.tiers, closing.on);
        let multiplier = note
            .multiplier
            .unwrap_or_else(|| held().map_or(Multiplier::ONE, |tier| tier.multiplier));
        note.multiplier = Some(multiplier);
        points = multiplier.of(closing.points).min(MOST_POINTS);
    }
    let more = i64::try_from(points).unwrap_or(i64::MAX).saturating_sub(before);
    match (note.lot, closing) {
        (Some(lot), _) if more > 0 => books.issue_more(turn, more, lot, &about),
        (Some(lot), _) => take_back(books, turn, more.saturating_neg(), lot, &about),
        (None, Some(closing)) if points > 0 => {
            let lot = Lot {
                earned: closing.on,
                matures: closing.on.plus_days(turn.terms.pending_days.into()),
                expires: turn.terms.expire.of(closing.on),
                by_tab: true,
            };
            note.lot = Some(books.issue(turn, Why::Earned, points, lot, &about));
        }
        (None, _) => {}
    }
}

/// Takes back all that a lot was issued.
pub(super) fn undo(lot: u32, tab: &TabKey, books: &mut Books, turn: &mut Turn<'_>) {
    let about = About { tab: Some(tab.clone()), ..About::default() };
    take_back(books, turn, issued(books, lot), lot, &about);
}

fn take_back(books: &mut Books, turn: &mut Turn<'_>, points: i64, lot: u32, about: &About) {
    books.take_back(turn, Why::Corrected, points, lot, about);
}

fn issued(books: &Books, lot: u32) -> i64 {
    books.in_lot(Account::Issued, lot).saturating_neg()
}
