//! `cargo xtask check-deps`: who may import whom (guarded). The rule is in `rule.rs`; here it meets the real graph, as
//! cargo tells it.

mod rule;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::{
    paths::Paths,
    process::{capture, cargo},
};
use rule::{Edge, NOT_IN_THE_BROWSER, violations};

pub fn check(paths: &Paths) -> Result<()> {
    let mut found = violations(&edges(paths)?);
    let browser = browser_graph(paths)?;
    for name in NOT_IN_THE_BROWSER {
        if browser.contains(name) {
            found.push(format!("the browser's WASM holds {name}: cargo tree -p clarity-frontend --target wasm32-unknown-unknown -i {name}"));
        }
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// Every dependency that a crate of ours names.
fn edges(paths: &Paths) -> Result<Vec<Edge>> {
    let metadata = MetadataCommand::new().manifest_path(paths.join("Cargo.toml")).no_deps().exec()?;
    let mut edges = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            edges.push(Edge {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                dev: dependency.kind == DependencyKind::Development,
                optional: dependency.optional,
            });
        }
    }
    Ok(edges)
}

/// The names of all crates that end up in the WASM.
fn browser_graph(paths: &Paths) -> Result<BTreeSet<String>> {
    let mut tree = cargo(&paths.root);
    tree.args([
        "tree",
        "-p",
        "clarity-frontend",
        "--target",
        "wasm32-unknown-unknown",
        "--edges",
        "normal,no-proc-macro",
    ]);
    tree.args(["--prefix", "none", "--format", "{p}"]);
    let listed = capture(&mut tree)?;
    Ok(listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_the_rule() {
        check(&Paths::find().unwrap()).unwrap();
    }

    #[test]
    fn the_browser_graph_is_really_read() {
        let browser = browser_graph(&Paths::find().unwrap()).unwrap();
        assert!(browser.contains("wasm-bindgen") && browser.contains("clarity-app"), "{browser:?}");
    }
}
