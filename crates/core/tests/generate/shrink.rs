//! Makes a failing request smaller while it keeps failing.

use serde_json::{Value, json};

/// Drops campaigns, offers, discounts, lines, fees, conditions, codes and optional keys, and lowers numbers, as long as
/// `fails` still says so. `fails` must say no to a request that is not well-formed.
pub fn shrink(request: &Value, fails: impl Fn(&Value) -> bool) -> Value {
    let mut smallest = request.clone();
    loop {
        let smaller = candidates(&smallest).into_iter().find(|candidate| fails(candidate));
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

fn candidates(request: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    visit(request, "", &mut |pointer, value| {
        for smaller in smaller_values(pointer, value) {
            let mut candidate = request.clone();
            *candidate.pointer_mut(pointer).unwrap() = smaller;
            all.push(candidate);
        }
    });
    all
}

/// Calls `look` on the value and on everything inside it, outermost first.
fn visit(value: &Value, pointer: &str, look: &mut impl FnMut(&str, &Value)) {
    look(pointer, value);
    match value {
        Value::Object(keys) => {
            for (key, inner) in keys {
                let key = key.replace('~', "~0").replace('/', "~1");
                visit(inner, &format!("{pointer}/{key}"), look);
            }
        }
        Value::Array(members) => {
            for (index, inner) in members.iter().enumerate() {
                visit(inner, &format!("{pointer}/{index}"), look);
            }
        }
        _ => {}
    }
}

fn smaller_values(pointer: &str, value: &Value) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Array(members) => {
            let may_be_empty = ["/lines", "/fees", "/tag", "/category", "/codes"]
                .iter()
                .any(|end| pointer.ends_with(end));
            if members.len() > 1 || may_be_empty {
                for index in 0..members.len() {
                    let mut fewer = members.clone();
                    fewer.remove(index);
                    smaller.push(json!(fewer));
                }
            }
        }
        Value::Object(keys) => {
            for key in keys.keys() {
                let mut fewer = keys.clone();
                fewer.remove(key);
                smaller.push(json!(fewer));
            }
            // A tree, by one of its branches.
            for tree in ["all", "any", "any_of"] {
                if let Some(branches) = keys.get(tree).and_then(Value::as_array) {
                    smaller.extend(branches.iter().cloned());
                }
            }
            if let Some(discounts) = keys.get("discounts").and_then(Value::as_array) {
                for discount in discounts {
                    let mut one = keys.clone();
                    one.remove("discounts");
                    one.insert("discount".to_owned(), discount.clone());
                    smaller.push(json!(one));
                }
            }
        }
        Value::Number(_) => {
            if let Some(number) = value.as_i64().filter(|number| *number > 1) {
                smaller.push(json!(1));
                smaller.push(json!(number / 2));
                smaller.push(json!(number - 1));
            }
        }
        _ => {}
    }
    smaller
}
