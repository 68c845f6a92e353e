//! Which units a discount is on.

use super::*;

#[test]
fn both_limits_are_so_many_of_each_line_until_so_many_in_all() {
    let discount = json!({"amount_each": 10, "max_units": 5, "max_units_per_line": 2});
    assert_eq!(shares(discount, &cart(&[(1, 100), (3, 100), (9, 100)])), [10, 20, 20]);
}

#[test]
fn the_first_units_count_whether_or_not_anything_is_left_of_them() {
    let offers = json!([
        offer("free", json!({"percent": "100", "max_units": 1})),
        offer("off", json!({"amount_each": 30, "max_units": 2})),
    ]);
    let reply = reply(&[campaign(offers)], &cart(&[(3, 100)]));
    assert_eq!(reply["discount"], 130);
}

#[test]
fn a_set_of_bought_and_got_units_leaves_its_pattern_in_the_line() {
    // Bought, bought, got: the third unit is free, and the first three have only two prices left.
    let buy = json!({"buy": {"items": {}, "quantity": 2}, "get": {"items": {}, "quantity": 1, "percent": "100"}});
    let offers = json!([offer("b", buy), offer("o", json!({"amount_each": 10, "max_units": 3}))]);
    assert_eq!(reply(&[campaign(offers)], &cart(&[(6, 100)]))["discount"], 220);
}

#[test]
fn a_billion_units_are_as_quick_as_one() {
    let billion = 1_000_000_000_u64;
    let cart = cart(&[(billion, billion), (billion, 7)]);
    let free = |buy: u64, get: u64| {
        json!({"buy": {"items": {"sku": ["B"]}, "quantity": buy},
            "get": {"items": {"sku": ["B"]}, "quantity": get, "percent": "100"}})
    };
    for (discount, expected) in [
        (json!({"percent": "100"}), [billion * billion, billion * 7]),
        (json!({"amount_each": 3, "max_units": billion + 1}), [billion * 3, 3]),
        (json!({"unit_price": 5}), [billion * (billion - 5), billion * 2]),
        (json!({"dearest": billion - 1, "unit_price": 0}), [(billion - 1) * billion, 0]),
        (json!({"cheapest": 1, "amount_each": 9}), [0, 7]),
        (free(1, 1), [0, billion / 2 * 7]),
        (free(2, 1), [0, billion / 3 * 7]),
        (
            json!({"bundle": [{"items": {"sku": ["A"]}, "quantity": 1},
            {"items": {"sku": ["B"]}, "quantity": 1}], "price": billion}),
            [billion * 7, 0],
        ),
        (
            json!({"bundle": [{"items": {"sku": ["B"]}, "quantity": 3}], "price": 20}),
            [0, billion / 3],
        ),
    ] {
        assert_eq!(shares(discount.clone(), &cart), expected, "{discount}");
    }
}
