//! `cargo xtask dev`: set-up, build, and the service on the real runtime at 127.0.0.1.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::{
    build::{self, Profile},
    paths,
    runtime::Launch,
};

/// Runs until killed.
///
/// # Errors
/// Bad arguments, or those of the step that failed.
pub fn dev(parser: &mut Parser) -> Result<()> {
    let (launch, profile) = parse(parser)?;
    build::with_setup(profile)?;
    become_(launch.command()?)
}

fn parse(parser: &mut Parser) -> Result<(Launch, Profile)> {
    let mut profile = Profile::default();
    let mut launch = Launch {
        port: 8787,
        state: paths::root().join(".state"),
        samples: true,
        dev_vars: true,
        tied_to_stdin: false,
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => launch.port = parser.value()?.parse()?,
            Arg::Long("state") => launch.state = absolute(parser.value()?)?,
            Arg::Long("empty") => launch.samples = false,
            Arg::Long("quick") => profile = Profile::Quick,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok((launch, profile))
}

fn absolute(dir: OsString) -> Result<PathBuf> {
    let dir = PathBuf::from(dir);
    if dir.as_os_str().is_empty() {
        bail!("--state needs a directory");
    }
    // Relative to where the user stands, though everything runs from the repository's root.
    Ok(env::current_dir().context("no current directory")?.join(dir))
}

/// Becomes the runtime, so that whoever kills us kills it: there is no parent left to outlive.
#[cfg(unix)]
fn become_(mut command: Command) -> Result<()> {
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Err(error).context("cannot start the local runtime")
}

/// Where a process cannot become another one, the runtime is a child that ends with our pipe.
#[cfg(not(unix))]
fn become_(mut command: Command) -> Result<()> {
    let mut child = command
        .arg("--tied-to-stdin")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .context("cannot start the local runtime")?;
    let status = child.wait()?;
    if !status.success() {
        bail!("the local runtime ended: {status}");
    }
    Ok(())
}
