//! A wallet app on 127.0.0.1, as well or as badly as a test wants it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{Reply, Service, must, secrets};

/// The token we show the wallet.
pub const TOKEN: &str = "test-wallet-token";

/// How the wallet behaves.
#[derive(Clone, Debug)]
pub enum Mood {
    /// It answers with this status and an empty JSON object.
    Answers(u16),
    /// It answers 200 with this body.
    Says(&'static str),
    /// It writes this instead of HTTP.
    Rubbish(&'static str),
    /// It ends the connection without a word.
    HangsUp,
    /// It takes the request and never answers.
    Silent,
    /// It takes the request and answers once its mood is another one, as that is.
    Held,
}

/// A request that came to the wallet.
#[derive(Clone, Debug)]
pub struct Call {
    /// As in `PUT /cards/1`.
    pub what: String,
    /// `Authorization`.
    pub authorization: String,
    /// The body, if it is JSON.
    pub body: Value,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    mood: Option<Mood>,
    /// For this path only.
    moods: BTreeMap<String, Mood>,
}

/// A wallet app; it stops listening with this value.
pub struct Wallet {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Wallet {
    /// One that confirms everything.
    pub fn start() -> Self {
        let listener = must("a port for the wallet", TcpListener::bind(("127.0.0.1", 0)));
        let port = must("the wallet's port", listener.local_addr()).port();
        let wallet = Self { port, seen: Arc::default() };
        wallet.serve(listener);
        wallet
    }

    /// One that is down: nothing listens, until [`Wallet::comes_up`].
    pub fn down() -> Self {
        let listener = must("a port for the wallet", TcpListener::bind(("127.0.0.1", 0)));
        let port = must("the wallet's port", listener.local_addr()).port();
        Self { port, seen: Arc::default() }
    }

    /// Begins to listen.
    pub fn comes_up(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port));
        self.serve(must("the wallet's port is taken", listener));
    }

    /// Its address, as in `WALLET_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes how it behaves.
    pub fn is(&self, mood: Mood) {
        self.seen().mood = Some(mood);
    }

    /// Changes how it behaves towards one card.
    pub fn is_to(&self, card: &str, mood: Mood) {
        self.seen().moods.insert(format!("/cards/{card}"), mood);
    }

    /// What has come so far.
    pub fn calls(&self) -> Vec<Call> {
        self.seen().calls.clone()
    }

    /// The number a card was told last, once it was told one. Fails the test if it is not.
    #[track_caller]
    pub fn number_of(&self, card: &str) -> String {
        let what = format!("PUT /cards/{card}");
        let calls = self.wait_for(&what, |calls| calls.iter().any(|call| call.what == what));
        let told = calls.iter().rfind(|call| call.what == what);
        let told = told.and_then(|call| call.body["barcode"]["value"].as_str());
        told.unwrap_or_default().to_owned()
    }

    /// What has come, once it is as a test expects. Fails the test if it does not become so.
    #[track_caller]
    pub fn wait_for(&self, what: &str, ready: impl Fn(&[Call]) -> bool) -> Vec<Call> {
        for _ in 0..1500 {
            let calls = self.calls();
            if ready(&calls) {
                return calls;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the wallet did not see {what}; it saw {:?}", self.calls());
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, listener: TcpListener) {
        let seen = Arc::downgrade(&self.seen);
        let accepting = listener;
        thread::spawn(move || {
            for stream in accepting.incoming().map_while(Result::ok) {
                let Some(seen) = seen.upgrade() else { return };
                thread::spawn(move || {
                    // A caller that goes away in the middle is the caller's affair.
                    let _ = answer(&stream, &seen);
                });
            }
        });
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.seen = Arc::default();
        // Wakes the one who accepts, who then sees that nobody wants it any more.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(mut stream: &TcpStream, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or_default(),
                "authorization" => value.trim().clone_into(&mut authorization),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = first.split(' ');
        let (method, path) =
            (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        let mood_now = || {
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let mood = seen.moods.get(&path).or(seen.mood.as_ref());
            mood.cloned().unwrap_or(Mood::Answers(200))
        };
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.calls.push(Call {
                what: format!("{method} {path}"),
                authorization,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            });
        }
        while matches!(mood_now(), Mood::Held) {
            thread::sleep(Duration::from_millis(10));
        }
        match mood_now() {
            Mood::Answers(status) => write_reply(stream, status, "{}")?,
            Mood::Says(body) => write_reply(stream, 200, body)?,
            Mood::Rubbish(text) => return stream.write_all(text.as_bytes()),
            Mood::HangsUp | Mood::Held => return Ok(()),
            Mood::Silent => {
                thread::sleep(Duration::from_secs(60));
                return Ok(());
            }
        }
    }
}

fn write_reply(mut stream: &TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// A service that calls this wallet.
#[track_caller]
pub fn service_with(wallet: &Wallet) -> Service {
    Service::with().var("WALLET_URL", &wallet.url()).var("WALLET_TOKEN", TOKEN).start()
}

/// Publishes the campaign `{code}-offers` (10% off, had only through numbers) and an instrument type
/// that grants it.
#[track_caller]
pub fn publish_type(service: &Service, code: &str, kind: &str, more: &Value) {
    let id = format!("offers-{code}");
    let mut campaign = crate::campaign::ten_percent(&id, "UNUSED");
    campaign["codes"] = json!({ "none": true });
    crate::campaign::publish(service, &campaign);
    let mut document = json!({
        "name": format!("Type {code}"), "kind": kind, "symbology": "CODE_128", "campaign": id,
    });
    if let (Some(document), Some(more)) = (document.as_object_mut(), more.as_object()) {
        document.extend(more.clone());
    }
    let reply = service.put(&format!("/admin/instruments/{code}")).admin().json(&document);
    assert_eq!(reply.status, 200, "{reply}");
}

/// Uploads numbers.
#[track_caller]
pub fn upload(service: &Service, code: &str, numbers: &[String]) -> Reply {
    let path = format!("/admin/instruments/{code}/numbers");
    let request = service.post(&path).admin().header("Content-Type", "text/csv");
    request.body(numbers.join("\n").as_bytes())
}

/// Numbers of a type, from this one on.
pub fn numbers(code: &str, from: usize, count: usize) -> Vec<String> {
    (from..).take(count).map(|n| format!("N{code}X{n:07}")).collect()
}

/// The wallet app tells us that a guest asked for a card.
#[track_caller]
pub fn notify(service: &Service, code: &str, card: &str, email: &str) -> Reply {
    let body = json!({
        "event": "created", "card_id": card, "type": code, "user": { "email": email },
    });
    service.post("/wallet/notify").auth(secrets::WALLET_AUTH).json(&body)
}

/// How many numbers of a type are in a state.
#[track_caller]
pub fn count(service: &Service, code: &str, state: &str) -> u64 {
    let reply = service.get(&format!("/admin/instruments/{code}")).admin().send();
    assert_eq!(reply.status, 200, "{reply}");
    let reply = reply.json();
    reply["counts"][state].as_u64().unwrap_or(u64::MAX)
}

/// Waits until so many numbers of a type are in a state. Fails the test if they never are.
#[track_caller]
pub fn wait_for_count(service: &Service, code: &str, state: &str, wanted: u64) {
    let mut found = count(service, code, state);
    for _ in 0..600 {
        if found == wanted {
            return;
        }
        thread::sleep(Duration::from_millis(100));
        found = count(service, code, state);
    }
    panic!("{found} are {state}, not {wanted}");
}
