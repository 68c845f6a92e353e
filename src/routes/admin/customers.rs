//! Erasing a person: what members' books and campaigns' ledgers keep of him loses his name, and every
//! balance and count stays right.

use futures_util::future::join_all;
use promo_core::ident::CampaignId;
use promo_core::identity::{Identity, readings};
use promo_core::ledger::shard::Shard;
use serde_json::json;

use super::members;
use crate::http::{Call, Problem, Reply};
use crate::members::{names, pepper, rules};
use crate::objects::ledger::{Answer, Question};
use crate::ports::Edge;

/// Ledgers asked at once.
const AT_ONCE: u64 = 20;

/// Erases a customer: the member, if he is one, and his name in every ledger there is. Repeating is
/// harmless, and after a 503 needed.
///
/// # Errors
/// 503 when an object does not answer, or the deployment has no pepper.
pub async fn erase(edge: &Edge<'_>, call: &Call, identifier: &str) -> Result<Reply, Problem> {
    let (rules, pepper) = (rules(edge).await?, pepper(edge)?);
    // A point of sale's own id is nobody's number or address, and no member's.
    let identity = Identity::parse(identifier, &rules).ok().map(|it| it.pseudonym(&pepper));
    let readings = readings(identifier, &rules, &pepper);
    let mut pseudonyms: Vec<String> = readings.iter().map(ToString::to_string).collect();
    // While the member's books still say under which names the person was counted.
    if let Some(identity) = &identity {
        pseudonyms.extend(names(edge, identity).await?);
    }
    pseudonyms.sort();
    pseudonyms.dedup();
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
            None => {
                let member = match &identity {
                    Some(identity) => members::erase(edge, identity).await?,
                    None => false,
                };
                call.trace.note("outcome", "erased");
                let done = json!({
                    "erased": true, "member": member, "ledgers": ledgers, "rows": rows,
                });
                return Ok(Reply::json(200, &done));
            }
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
    // Rights of different counters cannot be added, so in a ledger of several objects each name is
    // replaced by one of its own.
    let divided = objects.len() > 1;
    let replaced = |(index, was): (usize, &String)| match index {
        1.. if divided => (was.clone(), format!("{name}-{index}")),
        _ => (was.clone(), name.to_owned()),
    };
    let question = Question::Erase { names: pseudonyms.iter().enumerate().map(replaced).collect() };
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
