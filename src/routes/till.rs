//! What every point of sale's route needs: the place's settings, and the event as the rules want it.

use std::rc::Rc;

use promo_core::cart::Cart;
use promo_core::checkout::{Event, Failure, Inquired, Person};
use promo_core::engine::{Context, LocationFacts, Reason};
use promo_core::guard::Lock;
use promo_core::ident::LocationId;
use promo_core::identity::{self, Rules};
use promo_core::ledger::TabKey;
use promo_core::location::Location;
use promo_core::loyalty::programme::Programme;
use promo_core::time::Zone;
use worker::Env;

use crate::http::{Call, Problem};
use crate::ports::Edge;
use crate::settings::{self, Defaults};

/// The settings that hold where a tab is.
pub struct Place {
    defaults: Defaults,
    location: Location,
    programme: Option<Rc<Programme>>,
}

impl Place {
    /// Reads them, and has the location's guard heed its limits; in the same wait it looks ahead for what
    /// a typed code will need.
    ///
    /// # Errors
    /// When KV cannot be read, or a setting of the deployment is wrong.
    pub async fn read(
        edge: &Edge<'_>,
        env: &Env,
        location: &LocationId,
        typed: Option<&str>,
    ) -> Result<Self, Problem> {
        let defaults = Defaults::read(env)?;
        edge.guarded(settings::guard_limits(env)?);
        let location = edge.location_and_code(location, typed).await?;
        let programme = edge.catalogue.programme().await?;
        Ok(Self { defaults, location, programme })
    }

    /// The currency of tabs that name none.
    pub fn currency(&self) -> &str {
        self.location.currency.as_ref().unwrap_or(&self.defaults.currency).as_str()
    }

    /// In what the POS wants amounts.
    pub fn amount_unit(&self) -> promo_core::location::AmountUnit {
        self.location.amount_unit.unwrap_or(self.defaults.amount_unit)
    }

    /// Whether a POS sends carts with the discounts that stand taken off already.
    fn is_net(&self, pos: &str) -> bool {
        let of_pos = self.defaults.net_carts.iter().any(|net| net == pos);
        self.location.cart_is_net.unwrap_or(of_pos)
    }

    /// What a guest reads when a code is refused. Without hints it is the deployment's own text, not
    /// the campaign's, which would betray that the code exists.
    pub fn refusal(&self, inquired: &Inquired) -> String {
        match inquired {
            Inquired::Refused { campaign: Some(campaign), reason, detail }
                if campaign.guest().hints =>
            {
                let text = campaign.guest().refused.as_deref().unwrap_or(&self.defaults.refused);
                match reason {
                    // A tree without a single cause has nothing to say that would help a guest.
                    Reason::ConditionNotMet => text.to_owned(),
                    _ => format!("{text} ({detail})"),
                }
            }
            _ => self.defaults.refused.clone(),
        }
    }

    /// How the place's guests are told from each other.
    pub fn rules(&self, programme: Option<&Programme>) -> Rules {
        Rules {
            region: self.location.phone_region.or_else(|| programme?.region()),
            email: programme.map(|it| it.email_rules().clone()).unwrap_or_default(),
        }
    }

    /// The deployment's clock.
    pub const fn zone(&self) -> &Zone {
        &self.defaults.zone
    }

    /// What a guest reads when an offer is not given.
    pub fn refused(&self) -> &str {
        &self.defaults.refused
    }

    /// The event as the rules want it.
    ///
    /// # Errors
    /// 503 when the deployment has no pepper for its guests' pseudonyms.
    pub fn event(
        &self,
        call: &Call,
        env: &Env,
        pos: &'static str,
        tab: TabKey,
        mut cart: Cart,
    ) -> Result<Event, Problem> {
        let Some(pepper) = settings::text(env, "PII_PEPPER") else {
            let what = "the secret PII_PEPPER is not set, so no guest can be counted";
            return Err(Problem::ours(503, what));
        };
        call.trace.note("location", tab.location.as_str());
        call.trace.note("tab", tab.tab.as_str());
        let rules = self.rules(self.programme.as_deref());
        cart.identify(&rules);
        let guest = |customer| identity::of_customer(&customer, &rules, pepper.as_bytes());
        Ok(Event {
            customer: cart.customer().map(guest).as_ref().and_then(Person::guest),
            tab,
            also: None,
            net: self.is_net(pos),
            cart,
            received: call.received,
            attempt: call.attempt.clone(),
            pos,
            context: Context {
                at: call.received,
                location: LocationFacts {
                    timezone: self.location.timezone.clone(),
                    tags: self.location.tags.clone(),
                },
                default_zone: self.defaults.zone.clone(),
            },
        })
    }
}

/// After how many seconds a locked tab may ask again.
pub fn wait(lock: Lock, call: &Call) -> i64 {
    match lock {
        Lock::Until(until) => {
            let wait = until.millis().saturating_sub(call.received.millis());
            wait.saturating_add(999).checked_div(1000).unwrap_or(1).max(1)
        }
        Lock::Silent => 1,
    }
}

/// What a till hears when an event cannot be answered; `cart` is the status for a cart of its own
/// making that cannot be priced.
pub fn failed(failure: Failure, cart: u16) -> Problem {
    match failure {
        Failure::Unreachable => {
            Problem::ours(503, &failure.to_string()).with_header("retry-after", "1")
        }
        Failure::Cart(why) => Problem::new(cart, &why),
    }
}
