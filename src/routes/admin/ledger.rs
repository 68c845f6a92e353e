//! What operators read of the ledgers: quotas, redemptions, a tab's history.

use promo_core::campaign::Measure;
use promo_core::checkout::{QuotaCounters, Unreachable, quota_counters};
use promo_core::ident::{CampaignId, OfferId, OfferRef, TabId};
use promo_core::ledger::TabKey;
use promo_core::ledger::campaign::{Redemption, State, TabRecord};
use promo_core::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::Env;

use super::not_there;
use crate::http::{Call, Problem, Reply, now};
use crate::objects::{ledger, tab};
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
    let prefixes = quotas.iter().map(|quota| quota.prefix.clone()).collect();
    let ledger::Answer::Sums(sums) = asked(edge, &id, ledger::Question::Sums(prefixes)).await?
    else {
        return Err(another_answer());
    };
    let quotas = quotas.iter().zip(sums).map(|(counted, used)| quota_line(counted, used));
    let quotas: Vec<QuotaLine<'_>> = quotas.collect();
    Ok(Reply::json(200, &json!({"campaign": id, "quotas": quotas})))
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
}

fn quota_line<'a>(counted: &QuotaCounters<'a>, used: u64) -> QuotaLine<'a> {
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
    let after = match call.query("cursor") {
        None => None,
        Some(cursor) => Some(read_cursor(&cursor)?),
    };
    let limit = match call.query("limit").map(|limit| limit.parse::<u32>()) {
        None => PAGE,
        Some(Ok(limit)) if (1..=LARGEST_PAGE).contains(&limit) => limit,
        Some(_) => {
            let detail = format!("limit is a number from 1 to {LARGEST_PAGE}");
            return Err(Problem::new(422, &detail));
        }
    };
    let question = ledger::Question::Tabs { after, limit };
    let ledger::Answer::Tabs(tabs) = asked(edge, &id, question).await? else {
        return Err(another_answer());
    };
    let full = u32::try_from(tabs.len()).is_ok_and(|count| count == limit);
    let cursor = tabs.last().filter(|_| full).map(|(tab, _)| write_cursor(tab));
    let lines: Vec<Line> = tabs
        .into_iter()
        .flat_map(|(tab, record)| lines(&tab, record).collect::<Vec<_>>())
        .collect();
    if call.header("accept").is_some_and(|accept| accept.contains("text/csv")) {
        let reply = Reply::raw(200, "text/csv; charset=utf-8", csv(&lines)?);
        return Ok(match cursor {
            // A page of CSV has no place for it but here.
            Some(cursor) => reply.with_header("x-next-cursor", &cursor),
            None => reply,
        });
    }
    Ok(Reply::json(200, &json!({"redemptions": lines, "cursor": cursor})))
}

fn csv(lines: &[Line]) -> Result<Vec<u8>, Problem> {
    let failed = |error: &dyn std::error::Error| Problem::ours(500, &format!("CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.serialize(line).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// A tab's history: every redemption on it, of every campaign, at every location with a tab of that
/// name.
///
/// # Errors
/// 404 when nobody knows the tab, 503 when a ledger does not answer.
pub async fn tab(edge: &Edge<'_>, tab: &str) -> Result<Reply, Problem> {
    let tab = TabId::parse(tab).map_err(|_| not_there("tab"))?;
    let answer = edge.ask_tab(&tab, &tab::Question::Show).await.map_err(|error| silent(&error))?;
    let tab::Answer::Tabs(locations) = answer else {
        return Err(another_answer());
    };
    if locations.is_empty() {
        return Err(not_there("tab"));
    }
    let mut history = Vec::new();
    for (location, known) in locations {
        let key = TabKey { location, tab: tab.clone() };
        for campaign in known.claims.keys() {
            let question = ledger::Question::Tab(key.clone());
            if let ledger::Answer::Tabs(records) = asked(edge, campaign, question).await? {
                history.extend(records.into_iter().flat_map(|(_, record)| lines(&key, record)));
            }
        }
    }
    history.sort_by(|a, b| a.received.cmp(&b.received));
    Ok(Reply::json(200, &json!({"tab": tab, "redemptions": history})))
}

async fn asked(
    edge: &Edge<'_>,
    campaign: &CampaignId,
    question: ledger::Question,
) -> Result<ledger::Answer, Problem> {
    edge.ask_ledger(campaign, &question).await.map_err(|error| silent(&error))
}

fn silent(_: &Unreachable) -> Problem {
    Problem::ours(503, "the object did not answer")
}

fn another_answer() -> Problem {
    Problem::ours(500, "an object answered another question")
}

/// Where a page ended, as an opaque text.
#[derive(Serialize, Deserialize)]
struct Cursor(TabKey);

fn write_cursor(tab: &TabKey) -> String {
    let json = serde_json::to_string(&Cursor(tab.clone())).unwrap_or_default();
    json.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_cursor(text: &str) -> Result<TabKey, Problem> {
    let bytes = text.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok()
    });
    let json: Option<Vec<u8>> = bytes.collect();
    let cursor = json.and_then(|json| serde_json::from_slice::<Cursor>(&json).ok());
    cursor.map(|Cursor(tab)| tab).ok_or_else(|| Problem::new(422, "this is no cursor of ours"))
}
