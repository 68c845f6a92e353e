//! `Idempotency-Key` on the neutral API: one key, one reply, as long as it is true.

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::{Reply, Service, secrets};
use serde_json::{Value, json};

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

    // What the first reply said was reversed since; the reversal still stands.
    let untrue = send(&service, "redeem", "k1", &redeem);
    assert_eq!(
        (untrue.status, &untrue.json()["reason"]),
        (409, &json!("reversed_since")),
        "{untrue}"
    );
    assert_eq!(send(&service, "reverse", "k2", &reversal).body, reversed.body);
    let history = service.get("/admin/tabs/idem?location=1019").admin().send().json();
    assert_eq!(history["redemptions"].as_array().map(Vec::len), Some(1), "{history}");
    // Another body under a key is a mistake; the same key on another route is another key.
    let other = json!({ "offer_ids": ["idem.ten-off.IDEM10"], "cart": cart("idem-2") });
    assert_eq!(send(&service, "redeem", "k1", &other).status, 422);
    let inquire = json!({ "code": "IDEM10", "cart": cart("idem") });
    assert_eq!(send(&service, "inquire", "k1", &inquire).status, 200);
    // A refusal is a first reply too.
    let unknown = json!({ "code": "LATER10", "cart": cart("idem") });
    assert_eq!(send(&service, "inquire", "k3", &unknown).status, 404);
    publish(&service, &ten_percent("later", "LATER10"));
    assert_eq!(send(&service, "inquire", "k3", &unknown).status, 404);
    assert_eq!(send(&service, "inquire", "k4", &unknown).status, 200);
    assert_eq!(send(&service, "inquire", &"k".repeat(300), &unknown).status, 422);
}

#[test]
fn a_kept_reply_is_given_again_only_while_what_it_says_stands() {
    let service = Service::shared();
    publish(service, &ten_percent("stands", "STANDS10"));
    let redeem = json!({ "offer_ids": ["stands.ten-off.STANDS10"], "cart": cart("stands") });
    let reverse = json!({ "tab_id": "stands", "location_id": "1019" });

    let first = keyed(service, "redeem", "stands-1", &redeem);
    assert_eq!(first.json()["applied"].as_array().map(Vec::len), Some(1), "{first}");
    assert_eq!(keyed(service, "redeem", "stands-1", &redeem).body, first.body);
    // Heard of again under another key, it is the same redemption.
    assert_eq!(keyed(service, "redeem", "stands-2", &redeem).body, first.body);

    let reversed = keyed(service, "reverse", "stands-3", &reverse);
    for key in ["stands-1", "stands-2"] {
        let untrue = keyed(service, "redeem", key, &redeem);
        assert_eq!((untrue.status, reason(&untrue)), (409, json!("reversed_since")), "{untrue}");
    }
    assert_eq!(keyed(service, "reverse", "stands-3", &reverse).body, reversed.body);

    // A new redemption is not what the old replies said.
    let anew = keyed(service, "redeem", "stands-4", &redeem);
    assert_eq!(anew.json()["applied"].as_array().map(Vec::len), Some(1), "{anew}");
    assert_eq!(reason(&keyed(service, "redeem", "stands-1", &redeem)), "reversed_since");
    assert_eq!(reason(&keyed(service, "reverse", "stands-3", &reverse)), "redeemed_since");
    assert_eq!(keyed(service, "redeem", "stands-4", &redeem).body, anew.body);
    // A reply in which nothing applied has nothing that could be reversed.
    let nothing = json!({ "offer_ids": ["none.of.OURS"], "cart": cart("stands") });
    let refused = keyed(service, "redeem", "stands-5", &nothing);
    assert_eq!(keyed(service, "reverse", "stands-6", &reverse).status, 200);
    assert_eq!(keyed(service, "redeem", "stands-5", &nothing).body, refused.body);
}

#[test]
fn many_requests_at_once_under_one_key_have_one_reply_or_are_told_to_wait() {
    let service = Service::shared();
    publish(service, &with(ten_percent("race", "RACE10"), "combines_with", json!("any")));
    let body = |tab: &str| json!({ "offer_ids": ["race.ten-off.RACE10"], "cart": cart(tab) });
    let tabs: Vec<String> = (0..12).map(|n| format!("race-{}", n % 2)).collect();

    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let send = |tab: &String| {
            let body = body(tab);
            scope.spawn(move || keyed(service, "redeem", "race", &body))
        };
        let sent: Vec<_> = tabs.iter().map(send).collect();
        sent.into_iter().map(|reply| reply.join().unwrap()).collect()
    });

    for reply in &replies {
        match reply.status {
            200 | 422 => {}
            409 => {
                assert_eq!(reply.header("retry-after"), Some("1"), "{reply}");
                assert_eq!(reason(reply), "in_progress");
            }
            _ => panic!("{reply}"),
        }
    }
    // Of the two bodies one took effect, whichever came first.
    let redeemed = |tab: &str| {
        let reply = service.get(&format!("/admin/tabs/{tab}?location=1019")).admin().send();
        let history = reply.json();
        history["redemptions"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(redeemed("race-0") + redeemed("race-1"), 1);
    let answers =
        ["race-0", "race-1"].map(|tab| keyed(service, "redeem", "race", &body(tab)).status);
    assert!(answers == [200, 422] || answers == [422, 200], "{answers:?}");
}

#[test]
fn a_key_belongs_to_the_caller_who_sent_it() {
    let service =
        Service::with().var("API_AUTH", "first-caller-secret, second-caller-secret").start();
    publish(&service, &ten_percent("scoped", "SCOPED10"));
    let ask = |secret: &str, tab: &str| {
        let request = service.post("/v1/inquire").auth(secret).header("Idempotency-Key", "same");
        request.json(&json!({ "code": "SCOPED10", "cart": cart(tab) })).status
    };
    assert_eq!(ask("first-caller-secret", "scoped-1"), 200);
    assert_eq!(ask("second-caller-secret", "scoped-2"), 200);
    assert_eq!(ask("first-caller-secret", "scoped-2"), 422);
    assert_eq!(ask("second-caller-secret", "scoped-2"), 200);
}
