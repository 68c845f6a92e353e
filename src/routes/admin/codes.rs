//! What operators do with codes: where one leads, which a campaign may have, and codes from elsewhere.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use promo_core::campaign::{Campaign, Codes, Phase, too_long};
use promo_core::checkout::resolve::{Found, holder_of_code, holder_of_prefix};
use promo_core::checkout::{Ports, Query, Resolution, Unreachable};
use promo_core::code::CanonicalCode;
use promo_core::code::list::{read_lines, signed_prefix};
use promo_core::code::signed::{BODY, Signed, shown};
use promo_core::fault::{Fault, Faults, Path, Sink};
use promo_core::ident::{CampaignId, CodeKey};
use promo_core::issuance::Number;
use promo_core::issuance::number::{Format, fault_of};
use promo_core::registry::{AddCodes, Added, InKv};
use serde_json::json;
use worker::Env;

use super::documents::WHO;
use super::{faulty, not_there};
use crate::catalogue::{Catalogue, Stored, code_key, prefix_key};
use crate::http::{Call, Problem, Reply, now};
use crate::objects::registry::Add;
use crate::ports::Edge;
use crate::settings::{self, Defaults};

/// The most codes of one upload: each is a write, and the platform allows a request a thousand.
const MOST: usize = 900;
/// Codes that are written at once.
const AT_ONCE: usize = 50;
/// Stored codes that are looked through for those that look signed.
const LOOKED_THROUGH: u64 = 1000;

/// The campaign that holds a code, as KV has it. An entry that leads nowhere has no holder.
async fn holder(
    catalogue: &Catalogue<'_>,
    code: &CanonicalCode,
) -> Result<Option<String>, Problem> {
    let found = holder_of_code(catalogue, code).await?;
    Ok(found.and_then(Result::ok).map(|campaign| campaign.id().as_str().to_owned()))
}

/// Numbers of cards and coupons that a campaign's codes would be, or would be taken for.
pub async fn numbers_in_the_way(
    edge: &Edge<'_>,
    campaign: &Campaign,
) -> Result<Result<(), Faults>, Problem> {
    let sink = Sink::new();
    match campaign.codes() {
        Codes::Fixed(codes) => {
            let keys: Vec<CodeKey> = codes.iter().map(CodeKey::of_number).collect();
            let taken = edge.numbers_among(&keys).await.map_err(silent_numbers)?;
            let fixed = Path::Below("/codes/fixed");
            for (index, code) in codes.iter().enumerate() {
                let key = CodeKey::of_number(code);
                for (_, owner) in taken.iter().filter(|(number, _)| *number == key) {
                    let why = format!("{code} is a number of instrument type {owner}");
                    sink.add(&Path::Index(&fixed, index), why);
                }
            }
        }
        Codes::Signed { prefix, .. } => {
            let at = Path::Below("/codes/signed/prefix");
            for (number, owner) in edge.numbers_like(prefix).await.map_err(silent_numbers)? {
                let why = format!(
                    "{number} is a number of instrument type {owner}, and would look like one of \
                     these"
                );
                sink.add(&at, why);
            }
        }
        Codes::Listed | Codes::None => {}
    }
    Ok(sink.check(Some(())))
}

fn silent_numbers(_: Unreachable) -> Problem {
    Problem::ours(503, "the numbers of cards and coupons did not answer")
        .with_header("retry-after", "1")
}

/// Which numbers of a file are codes of a campaign, or would be taken for signed ones: by line, why.
pub async fn codes_among(
    catalogue: &Catalogue<'_>,
    numbers: &[(u64, Number)],
) -> Result<Vec<(u64, String)>, Problem> {
    let codes: Vec<(u64, CanonicalCode)> = numbers
        .iter()
        .filter_map(|(line, number)| Some((*line, CanonicalCode::parse(number.as_str()).ok()?)))
        .collect();
    let prefixes: BTreeSet<String> =
        codes.iter().filter_map(|(_, code)| signed_prefix(code)).collect();
    let mut keys: Vec<String> = codes.iter().map(|(_, code)| code_key(code)).collect();
    keys.extend(prefixes.iter().map(|prefix| prefix_key(prefix)));
    let stored = catalogue.stored(&keys).await?;
    let mut found = Vec::new();
    for (line, code) in codes {
        if stored.contains(&code_key(&code))
            && let Some(holder) = holder(catalogue, &code).await?
        {
            found.push((line, format!("{code} is a code of campaign {holder}")));
        }
        let looks = signed_prefix(&code).filter(|prefix| stored.contains(&prefix_key(prefix)));
        if looks.is_some()
            && let Some(why) = taken_for_signed(catalogue, &code, "").await?
        {
            found.push((line, why));
        }
    }
    Ok(found)
}

/// Why a code would never be found under itself: it looks like a signed one of another campaign.
async fn taken_for_signed(
    catalogue: &Catalogue<'_>,
    code: &CanonicalCode,
    id: &str,
) -> Result<Option<String>, Problem> {
    let Some(prefix) = signed_prefix(code) else { return Ok(None) };
    let Some(Ok(other)) = holder_of_prefix(catalogue, &prefix).await? else { return Ok(None) };
    let other = other.id();
    let why = || format!("{code} would be taken for a signed code of campaign {other}");
    Ok((other.as_str() != id).then(why))
}

/// The keys of codes in KV that begin so and look like signed ones.
pub async fn looking_signed(
    catalogue: &Catalogue<'_>,
    prefix: &str,
) -> Result<Vec<String>, Problem> {
    let (rests, _) = catalogue.names(&format!("code:{prefix}"), None, LOOKED_THROUGH).await?;
    let codes = rests.iter().filter(|rest| rest.len() == BODY);
    let codes = codes.filter_map(|rest| CanonicalCode::parse(&format!("{prefix}{rest}")).ok());
    Ok(codes.filter(|code| signed_prefix(code).is_some()).map(|code| code_key(&code)).collect())
}

/// What a campaign needs that the deployment lacks.
pub fn warnings(campaign: &Campaign, env: &Env) -> Vec<Fault> {
    match (campaign.codes(), settings::code_keys(env)) {
        (Codes::Signed { .. }, Err(problem)) => vec![Fault {
            pointer: "/codes/signed".to_owned(),
            detail: format!("{}: until then none of its codes works", problem.for_the_log()),
        }],
        _ => Vec::new(),
    }
}

/// What a code leads to, or why it leads nowhere: for the marketer who put a document by hand.
pub async fn show(edge: &Edge<'_>, env: &Env, typed: &str) -> Result<Reply, Problem> {
    let code = CanonicalCode::parse(typed)
        .map_err(|error| Problem::new(404, &format!("{typed:?} is no code: {error}")))?;
    let silent = |_| Problem::ours(503, "KV does not answer, or CODE_KEYS cannot be read");
    match edge.find(&Query::Code(code.clone())).await.map_err(silent)? {
        Resolution::Found(Found { instrument: Some(_), .. }) => Err(not_there("code")),
        Resolution::Found(Found { campaign, proven, .. }) => {
            let phase = campaign.phase(&Defaults::read(env)?.zone, now());
            let mut said = json!({
                "code": code, "campaign": campaign.id(), "valid": phase == Phase::Live,
                "state": phase.as_str(),
            });
            if let (Some(proven), Codes::Signed { prefix, .. }) = (proven, campaign.codes())
                && let Some(said) = said.as_object_mut()
            {
                said.insert("code".to_owned(), json!(proven.code));
                said.insert("shown".to_owned(), json!(shown(prefix, &proven.code)));
                said.insert("serial".to_owned(), json!(proven.serial));
                said.insert("key_version".to_owned(), json!(proven.key));
            }
            Ok(Reply::json(200, &said))
        }
        Resolution::Unknown { stored: true, why, signed } => {
            let key = match Signed::read(&code) {
                Some(read) if signed => prefix_key(read.prefix()),
                _ => code_key(&code),
            };
            refused(edge, &code, &key, why).await
        }
        Resolution::Unknown { .. } => Err(not_there("code")),
    }
}

/// Why a code that is stored leads nowhere.
async fn refused(
    edge: &Edge<'_>,
    code: &CanonicalCode,
    key: &str,
    why: String,
) -> Result<Reply, Problem> {
    let Stored { campaign, faults, by_hand } = edge.catalogue.stored_at(key).await?;
    let revision = campaign.as_ref().and_then(|id| edge.catalogue.renewed_revision(id));
    let (state, why) = match revision.filter(|_| by_hand) {
        Some(revision) => {
            let why = format!("it was put into KV by hand, and revision {revision} counts: {why}");
            ("replaced", why)
        }
        None if faults.is_some() => ("faulty", why),
        None => ("refused", why),
    };
    let errors = match faults {
        Some(faults) => json!(&*faults),
        None => json!([{"pointer": "", "detail": why}]),
    };
    let said = json!({
        "code": code, "campaign": campaign, "valid": false, "state": state, "errors": errors,
    });
    Ok(Reply::json(200, &said))
}

/// Stores codes from elsewhere for a campaign of listed ones: all of them, or none and every line that
/// stands against it. What is stored already stays, so an upload can be repeated; with `dry_run` all is
/// looked at and nothing stored.
pub async fn upload(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let catalogue = &edge.catalogue;
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let format = match call.media_type().as_str() {
        "text/csv" => Format::Csv,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Format::Ndjson,
        _ => {
            let detail = "send codes as Content-Type: text/csv or application/x-ndjson";
            return Err(Problem::new(415, detail));
        }
    };
    let campaign = catalogue.campaign(&id).await?.ok_or_else(|| not_there("campaign"))?;
    let campaign = campaign.map_err(|faults| {
        let faults: Faults = (*faults).clone();
        faulty("stored campaign", faults)
    })?;
    if !matches!(campaign.codes(), Codes::Listed) {
        let detail = "the campaign's codes are not listed: its document should say \
                      \"codes\": {\"listed\": true}";
        return Err(Problem::new(409, detail));
    }
    let codes = read_lines(&call.body().await?, format).map_err(|f| faulty("codes", f))?;
    if codes.is_empty() || codes.len() > MOST {
        let detail = format!("send 1 to {MOST} codes at once, not {}", codes.len());
        return Err(faulty("codes", Faults::one("", detail)));
    }
    let (sink, room) = (Sink::new(), campaign.room_for_codes());
    for (line, code) in &codes {
        let why = too_long(code, room).map(|why| format!("{code} {why}"));
        sink.extend(why.map(|why| fault_of(*line, &why)));
    }
    sink.check(Some(())).map_err(|faults| faulty("codes", faults))?;
    let mut keys: Vec<String> = codes.iter().map(|(_, code)| code_key(code)).collect();
    let prefixes: BTreeSet<String> =
        codes.iter().filter_map(|(_, code)| signed_prefix(code)).collect();
    keys.extend(prefixes.iter().map(|prefix| prefix_key(prefix)));
    let held = catalogue.held(&keys).await?;
    let mine = |code: &CanonicalCode| {
        held.get(&code_key(code)).is_some_and(|held| held.names && held.campaign == id)
    };
    let new: Vec<CodeKey> = codes
        .iter()
        .filter(|(_, code)| !mine(code))
        .map(|(_, code)| CodeKey::of_number(code))
        .collect();
    let sink = Sink::new();
    for (number, owner) in edge.numbers_among(&new).await.map_err(silent_numbers)? {
        for (line, code) in codes.iter().filter(|(_, code)| CodeKey::of_number(code) == number) {
            let why = format!("{code} is a number of instrument type {owner}");
            sink.extend([fault_of(*line, &why)]);
        }
    }
    let dry_run = call.query("dry_run").is_some_and(|value| value == "true");
    let (count, in_kv) = (codes.len(), InKv { by_hand: false, held });
    let add = AddCodes {
        campaign: id.clone(),
        codes,
        who: WHO.to_owned(),
        // With a number among them nothing is added, and all that stands against it is told.
        dry_run: dry_run || !sink.is_empty(),
        in_kv,
    };
    let new = match edge.registry(&Add(add)).await? {
        Added::Done(new) => new,
        Added::Collides(faults) => {
            sink.extend(Faults::from(faults));
            Vec::new()
        }
        Added::NotListed => {
            return Err(Problem::new(409, "the campaign has just changed; send the codes again"));
        }
    };
    let clash = "somebody else holds a code of these; nothing was stored";
    sink.check(Some(())).map_err(|faults| Problem::faults(409, clash, faults))?;
    let known = count.saturating_sub(new.len());
    if dry_run {
        let reply = json!({"campaign": id, "added": new.len(), "known": known, "dry_run": true});
        return Ok(Reply::json(200, &reply));
    }
    let pointer = json!({"campaign": id}).to_string();
    for codes in new.chunks(AT_ONCE) {
        let keys: BTreeSet<String> = codes.iter().map(code_key).collect();
        let writes = keys.iter().map(|key| catalogue.write(key, pointer.as_bytes()));
        for written in join_all(writes).await {
            written?;
        }
    }
    call.trace.note("added", new.len());
    Ok(Reply::json(200, &json!({"campaign": id, "added": new.len(), "known": known})))
}
