//! The register of mergers: who is to be part of whom, in the order in which operators said so.
//!
//! One machine has all of them, and decides one merger in a turn. Who is part of somebody already is not merged
//! again: his survivor is. So the arrows from member to member never go round in a circle, whoever asks what at
//! the same time, and at the end of every chain there is one member.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MemberId;

/// One member who is to be part of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merger {
    /// 1 for the first, and so on.
    pub number: u64,
    /// Of whom.
    pub into: MemberId,
    /// Whether all that he had has been taken in.
    pub done: bool,
}

/// All mergers, by who is taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// They.
    pub mergers: BTreeMap<MemberId, Merger>,
}

/// What is asked of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// These two are one person.
    Join {
        /// Who is taken in.
        from: MemberId,
        /// Who stays.
        into: MemberId,
    },
    /// This one has been taken in.
    Done(MemberId),
}

/// A merger that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who is taken in.
    pub from: MemberId,
    /// Who takes him in.
    pub into: MemberId,
}

/// What the register answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Whom they all end in.
    pub survivor: Option<MemberId>,
    /// What is left to do for that, in the order in which it was recorded.
    pub steps: Vec<Step>,
}

impl Register {
    /// Decides one command; also what is to be written.
    pub fn apply(&mut self, command: Command) -> (Joined, Option<(MemberId, Merger)>) {
        match command {
            Command::Join { from, into } => {
                let (from, into) = (self.survivor(&from), self.survivor(&into));
                let mut change = None;
                if from != into {
                    let last = self.mergers.values().map(|merger| merger.number).max();
                    let number = last.unwrap_or(0).saturating_add(1);
                    let merger = Merger { number, into: into.clone(), done: false };
                    self.mergers.insert(from.clone(), merger.clone());
                    change = Some((from, merger));
                }
                (Joined { steps: self.steps(&into), survivor: Some(into) }, change)
            }
            Command::Done(from) => {
                let nothing = Joined { survivor: None, steps: Vec::new() };
                let change = self.mergers.get_mut(&from).filter(|merger| !merger.done);
                let change = change.map(|merger| {
                    merger.done = true;
                    (from, merger.clone())
                });
                (nothing, change)
            }
        }
    }

    /// Whom a member ends in.
    fn survivor(&self, member: &MemberId) -> MemberId {
        let mut at = member;
        while let Some(merger) = self.mergers.get(at) {
            at = &merger.into;
        }
        at.clone()
    }

    fn steps(&self, survivor: &MemberId) -> Vec<Step> {
        let left = self.mergers.iter().filter(|(_, merger)| !merger.done);
        let mut left: Vec<_> = left.filter(|(from, _)| self.survivor(from) == *survivor).collect();
        left.sort_by_key(|(_, merger)| merger.number);
        let step = |(from, merger): (&MemberId, &Merger)| Step {
            from: from.clone(),
            into: merger.into.clone(),
        };
        left.into_iter().map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> MemberId {
        MemberId::parse(&format!("MEMBER{n:02}")).unwrap()
    }

    fn join(register: &mut Register, from: usize, into: usize) -> (MemberId, Vec<Step>) {
        let (joined, _) = register.apply(Command::Join { from: id(from), into: id(into) });
        (joined.survivor.unwrap(), joined.steps)
    }

    #[test]
    fn mergers_that_cross_end_in_the_survivor_of_the_first() {
        let mut register = Register::default();
        let step = Step { from: id(2), into: id(1) };
        assert_eq!(join(&mut register, 2, 1), (id(1), vec![step.clone()]));
        assert_eq!(join(&mut register, 1, 2), (id(1), vec![step]));
        register.apply(Command::Done(id(2)));
        assert_eq!(join(&mut register, 2, 1), (id(1), vec![]));
    }

    #[test]
    fn no_order_of_mergers_makes_a_circle_and_all_that_are_joined_have_one_survivor() {
        let pairs: Vec<(usize, usize)> =
            (0..4).flat_map(|a| (0..4).filter(move |b| a != *b).map(move |b| (a, b))).collect();
        for first in &pairs {
            for second in &pairs {
                for third in &pairs {
                    let mut register = Register::default();
                    let mut group: Vec<usize> = (0..4).collect();
                    for (from, into) in [first, second, third] {
                        join(&mut register, *from, *into);
                        let (a, b) = (group[*from], group[*into]);
                        group.iter_mut().filter(|it| **it == a).for_each(|it| *it = b);
                    }
                    for a in 0..4 {
                        for b in 0..4 {
                            let one = register.survivor(&id(a)) == register.survivor(&id(b));
                            assert_eq!(one, group[a] == group[b], "{first:?} {second:?} {third:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_chain_of_mergers_is_carried_out_whole() {
        let mut register = Register::default();
        for n in 0..12 {
            join(&mut register, n, n + 1);
        }
        let (survivor, steps) = join(&mut register, 0, 12);
        assert_eq!((survivor, steps.len()), (id(12), 12));
        assert_eq!(steps[3], Step { from: id(3), into: id(4) });
    }
}
