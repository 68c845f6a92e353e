//! Targets, matchers, and which units are picked, bought, got or bundled.

use serde_json::Value;

use super::tab::{At, Kind, Tab};
use super::{has, in_range, list, share_a_member};

//> Matcher `M` (all given keys must hold; a list matches any of its members; comparison is exact, case-sensitive)
//> `{}` matches every line
pub fn matches(matcher: &Value, line: &Value) -> bool {
    matcher.as_object().unwrap().iter().all(|(key, wanted)| match key.as_str() {
        "sku" | "name" => has(wanted, &line[key]),
        "category" | "tag" => share_a_member(wanted, &line[key]),
        "unit_price" => in_range(wanted, line["unit_price"].as_i64().unwrap()),
        "not" => !matches(wanted, line),
        other => panic!("matcher {other}"),
    })
}

/// The units of a target, in cart order.
pub fn target(tab: &Tab, on: &Value) -> Vec<At> {
    let mut units = Vec::new();
    for (index, thing) in tab.things.iter().enumerate() {
        if in_target(on, &thing.kind, &thing.json) {
            units.extend(tab.units_of(index));
        }
    }
    units
}

fn in_target(on: &Value, kind: &Kind, thing: &Value) -> bool {
    if on.is_null() {
        //> (`on` is a target; default `"tab"`)
        *kind != Kind::Fee
    } else if on.is_string() {
        //> `"tab"` (every line; where the cart has no lines, its `subtotal` as one unit)
        *kind != Kind::Fee
    } else if on["items"].is_object() {
        *kind == Kind::Line && matches(&on["items"], thing)
    } else if on["fees"].is_array() {
        //> `{"fees": ["delivery"]}` (by the fee's `kind`)
        *kind == Kind::Fee && has(&on["fees"], &thing["kind"])
    } else {
        //> `{"any_of": [T, …]}` (a set: each line or fee once, in cart order, lines before fees)
        list(&on["any_of"]).iter().any(|one| in_target(one, kind, thing))
    }
}

/// The units of lines that match, in cart order.
fn matching(tab: &Tab, matcher: &Value) -> Vec<At> {
    target(tab, &serde_json::json!({"items": matcher}))
}

//> `max_units` […] limits the units over the whole target, in cart order […]; `max_units_per_line` limits each line;
//> both: at most so many of each line, until so many in all.
//> The first units count, whether or not anything is left of them.
pub fn limited(selection: &[At], discount: &Value) -> Vec<At> {
    let per_line = discount["max_units_per_line"].as_u64();
    let in_all = discount["max_units"].as_u64();
    let mut kept: Vec<At> = Vec::new();
    for &at in selection {
        let of_its_line = kept.iter().filter(|other| other.thing == at.thing).count();
        let line_is_full = per_line.is_some_and(|most| of_its_line as u64 >= most);
        let all_is_full = in_all.is_some_and(|most| kept.len() as u64 >= most);
        if !line_is_full && !all_is_full {
            kept.push(at);
        }
    }
    kept
}

//> A unit with nothing left to take is neither bought, got, picked nor bundled.
fn something_left(tab: &Tab, units: Vec<At>) -> Vec<At> {
    units.into_iter().filter(|&at| tab.unit(at).room() > 0).collect()
}

//> "Cheapest" and "dearest" compare the cart's `unit_price`; of equals the earlier line's come first.
//> picked units mean the first ones
fn sorted(tab: &Tab, mut units: Vec<At>, pick: &str) -> Vec<At> {
    units.sort(); // cart order, which the stable sort below keeps among equals
    match pick {
        "cheapest" => units.sort_by_key(|&at| tab.unit(at).price),
        "dearest" => units.sort_by_key(|&at| -tab.unit(at).price),
        other => panic!("pick {other}"),
    }
    units
}

//> the n cheapest units of the target at the rate, once at least `at_least` (default n, never less) that can be picked
//> are there; `"dearest": n` likewise
pub fn cheapest_or_dearest(tab: &Tab, discount: &Value) -> Vec<At> {
    let pick = if discount["cheapest"].is_u64() { "cheapest" } else { "dearest" };
    let n = usize::try_from(discount[pick].as_u64().unwrap()).unwrap();
    let at_least = usize::try_from(discount["at_least"].as_u64().unwrap_or(0)).unwrap();
    let can_be_picked = something_left(tab, target(tab, &discount["on"]));
    if can_be_picked.len() < at_least.max(n) {
        return Vec::new();
    }
    sorted(tab, can_be_picked, pick).into_iter().take(n).collect()
}

fn max_times(discount: &Value) -> u64 {
    //> `max_times` absent: as often as it fits.
    discount["max_times"].as_u64().unwrap_or(u64::MAX)
}

fn quantity(part: &Value) -> usize {
    usize::try_from(part["quantity"].as_u64().unwrap()).unwrap()
}

/// The got units of all sets.
//> for each full set of bought and got units, the got ones at the rate in `get`
pub fn got_units(tab: &Tab, discount: &Value) -> Vec<At> {
    let (buy, get) = (&discount["buy"], &discount["get"]);
    //> `pick` "cheapest" (default) or "dearest" chooses them
    let pick = discount["pick"].as_str().unwrap_or("cheapest");
    let mut used: Vec<At> = Vec::new();
    let mut all_got = Vec::new();
    let mut sets = 0;
    while sets < max_times(discount) {
        //> a unit is never both bought and got, nor used twice
        let free = |units: Vec<At>, used: &[At]| -> Vec<At> {
            let units = something_left(tab, units);
            units.into_iter().filter(|at| !used.contains(at)).collect()
        };
        //> sets form one after another (bought, then got, then the next set)
        //> bought units are taken dearest first, those that cannot be got before those that can
        let can_be_got = matching(tab, &get["items"]);
        let mut to_buy = sorted(tab, free(matching(tab, &buy["items"]), &used), "dearest");
        to_buy.sort_by_key(|at| can_be_got.contains(at)); // stable; false comes first
        let bought: Vec<At> = to_buy.into_iter().take(quantity(buy)).collect();
        used.extend(&bought);
        let to_get = sorted(tab, free(can_be_got, &used), pick);
        let got: Vec<At> = to_get.into_iter().take(quantity(get)).collect();
        used.extend(&got);
        //> a set counts only with all its bought and all its got units
        if bought.len() < quantity(buy) || got.len() < quantity(get) {
            break;
        }
        all_got.extend(got);
        sets += 1;
    }
    all_got
}

/// The units of each set of a bundle, set after set.
pub fn bundles(tab: &Tab, discount: &Value) -> Vec<Vec<At>> {
    let mut used: Vec<At> = Vec::new();
    let mut sets: Vec<Vec<At>> = Vec::new();
    //> a set without a saving counts towards `max_times`
    while (sets.len() as u64) < max_times(discount) {
        let mut set = Vec::new();
        //> the parts take their units in document order, each the dearest matching
        for part in list(&discount["bundle"]) {
            let free: Vec<At> = something_left(tab, matching(tab, &part["items"]))
                .into_iter()
                .filter(|at| !used.contains(at))
                .collect();
            let units: Vec<At> =
                sorted(tab, free, "dearest").into_iter().take(quantity(part)).collect();
            if units.len() < quantity(part) {
                return sets;
            }
            used.extend(&units);
            set.extend(units);
        }
        sets.push(set);
    }
    sets
}
