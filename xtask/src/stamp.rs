//! A stamp says what a step of the build was made from: the hash of its inputs' names and contents.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

const FILE: &str = ".stamp";

#[derive(Debug, PartialEq, Eq)]
pub struct Stamp(String);

impl Stamp {
    /// Reads every file of `inputs` (folders with all they hold; what is not there counts as not there). `label` parts
    /// steps that read the same files.
    pub fn of(label: &str, inputs: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut hash = Sha256::new();
        hash.update(label);
        for input in inputs {
            for file in files_below(input.as_ref())? {
                let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
                hash.update(file.to_string_lossy().as_bytes());
                hash.update([0]);
                hash.update(bytes.len().to_le_bytes());
                hash.update(bytes);
            }
        }
        Ok(Self(hex::encode(hash.finalize())))
    }

    /// Whether `dir` was made from the same inputs.
    pub fn is_at(&self, dir: &Path) -> bool {
        fs::read_to_string(dir.join(FILE)).is_ok_and(|text| text == self.0)
    }

    /// To be called when the step has succeeded.
    pub fn put(&self, dir: &Path) -> Result<()> {
        fs::create_dir_all(dir)?;
        fs::write(dir.join(FILE), &self.0).context("write a stamp")
    }
}

/// Every file at or below `path`, in a fixed order, without stamps.
pub fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if path.is_file() {
        found.push(path.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name() != FILE {
                found.extend(files_below(&entry.path())?);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_content_name_and_label() {
        let dir = std::env::temp_dir().join(format!("clarity-stamp-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("a"), "1").unwrap();
        let first = Stamp::of("x", [&dir]).unwrap();
        first.put(&dir).unwrap();
        assert!(Stamp::of("x", [&dir]).unwrap().is_at(&dir), "the stamp itself is no input");
        assert_ne!(Stamp::of("y", [&dir]).unwrap(), first);
        fs::write(dir.join("a"), "2").unwrap();
        assert!(!Stamp::of("x", [&dir]).unwrap().is_at(&dir));
        fs::write(dir.join("a"), "1").unwrap();
        fs::write(dir.join("b"), "").unwrap();
        assert_ne!(Stamp::of("x", [&dir]).unwrap(), first);
        fs::remove_dir_all(dir).unwrap();
    }
}
