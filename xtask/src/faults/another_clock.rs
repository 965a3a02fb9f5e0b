//! A process with another wall clock than the machine's, without changing the machine's: a small library, preloaded.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

use crate::process::{capture, clean};

const SHIM: &str = include_str!("clock/shim.rs");
pub const DAY_S: i64 = 86_400;

/// The compiled library, in a folder that every user may read: Postgres has one of its own.
pub struct AnotherClock {
    dir: PathBuf,
}

impl AnotherClock {
    pub fn compile() -> Result<Self> {
        let mut name = [0; 8];
        getrandom::fill(&mut name)?;
        let dir = std::env::temp_dir().join(format!("clarity-clock-{}", hex::encode(name)));
        fs::create_dir(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
        let clock = Self { dir };
        let source = clock.dir.join("clock.rs");
        fs::write(&source, SHIM)?;
        let mut rustc = clean(Command::new("rustc"));
        rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-C", "opt-level=2", "-C", "panic=abort", "-o"]);
        capture(rustc.arg(clock.library()).arg(&source)).context("compile the library of another clock")?;
        Ok(clock)
    }

    fn library(&self) -> PathBuf {
        self.dir.join("libclock.so")
    }

    /// The variables of a process whose clock is so far ahead of the machine's, or behind it.
    pub fn ahead(&self, seconds: i64) -> Vec<(String, String)> {
        let library = self.library().display().to_string();
        vec![("LD_PRELOAD".into(), library), ("CLOCK_SHIFT_S".into(), seconds.to_string())]
    }
}

impl Drop for AnotherClock {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// How far ahead a clock must be to stand so many seconds before midnight, UTC.
pub fn to_before_midnight(seconds: i64) -> Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().cast_signed();
    Ok((-now - seconds).rem_euclid(DAY_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_sees_the_other_clock() {
        let clock = AnotherClock::compile().unwrap();
        let mut date = Command::new("date");
        let there: i64 = capture(date.arg("+%s").envs(clock.ahead(7_200))).unwrap().trim().parse().unwrap();
        let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        assert!((there - here - 7_200).abs() < 60, "{there} {here}");
    }

    #[test]
    fn midnight_is_as_near_as_asked() {
        let ahead = to_before_midnight(90).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        let left = DAY_S - (now + ahead).rem_euclid(DAY_S);
        assert!((85..=90).contains(&left), "{left}");
        assert!((0..DAY_S).contains(&ahead));
    }
}
