//! The command line `promo`, as an operator runs it.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use crate::{Service, must, secrets};

/// The command with these arguments, the service's address and token in its environment.
#[must_use]
pub fn promo(service: &Service, arguments: &[&str]) -> Command {
    // Cargo builds another package's program for nobody's tests, so it is asked to.
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "promo"])
            .current_dir(xtask::paths::root())
            .status();
        assert!(must("cannot build promo", built).success(), "cannot build promo");
        let here = must("this program has no path", std::env::current_exe());
        // target/debug/deps/this
        let folder = here.parent().and_then(|deps| deps.parent());
        folder.map(|folder| folder.join("promo")).unwrap_or_default()
    });
    let mut command = Command::new(PROGRAM.as_path());
    command
        .args(arguments)
        .env("PROMO_URL", service.url())
        .env("ADMIN_TOKEN", secrets::ADMIN_TOKEN)
        .stdin(Stdio::null());
    command
}
