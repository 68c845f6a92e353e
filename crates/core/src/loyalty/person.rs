//! Whether a guest of a campaign is a member: see [`crate::checkout::Person`].

use futures_util::future::join_all;

use super::member::{Command, Reply};
use super::{MemberId, Rooms, ask_member, directory};
use crate::checkout::{KnownBy, MemberNames, Person, Unreachable};
use crate::identity::Pseudonym;

/// The person as the member that this is, if it is one. Makes no member and lists no conflict: a
/// till that checks a code is no sign-up.
///
/// # Errors
/// When an object cannot be reached.
pub async fn of(rooms: &impl Rooms, who: &Person) -> Result<Person, Unreachable> {
    let (via, led) = match &who.known_by {
        KnownBy::Nothing => return Ok(who.clone()),
        KnownBy::Member(id) => (id.clone(), Vec::new()),
        KnownBy::Identities(identities) => {
            let led = led_to(rooms, identities).await?;
            let Some((_, first)) = led.first() else { return Ok(who.clone()) };
            (first.clone(), led)
        }
    };
    let (id, reply) = ask_member(rooms, &via, Command::Names).await?;
    let Reply::Names(identities, absorbed) = reply else { return Ok(who.clone()) };
    let names = MemberNames { identities, absorbed };
    let same = |other: &MemberId| *other == id || *other == via || names.absorbed.contains(other);
    let others = led.into_iter().filter(|(_, member)| !same(member));
    let others: Vec<Pseudonym> = others.map(|(pseudonym, _)| pseudonym).collect();
    Ok(who.clone().as_member(&id, &via, &names, &others))
}

/// Those of the identities that lead to a member, in the same order.
async fn led_to(
    rooms: &impl Rooms,
    identities: &[Pseudonym],
) -> Result<Vec<(Pseudonym, MemberId)>, Unreachable> {
    let looks = identities.iter().map(|who| rooms.entry(who, directory::Command::Look));
    let mut led = Vec::new();
    for (who, known) in identities.iter().zip(join_all(looks).await) {
        led.extend(known?.member.map(|member| (who.clone(), member)));
    }
    Ok(led)
}
