//! Which program is given which secret, as docs/security/cryptography.md has it, compared with the code: the files that read
//! each one, and that every variable of the environment is either a secret of the table or said to be none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, Result, bail};

use crate::{listed::quoted, paths::Paths, source_text};

const PAGE: &str = "docs/security/cryptography.md";
const TITLE: &str = "\n## Which program is given which secret\n";
/// Begins the line of what is no secret.
const NONE: &str = "No secrets are:";
/// Programs; what they share of ours reads no secret but as it is told by one of them.
const PROGRAMS: &[&str] = &["agent/src", "server/src", "workers/src"];
const SHARED: &[&str] = &["crates/runtime/src", "crates/service/src", "crates/store/src"];
/// Roles of the database, as the code names them.
const ROLES: [&str; 8] = ["Owner", "Auth", "App", "Ingest", "Worker", "System", "Global", "Ops"];

/// Variable → files that read it.
type Read = BTreeMap<String, BTreeSet<String>>;

pub fn check(paths: &Paths) -> Result<()> {
    let page = fs::read_to_string(paths.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let (programs, shared) = (source_text::sources(paths, PROGRAMS)?, source_text::sources(paths, SHARED)?);
    let found = differences(&page, &read_by(&programs), &named(programs.iter().chain(&shared)));
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for each secret that is read elsewhere than the page says, and each variable that is nowhere on it.
fn differences(page: &str, read: &Read, names: &BTreeSet<String>) -> Vec<String> {
    let section = page.split_once(TITLE).map_or("", |(_, below)| below.split("\n## ").next().unwrap_or_default());
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [secret, opens, given, files] = cells[..] else {
            found.push(format!("{PAGE}: a secret has four cells: {row}"));
            continue;
        };
        let secret = secret.trim_matches('`').to_owned();
        let said: BTreeSet<String> = quoted(files).map(str::to_owned).collect();
        let reading = read.get(&secret).cloned().unwrap_or_default();
        if said != reading {
            found.push(format!("{PAGE}: {secret} is read by {reading:?}, and the page says {said:?}"));
        }
        if opens.is_empty() || given.is_empty() {
            found.push(format!("{PAGE}: what {secret} opens and who is given it is not said"));
        }
        told.insert(secret);
    }
    let none = section.lines().find_map(|line| line.strip_prefix(NONE)).unwrap_or_default();
    told.extend(quoted(none).map(str::to_owned));
    found.extend(names.difference(&told).map(|name| format!("{PAGE}: is `{name}` a secret? The page has it nowhere")));
    found.extend(told.difference(names).map(|name| format!("{PAGE}: `{name}` is not there any more")));
    found
}

/// Without its tests.
fn code_of(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Our variables of the environment that the code names, the passwords of the roles included.
fn named<'a>(files: impl Iterator<Item = &'a (String, String)>) -> BTreeSet<String> {
    let is_name = |text: &&str| {
        text.strip_prefix("CLARITY_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    };
    files.flat_map(|(_, text)| code_of(text).split('"').filter(is_name).map(str::to_owned)).collect()
}

/// Which files of the programs read which variable: by its name, or as the password of a role.
fn read_by(files: &[(String, String)]) -> Read {
    let mut read = Read::new();
    for (name, text) in files {
        let code = code_of(text);
        let mut note = |variable: String| read.entry(variable).or_default().insert(name.clone());
        for variable in named(std::iter::once(&(String::new(), code.to_owned()))) {
            if code.contains(&format!("env = \"{variable}\"")) || code.contains(&format!("var(\"{variable}\")")) {
                note(variable);
            }
        }
        for role in ROLES {
            let ways = [format!("{role}Store::from_env"), format!("DbLogin::from_env(DbRole::{role})")];
            if ways.iter().any(|way| code.contains(way)) || code.contains("DbRole::ALL") {
                note(format!("CLARITY_DB_{}_PASSWORD", role.to_uppercase()));
            }
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_given_the_secrets_that_it_reads() {
        check(&Paths::find().unwrap()).unwrap();
    }

    #[test]
    fn a_secret_that_is_read_elsewhere_or_is_new_is_found() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let files = [
            file(
                "a.rs",
                "#[arg(env = \"CLARITY_KEY\")]\nlet app = AppStore::from_env(4);\n#[cfg(test)]\n\"CLARITY_NEVER\"",
            ),
            file(
                "b.rs",
                "let url = std::env::var(\"CLARITY_URL\")?; words(\"CLARITY_KEY\"); \"CLARITY_DB_APP_PASSWORD\"",
            ),
        ];
        let found = |page: &str| differences(page, &read_by(&files), &named(files.iter()));
        let page = format!(
            "# Page\n{TITLE}\n| secret | opens | given to | read by |\n|---|---|---|---|\n| `CLARITY_KEY` | all | a | `a.rs` |\n\
             | `CLARITY_DB_APP_PASSWORD` | much | a | `a.rs` |\n\n{NONE} `CLARITY_URL`.\n\n## More\n\n| `CLARITY_OTHER` | x |\n"
        );
        assert_eq!(found(&page), Vec::<String>::new());
        for (was, is, words) in [
            ("| a | `a.rs` |\n|", "| a | `a.rs`, `b.rs` |\n|", "CLARITY_KEY is read by {\"a.rs\"}"),
            ("| much | a | `a.rs` |", "| much | a | `b.rs` |", "CLARITY_DB_APP_PASSWORD is read by"),
            ("| all | a |", "| all | |", "who is given it is not said"),
            ("| all | a |", "| all |", "four cells"),
            (" `CLARITY_URL`", "", "is `CLARITY_URL` a secret?"),
            (" `CLARITY_URL`", " `CLARITY_URL`, `CLARITY_GONE`", "`CLARITY_GONE` is not there"),
        ] {
            assert!(page.contains(was), "{was}");
            let found = found(&page.replacen(was, is, 1));
            assert!(found.iter().any(|why| why.contains(words)), "{is:?} gives {found:?}");
        }
    }
}
