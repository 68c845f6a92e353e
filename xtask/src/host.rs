//! Programs on this machine.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The first program of that name on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Whether we may install packages and write below /usr.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|done| done.stdout.trim_ascii() == b"0")
}

/// Cargo of the toolchain that runs us, for native code.
pub fn cargo() -> Command {
    let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(cargo);
    command.current_dir(crate::paths::root());
    command
}

/// A command on the system's own programs (`/usr/bin` first), free of what rustup and `cargo run` have put
/// in the environment for us.
pub fn system(program: &Path) -> Command {
    let mut command = Command::new(program);
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = [PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&path));
    if let Ok(path) = env::join_paths(dirs) {
        command.env("PATH", path);
    }
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}
