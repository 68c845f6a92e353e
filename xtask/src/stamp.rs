//! Stamps: a step is skipped when the inputs it last ran with are the inputs it would run with now.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{paths, report::say};

/// A file that holds the fingerprint of the inputs a step last finished with.
pub struct Stamp {
    file: PathBuf,
    fingerprint: String,
}

impl Stamp {
    /// The stamp in `file` for these inputs; a missing input counts as empty.
    pub fn of_files<'a>(file: PathBuf, inputs: impl IntoIterator<Item = &'a Path>) -> Self {
        // Good enough to see a change, which is all it is for; another compiler's hash costs one more run.
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            input.hash(&mut hasher);
            fs::read(input).unwrap_or_default().hash(&mut hasher);
        }
        let fingerprint = format!("{:016x}", hasher.finish());
        Self { file, fingerprint }
    }

    /// Whether the step finished with these very inputs.
    pub fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|written| written == self.fingerprint)
    }

    /// Records that the step finished.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.fingerprint)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// Holds set-up and build to one process at a time, for as long as the value lives (the system lets go of
/// it when the process dies, however it dies).
///
/// # Errors
/// When the lock file cannot be made.
pub fn lock() -> Result<File> {
    let target = paths::target();
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    let path = target.join("xtask.lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.try_lock().is_err() {
        say(format_args!("waiting for another xtask to finish set-up and build …"));
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_an_input_changes() {
        let dir = env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let input = dir.join("input");
        let stamp = || Stamp::of_files(dir.join("stamp"), [input.as_path()]);
        fs::write(&input, "one").unwrap();
        assert!(!stamp().is_fresh(), "nothing has run yet");

        stamp().write().unwrap();
        assert!(stamp().is_fresh());

        fs::write(&input, "two").unwrap();
        assert!(!stamp().is_fresh());
        fs::remove_dir_all(dir).unwrap();
    }
}
