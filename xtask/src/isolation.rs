//! `cargo xtask test isolation`: the whole proof that no workspace reaches another's. In the database: rules of the catalogue,
//! the attempt matrix in two worlds, planted faults, interleaved transactions; `cargo test` has the quick form. At the front
//! doors: every page, server function, stream, file and letter, tried by everybody; and checks forgotten in the code, planted
//! one at a time, that these tries have to find.
//!
//! A dev build: the work is Postgres', and the test binaries are those that `cargo test` compiled, but for the one that has the
//! code's faults in it.

use std::{fs, path::PathBuf, time::Duration, time::Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::{Map, Value};

use crate::{
    paths::Paths,
    process::{cargo, run_within},
    setup,
};

/// For one step, with what it may have to compile.
const WITHIN: Duration = Duration::from_secs(30 * 60);
/// For all of it once it is compiled: a proof that takes longer is not asked for often enough.
const WHOLE: Duration = Duration::from_secs(10 * 60);
/// Makes a build of the server's tests in which faults can be planted.
const PLANTED: [&str; 2] = ["--features", "planted-faults"];
const FAULTS_IN_CODE: &str = "doors::planted::tried::every_planted_fault_is_found";

#[derive(Debug, Args)]
pub struct Isolation {
    /// Write the figures here too
    #[arg(long)]
    json: Option<PathBuf>,
}

pub fn main(paths: &Paths, args: &Isolation) -> Result<()> {
    setup::postgres()?;
    compile(paths)?;
    let started = Instant::now();
    let mut figures = tried(paths)?;
    let took = started.elapsed();
    figures.insert("seconds".into(), took.as_secs().into());
    let text = serde_json::to_string_pretty(&figures)?;
    println!("{text}");
    if let Some(file) = &args.json {
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    let (planted, found) = (count(&figures, "planted")?, count(&figures, "found")?);
    ensure!(found == planted, "{found} of {planted} planted faults were found");
    ensure!(took <= WHOLE, "all was right, and it took {} s: {} s are the most", took.as_secs(), WHOLE.as_secs());
    Ok(())
}

fn compile(paths: &Paths) -> Result<()> {
    let builds: [(&str, &str, &[&str]); 3] =
        [("clarity-store", "isolation", &[]), ("clarity-server", "it", &[]), ("clarity-server", "it", &PLANTED)];
    for (package, test, features) in builds {
        let mut build = cargo(&paths.root);
        build.args(["test", "-p", package, "--test", test, "--no-run"]).args(features);
        run_within("compile", WITHIN, &mut build)?;
    }
    Ok(())
}

/// All three parts, one after the other, and their figures together.
fn tried(paths: &Paths) -> Result<Map<String, Value>> {
    let dir = paths.root.join(".clarity");
    fs::create_dir_all(&dir)?;
    let [database, doors, code] = ["isolation", "doors", "planted"].map(|name| dir.join(format!("{name}.json")));
    for old in [&database, &doors, &code] {
        if old.exists() {
            fs::remove_file(old)?;
        }
    }
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-store", "--test", "isolation", "--"]);
    test.args(["the_whole_suite", "--exact", "--ignored", "--nocapture"]).env("CI", "true");
    run_within("isolation in the database", WITHIN, test.env("CLARITY_ISOLATION_JSON", &database))?;
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-server", "--test", "it", "doors::", "--", "--nocapture"]).env("CI", "true");
    run_within("isolation at the front doors", WITHIN, test.env("CLARITY_DOORS_JSON", &doors))?;
    let mut test = cargo(&paths.root);
    test.args(["test", "-p", "clarity-server", "--test", "it"]).args(PLANTED);
    test.args(["--", FAULTS_IN_CODE, "--exact", "--nocapture"]).env("CI", "true");
    run_within("faults planted in the code", WITHIN, test.env("CLARITY_PLANTED_JSON", &code))?;

    let mut figures = read(&database)?;
    figures.extend(read(&doors)?);
    let in_code = read(&code)?;
    // Those in the code are found by what was tried, and by no list.
    for (sum, part) in [("planted", "planted"), ("found", "found"), ("found_without_list", "found")] {
        let both = count(&figures, sum)? + count(&in_code, part)?;
        figures.insert(sum.to_owned(), both.into());
    }
    figures.insert("planted_in_code".to_owned(), count(&in_code, "planted")?.into());
    Ok(figures)
}

fn read(file: &std::path::Path) -> Result<Map<String, Value>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn count(figures: &Map<String, Value>, name: &str) -> Result<u64> {
    figures.get(name).and_then(Value::as_u64).with_context(|| format!("no figure says {name}"))
}
