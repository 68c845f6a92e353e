//! A compiler for `wasm32-unknown-unknown`. Two ways, found out in this order:
//!
//! 1. **Native**: the toolchain that builds native code has the target, or rustup can add it.
//! 2. **Debian**: where rustup can download nothing (air-gapped builders, locked-down CI), Debian's
//!    `rustc-web` serves. It comes without a standard library for this target, so that is built once from
//!    Debian's sources and put where Debian's rustc looks for it.
//!
//! Native code is always built by the first toolchain; only Wasm may come from the second, which is why
//! Wasm has a target directory of its own.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    host, paths,
    report::{output, run, say, step},
};

/// The target of a Worker.
pub const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Which toolchain builds Wasm on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one that builds native code too.
    Native,
    /// Debian's, in `/usr/bin`.
    Debian,
}

impl Toolchain {
    /// Its `cargo`, set up to build into [`paths::wasm_target`].
    pub fn cargo(self) -> Command {
        let mut command = match self {
            Self::Native => host::cargo(),
            Self::Debian => host::system(Path::new(DEBIAN_CARGO)),
        };
        command.current_dir(paths::root()).env("CARGO_TARGET_DIR", paths::wasm_target());
        command
    }
}

/// Finds a toolchain that can build Wasm, installing one if need be. Costs milliseconds if one is there.
///
/// # Errors
/// When none can be had; the error tells every way that was tried.
pub fn ensure() -> Result<Toolchain> {
    if has_std(Command::new("rustc")) {
        return Ok(Toolchain::Native);
    }
    if debian_is_ready() {
        return Ok(Toolchain::Debian);
    }
    let rustup = match rustup_add() {
        Ok(()) => return Ok(Toolchain::Native),
        Err(error) => error,
    };
    say(format_args!("    rustup cannot add the target here; falling back on Debian's compiler"));
    match debian_install() {
        Ok(()) => Ok(Toolchain::Debian),
        Err(debian) => bail!(
            "no compiler for {TARGET}\n  rustup: {rustup:#}\n  Debian: {debian:#}\n\
             Install the target by hand (`rustup target add {TARGET}`) and run this again."
        ),
    }
}

/// Whether this compiler has a standard library for the target.
fn has_std(rustc: Command) -> bool {
    libdir(rustc).is_ok_and(|dir| {
        fs::read_dir(dir).is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

fn libdir(mut rustc: Command) -> Result<PathBuf> {
    output(rustc.args(["--print", "target-libdir", "--target", TARGET])).map(PathBuf::from)
}

fn rustup_add() -> Result<()> {
    if host::find("rustup").is_none() {
        bail!("rustup is not installed");
    }
    step("Wasm target from rustup", || {
        // It would retry a download that cannot succeed for a minute.
        output(
            Command::new("rustup").args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1"),
        )?;
        if !has_std(Command::new("rustc")) {
            bail!("rustup added the target, but not to the `rustc` on the PATH");
        }
        Ok(())
    })
}

fn debian_rustc() -> Command {
    host::system(Path::new(DEBIAN_RUSTC))
}

/// Beside the standard library we built: the compiler it was built by, which alone can read it.
fn debian_mark() -> Result<PathBuf> {
    Ok(libdir(debian_rustc())?.join("built-for"))
}

fn debian_is_ready() -> bool {
    let current = || -> Result<bool> {
        let version = output(debian_rustc().arg("-Vv"))?;
        Ok(fs::read_to_string(debian_mark()?)? == version)
    };
    Path::new(DEBIAN_CARGO).is_file() && current().unwrap_or(false)
}

fn debian_install() -> Result<()> {
    if host::find("apt-get").is_none() {
        bail!("not a Debian system");
    }
    if !host::is_root() {
        bail!(
            "needs root once: sudo apt-get install {}, then `cargo xtask setup` as root",
            DEBIAN_PACKAGES.join(" ")
        );
    }
    if !debian_has_packages() {
        step("Debian's Wasm compiler: apt-get install", || {
            // The lists may be older than the archive: then what they name is not there.
            output(apt().arg("update"))?;
            output(
                apt().args(["install", "--yes", "--no-install-recommends"]).args(DEBIAN_PACKAGES),
            )
        })?;
    }
    step("Debian's Wasm compiler: standard library", debian_build_std)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn debian_has_packages() -> bool {
    Command::new("dpkg")
        .arg("--status")
        .args(DEBIAN_PACKAGES)
        .output()
        .is_ok_and(|done| done.status.success())
}

/// Has Cargo build an empty crate and the standard library with it, and installs the library.
fn debian_build_std() -> Result<()> {
    let work = paths::wasm_target().join("std");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(work.join("src"))?;
    fs::write(
        work.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2021\"\n[workspace]\n",
    )?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
    let target = work.join("target");
    run(host::system(Path::new(DEBIAN_CARGO))
        .args(["build", "--release", "--quiet", "--target", TARGET])
        .arg("-Zbuild-std=std,panic_abort,panic_unwind")
        .current_dir(&work)
        .env("CARGO_TARGET_DIR", &target)
        // `-Z` on a stable compiler; and link-time optimisation of the Worker needs the bitcode.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes"))?;

    let libs = libdir(debian_rustc())?;
    fs::create_dir_all(&libs)?;
    // Two builds of one library side by side are an ambiguity to rustc.
    for old in rlibs(&libs)? {
        fs::remove_file(old)?;
    }
    for lib in rlibs(&target.join(TARGET).join("release/deps"))? {
        let Some(name) = lib.file_name() else {
            continue;
        };
        if !name.to_string_lossy().starts_with("libempty-") {
            fs::copy(&lib, libs.join(name))
                .with_context(|| format!("cannot install {}", lib.display()))?;
        }
    }
    fs::write(debian_mark()?, output(debian_rustc().arg("-Vv"))?)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

fn rlibs(dir: &Path) -> Result<Vec<PathBuf>> {
    Ok(fs::read_dir(dir)
        .with_context(|| format!("cannot read {}", dir.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("rlib")))
        .collect())
}
