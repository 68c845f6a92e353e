//! Where things are. Everything is relative to the repository's root, whatever directory one stands in.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The repository's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Cargo's target directory for native code; `CARGO_TARGET_DIR` moves it.
pub fn target() -> PathBuf {
    let moved = env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty());
    root().join(moved.map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// Cargo's target directory for Wasm. Its own, since another compiler may build it (see [`crate::wasm`]).
pub fn wasm_target() -> PathBuf {
    target().join("wasm")
}

/// The deployable: `index.js` and `index_bg.wasm`, and `miniflare.json` for the local runtime.
pub fn build() -> PathBuf {
    root().join("build")
}

/// What the services of the black-box tests keep, a directory each.
pub fn test_state() -> PathBuf {
    target().join("test-state")
}

/// A Node script of ours.
pub fn node_script(name: &str) -> PathBuf {
    root().join("xtask/node").join(name)
}
