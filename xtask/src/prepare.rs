//! `cargo xtask prepare`: asks a fresh, migrated Postgres what every query of `crates/store` takes and gives, and writes
//! that to `crates/store/.sqlx`, so that everybody else compiles without a database. `--check` compares.
//!
//! Needs no program of ours to be compiled (their queries may be what is missing) beyond the test kit's clusters:
//! `psql` runs the bootstrap and the migrations.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    paths::{Mode, Paths},
    process::{capture, cargo, run, step},
    setup,
    stack::{Cluster, Purpose, ROLES},
};

const DATABASE: &str = "prepare";
const PASSWORD: &str = "prepare";

#[derive(Debug, Args)]
pub struct Prepare {
    /// Change nothing; fail when what is committed is not what a database says
    #[arg(long)]
    check: bool,
}

pub fn main(paths: &Paths, args: &Prepare) -> Result<()> {
    let committed = paths.join("crates/store/.sqlx");
    let fresh = fresh(paths)?;
    if args.check { compare(&committed, &fresh) } else { replace(&committed, &fresh) }
}

/// What `prepare --check` does.
pub fn check(paths: &Paths) -> Result<()> {
    main(paths, &Prepare { check: true })
}

/// The folder with what a fresh database says.
fn fresh(paths: &Paths) -> Result<PathBuf> {
    setup::postgres()?;
    let mut services = cargo(&paths.root);
    services.args(["build", "-p", "clarity-testkit", "--bin", "clarity-services"]);
    run("compile the clusters' program", &mut services)?;
    let place = paths.stage(Mode::Dev, "prepare-cluster");
    fs::create_dir_all(place.parent().context("the target folder")?)?;
    let up = || Cluster::up(&paths.bin(Mode::Dev, "clarity-services"), &place, Purpose::Platform);
    let cluster = step("a Postgres for the queries", up)?;
    let outcome =
        step("migrate a fresh database", || migrate(paths, &cluster)).and_then(|()| describe(paths, &cluster));
    cluster.down()?;
    outcome
}

fn migrate(paths: &Paths, cluster: &Cluster) -> Result<()> {
    cluster.sql("postgres", &format!("drop database if exists {DATABASE} with (force)"))?;
    let folder = paths.join("migrations");
    let mut roles = cluster.psql("postgres")?;
    for role in ROLES {
        roles.args(["--set", &format!("{role}_password={PASSWORD}")]);
    }
    capture(roles.args(["--quiet", "--file"]).arg(folder.join("bootstrap/roles.sql")))?;
    cluster.sql("postgres", &format!("create database {DATABASE} owner clarity_owner"))?;
    let mut grants = cluster.psql(DATABASE)?;
    grants.args(["--set", &format!("database={DATABASE}"), "--quiet", "--file"]);
    capture(grants.arg(folder.join("bootstrap/database.sql")))?;

    let owner = cluster.as_user("clarity_owner", PASSWORD);
    for file in files(&folder, "sql")? {
        capture(owner.psql(DATABASE)?.args(["--quiet", "--single-transaction", "--file"]).arg(&file))?;
    }
    Ok(())
}

/// Compiles the store against the database; the macros write one file a query.
fn describe(paths: &Paths, cluster: &Cluster) -> Result<PathBuf> {
    let fresh = paths.stage(Mode::Dev, "sqlx");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    // The macros run again only where the crate is compiled again.
    let source = paths.join("crates/store/src/lib.rs");
    fs::File::options().append(true).open(&source)?.set_modified(std::time::SystemTime::now())?;
    let mut check = cargo(&paths.root);
    check.args(["check", "-p", "clarity-store"]);
    check.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", &fresh).env("DATABASE_URL", cluster.url(DATABASE));
    run("ask the database about every query", &mut check)?;
    Ok(fresh)
}

fn compare(committed: &Path, fresh: &Path) -> Result<()> {
    let (old, new) = (contents(committed)?, contents(fresh)?);
    let changed = new.iter().filter(|(name, text)| old.get(*name) != Some(text)).count();
    let unused = old.keys().filter(|name| !new.contains_key(*name)).count();
    if changed + unused > 0 {
        bail!(
            "crates/store/.sqlx is out of date: {changed} queries new or changed, {unused} no longer used. Run `cargo xtask prepare` and commit the result"
        );
    }
    eprintln!("          {} queries, all as committed", new.len());
    Ok(())
}

fn replace(committed: &Path, fresh: &Path) -> Result<()> {
    let new = contents(fresh)?;
    if committed.exists() {
        fs::remove_dir_all(committed)?;
    }
    fs::create_dir_all(committed)?;
    for (name, text) in &new {
        fs::write(committed.join(name), text)?;
    }
    eprintln!("          {} queries written to crates/store/.sqlx", new.len());
    Ok(())
}

fn contents(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for file in files(dir, "json")? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        all.insert(name, fs::read_to_string(&file)?);
    }
    Ok(all)
}

/// The files with this ending, by name; none where there is no folder.
fn files(dir: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut found: Vec<PathBuf> = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    found.retain(|file| file.extension().is_some_and(|found| found == ending));
    found.sort();
    Ok(found)
}
