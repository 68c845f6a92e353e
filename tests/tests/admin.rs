//! What operators do: campaigns and locations in KV.

use promo_tests::Service;
use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::Tab;
use serde_json::json;

#[test]
fn a_campaign_is_put_got_changed_and_deleted_and_the_next_request_sees_it() {
    let service = Service::shared();
    let tab = Tab::new(service, "crud");
    let document =
        with(ten_percent("crud", "FIRST10"), "codes", json!({ "fixed": ["First-10", "KEPT10"] }));
    let at = "/admin/campaigns/crud";

    publish(service, &document);
    assert_eq!(service.get(at).admin().send().json(), document);
    assert_eq!(tab.inquire("first10").status, 200);

    let mut changed = with(document, "codes", json!({ "fixed": ["KEPT10", "NEW10"] }));
    changed["offers"][0]["discount"]["percent"] = json!("50");
    publish(service, &changed);
    assert_eq!(tab.inquire("FIRST10").status, 404, "a code that was taken out is gone");
    for code in ["KEPT10", "NEW10"] {
        let reply = tab.inquire(code);
        assert!(reply.text().contains("\"amount\":5.50,"), "{code}: {reply}");
    }

    let deleted = service.delete(at).admin().send();
    assert_eq!(deleted.status, 200, "{deleted}");
    assert_eq!(service.get(at).admin().send().status, 404);
    assert_eq!(service.delete(at).admin().send().status, 404);
    assert_eq!(tab.inquire("NEW10").status, 404);
}

#[test]
fn a_document_with_faults_is_told_all_of_them() {
    let service = Service::shared();
    let document = json!({
        "id": "faulty", "name": "Faulty", "currency": "USD", "codes": { "fixed": ["FAULTY"] },
        "offers": [{ "id": "x", "name": "X", "discount": { "percent": "110" }, "priorty": 1 }]
    });

    let reply = service.put("/admin/campaigns/faulty").admin().json(&document);

    assert_eq!(reply.status, 422, "{reply}");
    let errors = reply.json()["errors"].clone();
    let pointers: Vec<_> =
        errors.as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/offers/0/discount/percent"), "{reply}");
    assert!(pointers.contains(&"/offers/0/priorty"), "{reply}");
    assert_eq!(service.get("/admin/campaigns/faulty").admin().send().status, 404);
}

#[test]
fn a_put_under_another_id_or_with_anothers_code_is_refused() {
    let service = Service::shared();
    publish(service, &ten_percent("holder", "HELD10"));

    let misnamed =
        service.put("/admin/campaigns/other").admin().json(&ten_percent("holder", "X10"));
    assert_eq!(misnamed.status, 422, "{misnamed}");
    assert_eq!(misnamed.json()["errors"][0]["pointer"], "/id");

    let thief = ten_percent("thief", "held-10");
    let stolen = service.put("/admin/campaigns/thief").admin().json(&thief);
    assert_eq!(stolen.status, 409, "{stolen}");
    assert_eq!(stolen.json()["errors"][0]["pointer"], "/codes/fixed/0");
}

#[test]
fn a_campaign_that_is_over_is_published_with_a_warning() {
    let service = Service::shared();
    let over = with(ten_percent("past", "PAST10"), "ends_at", json!("2020-01-01T00:00"));

    let reply = service.put("/admin/campaigns/past").admin().json(&over);

    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(reply.json()["warnings"][0]["pointer"], "/ends_at", "{reply}");
}

#[test]
fn campaigns_are_listed_and_a_code_says_where_it_leads() {
    let service = Service::shared();
    publish(service, &ten_percent("listed-one", "LISTED10"));

    let list = service.get("/admin/campaigns").admin().send().json();
    let ids: Vec<_> = list["campaigns"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert!(ids.contains(&&json!("listed-one")), "{list}");

    let code = service.get("/admin/codes/listed-10").admin().send();
    assert_eq!(
        code.json(),
        json!({ "code": "LISTED10", "campaign": "listed-one", "valid": true, "state": "live" })
    );
    assert_eq!(service.get("/admin/codes/nowhere").admin().send().status, 404);
}

#[test]
fn a_location_is_put_and_got_and_its_faults_are_told() {
    let service = Service::shared();
    let place = json!({ "timezone": "Europe/Madrid", "tag": ["beach"], "currency": "EUR" });

    let put = service.put("/admin/locations/Plaza%20Mayor").admin().json(&place);
    assert_eq!(put.status, 200, "{put}");
    assert_eq!(service.get("/admin/locations/Plaza%20Mayor").admin().send().json(), place);

    let bad = json!({ "timezone": "Mars/Base" });
    let refused = service.put("/admin/locations/1").admin().json(&bad);
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["pointer"]),
        (422, &json!("/timezone"))
    );
}

#[test]
fn a_campaign_in_another_currency_than_the_place_gives_nothing() {
    let service = Service::shared();
    publish(service, &ten_percent("dollars", "DOLLARS10"));
    let euro = json!({ "currency": "EUR" });
    assert_eq!(service.put("/admin/locations/euro").admin().json(&euro).status, 200);
    let tab = Tab::new(service, "dollars");

    assert_eq!(tab.inquire("DOLLARS10").status, 200);
    assert_eq!(tab.with("location_id", json!("euro")).inquire("DOLLARS10").status, 404);
}

#[test]
fn a_simulation_asks_the_campaigns_it_brings_or_those_that_are_stored_and_counts_nothing() {
    let service = Service::shared();
    let quota = json!([{ "per": [], "limit": 1 }]);
    publish(service, &with(ten_percent("simulated", "SIMULATED10"), "quotas", quota));
    let cart = json!({ "tab_id": "s", "location_id": "1", "currency": "USD", "subtotal": 1000 });
    let ask = |body| service.post("/admin/simulate").admin().json(&body);

    for _ in 0..3 {
        let stored = ask(json!({ "codes": ["simulated-10", "NOSUCH"], "cart": cart }));
        assert_eq!(stored.status, 200, "{stored}");
        assert_eq!(stored.json()["discount"], 100);
        assert_eq!(stored.json()["rejected"][0]["reason"], "unknown_code", "{stored}");
    }
    let own = json!([ten_percent("own", "OWN10")]);
    let brought = ask(json!({ "campaigns": own, "cart": cart, "at": "2026-07-04T17:30:00-05:00" }));
    assert_eq!(brought.json()["offers"][0]["campaign"], "own", "{brought}");
    let all = ask(json!({ "cart": cart })).json();
    assert!(all["discount"].as_u64() >= Some(100), "{all}");
    let faulty = ask(json!({ "campaigns": [{ "id": "X" }], "cart": {} }));
    assert_eq!(faulty.status, 422, "{faulty}");
}

#[test]
fn a_currency_stays_once_a_campaign_was_redeemed() {
    let service = Service::shared();
    let document = ten_percent("currency", "CURRENCY10");
    let in_yen = with(document.clone(), "currency", json!("JPY"));
    let put = |document: &serde_json::Value| {
        service.put("/admin/campaigns/currency").admin().json(document)
    };
    publish(service, &document);
    assert_eq!(put(&in_yen).status, 200, "nothing was redeemed yet");
    publish(service, &document);
    let tab = Tab::new(service, "currency");
    assert_eq!(tab.redeem(&["currency.ten-off.CURRENCY10"]).status, 200);
    assert_eq!(tab.reverse(&[]).status, 200);

    let refused = put(&in_yen);
    assert_eq!(refused.status, 409, "{refused}");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/currency");
    assert!(refused.text().contains("USD"), "{refused}");
    assert_eq!(put(&with(document.clone(), "name", json!("New name"))).status, 200);
    // Its ledger outlives a campaign.
    assert_eq!(service.delete("/admin/campaigns/currency").admin().send().status, 200);
    assert_eq!(put(&in_yen).status, 409);
    assert_eq!(put(&document).status, 200);
}
