//! Erasing a person: what ledgers keep of him loses his name, and every count stays right.

use futures_util::future::join_all;
use promo_core::ident::CampaignId;
use promo_core::identity::{Rules, readings};
use promo_core::ledger::shard::Shard;
use serde_json::json;
use worker::Env;

use crate::http::{Call, Problem, Reply};
use crate::objects::ledger::{Answer, Question};
use crate::ports::Edge;
use crate::settings;

/// Ledgers asked at once.
const AT_ONCE: u64 = 20;

/// Erases a customer from every ledger there is; answers in how many rows he was found. Repeating is
/// harmless, and after a 503 needed.
///
/// # Errors
/// 503 when a ledger does not answer, or the deployment has no pepper.
pub async fn erase(
    edge: &Edge<'_>,
    call: &Call,
    env: &Env,
    identifier: &str,
) -> Result<Reply, Problem> {
    let Some(pepper) = settings::text(env, "PII_PEPPER") else {
        return Err(Problem::ours(503, "the secret PII_PEPPER is not set"));
    };
    let readings = readings(identifier, &Rules::default(), pepper.as_bytes());
    let pseudonyms: Vec<String> = readings.iter().map(ToString::to_string).collect();
    // The same for all his redemptions, so that they can still be counted as one guest's; it says
    // nothing, and nobody can find it from the identifier.
    let name = format!("erased-{}", call.attempt);
    let (mut rows, mut ledgers, mut cursor) = (0_u64, 0_usize, None);
    loop {
        let (ids, next) = edge.catalogue.ledger_ids(cursor, AT_ONCE).await?;
        ledgers = ledgers.saturating_add(ids.len());
        for erased in join_all(ids.iter().map(|id| erase_in(edge, id, &pseudonyms, &name))).await {
            rows = rows.saturating_add(erased?);
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(Reply::json(200, &json!({"ledgers": ledgers, "erased": rows}))),
        }
    }
}

async fn erase_in(
    edge: &Edge<'_>,
    id: &CampaignId,
    pseudonyms: &[String],
    name: &str,
) -> Result<u64, Problem> {
    let silent = |_| Problem::ours(503, &format!("the ledger of {id} did not answer; try again"));
    let other = || Problem::ours(500, "an object answered another question");
    let Answer::Roster(mut objects) =
        edge.ask_ledger(id, &Shard::root(), &Question::Roster).await.map_err(silent)?
    else {
        return Err(other());
    };
    objects.push(Shard::root());
    let question = Question::Erase { pseudonyms: pseudonyms.to_vec(), name: name.to_owned() };
    let mut rows = 0_u64;
    for answer in join_all(objects.iter().map(|shard| edge.ask_ledger(id, shard, &question))).await
    {
        match answer.map_err(silent)? {
            Answer::Erased(erased) => rows = rows.saturating_add(erased),
            _ => return Err(other()),
        }
    }
    Ok(rows)
}
