//! The customer a card or coupon is given to.

use promo_core::fault::{Faults, Path, Sink};
use promo_core::identity::{Identity, Rules};
use promo_core::issuance::notification::User;
use promo_core::issuance::pool::Holder;
use worker::Env;

use crate::http::{Call, Problem};
use crate::ports::Edge;
use crate::settings;

/// Finds the customer by phone or e-mail, or makes one.
///
/// # Errors
/// 422 when neither can be read, 503 when the deployment has no pepper for pseudonyms.
pub async fn find_or_make(
    _edge: &Edge<'_>,
    _call: &Call,
    env: &Env,
    user: &User,
) -> Result<Holder, Problem> {
    let Some(pepper) = settings::text(env, "PII_PEPPER") else {
        let what = "the secret PII_PEPPER is not set, so no customer can be told apart";
        return Err(Problem::ours(503, what));
    };
    let (sink, rules) = (Sink::new(), Rules::default());
    let mut identities = Vec::new();
    for (pointer, text) in [("/user/phone", &user.phone), ("/user/email", &user.email)] {
        match text.as_ref().map(|text| Identity::parse(text, &rules)) {
            None => {}
            Some(Ok(identity)) => identities.push(identity),
            Some(Err(error)) => sink.add(&Path::Below(pointer), error.to_string()),
        }
    }
    let faulty = |faults: Faults| Problem::faults(422, "the notification has faults", faults);
    // One that can be read is enough.
    let Some(first) = identities.first() else {
        return Err(sink.check::<()>(None).map_or_else(faulty, |()| {
            Problem::ours(500, "a user without phone and e-mail was let through")
        }));
    };
    let pseudonym = first.pseudonym(pepper.as_bytes()).to_string();
    Ok(Holder { member: pseudonym.clone(), pseudonym })
}
