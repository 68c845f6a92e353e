//! Guessing by INQUIRE and by REDEEM.

use serde_json::json;

use super::world::{Inquired, World, applied, offer, reason, rejected};
use crate::guard::Lock;

fn world() -> World {
    let world = World::new();
    world.publish("good", &json!({"fixed": ["GOOD10"]}), &json!({}));
    world.publish("other", &json!({"fixed": ["OTHER10"]}), &json!({}));
    world.publish("fast", &json!({"fixed": ["FAST10"]}), &json!({"inquire": "fast"}));
    world.publish("signed", &json!({"signed": {"prefix": "SGN", "count": 9}}), &json!({}));
    world.publish("listed", &json!({"listed": true}), &json!({}));
    world.list("listed", &["GIFT1", "GIFT2"]);
    world.publish("over", &json!({"fixed": ["OVER10"]}), &json!({"ends_at": "2020-01-01T00:00"}));
    let wants = json!([{"id": "ten-off", "name": "10%", "discount": {"percent": "10"},
        "when": {"subtotal": {"min": 5000}}}]);
    let wants = json!({"inquire": "fast", "offers": wants});
    world.publish("wants", &json!({"fixed": ["WANTS10"]}), &wants);
    world
}

#[test]
fn of_three_hundred_guesses_at_once_ten_are_told() {
    let world = world();
    let mut codes: Vec<_> = (0..300).map(|n| format!("GUESS{n}")).collect();
    codes.push("OVER10".to_owned());
    codes.push("GOOD10".to_owned());
    let answers = world.inquire_all("t", &codes);
    let told = answers.iter().filter(|answer| !matches!(answer, Inquired::Locked(_))).count();
    assert!(told <= 11, "{told}: ten, and a good code before the last of them");
    let again = world.inquire_all("t", &codes);
    assert!(again.iter().all(|answer| reason(answer) == "locked"));
    assert_eq!(reason(&world.inquire("u", "GOOD10")), "offered", "another tab goes on");
}

#[test]
fn a_miss_is_one_call_to_the_guard_after_the_code_was_looked_up() {
    let world = world();
    assert_eq!(reason(&world.inquire("t", "NOSUCH1")), "unknown_code");
    assert_eq!(world.asked(), ["location"]);
    assert_eq!(reason(&world.inquire("t", "OVER10")), "ended");
    assert_eq!(world.asked(), ["location"], "what the document says needs no ledger");
    assert_eq!(reason(&world.inquire("t", "GOOD10")), "offered");
    assert_eq!(world.asked(), ["location", "good#"], "in the same wait");
}

#[test]
fn a_signed_code_and_a_good_fast_one_ask_no_guard_and_heed_no_lock() {
    let world = world();
    let signed = world.signed("signed", 3);
    world.lock("t");
    world.asked();
    assert_eq!(reason(&world.inquire("t", "FAST10")), "offered");
    assert_eq!(reason(&world.inquire("t", "SGN123456789ABCDEFG")), "unknown_code");
    assert_eq!(world.asked(), Vec::<String>::new());
    assert_eq!(reason(&world.inquire("t", &signed)), "offered");
    assert_eq!(world.asked(), ["location", "signed#"], "what stands is asked for, not the lock");
    // But a fast one that is refused would be told from a made-up one.
    assert_eq!(reason(&world.inquire("t", "WANTS10")), "locked");
    assert_eq!(reason(&world.inquire("u", "WANTS10")), "subtotal_out_of_range");
}

#[test]
fn what_an_offer_wants_of_the_cart_is_no_miss_and_what_is_no_code_is_one() {
    let world = world();
    for _ in 0..30 {
        assert_eq!(reason(&world.inquire("t", "WANTS10")), "subtotal_out_of_range");
    }
    for _ in 0..10 {
        assert_eq!(reason(&world.inquire("t", "?")), "unknown_code");
    }
    assert_eq!(reason(&world.inquire("t", "?")), "locked");
}

#[test]
fn codes_that_are_used_up_are_misses_and_counted_exactly() {
    let world = world();
    world.publish(
        "used",
        &json!({"fixed": ["USED10"]}),
        &json!({"quotas": [{"per": [], "limit": 1}]}),
    );
    assert_eq!(applied(&world.redeem("buyer", &["used.ten-off.USED10"])).len(), 1);
    let codes = vec!["USED10".to_owned(); 300];
    let answers = world.inquire_all("t", &codes);
    let told = answers.iter().filter(|answer| reason(answer) == "quota_exhausted").count();
    assert_eq!(told, 10);
    assert!(answers.iter().all(|answer| ["quota_exhausted", "locked"].contains(&reason(answer))));
}

#[test]
fn a_location_that_is_silent_lets_nobody_learn_anything() {
    let world = world();
    let standing = offer("good", "GOOD10");
    assert_eq!(applied(&world.redeem("t", &[&standing])).len(), 1);
    world.location_is_silent.set(true);
    for code in ["GOOD10", "NOSUCH1", "OVER10", "WANTS10"] {
        assert_eq!(reason(&world.inquire("t", code)), "silent", "{code}");
    }
    assert_eq!(reason(&world.inquire("t", "FAST10")), "offered");
    let (real, made_up) = (offer("other", "OTHER10"), offer("other", "NOSUCH1"));
    for id in [&real, &made_up] {
        let redeemed = world.redeem("t", &[id, &standing]);
        let not_now = [id.as_str(), &standing].map(|id| (id, "temporarily_unavailable"));
        assert_eq!(rejected(&redeemed), not_now);
        assert_eq!((redeemed.known, redeemed.locked), (true, None));
    }
}

#[test]
fn a_redeem_of_an_unknown_code_is_a_miss_however_it_is_written() {
    let world = world();
    for key in [
        "-0000000001",
        "-dead",
        "-dead0000000000000000",
        "gift1",
        "~47:IFT1",
        "GIFT-1",
        "GIFT3",
        "GOOD10",
        "A_B",
    ] {
        let redeemed = world.redeem("t", &[&offer("listed", key)]);
        assert_eq!(rejected(&redeemed), [(offer("listed", key).as_str(), "unknown_code")]);
        assert_eq!((redeemed.known, redeemed.locked), (false, None), "{key}");
    }
    assert_eq!(rejected(&world.redeem("t", &[&offer("never", "GIFT1")])).len(), 1);
    let locked = world.redeem("t", &[&offer("listed", "GIFT1")]);
    assert!(matches!(locked.locked, Some(Lock::Until(_))), "ten misses: {locked:?}");
    assert_eq!(reason(&world.inquire("t", "GOOD10")), "locked");
    assert_eq!(applied(&world.redeem("u", &[&offer("listed", "GIFT1")])).len(), 1);
}

#[test]
fn on_a_locked_tab_redeem_answers_what_stands_and_tells_nothing_of_the_rest() {
    let world = world();
    let standing = offer("good", "GOOD10");
    let first = world.redeem("t", &[&standing]);
    world.lock("t");
    for real in [offer("other", "OTHER10"), offer("fast", "FAST10"), offer("listed", "GIFT1")] {
        let made_up = format!("{real}X");
        let (answer, other) = (world.redeem("t", &[&real]), world.redeem("t", &[&made_up]));
        assert!(answer.locked.is_some() && answer.applied.is_empty(), "{answer:?}");
        assert_eq!(answer.locked, other.locked);
        for order in [[&real, &standing], [&standing, &real]] {
            let answer = world.redeem("t", &order.map(String::as_str));
            assert_eq!((&answer.applied, answer.locked), (&first.applied, None));
            assert_eq!(rejected(&answer), [(real.as_str(), "unknown_code")]);
            let order = order.map(|id| if *id == real { made_up.as_str() } else { id });
            let other = world.redeem("t", &order);
            assert_eq!(other.applied, first.applied);
            assert_eq!(rejected(&other), [(made_up.as_str(), "unknown_code")]);
            assert_eq!(answer.rejected[0].detail, other.rejected[0].detail);
        }
    }
    // A signed code is nobody's guess.
    let signed = offer("signed", &world.signed("signed", 1));
    assert_eq!(applied(&world.redeem("t", &[&signed])), [signed]);
}

#[test]
fn what_stands_is_answered_as_before_though_its_code_is_gone_and_is_no_miss() {
    let world = world();
    let ids = [
        offer("good", "GOOD10"),
        offer("listed", "GIFT1"),
        offer("signed", &world.signed("signed", 2)),
    ];
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let first = world.redeem("t", &ids);
    assert_eq!(first.applied.len(), 3, "{first:?}");
    world.forget();
    for _ in 0..12 {
        let again = world.redeem("t", &ids);
        assert_eq!((again.known, again.locked), (true, None));
        for quote in &first.applied {
            assert!(again.applied.contains(quote), "{again:?}");
        }
    }
    let elsewhere = world.redeem("u", &ids);
    assert_eq!((elsewhere.applied.len(), elsewhere.known), (0, false));
}

#[test]
fn a_made_up_code_named_first_takes_no_good_one_of_its_campaign_with_it() {
    let world = world();
    let (made_up, good, other) =
        (offer("listed", "NEVER1"), offer("listed", "GIFT1"), offer("listed", "GIFT2"));
    let redeemed = world.redeem("t", &[&made_up, &good, &other]);
    assert_eq!(applied(&redeemed), [good.as_str()]);
    let reasons = [(made_up.as_str(), "unknown_code"), (other.as_str(), "does_not_combine")];
    assert_eq!(rejected(&redeemed), reasons);
}

#[test]
fn an_event_that_names_more_made_up_codes_than_may_be_tried_is_told_nothing() {
    let world = world();
    let ids: Vec<_> = (0..11).map(|n| offer("listed", &format!("NEVER{n}"))).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let good = offer("listed", "GIFT1");
    ids.push(&good);
    let redeemed = world.redeem("t", &ids);
    assert!(redeemed.locked.is_some() && redeemed.applied.is_empty(), "{redeemed:?}");
    assert!(world.redeem("t", &[&good]).locked.is_some());
    // One code counts once, whatever offers it is named with.
    let ids: Vec<_> = (0..30).map(|n| format!("listed.offer-{n}.NEVER1")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(rejected(&world.redeem("u", &ids)).len(), 30);
    assert!(world.redeem("u", &[&good]).locked.is_none());
}

#[test]
fn a_tab_that_is_silent_tells_no_more_of_a_made_up_code_than_of_a_real_one() {
    let world = world();
    world.location_is_silent.set(true);
    for id in [offer("good", "GOOD10"), offer("good", "NEVER10")] {
        let redeemed = world.redeem("t", &[&id]);
        assert_eq!(rejected(&redeemed), [(id.as_str(), "temporarily_unavailable")]);
        assert_eq!((redeemed.known, redeemed.locked), (true, None));
    }
}
