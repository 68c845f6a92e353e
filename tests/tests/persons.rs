//! "Once per customer" counts the person: however a till writes a guest, before and after a sign-up and a
//! merger, by a card or without.

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::erasure::erase;
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::wallet::{Wallet, numbers, publish_type, service_with, upload, wait_for_count};
use promo_tests::{Reply, Service, programme, secrets};
use serde_json::{Value, json};

/// A campaign `once` whose code ONCE each customer may use once.
fn once(service: &Service, more: &[(&str, Value)]) {
    let quota = json!([{ "per": ["customer"], "limit": 1 }]);
    let mut campaign = with(ten_percent("once", "ONCE"), "quotas", quota);
    for (key, value) in more {
        campaign = with(campaign, key, value.clone());
    }
    publish(service, &campaign);
}

const OFFER: &str = "once.ten-off.ONCE";

/// A guest uses the code on a tab of this name.
#[track_caller]
fn take(service: &Service, tab: &str, customers: &Value) -> Reply {
    Tab::new(service, tab).with("customers", customers.clone()).redeem(&[OFFER])
}

#[track_caller]
fn gives(service: &Service, tab: &str, customers: &Value) {
    let reply = take(service, tab, customers);
    assert_eq!(applied(&reply).len(), 1, "{tab}: {reply}");
}

#[track_caller]
fn refuses(service: &Service, tab: &str, customers: &Value, reason: &str) {
    let reply = take(service, tab, customers);
    assert_eq!(reasons(&reply), [reason], "{tab}: {reply}");
}

fn merge(service: &Service, into: &str, from: &str) {
    let path = format!("/admin/members/{into}/merge");
    let reply = service.post(&path).admin().json(&json!({ "from": from }));
    assert_eq!(reply.status, 200, "{reply}");
}

#[test]
fn what_a_till_types_for_nobody_makes_strangers_no_one_guest() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    for (n, nobody) in
        ["n/a", "N/A", "none", "-", "0", "000-000-0000", "null", "unknown"].into_iter().enumerate()
    {
        // The quota counts customers, and this is none.
        let tab = format!("nobody-{n}");
        refuses(&service, &tab, &json!({ "phone": nobody, "email": nobody }), "customer_unknown");
        // Two strangers are told apart by what does name them.
        for guest in ["a", "b"] {
            let email = json!({ "phone": nobody, "email": format!("{guest}{n}@x.example") });
            gives(&service, &format!("{tab}-{guest}"), &email);
            refuses(&service, &format!("{tab}-{guest}-2"), &email, "quota_exhausted");
            let phone = json!({ "phone": format!("608555010{n}"), "email": nobody });
            let first = take(&service, &format!("{tab}-{guest}-phone"), &phone);
            assert_eq!(applied(&first).len(), usize::from(guest == "a"), "{first}");
        }
        // Erasing one who is called so resets nobody.
        let erased = erase(&service, nobody);
        assert_eq!((&erased["found"], &erased["rows"]), (&json!(false), &json!(0)), "{erased}");
    }
    refuses(&service, "again", &json!({ "email": "a0@x.example" }), "quota_exhausted");
    // Erased, one guest may come again, and no other.
    assert_eq!(erase(&service, "a0@x.example")["found"], true);
    gives(&service, "after", &json!({ "email": "a0@x.example" }));
    refuses(&service, "after-b", &json!({ "email": "b0@x.example" }), "quota_exhausted");
}

#[test]
fn campaigns_read_phones_and_addresses_as_the_programme_and_the_location_say() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    gives(&service, "p1", &json!({ "phone": "+1 608 555 0100" }));
    for (n, spelling) in ["(608) 555-0100", "608.555.0100", "16085550100", "011 1 608 555 0100"]
        .into_iter()
        .enumerate()
    {
        let guest = json!({ "phone": spelling });
        refuses(&service, &format!("p2-{n}"), &guest, "quota_exhausted");
    }
    gives(&service, "e1", &json!({ "email": "a.guest@gmail.com" }));
    for (n, spelling) in ["aguest@gmail.com", "AGuest+tap@gmail.com"].into_iter().enumerate() {
        let guest = json!({ "email": spelling });
        refuses(&service, &format!("e2-{n}"), &guest, "quota_exhausted");
    }
    // Where a location says another country, a number is one of there.
    let location =
        service.put("/admin/locations/1019").admin().json(&json!({"phone_region": "GB"}));
    assert_eq!(location.status, 200, "{location}");
    gives(&service, "gb", &json!({ "phone": "020 7946 0958" }));
    refuses(&service, "gb-2", &json!({ "phone": "+442079460958" }), "quota_exhausted");
}

#[test]
fn a_condition_takes_nobody_for_a_known_customer() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    let mut campaign = ten_percent("known", "KNOWN");
    campaign["offers"][0]["when"] = json!({ "customer": { "known": true } });
    campaign["guest"] = json!({ "hints": true });
    publish(&service, &campaign);
    let ask = |tab: &str, customers: Value| {
        Tab::new(&service, tab).with("customers", customers).inquire("KNOWN").status
    };
    for nobody in ["n/a", "none", "-", "555-0100"] {
        assert_eq!(ask("nobody", json!({ "phone": nobody, "email": nobody })), 404, "{nobody}");
    }
    assert_eq!(ask("somebody", json!({ "phone": "608 555 0100" })), 200);
}

#[test]
fn a_guest_who_signs_up_starts_nothing_anew() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    let (phone, email) = (json!({ "phone": "6085550100" }), json!({ "email": "ann@x.example" }));
    gives(&service, "before", &phone);
    let form = json!({ "phone": "+16085550100", "email": "ann@x.example" });
    let signed_up = programme::sign_up(&service, &form);
    assert_eq!(signed_up.status, 200, "{signed_up}");
    let number = signed_up.json()["number"].as_str().unwrap_or_default().to_owned();
    for (tab, guest) in [
        ("by-phone", phone.clone()),
        ("by-email", email.clone()),
        ("by-both", form.clone()),
        ("by-number", json!({ "customer_id": number })),
        ("with-an-id", json!({ "customer_id": "pos-1", "phone": "6085550100" })),
    ] {
        refuses(&service, tab, &guest, "quota_exhausted");
    }
    // A live INQUIRE knows as well; what stands is answered as before.
    let tab = Tab::new(&service, "by-email").with("customers", email.clone());
    assert_eq!(tab.inquire("ONCE").status, 404);
    gives(&service, "before", &phone);
    // Given back where it was taken, it is free once, under whatever name.
    assert_eq!(Tab::new(&service, "before").reverse(&[]).status, 200);
    gives(&service, "after", &email);
    refuses(&service, "after-2", &phone, "quota_exhausted");
    let ledger = service.get("/admin/campaigns/once/ledger").admin().send();
    assert_eq!(ledger.json()["quotas"][0]["used"], 1, "{ledger}");
    // Erased, nothing is left that names the person, and the count stays.
    let erased = erase(&service, "ann@x.example");
    assert_eq!(erased["members"], 1, "{erased}");
    let kept = service.get("/admin/campaigns/once/redemptions").admin().send().json();
    let names: Vec<&str> = kept["redemptions"]
        .as_array()
        .map(|lines| lines.iter().filter_map(|line| line["customer"].as_str()).collect())
        .unwrap_or_default();
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("erased-")), "{kept}");
}

#[test]
fn two_members_who_are_merged_have_used_what_either_used() {
    for merged_into_the_one_who_used_it in [true, false] {
        let service = Service::start();
        programme::publish(&service, &programme::tap_club());
        once(&service, &[]);
        let (ann, bob) = (json!({ "phone": "+16085550101" }), json!({ "email": "bob@x.example" }));
        programme::sign_up(&service, &ann);
        programme::sign_up(&service, &bob);
        gives(&service, "ann", &ann);
        let (into, from) = match merged_into_the_one_who_used_it {
            true => ("+16085550101", "bob@x.example"),
            false => ("bob@x.example", "+16085550101"),
        };
        merge(&service, into, from);
        refuses(&service, "bob", &bob, "quota_exhausted");
        refuses(&service, "ann-2", &ann, "quota_exhausted");
        // The departed member's use is given back as it was taken.
        assert_eq!(Tab::new(&service, "ann").reverse(&[]).status, 200);
        gives(&service, "bob-2", &bob);
        refuses(&service, "ann-3", &ann, "quota_exhausted");
    }
}

#[test]
fn a_member_known_by_two_names_takes_it_once_when_both_ask_at_once() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    let form = json!({ "phone": "+16085550103", "email": "cid@x.example" });
    programme::sign_up(&service, &form);
    let guests = [json!({ "phone": "6085550103" }), json!({ "email": "cid@x.example" })];
    let taken: usize = std::thread::scope(|scope| {
        let ask = |n: usize| {
            let (service, guest) = (&service, guests[n % 2].clone());
            scope.spawn(move || applied(&take(service, &format!("at-once-{n}"), &guest)).len())
        };
        let asked: Vec<_> = (0..12).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap_or(99)).sum()
    });
    assert_eq!(taken, 1);
}

#[test]
fn a_ledger_divided_by_tab_counts_a_member_under_all_names_too() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[("ledger", json!({ "shards": 4, "by": "tab" }))]);
    let phone = json!({ "phone": "6085550104" });
    gives(&service, "divided-1", &phone);
    programme::sign_up(&service, &json!({ "phone": "6085550104", "email": "dora@x.example" }));
    for n in 0..6 {
        let email = json!({ "email": "dora@x.example" });
        refuses(&service, &format!("divided-2-{n}"), &email, "quota_exhausted");
    }
}

#[test]
fn cards_asked_for_by_phone_and_address_and_by_address_alone_are_one_customers() {
    let wallet = Wallet::start();
    let service = service_with(&wallet);
    programme::publish(&service, &programme::tap_club());
    publish_type(&service, "2101", "card", &json!({}));
    let mut campaign = service.get("/admin/campaigns/offers-2101").admin().send().json();
    campaign["quotas"] = json!([{ "per": ["customer"], "limit": 1 }]);
    publish(&service, &campaign);
    assert_eq!(upload(&service, "2101", &numbers("2101", 0, 3)).status, 200);
    let ask = |card: &str, user: &Value| {
        let body = json!({ "event": "created", "card_id": card, "type": "2101", "user": user });
        let reply = service.post("/wallet/notify").auth(secrets::WALLET_AUTH).json(&body);
        assert_eq!(reply.status, 202, "{reply}");
        wallet.number_of(card)
    };
    let first = ask("both", &json!({ "phone": "6085550105", "email": "eve@x.example" }));
    let second = ask("email", &json!({ "email": "Eve@x.example" }));
    let other = ask("other", &json!({ "email": "fay@x.example" }));
    wait_for_count(&service, "2101", "active", 3);
    let redeem = |tab: &str, number: &str| {
        let offer = format!("offers-2101.ten-off.{number}");
        Tab::new(&service, tab).redeem(&[&offer])
    };
    assert_eq!(applied(&redeem("first", &first)).len(), 1);
    assert_eq!(reasons(&redeem("second", &second)), ["quota_exhausted"]);
    assert_eq!(applied(&redeem("other", &other)).len(), 1);
    // A merger makes both one customer, whose uses stay.
    merge(&service, "fay@x.example", "6085550105");
    assert_eq!(reasons(&redeem("third", &second)), ["quota_exhausted"]);
    assert_eq!(Tab::new(&service, "first").reverse(&[]).status, 200);
    assert_eq!(reasons(&redeem("fourth", &first)), ["quota_exhausted"], "used with the other");
}

#[test]
fn who_gives_only_some_of_the_same_names_the_next_time_is_the_same_guest() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    let (phone, email) = (|n: u32| format!("608555021{n}"), |n: u32| format!("g{n}@x.example"));
    let cases = [
        (json!({"id": "X0", "phone": phone(0)}), json!({"phone": phone(0)})),
        (json!({"phone": phone(1), "email": email(1)}), json!({"email": email(1)})),
        (json!({"email": email(2)}), json!({"phone": phone(2), "email": email(2)})),
        (
            json!({"id": "X3", "phone": phone(3), "email": email(3)}),
            json!({"phone": phone(3), "email": email(3)}),
        ),
        (json!({"phone": phone(4), "email": email(4)}), json!({"id": "X4", "email": email(4)})),
        (json!({"id": "X5"}), json!({"id": " X5 "})),
        (json!({"email": email(6)}), json!({"email": format!("{}\u{200b}", email(6))})),
        (json!({"email": email(7)}), json!({"email": format!("mailto:{}", email(7))})),
        (json!({"phone": phone(8)}), json!({"phone": format!("TEL:+1{}", phone(8))})),
    ];
    for (n, (first, second)) in cases.iter().enumerate() {
        gives(&service, &format!("some-{n}-1"), first);
        refuses(&service, &format!("some-{n}-2"), second, "quota_exhausted");
        // Given back, it can be had once more, and only once.
        let tab = Tab::new(&service, &format!("some-{n}-1"));
        assert_eq!(tab.reverse(&[]).status, 200);
        gives(&service, &format!("some-{n}-3"), second);
        refuses(&service, &format!("some-{n}-4"), second, "quota_exhausted");
    }
    // Two guests whom the till tells apart by its own ids may share a phone number.
    gives(&service, "shared-1", &json!({"id": "Y1", "phone": "6085550299"}));
    gives(&service, "shared-2", &json!({"id": "Y2", "phone": "6085550299"}));
    // What is shown counts redemptions, not names.
    let quotas = service.get("/admin/campaigns/once/ledger").admin().send().json();
    assert_eq!(quotas["quotas"][0]["used"], 11, "{quotas}");
}

#[test]
fn what_a_guest_used_under_several_names_counts_after_a_sign_up_with_one_of_them() {
    let service = Service::start();
    programme::publish(&service, &programme::tap_club());
    once(&service, &[]);
    let all = json!({"id": "Z1", "phone": "6085550301", "email": "z1@x.example"});
    gives(&service, "before", &all);
    let reply = programme::sign_up(&service, &json!({"email": "z1@x.example"}));
    assert_eq!(reply.status, 200, "{reply}");
    for (n, guest) in [
        json!({"email": "z1@x.example"}),
        json!({"phone": "6085550301", "email": "z1@x.example"}),
        json!({"phone": "6085550301"}),
        all,
    ]
    .iter()
    .enumerate()
    {
        refuses(&service, &format!("after-{n}"), guest, "quota_exhausted");
    }
    // As a member, with an id of the till's: the id alone is the same guest.
    let reply = programme::sign_up(&service, &json!({"phone": "6085550302"}));
    assert_eq!(reply.status, 200, "{reply}");
    gives(&service, "member", &json!({"id": "Z2", "phone": "6085550302"}));
    refuses(&service, "id-alone", &json!({"id": "Z2"}), "quota_exhausted");
    refuses(&service, "phone-alone", &json!({"phone": "6085550302"}), "quota_exhausted");
}
