//! Keeps telephone numbers and e-mail addresses out of the log, wherever a text may have come from.
//!
//! What is written to the log is chosen so that none is in it; this is the second line: a till may send a
//! guest's number where an `offer_id`, a code or a tab's name belongs, and a message may quote it.
//!
//! - An e-mail address is a word with an `@` (or `%40`) in it, something on both sides.
//! - A telephone number is `+` (or `%2B`, `00`) and 7 to 15 digits, or 10 to 15 digits without it; single
//!   spaces, hyphens, full stops, slashes and brackets may stand between. Digits that are part of a word
//!   (a UUID, a digest) and dates are none.
//!
//! A till's own name for something that is a number of 10 to 15 digits is hidden too: it cannot be told
//! from a telephone number.

use std::borrow::Cow;

/// What stands in the place of an e-mail address.
const EMAIL: &str = "[e-mail]";
/// What stands in the place of a telephone number.
const PHONE: &str = "[number]";

/// The text without telephone numbers and e-mail addresses.
#[must_use]
pub fn personal(text: &str) -> Cow<'_, str> {
    let text = match has_address(text) {
        true => Cow::Owned(without_addresses(text)),
        false => Cow::Borrowed(text),
    };
    match text.bytes().filter(u8::is_ascii_digit).nth(FEWEST_ABROAD.saturating_sub(1)) {
        Some(_) => Cow::Owned(without_numbers(&text)),
        None => text,
    }
}

/// The fewest digits of a number with its country.
const FEWEST_ABROAD: usize = 7;
/// The fewest digits of a number without.
const FEWEST: usize = 10;
/// The most digits of any.
const MOST: usize = 15;

fn has_address(text: &str) -> bool {
    text.contains('@') || text.contains("%40")
}

fn without_addresses(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`<>(),;[]{}|\\".contains(c);
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(ends) {
        let word = piece.trim_end_matches(ends);
        let at = word.find('@').map(|at| (at, 1)).or_else(|| word.find("%40").map(|at| (at, 3)));
        let both_sides =
            at.is_some_and(|(at, long)| at > 0 && word.len() > at.saturating_add(long));
        if both_sides {
            out.push_str(EMAIL);
            out.extend(piece.strip_prefix(word));
        } else {
            out.push_str(piece);
        }
    }
    out
}

fn without_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = chars.get(at) {
        let in_a_word = at.checked_sub(1).and_then(|before| chars.get(before));
        let in_a_word = in_a_word.is_some_and(|before| before.is_alphanumeric() || *before == '_');
        let found = if in_a_word { None } else { number_at(&chars, at) };
        match found {
            Some(end) => {
                out.push_str(PHONE);
                at = end;
            }
            None => {
                out.push(*c);
                at = at.saturating_add(1);
                // The rest of a run of digits that is no number is none either.
                while in_run(&chars, at) {
                    out.extend(chars.get(at));
                    at = at.saturating_add(1);
                }
            }
        }
    }
    out
}

/// Whether this is a digit right after another.
fn in_run(chars: &[char], at: usize) -> bool {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    digit(at) && at.checked_sub(1).is_some_and(digit)
}

/// Where a telephone number ends that begins here.
fn number_at(chars: &[char], begin: usize) -> Option<usize> {
    let starts = |text: &str| {
        let here = chars.get(begin..)?;
        let same = text.chars().zip(here).all(|(a, b)| a == b.to_ascii_uppercase());
        (same && here.len() >= text.len()).then_some(text.len())
    };
    let abroad = starts("+").or_else(|| starts("%2B")).or_else(|| starts("00"));
    let (mut at, mut digits, mut end) = (begin.saturating_add(abroad.unwrap_or(0)), 0_usize, begin);
    let mut between = 0_usize;
    while let Some(c) = chars.get(at) {
        match c {
            '0'..='9' => {
                digits = digits.saturating_add(1);
                between = 0;
                end = at.saturating_add(1);
            }
            ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' if between < 2 => {
                // Brackets may begin one; a separator may not.
                if digits == 0 && *c != '(' && abroad.is_none() {
                    return None;
                }
                between = between.saturating_add(1);
            }
            _ => break,
        }
        at = at.saturating_add(1);
    }
    let fewest = if abroad.is_some() { FEWEST_ABROAD } else { FEWEST };
    let in_a_word = chars.get(end).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let sound = (fewest..=MOST).contains(&digits) && !in_a_word;
    (sound && !is_date(chars.get(begin..end)?)).then_some(end)
}

/// Whether it begins like `2026-07-04`.
fn is_date(chars: &[char]) -> bool {
    let form = "dddd-dd-dd";
    let fits = |(form, c): (char, &char)| if form == 'd' { c.is_ascii_digit() } else { *c == form };
    chars.len() >= form.len() && form.chars().zip(chars).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_hidden_however_they_are_written() {
        for number in [
            "+16085550123",
            "+1 608 555 0123",
            "+1 (608) 555-0123",
            "(608) 555-0123",
            "608.555.0123",
            "608-555-0123",
            "6085550123",
            "16085550123",
            "0016085550123",
            "%2B16085550123",
            "%2b16085550123",
            "+34 912 34 56 78",
            "+4930123456",
            "+7 (912) 345-67-89",
        ] {
            for (before, after) in
                [("", ""), ("tab ", " is open"), ("\"", "\""), ("camp.offer.", ""), ("/", "/x")]
            {
                let text = format!("{before}{number}{after}");
                assert_eq!(personal(&text), format!("{before}{PHONE}{after}"), "{text}");
            }
        }
    }

    #[test]
    fn addresses_are_hidden() {
        for address in
            ["guest@b.example", "g.u+e-s_t@b.example", "guest%40b.example", "Ünï@b.example"]
        {
            for (before, after) in [("", ""), ("for ", " twice"), ("<", ">"), ("\"", "\": no")] {
                let text = format!("{before}{address}{after}");
                assert_eq!(personal(&text), format!("{before}{EMAIL}{after}"), "{text}");
            }
        }
    }

    #[test]
    fn what_is_neither_stays() {
        for text in [
            "",
            "summer-2026.ten-off.SUMMER10",
            "14165",
            "1019",
            "open 22:00-02:00, local time is 17:30",
            "2026-07-04T17:30:00.000-05:00",
            "not before 2026-07-04 17:30",
            "0f9b2c1d-1234-4123-8123-12345678901a",
            "a3f516085550123bc",
            "@ home",
            "the subtotal is 1100, at least 2000 are needed",
            "-1234567890abcdef1234",
            "no answer within 1700 ms",
        ] {
            assert_eq!(personal(text), text);
        }
    }

    #[test]
    fn several_in_one_text_are_hidden_and_the_rest_stays() {
        let text = "guest@b.example (+16085550123), code X1, 608 555 0124";
        assert_eq!(personal(text), format!("{EMAIL} ({PHONE}), code X1, {PHONE}"));
    }
}
