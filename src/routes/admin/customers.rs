//! Erasing a person: a job is started, which is then looked at. See [`promo_core::erasure`].

use std::time::Duration;

use promo_core::erasure::Report;
use promo_core::identity::spellings;
use worker::Delay;

use super::not_there;
use crate::erasing::rules_ever;
use crate::http::{Call, Problem, Reply, fresh_id, now};
use crate::members::{pepper, rules, silent};
use crate::objects::erasure::{ALL, Show, Start};
use crate::ports::Edge;

/// How long the answer waits, in milliseconds, until nobody finds the person any more. The stores take longer.
const CLOSING: i64 = 5000;
/// After how many milliseconds it looks again.
const AGAIN: u64 = 30;

/// Starts to erase a customer, or says which job is at it. It answers when the directory and the members' books
/// have forgotten the person, or after [`CLOSING`].
///
/// # Errors
/// 503 when the object of the jobs does not answer, or the deployment has no pepper.
pub async fn erase(edge: &Edge<'_>, call: &Call, identifier: &str) -> Result<Reply, Problem> {
    let rules = rules_ever(&edge.catalogue, &rules(edge).await?).await?;
    let who = spellings(identifier, &rules, &pepper(edge)?);
    let start = Start(fresh_id(), fresh_id(), who);
    let mut job = edge.call(ALL, "", &start, edge.deadline).await.map_err(silent)?;
    let until = call.received.plus_millis(CLOSING);
    while !job.closed && now() < until {
        Delay::from(Duration::from_millis(AGAIN)).await;
        let later = edge.call(ALL, "", &Show(job.id.clone()), edge.deadline).await;
        match later.ok().and_then(|found| found.into_iter().next()) {
            Some(later) => job = later,
            // It goes on without us.
            None => break,
        }
    }
    call.trace.note("outcome", "erasing");
    let place = format!("/admin/erasures/{}", job.id);
    Ok(Reply::json(202, &job).with_header("location", &place))
}

/// How far a job is.
///
/// # Errors
/// 404 when there is no such job, 503 when the object of the jobs does not answer.
pub async fn show(edge: &Edge<'_>, id: &str) -> Result<Reply, Problem> {
    let found = edge.call(ALL, "", &Show(id.to_owned()), edge.deadline).await.map_err(silent)?;
    let job: Report = found.into_iter().next().ok_or_else(|| not_there("erasure"))?;
    Ok(Reply::json(200, &job))
}
