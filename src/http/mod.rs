//! What every request and every reply has in common: bounds on what is read, problem documents,
//! and the headers that are always there.

pub mod clock;
pub mod log;
mod region;
mod reply;
mod trace;

use std::cell::{Cell, RefCell};

pub use clock::now;
use promo_core::checkout::CleanUp;
use promo_core::time::Instant;
pub use reply::{Problem, Reply};
use serde_json::json;
pub use trace::Trace;
use worker::{Headers, Method, Request, Response};

/// The largest body that is read, in bytes.
const MOST_BYTES: usize = 256 * 1024;
/// How deep JSON may nest: more is nobody's tab, and parsers recurse.
const MOST_DEEP: usize = 64;

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
    /// The pattern of the route that answers. It is what the log shows of the path, since identifiers
    /// of persons stand in paths.
    pub route: Cell<&'static str>,
    request: RefCell<Request>,
    /// Where in the world it came from, as Cloudflare names places for objects; empty: unknown.
    pub region: &'static str,
    /// Where the time went, and what was decided.
    pub trace: Trace,
    /// What is to be done once the answer has gone out.
    pub later: RefCell<Vec<CleanUp>>,
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
            route: Cell::new("unknown"),
            region: region::of(&request),
            request: RefCell::new(request),
            trace: Trace::default(),
            later: RefCell::default(),
        }
    }

    /// To which host the request came.
    pub fn host(&self) -> String {
        let url = self.request.borrow().url().ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
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

    /// The names of the query's parameters.
    pub fn query_names(&self) -> Vec<String> {
        let url = self.request.borrow().url().ok();
        url.iter().flat_map(|url| url.query_pairs()).map(|(name, _)| name.into_owned()).collect()
    }

    /// The body, which says it is JSON and has a bearable size and depth. That it is JSON is for
    /// whoever parses it to find out.
    ///
    /// # Errors
    /// 415 for another media type, 413 when it is too large, 400 when it cannot be read, is not UTF-8 or
    /// nests too deep.
    pub async fn json_body(&self) -> Result<Vec<u8>, Problem> {
        let essence = self.media_type();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(Problem::new(415, "send the body as Content-Type: application/json"));
        }
        let body = self.body().await?;
        if let Err(error) = std::str::from_utf8(&body) {
            let at = error.valid_up_to();
            let detail = format!("the body is not JSON: it is not UTF-8 after {at} bytes");
            return Err(Problem::new(400, &detail));
        }
        if nests_too_deep(&body) {
            let detail = format!("JSON may nest at most {MOST_DEEP} deep");
            return Err(Problem::new(400, &detail));
        }
        Ok(body)
    }

    /// The media type of the body, without its parameters.
    pub fn media_type(&self) -> String {
        let media = self.header("content-type").unwrap_or_default();
        media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body, of a bearable size.
    ///
    /// # Errors
    /// 413 when it is too large, 400 when it cannot be read.
    pub async fn body(&self) -> Result<Vec<u8>, Problem> {
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
            self.trace.note("problem", problem.for_the_log());
            problem.into_reply()
        });
        let total = now().millis().saturating_sub(self.received.millis());
        let spent = self.trace.spent(total);
        let mut line = self.trace.notes();
        // A caller's id that could be somebody's telephone number is not logged.
        let sound = log::clean_text(&self.id) == self.id;
        let id = if sound { &self.id } else { &self.attempt };
        line.insert("id".into(), id.as_str().into());
        line.insert("method".into(), self.method.to_string().into());
        line.insert("path".into(), self.route.get().into());
        line.insert("status".into(), reply.status.into());
        line.insert("ms".into(), json!(spent));
        log::info(line);

        let headers = Headers::new();
        headers.set("content-type", &reply.content_type)?;
        headers.set("cache-control", "no-store")?;
        headers.set("x-content-type-options", "nosniff")?;
        headers.set("x-request-id", &self.id)?;
        headers.set("server-timing", &spent.server_timing())?;
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
pub fn fresh_id() -> String {
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
