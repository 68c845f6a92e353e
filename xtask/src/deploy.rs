//! `cargo xtask deploy [-- wrangler's arguments]`: build, then `wrangler deploy`.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail};

use crate::{
    build, node, paths,
    report::{run, status},
};

/// Builds and publishes; arguments go to `wrangler deploy` as they are.
///
/// # Errors
/// When the configuration still has its placeholder, nobody is logged in, or a step failed.
pub fn deploy(args: &[OsString]) -> Result<()> {
    let dry = args.iter().any(|arg| arg == "--dry-run");
    if !dry {
        check_namespace()?;
    }
    build::with_setup(build::Profile::Release)?;
    if !dry {
        check_login()?;
    }
    run(node::command(wrangler())?.arg("deploy").args(args))
}

fn wrangler() -> PathBuf {
    paths::root().join("node_modules/wrangler/bin/wrangler.js")
}

fn check_namespace() -> Result<()> {
    let path = paths::root().join("wrangler.toml");
    let config = fs::read_to_string(&path).context("cannot read wrangler.toml")?;
    if config.contains("00000000000000000000000000000000") {
        bail!(
            "wrangler.toml still has the placeholder for the KV namespace.\n\
             Create one with `npx wrangler kv namespace create OFFERS` and put its id there."
        );
    }
    Ok(())
}

fn check_login() -> Result<()> {
    if env::var_os("CLOUDFLARE_API_TOKEN").is_some() {
        return Ok(());
    }
    let mut whoami = node::command(wrangler())?;
    whoami
        .args(["whoami", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !status(&mut whoami)?.success() {
        bail!("not logged in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
    }
    Ok(())
}
