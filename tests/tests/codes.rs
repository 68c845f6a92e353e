//! Single codes: those that prove themselves, and those that another system made.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own functions fail the test"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use promo_tests::campaign::{publish, ten_percent, with};
use promo_tests::gotab::{Tab, applied, reasons};
use promo_tests::promo::promo;
use promo_tests::{Reply, Service, secrets};
use serde_json::{Value, json};

fn signed(id: &str, prefix: &str, count: u32) -> Value {
    with(
        ten_percent(id, "UNUSED"),
        "codes",
        json!({ "signed": { "prefix": prefix, "count": count } }),
    )
}

fn listed(id: &str) -> Value {
    with(ten_percent(id, "UNUSED"), "codes", json!({ "listed": true }))
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The codes of a campaign that is published, made with these keys.
fn made_with(service: &Service, keys: &str, id: &str) -> Vec<String> {
    let made = promo(service, &["codes", "make", "--campaign", id]).env("CODE_KEYS", keys).output();
    out(&made.unwrap()).lines().map(str::to_owned).collect()
}

fn made(service: &Service, id: &str) -> Vec<String> {
    made_with(service, secrets::CODE_KEYS, id)
}

fn explained(service: &Service, code: &str) -> Value {
    let reply = service.get(&format!("/admin/codes/{code}")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()
}

fn put(service: &Service, document: &Value) -> Reply {
    let id = document["id"].as_str().unwrap();
    service.put(&format!("/admin/campaigns/{id}")).admin().json(document)
}

fn upload(service: &Service, id: &str, body: &str) -> Reply {
    service
        .post(&format!("/admin/campaigns/{id}/codes"))
        .admin()
        .header("Content-Type", "text/csv")
        .body(body.as_bytes())
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

fn pointers(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_signed_code_is_good_once_in_whatever_spelling() {
    let service = Service::shared();
    // The prefix has letters that are read as figures.
    publish(service, &signed("solo", "SOL-O1", 20));
    let codes = made(service, "solo");
    assert_eq!(codes.len(), 20);
    assert_eq!(made(service, "solo"), codes, "the same command makes the same codes");
    let (one, two) = (Tab::new(service, "solo-1"), Tab::new(service, "solo-2"));
    for code in &codes {
        let respelt = code.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
        let offer = one.offer_of(code);
        assert_eq!(one.offer_of(&respelt), offer, "{respelt}");
        assert!(offer.ends_with(&code.replace('-', "")), "{offer}");
    }
    let code = &codes[7];
    let offer = one.offer_of(code);
    assert_eq!(applied(&one.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&two.redeem(&[&offer])), ["quota_exhausted"]);
    assert_eq!(two.inquire(code).status, 404);
    let misread = code.replace('0', "O").replace('1', "I");
    assert_eq!(two.inquire(&misread).status, 404, "{misread} is the same code, and used");
    // The next serial is another code, and a reversal makes this one good again.
    assert_eq!(applied(&two.redeem(&[&two.offer_of(&codes[8])])).len(), 1);
    two.reverse(&[]);
    one.reverse(&[&offer]);
    assert_eq!(applied(&two.redeem(&[&offer])).len(), 1);
}

#[test]
fn an_offer_id_with_a_made_up_or_misspelt_signed_code_is_none_of_ours() {
    let service = Service::shared();
    publish(service, &signed("forged", "FRG", 10));
    let tab = Tab::new(service, "forged");
    let right = tab.offer_of(&made(service, "forged")[3]);
    let body = right.rsplit('.').next().unwrap();
    let mut other = body.to_owned();
    let last = if other.pop() == Some('7') { '8' } else { '7' };
    other.push(last);
    let forged = right.replace(body, &other);
    assert_eq!(tab.redeem(&[&forged]).status, 404, "{forged}");
    let misspelt = right.replace(body, &body.replacen('1', "I", 1));
    assert_ne!(misspelt, right);
    assert_eq!(tab.redeem(&[&misspelt]).status, 404, "{misspelt}");
    assert_eq!(applied(&tab.redeem(&[&right])).len(), 1);
}

#[test]
fn made_up_bodies_are_refused_without_asking_an_object_and_lock_nobody_out() {
    let service = Service::shared();
    publish(service, &signed("made-up", "MDP", 1000));
    let good = &made(service, "made-up")[999];
    let tab = Tab::new(service, "made-up").with("location_id", json!("made-up"));
    let unknown = tab.inquire("NOSUCHCODE");
    let names = |reply: &Reply| -> Vec<String> {
        reply.headers.iter().map(|(name, _)| name.clone()).collect()
    };
    for n in 0..25 {
        let reply = tab.inquire(&format!("MDP-1{n:02}0-1234-5678-9ABC"));
        assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{reply}");
        assert_eq!(names(&reply), names(&unknown));
    }
    assert_eq!(tab.inquire(good).status, 200);
}

#[test]
fn serials_beyond_the_count_are_refused_until_it_is_raised() {
    let service = Service::shared();
    publish(service, &signed("grows", "GRW", 30));
    let codes = made(service, "grows");
    publish(service, &signed("grows", "GRW", 10));
    let tab = Tab::new(service, "grows");
    assert_eq!((tab.inquire(&codes[9]).status, tab.inquire(&codes[10]).status), (200, 404));
    let why = explained(service, &codes[10])["errors"][0]["detail"].to_string();
    assert!(why.contains("serial 10"), "{why}");
    publish(service, &signed("grows", "GRW", 30));
    assert_eq!(tab.inquire(&codes[29]).status, 200);
    assert_eq!(made(service, "grows"), codes);
}

#[test]
fn keys_are_rotated_and_a_key_taken_out_is_revoked() {
    let mut service = Service::with().var("CODE_KEYS", "1:first,2:second").start();
    publish(&service, &signed("keys", "KEY", 5));
    let first = made_with(&service, "1:first", "keys");
    let second = made_with(&service, "1:first,2:second", "keys");
    assert_ne!(first, second);
    let status = |service: &Service, code: &str| Tab::new(service, "keys").inquire(code).status;
    assert_eq!((status(&service, &first[0]), status(&service, &second[0])), (200, 200));
    let said = explained(&service, &second[4].to_lowercase());
    assert_eq!(said["campaign"], "keys");
    assert_eq!((&said["serial"], &said["key_version"]), (&json!(4), &json!(2)));
    assert_eq!(
        (&said["shown"], &said["code"]),
        (&json!(second[4]), &json!(second[4].replace('-', "")))
    );

    service.restart_with(|options| options.var("CODE_KEYS", "2:second,3:third"));
    assert_eq!((status(&service, &first[0]), status(&service, &second[0])), (404, 200));
    let why = explained(&service, &first[0])["errors"][0]["detail"].to_string();
    assert!(why.contains("key 1 is not in CODE_KEYS"), "{why}");

    service.restart_with(|options| options.without("CODE_KEYS"));
    let reply = Tab::new(&service, "keys").inquire(&second[0]);
    assert_eq!(reply.status, 503, "{reply}");
    service.log_saying("CODE_KEYS is not set");
    let warned = put(&service, &signed("keys", "KEY", 5));
    assert_eq!(warned.json()["warnings"][0]["pointer"], "/codes/signed", "{warned}");
}

#[test]
fn prefixes_that_begin_alike_are_told_apart_and_those_that_read_alike_collide() {
    let service = Service::shared();
    for (id, prefix) in [("short", "PQ"), ("longer", "PQR"), ("longest", "PQR0")] {
        publish(service, &signed(id, prefix, 40));
    }
    let tab = Tab::new(service, "alike");
    for id in ["short", "longer", "longest"] {
        for code in made(service, id) {
            assert!(tab.offer_of(&code).starts_with(&format!("{id}.")), "{code}");
        }
    }
    let same = put(service, &signed("other", "pq-ro", 1));
    assert_eq!((same.status, pointers(&same)), (409, vec!["/codes/signed/prefix".to_owned()]));
    // A campaign that gives its prefix up frees it, and its codes are none any more.
    let code = &made(service, "longest")[0];
    publish(service, &signed("longest", "PQRS", 40));
    assert_eq!(tab.inquire(code).status, 404);
    publish(service, &signed("other", "PQRO", 40));
    assert_eq!(tab.inquire(code).status, 404, "another campaign's codes with the same prefix");
    assert_eq!(service.delete("/admin/campaigns/other").admin().send().status, 200);
    publish(service, &signed("another", "PQR0", 40));
}

#[test]
fn no_code_may_look_like_anothers_signed_one() {
    let service = Service::shared();
    publish(service, &signed("looks", "LKS", 10));
    let looks = "L-K-S-1234-5678-9ABC-DEFG";
    let fixed = put(service, &ten_percent("looks-fixed", looks));
    assert_eq!((fixed.status, pointers(&fixed)), (409, vec!["/codes/fixed/0".to_owned()]));
    publish(service, &listed("looks-listed"));
    let sent = upload(service, "looks-listed", &format!("GOOD1\n{looks}\n"));
    assert_eq!((sent.status, pointers(&sent)), (409, vec!["/2".to_owned()]), "{sent}");
    assert_eq!(service.get("/admin/codes/GOOD1").admin().send().status, 404);
    // And the other way round.
    publish(service, &ten_percent("looks-first", "FST 1234 5678 9ABC DEFG"));
    let late = put(service, &signed("looks-late", "FST", 10));
    assert_eq!((late.status, pointers(&late)), (409, vec!["/codes/signed/prefix".to_owned()]));
}

#[test]
fn a_simulation_knows_signed_codes() {
    let service = Service::shared();
    let campaign = signed("simulated", "SIM", 10);
    publish(service, &campaign);
    let code = made(service, "simulated")[2].clone();
    let cart =
        json!({ "currency": "USD", "lines": [{ "id": "1", "quantity": 1, "unit_price": 1000 }] });
    let ask = |campaigns: Option<&Value>, code: &str| {
        let mut request = json!({ "codes": [code], "cart": cart, "at": "2026-07-04T12:00:00Z" });
        if let Some(campaign) = campaigns {
            request["campaigns"] = json!([campaign]);
        }
        service.post("/admin/simulate").admin().json(&request).json()
    };
    assert_eq!(ask(None, &code)["discount"], 100);
    assert_eq!(ask(Some(&campaign), &code)["discount"], 100);
    for made_up in [ask(None, "SIM1234567890ABCDEF"), ask(Some(&campaign), "SIM1234567890ABCDEF")] {
        assert_eq!(made_up["discount"], 0);
        assert_eq!(
            made_up["rejected"].as_array().unwrap().last().unwrap()["reason"],
            "unknown_code"
        );
    }
}

#[test]
fn listed_codes_are_uploaded_whole_or_not_at_all_and_again() {
    let service = Service::shared();
    publish(service, &listed("uploads"));
    publish(service, &ten_percent("uploads-held", "UPHELD1"));
    let many: String = (0..300).map(|n| format!("up-{n:04}\n")).collect();
    let reply = upload(service, "uploads", &many);
    assert_eq!(reply.json(), json!({ "campaign": "uploads", "added": 300, "known": 0 }), "{reply}");
    let again = upload(service, "uploads", &format!("code\n{many}up-new\n"));
    assert_eq!(again.json(), json!({ "campaign": "uploads", "added": 1, "known": 300 }), "{again}");

    let held = upload(service, "uploads", "UPFRESH1\nup held 1\n");
    assert_eq!((held.status, pointers(&held)), (409, vec!["/2".to_owned()]), "{held}");
    let bad = upload(service, "uploads", "UPFRESH1\nA\nup-fresh-1\nA,B\n");
    assert_eq!((bad.status, pointers(&bad)), (422, ["/2", "/3", "/4"].map(str::to_owned).to_vec()));
    assert_eq!(service.get("/admin/codes/UPFRESH1").admin().send().status, 404);

    let tab = Tab::new(service, "uploads");
    let offer = tab.offer_of("UP 0299");
    assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1);
    assert_eq!(reasons(&Tab::new(service, "uploads-2").redeem(&[&offer])), ["quota_exhausted"]);
}

#[test]
fn an_upload_that_cannot_be_is_told_why() {
    let service = Service::shared();
    publish(service, &ten_percent("not-listed", "NOTLISTED"));
    publish(service, &listed("is-listed"));
    assert_eq!(upload(service, "not-listed", "ABC1\n").status, 409);
    assert_eq!(upload(service, "nowhere", "ABC1\n").status, 404);
    let many: String = (0..901).map(|n| format!("MANY{n}\n")).collect();
    for body in ["", "\n\n", &many] {
        assert_eq!(upload(service, "is-listed", body).status, 422);
    }
    let path = "/admin/campaigns/is-listed/codes";
    let json = service.post(path).admin().json(&json!(["ABC1"]));
    assert_eq!(json.status, 415, "{json}");
    let large = upload(service, "is-listed", &"A".repeat(256 * 1024 + 1));
    assert_eq!(large.status, 413, "{large}");
    let lines = "\"ND-1\"\n{\"code\": \"ND-2\"}\n12345\n";
    let ndjson = service.post(path).admin().header("Content-Type", "application/x-ndjson");
    let ndjson = ndjson.body(lines.as_bytes());
    assert_eq!(ndjson.json()["added"], 3, "{ndjson}");
    assert_eq!(explained(service, "nd2")["campaign"], "is-listed");
}

#[test]
fn promo_codes_import_uploads_a_file_and_tells_what_stands_against_it() {
    let service = Service::shared();
    publish(service, &listed("imported"));
    publish(service, &ten_percent("imported-held", "IMPHELD"));
    let import = |path: &PathBuf| {
        let path = path.to_str().unwrap();
        let url = service.url();
        let arguments = ["codes", "import", path, "--campaign", "imported", "--url", &url];
        promo(service, &arguments).output().unwrap()
    };
    let lines: String = (0..2000).map(|n| format!("IMP-{n:05}\r\n")).collect();
    let good = file("imported.csv", &lines);
    let clash = file("imported-clash.csv", &format!("{lines}IMPHELD\n"));

    let refused = import(&clash);
    assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
    assert!(
        err(&refused)
            .contains("imported-clash.csv:2001: IMPHELD belongs to campaign imported-held")
    );
    assert_eq!(service.get("/admin/codes/IMP00000").admin().send().status, 404);

    let first = import(&good);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    assert!(err(&first).contains("2000 codes added, 0 were there before"), "{}", err(&first));
    let again = import(&good);
    assert!(err(&again).contains("0 codes added, 2000 were there before"), "{}", err(&again));
    assert_eq!(Tab::new(service, "imported").inquire("imp 01999").status, 200);
}

/// How many redemptions a campaign's ledger has.
fn redemptions(service: &Service, id: &str) -> usize {
    let reply = service.get(&format!("/admin/campaigns/{id}/redemptions")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["redemptions"].as_array().unwrap().len()
}

#[test]
fn no_campaign_is_redeemed_without_a_code_of_its_own_in_its_one_spelling() {
    let service = Service::shared();
    publish(service, &listed("keyed"));
    assert_eq!(upload(service, "keyed", "GIFT-1\nABC123\n\u{c9}T\u{c9}10\n").status, 200);
    publish(service, &ten_percent("keyed-fixed", "KEYED10"));
    publish(service, &signed("keyed-signed", "KYD", 5));
    let digest = "-dead0000000000000000";
    let mut ids = Vec::new();
    for campaign in ["keyed", "keyed-fixed", "keyed-signed", "never-published"] {
        for key in ["-0000000001", "-dead", digest, "NEVER1", "KEYEDX", "A_B", "~41:BC123"] {
            ids.push(format!("{campaign}.ten-off.{key}"));
        }
    }
    for key in [
        "gift1",
        "Gift1",
        "GIFT-1",
        "~47:IFT1",
        "abc123",
        "~41:BC123",
        "~c9:t~c9:10",
        "~C9:T~C9:10",
        "~e9:T~e9:10",
        "KEYED10",
    ] {
        ids.push(format!("keyed.ten-off.{key}"));
    }
    ids.extend(
        ["keyed10", "Keyed10", "GIFT1", "~4b:EYED10"]
            .map(|key| format!("keyed-fixed.ten-off.{key}")),
    );
    for (n, id) in ids.iter().enumerate() {
        let tab = Tab::new(service, &format!("keyed-{n}"));
        let reply = tab.redeem(&[id]);
        assert_eq!(reply.status, 404, "{id}: {reply}");
        let good = "keyed-fixed.ten-off.KEYED10";
        let beside = tab.with("location_id", json!("keyed")).redeem(&[id, good]);
        assert_eq!(
            (applied(&beside).len(), reasons(&beside)),
            (1, vec!["unknown_code".to_owned()])
        );
    }
    assert_eq!((redemptions(service, "keyed"), redemptions(service, "keyed-signed")), (0, 0));
    let tab = Tab::new(service, "keyed");
    for id in ["keyed.ten-off.GIFT1", "keyed.ten-off.~c9:T~c9:10"] {
        let code = if id.ends_with("GIFT1") { "gift 1" } else { "\u{e9}t\u{e9}-10" };
        let own = Tab::new(service, id);
        assert_eq!(own.offer_of(code), id);
        assert_eq!(applied(&own.redeem(&[id])).len(), 1, "{id}");
        assert_eq!(reasons(&tab.redeem(&[id])), ["quota_exhausted"]);
    }
}

#[test]
fn a_made_up_code_named_first_takes_no_good_one_with_it() {
    let service = Service::shared();
    publish(service, &listed("mixed"));
    assert_eq!(upload(service, "mixed", "MIXED1\nMIXED2\n").status, 200);
    let [none, one, two] =
        ["NEVER", "MIXED1", "MIXED2"].map(|code| format!("mixed.ten-off.{code}"));
    let reply = Tab::new(service, "mixed").redeem(&[&none, &one, &two]);
    assert_eq!(applied(&reply).len(), 1, "{reply}");
    assert_eq!(reasons(&reply), ["unknown_code", "does_not_combine"]);
}

#[test]
fn what_stands_is_answered_as_before_though_its_code_is_gone() {
    let mut service = Service::start();
    publish(&service, &ten_percent("leaves", "LEAVES10"));
    publish(&service, &with(signed("revoked", "RVK", 5), "combines_with", json!("any")));
    let tab = Tab::new(&service, "leaves");
    let first = tab.redeem(&["leaves.ten-off.LEAVES10"]);
    assert_eq!(applied(&first).len(), 1);
    let other = Tab::new(&service, "revoked");
    let offer = other.offer_of(&made(&service, "revoked")[2]);
    let second = other.redeem(&[&offer]);
    publish(&service, &ten_percent("leaves", "ELSE10"));
    assert_eq!(tab.redeem(&["leaves.ten-off.LEAVES10"]).body, first.body);
    assert_eq!(service.delete("/admin/campaigns/leaves").admin().send().status, 200);
    service.restart_with(|options| options.var("CODE_KEYS", "2:another-key-of-this-deployment"));
    let (tab, other) = (Tab::new(&service, "leaves"), Tab::new(&service, "revoked"));
    for _ in 0..12 {
        assert_eq!(tab.redeem(&["leaves.ten-off.LEAVES10"]).body, first.body);
        assert_eq!(other.redeem(&[&offer]).body, second.body);
    }
    assert_eq!(Tab::new(&service, "elsewhere").redeem(&["leaves.ten-off.LEAVES10"]).status, 404);
    assert_eq!(tab.reverse(&[]).status, 200);
    assert_eq!(tab.redeem(&["leaves.ten-off.LEAVES10"]).status, 404, "it stands no more");
}

#[test]
fn a_code_that_does_not_fit_an_offer_id_is_refused_where_it_comes_in() {
    let service = Service::shared();
    let id = format!("long-{}", "x".repeat(59));
    // 64 of the id, 7 of ten-off and 2 points leave 55.
    let (fits, long) = ("F".repeat(55), "L".repeat(56));
    let mut campaign = ten_percent(&id, "UNUSED");
    campaign["codes"] = json!({ "fixed": [fits, long, "\u{c9}".repeat(13), "\u{c9}".repeat(14)] });
    let refused = put(service, &campaign);
    assert_eq!(refused.status, 422, "{refused}");
    assert_eq!(pointers(&refused), ["/codes/fixed/1", "/codes/fixed/3"]);
    campaign["codes"] = json!({ "fixed": [fits] });
    publish(service, &campaign);
    let tab = Tab::new(service, "long");
    let offer = tab.offer_of(&fits);
    assert_eq!(offer.len(), 128);
    assert_eq!(applied(&tab.redeem(&[&offer])).len(), 1);

    campaign["codes"] = json!({ "listed": true });
    publish(service, &campaign);
    let sent = upload(service, &id, &format!("{fits}\n{long}\nSHORT1\n"));
    assert_eq!((sent.status, pointers(&sent)), (422, vec!["/2".to_owned()]), "{sent}");
    assert_eq!(service.get("/admin/codes/SHORT1").admin().send().status, 404);
    let longest = "M".repeat(62);
    let path = file("too-long.csv", &format!("SHORT1\n{longest}\n"));
    let out = env!("CARGO_TARGET_TMPDIR");
    let arguments = ["codes", "import", path.to_str().unwrap(), "--campaign", &id, "--out", out];
    let offline = promo(service, &arguments).output().unwrap();
    assert_eq!(offline.status.code(), Some(1), "{}", err(&offline));
    assert!(err(&offline).contains("too-long.csv:2: ") && err(&offline).contains("128"));
}
