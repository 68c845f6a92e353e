//! The deployable in `build/`: release Wasm of the Worker, its JavaScript shim, and the bindings of
//! `wrangler.toml` as the local runtime wants them.
//!
//! `worker-build` would do the same, but compiles for four minutes and downloads its tools; what it does
//! for this Worker is one call of a library (`xtask-bindgen`), one small shim and one call of `esbuild`
//! (`xtask/node/bundle.mjs`).

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    host, node, paths,
    report::{run, say, step},
    setup,
    stamp::{Stamp, lock},
    wasm::{TARGET, Toolchain},
};

/// How much the compiler is to think about it: Cargo's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What is deployed.
    #[default]
    Release,
    /// The same Worker, compiled in seconds and slower: for trying things out.
    Quick,
}

impl Profile {
    /// Cargo's name for it, and of its directory.
    const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Quick => "quick",
        }
    }
}

/// Set-up, then build; one process at a time.
///
/// # Errors
/// Those of the step that failed.
pub fn with_setup(profile: Profile) -> Result<()> {
    let _lock = lock()?;
    let toolchain = setup::ensure()?;
    build(toolchain, profile)
}

/// Brings `build/` up to date. Cargo decides whether to compile; the rest is skipped when nothing that
/// goes into it has changed. Call it under [`lock`].
///
/// # Errors
/// Those of the step that failed.
pub fn build(toolchain: Toolchain, profile: Profile) -> Result<()> {
    let wasm = compile(toolchain, profile)?;
    let root = paths::root();
    let mut inputs = vec![
        wasm.clone(),
        root.join("package-lock.json"),
        root.join("wrangler.toml"),
        root.join("xtask/bindgen/src/main.rs"),
    ];
    inputs.extend(["bundle.mjs", "shim.mjs"].map(paths::node_script));
    let stamp = Stamp::of_files(paths::build().join(".stamp"), inputs.iter().map(PathBuf::as_path));
    if stamp.is_fresh() {
        return Ok(());
    }
    let bound = paths::wasm_target().join("bound");
    step("bindings for JavaScript (wasm-bindgen)", || {
        if bound.exists() {
            fs::remove_dir_all(&bound)?;
        }
        run(host::cargo()
            .args(["run", "--quiet", "--package", "xtask-bindgen", "--"])
            .arg(&wasm)
            .arg(&bound))
    })?;
    step("bundle (esbuild)", || {
        run(node::command(paths::node_script("bundle.mjs"))?.arg(&bound).arg(paths::build()))
    })?;
    stamp.write()
}

/// Has Cargo build the Worker, and returns where it put it.
fn compile(toolchain: Toolchain, profile: Profile) -> Result<PathBuf> {
    let args = ["build", "--package", "promo-edge", "--lib", "--target", TARGET];
    let mut cargo = toolchain.cargo();
    cargo.args(args).args(["--profile", profile.name()]);
    // Cargo's own lines tell a long build from a hanging one, and a fresh one says next to nothing.
    if env::var_os("CI").is_some() {
        cargo.arg("--quiet");
    }
    say(format_args!("==> Worker ({toolchain:?} toolchain, {TARGET})"));
    run(&mut cargo).context("step failed: Worker")?;
    Ok(paths::wasm_target().join(TARGET).join(profile.name()).join("promo_edge.wasm"))
}
