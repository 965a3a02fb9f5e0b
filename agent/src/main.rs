//! The agent's binary.

use clap::Parser;
use clarity_agent::commands::{Cli, run};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    clarity_runtime::install_tls_provider();
    clarity_runtime::telemetry::start();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(cli));
            // A disk or name server that hangs must not hold the process.
            runtime.shutdown_timeout(std::time::Duration::from_millis(500));
            code
        }
        Err(error) => {
            eprintln!("clarity-agent: the runtime could not start: {error}");
            ExitCode::FAILURE
        }
    }
}
