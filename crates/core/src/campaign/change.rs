//! What may not change any more once a campaign has been used.

use super::Campaign;
use crate::fault::Faults;
use crate::money::Currency;

impl Campaign {
    /// Whether this document may be published over a ledger that keeps redemptions in a currency (none:
    /// it keeps no redemption). Limits and budgets count what was given before, so an amount would
    /// otherwise be counted as another currency's.
    ///
    /// # Errors
    /// When the campaign is in another currency.
    pub fn fits_ledger(&self, kept_in: Option<Currency>) -> Result<(), Faults> {
        match kept_in {
            Some(kept) if kept != self.currency => {
                let now = self.currency;
                let detail = format!(
                    "is {now}, but this campaign's redemptions are in {kept}, and its limits and \
                     budgets count them: keep {kept}, or publish a campaign in {now} under another id"
                );
                Err(Faults::one("/currency", detail))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_changes_only_while_nothing_was_redeemed() {
        let json = br#"{"id": "a", "name": "A", "currency": "JPY", "codes": {"fixed": ["AAA"]},
            "offers": [{"id": "o", "name": "O", "discount": {"percent": "10"}}]}"#;
        let campaign = Campaign::from_json(json).unwrap();
        let in_currency = |text| Some(Currency::parse(text).unwrap());
        assert_eq!(campaign.fits_ledger(None), Ok(()));
        assert_eq!(campaign.fits_ledger(in_currency("JPY")), Ok(()));
        let faults = campaign.fits_ledger(in_currency("USD")).unwrap_err();
        assert_eq!(faults.as_slice()[0].pointer, "/currency");
        assert!(faults.to_string().contains("in USD"), "{faults}");
    }
}
