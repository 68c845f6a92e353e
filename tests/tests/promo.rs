//! GoTab's Promo API from a till's side: INQUIRE, REDEEM, REVERSE.

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::{Service, secrets};
use serde_json::json;

#[test]
fn an_inquiry_says_what_a_code_is_worth_on_this_tab() {
    let service = Service::shared();
    let campaign = with(ten_percent("worth", "WORTH10"), "ends_at", json!("2099-09-01T00:00"));
    publish(service, &with(campaign, "timezone", json!("America/Chicago")));

    let reply = Tab::new(service, "worth").inquire(" worth-10 ");

    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(
        reply.json(),
        json!({
            "loyalty_points": [],
            "offers": [{ "name": "Campaign worth", "offers": [{
                "offer_id": "worth.ten-off.WORTH10", "name": "10% off",
                "description": "10% off the whole tab", "amount": 1.10, "type": "tab_discount",
                "expires_at": "2099-09-01T05:00:00Z"
            }] }]
        })
    );
    assert!(reply.text().contains("\"amount\":1.10,"), "{reply}");
}

#[test]
fn a_code_is_refused_with_one_text_whatever_the_reason() {
    let service = Service::shared();
    publish(service, &with(ten_percent("off", "SWITCHEDOFF"), "active", json!(false)));
    let over = with(ten_percent("over", "LONGOVER"), "ends_at", json!("2020-01-01T00:00"));
    publish(service, &over);
    let tab = Tab::new(service, "refused");

    let replies = ["NOSUCHCODE", "SWITCHEDOFF", "LONGOVER", "??"].map(|code| tab.inquire(code));

    for reply in &replies {
        assert_eq!(reply.status, 404, "{reply}");
        assert_eq!(reply.body, replies[0].body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["message"], "This code is not valid.");
        assert_eq!(reply.json()["error"], "This code is not valid.");
    }
}

#[test]
fn a_campaign_that_allows_hints_says_what_is_missing() {
    let service = Service::shared();
    let guest = json!({ "refused": "Happy hour only.", "hints": true });
    let mut campaign = with(ten_percent("hints", "HINTS10"), "guest", guest);
    campaign["offers"][0]["when"] = json!({ "subtotal": { "min": 5000 } });
    publish(service, &campaign);
    let tree = json!({ "all": [{ "subtotal": { "min": 5000 } }, { "channel": ["app"] }] });
    let mut tangled = with(campaign.clone(), "id", json!("hints-tangled"));
    tangled["codes"] = json!({ "fixed": ["TANGLED10"] });
    tangled["offers"][0]["when"] = tree;
    publish(service, &tangled);
    let tab = Tab::new(service, "hints");

    let (hinted, tangled) = (tab.inquire("HINTS10"), tab.inquire("TANGLED10"));

    assert_eq!((hinted.status, tangled.status), (404, 404));
    let text = hinted.json()["message"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Happy hour only. ("), "{text}");
    assert_eq!(tangled.json()["message"], "Happy hour only.");
}

#[test]
fn conditions_of_time_place_and_sum_decide() {
    let service = Service::shared();
    let mut campaign = ten_percent("conditions", "CONDITIONS");
    campaign["offers"][0]["when"] = json!({ "all": [
        { "subtotal": { "min": 1000 } },
        { "any": [{ "location": ["1019"] }, { "location_tag": ["airport"] }] },
    ] });
    campaign["offers"][0]["discount"] = json!({ "amount": 300 });
    publish(service, &campaign);
    let airport = service.put("/admin/locations/2020").admin().json(&json!({
        "tag": ["airport"], "amount_unit": "minor"
    }));
    assert_eq!(airport.status, 200, "{airport}");
    let tab = || Tab::new(service, "conditions");

    let here = tab().inquire("CONDITIONS");
    let too_small = tab().with("subtotal", json!(999)).inquire("CONDITIONS");
    let elsewhere = tab().with("location_id", json!("3030")).inquire("CONDITIONS");
    let at_the_airport = tab().with("location_id", json!(2020)).inquire("CONDITIONS");

    assert!(here.text().contains("\"amount\":3.00,"), "{here}");
    assert_eq!((too_small.status, elsewhere.status), (404, 404));
    assert!(at_the_airport.text().contains("\"amount\":300,"), "{at_the_airport}");
}

#[test]
fn the_same_redeem_ten_times_at_once_is_one_use() {
    let service = Service::shared();
    let quota = json!([{ "per": [], "limit": 2 }]);
    publish(service, &with(ten_percent("once", "ONCE10"), "quotas", quota));
    let tab = Tab::new(service, "once");
    let offer = tab.offer_of("ONCE10");

    let replies: Vec<_> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..10).map(|_| scope.spawn(|| tab.redeem(&[&offer]))).collect();
        sent.into_iter().map(|reply| reply.join().unwrap()).collect()
    });

    for reply in &replies {
        assert_eq!(reply.status, 200, "{reply}");
        assert_eq!(reply.body, replies[0].body);
        assert_eq!(applied(reply), [(offer.clone(), "1.1".to_owned())]);
    }
    // One of two uses is left for somebody else, and no more.
    assert_eq!(applied(&Tab::new(service, "once-2").redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&Tab::new(service, "once-3").redeem(&[&offer])), ["quota_exhausted"]);
}

#[test]
fn a_reversal_twice_gives_one_use_back_and_a_redeem_after_it_is_a_new_use() {
    let service = Service::shared();
    let quota = json!([{ "per": [], "limit": 1 }]);
    publish(service, &with(ten_percent("back", "BACK10"), "quotas", quota));
    let (tab, other) = (Tab::new(service, "back-1"), Tab::new(service, "back-2"));
    let offer = tab.offer_of("BACK10");
    assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1);
    assert_eq!(other.inquire("BACK10").status, 404, "an inquiry is told that none is left");

    for _ in 0..2 {
        let reversed = tab.reverse(&[&offer]);
        assert_eq!((reversed.status, reversed.json()), (200, json!({})));
    }
    assert_eq!(applied(&other.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&tab.redeem(&[&offer])), ["quota_exhausted"]);
    assert_eq!(other.reverse(&[]).status, 200);
    assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&other.redeem(&[&offer])), ["quota_exhausted"]);
}

#[test]
fn a_reversal_takes_back_the_offers_it_names_and_leaves_the_others() {
    let service = Service::shared();
    let mut campaign = ten_percent("some", "SOME10");
    campaign["offers"] = json!([
        { "id": "a", "name": "A", "discount": { "amount": 100 }, "quotas": [{ "per": [], "limit": 1 }] },
        { "id": "b", "name": "B", "discount": { "amount": 50 }, "quotas": [{ "per": [], "limit": 1 }] },
    ]);
    publish(service, &campaign);
    let both = ["some.a.SOME10", "some.b.SOME10"];
    let first = Tab::new(service, "some-1");
    assert_eq!(applied(&first.redeem(&both)).len(), 2);

    first.reverse(&["some.a.SOME10"]);

    let second = Tab::new(service, "some-2").redeem(&both);
    assert_eq!(applied(&second), [("some.a.SOME10".to_owned(), "1.0".to_owned())], "{second}");
    assert_eq!(reasons(&second), ["quota_exhausted"]);
}

#[test]
fn a_guest_may_use_a_code_once_and_a_guest_nobody_knows_not_at_all() {
    let service = Service::shared();
    let quota = json!([{ "per": ["customer"], "limit": 1 }]);
    publish(service, &with(ten_percent("guest", "GUEST10"), "quotas", quota));
    let of = |tab: &str, phone: &str| {
        Tab::new(service, tab).with("customers", json!({ "phone": phone }))
    };
    let offer = "guest.ten-off.GUEST10";

    let first = of("guest-1", "+1 608 555 0100").redeem(&[offer]);
    let again = of("guest-2", "+16085550100").redeem(&[offer]);
    let another = of("guest-3", "+16085550199").redeem(&[offer]);
    let nobody = Tab::new(service, "guest-4").redeem(&[offer]);

    assert_eq!(applied(&first).len(), 1, "{first}");
    assert_eq!(reasons(&again), ["quota_exhausted"]);
    assert_eq!(applied(&another).len(), 1, "{another}");
    assert_eq!(reasons(&nobody), ["customer_unknown"]);
}

#[test]
fn two_codes_on_a_tab_stand_together_only_when_both_sides_agree() {
    let service = Service::shared();
    let any = |id: &str, code: &str| with(ten_percent(id, code), "combines_with", json!("any"));
    publish(service, &any("left", "LEFT10"));
    publish(service, &any("right", "RIGHT10"));
    publish(service, &ten_percent("alone", "ALONE10"));
    let (left, right, alone) =
        ("left.ten-off.LEFT10", "right.ten-off.RIGHT10", "alone.ten-off.ALONE10");

    let tab = Tab::new(service, "together");
    assert_eq!(applied(&tab.redeem(&[left])).len(), 1);
    assert_eq!(applied(&tab.redeem(&[right])).len(), 1);
    assert_eq!(reasons(&tab.redeem(&[alone])), ["does_not_combine"]);
    // Refunded as a whole, the tab is free again for any code.
    assert_eq!(tab.reverse(&[]).status, 200);
    assert_eq!(applied(&tab.redeem(&[alone])).len(), 1);
    assert_eq!(reasons(&tab.redeem(&[left])), ["does_not_combine"]);
}

#[test]
fn all_discounts_of_a_tab_stop_at_what_it_costs() {
    let service = Service::shared();
    for (id, code) in [("half-a", "HALFA"), ("half-b", "HALFB")] {
        let mut campaign = with(ten_percent(id, code), "combines_with", json!("any"));
        campaign["offers"][0]["discount"] = json!({ "amount": 800 });
        publish(service, &campaign);
    }
    let tab = Tab::new(service, "ceiling");

    let first = tab.redeem(&["half-a.ten-off.HALFA"]);
    let second = tab.redeem(&["half-b.ten-off.HALFB"]);

    assert_eq!(applied(&first), [("half-a.ten-off.HALFA".to_owned(), "8.0".to_owned())]);
    assert_eq!(applied(&second), [("half-b.ten-off.HALFB".to_owned(), "3.0".to_owned())]);
}

#[test]
fn what_is_rejected_is_still_a_reply_unless_no_offer_is_ours() {
    let service = Service::shared();
    publish(service, &ten_percent("mine", "MINE10"));
    let tab = Tab::new(service, "mine");

    let mixed = tab.redeem(&["mine.ten-off.MINE10", "mine.no-such.MINE10", "nonsense"]);
    assert_eq!(mixed.status, 200, "{mixed}");
    assert_eq!(applied(&mixed).len(), 1);
    assert_eq!(reasons(&mixed), ["unknown_code", "unknown_code"]);

    for ids in [&["nonsense"][..], &["mine.no-such.MINE10"], &["gone.o.CODE"], &[]] {
        let reply = tab.redeem(ids);
        assert_eq!(reply.status, 404, "{reply}");
        assert_eq!(reply.json()["message"], "This code is not valid.");
    }
}

#[test]
fn a_bad_event_is_a_400_that_names_the_field() {
    let service = Service::shared();
    let send = |body: &str| {
        service
            .post("/gotab/promo")
            .auth(secrets::GOTAB_PROMO_AUTH)
            .header("Content-Type", "application/json")
            .body(body.as_bytes())
    };
    for (body, pointer) in [
        ("not json", ""),
        ("[]", ""),
        (r#"{"event_type": "ACCRUAL"}"#, "/event_type"),
        (r#"{"event_type": "INQUIRE"}"#, "/lookup_value"),
        (r#"{"event_type": "INQUIRE", "lookup_value": "ABC"}"#, "/location_id"),
        (r#"{"event_type": "REVERSE", "location_id": 7, "tab_data": {}}"#, "/tab_data/tab_uuid"),
        (
            r#"{"event_type": "INQUIRE", "lookup_value": "ABC", "location_id": "1",
                "tab_data": {"tab_id": "1", "subtotal": -5}}"#,
            "/tab_data/subtotal",
        ),
    ] {
        let reply = send(body);
        assert_eq!(reply.status, 400, "{body}: {reply}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply}");
        assert!(reply.json()["message"].is_string(), "{reply}");
    }
}

#[test]
fn a_reversal_of_what_nobody_knows_is_answered_as_done() {
    let service = Service::shared();
    let tab = Tab::new(service, "unknown-reversal");
    for ids in [&[][..], &["nonsense"], &["gone.o.CODE"]] {
        let reply = tab.reverse(ids);
        assert_eq!((reply.status, reply.json()), (200, json!({})));
    }
}
