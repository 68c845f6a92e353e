//! `promo codes` as a shell sees it; what it does to a service is in tests/tests/codes.rs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

fn file(name: &str, content: &str) -> String {
    let path = folder("codes").join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn promo(arguments: &[&str], keys: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_promo"))
        .args(arguments)
        .env("CODE_KEYS", keys)
        .env_remove("ADMIN_TOKEN")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", err(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The campaign of which promo-core keeps some codes for ever.
fn summer() -> String {
    let campaign = json!({"id": "summer", "name": "Summer", "currency": "USD",
        "codes": {"signed": {"prefix": "SMR", "count": 2000}},
        "offers": [{"id": "o", "name": "O", "discount": {"percent": "10"}}]});
    file("summer.json", &campaign.to_string())
}

#[test]
fn the_same_command_makes_the_same_codes_and_from_goes_on() {
    let campaign = summer();
    let make = |more: &[&str]| {
        let arguments = [&["codes", "make", "--campaign", &campaign], more].concat();
        out(&promo(&arguments, "1:first-secret"))
    };
    let all = make(&[]);
    assert_eq!(all.lines().count(), 2000);
    assert_eq!(all.lines().nth(1), Some("SMR-178F-A7AE-RZ49-PDMH"));
    assert_eq!(all.lines().nth(999), Some("SMR-14QZ-QJ3W-PKXB-S3Q4"));
    assert_eq!(make(&["--count", "2000"]), all);
    assert_eq!(make(&["--count", "1500"]) + &make(&["--from", "1500"]), all);
    let mut different: Vec<&str> = all.lines().collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 2000);
}

#[test]
fn the_newest_key_makes_codes_unless_another_is_named_and_a_file_may_hold_them() {
    let campaign = summer();
    let make = |keys: &str, more: &[&str]| {
        let one = ["codes", "make", "--campaign", &campaign, "--count", "1"];
        promo(&[&one, more].concat(), keys)
    };
    let (first, second) = ("SMR-1CSG-VSDY-F4QP-RAD4\n", "SMR-2ZPJ-KBV2-0VTH-H15M\n");
    let both = "2:second-secret,1:first-secret";
    assert_eq!(out(&make(both, &[])), second);
    assert_eq!(out(&make(both, &["--key", "1"])), first);
    assert_eq!(out(&make("first-secret", &[])), first);
    for content in [format!("{both}\n"), format!("A=1\nCODE_KEYS=\"{both}\"\nB=2\n")] {
        let keys = file("keys", &content);
        assert_eq!(out(&make("", &["--keys", &keys])), second, "{content}");
    }
    for (keys, more, why) in [
        ("", &[][..], "CODE_KEYS: there is no key"),
        ("a,b", &[], "has no version"),
        ("1:a", &["--key", "2"], "there is no key 2"),
        ("1:a", &["--key", "32"], "1 to 31"),
    ] {
        let output = make(keys, more);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(why), "{why} is not in {}", err(&output));
    }
}

#[test]
fn more_codes_than_the_campaign_has_are_not_made() {
    let campaign = summer();
    for more in [&["--count", "2001"][..], &["--from", "2000"], &["--from", "1", "--count", "2000"]]
    {
        let arguments = [&["codes", "make", "--campaign", &campaign], more].concat();
        let output = promo(&arguments, "1:first-secret");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(err(&output).contains("has 2000 codes, serials 0 to 1999"), "{}", err(&output));
    }
    let missing = promo(&["codes", "make", "--campaign", "no-such-file"], "1:a");
    assert!(err(&missing).contains("ADMIN_TOKEN is not set"), "{}", err(&missing));
}

#[test]
fn an_import_without_an_address_writes_files_for_wrangler_the_same_every_time() {
    let lines: String = (0..10_001).map(|n| format!("imp-{n:05}\n")).collect();
    let codes = file("many.csv", &format!("code\n{lines}"));
    let out_folder = folder("bulk");
    let arguments =
        ["codes", "import", &codes, "--campaign", "partner", "--out", out_folder.to_str().unwrap()];
    let names = out(&promo(&arguments, ""));
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names.len(), 2);
    let read = |name: &str| -> Vec<Value> {
        serde_json::from_str(&fs::read_to_string(name).unwrap()).unwrap()
    };
    let (first, second) = (read(names[0]), read(names[1]));
    assert_eq!((first.len(), second.len()), (10_000, 1));
    let pair = json!({"key": "code:IMP10000", "value": "{\"campaign\":\"partner\"}"});
    assert_eq!(second[0], pair);
    let before = fs::read(names[0]).unwrap();
    out(&promo(&arguments, ""));
    assert_eq!(fs::read(names[0]).unwrap(), before);
}

#[test]
fn an_import_with_bad_lines_tells_each_and_writes_nothing() {
    let codes = file("bad.csv", "GOOD1\nX\ngood-1\nGOOD2\nA;B\n");
    let out_folder = folder("bad").join("none");
    let arguments =
        ["codes", "import", &codes, "--campaign", "partner", "--out", out_folder.to_str().unwrap()];
    let output = promo(&arguments, "");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let said = err(&output);
    for part in ["bad.csv:2: \"X\"", "bad.csv:3: GOOD1 stands on line 1 too", "bad.csv:5: "] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!out_folder.exists());
}

#[test]
fn a_simulation_knows_signed_codes_where_the_keys_are() {
    let campaign = summer();
    let cart =
        json!({"currency": "USD", "lines": [{"id": "1", "quantity": 1, "unit_price": 1000}]});
    let cart = file("cart.json", &cart.to_string());
    let simulate = |keys: &str| {
        let code = "smr 178f a7ae rz49 pdmh";
        let arguments = ["simulate", "--campaign", &campaign, "--cart", &cart, "--code", code];
        serde_json::from_str::<Value>(&out(&promo(&arguments, keys))).unwrap()["discount"].clone()
    };
    assert_eq!(
        (simulate("1:first-secret"), simulate("1:other"), simulate("")),
        (json!(100), json!(0), json!(0))
    );
}
