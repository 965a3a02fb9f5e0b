//! `cargo xtask test`: all that must hold before a change is taken, cheapest first; ends at the first step that fails,
//! with what to do. `.ci/run` calls exactly this.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::{
    asvs, deps, e2e, faults,
    paths::Paths,
    prepare,
    process::{cargo, run, run_within, seconds},
    quotes, setup, source_text,
};

type Work = fn(&Paths) -> Result<()>;

/// Title, what runs, what to do when it fails.
const STEPS: [(&str, Work, &str); 12] = [
    ("what this machine needs", needs, "install what the message names"),
    ("format", format, "cargo fmt"),
    ("dependency rule", deps::check, "move the code to where house rules allow it: see CONTRIBUTING.md"),
    ("asvs list", asvs::check, "mend docs/security/asvs.md, or bring the test back that it names"),
    ("limits and keys", quotes::check, "let docs/security/ say what the code holds"),
    ("source text", source_text::check, "do it another way, or list it with its reason in xtask/src/source_text.rs"),
    ("clippy", clippy, "mend what clippy says above"),
    ("clippy, browser", clippy_browser, "mend what clippy says above"),
    ("queries", queries, "cargo xtask prepare"),
    ("unit and integration tests", cargo_test, "cargo test -p the crate named above"),
    ("end to end", end_to_end, "cargo xtask e2e --grep the journey named above"),
    // After the journeys, which build the release programs.
    ("faults, quick", faults::quick, "cargo xtask test faults --no-build --keep --seed the one named above"),
];

/// They take five minutes with all they compile, and several times that on a cold, busy machine.
const TESTS_WITHIN: Duration = Duration::from_secs(45 * 60);

pub fn main(paths: &Paths) -> Result<()> {
    let mut done: Vec<(&str, Duration, &str)> = Vec::new();
    let mut outcome = Ok(());
    for (title, work, advice) in STEPS {
        eprintln!("\n== {title}");
        let started = Instant::now();
        outcome = work(paths).with_context(|| format!("{title} failed. What to do: {advice}"));
        done.push((title, started.elapsed(), if outcome.is_ok() { "ok" } else { "FAILED" }));
        if outcome.is_err() {
            break;
        }
    }
    eprintln!();
    for (title, _, _) in STEPS {
        let (took, mark) = match done.iter().find(|(name, _, _)| *name == title) {
            Some((_, took, mark)) => (seconds(*took), *mark),
            None => (String::new(), "not run"),
        };
        eprintln!("  {title:<28} {took:>10}  {mark}");
    }
    outcome
}

fn needs(paths: &Paths) -> Result<()> {
    setup::for_stack(paths)?;
    setup::for_browser(paths).map(drop)
}

fn format(paths: &Paths) -> Result<()> {
    run("cargo fmt --check", cargo(&paths.root).args(["fmt", "--all", "--check"]))
}

fn clippy(paths: &Paths) -> Result<()> {
    let mut clippy = cargo(&paths.root);
    clippy.args(["clippy", "--workspace", "--exclude", "clarity-frontend", "--all-targets", "--", "-D", "warnings"]);
    run("cargo clippy", &mut clippy)
}

fn clippy_browser(paths: &Paths) -> Result<()> {
    let mut clippy = cargo(&paths.root);
    clippy.args(["clippy", "-p", "clarity-frontend", "-p", "clarity-app", "--features", "clarity-app/hydrate"]);
    clippy.args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);
    run("cargo clippy for the browser", &mut clippy)
}

fn queries(paths: &Paths) -> Result<()> {
    prepare::check(paths)
}

/// A missing broker or database fails here, where elsewhere it is skipped.
fn cargo_test(paths: &Paths) -> Result<()> {
    let mut test = cargo(&paths.root);
    test.args(["test", "--workspace", "--exclude", "clarity-frontend"]).env("CI", "true");
    run_within("cargo test", TESTS_WITHIN, &mut test)
}

fn end_to_end(paths: &Paths) -> Result<()> {
    e2e::main(paths, &e2e::EndToEnd::default())
}
