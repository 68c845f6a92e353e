//! Node and the npm packages: the local runtime, the bundler, and wrangler.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    host, paths,
    report::{output, step},
    stamp::Stamp,
};

/// What wrangler and Miniflare ask for.
const OLDEST_NODE: u32 = 22;

/// Installs the packages of `package-lock.json`, unless they are there already.
///
/// # Errors
/// When npm is missing or fails.
pub fn ensure() -> Result<()> {
    let root = paths::root();
    let inputs = [root.join("package.json"), root.join("package-lock.json")];
    let stamp =
        Stamp::of_files(root.join("node_modules/.stamp"), inputs.iter().map(PathBuf::as_path));
    if stamp.is_fresh() {
        return Ok(());
    }
    if host::find("npm").is_none() {
        bail!("npm is needed for the local runtime: install Node.js (any version with npm)");
    }
    step("npm packages", || {
        // `npm ci` would be stricter, but refuses a lock file that lacks another system's package, which a
        // registry mirror may not carry; this too installs what is locked and checks it. No package needs
        // its install script, so none is run. npm itself may run on an older Node than wrangler asks for:
        // Node is one of the packages (see `program`).
        output(
            Command::new("npm")
                .args(["install", "--no-save", "--ignore-scripts"])
                .args(["--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&root),
        )?;
        stamp.write()
    })
}

/// Node, at least [`OLDEST_NODE`]: the one among our packages, or else the system's.
///
/// # Errors
/// When neither is there.
pub fn program() -> Result<PathBuf> {
    let ours = paths::root().join("node_modules/.bin/node");
    if ours.is_file() {
        return Ok(ours);
    }
    let system = host::find("node").context("Node.js is not installed")?;
    let version = output(Command::new(&system).arg("--version"))?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("Node.js {version} is too old for wrangler: install {OLDEST_NODE} or later");
    }
    Ok(system)
}

/// A Node script, run from the repository's root, with every telemetry off.
///
/// # Errors
/// When there is no Node to run it.
pub fn command(script: PathBuf) -> Result<Command> {
    let mut command = Command::new(program()?);
    command
        .arg(script)
        .current_dir(paths::root())
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        // Halves the start of a script that imports Miniflare.
        .env("NODE_COMPILE_CACHE", paths::root().join("node_modules/.cache/compiled"));
    Ok(command)
}
