//! What no source text of ours may say, but where it is listed with its reason: queries built of text, programs that are
//! started, text that is run or taken for HTML, other sources of random values.
//!
//! A test of what the programs do cannot show that something is nowhere done. Reading all of it can.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;

/// All of the product, without tests' programs and tools.
const PRODUCT: &[&str] = &[
    "agent/src",
    "app/src",
    "crates/domain/src",
    "crates/runtime/src",
    "crates/series/src",
    "crates/service/src",
    "crates/store/src",
    "crates/wire/src",
    "frontend/src",
    "server/src",
    "workers/src",
];
const PAGES: &[&str] = &["app/src", "frontend/js", "frontend/src", "server/src"];

#[derive(Debug)]
struct Rule {
    what: &'static str,
    words: &'static [&'static str],
    below: &'static [&'static str],
    /// Files with how many lines of each may say it, and why.
    but: &'static [(&'static str, usize, &'static str)],
}

/// sqlx takes built text under this one name.
const QUERIES: Rule = Rule {
    what: "a query is built of text",
    words: &["AssertSqlSafe(", "QueryBuilder"],
    below: PRODUCT,
    but: &[
        ("crates/store/src/tx.rs", 2, "ids and a rank, typed as UUID and number, into the settings of a transaction"),
        ("crates/store/src/export.rs", 1, "names of our own tables, of lower-case letters alone, into a cursor"),
        ("crates/store/src/setup.rs", 1, "our own files of SQL, which make the roles"),
    ],
};

const PROGRAMS: Rule = Rule {
    what: "a program is started",
    words: &["Command::new(", "process::Command", "CommandExt"],
    below: PRODUCT,
    but: &[("agent/src/doctor.rs", 1, "`df` of the agent's own folder, without a shell, when its operator asks")],
};

const RUN_TEXT: Rule = Rule {
    what: "text is run, or taken for HTML",
    words: &[
        "eval(",
        "new Function(",
        "Function::new_",
        "inner_html",
        "set_inner_html",
        "set_outer_html",
        "insert_adjacent_html",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "srcdoc",
    ],
    below: PAGES,
    but: &[],
};

const RANDOM: Rule = Rule {
    what: "random values are not the operating system's",
    words: &["rand::", "fastrand", "thread_rng", "SmallRng", "StdRng"],
    below: PRODUCT,
    but: &[
        ("agent/src/uplink/backoff.rs", 2, "how long to wait before the next try"),
        ("agent/src/sources/postgres/plan.rs", 1, "the same"),
    ],
};

const PASTING: Rule = Rule {
    what: "a page looks at what is pasted",
    words: &["on:paste", "onpaste", "\"paste\"", "on:copy"],
    below: PAGES,
    but: &[],
};

const RULES: [&Rule; 5] = [&QUERIES, &PROGRAMS, &RUN_TEXT, &RANDOM, &PASTING];

/// Crates whose numbers are checked in release builds too. Not `series` and `agent`: their loops over samples and rows are
/// measured, and what they decode is tried with any bytes.
#[cfg(test)]
const CHECKED: [&str; 7] = ["domain", "runtime", "wire", "store", "service", "server", "workers"];

pub fn check(paths: &Paths) -> Result<()> {
    let mut found = Vec::new();
    for rule in RULES {
        found.extend(violations(paths, rule)?);
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for each file that says what it may not.
fn violations(paths: &Paths, rule: &Rule) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, text) in sources(paths, rule.below)? {
        let allowed = rule.but.iter().find(|(file, ..)| *file == name).map_or(0, |(_, lines, _)| *lines);
        let lines: Vec<usize> = saying(&text, rule.words);
        if lines.len() != allowed {
            let (what, count) = (rule.what, lines.len());
            found.push(format!("{name}: {what} in {count} lines ({lines:?}), {allowed} are listed"));
        }
    }
    for (file, ..) in rule.but {
        if !paths.join(file).is_file() {
            found.push(format!("{file} is listed, and not there"));
        }
    }
    Ok(found)
}

/// The lines, counted from 1, that say one of the words, where it does not end a longer one.
fn saying(text: &str, words: &[&str]) -> Vec<usize> {
    let says = |line: &str| words.iter().any(|word| line.match_indices(word).any(|(at, _)| begins_there(line, at)));
    text.lines().enumerate().filter(|(_, line)| says(line)).map(|(at, _)| at + 1).collect()
}

fn begins_there(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// Names from the root, and texts, of all Rust and JavaScript below these folders.
pub fn sources(paths: &Paths, below: &[&str]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for folder in below {
        walk(&paths.join(folder), &mut files)?;
    }
    files.sort();
    let read = |file: PathBuf| -> Result<(String, String)> {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(&paths.root)?.to_string_lossy().into_owned();
        Ok((name, text))
    };
    files.into_iter().map(read).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "js") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none_of(rule: &Rule) {
        assert_eq!(violations(&Paths::find().unwrap(), rule).unwrap(), Vec::<String>::new());
    }

    fn read(file: &str) -> String {
        fs::read_to_string(Paths::find().unwrap().join(file)).unwrap()
    }

    #[test]
    fn words_are_found_where_they_begin() {
        assert_eq!(saying("a\nuse rand::Rng;\nuse brand::Brand;\n(rand::rng())", RANDOM.words), [2, 4]);
        assert_eq!(saying("std::process::Command::new(\"sh\")", PROGRAMS.words), [1]);
        assert_eq!(saying("x.innerHTML = name; retrieval(x)", RUN_TEXT.words), [1]);
        assert!(sources(&Paths::find().unwrap(), PRODUCT).unwrap().len() > 300, "all is read");
    }

    #[test]
    fn no_query_is_built_of_text_but_the_listed() {
        none_of(&QUERIES);
    }

    #[test]
    fn no_program_is_started_but_the_listed() {
        none_of(&PROGRAMS);
    }

    #[test]
    fn no_text_is_run_or_taken_for_html() {
        none_of(&RUN_TEXT);
    }

    #[test]
    fn random_values_are_the_operating_systems() {
        none_of(&RANDOM);
        assert!(read("crates/runtime/src/secret.rs").contains("getrandom::fill(&mut bytes)"));
    }

    /// The one place where text of people becomes HTML by our own hand.
    #[test]
    fn what_a_chart_shows_over_a_point_is_escaped() {
        let safe = ["escaped(", "number(", "clock(", "p.marker", "small}", "day}", "rows.join("];
        let chart = read("frontend/js/charts.js");
        let mut seen = 0;
        for line in chart.lines().filter(|line| line.contains('`') && line.contains("</")) {
            for inserted in line.split("${").skip(1) {
                seen += 1;
                assert!(safe.iter().any(|word| inserted.starts_with(word)), "not escaped: {inserted}");
            }
        }
        assert!(seen >= 8, "{seen}");
        assert!(chart.contains(r#"text.replace(/[&<>"]/g"#));
    }

    #[test]
    fn password_fields_hide_what_is_typed_and_nothing_stands_in_a_managers_way() {
        let mut seen = 0;
        for (name, text) in sources(&Paths::find().unwrap(), &["app/src"]).unwrap() {
            for line in text
                .lines()
                .filter(|line| ["name=\"password\"", "name=\"current\""].iter().any(|field| line.contains(field)))
            {
                seen += 1;
                assert!(line.contains("kind=\"password\""), "{name}: {line}");
                let known = ["current-password", "new-password"];
                assert!(known.iter().any(|word| line.contains(&format!("autocomplete=\"{word}\""))), "{name}: {line}");
            }
        }
        assert!(seen >= 10, "{seen}");
        none_of(&PASTING);
    }

    #[test]
    fn numbers_are_checked_in_release_builds() {
        let manifest = read("Cargo.toml");
        for name in CHECKED {
            let checked = format!("[profile.release.package.clarity-{name}]\noverflow-checks = true\n");
            assert!(manifest.contains(&checked), "{name}");
        }
    }
}
