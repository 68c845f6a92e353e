//! Telephone numbers in one spelling, E.164: `+16085550100`.
//!
//! A till sends what a guest said: `(608) 555-0100`, `1 608 555 0100`, `011 49 …`, `+44 (0)20 …`. Without
//! `+` or a prefix of calls abroad a number is read as one of a region.
//!
//! What is known of regions is `regions.txt`, one line each, from libphonenumber's metadata: calling
//! code, prefixes and *lengths*. Not its patterns of what is really assigned: for counting a guest once
//! it does not matter whether a number rings, and the crate `phonenumber`, which has them, makes the
//! Worker 2.3 MB larger (measured: 640 kB compressed) and its first number 0.5 s late. So a number of a
//! right length that nobody has is taken, and carrier codes dialled in the middle (Brazil, Colombia) and
//! Argentina's `15` are not: such a number is refused and has to come with its `+`.

use std::fmt;

use super::BadIdentity;

/// The file's lines are in the order of calling codes, the one that speaks for its code first.
const REGIONS: &str = include_str!("regions.txt");
/// The most digits of a number, calling code included.
const MOST_DIGITS: usize = 15;
/// Of a number written as an address.
pub(super) const SCHEME: &str = "tel:";
const FORM: BadIdentity =
    BadIdentity("is no phone number; write it with its country, as in +1 608 555 0100");

/// A country of phone numbers, by its ISO 3166 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(&'static Line);

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    country: &'static str,
    code: &'static str,
    abroad: Vec<&'static str>,
    trunk: &'static str,
    area: &'static str,
    lengths: Vec<usize>,
}

/// A telephone number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Region {
    /// The region of a country code: two capital letters, as in `US`.
    #[must_use]
    pub fn parse(country: &str) -> Option<Self> {
        table().iter().find(|line| line.country == country).map(Self)
    }

    /// The country code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.country
    }
}

impl Phone {
    /// Reads a number as people write it; without a country it is one of `region`.
    ///
    /// # Errors
    /// When it is no number, or has no country and there is no region.
    pub fn parse(text: &str, region: Option<Region>) -> Result<Self, BadIdentity> {
        // Full-width digits and the like are digits.
        let text = super::plain(text);
        let text = match text.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => text.split_at(SCHEME.len()).1,
            _ => &text,
        };
        let text = text.trim();
        let (abroad, text) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Written as "+44 (0)20": only from within the country.
        let text = if abroad { text.replacen("(0)", "", 1) } else { text.to_owned() };
        let digits = digits(&text)?;
        if abroad {
            return international(&digits).map(Self);
        }
        let Some(Region(home)) = region else {
            return Err(FORM);
        };
        let mut called = home.abroad.iter().filter_map(|prefix| digits.strip_prefix(prefix));
        if let Some(number) = called.find_map(|rest| international(rest).ok()) {
            return Ok(Self(number));
        }
        match home.national(&digits) {
            Some(national) => Ok(Self(format!("{}{national}", home.code))),
            // The country without its plus.
            None => match digits.strip_prefix(home.code) {
                Some(rest) => home.complete(rest).map(Self).ok_or(FORM),
                None => Err(FORM),
            },
        }
    }

    /// The digits that people of the number's own country may write for it without a `+`: with and
    /// without area, prefix and country.
    pub(super) fn bare(&self) -> Vec<String> {
        let mut spellings = vec![self.0.clone()];
        let own = table().iter().filter(|line| self.0.starts_with(line.code));
        for line in own {
            let Some(national) = self.0.strip_prefix(line.code) else { continue };
            spellings.push(national.to_owned());
            spellings.push(format!("{}{national}", line.trunk));
            spellings.extend(line.abroad.iter().map(|prefix| format!("{prefix}{}", self.0)));
            if !line.area.is_empty() {
                spellings.extend(national.strip_prefix(line.area).map(str::to_owned));
            }
        }
        spellings.sort();
        spellings.dedup();
        spellings
    }
}

/// `+16085550100`.
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// The digits of a number, whatever is put between them to make it legible.
fn digits(text: &str) -> Result<String, BadIdentity> {
    let mut digits = String::with_capacity(MOST_DIGITS);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '\u{a0}' | '-' | '\u{2010}'..='\u{2015}' | '.' | '(' | ')' | '/' => {}
            _ => return Err(FORM),
        }
    }
    // What a till types when it must type something.
    if digits.bytes().all(|b| b == b'0') {
        return Err(FORM);
    }
    // Room for a prefix of calls abroad.
    if (3..=MOST_DIGITS.saturating_add(5)).contains(&digits.len()) { Ok(digits) } else { Err(FORM) }
}

/// A number that begins with a calling code.
fn international(digits: &str) -> Result<String, BadIdentity> {
    // No calling code is the beginning of another.
    let first = table().iter().position(|line| digits.starts_with(line.code)).ok_or(FORM)?;
    let same = |line: &&Line| table().get(first).is_some_and(|first| first.code == line.code);
    let mut sharing = table().iter().skip(first).take_while(same);
    let complete = |line: &Line| line.complete(digits.strip_prefix(line.code)?);
    sharing.find_map(complete).ok_or(FORM)
}

impl Line {
    /// A national number as it is written within the region, without what only leads to it.
    fn national(&self, digits: &str) -> Option<String> {
        if !self.trunk.is_empty()
            && let Some(rest) = digits.strip_prefix(self.trunk)
            && self.lengths.contains(&rest.len())
        {
            return Some(rest.to_owned());
        }
        if self.lengths.contains(&digits.len()) {
            return Some(digits.to_owned());
        }
        let local = format!("{}{digits}", self.area);
        (!self.area.is_empty() && self.lengths.contains(&local.len())).then_some(local)
    }

    /// The number with its calling code.
    fn complete(&self, national: &str) -> Option<String> {
        let sound = self.lengths.contains(&national.len());
        let national = match national.strip_prefix(self.trunk) {
            Some(rest) if !sound && self.lengths.contains(&rest.len()) => rest,
            _ if sound => national,
            _ => return None,
        };
        Some(format!("{}{national}", self.code))
    }
}

fn table() -> &'static [Line] {
    static TABLE: std::sync::OnceLock<Vec<Line>> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        let written = REGIONS.lines().filter(|line| !line.starts_with('#'));
        written.filter_map(line).collect()
    })
}

fn line(text: &'static str) -> Option<Line> {
    let mut parts = text.split(' ').map(|part| if part == "-" { "" } else { part });
    Some(Line {
        country: parts.next()?,
        code: parts.next()?,
        abroad: parts.next()?.split(',').filter(|prefix| !prefix.is_empty()).collect(),
        trunk: parts.next()?,
        area: parts.next()?,
        lengths: parts.next()?.split(',').filter_map(lengths).flatten().collect(),
    })
}

fn lengths(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    Some(least.parse().ok()?..=most.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, region: &str) -> Option<String> {
        Phone::parse(text, Region::parse(region)).ok().map(|phone| phone.to_string())
    }

    #[test]
    fn the_table_has_every_line_of_its_file() {
        assert_eq!(table().len(), REGIONS.lines().filter(|line| !line.starts_with('#')).count());
        for line in table() {
            assert!(!line.lengths.is_empty(), "{}", line.country);
            assert!((1..=3).contains(&line.code.len()), "{}", line.country);
            let ambiguous =
                |other: &&Line| other.code != line.code && other.code.starts_with(line.code);
            assert_eq!(table().iter().find(ambiguous), None);
        }
    }

    #[test]
    fn every_spelling_of_a_number_is_one_number() {
        for (region, number, spellings) in [
            (
                "US",
                "+16085550100",
                &[
                    "+1 608 555 0100",
                    "(608) 555-0100",
                    "608.555.0100",
                    "1-608-555-0100",
                    "16085550100",
                    "011 1 608 555 0100",
                    "tel:+1-608-555-0100",
                    "TEL:+16085550100",
                    "\u{202a}608-555-0100\u{202c}",
                    "\u{ff0b}\u{ff11}6085550100",
                    " 608\u{a0}555\u{2011}0100 ",
                ][..],
            ),
            (
                "GB",
                "+442079460958",
                &[
                    "020 7946 0958",
                    "+44 (0)20 7946 0958",
                    "+44 020 7946 0958",
                    "00 44 20 7946 0958",
                    "442079460958",
                ],
            ),
            ("DE", "+4915123456789", &["0151 23456789", "0151/23456789", "0049 151 23456789"]),
            ("FR", "+33612345678", &["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678"]),
            ("RU", "+79123456789", &["8 (912) 345-67-89", "+7 912 345-67-89", "9123456789"]),
            ("HU", "+36201234567", &["06 20 123 4567", "20 123 4567", "+36 20 123 4567"]),
            // Italy has no trunk prefix: the nought belongs to the number.
            ("IT", "+390612345678", &["06 1234 5678", "+39 06 12345678"]),
            ("ES", "+34612345678", &["612 34 56 78", "0034612345678"]),
            ("MX", "+525512345678", &["55 1234 5678", "+52 55 1234 5678"]),
            ("AU", "+61412345678", &["0412 345 678", "0011 61 412 345 678"]),
            // Antigua: a local number has an area that nobody dials.
            ("AG", "+12684641234", &["464-1234", "268 464 1234", "1 268 464 1234"]),
        ] {
            for spelling in spellings {
                assert_eq!(read(spelling, region).as_deref(), Some(number), "{spelling}");
            }
        }
    }

    #[test]
    fn a_number_of_another_country_is_read_wherever_it_is_told() {
        for (region, text, number) in [
            ("US", "+49 151 23456789", "+4915123456789"),
            ("US", "011 49 151 23456789", "+4915123456789"),
            ("DE", "001 608 555 0100", "+16085550100"),
            ("GB", "+1 268 464 1234", "+12684641234"),
        ] {
            assert_eq!(read(text, region).as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn without_a_country_a_number_is_none_anywhere() {
        assert_eq!(read("608 555 0100", "ZZ"), None);
        assert_eq!(read("+1 608 555 0100", "ZZ").as_deref(), Some("+16085550100"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "555-0100",
            "608 555 01000",
            "608 555 0100 x12",
            "+1 608 555 010",
            "+999 123 456 789",
            "++16085550100",
            "+1608+5550100",
            "six oh eight",
            "+16085550100;ext=1",
            "0",
            "000-000-0000",
            "0000000000000000000000000000000",
        ] {
            assert_eq!(read(text, "US"), None, "{text}");
        }
    }

    #[test]
    fn a_region_is_two_capital_letters_that_have_a_calling_code() {
        assert_eq!(Region::parse("US").map(Region::as_str), Some("US"));
        for text in ["us", "USA", "", "-", "ZZ"] {
            assert_eq!(Region::parse(text), None, "{text}");
        }
    }
}
