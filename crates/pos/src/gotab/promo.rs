//! GoTab's Promo API: INQUIRE, REDEEM, REVERSE.
//!
//! | event | status |
//! |---|---|
//! | INQUIRE | 200 with the offers, or 404 with a text for the guest (known) |
//! | REDEEM | 200 also when every offer is rejected; 404 when none of those named is ours (assumed) |
//! | REVERSE, REVERSAL | 200 with `{}` once durable, also when there was nothing to reverse (assumed) |
//!
//! Anything else is a 400 (known).

use promo_core::checkout::{Quote, Rejection};
use promo_core::fault::Faults;
use promo_core::location::AmountUnit;
use promo_core::money::{Currency, Money};
use serde::Serialize;
use serde_json::value::RawValue;

use super::envelope::Envelope;

/// What a Promo event asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Is this code good on this tab?
    Inquire {
        /// As the guest typed it.
        code: String,
    },
    /// Use these offers.
    Redeem {
        /// As we handed them out.
        offer_ids: Vec<String>,
    },
    /// Give these back; none named: the whole tab.
    Reverse {
        /// As we handed them out.
        offer_ids: Vec<String>,
    },
}

/// Which question an event asks.
///
/// # Errors
/// When it is of another kind, or an INQUIRE without a code.
pub fn asked(envelope: &Envelope) -> Result<Asked, Faults> {
    match envelope.event_type.as_str() {
        "INQUIRE" => {
            let code = envelope.lookup_value.clone();
            let code = code.ok_or_else(|| Faults::one("/lookup_value", "say which code"))?;
            Ok(Asked::Inquire { code })
        }
        "REDEEM" => Ok(Asked::Redeem { offer_ids: envelope.offer_ids()? }),
        "REVERSE" | "REVERSAL" => Ok(Asked::Reverse { offer_ids: envelope.reversed_offer_ids()? }),
        other => {
            let detail =
                format!("{other:?} is no event of the Promo API; use INQUIRE, REDEEM or REVERSE");
            Err(Faults::one("/event_type", detail))
        }
    }
}

/// The reply to an INQUIRE.
#[derive(Debug, Serialize)]
pub struct InquireReply {
    /// Known to be there and empty.
    loyalty_points: [(); 0],
    offers: Vec<Group>,
}

/// The reply to a REDEEM.
#[derive(Debug, Serialize)]
pub struct RedeemReply {
    /// The groups that apply, with their final amounts.
    offers: Vec<Group>,
    rejected_offers: Vec<Rejected>,
}

/// Offers of one campaign, under its name.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    name: String,
    offers: Vec<Offer>,
}

#[derive(Debug, Serialize)]
struct Offer {
    offer_id: String,
    name: String,
    description: String,
    amount: Box<RawValue>,
    /// Known for one that lowers the tab.
    r#type: &'static str,
    expires_at: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Rejected {
    offer_id: String,
    reason: &'static str,
    message: String,
}

/// Answers an INQUIRE with these offers.
#[must_use]
pub fn inquire_reply(quotes: &[Quote], unit: AmountUnit) -> InquireReply {
    InquireReply { loyalty_points: [], offers: groups(quotes, unit) }
}

/// Answers a REDEEM; a guest reads `message` where an offer was rejected.
#[must_use]
pub fn redeem_reply(
    applied: &[Quote],
    rejected: &[Rejection],
    message: &str,
    unit: AmountUnit,
) -> RedeemReply {
    RedeemReply { offers: groups(applied, unit), rejected_offers: rejections(rejected, message) }
}

/// Rejected offers, with a text for the guest.
pub(super) fn rejections(rejected: &[Rejection], message: &str) -> Vec<Rejected> {
    let told = |rejection: &Rejection| Rejected {
        offer_id: rejection.offer_id.clone(),
        reason: rejection.reason.as_str(),
        message: message.to_owned(),
    };
    rejected.iter().map(told).collect()
}

/// Quotes by campaign, in the order the campaigns first appear.
pub(super) fn groups(quotes: &[Quote], unit: AmountUnit) -> Vec<Group> {
    let mut groups: Vec<(&str, Group)> = Vec::new();
    for quote in quotes {
        let offer = Offer {
            offer_id: quote.offer_id.to_string(),
            name: quote.name.clone(),
            description: quote.description.clone(),
            amount: amount(quote.discount, quote.currency, unit),
            r#type: "tab_discount",
            expires_at: quote.expires_at.clone(),
        };
        match groups.iter_mut().find(|(campaign, _)| *campaign == quote.campaign) {
            Some((_, group)) => group.offers.push(offer),
            None => {
                let group = Group { name: quote.group.clone(), offers: vec![offer] };
                groups.push((&quote.campaign, group));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// An amount as a JSON number, exact in either unit: 110 cents are `1.10` or `110`.
fn amount(sum: Money, currency: Currency, unit: AmountUnit) -> Box<RawValue> {
    let digits = sum.minor().to_string();
    let places = usize::try_from(currency.exponent()).unwrap_or_default();
    let text = if unit == AmountUnit::Minor || places == 0 {
        digits
    } else {
        let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
        let (whole, fraction) =
            padded.split_at_checked(padded.len().saturating_sub(places)).unwrap_or(("0", &padded));
        format!("{whole}.{fraction}")
    };
    // Digits with at most one point between them are a JSON number.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sum: u64, currency: &str, unit: AmountUnit) -> String {
        let currency = Currency::parse(currency).unwrap();
        amount(Money::new(sum), currency, unit).get().to_owned()
    }

    #[test]
    fn amounts_are_exact_in_either_unit_and_every_currency() {
        for (sum, currency, major) in [
            (110, "USD", "1.10"),
            (5, "USD", "0.05"),
            (0, "USD", "0.00"),
            (110, "JPY", "110"),
            (1234, "KWD", "1.234"),
            (7, "KWD", "0.007"),
            (9_007_199_254_740_993, "USD", "90071992547409.93"),
        ] {
            assert_eq!(written(sum, currency, AmountUnit::Major), major);
            assert_eq!(written(sum, currency, AmountUnit::Minor), sum.to_string());
        }
    }

    fn event(json: &str) -> Result<Asked, Faults> {
        Envelope::read(json.as_bytes()).and_then(|envelope| asked(&envelope))
    }

    #[test]
    fn an_event_is_known_by_its_type_however_it_is_written() {
        let inquire = event(r#"{"event_type": "inquire", "lookup_value": " SUMMER10 "}"#);
        assert_eq!(inquire, Ok(Asked::Inquire { code: "SUMMER10".to_owned() }));
        for kind in ["REVERSE", "Reversal"] {
            let reverse = event(&format!(r#"{{"event_type": "{kind}"}}"#));
            assert_eq!(reverse, Ok(Asked::Reverse { offer_ids: Vec::new() }));
        }
    }

    #[test]
    fn what_is_no_promo_event_names_the_field() {
        for (json, pointer) in [
            ("[]", ""),
            ("nonsense", ""),
            ("{}", "/event_type"),
            (r#"{"event_type": null}"#, "/event_type"),
            (r#"{"event_type": "ACCRUAL"}"#, "/event_type"),
            (r#"{"event_type": "INQUIRE"}"#, "/lookup_value"),
        ] {
            let faults = event(json).unwrap_err();
            assert_eq!(faults.as_slice()[0].pointer, pointer, "{json}");
        }
    }

    #[test]
    fn offers_are_read_in_every_shape_a_pos_may_send() {
        let nested = r#"[{"name": "Group", "offers": [{"offer_id": "a.b.CODE", "amount": 1}]}]"#;
        for offers in [r#"["a.b.CODE"]"#, r#"[{"offer_id": "a.b.CODE"}]"#, r#""a.b.CODE""#, nested]
        {
            for key in ["offers", "offer_ids", "redemptions", "selected_offers"] {
                for empty in ["", r#""offers": [], "#, r#""redemptions": null, "#] {
                    let json = format!(r#"{{"event_type": "REDEEM", {empty} "{key}": {offers}}}"#);
                    if empty.contains(&format!("\"{key}\"")) {
                        continue;
                    }
                    let redeem = Asked::Redeem { offer_ids: vec!["a.b.CODE".to_owned()] };
                    assert_eq!(event(&json), Ok(redeem), "{json}");
                }
            }
        }
    }

    #[test]
    fn a_reversal_means_the_whole_tab_only_where_nothing_is_named() {
        let pointer = |json: &str| match event(json) {
            Ok(Asked::Reverse { offer_ids }) => Ok(offer_ids),
            Ok(_) => Err("another question".to_owned()),
            Err(faults) => Err(faults.as_slice()[0].pointer.clone()),
        };
        for json in [
            r#"{"event_type": "REVERSAL", "offers": [], "tab_data": {"offers": null}}"#,
            r#"{"event_type": "REVERSAL"}"#,
        ] {
            assert_eq!(pointer(json), Ok(Vec::new()));
        }
        let of_tab =
            r#"{"event_type": "REVERSE", "offers": [], "tab_data": {"redemptions": ["one"]}}"#;
        assert_eq!(pointer(of_tab), Ok(vec!["one".to_owned()]));
        let unknown = r#"{"event_type": "REVERSE", "tab_data": {"offers": [{"promo": "one"}]}}"#;
        assert_eq!(pointer(unknown), Err("/tab_data/offers/0".to_owned()));
    }

    #[test]
    fn a_wrapped_event_is_unwrapped() {
        let inquire = r#"{"event_type": "INQUIRE", "lookup_value": "CODE"}"#;
        let asked = || Ok(Asked::Inquire { code: "CODE".to_owned() });
        for wrapper in [
            format!(r#"{{"method": "POST", "headers": {{}}, "json": true, "body": {inquire}}}"#),
            format!(r#"{{"body": {inquire}}}"#),
            format!(r#"{{"method": "POST", "json": {inquire}}}"#),
            format!(r#"{{"method": "POST", "body": {}}}"#, serde_json::Value::from(inquire)),
            format!(r#"{{"body": null, {}"#, inquire.trim_start_matches('{')),
        ] {
            assert_eq!(event(&wrapper), asked(), "{wrapper}");
        }
        for (wrapper, pointer) in [
            (r#"{"method": "POST", "headers": {}, "json": true}"#, "/body"),
            (r#"{"method": "POST", "body": null}"#, "/body"),
            (r#"{"body": []}"#, "/body"),
            (r#"{"body": "no event"}"#, "/body"),
            (r#"{"body": {}}"#, "/body"),
            (r#"{"body": {"lookup_value": "CODE"}}"#, "/event_type"),
        ] {
            assert_eq!(event(wrapper).unwrap_err().as_slice()[0].pointer, pointer, "{wrapper}");
        }
    }

    #[test]
    fn an_event_is_read_in_the_spellings_of_the_webhooks() {
        let json = r#"{"eventType": "inquire", "lookupValue": "CODE", "locationId": 1019,
            "tabData": {"tabId": 7, "tabUuid": "u", "items": [{"productId": 1, "unitPrice": 500}]}}"#;
        let envelope = Envelope::read(json.as_bytes()).unwrap();
        assert_eq!(asked(&envelope), Ok(Asked::Inquire { code: "CODE".to_owned() }));
        let tab = envelope.tab().unwrap();
        assert_eq!((tab.location.as_str(), tab.tab.as_str()), ("1019", "u"));
        assert_eq!(envelope.cart(&tab, "USD").unwrap().lines_total().minor(), 500);
    }

    #[test]
    fn a_sum_of_the_tab_that_cannot_be_read_is_named() {
        let read = |data: &str| {
            let json = format!(
                r#"{{"event_type": "REDEEM", "location_id": "1", "tab_data": {{"tab_id": "t", {data}}}}}"#
            );
            let envelope = Envelope::read(json.as_bytes()).unwrap();
            let cart = envelope.cart(&envelope.tab().unwrap(), "USD");
            cart.map(|cart| cart.subtotal().minor())
                .map_err(|faults| faults.as_slice()[0].pointer.clone())
        };
        assert_eq!(read(r#""subtotal": "11.00""#), Ok(1100));
        assert_eq!(read(r#""subtotal": 1100.0, "tax": null, "total": """#), Ok(1100));
        let voided = r#""items": [{"price": 5}, {"price": -5}]"#;
        assert_eq!(read(voided), Ok(0), "all of it was taken off again");
        assert_eq!(read(r#""items": []"#), Err("/tab_data/subtotal".to_owned()));
        assert_eq!(read(r#""subtotal": 11.5"#), Err("/tab_data/subtotal".to_owned()));
        assert_eq!(read(r#""subtotal": 5, "total": {}"#), Err("/tab_data/total".to_owned()));
        assert_eq!(
            read(r#""items": [{"name": "x"}]"#),
            Err("/tab_data/items/0/unit_price".to_owned())
        );
    }
}
