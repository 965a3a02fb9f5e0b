//! `cargo xtask build`: the browser's WASM, the static files, then the native programs.
//!
//! Cargo knows what it has to compile again; the steps after it (cut, wasm-bindgen, wasm-opt, the static files) keep a
//! stamp of what went in, so a second run takes seconds. The frontend is never built in one cargo call with the rest:
//! features would unify.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{
    paths::{Mode, Paths},
    process::{cargo, run},
    setup,
    stamp::Stamp,
    wasm,
};

const PROGRAMS: [&str; 4] = ["clarity-server", "clarity-workers", "clarity-agent", "clarity-testkit"];

#[derive(Debug, Args)]
pub struct Build {
    /// Optimised, as the demo, the end-to-end tests and the benchmarks use it
    #[arg(long)]
    release: bool,
    /// Only the browser's part: WASM, styles, charts, fonts
    #[arg(long)]
    site: bool,
}

pub fn main(paths: &Paths, args: &Build) -> Result<()> {
    let mode = Mode::of(args.release);
    setup::for_build(paths)?;
    site(paths, mode)?;
    if !args.site {
        programs(paths, mode)?;
    }
    Ok(())
}

/// Everything a stack needs.
pub fn all(paths: &Paths, mode: Mode) -> Result<()> {
    site(paths, mode)?;
    programs(paths, mode)
}

/// The static files.
pub fn site(paths: &Paths, mode: Mode) -> Result<()> {
    let mut wasm = cargo(&paths.root);
    wasm.args(["rustc", "-p", "clarity-frontend", "--target", "wasm32-unknown-unknown"]);
    wasm.args(["--profile", mode.wasm_profile()]);
    // Where the code can be cut is read from its relocations.
    wasm.args(["--", "-C", "link-arg=--emit-relocs"]);
    run("compile the browser's WASM", &mut wasm)?;

    let pkg = paths.stage(mode, "pkg");
    let wasm = paths.frontend_wasm(mode);
    let stamp = Stamp::of("bindgen", [&wasm])?;
    if !stamp.is_at(&pkg) {
        wasm::package(paths, &wasm, &pkg, mode)?;
        stamp.put(&pkg)?;
    }

    let front = paths.join("frontend");
    let inputs = [
        pkg.clone(),
        paths.join("style"),
        front.join("build.mjs"),
        front.join("js"),
        front.join("public"),
        front.join("package-lock.json"),
    ];
    let stamp = Stamp::of(mode.native_dir(), &inputs)?;
    let staged = paths.stage(mode, "site");
    if !stamp.is_at(&staged) || !paths.site(mode).join("assets.json").exists() {
        let mut node = Command::new("node");
        node.arg(front.join("build.mjs")).arg("--pkg").arg(&pkg).arg("--site").arg(paths.site(mode));
        if mode == Mode::Release {
            node.arg("--release");
        }
        run("static files: scripts, styles, fonts, compressed", &mut node)?;
        stamp.put(&staged)?;
    }
    Ok(())
}

/// Server, workers, agent, and the test kit's plant and clusters, in one cargo call.
pub fn programs(paths: &Paths, mode: Mode) -> Result<()> {
    let mut native = cargo(&paths.root);
    native.arg("build");
    for name in PROGRAMS {
        native.args(["-p", name]);
    }
    if mode == Mode::Release {
        native.arg("--release");
    }
    run("compile server, workers, agent and plant", &mut native)
}
