//! The scripts of `bench/`: what a browser or a proxy would do, done by Node, signed in with the owner's login.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bed::{Bed, EMAIL};

/// A script that writes lines of JSON. Ended when it is dropped.
#[derive(Debug)]
pub struct Script {
    name: String,
    node: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Script {
    pub fn start(bed: &Bed<'_>, name: &str, args: &[String], env: &[(&str, String)]) -> Result<Self> {
        let file = bed.script_file(name);
        let mut node = Command::new("node");
        node.arg(&file).args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        node.env("BENCH_URL", bed.stack.web_url()).env("BENCH_WORKSPACE", &bed.workspace.slug);
        node.env("BENCH_EMAIL", EMAIL).env("BENCH_PASSWORD", &bed.stack.secrets.person_password);
        node.envs(env.iter().map(|(name, value)| (name, value)));
        let mut node = node.spawn().context("start node")?;
        let lines = BufReader::new(node.stdout.take().context("the script's output")?).lines();
        Ok(Self { name: name.to_owned(), node, lines })
    }

    /// The next line; an error when the script has ended.
    pub fn line<T: DeserializeOwned>(&mut self) -> Result<T> {
        match self.lines.next() {
            Some(line) => serde_json::from_str(&line?).with_context(|| format!("a line of {}", self.name)),
            None => bail!("bench/{} ended with {}", self.name, self.node.wait()?),
        }
    }

    /// All lines up to its end, which must be a good one.
    pub fn rest(mut self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for line in self.lines.by_ref() {
            all.push(serde_json::from_str(&line?).with_context(|| format!("a line of {}", self.name))?);
        }
        let status = self.node.wait()?;
        if !status.success() {
            bail!("bench/{} ended with {status}", self.name);
        }
        Ok(all)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}
