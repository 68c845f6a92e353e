//! What holds for every route: authorisation, media types, bounds, headers; and that no input costs
//! another request anything.

use promo_tests::campaign::{publish, ten_percent};
use promo_tests::gotab::Tab;
use promo_tests::{Exchange, Reply, Service, secrets};
use serde_json::{Value, json};

#[track_caller]
fn is_problem(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply}");
    let problem = reply.json();
    assert_eq!(problem.get("status"), Some(&json!(status)));
    for key in ["type", "title", "detail"] {
        assert!(problem.get(key).is_some_and(Value::is_string), "{key}: {reply}");
    }
}

fn promo(service: &Service) -> Exchange {
    service.post("/gotab/promo").auth(secrets::GOTAB_PROMO_AUTH)
}

fn json(exchange: Exchange) -> Exchange {
    exchange.header("Content-Type", "application/json")
}

#[test]
fn a_route_opens_only_to_its_own_secret() {
    let service = Service::shared();
    let routes = [
        ("POST", "/gotab/promo", secrets::GOTAB_PROMO_AUTH.to_owned()),
        ("POST", "/v1/inquire", secrets::API_AUTH.to_owned()),
        ("GET", "/admin/campaigns", format!("Bearer {}", secrets::ADMIN_TOKEN)),
    ];
    for (method, path, secret) in &routes {
        is_problem(&service.request(method, path).send(), 401);
        for wrong in
            ["", "wrong", "Bearer wrong", &secret.replace("test", "tes"), &format!("{secret}x")]
        {
            is_problem(&service.request(method, path).auth(wrong).send(), 401);
        }
        let open = service.request(method, path).auth(secret).send();
        assert_ne!(open.status, 401, "{path}: {open}");
    }
}

#[test]
fn two_secrets_may_be_valid_at_once_and_a_missing_one_closes_its_route() {
    let service = Service::with()
        .var("API_AUTH", "the-old-secret-of-tills, the-new-secret-of-tills")
        .without("ADMIN_TOKEN")
        .start();
    for secret in ["the-old-secret-of-tills", "the-new-secret-of-tills"] {
        let open = json(service.post("/v1/inquire").auth(secret)).body(b"{}");
        is_problem(&open, 422);
    }
    is_problem(
        &service
            .post("/v1/inquire")
            .auth("the-old-secret-of-tills, the-new-secret-of-tills")
            .send(),
        401,
    );
    is_problem(&service.get("/admin/campaigns").auth("Bearer ").send(), 503);
    service.log_saying("ADMIN_TOKEN");
}

#[test]
fn addresses_methods_and_media_types_are_told_apart() {
    let service = Service::shared();
    is_problem(&service.get("/nothing/here").send(), 404);
    is_problem(&service.get("/admin/nothing").admin().send(), 404);
    let wrong = service.get("/gotab/promo").send();
    is_problem(&wrong, 405);
    assert_eq!(wrong.header("allow"), Some("POST"));
    let wrong = service.post("/admin/campaigns/x").admin().send();
    is_problem(&wrong, 405);
    assert_eq!(wrong.header("allow"), Some("GET, PUT, DELETE"));
    is_problem(&promo(service).header("Content-Type", "text/plain").body(b"{}"), 415);
    let with_charset = promo(service)
        .header("Content-Type", "application/json; charset=utf-8")
        .body(br#"{"event_type": "INQUIRE"}"#);
    is_problem(&with_charset, 400);
}

#[test]
fn a_body_too_large_or_too_deep_is_refused() {
    let service = Service::shared();
    let large = format!(r#"{{"event_type": "INQUIRE", "x": "{}"}}"#, "x".repeat(256 * 1024));
    is_problem(&json(promo(service)).body(large.as_bytes()), 413);
    let deep = format!(r#"{{"event_type": {}1{}}}"#, "[".repeat(100), "]".repeat(100));
    is_problem(&json(promo(service)).body(deep.as_bytes()), 400);
    // Brackets in a text are no nesting.
    let text = format!(r#"{{"event_type": "{}"}}"#, "[".repeat(100));
    is_problem(&json(promo(service)).body(text.as_bytes()), 400);
}

#[test]
fn every_reply_carries_the_headers_of_the_house() {
    let service = Service::shared();
    let replies = [
        service.get("/healthz").send(),
        service.get("/nothing").send(),
        promo(service).send(),
        Tab::new(service, "headers").inquire("NOSUCHCODE"),
        service.get("/admin/campaigns").admin().send(),
    ];
    for reply in replies {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{reply}");
        assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()), "{reply}");
        let timing = reply.header("server-timing").unwrap_or_default();
        let parts: Vec<_> = timing.split(", ").filter_map(|part| part.split(';').next()).collect();
        assert_eq!(parts, ["kv", "ledger", "decide"], "{timing}");
    }
    let echoed = service.get("/healthz").header("X-Request-Id", "till-7.42").send();
    assert_eq!(echoed.header("x-request-id"), Some("till-7.42"));
    let replaced = service.get("/healthz").header("X-Request-Id", "no spaces please").send();
    assert_ne!(replaced.header("x-request-id"), Some("no spaces please"));
}

#[test]
fn rubbish_costs_nobody_anything() {
    let service = Service::shared();
    publish(service, &ten_percent("sound", "SOUND10"));
    let tab = Tab::new(service, "sound");
    let sound = tab.body("INQUIRE", &json!({ "lookup_value": "SOUND10" })).to_string();
    let mut rubbish: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"event_type\": \"INQUIRE\", \"lookup_value\": \"\\ud800\"}".to_vec(),
        b"1e999".to_vec(),
        b"{\"event_type\": 1e400}".to_vec(),
        b"{\"event_type\": {\"a\": []}, \"tab_data\": 5}".to_vec(),
    ];
    // A sound event cut off, with one byte changed, and with absurd numbers.
    for at in (0..sound.len()).step_by(17) {
        rubbish.push(sound.as_bytes()[..at].to_vec());
        let mut changed = sound.clone().into_bytes();
        changed[at] ^= 0x15;
        rubbish.push(changed);
    }
    for number in ["-1", "1.5", "1e308", "99999999999999999999", "\"\"", "[[]]", "{}", "true"] {
        rubbish.push(sound.replace("1100", number).into_bytes());
    }
    for body in rubbish {
        let reply = json(promo(service)).body(&body);
        assert!(reply.status < 500, "{}: {reply}", String::from_utf8_lossy(&body));
        let next = tab.inquire("SOUND10");
        assert_eq!(next.status, 200, "after {}: {next}", String::from_utf8_lossy(&body));
    }
    for path in ["/%", "/%ff", "/%00", "/..", "/admin/campaigns/%2e%2e", "//", "/admin/tabs/%0a"] {
        let reply = service.get(path).admin().send();
        assert!(reply.status < 500, "{path}: {reply}");
    }
}

#[test]
fn the_log_has_a_line_for_each_request_and_nobodys_secrets() {
    let service = Service::start();
    publish(&service, &ten_percent("logged", "LOGGED10"));
    let tab = Tab::new(&service, "logged")
        .with("customers", json!({ "phone": "+16085550123", "email": "guest@b.example" }));
    assert_eq!(tab.inquire("LOGGED10").status, 200);
    assert_eq!(tab.redeem(&["logged.ten-off.LOGGED10"]).status, 200);
    assert_eq!(tab.inquire("UNKNOWN10").status, 404);

    service.log_saying(r#""outcome":"applied""#);
    let log = service.log_saying(r#""reason":"unknown_code""#);

    for private in [secrets::GOTAB_PROMO_AUTH, "6085550123", "guest@b.example"] {
        assert!(!log.contains(private), "{private} in {log}");
    }
}
