//! JSON read in one pass, value by value, by someone who knows what should come next.
//!
//! Carts come with every checkout, and most of what a checkout costs is reading them. So they are read
//! here straight from the text: strings are borrowed and scanned eight bytes at a time, numbers are
//! whole ones of 64 bits and nothing else, and what nobody asks for is skipped. The grammar is RFC 8259
//! to the letter, as it is for documents read into a [`super::Node`].

use std::borrow::Cow;

use super::DEEPEST;

/// Why a text is no JSON, or cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong(pub &'static str);

/// A value that is neither list nor object, or the name of what it is instead (which is then skipped).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    Null,
    Flag(bool),
    Number(i64),
    Text(Cow<'a, str>),
    Other(&'static str),
}

/// What [`Scalar::Other`] says of a number that is not written as a whole one.
pub(crate) const FRACTION: &str = "a number with a fraction or an exponent";

/// A place in a text that is read.
pub(crate) struct Pull<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Pull<'a> {
    /// The beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes were read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What was read since a place.
    pub fn since(&self, begin: usize) -> &'a str {
        self.text.get(begin..self.at).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    /// The first byte of what comes next, white space aside.
    #[inline(always)]
    pub fn peek(&mut self) -> Result<u8, Wrong> {
        match self.byte() {
            Some(byte) if byte > b' ' => Ok(byte),
            _ => self.peek_beyond_space(),
        }
    }

    #[inline(never)]
    fn peek_beyond_space(&mut self) -> Result<u8, Wrong> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.advance(1);
        }
        Err(Wrong("it ends too early"))
    }

    /// Makes sure that nothing comes any more.
    pub fn end(&mut self) -> Result<(), Wrong> {
        match self.peek() {
            Ok(_) => Err(Wrong("something follows its end")),
            Err(_) => Ok(()),
        }
    }

    /// Goes into a list or an object that begins here, and says how deep that is.
    pub fn enter(&mut self, depth: usize) -> Result<usize, Wrong> {
        if depth >= DEEPEST {
            return Err(Wrong("nested more than 64 deep"));
        }
        self.advance(1);
        Ok(depth.wrapping_add(1))
    }

    /// Whether there is another member or element before this closing bracket; commas and the bracket
    /// are read.
    pub fn more(&mut self, first: bool, close: u8) -> Result<bool, Wrong> {
        let byte = self.peek()?;
        if byte == close {
            self.advance(1);
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if byte != b',' {
            return Err(Wrong("a comma or a closing bracket is missing"));
        }
        self.advance(1);
        Ok(true)
    }

    /// A key and the colon after it.
    #[inline]
    pub fn key(&mut self) -> Result<Cow<'a, str>, Wrong> {
        let key = match self.plain_text() {
            Some(key) => Cow::Borrowed(key),
            None if self.peek()? == b'"' => self.string()?,
            None => return Err(Wrong("a key in quotes is missing")),
        };
        if self.peek()? != b':' {
            return Err(Wrong("a colon is missing"));
        }
        self.advance(1);
        Ok(key)
    }

    /// A text without escapes, when that is what comes next; else nothing is read.
    #[inline(always)]
    pub fn plain_text(&mut self) -> Option<&'a str> {
        if self.peek().ok()? != b'"' {
            return None;
        }
        let begin = self.at.wrapping_add(1);
        let end = plain(self.text.as_bytes(), begin);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end.wrapping_add(1);
        self.text.get(begin..end)
    }

    /// A number of a few digits, when that is what comes next; else nothing is read.
    #[inline(always)]
    pub fn plain_number(&mut self) -> Option<i64> {
        let first = self.peek().ok()?;
        if !first.is_ascii_digit() {
            return None;
        }
        let (mut value, mut digits) = (0_i64, 0_usize);
        let mut rest = self.text.as_bytes().get(self.at..)?.iter();
        loop {
            let byte = *rest.next()?;
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                // Whatever is no mark of the grammar is for the other way to judge.
                let ends = matches!(byte, b',' | b'}' | b']');
                if !ends || digits > 18 || (first == b'0' && digits > 1) {
                    return None;
                }
                break;
            }
            // Eighteen digits always fit; the value of more is not used.
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            digits = digits.wrapping_add(1);
        }
        self.advance(digits);
        Some(value)
    }

    /// A value that should be neither list nor object.
    pub fn scalar(&mut self, depth: usize) -> Result<Scalar<'a>, Wrong> {
        match self.peek()? {
            b'"' => self.string().map(Scalar::Text),
            b'-' | b'0'..=b'9' => self.number(),
            b'n' => self.literal("null", Scalar::Null),
            b't' => self.literal("true", Scalar::Flag(true)),
            b'f' => self.literal("false", Scalar::Flag(false)),
            b'{' => self.skip(depth).map(|()| Scalar::Other("an object")),
            b'[' => self.skip(depth).map(|()| Scalar::Other("a list")),
            _ => Err(Wrong("a value is missing")),
        }
    }

    /// Reads over a value.
    pub fn skip(&mut self, depth: usize) -> Result<(), Wrong> {
        let close = match self.peek()? {
            b'{' => b'}',
            b'[' => b']',
            _ => return self.scalar(depth).map(|_| ()),
        };
        let depth = self.enter(depth)?;
        let mut first = true;
        while self.more(first, close)? {
            first = false;
            if close == b'}' {
                self.key()?;
            }
            self.skip(depth)?;
        }
        Ok(())
    }

    fn literal(&mut self, word: &str, value: Scalar<'a>) -> Result<Scalar<'a>, Wrong> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Wrong("a value is missing"));
        }
        self.advance(word.len());
        Ok(value)
    }

    fn digits(&mut self) -> Result<Option<i64>, Wrong> {
        let mut value = Some(0_i64);
        let begin = self.at;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            let digit = i64::from(digit.wrapping_sub(b'0'));
            value = value.and_then(|value| value.checked_mul(10)?.checked_add(digit));
            self.advance(1);
        }
        if self.at == begin { Err(Wrong("a digit is missing")) } else { Ok(value) }
    }

    fn number(&mut self) -> Result<Scalar<'a>, Wrong> {
        let negative = self.byte() == Some(b'-');
        if negative {
            self.advance(1);
        }
        let leading_zero = self.byte() == Some(b'0');
        let begin = self.at;
        let value = self.digits()?;
        if leading_zero && self.at.wrapping_sub(begin) > 1 {
            return Err(Wrong("a number begins with 0"));
        }
        let mut whole = true;
        if self.byte() == Some(b'.') {
            whole = false;
            self.advance(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            whole = false;
            self.advance(1);
            if let Some(b'+' | b'-') = self.byte() {
                self.advance(1);
            }
            self.digits()?;
        }
        Ok(match value.filter(|_| whole) {
            Some(value) if negative => Scalar::Number(value.wrapping_neg()),
            Some(value) => Scalar::Number(value),
            None if whole => Scalar::Other("too large a number"),
            None => Scalar::Other(FRACTION),
        })
    }

    /// A text whose opening quote is here.
    fn string(&mut self) -> Result<Cow<'a, str>, Wrong> {
        if let Some(text) = self.plain_text() {
            return Ok(Cow::Borrowed(text));
        }
        self.advance(1);
        let begin = self.at;
        self.at = plain(self.text.as_bytes(), begin);
        self.escaped(begin).map(Cow::Owned)
    }

    /// The rest of a text that is not plain.
    #[cold]
    fn escaped(&mut self, begin: usize) -> Result<String, Wrong> {
        let mut text = self.text.get(begin..self.at).unwrap_or_default().to_owned();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.advance(1);
                    text.push(self.escape()?);
                }
                Some(_) => return Err(Wrong("a control character stands in a text")),
                None => return Err(Wrong("it ends too early")),
            }
            let from = self.at;
            self.at = plain(self.text.as_bytes(), from);
            text.push_str(self.text.get(from..self.at).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        let escaped = self.byte().ok_or(Wrong("it ends too early"))?;
        self.advance(1);
        Ok(match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(Wrong("an escape is not known")),
        })
    }

    fn code_point(&mut self) -> Result<char, Wrong> {
        const ALONE: Wrong = Wrong("half a surrogate pair stands alone");
        let first = self.four_hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(ALONE);
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(b"\\u") {
            return Err(ALONE);
        }
        self.advance(2);
        let second = self.four_hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(ALONE);
        }
        let high = first.wrapping_sub(0xd800).wrapping_shl(10);
        let low = second.wrapping_sub(0xdc00);
        char::from_u32(0x1_0000_u32.wrapping_add(high).wrapping_add(low)).ok_or(ALONE)
    }

    fn four_hex(&mut self) -> Result<u32, Wrong> {
        let hex = self.text.get(self.at..self.at.wrapping_add(4));
        let hex = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        self.advance(4);
        code.ok_or(Wrong("an escape is not known"))
    }
}

/// Where the first quote, backslash or control character stands, from a place on; the end, if none does.
fn plain(bytes: &[u8], mut at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        let found = specials(u64::from_le_bytes(*eight));
        if found != 0 {
            let before = found.trailing_zeros() / 8;
            return at.wrapping_add(usize::try_from(before).unwrap_or_default());
        }
        rest = after;
        at = at.wrapping_add(8);
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
    at.wrapping_add(rest.iter().position(special).unwrap_or(rest.len()))
}

/// Marks quotes, backslashes and control characters among eight bytes; the lowest mark is right.
fn specials(bytes: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // Which bytes are less than so much, by their high bits.
    let less = |bytes: u64, than: u64| bytes.wrapping_sub(ONES.wrapping_mul(than)) & !bytes;
    // With this bit changed a quote stands right above the control characters.
    let quote_or_control = less(bytes ^ ONES.wrapping_mul(0x02), 0x21);
    let backslash = less(bytes ^ ONES.wrapping_mul(0x5c), 0x01);
    (quote_or_control | backslash) & (ONES << 7)
}

#[cfg(test)]
mod tests;
