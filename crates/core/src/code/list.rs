//! Files of codes that another system made: one a line, as text or NDJSON.

use std::collections::HashMap;

use serde_json::Value;

use super::{CanonicalCode, signed::Signed};
use crate::fault::{Faults, Sink};
use crate::issuance::number::{Format, csv, fault_of, ndjson};

/// What a spreadsheet calls a column of codes.
const HEADERS: [&str; 3] = ["code", "codes", "\"code\""];

/// Reads a file line by line, so that a long one need not be in memory twice.
#[derive(Default)]
pub struct Lines {
    seen: HashMap<CanonicalCode, u64>,
}

impl Lines {
    /// The code on a line, counted from 1; none on an empty line, and on a first line that is a header.
    ///
    /// # Errors
    /// What is wrong with it: it is no code, or the same code as an earlier line's.
    pub fn line(
        &mut self,
        line: u64,
        bytes: &[u8],
        format: Format,
    ) -> Result<Option<CanonicalCode>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        // A byte-order mark before the first line is a spreadsheet's doing.
        let text = text.trim_start_matches('\u{feff}').trim();
        let header = line == 1 && HEADERS.iter().any(|header| text.eq_ignore_ascii_case(header));
        if text.is_empty() || header {
            return Ok(None);
        }
        let written = match format {
            Format::Csv => csv(text)?,
            Format::Ndjson => of_object(text).map_or_else(|| ndjson(text), Ok)?,
        };
        let code = CanonicalCode::parse(&written)
            .map_err(|why| format!("{:?}: {why}", crate::json::shortened(&written)))?;
        if let Some(first) = self.seen.get(&code) {
            return Err(format!("{code} stands on line {first} too"));
        }
        self.seen.insert(code.clone(), line);
        Ok(Some(code))
    }
}

/// The code of `{"code": "…"}`.
fn of_object(text: &str) -> Option<String> {
    let object: Value = serde_json::from_str(text).ok()?;
    Some(object.get("code")?.as_str()?.to_owned())
}

/// The codes of a file with the lines they stand on, counted from 1.
///
/// # Errors
/// Every line that is none or repeats one, with its number as the pointer.
pub fn read_lines(body: &[u8], format: Format) -> Result<Vec<(u64, CanonicalCode)>, Faults> {
    let (sink, mut reader) = (Sink::new(), Lines::default());
    let mut codes = Vec::new();
    for (line, bytes) in (1_u64..).zip(body.split(|b| *b == b'\n')) {
        if sink.is_full() {
            break;
        }
        match reader.line(line, bytes, format) {
            Ok(code) => codes.extend(code.map(|code| (line, code))),
            Err(why) => sink.extend([fault_of(line, &why)]),
        }
    }
    sink.check(Some(codes))
}

/// The prefix under which a code would be looked for as a signed one, if it has the shape of one.
#[must_use]
pub fn signed_prefix(code: &CanonicalCode) -> Option<String> {
    Signed::read(code).map(|signed| signed.prefix().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, format: Format) -> Result<Vec<(u64, String)>, String> {
        let codes = read_lines(body.as_bytes(), format).map_err(|faults| faults.to_string())?;
        Ok(codes.into_iter().map(|(line, code)| (line, code.to_string())).collect())
    }

    #[test]
    fn codes_are_read_with_their_lines_whatever_wrote_the_file() {
        let two = Ok(vec![(1, "ABC1".to_owned()), (3, "DEF2".to_owned())]);
        assert_eq!(read("\u{feff}abc-1\r\n\r\n\"def 2\"\r\n", Format::Csv), two);
        assert_eq!(read("\"abc 1\"\n\n{\"code\": \"DEF2\", \"x\": 1}\n", Format::Ndjson), two);
        assert_eq!(read("Code\nABC1", Format::Csv), Ok(vec![(2, "ABC1".to_owned())]));
        assert_eq!(read("ABC1\nCODE", Format::Csv).unwrap().len(), 2);
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let said = read("ABC1\nA\nab c1\nD,E\n\u{1}BCD\n", Format::Csv).unwrap_err();
        for part in ["line 2: \"A\"", "line 3: ABC1 stands on line 1 too", "line 4: ", "line 5: "] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
}
