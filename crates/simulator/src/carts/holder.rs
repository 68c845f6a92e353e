//! Cards and coupons count for whoever they were given to, whoever shows them.

use promo_core::checkout::{Instrument, Person, inquire, redeem};
use promo_core::ident::TypeCode;
use promo_core::issuance::Kind;
use promo_core::time::Instant;
use serde_json::{Value, json};

use super::shop::{Shop, tab_key};

/// One campaign with one offer of 100 off, and these quotas.
fn shop(quotas: &Value, instrument: Option<Instrument>) -> Shop {
    let request = json!({
        "campaigns": [{
            "id": "cards", "name": "Cards", "currency": "USD", "codes": {"fixed": ["CODE0"]},
            "offers": [{"id": "o1", "name": "1 off", "discount": {"amount": 100}}],
            "quotas": quotas,
        }],
        "cart": {"currency": "USD", "lines": [], "fees": [], "subtotal": 1000},
        "at": "2026-07-04T12:00:00Z",
    });
    let mut shop = Shop::of(request, vec![Vec::new()], None);
    shop.instrument = instrument;
    shop
}

/// Somebody who is no member.
fn person(name: &str) -> Person {
    Person { name: name.to_owned(), ..Person::default() }
}

fn instrument(kind: Kind) -> Instrument {
    let code = TypeCode::parse("2001").unwrap();
    Instrument { code, kind, customer: person("holder") }
}

/// What a REDEEM by this guest says on a tab of its own.
fn redeemed(shop: &Shop, tab: usize, guest: Option<&str>) -> Vec<String> {
    let cart = shop.request["cart"].clone();
    let now = Instant::from_millis(1000 + i64::try_from(tab).unwrap());
    let mut event = shop.event(&tab_key(tab), &cart, now, format!("e{tab}"));
    event.customer = guest.map(person);
    let ids = [shop.offer_ref(0, 0).to_string()];
    let answer = shop.now(redeem(shop, &ids, &event)).unwrap();
    let applied = answer.applied.iter().map(|quote| quote.discount.minor().to_string());
    let rejected = answer.rejected.iter().map(|no| no.reason.as_str().to_owned());
    applied.chain(rejected).collect()
}

#[test]
fn a_card_counts_for_its_holder_whoever_shows_it() {
    let twice = json!([{"per": ["customer"], "limit": 2}]);
    let cards = shop(&twice, Some(instrument(Kind::Card)));
    assert_eq!(redeemed(&cards, 0, Some("ann")), ["100"]);
    assert_eq!(redeemed(&cards, 1, None), ["100"], "the holder is known, whoever comes");
    assert_eq!(redeemed(&cards, 2, Some("bob")), ["quota_exhausted"]);
    // As a code that is nobody's it counts for the guest who types it.
    let codes = shop(&twice, None);
    assert_eq!(redeemed(&codes, 0, Some("ann")), ["100"]);
    assert_eq!(redeemed(&codes, 1, None), ["customer_unknown"]);
    assert_eq!(redeemed(&codes, 2, Some("ann")), ["100"]);
    assert_eq!(redeemed(&codes, 3, Some("ann")), ["quota_exhausted"]);
    assert_eq!(redeemed(&codes, 4, Some("bob")), ["100"]);
}

#[test]
fn a_coupon_is_used_once_and_a_card_is_not() {
    let coupons = shop(&json!([]), Some(instrument(Kind::Coupon)));
    assert_eq!(redeemed(&coupons, 0, Some("ann")), ["100"]);
    assert_eq!(redeemed(&coupons, 1, Some("bob")), ["quota_exhausted"]);
    let cart = coupons.request["cart"].clone();
    let event = coupons.event(&tab_key(2), &cart, Instant::from_millis(2000), "e2".to_owned());
    let answer = coupons.now(inquire(&coupons, "CODE0", &event)).unwrap();
    assert!(answer.is_miss(), "{answer:?}");
    let cards = shop(&json!([]), Some(instrument(Kind::Card)));
    for tab in 0..3 {
        assert_eq!(redeemed(&cards, tab, None), ["100"]);
    }
}
