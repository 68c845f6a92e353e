//! What is kept in a SQLite file, read as bytes: the cells of every page in use, with the write-ahead log over
//! it. What was deleted may leave its bytes in a page's free space until that is used again; it is no row any
//! more, and is not read here.
//!
//! The format: <https://www.sqlite.org/fileformat.html>.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets within a file, of a size a test can read"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The payload of every cell of a database, one after the other.
#[must_use]
pub fn cells(file: &Path) -> Vec<u8> {
    let database = Database::read(file).unwrap_or_default();
    let free = database.free();
    let mut bytes = Vec::new();
    for number in database.pages.keys().filter(|number| !free.contains(number)) {
        // A page of another kind has no cells.
        let _ = database.cells_of(*number, &mut bytes);
    }
    bytes
}

#[derive(Default)]
struct Database {
    size: usize,
    pages: BTreeMap<usize, Vec<u8>>,
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().fold(0, |sum: usize, byte| (sum << 8) | usize::from(*byte)))
}

/// A number of variable length, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut sum = 0_usize;
    for _ in 0..9 {
        let byte = *bytes.get(at)?;
        at = at.checked_add(1)?;
        sum = (sum << 7) | usize::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some((sum, at))
}

impl Database {
    fn read(file: &Path) -> Option<Self> {
        let main = fs::read(file).unwrap_or_default();
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let log = fs::read(log).unwrap_or_default();
        let size = match number(&main, 16, 2).or_else(|| number(&log, 8, 4))? {
            1 => 65_536,
            size => size,
        };
        let chunks = main.chunks_exact(size).enumerate();
        let mut pages: BTreeMap<usize, Vec<u8>> =
            chunks.map(|(index, page)| (index + 1, page.to_vec())).collect();
        // Frames count up to the last commit, as long as they are of this log and not of one before it.
        let (salt, mut waiting, mut at) = (log.get(16..24), Vec::new(), 32_usize);
        while let (Some(head), Some(page)) =
            (log.get(at..at + 24), log.get(at + 24..at + 24 + size))
        {
            if head.get(8..16) != salt {
                break;
            }
            waiting.push((number(head, 0, 4)?, page.to_vec()));
            let pages_then = number(head, 4, 4)?;
            if pages_then > 0 {
                pages.extend(waiting.drain(..));
                pages.retain(|number, _| *number <= pages_then);
            }
            at += 24 + size;
        }
        Some(Self { size, pages })
    }

    /// Pages that are not in use.
    fn free(&self) -> BTreeSet<usize> {
        let mut free = BTreeSet::new();
        let first = self.pages.get(&1).and_then(|page| number(page, 32, 4));
        let mut trunk = first.unwrap_or(0);
        while let Some(page) = self.pages.get(&trunk).filter(|_| free.insert(trunk)) {
            let leaves = number(page, 4, 4).unwrap_or(0);
            free.extend((0..leaves).filter_map(|n| number(page, 8 + n * 4, 4)));
            trunk = number(page, 0, 4).unwrap_or(0);
        }
        free
    }

    fn cells_of(&self, of: usize, bytes: &mut Vec<u8>) -> Option<()> {
        let page = self.pages.get(&of)?;
        let head = if of == 1 { 100 } else { 0 };
        let kind = *page.get(head)?;
        let pointers = match kind {
            2 | 5 => head + 12,
            10 | 13 => head + 8,
            _ => return None,
        };
        for cell in 0..number(page, head + 3, 2)? {
            let mut at = number(page, pointers + cell * 2, 2)?;
            if kind == 5 {
                continue;
            }
            if kind == 2 {
                at += 4;
            }
            let (length, mut at) = varint(page, at)?;
            if kind == 13 {
                at = varint(page, at)?.1;
            }
            self.payload(page, at, length, kind == 13, bytes)?;
        }
        Some(())
    }

    /// A payload, with the pages it flows over to.
    fn payload(
        &self,
        page: &[u8],
        at: usize,
        length: usize,
        table: bool,
        bytes: &mut Vec<u8>,
    ) -> Option<()> {
        let usable = self.size - number(self.pages.get(&1)?, 20, 1)?;
        let most = if table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        let local = if length <= most {
            length
        } else {
            let rest = least + (length - least) % (usable - 4);
            if rest <= most { rest } else { least }
        };
        bytes.extend(page.get(at..at + local)?);
        let (mut left, mut next) = (length - local, number(page, at + local, 4).unwrap_or(0));
        while left > 0 {
            let over = self.pages.get(&next)?;
            let part = left.min(usable - 4);
            bytes.extend(over.get(4..4 + part)?);
            left -= part;
            next = number(over, 0, 4)?;
        }
        Some(())
    }
}
