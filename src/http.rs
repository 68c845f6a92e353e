//! What every request and every reply has in common: bounds on what is read, problem documents,
//! and the headers that are always there.

use std::cell::RefCell;

use promo_core::checkout::{CleanUp, Inquired, Redeemed, Reversed};
use promo_core::fault::{Fault, Faults};
use promo_core::time::Instant;
use serde::Serialize;
use serde_json::{Value, json};
use worker::{Date, Headers, Method, Request, Response};

/// The largest body that is read, in bytes.
const MOST_BYTES: usize = 256 * 1024;
/// How deep JSON may nest: more is nobody's tab, and parsers recurse.
const MOST_DEEP: usize = 64;

/// The present, as the edge knows it. The runtime holds its clock still between I/O.
pub fn now() -> Instant {
    Instant::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// One request while it is answered: what is asked, and what will be logged.
pub struct Call {
    /// `X-Request-Id`, the caller's if it is sane.
    pub id: String,
    /// A name of this very request that no other has, whatever the caller calls it.
    pub attempt: String,
    /// When the event reached the edge.
    pub received: Instant,
    /// The method.
    pub method: Method,
    /// The path's segments, decoded.
    pub segments: Vec<String>,
    request: RefCell<Request>,
    /// Where the time went, and what was decided.
    pub trace: Trace,
    /// What is to be done once the answer has gone out.
    pub later: RefCell<Vec<CleanUp>>,
}

/// Notes taken on the way, for `Server-Timing` and for the log line.
#[derive(Default)]
pub struct Trace {
    kv: RefCell<i64>,
    ledger: RefCell<i64>,
    notes: RefCell<serde_json::Map<String, Value>>,
}

impl Trace {
    /// Notes something for the log line. Never a secret, never a customer's phone or e-mail.
    pub fn note(&self, key: &str, value: impl Into<Value>) {
        self.notes.borrow_mut().insert(key.to_owned(), value.into());
    }

    /// Notes how an INQUIRE ended.
    pub fn note_inquired(&self, inquired: &Inquired) {
        match inquired {
            Inquired::Offers(quotes) => {
                self.note("outcome", "offered");
                self.note("campaign", quotes.first().map(|quote| quote.campaign.as_str()));
            }
            Inquired::Refused { campaign, reason, detail } => {
                self.note("outcome", "refused");
                self.note("campaign", campaign.as_ref().map(|campaign| campaign.id().as_str()));
                self.note("reason", reason.as_str());
                self.note("detail", detail.as_str());
            }
        }
    }

    /// Notes how a REDEEM ended.
    pub fn note_redeemed(&self, redeemed: &Redeemed) {
        let applied: Vec<Value> =
            redeemed.applied.iter().map(|quote| quote.offer_id.to_string().into()).collect();
        self.note("outcome", if applied.is_empty() { "rejected" } else { "applied" });
        self.note("applied", applied);
        let rejected = redeemed.rejected.iter().map(|rejection| {
            json!({"offer_id": rejection.offer_id, "reason": rejection.reason.as_str(),
                "detail": rejection.detail})
        });
        self.note("rejected", rejected.collect::<Vec<_>>());
    }

    /// Notes how a reversal ended.
    pub fn note_reversed(&self, reversed: &Reversed) {
        let given_back: Vec<Value> =
            reversed.reversed.iter().map(|offer| offer.to_string().into()).collect();
        self.note("outcome", "reversed");
        self.note("reversed", given_back);
    }

    /// Counts the time since `start` as spent on KV.
    pub fn kv_since(&self, start: Instant) {
        add(&self.kv, start);
    }

    /// Counts the time since `start` as spent on ledgers and tabs.
    pub fn ledger_since(&self, start: Instant) {
        add(&self.ledger, start);
    }
}

fn add(part: &RefCell<i64>, start: Instant) {
    let spent = now().millis().saturating_sub(start.millis());
    let total = part.borrow().saturating_add(spent);
    part.replace(total);
}

impl Call {
    /// Takes a request in.
    pub fn new(request: Request) -> Self {
        let id = request.headers().get("x-request-id").ok().flatten();
        let path = request.path();
        let attempt = fresh_id();
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
        };
        Self {
            id: id.filter(|id| is_sane(id)).unwrap_or_else(|| attempt.clone()),
            attempt,
            received: now(),
            method: request.method(),
            segments: path.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            request: RefCell::new(request),
            trace: Trace::default(),
            later: RefCell::default(),
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.borrow().headers().get(name).ok().flatten()
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = self.request.borrow().url().ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body, which says it is JSON and has a bearable size and depth. That it is JSON is for
    /// whoever parses it to find out.
    ///
    /// # Errors
    /// 415 for another media type, 413 when it is too large, 400 when it cannot be read or nests too
    /// deep.
    pub async fn json_body(&self) -> Result<Vec<u8>, Problem> {
        let media = self.header("content-type").unwrap_or_default();
        let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(Problem::new(415, "send the body as Content-Type: application/json"));
        }
        let body = self.body().await?;
        if nests_too_deep(&body) {
            let detail = format!("JSON may nest at most {MOST_DEEP} deep");
            return Err(Problem::new(400, &detail));
        }
        Ok(body)
    }

    async fn body(&self) -> Result<Vec<u8>, Problem> {
        let announced = self.header("content-length").and_then(|length| length.parse().ok());
        if announced.is_some_and(|length: usize| length > MOST_BYTES) {
            return Err(too_large());
        }
        // A cell's borrow must not be held across an await, so the stream is taken out first.
        let stream = self.request.borrow_mut().stream();
        let Ok(mut stream) = stream else {
            return Ok(Vec::new());
        };
        let mut body = Vec::new();
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            let chunk = chunk.map_err(|_| Problem::new(400, "the body could not be read whole"))?;
            if body.len().saturating_add(chunk.len()) > MOST_BYTES {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The reply as it goes out, and the request's one line in the log.
    pub fn finish(&self, result: Result<Reply, Problem>) -> worker::Result<Response> {
        let reply = result.unwrap_or_else(|problem| {
            self.trace.note("problem", problem.log.as_deref().unwrap_or(&problem.detail));
            problem.into_reply()
        });
        let (kv, ledger) = (*self.trace.kv.borrow(), *self.trace.ledger.borrow());
        let total = now().millis().saturating_sub(self.received.millis());
        let decide = total.saturating_sub(kv).saturating_sub(ledger).max(0);
        let mut line = self.trace.notes.borrow().clone();
        line.insert("id".into(), self.id.as_str().into());
        line.insert("method".into(), self.method.to_string().into());
        line.insert("path".into(), format!("/{}", self.segments.join("/")).into());
        line.insert("status".into(), reply.status.into());
        line.insert("ms".into(), json!({"kv": kv, "ledger": ledger, "decide": decide}));
        worker::console_log!("{}", Value::Object(line));

        let headers = Headers::new();
        headers.set("content-type", reply.content_type)?;
        headers.set("cache-control", "no-store")?;
        headers.set("x-content-type-options", "nosniff")?;
        headers.set("x-request-id", &self.id)?;
        let timing = format!("kv;dur={kv}, ledger;dur={ledger}, decide;dur={decide}");
        headers.set("server-timing", &timing)?;
        for (name, value) in &reply.headers {
            headers.set(name, value)?;
        }
        Ok(Response::from_bytes(reply.body)?.with_status(reply.status).with_headers(headers))
    }
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

/// 96 random bits; when the runtime has none to give, the time will do.
fn fresh_id() -> String {
    let mut random = [0_u8; 12];
    match getrandom::fill(&mut random) {
        Ok(()) => random.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => format!("t{}", now().millis()),
    }
}

fn too_large() -> Problem {
    Problem::new(413, "a body has at most 256 KiB")
}

/// Whether brackets outside texts nest deeper than is read. Looks only at brackets and quotes, so it
/// is right for every JSON and harmless for anything else.
fn nests_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth = depth.saturating_add(1);
                if depth > MOST_DEEP {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// What goes back to the caller.
pub struct Reply {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// A JSON reply.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        // Serialising our own types to memory does not fail; an empty body would show if it did.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::raw(status, "application/json", body)
    }

    /// A reply whose body is ready.
    pub const fn raw(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, headers: Vec::new() }
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
    /// The detail once more under these keys, for a POS that looks there.
    mirrors: &'static [&'static str],
    /// What staff and logs see, where the caller must not.
    log: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A refusal with a sentence that says what to put right.
    pub fn new(status: u16, detail: &str) -> Self {
        Self {
            status,
            detail: detail.to_owned(),
            errors: Vec::new(),
            mirrors: &[],
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
        Self { log: Some(what.to_owned()), ..Self::new(status, detail) }
    }

    /// With a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With the detail under these keys as well.
    pub const fn mirrored(mut self, keys: &'static [&'static str]) -> Self {
        self.mirrors = keys;
        self
    }

    fn into_reply(self) -> Reply {
        let mut body = serde_json::Map::new();
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), title(self.status).into());
        body.insert("status".to_owned(), self.status.into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        for key in self.mirrors {
            body.insert((*key).to_owned(), self.detail.as_str().into());
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

impl From<worker::KvError> for Problem {
    fn from(error: worker::KvError) -> Self {
        Self::ours(500, &format!("KV: {error}"))
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
