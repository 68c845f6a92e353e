//! `promo codes import`: codes that another system made, for a campaign of listed ones.
//!
//! The file is checked whole before anything is written or sent. Files for `wrangler kv bulk put` are the
//! same every time; what the service has already stays as it is. So an import can be repeated, and one
//! that was interrupted is finished by giving the same command again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use promo_core::{
    campaign::too_long,
    code::{CanonicalCode, list::Lines},
    ident::{CampaignId, most_room_for_code},
    issuance::number::Format,
};
use serde_json::{Value, json};

use super::progress;
use crate::{
    service::{Answer, Service},
    shell,
};

/// The most pairs of a file for `wrangler kv bulk put`.
const MOST_PAIRS: usize = 10_000;
/// The most codes the service takes at once.
const MOST_SENT: usize = 900;
/// Lines with faults that are printed.
const MOST_SHOWN: usize = 1000;
/// What is waited between attempts at one part, in milliseconds.
const WAITS: [u64; 5] = [200, 500, 1000, 2000, 5000];

/// Bring in codes that another system made, one a line, for a campaign of listed codes
///
/// Every bad line, and every code that stands there twice in whatever spelling, is told with its line
/// before anything happens. Without --url, files for `wrangler kv bulk put` are written, at most 10,000
/// codes each, and their names printed. With --url the codes are checked against those the service has,
/// and uploaded; with --out as well they are checked and written to files.
///
/// Exits with 0 when all is done, 1 when a line is refused (then nothing was written or uploaded), 2 when
/// it could not go on.
#[derive(clap::Args)]
pub struct Arguments {
    /// The codes: CSV, or NDJSON if the name ends in .ndjson or .jsonl; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The campaign's id
    #[arg(long, value_name = "ID", value_parser = CampaignId::parse)]
    campaign: CampaignId,
    /// Where to write the files; this directory, if not given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The service's address
    #[arg(long)]
    url: Option<String>,
    /// The operators' token
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match import(arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(shell::FAULTY),
        Err(why) => shell::fail(&why),
    }
}

/// How many lines were refused.
fn import(arguments: &Arguments) -> Result<usize, String> {
    let name = arguments.file.display().to_string();
    let (codes, faults) = read(arguments)?;
    tell(&name, &faults);
    if !faults.is_empty() {
        shell::complain(&format!("{name}: nothing was brought in"));
        return Ok(faults.len());
    }
    if codes.is_empty() {
        return Err(format!("{name}: there is no code in it"));
    }
    if let Some(url) = &arguments.url {
        let token = arguments.token.clone().ok_or("ADMIN_TOKEN is not set")?;
        let upload = Upload { service: Service::new(url, token), campaign: &arguments.campaign };
        let checked = upload.send(&codes, true)?;
        tell(&name, &checked.faults);
        if !checked.faults.is_empty() {
            shell::complain(&format!("{name}: nothing was brought in"));
            return Ok(checked.faults.len());
        }
        if arguments.out.is_none() {
            let sent = upload.send(&codes, false)?;
            tell(&name, &sent.faults);
            let Sent { added, known, faults } = sent;
            shell::complain(&format!("{name}: {added} codes added, {known} were there before"));
            return Ok(faults.len());
        }
    }
    let out = arguments.out.as_deref().unwrap_or(Path::new("."));
    write_files(arguments, out, &codes).map(|()| 0)
}

type Line = (u64, CanonicalCode);
type Faults = Vec<(u64, String)>;

fn read(arguments: &Arguments) -> Result<(Vec<Line>, Faults), String> {
    let bytes = shell::read(&arguments.file)?;
    let format = match arguments.file.extension().and_then(|ending| ending.to_str()) {
        Some("ndjson" | "jsonl") => Format::Ndjson,
        _ => Format::Csv,
    };
    let (mut lines, mut codes, mut faults) = (Lines::default(), Vec::new(), Vec::new());
    for (no, line) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
        // What the campaign's offers leave room for, only the service knows.
        let too_long = |code: &CanonicalCode| {
            too_long(code, most_room_for_code(&arguments.campaign))
                .map(|why| format!("{code} {why}"))
        };
        match lines.line(no, line, format) {
            Ok(Some(code)) => match too_long(&code) {
                Some(why) => faults.push((no, why)),
                None => codes.push((no, code)),
            },
            Ok(None) => {}
            Err(why) => faults.push((no, why)),
        }
    }
    Ok((codes, faults))
}

fn tell(name: &str, faults: &Faults) {
    for (line, why) in faults.iter().take(MOST_SHOWN) {
        shell::complain(&format!("{name}:{line}: {why}"));
    }
    if faults.len() > MOST_SHOWN {
        shell::complain(&format!("{name}: {} bad lines in all", faults.len()));
    }
}

/// Writes the files and prints their names.
fn write_files(arguments: &Arguments, out: &Path, codes: &[Line]) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    let value = json!({"campaign": arguments.campaign}).to_string();
    let bar = progress(codes.len(), "written");
    let mut names = String::new();
    for (number, part) in (1_usize..).zip(codes.chunks(MOST_PAIRS)) {
        let path = out.join(format!("{}-{number:04}.json", arguments.campaign));
        let pair = |(_, code): &Line| json!({"key": format!("code:{code}"), "value": value});
        let pairs: Vec<Value> = part.iter().map(pair).collect();
        let json = Value::Array(pairs).to_string();
        fs::write(&path, json).map_err(|error| failed(&path, error))?;
        names.push_str(&format!("{}\n", path.display()));
        bar.inc(u64::try_from(part.len()).unwrap_or_default());
    }
    bar.finish_and_clear();
    shell::print(names.as_bytes())
}

struct Upload<'a> {
    service: Service,
    campaign: &'a CampaignId,
}

#[derive(Default)]
struct Sent {
    added: u64,
    known: u64,
    faults: Faults,
}

impl Upload<'_> {
    /// Sends all codes, or only has them looked at.
    fn send(&self, codes: &[Line], dry_run: bool) -> Result<Sent, String> {
        let mut sent = Sent::default();
        let bar = progress(codes.len(), if dry_run { "checked" } else { "uploaded" });
        for part in codes.chunks(MOST_SENT) {
            let body: String = part.iter().map(|(_, code)| format!("{code}\n")).collect();
            let answer = self.part(&body, dry_run)?;
            let count = |key: &str| answer.body.get(key).and_then(Value::as_u64).unwrap_or(0);
            match answer.status {
                200 => {
                    sent.added = sent.added.saturating_add(count("added"));
                    sent.known = sent.known.saturating_add(count("known"));
                }
                409 | 422 => {
                    let faults = faults(&answer, part);
                    if faults.is_empty() {
                        bar.finish_and_clear();
                        return Err(answer.says());
                    }
                    sent.faults.extend(faults);
                }
                _ => {
                    bar.finish_and_clear();
                    return Err(answer.says());
                }
            }
            bar.inc(u64::try_from(part.len()).unwrap_or_default());
        }
        bar.finish_and_clear();
        Ok(sent)
    }

    /// One part, again while there is no answer or one that is not the request's fault.
    fn part(&self, body: &str, dry_run: bool) -> Result<Answer, String> {
        let path = format!("/admin/campaigns/{}/codes?dry_run={dry_run}", self.campaign);
        let mut why = String::new();
        for wait in WAITS.map(Some).into_iter().chain([None]) {
            match self.service.post(&path, "text/csv", body.as_bytes()) {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return Ok(answer),
                Ok(answer) => why = answer.says(),
                Err(error) => why = error,
            }
            if let Some(wait) = wait {
                thread::sleep(Duration::from_millis(wait));
            }
        }
        Err(format!("{why}; give the same command again to go on"))
    }
}

/// What the service says of a part's lines, as lines of the file.
fn faults(answer: &Answer, part: &[Line]) -> Faults {
    let errors = answer.body.get("errors").and_then(Value::as_array);
    let fault = |error: &Value| {
        let line: usize = error.get("pointer")?.as_str()?.strip_prefix('/')?.parse().ok()?;
        let (line, _) = part.get(line.checked_sub(1)?)?;
        let why = error.get("detail")?.as_str()?;
        // The service counts the lines of the part, which are not those of the file.
        Some((*line, why.split_once(": ").map_or(why, |(_, why)| why).to_owned()))
    };
    errors.into_iter().flatten().filter_map(fault).collect()
}
