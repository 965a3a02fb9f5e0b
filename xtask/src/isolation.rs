//! `cargo xtask test isolation`: the whole proof that no workspace reaches another's. In the database: rules of the catalogue,
//! the attempt matrix in two worlds, planted faults, interleaved transactions; `cargo test` has the quick form. At the front
//! doors: every page, server function, stream, file and letter, tried by everybody.
//!
//! A dev build: the work is Postgres', and the test binaries are those that `cargo test` compiled.

use std::{fs, path::PathBuf, time::Duration, time::Instant};

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
    for (package, test) in [("clarity-store", "isolation"), ("clarity-server", "it")] {
        let mut build = cargo(&paths.root);
        build.args(["test", "-p", package, "--test", test, "--no-run"]);
        run_within("compile", WITHIN, &mut build)?;
    }
    let started = Instant::now();
    let dir = paths.root.join(".clarity");
    fs::create_dir_all(&dir)?;
    let (database, doors) = (dir.join("isolation.json"), dir.join("doors.json"));
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-store", "--test", "isolation", "--"]);
    test.args(["the_whole_suite", "--exact", "--ignored", "--nocapture"]).env("CI", "true");
    run_within("isolation in the database", WITHIN, test.env("CLARITY_ISOLATION_JSON", &database))?;
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-server", "--test", "it", "doors::", "--", "--nocapture"]).env("CI", "true");
    run_within("isolation at the front doors", WITHIN, test.env("CLARITY_DOORS_JSON", &doors))?;

    let mut figures = read(&database)?;
    figures.extend(read(&doors)?);
    figures.insert("seconds".into(), started.elapsed().as_secs().into());
    let text = serde_json::to_string_pretty(&figures)?;
    println!("{text}");
    if let Some(file) = &args.json {
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn read(file: &std::path::Path) -> Result<serde_json::Map<String, serde_json::Value>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}
