//! The neutral API, for any point of sale: the same three questions with our own cart.

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::{Reply, Service, programme, secrets};
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

fn keyed(service: &Service, question: &str, key: &str, body: &Value) -> Reply {
    let request = service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH);
    request.header("Idempotency-Key", key).json(body)
}

fn reason(reply: &Reply) -> Value {
    reply.json().pointer("/reason").cloned().unwrap_or_default()
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
        ("inquire", json!({}), &["/cart"][..]),
        ("inquire", json!({ "code": 7, "cart": cart("t") }), &["/code"]),
        ("inquire", json!({ "customer": 7, "cart": cart("t") }), &["/customer"]),
        ("inquire", json!({ "customer": { "email": [] } }), &["/customer/email"]),
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
        ("redeem", json!({ "offer_ids": [], "cart": cart("t") }), &["/offer_ids"]),
        ("redeem", json!({ "offer_ids": vec!["a.b.C"; 51], "cart": cart("t") }), &["/offer_ids"]),
        ("reverse", json!({}), &["/tab_id", "/location_id"]),
        ("reverse", json!({ "offer_ids": [], "tab_id": "t", "location_id": "1" }), &["/offer_ids"]),
        (
            "reverse",
            json!({ "offer_ids": vec!["a.b.C"; 51], "tab_id": "t", "location_id": "1" }),
            &["/offer_ids"],
        ),
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
fn keys_that_nobody_reads_are_listed_in_the_reply() {
    let service = Service::shared();
    publish(service, &ten_percent("typo", "TYPO10"));
    let mut tab = cart("typo");
    tab["tags"] = json!([]);
    tab["lines"][1]["price"] = json!(5);
    let inquired = ask(service, "inquire", &json!({ "code": "TYPO10", "cart": tab, "coed": null }));
    let ignored = json!(["/coed", "/cart/lines/1/price", "/cart/tags"]);
    assert_eq!(inquired.json()["ignored"], ignored, "{inquired}");
    let body = json!({ "offer_ids": ["typo.ten-off.TYPO10"], "cart": tab, "customer": "x" });
    let redeemed = ask(service, "redeem", &body);
    let ignored = json!(["/customer", "/cart/lines/1/price", "/cart/tags"]);
    assert_eq!(redeemed.json()["ignored"], ignored, "{redeemed}");
    let body = json!({ "tab_id": "typo", "location_id": "1019", "offers": ["x"] });
    assert_eq!(ask(service, "reverse", &body).json()["ignored"], json!(["/offers"]));
    let clean = ask(service, "inquire", &json!({ "code": "TYPO10", "cart": cart("typo") }));
    assert_eq!(clean.json().get("ignored"), None);
}

#[test]
fn what_is_sold_by_weight_is_one_unit_at_what_it_costs() {
    let service = Service::shared();
    publish(service, &ten_percent("weighed", "WEIGHED10"));
    let inquire = |lines: Value| {
        let cart =
            json!({ "tab_id": "weighed", "location_id": "1", "currency": "USD", "lines": lines });
        ask(service, "inquire", &json!({ "code": "WEIGHED10", "cart": cart }))
    };
    let reply = inquire(json!([
        { "id": "ham", "quantity": 0.25, "unit_price": 4000 },
        { "id": "beer", "quantity": 2.0, "unit_price": 500 },
    ]));
    let lines = json!([
        { "id": "ham", "discount": 100, "weighed": true }, { "id": "beer", "discount": 100 }
    ]);
    assert_eq!(reply.json()["offers"][0]["lines"], lines, "{reply}");
    for quantity in [json!(0.2505), json!(-0.5), json!("0.5")] {
        let reply = inquire(json!([{ "id": "ham", "quantity": quantity, "unit_price": 4000 }]));
        assert_eq!((reply.status, pointer(&reply)), (422, json!("/cart/lines/0/quantity")));
    }
}

fn pointer(reply: &Reply) -> Value {
    reply.json().pointer("/errors/0/pointer").cloned().unwrap_or_default()
}

#[test]
fn ids_in_a_cart_are_unique() {
    let service = Service::shared();
    let mut twice = cart("ids");
    twice["lines"][1]["id"] = json!("1");
    let reply = ask(service, "inquire", &json!({ "code": "ANY10", "cart": twice }));
    assert_eq!((reply.status, pointer(&reply)), (422, json!("/cart/lines/1/id")), "{reply}");
    let mut fees = cart("ids");
    let fee = json!({ "id": "f", "kind": "delivery", "amount": 100 });
    fees["fees"] = json!([fee, fee]);
    let reply = ask(service, "redeem", &json!({ "offer_ids": ["a.b.C"], "cart": fees }));
    assert_eq!((reply.status, pointer(&reply)), (422, json!("/cart/fees/1/id")), "{reply}");
}

#[test]
fn a_question_about_nobody_and_nothing_is_answered_with_no_offers() {
    let service = Service::shared();
    for body in [
        json!({ "cart": cart("nobody") }),
        json!({ "code": null, "customer": null, "cart": cart("nobody") }),
        json!({ "customer": "+16085550100", "cart": cart("nobody") }),
        json!({ "customer": { "email": "a@b.example" } }),
        json!({ "customer": "n/a" }),
    ] {
        let reply = ask(service, "inquire", &body);
        assert_eq!((reply.status, reply.json()), (200, json!({ "offers": [] })), "{body}");
    }
}

#[test]
fn a_member_is_told_points_and_rewards_and_redeems_them_at_any_till() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    programme::sign_up(&service, &json!({ "phone": "608 555 0100", "email": "a@b.example" }));
    programme::adjust(&service, "+16085550100", 60);
    publish(&service, &with(ten_percent("beside", "BESIDE10"), "combines_with", json!("any")));

    let mut with_customer = cart("member");
    with_customer["customer"] = json!({ "phone": "(608) 555-0100" });
    let asked = [
        json!({ "customer": "608-555-0100", "cart": cart("member") }),
        json!({ "customer": { "email": "A@B.example" }, "cart": cart("member") }),
        json!({ "cart": with_customer }),
    ];
    let replies: Vec<Value> = asked.map(|body| ask(&service, "inquire", &body).json()).to_vec();
    for reply in &replies {
        assert_eq!(reply, &replies[0]);
        let offers = reply["offers"].as_array().unwrap();
        assert_eq!(offers.len(), 1, "what can be afforded: {reply}");
        assert_eq!(
            (&offers[0]["offer"], &offers[0]["discount"]),
            (&json!("five-off"), &json!(500))
        );
        assert_eq!(reply["points"][0]["available"], 60);
    }
    // Before there is a tab only the points are known.
    let early = ask(&service, "inquire", &json!({ "customer": "a@b.example" })).json();
    assert_eq!((&early["offers"], &early["points"][0]["available"]), (&json!([]), &json!(60)));

    let reward = replies[0]["offers"][0]["offer_id"].clone();
    let body = json!({ "offer_ids": ["beside.ten-off.BESIDE10", reward], "cart": cart("member") });
    let redeemed = keyed(&service, "redeem", "member-1", &body);
    assert_eq!(redeemed.json()["applied"].as_array().map(Vec::len), Some(2), "{redeemed}");
    assert_eq!(programme::points(&service, "a@b.example"), (10, 10));
    assert_eq!(keyed(&service, "redeem", "member-1", &body).body, redeemed.body);
    let other =
        ask(&service, "redeem", &json!({ "offer_ids": [reward], "cart": cart("member-2") }));
    assert_eq!(other.json()["rejected"][0]["reason"], "insufficient_points", "{other}");

    let reversed = ask(&service, "reverse", &json!({ "tab_id": "member", "location_id": "1019" }));
    assert_eq!(reversed.json()["reversed"].as_array().map(Vec::len), Some(2), "{reversed}");
    assert_eq!(programme::points(&service, "a@b.example"), (60, 60));
    assert_eq!(reason(&keyed(&service, "redeem", "member-1", &body)), "reversed_since");
}
