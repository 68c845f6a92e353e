//! What makes a secret of the deployment too weak to keep a route shut.
//!
//! Depends on nothing but the standard library: `cargo xtask deploy` includes this very file.

use std::fmt;

/// The fewest characters of a secret. Sixteen random hexadecimal digits are 64 bits; set-up makes 192.
pub const SHORTEST: usize = 16;

/// How a variable holds its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A list with commas between, all of them valid.
    List,
    /// One secret, in which a comma is a character like any other.
    One,
    /// A list of `version:secret`, or one secret without a version.
    Versioned,
}

/// Every secret of the deployment by its variable.
pub const SECRETS: [(&str, Form); 7] = [
    ("GOTAB_PROMO_AUTH", Form::List),
    ("GOTAB_LOYALTY_AUTH", Form::List),
    ("API_AUTH", Form::List),
    ("WALLET_AUTH", Form::List),
    ("ADMIN_TOKEN", Form::List),
    ("PII_PEPPER", Form::One),
    ("CODE_KEYS", Form::Versioned),
];

/// What is wrong with a variable's value. Says nothing of the value itself but lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// Which entry of the list, counted from 1.
    entry: usize,
    /// Of how many.
    of: usize,
    /// How many characters it has.
    length: usize,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, of, length } = self;
        match (of, length) {
            (1, _) => write!(f, "has {length} characters, and at least {SHORTEST} are needed")?,
            (_, 0) => write!(f, "entry {entry} of {of} is empty")?,
            _ => write!(
                f,
                "entry {entry} of {of} has {length} characters, and at least {SHORTEST} are needed"
            )?,
        }
        if *of > 1 {
            f.write_str(
                "; a comma separates two secrets that are both valid, so none may hold one",
            )?;
        }
        Ok(())
    }
}

/// The first entry of a value that is no sound secret. An empty value is none: it counts as missing, and
/// closes its route.
#[must_use]
pub fn weakness(value: &str, form: Form) -> Option<Weakness> {
    if value.trim().is_empty() {
        return None;
    }
    let entries: Vec<&str> = match form {
        Form::One => vec![value],
        Form::List | Form::Versioned => value.split(',').collect(),
    };
    let lengths = entries.iter().map(|entry| secret_of(entry.trim(), form).chars().count());
    let weak = lengths.enumerate().find(|(_, length)| *length < SHORTEST);
    weak.map(|(index, length)| Weakness {
        entry: index.saturating_add(1),
        of: entries.len(),
        length,
    })
}

fn secret_of(entry: &str, form: Form) -> &str {
    let versioned = entry.split_once(':').filter(|(version, _)| {
        form == Form::Versioned
            && !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_digit())
    });
    versioned.map_or(entry, |(_, secret)| secret.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef";

    fn said(value: &str, form: Form) -> Option<String> {
        weakness(value, form).map(|weakness| weakness.to_string())
    }

    #[test]
    fn a_secret_has_sixteen_characters() {
        assert_eq!(weakness(GOOD, Form::List), None);
        assert_eq!(weakness("", Form::List), None, "a missing one closes its route");
        assert_eq!(weakness(" ", Form::One), None);
        let short = said("0123456789abcde", Form::List).unwrap();
        assert_eq!(short, "has 15 characters, and at least 16 are needed");
        assert!(weakness("0123456789abcde", Form::One).is_some());
        assert!(weakness("€€€€€€", Form::One).is_some(), "characters, not bytes");
    }

    #[test]
    fn a_comma_that_halves_an_opaque_secret_is_told() {
        assert_eq!(weakness(&format!("{GOOD}, {GOOD}x"), Form::List), None);
        for value in
            ["0123456789abcdef,xy", "xy,0123456789abcdef", "0123456789abcdef,", ",0123456789abcdef"]
        {
            let said = said(value, Form::List).unwrap();
            assert!(said.contains("of 2"), "{said}");
            assert!(said.contains("a comma separates"), "{said}");
            assert!(!said.contains("xy"), "{said}");
            assert_eq!(weakness(value, Form::One), None, "{value} is one secret");
        }
    }

    #[test]
    fn a_version_is_no_part_of_a_key() {
        assert_eq!(weakness(&format!("1:{GOOD},2:{GOOD}"), Form::Versioned), None);
        assert_eq!(weakness(GOOD, Form::Versioned), None);
        assert!(weakness("12:0123456789abcd", Form::Versioned).is_some());
        assert!(weakness(&format!("1:{GOOD},2:"), Form::Versioned).is_some());
        assert_eq!(weakness("12:0123456789abcd", Form::List), None, "a colon means nothing there");
    }
}
