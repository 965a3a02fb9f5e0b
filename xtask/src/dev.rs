//! `cargo xtask dev`: builds, runs, watches the sources and starts again what a change concerns. A change that does not
//! compile leaves the last good processes running.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Result;
use clap::Args;

use crate::{
    build,
    paths::{Mode, Paths},
    process::step,
    setup,
    stack::{Interrupt, Stack},
};

#[derive(Debug, Args)]
pub struct Dev {
    /// Where the web app answers
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// Rows of telemetry that the plant writes in a second
    #[arg(long, default_value_t = 20)]
    rate: u32,
}

/// Folders of sources; what lies in no browser folder concerns the processes only.
const WATCHED: [&str; 9] =
    ["app", "frontend/src", "frontend/js", "frontend/public", "style", "server", "workers", "agent", "crates"];

type Seen = BTreeMap<PathBuf, SystemTime>;

pub fn main(paths: &Paths, args: &Dev) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    setup::for_stack(paths)?;
    build::all(paths, Mode::Dev)?;
    let dir = paths.root.join(".clarity/dev");
    let mut stack = Stack::new(paths, Mode::Dev, &dir, &interrupt, Some(args.port))?;
    step("platform", || {
        stack.start_platform(None)?;
        stack.start_server()?;
        stack.start_workers("workers", "all")
    })?;
    step("customer", || {
        stack.start_customer()?;
        stack.start_plant(args.rate, &["--quiet"])
    })?;
    let workspace = stack.create_workspace("Dev plant", "dev@demo.example", "Dev Owner")?;
    step("agent", || stack.start_agent(&workspace.slug))?;
    println!("\n  {}/w/{}   dev@demo.example   {}\n", stack.web_url(), workspace.slug, stack.secrets.person_password);

    let mut seen = look(paths)?;
    while !interrupt.came() {
        std::thread::sleep(Duration::from_millis(300));
        let now = look(paths)?;
        if now == seen {
            continue;
        }
        seen = now;
        if let Err(error) = rebuild(paths, &mut stack) {
            eprintln!("\n{error:#}\nThe last good build still runs; waiting for the next change.");
        }
    }
    step("stop everything", || stack.stop_all())
}

fn rebuild(paths: &Paths, stack: &mut Stack) -> Result<()> {
    let before = programs(paths, stack)?;
    let site = paths.site(Mode::Dev).join("assets.json");
    let site_before = modified(&site);
    build::all(paths, Mode::Dev)?;
    let after = programs(paths, stack)?;
    for (name, built) in after {
        // The server reads the names of the static files when it starts.
        let assets_changed = name == "server" && modified(&site) != site_before;
        if assets_changed || before.get(&name) != Some(&built) {
            step(&format!("restart {name}"), || stack.restart(&name))?;
        }
    }
    Ok(())
}

/// When the program of each process was built.
fn programs(paths: &Paths, stack: &Stack) -> Result<BTreeMap<String, Option<SystemTime>>> {
    let names = [
        ("server", "clarity-server"),
        ("workers", "clarity-workers"),
        ("agent", "clarity-agent"),
        ("plant", "clarity-plant"),
    ];
    let runs: Vec<&str> = stack.processes().into_iter().map(|(name, _, _)| name).collect();
    let known = names.into_iter().filter(|(name, _)| runs.contains(name));
    Ok(known.map(|(name, program)| (name.to_owned(), modified(&paths.bin(Mode::Dev, program)))).collect())
}

fn look(paths: &Paths) -> Result<Seen> {
    let mut seen = Seen::new();
    for folder in WATCHED {
        for file in crate::stamp::files_below(&paths.join(folder))? {
            if let Some(at) = modified(&file) {
                seen.insert(file, at);
            }
        }
    }
    Ok(seen)
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|meta| meta.modified()).ok()
}
