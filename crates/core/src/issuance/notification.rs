//! What a wallet app tells us: a guest asked for a card or a coupon.

use super::document::{KINDS, Kind};
use crate::fault::{Faults, Path, Sink};
use crate::ident::{CardId, TypeCode};
use crate::json::{At, Node};

/// The longest text of a user's.
const LONGEST_TEXT: usize = 256;

/// A request for an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The card in the app.
    pub card: CardId,
    /// Of which type.
    pub code: TypeCode,
    /// What the app takes it for.
    pub kind: Option<Kind>,
    /// For whom: at least a phone number or an e-mail address.
    pub user: User,
}

/// The guest, as the app knows him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Birth date.
    pub birth_date: Option<String>,
}

impl Notification {
    /// Reads a notification. What else the app says is no concern of ours.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn from_json(json: &[u8]) -> Result<Self, Faults> {
        let (sink, root) = (Sink::new(), Path::Root);
        let read = Node::parse(json, &sink, &root)
            .and_then(|node| read(At { node: &node, path: &root, sink: &sink }));
        sink.check(read)
    }
}

fn read(at: At<'_>) -> Option<Notification> {
    let object = at.open_object()?;
    object.need("event", |at| at.one_of(&[("created", ())]));
    let card = object.need("card_id", |at| match at.node {
        Node::Whole(number) => CardId::parse(&number.to_string()).ok(),
        _ => at.parsed(CardId::parse),
    });
    let code = object.need("type", |at| match at.node {
        Node::Whole(number) => {
            let text = number.to_string();
            TypeCode::parse(&text).map_err(|error| at.fault::<()>(error.to_string())).ok()
        }
        _ => at.parsed(TypeCode::parse),
    });
    let kind = object.get("kind", |at| at.one_of(&KINDS));
    let user = object.need("user", |at| {
        let user = at.open_object()?;
        let read = User {
            email: user.get("email", text),
            phone: user.get("phone", text),
            first_name: user.get("first_name", text),
            last_name: user.get("last_name", text),
            birth_date: user.get("birth_date", text),
        };
        if read.email.is_none() && read.phone.is_none() {
            return user.fault("should have a \"phone\" or an \"email\"");
        }
        Some(read)
    });
    Some(Notification { card: card?, code: code?, kind, user: user? })
}

/// A text that says something.
fn text(at: At<'_>) -> Option<String> {
    let text = at.text()?.trim();
    if text.len() > LONGEST_TEXT {
        return at.fault(format!("is longer than {LONGEST_TEXT} bytes"));
    }
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_says_who_wants_what() {
        let json = br#"{"event": "created", "card_id": "c-1", "type": "1234", "kind": "coupon",
            "user": {"email": " a@b.example ", "phone": null, "first_name": "", "x": 1}, "y": []}"#;
        let notification = Notification::from_json(json).unwrap();
        assert_eq!(notification.card.as_str(), "c-1");
        assert_eq!(notification.code.as_str(), "1234");
        assert_eq!(notification.kind, Some(Kind::Coupon));
        let user = User { email: Some("a@b.example".to_owned()), ..User::default() };
        assert_eq!(notification.user, user);
    }

    #[test]
    fn every_fault_of_a_notification_is_told_at_once() {
        let json = br#"{"event": "deleted", "type": "12345", "kind": "cheque", "user": {}}"#;
        let faults = Notification::from_json(json).unwrap_err();
        let pointers: Vec<&str> = faults.as_slice().iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/event", "/card_id", "/type", "/kind", "/user"], "{faults}");
        for card in [".", "..", ""] {
            let json = format!(
                r#"{{"event": "created", "card_id": "{card}", "type": "1234",
                    "user": {{"email": "a@b.example"}}}}"#
            );
            let faults = Notification::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(faults.as_slice()[0].pointer, "/card_id", "{card:?}");
        }
        assert!(Notification::from_json(b"[]").is_err());
        assert!(Notification::from_json(b"{").is_err());
    }
}
