//! CSV as the service and the command-line tool write it (RFC 4180, lines end with `\n`).
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and runs it, quoted or
//! not. What stands in a cell may come from anybody (a tab's name, a code), so such a cell is written with
//! an apostrophe before it, which spreadsheets show as text.

use std::fmt::Write as _;

/// Adds a line with these cells.
pub fn write_line<'c>(csv: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            csv.push(',');
        }
        write_cell(csv, cell);
    }
    csv.push('\n');
}

fn write_cell(csv: &mut String, cell: &str) {
    let formula = begins_a_formula(cell);
    let quoted = formula
        || cell.contains([',', '"', '\n', '\r'])
        || cell.starts_with(char::is_whitespace)
        || cell.ends_with(char::is_whitespace);
    if !quoted {
        csv.push_str(cell);
        return;
    }
    let mark = if formula { "'" } else { "" };
    // Writing to a text does not fail.
    let _ = write!(csv, "\"{mark}{}\"", cell.replace('"', "\"\""));
}

/// Whether a spreadsheet could take a cell for a formula. White space before it does not help: some
/// programs cut it off. The full-width forms are taken for the narrow ones by some East Asian versions.
fn begins_a_formula(cell: &str) -> bool {
    let controls = cell.starts_with(['\t', '\r', '\n', '\0']);
    let first = cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    controls || first.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cells: &[&str]) -> String {
        let mut csv = String::new();
        write_line(&mut csv, cells.iter().copied());
        csv
    }

    #[test]
    fn a_plain_cell_is_written_as_it_is() {
        assert_eq!(
            line(&["summer", "", "12.5", "2026-07-04", "O'Hara"]),
            "summer,,12.5,2026-07-04,O'Hara\n"
        );
    }

    #[test]
    fn what_would_end_a_cell_is_quoted() {
        assert_eq!(
            line(&["a,b", "say \"hi\"", "two\nlines", " x"]),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\" x\"\n"
        );
    }

    #[test]
    fn a_cell_that_begins_like_a_formula_is_made_harmless() {
        for cell in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u{a0}=1", "＝1", "\tx"]
        {
            assert_eq!(line(&[cell]), format!("\"'{cell}\"\n"));
        }
        assert_eq!(line(&["=HYPERLINK(\"x\")"]), "\"'=HYPERLINK(\"\"x\"\")\"\n");
        assert_eq!(line(&["1-1", "a=b"]), "1-1,a=b\n");
    }
}
