//! `promo codes`: single codes, made and brought in. One file a command.

use std::{path::Path, process::ExitCode, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use promo_core::{campaign::Campaign, ident::CampaignId};

use crate::{service::Service, shell};

mod import;
mod make;

/// Codes from which on a bar is shown.
const WORTH_A_BAR: usize = 1000;

/// Make single codes that prove themselves, and bring in codes from elsewhere
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Make(make::Arguments),
    Import(import::Arguments),
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Make(arguments) => make::run(arguments),
        Command::Import(arguments) => import::run(arguments),
    }
}

/// A campaign's document: a file, or else the one that the service has under this id.
fn campaign(named: &str, url: &str, token: Option<&str>) -> Result<Campaign, String> {
    let path = Path::new(named);
    let json = match CampaignId::parse(named) {
        _ if path.is_file() => shell::read(path)?,
        Err(_) => {
            return Err(format!("{named}: there is no such file, and this is no campaign's id"));
        }
        Ok(id) => {
            let token = token.ok_or_else(|| {
                format!("{named} is no file here, and ADMIN_TOKEN is not set to ask {url} for it")
            })?;
            let answer =
                Service::new(url, token.to_owned()).get(&format!("/admin/campaigns/{id}"))?;
            match answer.status {
                200 => answer.body.to_string().into_bytes(),
                404 => {
                    return Err(format!("{url} has no campaign {id}, and there is no such file"));
                }
                _ => return Err(answer.says()),
            }
        }
    };
    Campaign::from_json(&json).map_err(|faults| format!("{named}: {faults}"))
}

/// A bar on the standard error while it is a terminal, and nothing otherwise; nor is there one for what
/// is done at once.
fn progress(all: usize, what: &'static str) -> ProgressBar {
    if all < WORTH_A_BAR {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(all).unwrap_or(u64::MAX)).with_message(what);
    // Should the template be wrong, the default bar is as good.
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {eta}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
