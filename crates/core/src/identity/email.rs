//! E-mail addresses in one spelling: lower case, and what a provider ignores left out.

use std::fmt;

use super::{BadIdentity, EmailRules};

/// The longest address, in bytes (RFC 5321).
const LONGEST: usize = 254;
const FORM: BadIdentity = BadIdentity("is no e-mail address; write it as in guest@mail.example");

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is none that a guest would have.
    pub fn parse(text: &str, rules: &EmailRules) -> Result<Self, BadIdentity> {
        let text = super::plain(text).to_lowercase();
        let text = text.strip_prefix("mailto:").unwrap_or(&text).trim();
        let (local, domain) = text.rsplit_once('@').ok_or(FORM)?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let mut labels = domain.split('.');
        let sound = |label: &str| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let odd = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';')
        };
        let several = domain.contains('.') && labels.all(sound);
        if local.is_empty() || local.contains(odd) || !several || text.len() > LONGEST {
            return Err(FORM);
        }
        let mut local = local.to_owned();
        if rules.ignore_plus
            && let Some((before, _)) = local.split_once('+')
            && !before.is_empty()
        {
            local = before.to_owned();
        }
        if rules.ignore_dots_for.iter().any(|ignoring| ignoring.eq_ignore_ascii_case(domain)) {
            local.retain(|c| c != '.');
        }
        if local.is_empty() { Err(FORM) } else { Ok(Self(format!("{local}@{domain}"))) }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, rules: &EmailRules) -> Option<String> {
        Email::parse(text, rules).ok().map(|email| email.to_string())
    }

    #[test]
    fn spellings_that_reach_one_mailbox_are_one_address() {
        let rules = EmailRules { ignore_dots_for: vec!["gmail.com".to_owned()], ignore_plus: true };
        for text in [
            "a.guest@gmail.com",
            "AGuest+tap@GMail.com",
            " a.g.uest@gmail.com. ",
            "a\u{200b}.guest@gmail.com\u{feff}",
            "MailTo:a.guest@gmail.com",
        ] {
            assert_eq!(read(text, &rules).as_deref(), Some("aguest@gmail.com"), "{text}");
        }
        assert_eq!(read("a.b+c@x.example", &rules).as_deref(), Some("a.b@x.example"));
        assert_eq!(read("+c@x.example", &rules).as_deref(), Some("+c@x.example"));
    }

    #[test]
    fn without_rules_only_case_is_ignored() {
        let read = |text| read(text, &EmailRules::default());
        assert_eq!(read("A.B+c@Gmail.com").as_deref(), Some("a.b+c@gmail.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@x.example", "a".repeat(250));
        for text in [
            "",
            "@",
            "a@",
            "@x.example",
            "a@x",
            "a b@x.example",
            "a@x..example",
            "a@.example",
            "a@b@x.example",
            "a@x.exa mple",
            "<a@x.example>",
            "...@gmail.com",
            &long,
        ] {
            let rules =
                EmailRules { ignore_dots_for: vec!["gmail.com".to_owned()], ignore_plus: true };
            assert_eq!(read(text, &rules), None, "{text}");
        }
    }
}
