//! What the deployment says: its secrets and its defaults, read from the Worker's bindings.
//!
//! A deployment's settings do not change while an isolate lives, so each is read and parsed once an
//! isolate.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use promo_core::code::keys::Keys;
use promo_core::guard::Limits;
use promo_core::location::AmountUnit;
use promo_core::money::Currency;
use promo_core::secret::{SECRETS, weakness};
use promo_core::time::Zone;
use serde_json::json;
use sha2::{Digest, Sha256};
use worker::Env;

use crate::http::{Call, Problem, log};

/// What a guest reads when a code is refused, whatever the reason.
const REFUSED: &str = "This code is not valid.";
/// The shortest text that is kept out of the log as a secret: shorter ones stand in ordinary words.
const SHORTEST_HIDDEN: usize = 8;

/// What came of parsing a setting; the text says which one cannot be read, and why.
type Parsed<T> = OnceCell<Result<T, String>>;

thread_local! {
    /// By the name of a binding, its text.
    static TEXTS: RefCell<HashMap<String, Option<String>>> = RefCell::default();
    /// By the name of a secret, the digests of its values.
    static VALID: RefCell<HashMap<&'static str, Vec<Vec<u8>>>> = RefCell::default();
    static CODE_KEYS: Parsed<Keys> = const { OnceCell::new() };
    static LIMITS: Parsed<Limits> = const { OnceCell::new() };
    static DEFAULTS: Parsed<Defaults> = const { OnceCell::new() };
    /// What the log must not say. It is there once the secrets were looked at.
    static HIDDEN: OnceCell<Vec<String>> = const { OnceCell::new() };
}

/// Looks at the secrets, once an isolate: the log says of each that is too weak which one it is, and never
/// what.
pub fn look_at_secrets(env: &Env) {
    if HIDDEN.with(|hidden| hidden.get().is_some()) {
        return;
    }
    let mut values = Vec::new();
    let all = SECRETS.map(|(name, _)| name).into_iter().chain(["WALLET_TOKEN"]);
    for value in all.filter_map(|name| text(env, name)) {
        values.extend(value.split(',').map(|part| part.trim().to_owned()));
        values.push(value);
    }
    values.retain(|value| value.len() >= SHORTEST_HIDDEN);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    HIDDEN.with(|hidden| hidden.set(values)).unwrap_or_default();
    for (name, form) in SECRETS {
        if let Some(weak) = text(env, name).and_then(|value| weakness(&value, form)) {
            log::warn(json!({"secret": name, "problem": format!("the secret {name} {weak}")}));
        }
    }
}

/// The text without any secret of the deployment's.
pub fn without_secrets(text: &str) -> String {
    let hide = |text: String, secret: &String| match text.contains(secret.as_str()) {
        true => text.replace(secret.as_str(), "[secret]"),
        false => text,
    };
    HIDDEN.with(|hidden| hidden.get().into_iter().flatten().fold(text.to_owned(), hide))
}

/// A binding's text; an empty one counts as missing.
pub fn text(env: &Env, name: &str) -> Option<String> {
    if let Some(known) = TEXTS.with_borrow(|texts| texts.get(name).cloned()) {
        return known;
    }
    let value = env.var(name).ok().map(|value| value.to_string());
    let value = value.filter(|value| !value.trim().is_empty());
    TEXTS.with_borrow_mut(|texts| texts.insert(name.to_owned(), value.clone()));
    value
}

/// Whoever made a request, by the secret that let it in; where none is needed, nobody.
#[derive(Default)]
pub struct Caller(String);

impl Caller {
    /// What tells callers apart; not to be kept or logged as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses a request whose header does not carry a route's secret.
///
/// Two secrets may be valid at once, separated by a comma, while one is being rotated. A secret that
/// is missing closes its route; it never opens it.
///
/// # Errors
/// 503 when the deployment has no such secret, 401 when the header is not one of its values.
pub fn authorize(
    call: &Call,
    env: &Env,
    secret: &'static str,
    scheme: &str,
) -> Result<Caller, Problem> {
    let known = VALID.with_borrow(|valid| valid.contains_key(secret));
    if !known {
        let Some(valid) = text(env, secret) else {
            let what = format!("the secret {secret} is not set, so this route is closed");
            return Err(Problem::ours(503, &what));
        };
        VALID.with_borrow_mut(|all| all.insert(secret, digests(&valid)));
    }
    let given = call.header("authorization").unwrap_or_default();
    let opens = |given: &str| {
        VALID.with_borrow(|valid| valid.get(secret).is_some_and(|valid| is_valid(given, valid)))
    };
    if let Some(given) = given.strip_prefix(scheme).filter(|given| opens(given)) {
        return Ok(Caller(given.trim().to_owned()));
    }
    let challenge = if scheme.is_empty() { "Secret" } else { scheme.trim() };
    Err(Problem::new(401, "the Authorization header does not carry this route's secret")
        .with_header("www-authenticate", challenge))
}

/// Whether a text is one of the secrets of a list with commas between them.
pub fn is_one_of(given: &str, valid: &str) -> bool {
    is_valid(given, &digests(valid))
}

fn digests(valid: &str) -> Vec<Vec<u8>> {
    let secrets = valid.split(',').map(str::trim).filter(|secret| !secret.is_empty());
    secrets.map(|secret| Sha256::digest(secret).to_vec()).collect()
}

fn is_valid(given: &str, valid: &[Vec<u8>]) -> bool {
    let given = Sha256::digest(given.trim());
    valid.iter().fold(false, |found, secret| found | same(&given, secret))
}

/// Compares digests in a time that does not depend on where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// What was parsed before, or is now. A setting that cannot be read closes what needs it: better closed
/// than wrong.
fn parsed<T: Clone>(
    kept: &'static std::thread::LocalKey<Parsed<T>>,
    parse: impl FnOnce() -> Result<T, String>,
) -> Result<T, Problem> {
    kept.with(|kept| kept.get_or_init(parse).clone()).map_err(|what| Problem::ours(503, &what))
}

/// The keys of signed codes.
///
/// # Errors
/// 503 when there are none, or they cannot be read.
pub fn code_keys(env: &Env) -> Result<Keys, Problem> {
    parsed(&CODE_KEYS, || {
        let keys = text(env, "CODE_KEYS")
            .ok_or("the secret CODE_KEYS is not set, so no signed code can be proven")?;
        Keys::parse(&keys).map_err(|why| format!("the secret CODE_KEYS: {why}"))
    })
}

/// How many misses are too many.
///
/// # Errors
/// 503 when a limit is no number.
pub fn guard_limits(env: &Env) -> Result<Limits, Problem> {
    let limit = |name: &str, default: u16| match text(env, name) {
        None => Ok(default),
        Some(value) => value.trim().parse::<u16>().map_err(|_| {
            format!("the setting {name} is {value:?}, which is no number up to 65535")
        }),
    };
    parsed(&LIMITS, || {
        Ok(Limits {
            tab: limit("GUARD_TAB_MISSES", 10)?,
            location: limit("GUARD_LOCATION_MISSES", 200)?,
            window: i64::from(limit("GUARD_SECONDS", 600)?).saturating_mul(1000),
        })
    })
}

/// What holds where a location says nothing.
#[derive(Clone)]
pub struct Defaults {
    /// The clock.
    pub zone: Zone,
    /// The currency of tabs that name none.
    pub currency: Currency,
    /// In what a POS wants amounts of money.
    pub amount_unit: AmountUnit,
    /// The POS that send carts with the discounts that stand taken off already.
    pub net_carts: Vec<String>,
    /// What a guest reads when a code is refused.
    pub refused: String,
}

impl Defaults {
    /// Reads them.
    ///
    /// # Errors
    /// 503 when one is no zone, currency or unit: better closed than wrong.
    pub fn read(env: &Env) -> Result<Self, Problem> {
        parsed(&DEFAULTS, || Self::parse(env))
    }

    fn parse(env: &Env) -> Result<Self, String> {
        let wrong = |name: &str, value: &str| {
            format!("the setting {name} is {value:?}, which cannot be read")
        };
        let zone = text(env, "DEFAULT_TIMEZONE").unwrap_or_else(|| "UTC".to_owned());
        let currency = text(env, "DEFAULT_CURRENCY").unwrap_or_else(|| "USD".to_owned());
        let unit = text(env, "AMOUNT_UNIT").unwrap_or_else(|| "major".to_owned());
        Ok(Self {
            zone: Zone::parse(&zone).map_err(|_| wrong("DEFAULT_TIMEZONE", &zone))?,
            currency: Currency::parse(&currency)
                .map_err(|_| wrong("DEFAULT_CURRENCY", &currency))?,
            net_carts: net_carts(env).map_err(|value| wrong("NET_CARTS", &value))?,
            amount_unit: AmountUnit::parse(&unit).ok_or_else(|| wrong("AMOUNT_UNIT", &unit))?,
            refused: text(env, "REFUSED_TEXT").unwrap_or_else(|| REFUSED.to_owned()),
        })
    }
}

/// The POS whose carts come net; an error is the text that names one that there is not.
fn net_carts(env: &Env) -> Result<Vec<String>, String> {
    let value = text(env, "NET_CARTS").unwrap_or_default();
    let named = value.split(',').map(str::trim).filter(|pos| !pos.is_empty());
    let named: Vec<String> = named.map(str::to_owned).collect();
    match named.iter().all(|pos| ["gotab", "neutral"].contains(&pos.as_str())) {
        true => Ok(named),
        false => Err(value.clone()),
    }
}
