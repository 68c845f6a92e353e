//! What is wrong with a document: every fault at once, each where it stands and in words that whoever
//! wrote the document understands.

use std::{cell::RefCell, fmt};

use serde::Serialize;

/// The most faults one document is told; a further one only says how many more there are.
const MOST: usize = 1000;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Where, as a JSON Pointer (RFC 6901); empty for the document as a whole.
    pub pointer: String,
    /// What is wrong and how to put it right.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.pointer, self.detail)
        }
    }
}

/// All that is wrong with a document.
///
/// INVARIANT: at least one fault, in the order of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// A document with this one fault.
    pub fn one(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(vec![Fault { pointer: pointer.into(), detail: detail.into() }])
    }

    /// The faults, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// The same faults of a document that is itself part of another, found there at `pointer`.
    #[must_use]
    pub fn below(mut self, pointer: &str) -> Self {
        for fault in &mut self.0 {
            fault.pointer.insert_str(0, pointer);
        }
        self
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The way to a place in a document, kept on the stack; written out only for a fault.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    /// The document.
    Root,
    /// The document is part of another, at this pointer.
    Below(&'p str),
    /// A member of an object.
    Key(&'p Path<'p>, &'p str),
    /// An element of a list.
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Below(pointer) => f.write_str(pointer),
            Self::Key(above, key) => {
                write!(f, "{above}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Self::Index(above, index) => write!(f, "{above}/{index}"),
        }
    }
}

/// Where the faults of one document are gathered while it is read.
#[derive(Debug, Default)]
pub struct Sink {
    faults: RefCell<Vec<Fault>>,
}

impl Sink {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn add(&self, path: &Path<'_>, detail: impl Into<String>) {
        // INVARIANT: no borrow of `faults` outlives a method of this type.
        let mut faults = self.faults.borrow_mut();
        if faults.len() < MOST {
            faults.push(Fault { pointer: path.to_string(), detail: detail.into() });
        } else if faults.len() == MOST {
            faults.push(Fault {
                pointer: String::new(),
                detail: format!("there are more faults than these {MOST}"),
            });
        }
    }

    /// Notes faults found elsewhere.
    pub fn extend(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut gathered = self.faults.borrow_mut();
        let room = MOST.saturating_sub(gathered.len());
        gathered.extend(faults.into_iter().take(room));
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// Whether no further fault would be noted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.faults.borrow().len() > MOST
    }

    /// What was read, if nothing is wrong with it.
    ///
    /// # Errors
    /// All the faults. A value that is missing without a fault is one too, of the whole document.
    pub fn check<T>(self, value: Option<T>) -> Result<T, Faults> {
        let faults = self.faults.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ if faults.is_empty() => Err(Faults::one("", "cannot be read")),
            _ => Err(Faults(faults)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_rfc_6901_escapes() {
        let (root, offers) = (Path::Root, "a/b~c");
        let key = Path::Key(&root, offers);
        assert_eq!(Path::Index(&key, 3).to_string(), "/a~1b~0c/3");
    }

    #[test]
    fn faults_of_a_part_are_told_where_the_part_is() {
        let faults = Faults::one("/id", "is missing").below("/campaigns/2");
        assert_eq!(faults.to_string(), "/campaigns/2/id: is missing");
    }

    #[test]
    fn a_document_of_nothing_but_faults_is_told_a_bounded_number() {
        let sink = Sink::new();
        for index in 0..5000 {
            sink.add(&Path::Index(&Path::Root, index), "is wrong");
        }
        assert_eq!(sink.check(Some(())).unwrap_err().as_slice().len(), 1001);
    }
}
