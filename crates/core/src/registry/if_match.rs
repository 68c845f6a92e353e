//! `If-Match`: change a document only if it is the one that was read.

use serde::{Deserialize, Serialize};

use super::rows::Head;

/// What a document must be for a change to happen (RFC 9110, 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfMatch {
    /// `*`: there is one.
    Any,
    /// `"7", "9"`: one of these.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value; none, if it is not of this form.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        if header.trim() == "*" {
            return Some(Self::Any);
        }
        let tag = |part: &str| {
            let part = part.trim();
            // A weak tag never matches here, so it is kept as what it is.
            let quoted = part.strip_prefix("W/").unwrap_or(part);
            let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
            let weak = quoted.len() != part.len();
            (!inner.contains('"')).then(|| if weak { part.to_owned() } else { inner.to_owned() })
        };
        header.split(',').map(tag).collect::<Option<Vec<_>>>().map(Self::Tags)
    }

    /// Whether a document is one that may be changed. One that exists only in KV, put there by hand, has no
    /// revision, and so only `*` matches it.
    pub(super) fn holds(&self, head: Option<&Head>, by_hand: bool) -> bool {
        let head = head.filter(|head| head.exists());
        match (self, head) {
            (Self::Any, head) => head.is_some() || by_hand,
            (Self::Tags(tags), Some(head)) => tags.contains(&head.revision.to_string()),
            (Self::Tags(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_quoted_and_separated_by_commas() {
        let tags =
            |tags: &[&str]| Some(IfMatch::Tags(tags.iter().map(|t| (*t).to_owned()).collect()));
        assert_eq!(IfMatch::parse(" * "), Some(IfMatch::Any));
        assert_eq!(IfMatch::parse("\"7\""), tags(&["7"]));
        assert_eq!(IfMatch::parse("\"7\", \"9\""), tags(&["7", "9"]));
        assert_eq!(IfMatch::parse("W/\"7\""), tags(&["W/\"7\""]));
        for wrong in ["7", "\"7", "", "\"7\" \"8\"", "\"7\",", "*, \"7\""] {
            assert_eq!(IfMatch::parse(wrong), None, "{wrong}");
        }
    }
}
