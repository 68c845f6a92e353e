//! The pages for marketers tell the truth: every `promo` command they show is run, as in a terminal, and
//! must print what they show below it.
//!
//! A block marked `sh promo` is run by `sh` from the repository's root. The next block is what comes: `text`
//! as a terminal shows it, or `json`, compared as JSON.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should fail")]

use std::{
    collections::BTreeSet,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::Value;

/// From when and until when the examples must be free of warnings.
const SPAN: [&str; 2] = ["2026-11-21T12:00:00Z", "2030-12-31T23:00:00Z"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == extension)).collect();
    files.sort();
    files
}

/// A command and what it is shown to print.
struct Shown {
    command: String,
    kind: String,
    output: String,
}

fn shown_in(page: &Path) -> Vec<Shown> {
    let text = fs::read_to_string(page).unwrap();
    let mut shown = Vec::new();
    let mut command: Option<String> = None;
    // Outside, inside, outside, …: every other piece is a block.
    for block in text.split("\n```").skip(1).step_by(2) {
        let (mark, body) = block.split_once('\n').unwrap_or((block, ""));
        match (mark, command.take()) {
            ("sh promo", None) => command = Some(body.to_owned()),
            ("text" | "json", Some(command)) => {
                shown.push(Shown { command, kind: mark.to_owned(), output: body.to_owned() });
            }
            (_, None) => {}
            (_, Some(command)) => panic!("{}: nothing is shown for\n{command}", page.display()),
        }
    }
    assert!(command.is_none(), "{}: nothing is shown for the last command", page.display());
    shown
}

/// What a command prints to a terminal, both streams as they come.
fn typed(command: &str) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_promo")).parent().unwrap();
    let before = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.to_owned()].into_iter().chain(env::split_paths(&before)));
    let mut child = Command::new("sh")
        .args(["-uc", command])
        .current_dir(root())
        .env("PATH", path.unwrap())
        .stdin(Stdio::null())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal)
        .spawn()
        .unwrap();
    let mut printed = Vec::new();
    // Once nobody holds the terminal any more, Linux calls the end of it an error.
    if let Err(error) = fs::File::from(controller).read_to_end(&mut printed) {
        assert_eq!(error.raw_os_error(), Some(Errno::IO.raw_os_error()), "{error}");
    }
    child.wait().unwrap();
    String::from_utf8(printed).unwrap().replace("\r\n", "\n").trim_end().to_owned()
}

#[test]
fn every_command_shown_prints_what_is_shown() {
    let mut pages = files("examples", "md");
    pages.extend(files("docs", "md"));
    let mut count = 0_usize;
    for page in &pages {
        for Shown { command, kind, output } in shown_in(page) {
            let printed = typed(&command);
            if kind == "json" {
                let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                assert_eq!(json(&printed), json(&output), "{}:\n{command}", page.display());
            } else {
                assert_eq!(printed, output, "{}: printed (left) by\n{command}", page.display());
            }
            count = count.saturating_add(1);
        }
    }
    assert!(count >= 20, "only {count} commands found");
}

#[test]
fn every_example_has_a_page_that_tries_it_and_every_cart_is_tried() {
    let mut tried = String::new();
    for example in files("examples", "json") {
        let page = example.with_extension("md");
        let file = format!("examples/{}", example.file_name().unwrap().display());
        let shown = shown_in(&page);
        assert!(shown.iter().any(|shown| shown.command.contains(&file)), "{}", page.display());
        tried.extend(shown.into_iter().map(|shown| shown.command));
    }
    for cart in files("examples/carts", "json") {
        let name = cart.file_name().unwrap().to_str().unwrap();
        assert!(tried.contains(&format!("examples/carts/{name}")), "no page tries {name}");
    }
}

#[test]
fn the_examples_are_sound_together_and_for_years_to_come() {
    let examples = files("examples", "json");
    assert!(examples.len() >= 11, "only {} examples", examples.len());
    for at in SPAN {
        let output = Command::new(env!("CARGO_BIN_EXE_promo"))
            .args(["lint", "--deny-warnings", "--at", at])
            .args(&examples)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "at {at}:\n{said}");
    }
}

#[test]
fn every_example_can_be_tried_at_once() {
    for example in files("examples", "json") {
        let campaign: Value = serde_json::from_slice(&fs::read(&example).unwrap()).unwrap();
        assert_ne!(campaign["active"], false, "{}", example.display());
        assert!(campaign["codes"]["fixed"][0].is_string(), "{}", example.display());
        if let Some(start) = campaign["starts_at"].as_str() {
            assert!(start < SPAN[0], "{} has not started", example.display());
        }
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut pages = files("examples", "md");
    pages.extend(files("docs", "md"));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let links: BTreeSet<&str> =
            text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        for link in links.into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let heading = |line: &str| {
                    line.starts_with('#')
                        && line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-")
                            == anchor
                };
                let there = fs::read_to_string(&target).unwrap().lines().any(heading);
                assert!(there, "{}: {link}", page.display());
            }
        }
    }
}
