//! Every spelling that a deployment may have counted one person under.
//!
//! A guest is counted under a pseudonym of what a till typed, in the spelling that the rules of that day made
//! of it. Rules change: a programme names a region later, or begins to ignore the dots of an address. Who is
//! to be erased must be found under what was counted before, too. So the deployment keeps which rules it ever
//! had ([`RulesEver`]), and a text is read by all of them.
//!
//! What cannot be read back: from `aguest@mail.example` nobody can tell that `a.guest+tap@mail.example` was
//! counted when dots and tags still made a difference. Such a guest is erased by the spelling that was typed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::guest::without_country;
use super::{Email, EmailRules, Identity, MemberNumber, Phone, Pseudonym, Region, Rules, guest_id};

/// The rules by which a deployment ever read identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesEver {
    /// Countries of phone numbers written without one, by ISO 3166 code.
    #[serde(default)]
    pub regions: BTreeSet<String>,
    /// Domains whose mailboxes were the same with and without dots.
    #[serde(default)]
    pub ignore_dots_for: BTreeSet<String>,
    /// Whether `guest+anything` was `guest`.
    #[serde(default)]
    pub ignore_plus: bool,
}

impl RulesEver {
    /// Notes rules that hold now; whether there was anything new in them.
    pub fn note(&mut self, rules: &Rules) -> bool {
        let before = self.clone();
        self.regions.extend(rules.region.map(|region| region.as_str().to_owned()));
        let domains = rules.email.ignore_dots_for.iter();
        self.ignore_dots_for.extend(domains.map(|domain| domain.to_ascii_lowercase()));
        self.ignore_plus |= rules.email.ignore_plus;
        *self != before
    }

    /// The rules of e-mail addresses, each as if it had been alone and all together.
    fn emails(&self) -> Vec<EmailRules> {
        let mut rules = Vec::new();
        for ignore_plus in [false, true] {
            for dots in [false, true] {
                let domains = self.ignore_dots_for.iter().filter(|_| dots).cloned().collect();
                if self.ignore_plus || !ignore_plus {
                    rules.push(EmailRules { ignore_dots_for: domains, ignore_plus });
                }
            }
        }
        rules
    }
}

/// Every pseudonym under which whoever is called this may have been counted, or found as a member: by a
/// point of sale's id, a phone number, an address or a loyalty number. None: the text names nobody.
///
/// A phone number with its country stands for its bare spellings of its own country too, because that is how
/// it was counted before the deployment had a region. One without is read by every region there ever was.
#[must_use]
pub fn spellings(text: &str, ever: &RulesEver, pepper: &[u8]) -> Vec<Pseudonym> {
    let Some(typed) = guest_id(text) else { return Vec::new() };
    let mut readings: BTreeSet<String> = BTreeSet::new();
    readings.insert(format!("id:{typed}"));
    if let Ok(number) = MemberNumber::parse(typed) {
        readings.insert(format!("id:{number}"));
        readings.insert(Identity::Number(number).to_string());
    }
    for rules in ever.emails() {
        readings.extend(Email::parse(typed, &rules).ok().map(|it| Identity::Email(it).to_string()));
    }
    readings.extend(without_country(typed));
    let regions = ever.regions.iter().map(|region| Region::parse(region));
    let phones: BTreeSet<Phone> = std::iter::once(None)
        .chain(regions)
        .filter_map(|region| Phone::parse(typed, region).ok())
        .collect();
    for phone in phones {
        readings.extend(phone.bare().iter().filter_map(|bare| without_country(bare)));
        readings.insert(Identity::Phone(phone).to_string());
    }
    readings.iter().map(|reading| Pseudonym::of(reading, pepper)).collect()
}

/// The pseudonym under which a guest is counted whose loyalty number a till sends as its own id.
#[must_use]
pub fn number_as_id(number: &MemberNumber, pepper: &[u8]) -> Pseudonym {
    Pseudonym::of(&format!("id:{number}"), pepper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::{CartDraft, CustomerDraft};
    use crate::identity::of_customer;

    const PEPPER: &[u8] = b"pepper";

    fn us() -> Rules {
        let email = EmailRules { ignore_dots_for: vec!["Gmail.com".to_owned()], ignore_plus: true };
        Rules { region: Region::parse("US"), email }
    }

    fn ever(rules: &[Rules]) -> RulesEver {
        let mut ever = RulesEver::default();
        for rules in rules {
            ever.note(rules);
        }
        ever
    }

    /// The names that a campaign counts a guest under.
    fn counted(
        id: Option<&str>,
        phone: Option<&str>,
        email: Option<&str>,
        rules: &Rules,
    ) -> Vec<Pseudonym> {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let customer = CustomerDraft {
            id: text(id),
            phone: text(phone),
            email: text(email),
            ..CustomerDraft::default()
        };
        let draft = CartDraft {
            currency: Some("USD".to_owned()),
            subtotal: Some(1),
            customer: Some(customer),
            ..CartDraft::default()
        };
        let cart = draft.check().unwrap();
        of_customer(&cart.customer().unwrap(), rules, PEPPER).names
    }

    #[track_caller]
    fn covers(typed: &str, ever: &RulesEver, counted: &[Pseudonym]) {
        let found = spellings(typed, ever, PEPPER);
        assert!(!counted.is_empty(), "{typed}");
        assert!(counted.iter().all(|name| found.contains(name)), "{typed}");
    }

    #[test]
    fn a_number_counted_before_there_was_a_region_is_found_by_its_full_spelling() {
        let ever = ever(&[Rules::default(), us()]);
        for bare in ["(608) 555-0100", "1 608 555 0100", "608.555.0100", "011 1 608 555 0100"] {
            let counted = counted(None, Some(bare), None, &Rules::default());
            covers("+1 608 555 0100", &ever, &counted);
            covers("608 555 0100", &ever, &counted);
        }
        covers("(608) 555-0100", &ever, &counted(None, Some("+16085550100"), None, &us()));
    }

    #[test]
    fn a_number_with_a_trunk_prefix_is_found_with_and_without_it() {
        let none = Rules::default();
        let gb = Rules { region: Region::parse("GB"), ..Rules::default() };
        for bare in ["020 7946 0958", "20 7946 0958", "44 20 7946 0958", "00 44 20 7946 0958"] {
            covers(
                "+44 20 7946 0958",
                &ever(std::slice::from_ref(&gb)),
                &counted(None, Some(bare), None, &none),
            );
        }
    }

    #[test]
    fn a_bare_number_is_read_by_every_region_there_ever_was() {
        let gb = Rules { region: Region::parse("GB"), ..Rules::default() };
        let ever = ever(&[us(), gb.clone()]);
        covers("020 7946 0958", &ever, &counted(None, Some("+442079460958"), None, &us()));
        let misread = counted(None, Some("6085550100"), None, &gb);
        covers("6085550100", &ever, &misread);
        // Told with its country it is nobody else's.
        assert!(!spellings("+16085550100", &ever, PEPPER).contains(&misread[0]));
    }

    #[test]
    fn an_address_is_found_by_the_rules_of_any_day() {
        let ever = ever(&[Rules::default(), us()]);
        let typed = "A.Guest+tap@gmail.com";
        for rules in [Rules::default(), us()] {
            covers(typed, &ever, &counted(None, None, Some(typed), &rules));
        }
        let plus = EmailRules { ignore_plus: true, ..EmailRules::default() };
        let plus = Rules { email: plus, ..Rules::default() };
        covers(typed, &ever, &counted(None, None, Some(typed), &plus));
        // Where tags were never ignored, two tags are two guests.
        let strict = RulesEver::default();
        let other = counted(None, None, Some("a.guest@gmail.com"), &Rules::default());
        assert!(!spellings(typed, &strict, PEPPER).contains(&other[0]));
    }

    #[test]
    fn an_id_and_a_loyalty_number_are_found_as_they_were_sent() {
        let ever = ever(&[us()]);
        covers("guest-7", &ever, &counted(Some("guest-7"), None, None, &us()));
        let number = MemberNumber::draw("x", 0);
        covers(number.as_str(), &ever, &counted(Some(number.as_str()), None, None, &us()));
        let as_id = number_as_id(&number, PEPPER);
        assert_eq!(counted(Some(number.as_str()), None, None, &us()), [as_id]);
    }

    #[test]
    fn what_a_till_types_for_nobody_is_nobody() {
        for text in ["n/a", "N/A", "-", "", " ", "none", "null", "unknown"] {
            assert_eq!(spellings(text, &ever(&[us()]), PEPPER), [], "{text}");
        }
    }

    #[test]
    fn rules_are_noted_once() {
        let mut ever = RulesEver::default();
        assert!(ever.note(&us()));
        assert!(!ever.note(&us()));
        assert!(!ever.note(&Rules::default()));
    }
}
