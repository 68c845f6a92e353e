//! The commands as a shell sees them: what goes in, what comes out, and the exit code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should fail"
)]

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn promo(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_promo"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it early.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn file(name: &str, content: &Value) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn campaign(id: &str, code: &str, percent: &str) -> Value {
    json!({"id": id, "name": id, "currency": "USD", "codes": {"fixed": [code]},
        "combines_with": "any", "offers": [{"id": "o", "name": "O", "discount": {"percent": percent}}]})
}

fn cart() -> Value {
    json!({"currency": "USD", "lines": [{"id": "1", "quantity": 2, "unit_price": 500}]})
}

fn discount(output: &Output) -> Value {
    serde_json::from_str::<Value>(&out(output)).unwrap()["discount"].clone()
}

#[test]
fn a_sound_campaign_is_passed_in_silence() {
    let path = file("sound.json", &campaign("sound", "SUMMER10", "10"));
    let output = promo(&["lint", &path], "");
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), ""));
}

#[test]
fn every_fault_is_a_line_with_its_place() {
    let path = file("faulty.json", &campaign("Faulty!", "X", "110"));
    let output = promo(&["lint", &path], "");
    assert_eq!(output.status.code(), Some(1));
    let places: Vec<String> =
        out(&output).lines().map(|line| line.split(": error: ").next().unwrap().into()).collect();
    let expected = ["/id", "/codes/fixed/0", "/offers/0/discount/percent"];
    assert_eq!(places, expected.map(|pointer| format!("{path}:{pointer}")));
}

#[test]
fn a_programme_is_known_by_what_it_has_and_told_its_faults_and_warnings() {
    let sound = r#"{"name": "Club", "earn": [{"points": 1, "per_amount": 100}],
        "pay_with_points": {"points": 100, "value": 100}}"#;
    let output = promo(&["lint", "-"], sound);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let faulty = r#"{"name": "Club", "earn": [{"points": 1, "per_amount": 0}]}"#;
    let output = promo(&["lint", "-"], faulty);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(said, "-:/earn/0/per_amount: error: 0 is less than 1\n");
    let odd = r#"{"name": "Club", "earn": [], "rewards": []}"#;
    let output = promo(&["lint", "--deny-warnings", "-"], odd);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn a_warning_fails_only_when_it_is_denied() {
    let mut over = campaign("over", "OVER10", "10");
    over["ends_at"] = "2026-01-01T00:00:00Z".into();
    let path = file("over.json", &over);
    let at = ["--at", "2026-07-04T17:30:00-05:00"];
    assert_eq!(promo(&["lint", &path, at[0], at[1]], "").status.code(), Some(0));
    let output = promo(&["lint", &path, "--deny-warnings", at[0], at[1]], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("/ends_at: warning: is in the past"));
    // The day before it ends there is nothing to warn of.
    let before = promo(&["lint", &path, "--deny-warnings", "--at", "2025-12-31T00:00:00Z"], "");
    assert_eq!(before.status.code(), Some(0));
}

#[test]
fn campaigns_given_together_share_no_id_and_no_code() {
    let one = file("one.json", &campaign("same", "Summer 10", "10"));
    let two = file("two.json", &campaign("same", "SUMMER-10", "20"));
    let output = promo(&["lint", &one, &two], "");
    assert_eq!(output.status.code(), Some(1));
    for pointer in ["/id", "/codes/fixed/0"] {
        assert!(out(&output).contains(&format!("{two}:{pointer}: error: {one} has the same")));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_another_failure_than_a_fault() {
    let output = promo(&["lint", "/nowhere/campaign.json"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("/nowhere/campaign.json"));
    assert_eq!(promo(&["lint"], "").status.code(), Some(2));
}

#[test]
fn a_request_on_the_standard_input_is_answered_on_the_standard_output() {
    let request = json!({"campaigns": [campaign("summer", "SUMMER10", "10")], "cart": cart(),
        "codes": ["summer 10"], "at": "2026-07-04T17:30:00-05:00"});
    let output = promo(&["simulate"], &request.to_string());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(discount(&output), 100);
}

#[test]
fn options_take_the_place_of_the_requests_keys() {
    let request = json!({"campaigns": [campaign("summer", "SUMMER10", "10")], "cart": cart()});
    let other = file("other.json", &campaign("other", "OTHER", "50"));
    let with = |options: &[&str]| {
        let arguments = [&["simulate"], options].concat();
        discount(&promo(&arguments, &request.to_string()))
    };
    assert_eq!(with(&[]), 100);
    assert_eq!(with(&["--code", "OTHER"]), 0);
    assert_eq!(with(&["--campaign", &other]), 500);
    assert_eq!(with(&["--campaign", &other, "--code", "OTHER"]), 500);
}

#[test]
fn files_alone_make_a_request() {
    let one = file("first.json", &campaign("first", "FIRST", "10"));
    let two = file("second.json", &campaign("second", "SECOND", "50"));
    let cart = file("cart.json", &cart());
    let arguments = ["simulate", "--campaign", &one, "--campaign", &two, "--cart", &cart];
    assert_eq!(discount(&promo(&arguments, "this is not read")), 550);
}

#[test]
fn a_place_may_come_from_a_file_with_and_without_a_request() {
    let mut airport = campaign("airport", "FLY", "10");
    airport["offers"][0]["when"] =
        json!({"all": [{"location_tag": ["airport"]}, {"days": ["fri"]}]});
    let place = file("place.json", &json!({"timezone": "Asia/Tokyo", "tag": ["airport"]}));
    let (path, cart_path) = (file("airport.json", &airport), file("cart-there.json", &cart()));
    // A Saturday in Tokyo, while it is Friday in UTC.
    let (friday, saturday) = ("2026-07-03T10:00:00Z", "2026-07-03T16:00:00Z");
    let of_files = |more: &[&str]| {
        let files = ["simulate", "--campaign", &path, "--cart", &cart_path];
        discount(&promo(&[&files, more].concat(), "this is not read"))
    };
    assert_eq!(of_files(&["--at", friday]), 0);
    assert_eq!(of_files(&["--at", friday, "--location", &place]), 100);
    assert_eq!(of_files(&["--at", saturday, "--location", &place]), 0);
    let request = json!({"campaigns": [airport], "cart": cart(), "at": friday, "location": {}});
    let output = promo(&["simulate", "--location", &place], &request.to_string());
    assert_eq!(discount(&output), 100);
}

#[test]
fn a_faulty_request_is_told_with_every_place_as_json() {
    let output = promo(&["simulate"], r#"{"campaigns":[{"id":"x"}],"cart":{},"at":"now"}"#);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    let errors: Value = serde_json::from_str(&err(&output)).unwrap();
    let pointers: Vec<&str> = errors["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/campaigns/0/offers", "/cart/currency", "/at"] {
        assert!(pointers.contains(&pointer), "{pointer} is not in {pointers:?}");
    }
}

#[test]
fn what_is_no_json_is_a_fault_too() {
    let output = promo(&["simulate"], "summer");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("is not JSON"));
}
