//! A document as it is published in KV: its revision on the first line, then the document as it was put.
//!
//! ```text
//! {"revision":7}
//! {"id": "summer", …}
//! ```
//! A document that somebody put into KV by hand has no such line.

use serde::Deserialize;

use crate::revision::Revision;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstLine {
    revision: Revision,
}

/// The value of the entry.
#[must_use]
pub fn write(revision: Revision, document: &str) -> String {
    format!("{{\"revision\":{revision}}}\n{document}")
}

/// The revision of an entry's value, if the registry wrote it, and the document.
#[must_use]
pub fn read(value: &[u8]) -> (Option<Revision>, &[u8]) {
    let end = value.iter().take(40).position(|byte| *byte == b'\n');
    let split = end.and_then(|end| Some((value.get(..end)?, value.get(end.checked_add(1)?..)?)));
    let Some((first, rest)) = split else { return (None, value) };
    match serde_json::from_slice::<FirstLine>(first) {
        Ok(FirstLine { revision }) => (Some(revision), rest),
        Err(_) => (None, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_was_put_by_hand_is_left_alone() {
        let revision = Revision::new(7);
        let value = write(revision, "{\n\"id\": \"a\"}");
        assert_eq!(value, "{\"revision\":7}\n{\n\"id\": \"a\"}");
        assert_eq!(read(value.as_bytes()), (Some(revision), &b"{\n\"id\": \"a\"}"[..]));
        for by_hand in
            ["{\n\"revision\": 7}", "{\"revision\": 7}", "{\"revision\":7,\"a\":1}\n{}", ""]
        {
            assert_eq!(read(by_hand.as_bytes()), (None, by_hand.as_bytes()));
        }
    }
}
