//! `promo numbers push`: a file of numbers into an instrument type's pool, a million in one command.
//!
//! The file is checked whole before anything is sent. It goes up in parts that the service adds whole
//! or not at all, and the service remembers under the file's digest how many lines are done. So a push
//! that was interrupted, by whatever and at whatever instant, goes on there when the same command is
//! given again, from any machine, and no number is ever added twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use promo_core::{
    ident::TypeCode,
    issuance::{
        Symbology,
        number::{Format, Lines},
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    service::{Answer, Service},
    shell,
};

/// The most lines of a part.
const MOST_LINES: usize = 10_000;
/// The most bytes of a part: the service reads 256 KiB.
const MOST_BYTES: usize = 200 * 1024;
/// What is waited between attempts at one part, in milliseconds.
const WAITS: [u64; 6] = [200, 500, 1000, 2000, 5000, 10_000];
/// Lines with faults that are printed.
const MOST_SHOWN: usize = 1000;

/// Upload a file of numbers, one a line, without a header
///
/// Every bad line of the file is told before anything is sent. Numbers that the service has already are
/// told with their lines and left out. Interrupted, the same command goes on where it stood.
///
/// Exits with 0 when every number was added, 1 when a line was refused, 2 when it could not go on.
#[derive(clap::Args)]
pub struct Arguments {
    /// The numbers: CSV, or NDJSON if the name ends in .ndjson or .jsonl; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The instrument type's code, as in 1234
    #[arg(long = "type", value_name = "CODE", value_parser = TypeCode::parse)]
    code: TypeCode,
    /// The service's address
    #[arg(long, env = "PROMO_URL", default_value = "http://127.0.0.1:8787")]
    url: String,
    /// The operators' token
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    token: String,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match push(arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(shell::FAULTY),
        Err(why) => shell::fail(&why),
    }
}

/// Uploads; how many lines were refused.
fn push(arguments: &Arguments) -> Result<usize, String> {
    let bytes = shell::read(&arguments.file)?;
    let ending = arguments.file.extension().and_then(|ending| ending.to_str());
    let (format, media) = match ending {
        Some("ndjson" | "jsonl") => (Format::Ndjson, "application/x-ndjson"),
        _ => (Format::Csv, "text/csv"),
    };
    let upload = Upload {
        service: Service::new(&arguments.url, arguments.token.clone()),
        name: arguments.file.display().to_string(),
        path: format!("/admin/instruments/{}/numbers", arguments.code),
        digest: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        media,
    };
    let symbology = upload.symbology(&arguments.code)?;
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let faulty = upload.check(&lines, format, symbology);
    if faulty > 0 {
        shell::complain(&format!("{}: nothing was uploaded", upload.name));
        return Ok(faulty);
    }
    upload.send(&lines)
}

struct Upload {
    service: Service,
    /// The file, as its lines are told.
    name: String,
    path: String,
    digest: String,
    media: &'static str,
}

impl Upload {
    fn symbology(&self, code: &TypeCode) -> Result<Symbology, String> {
        let answer = self.service.get(&format!("/admin/instruments/{code}"))?;
        match answer.status {
            200 => {
                let symbology = answer.body.get("symbology").cloned().unwrap_or_default();
                serde_json::from_value(symbology).map_err(|error| error.to_string())
            }
            404 => Err(format!("there is no instrument type {code} at {}", self.path)),
            _ => Err(answer.says()),
        }
    }

    /// Tells every bad line; how many there are.
    fn check(&self, lines: &[&[u8]], format: Format, symbology: Symbology) -> usize {
        let mut reader = Lines::new(symbology);
        let mut faults = 0_usize;
        for (no, line) in (1_u64..).zip(lines) {
            if let Err(why) = reader.line(no, line, format) {
                faults = faults.saturating_add(1);
                if faults <= MOST_SHOWN {
                    shell::complain(&format!("{}:{no}: {why}", self.name));
                }
            }
        }
        if faults > MOST_SHOWN {
            shell::complain(&format!("{}: {faults} bad lines in all", self.name));
        }
        faults
    }

    /// Sends what is not done yet; how many lines were refused.
    fn send(&self, lines: &[&[u8]]) -> Result<usize, String> {
        let mut progress = Progress::of(lines.len());
        let mut refused = 0_usize;
        let mut done = self.part(0, 0, b"")?.lines_done()?;
        if done > 0 {
            shell::complain(&format!("{}: {done} lines were done before", self.name));
        }
        while done < lines.len() {
            let part = next_part(lines.get(done..).unwrap_or_default());
            let mut left_out: BTreeSet<usize> = BTreeSet::new();
            done = loop {
                let body: Vec<&[u8]> = part
                    .iter()
                    .enumerate()
                    .map(|(index, line)| if left_out.contains(&index) { &b""[..] } else { *line })
                    .collect();
                let answer = self.part(done, part.len(), &body.join(&b'\n'))?;
                match answer.status {
                    200 | 409 => break answer.lines_done()?,
                    422 => {
                        let faults = answer.faults();
                        if faults.is_empty() || faults.keys().all(|line| left_out.contains(line)) {
                            return Err(answer.says());
                        }
                        progress.clear();
                        for (index, why) in &faults {
                            let line = done.saturating_add(*index).saturating_add(1);
                            refused = refused.saturating_add(1);
                            shell::complain(&format!("{}:{line}: {why}", self.name));
                        }
                        left_out.extend(faults.into_keys());
                    }
                    _ => return Err(self.interrupted(&answer.says(), done)),
                }
            };
            progress.show(done);
        }
        progress.clear();
        shell::complain(&format!(
            "{}: all {done} lines are done, {refused} refused now",
            self.name
        ));
        Ok(refused)
    }

    /// Sends a part, again and again while there is no answer or one that is not the request's fault.
    fn part(&self, line: usize, lines: usize, body: &[u8]) -> Result<Answer, String> {
        let Self { path, digest, media, .. } = self;
        let path = format!("{path}?upload={digest}&line={line}&lines={lines}");
        let mut why = String::new();
        for wait in WAITS.map(Some).into_iter().chain([None]) {
            match self.service.post(&path, media, body) {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return Ok(answer),
                Ok(answer) => why = answer.says(),
                Err(error) => why = error,
            }
            if let Some(wait) = wait {
                thread::sleep(Duration::from_millis(wait));
            }
        }
        Err(self.interrupted(&why, line))
    }

    fn interrupted(&self, why: &str, done: usize) -> String {
        format!("{why}; {done} lines are done: give the same command again to go on")
    }
}

/// The first lines that fit one part.
fn next_part<'a, 'b>(lines: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    let mut bytes = 0_usize;
    let fits = |line: &&&[u8]| {
        bytes = bytes.saturating_add(line.len()).saturating_add(1);
        bytes <= MOST_BYTES
    };
    let count = lines.iter().take(MOST_LINES).take_while(fits).count().max(1);
    lines.get(..count).unwrap_or(lines)
}

impl Answer {
    fn lines_done(&self) -> Result<usize, String> {
        let lines = self.body.get("lines_done").and_then(Value::as_u64);
        lines.and_then(|lines| usize::try_from(lines).ok()).ok_or_else(|| self.says())
    }

    /// What is wrong with which lines of the part, counted from 0.
    fn faults(&self) -> BTreeMap<usize, String> {
        let errors = self.body.get("errors").and_then(Value::as_array);
        let fault = |error: &Value| {
            let line: usize = error.get("pointer")?.as_str()?.strip_prefix('/')?.parse().ok()?;
            let why = error.get("detail")?.as_str()?;
            // The service counts the lines of the part, which are not those of the file.
            let why = why.split_once(": ").map_or(why, |(_, why)| why);
            Some((line.checked_sub(1)?, why.to_owned()))
        };
        errors.into_iter().flatten().filter_map(fault).collect()
    }
}

/// How far it is, on a terminal in one line that changes, else a line every tenth.
struct Progress {
    all: usize,
    shown: usize,
    terminal: bool,
}

impl Progress {
    fn of(all: usize) -> Self {
        Self { all, shown: 0, terminal: io::stderr().is_terminal() }
    }

    fn show(&mut self, done: usize) {
        let percent = done.saturating_mul(100).checked_div(self.all).unwrap_or(100);
        if self.terminal {
            // If nobody listens, nobody misses it.
            let _ =
                write!(io::stderr().lock(), "\r{done} of {} lines, {percent} %\x1b[K", self.all);
        } else if percent >= self.shown.saturating_add(10) || done == self.all {
            self.shown = percent;
            shell::complain(&format!("{done} of {} lines, {percent} %", self.all));
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
