//! A cart's guest, as campaigns know one.
//!
//! A till sends whatever was typed: `n/a`, `none`, `-` and `000` stand for nobody, and two strangers with
//! such a phone number are not one guest. So only what can be read names anybody.

use super::{Email, Identity, MemberNumber, Phone, Pseudonym, Rules};
use crate::cart::Customer;

/// Texts that tills send in the place of an id.
const NO_ID: [&str; 7] = ["n/a", "na", "nil", "none", "null", "undefined", "unknown"];
/// A number of no known country has at least so many digits.
const LEAST_DIGITS: usize = 7;
/// And at most so many.
const MOST_DIGITS: usize = 15;

/// What a cart says of who the guest is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// The names that a campaign may count the guest under, the preferred one first: the POS's own id,
    /// the phone number, the address.
    pub names: Vec<Pseudonym>,
    /// The one of the names that is the phone number.
    pub phone: Option<Pseudonym>,
    /// The one of the names that is the address.
    pub email: Option<Pseudonym>,
    /// Those by which the guest may be a member, in the order in which they are believed: the phone
    /// number, the address, a loyalty number.
    pub identities: Vec<Pseudonym>,
}

/// The id by which a POS names a guest; none where the text stands for nobody.
#[must_use]
pub fn guest_id(text: &str) -> Option<&str> {
    let bare = text.trim();
    let nobody = !bare.contains(char::is_alphanumeric)
        || NO_ID.iter().any(|word| word.eq_ignore_ascii_case(bare));
    (!nobody).then_some(bare)
}

/// A guest's phone number as it is counted: `phone:+16085550100`; none where the text is no number. A
/// number that cannot be read only because nobody said of which country it is counts by its digits.
#[must_use]
pub fn guest_phone(text: &str, rules: &Rules) -> Option<String> {
    match Phone::parse(text, rules.region) {
        Ok(phone) => Some(Identity::Phone(phone).to_string()),
        Err(_) if rules.region.is_none() => without_country(text),
        Err(_) => None,
    }
}

pub(super) fn without_country(text: &str) -> Option<String> {
    let between = |c: char| matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/');
    let digits: String = text.chars().filter(|c| !between(*c)).collect();
    let sound = digits.bytes().all(|b| b.is_ascii_digit())
        && (LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len())
        && digits.bytes().any(|b| b != b'0');
    sound.then(|| format!("phone:{digits}"))
}

/// Who a cart's customer is.
#[must_use]
pub fn of_customer(customer: &Customer<'_>, rules: &Rules, pepper: &[u8]) -> Guest {
    let pseudonym = |text: &str| Pseudonym::of(text, pepper);
    let id = customer.id().and_then(guest_id);
    let number = id.and_then(|id| MemberNumber::parse(id).ok());
    let number = number.map(|number| Identity::Number(number).pseudonym(pepper));
    let id = id.map(|id| pseudonym(&format!("id:{id}")));
    let phone = customer.phone().and_then(|text| guest_phone(text, rules));
    let phone = phone.map(|phone| pseudonym(&phone));
    let email = customer.email().and_then(|text| Email::parse(text, &rules.email).ok());
    let email = email.map(|email| Identity::Email(email).pseudonym(pepper));
    let identities = [phone.clone(), email.clone(), number].into_iter().flatten().collect();
    let names = [id, phone.clone(), email.clone()].into_iter().flatten().collect();
    Guest { names, phone, email, identities }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::{Cart, CartDraft, CustomerDraft};
    use crate::identity::Region;

    const NOBODY: [&str; 9] = ["n/a", "N/A", "none", "-", "", " ", "0", "000-000-0000", "guest"];

    fn cart(id: Option<&str>, phone: Option<&str>, email: Option<&str>) -> Cart {
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
        draft.check().unwrap()
    }

    fn rules() -> Rules {
        Rules { region: Region::parse("US"), ..Rules::default() }
    }

    fn read(cart: &Cart, rules: &Rules) -> Guest {
        cart.customer().map(|it| of_customer(&it, rules, b"pepper")).unwrap_or_default()
    }

    fn with(id: Option<&str>, phone: Option<&str>, email: Option<&str>) -> Option<Pseudonym> {
        read(&cart(id, phone, email), &rules()).names.first().cloned()
    }

    #[test]
    fn spellings_of_one_guest_have_one_pseudonym() {
        let international = with(None, Some("+1 608 555-0100"), None);
        assert!(international.is_some());
        assert_eq!(international, with(None, Some("(608) 555-0100"), Some("x@y.example")));
        assert_eq!(with(None, None, Some("A@B.example ")), with(None, None, Some("a@b.example")));
    }

    #[test]
    fn a_text_that_stands_for_nobody_names_nobody_in_any_field() {
        for text in NOBODY {
            assert_eq!(with(None, Some(text), None), None, "phone {text:?}");
            assert_eq!(with(None, None, Some(text)), None, "email {text:?}");
            let address = with(None, Some(text), Some("a@b.example"));
            assert_eq!(address, with(None, None, Some("a@b.example")), "{text:?}");
            let mut cart = cart(None, Some(text), Some(text));
            cart.identify(&rules());
            assert!(!cart.customer().is_some_and(|customer| customer.known()), "{text:?}");
        }
        for text in ["n/a", "None", "-", "null", " "] {
            assert_eq!(with(Some(text), None, None), None, "id {text:?}");
        }
        for text in ["12-34", "555-0100", "+999 123 456 789", "608 555 0100 x12"] {
            assert_eq!(with(None, Some(text), None), None, "{text:?} cannot be read");
        }
    }

    #[test]
    fn what_names_somebody_is_left_in_the_cart() {
        let mut cart = cart(Some("n/a"), Some("(608) 555-0100"), Some("a@b.example"));
        cart.identify(&rules());
        let customer = cart.customer().unwrap();
        assert_eq!((customer.id(), customer.known()), (None, true));
        assert_eq!(customer.phone(), Some("(608) 555-0100"));
        assert_eq!(customer.email(), Some("a@b.example"));
    }

    #[test]
    fn a_number_of_no_known_country_counts_by_its_digits_where_none_is_set() {
        let none = Rules::default();
        let of = |text: &str| read(&cart(None, Some(text), None), &none).names;
        assert_eq!(of("608-555-0100").len(), 1);
        assert_eq!(of("608-555-0100"), of("(608) 5550100"));
        assert_ne!(of("608-555-0100"), of("608-555-0101"));
        assert_ne!(of("608-555-0100"), of("+16085550100"));
        for text in ["n/a", "12-34", "0000000", "608 555 0100 x12"] {
            assert_eq!(of(text), [], "{text}");
        }
    }

    #[test]
    fn an_id_is_no_phone_number_though_it_reads_like_one() {
        let phone = with(None, Some("6085550100"), None);
        assert!(phone.is_some());
        assert_ne!(with(Some("6085550100"), None, None), phone);
    }

    #[test]
    fn a_member_is_looked_for_by_phone_address_and_loyalty_number() {
        let number = MemberNumber::draw("x", 0);
        let both = cart(Some(number.as_str()), Some("6085550100"), Some("a@b.example"));
        let guest = read(&both, &rules());
        let texts = ["6085550100", "a@b.example", number.as_str()];
        let expected =
            texts.map(|text| Identity::parse(text, &rules()).unwrap().pseudonym(b"pepper"));
        assert_eq!(guest.identities, expected);
        assert_eq!(guest.names.len(), 3);
    }

    #[test]
    fn a_guest_nobody_can_name_has_no_pseudonym() {
        assert_eq!(with(None, None, None), None);
    }
}
