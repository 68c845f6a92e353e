//! Tills that redeem and reverse while the process is killed under them, again and again, and a checker
//! over what they heard: nothing acknowledged is lost, nothing is oversold, each redemption is there once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::{Line, Service, long, secrets};
use serde_json::{Value, json};

const TILLS: u64 = 12;
/// Answers that all tills together hear before each kill.
const HEARD: usize = 120;
/// By campaign: its id, its limit, over how many objects.
const CAMPAIGNS: [(&str, u64, u32); 2] = [("whole", 150, 1), ("split", 150, 8)];

/// What one till knows of one tab: whether the redemption stands, may stand, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Stands,
    Perhaps,
    Gone,
}

/// The same on every run; only what the kills hit differs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(sides).unwrap_or(0)
    }
}

/// What a till did on its tabs, by campaign and tab.
type Log = BTreeMap<(&'static str, String), Known>;

fn till(line: &Line, number: u64, closing: &AtomicBool, heard: &AtomicUsize) -> Log {
    let (mut dice, mut log) = (Dice(number), Log::new());
    for visit in 0.. {
        if closing.load(Ordering::Relaxed) {
            break;
        }
        let id = if dice.below(2) == 0 { "whole" } else { "split" };
        let tab = format!("{id}-{number}-{visit}");
        let key = (id, tab.clone());
        for _ in 0..=dice.below(3) {
            let known = match dice.below(3) {
                0 => reverse(line, &tab),
                _ => redeem(line, id, &tab),
            };
            heard.fetch_add(usize::from(known.is_some()), Ordering::Relaxed);
            match known {
                // A refusal changes nothing.
                Some(None) => {}
                Some(Some(known)) => drop(log.insert(key.clone(), known)),
                // Nobody heard: whatever was, it may be otherwise now.
                None => drop(log.insert(key.clone(), Known::Perhaps)),
            }
        }
    }
    log
}

/// None: no whole reply came. Some(None): refused, so that it is as it was.
#[expect(clippy::option_option, reason = "no reply, a refusal, and what is known from a reply")]
fn redeem(line: &Line, id: &str, tab: &str) -> Option<Option<Known>> {
    let cart = json!({ "tab_id": tab, "location_id": "1019", "currency": "USD",
        "lines": [{ "id": "1", "quantity": 1, "unit_price": 1000 }] });
    let offer = format!("{id}.ten-off.{}", id.to_uppercase());
    let body = ask(line, "redeem", &json!({ "offer_ids": [offer], "cart": cart }))?;
    let reason = body.pointer("/rejected/0/reason").and_then(Value::as_str);
    match reason {
        None => Some(Some(Known::Stands)),
        Some("temporarily_unavailable") => None,
        Some(_) => Some(None),
    }
}

#[expect(clippy::option_option, reason = "as for `redeem`")]
fn reverse(line: &Line, tab: &str) -> Option<Option<Known>> {
    ask(line, "reverse", &json!({ "tab_id": tab, "location_id": "1019" }))?;
    Some(Some(Known::Gone))
}

fn ask(line: &Line, question: &str, body: &Value) -> Option<Value> {
    let exchange = line.post(&format!("/v1/{question}")).auth(secrets::API_AUTH);
    let exchange = exchange.header("Content-Type", "application/json");
    let reply = exchange.try_body(body.to_string().as_bytes()).ok()?;
    (reply.status == 200).then(|| reply.json())
}

/// The tabs on which a campaign's redemption stands, by its ledger; each once.
fn standing(service: &Service, id: &str) -> BTreeSet<String> {
    let (mut tabs, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/admin/campaigns/{id}/redemptions?limit=1000{cursor}");
        let page = service.get(&path).admin().send().json();
        let lines = page.pointer("/redemptions").and_then(Value::as_array);
        for line in lines.into_iter().flatten() {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("state") == "applied" {
                let tab = text("tab").to_owned();
                assert!(tabs.insert(tab.clone()), "{tab} is redeemed twice");
            }
        }
        match page.pointer("/cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return tabs,
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_oversold_while_the_process_is_killed() {
    let mut service = Service::start();
    for (id, limit, shards) in CAMPAIGNS {
        let campaign = ten_percent(id, &id.to_uppercase());
        let campaign = with(campaign, "quotas", json!([{ "per": [], "limit": limit }]));
        publish(&service, &with(campaign, "ledger", json!({ "shards": shards, "by": "tab" })));
    }
    // Long: for a minute. Otherwise as long as it takes, so that a slow machine proves as much.
    let (kills, between) = if long() { (5, Duration::from_secs(10)) } else { (2, Duration::ZERO) };
    let (line, closing, heard) = (service.line(), AtomicBool::new(false), AtomicUsize::new(0));
    let mut log = Log::new();
    thread::scope(|scope| {
        let tills: Vec<_> = (0..TILLS)
            .map(|number| {
                let (line, closing, heard) = (&line, &closing, &heard);
                scope.spawn(move || till(line, number, closing, heard))
            })
            .collect();
        let wait = || {
            let enough = heard.load(Ordering::Relaxed) + HEARD;
            thread::sleep(between);
            while heard.load(Ordering::Relaxed) < enough {
                thread::sleep(Duration::from_millis(20));
            }
        };
        for _ in 0..kills {
            wait();
            service.restart();
        }
        wait();
        closing.store(true, Ordering::Relaxed);
        for till in tills {
            log.extend(till.join().unwrap());
        }
    });
    service.restart();

    for (id, limit, _) in CAMPAIGNS {
        let standing = standing(&service, id);
        let of = |known: Known| {
            let tabs = log.iter().filter(|((of, _), k)| *of == id && **k == known);
            tabs.map(|((_, tab), _)| tab.clone()).collect::<BTreeSet<String>>()
        };
        let (stand, perhaps, gone) = (of(Known::Stands), of(Known::Perhaps), of(Known::Gone));
        assert!(stand.is_subset(&standing), "lost: {:?}", stand.difference(&standing));
        assert!(gone.is_disjoint(&standing), "back: {:?}", gone.intersection(&standing));
        assert!(standing.len() <= stand.len() + perhaps.len());
        let ledger = service.get(&format!("/admin/campaigns/{id}/ledger")).admin().send().json();
        let used = ledger["quotas"][0]["used"].as_u64().unwrap_or_default();
        assert_eq!(usize::try_from(used).unwrap(), standing.len(), "{ledger}");
        assert!(used <= limit, "{ledger}");
        // A test in which nothing was at stake would prove nothing.
        assert!(stand.len() > 20 && gone.len() > 5, "{} stand, {} gone", stand.len(), gone.len());
    }
}
