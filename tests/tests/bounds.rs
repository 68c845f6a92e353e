//! What nobody may make the service do: say whose number or address it was, wait for ever, or keep
//! something for campaigns that do not exist.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's own functions fail the test"
)]

use std::path::Path;

use promo_tests::campaign::{publish, ten_percent};
use promo_tests::erasure::erase;
use promo_tests::gotab::{Tab, applied};
use promo_tests::{Service, secrets};
use serde_json::{Value, json};

const PHONE: &str = "+16085550123";
const EMAIL: &str = "guest@b.example";

/// The secret of a route, as the description names it.
fn secret(operation: &Value) -> Option<String> {
    let scheme = operation["security"][0].as_object()?.keys().next()?.as_str();
    Some(match scheme {
        "gotab_promo" => secrets::GOTAB_PROMO_AUTH.to_owned(),
        "gotab_loyalty" => secrets::GOTAB_LOYALTY_AUTH.to_owned(),
        "api" => secrets::API_AUTH.to_owned(),
        "wallet" => secrets::WALLET_AUTH.to_owned(),
        "operator" => format!("Bearer {}", secrets::ADMIN_TOKEN),
        other => panic!("no secret for {other}"),
    })
}

/// Bodies with a guest's number or address wherever a till or an operator may put it.
fn bodies(who: &str) -> Vec<Value> {
    let customer = json!({ "phone": PHONE, "email": EMAIL, "id": who });
    let cart = json!({ "tab_id": who, "location_id": "1019", "currency": "USD", "subtotal": 1000,
        "customer": customer });
    let tab = json!({ "tab_id": who, "tab_uuid": who, "location_id": "1019", "name": who,
        "status": "PENDING", "total": 1100, "subtotal": 1100, "customers": customer });
    let event = |kind: &str| {
        json!({ "event_type": kind, "lookup_value": who, "location_id": "1019", "tab_data": tab,
            "customer": customer, "offers": [{ "offer_id": who }, { "offer_id": format!("a.b.{who}") }] })
    };
    vec![
        json!({ who: who, "from": who, "reason": who, "points": 1, "code": who, "cart": cart,
            "offer_ids": [who], "tab_id": who, "location_id": who, "user": customer,
            "card_id": who, "type": who }),
        json!({ "code": who.trim_start_matches('+'), "cart": cart }),
        json!({ "offer_ids": [who, format!("camp.offer.{who}")], "cart": cart }),
        json!({ "offer_ids": [], "cart": cart }),
        event("INQUIRE"),
        event("REDEEM"),
        event("REVERSAL"),
        event("ACCRUAL"),
        event("CREATE"),
        event(who),
        json!(who),
        json!([{ who: { "a": who } }]),
    ]
}

#[test]
fn no_route_puts_a_guests_number_or_address_or_a_secret_into_the_log() {
    let service = Service::with().var("WALLET_URL", "http://127.0.0.1:9/").start();
    let described = service.get("/openapi.json").send().json();
    let mut asked = 0_u32;
    for (pattern, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let secret = secret(operation);
            for who in [PHONE, EMAIL, "6085550123", secrets::API_AUTH, secrets::ADMIN_TOKEN] {
                let encoded = who.replace('+', "%2B").replace('@', "%40");
                let parts = pattern.split('/').map(|part| match part.strip_prefix('{') {
                    Some(_) => encoded.as_str(),
                    None => part,
                });
                let path = parts.collect::<Vec<_>>().join("/");
                let other = format!("{path}/{encoded}");
                let queries = [
                    "".to_owned(),
                    format!("?cursor={encoded}&limit={encoded}"),
                    format!("?{encoded}={encoded}"),
                    format!("?upload={encoded}&dry_run={encoded}"),
                ];
                for path in queries.iter().map(|query| format!("{path}{query}")).chain([other]) {
                    let request = || {
                        let request = service.request(&method.to_uppercase(), &path);
                        let request = request
                            .header("X-Request-Id", who)
                            .header("User-Agent", who)
                            .header("Idempotency-Key", &format!("{who} key"));
                        match &secret {
                            Some(secret) => request.auth(secret),
                            None => request,
                        }
                    };
                    asked += 1;
                    let reply = if method == "get" || method == "delete" {
                        request().send()
                    } else {
                        request().json(&json!({ "a": who }))
                    };
                    assert_ne!(reply.status, 500, "{method} {path}: {reply}");
                }
                if method == "post" || method == "put" {
                    for body in bodies(who) {
                        let request = service.request(&method.to_uppercase(), &path);
                        let reply = request.auth(secret.as_deref().unwrap_or(who)).json(&body);
                        assert_ne!(reply.status, 500, "{method} {path} {body}: {reply}");
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    service.get("/healthz").header("X-Request-Id", "the-last-one").send();
    service.log_saying("the-last-one");
    for line in service.log() {
        for private in ["6085550123", EMAIL, "guest%40", secrets::API_AUTH, secrets::ADMIN_TOKEN] {
            assert!(!line.contains(private), "{private} in {line}");
        }
    }
    let log = service.log().join("\n");
    for pattern in
        ["/admin/members/:identifier", "/admin/customers/:identifier", "/admin/tabs/:tab"]
    {
        assert!(log.contains(&format!("\"path\":\"{pattern}\"")), "{pattern}");
    }
    assert!(log.contains("\"path\":\"unknown\""));
}

#[test]
fn a_kv_that_does_not_answer_keeps_no_till_waiting() {
    let mut service = Service::start();
    publish(&service, &ten_percent("waits", "WAITS10"));
    service.restart_with(|options| options.var("PROMO_SLOW_KV", "60000"));
    let tab = Tab::new(&service, "waits");
    let offer = ["waits.ten-off.WAITS10"];
    let cart = json!({ "tab_id": "w", "location_id": "1019", "currency": "USD", "subtotal": 1000 });
    let neutral = |question: &str, more: Value| {
        let mut body = json!({ "cart": cart });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.post(&format!("/v1/{question}")).auth(secrets::API_AUTH).json(&body)
    };
    let questions: [&dyn Fn() -> promo_tests::Reply; 5] = [
        &|| tab.inquire("WAITS10"),
        &|| tab.redeem(&offer),
        &|| tab.loyalty("INQUIRE", &json!({ "lookup_value": PHONE })),
        &|| neutral("inquire", json!({ "code": "WAITS10" })),
        &|| neutral("redeem", json!({ "offer_ids": offer })),
    ];
    for (index, ask) in questions.iter().enumerate() {
        let reply = ask();
        assert_eq!(reply.status, 503, "{index}: {reply}");
    }
    let log = service.log_saying("KV: no answer within");
    for line in log.lines().filter(|line| line.contains("\"path\":\"/v1/")) {
        let line: Value = serde_json::from_str(line).unwrap();
        let spent = line["ms"]["kv"].as_i64().unwrap() + line["ms"]["ledger"].as_i64().unwrap();
        assert!(spent < 2000, "{line}");
    }
    // What needs no document goes on.
    assert_eq!(tab.reverse(&offer).status, 200);
    service.restart_with(|options| options.var("PROMO_SLOW_KV", "100"));
    let tab = Tab::new(&service, "waits");
    assert_eq!(applied(&tab.redeem(&offer)).len(), 1, "slow is not silent");
}

/// How many objects of a class there are, by their files.
fn objects(state: &Path, class: &str) -> usize {
    let Ok(entries) = std::fs::read_dir(state) else { return 0 };
    let below = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        match path.is_dir() {
            true => objects(&path, class),
            false => usize::from(name.contains(class) && name.ends_with(".sqlite")),
        }
    });
    below.sum()
}

#[test]
fn a_reversal_or_redeem_of_campaigns_that_do_not_exist_keeps_nothing_for_them() {
    let service = Service::start();
    publish(&service, &ten_percent("stands", "STANDS10"));
    let tab = Tab::new(&service, "made-up");
    let offer = "stands.ten-off.STANDS10";
    assert_eq!(applied(&tab.redeem(&[offer])).len(), 1);
    let kept = || ["-Ledger/", "-Location/"].map(|class| objects(service.state(), class));
    let ledgers = || erase(&service, "nobody")["ledgers"].clone();
    let before = (kept(), ledgers());
    assert!(
        before.0[0] > 0 && before.0[1] > 0,
        "the files are where they are looked for: {before:?}"
    );

    for round in 0..3 {
        let made_up: Vec<String> =
            (0..40).map(|n| format!("made-{round}-{n}.offer.CODE{n}")).collect();
        let made_up: Vec<&str> = made_up.iter().map(String::as_str).collect();
        assert_eq!(tab.reverse(&made_up).status, 200);
        let reply = service
            .post("/v1/reverse")
            .auth(secrets::API_AUTH)
            .json(&json!({ "offer_ids": made_up, "tab_id": "made-up", "location_id": "1019" }));
        assert_eq!(reply.json()["unchanged"].as_array().unwrap().len(), 40, "{reply}");
        assert_eq!(tab.redeem(&made_up).status, 404);
    }
    assert_eq!((kept(), ledgers()), before);
    // A real one among them is given back.
    let reply = service.post("/v1/reverse").auth(secrets::API_AUTH).json(&json!({
        "offer_ids": ["made.up.CODE", offer], "tab_id": "made-up", "location_id": "1019" }));
    assert_eq!(reply.json(), json!({ "reversed": [offer], "unchanged": ["made.up.CODE"] }));
    // And what is redeemed after it was reversed is a new redemption.
    publish(&service, &ten_percent("early", "EARLY10"));
    let early = ["early.ten-off.EARLY10"];
    let tab = Tab::new(&service, "not-guessing");
    assert_eq!(tab.reverse(&early).status, 200);
    assert_eq!(applied(&tab.redeem(&early)).len(), 1);
}

#[test]
fn weak_secrets_are_told_once_by_name_and_never_shown() {
    let service = Service::with()
        .var("API_AUTH", "hunter2-hunter")
        .var("GOTAB_PROMO_AUTH", "0123456789abcdef,tail-of-it")
        .start();
    for _ in 0..3 {
        assert_eq!(service.get("/healthz").send().status, 200);
    }
    let open = service.post("/v1/inquire").auth("hunter2-hunter").json(&json!({}));
    assert_eq!(open.status, 422, "it is told, and works: {open}");
    let log = service.log_saying("the secret API_AUTH has 14 characters");
    assert!(log.contains("the secret GOTAB_PROMO_AUTH entry 2 of 2 has 10 characters"), "{log}");
    assert_eq!(log.matches("the secret API_AUTH").count(), 1, "{log}");
    assert!(!log.contains("the secret ADMIN_TOKEN"), "{log}");
    for secret in ["hunter2-hunter", "tail-of-it"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_made_harmless() {
    let service = Service::shared();
    publish(service, &ten_percent("cells", "CELLS10"));
    for name in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "plain"] {
        let tab = Tab::new(service, name);
        assert_eq!(applied(&tab.redeem(&["cells.ten-off.CELLS10"])).len(), 1, "{name}");
    }
    let at = "/admin/campaigns/cells/redemptions";
    let csv = service.get(at).admin().header("Accept", "text/csv").send().text();
    for cell in [
        ",\"'=HYPERLINK(\"\"http://x\"\")\",",
        ",\"'+1\",",
        ",\"'-1\",",
        ",\"'@SUM(A1)\",",
        ",plain,",
    ] {
        assert!(csv.contains(cell), "{cell} in {csv}");
    }
}

#[test]
fn a_parameter_that_an_operators_route_does_not_take_is_named() {
    let service = Service::shared();
    publish(service, &ten_percent("asked", "ASKED10"));
    let cases = [
        ("GET", "/admin/campaigns?limit=5", "\"limit\""),
        ("GET", "/admin/campaigns/asked?revison=3", "\"revison\""),
        ("GET", "/admin/campaigns/asked/redemptions?limit=5&cusor=x", "\"cusor\""),
        ("DELETE", "/admin/campaigns/asked?dry_run=true", "\"dry_run\""),
    ];
    for (method, path, named) in cases {
        let reply = service.request(method, path).admin().send();
        assert_eq!(reply.status, 400, "{path}: {reply}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{reply}");
    }
    assert_eq!(service.get("/admin/campaigns/asked").admin().send().status, 200, "not deleted");
    // Nobody learns by it what a route takes.
    assert_eq!(service.get("/admin/campaigns?limit=5").send().status, 401);
}
