//! Guessing: who has tried too many codes that are none is not listened to for a while.

use std::thread::sleep;
use std::time::Duration;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied};
use promo_tests::{Reply, Service, secrets};
use serde_json::json;

fn tab<'a>(service: &'a Service, location: &str, name: &str) -> Tab<'a> {
    Tab::new(service, name).with("location_id", json!(location))
}

fn inquire(service: &Service, location: &str, tab: &str, code: &str) -> Reply {
    service.post("/v1/inquire").auth(secrets::API_AUTH).json(&json!({
        "code": code,
        "cart": { "tab_id": tab, "location_id": location, "currency": "USD",
            "lines": [{ "id": "1", "quantity": 1, "unit_price": 1000 }] },
    }))
}

/// What of a reply a guest could tell apart: all but the request's id and how long things took.
fn seen(reply: &Reply) -> (u16, Vec<u8>, Vec<(String, String)>) {
    let headers = reply.headers.iter().map(|(name, value)| match name.as_str() {
        "date" | "x-request-id" => (name.clone(), String::new()),
        "server-timing" => {
            let parts: Vec<_> =
                value.split(", ").filter_map(|part| part.split(';').next()).collect();
            (name.clone(), parts.join(","))
        }
        _ => (name.clone(), value.clone()),
    });
    (reply.status, reply.body.clone(), headers.collect())
}

#[test]
fn ten_misses_close_a_tab_to_every_code_and_the_others_go_on() {
    let service = Service::shared();
    publish(service, &ten_percent("guarded", "GUARDED10"));
    let guesser = tab(service, "guard-1", "guesser");
    let offer = guesser.offer_of("GUARDED10");
    let misses: Vec<_> = (0..9).map(|n| guesser.inquire(&format!("GUESS{n}"))).collect();
    assert_eq!(guesser.inquire("GUARDED10").status, 200, "nine are not ten");
    let tenth = guesser.inquire("GUESS9");

    let good = guesser.inquire("GUARDED10");
    assert_eq!(good.status, 404, "a good code too");
    for miss in misses.iter().chain([&tenth]) {
        assert_eq!(seen(miss), seen(&good));
    }
    let log = service.log_saying("too_many_misses");
    assert!(log.contains("\"outcome\":\"locked\""), "{log}");
    // The neutral API is of the same tab, and says for how long.
    let neutral = inquire(service, "guard-1", "guesser", "GUARDED10");
    assert_eq!(neutral.status, 429, "{neutral}");
    let wait: u32 = neutral.header("retry-after").unwrap().parse().unwrap();
    assert!((590..=600).contains(&wait), "{wait}");
    assert_eq!(neutral.json()["status"], 429);
    // What was handed out can still be used, and given back.
    assert_eq!(applied(&guesser.redeem(&[&offer])).len(), 1);
    assert_eq!(guesser.reverse(&[&offer]).status, 200);
    // The lock is this tab's, at this location.
    assert_eq!(tab(service, "guard-1", "honest").inquire("GUARDED10").status, 200);
    assert_eq!(tab(service, "guard-2", "guesser").inquire("GUARDED10").status, 200);
}

#[test]
fn too_many_misses_at_a_location_close_the_tabs_that_missed() {
    let service = Service::with().var("GUARD_LOCATION_MISSES", "12").start();
    publish(&service, &ten_percent("crowd", "CROWD10"));
    let status = |name: &str, code: &str| tab(&service, "crowded", name).inquire(code).status;
    assert_eq!(status("once", "TYPO"), 404);
    assert_eq!(status("once", "CROWD10"), 200, "one slip is no guessing");
    for n in 0..11 {
        assert_eq!(status(&format!("guesser-{n}"), &format!("GUESS{n}")), 404);
    }
    assert_eq!(status("once", "CROWD10"), 404);
    assert_eq!(status("guesser-3", "CROWD10"), 404);
    assert_eq!(status("never", "CROWD10"), 200);
    assert_eq!(tab(&service, "quiet", "once").inquire("CROWD10").status, 200);
}

#[test]
fn a_lock_survives_a_kill_and_ends_with_its_window() {
    let mut service =
        Service::with().var("GUARD_TAB_MISSES", "2").var("GUARD_SECONDS", "600").start();
    publish(&service, &ten_percent("kept", "KEPT10"));
    for guess in ["GUESS1", "GUESS2"] {
        assert_eq!(inquire(&service, "kept", "t", guess).status, 404);
    }
    assert_eq!(inquire(&service, "kept", "t", "KEPT10").status, 429);
    service.kill();
    service.restart();
    assert_eq!(inquire(&service, "kept", "t", "KEPT10").status, 429);
    // The same misses in a window of a second are long over.
    service.restart_with(|options| options.var("GUARD_SECONDS", "1"));
    sleep(Duration::from_millis(1100));
    assert_eq!(inquire(&service, "kept", "t", "KEPT10").status, 200);
    // And no limit is none.
    service
        .restart_with(|options| options.var("GUARD_TAB_MISSES", "0").var("GUARD_SECONDS", "600"));
    for n in 0..5 {
        assert_eq!(inquire(&service, "kept", "u", &format!("GUESS{n}")).status, 404);
    }
    assert_eq!(inquire(&service, "kept", "u", "KEPT10").status, 200);
}

#[test]
fn unknown_over_and_used_up_are_one_to_a_guest_and_each_is_a_miss() {
    let service = Service::with().var("GUARD_TAB_MISSES", "3").start();
    let quota = json!([{ "per": [], "limit": 1 }]);
    publish(&service, &with(ten_percent("used", "USED10"), "quotas", quota));
    publish(&service, &with(ten_percent("over", "OVER10"), "ends_at", json!("2020-01-01T00:00")));
    publish(&service, &ten_percent("good", "GOOD10"));
    let buyer = tab(&service, "l", "buyer");
    assert_eq!(applied(&buyer.redeem(&[&buyer.offer_of("USED10")])).len(), 1);

    let replies = ["NOSUCHCODE", "OVER10", "USED10"].map(|code| inquire(&service, "l", "a", code));
    let gotab =
        ["NOSUCHCODE", "OVER10", "USED10"].map(|code| tab(&service, "l", "b").inquire(code));

    for replies in [&replies, &gotab] {
        assert_eq!(replies[0].status, 404);
        for reply in replies {
            assert_eq!(seen(reply), seen(&replies[0]));
        }
    }
    assert_eq!(inquire(&service, "l", "a", "GOOD10").status, 429, "all three counted");
    assert_eq!(tab(&service, "l", "b").inquire("GOOD10").status, 404);
    for reason in ["unknown_code", "ended", "quota_exhausted"] {
        service.log_saying(reason);
    }
}

#[test]
fn what_an_offer_wants_of_the_cart_is_no_miss() {
    let service = Service::with().var("GUARD_TAB_MISSES", "2").start();
    let mut campaign = ten_percent("wants", "WANTS10");
    campaign["offers"][0]["when"] = json!({ "subtotal": { "min": 5000 } });
    publish(&service, &campaign);
    let small = tab(&service, "l", "grows");
    for _ in 0..5 {
        assert_eq!(small.inquire("WANTS10").status, 404);
    }
    assert_eq!(small.with("subtotal", json!(5000)).inquire("WANTS10").status, 200);
}

#[test]
fn a_reply_that_it_is_not_the_time_is_not_kept_under_an_idempotency_key() {
    let service = Service::with().var("GUARD_TAB_MISSES", "1").var("GUARD_SECONDS", "1").start();
    publish(&service, &ten_percent("later", "LATER10"));
    assert_eq!(inquire(&service, "l", "t", "GUESS").status, 404);
    let ask = || {
        let cart =
            json!({ "tab_id": "t", "location_id": "l", "currency": "USD", "subtotal": 1000 });
        let exchange = service.post("/v1/inquire").auth(secrets::API_AUTH);
        exchange.header("Idempotency-Key", "k1").json(&json!({ "code": "LATER10", "cart": cart }))
    };
    assert_eq!(ask().status, 429);
    sleep(Duration::from_millis(1200));
    assert_eq!(ask().status, 200);
}

#[test]
fn settings_that_cannot_be_read_close_the_till_and_say_so() {
    let service = Service::with().var("GUARD_TAB_MISSES", "ten").start();
    publish(&service, &ten_percent("closed", "CLOSED10"));
    assert_eq!(inquire(&service, "l", "t", "CLOSED10").status, 503);
    service.log_saying("GUARD_TAB_MISSES");
}
