//! Guessing: a tab on which too many codes that are none were tried is locked for a while.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own functions fail the test"
)]

use std::thread::{self, sleep};
use std::time::Duration;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied};
use promo_tests::{Reply, Service, programme, secrets};
use serde_json::{Value, json};

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
        // How long a lock still lasts goes by the clock.
        "date" | "x-request-id" | "retry-after" => (name.clone(), String::new()),
        "server-timing" => {
            let parts: Vec<_> =
                value.split(", ").filter_map(|part| part.split(';').next()).collect();
            (name.clone(), parts.join(","))
        }
        _ => (name.clone(), value.clone()),
    });
    (reply.status, reply.body.clone(), headers.collect())
}

fn redeem(service: &Service, location: &str, tab: &str, offer_ids: &[&str]) -> Reply {
    service.post("/v1/redeem").auth(secrets::API_AUTH).json(&json!({
        "offer_ids": offer_ids,
        "cart": { "tab_id": tab, "location_id": location, "currency": "USD",
            "lines": [{ "id": "1", "quantity": 1, "unit_price": 1000 }] },
    }))
}

/// Why the neutral API rejected what it did, by offer.
fn rejected(reply: &Reply) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rejected = reply.json()["rejected"].as_array().cloned().unwrap_or_default();
    rejected.iter().map(|r| (text(&r["offer_id"]), text(&r["reason"]))).collect()
}

/// The same question at once so many times, each with its number.
fn at_once(count: usize, ask: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    thread::scope(|scope| {
        let ask = &ask;
        let asked: Vec<_> = (0..count).map(|n| scope.spawn(move || ask(n))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Tries made-up codes until a tab is locked.
fn lock(service: &Service, location: &str, name: &str) {
    for n in 0..10 {
        assert_eq!(inquire(service, location, name, &format!("GUESS{n}")).status, 404);
    }
    assert_eq!(inquire(service, location, name, "GUESS").status, 429);
}

#[test]
fn of_three_hundred_guesses_at_once_at_most_ten_are_told() {
    let service = Service::start();
    publish(&service, &ten_percent("burst", "BURST10"));
    let replies = at_once(300, |n| inquire(&service, "burst", "t", &format!("GUESS{n}")));
    let told = replies.iter().filter(|reply| reply.status == 404).count();
    assert!((1..=10).contains(&told), "{told}");
    // Whoever is so many at once that the guard cannot be asked is told nothing either.
    assert!(replies.iter().all(|reply| [404, 429, 503].contains(&reply.status)));
    let good = at_once(20, |_| inquire(&service, "burst", "t", "BURST10"));
    for n in told..10 {
        inquire(&service, "burst", "t", &format!("MORE{n}"));
    }
    if told == 10 {
        assert!(good.iter().all(|reply| reply.status == 429), "{good:?}");
    }
    assert_eq!(inquire(&service, "burst", "t", "BURST10").status, 429);
    // The same by REDEEM.
    let id = |n: usize| format!("burst.ten-off.GUESS{n}");
    let replies = at_once(100, |n| redeem(&service, "burst", "u", &[&id(n)]));
    let unknown = |reply: &&Reply| {
        reply.status == 200 && rejected(reply).iter().any(|r| r.1 == "unknown_code")
    };
    let told = replies.iter().filter(unknown).count();
    assert!((1..=10).contains(&told), "{told}");
}

#[test]
fn a_locked_tab_tells_a_real_code_no_more_than_a_made_up_one() {
    let service = Service::shared();
    publish(service, &ten_percent("secret", "SECRET10"));
    let fast = with(ten_percent("secret-fast", "SECRETF1"), "inquire", json!("fast"));
    publish(service, &fast);
    publish(service, &with(ten_percent("secret-list", "UNUSED"), "codes", json!({"listed": true})));
    let sent = service.post("/admin/campaigns/secret-list/codes").admin();
    assert_eq!(sent.header("Content-Type", "text/csv").body(b"SECRETL1\n").status, 200);
    publish(service, &ten_percent("stands", "STANDS10"));
    let stands = "stands.ten-off.STANDS10";
    assert_eq!(redeem(service, "oracle", "t", &[stands]).json()["applied"][0]["discount"], 100);
    lock(service, "oracle", "t");
    let till = tab(service, "oracle", "t");

    let made_up = inquire(service, "oracle", "t", "MADEUP10");
    assert_eq!(made_up.status, 429);
    for code in ["SECRET10", "secret-10", "SECRETL1", "?", "STANDS10"] {
        assert_eq!(seen(&inquire(service, "oracle", "t", code)), seen(&made_up), "{code}");
        assert_eq!(seen(&till.inquire(code)), seen(&till.inquire("MADEUP10")), "{code}");
    }
    let none = redeem(service, "oracle", "t", &["secret.ten-off.MADEUP10"]);
    let none_here = till.redeem(&["secret.ten-off.MADEUP10"]);
    assert_eq!((none.status, none_here.status), (429, 404), "{none}");
    let with_made_up = redeem(service, "oracle", "t", &["secret.ten-off.MADEUP10", stands]);
    assert_eq!(with_made_up.status, 200, "{with_made_up}");
    let real =
        ["secret.ten-off.SECRET10", "secret-fast.ten-off.SECRETF1", "secret-list.ten-off.SECRETL1"];
    for id in real {
        assert_eq!(seen(&redeem(service, "oracle", "t", &[id])), seen(&none), "{id}");
        assert_eq!(seen(&till.redeem(&[id])), seen(&none_here), "{id}");
        for ids in [[id, stands], [stands, id]] {
            let reply = redeem(service, "oracle", "t", &ids);
            let same = reply.text().replace(id, "secret.ten-off.MADEUP10");
            assert_eq!((reply.status, same), (200, with_made_up.text()), "{ids:?}");
        }
    }
    // What stands is answered, and given back; then it is a real code like any other.
    assert_eq!(applied(&till.redeem(&[stands])).len(), 1);
    assert_eq!(till.reverse(&[stands]).status, 200);
    assert_eq!(seen(&till.redeem(&[stands])), seen(&none_here));
    // Nothing of all this was counted.
    for id in ["secret", "secret-fast", "secret-list"] {
        let path = format!("/admin/campaigns/{id}/redemptions");
        let redemptions = service.get(&path).admin().send().json();
        assert_eq!(redemptions["redemptions"], json!([]), "{redemptions}");
    }
    assert_eq!(redeem(service, "oracle", "u", &real[..1]).json()["rejected"], json!([]));
}

#[test]
fn a_made_up_code_in_a_redeem_is_a_miss_and_one_event_tries_no_more_than_are_left() {
    let service = Service::shared();
    publish(service, &ten_percent("tried", "TRIED10"));
    for n in 0..10 {
        let id = format!("tried.ten-off.GUESS{n}");
        let reply = redeem(service, "tried", "t", &[&id]);
        assert_eq!(rejected(&reply), [(id, "unknown_code".to_owned())]);
    }
    assert_eq!(redeem(service, "tried", "t", &["tried.ten-off.TRIED10"]).status, 429);
    assert_eq!(inquire(service, "tried", "t", "TRIED10").status, 429);
    let many: Vec<_> = (0..11).map(|n| format!("tried.ten-off.GUESS{n}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("tried.ten-off.TRIED10");
    assert_eq!(redeem(service, "tried", "u", &many).status, 429);
    assert_eq!(inquire(service, "tried", "u", "TRIED10").status, 429);
    // A real one, however often, is none.
    for _ in 0..12 {
        assert_eq!(redeem(service, "tried", "v", &["tried.ten-off.TRIED10"]).status, 200);
    }
    assert_eq!(inquire(service, "tried", "v", "TRIED10").status, 200);
}

#[test]
fn a_refused_code_of_a_fast_campaign_is_told_from_a_made_up_one_by_nobody() {
    let service = Service::shared();
    let mut campaign = with(ten_percent("hurry", "HURRY10"), "inquire", json!("fast"));
    campaign["offers"][0]["when"] = json!({ "subtotal": { "min": 5000 } });
    publish(service, &campaign);
    lock(service, "hurry", "t");
    let made_up = inquire(service, "hurry", "t", "MADEUP10");
    assert_eq!(seen(&inquire(service, "hurry", "t", "HURRY10")), seen(&made_up));
}

#[test]
fn a_member_who_is_none_is_a_miss_too() {
    let service = Service::with().var("GUARD_TAB_MISSES", "3").start();
    publish(&service, &ten_percent("members", "MEMBERS10"));
    programme::publish(&service, &programme::tap_club());
    let till = tab(&service, "l", "t");
    let look_up =
        |till: &Tab<'_>, phone: &str| till.loyalty("INQUIRE", &json!({ "lookup_value": phone }));
    assert_eq!(programme::sign_up(&service, &json!({ "phone": "+16085550100" })).status, 200);
    assert_eq!(look_up(&till, "+16085550100").status, 200);
    let nobody: Vec<_> = (0..3).map(|n| look_up(&till, &format!("+1608555020{n}"))).collect();
    let member = look_up(&till, "+16085550100");
    for reply in &nobody {
        assert_eq!(reply.status, 404);
        assert_eq!(seen(reply), seen(&member), "a member looks like nobody on a locked tab");
    }
    assert_eq!(till.inquire("MEMBERS10").status, 404, "it is one count with codes");
    assert_eq!(look_up(&tab(&service, "l", "u"), "+16085550100").status, 200);
    assert_eq!(till.reverse(&[]).status, 200);
}

#[test]
fn ten_misses_close_a_tab_to_every_code_and_the_others_go_on() {
    let service = Service::shared();
    publish(service, &ten_percent("guarded", "GUARDED10"));
    let guesser = tab(service, "guard-1", "guesser");
    let offer = guesser.offer_of("GUARDED10");
    assert_eq!(applied(&guesser.redeem(&[&offer])).len(), 1);
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
    // What stands is answered as before, and given back.
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
