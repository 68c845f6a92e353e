//! What a till is told of a discount: its shares of lines and of fees, in inquiries and redemptions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use promo_core::campaign::Rounding;
use promo_core::checkout::{Quote, Redeemed, Share};
use promo_core::ident::OfferRef;
use promo_core::money::{Currency, Money};
use promo_pos::neutral::{inquire_reply, redeem_reply};
use serde_json::{Value, json};

fn quote() -> Quote {
    let share = |id: &str, discount| {
        let (id, discount) = (id.to_owned(), Money::new(discount));
        Share { id, discount, weighed: false }
    };
    Quote {
        offer_id: OfferRef::parse("summer.ten-off.CODE").unwrap(),
        campaign: "summer".to_owned(),
        group: "Summer".to_owned(),
        offer: "ten-off".to_owned(),
        name: "10 % off".to_owned(),
        description: String::new(),
        discount: Money::new(270),
        currency: Currency::parse("USD").unwrap(),
        lines: vec![share("1", 200), share("2", 40)],
        fees: vec![share("d", 30)],
        rounding: Rounding::default(),
        expires_at: None,
        standing: false,
    }
}

fn assert_tells_every_share(told: &Value) {
    assert_eq!(told["discount"], 270);
    let lines = json!([{ "id": "1", "discount": 200 }, { "id": "2", "discount": 40 }]);
    assert_eq!(told["lines"], lines);
    assert_eq!(told["fees"], json!([{ "id": "d", "discount": 30 }]));
}

#[test]
fn a_redemption_tells_the_shares_of_lines_and_of_fees() {
    let redeemed = Redeemed { applied: vec![quote()], known: true, ..Redeemed::default() };
    let reply = serde_json::to_value(redeem_reply(&redeemed, "Sorry.", &[])).unwrap();
    assert_tells_every_share(&reply["applied"][0]);
}

#[test]
fn an_inquiry_tells_the_shares_of_lines_and_of_fees() {
    let offers = [quote()];
    let reply = serde_json::to_value(inquire_reply(&offers, None, &[])).unwrap();
    assert_tells_every_share(&reply["offers"][0]);
}
