//! What a seed means: campaigns, tabs, what the tills do when, and how much goes wrong.

use serde_json::{Value, json};

use promo_core::ledger::shard::{LedgerLayout, ShardBy};

use crate::dice::Dice;
use crate::sim::Millis;

/// Two seconds before midnight, so that some of what happens falls into the next day.
pub const BEGIN: &str = "2026-07-04T23:59:58Z";
pub const PLACES: [&str; 2] = ["1019", "1020"];

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub campaigns: Vec<CampaignPlan>,
    pub tabs: Vec<TabPlan>,
    pub actions: Vec<Action>,
    pub faults: Faults,
}

#[derive(Clone, Debug)]
pub struct CampaignPlan {
    pub id: String,
    /// Single codes, each usable once.
    pub listed: bool,
    pub codes: Vec<String>,
    /// What each offer takes off a tab, in minor units.
    pub offers: Vec<u64>,
    pub combines: Value,
    pub quotas: Vec<QuotaPlan>,
    /// How its ledger is laid out to begin with.
    pub layout: LedgerLayout,
}

#[derive(Clone, Debug)]
pub struct QuotaPlan {
    pub offer: Option<usize>,
    pub per: Vec<&'static str>,
    pub day: bool,
    pub anonymous: bool,
    pub kind: Kind,
    pub limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Uses,
    Budget { partial: bool },
}

#[derive(Clone, Debug)]
pub struct TabPlan {
    pub place: usize,
    pub customer: Option<String>,
    pub subtotal: u64,
    pub fee: u64,
}

#[derive(Clone, Debug)]
pub struct Action {
    pub id: u64,
    pub start: Start,
    pub tab: usize,
    pub edge: usize,
    pub what: What,
}

#[derive(Clone, Copy, Debug)]
pub enum Start {
    At(Millis),
    /// So long after the till has heard of another action, or has given it up.
    After(u64, Millis),
}

/// Campaign, offer, code, by their numbers.
pub type Named = (usize, usize, usize);

#[derive(Clone, Debug)]
pub enum What {
    Inquire { campaign: usize, code: usize },
    Redeem { offers: Vec<Named>, again: u32 },
    Reverse { offers: Vec<Named>, unknown: bool, again: u32 },
    Limit { campaign: usize, quota: usize, limit: u64 },
    Layout { campaign: usize, layout: LedgerLayout },
}

/// How often, in a thousand, and how long.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub lost_request: u64,
    pub lost_reply: u64,
    pub doubled: u64,
    pub crash_before: u64,
    pub crash_after: u64,
    /// Messages that arrive long after everybody gave up.
    pub late: u64,
    pub edge_dies: u64,
    pub catalogue_fails: u64,
    /// For how long an old document is served.
    pub stale: Millis,
    /// How far an edge's clock is off, either way.
    pub skew: Millis,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &[1]);
        let count = dice.pick(&[1, 2, 2, 3]);
        let campaigns: Vec<_> = (0..count).map(|n| campaign(n, count, &mut dice)).collect();
        let tabs: Vec<_> = (0..dice.between(1, 4)).map(|_| tab(&mut dice)).collect();
        let faults = faults(&mut dice);
        let rush = dice.one_in(2);
        let actions = (0..u64::try_from(dice.between(4, 16)).unwrap())
            .map(|id| action(id, rush, &campaigns, tabs.len(), &faults, &mut dice))
            .collect();
        Self { seed, campaigns, tabs, actions, faults }
    }
}

fn campaign(n: usize, count: usize, dice: &mut Dice) -> CampaignPlan {
    let listed = dice.one_in(5);
    let codes = if listed { 4 } else { 2 };
    let offers = (0..dice.pick(&[1, 2, 2, 3])).map(|_| dice.pick(&[100, 250, 400, 700]));
    let offers: Vec<u64> = offers.collect();
    let mut quotas = Vec::new();
    let mut budget = false;
    for _ in 0..dice.pick(&[1, 1, 2, 3]) {
        let offer = dice.one_in(3).then(|| dice.below(offers.len()));
        let kind = match dice.below(4) {
            0 if !budget => Kind::Budget { partial: false },
            1 if !budget => Kind::Budget { partial: true },
            _ => Kind::Uses,
        };
        budget |= kind != Kind::Uses;
        let limit = match kind {
            Kind::Uses => dice.pick(&[1, 1, 2, 3]),
            Kind::Budget { .. } => dice.pick(&[300, 650, 1000]),
        };
        let mut per: Vec<&str> = Vec::new();
        for (scope, chances) in [("code", 4), ("customer", 3), ("location", 4)] {
            if dice.one_in(chances) {
                per.push(scope);
            }
        }
        let quota =
            QuotaPlan { offer, per, day: dice.one_in(4), anonymous: dice.one_in(2), kind, limit };
        let same = |q: &QuotaPlan| {
            q.offer == offer && q.per == quota.per && q.day == quota.day && (q.kind == kind)
        };
        if !quotas.iter().any(same) {
            quotas.push(quota);
        }
    }
    let others: Vec<_> = (0..count).filter(|o| *o != n && dice.one_in(2)).collect();
    let others: Vec<_> = others.iter().map(|other| format!("c{other}")).collect();
    CampaignPlan {
        id: format!("c{n}"),
        listed,
        codes: (0..codes).map(|code| format!("CODE{n}{code}")).collect(),
        offers,
        combines: match dice.below(4) {
            0 => json!("none"),
            1 if !others.is_empty() => json!(others),
            _ => json!("any"),
        },
        quotas,
        layout: if dice.one_in(2) { LedgerLayout::SINGLE } else { layout(dice) },
    }
}

fn layout(dice: &mut Dice) -> LedgerLayout {
    let by = dice.pick(&[ShardBy::Tab, ShardBy::Tab, ShardBy::Code, ShardBy::Customer]);
    LedgerLayout::new(dice.pick(&[1, 2, 3, 4, 8]), by)
}

fn tab(dice: &mut Dice) -> TabPlan {
    TabPlan {
        place: dice.below(2),
        customer: dice.pick(&[None, Some("ann"), Some("ann"), Some("bob")]).map(str::to_owned),
        subtotal: dice.pick(&[300, 600, 1000, 1000]),
        fee: dice.pick(&[0, 0, 100]),
    }
}

fn faults(dice: &mut Dice) -> Faults {
    let mut often = |choices: &[u64]| dice.pick(choices);
    let mut faults = Faults {
        lost_request: often(&[0, 0, 50, 200]),
        lost_reply: often(&[0, 0, 50, 200]),
        doubled: often(&[0, 0, 100]),
        crash_before: often(&[0, 0, 50]),
        crash_after: often(&[0, 0, 50]),
        late: often(&[0, 0, 50, 200]),
        edge_dies: often(&[0, 0, 50, 200]),
        catalogue_fails: often(&[0, 0, 0, 50]),
        ..Faults::default()
    };
    faults.stale = dice.pick(&[0, 0, 500, 3000]);
    faults.skew = dice.pick(&[0, 0, 5, 50]);
    faults
}

fn action(
    id: u64,
    rush: bool,
    campaigns: &[CampaignPlan],
    tabs: usize,
    faults: &Faults,
    dice: &mut Dice,
) -> Action {
    let start = match dice.below(4) {
        // A till that wants its reversal to come after its REDEEM waits until all clocks agree on it.
        0 if id > 0 => {
            let other = u64::try_from(dice.below(usize::try_from(id).unwrap())).unwrap();
            Start::After(other, faults.skew * 2 + 1 + dice.between(0, 50))
        }
        1 if !rush => Start::At(dice.between(12_000, 30_000)),
        _ if rush => Start::At(dice.between(0, 60)),
        _ => Start::At(dice.between(0, 4000)),
    };
    let named = |dice: &mut Dice| {
        let campaign = dice.below(campaigns.len());
        let plan = &campaigns[campaign];
        (campaign, dice.below(plan.offers.len()), dice.below(plan.codes.len()))
    };
    let some = |least: i64, dice: &mut Dice| -> Vec<Named> {
        let mut offers: Vec<Named> = (0..dice.between(least, 3)).map(|_| named(dice)).collect();
        // Mostly one code of a campaign, as a guest would.
        if dice.happens(800) {
            offers.iter_mut().for_each(|offer| offer.2 = 0);
        }
        offers
    };
    let again = u32::try_from(dice.pick(&[0, 0, 0, 1, 2])).unwrap();
    let what = match dice.below(24) {
        0 => {
            let (campaign, _, code) = named(dice);
            What::Inquire { campaign, code }
        }
        1..=11 => What::Redeem { offers: some(1, dice), again },
        12..=17 => What::Reverse {
            offers: if dice.one_in(2) { Vec::new() } else { some(1, dice) },
            unknown: dice.one_in(10),
            again,
        },
        20..=23 => {
            let campaign = dice.below(campaigns.len());
            // Mostly of a campaign that is divided already.
            match campaigns[campaign].layout.is_divided() || dice.one_in(3) {
                true => What::Layout { campaign, layout: layout(dice) },
                false => What::Inquire { campaign, code: 0 },
            }
        }
        _ => {
            let campaign = dice.below(campaigns.len());
            let quota = dice.below(campaigns[campaign].quotas.len());
            let limit = match campaigns[campaign].quotas[quota].kind {
                Kind::Uses => dice.pick(&[1, 2, 4]),
                Kind::Budget { .. } => dice.pick(&[100, 500, 1500]),
            };
            What::Limit { campaign, quota, limit }
        }
    };
    Action { id, start, tab: dice.below(tabs), edge: dice.below(3), what }
}

impl CampaignPlan {
    /// The document with these limits.
    pub fn document(&self, limits: &[u64], layout: LedgerLayout) -> Value {
        let quotas = |of: Option<usize>| -> Vec<Value> {
            let of = self.quotas.iter().zip(limits).filter(|(quota, _)| quota.offer == of);
            of.map(|(quota, limit)| quota.document(*limit)).collect()
        };
        let offers = self.offers.iter().enumerate().map(|(index, amount)| {
            json!({ "id": format!("o{index}"), "name": "so much off",
                "discount": {"amount": amount}, "quotas": quotas(Some(index)) })
        });
        json!({
            "id": self.id, "name": self.id, "currency": "USD", "timezone": "UTC",
            "codes": if self.listed { json!({"listed": true}) } else { json!({"fixed": self.codes}) },
            "offers": offers.collect::<Vec<_>>(), "quotas": quotas(None),
            "combines_with": self.combines, "ledger": layout,
        })
    }

    pub fn combines(&self, other: &Self) -> bool {
        let accepts = |by: &Self, of: &Self| match &by.combines {
            Value::Array(list) => list.contains(&json!(of.id)),
            word => word == "any",
        };
        accepts(self, other) && accepts(other, self)
    }

    pub fn offer_id(&self, offer: usize, code: usize) -> String {
        format!("{}.o{offer}.{}", self.id, self.codes[code])
    }
}

impl QuotaPlan {
    fn document(&self, limit: u64) -> Value {
        let mut quota =
            json!({ "per": self.per, "window": if self.day { "day" } else { "total" } });
        match self.kind {
            Kind::Uses => quota["limit"] = json!(limit),
            Kind::Budget { partial } => {
                quota["budget"] = json!(limit);
                quota["on_short"] = json!(if partial { "partial" } else { "refuse" });
            }
        }
        if self.anonymous && self.per.contains(&"customer") {
            quota["anonymous"] = json!("allow");
        }
        quota
    }
}
