//! GoTab's events in every shape they may come: wrapped, with offers under several keys, with items and
//! adjustments that are not what they seem.

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied};
use promo_tests::{Service, programme, secrets};
use serde_json::json;

#[test]
fn a_reversal_that_names_an_offer_in_any_shape_takes_that_one_alone() {
    let service = Service::shared();
    let any = |id: &str, code: &str| with(ten_percent(id, code), "combines_with", json!("any"));
    publish(service, &any("shape-a", "SHAPEA"));
    publish(service, &any("shape-b", "SHAPEB"));
    let both = ["shape-a.ten-off.SHAPEA", "shape-b.ten-off.SHAPEB"];
    let one = both[0];
    let standing = |tab: &str| {
        let history =
            service.get(&format!("/admin/tabs/{tab}?location=1019")).admin().send().json();
        let all = history["redemptions"].as_array().cloned().unwrap_or_default();
        all.iter().filter(|redemption| redemption["state"] == "applied").count()
    };
    let group = json!({ "name": "Group", "offers": [{ "offer_id": one, "amount": 1.1 }] });
    for (n, (shape, left)) in [
        (json!({ "offers": [], "offer_ids": [one] }), 1),
        (json!({ "offers": [], "redemptions": [{ "offer_id": one }] }), 1),
        (json!({ "offers": null, "selected_offers": one }), 1),
        (json!({ "offers": [group] }), 1),
        (json!({ "offer_id": one }), 1),
        (json!({ "offers": [], "offerIds": [one] }), 1),
        (json!({ "Offers": [one] }), 1),
        (json!({ "offers": [one], "redemptions": [{ "offer_id": both[1] }] }), 0),
        (json!({ "offers": [], "offer_ids": [], "redemptions": null }), 0),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("shape-{n}");
        let tab = Tab::new(service, &name);
        // Redeemed in the same shape, it is found too.
        if left == 1 {
            let redeemed = tab.event("REDEEM", &shape);
            assert_eq!(applied(&redeemed).len(), 1, "{shape}: {redeemed}");
        }
        assert_eq!(applied(&tab.redeem(&both)).len(), 2);
        let reversed = tab.event("REVERSAL", &shape);
        assert_eq!((reversed.status, standing(&name)), (200, left), "{shape}: {reversed}");
    }
    let tab = Tab::new(service, "shape-none");
    assert_eq!(applied(&tab.redeem(&both)).len(), 2);
    let many: Vec<String> = (0..51).map(|n| format!("a.b.C{n}")).collect();
    for shape in [
        json!({ "offers": [{ "promo": one }] }),
        json!({ "offers": [], "redemptions": [{ "code": "SHAPEA" }] }),
        json!({ "offers": true }),
        json!({ "offers": [null] }),
        json!({ "offers": many }),
    ] {
        for kind in ["REVERSAL", "REDEEM"] {
            let reply = tab.event(kind, &shape);
            assert_eq!(reply.status, 400, "{kind} {shape}: {reply}");
        }
    }
    assert_eq!(standing("shape-none"), 2);
}

#[test]
fn a_wrapped_event_is_answered_like_any() {
    let service = Service::shared();
    publish(service, &ten_percent("wrapped", "WRAPPED10"));
    let send = |body: &serde_json::Value| {
        service.post("/gotab/promo").auth(secrets::GOTAB_PROMO_AUTH).json(body)
    };
    let event =
        Tab::new(service, "wrapped").body("INQUIRE", &json!({ "lookup_value": "WRAPPED10" }));
    let wrapped = json!({ "method": "POST", "headers": { "x-api-key": "null" }, "json": true, "body": event });
    assert_eq!(send(&wrapped).body, send(&event).body);
    assert_eq!(send(&wrapped).status, 200);
    let empty = send(&json!({ "method": "POST", "headers": {}, "json": true }));
    assert_eq!((empty.status, &empty.json()["errors"][0]["pointer"]), (400, &json!("/body")));
}

#[test]
fn items_are_worth_what_the_guest_pays_for_them() {
    let service = Service::shared();
    publish(service, &ten_percent("items", "ITEMS10"));
    let inquire = |items: &serde_json::Value| {
        let tab = Tab::new(service, "items").with("subtotal", json!(null));
        tab.with("items", items.clone()).inquire("ITEMS10")
    };
    let burger = json!({ "product_uuid": "b", "name": "Burger", "unit_price": 1200 });
    let voided =
        json!({ "product_uuid": "b", "name": "Burger", "unit_price": 1200, "quantity": -1 });
    let ham = json!({ "name": "Ham", "unit_price": 4000, "quantity": 0.25 });
    for (items, amount) in [
        (json!([ham]), "1.00"),
        (json!([{ "price": "20.00" }]), "2.00"),
        (json!([{ "price": 2000 }]), "2.00"),
        (json!([{ "unitPrice": 2000, "productName": "x", "categoryName": "y" }]), "2.00"),
        (json!([{ "unit_price": 1000, "total": 1250 }]), "1.25"),
        (json!([burger, ham, voided]), "1.00"),
        (json!([burger, burger, voided]), "1.20"),
    ] {
        let reply = inquire(&items);
        assert!(reply.text().contains(&format!("\"amount\":{amount},")), "{items}: {reply}");
    }
    for (item, pointer) in [
        (json!({ "name": "Burger" }), "/tab_data/items/0/unit_price"),
        (json!({ "name": "Burger", "price": "free" }), "/tab_data/items/0/price"),
        (json!({ "name": "Burger", "price": 5, "qty": "some" }), "/tab_data/items/0/qty"),
    ] {
        let reply = inquire(&json!([item]));
        let fault = reply.json()["errors"][0].clone();
        assert_eq!((reply.status, &fault["pointer"]), (400, &json!(pointer)), "{reply}");
        assert!(fault["detail"].as_str().unwrap().contains("Burger"), "{fault}");
    }
}

#[test]
fn a_surcharge_earns_nothing_and_takes_nothing_off() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    programme::sign_up(&service, &json!({ "phone": "608 555 0100" }));
    let guest = json!({ "lookup_type": "PHONE", "lookup_value": "608-555-0100" });
    let surcharge = json!([{ "type": "surcharge", "name": "Card fee", "amount": 300 }]);
    let tab = Tab::new(&service, "surcharge").of(1100).with("adjustments", surcharge);
    assert_eq!(tab.with("total", json!(null)).loyalty("ACCRUAL", &guest).status, 200);
    assert_eq!(programme::points(&service, "6085550100"), (11, 11));
    let wrong = json!({ "lookup_type": "email", "lookup_value": "608-555-0100" });
    assert_eq!(Tab::new(&service, "kind").loyalty("INQUIRE", &wrong).status, 404);
    // Of a member too, a price that cannot be read is no empty tab.
    let tab = Tab::new(&service, "kind").with("items", json!([{ "name": "Burger", "price": "?" }]));
    let reply = tab.loyalty("INQUIRE", &guest);
    let fault = reply.json()["errors"][0].clone();
    assert_eq!((reply.status, &fault["pointer"]), (400, &json!("/tab_data/items/0/price")));
}

#[test]
fn a_reversal_that_names_offers_where_nobody_reads_them_is_refused_and_takes_nothing() {
    let service = Service::shared();
    publish(service, &ten_percent("hidden", "HIDDEN"));
    let offer = "hidden.ten-off.HIDDEN";
    let tab = Tab::new(service, "hidden");
    assert_eq!(applied(&tab.redeem(&[offer])).len(), 1);
    for shape in [
        json!({ "offers": [], "applied": [offer] }),
        json!({ "reversal": { "offers": [offer] } }),
        json!({ "discounts": [{ "offerId": offer }] }),
    ] {
        assert_eq!(tab.event("REVERSAL", &shape).status, 400, "{shape}");
        assert_eq!(tab.loyalty("REVERSAL", &shape).status, 400, "{shape}");
    }
    let history = service.get("/admin/tabs/hidden?location=1019").admin().send().json();
    assert_eq!(history["redemptions"][0]["state"], "applied", "{history}");
    // A tab may mention its offers, and is meant as a whole.
    let mentions = tab.clone().with("adjustments", json!([{ "offer_id": offer, "amount": -110 }]));
    assert_eq!(mentions.event("REVERSAL", &json!({})).status, 200);
    let history = service.get("/admin/tabs/hidden?location=1019").admin().send().json();
    assert_eq!(history["redemptions"][0]["state"], "reversed", "{history}");
}
