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

#[test]
fn an_idempotency_key_replays_the_first_reply_and_refuses_another_request() {
    let mut service = Service::start();
    publish(&service, &ten_percent("idem", "IDEM10"));
    let send = |service: &Service, question: &str, key: &str, body: &Value| {
        let request = service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH);
        request.header("Idempotency-Key", key).json(body)
    };
    let redeem = json!({ "offer_ids": ["idem.ten-off.IDEM10"], "cart": cart("idem") });
    let first = send(&service, "redeem", "k1", &redeem);
    assert_eq!(first.json()["applied"].as_array().map(Vec::len), Some(1), "{first}");
    let reversal = json!({ "tab_id": "idem", "location_id": "1019" });
    let reversed = send(&service, "reverse", "k2", &reversal);
    assert_eq!(reversed.json()["reversed"].as_array().map(Vec::len), Some(1), "{reversed}");

    service.restart();

    // The same requests again: the same replies, though a reversal came between.
    assert_eq!(send(&service, "redeem", "k1", &redeem).body, first.body);
    assert_eq!(send(&service, "reverse", "k2", &reversal).body, reversed.body);
    let history = service.get("/admin/tabs/idem").admin().send().json();
    assert_eq!(history["redemptions"].as_array().map(Vec::len), Some(1), "{history}");
    // Another request under a key, or the same body to another address, is a mistake.
    assert_eq!(send(&service, "redeem", "k2", &redeem).status, 422);
    assert_eq!(send(&service, "inquire", "k1", &redeem).status, 422);
    // A refusal is a first reply too.
    let unknown = json!({ "code": "LATER10", "cart": cart("idem") });
    assert_eq!(send(&service, "inquire", "k3", &unknown).status, 404);
    publish(&service, &ten_percent("later", "LATER10"));
    assert_eq!(send(&service, "inquire", "k3", &unknown).status, 404);
    assert_eq!(send(&service, "inquire", "k4", &unknown).status, 200);
    assert_eq!(send(&service, "inquire", &"k".repeat(300), &unknown).status, 422);
}
