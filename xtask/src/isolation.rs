//! `cargo xtask test isolation`: the whole proof that no workspace reaches another's rows in the database: rules of the
//! catalogue, the attempt matrix in two worlds, planted faults, interleaved transactions. `cargo test` has the quick form.
//!
//! A dev build: the work is Postgres', and the test binary is the one that `cargo test` compiled.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{
    paths::Paths,
    process::{cargo, run_within},
    setup,
};

/// With what it may have to compile; the suite itself takes about two minutes.
const WITHIN: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Args)]
pub struct Isolation {
    /// Write the figures here too
    #[arg(long)]
    json: Option<PathBuf>,
}

pub fn main(paths: &Paths, args: &Isolation) -> Result<()> {
    setup::postgres()?;
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-store", "--test", "isolation", "--"]);
    test.args(["the_whole_suite", "--exact", "--ignored", "--nocapture"]).env("CI", "true");
    if let Some(file) = &args.json {
        let file = std::path::absolute(file).with_context(|| format!("cannot find {}", file.display()))?;
        test.env("CLARITY_ISOLATION_JSON", file);
    }
    run_within("isolation", WITHIN, &mut test)
}
