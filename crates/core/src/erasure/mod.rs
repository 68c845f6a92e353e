//! Erasing a person: a job that goes through everything the deployment keeps, and never starts over.
//!
//! # What it does
//! It begins with the pseudonyms of what an operator typed ([`crate::identity::spellings`]), and goes through
//! *places* in stages:
//!
//! 1. *Who is it?* Each identity is asked whose it is, each member which identities, tabs and merged-away
//!    members belong to it, until nothing new turns up. Now all names are known that the person was ever
//!    counted under.
//! 2. *Close the doors.* The directory forgets the identities, the members' books lose their owner. From here
//!    on nothing new is counted under a member's name. What was under way then has ended after [`PAUSE`].
//! 3. *Go through the stores.* Ledgers with all their shards, pools and tabs are listed and visited, each in
//!    batches. In each a meaningless name takes the place of the person's.
//! 4. *Look again.* The lists are read once more, until one names nothing that was not visited.
//!
//! # Why it may be cut off anywhere
//! Each place is a row: not visited yet, visited up to a cursor, or visited. An answer is written down before
//! the next question is asked, and every question may be asked again: it names what is to be gone, not what is
//! to be done. So a job that was killed asks at most the last batch again.
//!
//! A place that does not answer is tried again later, at intervals that grow up to [`LONGEST_WAIT`]. The
//! others go on, and the job ends only when it has answered.
//!
//! # What it keeps
//! Pseudonyms, members' names and tabs, as long as it runs; never what was typed. When it is done it forgets
//! those too, and keeps its counts.
//!
//! A new kind of store is one more [`Place`], with its stage and its count.

mod job;
mod names;
mod person;
mod place;
mod report;
#[cfg(test)]
mod tests;

pub use job::{
    Changes, Counts, Heard, Job, LONGEST_WAIT, Next, PAUSE, Store, Traces, add, begin, heard,
    is_about, next,
};
pub use names::Replacements;
pub use person::{of_identity, of_member};
pub use place::{Listed, Place, Progress, Stages};
pub use report::{Problem, Report, report};
