//! `promo simulate`: what campaigns do to a cart, without a service and without counting anything.

use std::{
    collections::BTreeMap,
    env,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
};

use promo_core::{
    code::keys::Keys,
    engine::simulate::{Defaults, Request},
    fault::Faults,
    time::{BadTime, Zone},
};
use serde_json::{json, value::RawValue};

use crate::{shell, table};

/// Show what campaigns do to a cart
///
/// Reads a request like that of POST /admin/simulate from the standard input, and writes the reply:
///
///   {"campaigns": […], "codes": ["SUMMER10"], "cart": {…},
///    "at": "2026-07-04T17:30:00-05:00", "location": {"timezone": "America/Chicago", "tag": []}}
///
/// A campaign's signed codes are told where CODE_KEYS is set, as `promo codes make` has it.
///
/// The options below take the place of the request's keys. With both campaigns and a cart given as
/// options the standard input is not read.
///
/// Exits with 1 when anything is wrong with the request, and says what as {"errors": [{"pointer",
/// "detail"}]} on the standard error.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A campaign document; may be given several times
    #[arg(long, value_name = "FILE")]
    campaign: Vec<PathBuf>,
    /// A cart
    #[arg(long, value_name = "FILE")]
    cart: Option<PathBuf>,
    /// A place: its "timezone" and its "tag"s; a location document will do
    #[arg(long, value_name = "FILE")]
    location: Option<PathBuf>,
    /// A code that was typed; may be given several times, in the order of typing
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// The time, as in 2026-07-04T17:30:00-05:00; now, when the request has none either
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The deployment's time zone, for campaigns and locations without one
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    timezone: Zone,
    /// Write JSON to a terminal too
    #[arg(long)]
    json: bool,
}

fn zone(name: &str) -> Result<Zone, BadTime> {
    Zone::parse(name)
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let readable = !arguments.json && io::stdout().is_terminal();
    let request = match request(arguments) {
        Ok(request) => request,
        Err(why) => return shell::fail(&why),
    };
    let reply = match reply(arguments, &request, readable) {
        Ok(reply) => reply,
        Err(faults) => {
            let errors = json!({ "errors": faults.as_slice() });
            shell::complain(&if readable { faults.to_string() } else { errors.to_string() });
            return ExitCode::from(shell::FAULTY);
        }
    };
    match shell::print(&reply) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => shell::fail(&why),
    }
}

fn reply(arguments: &Arguments, request: &[u8], readable: bool) -> Result<Vec<u8>, Faults> {
    let request = Request::from_json(request)?;
    let defaults = Defaults { now: Some(shell::now()), zone: arguments.timezone.clone() };
    let context = request.context(&defaults)?;
    // Without keys, or with keys that cannot be read, the reply says where signed codes can be told.
    let keys = env::var("CODE_KEYS").ok().and_then(|keys| Keys::parse(&keys).ok());
    let reply = request.reply_proving(keys.as_ref(), &context)?;
    if readable {
        return Ok(table::of(&reply, request.cart()).into_bytes());
    }
    let mut json = reply.to_json();
    json.push(b'\n');
    Ok(json)
}

/// The request: the standard input's, the options taking the place of its keys.
fn request(arguments: &Arguments) -> Result<Vec<u8>, String> {
    let Arguments { campaign: campaigns, cart, location, code: codes, at, .. } = arguments;
    let complete = !campaigns.is_empty() && cart.is_some();
    let no_files = campaigns.is_empty() && cart.is_none() && location.is_none();
    let unchanged = no_files && codes.is_empty() && at.is_none();
    let base = if complete { b"{}".to_vec() } else { standard_input()? };
    if unchanged {
        return Ok(base);
    }
    let mut keys: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&base)
        .map_err(|error| format!("the request is not a JSON object: {error}"))?;
    let mut put = |key: &str, json: String| {
        let value = RawValue::from_string(json).map_err(|error| format!("{key}: {error}"))?;
        keys.insert(key.to_owned(), value);
        Ok::<(), String>(())
    };
    if !campaigns.is_empty() {
        let documents: Result<Vec<String>, String> = campaigns.iter().map(|it| json(it)).collect();
        put("campaigns", format!("[{}]", documents?.join(",")))?;
    }
    if let Some(cart) = cart {
        put("cart", json(cart)?)?;
    }
    if let Some(location) = location {
        put("location", json(location)?)?;
    }
    if !codes.is_empty() {
        put("codes", json!(codes).to_string())?;
    }
    if let Some(at) = at {
        put("at", json!(at).to_string())?;
    }
    serde_json::to_vec(&keys).map_err(|error| error.to_string())
}

fn standard_input() -> Result<Vec<u8>, String> {
    if io::stdin().is_terminal() {
        return Err("needs a request on the standard input, or --campaign and --cart; \
                    see promo simulate --help"
            .to_owned());
    }
    shell::read(Path::new("-"))
}

/// A file that is JSON.
fn json(path: &Path) -> Result<String, String> {
    let bytes = shell::read(path)?;
    let value: &RawValue = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is not JSON: {error}", path.display()))?;
    Ok(value.get().to_owned())
}
