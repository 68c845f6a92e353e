//! What an operator is to decide: whether two members are one person, and whether an identity that a sign-up
//! gave beside a member's is that member's too.
//!
//! A sign-up adds nothing to a member who is one already: whoever knows somebody's phone number could otherwise
//! sign up with it and an address of his own, and have the account.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::MemberId;
use super::sign_up::Kept;

/// What is to be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Are these one person? The first, who was believed, would stay.
    Members(MemberId, MemberId),
    /// Is this identity, which nobody has, this member's?
    Identity(MemberId, Kept),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    Open,
    /// So it is.
    Accepted,
    /// So it is not.
    Dismissed,
}

impl Conflict {
    /// By what it is known. The same conflict has the same id whenever it is met, whichever member is named first.
    #[must_use]
    pub fn id(&self) -> String {
        let text = match self {
            Self::Members(one, other) => {
                let (low, high) = if one < other { (one, other) } else { (other, one) };
                format!("members {low} {high}")
            }
            Self::Identity(member, (_, who)) => format!("identity {member} {who}"),
        };
        Sha256::digest(text).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it is about this member.
    #[must_use]
    pub fn names(&self, member: &MemberId) -> bool {
        match self {
            Self::Members(one, other) => one == member || other == member,
            Self::Identity(one, _) => one == member,
        }
    }
}

impl State {
    /// What becomes of it when an operator says so: `None` when somebody said otherwise before.
    #[must_use]
    pub fn decided(self, accepted: bool) -> Option<Self> {
        match (self, accepted) {
            (Self::Open | Self::Accepted, true) => Some(Self::Accepted),
            (Self::Open | Self::Dismissed, false) => Some(Self::Dismissed),
            (Self::Accepted, false) | (Self::Dismissed, true) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_has_one_id_whichever_member_is_named_first() {
        let id = |text| MemberId::parse(text).unwrap();
        let pair = |one, other| Conflict::Members(id(one), id(other));
        assert_eq!(pair("MEMBER01", "MEMBER02").id(), pair("MEMBER02", "MEMBER01").id());
        assert_ne!(pair("MEMBER01", "MEMBER02").id(), pair("MEMBER01", "MEMBER03").id());
        assert!(pair("MEMBER01", "MEMBER02").names(&id("MEMBER02")));
    }

    #[test]
    fn what_is_decided_is_not_decided_otherwise_and_saying_it_again_is_harmless() {
        for accepted in [true, false] {
            let decided = State::Open.decided(accepted).unwrap();
            assert_eq!(decided.decided(accepted), Some(decided));
            assert_eq!(decided.decided(!accepted), None);
        }
    }
}
