//! What must come of an event, by the oracle and a list of what stands.

use std::collections::BTreeMap;

use promo_core::checkout::Quote;
use promo_core::ident::OfferRef;
use serde_json::{Value, json};

use super::oracle;
use super::shop::{Quota, Shop};

/// An offer that stands on a tab.
#[derive(Clone, Debug)]
pub struct Stood {
    pub campaign: usize,
    pub offer: OfferRef,
    pub name: String,
    pub quote: Quote,
}

/// What stands, by tab.
pub type Standing = BTreeMap<usize, Vec<Stood>>;

/// An answer, as far as it is known beforehand: by `offer_id`, what it gives of which line and fee, or
/// why it gives nothing.
pub type Answer = BTreeMap<String, Result<Value, String>>;

impl Shop {
    /// How much of a quota is used.
    pub fn used(&self, standing: &Standing, campaign: usize, quota: &Quota) -> u64 {
        let here = |stood: &&Stood| {
            let own = quota.offer.as_ref().is_none_or(|offer| *offer == stood.name);
            stood.campaign == campaign && own
        };
        let all = || standing.values().flatten().filter(here);
        match (&quota.offer, quota.partial) {
            (_, Some(_)) => all().map(|stood| stood.quote.discount.minor()).sum(),
            (Some(_), None) => all().count() as u64,
            (None, None) => {
                standing.values().filter(|tab| tab.iter().any(|s| here(&s))).count() as u64
            }
        }
    }

    /// What a REDEEM must answer that names these offers on a tab on which nothing stands.
    pub fn expected(&self, standing: &Standing, cart: &Value, named: &[(usize, usize)]) -> Answer {
        let mut order: Vec<usize> = Vec::new();
        for (campaign, _) in named {
            if !order.contains(campaign) {
                order.push(*campaign);
            }
        }
        let mut request = self.request.clone();
        request["cart"] = cart.clone();
        request["campaigns"] = order.iter().map(|c| self.documents[*c].clone()).collect();
        for campaign in &order {
            let document = &self.documents[*campaign];
            let offers = document["offers"].as_array().unwrap().iter().enumerate();
            let asked = offers.map(|(n, offer)| {
                let asked = named.contains(&(*campaign, n));
                let id = offer["id"].as_str().unwrap().to_owned();
                (id, json!(if asked { "open" } else { "not_asked" }))
            });
            let asked: serde_json::Map<String, Value> = asked.collect();
            request["allowed"][document["id"].as_str().unwrap()] = json!({ "offers": asked });
        }
        for campaign in &order {
            while self.ledger_speaks(standing, *campaign, &mut request) {}
        }
        self.told(&oracle::simulate(&request), named)
    }

    /// What a campaign's quotas have to say to what the oracle gives now; whether that changes anything.
    fn ledger_speaks(&self, standing: &Standing, campaign: usize, request: &mut Value) -> bool {
        let id = self.documents[campaign]["id"].as_str().unwrap();
        let reply = oracle::simulate(request);
        let allowed = &mut request["allowed"][id];
        let mut drawn: Vec<u64> = vec![0; self.quotas[campaign].len()];
        let mut changed = false;
        for given in reply["offers"].as_array().unwrap().iter().filter(|one| one["campaign"] == id)
        {
            let name = given["offer"].as_str().unwrap();
            let amount = given["discount"].as_u64().unwrap();
            match self.draws(standing, campaign, name, amount, &mut drawn) {
                Draw::Fits => continue,
                Draw::Refused(reason) => allowed["offers"][name] = json!({ "refused": reason }),
                Draw::Rest { all: false, left } => {
                    allowed["offers"][name] = json!({ "at_most": left });
                }
                Draw::Rest { all: true, left } => allowed["at_most"] = json!(left),
            }
            changed = true;
        }
        changed
    }

    fn draws(
        &self,
        standing: &Standing,
        campaign: usize,
        offer: &str,
        amount: u64,
        drawn: &mut [u64],
    ) -> Draw {
        let mut rest = None;
        let mut takes = Vec::new();
        for (n, quota) in self.quotas[campaign].iter().enumerate() {
            let of_campaign = quota.offer.is_none();
            let concerned = quota.offer.as_deref().is_none_or(|own| own == offer);
            let counted = of_campaign && quota.partial.is_none() && drawn[n] > 0;
            if !concerned || counted {
                continue;
            }
            let units = quota.partial.map_or(1, |_| amount);
            let used = self.used(standing, campaign, quota);
            if used + drawn[n] + units <= quota.limit {
                takes.push((n, units));
                continue;
            }
            let left = quota.limit.saturating_sub(used);
            match quota.partial {
                None => return Draw::Refused("quota_exhausted"),
                Some(true) if left > 0 => rest = Some(Draw::Rest { all: of_campaign, left }),
                Some(_) => return Draw::Refused("budget_exhausted"),
            }
        }
        if let Some(rest) = rest {
            return rest;
        }
        takes.into_iter().for_each(|(n, units)| drawn[n] += units);
        Draw::Fits
    }

    /// The oracle's reply by `offer_id`.
    fn told(&self, reply: &Value, named: &[(usize, usize)]) -> Answer {
        let mut answer = Answer::new();
        for (campaign, offer) in named {
            let document = &self.documents[*campaign];
            let name = &document["offers"][*offer]["id"];
            let it = |one: &&Value| one["campaign"] == document["id"] && one["offer"] == *name;
            let applied = reply["offers"].as_array().unwrap().iter().find(it);
            let whole = |one: &&Value| one["campaign"] == document["id"] && one["offer"].is_null();
            let rejected = reply["rejected"].as_array().unwrap();
            let why = rejected.iter().find(|one| it(one) || whole(one));
            let told = match (applied, why) {
                (Some(one), _) => Ok(shares(&one["discount"], &one["lines"], &one["fees"])),
                (None, why) => Err(told_reason(why.unwrap()["reason"].as_str().unwrap())),
            };
            answer.insert(self.offer_ref(*campaign, *offer).to_string(), told);
        }
        answer
    }
}

enum Draw {
    Fits,
    Refused(&'static str),
    /// A budget has so much, of the campaign or of the offer alone.
    Rest {
        all: bool,
        left: u64,
    },
}

/// Where both a quota and a budget are spent, either may be said.
pub fn told_reason(reason: &str) -> String {
    if reason.ends_with("_exhausted") { "exhausted" } else { reason }.to_owned()
}

pub fn shares(discount: &Value, lines: &Value, fees: &Value) -> Value {
    json!({ "discount": discount, "lines": lines, "fees": fees })
}

/// A quote in the form of an [`Answer`].
pub fn of_quote(quote: &Quote) -> Value {
    let quote = serde_json::to_value(quote).unwrap();
    shares(&quote["discount"], &quote["lines"], &quote["fees"])
}
