//! Requests with an `Idempotency-Key`: their first reply, again. What holds is in
//! [`promo_core::replies`].

use promo_core::replies::{self, Answer, Command, Says, is_final};

use crate::http::{Call, Problem, Reply};
use crate::ports::Edge;
use crate::settings::Caller;

/// The longest key.
const LONGEST_KEY: usize = 255;

/// A reply, and what it says of redemptions.
pub struct Said {
    /// The reply.
    pub reply: Reply,
    /// What may become untrue of it.
    pub says: Option<Says>,
}

impl From<Reply> for Said {
    fn from(reply: Reply) -> Self {
        Self { reply, says: None }
    }
}

/// Does the work of a request on a route; with an `Idempotency-Key` at most once, and then gives the first
/// reply again as long as it is true.
///
/// # Errors
/// 409 while another request under the key is at work, and when the first reply is no longer true; 422 for
/// a key that is none, and for another body under it; those of the work.
pub async fn once(
    call: &Call,
    edge: &Edge<'_>,
    caller: &Caller,
    route: &str,
    body: &[u8],
    work: impl Future<Output = Result<Said, Problem>>,
) -> Result<Reply, Problem> {
    let Some(key) = call.header("idempotency-key") else {
        return Ok(work.await?.reply);
    };
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
        return Err(Problem::new(422, &detail));
    }
    let name = replies::name(caller.as_str(), route, &key);
    let attempt = call.attempt.clone();
    let claim = Command::Claim { request: replies::request(body), attempt: attempt.clone() };
    let silent =
        |_| Problem::ours(503, "the replies kept do not answer").with_header("retry-after", "1");
    match edge.ask_replies(&name, claim).await.map_err(silent)? {
        Answer::Yours => {}
        Answer::Kept(kept) => return again(call, edge, kept).await,
        Answer::Another => {
            let detail =
                "this Idempotency-Key came with another body before; take a key of its own";
            return Err(Problem::new(422, detail));
        }
        Answer::Running | Answer::Nothing => {
            let detail = "a request under this Idempotency-Key is still being answered; ask again";
            return Err(Problem::new(409, detail)
                .with("reason", "in_progress")
                .with_header("retry-after", "1"));
        }
    }
    let said = work.await.unwrap_or_else(|problem| {
        call.trace.note("problem", problem.for_the_log());
        problem.into_reply().into()
    });
    let (reply, says) = (said.reply, said.says);
    let body = std::str::from_utf8(&reply.body).ok().filter(|body| is_final(reply.status, body));
    let command = match body {
        None => Command::Release { attempt },
        Some(body) => {
            let content_type = reply.content_type.clone().into_owned();
            let (status, body) = (reply.status, body.to_owned());
            let kept = replies::Reply { status, content_type, body, says };
            Command::Keep { attempt, reply: kept }
        }
    };
    match edge.ask_replies(&name, command).await {
        // Another one was faster after all: one key has one reply.
        Ok(Answer::Kept(kept)) if kept.body.as_bytes() != reply.body.as_slice() => {
            again(call, edge, kept).await
        }
        // What was done is done, also where its reply could not be kept; asked again, it is the same.
        _ => Ok(reply),
    }
}

/// A kept reply, unless it is no longer true.
async fn again(call: &Call, edge: &Edge<'_>, kept: replies::Reply) -> Result<Reply, Problem> {
    if let Some(says) = &kept.says {
        let silent = |_| {
            Problem::ours(503, "what a kept reply says cannot be checked")
                .with_header("retry-after", "1")
        };
        let campaigns = says.campaigns();
        let records = edge.tab_records(&says.tab, &campaigns).await.map_err(silent)?;
        if let Some(since) = says.contradicted(&records) {
            call.trace.note("outcome", since.as_str());
            let detail = "the reply that was given under this Idempotency-Key is no longer true; \
                          look at the tab, and take a new key for a new request";
            return Err(Problem::new(409, detail).with("reason", since.as_str()));
        }
    }
    call.trace.note("outcome", "kept reply");
    Ok(Reply::raw(kept.status, kept.content_type, kept.body.into_bytes()))
}
