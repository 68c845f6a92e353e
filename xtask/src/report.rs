//! What the user sees: steps with their times, and commands that fail with the line to run by hand.

use std::{
    fmt::{Arguments, Display},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Prints a line for people on standard error: standard output belongs to the task's result.
pub fn say(line: Arguments<'_>) {
    eprintln!("{line}");
}

/// The seconds something took.
pub struct Clock(Instant);

impl Clock {
    /// Starts counting.
    #[expect(
        clippy::disallowed_methods,
        reason = "a build tool reports elapsed time; no rule reads it"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s", self.elapsed().as_secs_f64())
    }
}

/// Runs one announced step and says how long it took.
///
/// # Errors
/// Those of `work`, under the step's name.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(format_args!("==> {name}"));
    let clock = Clock::start();
    let done = work().with_context(|| format!("step failed: {name}"))?;
    say(format_args!("    {name}: {clock}"));
    Ok(done)
}

/// Runs a command with the terminal's own streams.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error shows how to run it by hand.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("{status} from: {}", shown(command));
    }
    Ok(())
}

/// Runs a command and returns how it ended.
///
/// # Errors
/// When it cannot be started.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("cannot start: {}", shown(command)))
}

/// Runs a command quietly and returns its standard output, trimmed.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the error has what it wrote to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("cannot start: {}", shown(command)))?;
    if !done.status.success() {
        let stderr = String::from_utf8_lossy(&done.stderr);
        bail!("{} from: {}\n{}", done.status, shown(command), stderr.trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// A command as one would type it (environment and directory left out).
pub fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        let arg = arg.to_string_lossy();
        line.push(' ');
        if arg.is_empty() || arg.contains(char::is_whitespace) {
            line.push_str(&format!("'{arg}'"));
        } else {
            line.push_str(&arg);
        }
    }
    line
}
