//! A code has one holder.

use super::*;

/// A body of signed codes.
const BODY: &str = "0123456789ABCDEF";

fn held(key: &str, campaign: &str, names: bool) -> InKv {
    let held = Held { campaign: id(campaign), names };
    InKv { by_hand: false, held: BTreeMap::from([(key.to_owned(), held)]) }
}

fn add(maps: &mut Maps, campaign: &str, codes: &[&str], in_kv: InKv) -> Added {
    let codes = (1..).zip(codes.iter().map(|text| code(text))).collect();
    let who = "test".to_owned();
    let asked = AddCodes { campaign: id(campaign), codes, who, dry_run: false, in_kv };
    let (added, changes) = add_codes(maps, &asked, at(0)).unwrap();
    maps.keep(changes);
    added
}

fn listed(name: &str) -> String {
    campaign(name, r#"{"listed": true}"#)
}

fn signed(name: &str, prefix: &str) -> String {
    campaign(name, &format!(r#"{{"signed": {{"prefix": "{prefix}", "count": 10}}}}"#))
}

#[test]
fn a_code_of_another_campaign_is_refused_and_the_other_is_named() {
    let mut maps = Maps::default();
    maps.put("holder", fixed("holder", &["ONE", "TWO"]));
    let said = collisions(maps.put("thief", fixed("thief", &["OWN", "two", "ONE"])));
    assert_eq!(
        said,
        "/codes/fixed/1: TWO belongs to campaign holder\n\
         /codes/fixed/2: ONE belongs to campaign holder"
    );
    maps.put("series", signed("series", "AB"));
    let said = collisions(maps.put("thief", signed("thief", "ab")));
    assert_eq!(said, "/codes/signed/prefix: AB belongs to campaign series");
}

#[test]
fn a_code_that_is_dropped_or_whose_campaign_is_deleted_is_free_at_once() {
    for deleted in [false, true] {
        for published in [false, true] {
            let (mut maps, mut world) = (Maps::default(), World::default());
            maps.put("first", fixed("first", &["CODE", "KEPT"]));
            world.publish(&mut maps, 0);
            match deleted {
                true => maps.delete("first"),
                false => maps.put("first", fixed("first", &["KEPT"])),
            };
            if published {
                world.publish(&mut maps, 0);
                assert!(!world.kv.contains_key("code:CODE"));
            }
            assert_eq!(maps.put("second", fixed("second", &["CODE"])), done(1));
            world.publish(&mut maps, 0);
            assert!(world.kv["code:CODE"].contains("second"));
            assert_eq!(world.kv, maps.projection());
            assert!(collisions(maps.put("first", fixed("first", &["CODE"]))).contains("second"));
        }
    }
}

#[test]
fn a_removal_on_its_way_does_not_take_away_what_its_owner_wants_again() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    maps.put("a", fixed("a", &["CODE", "KEPT"]));
    world.publish(&mut maps, 0);
    maps.put("a", fixed("a", &["KEPT"]));
    let publication = due(&maps, at(0)).unwrap().remove(0);
    assert_eq!(publication.remove, ["code:CODE"]);
    maps.put("a", fixed("a", &["KEPT", "CODE"]));
    let done = world.perform(&publication, || false);
    let changes = published(&maps, &done, at(0)).unwrap();
    maps.keep(changes);
    world.publish(&mut maps, 0);
    assert_eq!(world.kv, maps.projection());
    assert!(world.kv.contains_key("code:CODE"));
}

#[test]
fn a_code_that_looks_signed_and_a_prefix_of_another_refuse_each_other_however_it_is_written() {
    let lookalike = format!("P0LE{BODY}");
    let mut maps = Maps::default();
    maps.put("series", signed("series", "POLE"));
    let said = collisions(maps.put("fixed", fixed("fixed", &[&lookalike])));
    assert!(said.contains("would be taken for a signed code of campaign series"), "{said}");
    maps.delete("series");
    assert_eq!(maps.put("fixed", fixed("fixed", &[&lookalike])), done(1));
    let said = collisions(maps.put("series", signed("series", "POLE")));
    assert!(said.contains("/codes/signed/prefix") && said.contains("of campaign fixed"), "{said}");
    // One's own are given up with the change.
    assert_eq!(maps.put("fixed", signed("fixed", "POLE")), done(2));
}

#[test]
fn single_codes_have_one_holder_among_all_codes() {
    let mut maps = Maps::default();
    maps.put("fixed", fixed("fixed", &["FIXED"]));
    maps.put("series", signed("series", "POLE"));
    maps.put("one", listed("one"));
    maps.put("two", listed("two"));
    assert_eq!(add(&mut maps, "fixed", &["ABC"], InKv::default()), Added::NotListed);
    let done = |codes: &[&str]| Added::Done(codes.iter().map(|text| code(text)).collect());
    assert_eq!(add(&mut maps, "one", &["ABC", "DEF"], InKv::default()), done(&["ABC", "DEF"]));
    let lookalike = format!("POLE{BODY}");
    let refused = add(&mut maps, "two", &["NEW", "ABC", "FIXED", &lookalike], InKv::default());
    let Added::Collides(faults) = refused else { panic!("{refused:?}") };
    let said = Faults::from(faults).to_string();
    for part in ["2: ABC belongs to campaign one", "3: FIXED belongs to campaign fixed", "series"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(maps.listed.len(), 2, "all of them, or none");
    assert!(collisions(maps.put("x", fixed("x", &["DEF"]))).contains("campaign one"));
    // Whose campaign is gone, or has other codes now, is nobody's.
    maps.put("one", fixed("one", &["ONE"]));
    assert_eq!(maps.put("x", fixed("x", &["DEF"])), Written::Done(Revision::new(1)));
    assert_eq!(add(&mut maps, "two", &["ABC"], InKv::default()), done(&["ABC"]));
}

#[test]
fn a_single_code_is_not_written_where_kv_is_about_to_forget_another() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    maps.put("old", fixed("old", &["CODE"]));
    maps.put("new", listed("new"));
    maps.delete("old");
    let refused = add(&mut maps, "new", &["CODE"], InKv::default());
    let Added::Collides(faults) = refused else { panic!("{refused:?}") };
    assert!(Faults::from(faults).to_string().contains("just being withdrawn"));
    world.publish(&mut maps, 0);
    assert_eq!(add(&mut maps, "new", &["CODE"], InKv::default()), Added::Done(vec![code("CODE")]));
}

#[test]
fn what_is_in_kv_by_hand_counts_as_long_as_the_registry_does_not_know_its_campaign() {
    let mut maps = Maps::default();
    let with =
        |in_kv: &InKv| Put { in_kv: in_kv.clone(), ..put_of("new", fixed("new", &["CODE"])) };
    let copy = held("code:CODE", "by-hand", false);
    let names = held("code:CODE", "by-hand", true);
    for in_kv in [&copy, &names] {
        assert!(collisions(maps.put_at(&with(in_kv), 0)).contains("campaign by-hand"));
    }
    let lookalike = held(&format!("code:POLE{BODY}"), "by-hand", false);
    let series = Put { in_kv: lookalike, ..put_of("series", signed("series", "POLE")) };
    assert!(collisions(maps.put_at(&series, 0)).contains("campaign by-hand"));
    // The registry knows it, and it does not list the code: what KV holds is stale.
    maps.put("by-hand", fixed("by-hand", &["OTHER"]));
    let mut again = maps.clone();
    assert_eq!(again.put_at(&with(&copy), 0), done(1));
    assert_eq!(again.put_at(&with(&names), 0), done(2));
    // Single codes that were written in bulk are in KV alone.
    maps.put("by-hand", listed("by-hand"));
    assert_eq!(maps.clone().put_at(&with(&copy), 0), done(1));
    assert!(collisions(maps.put_at(&with(&names), 0)).contains("campaign by-hand"));
}

#[test]
fn a_campaign_that_was_put_by_hand_is_taken_over_with_all_its_entries() {
    for deleted in [false, true] {
        let (mut maps, mut world) = (Maps::default(), World::default());
        for key in ["campaign:a", "code:OLD", "code:KEPT"] {
            world.kv.insert(key.to_owned(), fixed("a", &["OLD", "KEPT"]));
        }
        let mut in_kv = held("code:OLD", "a", false);
        in_kv.held.insert("code:KEPT".to_owned(), Held { campaign: id("a"), names: false });
        in_kv.by_hand = true;
        let any = IfMatch::parse("*");
        match deleted {
            true => assert_eq!(maps.delete_if("a", any, in_kv), done(1)),
            false => {
                let document = fixed("a", &["KEPT"]);
                let asked = Put { in_kv, if_match: any, ..put_of("a", document) };
                assert_eq!(maps.put_at(&asked, 0), done(1));
            }
        }
        world.publish(&mut maps, 0);
        assert_eq!(world.kv, maps.projection(), "deleted: {deleted}");
        assert_eq!(world.kv.len(), if deleted { 0 } else { 2 });
    }
}

#[test]
fn an_edge_looks_at_every_key_that_may_stand_against_a_campaign() {
    let read = |json: &str| crate::campaign::Campaign::from_json(json.as_bytes()).unwrap();
    let lookalike = format!("P0LE{BODY}");
    let now = read(&fixed("a", &["NEW", &lookalike]));
    let before = read(&fixed("a", &["OLD"]));
    let look = to_look_at(&now, Some(&before));
    let own = format!("code:{lookalike}");
    assert_eq!(look.keys, ["code-prefix:P01E", "code:NEW", "code:OLD", &own]);
    assert_eq!(look.beginning, None);
    let series = to_look_at(&read(&signed("a", "POLE")), None);
    assert_eq!(
        (series.keys, series.beginning),
        (vec!["code-prefix:P01E".to_owned()], Some("POLE".to_owned()))
    );
}
