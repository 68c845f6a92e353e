//! What is sound but looks wrong.

use super::Programme;
use crate::fault::Fault;
use crate::loyalty::terms::Expire;
use crate::time::{Instant, Zone};

/// The warnings of a programme.
pub(super) fn of(programme: &Programme, now: Instant) -> Vec<Fault> {
    let mut warnings = Vec::new();
    let mut warn = |pointer: &str, detail: &str| {
        warnings.push(Fault { pointer: pointer.to_owned(), detail: detail.to_owned() });
    };
    if programme.earn.is_empty() {
        warn("/earn", "is empty: nobody earns anything");
    }
    if programme.rewards.is_empty() && programme.pay.is_none() {
        warn("/rewards", "is empty and there is no \"pay_with_points\": points buy nothing");
    }
    let today = programme.calendar(&Zone::utc()).business_date(now);
    if let Expire::At(date) = programme.expire
        && date <= today
    {
        warn("/expire/at", "is past: points expire as soon as they are earned");
    }
    if let Expire::AfterMonths(months) = programme.expire {
        let least = u64::from(months).saturating_mul(28);
        if u64::from(programme.pending_days) >= least {
            warn(
                "/pending_days",
                "is as long as points last: they expire before they can be spent",
            );
        }
    }
    for (index, tier) in programme.tiers.iter().enumerate() {
        let lower = programme.tiers.iter().filter(|other| other.from_points < tier.from_points);
        if lower.clone().any(|other| other.multiplier > tier.multiplier) {
            let pointer = format!("/tiers/{index}/multiplier");
            warn(&pointer, "is less than a lower tier's");
        }
    }
    let offers = programme.campaign.warnings(now).into_iter().map(|warning| {
        let pointer = match warning.pointer.strip_prefix("/offers/") {
            Some(rest) => match rest.split_once('/') {
                Some((index, rest)) => format!("/rewards/{index}/offer/{rest}"),
                None => format!("/rewards/{rest}/offer"),
            },
            None => "/rewards".to_owned(),
        };
        Fault { pointer, ..warning }
    });
    warnings.extend(offers);
    warnings
}
