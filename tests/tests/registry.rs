//! Operators' documents: revisions, one holder of each code, and a stop that is a stop.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test's own functions fail the test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "which requests began after an answer is the question"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied};
use promo_tests::programme::tap_club;
use promo_tests::{Line, Reply, Service, secrets};
use serde_json::{Value, json};

const CLIENTS: usize = 12;

fn put(service: &Service, document: &Value) -> Reply {
    let id = document["id"].as_str().unwrap();
    service.put(&format!("/admin/campaigns/{id}")).admin().json(document)
}

/// What a change answered that must have been published: its revision.
#[track_caller]
fn published(reply: &Reply) -> u64 {
    assert_eq!(reply.status, 200, "{reply}");
    let said = reply.json();
    assert_eq!(said["published"], true, "{reply}");
    said["revision"].as_u64().unwrap()
}

/// Asks for the offer on a tab of its own: whether it was applied, or why not.
fn redeem(line: &Line, id: &str, tab: &str) -> Result<(), String> {
    let cart = json!({ "tab_id": tab, "location_id": "1019", "currency": "USD",
        "lines": [{ "id": "1", "quantity": 1, "unit_price": 1000 }] });
    let offer = format!("{id}.ten-off.{}", id.to_uppercase());
    let exchange = line.post("/v1/redeem").auth(secrets::API_AUTH);
    let reply = exchange.json(&json!({ "offer_ids": [offer], "cart": cart }));
    assert_eq!(reply.status, 200, "{reply}");
    match reply.json().pointer("/rejected/0/reason") {
        None => Ok(()),
        Some(reason) => Err(reason.as_str().unwrap_or_default().to_owned()),
    }
}

fn campaign(id: &str, limit: u64, shards: u32) -> Value {
    let document = ten_percent(id, &id.to_uppercase());
    let document = with(document, "quotas", json!([{ "per": [], "limit": limit }]));
    with(document, "ledger", json!({ "shards": shards, "by": "tab" }))
}

/// So many clients redeem while `change` is made. Returns, of each redemption that was applied or refused
/// after it had begun later than the change was answered, whether it was applied; and how many were applied
/// before.
fn redeem_while(
    service: &Service,
    id: &str,
    change: impl FnOnce() -> Reply,
) -> (Vec<Result<(), String>>, usize) {
    let (line, closing) = (service.line(), AtomicBool::new(false));
    let mut answered = None;
    let mut log: Vec<(Instant, Result<(), String>)> = Vec::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (line, closing) = (&line, &closing);
                scope.spawn(move || {
                    let (mut log, mut after) = (Vec::new(), 0);
                    for visit in 0.. {
                        // A few more once the change was answered: they are what this is about.
                        after += usize::from(closing.load(Ordering::Relaxed));
                        if after > 6 {
                            break;
                        }
                        let begun = Instant::now();
                        log.push((begun, redeem(line, id, &format!("{id}-{client}-{visit}"))));
                    }
                    log
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        published(&change());
        answered = Some(Instant::now());
        closing.store(true, Ordering::Relaxed);
        for client in clients {
            log.extend(client.join().unwrap());
        }
    });
    let answered = answered.unwrap();
    let before = log.iter().filter(|(begun, got)| *begun < answered && got.is_ok()).count();
    let after: Vec<_> =
        log.into_iter().filter(|(begun, _)| *begun > answered).map(|(_, got)| got).collect();
    assert!(after.len() >= CLIENTS * 5 && before > 0, "{} after, {before} before", after.len());
    (after, before)
}

#[test]
fn nothing_is_redeemed_by_an_older_document_once_its_change_was_answered() {
    let service = Service::start();
    for shards in [1, 8] {
        let id = format!("off{shards}");
        let document = campaign(&id, 100_000, shards);
        publish(&service, &document);
        let off = with(document, "active", json!(false));
        let (after, _) = redeem_while(&service, &id, || put(&service, &off));
        assert!(after.iter().all(|got| *got == Err("inactive".to_owned())), "{after:?}");

        let id = format!("gone{shards}");
        publish(&service, &campaign(&id, 100_000, shards));
        let delete = || service.delete(&format!("/admin/campaigns/{id}")).admin().send();
        let (after, _) = redeem_while(&service, &id, delete);
        assert!(after.iter().all(|got| *got == Err("unknown_code".to_owned())), "{after:?}");

        let id = format!("less{shards}");
        publish(&service, &campaign(&id, 100_000, shards));
        let less = campaign(&id, 1, shards);
        let (after, _) = redeem_while(&service, &id, || put(&service, &less));
        assert!(after.iter().all(|got| *got == Err("quota_exhausted".to_owned())), "{after:?}");
    }
}

/// The copy that KV had of a revision, put back: a cache that has not heard.
fn stale(document: &Value, revision: u64) -> String {
    format!("{{\"revision\":{revision}}}\n{document}")
}

#[test]
fn an_edge_whose_kv_is_stale_decides_by_the_document_that_counts() {
    let mut service = Service::start();
    let document = |id: &str, shards: u32| campaign(id, 1000, shards);
    let cases = [("off1", 1), ("off8", 8), ("gone1", 1), ("gone8", 8), ("code1", 1)];
    for (id, shards) in cases {
        assert_eq!(published(&put(&service, &document(id, shards))), 1);
        assert_eq!(redeem(&service.line(), id, &format!("{id}-stands")), Ok(()));
        let at = format!("/admin/campaigns/{id}");
        let changed = match &id[..4] {
            "gone" => service.delete(&at).admin().send(),
            "code" => {
                put(&service, &with(document(id, shards), "codes", json!({"fixed": ["OTHER"]})))
            }
            _ => put(&service, &with(document(id, shards), "active", json!(false))),
        };
        assert_eq!(published(&changed), 2, "{id}");
    }
    let entries: Vec<(String, String)> = cases
        .iter()
        .flat_map(|(id, shards)| {
            let value = stale(&document(id, *shards), 1);
            let code = format!("code:{}", id.to_uppercase());
            [(format!("campaign:{id}"), value.clone()), (code, value)]
        })
        .collect();
    let entries: Vec<(&str, &str)> =
        entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    service.put_by_hand(&entries);
    for (id, _) in cases {
        for tab in 0..12 {
            let got = redeem(&service.line(), id, &format!("{id}-{tab}"));
            let expected = if id.starts_with("off") { "inactive" } else { "unknown_code" };
            assert_eq!(got, Err(expected.to_owned()), "{id}");
            let inquiry = Tab::new(&service, &format!("{id}-i-{tab}")).inquire(&id.to_uppercase());
            assert_eq!(inquiry.status, 404, "{id}: {inquiry}");
        }
    }
}

#[test]
fn a_document_put_into_kv_by_hand_works_until_the_registry_knows_its_campaign() {
    let mut service = Service::start();
    let by_hand = ten_percent("by-hand", "BYHAND").to_string();
    service.put_by_hand(&[("code:BYHAND", &by_hand), ("campaign:by-hand", &by_hand)]);
    let inquire = |service: &Service, code: &str| {
        Tab::new(service, &format!("inquires-{code}")).inquire(code).status
    };
    assert_eq!(inquire(&service, "BYHAND"), 200);
    let given = Tab::new(&service, "by-hand").redeem(&["by-hand.ten-off.BYHAND"]);
    assert_eq!(applied(&given).len(), 1, "{given}");
    let at = "/admin/campaigns/by-hand";
    let got = service.get(at).admin().send();
    assert_eq!((got.status, got.header("etag")), (200, None), "{got}");
    let said = service.get("/admin/codes/BYHAND").admin().send().json();
    assert_eq!((&said["campaign"], &said["valid"]), (&json!("by-hand"), &json!(true)), "{said}");
    let thief = put(&service, &ten_percent("thief", "byhand"));
    assert_eq!(thief.status, 409, "{thief}");
    assert!(thief.text().contains("by-hand"), "{thief}");
    let list = service.get("/admin/campaigns").admin().send().json();
    assert!(list["campaigns"].as_array().unwrap().iter().any(|c| c["id"] == "by-hand"), "{list}");

    // The registry takes it over, and its entries with it.
    assert_eq!(published(&put(&service, &ten_percent("by-hand", "NEWCODE"))), 1);
    assert_eq!((inquire(&service, "BYHAND"), inquire(&service, "NEWCODE")), (404, 200));
    // Put again by hand, it does not count.
    service.put_by_hand(&[("code:BYHAND", &by_hand)]);
    let said = service.get("/admin/codes/BYHAND").admin().send();
    assert_eq!((said.status, &said.json()["valid"]), (200, &json!(false)), "{said}");
    assert_eq!((inquire(&service, "BYHAND"), inquire(&service, "NEWCODE")), (404, 200));
    let refused = Tab::new(&service, "again").redeem(&["by-hand.ten-off.BYHAND"]);
    assert_eq!(refused.status, 404, "{refused}");
    wait_until(|| service.get("/admin/codes/BYHAND").admin().send().status == 404);
    assert_eq!(service.in_kv("code:BYHAND"), None, "it is removed when it is met");
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not come to hold");
}

#[test]
fn of_campaigns_that_want_one_code_at_once_one_has_it_and_no_code_outlives_its_campaign() {
    let service = Service::start();
    let service = &service;
    for round in 0..3 {
        let code = format!("WANTED{round}");
        let document = |name: &str| ten_percent(&format!("{name}{round}"), &code);
        let won: Vec<(usize, Reply)> = thread::scope(|scope| {
            let puts: Vec<_> = (0..40)
                .map(|n: usize| {
                    let document = document(["left", "right"][n % 2]);
                    scope.spawn(move || (n % 2, put(service, &document)))
                })
                .collect();
            puts.into_iter().map(|put| put.join().unwrap()).collect()
        });
        let winners: BTreeSet<usize> =
            won.iter().filter(|(_, reply)| reply.status == 200).map(|(n, _)| *n).collect();
        assert_eq!(winners.len(), 1, "{won:?}");
        let winner = ["left", "right"][*winners.first().unwrap()];
        for (_, reply) in won.iter().filter(|(_, reply)| reply.status != 200) {
            assert_eq!(reply.status, 409, "{reply}");
            assert!(reply.text().contains(&format!("{winner}{round}")), "{reply}");
        }
        let leads = || service.get(&format!("/admin/codes/{code}")).admin().send();
        assert_eq!(leads().json()["campaign"], format!("{winner}{round}"));

        // Changes of hands and deletions, all at once.
        thread::scope(|scope| {
            for n in 0..40_usize {
                let name = format!("{}{round}", ["left", "right"][n % 2]);
                let wanted = document(["left", "right"][n % 2]);
                scope.spawn(move || match n % 5 {
                    0 => service.delete(&format!("/admin/campaigns/{name}")).admin().send(),
                    1 | 2 => put(service, &ten_percent(&name, &format!("OWN{name}"))),
                    _ => put(service, &wanted),
                });
            }
        });
        let holders: Vec<String> = ["left", "right"]
            .iter()
            .map(|name| format!("{name}{round}"))
            .filter(|id| {
                wait_until(|| {
                    let at = format!("/admin/campaigns/{id}/history");
                    service.get(&at).admin().send().json()["published"] == true
                });
                let got = service.get(&format!("/admin/campaigns/{id}")).admin().send();
                got.status == 200 && got.json()["codes"]["fixed"] == json!([code])
            })
            .collect();
        let inquiry = Tab::new(service, &code).inquire(&code);
        match holders.as_slice() {
            [] => assert_eq!((leads().status, inquiry.status), (404, 404), "{inquiry}"),
            [holder] => {
                assert_eq!(leads().json()["campaign"], *holder);
                assert_eq!(inquiry.status, 200, "{inquiry}");
            }
            both => panic!("two holders: {both:?}"),
        }
        for name in ["left", "right"] {
            service.delete(&format!("/admin/campaigns/{name}{round}")).admin().send();
        }
        let inquiry = Tab::new(service, &format!("{code}-after")).inquire(&code);
        assert_eq!((leads().status, inquiry.status), (404, 404), "{inquiry}");
    }
}

#[test]
fn revisions_are_counted_kept_and_asked_for() {
    let service = Service::shared();
    let at = "/admin/campaigns/versions";
    let document = |code: &str| ten_percent("versions", code);
    let put_if = |if_match: &str, code: &str| {
        service.put(at).admin().header("If-Match", if_match).json(&document(code))
    };
    assert_eq!(put_if("*", "VERSION1").status, 412, "there is none");
    assert_eq!(published(&put(service, &document("VERSION1"))), 1);
    let got = service.get(at).admin().send();
    assert_eq!((got.header("etag"), got.json()), (Some("\"1\""), document("VERSION1")));
    assert_eq!(published(&put_if("\"1\"", "VERSION2")), 2);
    let late = put_if("\"1\"", "LATE");
    assert_eq!((late.status, late.header("etag")), (412, Some("\"2\"")), "{late}");
    assert!(late.text().contains("revision 2"), "{late}");
    assert_eq!(put_if("2", "VERSION3").status, 400, "a tag is quoted");
    assert_eq!(published(&put_if("*", "VERSION3")), 3);
    let delete = |if_match: &str| service.delete(at).admin().header("If-Match", if_match).send();
    assert_eq!(delete("\"2\"").status, 412);
    assert_eq!(published(&delete("\"3\"")), 4);
    assert_eq!(service.get(at).admin().send().status, 404);
    assert_eq!(published(&put(service, &document("VERSION5"))), 5);

    let of = |revision: &str| service.get(&format!("{at}?revision={revision}")).admin().send();
    assert_eq!((of("2").status, of("2").json()), (200, document("VERSION2")));
    assert_eq!(of("2").header("etag"), Some("\"2\""));
    for (revision, status) in [("4", 404), ("6", 404), ("two", 422)] {
        assert_eq!(of(revision).status, status, "{revision}");
    }
    let history = service.get(&format!("{at}/history")).admin().send().json();
    let lines: Vec<_> = history["history"].as_array().unwrap().iter().collect();
    let numbers: Vec<_> = lines.iter().map(|line| line["revision"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    assert_eq!((&lines[1]["deleted"], &lines[0]["deleted"]), (&json!(true), &json!(false)));
    assert!(lines.iter().all(|line| line["who"] == "ADMIN_TOKEN" && line["at"].is_string()));
    assert_eq!((&history["revision"], &history["published"]), (&json!(5), &json!(true)));
    assert_eq!(service.get("/admin/campaigns/no-such/history").admin().send().status, 404);
}

#[test]
fn locations_the_programme_and_instrument_types_have_revisions_too() {
    let service = Service::start();
    let place = json!({ "timezone": "Europe/Madrid" });
    let programme = tap_club();
    let card = json!({ "name": "Card", "kind": "card", "symbology": "QR_CODE", "campaign": "c" });
    for (at, document) in [
        ("/admin/locations/Plaza%20Mayor", &place),
        ("/admin/programme", &programme),
        ("/admin/instruments/1234", &card),
    ] {
        for revision in 1..=2 {
            let reply = service.put(at).admin().json(document);
            assert_eq!(published(&reply), revision, "{at}");
        }
        let stale = service.put(at).admin().header("If-Match", "\"1\"").json(document);
        assert_eq!(stale.status, 412, "{stale}");
        assert_eq!(service.get(at).admin().send().status, 200);
    }
    let got = service.get("/admin/locations/Plaza%20Mayor").admin().send();
    assert_eq!((got.header("etag"), got.json()), (Some("\"2\""), place));
}

#[test]
fn whenever_the_process_is_killed_while_it_publishes_everything_converges() {
    let mut service = Service::start();
    let codes = |round: usize| -> Vec<String> {
        (0..150).map(|n| format!("R{round}C{n}")).chain(["STAYS".to_owned()]).collect()
    };
    let document =
        |round: usize| with(ten_percent("many", "X"), "codes", json!({"fixed": codes(round)}));
    assert_eq!(published(&put(&service, &document(0))), 1);
    let (mut stands, mut in_the_middle) = (0, 0);
    for (round, wait) in (1..).zip([0, 60, 120, 200, 300, 450, 600, 800]) {
        let (line, at) = (service.line(), "/admin/campaigns/many");
        let body = document(round).to_string();
        thread::scope(|scope| {
            let put = scope.spawn(move || {
                let put = line.put(at).admin().header("Content-Type", "application/json");
                put.try_body(body.as_bytes()).is_ok_and(|reply| reply.status == 200)
            });
            let history =
                |service: &Service| service.get(&format!("{at}/history")).admin().send().json();
            thread::sleep(Duration::from_millis(wait));
            service.kill();
            let answered = put.join().unwrap();
            service.restart();
            wait_until(|| history(&service)["published"] == true);
            let got = service.get("/admin/campaigns/many").admin().send().json();
            let done = got == document(round);
            assert!(done || got == document(stands), "neither the old document nor the new");
            assert!(done || !answered, "what was acknowledged is lost");
            in_the_middle += usize::from(done && !answered);
            let (alive, dead) = if done { (round, stands) } else { (stands, round) };
            for (n, status) in [(0, 200), (75, 200), (149, 200)] {
                let code = format!("R{alive}C{n}");
                let inquiry = Tab::new(&service, &format!("{round}-{n}")).inquire(&code);
                assert_eq!(inquiry.status, status, "{code}: {inquiry}");
                let code = format!("R{dead}C{n}");
                let gone = service.get(&format!("/admin/codes/{code}")).admin().send();
                assert_eq!(gone.status, 404, "{code}: {gone}");
            }
            stands = alive;
        });
    }
    // Else nothing was ever in the middle of anything.
    assert!(stands > 0 && in_the_middle > 0, "{stands} stands, {in_the_middle} in the middle");
}
