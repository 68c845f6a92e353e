//! Whole questions of a till, on objects kept in maps. Every call to one yields once, so that questions
//! asked at once are handled in turns.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

mod divided;
mod guessing;
mod world;
