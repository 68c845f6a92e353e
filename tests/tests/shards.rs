//! Ledgers divided over several objects, on the real runtime: as exact as one.
#![expect(clippy::indexing_slicing, reason = "a test's own functions fail the test")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::{Reply, Service, secrets};
use serde_json::{Value, json};

fn divided(id: &str, code: &str, quotas: Value, shards: u32, by: &str) -> Value {
    let campaign = with(ten_percent(id, code), "quotas", quotas);
    with(campaign, "ledger", json!({"shards": shards, "by": by}))
}

fn quotas(service: &Service, id: &str) -> Value {
    let reply = service.get(&format!("/admin/campaigns/{id}/ledger")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json().pointer("/quotas").cloned().unwrap_or_default()
}

/// So many guests at once, each on a tab of his own; returns how many got it.
fn rush(service: &Service, offer: &str, guests: usize, name: &str) -> usize {
    let given = AtomicUsize::new(0);
    thread::scope(|scope| {
        for guest in 0..guests {
            let given = &given;
            scope.spawn(move || {
                let tab = Tab::new(service, &format!("{name}-{guest}"));
                let mut reply = tab.redeem(&[offer]);
                // A till that is told "not now", because so many ask at once, asks again.
                for _ in 0..20 {
                    if reasons(&reply) != ["temporarily_unavailable"] {
                        break;
                    }
                    reply = tab.redeem(&[offer]);
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
    given.into_inner()
}

#[test]
fn of_a_hundred_and_fifty_guests_at_once_on_eight_shards_exactly_a_hundred_get_one_of_a_hundred() {
    let service = Service::start();
    publish(&service, &divided("eight", "EIGHT", json!([{ "per": [], "limit": 100 }]), 8, "tab"));
    assert_eq!(rush(&service, "eight.ten-off.EIGHT", 150, "eight"), 100);

    let quota = &quotas(&service, "eight")[0];
    assert_eq!((&quota["used"], &quota["remaining"]), (&json!(100), &json!(0)), "{quota}");
    let shards = quota["shards"].as_array().cloned().unwrap_or_default();
    let used: u64 = shards.iter().filter_map(|shard| shard["used"].as_u64()).sum();
    let took_part = shards.iter().filter(|shard| shard["used"] != json!(0)).count();
    assert_eq!(used, 100);
    assert!(took_part > 4, "{quota}");
}

#[test]
fn the_last_unit_is_sold_wherever_it_sits_and_again_after_a_reversal() {
    let service = Service::start();
    publish(&service, &divided("last", "LAST", json!([{ "per": [], "limit": 5 }]), 8, "tab"));
    let offer = ["last.ten-off.LAST"];
    let redeem = |guest: usize| Tab::new(&service, &format!("last-{guest}")).redeem(&offer);
    let got: Vec<usize> = (0..12).map(|guest| applied(&redeem(guest)).len()).collect();
    assert_eq!(got.iter().sum::<usize>(), 5, "{got:?}");
    assert_eq!(got[..5], [1; 5], "nobody is refused while there is one left");

    for round in 0..3 {
        assert_eq!(Tab::new(&service, &format!("last-{round}")).reverse(&[]).status, 200);
        let other = redeem(20 + round);
        assert_eq!(applied(&other).len(), 1, "{other}");
        assert_eq!(reasons(&redeem(30 + round)), ["quota_exhausted"]);
    }
}

#[test]
fn the_number_of_shards_changes_under_load_and_the_count_stays_exact() {
    let mut service = Service::start();
    let quota = || json!([{ "per": [], "limit": 90 }, { "per": ["code"], "limit": 80 }]);
    publish(&service, &divided("moving", "MOVING", quota(), 1, "tab"));
    let layouts = [(8, "code"), (3, "tab"), (8, "customer"), (1, "tab")];
    let mut given = 0;
    for (round, (shards, by)) in layouts.into_iter().enumerate() {
        let name = format!("round{round}");
        thread::scope(|scope| {
            let guests = scope.spawn(|| rush(&service, "moving.ten-off.MOVING", 20, &name));
            publish(&service, &divided("moving", "MOVING", quota(), shards, by));
            given += guests.join().unwrap();
        });
        if round == 1 {
            service.restart();
        }
    }
    given += rush(&service, "moving.ten-off.MOVING", 90, "end");
    assert_eq!(given, 80);

    // A reversal finds its redemption wherever it is, and the use is free again.
    let reply = service.get("/admin/campaigns/moving/redemptions?limit=1000").admin().send();
    let redemptions = reply.json()["redemptions"].as_array().cloned().unwrap_or_default();
    assert_eq!(redemptions.len(), 80);
    for redemption in redemptions.iter().step_by(7) {
        let tab = redemption["tab"].as_str().unwrap_or_default();
        let reversed = Tab::new(&service, tab).reverse(&[]);
        assert_eq!(reversed.status, 200, "{reversed}");
    }
    assert_eq!(rush(&service, "moving.ten-off.MOVING", 20, "again"), 80_usize.div_ceil(7));
    assert_eq!(quotas(&service, "moving")[1]["used"], json!(80));
}

#[test]
fn redemptions_of_all_shards_are_paged_as_one_list() {
    let service = Service::start();
    publish(&service, &divided("pages", "PAGES", json!([{ "per": [], "limit": 50 }]), 4, "tab"));
    assert_eq!(rush(&service, "pages.ten-off.PAGES", 25, "page"), 25);
    let (mut tabs, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/admin/campaigns/pages/redemptions?limit=10{cursor}");
        let page = service.get(&path).admin().send().json();
        let lines = page["redemptions"].as_array().cloned().unwrap_or_default();
        assert!(lines.len() <= 10);
        tabs.extend(lines.iter().map(|line| line["tab"].as_str().unwrap_or_default().to_owned()));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    tabs.sort();
    tabs.dedup();
    assert_eq!(tabs.len(), 25);
    let history = service.get("/admin/tabs/page-3?location=1019").admin().send().json();
    assert_eq!(history["redemptions"].as_array().map(Vec::len), Some(1), "{history}");
}

#[test]
fn a_live_inquiry_knows_what_all_shards_have_left() {
    let service = Service::start();
    publish(&service, &divided("live", "LIVE", json!([{ "per": [], "limit": 3 }]), 8, "tab"));
    let inquire = |guest: &str| Tab::new(&service, guest).inquire("LIVE").status;
    for guest in 0..3 {
        assert_eq!(inquire(&format!("asks-{guest}")), 200);
        let reply = Tab::new(&service, &format!("takes-{guest}")).redeem(&["live.ten-off.LIVE"]);
        assert_eq!(applied(&reply).len(), 1, "{reply}");
    }
    // Whoever wants the fourth makes sure that there is none.
    let fourth = Tab::new(&service, "takes-4").redeem(&["live.ten-off.LIVE"]);
    assert_eq!(reasons(&fourth), ["quota_exhausted"]);
    for guest in 0..8 {
        assert_eq!(inquire(&format!("late-{guest}")), 404);
    }
}

/// A guest at a till that speaks the neutral API.
#[derive(Clone, Copy)]
struct Guest<'a> {
    service: &'a Service,
    number: usize,
}

impl Guest<'_> {
    fn ask(&self, tab: &str, path: &str, key: &str, value: &Value) -> Reply {
        let mut body = json!({ "cart": { "tab_id": tab, "location_id": "1019", "currency": "USD",
            "subtotal": 1000, "customer": { "phone": format!("+1608555{:04}", self.number) } } });
        body[key] = value.clone();
        self.service.post(path).auth(secrets::API_AUTH).json(&body)
    }

    fn redeem(&self, tab: &str, offer: &str) -> usize {
        let reply = self.ask(tab, "/v1/redeem", "offer_ids", &json!([offer])).json();
        reply["applied"].as_array().map_or(0, Vec::len)
    }

    /// Whether a code is refused: a ledger that has not answered in time may be asked again.
    fn refused(&self, tab: &str, code: &str) -> bool {
        (0..20).any(|_| self.ask(tab, "/v1/inquire", "code", &json!(code)).status == 404)
    }

    fn offered(&self, tab: &str, code: &str) -> bool {
        self.ask(tab, "/v1/inquire", "code", &json!(code)).status == 200
    }
}

#[test]
fn a_live_inquiry_of_what_is_used_up_is_refused_however_the_ledger_is_divided() {
    let service = Service::start();
    let guest = |number| Guest { service: &service, number };
    for by in ["tab", "code", "customer"] {
        // A total: the last one is sold by REDEEM, and nobody else has asked for more.
        let (id, code) = (format!("total-{by}"), format!("TOTAL{by}").to_uppercase());
        let total = || json!([{ "per": [], "limit": 12 }]);
        publish(&service, &divided(&id, &code, total(), 8, by));
        let offer = format!("{id}.ten-off.{code}");
        for n in 0..12 {
            let tab = format!("{id}-{n}");
            assert!(guest(n).offered(&format!("asks-{tab}"), &code), "{tab}");
            assert_eq!(guest(n).redeem(&tab, &offer), 1, "{tab}");
        }
        for n in 20..28 {
            assert!(guest(n).refused(&format!("{id}-{n}"), &code), "{id} {n}");
        }

        // Single codes.
        let id = format!("single-{by}");
        let listed =
            with(divided(&id, "UNUSED", json!([]), 8, by), "codes", json!({"listed": true}));
        publish(&service, &listed);
        let codes = [1, 2].map(|n| format!("SINGLE{by}{n}").to_uppercase());
        let sent = service.post(&format!("/admin/campaigns/{id}/codes")).admin();
        let sent = sent.header("Content-Type", "text/csv").body(codes.join("\n").as_bytes());
        assert_eq!(sent.status, 200, "{sent}");
        assert_eq!(guest(0).redeem(&id, &format!("{id}.ten-off.{}", codes[0])), 1);
        for n in 1..8 {
            let tab = format!("{id}-{n}");
            assert!(guest(n).refused(&tab, &codes[0]), "{id} {n}");
            assert!(guest(n).offered(&tab, &codes[1]), "{id} {n}");
        }

        // A share for each guest.
        let (id, code) = (format!("share-{by}"), format!("SHARE{by}").to_uppercase());
        publish(&service, &divided(&id, &code, json!([{"per": ["customer"], "limit": 1}]), 8, by));
        assert_eq!(guest(0).redeem(&id, &format!("{id}.ten-off.{code}")), 1);
        for n in 1..6 {
            let tab = format!("{id}-{n}");
            assert!(guest(0).refused(&tab, &code), "{id} {n}");
            assert!(guest(n).offered(&tab, &code), "{id} {n}");
        }
    }
}

#[test]
fn what_is_used_up_is_known_to_an_inquiry_when_the_ledger_was_divided_since() {
    let service = Service::start();
    let guest = |number| Guest { service: &service, number };
    let total = || json!([{ "per": [], "limit": 2 }]);
    publish(&service, &divided("anew", "ANEW", total(), 1, "tab"));
    for n in 0..2 {
        assert_eq!(guest(n).redeem(&format!("anew-{n}"), "anew.ten-off.ANEW"), 1);
    }
    for (shards, by) in [(8, "code"), (3, "tab"), (8, "customer"), (1, "tab")] {
        publish(&service, &divided("anew", "ANEW", total(), shards, by));
        for n in 0..6 {
            assert!(guest(n).refused(&format!("late-{by}-{n}"), "ANEW"), "{shards} by {by}");
        }
    }
    assert_eq!(quotas(&service, "anew")[0]["used"], json!(2));
}
