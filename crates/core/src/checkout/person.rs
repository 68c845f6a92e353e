//! Who a redemption is counted for.
//!
//! "Once per customer" counts the person, not the spelling. A cart names a guest by a point of sale's id,
//! a phone number or an address; a card names whom it was given to. Whoever of them is a member is counted
//! under the member's own name, and what was counted before under any other name of the same person still
//! counts: a guest who signs up, or whose second membership is merged into the first, starts nothing anew.

use crate::identity::{Guest, Pseudonym};
use crate::loyalty::MemberId;

/// A person as quotas count one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name that a redemption is counted under from now on.
    pub name: String,
    /// The other names that earlier ones may have been counted under.
    pub also: Vec<String>,
    /// How it is found out whether this is a member.
    pub known_by: KnownBy,
}

/// How it is found out whether a person is a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// By these identities, in the order in which they are believed.
    Identities(Vec<Pseudonym>),
    /// This is one, or was until merged into another.
    Member(MemberId),
    /// There is nothing to look up any more.
    Nothing,
}

/// What a member's books say of the names that this member was ever counted under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberNames {
    /// What the member is found by.
    pub identities: Vec<Pseudonym>,
    /// Members who are part of this one.
    pub absorbed: Vec<MemberId>,
}

impl Person {
    /// A guest as a cart names one, before it is known whether this is a member.
    #[must_use]
    pub fn guest(guest: &Guest) -> Option<Self> {
        let mut names = guest.names.iter().map(ToString::to_string);
        let name = names.next()?;
        let known_by = KnownBy::Identities(guest.identities.clone());
        Some(Self { name, also: names.collect(), known_by })
    }

    /// A member.
    #[must_use]
    pub fn member(id: &MemberId) -> Self {
        let known_by = KnownBy::Member(id.clone());
        Self { name: id.to_string(), also: Vec::new(), known_by }
    }

    /// The same person, who turned out to be this member: found by way of `via`, who may have been merged
    /// into this one. `others` are identities in the cart that belong to somebody else.
    #[must_use]
    pub fn as_member(
        self,
        id: &MemberId,
        via: &MemberId,
        names: &MemberNames,
        others: &[Pseudonym],
    ) -> Self {
        let members = names.absorbed.iter().chain([via]).map(ToString::to_string);
        let identities = names.identities.iter().map(ToString::to_string);
        let own = std::iter::once(self.name).chain(self.also);
        let own = own.filter(|name| others.iter().all(|other| other.as_str() != name));
        let name = id.to_string();
        let mut also: Vec<String> = own.chain(identities).chain(members).collect();
        also.sort();
        also.dedup();
        also.retain(|other| *other != name);
        Self { name, also, known_by: KnownBy::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Rules};

    fn id(text: &str) -> MemberId {
        MemberId::parse(text).unwrap()
    }

    fn pseudonym(text: &str) -> Pseudonym {
        Identity::parse(text, &Rules::default()).unwrap().pseudonym(b"pepper")
    }

    #[test]
    fn a_member_is_counted_as_the_member_and_every_earlier_name_still_counts() {
        let (phone, address) = (pseudonym("+16085550100"), pseudonym("a@b.example"));
        let guest = Guest { names: vec![phone.clone()], identities: vec![phone.clone()] };
        let person = Person::guest(&guest).unwrap();
        assert_eq!((person.name.as_str(), person.also.len()), (phone.as_str(), 0));
        let names = MemberNames {
            identities: vec![phone.clone(), address.clone()],
            absorbed: vec![id("MEMBER02")],
        };
        let member = person.as_member(&id("MEMBER01"), &id("MEMBER03"), &names, &[]);
        assert_eq!(member.name, "MEMBER01");
        let mut expected = [phone.as_str(), address.as_str(), "MEMBER02", "MEMBER03"];
        expected.sort_unstable();
        assert_eq!(member.also, expected);
    }

    #[test]
    fn what_another_member_was_counted_under_is_no_name_of_this_one() {
        let (phone, address) = (pseudonym("+16085550100"), pseudonym("a@b.example"));
        let both = vec![phone.clone(), address.clone()];
        let person = Person::guest(&Guest { names: both.clone(), identities: both }).unwrap();
        assert_eq!(person.also, [address.to_string()]);
        let one = id("MEMBER01");
        let member = person.as_member(&one, &one, &MemberNames::default(), &[address]);
        assert_eq!(member.also, [phone.to_string()]);
    }

    #[test]
    fn whoever_has_no_name_is_nobody() {
        assert_eq!(Person::guest(&Guest::default()), None);
    }
}
