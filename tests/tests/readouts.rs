//! What operators read of the ledgers.

use promo_tests::Service;
use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::erasure::erase;
use promo_tests::gotab::{Tab, applied};
use serde_json::{Value, json};

fn get(service: &Service, path: &str) -> Value {
    let reply = service.get(path).admin().send();
    assert_eq!(reply.status, 200, "{path}: {reply}");
    reply.json()
}

#[test]
fn each_quota_says_what_is_used_and_what_remains() {
    let service = Service::shared();
    let mut campaign = ten_percent("quotas", "QUOTAS10");
    campaign["quotas"] = json!([
        { "per": [], "limit": 5 },
        { "per": [], "window": "day", "budget": 1000, "on_short": "partial" },
        { "per": ["location"], "limit": 3 },
    ]);
    campaign["offers"][0]["quotas"] = json!([{ "per": [], "window": "month", "limit": 7 }]);
    publish(service, &campaign);
    for tab in ["quotas-1", "quotas-2"] {
        assert_eq!(applied(&Tab::new(service, tab).redeem(&["quotas.ten-off.QUOTAS10"])).len(), 1);
    }

    let ledger = get(service, "/admin/campaigns/quotas/ledger");

    assert_eq!(
        ledger["quotas"],
        json!([
            { "per": [], "window": "total", "limit": 5, "used": 2, "remaining": 3 },
            { "per": [], "window": "day", "budget": 1000, "used": 220, "remaining": 780 },
            { "per": ["location"], "window": "total", "limit": 3, "used": 2 },
            { "offer": "ten-off", "per": [], "window": "month", "limit": 7, "used": 2, "remaining": 5 },
        ])
    );
    assert_eq!(service.get("/admin/campaigns/no-such/ledger").admin().send().status, 404);
}

#[test]
fn a_budget_that_runs_short_gives_its_rest() {
    let service = Service::shared();
    let budget = json!([{ "per": [], "budget": 150, "on_short": "partial" }]);
    publish(service, &with(ten_percent("short", "SHORT10"), "quotas", budget));
    let offer = "short.ten-off.SHORT10";

    let first = Tab::new(service, "short-1").redeem(&[offer]);
    assert!(Tab::new(service, "short-2").inquire("SHORT10").text().contains("\"amount\":0.40,"));
    let second = Tab::new(service, "short-2").redeem(&[offer]);
    let third = Tab::new(service, "short-3").redeem(&[offer]);

    assert_eq!(applied(&first), [(offer.to_owned(), "1.1".to_owned())]);
    assert_eq!(applied(&second), [(offer.to_owned(), "0.4".to_owned())]);
    assert!(applied(&third).is_empty(), "{third}");
}

#[test]
fn redemptions_are_paged_as_json_and_csv_without_naming_a_guest() {
    let service = Service::shared();
    publish(service, &ten_percent("paged", "PAGED10"));
    for tab in ["paged-1", "paged-2", "paged-3"] {
        let guest = json!({ "phone": "+16085550177" });
        let tab = Tab::new(service, tab).with("customers", guest);
        assert_eq!(applied(&tab.redeem(&["paged.ten-off.PAGED10"])).len(), 1);
    }
    let at = "/admin/campaigns/paged/redemptions";

    let (mut tabs, mut path) = (Vec::new(), format!("{at}?limit=2"));
    loop {
        let page = get(service, &path);
        for line in page["redemptions"].as_array().unwrap() {
            assert_eq!((&line["campaign"], &line["offer"]), (&json!("paged"), &json!("ten-off")));
            assert_eq!((&line["code"], &line["location"]), (&json!("PAGED10"), &json!("1019")));
            assert_eq!((&line["amount"], &line["currency"]), (&json!(110), &json!("USD")));
            assert_eq!((&line["state"], &line["epoch"]), (&json!("applied"), &json!(1)));
            assert_eq!(line["pos"], "gotab");
            tabs.push(line["tab"].as_str().unwrap().to_owned());
        }
        match page["cursor"].as_str() {
            Some(cursor) => path = format!("{at}?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(tabs, ["paged-1", "paged-2", "paged-3"]);

    let csv = service.get(at).admin().header("Accept", "text/csv").send();
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.text().lines().count(), 4, "{csv}");
    assert!(csv.text().starts_with("campaign,offer,code,location,tab,customer,amount"), "{csv}");
    assert!(!csv.text().contains("5550177"), "{csv}");
    for bad in ["?cursor=nonsense", "?limit=0", "?limit=many"] {
        assert_eq!(service.get(&format!("{at}{bad}")).admin().send().status, 422, "{bad}");
    }
}

#[test]
fn a_tab_shows_its_history_over_all_campaigns_and_epochs() {
    let service = Service::shared();
    publish(service, &ten_percent("story-a", "STORYA"));
    publish(service, &ten_percent("story-b", "STORYB"));
    let tab = Tab::new(service, "story");
    tab.redeem(&["story-a.ten-off.STORYA"]);
    tab.reverse(&[]);
    tab.redeem(&["story-b.ten-off.STORYB"]);
    tab.reverse(&["story-b.ten-off.STORYB"]);
    tab.redeem(&["story-a.ten-off.STORYA"]);

    let history = get(service, "/admin/tabs/story?location=1019");

    let told: Vec<(&str, &str, u64)> = history["redemptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap();
            (text("campaign"), text("state"), line["epoch"].as_u64().unwrap())
        })
        .collect();
    let all = [("story-a", "reversed", 1), ("story-b", "reversed", 1), ("story-a", "applied", 2)];
    assert_eq!(told, all);
    assert_eq!(service.get("/admin/tabs/nobody-knows?location=1019").admin().send().status, 404);
}

#[test]
fn a_person_who_is_erased_is_named_nowhere_and_every_count_stays_right() {
    let service = Service::start();
    let quotas = json!([{ "per": [], "limit": 10 }, { "per": ["customer"], "limit": 1 }]);
    let campaign = with(ten_percent("forget", "FORGET"), "quotas", quotas);
    publish(&service, &with(campaign, "ledger", json!({ "shards": 3, "by": "customer" })));
    let offer = ["forget.ten-off.FORGET"];
    for (tab, phone) in [("forget-1", "+1 608 555 0177"), ("forget-2", "+1 608 555 0178")] {
        let customers = json!({ "phone": phone });
        let tab = Tab::new(&service, tab).with("customers", customers);
        assert_eq!(applied(&tab.redeem(&offer)).len(), 1);
    }
    let at = "/admin/campaigns/forget";
    let lines = |service: &Service| {
        let page = get(service, &format!("{at}/redemptions"));
        let lines = page["redemptions"].as_array().unwrap().iter();
        lines
            .map(|line| {
                (line["tab"].to_string(), line["customer"].as_str().unwrap_or_default().to_owned())
            })
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = lines(&service);

    let erased = erase(&service, "(608) 555-0177");
    assert_eq!(erased["rows"], 0, "a number without its country is nobody's: {erased}");
    let erased = erase(&service, "+16085550177");
    let counts = ["members", "ledgers", "rows"].map(|key| erased[key].clone());
    assert_eq!(counts, [json!(0), json!(1), json!(2)], "{erased}");

    let after = lines(&service);
    let named = |tab: &str| (before[tab].clone(), after[tab].clone());
    let (was, is) = named("\"forget-1\"");
    assert!(was != is && is.starts_with("erased-"), "{was} {is}");
    let (was, is) = named("\"forget-2\"");
    assert_eq!(was, is, "another guest's name stays");
    let used =
        |service: &Service| get(service, &format!("{at}/ledger"))["quotas"][0]["used"].clone();
    assert_eq!(used(&service), 2);
    // What he had can still be given back, and is given back once.
    assert_eq!(Tab::new(&service, "forget-1").reverse(&[]).status, 200);
    assert_eq!(used(&service), 1);
    assert_eq!(get(&service, &format!("{at}/ledger"))["quotas"][1]["used"], 1);
}

#[test]
fn redemptions_older_than_the_campaign_keeps_them_are_folded_into_totals() {
    let mut service = Service::start();
    let quotas = json!([{ "per": [], "limit": 10 }, { "per": [], "window": "day", "limit": 10 }]);
    let campaign = with(ten_percent("aging", "AGING"), "quotas", quotas);
    publish(&service, &with(campaign, "retention_days", json!(30)));
    let offer = ["aging.ten-off.AGING"];
    for tab in ["aging-1", "aging-2", "aging-3"] {
        assert_eq!(applied(&Tab::new(&service, tab).redeem(&offer)).len(), 1);
    }
    assert_eq!(Tab::new(&service, "aging-3").reverse(&[]).status, 200);

    service.restart_with(|options| options.var("CLOCK_OFFSET", &(31 * 86_400).to_string()));
    assert_eq!(applied(&Tab::new(&service, "aging-4").redeem(&offer)).len(), 1);

    let ledger = get(&service, "/admin/campaigns/aging/ledger");
    let folded = json!([{ "offer": "ten-off", "currency": "USD", "redemptions": 2, "amount": 220, "reversed": 1 }]);
    assert_eq!(ledger["folded"], folded, "{ledger}");
    assert_eq!(
        (&ledger["quotas"][0]["used"], &ledger["quotas"][1]["used"]),
        (&json!(3), &json!(1))
    );
    let page = get(&service, "/admin/campaigns/aging/redemptions");
    let tabs: Vec<_> = page["redemptions"].as_array().unwrap().iter().map(|l| &l["tab"]).collect();
    assert_eq!(tabs, ["aging-4"]);
}

#[test]
fn the_root_of_a_divided_ledger_which_keeps_no_redemptions_is_swept_too() {
    let mut service = Service::start();
    let quotas = json!([{ "per": [], "window": "day", "limit": 10 }]);
    let campaign = with(ten_percent("rooted", "ROOTED"), "quotas", quotas);
    publish(&service, &with(campaign, "ledger", json!({ "shards": 2, "by": "tab" })));
    for (days, tab) in [(0, "rooted-1"), (3, "rooted-2"), (70, "rooted-3")] {
        let offset = (days * 86_400).to_string();
        service.restart_with(|options| options.var("CLOCK_OFFSET", &offset));
        let reply = Tab::new(&service, tab).redeem(&["rooted.ten-off.ROOTED"]);
        assert_eq!(applied(&reply).len(), 1, "{reply}");
    }
    let failed: Vec<_> =
        service.log().into_iter().filter(|l| l.contains("upkeep failed")).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
