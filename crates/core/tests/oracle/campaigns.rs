//! Which campaigns are considered, in which order, and which of a campaign's offers apply.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::allowed::Allowed;
use super::discount::apply_offer;
use super::eligible::{Asked, refusal};
use super::spread::Policy;
use super::tab::{Kind, Tab, Take, sum};
use super::time::Moment;
use super::{has, list};

//> Unicode NFKC, upper-cased, white space and hyphens removed
fn canonical(code: &str) -> String {
    code.nfkc()
        .collect::<String>()
        .to_uppercase()
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect()
}

/// The campaigns to consider, in their order.
pub fn in_order<'a>(request: &'a Value, rejected: &mut Vec<Value>) -> Vec<&'a Value> {
    let given = list(&request["campaigns"]);
    let Some(typed) = request["codes"].as_array() else {
        //> `codes` absent: every campaign given is considered […] (else as given)
        return given.iter().collect();
    };
    //> `[]`: nothing was typed […] several campaigns apply in the order their codes were typed
    let mut considered: Vec<&Value> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for code in typed {
        let code = canonical(code.as_str().unwrap());
        let reached: Vec<&Value> = given
            .iter()
            .filter(|campaign| {
                list(&campaign["codes"]["fixed"])
                    .iter()
                    .any(|fixed| canonical(fixed.as_str().unwrap()) == code)
            })
            .collect();
        if reached.is_empty() && !unknown.contains(&code) {
            unknown.push(code);
        }
        for campaign in reached {
            if !considered.contains(&campaign) {
                considered.push(campaign);
            }
        }
    }
    // What was typed for nothing is named, and so is a campaign that nothing was typed for.
    for code in unknown {
        rejected.push(json!({"code": code, "reason": "unknown_code"}));
    }
    for campaign in given.iter().filter(|campaign| !considered.contains(campaign)) {
        rejected.push(json!({"campaign": campaign["id"], "reason": "unknown_code"}));
    }
    considered
}

//> "none" (default) | "any" | ["other-campaign-id", …]: other codes on the same tab; both sides must agree
fn combine(one: &Value, other: &Value) -> bool {
    let agrees = |campaign: &Value, with: &Value| {
        campaign["combines_with"] == "any" || has(&campaign["combines_with"], &with["id"])
    };
    agrees(one, other) && agrees(other, one)
}

/// Applies one campaign to the tab as the earlier ones left it.
pub fn run<'a>(
    campaign: &'a Value,
    request: &Value,
    tab: &mut Tab,
    gave: &mut Vec<&'a Value>,
    applied: &mut Vec<Value>,
    rejected: &mut Vec<Value>,
) {
    let moment = Moment::of(campaign, request);
    if let Some(reason) = whole_campaign_refused(campaign, request, &moment, gave) {
        rejected.push(json!({"campaign": campaign["id"], "reason": reason}));
        return;
    }
    let policy = Policy::of(campaign);
    let allowed = Allowed::of(campaign, request);
    let mut rest = allowed.at_most();
    let mut gave_something = false;
    for offer in who_applies(campaign, request, &moment, tab, rejected) {
        //> a `subtotal` of "remaining" is tested in the offer's turn
        let asked = Asked { request, moment: &moment, tab };
        if let Some(reason) = refusal(offer, &asked) {
            rejected.push(refused(campaign, offer, &reason));
            continue;
        }
        let most = rest.min(allowed.at_most_for(offer));
        let takes = apply_offer(tab, offer, &policy, most);
        rest -= sum(&takes);
        //> An offer that is worth 0 on this cart is not applicable and consumes nothing.
        if sum(&takes) == 0 {
            rejected.push(refused(campaign, offer, worthless(most)));
            continue;
        }
        applied.push(reply(campaign, offer, tab, &takes, &policy));
        gave_something = true;
    }
    if gave_something {
        gave.push(campaign);
    }
}

fn refused(campaign: &Value, offer: &Value, reason: &str) -> Value {
    json!({"campaign": campaign["id"], "offer": offer["id"], "reason": reason})
}

/// Why an offer gives nothing that may give so much.
//> the ledger adds […] `budget_exhausted`
fn worthless(most: i64) -> &'static str {
    if most == 0 { "budget_exhausted" } else { "worth_nothing" }
}

fn whole_campaign_refused(
    campaign: &Value,
    request: &Value,
    moment: &Moment,
    gave: &[&Value],
) -> Option<&'static str> {
    //> optional, default true: the marketer's off switch
    if campaign["active"] == false {
        return Some("inactive");
    }
    if let Some(reason) = moment.outside_window(campaign) {
        return Some(reason);
    }
    //> A campaign in another currency than the cart's is rejected as `wrong_currency`.
    if campaign["currency"] != request["cart"]["currency"] {
        return Some("wrong_currency");
    }
    //> one that does not combine with an earlier one that gave a discount is rejected as `does_not_combine`
    if gave.iter().any(|earlier| !combine(campaign, earlier)) {
        return Some("does_not_combine");
    }
    None
}

/// The offers of a campaign that get their turn, in the order of their turns; the others are rejected.
fn who_applies<'a>(
    campaign: &'a Value,
    request: &Value,
    moment: &Moment,
    as_it_came: &Tab,
    rejected: &mut Vec<Value>,
) -> Vec<&'a Value> {
    let policy = Policy::of(campaign);
    //> worth is measured for each offer alone on the cart as it came
    let allowed = Allowed::of(campaign, request);
    let most = |offer: &Value| allowed.at_most().min(allowed.at_most_for(offer));
    let worth =
        |offer: &Value| sum(&apply_offer(&mut as_it_came.clone(), offer, &policy, most(offer)));
    //> and for the exclusive and group choice on the cart as it came
    let why_not = |offer: &Value| {
        let asked = Asked { request, moment, tab: as_it_came };
        refusal(offer, &asked)
    };

    //> higher is applied first; ties in document order
    let mut offers: Vec<&Value> = list(&campaign["offers"]).iter().collect();
    offers.sort_by_key(|offer| -offer["priority"].as_i64().unwrap_or(0)); // stable
    // Nobody asked for it: no answer. The ledger refuses it: it takes no part in any choice.
    offers.retain(|offer| !allowed.is_not_asked(offer));
    offers.retain(|offer| match allowed.refusal(offer) {
        Some(reason) => {
            rejected.push(refused(campaign, offer, &reason));
            false
        }
        None => true,
    });

    //> Exclusive first (one worth 0 on this cart excludes nothing)
    //> "exclusive": the highest-priority eligible exclusive offer applies alone
    let alone = offers.iter().copied().find(|offer| {
        offer["stacking"] == "exclusive" && why_not(offer).is_none() && worth(offer) > 0
    });

    let mut turns = Vec::new();
    for &offer in &offers {
        let exclusive = offer["stacking"] == "exclusive";
        let grouped = offer["group"].is_string();
        if alone == Some(offer) {
            turns.push(offer);
        } else if alone.is_some() || exclusive || grouped {
            if let Some(reason) = why_not(offer) {
                rejected.push(refused(campaign, offer, &reason));
            } else if worth(offer) == 0 && (alone.is_some() || exclusive) {
                rejected.push(refused(campaign, offer, worthless(most(offer))));
            } else if alone.is_some() {
                rejected.push(refused(campaign, offer, "excluded"));
            } else {
                //> then groups (worth is measured […]; equal: the one that would be applied first)
                //> of the offers in one group only the one worth most to the guest applies
                let rivals = offers
                    .iter()
                    .filter(|rival| rival["group"] == offer["group"] && why_not(rival).is_none());
                let best = rivals.clone().map(|rival| worth(rival)).max().unwrap();
                let first = rivals.clone().find(|rival| worth(rival) == best).unwrap();
                if *first == offer {
                    // Also when it is worth nothing alone: what it gives is seen in its turn.
                    turns.push(offer);
                } else if worth(offer) == 0 {
                    rejected.push(refused(campaign, offer, worthless(most(offer))));
                } else {
                    rejected.push(refused(campaign, offer, "outbid"));
                }
            }
        } else {
            // Its turn decides.
            turns.push(offer);
        }
    }
    turns
}

fn reply(campaign: &Value, offer: &Value, tab: &Tab, takes: &[Take], policy: &Policy) -> Value {
    //> `lines` and `fees` list only non-zero shares; a cart without lines gives none
    let (mut lines, mut fees) = (Vec::new(), Vec::new());
    for (index, thing) in tab.things.iter().enumerate() {
        let share: i64 =
            takes.iter().filter(|take| take.at.thing == index).map(|take| take.amount).sum();
        if share > 0 {
            let entry = json!({"id": thing.json["id"], "discount": share});
            match thing.kind {
                Kind::Line => lines.push(entry),
                Kind::Fee => fees.push(entry),
                Kind::Subtotal => {}
            }
        }
    }
    json!({
        "campaign": campaign["id"], "offer": offer["id"], "discount": sum(takes), "lines": lines, "fees": fees,
        //> The reply names the policy used for each campaign.
        "rounding": {"percent_basis": policy.percent_basis, "mode": policy.mode, "remainder": policy.remainder},
    })
}
