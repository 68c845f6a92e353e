//! The seeds.

use std::collections::BTreeMap;

use promo_core::checkout::{Inquired, Quote, Reversal, inquire, reverse};
use promo_core::ident::OfferRef;
use promo_core::time::Instant;
use serde_json::{Value, json};

use super::bugs::{self, CartBug};
use super::expect::{Answer, Standing, Stood, of_quote, told_reason};
use super::generate;
use super::shop::{Shop, tab_key};
use crate::dice::Dice;

const TABS: usize = 4;
const EVENTS: usize = 14;

/// Offers redeemed by several events give what one event gives (ledger.md, promise 15).
const ONE_SUM: bool = true;

/// What happened: seeds in which nothing happens prove nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    applied: usize,
    rejected: usize,
    exhausted: usize,
    several: usize,
    /// A later campaign of one REDEEM gives something else than it would alone.
    depends: usize,
    cut: usize,
    fees: usize,
    repeated: usize,
    more: usize,
    reversed: usize,
    changed: usize,
    inquired: usize,
}

struct Play {
    shop: Shop,
    dice: Dice,
    standing: Standing,
    carts: BTreeMap<usize, Value>,
    /// Tabs whose cart is still the one on which everything that stands was decided.
    unchanged: BTreeMap<usize, bool>,
    now: i64,
    seen: Seen,
}

impl Play {
    fn new(seed: u64, bug: Option<CartBug>) -> Self {
        let shop = Shop::new(seed, bug);
        let cart = |tab: usize| {
            let mut cart = match tab {
                0 => shop.request["cart"].clone(),
                _ => generate::request(seed + 1_000_003 * tab as u64)["cart"].clone(),
            };
            cart["currency"] = shop.request["cart"]["currency"].clone();
            (tab, cart)
        };
        Self {
            carts: (0..TABS).map(cart).collect(),
            dice: Dice::of(seed, &[9]),
            standing: Standing::new(),
            unchanged: BTreeMap::new(),
            now: 1_000_000,
            seen: Seen::default(),
            shop,
        }
    }

    fn tick(&mut self) -> Instant {
        self.now += 1;
        Instant::from_millis(self.now)
    }

    /// Offers of this and that campaign, as a till names them.
    fn draw(&mut self) -> Vec<(usize, usize)> {
        let mut named = Vec::new();
        let campaigns = self.shop.documents.len();
        for _ in 0..self.dice.between(1, 5) {
            let campaign = self.dice.below(campaigns);
            let offers = self.shop.documents[campaign]["offers"].as_array().unwrap().len();
            let one = (campaign, self.dice.below(offers));
            if !named.contains(&one) {
                named.push(one);
            }
        }
        named
    }

    fn goes_on(&mut self) -> Result<(), String> {
        let tab = self.dice.below(TABS);
        match self.dice.below(12) {
            0..=5 => {
                let named = self.draw();
                self.redeems(tab, &named)?;
            }
            6 => {
                // A till asks once more for what it has, perhaps with another cart.
                let stands = self.standing.get(&tab).cloned().unwrap_or_default();
                let named: Vec<_> = stands.iter().map(|s| self.shop.named(&s.offer)).collect();
                if !named.is_empty() {
                    self.redeems(tab, &named)?;
                    self.seen.repeated += 1;
                }
            }
            7 => self.reverses(tab, true)?,
            8 => self.reverses(tab, false)?,
            9 | 10 => self.cart_changes(tab),
            _ => self.inquires(tab)?,
        }
        self.counted()
    }

    fn redeems(&mut self, tab: usize, named: &[(usize, usize)]) -> Result<(), String> {
        let offers: Vec<OfferRef> =
            named.iter().map(|(campaign, offer)| self.shop.offer_ref(*campaign, *offer)).collect();
        let received = self.tick();
        let cart = self.carts[&tab].clone();
        let event = self.shop.event(&tab_key(tab), &cart, received, format!("e{}", self.now));
        let answer = bugs::redeemed(&self.shop, &offers, &event).map_err(|e| e.to_string())?;
        let mut told = Answer::new();
        for quote in &answer.applied {
            told.insert(quote.offer_id.to_string(), Ok(of_quote(quote)));
        }
        for no in &answer.rejected {
            told.insert(no.offer_id.clone(), Err(told_reason(no.reason.as_str())));
        }
        if told.len() != answer.applied.len() + answer.rejected.len() || told.len() != named.len() {
            return Err(format!("each offer once: {told:#?}"));
        }
        if self.standing.get(&tab).is_none_or(Vec::is_empty) {
            let expected = self.shop.expected(&self.standing, &cart, named);
            if told != expected {
                return Err(format!("{named:?} on {cart}\n{told:#?}, not {expected:#?}"));
            }
            self.look_at(&cart, named, &expected);
            self.unchanged.insert(tab, true);
        } else {
            self.beside_others(tab, &cart, &answer.applied)?;
        }
        let before = self.standing.entry(tab).or_default();
        for quote in answer.applied {
            if before.iter().all(|stood| stood.offer != quote.offer_id) {
                let campaign = self.shop.named(&quote.offer_id).0;
                let (offer, name) = (quote.offer_id.clone(), quote.offer.clone());
                before.push(Stood { campaign, offer, name, quote });
            }
        }
        Ok(())
    }

    /// What an answer exercises.
    fn look_at(&mut self, cart: &Value, named: &[(usize, usize)], answer: &Answer) {
        let seen = &mut self.seen;
        seen.applied += answer.values().filter(|told| told.is_ok()).count();
        seen.rejected += answer.values().filter(|told| told.is_err()).count();
        let exhausted = |told: &&Result<Value, String>| {
            told.as_ref().is_err_and(|reason| reason == "exhausted")
        };
        seen.exhausted += answer.values().filter(exhausted).count();
        let fees = |told: &Value| told["fees"].as_array().is_some_and(|fees| !fees.is_empty());
        seen.fees += answer.values().flatten().filter(|told| fees(told)).count();
        let first = named[0].0;
        if named.iter().all(|(campaign, _)| *campaign == first) {
            return;
        }
        seen.several += 1;
        let later: Vec<_> = named.iter().copied().filter(|(c, _)| *c != first).collect();
        let alone = self.shop.expected(&self.standing, cart, &later);
        seen.depends += usize::from(alone.iter().any(|(id, told)| answer[id] != *told));
    }

    /// What holds of new offers on a tab on which others stand.
    fn beside_others(&mut self, tab: usize, cart: &Value, applied: &[Quote]) -> Result<(), String> {
        let stands = &self.standing[&tab];
        let number = |value: &Value| value.as_u64().unwrap();
        let lines = cart["lines"].as_array().unwrap();
        let price = |line: &Value| number(&line["quantity"]) * number(&line["unit_price"]);
        let sum_of_lines: u64 = lines.iter().map(price).sum();
        let fees = cart["fees"].as_array().unwrap();
        let sum_of_fees: u64 = fees.iter().map(|fee| number(&fee["amount"])).sum();
        let ceiling = cart["subtotal"].as_u64().unwrap_or(sum_of_lines) + sum_of_fees;
        let given = |quotes: &[&Quote]| -> u64 { quotes.iter().map(|q| q.discount.minor()).sum() };
        let before: Vec<&Quote> = stands.iter().map(|stood| &stood.quote).collect();
        let mut new = Vec::new();
        for quote in applied {
            match before.iter().find(|known| known.offer_id == quote.offer_id) {
                Some(known) if **known != *quote => {
                    return Err(format!("{} has two answers", quote.offer_id));
                }
                Some(_) => {}
                None => new.push(quote),
            }
        }
        let all = [before.clone(), new.clone()].concat();
        if !new.is_empty() && given(&all) > ceiling.max(given(&before)) {
            return Err(format!("the tab costs {ceiling}, and {} is off", given(&all)));
        }
        for quote in &new {
            let share = |shares: &[promo_core::checkout::Share]| -> u64 {
                shares.iter().map(|share| share.discount.minor()).sum()
            };
            let shared = share(&quote.lines) + share(&quote.fees);
            if !lines.is_empty() && shared != quote.discount.minor() {
                return Err(format!("{quote:?} shares {shared}"));
            }
        }
        // An offer of this event sees what those before it in this event left, or on the whole tab.
        let counted = if ONE_SUM && self.unchanged[&tab] { &all } else { &new };
        for line in lines {
            let id = line["id"].as_str().unwrap();
            let shares = counted.iter().flat_map(|quote| &quote.lines).filter(|s| s.id == id);
            let off: u64 = shares.map(|share| share.discount.minor()).sum();
            let floor = line["min_unit_price"].as_u64().unwrap_or(0);
            let room =
                number(&line["unit_price"]).saturating_sub(floor) * number(&line["quantity"]);
            if off > room {
                return Err(format!("line {id} may lose {room}, and loses {off}"));
            }
        }
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let (n, m) = (self.shop.named(&one.offer_id).0, self.shop.named(&other.offer_id).0);
            if n != m && !self.combine(n, m) {
                return Err(format!("{} stands beside {}", one.offer_id, other.offer_id));
            }
        }
        self.seen.more += new.len();
        Ok(())
    }

    fn combine(&self, one: usize, other: usize) -> bool {
        let accepts = |by: usize, of: usize| {
            let combines = &self.shop.documents[by]["combines_with"];
            let listed = combines.as_array();
            let id = &self.shop.documents[of]["id"];
            combines == "any" || listed.is_some_and(|list| list.contains(id))
        };
        accepts(one, other) && accepts(other, one)
    }

    fn reverses(&mut self, tab: usize, whole: bool) -> Result<(), String> {
        let stands = self.standing.entry(tab).or_default().clone();
        let named: Vec<OfferRef> = match whole {
            true => stands.iter().map(|stood| stood.offer.clone()).collect(),
            false => stands.iter().take(1).map(|stood| stood.offer.clone()).collect(),
        };
        if !whole && named.is_empty() {
            return Ok(());
        }
        let offer_ids = match whole {
            true => Vec::new(),
            false => named.iter().map(ToString::to_string).collect(),
        };
        let reversal = Reversal { tab: tab_key(tab), also: None, offer_ids, received: self.tick() };
        for again in [false, true] {
            let answer =
                self.shop.now(reverse(&self.shop, &reversal)).map_err(|e| e.to_string())?;
            let (mut reversed, mut should) = (answer.reversed, named.clone());
            should.retain(|_| !again);
            reversed.sort();
            should.sort();
            if reversed != should {
                return Err(format!("{reversed:?} are reversed, not {should:?}"));
            }
        }
        self.seen.reversed += named.len();
        let left = self.standing.entry(tab).or_default();
        left.retain(|stood| !named.contains(&stood.offer));
        Ok(())
    }

    /// Somebody orders one more, sends one back, or a fee is added.
    fn cart_changes(&mut self, tab: usize) {
        let cart = self.carts.get_mut(&tab).unwrap();
        cart.as_object_mut().unwrap().remove("subtotal");
        let fees = cart["fees"].as_array().unwrap().len();
        let lines = cart["lines"].as_array_mut().unwrap();
        match self.dice.below(3) {
            0 if lines.len() > 1 => drop(lines.remove(self.dice.below(lines.len()))),
            1 if !lines.is_empty() => {
                let line = self.dice.below(lines.len());
                lines[line]["quantity"] = json!(self.dice.between(1, 5));
            }
            _ => {
                let fee = json!({"id": format!("more{fees}"), "kind": "delivery", "amount": 150});
                cart["fees"].as_array_mut().unwrap().push(fee);
            }
        }
        if cart["lines"].as_array().unwrap().is_empty() {
            cart["subtotal"] = json!(self.dice.between(1, 3000));
        }
        self.unchanged.insert(tab, false);
        self.seen.changed += 1;
    }

    /// A code on a tab on which nothing stands is worth what a REDEEM of all its offers would give.
    fn inquires(&mut self, tab: usize) -> Result<(), String> {
        if !self.standing.entry(tab).or_default().is_empty() {
            return Ok(());
        }
        let campaign = self.dice.below(self.shop.documents.len());
        let offers = self.shop.documents[campaign]["offers"].as_array().unwrap().len();
        let named: Vec<_> = (0..offers).map(|offer| (campaign, offer)).collect();
        let cart = self.carts[&tab].clone();
        let received = self.tick();
        let event = self.shop.event(&tab_key(tab), &cart, received, format!("e{}", self.now));
        let typed = format!("code-{campaign}");
        let answer = self.shop.now(inquire(&self.shop, &typed, &event));
        let shown: BTreeMap<String, Value> = match answer.map_err(|e| e.to_string())? {
            Inquired::Offers(quotes) => {
                quotes.iter().map(|quote| (quote.offer_id.to_string(), of_quote(quote))).collect()
            }
            Inquired::Refused { .. } | Inquired::Locked(_) => BTreeMap::new(),
        };
        let expected = self.shop.expected(&self.standing, &cart, &named);
        let given = expected.into_iter().filter_map(|(id, told)| Some((id, told.ok()?)));
        let given: BTreeMap<String, Value> = given.collect();
        self.seen.inquired += given.len();
        if shown != given {
            return Err(format!("{typed} on {cart}\n{shown:#?} is shown, not {given:#?}"));
        }
        Ok(())
    }

    /// Every counter counts what stands, and no more than it may.
    fn counted(&mut self) -> Result<(), String> {
        for (n, quotas) in self.shop.quotas.iter().enumerate() {
            let id = crate::world::id(self.shop.documents[n]["id"].as_str().unwrap());
            let ledgers = self.shop.ledgers.borrow();
            for quota in quotas {
                let measure = if quota.partial.is_some() { "amount" } else { "uses" };
                let owner = quota.offer.as_deref().unwrap_or("*");
                let prefix = format!("{owner}|{measure}|");
                let stocks = ledgers[&id].stocks.iter();
                let of_quota = stocks.filter(|(key, _)| key.starts_with(&prefix));
                let counted: u64 = of_quota.map(|(_, stock)| stock.used).sum();
                let used = self.shop.used(&self.standing, n, quota);
                if counted != used || counted > quota.limit {
                    return Err(format!("{quota:?} counts {counted}, and {used} stands"));
                }
                self.seen.cut += usize::from(quota.partial == Some(true) && used == quota.limit);
            }
        }
        Ok(())
    }
}

/// What a seed comes to.
fn play(seed: u64, bug: Option<CartBug>) -> Result<Seen, String> {
    let mut play = Play::new(seed, bug);
    for _ in 0..EVENTS {
        play.goes_on()?;
    }
    Ok(play.seen)
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("PROMO_SEED"), number("PROMO_LONG")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(many)) => 0..if many == 1 { 20_000 } else { many },
        (None, None) => 0..200,
    }
}

#[test]
fn carts_of_every_kind_get_what_the_oracle_says_and_every_counter_counts_what_stands() {
    let mut all = [("", 0); 12];
    for seed in seeds() {
        match play(seed, None) {
            Ok(seen) => {
                for (sum, (name, more)) in all.iter_mut().zip(seen.counts()) {
                    *sum = (name, sum.1 + more);
                }
            }
            Err(how) => panic!(
                "{how}\nreplay: PROMO_SEED={seed} cargo test -p promo-simulator carts\n{:#}",
                json!(Shop::new(seed, None).documents)
            ),
        }
    }
    if seeds().count() >= 200 {
        assert!(all.iter().all(|(_, times)| *times > 10), "{all:?}");
    }
}

impl Seen {
    fn counts(&self) -> [(&'static str, usize); 12] {
        [
            ("applied", self.applied),
            ("rejected", self.rejected),
            ("exhausted", self.exhausted),
            ("several", self.several),
            ("depends", self.depends),
            ("cut", self.cut),
            ("fees", self.fees),
            ("repeated", self.repeated),
            ("more", self.more),
            ("reversed", self.reversed),
            ("changed", self.changed),
            ("inquired", self.inquired),
        ]
    }
}

/// A deliberate fault, found before the seeds are through.
fn is_caught(bug: CartBug) {
    assert!((0..3000).any(|seed| play(seed, Some(bug)).is_err()), "{bug:?} was not caught");
}

#[test]
fn campaigns_decided_each_alone_are_caught() {
    is_caught(CartBug::EachAlone);
}

#[test]
fn campaigns_applied_in_another_order_are_caught() {
    is_caught(CartBug::Backwards);
}

#[test]
fn shares_left_out_of_answers_are_caught() {
    is_caught(CartBug::NoFees);
    is_caught(CartBug::NoLines);
}

#[test]
fn a_budget_that_is_not_what_it_says_is_caught() {
    is_caught(CartBug::NothingOfTheRest);
    is_caught(CartBug::BudgetInUses);
}

#[test]
fn quotas_of_offers_that_are_not_counted_are_caught() {
    is_caught(CartBug::OffersUncounted);
}

#[test]
fn one_refusal_taken_for_all_is_caught() {
    is_caught(CartBug::AllOrNothing);
}

#[test]
fn a_reversal_of_too_much_or_nothing_is_caught() {
    is_caught(CartBug::ReversesAll);
    is_caught(CartBug::ReversesNothing);
}
