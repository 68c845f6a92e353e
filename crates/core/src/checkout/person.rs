//! Who a redemption is counted for.
//!
//! "Once per customer" counts the person, not the spelling. A cart names a guest by a point of
//! sale's id, a phone number or an address; a card names whom it was given to. Whoever of them is a
//! member is counted under the member's own name, and what was counted before under any other name
//! of the same person still counts: a guest who signs up, or whose second membership is merged into
//! the first, starts nothing anew.
//!
//! # Names given together
//! A redemption is counted once, under the strongest name that the guest gave: the member, the
//! till's id, the phone number, the address. Who gave weaker ones too may give only one of those
//! the next time. So a redemption leaves a [`Mark`] under each of them, and who is counted under
//! such a name heeds its marks.
//!
//! A mark says of which kinds the stronger names were. A person heeds those marks under the
//! person's names whose stronger names are all of kinds that are not known of the person: were one
//! known, the redemption would be counted under it, or marked there. So none counts twice. A
//! stronger name that differs makes another guest: whoever gives a till's id is not counted for
//! what another id and the same phone number were.

use crate::identity::{Guest, Kind, Pseudonym};
use crate::loyalty::MemberId;

/// A person as quotas count one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The name that a redemption is counted under from now on.
    pub name: String,
    /// The other names that earlier ones may have been counted under.
    pub also: Vec<String>,
    /// The names under which a redemption leaves marks, if stronger ones are given.
    pub given: Vec<Name>,
    /// The kinds of names that are given, a member's own among them.
    pub kinds: Vec<Strength>,
    /// The names that are known of the person, those given among them.
    pub known: Vec<Name>,
    /// How it is found out whether this is a member.
    pub known_by: KnownBy,
}

/// Of what kind a name is; the strongest first, which is the one that is counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// A member's.
    Member,
    /// A till's id.
    Id,
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
}

/// A name with its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Of what kind.
    pub strength: Strength,
    /// As it is counted.
    pub name: String,
}

/// What a redemption leaves under a name that was given along with the one it is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The name.
    pub name: String,
    /// The kinds of the stronger names, a letter each.
    pub beside: String,
}

impl Strength {
    const fn letter(self) -> char {
        match self {
            Self::Member => 'm',
            Self::Id => 'i',
            Self::Phone => 'p',
            Self::Email => 'e',
        }
    }

    /// The kinds that are stronger.
    fn stronger(self) -> impl Iterator<Item = Self> {
        [Self::Member, Self::Id, Self::Phone].into_iter().filter(move |other| *other < self)
    }
}

/// How it is found out whether a person is a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KnownBy {
    /// By these identities, in the order in which they are believed.
    Identities(Vec<Pseudonym>),
    /// This is one, or was until merged into another.
    Member(MemberId),
    /// There is nothing to look up any more.
    #[default]
    Nothing,
}

/// What a member's books say of the names that this member was ever counted under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberNames {
    /// What the member is found by.
    pub identities: Vec<(Kind, Pseudonym)>,
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
        let kind = |name: &Pseudonym| match name {
            _ if guest.phone.as_ref() == Some(name) => Strength::Phone,
            _ if guest.email.as_ref() == Some(name) => Strength::Email,
            _ => Strength::Id,
        };
        let given = guest.names.iter().map(|it| Name { strength: kind(it), name: it.to_string() });
        let given: Vec<Name> = given.collect();
        let kinds = given.iter().map(|given| given.strength).collect();
        let known = given.clone();
        Some(Self { name, also: names.collect(), given, kinds, known, known_by })
    }

    /// A member.
    #[must_use]
    pub fn member(id: &MemberId) -> Self {
        let known_by = KnownBy::Member(id.clone());
        let name = id.to_string();
        let kinds = vec![Strength::Member];
        let known = vec![Name { strength: Strength::Member, name: name.clone() }];
        Self { name, kinds, known, known_by, ..Self::default() }
    }

    /// The same person, who turned out to be this member: found by way of `via`, who may have been
    /// merged into this one. `others` are identities in the cart that belong to somebody else.
    #[must_use]
    pub fn as_member(
        self,
        id: &MemberId,
        via: &MemberId,
        names: &MemberNames,
        others: &[Pseudonym],
    ) -> Self {
        let members = names.absorbed.iter().chain([via]).map(ToString::to_string);
        let identities = names.identities.iter().map(|(_, identity)| identity.to_string());
        let is_own = |name: &String| others.iter().all(|other| other.as_str() != name);
        let own = std::iter::once(self.name).chain(self.also).filter(is_own);
        let name = id.to_string();
        let mut also: Vec<String> = own.chain(identities).chain(members).collect();
        also.sort();
        also.dedup();
        also.retain(|other| *other != name);
        let mut given = self.given;
        given.retain(|given| given.strength != Strength::Member && is_own(&given.name));
        let mut known = vec![Name { strength: Strength::Member, name: name.clone() }];
        known.extend(given.iter().cloned());
        let kinds = known.iter().map(|known| known.strength).collect();
        for (kind, identity) in &names.identities {
            let strength = match kind {
                Kind::Phone => Strength::Phone,
                Kind::Email => Strength::Email,
                // Nobody is counted under one.
                Kind::Number => continue,
            };
            let identity = Name { strength, name: identity.to_string() };
            // What is known to be the member's own needs no mark.
            given.retain(|given| *given != identity);
            if !known.contains(&identity) {
                known.push(identity);
            }
        }
        Self { name, also, given, kinds, known, known_by: KnownBy::Nothing }
    }

    /// The marks that a redemption leaves.
    #[must_use]
    pub fn leaves(&self) -> Vec<Mark> {
        let mark = |weaker: &Name| {
            let stronger = weaker.strength.stronger().filter(|kind| self.kinds.contains(kind));
            let beside: String = stronger.map(Strength::letter).collect();
            (!beside.is_empty()).then(|| Mark { name: weaker.name.clone(), beside })
        };
        self.given.iter().filter_map(mark).collect()
    }

    /// The marks of earlier redemptions that count for this person.
    #[must_use]
    pub fn heeds(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        for Name { strength, name } in &self.known {
            let unknown = strength.stronger().filter(|kind| !self.knows(*kind));
            let mut sets = vec![String::new()];
            for kind in unknown {
                let with = |set: &String| format!("{set}{}", kind.letter());
                sets.extend(sets.iter().map(with).collect::<Vec<_>>());
            }
            let sets = sets.into_iter().filter(|set| !set.is_empty());
            marks.extend(sets.map(|beside| Mark { name: name.clone(), beside }));
        }
        marks
    }

    fn knows(&self, kind: Strength) -> bool {
        self.known.iter().any(|known| known.strength == kind)
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

    fn guest(phone: Option<&Pseudonym>, email: Option<&Pseudonym>) -> Guest {
        let names: Vec<Pseudonym> = phone.into_iter().chain(email).cloned().collect();
        let (phone, email) = (phone.cloned(), email.cloned());
        Guest { identities: names.clone(), names, phone, email }
    }

    #[test]
    fn a_member_is_counted_as_the_member_and_every_earlier_name_still_counts() {
        let (phone, address) = (pseudonym("+16085550100"), pseudonym("a@b.example"));
        let guest = guest(Some(&phone), None);
        let person = Person::guest(&guest).unwrap();
        assert_eq!((person.name.as_str(), person.also.len()), (phone.as_str(), 0));
        let names = MemberNames {
            identities: vec![(Kind::Phone, phone.clone()), (Kind::Email, address.clone())],
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
        let person = Person::guest(&guest(Some(&phone), Some(&address))).unwrap();
        assert_eq!(person.also, [address.to_string()]);
        let one = id("MEMBER01");
        let member = person.as_member(&one, &one, &MemberNames::default(), &[address]);
        assert_eq!(member.also, [phone.to_string()]);
    }

    #[test]
    fn whoever_has_no_name_is_nobody() {
        assert_eq!(Person::guest(&Guest::default()), None);
    }

    /// What one person is counted for: under each name, and by each mark.
    #[derive(Default)]
    struct Counts(std::collections::BTreeMap<String, u64>);

    fn marked(mark: &Mark) -> String {
        format!("{}|{}", mark.beside, mark.name)
    }

    impl Counts {
        fn of(&self, person: &Person) -> u64 {
            let names = std::iter::once(&person.name).chain(&person.also).cloned();
            let keys = names.chain(person.heeds().into_iter().map(|mark| marked(&mark)));
            keys.map(|key| self.0.get(&key).copied().unwrap_or(0)).sum()
        }

        fn redeem(&mut self, person: &Person) {
            let keys = std::iter::once(person.name.clone())
                .chain(person.leaves().into_iter().map(|mark| marked(&mark)));
            for key in keys {
                let count = self.0.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// A guest who gives some of an id, a phone number and an address; perhaps a member, found by
    /// phone or address.
    fn gives(what: usize, member: Option<&[Kind]>) -> Option<Person> {
        let (phone, email) = (pseudonym("+16085550100"), pseudonym("a@b.example"));
        let given = |bit: usize, name: &Pseudonym| (what & bit != 0).then(|| name.clone());
        let id = given(1, &Pseudonym::parse(&"a".repeat(32)).unwrap());
        let (by_phone, by_email) = (given(2, &phone), given(4, &email));
        let identities: Vec<Pseudonym> =
            by_phone.clone().into_iter().chain(by_email.clone()).collect();
        let names = id.into_iter().chain(identities.clone()).collect();
        let person = Person::guest(&Guest { names, phone: by_phone, email: by_email, identities })?;
        let has = |kind| member.is_some_and(|kinds| kinds.contains(&kind));
        let both = [(Kind::Phone, phone), (Kind::Email, email)];
        let own: Vec<_> = both.into_iter().filter(|(kind, _)| has(*kind)).collect();
        let KnownBy::Identities(named) = &person.known_by else { return None };
        if !own.iter().any(|(_, identity)| named.contains(identity)) {
            return Some(person);
        }
        let names = MemberNames { identities: own, absorbed: Vec::new() };
        Some(person.as_member(&id_of_member(), &id_of_member(), &names, &[]))
    }

    fn id_of_member() -> MemberId {
        id("MEMBER01")
    }

    #[test]
    fn who_gives_some_of_the_same_names_again_is_counted_and_no_redemption_counts_twice() {
        let members: [Option<&[Kind]>; 4] =
            [None, Some(&[Kind::Phone]), Some(&[Kind::Email]), Some(&[Kind::Phone, Kind::Email])];
        for (first, second) in (1..8).flat_map(|first| (1..8).map(move |second| (first, second))) {
            for (before, after) in
                members.iter().flat_map(|after| [(None, *after), (*after, *after)])
            {
                let mut counts = Counts::default();
                counts.redeem(&gives(first, before).unwrap());
                let again = gives(second, after).unwrap();
                let counted = counts.of(&again);
                assert!(counted <= 1, "{first} {before:?}, then {second} {after:?}");
                if first & second != 0 {
                    assert_eq!(counted, 1, "{first} {before:?}, then {second} {after:?}");
                }
                counts.redeem(&again);
                let twice = counts.of(&again);
                assert_eq!(
                    twice,
                    counted.saturating_add(1),
                    "{first} {before:?}, then {second} {after:?} twice"
                );
            }
        }
    }
}
