//! Starts what was built on the real runtime: workerd, configured by Miniflare from `build/miniflare.json`,
//! under `xtask/node/serve.mjs`. `cargo xtask dev` and the black-box tests start it the same way.
//!
//! No runtime outlives whoever started it, however that one ends, so port and state are always free for
//! the next: `xtask/node/workerd.sh` ties workerd to Node, and [`Launch::tied_to_stdin`] ties Node to us.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{node, paths};

/// What to start, and where it keeps its state.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Directory of KV and Durable Objects; made if missing, kept when the runtime ends.
    pub state: PathBuf,
    /// Put the campaigns of `examples/` before saying "ready".
    pub samples: bool,
    /// Read `.dev.vars`. The process's environment overrides it either way.
    pub dev_vars: bool,
    /// End when standard input ends, that is, with the process that holds its other end.
    pub tied_to_stdin: bool,
}

impl Launch {
    /// The command that runs it in the foreground. It prints `ready http://127.0.0.1:PORT` on a line of its
    /// own to standard output once it serves.
    ///
    /// # Errors
    /// When nothing has been built, or there is no Node.
    pub fn command(&self) -> Result<Command> {
        if !paths::build().join("miniflare.json").is_file() {
            bail!("the Worker has not been built: run `cargo xtask build` first");
        }
        let mut command = node::command(paths::node_script("serve.mjs"))?;
        command.arg(format!("--port={}", self.port)).arg("--state").arg(&self.state);
        for (wanted, flag) in [
            (self.samples, "--samples"),
            (self.dev_vars, "--dev-vars"),
            (self.tied_to_stdin, "--tied-to-stdin"),
        ] {
            if wanted {
                command.arg(flag);
            }
        }
        Ok(command)
    }
}
