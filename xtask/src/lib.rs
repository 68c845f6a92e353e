//! Everything a developer or CI does to this repository, one module a task, each readable alone.
//!
//! `setup` makes a machine fit, `build` makes the deployable in `build/`, `dev` runs it, `check` is what CI
//! runs, `deploy` publishes. `runtime` starts the real runtime; the black-box tests (`tests/`) start it the
//! same way. A task whose inputs have not changed does nothing and says nothing.

pub mod bench;
pub mod build;
pub mod check;
pub mod deploy;
pub mod dev;
pub mod dev_vars;
pub mod fuzz;
pub mod host;
pub mod node;
pub mod paths;
pub mod report;
pub mod runtime;
/// What makes a secret too weak: the rule of `promo-core`, included because a dependency on it would have to
/// be compiled before anything else can happen.
#[path = "../../crates/core/src/secret.rs"]
pub mod secret;
pub mod setup;
pub mod stamp;
pub mod wasm;
