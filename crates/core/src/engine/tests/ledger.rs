//! What the ledger allows an offer.

use super::*;

struct Till {
    campaign: Campaign,
    cart: Cart,
    context: Context,
}

impl Till {
    fn new(offers: Value, cart: &Value) -> Self {
        let json = campaign(offers).to_string();
        Self {
            campaign: Campaign::from_json(json.as_bytes()).unwrap(),
            cart: Cart::from_json(cart.to_string().as_bytes()).unwrap(),
            context: Context {
                at: Instant::parse("2026-07-04T17:30:00-05:00").unwrap(),
                location: LocationFacts::default(),
                default_zone: Zone::utc(),
            },
        }
    }

    fn decide<'a>(&'a self, allowances: &'a [Allowance], at_most: Option<u64>) -> Decision<'a> {
        let asked =
            Asked { campaign: &self.campaign, allowances, at_most: at_most.map(Money::new) };
        decide(&[asked], &self.cart, &self.context, Standing::nothing()).unwrap()
    }
}

fn given(decision: &Decision<'_>) -> Vec<(usize, u64)> {
    decision.applied.iter().map(|it| (it.offer, it.discount.minor())).collect()
}

fn reasons(decision: &Decision<'_>) -> Vec<(Option<usize>, Reason)> {
    decision.rejected.iter().map(|it| (it.offer, it.reason)).collect()
}

fn two() -> Till {
    let offers = json!([offer("a", json!({"percent": "10"})), offer("b", json!({"amount": 50}))]);
    Till::new(offers, &cart(&[(1, 1000), (1, 500)]))
}

#[test]
fn a_partial_budget_is_itself_spread_over_the_lines() {
    let decision = two().decide(&[Allowance::AtMost(Money::new(100))], None).applied;
    let first = decision.first().unwrap();
    assert_eq!(first.lines, [(0, Money::new(67)), (1, Money::new(33))]);
}

#[test]
fn a_campaigns_budget_is_given_to_its_offers_in_turn() {
    assert_eq!(given(&two().decide(&[], Some(170))), [(0, 150), (1, 20)]);
    let till = two();
    let decision = till.decide(&[], Some(150));
    assert_eq!(given(&decision), [(0, 150)]);
    assert_eq!(reasons(&decision), [(Some(1), Reason::BudgetExhausted)]);
}

#[test]
fn an_offer_that_the_ledger_refuses_takes_no_part_in_any_choice() {
    let mut offers = json!([
        offer("a", json!({"amount": 500})),
        offer("b", json!({"amount": 50})),
        offer("c", json!({"amount": 5})),
    ]);
    offers[0]["stacking"] = "exclusive".into();
    offers[1]["group"] = "g".into();
    offers[2]["group"] = "g".into();
    let till = Till::new(offers, &cart(&[(1, 1000)]));
    let refused = Allowance::Refused(Reason::QuotaExhausted);
    let refusals = [refused];
    let decision = till.decide(&refusals, None);
    assert_eq!(given(&decision), [(1, 50)]);
    let expected = [(Some(0), Reason::QuotaExhausted), (Some(2), Reason::Outbid)];
    assert_eq!(reasons(&decision), expected);
    assert_eq!(given(&till.decide(&[refused, refused], None)), [(2, 5)]);
}

#[test]
fn what_was_not_asked_for_neither_applies_nor_is_rejected() {
    let till = two();
    let decision = till.decide(&[Allowance::NotAsked], None);
    assert_eq!(given(&decision), [(1, 50)]);
    assert!(decision.rejected.is_empty());
}

#[test]
fn a_choice_is_made_by_what_the_budget_lets_an_offer_give() {
    let mut offers = json!([offer("a", json!({"amount": 500})), offer("b", json!({"amount": 50}))]);
    offers[0]["group"] = "g".into();
    offers[1]["group"] = "g".into();
    let till = Till::new(offers, &cart(&[(1, 1000)]));
    assert_eq!(given(&till.decide(&[Allowance::AtMost(Money::new(20))], None)), [(1, 50)]);
    assert_eq!(given(&till.decide(&[Allowance::AtMost(Money::new(60))], None)), [(0, 60)]);
}
