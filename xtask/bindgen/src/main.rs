//! `xtask-bindgen INPUT.wasm OUT_DIR`: what `wasm-bindgen --target module` does for `worker-build` 0.8.7,
//! without a second Wasm toolchain to download: the library has the version Cargo.lock pins.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: xtask-bindgen INPUT.wasm OUT_DIR";
    let input = args.next().context(usage)?;
    let out_dir = args.next().context(usage)?;

    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&input)
        .out_name("index")
        .typescript(false)
        // A tenth of the module, and a panic tells file and line without it.
        .remove_name_section(true)
        // `import source wasm from "./index_bg.wasm"`: the runtime hands over the compiled module.
        .module(true)?
        // The shim starts a new instance when one has trapped (xtask/node/shim.mjs).
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    bindgen.generate(&out_dir).with_context(|| format!("wasm-bindgen on {}", input.display()))
}
