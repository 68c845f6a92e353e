//! What goes back to the caller: a reply, or a refusal as a problem document.

use std::borrow::Cow;

use promo_core::fault::{Fault, Faults};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::catalogue::{KvFailure, NoProgramme};

/// What goes back to the caller.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: Cow<'static, str>,
    /// The body.
    pub body: Vec<u8>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// A JSON reply.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        // Serialising our own types to memory does not fail; an empty body would show if it did.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::raw(status, "application/json", body)
    }

    /// A reply whose body is ready.
    pub fn raw(status: u16, content_type: impl Into<Cow<'static, str>>, body: Vec<u8>) -> Self {
        Self { status, content_type: content_type.into(), body, headers: Vec::new() }
    }

    /// With a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A refusal as a problem document (RFC 9457).
#[derive(Debug)]
pub struct Problem {
    status: u16,
    detail: String,
    errors: Vec<Fault>,
    /// What else the document says.
    members: Vec<(&'static str, Value)>,
    /// What staff and logs see, where the caller must not.
    log: Option<Box<str>>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A refusal with a sentence that says what to put right.
    pub fn new(status: u16, detail: &str) -> Self {
        Self {
            status,
            detail: detail.to_owned(),
            errors: Vec::new(),
            members: Vec::new(),
            log: None,
            headers: Vec::new(),
        }
    }

    /// A document with faults.
    pub fn faults(status: u16, detail: &str, faults: Faults) -> Self {
        Self { errors: faults.into_iter().collect(), ..Self::new(status, detail) }
    }

    /// Something of ours failed: the caller learns that it did, the log what.
    pub fn ours(status: u16, what: &str) -> Self {
        let detail = "this could not be answered now; try again";
        Self { log: Some(what.into()), ..Self::new(status, detail) }
    }

    /// With a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With another member in the document.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// With the detail under these keys as well, for a POS that looks there.
    pub fn mirrored(mut self, keys: &'static [&'static str]) -> Self {
        let detail = Value::from(self.detail.as_str());
        self.members.extend(keys.iter().map(|key| (*key, detail.clone())));
        self
    }

    /// What staff and logs see.
    pub fn for_the_log(&self) -> &str {
        self.log.as_deref().unwrap_or(&self.detail)
    }

    /// The refusal as a reply.
    pub fn into_reply(self) -> Reply {
        let mut body = Map::new();
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), title(self.status).into());
        body.insert("status".to_owned(), self.status.into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        for (name, value) in self.members {
            body.insert(name.to_owned(), value);
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.errors));
        }
        let body = Value::Object(body);
        let body = body.to_string().into_bytes();
        Reply { headers: self.headers, ..Reply::raw(self.status, "application/problem+json", body) }
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        Self::ours(500, &error.to_string())
    }
}

impl From<KvFailure> for Problem {
    fn from(failure: KvFailure) -> Self {
        Self::ours(503, &format!("KV: {failure}")).with_header("retry-after", "1")
    }
}

impl From<NoProgramme> for Problem {
    fn from(error: NoProgramme) -> Self {
        Self::ours(503, &error.to_string()).with_header("retry-after", "1")
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
