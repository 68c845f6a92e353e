//! Who a person is: from identities to members and back, until nothing new turns up.

use super::job::Traces;
use super::{Job, Place};
use crate::identity::{Pseudonym, number_as_id};
use crate::loyalty::MemberId;
use crate::loyalty::member::Trace;

/// What an identity leads to, as its entry answered.
#[must_use]
pub fn of_identity(job: &Job, who: &Pseudonym, typed: bool, member: Option<&MemberId>) -> Traces {
    let known = |id: &MemberId| job.names.iter().any(|name| name == id.as_str());
    match member {
        // Handed to somebody else since.
        Some(id) if !typed && !known(id) => Traces::default(),
        member => {
            let mut traces = Traces::default();
            traces.names.push(who.to_string());
            traces.places.push(Place::Entry(who.clone()));
            member.into_iter().for_each(|id| traces.member(id));
            traces
        }
    }
}

/// What a member's books lead to.
#[must_use]
pub fn of_member(trace: &Trace, pepper: &[u8]) -> Traces {
    let mut traces = Traces::default();
    let members = trace.absorbed.iter().chain(&trace.moved);
    members.for_each(|id| traces.member(id));
    for (_, who) in &trace.identities {
        traces.places.push(Place::Identity { who: who.clone(), typed: false });
    }
    traces.names.extend(trace.number.iter().map(|it| number_as_id(it, pepper).to_string()));
    let tabs = trace.tabs.iter();
    traces.places.extend(tabs.map(|it| Place::Tab(it.location.clone(), it.tab.clone())));
    traces
}

impl Traces {
    fn member(&mut self, id: &MemberId) {
        self.names.push(id.to_string());
        self.places.push(Place::Member(id.clone()));
        self.places.push(Place::Books(id.clone()));
        self.places.push(Place::Remains(id.clone()));
    }
}
