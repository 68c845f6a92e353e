//! `cargo xtask fuzz TARGET`: libFuzzer on a target of `fuzz/`, led by coverage, on the stable toolchain.
//!
//! It takes the compiler's own coverage pass and the crate libfuzzer-sys, and no cargo-fuzz: what that
//! adds are sanitizers, which need a nightly toolchain, and have nothing to find in code without `unsafe`.

use std::{ffi::OsString, fs};

use anyhow::{Context, Result};

use crate::{
    host, paths,
    report::{run, say},
};

/// Counts edges, and shows libFuzzer what is compared with what; panics on overflow.
const FLAGS: &str = "--cfg=fuzzing -Cdebug-assertions -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds a target and runs it until it is stopped or finds something; what it learns is kept in
/// `fuzz/libfuzzer/corpus`, what it finds in `fuzz/libfuzzer/artifacts`.
///
/// # Errors
/// Those of the step that failed, and when something is found.
pub fn fuzz(args: &[OsString]) -> Result<()> {
    let (target, options) =
        args.split_first().context("which target: campaign, cart or simulate?")?;
    let dir = paths::root().join("fuzz/libfuzzer");
    let [corpus, artifacts] = ["corpus", "artifacts"].map(|kept| dir.join(kept).join(target));
    for kept in [&corpus, &artifacts] {
        fs::create_dir_all(kept).with_context(|| format!("cannot make {}", kept.display()))?;
    }
    say(format_args!("==> libFuzzer; Ctrl-C stops it"));
    let mut cargo = host::cargo();
    // With a target named, build scripts are compiled without the flags.
    cargo.current_dir(&dir).env("RUSTFLAGS", FLAGS);
    cargo.args(["run", "--release", "--target=host-tuple", "--target-dir"]);
    cargo.arg(paths::target().join("fuzz")).arg("--bin").arg(target).arg("--").arg(corpus);
    let mut prefix = OsString::from("-artifact_prefix=");
    prefix.push(artifacts.join(""));
    run(cargo.arg(dir.join("../seeds")).arg(prefix).args(options))
}
