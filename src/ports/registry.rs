//! How a request reaches the registry.

use std::time::Duration;

use promo_core::checkout::Unreachable;
use promo_core::registry::{DocumentKey, Found};
use promo_core::revision::Revision;
use promo_core::time::Instant;
use worker::Delay;

use super::Edge;
use crate::http::{Problem, now};
use crate::objects::ask::Ask;
use crate::objects::registry::{Get, NAME, Standing};

/// What an operator's change may take, in milliseconds.
const CHANGE: i64 = 20_000;
/// For so many milliseconds the reply to a change waits for it to be published.
const PUBLISHING: i64 = 8000;
/// Between two looks whether it is, in milliseconds: the first and the longest wait.
const FIRST_LOOK: u64 = 2;
const LONGEST_LOOK: u64 = 50;

impl Edge<'_> {
    /// Asks the registry.
    ///
    /// # Errors
    /// 503 when it cannot be reached.
    pub async fn registry<Q: Ask>(&self, question: &Q) -> Result<Q::Reply, Problem> {
        let until = now().plus_millis(CHANGE);
        self.call(NAME, "", question, until).await.map_err(|_| {
            Problem::ours(503, "the registry did not answer").with_header("retry-after", "1")
        })
    }

    /// Whether a revision is published: waits for it, but not for ever.
    pub async fn is_published(&self, key: &DocumentKey, revision: Revision) -> bool {
        let until = now().plus_millis(PUBLISHING);
        let mut wait = FIRST_LOOK;
        loop {
            let standing = self.call(NAME, "", &Standing(key.clone()), until).await;
            match standing {
                // A newer one that is published has superseded it everywhere.
                Ok(Some(standing)) if standing.published && standing.revision >= revision => {
                    return true;
                }
                Err(Unreachable) => return false,
                Ok(_) => {}
            }
            if is_over(until, wait) {
                return false;
            }
            Delay::from(Duration::from_millis(wait)).await;
            wait = wait.saturating_mul(2).min(LONGEST_LOOK);
        }
    }

    /// A document as the registry has it or, where it does not know it, as somebody put it into KV, with its
    /// revision if it has one.
    ///
    /// # Errors
    /// 503 when the registry or KV cannot be read.
    pub async fn document(
        &self,
        key: &DocumentKey,
    ) -> Result<Option<(Option<Revision>, Vec<u8>)>, Problem> {
        match self.registry(&Get(key.clone(), None)).await? {
            Found::Document(version) => {
                let document = version.document.unwrap_or_default().into_bytes();
                Ok(Some((Some(version.revision), document)))
            }
            Found::Deleted(_) | Found::NoSuchRevision => Ok(None),
            Found::Unknown => {
                let by_hand = self.catalogue.by_hand(&key.kv_key()).await?;
                Ok(by_hand.map(|document| (None, document)))
            }
        }
    }
}

/// Whether there is no time for another wait.
fn is_over(until: Instant, wait: u64) -> bool {
    now().plus_millis(i64::try_from(wait).unwrap_or(i64::MAX)) >= until
}
