//! Cards and coupons through a wallet app, from the guest's wish to the till.

use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::wallet::{
    Mood, TOKEN, Wallet, count, notify, numbers, publish_type, service_with, upload, wait_for_count,
};
use promo_tests::{Service, programme, secrets};
use serde_json::{Value, json};

#[test]
fn a_coupon_is_asked_for_bound_called_back_and_redeemed_once_and_a_reversal_makes_it_usable_again()
{
    let wallet = Wallet::start();
    wallet.is(Mood::Answers(503));
    let service = service_with(&wallet);
    publish_type(&service, "2001", "coupon", &json!({}));
    let number = numbers("2001", 0, 1);
    assert_eq!(upload(&service, "2001", &number).json(), json!({ "type": "2001", "added": 1 }));
    let tab = Tab::new(&service, "coupon-1");
    assert_eq!(tab.inquire(&number[0]).status, 404, "free");

    let reply = notify(&service, "2001", "card/1 ü", "guest@example.com");
    assert_eq!(reply.status, 202, "{reply}");
    assert_eq!(reply.json(), json!({ "request_id": "2001-0", "state": "reserved" }));
    assert_eq!(tab.inquire(&number[0]).status, 404, "reserved");

    wallet.is(Mood::Answers(204));
    wait_for_count(&service, "2001", "active", 1);
    let call = wallet.calls().pop().unwrap();
    assert_eq!(call.what, "PUT /cards/card%2F1%20%C3%BC");
    assert_eq!(call.authorization, format!("Bearer {TOKEN}"));
    let barcode = json!({ "value": number[0], "symbology": "CODE_128" });
    assert_eq!(call.body, json!({ "barcode": barcode, "state": "active" }));

    // The number is a code like any other, however it is typed.
    let offer = tab.offer_of(&number[0].to_lowercase());
    assert_eq!(applied(&tab.redeem(&[&offer])), [(offer.clone(), "1.1".to_owned())]);
    let other = Tab::new(&service, "coupon-2");
    assert_eq!(other.inquire(&number[0]).status, 404, "used");
    assert_eq!(reasons(&other.redeem(&[&offer])), ["quota_exhausted"]);
    assert_eq!((count(&service, "2001", "redeemed"), count(&service, "2001", "active")), (1, 0));
    let shown = service.get(&format!("/admin/instruments/2001/numbers/{}", number[0]));
    assert_eq!(shown.admin().send().json()["state"], "redeemed");

    assert_eq!(tab.reverse(&[]).status, 200);
    assert_eq!((count(&service, "2001", "redeemed"), count(&service, "2001", "active")), (0, 1));
    assert_eq!(applied(&other.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&tab.redeem(&[&offer])), ["quota_exhausted"]);
}

#[test]
fn a_card_is_used_again_and_again_and_its_uses_count_for_the_customer_it_was_given_to() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2002", "card", &json!({}));
    let quotas = json!([{ "per": ["customer"], "limit": 2 }]);
    let mut campaign = service.get("/admin/campaigns/offers-2002").admin().send().json();
    campaign["quotas"] = quotas;
    promo_tests::campaign::publish(&service, &campaign);
    assert_eq!(upload(&service, "2002", &numbers("2002", 0, 2)).status, 200);
    assert_eq!(notify(&service, "2002", "one", "one@example.com").status, 202);
    let number = wallet.number_of("one");
    wait_for_count(&service, "2002", "active", 1);
    // Whoever shows the card: it is the customer's it was given to.
    let guest = |phone: &str| json!([{ "name": "A. Guest", "phone": phone }]);

    let offer = Tab::new(&service, "card-0").offer_of(&number);
    for visit in 0..2 {
        let tab = Tab::new(&service, &format!("card-{visit}"));
        let tab = tab.with("customers", guest(&format!("+1608555010{visit}")));
        assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1, "visit {visit}");
    }
    let third = Tab::new(&service, "card-3").with("customers", guest("+16085550109"));
    assert_eq!(reasons(&third.redeem(&[&offer])), ["quota_exhausted"]);
    assert_eq!((count(&service, "2002", "active"), count(&service, "2002", "redeemed")), (1, 0));

    // Blocked it counts no more, and then again.
    let block = |what: &str| {
        let path = format!("/admin/instruments/2002/numbers/{number}/{what}");
        service.post(&path).admin().send()
    };
    assert_eq!(block("block").json()["state"], "blocked");
    assert_eq!(third.inquire(&number).status, 404);
    assert_eq!((count(&service, "2002", "blocked"), count(&service, "2002", "active")), (1, 0));
    assert_eq!(block("unblock").json()["state"], "active");
    assert_eq!(third.inquire(&number).status, 404, "used up");
    let free = &numbers("2002", 1, 1)[0];
    let path = format!("/admin/instruments/2002/numbers/{free}/block");
    assert_eq!(service.post(&path).admin().send().status, 409);
}

#[test]
fn the_same_notification_and_a_customer_who_may_have_one_get_the_same_number() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2003", "card", &json!({ "once_per_customer": true }));
    publish_type(&service, "2004", "card", &json!({}));
    for code in ["2003", "2004"] {
        assert_eq!(upload(&service, code, &numbers(code, 0, 9)).status, 200);
    }
    for code in ["2003", "2004"] {
        let first = notify(&service, code, &format!("{code}-a"), "One@Example.com").json();
        let again = notify(&service, code, &format!("{code}-a"), "one@example.com").json();
        assert_eq!(first["request_id"], again["request_id"]);
        assert_eq!(notify(&service, code, &format!("{code}-b"), "one@example.com").status, 202);
        assert_eq!(notify(&service, code, &format!("{code}-c"), "two@example.com").status, 202);
    }
    let told = |card: &str| wallet.number_of(card);
    assert_eq!(told("2003-a"), told("2003-b"));
    assert_ne!(told("2003-a"), told("2003-c"));
    assert_ne!(told("2004-a"), told("2004-b"));
    wait_for_count(&service, "2003", "active", 2);
    wait_for_count(&service, "2004", "active", 3);
    // A wallet that asks once more is told once more.
    let calls = wallet.calls().len();
    let reply = notify(&service, "2004", "2004-a", "one@example.com");
    assert_eq!(reply.json(), json!({ "request_id": "2004-0", "state": "active" }));
    let calls = wallet.wait_for("another call", |seen| seen.len() > calls);
    assert_eq!(calls.last().unwrap().body["barcode"]["value"], told("2004-a").as_str());
    assert_eq!(count(&service, "2004", "active"), 3);
}

#[test]
fn two_hundred_at_once_for_a_hundred_numbers_get_a_hundred_and_the_others_are_served_in_turn() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2005", "card", &json!({}));
    assert_eq!(upload(&service, "2005", &numbers("2005", 0, 100)).status, 200);

    let mut replies: Vec<(String, promo_tests::Reply)> = std::thread::scope(|scope| {
        let ask = |n: usize| {
            let service = &service;
            scope.spawn(move || {
                let card = format!("crowd-{n}");
                let user = json!({ "email": format!("guest{n}@example.com") });
                let body = json!({
                    "event": "created", "card_id": card, "type": "2005", "user": user,
                })
                .to_string();
                // On a busy machine an answer may not come in time; a wallet then asks again.
                for _ in 0..5 {
                    let request = service.post("/wallet/notify").auth(secrets::WALLET_AUTH);
                    let request = request.header("Content-Type", "application/json");
                    match request.try_body(body.as_bytes()) {
                        Ok(reply) if reply.status != 503 => return (card, reply),
                        _ => {}
                    }
                }
                panic!("{card} heard nothing");
            })
        };
        let asked: Vec<_> = (0..200).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });

    let order = |reply: &promo_tests::Reply| -> usize {
        let id = reply.json()["request_id"].as_str().unwrap().to_owned();
        id.strip_prefix("2005-").unwrap().parse().unwrap()
    };
    replies.sort_by_key(|(_, reply)| order(reply));
    for (place, (_, reply)) in replies.iter().enumerate() {
        let (status, waits) = if place < 100 { (202, false) } else { (409, true) };
        assert_eq!((reply.status, reply.json()["state"] == "waiting"), (status, waits), "{reply}");
    }
    wait_for_count(&service, "2005", "active", 100);
    let errors = service.get("/admin/wallet/errors").admin().send().json();
    let waiting: Vec<&str> = errors["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["card_id"].as_str().unwrap())
        .collect();
    let cards: Vec<&str> = replies.iter().map(|(card, _)| card.as_str()).collect();
    assert_eq!(waiting, cards[100..]);
    assert_eq!(errors["errors"][0]["cause"], "no_free_number");

    assert_eq!(upload(&service, "2005", &numbers("2005", 100, 100)).status, 200);
    wait_for_count(&service, "2005", "active", 200);

    let told: Vec<String> = cards.iter().map(|card| wallet.number_of(card)).collect();
    let mut expected = numbers("2005", 0, 200);
    assert_eq!(told, expected, "each the first free one, in the order of asking");
    expected.dedup();
    assert_eq!(expected.len(), 200);
    let errors = service.get("/admin/wallet/errors").admin().send().json();
    assert_eq!(errors, json!({ "errors": [], "cursor": null }));
}

#[test]
fn a_wallet_in_any_state_is_called_until_it_confirms_or_refuses_and_every_cause_is_listed() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2006", "card", &json!({}));
    assert_eq!(upload(&service, "2006", &numbers("2006", 0, 20)).status, 200);
    let moods = [
        ("slow", Mood::Silent, "time_out"),
        ("failing", Mood::Answers(500), "wallet_failed"),
        ("rubbish", Mood::Rubbish("rubbish\r\n\r\n"), "unreachable"),
        ("nothing", Mood::HangsUp, "unreachable"),
        ("busy", Mood::Answers(429), "refused"),
        ("elsewhere", Mood::Answers(302), "refused"),
        ("token", Mood::Answers(401), "token"),
        ("wrong", Mood::Answers(422), "refused"),
        ("gone", Mood::Answers(404), ""),
        ("gone-for-good", Mood::Answers(410), ""),
    ];
    for (card, mood, _) in &moods {
        wallet.is_to(card, mood.clone());
        assert_eq!(notify(&service, "2006", card, &format!("{card}@example.com")).status, 202);
    }
    // Those that are gone give their numbers back, and their requests are over.
    wait_for_count(&service, "2006", "free", 12);
    let listed = || {
        let reply = service.get("/admin/wallet/errors").admin().send();
        assert_eq!(reply.status, 200, "{reply}");
        reply.json()["errors"].as_array().unwrap().clone()
    };
    let mut errors = listed();
    for _ in 0..200 {
        if errors.len() == 8 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        errors = listed();
    }
    for (card, _, cause) in moods.iter().filter(|(.., cause)| !cause.is_empty()) {
        let error = errors.iter().find(|error| error["card_id"] == *card);
        let error = error.unwrap_or_else(|| panic!("{card} is not in {errors:?}"));
        assert_eq!(error["cause"], *cause, "{error}");
        let is_final = matches!(*card, "token" | "wrong");
        assert_eq!(error["state"], if is_final { "failed" } else { "retrying" }, "{error}");
        assert_eq!(error["next_attempt_at"].is_null(), is_final, "{error}");
        assert!(!error["at"].is_null() && !error["detail"].as_str().unwrap().is_empty());
    }
    let id_of = |card: &str| {
        let errors = listed();
        let error = errors.iter().find(|error| error["card_id"] == card);
        error.map(|error| error["id"].as_str().unwrap().to_owned())
    };
    let act = |id: &str, what: &str| {
        service.post(&format!("/admin/wallet/errors/{id}/{what}")).admin().send()
    };

    // The wallet is well again: what was due is confirmed, what had failed waits for the operator.
    for (card, ..) in moods.iter().take(8) {
        wallet.is_to(card, Mood::Answers(200));
    }
    for id in ["failing", "slow", "nothing"].map(&id_of).into_iter().flatten() {
        assert_eq!(act(&id, "retry").status, 200);
    }
    wait_for_count(&service, "2006", "active", 6);
    let (token, wrong) = (id_of("token").unwrap(), id_of("wrong").unwrap());
    assert_eq!(listed().len(), 2);
    assert_eq!(act(&token, "retry").json(), json!({ "id": token, "state": "reserved" }));
    wait_for_count(&service, "2006", "active", 7);
    assert_eq!(act(&wrong, "dismiss").json(), json!({ "id": wrong, "state": "reserved" }));
    assert_eq!(listed(), Vec::<Value>::new());
    assert_eq!(act(&wrong, "dismiss").status, 409);
    assert_eq!(act("2006-99", "retry").status, 409);
    assert_eq!(act("nonsense", "retry").status, 404);
    // What was put away keeps its number, and the app may ask again.
    assert_eq!(count(&service, "2006", "reserved"), 1);
    assert_eq!(notify(&service, "2006", "wrong", "wrong@example.com").status, 202);
    wait_for_count(&service, "2006", "active", 8);
    // What the app has asked for again although it was gone gets a number like any other.
    wallet.is_to("gone", Mood::Answers(200));
    assert_eq!(notify(&service, "2006", "gone", "gone@example.com").status, 202);
    wait_for_count(&service, "2006", "active", 9);
}

#[test]
fn a_wallet_that_is_down_and_a_service_that_is_killed_lose_no_number_and_give_none_twice() {
    let wallet = Wallet::down();
    let mut service = service_with(&wallet);
    publish_type(&service, "2007", "card", &json!({}));
    assert_eq!(upload(&service, "2007", &numbers("2007", 0, 12)).status, 200);
    let card = |n: usize| format!("kill-{n}");
    for n in 0..12 {
        let reply = notify(&service, "2007", &card(n), &format!("guest{n}@example.com"));
        assert_eq!(reply.status, 202, "{reply}");
        if n % 4 == 1 {
            service.restart();
        }
    }
    service.kill();
    wallet.comes_up();
    // Some calls arrive, and we are killed before we hear of it.
    wallet.is(Mood::Silent);
    service.restart();
    wallet.wait_for("a call after the restart", |calls| !calls.is_empty());
    service.kill();
    wallet.is(Mood::Answers(200));
    service.restart();

    wait_for_count(&service, "2007", "active", 12);
    let told: Vec<String> = (0..12).map(|n| wallet.number_of(&card(n))).collect();
    assert_eq!(told, numbers("2007", 0, 12));
    let mut ever = std::collections::BTreeMap::new();
    for call in wallet.calls() {
        let number = call.body["barcode"]["value"].as_str().unwrap().to_owned();
        assert_eq!(ever.entry(number).or_insert_with(|| call.what.clone()), &call.what);
    }
    assert_eq!(Tab::new(&service, "kill").inquire(&told[7]).status, 200);
}

#[test]
fn the_connection_check_says_what_is_wrong() {
    let wallet = Wallet::start();
    let mut service = service_with(&wallet);
    let check = |service: &Service| {
        let reply = service.post("/admin/wallet/check").admin().send();
        assert_eq!(reply.status, 200, "{reply}");
        reply.json()
    };
    assert_eq!(check(&service), json!({ "status": "SUCCESS", "code": 0 }));
    let health = wallet.calls().pop().unwrap();
    assert_eq!(
        (health.what.as_str(), health.authorization),
        ("GET /health", format!("Bearer {TOKEN}"))
    );
    for (mood, code, cause) in [
        (Mood::Answers(404), 1, "address"),
        (Mood::Answers(301), 1, "address"),
        (Mood::Answers(401), 2, "token"),
        (Mood::Answers(403), 2, "token"),
        (Mood::Silent, 3, "time-out"),
        (Mood::Says("<html>Welcome</html>"), 5, "protocol"),
        (Mood::Rubbish("220 mail.example ESMTP\r\n"), 5, "protocol"),
        (Mood::Answers(503), 6, "wallet"),
    ] {
        wallet.is(mood.clone());
        let said = check(&service);
        assert_eq!(
            (&said["code"], &said["cause"]),
            (&json!(code), &json!(cause)),
            "{mood:?}: {said}"
        );
        assert_eq!(said["status"], "ERROR");
        assert!(!said["detail"].as_str().unwrap().is_empty());
    }
    wallet.is(Mood::Answers(200));
    let try_secret = |secret: &str| {
        let request = service.post("/admin/wallet/check").admin();
        request.json(&json!({ "secret": secret })).json()["code"].clone()
    };
    assert_eq!((try_secret("not it"), try_secret(secrets::WALLET_AUTH)), (json!(7), json!(0)));

    let nobody = Wallet::down();
    service.restart_with(|options| options.var("WALLET_URL", &nobody.url()));
    assert_eq!(check(&service)["cause"], "address");
    service.restart_with(|options| options.var("WALLET_URL", "http://no-such-host.invalid"));
    assert_eq!(check(&service)["cause"], "address");
    service.restart_with(|options| options.without("WALLET_URL"));
    let reply = service.post("/admin/wallet/check").admin().send();
    assert_eq!(reply.status, 503, "{reply}");
    assert_eq!(notify(&service, "2001", "card", "a@example.com").status, 503);
    service.log_saying("the setting WALLET_URL is not set");
}

#[test]
fn a_qr_code_that_holds_an_address_is_found_by_exactly_what_it_says() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2008", "coupon", &json!({ "symbology": "QR_CODE" }));
    let address = "https://shop.example/c?id=Ab1;x".to_owned();
    let quoted = format!("\"{address}\"");
    assert_eq!(upload(&service, "2008", &[quoted]).status, 200);
    assert_eq!(notify(&service, "2008", "qr", "qr@example.com").status, 202);
    assert_eq!(wallet.number_of("qr"), address);
    wait_for_count(&service, "2008", "active", 1);
    let tab = Tab::new(&service, "qr");
    assert_eq!(tab.inquire(&address.to_lowercase()).status, 404);
    let offer = tab.offer_of(&address);
    assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&Tab::new(&service, "qr-2").redeem(&[&offer])), ["quota_exhausted"]);
    assert_eq!(count(&service, "2008", "redeemed"), 1);
}

#[test]
fn a_customer_is_found_by_phone_or_e_mail_and_where_they_name_two_the_phone_number_wins() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "2009", "card", &json!({ "once_per_customer": true }));
    assert_eq!(upload(&service, "2009", &numbers("2009", 0, 9)).status, 200);
    let ask = |card: &str, user: Value| {
        let body = json!({ "event": "created", "card_id": card, "type": "2009", "user": user });
        let reply = service.post("/wallet/notify").auth(secrets::WALLET_AUTH).json(&body);
        assert_eq!(reply.status, 202, "{reply}");
        wallet.number_of(card)
    };
    let (ann, bob) = ("+1 608 555 0101", "+16085550102");
    let first = ask("both", json!({ "phone": ann, "email": "Ann@Example.com" }));
    assert_eq!(ask("by-phone", json!({ "phone": "+16085550101" })), first);
    assert_eq!(ask("by-email", json!({ "email": "ann@example.com", "phone": "no number" })), first);
    let second = ask("bob", json!({ "phone": bob }));
    assert_ne!(second, first);
    assert_eq!(service.get("/admin/conflicts").admin().send().json()["conflicts"], json!([]));
    assert_eq!(ask("two", json!({ "phone": bob, "email": "ann@example.com" })), second);
    let conflicts = service.get("/admin/conflicts").admin().send().json();
    assert_eq!(conflicts["conflicts"].as_array().unwrap().len(), 1, "{conflicts}");
    // At a loyalty till a number leads to its customer's points.
    programme::publish(&service, &programme::tap_club());
    wait_for_count(&service, "2009", "active", 2);
    assert_eq!(programme::points(&service, &first), programme::points(&service, ann));
    assert_eq!(programme::inquire(&service, &numbers("2009", 5, 1)[0]).status, 404);
    // Nobody's address or number is in the log.
    let log = service.log().join("\n").to_lowercase();
    assert!(!log.contains("6085550101") && !log.contains("ann@example"), "{log}");
}
