//! The service as `promo` talks to it: the operators' routes, under their token.

use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, http};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A service and the way in.
pub struct Service {
    agent: Agent,
    url: String,
    token: String,
}

/// What came back: the status, and the body if it is JSON.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Service {
    pub fn new(url: &str, token: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .new_agent();
        Self { agent, url: url.trim_end_matches('/').to_owned(), token }
    }

    pub fn get(&self, path: &str) -> Result<Answer, String> {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, media: &str, body: &[u8]) -> Result<Answer, String> {
        self.send("POST", path, Some((media, body)))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &[u8])>,
    ) -> Result<Answer, String> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token));
        let sent = match body {
            None => request.body(()).map_err(ureq::Error::from).and_then(|r| self.agent.run(r)),
            Some((media, body)) => {
                let request = request.header("Content-Type", media).body(body);
                request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
            }
        };
        let mut response = sent.map_err(|error| format!("{}: {error}", self.url))?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_vec();
        let body = body.map_err(|error| format!("{}: {error}", self.url))?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }
}

impl Answer {
    /// What the service says of itself or of the request, for people.
    pub fn says(&self) -> String {
        let detail = self.body.get("detail").and_then(Value::as_str).unwrap_or("nothing more");
        format!("the service answered {}: {detail}", self.status)
    }
}
