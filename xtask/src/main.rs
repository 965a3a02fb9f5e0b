//! The command line of `cargo xtask`.

use clap::{Parser, Subcommand};
use xtask::{bench, build, demo, deps, dev, e2e, faults, paths, prepare, sbom, services};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Clarity Stream")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing, build, and run the whole product with a plant that writes live data
    Demo(demo::Demo),
    /// Everything that must hold: format, clippy, dependency rule, queries, tests, end to end
    Test(faults::Test),
    /// Compile everything: the browser's WASM, the static files, the native programs
    Build(build::Build),
    /// Run everything from a dev build; rebuild and restart when a source changes
    Dev(dev::Dev),
    /// Journeys in a real Chromium against release processes
    E2e(e2e::EndToEnd),
    /// Write what a database says about every query, so that others compile without one
    Prepare(prepare::Prepare),
    /// The demo's Postgres clusters alone
    Services(services::Services),
    /// Measure the product as its users meet it
    Bench(bench::Bench),
    /// Who imports whom
    CheckDeps,
    /// All libraries of others as a CycloneDX file
    Sbom(sbom::Sbom),
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let done = paths::Paths::find().and_then(|paths| match cli.command {
        Command::Demo(args) => demo::main(&paths, &args),
        Command::Test(args) => faults::test(&paths, &args),
        Command::Build(args) => build::main(&paths, &args),
        Command::Dev(args) => dev::main(&paths, &args),
        Command::E2e(args) => e2e::main(&paths, &args),
        Command::Prepare(args) => prepare::main(&paths, &args),
        Command::Services(args) => services::main(&paths, &args),
        Command::Bench(args) => bench::main(&paths, &args),
        Command::CheckDeps => deps::check(&paths),
        Command::Sbom(args) => sbom::main(&paths, &args),
    });
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
