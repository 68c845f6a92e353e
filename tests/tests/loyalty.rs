//! Loyalty as a till sees it: points for every closed tab, once; rewards for points, once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::thread;

use promo_tests::erasure::erase;
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::programme::{
    adjust, eat, inquire, member, points, publish, redeem, reward, sign_up, tap_club,
};
use promo_tests::{Service, campaign, secrets};
use serde_json::{Value, json};

/// A service of its own: a programme is one a deployment.
fn club() -> Service {
    let service = Service::start();
    publish(&service, &tap_club());
    service
}

fn rows_written(service: &Service, outcome: &str) -> u64 {
    nth_rows_written(service, outcome, 1)
}

/// Of the request that was so manieth to have that outcome; its line may come after its reply.
fn nth_rows_written(service: &Service, outcome: &str, nth: usize) -> u64 {
    let look = |_| {
        thread::sleep(std::time::Duration::from_millis(10));
        service.log().into_iter().filter(|line| line.contains(outcome)).nth(nth - 1)
    };
    let line = (0..500).find_map(look).unwrap();
    serde_json::from_str::<Value>(&line).unwrap()["rows_written"].as_u64().unwrap()
}

#[test]
fn a_guest_who_eats_three_times_and_signs_up_has_the_points_of_all_three() {
    let service = club();
    eat(&service, "one", "+1 608 555 0100", 1100);
    assert!(rows_written(&service, "\"outcome\":\"waits\"") <= 4);
    eat(&service, "two", "(608) 555-0100", 2000);
    eat(&service, "three", "608.555.0100", 399);
    assert_eq!(inquire(&service, "6085550100").status, 404);

    let made = sign_up(&service, &json!({"phone": "608 555 0100", "email": "A.Guest@gmail.com"}));
    assert_eq!(made.status, 200, "{made}");
    assert_eq!(points(&service, "+16085550100"), (34, 34));
    let number = made.json()["number"].as_str().unwrap().to_owned();
    for guest in ["aguest+tap@gmail.com", &number, &number.to_lowercase()] {
        assert_eq!(points(&service, guest), (34, 34), "{guest}");
    }
    // Again: the same member.
    let again = sign_up(&service, &json!({"email": "a.guest@gmail.com"}));
    assert_eq!(again.json()["number"], made.json()["number"]);

    // A fourth tab, closed twice with different sums, and the first closing once more.
    for subtotal in [1000, 1500, 1000] {
        eat(&service, "four", &number, subtotal);
    }
    assert_eq!(points(&service, &number), (49, 49));
    // And one of the three, now that its guest is a member.
    eat(&service, "one", "+1 608 555 0100", 1100);
    eat(&service, "two", "+1 608 555 0100", 2100);
    assert_eq!(points(&service, &number), (50, 50));
    assert_eq!(member(&service, "6085550100")["number"], number);
}

#[test]
fn an_accrual_of_a_non_member_writes_few_rows_and_its_repeat_none() {
    let service = club();
    eat(&service, "warm", "+1 608 555 0199", 1100);
    assert!(rows_written(&service, "\"tab\":\"warm\"") <= 4);
    let both = json!({"customers": {"phone": "+1 608 555 0150", "email": "both@x.example"}});
    let tab = Tab::new(&service, "both").with("customers", both["customers"].clone());
    assert_eq!(tab.loyalty("ACCRUAL", &json!({})).status, 200);
    assert!(rows_written(&service, "\"tab\":\"both\"") <= 4);
    eat(&service, "warm", "+1 608 555 0199", 1100);
    assert_eq!(nth_rows_written(&service, "\"tab\":\"warm\"", 2), 0);
}

#[test]
fn twenty_redeems_at_once_for_the_same_points_are_one() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    assert_eq!(adjust(&service, "+16085550100", 100).status, 200);
    let free = reward(&service, "+16085550100", "Free burger");

    let replies: Vec<(usize, Vec<String>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|n| {
                let (service, free) = (&service, &free);
                scope.spawn(move || {
                    let reply = redeem(service, &format!("rush-{n}"), &[free]);
                    assert_eq!(reply.status, 200, "{reply}");
                    (applied(&reply).len(), reasons(&reply))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    assert_eq!(replies.iter().filter(|(applied, _)| *applied == 1).count(), 1, "{replies:?}");
    let refused = replies.iter().filter(|(_, reasons)| reasons == &["insufficient_points"]).count();
    assert_eq!(refused, 19, "{replies:?}");
    let member = member(&service, "+16085550100");
    assert_eq!((&member["balance"], &member["accounts"]["spent"]), (&json!(0), &json!(100)));
}

#[test]
fn the_same_redeem_again_has_the_same_answer_and_a_reversal_returns_the_points() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    adjust(&service, "+16085550100", 120);
    let free = reward(&service, "+16085550100", "Free burger");

    let first = redeem(&service, "t", &[&free]);
    assert_eq!(applied(&first), [(free.clone(), "11.0".to_owned())], "{first}");
    assert_eq!(first.json()["loyalty_points"][0]["available"], 20);
    let again = redeem(&service, "t", &[&free]);
    assert_eq!(again.body, first.body);

    let tab = Tab::new(&service, "t");
    for _ in 0..2 {
        let reversed = tab.loyalty("REVERSAL", &json!({ "offers": [free] }));
        assert_eq!((reversed.status, reversed.json()), (200, json!({})));
        assert_eq!(points(&service, "+16085550100"), (120, 120));
    }
    // A genuine new one counts again.
    assert_eq!(applied(&redeem(&service, "t", &[&free])).len(), 1);
    assert_eq!(points(&service, "+16085550100"), (20, 20));
}

#[test]
fn two_rewards_are_checked_together_and_what_is_too_dear_says_so() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    adjust(&service, "+16085550100", 120);
    let free = reward(&service, "+16085550100", "Free burger");
    let five = reward(&service, "+16085550100", "5 off");
    let reply = redeem(&service, "t", &[&five, &free]);
    assert_eq!(applied(&reply).len(), 1, "{reply}");
    assert_eq!(reasons(&reply).len(), 1, "{reply}");
    let spent = 120 - points(&service, "+16085550100").1;
    assert_eq!(spent, if applied(&reply)[0].0 == free { 100 } else { 50 });
    // Nobody who has none of the points is offered what costs them.
    let offers = inquire(&service, "+16085550100").json()["offers"].to_string();
    assert!(!offers.contains("free-burger"), "{offers}");
}

#[test]
fn points_are_spent_for_their_value_whole_or_not_at_all() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    adjust(&service, "+16085550100", 300);
    let pay = |tab: &str, points: u64| {
        let more = json!({ "lookup_value": "+16085550100", "points": points });
        Tab::new(&service, tab).loyalty("REDEEM", &more)
    };
    let refused = pay("t", 301);
    assert_eq!(reasons(&refused), ["insufficient_points"], "{refused}");
    let first = pay("t", 200);
    assert_eq!(applied(&first)[0].1, "2.0", "{first}");
    assert_eq!(first.json()["loyalty_points"][0]["available"], 100);
    assert_eq!(pay("t", 200).body, first.body);
    // No more is taken than the tab costs.
    adjust(&service, "+16085550100", 2000);
    let rest = pay("u", 2000);
    assert_eq!(applied(&rest)[0].1, "11.0", "{rest}");
    assert_eq!(points(&service, "+16085550100"), (1000, 1000));
    Tab::new(&service, "u").loyalty("REVERSAL", &json!({}));
    assert_eq!(points(&service, "+16085550100"), (2100, 2100));
}

#[test]
fn a_whole_tab_reversed_takes_back_what_it_earned_though_it_is_spent() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    eat(&service, "dinner", "+16085550100", 10_000);
    assert_eq!(points(&service, "+16085550100"), (100, 100));
    let free = reward(&service, "+16085550100", "Free burger");
    redeem(&service, "lunch", &[&free]);
    // GoTab may say no more than which tab.
    let reversal = Tab::new(&service, "dinner").loyalty("REVERSAL", &json!({}));
    assert_eq!(reversal.status, 200, "{reversal}");
    assert_eq!(points(&service, "+16085550100"), (-100, -100));
    // What is earned next pays it.
    eat(&service, "supper", "+16085550100", 13_000);
    assert_eq!(points(&service, "+16085550100"), (30, 30));
    // The dinner's closing again, late, is not earned again.
    eat(&service, "dinner", "+16085550100", 10_000);
    assert_eq!(points(&service, "+16085550100"), (30, 30));
    member(&service, "+16085550100");
}

#[test]
fn a_reversal_that_overtakes_the_sign_up_takes_the_waiting_tab_with_it() {
    let service = club();
    eat(&service, "t", "+16085550100", 1000);
    eat(&service, "u", "+16085550100", 1000);
    Tab::new(&service, "t").loyalty("REVERSE", &json!({}));
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    assert_eq!(points(&service, "+16085550100"), (10, 10));
}

#[test]
fn sign_ups_at_once_with_one_phone_written_two_ways_make_one_member() {
    let service = club();
    let numbers: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..10)
            .map(|n| {
                let service = &service;
                let phone = if n % 2 == 0 { "+1 608 555 0100" } else { "(608) 555-0100" };
                scope.spawn(move || {
                    let reply = sign_up(service, &json!({ "phone": phone }));
                    assert_eq!(reply.status, 200, "{reply}");
                    reply.json()["number"].as_str().unwrap().to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
}

#[test]
fn a_phone_of_one_member_and_an_address_of_another_are_listed_for_merging() {
    let service = club();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    sign_up(&service, &json!({"email": "a@b.example"}));
    adjust(&service, "+16085550100", 100);
    adjust(&service, "a@b.example", 11);
    let free = reward(&service, "+16085550100", "Free burger");
    redeem(&service, "t", &[&free]);

    let both = json!({"phone": "6085550100", "email": "A@B.example"});
    let phones = sign_up(&service, &both);
    assert_eq!(phones.status, 200, "{phones}");
    assert_eq!(phones.json()["number"], member(&service, "+16085550100")["number"]);
    let list = service.get("/admin/conflicts").admin().send().json();
    let members = list["conflicts"][0]["members"].as_array().unwrap().clone();
    assert_eq!((list["conflicts"].as_array().unwrap().len(), members.len()), (1, 2), "{list}");

    // The second tells the truth about the merged; whoever is merged has his redemptions still.
    let merge = json!({"from": "+16085550100"});
    let merged = service.post("/admin/members/a@b.example/merge").admin().json(&merge);
    assert_eq!(merged.status, 200, "{merged}");
    assert_eq!(member(&service, "+16085550100")["number"], merged.json()["number"]);
    assert_eq!(points(&service, "+16085550100"), (11, 11));
    assert_eq!(sign_up(&service, &both).status, 200);
    let list = service.get("/admin/conflicts").admin().send().json();
    assert_eq!(list["conflicts"], json!([]));
    Tab::new(&service, "t").loyalty("REVERSAL", &json!({ "offers": [free] }));
    assert_eq!(points(&service, "a@b.example"), (111, 111));
    let again = service.post("/admin/members/a@b.example/merge").admin().json(&merge);
    assert_eq!(again.status, 409, "{again}");
}

#[test]
fn points_pend_mature_and_expire_by_business_days() {
    let mut service = Service::start();
    let mut programme = tap_club();
    programme["pending_days"] = json!(2);
    programme["expire"] = json!({"after_months": 1});
    programme["tiers"] =
        json!([{"id": "gold", "from_points": 10, "within_months": 1, "multiplier": "1.5"}]);
    publish(&service, &programme);
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    eat(&service, "one", "+16085550100", 1000);
    assert_eq!(points(&service, "+16085550100"), (10, 0));
    // A tab earns at the tier held before it.
    eat(&service, "two", "+16085550100", 1000);
    assert_eq!(points(&service, "+16085550100"), (25, 0));
    assert_eq!(member(&service, "+16085550100")["tier"], "gold");

    let mut later = |days: u64| {
        let offset = (days * 24 * 60 * 60).to_string();
        service.restart_with(|options| options.var("CLOCK_OFFSET", &offset));
        assert_eq!(service.get("/healthz").send().json()["clock_offset"].to_string(), offset);
        let member = member(&service, "+16085550100");
        (points(&service, "+16085550100"), member["tier"].clone())
    };
    assert_eq!(later(1), ((25, 0), json!("gold")));
    assert_eq!(later(2), ((25, 25), json!("gold")));
    assert_eq!(later(27), ((25, 25), json!("gold")));
    assert_eq!(later(32), ((0, 0), Value::Null));
}

#[test]
fn a_clock_that_was_moved_serves_this_machine_only() {
    let service = Service::with().var("CLOCK_OFFSET", "60").start();
    assert_eq!(service.get("/healthz").send().status, 200);
    let elsewhere = service.get("/healthz").header("Host", "promo.example").send();
    assert_eq!(elsewhere.status, 503, "{elsewhere}");
    service.log_saying("CLOCK_OFFSET");
    let service = Service::with().var("CLOCK_OFFSET", "tomorrow").start();
    assert_eq!(service.get("/healthz").send().status, 503);
}

#[test]
fn an_erased_member_leaves_nothing_that_names_him() {
    let service = club();
    let made = sign_up(&service, &json!({"phone": "+1 608 555 0100", "email": "a@b.example"}));
    let number = made.json()["number"].as_str().unwrap().to_owned();
    eat(&service, "t", "+16085550100", 10_000);
    let free = reward(&service, "+16085550100", "Free burger");
    redeem(&service, "u", &[&free]);
    eat(&service, "waits", "+1 608 555 0177", 10_000);

    for customer in ["+16085550100", "+16085550100", "+16085550177"] {
        erase(&service, customer);
    }
    for guest in ["+16085550100", "a@b.example", &number] {
        assert_eq!(inquire(&service, guest).status, 404, "{guest}");
        let shown = service.get(&format!("/admin/members/{guest}")).admin().send();
        assert_eq!(shown.status, 404, "{shown}");
    }
    // What a till still has of him is worth nothing, and harms nobody.
    assert_eq!(redeem(&service, "v", &[&free]).status, 404);
    assert_eq!(Tab::new(&service, "u").loyalty("REVERSAL", &json!({})).status, 200);
    assert_eq!(Tab::new(&service, "t").loyalty("REVERSAL", &json!({})).status, 200);
    // He may come again, as anybody may.
    let again = sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    assert_ne!(again.json()["number"], number.as_str());
    assert_eq!(points(&service, "+16085550100"), (0, 0));
    sign_up(&service, &json!({"phone": "+1 608 555 0177"}));
    assert_eq!(points(&service, "+16085550177"), (0, 0));
}

#[test]
fn a_reward_counts_its_quota_and_a_failed_one_costs_nothing() {
    let service = Service::start();
    let mut programme = tap_club();
    programme["rewards"][0]["quotas"] = json!([{"per": [], "limit": 1}]);
    publish(&service, &programme);
    let mut offers = Vec::new();
    for guest in ["+16085550100", "+16085550101"] {
        sign_up(&service, &json!({ "phone": guest }));
        adjust(&service, guest, 100);
        offers.push(reward(&service, guest, "Free burger"));
    }
    assert_eq!(applied(&redeem(&service, "a", &[&offers[0]])).len(), 1);
    let refused = redeem(&service, "b", &[&offers[1]]);
    assert_eq!(reasons(&refused), ["quota_exhausted"], "{refused}");
    assert_eq!(points(&service, "+16085550101"), (100, 100));
    let listed = inquire(&service, "+16085550101").json()["offers"].to_string();
    assert!(!listed.contains("free-burger"), "{listed}");
    // Given back, it is there for the other.
    Tab::new(&service, "a").loyalty("REVERSAL", &json!({}));
    assert_eq!(points(&service, "+16085550100"), (100, 100));
    assert_eq!(applied(&redeem(&service, "b", &[&offers[1]])).len(), 1);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let mut service = club();
    eat(&service, "one", "+16085550100", 10_000);
    service.restart();
    sign_up(&service, &json!({"phone": "+1 608 555 0100"}));
    service.restart();
    eat(&service, "two", "+16085550100", 5_000);
    service.restart();
    let free = reward(&service, "+16085550100", "Free burger");
    let answer = redeem(&service, "t", &[&free]);
    service.restart();
    assert_eq!(redeem(&service, "t", &[&free]).body, answer.body);
    assert_eq!(points(&service, "+16085550100"), (50, 50));
}

#[test]
fn a_loyalty_event_that_cannot_be_read_names_the_field() {
    let service = club();
    let tab = Tab::new(&service, "t");
    for (event, more, pointer) in [
        ("NOTHING", json!({}), "/event_type"),
        ("INQUIRE", json!({}), "/lookup_value"),
        ("CREATE", json!({"customer": {"phone": "12"}}), "/customer/phone"),
        ("CREATE", json!({}), "/customer"),
        ("REDEEM", json!({"points": "many"}), "/points"),
        ("ACCRUAL", json!({"tab_data": {}}), "/tab_data/tab_uuid"),
        ("INQUIRE", json!({"location_id": null, "tab_data": null}), "/location_id"),
    ] {
        let reply = tab.loyalty(event, &more);
        assert_eq!(reply.status, 400, "{event}: {reply}");
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply}");
    }
    assert_eq!(inquire(&service, "nobody").status, 404);
    assert_eq!(inquire(&service, "M123456789012").status, 404);
    let wrong = service.post("/gotab/loyalty").auth(secrets::GOTAB_PROMO_AUTH).json(&json!({}));
    assert_eq!(wrong.status, 401);
}

#[test]
fn without_a_programme_nobody_is_a_member_and_tabs_close_all_the_same() {
    let service = Service::start();
    eat(&service, "t", "+16085550100", 1000);
    assert_eq!(inquire(&service, "+16085550100").status, 404);
    assert_eq!(service.get("/admin/programme").admin().send().status, 404);
}

#[test]
fn a_programme_with_faults_is_told_all_of_them() {
    let service = Service::start();
    let put = |document: &Value| service.put("/admin/programme").admin().json(document);
    let reply = put(&json!({"name": "", "earn": [{"points": 0}], "tiers": [{"id": "Gold"}]}));
    assert_eq!(reply.status, 422, "{reply}");
    assert!(reply.json()["errors"].as_array().unwrap().len() >= 4, "{reply}");
    let warned = put(&json!({"name": "Empty"}));
    assert_eq!(warned.json()["warnings"].as_array().unwrap().len(), 2, "{warned}");
    assert_eq!(service.get("/admin/programme").admin().send().json(), json!({"name": "Empty"}));
    let reserved = campaign::ten_percent("loyalty-programme", "REWARD10");
    let reply = service.put("/admin/campaigns/loyalty-programme").admin().json(&reserved);
    assert_eq!(reply.status, 422, "{reply}");
}
