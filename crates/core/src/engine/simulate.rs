//! The engine from outside: a request in JSON, a reply in JSON, and nothing touched or counted.
//!
//! The command line and `POST /admin/simulate` are both this module. A request that brings its
//! campaigns is answered by [`simulate`]. One that does not is read as a [`Request`] first, so that its
//! codes can be looked up, and then answered with the campaigns they lead to.

mod reply;
mod request;

pub use reply::{AppliedOffer, Rejection, Reply, Share};
pub use request::Request;

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Context, EngineError, LocationFacts, Reason, Standing, decide};
use crate::{
    campaign::{Campaign, Codes},
    code::{CanonicalCode, keys::Keys, signed::Signed},
    fault::Faults,
    time::{Instant, Zone},
};

/// What a request may leave out.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The time, when the request has no `at`.
    pub now: Option<Instant>,
    /// The deployment's zone.
    pub zone: Zone,
}

/// Answers a request that brings its campaigns.
///
/// # Errors
/// Every fault of the request, those of its campaigns below `/campaigns/0`, `/campaigns/1`, ….
pub fn simulate(request: &[u8], defaults: &Defaults) -> Result<Vec<u8>, Faults> {
    let request = Request::from_json(request)?;
    let context = request.context(defaults)?;
    Ok(request.reply(&context)?.to_json())
}

impl Request {
    /// The place and time of the request.
    ///
    /// # Errors
    /// When neither the request nor the defaults say what time it is.
    pub fn context(&self, defaults: &Defaults) -> Result<Context, Faults> {
        let at = self.at.or(defaults.now);
        Ok(Context {
            at: at.ok_or_else(|| Faults::one("/at", "is missing"))?,
            location: LocationFacts { timezone: self.timezone.clone(), tags: self.tags.clone() },
            default_zone: defaults.zone.clone(),
        })
    }

    /// Answers with the request's own campaigns: those its codes lead to, in the order of the codes, or
    /// all, when it has no `codes`. The others are rejected, and so is a code that leads to none.
    ///
    /// # Errors
    /// When the request has no campaigns, or the engine cannot answer.
    pub fn reply<'a>(&'a self, context: &'a Context) -> Result<Reply<'a>, Faults> {
        self.reply_proving(None, context)
    }

    /// The same, where the keys of signed codes are known: a signed code leads to its campaign.
    ///
    /// # Errors
    /// As [`Request::reply`].
    pub fn reply_proving<'a>(
        &'a self,
        keys: Option<&Keys>,
        context: &'a Context,
    ) -> Result<Reply<'a>, Faults> {
        let Some(campaigns) = &self.campaigns else {
            return Err(Faults::one("/campaigns", "is missing"));
        };
        let Some(codes) = self.codes() else {
            let all: Vec<&Campaign> = campaigns.iter().collect();
            return self.reply_with(&all, context);
        };
        let mut leads: BTreeMap<&CanonicalCode, Vec<usize>> = BTreeMap::new();
        // A prefix is one campaign's: a request that gives it to more has the first in mind.
        let mut prefixes: BTreeMap<String, usize> = BTreeMap::new();
        for (index, campaign) in campaigns.iter().enumerate() {
            for code in fixed(campaign) {
                leads.entry(code).or_default().push(index);
            }
            if let Codes::Signed { prefix, .. } = campaign.codes() {
                prefixes.entry(prefix.folded()).or_insert(index);
            }
        }
        let proven = |code: &CanonicalCode| {
            let signed = Signed::read(code)?;
            let index = *prefixes.get(signed.prefix())?;
            proves(campaigns.get(index)?, &signed, keys?).then_some(vec![index])
        };
        let mut others: Vec<Option<&Campaign>> = campaigns.iter().map(Some).collect();
        let (mut reached, mut unknown) = (Vec::new(), Vec::new());
        let mut named = BTreeSet::new();
        for code in codes.into_iter().filter(|code| named.insert(*code)) {
            let Some(indices) = leads.get(code).cloned().or_else(|| proven(code)) else {
                unknown.push(code);
                continue;
            };
            reached.extend(indices.iter().filter_map(|index| others.get_mut(*index)?.take()));
        }
        let mut reply = self.reply_with(&reached, context)?;
        reply.rejected.extend(others.into_iter().flatten().map(|campaign| Rejection {
            campaign: Some(campaign.id().as_str()),
            code: None,
            offer: None,
            reason: Reason::UnknownCode,
            detail: not_reached(campaign, keys).to_owned(),
        }));
        unknown.into_iter().for_each(|code| reply.add_unknown_code(code));
        Ok(reply)
    }

    /// Answers with the campaigns that the request's codes were found to lead to, in the order of the
    /// codes. A code that leads nowhere is added by [`Reply::add_unknown_code`]; what cannot be a code is
    /// rejected here.
    ///
    /// # Errors
    /// When the engine cannot answer.
    pub fn reply_with<'a>(
        &'a self,
        reached: &[&'a Campaign],
        context: &'a Context,
    ) -> Result<Reply<'a>, Faults> {
        let asked: Vec<Asked<'a>> = reached.iter().map(|campaign| Asked::open(campaign)).collect();
        let decision = decide(&asked, &self.cart, context, Standing::nothing())
            .map_err(|error: EngineError| Faults::one("/cart/lines", error.to_string()))?;
        let mut reply = Reply::of(&decision, reached, &self.cart);
        let mut named = BTreeSet::new();
        for typed in self.codes.iter().flatten() {
            if let Err(why) = typed.code
                && named.insert(&typed.text)
            {
                reply.add_no_code(&typed.text, why);
            }
        }
        Ok(reply)
    }
}

fn fixed(campaign: &Campaign) -> &[CanonicalCode] {
    match campaign.codes() {
        Codes::Fixed(codes) => codes,
        _ => &[],
    }
}

fn proves(campaign: &Campaign, signed: &Signed, keys: &Keys) -> bool {
    match campaign.codes() {
        Codes::Signed { prefix, count } => {
            signed.prove(keys, campaign.id(), prefix, *count).is_ok()
        }
        _ => false,
    }
}

fn not_reached(campaign: &Campaign, keys: Option<&Keys>) -> &'static str {
    match campaign.codes() {
        Codes::Fixed(_) => "none of its codes was typed",
        Codes::Signed { .. } if keys.is_some() => "none of its codes was typed",
        Codes::Signed { .. } => "its codes can be told only where its keys are kept",
        Codes::Listed => "its codes can be told only where they are stored",
        Codes::None => "no code leads to it",
    }
}
