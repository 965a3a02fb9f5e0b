//! `cargo xtask bench pipeline`: the main job, measured on release processes. `docs/performance.md` says how each figure
//! is taken.
//!
//! Each section has a stack of its own, made anew and removed afterwards, so that none measures what another left
//! behind. A section that fails is told and leaves its figures out; the others run all the same.

mod backlog;
mod bed;
mod disk;
mod example;
mod figures;
mod first;
mod live;
mod machine;
mod node;
mod page;
mod peer;
pub(crate) mod session;
mod site;
mod wide;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    build,
    paths::{Mode, Paths},
    setup,
    stack::Interrupt,
};
use figures::Figures;

#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// From a row changed in a customer's Postgres to bronze, the read models and the browser
    Pipeline(Pipeline),
}

#[derive(Debug, Args)]
pub struct Pipeline {
    /// Write the figures here too
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run other change-data-capture systems on the same backlog, in turns with ours (needs ../shared/peers)
    #[arg(long)]
    peer: bool,
    /// A smaller backlog, 15 s live, each once: for a look, not for a claim
    #[arg(long)]
    quick: bool,
    /// Only these sections
    #[arg(long, value_delimiter = ',')]
    only: Vec<Section>,
    /// Measure what was built last, without building
    #[arg(long)]
    no_build: bool,
    /// Keep the folders of the stacks, and say where they are
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Bytes of Overview's first load
    Site,
    /// A backlog to bronze, refine stopped
    Bronze,
    /// A backlog to the read models, every role running
    ReadModels,
    /// Bronze to read models, rows of 21 metrics; chunks after compaction
    Wide,
    /// Latencies at 5,000 rows a second
    Live,
    /// Agent's start to the first event on the page, with a large table waiting for its snapshot
    First,
    /// Overview's time to first byte
    Page,
    /// What others feel of a workspace that sends ten times what its plan allows
    Neighbours,
    /// The same transactions with and without row-level security
    Rls,
    /// Whether the time of an answer tells that an address has an account
    SignIn,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub inserts: u64,
    pub updates: u64,
    pub runs: u32,
    pub live_seconds: u64,
    pub wide_rows: u64,
    pub snapshot_rows: u64,
    pub page_requests: u32,
}

const FULL: Scale = Scale {
    inserts: 700_000,
    updates: 300_000,
    runs: 3,
    live_seconds: 60,
    wide_rows: 1_000_000,
    snapshot_rows: 10_000_000,
    page_requests: 300,
};
const QUICK: Scale = Scale {
    inserts: 140_000,
    updates: 60_000,
    runs: 1,
    live_seconds: 15,
    wide_rows: 200_000,
    snapshot_rows: 1_000_000,
    page_requests: 100,
};

impl Scale {
    pub fn changes(&self) -> u64 {
        self.inserts + self.updates
    }
}

/// What every section is given.
pub struct Context {
    pub paths: Paths,
    pub interrupt: Interrupt,
    pub scale: Scale,
    pub keep: bool,
}

pub fn main(paths: &Paths, args: &Bench) -> Result<()> {
    let What::Pipeline(args) = &args.what;
    let interrupt = Interrupt::listen()?;
    setup::for_stack(paths)?;
    if !args.no_build {
        build::all(paths, Mode::Release)?;
    }
    let scale = if args.quick { QUICK } else { FULL };
    let context = Context { paths: paths.clone(), interrupt, scale, keep: args.keep };
    let load = machine::load();
    let mut figures = Figures::default();
    sections(&context, args, &mut figures)?;

    let machine = bed::machine(&context).unwrap_or_else(|error| format!("unknown machine: {error:#}"));
    println!("\n{machine}; load before {load}{}\n", if args.quick { "; QUICK: not for a claim" } else { "" });
    print!("{}", figures.table());
    if let Some(file) = &args.json {
        fs::write(file, serde_json::to_string_pretty(&figures.json())? + "\n")
            .with_context(|| format!("write {}", file.display()))?;
    }
    context.interrupt.check()?;
    if figures.failed() {
        bail!("some sections could not be measured");
    }
    Ok(())
}

type Measure = fn(&Context, &mut Figures) -> Result<()>;

fn sections(context: &Context, args: &Pipeline, figures: &mut Figures) -> Result<()> {
    let all: [(Section, Measure); 10] = [
        (Section::Site, site::measure),
        (Section::Bronze, if args.peer { peer::measure } else { backlog::to_bronze }),
        (Section::ReadModels, backlog::to_read_models),
        (Section::Wide, wide::measure),
        (Section::Live, live::measure),
        (Section::First, first::measure),
        (Section::Page, page::measure),
        (Section::Neighbours, example::neighbours),
        (Section::Rls, example::rls),
        (Section::SignIn, example::sign_in),
    ];
    for (section, measure) in all {
        if !args.only.is_empty() && !args.only.contains(&section) {
            continue;
        }
        if context.interrupt.came() {
            return Ok(());
        }
        let name = section.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        eprintln!("--------- {name}");
        if let Err(error) = measure(context, figures) {
            figures.fail(&name, &error);
        }
    }
    Ok(())
}
