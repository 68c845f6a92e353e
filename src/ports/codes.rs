//! How a request looks codes up.
//!
//! The order of look-ups is [`resolve`]'s; here its documents are read from KV and its numbers asked of
//! their objects.

use std::rc::Rc;

use promo_core::campaign::Campaign;
use promo_core::checkout::resolve::{Directory, Documents, Entry, Found, Key, resolve};
use promo_core::checkout::{Instrument, Query, Resolution, Unreachable};
use promo_core::code::keys::Keys;
use promo_core::code::signed::Signed;
use promo_core::guard::Limits;
use promo_core::ident::{CodeKey, LocationId};
use promo_core::location::Location;

use super::Edge;
use crate::catalogue::{KvFailure, code_key, prefix_key};
use crate::settings;

impl Documents for Edge<'_> {
    type Error = Unreachable;

    async fn entry(&self, key: Key<'_>) -> Result<Option<Entry>, Unreachable> {
        self.catalogue.entry(key).await.map_err(|error| self.silent(&error))
    }
}

impl Directory for Edge<'_> {
    async fn number(
        &self,
        key: &CodeKey,
    ) -> Result<Option<(Rc<Campaign>, Instrument)>, Unreachable> {
        self.look_up(key).await
    }

    fn keys(&self) -> Result<Keys, Unreachable> {
        settings::code_keys(self.env).map_err(|problem| {
            self.trace.note("unreachable", problem.for_the_log());
            Unreachable
        })
    }
}

impl Edge<'_> {
    /// What something leads to; the log says why it leads nowhere.
    pub(super) async fn look(&self, query: &Query) -> Result<Resolution, Unreachable> {
        let resolution = resolve(self, query).await?;
        match &resolution {
            Resolution::Found(Found { proven: Some(proven), .. }) => {
                self.trace.note("serial", proven.serial);
            }
            Resolution::Unknown { stored: true, why, .. } => {
                let what = match query {
                    Query::Code(code) => code_key(code),
                    Query::Number(key) => key.to_string(),
                };
                self.trace.note("catalogue", format!("{what}: {why}"));
            }
            _ => {}
        }
        Ok(resolution)
    }

    /// A location's document; and in the same wait, what a typed code will be looked for under first.
    ///
    /// # Errors
    /// When KV cannot be read.
    pub async fn location_and_code(
        &self,
        location: &LocationId,
        typed: Option<&str>,
    ) -> Result<Location, KvFailure> {
        let key = match typed.map(Query::typed) {
            Some(Ok(Query::Code(code))) => Some(match Signed::read(&code) {
                Some(signed) => prefix_key(signed.prefix()),
                None => code_key(&code),
            }),
            _ => None,
        };
        self.catalogue.location_and(location, key).await
    }

    /// Has misses counted up to these limits from now on.
    pub fn guarded(&self, limits: Limits) {
        self.limits.set(Some(limits));
    }
}
