//! The numbers of cards and coupons: uploaded, refused, continued, and what taking one costs.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own functions fail the test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use promo_tests::promo::promo;
use promo_tests::wallet::{
    Mood, Wallet, count, numbers, publish_type, service_with, upload, wait_for_count,
};
use promo_tests::{Reply, Service, secrets};
use serde_json::{Value, json};

/// A file that no other test writes.
fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

fn push(service: &Service, code: &str, path: &Path) -> Output {
    let path = path.to_str().unwrap();
    promo(service, &["numbers", "push", path, "--type", code]).output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// EAN-13 numbers of our own making.
fn made(service: &Service, code: &str, count: usize) -> String {
    let count = count.to_string();
    let made = promo(service, &["numbers", "make", "--type", code, "--count", &count]).output();
    String::from_utf8(made.unwrap().stdout).unwrap()
}

fn details(reply: &Reply) -> Vec<(String, String)> {
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    let text = |error: &Value, key: &str| error[key].as_str().unwrap().to_owned();
    errors.iter().map(|error| (text(error, "pointer"), text(error, "detail"))).collect()
}

#[test]
fn duplicates_and_bad_check_digits_are_refused_with_their_lines_and_then_nothing_is_added() {
    let service = Service::shared();
    publish_type(service, "3001", "card", &json!({ "symbology": "EAN_13" }));
    publish_type(service, "3002", "card", &json!({ "symbology": "EAN_13" }));
    let send = |code: &str, media: &str, body: &str| {
        let path = format!("/admin/instruments/{code}/numbers");
        service.post(&path).admin().header("Content-Type", media).body(body.as_bytes())
    };

    let bad = send("3001", "text/csv", "4006381333931\n4006381333932\n\n4006381333931\nnumber\n");
    assert_eq!(bad.status, 422, "{bad}");
    let said = details(&bad);
    assert_eq!(said.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(), ["/2", "/4", "/5"]);
    assert!(said[0].1.contains("line 2") && said[0].1.contains("should be 1"), "{bad}");
    assert!(said[1].1.contains("stands on line 1 too"), "{bad}");
    assert_eq!(count(service, "3001", "free"), 0);

    let good = send("3001", "application/x-ndjson", "\"4006381333931\"\n1234567890128\n");
    assert_eq!(good.json(), json!({ "type": "3001", "added": 2 }));
    let again = send("3001", "text/csv; charset=utf-8", "2112340000072\r\n1234567890128\r\n");
    assert_eq!(again.status, 422, "{again}");
    assert_eq!(details(&again)[0].0, "/2");
    let elsewhere = send("3002", "text/csv", "2112340000072\n4006381333931\n");
    assert_eq!(elsewhere.status, 422, "{elsewhere}");
    assert!(details(&elsewhere)[0].1.contains("is a number of type 3001"), "{elsewhere}");
    assert_eq!((count(service, "3001", "free"), count(service, "3002", "free")), (2, 0));
    // What was refused beside a bad line is nobody's yet.
    assert_eq!(send("3002", "text/csv", "2112340000072").status, 200);

    assert_eq!(send("3001", "text/csv", "").status, 422);
    assert_eq!(send("3001", "application/json", "[]").status, 415);
    assert_eq!(send("3009", "text/csv", "1").status, 404);
    assert_eq!(send("301", "text/csv", "1").status, 404);
    assert_eq!(send("3001", "text/csv", &"1\n".repeat(200_000)).status, 413);
}

#[test]
fn a_type_is_checked_whole_and_what_numbers_depend_on_stays() {
    let service = Service::shared();
    publish_type(service, "3003", "coupon", &json!({}));
    let document = |more: Value| {
        let mut document = json!({
            "name": "T", "kind": "coupon", "symbology": "CODE_128", "campaign": "offers-3003",
        });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.put("/admin/instruments/3003").admin().json(&document)
    };
    let faulty = document(json!({ "kind": "cheque", "name": "", "extra": 1 }));
    assert_eq!(faulty.status, 422, "{faulty}");
    assert_eq!(details(&faulty).len(), 3, "{faulty}");
    let other = document(json!({ "campaign": "offers-none" }));
    assert_eq!(other.status, 200, "{other}");
    assert_eq!(other.json()["warnings"][0]["pointer"], "/campaign");
    assert_eq!(document(json!({ "symbology": "QR_CODE" })).status, 200);
    assert_eq!(upload(service, "3003", &numbers("3003", 0, 1)).status, 200);
    let changed = document(json!({ "symbology": "EAN_13", "kind": "card" }));
    assert_eq!(changed.status, 409, "{changed}");
    assert_eq!(details(&changed).len(), 2, "{changed}");
    assert_eq!(service.put("/admin/instruments/12").admin().json(&json!({})).status, 422);
    let list = service.get("/admin/instruments").admin().send().json();
    let listed = list["instruments"].as_array().unwrap().iter().any(|t| t["type"] == "3003");
    assert!(listed, "{list}");
    let shown = service.get("/admin/instruments/3003").admin().send().json();
    assert_eq!(shown["symbology"], "QR_CODE");
    assert_eq!(
        shown["counts"],
        json!({ "free": 1, "reserved": 0, "active": 0, "redeemed": 0, "blocked": 0, "expired": 0 })
    );
}

#[test]
fn a_notification_with_faults_is_told_all_of_them() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "3004", "coupon", &json!({ "available_until": "2020-01-01T00:00" }));
    let send = |body: &Value| service.post("/wallet/notify").auth(secrets::WALLET_AUTH).json(body);
    let good = json!({
        "event": "created", "card_id": "c", "type": "3004", "kind": "coupon",
        "user": { "phone": "+16085550100", "email": null },
    });
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        send(&body)
    };
    let over = send(&good);
    assert_eq!(over.status, 409, "{over}");
    assert!(over.json()["detail"].as_str().unwrap().contains("2020-01-01"), "{over}");
    for (key, value, pointer) in [
        ("type", json!("9999"), "/type"),
        ("type", json!("99"), "/type"),
        ("kind", json!("card"), "/kind"),
        ("event", json!("deleted"), "/event"),
        ("card_id", json!(""), "/card_id"),
        ("user", json!({ "first_name": "A" }), "/user"),
    ] {
        let reply = with(key, value);
        assert_eq!(reply.status, 422, "{reply}");
        assert_eq!(details(&reply)[0].0, pointer, "{reply}");
    }
    assert_eq!(service.post("/wallet/notify").json(&good).status, 401);
    let broken = service.post("/wallet/notify").auth(secrets::WALLET_AUTH);
    assert_eq!(broken.header("Content-Type", "application/json").body(b"{").status, 400);
}

#[test]
fn a_type_that_is_over_has_its_numbers_expired_and_they_count_no_more() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    publish_type(&service, "3005", "card", &json!({}));
    assert_eq!(upload(&service, "3005", &numbers("3005", 0, 2)).status, 200);
    let reply = promo_tests::wallet::notify(&service, "3005", "c", "c@example.com");
    assert_eq!(reply.status, 202, "{reply}");
    wait_for_count(&service, "3005", "active", 1);
    let number = wallet.number_of("c");
    let tab = promo_tests::gotab::Tab::new(&service, "over");
    assert_eq!(tab.inquire(&number).status, 200);
    publish_type(&service, "3005", "card", &json!({ "available_until": "2020-01-01T00:00" }));
    assert_eq!(tab.inquire(&number).status, 404);
    let found = ["free", "active", "expired"].map(|state| count(&service, "3005", state));
    assert_eq!(found, [1, 0, 1]);
}

#[test]
fn a_push_tells_bad_lines_and_is_continued_where_it_was_interrupted() {
    let mut service = Service::start();
    publish_type(&service, "3006", "card", &json!({ "symbology": "EAN_13" }));
    let all = made(&service, "3006", 40_000);
    assert_eq!(all.lines().count(), 40_000);

    let bad = file(
        "bad.csv",
        &format!("{}\n2030060000019\n2030060000017\n", all.lines().next().unwrap()),
    );
    let refused = push(&service, "3006", &bad);
    assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
    assert!(err(&refused).contains("bad.csv:2: "), "{}", err(&refused));
    assert!(err(&refused).contains("nothing was uploaded"), "{}", err(&refused));
    assert_eq!(count(&service, "3006", "free"), 0);

    // One line of the file is in the pool already.
    assert_eq!(
        upload(&service, "3006", &[all.lines().nth(35_554).unwrap().to_owned()]).status,
        200
    );
    let path = file("many.csv", &all);
    let path_text = path.to_str().unwrap();
    let mut pushing = promo(&service, &["numbers", "push", path_text, "--type", "3006"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..1000 {
        if count(&service, "3006", "free") > 5000 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    pushing.kill().unwrap();
    pushing.wait().unwrap();
    service.restart();
    let before = count(&service, "3006", "free");
    assert!(before > 5000 && before < 40_000, "{before}");

    let rest = push(&service, "3006", &path);
    assert_eq!(rest.status.code(), Some(1), "{}", err(&rest));
    assert!(err(&rest).contains("lines were done before"), "{}", err(&rest));
    assert!(err(&rest).contains("many.csv:35555: "), "{}", err(&rest));
    assert!(err(&rest).contains("40000 of 40000 lines, 100 %"), "{}", err(&rest));
    assert_eq!(count(&service, "3006", "free"), 40_000);
    let again = push(&service, "3006", &path);
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert_eq!(count(&service, "3006", "free"), 40_000);
}

/// What asking for one number costs, from the log: rows read, rows written.
fn cost(service: &Service, code: &str, card: &str, status: u16) -> (u64, u64) {
    let body = json!({
        "event": "created", "card_id": card, "type": code,
        "user": { "email": format!("{card}@example.com") },
    });
    let request = service.post("/wallet/notify").auth(secrets::WALLET_AUTH);
    let reply = request.header("X-Request-Id", card).json(&body);
    assert_eq!(reply.status, status, "{reply}");
    let id = format!(r#""id":"{card}""#);
    let log = service.log_saying(&id);
    let line: Value = serde_json::from_str(log.lines().find(|l| l.contains(&id)).unwrap()).unwrap();
    (line["rows_read"].as_u64().unwrap(), line["rows_written"].as_u64().unwrap())
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are what an operator pays for")]
#[expect(clippy::disallowed_methods, reason = "how long a push takes is measured")]
fn taking_a_number_costs_the_same_with_ten_or_a_million_in_the_pool_and_with_none() {
    let wallet = Wallet::start();
    wallet.is(Mood::Answers(200));
    let service = service_with(&wallet);
    let many = if promo_tests::long() { 1_000_000 } else { 20_000 };
    for (code, size) in [("3007", 10), ("3008", many)] {
        publish_type(&service, code, "card", &json!({ "symbology": "EAN_13" }));
        let path = file(&format!("{code}.csv"), &made(&service, code, size));
        let start = Instant::now();
        let pushed = push(&service, code, &path);
        assert_eq!(pushed.status.code(), Some(0), "{}", err(&pushed));
        println!("{size} numbers pushed in {:?}", start.elapsed());
    }
    publish_type(&service, "3009", "card", &json!({}));

    let costs: Vec<_> = (0..5)
        .map(|n| {
            let few = cost(&service, "3007", &format!("few-{n}"), 202);
            let lots = cost(&service, "3008", &format!("many-{n}"), 202);
            let none = cost(&service, "3009", &format!("none-{n}"), 409);
            (few, lots, none)
        })
        .collect();

    let (few, lots, none) = costs[4];
    println!("rows (read, written): {few:?} of 10, {lots:?} of {many}, {none:?} of none");
    for (few, lots, none) in &costs[1..] {
        assert_eq!(few, lots, "{costs:?}");
        assert!(none.0 <= few.0 && none.1 <= few.1, "{costs:?}");
    }
    assert!(few.0 <= 12 && few.1 <= 12, "{costs:?}");
}
