//! Where things are: the workspace, cargo's target folder (wherever it was put) and what the build makes in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folders every command starts from.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The workspace's root.
    pub root: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR` or what the configuration says.
    pub target: PathBuf,
}

/// Which of the two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Dev,
    Release,
}

impl Mode {
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    /// Cargo's folder for native artefacts.
    pub fn native_dir(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }

    /// The profile of the browser's WASM. `dev` in both worlds, so that build scripts and macros are shared.
    pub fn wasm_profile(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "wasm-release",
        }
    }

    fn wasm_dir(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "wasm-release",
        }
    }
}

impl Paths {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().context("cargo metadata")?;
        Ok(Self { root: metadata.workspace_root.into(), target: metadata.target_directory.into() })
    }

    pub fn join(&self, below_root: impl AsRef<Path>) -> PathBuf {
        self.root.join(below_root)
    }

    /// A binary of ours.
    pub fn bin(&self, mode: Mode, name: &str) -> PathBuf {
        self.target.join(mode.native_dir()).join(name)
    }

    /// What cargo makes of the `frontend` crate.
    pub fn frontend_wasm(&self, mode: Mode) -> PathBuf {
        self.target.join("wasm32-unknown-unknown").join(mode.wasm_dir()).join("clarity_frontend.wasm")
    }

    /// The static files the server hands out. A dev build has its own, so that it never changes a release that runs.
    pub fn site(&self, mode: Mode) -> PathBuf {
        self.target.join(match mode {
            Mode::Dev => "site-dev",
            Mode::Release => "site",
        })
    }

    /// Where a step of the build keeps what it made for the next step.
    pub fn stage(&self, mode: Mode, step: &str) -> PathBuf {
        self.target.join("xtask").join(mode.native_dir()).join(step)
    }

    /// The demo's folder: clusters, certificates, logs.
    pub fn demo(&self) -> PathBuf {
        self.root.join(".clarity")
    }
}
