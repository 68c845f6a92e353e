//! Items in every shape a POS may send, and what they are worth.

use serde_json::json;

use super::*;

/// Of each line: quantity, unit price, weighed.
fn read(data: &Value) -> Result<Vec<(i64, i64, bool)>, Vec<String>> {
    let sink = Sink::new();
    let lines = lines(data, &Path::Root, 2, &sink);
    let lines = lines.iter().map(|line| (line.quantity, line.unit_price, line.weighed)).collect();
    sink.check(Some(lines)).map_err(|faults| faults.into_iter().map(|f| f.pointer).collect())
}

fn one(item: &Value) -> Result<Vec<(i64, i64, bool)>, Vec<String>> {
    read(&json!({"items": [item]}))
}

#[test]
fn an_item_is_worth_what_its_quantity_costs() {
    for (item, line) in [
        (json!({"unit_price": 4000, "quantity": 0.25}), (1, 1000, true)),
        (json!({"unitPrice": 4000, "qty": "0.25"}), (1, 1000, true)),
        (json!({"unit_price": "20.00"}), (1, 2000, false)),
        (json!({"price": 20, "quantity": 2}), (2, 20, false)),
        (json!({"price": "20", "quantity": 2.0}), (2, 2000, false)),
        (json!({"total": "9.00", "quantity": 3}), (3, 300, false)),
        (json!({"subtotal": 900, "total": 963, "tax": 63}), (1, 900, false)),
        (json!({"amount": 1000, "quantity": 0.5}), (1, 1000, true)),
        (json!({"unit_price": null, "price": 700}), (1, 700, false)),
        (json!({"unit_price": 0}), (1, 0, false)),
    ] {
        assert_eq!(one(&item), Ok(vec![line]), "{item}");
    }
    // Seven cents over two units.
    assert_eq!(one(&json!({"total": 7, "quantity": 2})), Ok(vec![(1, 4, false), (1, 3, false)]));
}

#[test]
fn options_are_part_of_an_items_worth() {
    for (item, line) in [
        (json!({"unit_price": 1000, "total": 1250}), (1, 1250, false)),
        (json!({"unit_price": 1000, "quantity": 2, "subtotal": 2500}), (2, 1250, false)),
        (json!({"unit_price": 1000, "amount": "12.50"}), (1, 1250, false)),
        (json!({"unit_price": 1000, "subtotal": 1000, "total": 1250}), (1, 1250, false)),
        (json!({"unit_price": 4000, "quantity": 0.25, "total": 1200}), (1, 1200, true)),
        // Tax is no option, and a lower total is a discount of somebody's: the cart is gross.
        (json!({"unit_price": 1000, "subtotal": 1000, "tax": 60, "total": 1060}), (1, 1000, false)),
        (json!({"unit_price": 1000, "quantity": 2, "total": 1500}), (2, 1000, false)),
    ] {
        assert_eq!(one(&item), Ok(vec![line]), "{item}");
    }
}

#[test]
fn an_item_that_cannot_be_read_is_named() {
    for (item, pointer) in [
        (json!({"name": "Burger"}), "/items/0/unit_price"),
        (json!({"unit_price": "free"}), "/items/0/unit_price"),
        (json!({"unitPrice": {"amount": 5}}), "/items/0/unitPrice"),
        (json!({"price": 20.5}), "/items/0/price"),
        (json!({"price": "20.005"}), "/items/0/price"),
        (json!({"unit_price": 500, "total": "5,00"}), "/items/0/total"),
        (json!({"unit_price": 500, "quantity": "two"}), "/items/0/quantity"),
        (json!({"unit_price": 500, "quantity": 0.0005}), "/items/0/quantity"),
        (json!({"unit_price": 500, "quantity": 1e30}), "/items/0/quantity"),
        (json!({"unit_price": 500, "qty": []}), "/items/0/qty"),
        (json!({"unit_price": 900_000_000_000_000_u64}), "/items/0/unit_price"),
        (json!("Burger"), "/items/0"),
    ] {
        assert_eq!(one(&item), Err(vec![pointer.to_owned()]), "{item}");
    }
    let orders =
        json!({"items": [], "orders": [null, {"items": null}, {"items": [{"price": 5}, {}]}]});
    assert_eq!(read(&orders), Err(vec!["/orders/2/items/1/unit_price".to_owned()]));
    assert_eq!(read(&json!({"items": "none"})), Err(vec!["/items".to_owned()]));
    let nothing = json!({"items": {}, "orders": [{"items": [{"price": 5, "quantity": 0}]}]});
    assert_eq!(read(&nothing), Ok(vec![]));
    let detail = {
        let sink = Sink::new();
        lines(&json!({"items": [{"name": "Burger"}]}), &Path::Root, 2, &sink);
        sink.check(Some(())).unwrap_err().to_string()
    };
    assert!(detail.contains("\"Burger\""), "{detail}");
}

#[test]
fn a_voided_line_takes_its_twin_off() {
    let burger = |more: Value| {
        let mut item = json!({"sku": "BURGER", "unit_price": 1200, "quantity": 1});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let left = |items: Vec<Value>| read(&json!({"items": items})).unwrap();
    for void in [
        json!({"quantity": -1}),
        json!({"unit_price": -1200}),
        json!({"quantity": -1, "unit_price": -1200}),
        json!({"quantity": "-1", "total": -1200}),
        json!({"quantity": -1, "unit_price": 0}),
    ] {
        let (item, void) = (burger(json!({})), burger(void));
        assert_eq!(left(vec![item.clone(), void.clone()]), [], "{void}");
        assert_eq!(left(vec![void.clone(), item.clone()]), [], "before its twin: {void}");
        let twice = left(vec![item.clone(), void.clone(), item.clone()]);
        assert_eq!(twice, [(1, 1200, false)], "one of two: {void}");
    }
    let three = burger(json!({"quantity": 3}));
    assert_eq!(left(vec![three.clone(), burger(json!({"quantity": -1}))]), [(2, 1200, false)]);
    let (single, two) = (burger(json!({})), burger(json!({"quantity": -2})));
    assert_eq!(left(vec![single.clone(), single.clone(), single, two]), [(1, 1200, false)]);
    // Where nothing says what they are, the price does.
    let nameless = |price: i64| json!({"price": price, "quantity": 1});
    assert_eq!(left(vec![nameless(5), nameless(7), nameless(-7)]), [(1, 5, false)]);
    let more = json!({"price": 9, "quantity": -1});
    assert_eq!(left(vec![nameless(5), more]), [(1, 5, false)]);
    // By weight, and by name where there is no sku.
    let weighed = json!({"name": "Ham", "unit_price": 4000, "quantity": 0.25});
    let void = json!({"name": "Ham", "unit_price": 4000, "quantity": -0.25});
    assert_eq!(left(vec![weighed, void]), []);
}

#[test]
fn a_price_below_zero_without_a_twin_is_somebody_elses_discount() {
    let burger = json!({"sku": "BURGER", "unit_price": 1200});
    for discount in [
        json!({"name": "Manager", "unit_price": -500}),
        json!({"sku": "BURGER", "unit_price": -200}),
    ] {
        let items = json!({"items": [burger, discount]});
        assert_eq!(read(&items), Ok(vec![(1, 1200, false)]), "{discount}");
    }
}

#[test]
fn an_item_is_read_in_the_spellings_of_the_webhooks() {
    let item = json!({"productId": 7, "productUuid": "u", "productName": "Burger",
        "categoryName": "Mains", "tags": ["hot"], "unitPrice": 1200});
    let sink = Sink::new();
    let lines = lines(&json!({"items": [item.clone(), item]}), &Path::Root, 2, &sink);
    assert!(sink.is_empty());
    let line = &lines[0];
    assert_eq!(
        (line.id.as_str(), line.sku.as_deref(), line.name.as_deref()),
        ("7", Some("7"), Some("Burger"))
    );
    assert_eq!(
        (line.category.as_slice(), line.tag.as_slice()),
        (&["Mains".to_owned()][..], &["hot".to_owned()][..])
    );
    assert_ne!(lines[1].id, line.id, "ids of lines are unique");
}
