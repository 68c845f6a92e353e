//! A live INQUIRE of a divided campaign knows what could be fetched.

use serde_json::{Value, json};

use super::world::{World, applied, reason};

const LAYOUTS: [&str; 3] = ["tab", "code", "customer"];

fn divided(by: &str, quotas: &Value) -> Value {
    json!({"quotas": quotas, "ledger": {"shards": 8, "by": by}})
}

fn guest(n: usize) -> Option<&'static str> {
    ["ann", "bob", "eve", "joe", "kim", "lee", "mia", "ned", "pat", "ray"].get(n % 10).copied()
}

/// Sells all there is, each to another guest on another tab; returns how many got one.
fn sell_out(world: &World, offers: &[String], most: usize) -> usize {
    let sold = |n: usize| {
        let offer = &offers[n % offers.len()];
        applied(&world.redeem_as(&format!("sold-{n}"), guest(n), &[offer])).len()
    };
    (0..most).map(sold).sum()
}

#[test]
fn a_total_that_is_used_up_is_refused_to_everybody() {
    for by in LAYOUTS {
        let world = World::new();
        let quotas = json!([{"per": [], "limit": 20}]);
        world.publish("c", &json!({"listed": true}), &divided(by, &quotas));
        let codes: Vec<_> = (0..40).map(|n| format!("CODE{n}")).collect();
        world.list("c", &codes.iter().map(String::as_str).collect::<Vec<_>>());
        let offers: Vec<_> = codes.iter().map(|code| format!("c.ten-off.{code}")).collect();
        // While there is one left, wherever it is, everybody is offered it.
        assert_eq!(sell_out(&world, &offers, 19), 19, "{by}");
        for (n, code) in codes.iter().enumerate().skip(20).take(16) {
            let said = world.inquire_as(&format!("asks-{n}"), guest(n), code);
            assert_eq!(reason(&said), "offered", "by {by}, {n}");
        }
        assert_eq!(applied(&world.redeem_as("last", guest(19), &[&offers[19]])).len(), 1);
        for (n, code) in codes.iter().enumerate().skip(20).take(16) {
            let said = world.inquire_as(&format!("late-{n}"), guest(n), code);
            assert_eq!(reason(&said), "quota_exhausted", "by {by}, {n}");
        }
    }
}

#[test]
fn a_single_code_that_is_used_is_refused_on_every_other_tab() {
    for by in LAYOUTS {
        let world = World::new();
        world.publish("c", &json!({"listed": true}), &divided(by, &json!([])));
        world.list("c", &["GIFT1", "GIFT2"]);
        assert_eq!(applied(&world.redeem_as("buyer", guest(0), &["c.ten-off.GIFT1"])).len(), 1);
        for n in 1..12 {
            let tab = format!("late-{n}");
            assert_eq!(
                reason(&world.inquire_as(&tab, guest(n), "GIFT1")),
                "quota_exhausted",
                "{by}"
            );
            assert_eq!(reason(&world.inquire_as(&tab, guest(n), "GIFT2")), "offered", "{by}");
        }
        assert_eq!(reason(&world.inquire_as("buyer", guest(0), "GIFT1")), "offered", "it stands");
    }
}

#[test]
fn a_guest_who_has_had_his_share_is_refused_on_every_tab_and_the_others_are_not() {
    for by in LAYOUTS {
        let world = World::new();
        let quotas = json!([{"per": ["customer"], "limit": 2}]);
        world.publish("c", &json!({"fixed": ["SUMMER10"]}), &divided(by, &quotas));
        for tab in ["first", "second"] {
            let redeemed = world.redeem_as(tab, guest(0), &["c.ten-off.SUMMER10"]);
            assert_eq!(applied(&redeemed).len(), 1);
        }
        for n in 0..9 {
            let tab = format!("late-{n}");
            let said = world.inquire_as(&tab, guest(0), "SUMMER10");
            assert_eq!(reason(&said), "quota_exhausted", "{by}");
            assert_eq!(reason(&world.inquire_as(&tab, guest(1), "SUMMER10")), "offered", "{by}");
        }
    }
}

#[test]
fn what_is_used_up_stays_so_when_the_ledger_is_laid_out_anew() {
    for before in [json!({"shards": 1}), json!({"shards": 4, "by": "tab"})] {
        for by in LAYOUTS {
            let world = World::new();
            let quotas = json!([{"per": [], "limit": 3}, {"per": ["code"], "limit": 3}]);
            let first = json!({"quotas": quotas, "ledger": before});
            world.publish("c", &json!({"fixed": ["SUMMER10"]}), &first);
            let offers = ["c.ten-off.SUMMER10".to_owned()];
            assert_eq!(sell_out(&world, &offers, 6), 3);
            world.publish("c", &json!({"fixed": ["SUMMER10"]}), &divided(by, &quotas));
            for n in 0..9 {
                let said = world.inquire_as(&format!("late-{n}"), guest(n), "SUMMER10");
                assert_eq!(reason(&said), "quota_exhausted", "{before} by {by}");
            }
            // The move has not lost or made a unit.
            assert_eq!(sell_out(&world, &offers, 9), 3, "the same three, as before");
        }
    }
}

#[test]
fn a_limit_lowered_below_what_is_used_is_known_at_once() {
    for by in LAYOUTS {
        let world = World::new();
        let limit = |limit: u32| divided(by, &json!([{"per": [], "limit": limit}]));
        world.publish("c", &json!({"fixed": ["SUMMER10"]}), &limit(400));
        let offers = ["c.ten-off.SUMMER10".to_owned()];
        assert_eq!(sell_out(&world, &offers, 30), 30);
        world.publish("c", &json!({"fixed": ["SUMMER10"]}), &limit(25));
        for n in 40..60 {
            let said = world.inquire_as(&format!("late-{n}"), guest(n), "SUMMER10");
            assert_eq!(reason(&said), "quota_exhausted", "by {by}");
        }
        world.publish("c", &json!({"fixed": ["SUMMER10"]}), &limit(31));
        assert_eq!(reason(&world.inquire_as("asks", guest(1), "SUMMER10")), "offered", "by {by}");
    }
}
