//! Who a guest is, as far as a count needs to know: a pseudonym, never a phone number or an e-mail
//! address.
//!
//! Nothing is stored or logged but HMAC-SHA256 of the identity under the deployment's secret
//! `PII_PEPPER`: equal guests have equal pseudonyms, and without the secret nobody finds the guest.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::cart::Customer;

/// The pseudonym of a cart's customer: of the POS's own id where there is one, else of the phone
/// number, else of the e-mail address; `None` when nothing identifies the guest.
#[must_use]
pub fn pseudonym(customer: &Customer<'_>, pepper: &[u8]) -> Option<String> {
    let identity = if let Some(id) = customer.id() {
        format!("id:{id}")
    } else if let Some(phone) = customer.phone() {
        let digits: String = phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        format!("phone:{digits}")
    } else {
        format!("email:{}", customer.email()?.trim().to_lowercase())
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).ok()?;
    mac.update(identity.as_bytes());
    let mut text = String::with_capacity(32);
    // 128 bits are enough to tell the guests of the world apart.
    for byte in mac.finalize().into_bytes().iter().take(16) {
        text.push_str(&format!("{byte:02x}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::{CartDraft, CustomerDraft};

    fn of(customer: CustomerDraft) -> Option<String> {
        let draft = CartDraft {
            currency: Some("USD".to_owned()),
            subtotal: Some(1),
            customer: Some(customer),
            ..CartDraft::default()
        };
        let cart = draft.check().unwrap();
        cart.customer().and_then(|customer| pseudonym(&customer, b"pepper"))
    }

    fn with(id: Option<&str>, phone: Option<&str>, email: Option<&str>) -> Option<String> {
        let text = |value: Option<&str>| value.map(str::to_owned);
        of(CustomerDraft {
            id: text(id),
            phone: text(phone),
            email: text(email),
            ..CustomerDraft::default()
        })
    }

    #[test]
    fn spellings_of_one_guest_have_one_pseudonym() {
        assert_eq!(
            with(None, Some("+1 608 555-0100"), None),
            with(None, Some("+16085550100"), Some("x@y.example"))
        );
        assert_eq!(with(None, None, Some("A@B.example ")), with(None, None, Some("a@b.example")));
    }

    #[test]
    fn an_id_is_no_phone_number_though_it_reads_like_one() {
        assert_ne!(with(Some("5550100"), None, None), with(None, Some("5550100"), None));
    }

    #[test]
    fn a_guest_nobody_can_name_has_no_pseudonym() {
        assert_eq!(with(None, None, None), None);
    }
}
