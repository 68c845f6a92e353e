//! A reply as people read it.

use std::fmt::Write as _;

use promo_core::{
    cart::Cart,
    engine::simulate::{Reply, Share},
    money::{Currency, Money},
};

/// The reply as a table.
pub fn of(reply: &Reply<'_>, cart: &Cart) -> String {
    let mut text = String::new();
    let currency = reply.currency;
    let amount = |amount: Money| major(amount, currency);
    let width = reply.offers.iter().map(|offer| amount(offer.discount).len());
    let width = width.chain([amount(reply.discount).len()]).max().unwrap_or(0);
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{:>width$} {currency} off", amount(reply.discount));
    for offer in &reply.offers {
        let (campaign, id) = (offer.campaign, offer.offer);
        let _ = writeln!(text, "{:>width$} {campaign} / {id}", amount(offer.discount));
        let lines = offer.lines.iter().map(|share| (name(cart, share), share.discount));
        let fees = offer.fees.iter().map(|share| (fee(cart, share), share.discount));
        for (name, discount) in lines.chain(fees) {
            let _ = writeln!(text, "{:width$}   {} off {name}", "", amount(discount));
        }
    }
    if !reply.rejected.is_empty() {
        let _ = writeln!(text, "\nDoes not apply:");
    }
    for rejected in &reply.rejected {
        let what = [rejected.campaign, rejected.code, rejected.offer];
        let what: Vec<&str> = what.into_iter().flatten().collect();
        let (what, reason) = (what.join(" / "), rejected.reason);
        let _ = writeln!(text, "  {what}: {reason} ({})", rejected.detail);
    }
    text
}

fn name(cart: &Cart, share: &Share<'_>) -> String {
    let line = cart.lines().find(|line| line.id() == share.id);
    let name = line.and_then(|line| {
        let name = line.name().or(line.sku())?;
        Some(format!("{} × {name}", line.quantity()))
    });
    match name {
        Some(name) => format!("line {}, {name}", share.id),
        None => format!("line {}", share.id),
    }
}

fn fee(cart: &Cart, share: &Share<'_>) -> String {
    let kind = cart.fees().find(|fee| fee.id() == share.id).map(|fee| fee.kind().to_owned());
    format!("fee {}, {}", share.id, kind.unwrap_or_default())
}

/// An amount in major units.
fn major(amount: Money, currency: Currency) -> String {
    let exponent = usize::try_from(currency.exponent()).unwrap_or_default();
    let digits = format!("{:0width$}", amount.minor(), width = exponent.saturating_add(1));
    match digits.split_at_checked(digits.len().saturating_sub(exponent)) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_its_currencys_digits() {
        let shown = |minor, currency| major(Money::new(minor), Currency::parse(currency).unwrap());
        assert_eq!(shown(5, "USD"), "0.05");
        assert_eq!(shown(123_456, "USD"), "1234.56");
        assert_eq!(shown(500, "JPY"), "500");
        assert_eq!(shown(1, "KWD"), "0.001");
    }
}
