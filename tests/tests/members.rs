//! Members: nothing lost, doubled or taken over, whatever is merged, repeated, or told before there is a programme.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::path::Path;
use std::{fs, thread};

use promo_tests::gotab::Tab;
use promo_tests::programme::{
    adjust, eat, inquire, member, points, publish, redeem, reward, sign_up, tap_club,
};
use promo_tests::wallet::{Wallet, numbers, publish_type, service_with, upload};
use promo_tests::{Reply, Service, secrets, wallet};
use serde_json::{Value, json};

const ANNA: &str = "+16085550100";
const BERT: &str = "+16085550101";

fn club() -> Service {
    let service = Service::start();
    publish(&service, &tap_club());
    service
}

/// Two members.
fn club_of_two() -> Service {
    let service = club();
    for phone in [ANNA, BERT] {
        assert_eq!(sign_up(&service, &json!({ "phone": phone })).status, 200);
    }
    service
}

fn merge(service: &Service, into: &str, from: &str) -> Reply {
    service.post(&format!("/admin/members/{into}/merge")).admin().json(&json!({ "from": from }))
}

fn conflicts(service: &Service) -> Vec<Value> {
    let reply = service.get("/admin/conflicts").admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["conflicts"].as_array().unwrap().clone()
}

fn decide(service: &Service, conflict: &Value, verdict: &str) -> Reply {
    let path = format!("/admin/conflicts/{}/{verdict}", conflict["id"].as_str().unwrap());
    service.post(&path).admin().json(&json!({}))
}

fn reverse_tab(service: &Service, tab: &str) {
    let reply = Tab::new(service, tab).loyalty("REVERSAL", &json!({}));
    assert_eq!(reply.status, 200, "{reply}");
}

// ---- adjusting, once ----

#[test]
fn an_adjustment_under_one_key_is_posted_once_and_the_key_with_another_body_is_refused() {
    let service = club_of_two();
    let send = |key: Option<&str>, body: Value| {
        let request = service.post(&format!("/admin/members/{ANNA}/adjust")).admin();
        let request = key.into_iter().fold(request, |it, key| it.header("Idempotency-Key", key));
        request.json(&body)
    };
    let sorry = json!({"points": 50, "reason": "sorry"});
    for _ in 0..3 {
        let reply = send(Some("one"), sorry.clone());
        assert_eq!((reply.status, &reply.json()["balance"]), (200, &json!(50)), "{reply}");
    }
    for other in [json!({"points": 51, "reason": "sorry"}), json!({"points": 50, "reason": "?"})] {
        assert_eq!(send(Some("one"), other).status, 422);
    }
    // By an id in the body, and both.
    let named = json!({"points": 7, "reason": "birthday", "id": "birthday-2026"});
    for key in [None, None, Some("two"), Some("three"), Some("two")] {
        let reply = send(key, named.clone());
        assert_eq!((reply.status, &reply.json()["balance"]), (200, &json!(57)), "{reply}");
    }
    assert_eq!(
        send(None, json!({"points": 8, "reason": "birthday", "id": "birthday-2026"})).status,
        422
    );
    assert_eq!(send(Some("one"), named.clone()).status, 422);
    // Many at once.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(send(Some("rush"), json!({"points": 1, "reason": "r"})).status, 200);
            });
        }
    });
    assert_eq!(points(&service, ANNA), (58, 58));
    // A merger keeps the keys.
    assert_eq!(merge(&service, BERT, ANNA).status, 200);
    assert_eq!(send(Some("one"), sorry).status, 200);
    assert_eq!(send(None, named).status, 200);
    assert_eq!(points(&service, BERT), (58, 58));
    for bad in [
        json!({"points": 1, "reason": "r", "id": ""}),
        json!({"points": 1, "reason": "r", "id": 5}),
    ] {
        assert_eq!(send(None, bad).status, 422);
    }
    assert_eq!(send(Some(&"k".repeat(256)), json!({"points": 1, "reason": "r"})).status, 422);
}

#[test]
fn an_adjustment_that_was_acknowledged_is_not_posted_again_after_a_kill() {
    let mut service = club_of_two();
    let send = |service: &Service| {
        let request = service.post(&format!("/admin/members/{ANNA}/adjust")).admin();
        request.header("Idempotency-Key", "k").json(&json!({"points": 50, "reason": "sorry"}))
    };
    assert_eq!(send(&service).status, 200);
    service.restart();
    assert_eq!(send(&service).status, 200);
    assert_eq!(points(&service, ANNA), (50, 50));
}

#[test]
fn with_clip_the_order_of_two_reversals_leaves_nobody_free_points() {
    for first in ["dinner", "lunch"] {
        let service = Service::start();
        let mut programme = tap_club();
        programme["negative"] = json!("clip");
        publish(&service, &programme);
        sign_up(&service, &json!({ "phone": ANNA }));
        eat(&service, "dinner", ANNA, 10_000);
        let free = reward(&service, ANNA, "Free burger");
        redeem(&service, "lunch", &[&free]);
        reverse_tab(&service, first);
        let between = points(&service, ANNA);
        assert_eq!(between, if first == "dinner" { (0, 0) } else { (200 - 100, 100) });
        reverse_tab(&service, if first == "dinner" { "lunch" } else { "dinner" });
        assert_eq!(points(&service, ANNA), (0, 0), "{first} first");
        let accounts = member(&service, ANNA)["accounts"].clone();
        assert!(accounts.as_object().unwrap().values().all(|held| held == 0), "{accounts}");
        // What is earned now is his.
        eat(&service, "supper", ANNA, 1000);
        assert_eq!(points(&service, ANNA), (10, 10));
    }
}

// ---- merging ----

#[test]
fn a_tab_closed_again_after_a_merger_counts_with_its_new_sum_and_its_reversal_gives_back() {
    for closed_by in [ANNA, BERT] {
        let service = club_of_two();
        eat(&service, "t", BERT, 1000);
        assert_eq!(merge(&service, ANNA, BERT).status, 200);
        assert_eq!(points(&service, ANNA), (10, 10));
        eat(&service, "t", closed_by, 1200);
        assert_eq!((points(&service, ANNA), points(&service, BERT)), ((12, 12), (12, 12)));
        // The old closings once more, late.
        eat(&service, "t", BERT, 1000);
        assert_eq!(points(&service, ANNA), (12, 12));
        reverse_tab(&service, "t");
        assert_eq!(points(&service, ANNA), (0, 0));
        eat(&service, "t", closed_by, 1300);
        assert_eq!(points(&service, BERT), (13, 13));
        member(&service, ANNA);
    }
}

#[test]
fn a_tab_that_both_had_is_counted_once_when_they_are_merged() {
    let service = club_of_two();
    eat(&service, "t", BERT, 1000);
    eat(&service, "t", ANNA, 1100);
    eat(&service, "t", BERT, 1200);
    assert_eq!((points(&service, ANNA), points(&service, BERT)), ((0, 0), (12, 12)));
    assert_eq!(merge(&service, ANNA, BERT).status, 200);
    assert_eq!(points(&service, ANNA), (12, 12));
    eat(&service, "t", ANNA, 1500);
    assert_eq!(points(&service, BERT), (15, 15));
}

#[test]
fn mergers_that_cross_at_once_end_in_one_member_whom_everybody_reaches() {
    for round in 0..3 {
        let service = club_of_two();
        eat(&service, "a", ANNA, 1000);
        eat(&service, "b", BERT, 2000);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|n| {
                    let (into, from) = if n % 2 == 0 { (ANNA, BERT) } else { (BERT, ANNA) };
                    let service = &service;
                    scope.spawn(move || merge(service, into, from).status)
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
        assert!(statuses.contains(&200), "round {round}: {statuses:?}");
        assert_eq!(member(&service, ANNA)["number"], member(&service, BERT)["number"]);
        for guest in [ANNA, BERT] {
            assert_eq!(points(&service, guest), (30, 30));
        }
        for guest in [ANNA, BERT] {
            eat(&service, &format!("again-{guest}"), guest, 100);
        }
        assert_eq!(points(&service, ANNA), (32, 32));
        assert_eq!(merge(&service, ANNA, BERT).status, 409);
        assert_eq!(merge(&service, ANNA, ANNA).status, 409);
    }
}

#[test]
fn mergers_in_a_ring_at_once_end_in_one_member() {
    let service = club_of_two();
    let third = "+16085550102";
    sign_up(&service, &json!({ "phone": third }));
    for (n, guest) in [ANNA, BERT, third].into_iter().enumerate() {
        eat(&service, &format!("tab-{n}"), guest, 1000);
    }
    thread::scope(|scope| {
        for (into, from) in [(ANNA, BERT), (BERT, third), (third, ANNA)] {
            let service = &service;
            scope.spawn(move || {
                let status = merge(service, into, from).status;
                assert!(matches!(status, 200 | 409), "{status}");
            });
        }
    });
    for guest in [ANNA, BERT, third] {
        assert_eq!(points(&service, guest), (30, 30));
    }
}

#[test]
fn tabs_and_rewards_are_found_after_twelve_mergers_in_a_chain() {
    let service = club();
    let phone = |n: usize| format!("+1608555{n:04}");
    sign_up(&service, &json!({ "phone": phone(0) }));
    eat(&service, "old", &phone(0), 20_000);
    let free = reward(&service, &phone(0), "Free burger");
    redeem(&service, "lunch", &[&free]);
    for n in 0..12 {
        sign_up(&service, &json!({ "phone": phone(n + 1) }));
        let reply = merge(&service, &phone(n + 1), &phone(n));
        assert_eq!(reply.status, 200, "{n}: {reply}");
    }
    assert_eq!(points(&service, &phone(0)), (100, 100));
    eat(&service, "old", &phone(3), 21_000);
    assert_eq!(points(&service, &phone(12)), (110, 110));
    reverse_tab(&service, "lunch");
    assert_eq!(points(&service, &phone(7)), (210, 210));
    reverse_tab(&service, "old");
    assert_eq!(points(&service, &phone(0)), (0, 0));
}

#[test]
fn tabs_closed_and_reversed_while_members_are_merged_are_neither_lost_nor_doubled() {
    let service = club_of_two();
    for n in 0..4 {
        eat(&service, &format!("t{n}"), BERT, 1000);
    }
    thread::scope(|scope| {
        let service = &service;
        scope.spawn(move || {
            let merged = merge(service, ANNA, BERT);
            assert!(matches!(merged.status, 200 | 409), "{merged}");
        });
        scope.spawn(move || merge(service, BERT, ANNA));
        scope.spawn(move || eat(service, "t0", BERT, 1200));
        scope.spawn(move || eat(service, "t1", ANNA, 1300));
        scope.spawn(move || reverse_tab(service, "t2"));
    });
    assert_eq!(points(&service, ANNA), (12 + 13 + 10, 35));
    assert_eq!(points(&service, BERT), (35, 35));
}

// ---- nothing is acknowledged and dropped ----

/// Changes what KV keeps by hand, while nothing runs: the texts are of one length.
fn by_hand(dir: &Path, from: &str, to: &str) -> usize {
    let mut changed = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            changed += by_hand(&path, from, to);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let from = from.as_bytes();
        if let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
            let mut bytes = bytes;
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            fs::write(&path, bytes).unwrap();
            changed += 1;
        }
    }
    changed
}

#[test]
fn with_a_programme_that_cannot_be_read_nothing_is_acknowledged() {
    let mut service = club();
    sign_up(&service, &json!({ "phone": ANNA }));
    eat(&service, "t", ANNA, 1000);
    service.kill();
    assert!(by_hand(service.state(), "\"retroactive_days\":", "\"retroactive_dayz\":") > 0);
    service.restart();
    for (event, tab) in [("ACCRUAL", "u"), ("REVERSAL", "t"), ("INQUIRE", "v"), ("CREATE", "w")] {
        let reply = Tab::new(&service, tab).loyalty(event, &json!({ "lookup_value": ANNA }));
        assert_eq!(reply.status, 503, "{event}: {reply}");
    }
    // Put right, the till's next attempt counts.
    publish(&service, &tap_club());
    assert_eq!(points(&service, ANNA), (10, 10));
    eat(&service, "u", ANNA, 2000);
    reverse_tab(&service, "t");
    assert_eq!(points(&service, ANNA), (20, 20));
}

#[test]
fn a_tab_closed_before_there_is_a_programme_is_counted_once_there_is_one() {
    let service = Service::start();
    eat(&service, "plain", ANNA, 1000);
    eat(&service, "plain", ANNA, 1000);
    eat(&service, "reversed", ANNA, 5000);
    reverse_tab(&service, "reversed");
    eat(&service, "again", ANNA, 3000);
    eat(&service, "again", ANNA, 3300);
    let items = json!([{"sku": "IPA", "quantity": 2, "unit_price": 700},
        {"sku": "IPA", "quantity": 1, "unit_price": 700}, {"sku": "PIZZA", "unit_price": 1500}]);
    let beers = Tab::new(&service, "beers").of(3600).with("items", items);
    assert_eq!(beers.loyalty("ACCRUAL", &json!({ "lookup_value": ANNA })).status, 200);
    assert_eq!(inquire(&service, ANNA).status, 404);

    let mut programme = tap_club();
    programme["earn"] = json!([{"points": 1, "per_amount": 100},
        {"points": 10, "per_item": {"sku": ["IPA"]}}]);
    publish(&service, &programme);
    let expected = 10 + 33 + 36 + 30;
    sign_up(&service, &json!({ "phone": ANNA }));
    assert_eq!(points(&service, ANNA), (expected, expected));
    // The same closing again, and another.
    eat(&service, "plain", ANNA, 1000);
    assert_eq!(points(&service, ANNA), (expected, expected));
    eat(&service, "plain", ANNA, 1100);
    assert_eq!(points(&service, ANNA), (expected + 1, expected + 1));
    reverse_tab(&service, "beers");
    assert_eq!(points(&service, ANNA), (44, 44));
}

#[test]
fn a_tab_waits_for_a_programme_as_long_as_that_counts_back() {
    for (days, counted) in [(30, 10), (91, 0)] {
        let mut service = Service::start();
        eat(&service, "t", ANNA, 1000);
        let offset = (days * 24 * 60 * 60).to_string();
        service.restart_with(|options| options.var("CLOCK_OFFSET", &offset));
        publish(&service, &tap_club());
        sign_up(&service, &json!({ "phone": ANNA }));
        assert_eq!(points(&service, ANNA), (counted, counted), "{days} days");
    }
}

#[test]
fn a_closed_tab_of_less_than_nothing_earns_nothing_and_takes_back_what_it_had_earned() {
    let service = club_of_two();
    eat(&service, "t", ANNA, 1000);
    let sum = |tab: &str, key: &str, sum: Value| {
        let tab = Tab::new(&service, tab).of(1000).with(key, sum);
        let reply = tab.loyalty("ACCRUAL", &json!({ "lookup_value": ANNA }));
        assert_eq!(reply.status, 200, "{reply}");
    };
    sum("t", "subtotal", json!(-500));
    assert_eq!(points(&service, ANNA), (0, 0));
    sum("u", "total", json!(-1));
    sum("v", "total", json!("-10.50"));
    assert_eq!(points(&service, ANNA), (0, 0));
    eat(&service, "t", ANNA, 1500);
    assert_eq!(points(&service, ANNA), (15, 15));
}

// ---- cards ----

#[test]
fn a_tab_closed_by_a_cards_number_is_its_holders() {
    let app = Wallet::start();
    let service = service_with(&app);
    publish_type(&service, "1000", "card", &json!({}));
    assert_eq!(upload(&service, "1000", &numbers("1000", 0, 5)).status, 200);
    let asked = wallet::notify(&service, "1000", "10", "card@x.example");
    assert_eq!(asked.status, 202, "{asked}");
    wallet::wait_for_count(&service, "1000", "active", 1);
    let number = app.number_of("10");

    // Before there is a programme, too.
    eat(&service, "early", &number, 1000);
    publish(&service, &tap_club());
    eat(&service, "t", &number, 2000);
    assert_eq!(points(&service, "card@x.example"), (30, 30));
    assert_eq!(points(&service, &number), (30, 30));
    for kind in ["loyalty_number", "LOYALTY_NUMBER", "other"] {
        let tab = Tab::new(&service, kind).of(1000);
        let more = json!({"lookup_value": number, "lookup_type": kind});
        assert_eq!(tab.loyalty("ACCRUAL", &more).status, 200);
    }
    assert_eq!(points(&service, &number), (60, 60));
    // The card is who was looked up; that the tab names somebody else is for an operator.
    sign_up(&service, &json!({ "phone": ANNA }));
    let tab = Tab::new(&service, "both").of(1000).with("customers", json!({ "phone": ANNA }));
    assert_eq!(tab.loyalty("ACCRUAL", &json!({ "lookup_value": number })).status, 200);
    assert_eq!((points(&service, &number), points(&service, ANNA)), ((70, 70), (0, 0)));
    assert_eq!(conflicts(&service).len(), 1);
}

#[test]
fn what_the_till_says_it_looked_up_is_read_as_that() {
    let service = club_of_two();
    let ask = |kind: &str, value: &str| {
        let more = json!({"lookup_value": value, "lookup_type": kind});
        Tab::new(&service, "t").loyalty("INQUIRE", &more).status
    };
    assert_eq!(ask("phone", "(608) 555-0100"), 200);
    assert_eq!(ask("PHONE", "(608) 555-0100"), 200);
    assert_eq!(ask("anything", "(608) 555-0100"), 200);
    assert_eq!(ask("email", "(608) 555-0100"), 404);
    assert_eq!(ask("loyalty_number", "(608) 555-0100"), 404);
    let number = member(&service, ANNA)["number"].as_str().unwrap().to_owned();
    assert_eq!(ask("loyalty_number", &number), 200);
}

// ---- nobody is taken over ----

#[test]
fn signing_up_with_a_strangers_phone_does_not_take_over_his_account() {
    let service = club_of_two();
    adjust(&service, ANNA, 500);
    let thief = "thief@x.example";
    for _ in 0..2 {
        let reply = sign_up(&service, &json!({"phone": ANNA, "email": thief}));
        assert_eq!(reply.status, 200, "{reply}");
        assert_eq!(reply.json()["number"], member(&service, ANNA)["number"]);
    }
    assert_eq!(inquire(&service, thief).status, 404);
    eat(&service, "thief", thief, 1000);
    assert_eq!(points(&service, ANNA), (500, 500));
    let listed = conflicts(&service);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["identifiers"], json!(["email"]));
    assert_eq!(listed[0]["members"][0]["number"], member(&service, ANNA)["number"]);
    assert!(!listed[0].to_string().contains("thief"), "{listed:?}");

    assert_eq!(decide(&service, &listed[0], "dismiss").status, 200);
    assert_eq!(decide(&service, &listed[0], "dismiss").status, 200);
    assert_eq!(decide(&service, &listed[0], "accept").status, 409);
    assert_eq!(conflicts(&service), [] as [Value; 0]);
    sign_up(&service, &json!({"phone": ANNA, "email": thief}));
    assert_eq!(conflicts(&service), [] as [Value; 0]);
    // He may have an account of his own.
    let own = sign_up(&service, &json!({ "email": thief }));
    assert_ne!(own.json()["number"], member(&service, ANNA)["number"]);
    assert_eq!(points(&service, thief), (10, 10));
}

#[test]
fn what_an_operator_accepts_is_the_members_with_the_tabs_that_waited_for_it() {
    let service = club_of_two();
    let mail = "anna@x.example";
    eat(&service, "t", mail, 1000);
    sign_up(&service, &json!({"phone": ANNA, "email": mail}));
    assert_eq!(points(&service, ANNA), (0, 0));
    let listed = conflicts(&service);
    for _ in 0..2 {
        let accepted = decide(&service, &listed[0], "accept");
        assert_eq!((accepted.status, &accepted.json()["balance"]), (200, &json!(10)), "{accepted}");
    }
    assert_eq!((points(&service, ANNA), points(&service, mail)), ((10, 10), (10, 10)));
    assert_eq!(decide(&service, &listed[0], "dismiss").status, 409);
    let nothing = json!({"id": "nothing"});
    assert_eq!(decide(&service, &nothing, "accept").status, 404);
    // Signed up again with both, there is nothing to decide.
    sign_up(&service, &json!({"phone": ANNA, "email": mail}));
    assert_eq!(conflicts(&service), [] as [Value; 0]);

    // An address that somebody else has meanwhile is not taken from him.
    let other = "bert@x.example";
    sign_up(&service, &json!({"phone": BERT, "email": other}));
    let listed = conflicts(&service);
    sign_up(&service, &json!({ "email": other }));
    assert_eq!(decide(&service, &listed[0], "accept").status, 409);
    assert_ne!(member(&service, other)["number"], member(&service, BERT)["number"]);
}

#[test]
fn a_sign_up_that_names_two_members_answers_the_phones_and_accepting_merges_them() {
    let service = club();
    let mail = "a@b.example";
    sign_up(&service, &json!({ "phone": ANNA }));
    sign_up(&service, &json!({ "email": mail }));
    adjust(&service, ANNA, 100);
    adjust(&service, mail, 11);
    let both = sign_up(&service, &json!({"phone": ANNA, "email": mail}));
    assert_eq!(both.status, 200, "{both}");
    assert_eq!(both.json()["number"], member(&service, ANNA)["number"]);
    assert_eq!((points(&service, ANNA), points(&service, mail)), ((100, 100), (11, 11)));
    let listed = conflicts(&service);
    assert_eq!((listed.len(), listed[0]["members"].as_array().unwrap().len()), (1, 2));
    for _ in 0..2 {
        assert_eq!(decide(&service, &listed[0], "accept").status, 200);
        assert_eq!((points(&service, ANNA), points(&service, mail)), ((111, 111), (111, 111)));
    }
    assert_eq!(member(&service, mail)["number"], both.json()["number"]);
    assert_eq!(conflicts(&service), [] as [Value; 0]);
}

#[test]
fn sign_ups_at_once_with_one_phone_and_two_addresses_give_the_account_to_one() {
    for round in 0..4 {
        let service = club();
        let mails = ["one@x.example", "two@x.example"];
        thread::scope(|scope| {
            for mail in mails {
                let service = &service;
                scope.spawn(move || {
                    let reply = sign_up(service, &json!({"phone": ANNA, "email": mail}));
                    assert_eq!(reply.status, 200, "{reply}");
                });
            }
        });
        let found = mails.iter().filter(|mail| inquire(&service, mail).status == 200).count();
        assert_eq!((found, conflicts(&service).len()), (1, 1), "round {round}");
    }
}

#[test]
fn an_erased_person_is_in_no_conflict_and_in_nobodys_way() {
    let service = club_of_two();
    let mail = "anna@x.example";
    sign_up(&service, &json!({"phone": ANNA, "email": mail}));
    sign_up(&service, &json!({"phone": BERT, "email": "bert@x.example"}));
    assert_eq!(conflicts(&service).len(), 2);
    for customer in [ANNA, "bert@x.example"] {
        let reply = service.delete(&format!("/admin/customers/{customer}")).admin().send();
        assert!(matches!(reply.status, 200 | 202), "{reply}");
    }
    assert_eq!(conflicts(&service), [] as [Value; 0]);
    let again = sign_up(&service, &json!({"phone": ANNA, "email": mail}));
    assert_eq!(again.status, 200);
    assert_eq!(points(&service, mail), (0, 0));
}

#[test]
fn a_loyalty_number_that_nobody_has_makes_no_member() {
    let service = club_of_two();
    let number = member(&service, ANNA)["number"].clone();
    let reply = service.delete(&format!("/admin/customers/{ANNA}")).admin().send();
    assert!(matches!(reply.status, 200 | 202), "{reply}");
    let create = |more: Value| {
        let tab = Tab::new(&service, "t");
        tab.loyalty("CREATE", &more)
    };
    let refused = create(json!({ "lookup_value": number }));
    assert_eq!(refused.status, 400, "{refused}");
    let made = create(json!({"lookup_value": number, "customer": {"phone": "+1 608 555 0109"}}));
    assert_eq!(made.status, 200, "{made}");
    assert_eq!(inquire(&service, number.as_str().unwrap()).status, 404);
    let unsigned =
        service.post("/admin/conflicts/x/accept").auth(secrets::API_AUTH).json(&json!({}));
    assert_eq!(unsigned.status, 401);
}
