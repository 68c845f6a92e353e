//! What cuts a discount.

use super::*;

#[test]
fn a_subtotal_cuts_the_lines_part_and_the_fees_shares_stay() {
    let mut cart = cart(&[(1, 1000), (1, 500)]);
    cart["subtotal"] = 300.into();
    cart["fees"] = json!([{"id": "d", "kind": "delivery", "amount": 400}]);
    let on = json!({"any_of": ["tab", {"fees": ["delivery"]}]});
    let reply = reply(&[campaign(json!([offer("o", json!({"percent": "50", "on": on}))]))], &cart);
    assert_eq!(
        reply["offers"][0]["lines"],
        json!([
        {"id": "1", "discount": 200}, {"id": "2", "discount": 100}])
    );
    assert_eq!(reply["offers"][0]["fees"], json!([{"id": "d", "discount": 200}]));
}

#[test]
fn a_bundle_that_the_subtotal_cuts_is_spread_over_the_units_of_the_sets_that_save() {
    let mut cart = cart(&[(2, 1000), (2, 500)]);
    cart["subtotal"] = 90.into();
    let bundle = json!({"bundle": [{"items": {}, "quantity": 2}], "price": 1500});
    assert_eq!(shares(bundle, &cart), [90, 0]);
}

#[test]
fn a_maximum_leaves_a_floor_alone() {
    let mut cart = cart(&[(2, 1000), (1, 1000)]);
    cart["lines"][0]["min_unit_price"] = 990.into();
    assert_eq!(shares(json!({"percent": "10", "max": 100}), &cart), [20, 80]);
}
