//! What a fresh machine lacks, installed when a command needs it, each with its package and the reason.
//!
//! System packages come from apt, as root or through sudo; elsewhere the message says what to install. The cluster that
//! Debian would make and start beside the Postgres programs is switched off first: ours are private.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    paths::Paths,
    process::{capture, clean, on_path, run},
    stamp::Stamp,
};

const OLDEST_POSTGRES: u32 = 15;
const OLDEST_NODE: u32 = 18;

/// Compile and bundle.
pub fn for_build(paths: &Paths) -> Result<()> {
    wasm_target(paths)?;
    node()?;
    npm(paths, "frontend", "wasm-opt, esbuild, the chart library and the fonts")
}

/// Run a stack.
pub fn for_stack(paths: &Paths) -> Result<()> {
    postgres()?;
    for_build(paths)
}

/// Run the end-to-end tests. Gives Chromium's path.
pub fn for_browser(paths: &Paths) -> Result<PathBuf> {
    npm(paths, "end2end", "the end-to-end tests")?;
    let known = || ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(which);
    if known().is_none() {
        apt(&["chromium"], "the end-to-end tests run in a real browser")?;
    }
    known().context("Chromium is not there: install the package chromium")
}

/// The server programs, 15 or newer.
pub fn postgres() -> Result<()> {
    if newest_postgres().is_none() {
        let config = Path::new("/etc/postgresql-common/createcluster.conf");
        if !config.exists() {
            let line =
                format!("mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > {}", config.display());
            let mut shell = privileged("sh")?;
            run("no cluster of Debian's own", shell.args(["-c", &line]))?;
        }
        apt(
            &["postgresql", "postgresql-contrib"],
            "the platform and the customer's database are private Postgres clusters",
        )?;
    }
    match newest_postgres() {
        Some(_) => Ok(()),
        None => {
            bail!("no Postgres server of version {OLDEST_POSTGRES} or newer below /usr/lib/postgresql: install one")
        }
    }
}

/// The client that came with the server programs.
pub fn psql() -> Result<PathBuf> {
    let beside = newest_postgres().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/psql")));
    beside
        .filter(|file| file.is_file())
        .or_else(|| which("psql"))
        .context("psql is not there: install the package postgresql")
}

fn newest_postgres() -> Option<u32> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .flatten()
        .filter(|entry| entry.path().join("bin/initdb").exists())
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .filter(|version| *version >= OLDEST_POSTGRES)
        .max()
}

fn wasm_target(paths: &Paths) -> Result<()> {
    let sysroot = capture(clean(Command::new("rustc")).current_dir(&paths.root).args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown").exists() {
        return Ok(());
    }
    if !on_path("rustup") {
        bail!("the compiler has no target wasm32-unknown-unknown and there is no rustup to add it");
    }
    let mut rustup = clean(Command::new("rustup"));
    rustup.current_dir(&paths.root).args(["target", "add", "wasm32-unknown-unknown"]);
    run("add the compiler's target for the browser", &mut rustup)
}

fn node() -> Result<()> {
    if !on_path("node") || !on_path("npm") {
        apt(&["nodejs", "npm"], "the browser's scripts, styles and fonts are bundled with Node")?;
    }
    let version = capture(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("Node {} is too old: {OLDEST_NODE} or newer is needed", version.trim());
    }
    Ok(())
}

/// `npm ci` in a folder of ours, when its lock file changed.
fn npm(paths: &Paths, folder: &str, reason: &str) -> Result<()> {
    let dir = paths.join(folder);
    let modules = dir.join("node_modules");
    let stamp = Stamp::of("npm", [dir.join("package-lock.json")])?;
    if stamp.is_at(&modules) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&dir).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(&format!("npm packages of {folder}/: {reason}"), &mut npm)?;
    stamp.put(&modules)
}

fn apt(packages: &[&str], reason: &str) -> Result<()> {
    let names = packages.join(" ");
    if !on_path("apt-get") {
        bail!("missing: {names} ({reason}). This system has no apt-get: install them its own way and run this again");
    }
    eprintln!("          missing: {names} ({reason})");
    let mut update = privileged("apt-get")?;
    run("package lists", update.args(["update", "-qq"]))?;
    let mut install = privileged("apt-get")?;
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "-y", "-qq", "--no-install-recommends"]);
    run(&format!("install {names}"), install.args(packages))
}

/// A program as root: at once when we are root, else through sudo.
fn privileged(program: &str) -> Result<Command> {
    if rustix::process::geteuid().is_root() {
        Ok(Command::new(program))
    } else if on_path("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", program]);
        Ok(sudo)
    } else {
        bail!("a system package is missing and neither root nor sudo is at hand to install it (see above for its name)")
    }
}

fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
