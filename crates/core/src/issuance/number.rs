//! The numbers of an instrument type, as an operator uploads them: one a line, no header.
//!
//! A number is found at a till by what is typed or scanned. One that could be a code (letters and
//! digits) has a code's one canonical form, however it is typed; any other, such as the address in a
//! QR code, is found by exactly what it says. What was written is kept beside it: the bar code shows
//! that.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::document::Symbology;
use super::gs1::check_digit;
use crate::fault::{Fault, Faults, Sink};
use crate::ident::CodeKey;

/// A number of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    key: CodeKey,
    text: Box<str>,
}

/// Why a text is no number of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadNumber {
    /// It has no form in which it could be found at a till.
    Unfindable(String),
    /// It has letters that a CODE_128 does not.
    NotAscii,
    /// An EAN-13 is 13 digits.
    NotThirteenDigits,
    /// The last digit of an EAN-13 should be this one.
    CheckDigit(char),
}

impl fmt::Display for BadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfindable(why) => f.write_str(why),
            Self::NotAscii => f.write_str("a CODE_128 has ASCII characters only"),
            Self::NotThirteenDigits => f.write_str("an EAN-13 has 13 digits and nothing else"),
            Self::CheckDigit(right) => {
                write!(f, "the check digit is wrong: the last digit should be {right}")
            }
        }
    }
}

impl Number {
    /// Reads a number as it is written in a file.
    ///
    /// # Errors
    /// When it cannot be one of this symbology.
    pub fn parse(text: &str, symbology: Symbology) -> Result<Self, BadNumber> {
        if symbology == Symbology::Ean13 {
            let thirteen = text.len() == 13 && text.bytes().all(|b| b.is_ascii_digit());
            let (digits, last) = text.split_at_checked(12).unwrap_or_default();
            let right = check_digit(digits).filter(|_| thirteen);
            let right = right.ok_or(BadNumber::NotThirteenDigits)?;
            if !last.starts_with(right) {
                return Err(BadNumber::CheckDigit(right));
            }
        }
        if symbology == Symbology::Code128 && !text.is_ascii() {
            return Err(BadNumber::NotAscii);
        }
        Self::read(text).map_err(BadNumber::Unfindable)
    }

    fn read(text: &str) -> Result<Self, String> {
        let key = CodeKey::of_scanned(text).map_err(|error| error.to_string())?;
        Ok(Self { key, text: text.into() })
    }

    /// What it is found by: that of the code somebody types at a till.
    #[must_use]
    pub const fn key(&self) -> &CodeKey {
        &self.key
    }

    /// What its bar code shows.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Written as its text; read back without looking at the check digit again.
impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::read(&text).map_err(serde::de::Error::custom)
    }
}

/// How a file of numbers is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `text/csv`: the number, perhaps in double quotes.
    Csv,
    /// NDJSON: the number as a text or as a whole number.
    Ndjson,
}

/// The numbers of a file with the lines they stand on, counted from 1. Empty lines are no numbers.
///
/// # Errors
/// Every line that is none or stands there twice, with its number as the pointer.
pub fn read_lines(
    body: &[u8],
    format: Format,
    symbology: Symbology,
) -> Result<Vec<(u64, Number)>, Faults> {
    let (sink, mut reader) = (Sink::new(), Lines::new(symbology));
    let mut numbers = Vec::new();
    let mut line = 0_u64;
    for bytes in body.split(|b| *b == b'\n') {
        line = line.saturating_add(1);
        if sink.is_full() {
            break;
        }
        match reader.line(line, bytes, format) {
            Ok(number) => numbers.extend(number.map(|number| (line, number))),
            Err(why) => sink.extend([fault_of(line, &why)]),
        }
    }
    sink.check(Some(numbers))
}

/// What is wrong with a line, as a fault of the file.
#[must_use]
pub fn fault_of(line: u64, why: &str) -> Fault {
    Fault { pointer: format!("/{line}"), detail: format!("line {line}: {why}") }
}

/// Reads a file line by line, so that a long one need not be in memory.
pub struct Lines {
    symbology: Symbology,
    seen: HashMap<CodeKey, u64>,
}

impl Lines {
    /// Before the first line.
    #[must_use]
    pub fn new(symbology: Symbology) -> Self {
        Self { symbology, seen: HashMap::new() }
    }

    /// The number on a line; none on an empty one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn line(
        &mut self,
        line: u64,
        bytes: &[u8],
        format: Format,
    ) -> Result<Option<Number>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        // A byte-order mark before the first line is a spreadsheet's doing.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(None);
        }
        let written = match format {
            Format::Csv => csv(text)?,
            Format::Ndjson => ndjson(text)?,
        };
        let number = Number::parse(&written, self.symbology)
            .map_err(|why| format!("{:?}: {why}", crate::json::shortened(&written)))?;
        if let Some(first) = self.seen.get(number.key()) {
            return Err(format!("{written:?} stands on line {first} too"));
        }
        self.seen.insert(number.key().clone(), line);
        Ok(Some(number))
    }
}

pub(crate) fn csv(text: &str) -> Result<String, String> {
    if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Ok(quoted.replace("\"\"", "\"").trim().to_owned());
    }
    if text.contains([',', ';', '\t']) {
        return Err("holds more than one column; one a line is read".to_owned());
    }
    Ok(text.to_owned())
}

pub(crate) fn ndjson(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::String(number)) => Ok(number.trim().to_owned()),
        Ok(serde_json::Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        Ok(_) => Err("should be a text or a whole number".to_owned()),
        Err(_) => Err("is not JSON".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_lines_whatever_wrote_the_file() {
        let csv = "\u{feff}4006381333931\r\n\r\n\"1234567890128\"\n";
        let read = read_lines(csv.as_bytes(), Format::Csv, Symbology::Ean13).unwrap();
        let shown: Vec<_> = read.iter().map(|(line, n)| (*line, n.as_str())).collect();
        assert_eq!(shown, [(1, "4006381333931"), (3, "1234567890128")]);
        let ndjson = b"\"ab-12\"\n4006381333931\n";
        let read = read_lines(ndjson, Format::Ndjson, Symbology::Code128).unwrap();
        assert_eq!(read[0].1.as_str(), "ab-12");
        assert_eq!(read[0].1.key().as_str(), "AB12");
        assert_eq!(read[1].1.key().as_str(), "4006381333931");
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let csv = b"4006381333931\n4006381333932\n12\nname\n4006381333931\n1,2\n\xff\n";
        let faults = read_lines(csv, Format::Csv, Symbology::Ean13).unwrap_err();
        let told: Vec<_> =
            faults.as_slice().iter().map(|f| (f.pointer.as_str(), f.detail.as_str())).collect();
        assert_eq!(told.len(), 6, "{faults}");
        assert_eq!(
            told[0],
            (
                "/2",
                "line 2: \"4006381333932\": the check digit is wrong: the last digit should be 1"
            )
        );
        assert_eq!(told[3], ("/5", "line 5: \"4006381333931\" stands on line 1 too"));
        assert_eq!(
            told.iter().map(|t| t.0).collect::<Vec<_>>(),
            ["/2", "/3", "/4", "/5", "/6", "/7"]
        );
    }

    #[test]
    fn two_spellings_of_one_code_are_one_number() {
        let faults = read_lines(b"ab-12\nAB12\n", Format::Csv, Symbology::QrCode).unwrap_err();
        assert!(faults.to_string().contains("line 2"), "{faults}");
    }

    #[test]
    fn a_qr_code_may_hold_any_text_and_is_found_by_exactly_that() {
        let csv = "https://x.example/1\nhttps://X.example/1\n\"a;b,\"\"c\"\"\"\n";
        let read = read_lines(csv.as_bytes(), Format::Csv, Symbology::QrCode).unwrap();
        let shown: Vec<_> = read.iter().map(|(_, number)| number.as_str()).collect();
        assert_eq!(shown, ["https://x.example/1", "https://X.example/1", "a;b,\"c\""]);
        assert_ne!(read[0].1.key(), read[1].1.key());
        let json = serde_json::to_string(&read[0].1).unwrap();
        assert_eq!(serde_json::from_str::<Number>(&json).unwrap(), read[0].1);
        let faults = read_lines("äöü\n12\n".as_bytes(), Format::Csv, Symbology::Code128);
        assert_eq!(faults.unwrap_err().as_slice().len(), 2);
    }
}
