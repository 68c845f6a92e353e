//! Carts: what loads, what is told of what does not, and that both ways in agree.

use serde_json::{Value, json};

use super::{Cart, CartDraft, CustomerDraft, FeeDraft, LineDraft};

fn load(json: &Value) -> Cart {
    Cart::from_json(json.to_string().as_bytes()).unwrap()
}

fn places(json: &Value) -> Vec<String> {
    let faults = Cart::from_json(json.to_string().as_bytes()).unwrap_err();
    faults.into_iter().map(|fault| fault.pointer).collect()
}

fn line() -> Value {
    json!({"id": "1", "quantity": 2, "unit_price": 500})
}

fn with_line(key: &str, value: Value) -> Value {
    let mut line = line();
    line[key] = value;
    json!({"currency": "USD", "lines": [line]})
}

#[test]
fn a_cart_has_what_was_put_in() {
    let cart = load(
        &json!({"tab_id": "t", "location_id": "1019", "currency": "USD", "channel": "qr",
        "lines": [{"id": "1", "sku": "BURGER", "name": "B\u{fc}rger \"XL\"", "category": ["food", "hot"],
            "tag": [], "quantity": 2, "unit_price": 1200, "min_unit_price": 100}],
        "fees": [{"id": "d", "kind": "delivery", "amount": 300}],
        "subtotal": 2300, "tax": 1, "total": 2601,
        "customer": {"id": "c", "phone": "+1", "email": " ", "tag": ["vip"], "tier": "gold",
            "first_order": false, "orders": 3}}),
    );
    let line = cart.line(0).unwrap();
    assert_eq!((line.id(), line.sku(), line.name()), ("1", Some("BURGER"), Some("Bürger \"XL\"")));
    assert_eq!(line.categories().collect::<Vec<_>>(), ["food", "hot"]);
    assert_eq!(line.tags().count(), 0);
    assert_eq!(
        (line.quantity(), line.unit_price().minor(), line.min_unit_price().minor()),
        (2, 1200, 100)
    );
    let fee = cart.fee(0).unwrap();
    assert_eq!((fee.id(), fee.kind(), fee.amount().minor()), ("d", "delivery", 300));
    assert_eq!((cart.lines_total().minor(), cart.subtotal().minor()), (2400, 2300));
    assert_eq!(cart.channel(), Some("qr"));
    let customer = cart.customer().unwrap();
    // An address of spaces is none.
    assert_eq!((customer.id(), customer.phone(), customer.email()), (Some("c"), Some("+1"), None));
    assert_eq!((customer.tier(), customer.orders()), (Some("gold"), Some(3)));
    assert_eq!(customer.tags().collect::<Vec<_>>(), ["vip"]);
    assert!(customer.known());
}

#[test]
fn unknown_keys_are_ignored_and_nulls_are_absent() {
    let cart = load(&json!({"currency": "USD", "tab_id": null, "customer": null, "fees": null,
        "extra": {"deep": [[{}]]}, "tax": null,
        "lines": [{"id": "1", "quantity": 1, "unit_price": 5, "sku": null, "tag": null, "category": [null],
            "note": [1, 2.5, "x"]}]}));
    assert_eq!((cart.tab_id(), cart.customer().is_none(), cart.fees().len()), (None, true, 0));
    assert_eq!(cart.line(0).unwrap().categories().count(), 0);
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let json = br#"{"currency":"USD","lines":[{"id":"1","quantity":1,"unit_price":5}],
        "lines":[{"id":"2","quantity":1,"quantity":3,"unit_price":7}]}"#;
    let cart = Cart::from_json(json).unwrap();
    assert_eq!((cart.lines().len(), cart.lines_total().minor()), (1, 21));
}

#[test]
fn every_fault_of_a_cart_is_told_with_its_place() {
    let cart = json!({"currency": "usd", "tab_id": 7, "subtotal": -1, "total": 1.5,
        "lines": [{"quantity": 0, "unit_price": 1_000_000_001, "min_unit_price": -1}, 5, line()],
        "fees": [{"id": "d", "amount": "3"}], "customer": {"orders": -1, "first_order": "no", "tag": [1]}});
    let mut places = places(&cart);
    places.sort();
    let expected = [
        "/currency",
        "/customer/first_order",
        "/customer/orders",
        "/customer/tag/0",
        "/fees/0/amount",
        "/fees/0/kind",
        "/lines/0/id",
        "/lines/0/min_unit_price",
        "/lines/0/quantity",
        "/lines/0/unit_price",
        "/lines/1",
        "/subtotal",
        "/tab_id",
        "/total",
    ];
    assert_eq!(places, expected);
}

#[test]
fn numbers_are_whole_and_within_bounds() {
    for value in [json!("1"), json!(true), json!([1]), json!({}), json!(u64::MAX)] {
        assert_eq!(places(&with_line("quantity", value)), ["/lines/0/quantity"]);
    }
    for value in [json!("1"), json!(1.0), json!(0.5), json!([1]), json!(u64::MAX)] {
        assert_eq!(places(&with_line("unit_price", value)), ["/lines/0/unit_price"]);
    }
    assert_eq!(places(&with_line("quantity", json!(1_000_000_001))), ["/lines/0/quantity"]);
    let most = load(&with_line("quantity", json!(1_000_000_000)));
    assert_eq!(most.lines_total().minor(), 500_000_000_000);
    assert!(Cart::from_json(br#"{"currency":"USD","subtotal":1e400}"#).is_err());
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let big = json!({"id": "1", "quantity": 1_000_000_000, "unit_price": 1_000_000_000});
    let lines = |count: usize| {
        let mut lines = vec![big.clone(); count];
        (0..count).for_each(|index| lines[index]["id"] = json!(index.to_string()));
        json!({"currency": "USD", "lines": lines})
    };
    assert_eq!(load(&lines(9)).lines_total().minor(), 9_000_000_000_000_000_000);
    assert_eq!(places(&lines(10)), ["/lines"]);
    let mut with_fees = lines(9);
    with_fees["fees"] = json!([{"id": "f", "kind": "f", "amount": 300_000_000_000_000_000_u64}]);
    assert_eq!(places(&with_fees), [""]);
}

#[test]
fn a_subtotal_is_needed_only_without_lines() {
    assert_eq!(load(&json!({"currency": "USD", "lines": [line()]})).subtotal().minor(), 1000);
    assert_eq!(load(&json!({"currency": "USD", "subtotal": 5})).subtotal().minor(), 5);
    assert_eq!(places(&json!({"currency": "USD"})), ["/subtotal"]);
    assert_eq!(places(&json!({"currency": "USD", "lines": []})), ["/subtotal"]);
    // One fault is not told twice.
    assert_eq!(places(&json!({"currency": "USD", "lines": [5]})), ["/lines/0"]);
}

fn weighed(quantity: &str, unit_price: u64) -> Result<(u64, u64, bool), String> {
    let json = format!(
        r#"{{"currency": "USD", "lines": [{{"id": "1", "quantity": {quantity}, "unit_price": {unit_price}}}]}}"#
    );
    let cart = Cart::from_json(json.as_bytes()).map_err(|faults| faults.to_string())?;
    let line = cart.line(0).unwrap();
    assert_eq!(line.unit_price().checked_mul(line.quantity()), Some(cart.lines_total()));
    Ok((line.quantity(), line.unit_price().minor(), line.weighed()))
}

#[test]
fn a_quantity_that_is_not_whole_is_one_unit_at_its_extended_price() {
    for (quantity, unit_price, price) in [
        ("0.25", 4000, 1000),
        ("0.35", 999, 350),  // 349.65
        ("1.005", 100, 101), // 100.5 is rounded up
        ("0.001", 499, 0),   // 0.499
        ("0.001", 500, 1),
        ("2.5", 300, 750),
        ("0.3330", 1000, 333),
        ("999999.999", 1000, 999_999_999),
    ] {
        assert_eq!(weighed(quantity, unit_price), Ok((1, price, true)), "{quantity}");
    }
    // What is whole stays whole however it is written.
    assert_eq!(weighed("2.000", 300), Ok((2, 300, false)));
    for wrong in ["0.0", "-0.5", "0.0005", "1e3", "2.5E-1", "1000000000.5"] {
        let fault = weighed(wrong, 300).unwrap_err();
        assert!(fault.starts_with("/lines/0/quantity: "), "{wrong}: {fault}");
    }
    assert!(weighed("1.5", 1_000_000_000).unwrap_err().starts_with("/lines/0/unit_price: "));
}

#[test]
fn the_floor_of_what_is_weighed_is_extended_like_its_price() {
    let line = json!({"id": "1", "quantity": 0.5, "unit_price": 4000, "min_unit_price": 1001});
    let cart = load(&json!({"currency": "USD", "lines": [line]}));
    assert_eq!(cart.line(0).unwrap().min_unit_price().minor(), 501);
}

#[test]
fn every_id_that_stands_there_again_is_told() {
    let line = |id: &str| json!({"id": id, "quantity": 1, "unit_price": 5});
    let fee = |id: &str| json!({"id": id, "kind": "k", "amount": 5});
    let cart = json!({"currency": "USD", "lines": [line("b"), line("a"), line("b"), line("a"), line("b")],
        "fees": [fee("b"), fee("b")]});
    assert_eq!(places(&cart), ["/lines/2/id", "/lines/3/id", "/lines/4/id", "/fees/1/id"]);
    let cart = json!({"currency": "USD", "lines": [line("b")], "fees": [fee("b")]});
    assert_eq!(load(&cart).lines_total().minor(), 5);
    // Also of a line that has another fault.
    let mut lines = vec![line("a"), line("a")];
    lines[0]["quantity"] = json!(0);
    let cart = json!({"currency": "USD", "lines": lines});
    assert_eq!(places(&cart), ["/lines/0/quantity", "/lines/1/id"]);
}

#[test]
fn keys_that_nobody_reads_are_told_with_their_places() {
    let json = br#"{"currency": "USD", "tags": null, "a/b": 1,
        "lines": [{"id": "1", "quantity": 1, "unit_price": 5, "price": 7, "price": 8}],
        "fees": [{"id": "1", "kind": "k", "amount": 5, "x": {}}], "customer": {"Phone": "+1"}}"#;
    let (cart, ignored) = Cart::from_json_noting(json).unwrap();
    assert_eq!(cart.lines_total().minor(), 5);
    assert_eq!(ignored, ["/tags", "/a~1b", "/lines/0/price", "/fees/0/x", "/customer/Phone"]);
    let many: Vec<String> = (0..5000).map(|n| format!("\"k{n}\": 1")).collect();
    let json = format!(r#"{{"currency": "USD", "subtotal": 1, {}}}"#, many.join(","));
    let (_, ignored) = Cart::from_json_noting(json.as_bytes()).unwrap();
    assert_eq!(ignored.len(), super::MOST_IGNORED);
}

#[test]
fn a_members_cart_has_his_name_and_tier() {
    let cart =
        load(&json!({"currency": "USD", "subtotal": 5, "customer": {"phone": "+1", "tier": "x"}}));
    let cart = cart.of_member("MEMBER", Some("gold"));
    let customer = cart.customer().unwrap();
    let told = (customer.id(), customer.phone(), customer.tier());
    assert_eq!(told, (Some("MEMBER"), Some("+1"), Some("gold")));
    let named = load(&json!({"currency": "USD", "subtotal": 5, "customer": {"id": "till's"}}));
    let named = named.of_member("MEMBER", None);
    assert_eq!(named.customer().unwrap().id(), Some("till's"));
    let nobody = load(&json!({"currency": "USD", "subtotal": 5})).of_member("MEMBER", None);
    assert_eq!(nobody.customer().unwrap().id(), Some("MEMBER"));
}

#[test]
fn what_is_no_cart_is_refused_in_bounded_time() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let nulls = format!("{{\"lines\":[{}null]}}", "null,".repeat(50_000));
    let empty = format!("{{\"lines\":[{}{{}}]}}", "{},".repeat(80_000));
    for json in [deep.as_str(), &nulls, &empty, "", "[]", "null", "5", "{", "{\"lines\":[{]}"] {
        let faults = Cart::from_json(json.as_bytes()).unwrap_err();
        assert!(faults.as_slice().len() <= 1001);
    }
    assert!(Cart::from_json(b"{\"currency\":\"U\xffD\"}").is_err());
}

#[test]
fn an_adapters_cart_passes_the_same_checks() {
    let mut draft = CartDraft {
        tab_id: Some("t".into()),
        currency: Some("USD".into()),
        lines: vec![LineDraft {
            id: "1".into(),
            sku: Some("A".into()),
            category: vec!["food".into()],
            quantity: 2,
            unit_price: 500,
            ..LineDraft::default()
        }],
        fees: vec![FeeDraft { id: "d".into(), kind: "delivery".into(), amount: 300 }],
        customer: Some(CustomerDraft { phone: Some("+1".into()), ..CustomerDraft::default() }),
        ..CartDraft::default()
    };
    let json = json!({"tab_id": "t", "currency": "USD", "customer": {"phone": "+1"},
        "lines": [{"id": "1", "sku": "A", "category": ["food"], "quantity": 2, "unit_price": 500}],
        "fees": [{"id": "d", "kind": "delivery", "amount": 300}]});
    let (one, other) = (draft.check().unwrap(), load(&json));
    assert_eq!((one.tab_id(), one.subtotal()), (other.tab_id(), other.subtotal()));
    assert_eq!(
        one.line(0).unwrap().categories().next(),
        other.line(0).unwrap().categories().next()
    );
    draft.lines[0].quantity = 0;
    draft.fees[0].amount = -5;
    let faults = draft.check().unwrap_err();
    let places: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(places, ["/lines/0/quantity", "/fees/0/amount"]);
}
