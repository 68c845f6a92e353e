//! `promo lint`: every fault of some documents, one a line, for people and for CI.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::ExitCode};

use promo_core::{
    campaign::{Campaign, Codes},
    fault::Fault,
    loyalty::programme::Programme,
    time::Instant,
};

use crate::shell;

/// Check campaigns and loyalty programmes: every fault and warning, with its place in the file
///
/// Each is one line, `file:pointer: error: …` or `file:pointer: warning: …`, the pointer being a JSON
/// Pointer. Campaigns given together must not share an id or a code. A document without "offers" that
/// has "earn", "rewards", "tiers" or "points" is a programme.
///
/// Exits with 0 when all is well, 1 when there is a fault, and 2 when a file cannot be read.
#[derive(clap::Args)]
pub struct Arguments {
    /// Campaigns or programmes; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Exit with 1 for warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Judge as of this time, as in 2026-07-04T17:30:00-05:00, instead of now
    #[arg(long, value_name = "TIME", value_parser = Instant::parse)]
    at: Option<Instant>,
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    lines: String,
    faults: usize,
    warnings: usize,
}

impl Findings {
    fn fault(&mut self, file: &str, fault: &Fault) {
        self.faults = self.faults.saturating_add(1);
        self.line(file, "error", fault);
    }

    fn warning(&mut self, file: &str, fault: &Fault) {
        self.warnings = self.warnings.saturating_add(1);
        self.line(file, "warning", fault);
    }

    fn line(&mut self, file: &str, kind: &str, Fault { pointer, detail }: &Fault) {
        // A line is a line, whatever keys and texts the document has.
        let (pointer, detail) = (one_line(pointer), one_line(detail));
        let _ = writeln!(self.lines, "{file}:{pointer}: {kind}: {detail}");
    }
}

/// Where ids and codes were seen first.
#[derive(Default)]
struct Seen {
    ids: BTreeMap<String, String>,
    codes: BTreeMap<String, String>,
    prefixes: BTreeMap<String, String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let at = arguments.at.unwrap_or_else(shell::now);
    let (mut findings, mut seen) = (Findings::default(), Seen::default());
    let mut unreadable = false;
    for path in &arguments.files {
        match shell::read(path) {
            Ok(json) => look_at(&path.display().to_string(), &json, at, &mut seen, &mut findings),
            Err(why) => {
                unreadable = true;
                shell::complain(&format!("promo: {why}"));
            }
        }
    }
    if let Err(why) = shell::print(findings.lines.as_bytes()) {
        return shell::fail(&why);
    }
    let Findings { faults, warnings, .. } = findings;
    if faults > 0 || warnings > 0 {
        let files = arguments.files.len();
        shell::complain(&format!("{faults} errors and {warnings} warnings in {files} files"));
    }
    if unreadable {
        ExitCode::from(shell::FAILED)
    } else if faults > 0 || (warnings > 0 && arguments.deny_warnings) {
        ExitCode::from(shell::FAULTY)
    } else {
        ExitCode::SUCCESS
    }
}

fn look_at(file: &str, json: &[u8], at: Instant, seen: &mut Seen, findings: &mut Findings) {
    if is_programme(json) {
        match Programme::from_json(json) {
            Ok(programme) => {
                for warning in programme.warnings(at) {
                    findings.warning(file, &warning);
                }
            }
            Err(faults) => faults.as_slice().iter().for_each(|fault| findings.fault(file, fault)),
        }
        return;
    }
    let campaign = match Campaign::from_json(json) {
        Ok(campaign) => campaign,
        Err(faults) => {
            for fault in faults.as_slice() {
                findings.fault(file, fault);
            }
            return;
        }
    };
    for warning in campaign.warnings(at) {
        findings.warning(file, &warning);
    }
    let mut twice = |seen: &mut BTreeMap<String, String>, what: String, pointer: String| {
        if let Some(first) = seen.insert(what, file.to_owned()) {
            let detail = format!("{first} has the same");
            findings.fault(file, &Fault { pointer, detail });
        }
    };
    twice(&mut seen.ids, campaign.id().to_string(), "/id".to_owned());
    match campaign.codes() {
        Codes::Fixed(codes) => {
            for (index, code) in codes.iter().enumerate() {
                twice(&mut seen.codes, code.to_string(), format!("/codes/fixed/{index}"));
            }
        }
        // Prefixes that are read alike are one.
        Codes::Signed { prefix, .. } => {
            let pointer = "/codes/signed/prefix".to_owned();
            twice(&mut seen.prefixes, prefix.folded(), pointer);
        }
        Codes::Listed | Codes::None => {}
    }
}

/// Whether a document has what a programme has and a campaign has not.
fn is_programme(json: &[u8]) -> bool {
    let document = serde_json::from_slice::<serde_json::Value>(json).unwrap_or_default();
    let has = |key: &str| document.get(key).is_some();
    !has("offers") && ["earn", "rewards", "tiers", "points"].into_iter().any(has)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
