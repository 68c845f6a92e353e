//! Revisions, history, `If-Match`.

use super::*;
use crate::ident::{LocationId, TypeCode};
use crate::loyalty::programme::REWARDS;
use crate::revision::DocumentState;

fn tag(tag: &str) -> Option<IfMatch> {
    IfMatch::parse(&format!("\"{tag}\""))
}

#[test]
fn each_change_is_a_revision_and_deleting_keeps_the_history() {
    let mut maps = Maps::default();
    let document = |n: u64| fixed("a", &[&format!("CODE{n}")]);
    assert_eq!(maps.delete("a"), Written::NotThere);
    assert_eq!(maps.put("a", document(1)), done(1));
    assert_eq!(maps.put("a", document(2)), done(2));
    assert_eq!(maps.delete("a"), done(3));
    assert_eq!(maps.delete("a"), Written::NotThere);
    assert_eq!(get(&maps, &key("a"), None), Ok(Found::Deleted(Revision::new(3))));
    assert_eq!(maps.put("a", document(4)), done(4));

    for (revision, n) in [(None, 4), (Some(1), 1), (Some(2), 2), (Some(4), 4)] {
        let found = get(&maps, &key("a"), revision.map(Revision::new)).unwrap();
        let Found::Document(version) = found else { panic!("{revision:?}: {found:?}") };
        assert_eq!(version.document, Some(document(n)));
    }
    let of = |revision| get(&maps, &key("a"), Some(Revision::new(revision))).unwrap();
    assert_eq!(of(3), Found::Deleted(Revision::new(3)));
    assert_eq!((of(0), of(5)), (Found::NoSuchRevision, Found::NoSuchRevision));
    assert_eq!(get(&maps, &key("b"), None), Ok(Found::Unknown));

    let page = history(&maps, &key("a"), None, 3).unwrap();
    let lines: Vec<_> =
        page.versions.iter().map(|(r, deleted, ..)| (r.number(), *deleted)).collect();
    assert_eq!((lines, page.more), (vec![(4, false), (3, true), (2, false)], true));
    let rest = history(&maps, &key("a"), Some(Revision::new(2)), 3).unwrap();
    assert_eq!((rest.versions.len(), rest.more), (1, false));
    let steps: Vec<_> =
        maps.audit.iter().map(|a| (a.from.number(), a.to.number(), a.action.as_str())).collect();
    assert_eq!(steps, [(0, 1, "put"), (1, 2, "put"), (2, 3, "delete"), (3, 4, "put")]);
    assert!(maps.audit.iter().all(|audit| audit.who == "test" && audit.document == key("a")));
}

#[test]
fn if_match_lets_only_the_one_who_read_the_newest_change_it() {
    let mut maps = Maps::default();
    let put_if = |maps: &mut Maps, if_match: Option<IfMatch>| {
        maps.put_at(&Put { if_match, ..put_of("a", fixed("a", &["CODE"])) }, 0)
    };
    let other = |revision: Option<u64>| Written::OtherRevision(revision.map(Revision::new));
    assert_eq!(put_if(&mut maps, tag("1")), other(None));
    assert_eq!(put_if(&mut maps, Some(IfMatch::Any)), other(None));
    assert_eq!(put_if(&mut maps, None), done(1));
    assert_eq!(put_if(&mut maps, tag("1")), done(2));
    assert_eq!(put_if(&mut maps, tag("1")), other(Some(2)));
    assert_eq!(put_if(&mut maps, IfMatch::parse("\"1\", \"2\"")), done(3));
    assert_eq!(put_if(&mut maps, IfMatch::parse("W/\"3\"")), other(Some(3)));
    assert_eq!(put_if(&mut maps, Some(IfMatch::Any)), done(4));
    assert_eq!(maps.delete_if("a", tag("3"), InKv::default()), other(Some(4)));
    assert_eq!(maps.delete_if("a", tag("4"), InKv::default()), done(5));
    for gone in [tag("5"), Some(IfMatch::Any)] {
        assert_eq!(put_if(&mut maps, gone.clone()), other(None));
        assert_eq!(maps.delete_if("a", gone, InKv::default()), other(None));
    }
    assert_eq!(put_if(&mut maps, None), done(6));
}

#[test]
fn a_document_with_faults_is_refused_with_all_of_them_and_changes_nothing() {
    let mut maps = Maps::default();
    let faults = |written| match written {
        Written::Faulty(faults) => Faults::from(faults).to_string(),
        other => panic!("{other:?}"),
    };
    let said = faults(maps.put("a", campaign("a", r#"{"fixed": ["A", "B"]}"#)));
    assert!(said.contains("/codes/fixed/0") && said.contains("/codes/fixed/1"), "{said}");
    assert!(faults(maps.put("a", fixed("b", &["CODE"]))).starts_with("/id: is \"b\""));
    let rewards = fixed(REWARDS, &["CODE"]);
    assert!(faults(maps.put(REWARDS, rewards)).starts_with("/id: "));
    assert!(maps.heads.is_empty() && maps.audit.is_empty());
}

#[test]
fn every_kind_is_kept_and_published_the_same_way() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    let location = DocumentKey::location(&LocationId::parse("Plaza Mayor").unwrap());
    let card = DocumentKey::instrument_type(&TypeCode::parse("1234").unwrap());
    let documents = [
        (location.clone(), "{\"timezone\": \"Europe/Madrid\"}", "location:Plaza Mayor"),
        (
            card,
            "{\"name\": \"Card\", \"kind\": \"card\", \"symbology\": \"QR_CODE\", \"campaign\": \"a\"}",
            "instrument:1234",
        ),
    ];
    for (key, document, kv_key) in documents {
        let asked = Put { key, ..put_of("x", document.to_owned()) };
        assert_eq!(maps.put_at(&asked, 0), done(1), "{document}");
        world.publish(&mut maps, 0);
        assert_eq!(world.kv[kv_key], copy::write(Revision::new(1), document));
    }
    assert!(world.heard.is_empty(), "only campaigns have ledgers");
    let wrong = Put { key: location, ..put_of("x", "{\"timezone\": \"Mars/Base\"}".to_owned()) };
    assert!(matches!(maps.put_at(&wrong, 0), Written::Faulty(_)));
}

#[test]
fn a_list_has_what_exists_in_order_and_pages() {
    let mut maps = Maps::default();
    for name in ["c", "a", "d", "b"] {
        maps.put(name, fixed(name, &[&format!("CODE{name}")]));
    }
    maps.delete("b");
    let page = |after: &str| {
        let asked = List { kind: Kind::Campaign, after: after.to_owned(), limit: 2 };
        let page = list(&maps, &asked).unwrap();
        let ids: Vec<String> = page.documents.into_iter().map(|(id, ..)| id).collect();
        (ids.concat(), page.more)
    };
    assert_eq!(page(""), ("ac".to_owned(), true));
    assert_eq!(page("c"), ("d".to_owned(), false));
}

#[test]
fn a_campaign_that_is_switched_off_is_announced_as_such() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    let off =
        fixed("a", &["CODE"]).replace("\"name\": \"a\"", "\"name\": \"a\", \"active\": false");
    for (step, state) in [(false, DocumentState::Live), (true, DocumentState::Off)] {
        maps.put("a", if step { off.clone() } else { fixed("a", &["CODE"]) });
        world.publish(&mut maps, 0);
        assert_eq!(world.heard[&key("a")].state, state);
    }
    maps.delete("a");
    world.publish(&mut maps, 0);
    let deleted = Announcement { revision: Revision::new(3), state: DocumentState::Deleted };
    assert_eq!(world.heard[&key("a")], deleted);
    assert!(world.kv.is_empty());
}
