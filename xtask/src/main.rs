//! `cargo xtask …`: builds, runs, tests and measures the product. Imports none of its crates: it starts its programs,
//! as an operator would.

use clap::{Parser, Subcommand};

mod build;
mod paths;
mod process;
mod setup;
mod stamp;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Clarity Stream")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile everything: the browser's WASM, the static files, the native programs
    Build(build::Build),
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let done = paths::Paths::find().and_then(|paths| match cli.command {
        Command::Build(args) => build::main(&paths, &args),
    });
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
