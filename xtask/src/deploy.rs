//! `cargo xtask deploy [-- wrangler's arguments]`: build, then `wrangler deploy`.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail};

use crate::{
    build, dev_vars, node, paths,
    report::{run, status},
    secret::{SECRETS, weakness},
};

/// Builds and publishes; arguments go to `wrangler deploy` as they are.
///
/// # Errors
/// When a secret is too weak, the configuration still has its placeholder, nobody is logged in, or a step
/// failed.
pub fn deploy(args: &[OsString]) -> Result<()> {
    check_secrets(&known_secrets(args)?)?;
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

/// A secret's value that this machine knows.
struct Known {
    name: String,
    value: String,
    /// Where it was found.
    place: String,
}

/// The secrets this machine knows: those to be uploaded with this deployment, and those that are most
/// likely what was put with `wrangler secret put`, which tells nobody what it has.
fn known_secrets(args: &[OsString]) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    let mut add = |name: &str, value: &str, place: &str| {
        let (name, value, place) = (name.to_owned(), value.to_owned(), place.to_owned());
        known.push(Known { name, value, place });
    };
    for (name, _) in SECRETS {
        if let Ok(value) = env::var(name) {
            add(name, &value, "the environment");
        }
    }
    let path = paths::root().join("wrangler.toml");
    let config = fs::read_to_string(&path).context("cannot read wrangler.toml")?;
    let config: toml::Table = toml::from_str(&config).context("in wrangler.toml")?;
    let vars = config.get("vars").and_then(toml::Value::as_table);
    for (name, value) in vars.into_iter().flatten() {
        if let Some(value) = value.as_str() {
            add(name, value, "wrangler.toml");
        }
    }
    if let Ok(text) = fs::read_to_string(dev_vars::path()) {
        dev_vars::values(&text).for_each(|(name, value)| add(name, value, ".dev.vars"));
    }
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    for value in values_of(&args, "--var") {
        if let Some((name, value)) = value.split_once(':') {
            add(name, value, "--var");
        }
    }
    for file in values_of(&args, "--secrets-file") {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        match json_values(&text) {
            Some(values) => values.iter().for_each(|(name, value)| add(name, value, file)),
            None => dev_vars::values(&text).for_each(|(name, value)| add(name, value, file)),
        }
    }
    Ok(known)
}

/// The values given to a flag, as `--flag value` or `--flag=value`.
fn values_of<'a>(args: &'a [String], flag: &str) -> Vec<&'a str> {
    let next = args.iter().skip(1).map(Some).chain([None]);
    let each = args.iter().zip(next).filter_map(|(arg, next)| match arg.strip_prefix(flag)? {
        "" => next.map(String::as_str),
        rest => rest.strip_prefix('='),
    });
    each.collect()
}

/// The texts of a flat JSON object, which is a table of TOML but for its colons; `None`: it is none.
fn json_values(text: &str) -> Option<Vec<(String, String)>> {
    let body = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut values = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let (name, after) = json_text(rest)?;
        let (value, after) = json_text(after.trim_start().strip_prefix(':')?.trim_start())?;
        values.push((name, value));
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    Some(values)
}

/// A JSON text, and what follows it. An escape counts as the one character it stands for, whichever that
/// is: only lengths and commas matter here.
fn json_text(text: &str) -> Option<(String, &str)> {
    let (mut value, mut chars) = (String::new(), text.strip_prefix('"')?.chars());
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => {
                if chars.next()? == 'u' {
                    chars.nth(3)?;
                }
                value.push('?');
            }
            other => value.push(other),
        }
    }
}

/// Refuses to deploy with a secret that would not keep its route shut.
fn check_secrets(known: &[Known]) -> Result<()> {
    let mut faults = Vec::new();
    for Known { name, value, place } in known {
        let form = SECRETS.into_iter().find(|(secret, _)| secret == name);
        if let Some(weak) = form.and_then(|(_, form)| weakness(value, form)) {
            faults.push(format!("  {name} ({place}) {weak}"));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "a secret is too weak to be deployed; nothing was built or uploaded:\n{}\n\
         Make a new one with `openssl rand -hex 24`, and put it with `npx wrangler secret put NAME`.",
        faults.join("\n")
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef";

    fn known(name: &str, value: &str) -> Known {
        Known { name: name.to_owned(), value: value.to_owned(), place: "here".to_owned() }
    }

    #[test]
    fn a_weak_secret_is_refused_by_name_and_place_and_never_shown() {
        check_secrets(&[known("API_AUTH", GOOD), known("DEFAULT_CURRENCY", "USD")]).unwrap();
        let refused = check_secrets(&[
            known("ADMIN_TOKEN", "hunter2"),
            known("API_AUTH", &format!("{GOOD},")),
            known("PII_PEPPER", "a,b"),
        ]);
        let said = refused.unwrap_err().to_string();
        for part in
            ["ADMIN_TOKEN (here) has 7", "API_AUTH (here) entry 2 of 2 is empty", "PII_PEPPER"]
        {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("hunter2") && !said.contains(GOOD), "{said}");
    }

    #[test]
    fn secrets_are_found_among_the_arguments_and_in_files_of_either_form() {
        let args = ["--var", "API_AUTH:x", "--var=ADMIN_TOKEN:y", "--dry-run"].map(str::to_owned);
        assert_eq!(values_of(&args, "--var"), ["API_AUTH:x", "ADMIN_TOKEN:y"]);
        let json = "{ \"API_AUTH\": \"a\\\"b,c\",\n \"X\": \"\\u00e9\" }";
        let pairs = |pairs: &[(&str, &str)]| -> Option<Vec<(String, String)>> {
            Some(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        assert_eq!(json_values(json), pairs(&[("API_AUTH", "a?b,c"), ("X", "?")]));
        assert_eq!(json_values("API_AUTH=x"), None);
    }

    #[test]
    fn set_ups_own_secrets_are_strong_enough() {
        for (name, _) in SECRETS {
            check_secrets(&[known(name, &dev_vars::random().unwrap())]).unwrap();
        }
    }
}
