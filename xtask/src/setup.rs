//! From a bare clone to a machine that can build, run and test.

use anyhow::Result;

use crate::{
    dev_vars, node,
    wasm::{self, Toolchain},
};

/// Makes sure of everything a build and the local runtime need. Call it under [`crate::stamp::lock`].
///
/// # Errors
/// Those of the step that failed.
pub fn ensure() -> Result<Toolchain> {
    let toolchain = wasm::ensure()?;
    node::ensure()?;
    dev_vars::ensure()?;
    Ok(toolchain)
}
