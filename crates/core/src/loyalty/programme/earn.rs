//! What a closed tab earns.

use super::proportion;
use crate::campaign::Campaign;
use crate::campaign::condition::Condition;
use crate::campaign::discount::Target;
use crate::campaign::matcher::MatcherId;
use crate::cart::Cart;
use crate::engine::Context;
use crate::engine::look::Look;
use crate::money::Money;

/// One rule of earning.
#[derive(Clone, Debug)]
pub(super) struct Earn {
    /// How many points.
    pub points: u64,
    /// For what.
    pub basis: Basis,
    /// Only then.
    pub when: Option<Condition>,
}

/// For what points are earned.
#[derive(Clone, Debug)]
pub(super) enum Basis {
    /// For each full so much that was paid for these.
    Amount(u64, Target),
    /// For coming.
    Visit,
    /// For each unit of these.
    Item(MatcherId),
}

/// What all rules together earn.
pub(super) fn earned(
    rules: &[Earn],
    campaign: &Campaign,
    cart: &Cart,
    context: &Context,
    paid: Money,
) -> u64 {
    // A tab of nothing is no visit: it was voided.
    if cart.subtotal().is_zero() {
        return 0;
    }
    let look = Look::new(campaign, cart, context);
    let holds = |rule: &&Earn| rule.when.as_ref().is_none_or(|when| look.holds(when));
    let points = rules.iter().filter(holds).map(|rule| {
        let times = match &rule.basis {
            Basis::Amount(each, on) => {
                let amount = paid_for(&look, on, cart, paid);
                amount.checked_div(*each).unwrap_or(0)
            }
            Basis::Visit => 1,
            Basis::Item(items) => look.units(*items),
        };
        rule.points.saturating_mul(times)
    });
    points.fold(0, u64::saturating_add)
}

/// What was paid for a part of the tab: its share of what was paid for the whole.
fn paid_for(look: &Look<'_>, on: &Target, cart: &Cart, paid: Money) -> u64 {
    if on.tab {
        return paid.minor();
    }
    let whole = cart.lines_total().saturating_add(cart.fees_total()).minor();
    let part = look.amount(on);
    if paid.minor() >= whole { part } else { proportion(part, paid.minor(), whole) }
}
