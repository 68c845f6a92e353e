//! What was paid of a closed tab, as GoTab tells it.

use promo_core::cart::Cart;
use promo_core::money::Money;
use serde_json::Value;

use super::envelope::Envelope;
use super::wire::{amount, first, text_at};

/// What was paid for the goods: after discounts, without tax, tip and surcharges.
#[must_use]
pub fn paid(envelope: &Envelope, cart: &Cart) -> Money {
    let data = envelope.tab_data();
    let exponent = cart.currency().exponent();
    let subtotal = cart.subtotal().minor();
    let tip = first(data, &["tip", "gratuity", "tips"]).and_then(|tip| amount(tip, exponent));
    let tip = tip.and_then(|tip| u64::try_from(tip).ok()).unwrap_or(0);
    let goods = cart.total().map(|total| {
        let goods = total.minor().saturating_sub(cart.tax().map_or(0, Money::minor));
        if goods > subtotal { goods.saturating_sub(tip) } else { goods }
    });
    let Adjusted { off, on, unclear } = adjusted(data, exponent);
    let plain = subtotal.saturating_sub(off);
    // Had they taken something off, the total would be lower than without them.
    let charged = goods.is_some_and(|goods| goods.saturating_sub(on) >= plain);
    let (off, on) = match charged {
        true => (off, on.saturating_add(unclear)),
        false => (off.saturating_add(unclear), on),
    };
    let paid = subtotal.saturating_sub(off);
    Money::new(goods.map_or(paid, |goods| paid.min(goods.saturating_sub(on))))
}

/// What a tab's adjustments come to, in minor units.
#[derive(Default)]
struct Adjusted {
    /// Taken off.
    off: u64,
    /// Added.
    on: u64,
    /// One or the other.
    unclear: u64,
}

fn adjusted(data: &Value, exponent: u32) -> Adjusted {
    let mut all = Adjusted::default();
    let Some(Value::Array(list)) = first(data, &["adjustments"]) else { return all };
    let entries: Vec<(i64, Option<bool>)> = list
        .iter()
        .filter_map(|entry| {
            let value = first(entry, &["amount", "total", "value"])?;
            Some((amount(value, exponent)?, takes_off(entry)))
        })
        .collect();
    let signed = entries.iter().any(|(amount, _)| *amount < 0);
    for (amount, takes_off) in entries {
        let sum = match takes_off {
            // A surcharge below zero was taken back, and is off what was paid in its turn.
            Some(false) if amount >= 0 => &mut all.on,
            _ if amount < 0 => &mut all.off,
            Some(true) => &mut all.off,
            _ if signed => &mut all.on,
            _ => &mut all.unclear,
        };
        *sum = sum.saturating_add(amount.unsigned_abs());
    }
    all
}

/// Whether an adjustment's words say that it takes something off, or that it does not.
fn takes_off(entry: &Value) -> Option<bool> {
    const ADDS: [&str; 10] = [
        "surcharge",
        "fee",
        "tax",
        "tip",
        "gratuity",
        "service",
        "delivery",
        "deposit",
        "charge",
        "auto_grat",
    ];
    const TAKES: [&str; 10] = [
        "discount", "promo", "coupon", "comp", "reward", "loyalty", "void", "refund", "off",
        "credit",
    ];
    let keys = ["adjustment_type", "type", "kind", "category", "name", "description"];
    keys.iter().find_map(|key| {
        let words = text_at(entry, &[key])?.to_lowercase();
        let is = |list: &[&str]| {
            let mut each = words.split(|c: char| !c.is_alphanumeric());
            each.any(|word| {
                list.iter().any(|known| word == *known || word.strip_suffix('s') == Some(known))
            })
        };
        match (is(&TAKES), is(&ADDS)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use promo_core::ident::{LocationId, TabId};
    use promo_core::ledger::TabKey;
    use serde_json::json;

    use super::*;

    fn paid_of(tab_data: &Value) -> u64 {
        let event = json!({"event_type": "ACCRUAL", "tab_data": tab_data});
        let envelope = Envelope::read(event.to_string().as_bytes()).unwrap();
        let tab =
            TabKey { location: LocationId::parse("1").unwrap(), tab: TabId::parse("t").unwrap() };
        let cart = envelope.cart(&tab, "USD").unwrap();
        paid(&envelope, &cart).minor()
    }

    #[test]
    fn what_was_paid_is_without_tax_tip_and_discounts() {
        for (data, sum) in [
            (json!({"subtotal": 1100, "tax": 66, "total": 1166}), 1100),
            (json!({"subtotal": 1100}), 1100),
            (json!({"subtotal": 1100, "tax": 66, "total": 1166, "tip": 200}), 1100),
            (json!({"subtotal": 1100, "tax": 66, "total": 1366, "tip": 200}), 1100),
            (json!({"subtotal": 1100, "tax": 66, "total": 1056}), 990),
            (json!({"subtotal": 1100, "tax": 66, "total": 1256, "tip": 200}), 990),
            (json!({"subtotal": 1100, "adjustments": [{"amount": -110}]}), 990),
            (json!({"subtotal": 1100, "adjustments": [{"amount": "1.10"}], "total": null}), 990),
            (json!({"subtotal": 100, "adjustments": [{"amount": 500}, {"name": "x"}]}), 0),
        ] {
            assert_eq!(paid_of(&data), sum, "{data}");
        }
    }

    #[test]
    fn a_surcharge_among_adjustments_is_no_discount() {
        for (adjustments, total, sum) in [
            (json!([{"type": "surcharge", "amount": 100}]), None, 1100),
            (json!([{"name": "Service Fee", "amount": 100}]), None, 1100),
            (json!([{"adjustmentType": "AUTO-GRATUITY", "amount": "1.00"}]), Some(1266), 1100),
            (
                json!([{"type": "discount", "amount": 110}, {"type": "surcharge", "amount": 50}]),
                None,
                990,
            ),
            (json!([{"amount": -110}, {"amount": 50}]), None, 990),
            (json!([{"amount": -110}, {"amount": 50}]), Some(1106), 990),
            // Words are not needed where the total tells.
            (json!([{"amount": 100}]), Some(1266), 1100),
            (json!([{"amount": 110}]), Some(1056), 990),
            (json!([{"name": "Happy hour promo fee waiver", "amount": 110}]), None, 990),
            // A discount that only the total knows of, beside a surcharge.
            (json!([{"type": "surcharge", "amount": 50}]), Some(1106), 990),
            (json!([{"type": "surcharge", "amount": "much"}, null, 7]), None, 1100),
        ] {
            let mut data = json!({"subtotal": 1100, "tax": 66, "adjustments": adjustments});
            if let Some(total) = total {
                data["total"] = json!(total);
            }
            assert_eq!(paid_of(&data), sum, "{data}");
        }
    }
}
