//! Renaming a person in a ledger, at every point in between.

use super::*;
use crate::erasure::Replacements;
use crate::ledger::campaign::rename::{join, move_units, rename};

const PHONE: &str = "0123456789abcdef0123456789abcdef";
const EMAIL: &str = "fedcba9876543210fedcba9876543210";

fn names() -> Replacements {
    Replacements::new(&[PHONE.to_owned(), EMAIL.to_owned()], "token", false)
}

fn of(name: &str) -> String {
    format!("*|uses|customer|total|total||{name}|")
}

/// One step of the renaming of tabs, as an object does it.
fn rename_tab(map: &mut Map, tab: &TabKey) -> bool {
    let text = serde_json::to_string(&map.tabs[tab]).unwrap();
    let Some(renamed) = rename(&text, &names()) else { return false };
    for moved in renamed.moves {
        let mut from = map.stocks.get(&moved.from).cloned().unwrap_or_default();
        let mut to = map.stocks.get(&moved.to).cloned().unwrap_or_default();
        move_units(&mut from, &mut to, moved.units);
        map.stocks.extend([(moved.from, from), (moved.to, to)]);
    }
    map.tabs.insert(tab.clone(), serde_json::from_str(&renamed.record).unwrap());
    true
}

fn rename_counters(map: &mut Map) {
    for (key, stock) in std::mem::take(&mut map.stocks) {
        let to = names().replace(&key).unwrap_or(key);
        let there = map.stocks.remove(&to);
        let joined = there.map_or(stock.clone(), |there| join(stock, there));
        map.stocks.insert(to, joined);
    }
}

fn take(map: &mut Map, n: i64, name: &str) {
    let redeem = ask(&format!("t{n}"), n, &[("o", 100)], &[uses(&of(name), 5)]);
    let redeemed = map.redeem(&Redeem { customer: Some(name.to_owned()), ..redeem });
    assert_eq!(redeemed.outcomes, [applied("o", 100)], "{n}");
}

fn used(map: &Map) -> u64 {
    map.stocks.values().map(|stock| stock.used).sum()
}

#[test]
fn a_reversal_gives_back_once_wherever_the_renaming_has_got_to() {
    for renamed_before in 0..4 {
        for counters_too in [false, true] {
            let mut map = Map::default();
            let tabs: Vec<TabKey> = (1..=3)
                .map(|n| {
                    take(&mut map, n, if n == 2 { EMAIL } else { PHONE });
                    tab_key(&format!("t{n}"))
                })
                .collect();
            for tab in tabs.iter().take(renamed_before) {
                assert!(rename_tab(&mut map, tab));
            }
            if counters_too && renamed_before == 3 {
                rename_counters(&mut map);
            }
            assert_eq!(used(&map), 3);
            map.reverse("t1", None, 50);
            map.reverse("t1", None, 51);
            assert_eq!(used(&map), 2, "{renamed_before}");
            for tab in &tabs {
                rename_tab(&mut map, tab);
            }
            rename_counters(&mut map);
            map.reverse("t2", None, 50);
            assert_eq!(used(&map), 1);
            let all = format!("{:?}{:?}", map.tabs, map.stocks.keys());
            assert!(!all.contains(PHONE) && !all.contains(EMAIL), "{all}");
        }
    }
}

#[test]
fn two_counters_of_one_person_become_one_with_both_their_rights() {
    let rights =
        |received| Some(Rights::Holder(rights::Holder { received, ..rights::Holder::default() }));
    let one = Stock { used: 1, rights: rights(3) };
    let other = Stock { used: 2, rights: rights(4) };
    assert_eq!(join(one.clone(), other), Stock { used: 3, rights: rights(7) });
    let plain = Stock { used: 2, rights: None };
    assert_eq!(join(plain, one), Stock { used: 3, rights: rights(3) });
}

#[test]
fn whoever_is_not_named_is_left_alone_and_what_cannot_be_read_is_renamed_all_the_same() {
    assert_eq!(rename("{\"offers\":{}}", &names()), None);
    let broken = format!("{{\"offers\": 7, \"customer\": \"{PHONE}\"}}");
    let renamed = rename(&broken, &names()).unwrap();
    assert_eq!(renamed.record, "{\"offers\": 7, \"customer\": \"erased-token\"}");
    assert_eq!(renamed.moves, []);
}
