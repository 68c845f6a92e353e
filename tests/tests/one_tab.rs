//! What stands on a tab is part of every later decision on it: offers redeemed one after another, or at the same
//! instant, give what one event that names them in that order gives (design/ledger.md, 14 and 15).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's own functions fail the test"
)]

use std::thread;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied};
use promo_tests::{Reply, Service, programme, secrets};
use serde_json::{Value, json};

fn ask(service: &Service, question: &str, body: &Value) -> Reply {
    service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH).json(body)
}

fn cart(tab: &str, lines: &Value) -> Value {
    json!({ "tab_id": tab, "location_id": "1019", "currency": "USD", "lines": lines })
}

fn burger(tab: &str) -> Value {
    cart(tab, &json!([{ "id": "1", "sku": "BURGER", "quantity": 1, "unit_price": 1200 }]))
}

fn redeem(service: &Service, cart: &Value, offers: &[&str]) -> Reply {
    ask(service, "redeem", &json!({ "offer_ids": offers, "cart": cart }))
}

fn inquire(service: &Service, cart: &Value, code: &str) -> Reply {
    ask(service, "inquire", &json!({ "code": code, "cart": cart }))
}

/// What each applied offer gives.
fn given(reply: &Reply) -> Vec<u64> {
    let json = reply.json();
    let applied = json["applied"].as_array().unwrap_or_else(|| panic!("{reply}"));
    applied.iter().map(|offer| offer["discount"].as_u64().unwrap()).collect()
}

fn reasons(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let rejected = json["rejected"].as_array().unwrap_or_else(|| panic!("{reply}"));
    rejected.iter().map(|offer| offer["reason"].as_str().unwrap().to_owned()).collect()
}

/// What stands on a tab of location 1019, in minor units.
fn stands(service: &Service, tab: &str) -> u64 {
    stands_at(service, tab, "1019")
}

fn stands_at(service: &Service, tab: &str, location: &str) -> u64 {
    let path = format!("/admin/tabs/{tab}?location={location}");
    let reply = service.get(&path).admin().send();
    if reply.status == 404 {
        return 0;
    }
    let history = reply.json();
    let all = history["redemptions"].as_array().unwrap_or_else(|| panic!("{reply}"));
    let standing = all.iter().filter(|redemption| redemption["state"] == "applied");
    standing.map(|redemption| redemption["amount"].as_u64().unwrap()).sum()
}

/// A campaign of one code that stands beside any other.
fn campaign(id: &str, code: &str, offers: &Value) -> Value {
    json!({ "id": id, "name": id, "currency": "USD", "combines_with": "any",
        "codes": { "fixed": [code] }, "offers": offers })
}

fn offer(id: &str, discount: &Value) -> Value {
    json!({ "id": id, "name": id, "discount": discount })
}

/// One burger of the tab is free.
fn free_burger(id: &str, code: &str) -> Value {
    let burgers = json!({ "items": { "sku": ["BURGER"] } });
    let discount = json!({ "cheapest": 1, "percent": "100", "on": burgers });
    campaign(id, code, &json!([offer("free", &discount)]))
}

fn amount(id: &str, minor: u64) -> Value {
    offer(id, &json!({ "amount": minor }))
}

#[test]
fn two_codes_that_each_make_a_burger_free_take_it_off_one_burger_once() {
    let service = Service::shared();
    publish(service, &free_burger("one-burger", "ONEBURGER"));
    publish(service, &free_burger("two-burger", "TWOBURGER"));
    let (one, two) = ("one-burger.free.ONEBURGER", "two-burger.free.TWOBURGER");
    let tab = burger("burger-after");

    assert_eq!(given(&redeem(service, &tab, &[one])), [1200]);
    let second = redeem(service, &tab, &[two]);

    assert_eq!(reasons(&second), ["worth_nothing"], "{second}");
    assert_eq!(stands(service, "burger-after"), 1200);
    for round in 0..6 {
        let tab = format!("burger-at-once-{round}");
        let cart = burger(&tab);
        let replies = thread::scope(|scope| {
            let threads = [one, two].map(|id| scope.spawn(|| redeem(service, &cart, &[id])));
            threads.map(|thread| thread.join().unwrap())
        });
        let both: u64 = replies.iter().flat_map(given).sum();
        assert_eq!((both, stands(service, &tab)), (1200, 1200), "{replies:?}");
    }
}

#[test]
fn no_line_goes_below_its_floor_by_two_events() {
    let service = Service::shared();
    for (id, code) in [("floor-a", "FLOORA"), ("floor-b", "FLOORB")] {
        publish(service, &campaign(id, code, &json!([offer("half", &json!({ "percent": "50" }))])));
    }
    let line = json!([{ "id": "1", "quantity": 1, "unit_price": 1000, "min_unit_price": 400 }]);
    let tab = cart("floor", &line);
    assert_eq!(given(&redeem(service, &tab, &["floor-a.half.FLOORA"])), [500]);
    // Half of what is left, and no more than the floor leaves.
    assert_eq!(given(&redeem(service, &tab, &["floor-b.half.FLOORB"])), [100]);
    assert_eq!(stands(service, "floor"), 600);
}

#[test]
fn each_percentage_sees_what_is_left_of_the_tab() {
    let service = Service::shared();
    for (id, code) in [("left-a", "LEFTA"), ("left-b", "LEFTB"), ("left-c", "LEFTC")] {
        publish(service, &campaign(id, code, &json!([offer("half", &json!({ "percent": "50" }))])));
    }
    let ids = ["left-a.half.LEFTA", "left-b.half.LEFTB", "left-c.half.LEFTC"];
    let (one, many) = (burger("left-one"), burger("left-many"));
    let together = given(&redeem(service, &one, &ids));
    let after: Vec<u64> = ids.iter().flat_map(|id| given(&redeem(service, &many, &[id]))).collect();
    assert_eq!((&together, &after), (&vec![600, 300, 150], &together));
    // The same events again give the same answers.
    assert_eq!(given(&redeem(service, &one, &ids)), together);
    let again: Vec<u64> = ids.iter().flat_map(|id| given(&redeem(service, &many, &[id]))).collect();
    assert_eq!(again, together);
}

#[test]
fn an_exclusive_offer_stays_alone_whichever_came_first() {
    let service = Service::shared();
    let mut alone = amount("alone", 300);
    alone["stacking"] = json!("exclusive");
    publish(service, &campaign("exclusive", "EXCLUSIVE", &json!([alone, amount("other", 100)])));
    let (alone, other) = ("exclusive.alone.EXCLUSIVE", "exclusive.other.EXCLUSIVE");
    for (n, [first, second]) in [[alone, other], [other, alone]].into_iter().enumerate() {
        let tab = burger(&format!("exclusive-{n}"));
        assert_eq!(given(&redeem(service, &tab, &[first])).len(), 1);
        assert_eq!(reasons(&redeem(service, &tab, &[second])), ["excluded"], "{n}");
        assert_eq!(given(&redeem(service, &tab, &[first])).len(), 1, "it stands");
    }
}

#[test]
fn of_a_group_the_one_that_stands_stays_though_the_tab_grew() {
    let service = Service::shared();
    let offers = [("five", 500, 1000), ("ten", 1000, 2000)].map(|(id, minor, from)| {
        let mut offer = amount(id, minor);
        offer["group"] = json!("tier");
        offer["when"] = json!({ "subtotal": { "min": from } });
        offer
    });
    publish(service, &campaign("tiers", "TIERS", &json!(offers)));
    let (five, ten) = ("tiers.five.TIERS", "tiers.ten.TIERS");
    assert_eq!(given(&redeem(service, &burger("tiers"), &[five])), [500]);
    let line = json!([{ "id": "1", "sku": "BURGER", "quantity": 2, "unit_price": 1200 }]);
    let grown = cart("tiers", &line);
    let reply = redeem(service, &grown, &[five, ten]);
    assert_eq!((given(&reply), reasons(&reply)), (vec![500], vec!["outbid".to_owned()]), "{reply}");
    // Nor does an inquiry offer it: what stands is listed.
    let offers = inquire(service, &grown, "TIERS").json()["offers"].clone();
    let told = json!([{ "offer": "five", "discount": 500, "standing": true }]);
    let seen: Vec<Value> = offers.as_array().unwrap().iter().map(short).collect();
    assert_eq!(json!(seen), told);
}

fn short(offer: &Value) -> Value {
    json!({ "offer": offer["offer"], "discount": offer["discount"], "standing": offer["standing"] })
}

#[test]
fn campaigns_that_do_not_agree_do_not_stand_beside_each_other() {
    let service = Service::shared();
    let mut alone = campaign("agree-not", "AGREENOT", &json!([amount("a", 100)]));
    alone["combines_with"] = json!("none");
    publish(service, &alone);
    publish(service, &campaign("agree-any", "AGREEANY", &json!([amount("a", 100)])));
    let ids = ["agree-not.a.AGREENOT", "agree-any.a.AGREEANY"];
    for (n, [first, second]) in [[ids[0], ids[1]], [ids[1], ids[0]]].into_iter().enumerate() {
        let tab = burger(&format!("agree-{n}"));
        assert_eq!(given(&redeem(service, &tab, &[first])).len(), 1);
        assert_eq!(reasons(&redeem(service, &tab, &[second])), ["does_not_combine"]);
        let code = second.rsplit('.').next().unwrap();
        assert_eq!(inquire(service, &tab, code).status, 404, "it is not offered either");
    }
}

#[test]
fn an_inquiry_promises_what_redeem_gives() {
    let service = Service::shared();
    publish(service, &free_burger("promise-a", "PROMISEA"));
    publish(service, &campaign("promise-b", "PROMISEB", &json!([amount("five", 500)])));
    let line = json!([{ "id": "1", "sku": "BURGER", "quantity": 1, "unit_price": 1000 },
        { "id": "2", "sku": "WATER", "quantity": 1, "unit_price": 200 }]);
    let tab = cart("promise", &line);
    let shown = inquire(service, &tab, "PROMISEB").json()["offers"][0]["discount"].clone();
    assert_eq!(shown, 500, "nothing stands");
    assert_eq!(given(&redeem(service, &tab, &["promise-a.free.PROMISEA"])), [1000]);
    let reply = inquire(service, &tab, "PROMISEB");
    let offers = reply.json()["offers"].clone();
    let given = given(&redeem(service, &tab, &["promise-b.five.PROMISEB"]));
    assert_eq!(given, [200]);
    assert_eq!((&offers[0]["discount"], &offers[0]["standing"]), (&json!(200), &Value::Null));
    let standing = inquire(service, &tab, "PROMISEA").json()["offers"].clone();
    assert_eq!((&standing[0]["discount"], &standing[0]["standing"]), (&json!(1000), &json!(true)));
    // GoTab has no such field, and lists it as it stands.
    let gotab = Tab::new(service, "promise").inquire("PROMISEA");
    assert_eq!(gotab.json()["offers"][0]["offers"][0]["amount"], 10.0, "{gotab}");
}

#[test]
fn the_same_redeem_is_answered_the_same_whatever_became_of_its_code() {
    let service = Service::start();
    let publish_it = |id: &str, code: &str| publish(&service, &ten_percent(id, code));
    for what in ["removed", "deleted", "expired", "off"] {
        publish_it(what, &format!("{}10", what.to_uppercase()));
        let id = format!("{what}.ten-off.{}10", what.to_uppercase());
        let tab = burger(&format!("same-{what}"));
        let first = redeem(&service, &tab, &[&id]);
        assert_eq!(given(&first), [120]);
        let document = match what {
            "removed" => with(ten_percent(what, "ANOTHER10"), "name", json!("changed")),
            "expired" => {
                let document = ten_percent(what, "EXPIRED10");
                with(document, "ends_at", json!("2020-01-01T00:00"))
            }
            _ => with(ten_percent(what, "OFF10"), "active", json!(false)),
        };
        if what == "deleted" {
            let deleted = service.delete("/admin/campaigns/deleted").admin().send();
            assert!(deleted.status < 300, "{deleted}");
        } else {
            publish(&service, &document);
        }
        for _ in 0..2 {
            assert_eq!(redeem(&service, &tab, &[&id]).json()["applied"], first.json()["applied"]);
        }
        let elsewhere = redeem(&service, &burger(&format!("other-{what}")), &[&id]);
        assert_eq!(given(&elsewhere), Vec::<u64>::new(), "{elsewhere}");
        assert_eq!(stands(&service, &format!("same-{what}")), 120);
    }
}

#[test]
fn a_gotab_tab_is_one_by_its_number_and_its_uuid() {
    let service = Service::shared();
    publish(service, &ten_percent("names", "NAMES10"));
    let both = Tab::new(service, "names-uuid").with("tab_id", json!("names-17"));
    let number = both.clone().with("tab_uuid", Value::Null);
    let uuid = both.clone().with("tab_id", Value::Null);
    assert_eq!(both.inquire("NAMES10").status, 200);
    assert_eq!(applied(&uuid.redeem(&["names.ten-off.NAMES10"])).len(), 1);
    assert_eq!(stands(service, "names-17"), 110, "the number leads there");
    assert_eq!(number.reverse(&[]).status, 200);
    assert_eq!(stands(service, "names-uuid"), 0, "it was given back");
    // A number that is used again is another tab.
    assert_eq!(applied(&both.redeem(&["names.ten-off.NAMES10"])).len(), 1);
    let next = Tab::new(service, "names-next").with("tab_id", json!("names-17"));
    assert_eq!(applied(&next.redeem(&["names.ten-off.NAMES10"])).len(), 1);
    assert_eq!(next.reverse(&[]).status, 200);
    assert_eq!((stands(service, "names-uuid"), stands(service, "names-next")), (110, 0));
}

#[test]
fn tabs_of_two_locations_with_one_id_are_two_tabs() {
    let service = Service::shared();
    publish(service, &ten_percent("places", "PLACES10"));
    let here = burger("places");
    let mut there = here.clone();
    there["location_id"] = json!("1020");
    assert_eq!(given(&redeem(service, &here, &["places.ten-off.PLACES10"])), [120]);
    assert_eq!(stands_at(service, "places", "1020"), 0);
    assert_eq!(given(&redeem(service, &there, &["places.ten-off.PLACES10"])), [120]);
    let reversal = json!({ "tab_id": "places", "location_id": "1019" });
    assert_eq!(ask(service, "reverse", &reversal).status, 200);
    assert_eq!(stands_at(service, "places", "1019"), 0);
    assert_eq!(stands_at(service, "places", "1020"), 120);
    for path in ["/admin/tabs/places", "/admin/tabs/places?location="] {
        let reply = service.get(path).admin().send();
        assert_eq!(reply.status, 422, "{reply}");
        assert!(reply.text().contains("location"), "{reply}");
    }
}

#[test]
fn a_cart_that_came_net_is_made_gross_again() {
    let service = Service::shared();
    publish(
        service,
        &campaign("net-a", "NETA", &json!([offer("half", &json!({ "percent": "50" }))])),
    );
    publish(
        service,
        &campaign("net-b", "NETB", &json!([offer("half", &json!({ "percent": "50" }))])),
    );
    let location = json!({ "cart": "net" });
    assert_eq!(service.put("/admin/locations/net").admin().json(&location).status, 200);
    let at = |price: u64| {
        let line = json!([{ "id": "1", "sku": "BURGER", "quantity": 1, "unit_price": price }]);
        let mut cart = cart("net", &line);
        cart["location_id"] = json!("net");
        cart
    };
    assert_eq!(given(&redeem(service, &at(1200), &["net-a.half.NETA"])), [600]);
    // The till sends what is left.
    let shown = inquire(service, &at(600), "NETB").json()["offers"][0]["discount"].clone();
    assert_eq!(shown, 300);
    assert_eq!(given(&redeem(service, &at(600), &["net-b.half.NETB"])), [300]);
    assert_eq!(given(&redeem(service, &at(300), &["net-a.half.NETA"])), [600], "as before");
    assert_eq!(stands_at(service, "net", "net"), 900);
    let wrong = service.put("/admin/locations/net").admin().json(&json!({ "cart": "both" }));
    assert_eq!(wrong.status, 422, "{wrong}");
}

#[test]
fn a_reward_and_a_code_are_one_sum_on_a_tab() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    publish(&service, &campaign("beside", "BESIDE", &json!([amount("much", 1000)])));
    let guest = "+13125550142";
    assert_eq!(programme::sign_up(&service, &json!({ "phone": guest })).status, 200);
    assert_eq!(programme::adjust(&service, guest, 100).status, 200);
    let reward = programme::reward(&service, guest, "5 off");
    let tab = Tab::new(&service, "reward-sum");
    assert_eq!(applied(&tab.redeem(&["beside.much.BESIDE"])).len(), 1);
    // The tab costs 11.00, and 10.00 are off already.
    let redeemed = programme::redeem(&service, "reward-sum", &[&reward]);
    assert_eq!(redeemed.json()["offers"][0]["offers"][0]["amount"], 1.0, "{redeemed}");
    assert_eq!(stands(&service, "reward-sum"), 1100);
    // What stands is not offered again, and is given back with the rest of the tab.
    let inquiry = tab.loyalty("INQUIRE", &json!({ "lookup_value": guest })).json();
    assert_eq!(inquiry["offers"], json!([]), "{inquiry}");
    assert_eq!(tab.reverse(&[]).status, 200);
    assert_eq!((stands(&service, "reward-sum"), programme::points(&service, guest).1), (0, 100));
}

#[test]
fn a_closed_tab_earns_once_by_either_of_its_names() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    let guest = "+13125550143";
    assert_eq!(programme::sign_up(&service, &json!({ "phone": guest })).status, 200);
    let both = Tab::new(&service, "earn-uuid").with("tab_id", json!("earn-17")).of(2000);
    let number = both.clone().with("tab_uuid", Value::Null);
    let uuid = both.clone().with("tab_id", Value::Null);
    for tab in [&both, &number, &uuid] {
        let reply = tab.loyalty("ACCRUAL", &json!({ "lookup_value": guest }));
        assert_eq!(reply.status, 200, "{reply}");
        assert_eq!(programme::points(&service, guest).0, 20);
    }
    assert_eq!(number.loyalty("REVERSAL", &json!({})).status, 200);
    assert_eq!(programme::points(&service, guest).0, 0);
}

#[test]
fn an_inquiry_writes_nothing_and_two_redemptions_no_more_than_they_must() {
    let service = Service::start();
    for (id, code) in [("rows-a", "ROWSA"), ("rows-b", "ROWSB")] {
        let quota = json!([{ "per": [], "limit": 50 }]);
        let campaign = campaign(id, code, &json!([amount("a", 100)]));
        publish(&service, &with(campaign, "quotas", quota));
    }
    let rows = |question: &str, id: &str, body: &Value| {
        let request = service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH);
        let reply = request.header("X-Request-Id", id).json(body);
        assert_eq!(reply.status, 200, "{reply}");
        let log = service.log_saying(&format!(r#""id":"{id}""#));
        let line = log.lines().find(|line| line.contains(&format!(r#""id":"{id}""#))).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        line["rows_written"].as_u64().unwrap()
    };
    let tab = burger("rows");
    let redeem = |offer: &str| json!({ "offer_ids": [offer], "cart": tab });
    let inquire = |code: &str| json!({ "code": code, "cart": tab });
    assert_eq!(rows("inquire", "before", &inquire("ROWSA")), 0);
    assert!(rows("redeem", "first", &redeem("rows-a.a.ROWSA")) <= 3);
    assert!(rows("redeem", "again", &redeem("rows-a.a.ROWSA")) <= 2);
    assert!(rows("redeem", "second", &redeem("rows-b.a.ROWSB")) <= 3);
    assert_eq!(rows("inquire", "after", &inquire("ROWSA")), 0);
    assert_eq!(rows("inquire", "other", &inquire("ROWSB")), 0);
}
