//! What every command shares with its shell: files, the clock, exit codes, and output that may end
//! early.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use promo_core::time::Instant;

/// Something is wrong with what was given to look at.
pub const FAULTY: u8 = 1;
/// The command could not do what it was asked.
pub const FAILED: u8 = 2;

/// Reads a file; `-` is the standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| format!("{}: {error}", path.display()))
}

/// What time it is.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the outermost edge, where the time comes in"
)]
pub fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Writes to the standard output. A reader that has had enough (`promo lint … | head`) is no failure.
pub fn print(text: &[u8]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Writes to the standard error, if anybody listens.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says why the command could not do what it was asked.
pub fn fail(why: &str) -> ExitCode {
    complain(&format!("promo: {why}"));
    ExitCode::from(FAILED)
}
