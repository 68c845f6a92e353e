//! `.dev.vars`: the secrets of local development, random, one line each, never committed.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};

use crate::{paths, report::say};

/// Where they are kept.
pub fn path() -> PathBuf {
    paths::root().join(".dev.vars")
}

/// Adds a random value for each secret named in `wrangler.toml` that the file lacks; keeps all others.
///
/// # Errors
/// When `wrangler.toml` cannot be read or the file cannot be written.
pub fn ensure() -> Result<()> {
    let path = path();
    let written = fs::read_to_string(&path).unwrap_or_default();
    let missing = missing(required()?, &written);
    if missing.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    if written.is_empty() {
        text.push_str(
            "# Secrets of this machine's local development. Made by `cargo xtask setup`.\n",
        );
    } else if !written.ends_with('\n') {
        text.push('\n');
    }
    for name in &missing {
        text.push_str(&format!("{name}=\"{}\"\n", random()?));
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(format_args!("    .dev.vars: made {}", missing.join(", ")));
    Ok(())
}

/// The names under `[secrets] required` in `wrangler.toml`.
fn required() -> Result<Vec<String>> {
    let path = paths::root().join("wrangler.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: toml::Table =
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let names = config
        .get("secrets")
        .and_then(|secrets| secrets.get("required"))
        .and_then(toml::Value::as_array)
        .context("wrangler.toml has no [secrets] required = […]")?;
    Ok(names.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

/// Those of `names` that a file with this text gives no value to.
fn missing(names: Vec<String>, text: &str) -> Vec<String> {
    let given = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .any(|(known, _)| known.trim().trim_start_matches("export ").trim() == name)
    };
    names.into_iter().filter(|name| !given(name)).collect()
}

/// The values of a file like this one, without the quotes around them.
pub fn values(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.trim().trim_start_matches("export ").trim();
        let value = value.trim();
        let bare = ['"', '\'', '`'].iter().find_map(|quote| {
            value.strip_prefix(*quote).and_then(|value| value.strip_suffix(*quote))
        });
        Some((name, bare.unwrap_or(value)))
    })
}

/// 192 random bits, in hexadecimal.
pub fn random() -> Result<String> {
    let mut bytes = [0_u8; 24];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_without_a_value_are_missing() {
        let names = || ["A", "B", "C"].map(str::to_owned).to_vec();

        assert_eq!(missing(names(), ""), names());
        assert_eq!(missing(names(), "# C=1\nexport A=x\n B = \"y=z\"\n"), ["C"]);
        assert!(missing(names(), "C=\nB=\nA=").is_empty(), "empty is a value");
    }

    #[test]
    fn values_are_read_without_their_quotes() {
        let text = "# A=1\nB=\"x=y\"\nexport C = z\nD='q'\n";
        assert_eq!(values(text).collect::<Vec<_>>(), [("B", "x=y"), ("C", "z"), ("D", "q")]);
    }

    #[test]
    fn every_secret_is_random() {
        let one = random().unwrap();

        assert_eq!(one.len(), 48);
        assert_ne!(one, random().unwrap());
    }

    #[test]
    fn wrangler_toml_names_the_secrets() {
        assert!(required().unwrap().contains(&"ADMIN_TOKEN".to_owned()));
    }
}
