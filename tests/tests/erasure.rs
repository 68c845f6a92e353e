//! When a person is erased nothing is left that is tied to him, under any spelling, in any file of the state;
//! every count stays right, and nobody else is touched.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test's own functions fail the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use promo_core::identity::{EmailRules, Region, Rules, RulesEver, spellings};
use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::erasure::{erase, look, start, wait};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::programme::{
    self, adjust, eat, inquire, points, redeem, reward, sign_up, tap_club,
};
use promo_tests::wallet::{Wallet, numbers, publish_type, service_with, upload, wait_for_count};
use promo_tests::{Service, secrets, sqlite};
use serde_json::{Value, json};

const PHONE: &str = "+16085550100";
const EMAIL: &str = "A.Guest+tap@gmail.com";
const OTHER: &str = "+16085550199";

/// Whatever is kept: each file's content, of databases what is in their rows.
fn kept(state: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut kept = BTreeMap::new();
    for entry in fs::read_dir(state).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            kept.extend(self::kept(&path));
        } else if name.ends_with(".sqlite") {
            kept.insert(name, sqlite::cells(&path));
        } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
            kept.insert(name, fs::read(&path).unwrap_or_default());
        }
    }
    kept
}

/// The files that have a text.
fn files_with(kept: &BTreeMap<String, Vec<u8>>, text: &str) -> Vec<String> {
    let has = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    kept.iter().filter(|(_, bytes)| has(bytes)).map(|(name, _)| name.clone()).collect()
}

/// Every pseudonym that a text may have been counted under.
fn pseudonyms(texts: &[&str]) -> Vec<String> {
    let mut ever = RulesEver::default();
    let email = EmailRules { ignore_dots_for: vec!["gmail.com".to_owned()], ignore_plus: true };
    ever.note(&Rules { region: Region::parse("US"), email });
    let pepper = secrets::PII_PEPPER.as_bytes();
    let all = texts.iter().flat_map(|text| spellings(text, &ever, pepper));
    all.map(|name| name.to_string()).collect()
}

fn quotas(service: &Service) -> Vec<Value> {
    let read = |id| service.get(&format!("/admin/campaigns/{id}/ledger")).admin().send().json();
    let mut all = ["plain", "divided", "budget"].map(|id| read(id)["quotas"].clone()).to_vec();
    for quota in all.iter_mut().filter_map(Value::as_array_mut).flatten() {
        // Where rights are is nobody's business but the shards'.
        quota.as_object_mut().unwrap().remove("shards");
    }
    all
}

/// Three campaigns that count customers; the second over four shards, the third a budget.
fn campaigns(service: &Service) {
    let quotas = json!([{ "per": [], "limit": 100 }, { "per": ["customer"], "limit": 3 }]);
    publish(service, &with(ten_percent("plain", "PLAIN"), "quotas", quotas.clone()));
    let divided = with(ten_percent("divided", "DIVIDED"), "quotas", quotas);
    publish(service, &with(divided, "ledger", json!({ "shards": 4, "by": "tab" })));
    let quotas = json!([{ "per": ["customer"], "budget": 1000 }]);
    publish(service, &with(ten_percent("budget", "BUDGET"), "quotas", quotas));
}

#[track_caller]
fn take(service: &Service, tab: &str, offer: &str, guest: &Value) {
    let till = Tab::new(service, tab).with("customers", guest.clone());
    let mut reply = till.redeem(&[offer]);
    for _ in 0..20 {
        if reasons(&reply) != ["temporarily_unavailable"] {
            break;
        }
        // Nobody was in time: a till asks again.
        thread::sleep(Duration::from_millis(500));
        reply = till.redeem(&[offer]);
    }
    assert_eq!(applied(&reply).len(), 1, "{tab}: {reply}");
}

/// A guest uses every campaign, by a phone number and by an address.
fn use_everything(service: &Service, name: &str, phone: &str, email: &str) {
    for (n, guest) in [json!({ "phone": phone }), json!({ "email": email })].iter().enumerate() {
        for offer in ["plain.ten-off.PLAIN", "divided.ten-off.DIVIDED", "budget.ten-off.BUDGET"] {
            let campaign = offer.split('.').next().unwrap();
            take(service, &format!("{name}-{n}-{campaign}"), offer, guest);
        }
    }
}

/// The member's name with us, as the `offer_id` of a reward carries it.
fn member_id(reward: &str) -> String {
    reward.rsplit('.').next().unwrap().to_owned()
}

/// A person whom the deployment knows in every way there is, and another one; returns all names of the first.
fn known_person(wallet: &Wallet, service: &Service) -> Vec<String> {
    campaigns(service);
    // Before there was a programme, with a region and rules for addresses.
    use_everything(service, "early", "(608) 555-0100", EMAIL);
    use_everything(service, "other", OTHER, "other@x.example");
    programme::publish(service, &tap_club());
    // Two memberships, of which each redeems a reward, and one then is merged into the other.
    let merged = json!({ "email": EMAIL });
    assert_eq!(sign_up(service, &merged).status, 200);
    assert_eq!(adjust(service, "aguest@gmail.com", 500).status, 200);
    let first = reward(service, "aguest@gmail.com", "5 off");
    assert_eq!(redeem(service, "merged-reward", &[&first]).status, 200);
    eat(service, "merged-eats", "a.guest@gmail.com", 5000);
    assert_eq!(sign_up(service, &json!({ "phone": PHONE })).status, 200);
    let into = format!("/admin/members/{PHONE}/merge");
    let reply = service.post(&into).admin().json(&json!({ "from": "aguest@gmail.com" }));
    assert_eq!(reply.status, 200, "{reply}");
    let second = reward(service, PHONE, "Free burger");
    assert_eq!(redeem(service, "reward", &[&second]).status, 200);
    eat(service, "eats", PHONE, 4000);
    // Another guest, whom nothing of this concerns.
    sign_up(service, &json!({ "phone": OTHER }));
    eat(service, "other-eats", OTHER, 3000);
    use_everything(service, "late", PHONE, EMAIL);
    // A card.
    publish_type(service, "2101", "card", &json!({}));
    assert_eq!(upload(service, "2101", &numbers("2101", 0, 3)).status, 200);
    for (card, user) in [
        ("of-the-person", json!({ "phone": PHONE, "email": EMAIL })),
        ("of-the-other", json!({ "phone": OTHER })),
    ] {
        let body = json!({ "event": "created", "card_id": card, "type": "2101", "user": user });
        let reply = service.post("/wallet/notify").auth(secrets::WALLET_AUTH).json(&body);
        assert_eq!(reply.status, 202, "{reply}");
        let number = wallet.number_of(card);
        wait_for_count(service, "2101", "active", if card == "of-the-person" { 1 } else { 2 });
        let offer = format!("offers-2101.ten-off.{number}");
        assert_eq!(applied(&Tab::new(service, card).redeem(&[&offer])).len(), 1);
    }
    let mut names = pseudonyms(&[PHONE, EMAIL]);
    names.extend([member_id(&first), member_id(&second)]);
    names
}

#[track_caller]
fn assert_nothing_left(service: &mut Service, names: &[String], job: &str) {
    service.kill();
    let kept = kept(service.state());
    for name in names {
        assert_eq!(files_with(&kept, name), [] as [String; 0], "{name} is left");
    }
    for text in ["6085550100", "555-0100", "a.guest", "aguest@", "A.Guest"] {
        assert_eq!(files_with(&kept, text), [] as [String; 0], "{text} is left");
    }
    // The other one is, or this test could not fail.
    assert!(pseudonyms(&[OTHER]).iter().any(|name| !files_with(&kept, name).is_empty()));
    assert!(!files_with(&kept, job).is_empty());
    service.restart();
}

#[test]
fn an_erased_person_is_in_no_file_under_any_name_and_every_count_is_as_before() {
    let wallet = Wallet::start();
    let mut service = service_with(&wallet);
    let names = known_person(&wallet, &service);
    let before = quotas(&service);
    let others = points(&service, OTHER);
    service.kill();
    let there = kept(service.state());
    let found = names.iter().filter(|name| !files_with(&there, name).is_empty()).count();
    assert!(found >= 6, "phone in two spellings, address in two, two members: {found}");
    service.restart();

    let job = erase(&service, "608-555-0100");
    assert_eq!((&job["found"], &job["members"]), (&json!(true), &json!(2)), "{job}");
    assert!(job["rows"].as_u64() >= Some(12) && job["cards"].as_u64() >= Some(2), "{job}");
    // What was counted before the rules were what they are is found by what was typed then.
    let job = erase(&service, EMAIL);
    assert_eq!((&job["found"], &job["members"]), (&json!(true), &json!(0)), "{job}");

    assert_eq!(quotas(&service), before);
    for guest in [PHONE, "aguest@gmail.com"] {
        assert_eq!(inquire(&service, guest).status, 404, "{guest}");
    }
    assert_eq!(points(&service, OTHER), others);
    assert_nothing_left(&mut service, &names, job["id"].as_str().unwrap());
    assert_eq!(quotas(&service), before);
    // What was redeemed is given back once, whoever it was.
    for tab in ["early-0-plain", "late-1-plain", "early-1-divided", "late-0-divided"] {
        assert_eq!(Tab::new(&service, tab).reverse(&[]).status, 200);
        assert_eq!(Tab::new(&service, tab).reverse(&[]).status, 200);
    }
    let after = quotas(&service);
    for (campaign, used) in [(0, 4), (1, 4)] {
        assert_eq!(after[campaign][0]["used"], used, "{after:?}");
    }
    // The other one still has what he had.
    let other = json!({ "phone": OTHER });
    take(&service, "other-2", "plain.ten-off.PLAIN", &other);
    take(&service, "other-3", "plain.ten-off.PLAIN", &other);
    let reply =
        Tab::new(&service, "other-4").with("customers", other).redeem(&["plain.ten-off.PLAIN"]);
    assert_eq!(reasons(&reply), ["quota_exhausted"], "{reply}");
}

#[test]
fn a_job_that_is_killed_again_and_again_goes_on_and_is_done() {
    let wallet = Wallet::start();
    let mut service = service_with(&wallet);
    let mut names = known_person(&wallet, &service);
    // The address as it was typed before there were rules is another request's.
    names.retain(|name| !pseudonyms(&[EMAIL]).contains(name));
    names.extend(pseudonyms(&["aguest@gmail.com"]));
    let before = quotas(&service);
    let reply = start(&service, PHONE);
    assert_eq!(reply.status, 202, "{reply}");
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    for pause in [0, 20, 100, 300, 800, 3000, 50] {
        service.restart();
        assert_eq!(look(&service, &id)["id"], id.as_str());
        thread::sleep(Duration::from_millis(pause));
    }
    service.restart();
    let job = wait(&service, &id);
    assert_eq!((&job["found"], &job["left"]), (&json!(true), &json!(0)), "{job}");
    assert_eq!(quotas(&service), before);
    service.kill();
    let kept = kept(service.state());
    for name in &names {
        assert_eq!(files_with(&kept, name), [] as [String; 0], "{name} is left");
    }
}

#[test]
fn a_person_who_is_being_erased_is_gone_at_once_and_asked_for_again_it_is_the_same_job() {
    let service = Service::start();
    programme::publish(&service, &tap_club());
    sign_up(&service, &json!({ "phone": PHONE, "email": EMAIL }));
    eat(&service, "t", PHONE, 4000);

    let reply = start(&service, PHONE);
    assert_eq!(reply.status, 202, "{reply}");
    let id = reply.json()["id"].clone();
    assert_eq!(
        reply.header("location"),
        Some(format!("/admin/erasures/{}", id.as_str().unwrap()).as_str())
    );
    assert_eq!(inquire(&service, PHONE).status, 404);
    for again in ["(608) 555-0100", PHONE, EMAIL] {
        let again = start(&service, again);
        assert_eq!((again.status, &again.json()["id"]), (202, &id), "{again}");
    }
    let job = wait(&service, id.as_str().unwrap());
    assert_eq!((&job["state"], &job["members"]), (&json!("done"), &json!(1)), "{job}");

    // Done, it is another one.
    let another = start(&service, PHONE);
    assert_ne!(another.json()["id"], id);
    let job = wait(&service, another.json()["id"].as_str().unwrap());
    assert_eq!((&job["found"], &job["members"]), (&json!(false), &json!(0)), "{job}");
    // A tab that is closed again brings nothing back, and counts for nobody who comes later.
    eat(&service, "t", PHONE, 4000);
    sign_up(&service, &json!({ "phone": PHONE }));
    assert_eq!(service.get("/admin/erasures/nobody-knows").admin().send().status, 404);
}

#[test]
fn who_signs_up_again_while_the_stores_are_gone_through_is_a_new_member_and_stays_one() {
    let service = Service::start();
    programme::publish(&service, &tap_club());
    sign_up(&service, &json!({ "phone": PHONE }));
    adjust(&service, PHONE, 70);
    let reply = start(&service, PHONE);
    sign_up(&service, &json!({ "phone": PHONE }));
    adjust(&service, PHONE, 30);
    wait(&service, reply.json()["id"].as_str().unwrap());
    assert_eq!(points(&service, PHONE), (30, 30));
}

#[test]
fn a_ledger_of_many_tabs_is_gone_through_in_batches() {
    let service = Service::start();
    let quotas = json!([{ "per": ["customer"], "limit": 1000 }]);
    publish(&service, &with(ten_percent("many", "MANY"), "quotas", quotas));
    thread::scope(|scope| {
        for till in 0..6 {
            let service = &service;
            scope.spawn(move || {
                for n in 0..100 {
                    let guest = if n % 10 == 0 { PHONE } else { OTHER };
                    let guest = json!({ "phone": guest });
                    take(service, &format!("many-{till}-{n}"), "many.ten-off.MANY", &guest);
                }
            });
        }
    });
    let job = erase(&service, PHONE);
    // Each tab, and the counter.
    assert_eq!((&job["rows"], &job["ledgers"]), (&json!(61), &json!(1)), "{job}");
    let used = service.get("/admin/campaigns/many/ledger").admin().send().json();
    assert_eq!(used["quotas"][0]["used"], 600, "{used}");
}
