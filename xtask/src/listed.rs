//! Pages of docs/security/ that have to name all there is of a kind, and nothing that is not: the tables of the schema in
//! their classes, the acts of the audit log, the libraries that do cryptography and who brings the old hash functions along.
//! So nobody adds one without saying how it is to be treated.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, bail};

use crate::{libraries, paths::Paths};

const DATA: &str = "docs/security/data.md";
const LOGS: &str = "docs/security/logs.md";
const CRYPTOGRAPHY: &str = "docs/security/cryptography.md";

pub fn check(paths: &Paths) -> Result<()> {
    let read = |file: &str| fs::read_to_string(paths.join(file)).with_context(|| format!("cannot read {file}"));
    let (data, logs, cryptography) = (read(DATA)?, read(LOGS)?, read(CRYPTOGRAPHY)?);
    let lock = libraries::read_cargo(&read("Cargo.lock")?);
    let tables = tables(&read("crates/store/tests/it/catalogue/surface.txt")?);
    let acts = acts(&read("crates/domain/src/audit.rs")?);
    let cryptographic = libraries::cryptographic(&lock);
    let mut found = differences(DATA, "Tables", &data, &tables);
    found.extend(differences(LOGS, "Acts of the audit log", &logs, &acts));
    found.extend(differences(CRYPTOGRAPHY, "Libraries that do cryptography", &cryptography, &cryptographic));
    found.extend(old_hashes(&cryptography, &lock));
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for each name that the section of the page lacks, has twice, or has for nothing.
fn differences(page: &str, heading: &str, text: &str, there: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = BTreeSet::new();
    for name in quoted(section(text, heading)) {
        if !there.contains(name) {
            found.push(format!("{page}, {heading}: `{name}` is not there any more"));
        }
        if !named.insert(name.to_owned()) {
            found.push(format!("{page}, {heading}: `{name}` is named twice"));
        }
    }
    found.extend(there.difference(&named).map(|name| format!("{page}, {heading}: `{name}` is missing")));
    if there.is_empty() {
        found.push(format!("{page}, {heading}: nothing was found to compare it with"));
    }
    found
}

/// The lines below `## heading`, up to the next.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let below = text.split("\n## ").skip(1).find_map(|part| part.strip_prefix(heading)?.strip_prefix('\n'));
    below.unwrap_or_default()
}

/// What stands between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Ordinary and partitioned tables, of the catalogue's golden file.
fn tables(surface: &str) -> BTreeSet<String> {
    let relations = surface.lines().filter_map(|line| line.strip_prefix("relation "));
    let kept = relations.filter_map(|line| line.split_once(" (")).filter(|(_, rest)| rest.starts_with(['r', 'p']));
    kept.map(|(name, _)| name.to_owned()).collect()
}

/// The keys of `acts! { Name "noun.verb" "Words"; }`.
fn acts(source: &str) -> BTreeSet<String> {
    let list = source.split_once("\nacts! {").map_or("", |(_, after)| after.split("\n}").next().unwrap_or_default());
    list.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

/// Rows "function | `library` | `who`, `needs`, `it` | why" that are not as the lock file has them.
fn old_hashes(page: &str, lock: &[libraries::Package]) -> Vec<String> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for row in section(page, "Old hash functions").lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, library, who, why] = cells[..] else { continue };
        let Some(library) = quoted(library).next() else { continue };
        told.insert(library.to_owned());
        let who: BTreeSet<String> = quoted(who).map(str::to_owned).collect();
        let needing = libraries::needing(lock, library);
        if who != needing {
            found.push(format!("{CRYPTOGRAPHY}: {library} is needed by {needing:?}, and the page says {who:?}"));
        }
        if why.is_empty() {
            found.push(format!("{CRYPTOGRAPHY}: why there is {library} is not said"));
        }
    }
    let there: BTreeSet<String> = libraries::old_hashes(lock);
    found
        .extend(there.difference(&told).map(|name| format!("{CRYPTOGRAPHY}, Old hash functions: `{name}` is missing")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_name_all_there_is() {
        check(&Paths::find().unwrap()).unwrap();
    }

    #[test]
    fn a_new_table_act_or_library_has_to_be_named() {
        let tables = tables("relation things (r) of x\nrelation parts (p) of x\nrelation shown (v) of x\nindex: y\n");
        assert_eq!(tables, BTreeSet::from(["parts".to_owned(), "things".to_owned()]));
        let page = |names: &str| format!("# Page\n\n## Tables\n\n| a | {names} |\n\n## More\n\n`other`\n");
        assert_eq!(differences("page", "Tables", &page("`things`, `parts`"), &tables), Vec::<String>::new());
        for (names, words) in [
            ("`things`", "`parts` is missing"),
            ("`things`, `parts`, `gone`", "`gone` is not there any more"),
            ("`things`, `parts`, `things`", "`things` is named twice"),
        ] {
            let found = differences("page", "Tables", &page(names), &tables);
            assert!(found.len() == 1 && found[0].contains(words), "{names}: {found:?}");
        }
        assert!(!differences("page", "Tables", &page(""), &BTreeSet::new()).is_empty());
        let source = "macro_rules! acts {\n}\n\nacts! {\n    SignIn \"session.sign_in\" \"Sign in\";\n}\n\"no.act\"\n";
        assert_eq!(acts(source), BTreeSet::from(["session.sign_in".to_owned()]));
    }

    #[test]
    fn whoever_brings_an_old_hash_function_along_has_to_be_named() {
        let lock = libraries::read_cargo(
            "[[package]]\nname = \"md5\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\ndependencies = [\n \"md5\",\n]\n",
        );
        let page =
            |row: &str| format!("# Page\n\n## Old hash functions\n\n| f | l | w | y |\n|---|---|---|---|\n{row}\n");
        assert_eq!(old_hashes(&page("| MD5 | `md5` | `a` | it says so |"), &lock), Vec::<String>::new());
        for row in
            ["", "| MD5 | `md5` | `b` | it says so |", "| MD5 | `md5` | `a`, `b` | so |", "| MD5 | `md5` | `a` | |"]
        {
            assert_eq!(old_hashes(&page(row), &lock).len(), 1, "{row}");
        }
    }
}
