//! The wallet app as we call it: `PUT {WALLET_URL}/cards/{card_id}` and `GET {WALLET_URL}/health`.

use std::time::Duration;

use futures_util::future::{Either, select};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use promo_core::issuance::call::Heard;
use promo_core::issuance::pool::Request as Asked;
use serde_json::{Value, json};
use worker::{
    AbortController, Delay, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
    Response, Socket,
};

use crate::settings;

/// How long the wallet has for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes.
const MOST_READ: usize = 64 * 1024;
/// All but what RFC 3986 calls unreserved, so that a card's name is one segment of a path whatever it says.
const IN_A_SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The wallet, as the deployment's settings describe it.
pub struct Wallet {
    url: Option<String>,
    token: Option<String>,
}

/// What came of a call that is only to see whether it works.
pub enum Health {
    /// It works.
    Well,
    /// An answer, but with this status.
    Status(u16),
    /// An answer, but not JSON, `ok` or nothing: it is something else that listens there.
    NotTheProtocol,
    /// No answer.
    Silent(Heard),
}

impl Wallet {
    /// Reads `WALLET_URL` and `WALLET_TOKEN`.
    pub fn of(env: &Env) -> Self {
        let url = settings::text(env, "WALLET_URL");
        Self {
            url: url.map(|url| url.trim().trim_end_matches('/').to_owned()),
            token: settings::text(env, "WALLET_TOKEN"),
        }
    }

    /// Whether the deployment says whom to call.
    pub const fn has_address(&self) -> bool {
        self.url.is_some()
    }

    /// Whether the deployment says what to show them.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Tells the wallet which number a card has now.
    pub async fn activate(&self, asked: &Asked) -> Heard {
        let (Some(url), Some(bound)) = (&self.url, &asked.bound) else { return Heard::NoAddress };
        let card = utf8_percent_encode(asked.ask.card.as_str(), IN_A_SEGMENT);
        let body = json!({
            "barcode": { "value": bound.number.as_str(), "symbology": asked.ask.symbology },
            "state": "active",
        });
        match self.call(Method::Put, format!("{url}/cards/{card}"), Some(&body), false).await {
            Ok((status, _)) => Heard::Status(status),
            Err(heard) => heard,
        }
    }

    /// Asks the wallet whether it is well.
    pub async fn health(&self) -> Health {
        let Some(url) = &self.url else { return Health::Silent(Heard::NoAddress) };
        match self.call(Method::Get, format!("{url}/health"), None, true).await {
            Err(heard) => Health::Silent(heard),
            Ok((200..=299, body)) => {
                let empty = body.trim_ascii().is_empty();
                let ok = body.trim_ascii().eq_ignore_ascii_case(b"ok");
                let json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
                if empty || ok || json { Health::Well } else { Health::NotTheProtocol }
            }
            Ok((status, _)) => Health::Status(status),
        }
    }

    /// Whether anything accepts a connection at the wallet's address, and whether the address asks for
    /// TLS: of a failed request the runtime says only that it failed.
    pub async fn listens(&self) -> (bool, bool) {
        let url = self.url.as_deref().and_then(|url| worker::Url::parse(url).ok());
        let Some(url) = url else { return (false, false) };
        let tls = url.scheme() == "https";
        let opened = async {
            let port = url.port_or_known_default().unwrap_or_default();
            let host = url.host_str().unwrap_or_default();
            let mut socket = Socket::builder().connect(host, port)?;
            socket.opened().await?;
            socket.close().await
        };
        let opened = select(Box::pin(opened), Delay::from(PATIENCE)).await;
        (matches!(opened, Either::Left((Ok(()), _))), tls)
    }

    async fn call(
        &self,
        method: Method,
        url: String,
        body: Option<&Value>,
        read: bool,
    ) -> Result<(u16, Vec<u8>), Heard> {
        let controller = AbortController::default();
        let signal = controller.signal();
        let exchange = Box::pin(async {
            let request = self.request(method, &url, body)?;
            let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
            let body = if read { first_bytes(&mut response).await? } else { Vec::new() };
            Ok::<_, worker::Error>((response.status_code(), body))
        });
        match select(exchange, Delay::from(PATIENCE)).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(error), _)) => Err(Heard::Unreachable(plain(&error))),
            Either::Right(_) => {
                controller.abort();
                Err(Heard::TimedOut)
            }
        }
    }

    fn request(&self, method: Method, url: &str, body: Option<&Value>) -> worker::Result<Request> {
        let headers = Headers::new();
        if let Some(token) = &self.token {
            headers.set("authorization", &format!("Bearer {token}"))?;
        }
        headers.set("accept", "application/json")?;
        let mut init = RequestInit::new();
        if let Some(body) = body {
            headers.set("content-type", "application/json")?;
            init.with_body(Some(body.to_string().into()));
        }
        init.with_method(method).with_headers(headers).with_redirect(RequestRedirect::Manual);
        Request::new_with_init(url, &init)
    }
}

async fn first_bytes(response: &mut Response) -> worker::Result<Vec<u8>> {
    let mut stream = response.stream()?;
    let mut body = Vec::new();
    while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
        body.extend_from_slice(&chunk?);
        if body.len() > MOST_READ {
            break;
        }
    }
    Ok(body)
}

/// What the runtime says, in one line.
fn plain(error: &worker::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(200).collect()
}
