//! Where the product opens connections and where it writes its logs, compared with docs/security/operations.md: what is
//! talked to stands there with the file that does it, and a file that begins to talk has to be named.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;

const PAGE: &str = "docs/security/operations.md";
/// Our code that runs in production.
const ROOTS: [&str; 9] = [
    "agent/src",
    "app/src",
    "server/src",
    "workers/src",
    "crates/domain/src",
    "crates/runtime/src",
    "crates/service/src",
    "crates/store/src",
    "crates/wire/src",
];
/// How a connection is opened with the libraries that we have.
const OPENERS: [&str; 8] = [
    "TcpStream::connect",
    "connect_with(",
    "pg.connect(",
    "reqwest::Client",
    "AsyncSmtpTransport",
    "TokioResolver",
    "UdpSocket",
    ".connect().await",
];
/// Where logging is set up.
const LOGGER: &str = "crates/runtime/src/telemetry.rs";
/// Libraries that would carry a log somewhere else.
const CARRIERS: [&str; 5] = ["tracing-appender", "opentelemetry", "syslog", "tracing-journald", "sentry"];

pub fn check(paths: &Paths) -> Result<()> {
    let files = files(paths)?;
    let page = fs::read_to_string(paths.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let lock = fs::read_to_string(paths.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let mut found = unnamed(&page, &files);
    found.extend(other_logs(&files, &lock));
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// Path and text, up to its tests, of every file of ours.
fn files(paths: &Paths) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ROOTS.iter().map(|root| paths.join(root)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_ours(&path) {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                let name = path.strip_prefix(&paths.root).unwrap_or(&path);
                found.push((name.to_string_lossy().into_owned(), code));
            }
        }
    }
    Ok(found)
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".rs") && !name.ends_with("tests.rs")
}

/// Files that open connections and are not on the page, and such as are there for nothing.
fn unnamed(page: &str, files: &[(String, String)]) -> Vec<String> {
    let opens = |code: &str| OPENERS.iter().any(|opener| code.contains(opener));
    let opening: BTreeSet<&str> = files.iter().filter(|(_, code)| opens(code)).map(|(name, _)| name.as_str()).collect();
    let below = page.split_once("\n## Where connections are opened\n").map_or("", |(_, below)| below);
    let section = below.split("\n## ").next().unwrap_or_default();
    let named: BTreeSet<&str> = section.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs")).collect();
    let more = opening.difference(&named).map(|name| format!("{name} opens connections, and {PAGE} does not say so"));
    let less = named.difference(&opening).map(|name| format!("{PAGE} says that {name} opens connections: it does not"));
    more.chain(less).collect()
}

/// Ways for a log to go anywhere but to stderr.
fn other_logs(files: &[(String, String)], lock: &str) -> Vec<String> {
    let sets_up = |code: &str| code.contains("tracing_subscriber");
    let elsewhere = files.iter().filter(|(name, code)| name != LOGGER && sets_up(code));
    let mut found: Vec<String> = elsewhere.map(|(name, _)| format!("{name} sets up a log: {LOGGER} does")).collect();
    if !files.iter().any(|(name, code)| name == LOGGER && sets_up(code)) {
        found.push(format!("{LOGGER} sets up no log"));
    }
    let carriers = CARRIERS.iter().filter(|carrier| lock.contains(&format!("name = \"{carrier}\"")));
    found.extend(carriers.map(|carrier| format!("{carrier} could carry a log elsewhere: docs/security/logs.md")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_is_talked_to_and_logs_go_nowhere_else() {
        let paths = Paths::find().unwrap();
        assert!(files(&paths).unwrap().len() > 300, "the code was really read");
        check(&paths).unwrap();
    }

    #[test]
    fn a_file_that_begins_to_talk_is_found() {
        let file = |name: &str, code: &str| (name.to_owned(), code.to_owned());
        let page = "# Page\n\n## Where connections are opened\n\n| `a.rs` | there |\n\n## More\n\n`b.rs`\n";
        let talks = file("a.rs", "let tcp = TcpStream::connect(at).await?;");
        assert_eq!(unnamed(page, std::slice::from_ref(&talks)), Vec::<String>::new());
        assert_eq!(unnamed(page, &[talks, file("b.rs", "reqwest::Client::new()")]).len(), 1);
        assert_eq!(unnamed(page, &[file("a.rs", "nothing")]).len(), 1);
    }

    #[test]
    fn a_log_that_goes_elsewhere_is_found() {
        let logger = (LOGGER.to_owned(), "tracing_subscriber::fmt()".to_owned());
        let other = ("a.rs".to_owned(), "tracing_subscriber::fmt()".to_owned());
        assert_eq!(other_logs(std::slice::from_ref(&logger), ""), Vec::<String>::new());
        assert_eq!(other_logs(&[logger.clone(), other], "").len(), 1);
        assert_eq!(other_logs(&[], "").len(), 1);
        assert_eq!(other_logs(&[logger], "name = \"sentry\"\n").len(), 1);
    }
}
