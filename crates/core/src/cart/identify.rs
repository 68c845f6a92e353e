//! What of a cart's customer names nobody is left out.

use super::Cart;
use crate::identity::Email;
use crate::identity::{Rules, guest_id, guest_phone};

impl Cart {
    /// Leaves out the customer's id, phone number and address where they name nobody, as `n/a`, `none` and
    /// `-` do, so that conditions and quotas take nobody for a known guest.
    pub fn identify(&mut self, rules: &Rules) {
        let Some(customer) = self.customer() else { return };
        let id = customer.id().is_none_or(|id| guest_id(id).is_none());
        let phone = customer.phone().is_none_or(|phone| guest_phone(phone, rules).is_none());
        let email = customer.email().is_none_or(|email| Email::parse(email, &rules.email).is_err());
        let Some(data) = &mut self.customer else { return };
        if id {
            data.id = None;
        }
        if phone {
            data.phone = None;
        }
        if email {
            data.email = None;
        }
    }
}
