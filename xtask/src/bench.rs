//! `cargo xtask bench`: what a checkout costs, counted in Wasm instructions by `promo-bench`; and what one
//! object of the ledger bears beside a floor (`bench/load`).

use std::{env, ffi::OsString, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    build, host, node, paths,
    report::{run, say},
    stamp::lock,
    wasm::{self, TARGET},
};

/// Prints the costs; arguments go to `promo-bench` as they are, but `--load`, which is the other one.
///
/// # Errors
/// Those of the step that failed.
pub fn bench(args: &[OsString]) -> Result<()> {
    if args.iter().any(|arg| arg == "--load") {
        build::with_setup(build::Profile::Release)?;
        return run(&mut node::command(paths::root().join("bench/load/run.mjs"))?);
    }
    run(host::cargo().args(["run", "--quiet", "--package=promo-bench", "--"]).args(args))
}

/// Has Cargo build the rules alone (`bench/engine-wasm`) as it builds the Worker, and returns where they are.
///
/// # Errors
/// Those of the step that failed.
pub fn engine() -> Result<PathBuf> {
    let _lock = lock()?;
    let mut cargo = wasm::ensure()?.cargo();
    cargo.args(["build", "--release", "--package=promo-engine-wasm", "--target", TARGET]);
    if env::var_os("CI").is_some() {
        cargo.arg("--quiet");
    }
    say(format_args!("==> the rules alone ({TARGET})"));
    run(&mut cargo).context("step failed: the rules alone")?;
    Ok(paths::wasm_target().join(TARGET).join("release/promo_engine_wasm.wasm"))
}
