//! The neutral API, for any point of sale: the same three questions with our own cart.

use promo_tests::campaign::{publish, ten_percent};
use promo_tests::{Reply, Service, secrets};
use serde_json::{Value, json};

fn ask(service: &Service, question: &str, body: &Value) -> Reply {
    service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH).json(body)
}

fn cart(tab: &str) -> Value {
    json!({
        "tab_id": tab, "location_id": "1019", "currency": "USD",
        "lines": [
            { "id": "1", "sku": "BURGER", "quantity": 2, "unit_price": 1205 },
            { "id": "2", "sku": "FRIES", "quantity": 1, "unit_price": 333 },
        ],
    })
}

#[test]
fn an_offer_is_inquired_redeemed_and_reversed_line_by_line() {
    let service = Service::shared();
    publish(service, &ten_percent("neutral", "NEUTRAL10"));

    let inquired =
        ask(service, "inquire", &json!({ "code": "neutral-10", "cart": cart("neutral-1") }));
    assert_eq!(inquired.status, 200, "{inquired}");
    let offer = inquired.json()["offers"][0].clone();
    assert_eq!(offer["offer_id"], "neutral.ten-off.NEUTRAL10");
    assert_eq!((&offer["campaign"], &offer["offer"]), (&json!("neutral"), &json!("ten-off")));
    assert_eq!((&offer["discount"], &offer["currency"]), (&json!(274), &json!("USD")));
    let lines = json!([{ "id": "1", "discount": 241 }, { "id": "2", "discount": 33 }]);
    assert_eq!((&offer["lines"], &offer["fees"]), (&lines, &json!([])));
    assert_eq!(offer["rounding"]["mode"], "half_up");

    let request =
        json!({ "offer_ids": [offer["offer_id"], "none.of.OURS"], "cart": cart("neutral-1") });
    let redeemed = ask(service, "redeem", &request);
    assert_eq!(redeemed.status, 200, "{redeemed}");
    assert_eq!(redeemed.json()["applied"], json!([offer]));
    assert_eq!(redeemed.json()["rejected"][0]["reason"], "unknown_code");

    let reversal = json!({ "tab_id": "neutral-1", "location_id": "1019" });
    let reversed = ask(service, "reverse", &reversal).json();
    assert_eq!(reversed, json!({ "reversed": ["neutral.ten-off.NEUTRAL10"], "unchanged": [] }));
    let named = json!({ "offer_ids": ["neutral.ten-off.NEUTRAL10", "x"], "tab_id": "neutral-1", "location_id": "1019" });
    let again = ask(service, "reverse", &named).json();
    assert_eq!(again, json!({ "reversed": [], "unchanged": ["x", "neutral.ten-off.NEUTRAL10"] }));
}

#[test]
fn a_request_with_faults_names_every_one_of_them() {
    let service = Service::shared();
    let bad_line = json!({ "tab_id": "t", "location_id": "1", "currency": "USD",
        "lines": [{ "id": "1", "quantity": 0, "unit_price": -1 }] });
    for (question, body, pointers) in [
        ("inquire", json!({}), &["/code"][..]),
        ("inquire", json!({ "code": "ABC" }), &["/cart"]),
        (
            "inquire",
            json!({ "code": "ABC", "cart": bad_line }),
            &["/cart/lines/0/quantity", "/cart/lines/0/unit_price"],
        ),
        (
            "redeem",
            json!({ "offer_ids": ["a.b.CODE"], "cart": { "currency": "USD", "subtotal": 5 } }),
            &["/cart/tab_id", "/cart/location_id"],
        ),
        ("redeem", json!({ "offer_ids": [1, 2], "cart": {} }), &["/offer_ids/0", "/offer_ids/1"]),
        ("redeem", json!({ "cart": {} }), &["/offer_ids"]),
        ("reverse", json!({ "offer_ids": [] }), &["/tab_id", "/location_id"]),
    ] {
        let reply = ask(service, question, &body);
        assert_eq!(reply.status, 422, "{body}: {reply}");
        let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
        let told: Vec<_> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
        assert_eq!(told, pointers, "{reply}");
    }
    assert_eq!(
        ask(service, "inquire", &json!({ "code": "NOSUCH", "cart": cart("n") })).status,
        404
    );
    assert_eq!(ask(service, "inquire", &json!([])).status, 400);
}
