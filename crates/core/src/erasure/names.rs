//! The meaningless names that take the place of a person's.

use serde::{Deserialize, Serialize};

/// By pairs: a name of the person's, and what takes its place. A name is a pseudonym or a member's: long,
/// random, and so no part of any other text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Replacements(Vec<(String, String)>);

impl Replacements {
    /// For these names. `apart`: each gets a name of its own, because rights of different counters of a
    /// divided ledger, which have different owners, cannot be added.
    #[must_use]
    pub fn new(names: &[String], token: &str, apart: bool) -> Self {
        let pair = |(index, was): (usize, &String)| match index {
            1.. if apart => (was.clone(), format!("erased-{token}-{index}")),
            _ => (was.clone(), format!("erased-{token}")),
        };
        Self(names.iter().enumerate().map(pair).collect())
    }

    /// The person's names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(was, _)| was.as_str())
    }

    /// A text with the names replaced; none where it has none of them.
    #[must_use]
    pub fn replace(&self, text: &str) -> Option<String> {
        let mut replaced: Option<String> = None;
        for (was, is) in &self.0 {
            let now = replaced.as_deref().unwrap_or(text);
            if now.contains(was.as_str()) {
                replaced = Some(now.replace(was.as_str(), is));
            }
        }
        replaced
    }
}
