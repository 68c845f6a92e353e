//! What operators read of the ledgers: quotas, redemptions, a tab's history.

use futures_util::future::join_all;
use promo_core::campaign::Measure;
use promo_core::checkout::{QuotaCounters, Unreachable, quota_counters};
use promo_core::csv::write_line;
use promo_core::ident::{CampaignId, LocationId, OfferId, OfferRef, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Redemption, State, TabRecord, Totals};
use promo_core::ledger::shard::Shard;
use promo_core::location::tab::Claim;
use promo_core::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::Env;

use super::not_there;
use crate::http::{Call, Problem, Reply, now};
use crate::objects::ledger;
use crate::objects::ledger::Sum;
use crate::ports::Edge;
use crate::settings::Defaults;

/// Tabs on one page of redemptions, unless `?limit=` says otherwise.
const PAGE: u32 = 100;
/// And at most.
const LARGEST_PAGE: u32 = 1000;

/// Each quota's limit, what is used and what remains, in the window of now.
///
/// # Errors
/// 404 when there is no such campaign, 503 when its ledger does not answer.
pub async fn quotas(edge: &Edge<'_>, call: &Call, env: &Env, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let found = edge.catalogue.campaign(&id).await?.and_then(Result::ok);
    let campaign = found.ok_or_else(|| not_there("campaign"))?;
    let zone = Defaults::read(env)?.zone;
    let quotas = quota_counters(&campaign, &zone, now());
    let prefixes: Vec<String> = quotas.iter().map(|quota| quota.prefix.clone()).collect();
    let all = sums(edge, &id, &prefixes).await?;
    let lines = quotas.iter().enumerate().map(|(index, counted)| {
        let here = all.iter().filter_map(|(shard, sums)| Some((shard, *sums.get(index)?)));
        quota_line(counted, here)
    });
    let quotas: Vec<QuotaLine<'_>> = lines.collect();
    let objects = all.iter().map(|(shard, _)| shard);
    let folded = folded(edge, &id, objects).await?;
    let folded: Vec<_> = folded.0.values().collect();
    Ok(Reply::json(200, &json!({"campaign": id, "quotas": quotas, "folded": folded})))
}

/// What the redemptions come to that are older than `retention_days`.
async fn folded(
    edge: &Edge<'_>,
    id: &CampaignId,
    objects: impl Iterator<Item = &Shard>,
) -> Result<Totals, Problem> {
    let mut totals = Totals::default();
    let all = objects.map(|shard| asked(edge, id, shard, ledger::Question::Totals));
    for answer in join_all(all).await {
        let ledger::Answer::Totals(more) = answer? else { return Err(another_answer()) };
        totals.merge(&more);
    }
    Ok(totals)
}

/// What all objects of a ledger have counted, the root first.
async fn sums(
    edge: &Edge<'_>,
    id: &CampaignId,
    prefixes: &[String],
) -> Result<Vec<(Shard, Vec<Sum>)>, Problem> {
    let question = || ledger::Question::Sums(prefixes.to_vec());
    let root = asked(edge, id, &Shard::root(), question()).await?;
    let ledger::Answer::Sums(sums, roster) = root else { return Err(another_answer()) };
    let mut all = vec![(Shard::root(), sums)];
    let others = roster.iter().map(|shard| asked(edge, id, shard, question()));
    for (shard, answer) in roster.iter().zip(join_all(others).await) {
        let ledger::Answer::Sums(sums, _) = answer? else { return Err(another_answer()) };
        all.push((shard.clone(), sums));
    }
    Ok(all)
}

/// What the counters whose keys begin so have counted.
///
/// # Errors
/// 503 when the campaign's ledger does not answer.
pub async fn used(edge: &Edge<'_>, id: &CampaignId, prefix: String) -> Result<u64, Problem> {
    let all = sums(edge, id, &[prefix]).await?;
    let used = all.iter().flat_map(|(_, sums)| sums).map(|sum| sum.used);
    Ok(used.fold(0_u64, u64::saturating_add))
}

/// One quota as an operator reads it.
#[derive(Serialize)]
struct QuotaLine<'a> {
    /// Absent for a quota of the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<&'a str>,
    per: Vec<&'static str>,
    window: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Money>,
    /// Uses, or minor units.
    used: u64,
    /// What each code, customer or location has left is not one number, and absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    /// Of a divided ledger: where it was used, and where rights to more of it sit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shards: Vec<ShardLine<'a>>,
}

/// What one object of a divided ledger has of a quota.
#[derive(Serialize)]
struct ShardLine<'a> {
    /// Its name; empty: the root, which holds all that no shard does.
    shard: &'a str,
    used: u64,
    /// What it may still count without asking the root.
    held: u64,
}

fn quota_line<'a>(
    counted: &QuotaCounters<'a>,
    objects: impl Iterator<Item = (&'a Shard, Sum)>,
) -> QuotaLine<'a> {
    let shards = objects.map(|(shard, Sum { used, held })| {
        let shard = shard.as_str();
        ShardLine { shard, used, held }
    });
    let mut shards: Vec<ShardLine<'_>> = shards.collect();
    let used = shards.iter().fold(0_u64, |sum, shard| sum.saturating_add(shard.used));
    if shards.len() < 2 {
        shards.clear();
    }
    let per: Vec<&str> = counted.quota.per.names().collect();
    let (limit, budget) = match counted.quota.measure {
        Measure::Limit(limit) => (Some(limit), None),
        Measure::Budget { amount, .. } => (None, Some(amount)),
    };
    let ceiling = limit.or(budget.map(Money::minor)).filter(|_| per.is_empty());
    QuotaLine {
        offer: counted.offer.map(OfferId::as_str),
        per,
        window: counted.quota.window.as_str(),
        limit,
        budget,
        used,
        remaining: ceiling.map(|ceiling| ceiling.saturating_sub(used)),
        shards,
    }
}

/// One redemption as an operator reads it.
#[derive(Serialize)]
struct Line {
    campaign: String,
    offer: String,
    code: String,
    location: String,
    tab: String,
    customer: Option<String>,
    amount: Money,
    currency: Currency,
    received: String,
    decided: String,
    reversed: Option<String>,
    pos: String,
    state: State,
    epoch: u32,
}

fn lines(tab: &TabKey, record: TabRecord) -> impl Iterator<Item = Line> {
    let each = record.offers.into_iter().flat_map(|(offer, standing)| {
        standing.redemptions.into_iter().map(move |redemption| (offer.clone(), redemption))
    });
    each.map(|(offer, redemption)| line(tab, &offer, redemption))
}

fn line(tab: &TabKey, offer: &OfferRef, redemption: Redemption) -> Line {
    let code = offer.code.code();
    Line {
        campaign: offer.campaign.to_string(),
        offer: offer.offer.to_string(),
        code: code.map_or_else(|| offer.code.to_string(), |code| code.to_string()),
        location: tab.location.to_string(),
        tab: tab.tab.to_string(),
        customer: redemption.customer,
        amount: redemption.amount,
        currency: redemption.currency,
        received: redemption.received.to_string(),
        decided: redemption.decided.to_string(),
        reversed: redemption.reversed.map(|at| at.to_string()),
        pos: redemption.pos,
        state: redemption.state,
        epoch: redemption.epoch,
    }
}

/// A page of a campaign's redemptions, tab by tab; JSON, or CSV by `Accept: text/csv`.
///
/// # Errors
/// 422 for a cursor or limit that cannot be read, 503 when the ledger does not answer.
pub async fn redemptions(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let (mut shard, mut after) = match call.query("cursor") {
        None => (Shard::root(), None),
        Some(cursor) => read_cursor(&cursor)?,
    };
    let limit = match call.query("limit").map(|limit| limit.parse::<u32>()) {
        None => PAGE,
        Some(Ok(limit)) if (1..=LARGEST_PAGE).contains(&limit) => limit,
        Some(_) => {
            let detail = format!("limit is a number from 1 to {LARGEST_PAGE}");
            return Err(Problem::new(422, &detail));
        }
    };
    // Tab by tab, object by object: the root first, then the shards by name.
    let mut tabs = Vec::new();
    let cursor = loop {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(tabs.len());
        let question =
            ledger::Question::Tabs { after, limit: u32::try_from(wanted).unwrap_or(limit) };
        let ledger::Answer::Tabs(page) = asked(edge, &id, &shard, question).await? else {
            return Err(another_answer());
        };
        let full = page.len() == wanted;
        tabs.extend(page);
        if full {
            break tabs.last().map(|(tab, _)| write_cursor(&shard, tab));
        }
        match next_shard(edge, &id, &shard).await? {
            Some(next) => (shard, after) = (next, None),
            None => break None,
        }
    };
    let lines: Vec<Line> = tabs
        .into_iter()
        .flat_map(|(tab, record)| lines(&tab, record).collect::<Vec<_>>())
        .collect();
    if call.header("accept").is_some_and(|accept| accept.contains("text/csv")) {
        let reply = Reply::raw(200, "text/csv; charset=utf-8", csv(&lines).into_bytes());
        return Ok(match cursor {
            // A page of CSV has no place for it but here.
            Some(cursor) => reply.with_header("x-next-cursor", &cursor),
            None => reply,
        });
    }
    Ok(Reply::json(200, &json!({"redemptions": lines, "cursor": cursor})))
}

/// In which currency a campaign's redemptions are, if it has any, folded ones too.
///
/// # Errors
/// 503 when its ledger does not answer.
pub async fn currency(edge: &Edge<'_>, id: &CampaignId) -> Result<Option<Currency>, Problem> {
    let (mut shard, mut after) = (Shard::root(), None);
    loop {
        let question = ledger::Question::Tabs { after, limit: PAGE };
        let ledger::Answer::Tabs(page) = asked(edge, id, &shard, question).await? else {
            return Err(another_answer());
        };
        let each = page.iter().flat_map(|(_, record)| record.offers.values());
        let redemption = each.flat_map(|standing| &standing.redemptions).next();
        if let Some(redemption) = redemption {
            return Ok(Some(redemption.currency));
        }
        if let Some((tab, _)) = page.into_iter().last() {
            after = Some(tab);
            continue;
        }
        let folded = folded(edge, id, std::iter::once(&shard)).await?;
        if let Some(total) = folded.0.values().next() {
            return Ok(Some(total.currency));
        }
        match next_shard(edge, id, &shard).await? {
            Some(next) => (shard, after) = (next, None),
            None => return Ok(None),
        }
    }
}

async fn next_shard(
    edge: &Edge<'_>,
    id: &CampaignId,
    shard: &Shard,
) -> Result<Option<Shard>, Problem> {
    match asked(edge, id, &Shard::root(), ledger::Question::Roster).await? {
        ledger::Answer::Roster(roster) => Ok(roster.into_iter().find(|next| next > shard)),
        _ => Err(another_answer()),
    }
}

/// The columns of [`Line`].
const COLUMNS: [&str; 14] = [
    "campaign", "offer", "code", "location", "tab", "customer", "amount", "currency", "received",
    "decided", "reversed", "pos", "state", "epoch",
];

fn csv(lines: &[Line]) -> String {
    let mut csv = String::new();
    write_line(&mut csv, COLUMNS);
    for line in lines {
        let (amount, epoch) = (line.amount.minor().to_string(), line.epoch.to_string());
        let cells = [
            &line.campaign,
            &line.offer,
            &line.code,
            &line.location,
            &line.tab,
            line.customer.as_deref().unwrap_or_default(),
            &amount,
            line.currency.as_str(),
            &line.received,
            &line.decided,
            line.reversed.as_deref().unwrap_or_default(),
            &line.pos,
            line.state.as_str(),
            &epoch,
        ];
        write_line(&mut csv, cells);
    }
    csv
}

/// A tab's history at a location: every redemption on it, of every campaign.
///
/// # Errors
/// 422 when no location is named, 404 when the location knows no such tab, 503 when an object does not
/// answer.
pub async fn tab(edge: &Edge<'_>, call: &Call, tab: &str) -> Result<Reply, Problem> {
    let tab = TabId::parse(tab).map_err(|_| not_there("tab"))?;
    let wrong = |why: &str| Problem::new(422, &format!("the parameter location {why}"));
    let location = call.query("location").filter(|text| !text.is_empty());
    let location = location.ok_or_else(|| {
        wrong("is missing: say at which location the tab is, as in ?location=1019")
    })?;
    let location = LocationId::parse(&location).map_err(|error| wrong(&error.to_string()))?;
    let key = TabKey { location, tab };
    let shown = edge.show_tab(&key).await.map_err(|error| silent(&error))?;
    let shown = shown.ok_or_else(|| not_there("tab"))?;
    let mut history = Vec::new();
    for place in shown.record.tab.claims().iter().map(Claim::place) {
        let key = TabKey { tab: place.tab, location: key.location.clone() };
        let question = ledger::Question::Tab(key.clone());
        let answer = asked(edge, &place.campaign, &place.home, question).await?;
        if let ledger::Answer::Tabs(records) = answer {
            history.extend(records.into_iter().flat_map(|(_, record)| lines(&key, record)));
        }
    }
    history.sort_by(|a, b| a.received.cmp(&b.received));
    let (tab, names) = (&shown.tab, &shown.names);
    let location = &key.location;
    Ok(Reply::json(
        200,
        &json!({"tab": tab, "names": names, "location": location, "redemptions": history}),
    ))
}

async fn asked(
    edge: &Edge<'_>,
    campaign: &CampaignId,
    shard: &Shard,
    question: ledger::Question,
) -> Result<ledger::Answer, Problem> {
    edge.ask_ledger(campaign, shard, &question).await.map_err(|error| silent(&error))
}

fn silent(_: &Unreachable) -> Problem {
    Problem::ours(503, "the object did not answer")
}

fn another_answer() -> Problem {
    Problem::ours(500, "an object answered another question")
}

/// Where a page ended, as an opaque text.
#[derive(Serialize, Deserialize)]
struct Cursor(Shard, TabKey);

fn write_cursor(shard: &Shard, tab: &TabKey) -> String {
    let json = serde_json::to_string(&Cursor(shard.clone(), tab.clone())).unwrap_or_default();
    json.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_cursor(text: &str) -> Result<(Shard, Option<TabKey>), Problem> {
    let bytes = text.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok()
    });
    let json: Option<Vec<u8>> = bytes.collect();
    let cursor = json.and_then(|json| serde_json::from_slice::<Cursor>(&json).ok());
    let Cursor(shard, tab) =
        cursor.ok_or_else(|| Problem::new(422, "this is no cursor of ours"))?;
    Ok((shard, Some(tab)))
}
