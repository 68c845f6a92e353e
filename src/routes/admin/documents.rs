//! Operators' documents: put, got, deleted, listed, with their history. They are the registry's; KV may have
//! others, which were put there by hand.

use futures_util::future::join_all;
use promo_core::campaign::Campaign;
use promo_core::fault::Faults;
use promo_core::ident::{CampaignId, LocationId};
use promo_core::identity::Rules;
use promo_core::location::Location;
use promo_core::loyalty::programme::Programme;
use promo_core::registry::{
    self, DocumentKey, Found, IfMatch, InKv, Kind, Listing, Written, to_look_at,
};
use promo_core::revision::Revision;
use promo_core::time::Instant;
use serde_json::{Value, json};
use worker::Env;

use super::{PAGE, codes, currency, faulty, is_json, not_there};
use crate::catalogue::{campaign_key, is_known_now};
use crate::erasing::note_rules;
use crate::http::{Call, Problem, Reply, now};
use crate::objects::registry::{Delete, Get, History, List, Put, Unknown};
use crate::ports::Edge;

/// Who changes documents, as history and audit name it.
pub(super) const WHO: &str = "ADMIN_TOKEN";
/// Revisions on one page of a history.
const HISTORY_PAGE: u32 = 100;

/// What was changed.
pub(super) struct Changed {
    revision: Revision,
    published: bool,
}

impl Changed {
    /// The reply: what is known of the document, and these.
    pub(super) fn reply(&self, mut said: Value) -> Reply {
        if let Some(said) = said.as_object_mut() {
            said.insert("revision".to_owned(), json!(self.revision));
            said.insert("published".to_owned(), json!(self.published));
        }
        Reply::json(200, &said).with_header("etag", &tag(self.revision))
    }
}

fn tag(revision: Revision) -> String {
    format!("\"{revision}\"")
}

/// Puts a document that has been checked.
pub(super) async fn put(
    edge: &Edge<'_>,
    call: &Call,
    key: DocumentKey,
    json: Vec<u8>,
    in_kv: InKv,
) -> Result<Changed, Problem> {
    let document =
        String::from_utf8(json).map_err(|_| Problem::new(400, "the body is not UTF-8"))?;
    let (who, if_match) = (WHO.to_owned(), if_match(call)?);
    let put = registry::Put { key: key.clone(), document, who, if_match, in_kv };
    settle(edge, &key, edge.registry(&Put(put)).await?).await
}

async fn settle(edge: &Edge<'_>, key: &DocumentKey, written: Written) -> Result<Changed, Problem> {
    match written {
        Written::Done(revision) => {
            if let Some(campaign) = key.as_campaign() {
                is_known_now(&campaign);
            }
            let published = edge.is_published(key, revision).await;
            edge.trace.note("revision", revision.number());
            Ok(Changed { revision, published })
        }
        Written::OtherRevision(None) => {
            Err(Problem::new(412, &format!("there is no {key} that If-Match could mean")))
        }
        Written::OtherRevision(Some(is)) => {
            let detail = format!("{key} has revision {is} by now: read it again");
            Err(Problem::new(412, &detail).with_header("etag", &tag(is)))
        }
        Written::NotThere => Err(Problem::new(404, &format!("there is no {key}"))),
        Written::Faulty(faults) => {
            Err(Problem::faults(422, &format!("{key} has faults"), faults.into()))
        }
        Written::Collides(faults) => {
            let detail = "another campaign holds a code of this one";
            Err(Problem::faults(409, detail, faults.into()))
        }
    }
}

fn if_match(call: &Call) -> Result<Option<IfMatch>, Problem> {
    let Some(header) = call.header("if-match") else { return Ok(None) };
    let read = IfMatch::parse(&header);
    read.map(Some).ok_or_else(|| {
        let detail = "If-Match should be * or a revision in quotation marks, as in \"7\"";
        Problem::new(400, detail)
    })
}

/// `PUT /admin/campaigns/{id}`.
///
/// # Errors
/// 422 for a document with faults, 409 for a code another campaign holds, 412 for another revision;
/// 400, 413, 415, 503 as everywhere.
pub async fn put_campaign(
    edge: &Edge<'_>,
    call: &Call,
    env: &Env,
    id: &str,
) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let campaign = Campaign::from_json(&json).map_err(|f| faulty("campaign", f))?;
    if campaign.id().as_str() != id {
        let detail = format!("is {:?}, but the address says {id:?}", campaign.id().as_str());
        return Err(faulty("campaign", Faults::one("/id", detail)));
    }
    call.trace.note("campaign", id);
    codes::numbers_in_the_way(edge, &campaign).await?.map_err(|faults| {
        Problem::faults(409, "a card or coupon has a code of this campaign", faults)
    })?;
    let before = edge.catalogue.campaign(campaign.id()).await?;
    currency::may_change(edge, before.as_ref(), &campaign).await?;
    let in_kv = found_in_kv(edge, &campaign).await?;
    let changed = put(edge, call, DocumentKey::campaign(campaign.id()), json, in_kv).await?;
    let mut warnings = campaign.warnings(now());
    warnings.extend(codes::warnings(&campaign, env));
    Ok(changed.reply(json!({"id": id, "warnings": warnings})))
}

/// What KV has that the registry does not know, and that may stand against this campaign or is to be
/// replaced by it.
async fn found_in_kv(edge: &Edge<'_>, campaign: &Campaign) -> Result<InKv, Problem> {
    let catalogue = &edge.catalogue;
    let by_hand = catalogue.by_hand(&campaign_key(campaign.id())).await?;
    let before = by_hand.as_ref().and_then(|json| Campaign::from_json(json).ok());
    let look = to_look_at(campaign, before.as_ref());
    let mut keys = look.keys;
    if let Some(beginning) = look.beginning {
        keys.extend(codes::looking_signed(catalogue, &beginning).await?);
    }
    let keys = edge.registry(&crate::objects::registry::NotOwned(keys)).await?;
    let held = catalogue.held(&keys).await?;
    Ok(InKv { by_hand: by_hand.is_some(), held })
}

/// `DELETE /admin/campaigns/{id}`.
///
/// # Errors
/// 404 when there is none, 412 for another revision.
pub async fn delete_campaign(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    call.trace.note("campaign", id.as_str());
    let by_hand = edge.catalogue.by_hand(&campaign_key(&id)).await?;
    let before = by_hand.as_ref().and_then(|json| Campaign::from_json(json).ok());
    let in_kv = match before {
        Some(before) => found_in_kv(edge, &before).await?,
        None => InKv { by_hand: by_hand.is_some(), ..InKv::default() },
    };
    currency::note(edge, &id).await?;
    let key = DocumentKey::campaign(&id);
    let (who, if_match) = (WHO.to_owned(), if_match(call)?);
    let delete = registry::Delete { key: key.clone(), who, if_match, in_kv };
    let changed = settle(edge, &key, edge.registry(&Delete(delete)).await?).await?;
    Ok(changed.reply(json!({"deleted": id})))
}

/// `GET /admin/campaigns/{id}`.
///
/// # Errors
/// 404 when there is none.
pub async fn show_campaign(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    get(edge, call, &DocumentKey::campaign(&id)).await
}

/// `GET /admin/locations/{id}`.
///
/// # Errors
/// 404 when there is none.
pub async fn show_location(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = LocationId::parse(id).map_err(|_| not_there("location"))?;
    get(edge, call, &DocumentKey::location(&id)).await
}

/// `GET /admin/programme`.
///
/// # Errors
/// 404 when there is none.
pub async fn show_programme(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    get(edge, call, &DocumentKey::programme()).await
}

/// A document as it stands, or with `?revision=`.
async fn get(edge: &Edge<'_>, call: &Call, key: &DocumentKey) -> Result<Reply, Problem> {
    let what = format!("there is no {key}");
    let found = match call.query("revision") {
        None => edge.document(key).await?,
        Some(text) => {
            let revision = text
                .parse()
                .map(Revision::new)
                .map_err(|_| Problem::new(422, "revision is a number, as in ?revision=3"))?;
            match edge.registry(&Get(key.clone(), Some(revision))).await? {
                Found::Document(version) => {
                    let document = version.document.unwrap_or_default().into_bytes();
                    Some((Some(version.revision), document))
                }
                Found::Deleted(revision) => {
                    let detail = format!("revision {revision} is that {key} was deleted");
                    return Err(Problem::new(404, &detail));
                }
                Found::NoSuchRevision => {
                    let detail = format!("{key} has no revision {revision}");
                    return Err(Problem::new(404, &detail));
                }
                Found::Unknown => None,
            }
        }
    };
    let (revision, document) = found.ok_or_else(|| Problem::new(404, &what))?;
    let reply = Reply::raw(200, "application/json", document);
    Ok(match revision {
        Some(revision) => reply.with_header("etag", &tag(revision)),
        None => reply,
    })
}

/// `GET /admin/campaigns/{id}/history`.
///
/// # Errors
/// 404 when the registry does not know the campaign, 422 for an unknown cursor.
pub async fn history(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = CampaignId::parse(id).map_err(|_| not_there("campaign"))?;
    let before = match call.query("cursor") {
        None => None,
        Some(cursor) => Some(cursor.parse().map(Revision::new).map_err(|_| unknown_cursor())?),
    };
    let asked = History(DocumentKey::campaign(&id), before, HISTORY_PAGE);
    let page = edge.registry(&asked).await?;
    let standing = page.standing.ok_or_else(|| not_there("campaign with a history"))?;
    let last = page.versions.last().map(|(revision, ..)| revision.to_string());
    let line = |(revision, deleted, who, at): (Revision, bool, String, Instant)| json!({"revision": revision, "deleted": deleted, "who": who, "at": at.to_string()});
    let lines: Vec<Value> = page.versions.into_iter().map(line).collect();
    Ok(Reply::json(
        200,
        &json!({
            "history": lines, "revision": standing.revision, "published": standing.published,
            "cursor": last.filter(|_| page.more),
        }),
    ))
}

fn unknown_cursor() -> Problem {
    Problem::new(422, "this cursor is none that a page of this list has given")
}

/// `GET /admin/campaigns`: those of the registry first, then those that only KV has.
///
/// # Errors
/// 422 for an unknown cursor.
pub async fn list_campaigns(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let cursor = call.query("cursor").unwrap_or_else(|| "r.".to_owned());
    let (campaigns, cursor) = match cursor.split_once('.') {
        Some(("r", after)) => registered(edge, after).await?,
        Some(("k", after)) => only_in_kv(edge, Some(after.to_owned())).await?,
        _ => return Err(unknown_cursor()),
    };
    Ok(Reply::json(200, &json!({"campaigns": campaigns, "cursor": cursor})))
}

async fn registered(edge: &Edge<'_>, after: &str) -> Result<(Vec<Value>, Option<String>), Problem> {
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let list = registry::List { kind: Kind::Campaign, after: after.to_owned(), limit };
    let Listing { documents, more } = edge.registry(&List(list)).await?;
    let last = documents.last().map(|(id, ..)| format!("r.{id}"));
    let mut campaigns: Vec<Value> = documents
        .into_iter()
        .map(|(id, standing, document)| {
            let mut line = line(&id, document.as_bytes());
            if let Some(line) = line.as_object_mut() {
                line.insert("revision".to_owned(), json!(standing.revision));
                line.insert("published".to_owned(), json!(standing.published));
            }
            line
        })
        .collect();
    if more {
        return Ok((campaigns, last));
    }
    let (by_hand, cursor) = only_in_kv(edge, None).await?;
    campaigns.extend(by_hand);
    Ok((campaigns, cursor))
}

async fn only_in_kv(
    edge: &Edge<'_>,
    cursor: Option<String>,
) -> Result<(Vec<Value>, Option<String>), Problem> {
    let (ids, cursor) = edge.catalogue.campaign_ids(cursor, PAGE).await?;
    let keys: Vec<DocumentKey> = ids.iter().map(DocumentKey::campaign).collect();
    let unknown = edge.registry(&Unknown(keys)).await?;
    let read = unknown.iter().map(|key| async {
        let document = edge.catalogue.by_hand(&key.kv_key()).await?;
        Ok::<_, Problem>(document.map(|document| line(key.id(), &document)))
    });
    let lines = join_all(read).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok((lines.into_iter().flatten().collect(), cursor.map(|cursor| format!("k.{cursor}"))))
}

fn line(id: &str, document: &[u8]) -> Value {
    match Campaign::from_json(document) {
        Ok(campaign) => json!({
            "id": id, "name": campaign.name(), "active": campaign.active(),
            "currency": campaign.currency(), "offers": campaign.offers().len(),
        }),
        Err(faults) => json!({"id": id, "errors": faults}),
    }
}

/// `PUT /admin/locations/{id}`.
///
/// # Errors
/// 422 for a document with faults or an id that is none, 412 for another revision.
pub async fn put_location(edge: &Edge<'_>, call: &Call, id: &str) -> Result<Reply, Problem> {
    let id = LocationId::parse(id)
        .map_err(|error| Problem::new(422, &format!("the location's id {error}")))?;
    let json = call.json_body().await?;
    is_json(&json)?;
    let location = Location::from_json(&json).map_err(|f| faulty("location", f))?;
    let rules = Rules { region: location.phone_region, ..Rules::default() };
    note_rules(&edge.catalogue, &rules).await?;
    let changed = put_simple(edge, call, DocumentKey::location(&id), json).await?;
    Ok(changed.reply(json!({"id": id})))
}

/// `PUT /admin/programme`.
///
/// # Errors
/// 422 for a document with faults, 412 for another revision.
pub async fn put_programme(edge: &Edge<'_>, call: &Call) -> Result<Reply, Problem> {
    let json = call.json_body().await?;
    is_json(&json)?;
    let programme = Programme::from_json(&json).map_err(|f| faulty("programme", f))?;
    let rules = Rules { region: programme.region(), email: programme.email_rules().clone() };
    note_rules(&edge.catalogue, &rules).await?;
    let changed = put_simple(edge, call, DocumentKey::programme(), json).await?;
    let warnings = programme.warnings(now());
    Ok(changed.reply(json!({"name": programme.name(), "warnings": warnings})))
}

/// Puts a document that has no codes.
pub(super) async fn put_simple(
    edge: &Edge<'_>,
    call: &Call,
    key: DocumentKey,
    json: Vec<u8>,
) -> Result<Changed, Problem> {
    let by_hand = edge.catalogue.by_hand(&key.kv_key()).await?.is_some();
    put(edge, call, key, json, InKv { by_hand, ..InKv::default() }).await
}
