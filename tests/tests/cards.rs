//! Cards and coupons when something goes wrong: an app that changes its mind, a wrong address, an operator
//! who is quicker than an answer, numbers that were uploaded by mistake or are codes already.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test's own functions fail the test")]

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::wallet::{
    Mood, Wallet, count, notify, numbers, publish_type, service_with, upload, wait_for_count,
};
use promo_tests::{Reply, Service, programme, secrets};
use serde_json::{Value, json};

fn errors(service: &Service) -> Vec<Value> {
    let reply = service.get("/admin/wallet/errors").admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["errors"].as_array().cloned().unwrap_or_default()
}

/// The errors, once there are so many. Fails the test if there never are.
#[track_caller]
fn wait_for_errors(service: &Service, wanted: usize) -> Vec<Value> {
    for _ in 0..600 {
        let found = errors(service);
        // One that is being tried again is not decided yet.
        if found.len() == wanted && found.iter().all(|error| error["state"] != "retrying") {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("not {wanted} errors: {:?}", errors(service));
}

fn act(service: &Service, id: &str, what: &str) -> Reply {
    service.post(&format!("/admin/wallet/errors/{id}/{what}")).admin().send()
}

fn faults(reply: &Reply) -> String {
    reply.json()["errors"].to_string()
}

#[test]
fn a_confirmed_coupon_keeps_its_number_when_the_app_answers_404_to_a_repeated_request() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2201", "coupon", &json!({}));
    assert_eq!(upload(&service, "2201", &numbers("2201", 0, 5)).status, 200);
    assert_eq!(notify(&service, "2201", "keep", "keep@example.com").status, 202);
    let number = wallet.number_of("keep");
    wait_for_count(&service, "2201", "active", 1);
    wallet.is(Mood::Answers(404));
    for _ in 0..3 {
        let again = notify(&service, "2201", "keep", "keep@example.com");
        assert_eq!(again.json(), json!({ "request_id": "2201-0", "state": "active" }), "{again}");
        wait_for_errors(&service, 1);
    }
    wallet.is(Mood::Answers(200));
    let calls = wallet.calls().len();
    assert_eq!(notify(&service, "2201", "keep", "keep@example.com").status, 202);
    wallet.wait_for("one more call", |seen| seen.len() > calls);
    wait_for_errors(&service, 0);
    assert_eq!(wallet.number_of("keep"), number);
    assert_eq!((count(&service, "2201", "active"), count(&service, "2201", "free")), (1, 4));
    // One coupon, one use.
    let offer = format!("offers-2201.ten-off.{number}");
    assert_eq!(applied(&Tab::new(&service, "keep-1").redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&Tab::new(&service, "keep-2").redeem(&[&offer])), ["quota_exhausted"]);
    let second = format!("offers-2201.ten-off.{}", numbers("2201", 1, 1)[0]);
    assert_eq!(Tab::new(&service, "keep-3").redeem(&[&second]).status, 404, "nobody has it");
}

#[test]
fn a_late_answer_to_a_dismissed_request_is_taken_as_what_it_says() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2202", "card", &json!({}));
    assert_eq!(upload(&service, "2202", &numbers("2202", 0, 2)).status, 200);
    for (card, status) in [("good", 200), ("gone", 404)] {
        wallet.is_to(card, Mood::Answers(422));
        assert_eq!(notify(&service, "2202", card, &format!("{card}@example.com")).status, 202);
        let id = wait_for_errors(&service, 1)[0]["id"].as_str().unwrap_or_default().to_owned();
        let calls = wallet.calls().len();
        wallet.is_to(card, Mood::Held);
        assert_eq!(act(&service, &id, "retry").status, 200);
        wallet.wait_for("the call", |seen| seen.len() > calls);
        // It is listed while it is under way, as it failed before.
        assert_eq!(act(&service, &id, "dismiss").status, 200);
        wallet.is_to(card, Mood::Answers(status));
        match status {
            200 => wait_for_count(&service, "2202", "active", 1),
            _ => wait_for_count(&service, "2202", "free", 1),
        }
        assert_eq!(errors(&service), Vec::<Value>::new());
    }
}

#[test]
fn a_request_that_waited_is_not_served_outside_its_types_window() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2203", "card", &json!({}));
    assert_eq!(notify(&service, "2203", "late", "late@example.com").status, 409);
    let until = |at: &str| publish_type(&service, "2203", "card", &json!({"available_until": at}));
    until("2020-01-01T00:00");
    assert_eq!(upload(&service, "2203", &numbers("2203", 0, 2)).status, 200);
    assert_eq!((count(&service, "2203", "free"), count(&service, "2203", "reserved")), (2, 0));
    let listed = wait_for_errors(&service, 1);
    assert_eq!(
        (&listed[0]["cause"], &listed[0]["state"]),
        (&json!("type_over"), &json!("waiting"))
    );
    let id = listed[0]["id"].as_str().unwrap_or_default();
    assert_eq!(act(&service, id, "retry").json()["state"], "waiting");
    assert_eq!(wallet.calls().len(), 0);
    // Given out again it is served by itself.
    until("2099-01-01T00:00");
    wait_for_count(&service, "2203", "active", 1);
    assert_eq!(wallet.number_of("late"), numbers("2203", 0, 1)[0]);
    wait_for_errors(&service, 0);
}

#[test]
fn an_app_that_knows_no_card_at_all_is_an_error_for_the_operator_and_loses_nothing() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2204", "card", &json!({}));
    assert_eq!(upload(&service, "2204", &numbers("2204", 0, 9)).status, 200);
    wallet.is(Mood::Answers(404));
    for n in 0..5 {
        let reply = notify(&service, "2204", &format!("c{n}"), &format!("guest{n}@example.com"));
        assert_eq!(reply.status, 202, "{reply}");
        wallet.number_of(&format!("c{n}"));
    }
    let listed = wait_for_errors(&service, 5);
    for error in &listed {
        assert_eq!((&error["cause"], &error["state"]), (&json!("address"), &json!("failed")));
        assert!(error["detail"].as_str().unwrap_or_default().contains("WALLET_URL"), "{error}");
    }
    assert_eq!((count(&service, "2204", "free"), count(&service, "2204", "reserved")), (4, 5));
    wallet.is(Mood::Answers(200));
    for error in listed.iter().take(4) {
        let id = error["id"].as_str().unwrap_or_default();
        assert_eq!(act(&service, id, "retry").status, 200);
    }
    wait_for_count(&service, "2204", "active", 4);
    // The fifth the operator believes to be gone.
    let last = wait_for_errors(&service, 1)[0]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(act(&service, &last, "dismiss").json()["state"], "refused");
    assert_eq!((count(&service, "2204", "free"), count(&service, "2204", "reserved")), (5, 0));
    // From now on one that is not known is just that.
    wallet.is(Mood::Answers(404));
    assert_eq!(notify(&service, "2204", "one", "one@example.com").status, 202);
    wallet.number_of("one");
    wait_for_count(&service, "2204", "free", 5);
    assert_eq!(errors(&service), Vec::<Value>::new());
}

#[test]
fn a_customer_who_may_have_one_number_has_one_after_a_merger_in_either_direction() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    programme::publish(&service, &programme::tap_club());
    for (code, into, from) in [
        ("2205", "ann5@example.com", "bob5@example.com"),
        ("2206", "bob6@example.com", "ann6@example.com"),
    ] {
        publish_type(&service, code, "coupon", &json!({ "once_per_customer": true }));
        assert_eq!(upload(&service, code, &numbers(code, 0, 9)).status, 200);
        let (ann, bob) = match code {
            "2205" => (into, from),
            _ => (from, into),
        };
        for guest in [ann, bob] {
            programme::sign_up(&service, &json!({ "email": guest }));
        }
        assert_eq!(notify(&service, code, &format!("{code}-a"), ann).status, 202);
        let number = wallet.number_of(&format!("{code}-a"));
        wait_for_count(&service, code, "active", 1);
        let path = format!("/admin/members/{into}/merge");
        let merged = service.post(&path).admin().json(&json!({ "from": from }));
        assert_eq!(merged.status, 200, "{merged}");
        for (card, guest) in [("b", bob), ("c", ann)] {
            let card = format!("{code}-{card}");
            assert_eq!(notify(&service, code, &card, guest).status, 202);
            assert_eq!(wallet.number_of(&card), number, "{card}");
        }
        assert_eq!(count(&service, code, "free"), 8);
    }
}

#[test]
fn a_cards_name_is_one_segment_of_the_path_whatever_it_says() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2207", "card", &json!({}));
    assert_eq!(upload(&service, "2207", &numbers("2207", 0, 9)).status, 200);
    for card in [".", ".."] {
        let reply = notify(&service, "2207", card, "dots@example.com");
        assert_eq!(
            (reply.status, &reply.json()["errors"][0]["pointer"]),
            (422, &json!("/card_id"))
        );
    }
    for (card, path) in [
        ("../admin", "..%2Fadmin"),
        ("a?b#c;d=e&f", "a%3Fb%23c%3Bd%3De%26f"),
        ("%2e%2e", "%252e%252e"),
        ("a.b-c_d~e", "a.b-c_d~e"),
        ("c:\\d@e", "c%3A%5Cd%40e"),
        ("...", "..."),
    ] {
        assert_eq!(notify(&service, "2207", card, "dots@example.com").status, 202);
        wallet.number_of(path);
    }
}

#[test]
fn a_notification_is_checked_before_it_is_said_that_there_is_no_wallet() {
    let service = Service::shared();
    let send = |media: &str, body: &[u8]| {
        let request = service.post("/wallet/notify").auth(secrets::WALLET_AUTH);
        request.header("Content-Type", media).body(body).status
    };
    let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
    let json = "application/json";
    assert_eq!(send("text/plain", b"{}"), 415);
    assert_eq!(send(json, &vec![b' '; 300_000]), 413);
    assert_eq!(send(json, b"{"), 400);
    assert_eq!(send(json, b"{\"event\": \"\xff\"}"), 400);
    assert_eq!(send(json, deep.as_bytes()), 400);
    assert_eq!(send(json, b"{}"), 422);
    let sound = json!({ "event": "created", "card_id": "c", "type": "2299",
        "user": { "email": "a@b.example" } });
    assert_eq!(send(json, sound.to_string().as_bytes()), 503);
    assert_eq!(service.post("/wallet/notify").json(&sound).status, 401);
}

#[test]
fn a_body_that_is_not_utf_8_is_no_json_on_any_route() {
    let service = Service::shared();
    let routes = [
        ("POST", "/admin/simulate", secrets::ADMIN_TOKEN),
        ("PUT", "/admin/campaigns/x", secrets::ADMIN_TOKEN),
        ("PUT", "/admin/locations/x", secrets::ADMIN_TOKEN),
        ("PUT", "/admin/programme", secrets::ADMIN_TOKEN),
        ("PUT", "/admin/instruments/2298", secrets::ADMIN_TOKEN),
        ("POST", "/admin/members/a@b.example/adjust", secrets::ADMIN_TOKEN),
        ("POST", "/admin/members/a@b.example/merge", secrets::ADMIN_TOKEN),
        ("POST", "/v1/inquire", secrets::API_AUTH),
        ("POST", "/v1/redeem", secrets::API_AUTH),
        ("POST", "/v1/reverse", secrets::API_AUTH),
        ("POST", "/gotab/promo", secrets::GOTAB_PROMO_AUTH),
        ("POST", "/gotab/loyalty", secrets::GOTAB_LOYALTY_AUTH),
        ("POST", "/wallet/notify", secrets::WALLET_AUTH),
    ];
    for (method, path, secret) in routes {
        let secret = match secret {
            secrets::ADMIN_TOKEN => format!("Bearer {secret}"),
            secret => secret.to_owned(),
        };
        let request = service.request(method, path).auth(&secret);
        let reply = request
            .header("Content-Type", "application/json")
            .body(b"{\"cart\": {\"channel\": \"\xc3\x28\"}}");
        assert_eq!(reply.status, 400, "{path}: {reply}");
    }
}

#[test]
fn a_number_and_a_code_are_never_the_same_whichever_comes_second() {
    let service = Service::shared();
    publish_type(service, "2208", "card", &json!({}));
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    // Codes first.
    publish(service, &ten_percent("clash-fixed", "CLASH-1"));
    let listed = with(ten_percent("clash-listed", "X"), "codes", json!({ "listed": true }));
    publish(service, &listed);
    let codes = |body: &str| {
        let request = service.post("/admin/campaigns/clash-listed/codes").admin();
        request.header("Content-Type", "text/csv").body(body.as_bytes())
    };
    assert_eq!(codes("clash-2\n").status, 200);
    let signed = json!({ "signed": { "prefix": "CLASHO", "count": 10 } });
    let published = service.put("/admin/campaigns/clash-signed").admin().json(&with(
        ten_percent("clash-signed", "X"),
        "codes",
        signed,
    ));
    assert_eq!(published.status, 200, "{published}");
    for (number, owner) in [
        ("clash1", "clash-fixed"),
        ("Clash 2", "clash-listed"),
        ("CLASH0-0123-4567-89AB-CDEF", "clash-signed"),
    ] {
        let refused = upload(service, "2208", &texts(&["FINE001", number]));
        assert_eq!(refused.status, 422, "{refused}");
        assert!(
            faults(&refused).contains(owner) && faults(&refused).contains("line 2"),
            "{refused}"
        );
    }
    assert_eq!(count(service, "2208", "free"), 0);
    // Numbers first.
    let fine = texts(&["NUMBER-A", "number b", "NUM0123456789ABCDEF0", "FINE001"]);
    assert_eq!(upload(service, "2208", &fine).status, 200);
    let put = |id: &str, codes: Value| {
        let campaign = with(ten_percent(id, "X"), "codes", codes);
        service.put(&format!("/admin/campaigns/{id}")).admin().json(&campaign)
    };
    let refused = put("clash-4", json!({ "fixed": ["GOOD1", "number-a"] }));
    assert_eq!(refused.status, 409, "{refused}");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/codes/fixed/1", "{refused}");
    assert!(faults(&refused).contains("2208"), "{refused}");
    let refused = put("clash-5", json!({ "signed": { "prefix": "NUM0", "count": 10 } }));
    assert_eq!(refused.status, 409, "{refused}");
    assert!(faults(&refused).contains("2208"), "{refused}");
    let refused = codes("fine-2\nNUMBERB\n");
    assert_eq!(refused.status, 409, "{refused}");
    assert!(faults(&refused).contains("2208") && faults(&refused).contains("line 2"), "{refused}");
    assert_eq!(service.get("/admin/codes/FINE2").admin().send().status, 404, "none was stored");
    assert_eq!(service.get("/admin/campaigns/clash-4").admin().send().status, 404);
}

#[test]
fn numbers_nobody_has_are_withdrawn_and_may_be_another_types_then() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    for code in ["2209", "2210"] {
        publish_type(&service, code, "coupon", &json!({}));
    }
    let all = numbers("2209", 0, 8);
    assert_eq!(upload(&service, "2209", &all).status, 200);
    assert_eq!(notify(&service, "2209", "has", "has@example.com").status, 202);
    wait_for_count(&service, "2209", "active", 1);
    let withdraw = |code: &str, numbers: &[String]| {
        let request = service.post(&format!("/admin/instruments/{code}/numbers/withdraw")).admin();
        request.header("Content-Type", "text/csv").body(numbers.join("\n").as_bytes())
    };
    let one = |number: &str| {
        service.delete(&format!("/admin/instruments/2209/numbers/{number}")).admin().send()
    };
    // All or none, and none that somebody has.
    let refused = withdraw("2209", &[all[1].clone(), all[0].clone()]);
    assert_eq!(refused.status, 409, "{refused}");
    assert!(faults(&refused).contains("line 2"), "{refused}");
    assert_eq!(one(&all[0]).status, 409);
    assert_eq!(count(&service, "2209", "free"), 7);
    assert_eq!(upload(&service, "2210", &all[1..3]).status, 422, "they are the other type's");
    // In whatever spelling, and as often as it is sent.
    let spelled = [all[1].to_lowercase(), all[2].clone(), "NOT-THERE".to_owned()];
    for (withdrawn, absent) in [(2, 1), (0, 3)] {
        let reply = withdraw("2209", &spelled);
        let expected = json!({"type": "2209", "withdrawn": withdrawn, "not_there": absent});
        assert_eq!((reply.status, reply.json()), (200, expected));
    }
    assert_eq!((one(&all[3]).status, one(&all[3]).status), (200, 404));
    assert_eq!(count(&service, "2209", "free"), 4);
    assert_eq!(upload(&service, "2210", &all[1..4]).status, 200);
    assert_eq!(upload(&service, "2209", &all[1..2]).status, 422);
    // What is left is given out, each once, and what moved is found at a till.
    let mut given = vec![wallet.number_of("has")];
    for n in 0..4 {
        let (card, email) = (format!("w{n}"), format!("w{n}@example.com"));
        assert_eq!(notify(&service, "2209", &card, &email).status, 202);
        given.push(wallet.number_of(&card));
    }
    given.sort();
    let mut left = all.clone();
    left.drain(1..4);
    assert_eq!(given, left);
    wait_for_count(&service, "2209", "active", 5);
    assert_eq!(Tab::new(&service, "withdrawn").inquire(&all[7]).status, 200);
    assert_eq!(withdraw("2209", &[String::new()]).status, 422);
    assert_eq!(service.delete("/admin/instruments/2210/numbers/x").admin().send().status, 404);
}
