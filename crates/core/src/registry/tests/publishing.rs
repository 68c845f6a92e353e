//! From the registry to KV: whatever fails, everything converges.

use super::*;
use crate::revision::DocumentState;

/// The same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(sides).unwrap_or(0)
    }
}

/// A change of one of three campaigns, with some of five codes.
fn change(maps: &mut Maps, dice: &mut Dice, now: i64) {
    let name = ["a", "b", "c"][usize::try_from(dice.below(3)).unwrap()];
    if dice.below(4) == 0 {
        let asked = Delete {
            key: key(name),
            who: "test".to_owned(),
            if_match: None,
            in_kv: InKv::default(),
        };
        let (_, changes) = delete(maps, &asked, at(now)).unwrap();
        maps.keep(changes);
        return;
    }
    let codes: Vec<String> =
        (0..5).filter(|_| dice.below(3) == 0).map(|n| format!("CODE{n}")).collect();
    let document = match codes.is_empty() {
        true => campaign(name, r#"{"none": true}"#),
        false => fixed(name, &codes.iter().map(String::as_str).collect::<Vec<_>>()),
    };
    maps.put_at(&put_of(name, document), now);
}

/// What is published of a document is what KV and its ledger have.
fn check_published(maps: &Maps, world: &World) {
    let projection = maps.projection();
    for (of, head) in &maps.heads {
        if maps.outbox.contains_key(of) {
            continue;
        }
        let heard = world.heard.get(of).map(|heard| heard.revision);
        assert_eq!(heard, Some(head.revision), "{of}");
        let own = |kv: &BTreeMap<String, String>| {
            let own = kv.iter().filter(|(_, value)| {
                let (_, document) = copy::read(value.as_bytes());
                let read = crate::campaign::Campaign::from_json(document).unwrap();
                key(read.id().as_str()) == *of
            });
            own.map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        // Of a campaign that is all published nothing else is in KV: no code outlives it.
        assert_eq!(own(&world.kv), own(&projection), "{of}");
    }
}

#[test]
fn whatever_fails_dies_or_is_overtaken_everything_converges() {
    let (mut overtaken, mut died) = (0, 0);
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut maps, mut world) = (Maps::default(), World::default());
        let mut now = 0;
        for _ in 0..30 {
            now += i64::try_from(dice.below(3000)).unwrap();
            if dice.below(2) == 0 {
                change(&mut maps, &mut dice, now);
                continue;
            }
            let odds = 1 + dice.below(6);
            for publication in due(&maps, at(now)).unwrap() {
                if dice.below(4) == 0 {
                    // Operators go on while it is being published.
                    change(&mut maps, &mut dice, now);
                    overtaken += 1;
                }
                // Dead in the middle, and nobody hears what was done.
                let dies_after = (dice.below(5) == 0).then(|| dice.below(4));
                let mut steps = 0;
                let done = world.perform(&publication, || {
                    steps += 1;
                    dies_after.is_some_and(|after| steps > after) || dice.below(odds) == 1
                });
                if dies_after.is_some() {
                    died += 1;
                    break;
                }
                let changes = published(&maps, &done, at(now)).unwrap();
                maps.keep(changes);
                check_published(&maps, &world);
            }
        }
        world.publish(&mut maps, now + 100_000);
        assert!(maps.outbox.is_empty(), "seed {seed}");
        assert_eq!(world.kv, maps.projection(), "seed {seed}");
        assert!(maps.entries.values().all(|entry| !entry.dropped), "seed {seed}");
        check_published(&maps, &world);
    }
    assert!(overtaken > 100 && died > 100, "{overtaken} overtaken, {died} died");
}

#[test]
fn what_fails_is_tried_again_later_and_later_but_not_for_ever_later() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    maps.put("a", fixed("a", &["CODE"]));
    let mut waits = Vec::new();
    for _ in 0..9 {
        let now = maps.outbox[&key("a")].due;
        let publication = due(&maps, now).unwrap().remove(0);
        let done = world.perform(&publication, || true);
        let changes = published(&maps, &done, now).unwrap();
        maps.keep(changes);
        waits.push((maps.outbox[&key("a")].due.millis() - now.millis()) / 1000);
        assert_eq!(due(&maps, now).unwrap(), []);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn a_campaign_of_many_codes_is_published_in_parts() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    let codes: Vec<String> = (0..350).map(|n| format!("CODE{n}")).collect();
    maps.put("a", fixed("a", &codes.iter().map(String::as_str).collect::<Vec<_>>()));
    let mut parts = Vec::new();
    while let Some(publication) = due(&maps, at(0)).unwrap().first() {
        parts.push(publication.write.len());
        let done = world.perform(publication, || false);
        let changes = published(&maps, &done, at(0)).unwrap();
        maps.keep(changes);
        assert!(!standing(&maps, &key("a")).unwrap().unwrap().published || parts.len() == 4);
    }
    assert_eq!(parts, [100, 100, 100, 51]);
    assert_eq!(world.kv.len(), 351);
}

#[test]
fn a_ledger_that_does_not_answer_does_not_hold_up_kv() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    maps.put("a", fixed("a", &["CODE"]));
    let publication = due(&maps, at(0)).unwrap().remove(0);
    let mut first = true;
    let done = world.perform(&publication, || std::mem::take(&mut first));
    let changes = published(&maps, &done, at(0)).unwrap();
    maps.keep(changes);
    assert_eq!(world.kv.len(), 2);
    assert!(!standing(&maps, &key("a")).unwrap().unwrap().published);
    let again = due(&maps, at(1000)).unwrap().remove(0);
    assert!(again.announce.is_some() && again.write.is_empty(), "{again:?}");
}

fn recalled(maps: &mut Maps, met: &[(&str, Option<u64>)], now: i64) -> Option<Recalled> {
    let met = met.iter().map(|(key, revision)| Met {
        key: (*key).to_owned(),
        revision: revision.map(Revision::new),
    });
    let asked = Recall::Campaign(id("a"), met.collect());
    let (found, changes) = recall(maps, &asked, at(now)).unwrap();
    maps.keep(changes);
    found
}

#[test]
fn what_kv_should_not_show_is_removed_or_written_again_when_it_is_met() {
    let (mut maps, mut world) = (Maps::default(), World::default());
    assert_eq!(recalled(&mut maps, &[("code:OLD", None)], 0), None);
    maps.put("a", fixed("a", &["OLD", "KEPT"]));
    maps.put("a", fixed("a", &["KEPT"]));
    world.publish(&mut maps, 0);
    let right = world.kv.clone();

    // Put by hand since: at once. An older copy: when caches do not explain it any more.
    let by_hand = [("code:OLD", None), ("code:KEPT", None), ("campaign:a", None)];
    let older = [("code:OLD", Some(1)), ("code:KEPT", Some(1)), ("campaign:a", Some(1))];
    for (met, now) in [(by_hand, 1), (older, 130_000)] {
        for (key, _) in met {
            world.kv.insert(key.to_owned(), "wrong".to_owned());
        }
        let found = recalled(&mut maps, &met, now).unwrap();
        assert_eq!(found.revision, Revision::new(2));
        assert_eq!(found.document, Some(fixed("a", &["KEPT"])));
        world.publish(&mut maps, now);
        assert_eq!(world.kv, right, "at {now}");
        // Another edge may see it for a while; that is no reason to write it once more.
        recalled(&mut maps, &met, now + 59_000);
        assert!(maps.outbox.is_empty());
    }
    maps.put_at(&put_of("a", fixed("a", &["KEPT"])), 300_000);
    world.publish(&mut maps, 300_000);
    recalled(&mut maps, &[("code:KEPT", Some(2))], 359_000);
    assert!(maps.outbox.is_empty(), "caches explain it");
    recalled(&mut maps, &[("code:KEPT", Some(2))], 360_000);
    assert!(maps.outbox.contains_key(&key("a")));
}

#[test]
fn a_document_is_recalled_by_its_code() {
    let mut maps = Maps::default();
    maps.put("a", fixed("a", &["CODE", "OLD"]));
    maps.put("a", fixed("a", &["CODE"]));
    let found = |maps: &Maps, text: &str| {
        let (found, _) = recall(maps, &Recall::Code(code(text)), at(0)).unwrap();
        found.map(|found| (found.campaign, found.revision.number(), found.document.is_some()))
    };
    assert_eq!(found(&maps, "CODE"), Some((id("a"), 2, true)));
    assert_eq!((found(&maps, "OLD"), found(&maps, "NEVER")), (None, None));
    maps.delete("a");
    assert_eq!(found(&maps, "CODE"), None);
    assert_eq!(standing(&maps, &key("a")).unwrap().map(|s| s.state), Some(DocumentState::Deleted));
}
