//! `cargo xtask sbom`: all libraries that we are built of, as a CycloneDX file: name, version, hash, where from, and which
//! crate needs which.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    libraries::{self, Package},
    paths::Paths,
};

#[derive(Debug, Args)]
pub struct Sbom {
    /// Where it is written; without it to target/sbom.cdx.json.
    #[arg(long)]
    output: Option<PathBuf>,
}

pub fn main(paths: &Paths, args: &Sbom) -> Result<()> {
    libraries::check(paths)?;
    let (crates, npm) = libraries::all(paths)?;
    let file = args.output.clone().unwrap_or_else(|| paths.target.join("sbom.cdx.json"));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    let text = serde_json::to_string_pretty(&describe(&crates, &npm))?;
    fs::write(&file, text + "\n").with_context(|| format!("write {}", file.display()))?;
    println!("{} crates and {} npm packages: {}", crates.len(), npm.len(), file.display());
    Ok(())
}

/// The same for the same lock files: it holds no time and no number of its own.
fn describe(crates: &[Package], npm: &[Package]) -> Value {
    let mut components = BTreeMap::new();
    for package in crates {
        components.insert(of_crate(package), component(package, "required", of_crate(package), "SHA-256"));
    }
    // What npm installs builds the site and drives the journeys; of it the fonts and the chart library are served.
    for package in npm {
        components.insert(of_npm(package), component(package, "optional", of_npm(package), "SHA-512"));
    }
    let dependencies: Vec<Value> = crates
        .iter()
        .map(|package| {
            let needed = crates.iter().filter(|other| package.needs.contains(&other.name)).map(of_crate);
            json!({ "ref": of_crate(package), "dependsOn": needed.collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "name": "clarity-stream", "version": env!("CARGO_PKG_VERSION"),
        } },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
    })
}

fn component(package: &Package, scope: &str, purl: String, algorithm: &str) -> Value {
    let hash = package.hash.as_deref().unwrap_or_default();
    let hash = match hash.strip_prefix("sha512-") {
        Some(text) => STANDARD.decode(text).map(hex::encode).unwrap_or_default(),
        None => hash.to_owned(),
    };
    json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "scope": scope,
        "purl": purl,
        "hashes": [{ "alg": algorithm, "content": hash }],
    })
}

fn of_crate(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn of_npm(package: &Package) -> String {
    format!("pkg:npm/{}@{}", package.name.replacen('@', "%40", 1), package.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_of_the_lock_files_is_in_it() {
        let (crates, npm) = libraries::all(&Paths::find().unwrap()).unwrap();
        let bom = describe(&crates, &npm);
        let components = bom["components"].as_array().unwrap();
        let known: Vec<&str> = components.iter().filter_map(|component| component["purl"].as_str()).collect();
        for package in &crates {
            assert!(known.contains(&of_crate(package).as_str()), "{package:?}");
        }
        for package in &npm {
            assert!(known.contains(&of_npm(package).as_str()), "{package:?}");
        }
        for component in components {
            let hash = component["hashes"][0]["content"].as_str().unwrap();
            let expected = if component["hashes"][0]["alg"] == "SHA-256" { 64 } else { 128 };
            assert_eq!(hash.len(), expected, "{component}");
        }
        assert_eq!(bom["dependencies"].as_array().unwrap().len(), crates.len());
        assert_eq!(bom["bomFormat"], "CycloneDX");
    }

    #[test]
    fn a_package_is_named_as_others_know_it() {
        let package = |name: &str| Package {
            name: name.into(),
            version: "1.2.3".into(),
            source: None,
            hash: None,
            needs: Vec::new(),
        };
        assert_eq!(of_crate(&package("sha2")), "pkg:cargo/sha2@1.2.3");
        assert_eq!(of_npm(&package("@axe-core/playwright")), "pkg:npm/%40axe-core/playwright@1.2.3");
    }
}
