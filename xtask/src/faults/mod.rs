//! `cargo xtask test faults`: processes are killed, frozen, cut off and set back while a plant writes, and afterwards
//! every change is in bronze exactly once, bronze folds to the customer's tables, and read models equal a rebuild.
//!
//! The oracle is `clarity-ledger`, which shares no code with what it judges. Each scenario has a stack of its own. A
//! kill that interrupted nothing proves nothing, so each is looked at: `bit` counts those that fell inside a batch.

mod another_clock;
mod bed;
mod evidence;
mod hold;
mod kills;
mod outcome;
mod relay;
mod scenarios;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    build, isolation,
    paths::{Mode, Paths},
    process::seconds,
    setup,
    stack::Interrupt,
};
use outcome::{Outcome, Summary};

#[derive(Debug, Args)]
pub struct Test {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Kill, freeze, cut off and set back processes while a plant writes, then compare everything
    Faults(Faults),
    /// Try to reach another workspace's rows as every role, by every way that SQL has
    Isolation(isolation::Isolation),
}

/// `cargo xtask test`: all that must hold, or this part alone.
pub fn test(paths: &Paths, args: &Test) -> Result<()> {
    match &args.what {
        None => crate::test::main(paths),
        Some(What::Faults(faults)) => main(paths, faults),
        Some(What::Isolation(args)) => isolation::main(paths, args),
    }
}

#[derive(Debug, Args)]
pub struct Faults {
    /// Kills of each process
    #[arg(long, default_value_t = 20)]
    reps: u32,
    /// Write the figures here too
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only these
    #[arg(long, value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// Only these are killed
    #[arg(long, value_delimiter = ',')]
    target: Vec<kills::Target>,
    /// Rows of telemetry a second
    #[arg(long, default_value_t = 2_000)]
    rate: u32,
    /// Makes the same pauses and choices again
    #[arg(long)]
    seed: Option<u64>,
    /// The way to bronze alone: refine is not started, read models are not compared
    #[arg(long)]
    bronze_only: bool,
    /// A dev build in place of the release
    #[arg(long)]
    dev: bool,
    /// Take what was built last, without building
    #[arg(long)]
    no_build: bool,
    /// Keep the folders of the stacks, and say where they are
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// kill -9 of agent, ingest, refine and the platform's Postgres
    Kills,
    /// The way to ingest goes silent without closing
    HalfOpen,
    /// The agent's disk is set back to an older copy
    AgentRestored,
    /// The platform's database is set back to an older copy
    PlatformRestored,
    /// Rows larger than an event may be, streamed and in the snapshot
    TooLarge,
    /// Ingest is away until the agent's spool is full
    SpoolBound,
    /// A machine whose clock is two hours ahead
    ClockAhead,
    /// An agent whose clock is two hours ahead, then behind
    AgentClock,
    /// A batch whose answer is lost just before midnight
    Midnight,
}

/// What every scenario needs.
pub struct Context {
    pub paths: Paths,
    pub mode: Mode,
    pub interrupt: Interrupt,
    pub reps: u32,
    pub rate: u32,
    pub seed: u64,
    pub targets: Vec<kills::Target>,
    pub bronze_only: bool,
    pub keep: bool,
}

/// Two kills of each and the scenarios that take least, on release programs that are there: for a run that must end soon.
pub fn quick(paths: &Paths) -> Result<()> {
    let args = Faults {
        reps: 2,
        json: None,
        scenario: vec![Scenario::Kills, Scenario::AgentRestored, Scenario::AgentClock],
        target: Vec::new(),
        rate: 1_000,
        seed: None,
        bronze_only: false,
        dev: false,
        no_build: true,
        keep: false,
    };
    main(paths, &args)
}

pub fn main(paths: &Paths, args: &Faults) -> Result<()> {
    let mode = Mode::of(!args.dev);
    let interrupt = Interrupt::listen()?;
    setup::for_stack(paths)?;
    if !args.no_build {
        build::programs(paths, mode)?;
    }
    let seed = match args.seed {
        Some(seed) => seed,
        None => new_seed()?,
    };
    eprintln!("          seed {seed}");
    let all = Scenario::value_variants();
    let mut targets = args.target.clone();
    if targets.is_empty() {
        targets = kills::Target::value_variants().to_vec();
    }
    targets.retain(|target| !(args.bronze_only && *target == kills::Target::Refine));
    let context = Context {
        paths: paths.clone(),
        mode,
        interrupt,
        reps: args.reps,
        rate: args.rate,
        seed,
        targets,
        bronze_only: args.bronze_only,
        keep: args.keep,
    };
    let mut outcomes = Vec::new();
    for scenario in all.iter().filter(|s| args.scenario.is_empty() || args.scenario.contains(s)) {
        let name = scenario.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
        eprintln!("\n== {name}");
        let started = std::time::Instant::now();
        let outcome = match run(&context, *scenario, &name) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::failed(&name, &error),
        };
        eprintln!("{:>10}  {}", seconds(started.elapsed()), outcome.line());
        outcomes.push(outcome);
        context.interrupt.check()?;
    }
    let summary = Summary::of(seed, args.reps, outcomes);
    summary.print();
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&summary)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !summary.passed {
        bail!("the fault test failed; the seed was {seed}");
    }
    Ok(())
}

fn run(context: &Context, scenario: Scenario, name: &str) -> Result<Outcome> {
    match scenario {
        Scenario::Kills => kills::run(context, name),
        Scenario::HalfOpen => scenarios::half_open::run(context, name),
        Scenario::AgentRestored => scenarios::agent_restored::run(context, name),
        Scenario::PlatformRestored => scenarios::platform_restored::run(context, name),
        Scenario::TooLarge => scenarios::too_large::run(context, name),
        Scenario::SpoolBound => scenarios::spool_bound::run(context, name),
        Scenario::ClockAhead => scenarios::clock_ahead::run(context, name),
        Scenario::AgentClock => scenarios::agent_clock::run(context, name),
        Scenario::Midnight => scenarios::midnight::run(context, name),
    }
}

fn new_seed() -> Result<u64> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)?;
    Ok(u64::from(u32::from_le_bytes(bytes)))
}
