//! One running service: its process, its port, its state.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{self, Child, Stdio},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use ureq::Agent;
use xtask::{paths, runtime::Launch};

use crate::{
    http::{Exchange, agent},
    must,
};

/// How long a start may take on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// The secrets every service is started with, unless a test says otherwise.
pub mod secrets {
    /// `Authorization` of the Promo API.
    pub const GOTAB_PROMO_AUTH: &str = "test-gotab-promo-4f1b9c27";
    /// `Authorization` of the Loyalty API.
    pub const GOTAB_LOYALTY_AUTH: &str = "test-gotab-loyalty-a83d05e6";
    /// `Authorization` of the neutral API.
    pub const API_AUTH: &str = "test-api-7c2e91d4b60f";
    /// `Authorization` of the wallet's notifications.
    pub const WALLET_AUTH: &str = "test-wallet-19d8e3a05c7b";
    /// The operator's bearer token.
    pub const ADMIN_TOKEN: &str = "test-admin-d52b7f0e8c41";
    /// Key of the pseudonyms that stand for customers.
    pub const PII_PEPPER: &str = "test-pepper-5d0c6a3f9b1e4a7c8f2b6d3e";
    /// Keys of generated codes.
    pub const CODE_KEYS: &str = "test-keys-8b2f4c6d1a3e5f7089abcdef01234567";

    pub(super) const ALL: [(&str, &str); 7] = [
        ("GOTAB_PROMO_AUTH", GOTAB_PROMO_AUTH),
        ("GOTAB_LOYALTY_AUTH", GOTAB_LOYALTY_AUTH),
        ("API_AUTH", API_AUTH),
        ("WALLET_AUTH", WALLET_AUTH),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
        ("PII_PEPPER", PII_PEPPER),
        ("CODE_KEYS", CODE_KEYS),
    ];
}

/// How a service is started; by default without sample campaigns and with the [`secrets`].
#[derive(Clone, Debug)]
pub struct Options {
    samples: bool,
    vars: BTreeMap<String, String>,
}

impl Options {
    /// Sets a secret or setting.
    #[must_use]
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a secret or setting out: it is empty, which counts as missing.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        self.var(name, "")
    }

    /// Publishes the campaigns of `examples/` first.
    #[must_use]
    pub fn samples(mut self) -> Self {
        self.samples = true;
        self
    }

    /// Starts the service.
    #[track_caller]
    pub fn start(self) -> Service {
        let mut service = Service {
            port: 0,
            state: fresh_state(),
            options: self,
            agent: agent(),
            child: None,
            log: Arc::default(),
        };
        service.start_on_any_port();
        service
    }
}

/// An address to ask, whether anybody answers there or not.
#[derive(Clone, Debug)]
pub struct Line {
    url: String,
}

impl Line {
    /// A POST in the making, on a connection of its own.
    pub fn post(&self, path: &str) -> Exchange {
        Exchange::new(&agent(), "POST", &format!("{}{path}", self.url))
    }

    /// A PUT in the making, on a connection of its own.
    pub fn put(&self, path: &str) -> Exchange {
        Exchange::new(&agent(), "PUT", &format!("{}{path}", self.url))
    }
}

/// A service on 127.0.0.1 that dies with this value.
pub struct Service {
    port: u16,
    state: PathBuf,
    options: Options,
    agent: Agent,
    child: Option<Child>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts one with the default [`Options`] and an empty state.
    #[track_caller]
    pub fn start() -> Self {
        Self::with().start()
    }

    /// One service for all tests of a process that neither kill it nor mind the others' data. It ends with
    /// the process.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Service> = LazyLock::new(Service::start);
        &SHARED
    }

    /// The default [`Options`], to be changed and started.
    #[must_use]
    pub fn with() -> Options {
        let vars = secrets::ALL.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Options { samples: false, vars: BTreeMap::from(vars) }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A request in the making.
    pub fn request(&self, method: &str, path: &str) -> Exchange {
        Exchange::new(&self.agent, method, &format!("{}{path}", self.url()))
    }

    /// A GET in the making.
    pub fn get(&self, path: &str) -> Exchange {
        self.request("GET", path)
    }

    /// A POST in the making.
    pub fn post(&self, path: &str) -> Exchange {
        self.request("POST", path)
    }

    /// A PUT in the making.
    pub fn put(&self, path: &str) -> Exchange {
        self.request("PUT", path)
    }

    /// A DELETE in the making.
    pub fn delete(&self, path: &str) -> Exchange {
        self.request("DELETE", path)
    }

    /// A way to ask that outlives kills: for a client that goes on while the service is killed under it.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { url: self.url() }
    }

    /// What the service has printed so far, a line each, across restarts.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The log once it says this; it may come a moment after the reply. Fails the test if it does not.
    #[track_caller]
    pub fn log_saying(&self, text: &str) -> String {
        for _ in 0..500 {
            let log = self.log().join("\n");
            if log.contains(text) {
                return log;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the log does not say {text}");
    }

    /// The state directory.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Ends the runtime with SIGKILL, in the middle of whatever it does. The state stays.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // Gone already is as good.
        let _ = child.kill();
        let _ = child.wait();
        // The kernel ends workerd when Node has died (xtask/node/workerd.sh): a moment later.
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Its connections are dead.
        self.agent = agent();
    }

    /// Starts again, killed first if need be, on the same state and port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        if let Err(said) = self.launch() {
            panic!("the service did not start again: {said}");
        }
    }

    /// As [`Service::restart`], with other options.
    #[track_caller]
    pub fn restart_with(&mut self, change: impl FnOnce(Options) -> Options) {
        self.options = change(self.options.clone());
        self.restart();
    }

    /// Writes an entry of KV as an operator does by hand, past the service, which is restarted for it.
    #[track_caller]
    pub fn put_by_hand(&mut self, entries: &[(&str, &str)]) {
        self.kill();
        for (key, value) in entries {
            self.kv(&["--put", key], value);
        }
        self.restart();
    }

    /// An entry of KV, for which the service is restarted.
    #[track_caller]
    pub fn in_kv(&mut self, key: &str) -> Option<String> {
        self.kill();
        let value = self.kv(&["--get", key], "");
        self.restart();
        (!value.is_empty()).then_some(value)
    }

    /// Runs xtask/node/kv.mjs on the state; returns what it prints.
    #[track_caller]
    fn kv(&self, arguments: &[&str], input: &str) -> String {
        let mut command = must("no Node", xtask::node::command(paths::node_script("kv.mjs")));
        command.arg("--state").arg(&self.state).args(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = must("kv.mjs does not start", child);
        if let Some(mut stdin) = child.stdin.take() {
            must("kv.mjs does not read", stdin.write_all(input.as_bytes()));
        }
        let output = must("kv.mjs does not end", child.wait_with_output());
        assert!(output.status.success(), "kv.mjs {arguments:?} failed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[track_caller]
    fn start_on_any_port(&mut self) {
        // Another process may take a port between our look and workerd's.
        for _ in 0..5 {
            self.port = free_port();
            match self.launch() {
                Ok(()) => return,
                Err(said) if said.contains("is in use") => {}
                Err(said) => panic!("the service did not start: {said}"),
            }
        }
        panic!("no free port");
    }

    /// Starts the process and waits until it is ready; what it said, if it ends instead.
    fn launch(&mut self) -> Result<(), String> {
        let launch = Launch {
            port: self.port,
            state: self.state.clone(),
            samples: self.options.samples,
            dev_vars: false,
            tied_to_stdin: true,
        };
        let mut command = launch.command().map_err(|error| error.to_string())?;
        let mut child = command
            .envs(&self.options.vars)
            // Held by us and never written to: it ends when we do.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (ready, readiness) = channel();
        if let Some(out) = child.stdout.take() {
            self.listen(out, Some(ready));
        }
        if let Some(err) = child.stderr.take() {
            self.listen(err, None);
        }
        self.child = Some(child);
        // An error means that standard output ended, or nothing came: not ready either way.
        match readiness.recv_timeout(PATIENCE) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.kill();
                Err(self.log().join("\n"))
            }
        }
    }

    /// Takes down what the process prints, and passes on that it is ready.
    fn listen(&self, stream: impl Read + Send + 'static, ready: Option<Sender<()>>) {
        let log = Arc::clone(&self.log);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(ready) = &ready
                    && line.starts_with("ready http://")
                {
                    // Nobody waits for it twice.
                    let _ = ready.send(());
                }
                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- the service said (state kept in {}):", self.state.display());
            for line in self.log() {
                eprintln!("{line}");
            }
        } else {
            // What is left behind is in the target directory.
            let _ = fs::remove_dir_all(&self.state);
        }
    }
}

/// A state directory that no other service has, in this process or another.
fn fresh_state() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = paths::test_state().join(format!("{}-{count}", process::id()));
    // An earlier process may have had our number.
    let _ = fs::remove_dir_all(&dir);
    must("cannot make a state directory", fs::create_dir_all(&dir));
    dir
}

/// A port that nothing listens on. Below the ports the system gives to clients, so that none of those takes
/// it while a killed service is to be restarted.
fn free_port() -> u16 {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    // Test processes that run at once begin at different places.
    let begin = process::id().wrapping_mul(101) % 12_000;
    (20_000..32_000)
        .cycle()
        .skip(usize::try_from(begin).unwrap_or_default())
        .skip(GIVEN.fetch_add(1, Ordering::Relaxed))
        .take(12_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap_or_default()
}
