//! REDEEM: these offers, now. See the module page for the way of one.

use super::named::admitted;
use super::on_tab::OnTab;
use super::quote::{Quote, Rejection};
use super::taking::Taking;
use super::{Event, Failure, Ports};
use crate::engine::Reason;
use crate::guard::Lock;
use crate::ident::OfferRef;
use crate::ledger::campaign::Outcome;

/// What became of the offers a REDEEM named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redeemed {
    /// These stand.
    pub applied: Vec<Quote>,
    /// These do not.
    pub rejected: Vec<Rejection>,
    /// Whether any of the named offers was one of ours.
    pub known: bool,
    /// Nothing is told on this tab now, whatever the codes are: none of the named offers stands.
    pub locked: Option<Lock>,
}

/// Answers a REDEEM that names these `offer_id`s.
///
/// # Errors
/// When the catalogue cannot be read, or the cart cannot be priced. A ledger or location that cannot be
/// reached is no error: its offers are rejected as `temporarily_unavailable`.
pub async fn redeem(
    ports: &impl Ports,
    offer_ids: &[String],
    event: &Event,
) -> Result<Redeemed, Failure> {
    let (mut answer, mut on_tab) = (Redeemed::default(), OnTab::new(event));
    let takes = admitted(ports, offer_ids, event, &mut on_tab, &mut answer).await?;
    let (mut rest, mut open) = (takes.len(), false);
    for take in takes {
        rest = rest.saturating_sub(1);
        let taking = Taking::new(ports, event, take, rest == 0);
        open |= taking.run(&mut on_tab, &mut answer).await?;
    }
    if !open && answer.applied.is_empty() && !answer.is_to_be_asked_again() {
        answer.locked = on_tab.lock;
    }
    Ok(answer)
}

impl Redeemed {
    /// Adds what became of one offer; `said` is why the engine did not give it.
    pub(super) fn add(&mut self, offer: &OfferRef, outcome: &Outcome, said: &[Rejection]) {
        match outcome {
            Outcome::Applied { answer, .. } => match serde_json::from_str(answer) {
                Ok(quote) => self.applied.push(quote),
                Err(error) => {
                    let detail = format!("the answer that was kept cannot be read: {error}");
                    self.reject(offer, Reason::TemporarilyUnavailable, &detail);
                }
            },
            Outcome::Refused(_) | Outcome::Short(_) | Outcome::Open | Outcome::Absent => {
                self.refuse(offer, said);
            }
        }
    }

    /// Rejects an offer for the reason that was said.
    pub(super) fn refuse(&mut self, offer: &OfferRef, said: &[Rejection]) {
        let id = offer.to_string();
        match said.iter().find(|rejection| rejection.offer_id == id) {
            Some(rejection) => self.rejected.push(rejection.clone()),
            None => self.reject(offer, Reason::WorthNothing, ""),
        }
    }

    /// Rejects an offer that is perhaps to be had.
    pub(super) fn not_now(&mut self, offer: &OfferRef, detail: &str) {
        self.known = true;
        self.reject(offer, Reason::TemporarilyUnavailable, detail);
    }

    /// Whether another answer may be had at another time.
    pub(super) fn is_to_be_asked_again(&self) -> bool {
        self.rejected.iter().any(|rejection| rejection.reason == Reason::TemporarilyUnavailable)
    }

    pub(super) fn reject(&mut self, offer: &OfferRef, reason: Reason, detail: &str) {
        let offer_id = offer.to_string();
        self.rejected.push(Rejection { offer_id, reason, detail: detail.to_owned() });
    }
}
