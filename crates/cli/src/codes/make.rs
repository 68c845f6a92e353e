//! `promo codes make`: the codes of a campaign of signed ones, streamed.

use std::{
    env,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use promo_core::{
    campaign::Codes,
    code::{
        keys::{KeyVersion, Keys},
        signed::Mint,
    },
};

use super::{campaign, progress};
use crate::shell;

/// Codes after which the bar moves.
const STEP: u32 = 1000;

/// Print the codes of a campaign of signed ones, one a line
///
/// Nothing is stored anywhere: each code proves itself. The same command with the same keys prints the
/// same codes. Which codes were given out is for you to know: --from begins where the last batch ended.
///
/// The key is read from the environment variable CODE_KEYS, or from --keys.
#[derive(clap::Args)]
pub struct Arguments {
    /// The campaign's document, or its id at the service
    #[arg(long, value_name = "ID|FILE")]
    campaign: String,
    /// How many; all that the campaign has, if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
    /// The first serial
    #[arg(long, default_value_t = 0, value_name = "SERIAL")]
    from: u32,
    /// A file with the keys, as the secret CODE_KEYS has them: alone, or on a line CODE_KEYS=…
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The version of the key to use, instead of the newest
    #[arg(long, value_name = "VERSION", value_parser = version)]
    key: Option<KeyVersion>,
    /// The service's address, to ask for a campaign's document
    #[arg(long, env = "PROMO_URL", default_value = "http://127.0.0.1:8787")]
    url: String,
    /// The operators' token, for the same
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

fn version(text: &str) -> Result<KeyVersion, String> {
    let version = text.parse().ok().and_then(KeyVersion::new);
    version.ok_or_else(|| format!("a key's version is 1 to {}", KeyVersion::MAX))
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => shell::fail(&why),
    }
}

fn make(arguments: &Arguments) -> Result<(), String> {
    let Arguments { campaign: named, count, from, url, token, .. } = arguments;
    let campaign = campaign(named, url, token.as_deref())?;
    let Codes::Signed { prefix, count: all } = campaign.codes() else {
        return Err(format!(
            "{named}: its codes are not signed ones; write \
                            \"codes\": {{\"signed\": {{\"prefix\": \"…\", \"count\": …}}}}"
        ));
    };
    let all = u32::try_from(*all).unwrap_or(u32::MAX);
    let end = count.map_or(all, |count| from.saturating_add(count));
    if end > all || *from >= end {
        return Err(format!(
            "campaign {} has {all} codes, serials 0 to {}: raise its count first, and publish it",
            campaign.id(),
            all.saturating_sub(1)
        ));
    }
    let keys = keys(arguments)?;
    let version = arguments.key.unwrap_or(keys.newest());
    let mint = Mint::of(&keys, version, campaign.id(), prefix)
        .ok_or_else(|| format!("there is no key {version}"))?;
    let bar = progress(usize::try_from(end.saturating_sub(*from)).unwrap_or_default(), "codes");
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let written = (*from..end).try_for_each(|serial| {
        if serial % STEP == 0 {
            bar.set_position(u64::from(serial.saturating_sub(*from)));
        }
        writeln!(out, "{}", mint.shown(serial))
    });
    let written = written.and_then(|()| out.flush());
    bar.finish_and_clear();
    match written {
        // A reader that has had enough is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn keys(arguments: &Arguments) -> Result<Keys, String> {
    let (text, place) = match &arguments.keys {
        Some(path) => {
            let bytes = shell::read(path)?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| format!("{} is not UTF-8", path.display()))?;
            (of_file(&text).to_owned(), path.display().to_string())
        }
        None => {
            let text = env::var("CODE_KEYS").unwrap_or_default();
            (text, "the environment variable CODE_KEYS".to_owned())
        }
    };
    Keys::parse(&text).map_err(|why| format!("{place}: {why}"))
}

/// The keys in a file that holds them alone, or in one of settings, as `.dev.vars` is.
fn of_file(text: &str) -> &str {
    let setting = text.lines().find_map(|line| line.trim().strip_prefix("CODE_KEYS="));
    setting.unwrap_or(text).trim().trim_matches('"')
}
