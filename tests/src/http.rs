//! Requests and replies, plain enough to be read in a test.

use std::{fmt, time::Duration};

use serde_json::Value;
use ureq::{Agent, Body, http};

use crate::must;

/// Longer than any reply may take, shorter than one's patience.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request in the making; sent by [`Exchange::send`], [`Exchange::json`] or [`Exchange::body`].
#[must_use = "nothing is sent before `send`, `json` or `body`"]
pub struct Exchange {
    agent: Agent,
    request: http::request::Builder,
    what: String,
}

impl Exchange {
    pub(crate) fn new(agent: &Agent, method: &str, url: &str) -> Self {
        Self {
            agent: agent.clone(),
            request: http::Request::builder().method(method).uri(url),
            what: format!("{method} {url}"),
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Adds the whole value of `Authorization`.
    pub fn auth(self, value: &str) -> Self {
        self.header("Authorization", value)
    }

    /// Signs as the operator.
    pub fn admin(self) -> Self {
        self.auth(&format!("Bearer {}", crate::secrets::ADMIN_TOKEN))
    }

    /// Sends it without a body.
    #[track_caller]
    pub fn send(self) -> Reply {
        let what = self.what.clone();
        must(&what, self.try_send())
    }

    /// As [`Exchange::send`], for a test in which the service may die before it replies.
    ///
    /// # Errors
    /// When no whole reply comes.
    pub fn try_send(self) -> Result<Reply, ureq::Error> {
        let request = self.request.body(())?;
        self.agent.run(request).and_then(Reply::read)
    }

    /// Sends it with a JSON body.
    #[track_caller]
    pub fn json(self, body: &Value) -> Reply {
        self.header("Content-Type", "application/json").body(body.to_string().as_bytes())
    }

    /// Sends it with these bytes as the body. Fails the test if no reply comes.
    #[track_caller]
    pub fn body(self, body: &[u8]) -> Reply {
        let what = self.what.clone();
        must(&what, self.try_body(body))
    }

    /// As [`Exchange::body`], for a test in which the service may die before it replies.
    ///
    /// # Errors
    /// When no whole reply comes.
    pub fn try_body(self, body: &[u8]) -> Result<Reply, ureq::Error> {
        let request = self.request.body(body)?;
        self.agent.run(request).and_then(Reply::read)
    }
}

/// A whole reply, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    fn read(response: http::Response<Body>) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Self {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.read_to_vec()?,
        })
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; fails the test if it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        must(&format!("not JSON: {self}"), serde_json::from_slice(&self.body))
    }
}

/// Status and body, for the message of an assertion.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text())
    }
}

/// A client that takes any status for an answer and does as it is told, with GET bodies and all.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(TIMEOUT))
        .build()
        .new_agent()
}
