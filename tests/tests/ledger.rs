//! The ledger on the real runtime: exact under a crowd, durable under a kill.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::{Service, secrets};
use serde_json::json;

#[test]
fn sixty_guests_at_once_for_fifty_uses_get_exactly_fifty() {
    let service = Service::start();
    let quota = json!([{ "per": [], "limit": 50 }]);
    publish(&service, &with(ten_percent("rush", "RUSH50"), "quotas", quota));
    let given = AtomicUsize::new(0);

    thread::scope(|scope| {
        for guest in 0..60 {
            let (service, given) = (&service, &given);
            scope.spawn(move || {
                let tab = Tab::new(service, &format!("rush-{guest}"));
                let mut reply = tab.redeem(&["rush.ten-off.RUSH50"]);
                // A till that is told "not now", because so many ask at once, asks again.
                for _ in 0..20 {
                    if reasons(&reply) != ["temporarily_unavailable"] {
                        break;
                    }
                    reply = tab.redeem(&["rush.ten-off.RUSH50"]);
                }
                match applied(&reply).len() {
                    1 => given.fetch_add(1, Ordering::Relaxed),
                    _ => {
                        assert_eq!(reasons(&reply), ["quota_exhausted"], "{reply}");
                        0
                    }
                }
            });
        }
    });

    assert_eq!(given.into_inner(), 50);
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let mut service = Service::start();
    let quota = json!([{ "per": [], "limit": 20 }]);
    publish(&service, &with(ten_percent("kill", "KILL20"), "quotas", quota));
    let offer = ["kill.ten-off.KILL20"];
    let mut answers = Vec::new();
    for guest in 0..10 {
        let reply = Tab::new(&service, &format!("kill-{guest}")).redeem(&offer);
        assert_eq!(applied(&reply).len(), 1, "{reply}");
        answers.push(reply.body);
        if guest % 3 == 0 {
            service.restart();
        }
    }
    assert_eq!(Tab::new(&service, "kill-0").reverse(&[]).status, 200);
    service.restart();

    // Asked again, each acknowledged redemption has its answer, and the count is what it was.
    for (guest, answer) in answers.iter().enumerate().skip(1) {
        assert_eq!(Tab::new(&service, &format!("kill-{guest}")).redeem(&offer).body, *answer);
    }
    let more = (10..30).filter(|guest| {
        let reply = Tab::new(&service, &format!("kill-{guest}")).redeem(&offer);
        applied(&reply).len() == 1
    });
    assert_eq!(more.count(), 11);
}

#[test]
fn guests_who_type_two_codes_at_the_same_instant_get_one_of_two_that_do_not_combine() {
    let service = Service::start();
    publish(&service, &ten_percent("one", "ONE10"));
    publish(&service, &ten_percent("two", "TWO10"));
    for round in 0..10 {
        let tab = Tab::new(&service, &format!("both-{round}"));
        let (one, two) = thread::scope(|scope| {
            let one = scope.spawn(|| tab.redeem(&["one.ten-off.ONE10"]));
            let two = scope.spawn(|| tab.redeem(&["two.ten-off.TWO10"]));
            (one.join().unwrap(), two.join().unwrap())
        });
        assert_eq!(applied(&one).len() + applied(&two).len(), 1, "{one} {two}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the number is what an operator pays for")]
fn a_redemption_writes_at_most_three_rows_and_its_repeat_at_most_two() {
    let service = Service::start();
    let quota = json!([{ "per": [], "limit": 50 }]);
    publish(&service, &with(ten_percent("rows", "ROWS10"), "quotas", quota));
    let tab = Tab::new(&service, "rows");
    let written = |request: &str| {
        let log = service.log_saying(&format!(r#""id":"{request}""#));
        let line = log.lines().find(|line| line.contains(&format!(r#""id":"{request}""#))).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["rows_written"].as_u64().unwrap()
    };
    let redeem = |request: &str| {
        let body = tab.body("REDEEM", &json!({ "offers": ["rows.ten-off.ROWS10"] }));
        let redeem = service.post("/gotab/promo").auth(secrets::GOTAB_PROMO_AUTH);
        let reply = redeem.header("X-Request-Id", request).json(&body);
        assert_eq!(applied(&reply).len(), 1, "{reply}");
        written(request)
    };

    let (first, repeat) = (redeem("first"), redeem("repeat"));

    println!("rows written: {first} for a redemption, {repeat} for its repeat");
    assert!(first > 0 && first <= 3, "{first}");
    assert!(repeat <= 2, "{repeat}");
    assert_eq!(tab.inquire("ROWS10").status, 200);
}

#[test]
fn a_fast_inquiry_hears_of_sold_out_by_the_published_mark_and_of_more_at_once() {
    let service = Service::start();
    let campaign = |limit: u64| {
        let quota = json!([{ "per": [], "limit": limit }]);
        with(with(ten_percent("fast", "FAST"), "quotas", quota), "inquire", json!("fast"))
    };
    publish(&service, &campaign(1));
    // Each on a tab of its own: the guard takes a tab that is refused ten times for a guesser's.
    let asked = AtomicUsize::new(0);
    let inquire = || {
        let tab = format!("asks-{}", asked.fetch_add(1, Ordering::Relaxed));
        Tab::new(&service, &tab).inquire("FAST").status
    };
    let soon = |status: u16| {
        for _ in 0..100 {
            if inquire() == status {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("an inquiry is never answered {status}");
    };
    assert_eq!(inquire(), 200);
    assert_eq!(applied(&Tab::new(&service, "takes").redeem(&["fast.ten-off.FAST"])).len(), 1);
    soon(404);

    publish(&service, &campaign(2));
    assert_eq!(inquire(), 200, "a limit that is raised opens at once");
    publish(&service, &campaign(1));
    soon(404);
    assert_eq!(Tab::new(&service, "takes").reverse(&[]).status, 200);
    soon(200);
}
