//! Two REDEEMs of an interleaving: what they name, on which cart.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{Step, World};
use super::*;
use crate::campaign::Campaign;
use crate::cart::Cart;
use crate::code::CanonicalCode;
use crate::engine::{Allowance, Asked, Context, LocationFacts, Standing, decide_by_unit};
use crate::ident::CodeKey;
use crate::time::Zone;

/// What may be wrong with an edge, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    None,
    /// It takes over the version of what stands, and decides as if nothing did.
    DecidesOnNothing,
    /// It settles not only its own claims.
    SettlesForOthers,
    /// It asks the ledger without being admitted.
    DoesNotAsk,
}

/// What does not change.
pub struct Plot {
    pub campaigns: Vec<Campaign>,
    /// Which campaign's which offer each REDEEM names.
    pub names: [(usize, &'static str); 2],
    pub cart: Cart,
    context: Context,
    pub limit: u64,
    /// When the reversal was received.
    pub reversed: i64,
    pub bug: Bug,
    /// What all that stands may come to together, and how many offers may stand.
    pub most: (u64, usize),
}

impl Plot {
    pub fn new(campaigns: &[Value], names: [(usize, &'static str); 2], most: (u64, usize)) -> Self {
        let parse = |it: &Value| Campaign::from_json(it.to_string().as_bytes()).unwrap();
        let cart = json!({"currency": "USD", "lines": [
            {"id": "1", "sku": "BURGER", "quantity": 1, "unit_price": 1200},
            {"id": "2", "sku": "FRIES", "quantity": 1, "unit_price": 4800},
        ]});
        Self {
            campaigns: campaigns.iter().map(parse).collect(),
            names,
            cart: Cart::from_json(cart.to_string().as_bytes()).unwrap(),
            context: Context {
                at: at(100),
                location: LocationFacts::default(),
                default_zone: Zone::utc(),
            },
            limit: 1,
            reversed: 0,
            bug: Bug::None,
            most,
        }
    }

    fn code() -> CodeKey {
        CodeKey::of(&CanonicalCode::parse("CODE").unwrap())
    }

    pub fn offer(&self, index: usize) -> OfferRef {
        let (campaign, offer) = self.names[index];
        let campaign = self.campaigns[campaign].id();
        OfferRef::parse(&format!("{campaign}.{offer}.CODE")).unwrap()
    }

    /// What a till's offer gives beside what stands. What stands already of it is asked for again.
    pub fn decide(&self, index: usize, standing: &Standing) -> Vec<StandingOffer> {
        let (campaign, named) = self.names[index];
        let campaign = &self.campaigns[campaign];
        let own = self.offer(index);
        if let Some(again) = standing.offers.iter().find(|it| it.offer == own) {
            return vec![again.clone()];
        }
        let allow = |offer: &crate::campaign::Offer| match offer.id().as_str() == named {
            true => Allowance::Open,
            false => Allowance::NotAsked,
        };
        let allowances: Vec<Allowance> = campaign.offers().iter().map(allow).collect();
        let asked = [Asked { campaign, allowances: &allowances, at_most: None }];
        let decision = decide_by_unit(&asked, &self.cart, &self.context, standing).unwrap();
        let stand = |it| StandingOffer::of(it, campaign, Self::code(), &self.cart);
        decision.applied.iter().filter_map(stand).collect()
    }

    /// Tries every order of steps; returns how many different states there are.
    pub fn explore(&self) -> Result<usize, String> {
        let mut met = BTreeSet::new();
        let mut open = vec![(World::new(), Vec::new())];
        while let Some((mut world, way)) = open.pop() {
            let told = |complaint: String| format!("{complaint}\nafter {way:?}");
            if !met.insert(world.fingerprint()) {
                continue;
            }
            world.check(self).map_err(told)?;
            let steps = world.steps();
            if steps.is_empty() {
                world.check_at_the_end(self).map_err(told)?;
            }
            for step in steps {
                let mut next = world.clone();
                let mut way: Vec<Step> = way.clone();
                way.push(step);
                next.take(step, self).map_err(|complaint| format!("{complaint}\nafter {way:?}"))?;
                open.push((next, way));
            }
        }
        Ok(met.len())
    }
}
