//! Stored rows and messages are a contract: what earlier builds wrote is read by this one, and written again
//! as it was.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

#[track_caller]
fn is_read_and_written_again<T: DeserializeOwned + Serialize>(stored: &str) {
    let read: T = serde_json::from_str(stored).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
}

#[test]
fn stored_rows_keep_their_form() {
    is_read_and_written_again::<Head>(r#"{"revision":7,"state":"off","at":1795712400000}"#);
    is_read_and_written_again::<Head>(
        r#"{"revision":7,"state":"deleted","at":1795712400000,"repaired":1795712700000}"#,
    );
    is_read_and_written_again::<Version>(
        r#"{"revision":1,"document":"{\"id\": \"a\"}","who":"ADMIN_TOKEN","at":1795712400000}"#,
    );
    is_read_and_written_again::<Version>(
        r#"{"revision":2,"who":"ADMIN_TOKEN","at":1795712400000}"#,
    );
    is_read_and_written_again::<Entry>(
        r#"{"owner":{"kind":"campaign","id":"a"},"dropped":false,"written":7}"#,
    );
    is_read_and_written_again::<Entry>(
        r#"{"owner":{"kind":"instrument_type","id":"1234"},"dropped":true,"written":0,"looks_signed":"P01E","was":[{"kind":"campaign","id":"b"}]}"#,
    );
    is_read_and_written_again::<Pending>(
        r#"{"due":1795712400000,"failures":2,"announced":6,"waits":["code:CODE"]}"#,
    );
    is_read_and_written_again::<Audit>(
        r#"{"at":1795712400000,"who":"ADMIN_TOKEN","document":{"kind":"location","id":"1019"},"from":0,"to":1,"action":"put"}"#,
    );
}

#[test]
fn what_ledgers_hear_and_keep_keeps_its_form() {
    is_read_and_written_again::<Announcement>(r#"{"revision":7,"state":"live"}"#);
    is_read_and_written_again::<crate::ledger::campaign::Command>(
        r#"{"announce":{"revision":7,"state":"off"}}"#,
    );
    is_read_and_written_again::<crate::ledger::campaign::Reply>(
        r#"{"outdated":{"revision":7,"state":"deleted"}}"#,
    );
}
