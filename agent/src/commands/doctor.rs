//! `doctor`: checks everything and prints a line each, with the fix.

use crate::doctor::examine;
use crate::identity::StateDir;
use crate::sources::Outcome;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the checks as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the checks; true when none failed.
pub async fn run(dir: &StateDir, args: &Args) -> Result<bool> {
    let checks = Box::pin(examine(dir)).await;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        for check in &checks {
            let outcome = match check.outcome {
                Outcome::Passed => "passed   ",
                Outcome::Attention => "attention",
                Outcome::Failed => "failed   ",
            };
            println!("{outcome}  {}: {}", check.name, check.detail);
            if let Some(fix) = &check.fix {
                println!("           {}", fix.replace('\n', "\n           "));
            }
        }
    }
    Ok(checks.iter().all(|c| c.outcome != Outcome::Failed))
}
