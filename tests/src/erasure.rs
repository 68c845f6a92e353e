//! Erasing a person, as an operator does it: start a job, and look until it is done.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::{Reply, Service};

/// Asks for a person to be erased.
pub fn start(service: &Service, identifier: &str) -> Reply {
    let path = identifier.replace('%', "%25").replace('/', "%2F").replace(' ', "%20");
    service.delete(&format!("/admin/customers/{path}")).admin().send()
}

/// A job as it stands.
#[track_caller]
pub fn look(service: &Service, id: &str) -> Value {
    let reply = service.get(&format!("/admin/erasures/{id}")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()
}

/// A job once it is done. Fails the test if it never is.
#[track_caller]
pub fn wait(service: &Service, id: &str) -> Value {
    let mut job = Value::Null;
    for _ in 0..900 {
        job = look(service, id);
        if job["state"] == "done" {
            return job;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the job is not done: {job}");
}

/// Erases a person, and returns what the job says when it is done.
#[track_caller]
pub fn erase(service: &Service, identifier: &str) -> Value {
    let reply = start(service, identifier);
    assert_eq!(reply.status, 202, "{reply}");
    let id = reply.json()["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/admin/erasures/{id}").as_str()));
    wait(service, &id)
}
