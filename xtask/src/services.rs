//! `cargo xtask services up|down`: the demo's Postgres clusters without the demo, for working on the product with
//! one's own tools.

use std::{fs, path::Path, process::Command};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{
    paths::{Mode, Paths},
    process::{capture, cargo, run},
    setup,
    stack::{Cluster, Purpose},
};

#[derive(Debug, Args)]
pub struct Services {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the platform's and the customer's cluster, print how to reach them
    Up,
    /// Stop them; their data stays
    Down,
}

const CLUSTERS: [(&str, Purpose); 2] = [("platform", Purpose::Platform), ("customer", Purpose::Customer)];

pub fn main(paths: &Paths, args: &Services) -> Result<()> {
    setup::postgres()?;
    let mut build = cargo(&paths.root);
    build.args(["build", "-p", "clarity-testkit", "--bin", "clarity-services"]);
    run("compile the clusters' program", &mut build)?;
    let program = paths.bin(Mode::Dev, "clarity-services");
    fs::create_dir_all(paths.demo())?;
    for (name, purpose) in CLUSTERS {
        let dir = paths.demo().join(name);
        match args.verb {
            Verb::Up => {
                let cluster = Cluster::up(&program, &dir, purpose)?;
                let database = cluster.database.as_deref().unwrap_or("postgres");
                println!("{name:<10} {}", cluster.url(database));
            }
            Verb::Down => drop(capture(Command::new(&program).args(["down", "--dir"]).arg(&dir))?),
        }
    }
    Ok(())
}

/// Deletes a stack's folder with its clusters. A run that was killed may have left them running.
pub fn remove_stack(paths: &Paths, mode: Mode, dir: &Path) -> Result<()> {
    for (name, _) in CLUSTERS {
        down_and_remove(paths, mode, &dir.join(name))?;
    }
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    Ok(())
}

/// Stops a cluster, wherever it really lies, and deletes its data.
pub fn down_and_remove(paths: &Paths, mode: Mode, cluster: &Path) -> Result<()> {
    let mut down = Command::new(paths.bin(mode, "clarity-services"));
    capture(down.args(["down", "--remove", "--dir"]).arg(cluster)).map(drop)
}
