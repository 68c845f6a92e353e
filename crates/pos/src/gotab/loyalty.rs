//! GoTab's Loyalty API: INQUIRE, CREATE, REDEEM, ACCRUAL, REVERSAL.
//!
//! | event | status |
//! |---|---|
//! | INQUIRE | 200 with points and offers (known), also with nothing available (known); 404 for nobody we know (assumed) |
//! | CREATE, ADD_CUSTOMER | 200 as to INQUIRE, with the member's `number` beside it, for a new member and for an old one (assumed) |
//! | REDEEM | 200 also when everything is rejected; 404 when neither member nor offer is known (assumed) |
//! | ACCRUAL, REVERSE, REVERSAL | 200 with `{}` once durable (assumed) |
//!
//! Anything else is a 400, as in the Promo API (assumed).
//!
//! Also assumed: a guest is who `lookup_value` says, and where that is missing, or for ACCRUAL and CREATE
//! besides it, who the tab's customer or the sign-up form says. `value` and `conversion_rate` of points
//! are in minor units, whatever `amount` is in. What was paid is `subtotal` less what `adjustments` took
//! off, and never more than `total` without `tax` (and without the tip, when the total has one in it).
//! An adjustment takes something off when its amount is below zero or its words say so; a surcharge, fee,
//! tax or tip takes nothing off. What says neither takes something off where amounts have no sign and the
//! total, if there is one, is not what it would be with a surcharge.

use promo_core::checkout::{Quote, Rejection};
use promo_core::fault::Faults;
use promo_core::identity::{Identity, Kind, Rules};
use promo_core::location::AmountUnit;
use promo_core::loyalty::member::View;
use promo_core::loyalty::programme::Programme;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope::Envelope;
pub use super::paid::paid;
use super::promo::{Group, Rejected, groups, rejections};
use super::wire::{first, integer, text_at};

/// What a Loyalty event asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What does this guest have, and what of it is worth something here?
    Inquire,
    /// Make this guest a member.
    Create,
    /// Take points for these.
    Redeem {
        /// Rewards, as we handed them out.
        offer_ids: Vec<String>,
        /// So many points for their value.
        points: Option<u64>,
    },
    /// The tab is closed.
    Accrual,
    /// Give these back; none named: the whole tab.
    Reverse {
        /// As we handed them out.
        offer_ids: Vec<String>,
    },
}

/// Which question an event asks.
///
/// # Errors
/// When it is of another kind.
pub fn asked(envelope: &Envelope) -> Result<Asked, Faults> {
    match envelope.event_type.as_str() {
        "INQUIRE" => Ok(Asked::Inquire),
        "CREATE" | "ADD_CUSTOMER" => Ok(Asked::Create),
        "REDEEM" => {
            Ok(Asked::Redeem { offer_ids: envelope.offer_ids()?, points: points(&envelope.body)? })
        }
        "ACCRUAL" => Ok(Asked::Accrual),
        "REVERSE" | "REVERSAL" => Ok(Asked::Reverse { offer_ids: envelope.reversed_offer_ids()? }),
        other => {
            let detail = format!(
                "{other:?} is no event of the Loyalty API; use INQUIRE, CREATE, REDEEM, ACCRUAL or REVERSAL"
            );
            Err(Faults::one("/event_type", detail))
        }
    }
}

/// Assumed: `points` as a number, or `loyalty_points` as a list of which each has its `points`.
fn points(body: &Value) -> Result<Option<u64>, Faults> {
    let read = |value: &Value, pointer: &str| {
        let points = integer(value).and_then(|points| u64::try_from(points).ok());
        points.ok_or_else(|| Faults::one(pointer, "say how many points as a whole number from 0"))
    };
    let mut sum = match first(body, &["points"]) {
        Some(value) => read(value, "/points")?,
        None => 0,
    };
    if let Some(Value::Array(list)) = first(body, &["loyalty_points"]) {
        for (index, entry) in list.iter().enumerate() {
            if let Some(value) = first(entry, &["points"]) {
                let more = read(value, &format!("/loyalty_points/{index}/points"))?;
                sum = sum.saturating_add(more);
            }
        }
    }
    Ok((sum > 0).then_some(sum))
}

/// Where an event says whom the till looked up.
const LOOKUP: &str = "/lookup_value";

/// Where an event says who the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// `lookup_value`, and only without it the tab's customer.
    Lookup,
    /// Everything: `lookup_value`, the sign-up form, the tab's customer.
    Everything,
}

/// Who the guest is, as the event says: each identity that can be read, and the faults of the others.
#[must_use]
pub fn who(envelope: &Envelope, says: Says, rules: &Rules) -> (Vec<Identity>, Option<Faults>) {
    let mut told: Vec<(String, String, Option<Kind>)> = Vec::new();
    if let Some(value) = &envelope.lookup_value {
        told.push((LOOKUP.to_owned(), value.clone(), envelope.lookup_kind()));
    }
    if told.is_empty() || says == Says::Everything {
        let form = first(&envelope.body, &["customer", "customer_data"]);
        let guests = first(envelope.tab_data(), &["customers"]);
        for (place, guest) in [("/customer", form), ("/tab_data/customers", guests)] {
            // Several customers: the first is who pays.
            let guest = match guest {
                Some(Value::Array(list)) => list.first(),
                other => other,
            };
            let Some(guest) = guest else { continue };
            for keys in [&["phone", "phone_number"][..], &["email"]] {
                if let Some(text) = text_at(guest, keys) {
                    let key = keys.first().copied().unwrap_or_default();
                    told.push((format!("{place}/{key}"), text, None));
                }
            }
        }
    }
    let (mut identities, mut faults) = (Vec::new(), None);
    for (place, text, kind) in told {
        let read = match kind {
            Some(kind) => Identity::parse_as(kind, &text, rules),
            None => Identity::parse(&text, rules),
        };
        match read {
            Ok(identity) if identities.contains(&identity) => {}
            Ok(identity) => identities.push(identity),
            // The text itself stays out of it: it may be somebody's address.
            Err(error) => faults = faults.or(Some(Faults::one(place, error.to_string()))),
        }
    }
    (identities, faults)
}

/// What was scanned or typed, if it may be the number of a card or coupon: whatever is not said to be a phone number
/// or an address, and has not the form of one.
#[must_use]
pub fn scanned(envelope: &Envelope) -> Option<&str> {
    let text = envelope.lookup_value.as_deref()?;
    let other = matches!(envelope.lookup_kind(), Some(Kind::Phone | Kind::Email));
    (!other && !text.starts_with('+') && !text.contains('@')).then_some(text)
}

/// Whom a closed tab may be of, what is believed first first: whom the till looked up, then phone numbers, then
/// addresses. What cannot be read is nobody's: the tab is closed all the same.
#[must_use]
pub fn guests(envelope: &Envelope, rules: &Rules) -> (Option<Identity>, Vec<Identity>) {
    let (mut others, _) = who(envelope, Says::Everything, rules);
    let lookup = match &envelope.lookup_value {
        Some(_) => who(envelope, Says::Lookup, rules).0.into_iter().next(),
        None => None,
    };
    others.retain(|identity| Some(identity) != lookup.as_ref());
    others.sort();
    (lookup, others)
}

/// Whether a closed tab is of less than nothing: more was refunded than was sold.
#[must_use]
pub fn is_below_zero(envelope: &Envelope) -> bool {
    ["subtotal", "total"].iter().any(|key| {
        let sum = text_at(envelope.tab_data(), &[key]);
        sum.is_some_and(|sum| {
            sum.starts_with('-') && sum.bytes().any(|digit| (b'1'..=b'9').contains(&digit))
        })
    })
}

/// Whether the guest agrees to be written to, if the sign-up says.
#[must_use]
pub fn opt_in(envelope: &Envelope) -> Option<bool> {
    let keys = ["opt_in", "marketing_opt_in"];
    let places = [
        Some(&envelope.body),
        first(&envelope.body, &["customer", "customer_data"]),
        Some(envelope.tab_data()),
    ];
    places.into_iter().flatten().find_map(|place| first(place, &keys)?.as_bool())
}

/// The reply to an INQUIRE, a CREATE and a REDEEM.
#[derive(Debug, Serialize)]
pub struct Reply {
    /// A member's, told to a sign-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    loyalty_points: [Points; 1],
    offers: Vec<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_offers: Option<Vec<Rejected>>,
}

/// Points of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct Points {
    type_display_name: String,
    r#type: String,
    total: i64,
    available: i64,
    /// In minor units; 0 where points buy rewards only.
    value: u64,
    /// Minor units a point.
    conversion_rate: Box<RawValue>,
}

impl Points {
    /// What a member has.
    pub(crate) fn of(programme: &Programme, view: &View) -> Self {
        let available = u64::try_from(view.balance.available).unwrap_or(0);
        Self {
            type_display_name: programme.points().display_name.clone(),
            r#type: programme.points().kind.clone(),
            total: view.balance.total,
            available: view.balance.available,
            value: programme.pay().map_or(0, |pay| pay.worth(available)),
            conversion_rate: programme
                .pay()
                .map_or_else(|| ratio(0, 1), |pay| ratio(pay.value, pay.points)),
        }
    }
}

impl Reply {
    /// What a member has, and what of it is worth something here.
    #[must_use]
    pub fn new(programme: &Programme, view: &View, quotes: &[Quote], unit: AmountUnit) -> Self {
        Self {
            number: None,
            loyalty_points: [Points::of(programme, view)],
            offers: groups(quotes, unit),
            rejected_offers: None,
        }
    }

    /// With the member's number.
    #[must_use]
    pub fn with_number(self, view: &View) -> Self {
        Self { number: Some(view.number.to_string()), ..self }
    }

    /// With what was rejected.
    #[must_use]
    pub fn with_rejected(self, rejected: &[Rejection], message: &str) -> Self {
        Self { rejected_offers: Some(rejections(rejected, message)), ..self }
    }
}

/// A ratio as a JSON number with at most six digits after the point; further ones are dropped.
fn ratio(of: u64, to: u64) -> Box<RawValue> {
    let millionths =
        u128::from(of).saturating_mul(1_000_000).checked_div(u128::from(to)).unwrap_or(0);
    let digits = format!("{millionths:07}");
    let (whole, fraction) =
        digits.split_at_checked(digits.len().saturating_sub(6)).unwrap_or(("0", ""));
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    // Digits with at most one point between them are a JSON number.
    RawValue::from_string(format!("{whole}{point}{fraction}"))
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use promo_core::identity::Region;
    use serde_json::json;

    use super::*;

    fn envelope(body: &Value) -> Envelope {
        Envelope::read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_a_lookup_value_is_may_be_told() {
        let rules = Rules { region: Region::parse("US"), ..Rules::default() };
        let read = |kind: Value, value: &str| {
            let body = json!({"event_type": "INQUIRE", "lookup_type": kind, "lookup_value": value});
            let (identities, faults) = who(&envelope(&body), Says::Lookup, &rules);
            (identities.first().map(ToString::to_string), faults.is_some())
        };
        let phone = || (Some("phone:+16085550100".to_owned()), false);
        assert_eq!(read(json!("PHONE"), "608-555-0100"), phone());
        assert_eq!(
            read(json!("Email"), "A@b.example"),
            (Some("email:a@b.example".to_owned()), false)
        );
        assert_eq!(read(json!("email"), "608-555-0100"), (None, true));
        assert_eq!(read(json!("loyalty_number"), "608-555-0100"), (None, true));
        for unknown in [json!("carrier pigeon"), json!(null), json!(7), json!("")] {
            assert_eq!(read(unknown, "608-555-0100"), phone());
        }
    }

    #[test]
    fn every_loyalty_event_is_known_by_its_type() {
        let ask = |body: Value| asked(&envelope(&body));
        for (kind, expected) in [
            ("inquire", Asked::Inquire),
            ("CREATE", Asked::Create),
            ("ADD_CUSTOMER", Asked::Create),
            ("ACCRUAL", Asked::Accrual),
            ("REVERSE", Asked::Reverse { offer_ids: vec![] }),
            ("REVERSAL", Asked::Reverse { offer_ids: vec![] }),
        ] {
            assert_eq!(ask(json!({"event_type": kind})), Ok(expected));
        }
        assert!(ask(json!({"event_type": "REFUND"})).is_err());
    }

    #[test]
    fn points_are_read_from_either_place_and_must_be_a_number() {
        let read = |more: Value| {
            let mut body = json!({"event_type": "REDEEM"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            asked(&envelope(&body)).map(|asked| match asked {
                Asked::Redeem { points, .. } => points,
                _ => None,
            })
        };
        assert_eq!(read(json!({"points": 50})), Ok(Some(50)));
        assert_eq!(read(json!({"points": "50"})), Ok(Some(50)));
        assert_eq!(
            read(json!({"loyalty_points": [{"type": "points", "points": 50}]})),
            Ok(Some(50))
        );
        assert_eq!(read(json!({"points": 0, "loyalty_points": []})), Ok(None));
        for wrong in [json!({"points": -1}), json!({"points": 1.5}), json!({"points": "many"})] {
            assert!(read(wrong).is_err());
        }
    }

    #[test]
    fn a_guest_is_read_from_wherever_the_event_says_who_it_is() {
        let rules = Rules { region: Region::parse("US"), ..Rules::default() };
        let read = |body: Value, says| {
            let (identities, faults) = who(&envelope(&body), says, &rules);
            let shown: Vec<String> = identities.iter().map(ToString::to_string).collect();
            (shown, faults.map(|faults| faults.as_slice()[0].pointer.clone()))
        };
        let body = json!({"event_type": "CREATE", "lookup_value": "(608) 555-0100",
            "customer": {"phone": "+16085550100", "email": "A@b.example"},
            "tab_data": {"customers": [{"email": "c@d.example"}, {"email": "e@f.example"}]}});
        let all = ["phone:+16085550100", "email:a@b.example", "email:c@d.example"];
        assert_eq!(read(body.clone(), Says::Everything).0, all);
        assert_eq!(read(body, Says::Lookup).0, ["phone:+16085550100"]);
        let body = json!({"event_type": "INQUIRE", "tab_data": {"customers": {"phone_number": 6085550100_u64}}});
        assert_eq!(read(body, Says::Lookup), (vec!["phone:+16085550100".to_owned()], None));
        let body = json!({"event_type": "CREATE", "customer_data": {"phone": "12"}});
        assert_eq!(read(body, Says::Everything), (vec![], Some("/customer/phone".to_owned())));
    }

    #[test]
    fn what_a_till_says_it_looked_up_is_read_as_that_and_believed_first() {
        let rules = Rules { region: Region::parse("US"), ..Rules::default() };
        let read = |body: Value| {
            let (lookup, others) = guests(&envelope(&body), &rules);
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            (lookup.map(|lookup| lookup.to_string()), others.join(" "))
        };
        let customer = json!({"email": "a@b.example", "phone": "6085550100"});
        let body = json!({"event_type": "ACCRUAL", "lookup_value": "c@d.example",
            "tab_data": {"customers": customer}});
        let others = "phone:+16085550100 email:a@b.example".to_owned();
        assert_eq!(read(body.clone()), (Some("email:c@d.example".to_owned()), others.clone()));
        let with = |kind: &str, value: &str| {
            let mut body = body.clone();
            body["lookup_type"] = json!(kind);
            body["lookup_value"] = json!(value);
            body
        };
        let phone = Some("phone:+16085550199".to_owned());
        for (kind, value, lookup) in [
            ("PHONE", "6085550199", phone.clone()),
            ("something", "6085550199", phone),
            ("loyalty_number", "6085550199", None),
            ("email", "6085550199", None),
        ] {
            assert_eq!(read(with(kind, value)), (lookup, others.clone()), "{kind}");
        }
        for (kind, value, card) in [
            ("loyalty_number", "6085550199", true),
            ("", "6085550199", true),
            ("phone", "6085550199", false),
            ("", "+16085550199", false),
            ("", "a@b.example", false),
        ] {
            assert_eq!(scanned(&envelope(&with(kind, value))).is_some(), card, "{kind} {value}");
        }
    }

    #[test]
    fn a_tab_is_below_zero_when_its_sum_is_however_that_is_written() {
        for (data, below) in [
            (json!({"subtotal": -500}), true),
            (json!({"subtotal": "-5.50", "total": 0}), true),
            (json!({"total": -1, "subtotal": 100}), true),
            (json!({"subtotal": 0, "total": -0.0}), false),
            (json!({"subtotal": 500}), false),
            (json!({}), false),
        ] {
            let body = json!({"event_type": "ACCRUAL", "tab_data": data});
            assert_eq!(is_below_zero(&envelope(&body)), below, "{body}");
        }
    }

    #[test]
    fn a_rate_is_a_plain_number() {
        for (of, to, text) in [(100, 100, "1"), (1, 3, "0.333333"), (5, 2, "2.5"), (0, 1, "0")] {
            assert_eq!(ratio(of, to).get(), text);
        }
    }
}
