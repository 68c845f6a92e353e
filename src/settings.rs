//! What the deployment says: its secrets and its defaults, read from the Worker's bindings.

use promo_core::code::keys::Keys;
use promo_core::guard::Limits;
use promo_core::location::AmountUnit;
use promo_core::money::Currency;
use promo_core::time::Zone;
use sha2::{Digest, Sha256};
use worker::Env;

use crate::http::{Call, Problem};

/// What a guest reads when a code is refused, whatever the reason.
const REFUSED: &str = "This code is not valid.";

/// A binding's text; an empty one counts as missing.
pub fn text(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string();
    (!value.trim().is_empty()).then_some(value)
}

/// Whoever made a request, by the secret that let it in.
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
pub fn authorize(call: &Call, env: &Env, secret: &str, scheme: &str) -> Result<Caller, Problem> {
    let Some(valid) = text(env, secret) else {
        let what = format!("the secret {secret} is not set, so this route is closed");
        return Err(Problem::ours(503, &what));
    };
    let given = call.header("authorization").unwrap_or_default();
    if let Some(given) = given.strip_prefix(scheme)
        && is_one_of(given, &valid)
    {
        return Ok(Caller(given.trim().to_owned()));
    }
    let challenge = if scheme.is_empty() { "Secret" } else { scheme.trim() };
    Err(Problem::new(401, "the Authorization header does not carry this route's secret")
        .with_header("www-authenticate", challenge))
}

/// Whether a text is one of the secrets of a list with commas between them.
pub fn is_one_of(given: &str, valid: &str) -> bool {
    let given = Sha256::digest(given.trim());
    valid
        .split(',')
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
        .fold(false, |found, secret| found | same(&given, &Sha256::digest(secret)))
}

/// Compares digests in a time that does not depend on where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The keys of signed codes.
///
/// # Errors
/// 503 when there are none, or they cannot be read.
pub fn code_keys(env: &Env) -> Result<Keys, Problem> {
    let Some(keys) = text(env, "CODE_KEYS") else {
        let what = "the secret CODE_KEYS is not set, so no signed code can be proven";
        return Err(Problem::ours(503, what));
    };
    Keys::parse(&keys).map_err(|why| Problem::ours(503, &format!("the secret CODE_KEYS: {why}")))
}

/// How many misses are too many.
///
/// # Errors
/// 503 when a limit is no number.
pub fn guard_limits(env: &Env) -> Result<Limits, Problem> {
    let limit = |name: &str, default: u16| match text(env, name) {
        None => Ok(default),
        Some(value) => value.trim().parse::<u16>().map_err(|_| {
            let what = format!("the setting {name} is {value:?}, which is no number up to 65535");
            Problem::ours(503, &what)
        }),
    };
    Ok(Limits {
        tab: limit("GUARD_TAB_MISSES", 10)?,
        location: limit("GUARD_LOCATION_MISSES", 200)?,
        window: i64::from(limit("GUARD_SECONDS", 600)?).saturating_mul(1000),
    })
}

/// What holds where a location says nothing.
pub struct Defaults {
    /// The clock.
    pub zone: Zone,
    /// The currency of tabs that name none.
    pub currency: Currency,
    /// In what a POS wants amounts of money.
    pub amount_unit: AmountUnit,
    /// What a guest reads when a code is refused.
    pub refused: String,
}

impl Defaults {
    /// Reads them.
    ///
    /// # Errors
    /// 503 when one is no zone, currency or unit: better closed than wrong.
    pub fn read(env: &Env) -> Result<Self, Problem> {
        let wrong = |name: &str, value: &str| {
            Problem::ours(503, &format!("the setting {name} is {value:?}, which cannot be read"))
        };
        let zone = text(env, "DEFAULT_TIMEZONE").unwrap_or_else(|| "UTC".to_owned());
        let currency = text(env, "DEFAULT_CURRENCY").unwrap_or_else(|| "USD".to_owned());
        let unit = text(env, "AMOUNT_UNIT").unwrap_or_else(|| "major".to_owned());
        Ok(Self {
            zone: Zone::parse(&zone).map_err(|_| wrong("DEFAULT_TIMEZONE", &zone))?,
            currency: Currency::parse(&currency)
                .map_err(|_| wrong("DEFAULT_CURRENCY", &currency))?,
            amount_unit: AmountUnit::parse(&unit).ok_or_else(|| wrong("AMOUNT_UNIT", &unit))?,
            refused: text(env, "REFUSED_TEXT").unwrap_or_else(|| REFUSED.to_owned()),
        })
    }
}
