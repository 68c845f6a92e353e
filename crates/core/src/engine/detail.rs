//! Why something does not apply, in words for staff. What the words need is kept, and put into words
//! only when somebody reads them: most decisions are read by a till.

use std::fmt;

use super::reason::Reason;
use crate::{
    campaign::condition::{CustomerFacts, Days, Hours, Range},
    money::Currency,
    time::{Date, Instant, TimeOfDay, Weekday},
};

/// What the matching lines lack: what there is, and what there should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Quantity(u64, u64),
    Amount(u64, u64),
    Different(u64, u64),
}

/// What is not so, or not known, of the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Identity,
    Tag,
    Tier,
    FirstOrder,
    Orders,
}

/// Why something does not apply, in words for staff; show it to have them.
#[derive(Clone, Debug)]
pub struct Detail<'a>(pub(super) Cause<'a>);

/// What there is to say about a rejection.
#[derive(Clone, Debug)]
pub(super) enum Cause<'a> {
    Inactive,
    NotStarted(Instant),
    Ended(Instant),
    Currency { campaign: Currency, cart: Currency },
    DoesNotCombine { with: &'a str },
    Hours { ranges: &'a [Hours], now: TimeOfDay },
    Days { days: Days, today: Weekday },
    Dates { ranges: &'a [(Date, Date)], today: Date },
    Location { ids: &'a [String], here: Option<&'a str> },
    LocationTag { tags: &'a [String], here: &'a [String] },
    Channel { channels: &'a [String], here: Option<&'a str> },
    Customer { facts: &'a CustomerFacts, what: Unknown },
    Subtotal { range: Range, is: u64, currency: Currency },
    Items { missing: Missing, currency: Currency },
    NothingToMeet,
    SeveralCauses,
    HoldsButShouldNot,
    Excluded { by: &'a str },
    AloneBeside { by: &'a str },
    GroupStands { by: &'a str },
    Outbid { by: &'a str, own: u64, best: u64, currency: Currency },
    WorthNothing,
    Ledger(Reason),
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("the campaign is switched off"),
            Self::NotStarted(at) => write!(f, "starts at {at}"),
            Self::Ended(at) => write!(f, "ended at {at}"),
            Self::Currency { campaign, cart } => {
                write!(f, "the campaign is in {campaign}, the cart in {cart}")
            }
            Self::DoesNotCombine { with } => write!(f, "does not combine with {with}"),
            Self::Hours { ranges, now } => {
                let ranges =
                    list(ranges.iter(), |f, range| write!(f, "{}–{}", range.start, range.end));
                write!(f, "open {ranges}, local time is {now}")
            }
            Self::Days { days, today } => {
                let days = list(days.iter(), |f, day| f.write_str(day.as_str()));
                write!(f, "open on {days}, the business day is {}", today.as_str())
            }
            Self::Dates { ranges, today } => {
                let ranges = list(ranges.iter(), |f, (first, last)| write!(f, "{first}–{last}"));
                write!(f, "open on {ranges}, the business date is {today}")
            }
            Self::Location { ids, here } => {
                let here = here.unwrap_or("not known");
                write!(f, "only at {}, the location is {here}", words(ids))
            }
            Self::LocationTag { tags, here } => {
                let (tags, here) = (words(tags), words(here));
                write!(f, "only at locations tagged {tags}, this one is tagged {here}")
            }
            Self::Channel { channels, here } => {
                let here = here.unwrap_or("not known");
                write!(f, "only on {}, the channel is {here}", words(channels))
            }
            Self::Customer { facts, what } => customer(f, facts, *what),
            Self::Subtotal { range, is, currency } => {
                write!(f, "the subtotal is {}, and should be ", Amount(*is, *currency))?;
                match (range.min, range.max) {
                    (min, u64::MAX) => write!(f, "at least {}", Amount(min, *currency)),
                    (0, max) => write!(f, "at most {}", Amount(max, *currency)),
                    (min, max) => {
                        let (min, max) = (Amount(min, *currency), Amount(max, *currency));
                        write!(f, "from {min} to {max}")
                    }
                }
            }
            Self::Items { missing, currency } => match missing {
                Missing::Quantity(is, needed) => {
                    write!(f, "{needed} matching units are needed, and {is} are there")
                }
                Missing::Amount(is, needed) => {
                    let (is, needed) = (Amount(*is, *currency), Amount(*needed, *currency));
                    write!(f, "matching units for {needed} are needed, and {is} are there")
                }
                Missing::Different(is, needed) => {
                    write!(f, "{needed} different matching skus are needed, and {is} are there")
                }
            },
            Self::NothingToMeet => f.write_str("the condition is \"any\" of nothing"),
            Self::SeveralCauses => f.write_str("several parts of the condition fail"),
            Self::HoldsButShouldNot => f.write_str("what must not be so is so"),
            Self::Ledger(reason) => f.write_str(match reason {
                Reason::QuotaExhausted => "the quota is used up",
                Reason::BudgetExhausted => "the budget is spent",
                Reason::CustomerUnknown => "counts customers, and this one is not known",
                Reason::InsufficientPoints => "costs more points than there are",
                Reason::AlreadyReversed => "was reversed already",
                Reason::TemporarilyUnavailable => "the ledger could not be asked in time",
                _ => "the ledger refuses it",
            }),
            choice => choice.choice(f),
        }
    }
}

impl Cause<'_> {
    /// Why an offer was not chosen.
    fn choice(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded { by } => write!(f, "{by} applies alone"),
            Self::AloneBeside { by } => {
                write!(f, "it applies alone, and {by} stands on the tab already")
            }
            Self::GroupStands { by } => {
                write!(f, "{by} of the same group stands on the tab already")
            }
            Self::Outbid { by, own, best, currency } => {
                let (own, best) = (Amount(*own, *currency), Amount(*best, *currency));
                write!(f, "{by} of the same group gives {best}, this one {own}")
            }
            _ => f.write_str("nothing of this cart is reduced by it"),
        }
    }
}

fn customer(f: &mut fmt::Formatter<'_>, facts: &CustomerFacts, what: Unknown) -> fmt::Result {
    match what {
        Unknown::Identity if facts.known == Some(false) => {
            f.write_str("only for a customer who is not known")
        }
        Unknown::Identity => f.write_str("only for a known customer"),
        Unknown::Tag => {
            let tags = facts.tag.as_deref().unwrap_or_default();
            write!(f, "only for known customers tagged {}", words(tags))
        }
        Unknown::Tier => {
            let tiers = facts.tier.as_deref().unwrap_or_default();
            write!(f, "only for known customers of tier {}", words(tiers))
        }
        Unknown::FirstOrder if facts.first_order == Some(true) => {
            f.write_str("only for a known customer's first order")
        }
        Unknown::FirstOrder => f.write_str("only for known customers who ordered before"),
        Unknown::Orders => {
            f.write_str("only for known customers with another number of earlier orders")
        }
    }
}

/// An amount with its currency, in major units.
struct Amount(u64, Currency);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(minor, currency) = self;
        let exponent = currency.exponent();
        let major = 10_u64.saturating_pow(exponent).max(1);
        let whole = minor.checked_div(major).unwrap_or_default();
        if exponent == 0 {
            return write!(f, "{whole} {currency}");
        }
        let fraction = minor.checked_rem(major).unwrap_or_default();
        let width = usize::try_from(exponent).unwrap_or_default();
        write!(f, "{whole}.{fraction:0width$} {currency}")
    }
}

/// A list in words.
fn list<T, I: Iterator<Item = T> + Clone>(
    items: I,
    show: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> impl fmt::Display {
    List(items, show)
}

fn words(words: &[String]) -> impl fmt::Display {
    list(words.iter(), |f, word| f.write_str(word))
}

struct List<I, F>(I, F);

impl<T, I: Iterator<Item = T> + Clone, F> fmt::Display for List<I, F>
where
    F: Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for item in self.0.clone() {
            f.write_str(separator)?;
            (self.1)(f, item)?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("nothing")?;
        }
        Ok(())
    }
}
