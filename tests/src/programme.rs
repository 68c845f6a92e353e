//! A loyalty programme for tests, and what a till and an operator ask of it.

use serde_json::{Value, json};

use crate::gotab::Tab;
use crate::{Reply, Service};

/// A point a dollar; a free burger for 100, 5 dollars off for 50.
#[must_use]
pub fn tap_club() -> Value {
    json!({
        "name": "Tap Club", "points": {"display_name": "Loyalty Points", "type": "points"},
        "timezone": "America/Chicago", "business_day_starts": "04:00",
        "earn": [{"points": 1, "per_amount": 100, "on": "tab"}],
        "rewards": [
            {"id": "free-burger", "name": "Free burger", "cost": 100,
             "offer": {"discount": {"percent": "100"}}},
            {"id": "five-off", "name": "5 off", "cost": 50, "offer": {"discount": {"amount": 500}}}
        ],
        "pay_with_points": {"points": 100, "value": 100},
        "retroactive_days": 90, "phone_region": "US",
        "email_rules": {"ignore_dots_for": ["gmail.com"], "ignore_plus": true}
    })
}

/// Publishes a programme, or the test fails.
#[track_caller]
pub fn publish(service: &Service, programme: &Value) {
    let reply = service.put("/admin/programme").admin().json(programme);
    assert_eq!(reply.status, 200, "{reply}");
}

/// Signs a guest up.
#[track_caller]
pub fn sign_up(service: &Service, form: &Value) -> Reply {
    Tab::new(service, "sign-up").loyalty("CREATE", &json!({ "customer": form }))
}

/// A guest eats for so much and pays.
#[track_caller]
pub fn eat(service: &Service, tab: &str, guest: &str, subtotal: u64) -> Reply {
    let reply =
        Tab::new(service, tab).of(subtotal).loyalty("ACCRUAL", &json!({ "lookup_value": guest }));
    assert_eq!(reply.status, 200, "{reply}");
    reply
}

/// What a till is told of a guest.
#[track_caller]
pub fn inquire(service: &Service, guest: &str) -> Reply {
    Tab::new(service, "inquiry").loyalty("INQUIRE", &json!({ "lookup_value": guest }))
}

/// All a guest's points: `total` and `available`.
#[track_caller]
pub fn points(service: &Service, guest: &str) -> (i64, i64) {
    let reply = inquire(service, guest);
    assert_eq!(reply.status, 200, "{reply}");
    let points = &reply.json()["loyalty_points"][0];
    let read = |key: &str| points[key].as_i64().unwrap_or(i64::MIN);
    (read("total"), read("available"))
}

/// A member as an operator sees him.
#[track_caller]
pub fn member(service: &Service, guest: &str) -> Value {
    let reply = service.get(&format!("/admin/members/{guest}")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    let member = reply.json();
    let accounts = member["accounts"].as_object().cloned().unwrap_or_default();
    let sum: i64 = accounts.values().filter_map(Value::as_i64).sum();
    assert_eq!((accounts.len(), sum), (5, 0), "the books do not balance: {member}");
    member
}

/// Gives a member points.
#[track_caller]
pub fn adjust(service: &Service, guest: &str, points: i64) -> Reply {
    let body = json!({ "points": points, "reason": "for the test" });
    service.post(&format!("/admin/members/{guest}/adjust")).admin().json(&body)
}

/// The `offer_id` of a reward, as a till is told it.
#[track_caller]
pub fn reward(service: &Service, guest: &str, name: &str) -> String {
    let reply = inquire(service, guest).json();
    let offers = reply["offers"][0]["offers"].as_array().cloned().unwrap_or_default();
    match offers.iter().find(|offer| offer["name"] == name) {
        Some(offer) => offer["offer_id"].as_str().unwrap_or_default().to_owned(),
        None => panic!("no reward {name} in {reply}"),
    }
}

/// Takes points for rewards on a tab.
#[track_caller]
pub fn redeem(service: &Service, tab: &str, rewards: &[&str]) -> Reply {
    Tab::new(service, tab).loyalty("REDEEM", &json!({ "offers": rewards }))
}
