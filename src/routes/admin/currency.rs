//! A campaign's currency, once it has been used: the rule is [`Campaign::fits_ledger`].

use std::rc::Rc;

use promo_core::campaign::Campaign;
use promo_core::fault::Faults;
use promo_core::ident::CampaignId;
use promo_core::money::Currency;

use super::ledger;
use crate::http::Problem;
use crate::ports::Edge;

/// Where the currency of a deleted campaign's redemptions stands: its ledger outlives it.
fn key(id: &CampaignId) -> String {
    format!("kept-currency:{id}")
}

/// Refuses a campaign in another currency than its redemptions are in. The ledger is asked only where
/// the document before does not say; asking one that is not there yet would make it, far from its tills.
///
/// # Errors
/// 409 when it is in another currency, 503 when the ledger does not answer.
pub async fn may_change<E>(
    edge: &Edge<'_>,
    before: Option<&Result<Rc<Campaign>, E>>,
    campaign: &Campaign,
) -> Result<(), Problem> {
    let kept_in = match before {
        Some(Ok(before)) if before.currency() == campaign.currency() => return Ok(()),
        Some(_) => ledger::currency(edge, campaign.id()).await?,
        None => {
            let noted = edge.catalogue.read(&key(campaign.id())).await?;
            let noted = noted.and_then(|text| String::from_utf8(text).ok());
            noted.and_then(|text| Currency::parse(&text).ok())
        }
    };
    campaign.fits_ledger(kept_in).map_err(refused)
}

fn refused(faults: Faults) -> Problem {
    let detail = "the campaign was redeemed in another currency";
    Problem::faults(409, detail, faults).with("reason", "currency_in_use")
}

/// Notes the currency of a campaign's redemptions before it is deleted.
///
/// # Errors
/// 503 when its ledger does not answer.
pub async fn note(edge: &Edge<'_>, id: &CampaignId) -> Result<(), Problem> {
    if let Some(currency) = ledger::currency(edge, id).await? {
        edge.catalogue.write(&key(id), currency.as_str().as_bytes()).await?;
    }
    Ok(())
}
