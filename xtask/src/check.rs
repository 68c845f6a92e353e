//! `cargo xtask test`: everything CI runs, in order; the first failure ends it.

use std::{fs, process::Command};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    host, paths,
    report::{run, shown, step},
};

/// Runs every check; `long` also runs the tests that take minutes (`PROMO_LONG=1`).
///
/// # Errors
/// Names the step that failed and the command that runs it alone.
pub fn all(long: bool) -> Result<()> {
    cargo("format", &["fmt", "--all", "--check"], false)?;
    cargo(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny=warnings"],
        false,
    )?;
    // Of the Worker's own crate, its table of routes; the rest is proven by the black-box tests.
    cargo("native tests", &["test", "--workspace", "--exclude=promo-tests"], long)?;
    step("build", || build::with_setup(Profile::Release))
        .context("to run the failed step alone: cargo xtask build")?;
    // What failed or shared services of earlier runs have left; it may not be there.
    let _ = fs::remove_dir_all(paths::test_state());
    cargo("black-box tests on workerd", &["test", "--package=promo-tests"], long)
}

fn cargo(name: &str, args: &[&str], long: bool) -> Result<()> {
    let mut command = host::cargo();
    command.args(args);
    if long {
        command.env("PROMO_LONG", "1");
    }
    let alone = format!(
        "{}{}",
        if long { "PROMO_LONG=1 " } else { "" },
        shown(Command::new("cargo").args(args))
    );
    step(name, || run(&mut command))
        .with_context(|| format!("to run the failed step alone: {alone}"))
}
