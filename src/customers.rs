//! The customer a card or coupon is given to: a member, found by phone or e-mail or made.

use promo_core::fault::{Faults, Path, Sink};
use promo_core::identity::Identity;
use promo_core::issuance::notification::User;
use promo_core::issuance::pool::Holder;
use promo_core::loyalty::member::{Command, Reply};
use promo_core::loyalty::sign_up::SignedUp;
use promo_core::loyalty::{MemberId, ask_member};

use crate::http::{Call, Problem};
use crate::members;
use crate::ports::Edge;

/// Finds the customer by phone or e-mail, or makes one. Where they name two, the phone number is
/// believed, and the conflict is listed for an operator.
///
/// # Errors
/// 422 when neither can be read, 503 when the deployment has no pepper or an object does not answer.
pub async fn find_or_make(
    edge: &Edge<'_>,
    call: &Call,
    user: &User,
) -> Result<(Holder, MemberId), Problem> {
    let rules = members::rules(edge).await?;
    let sink = Sink::new();
    let mut identities = Vec::new();
    for (pointer, text) in [("/user/phone", &user.phone), ("/user/email", &user.email)] {
        match text.as_ref().map(|text| Identity::parse(text, &rules)) {
            None => {}
            Some(Ok(identity)) => identities.push(identity),
            Some(Err(error)) => sink.add(&Path::Below(pointer), error.to_string()),
        }
    }
    // One that can be read is enough; the phone number, if that can, is what carts count by too.
    let Some(first) = identities.first() else {
        let faulty = |faults: Faults| Problem::faults(422, "the notification has faults", faults);
        return Err(sink.check::<()>(None).map_or_else(faulty, |()| {
            Problem::ours(500, "a user without phone and e-mail was let through")
        }));
    };
    let pseudonym = first.pseudonym(&members::pepper(edge)?).to_string();
    match members::find_or_make(edge, call, &identities, None).await? {
        SignedUp::Member { id, .. } => Ok((Holder { member: id.to_string(), pseudonym }, id)),
        SignedUp::Nobody => {
            Err(Problem::new(422, "a loyalty number of nobody's makes no customer"))
        }
    }
}

/// The members who are part of this one, under whose names a number may have been given out.
///
/// # Errors
/// 503 when an object does not answer.
pub async fn absorbed(edge: &Edge<'_>, member: &MemberId) -> Result<Vec<String>, Problem> {
    match ask_member(edge, member, Command::Names).await.map_err(members::silent)? {
        (_, Reply::Names(_, absorbed)) => Ok(absorbed.iter().map(ToString::to_string).collect()),
        _ => Ok(Vec::new()),
    }
}
