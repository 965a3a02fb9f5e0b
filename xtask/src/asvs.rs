//! The page docs/security/asvs.md: every requirement of OWASP ASVS 5.0 at levels 1 and 2 is met, not applicable or open.
//!
//! What is called met names tests, and they have to be there and run; what is not says why. No requirement can be forgotten:
//! they are counted.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;

const PAGE: &str = "docs/security/asvs.md";
/// Levels of which every requirement stands in the page, with how many the standard has.
const WHOLE: [(usize, usize); 2] = [(1, 70), (2, 183)];
/// Level 3 is there in part.
const LEVELS: [usize; 3] = [1, 2, 3];
/// First cells of the tables' titles: of the counts, and of the requirements.
const TITLES: [&str; 2] = ["", "number"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Met,
    NotApplicable,
    Open,
}

impl Status {
    const ALL: [Self; 3] = [Self::Met, Self::NotApplicable, Self::Open];

    fn read(word: &str) -> Option<Self> {
        match word {
            "met" => Some(Self::Met),
            "n/a" => Some(Self::NotApplicable),
            "open" => Some(Self::Open),
            _ => None,
        }
    }
}

/// A line of a table.
#[derive(Debug)]
enum Line<'a> {
    /// A title, or the rule under it.
    Title,
    /// How many requirements of a level there are: all, then by status in the order of [`Status::ALL`].
    Counts {
        level: usize,
        all: usize,
        by_status: [usize; 3],
    },
    Requirement(Requirement<'a>),
}

#[derive(Debug)]
struct Requirement<'a> {
    number: &'a str,
    level: usize,
    status: Status,
    /// The tests of what is met; of all else the reason.
    because: &'a str,
}

pub fn check(paths: &Paths) -> Result<()> {
    let page = fs::read_to_string(paths.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let found = violations(&page, |file| fs::read_to_string(paths.join(file)).ok());
    if !found.is_empty() {
        bail!("{PAGE}:\n{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for everything that is wrong with the page. `text_of` gives the text of a file by its path from the root.
fn violations(page: &str, text_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    let (mut requirements, mut counts) = (Vec::new(), Vec::new());
    for (at, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        match read(line) {
            Ok(Line::Title) => {}
            Ok(Line::Counts { level, all, by_status }) => counts.push((level, all, by_status)),
            Ok(Line::Requirement(requirement)) => requirements.push(requirement),
            Err(why) => found.push(format!("line {}: {why}: {line}", at + 1)),
        }
    }
    let mut numbers = BTreeSet::new();
    for requirement in &requirements {
        if !numbers.insert(requirement.number) {
            found.push(format!("{} is there twice", requirement.number));
        }
        found.extend(unfounded(requirement, &text_of).into_iter().map(|why| format!("{}: {why}", requirement.number)));
    }
    found.extend(miscounted(&requirements, &counts));
    found
}

fn read(line: &str) -> Result<Line<'_>, &'static str> {
    let inside = line.trim_end().strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
    let cells: Vec<&str> = inside.ok_or("no row of a table")?.split('|').map(str::trim).collect();
    let [first, second, third, fourth, fifth] = cells[..] else { return Err("a row has five cells") };
    if TITLES.contains(&first) || first.bytes().all(|b| b == b'-') {
        return Ok(Line::Title);
    }
    if let Some(level) = first.strip_prefix("level ") {
        let number = |text: &str| text.parse::<usize>().map_err(|_| "a count is a number");
        let level = read_level(level.split(',').next().unwrap_or_default())?;
        let by_status = [number(third)?, number(fourth)?, number(fifth)?];
        return Ok(Line::Counts { level, all: number(second)?, by_status });
    }
    if !is_number(first) {
        return Err("a requirement has a number like 6.2.1");
    }
    if third.is_empty() {
        return Err("a requirement is said in short");
    }
    let status = Status::read(fourth).ok_or("the status is met, n/a or open")?;
    Ok(Line::Requirement(Requirement { number: first, level: read_level(second)?, status, because: fifth }))
}

fn read_level(text: &str) -> Result<usize, &'static str> {
    text.parse::<usize>().ok().filter(|level| LEVELS.contains(level)).ok_or("the level is 1, 2 or 3")
}

/// Chapter, section and place.
fn is_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// What is wrong with the tests that a requirement names, or with its reason.
fn unfounded(requirement: &Requirement<'_>, text_of: &impl Fn(&str) -> Option<String>) -> Vec<String> {
    let because = requirement.because;
    match requirement.status {
        Status::Met if because.is_empty() => vec!["it is met and names no test".to_owned()],
        Status::Met => because.split("<br>").filter_map(|test| missing(test.trim(), text_of)).collect(),
        Status::NotApplicable if because.is_empty() => vec!["it is n/a and says not why".to_owned()],
        Status::Open if because.is_empty() => vec!["it is open and says not what is missing".to_owned()],
        Status::NotApplicable | Status::Open => Vec::new(),
    }
}

/// Why this is no test of ours: `path/to/file.rs::function` or `path/to/file.mjs::"title"`.
fn missing(test: &str, text_of: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let Some((file, name)) = test.split_once("::") else {
        return Some(format!("{test:?} is no test: write file.rs::function or file.mjs::\"title\""));
    };
    let Some(text) = text_of(file) else { return Some(format!("{file} is not there")) };
    let there = if file.ends_with(".mjs") { has_journey(&text, name) } else { has_test(&text, name) };
    (!there).then(|| format!("{file} has no test {name} that is run"))
}

/// `title` with its quotes.
fn has_journey(text: &str, title: &str) -> bool {
    title.len() > 2 && title.starts_with('"') && title.ends_with('"') && text.contains(&format!("test({title}"))
}

/// Whether a function of this name stands right after a test attribute, and is not ignored.
fn has_test(text: &str, name: &str) -> bool {
    let (mut is_test, mut is_ignored) = (false, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            is_ignored |= line.starts_with("#[ignore");
        } else if !line.starts_with("//") {
            if is_test && !is_ignored && is_function(line, name) {
                return true;
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    false
}

fn is_function(line: &str, name: &str) -> bool {
    let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
    declared.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
}

/// Where there are more or fewer requirements than the standard has, or than the page's head says.
fn miscounted(requirements: &[Requirement<'_>], counts: &[(usize, usize, [usize; 3])]) -> Vec<String> {
    let mut found = Vec::new();
    for level in LEVELS {
        let of_level: Vec<_> = requirements.iter().filter(|requirement| requirement.level == level).collect();
        let all = of_level.len();
        if let Some((_, whole)) = WHOLE.into_iter().find(|(of, _)| *of == level)
            && all != whole
        {
            found.push(format!("{all} requirements of level {level}: the standard has {whole}"));
        }
        let by_status =
            Status::ALL.map(|status| of_level.iter().filter(|requirement| requirement.status == status).count());
        let said: Vec<_> = counts.iter().filter(|(of, ..)| *of == level).collect();
        if !matches!(said[..], [(_, said_all, said_by)] if *said_all == all && *said_by == by_status) {
            let [met, not_applicable, open] = by_status;
            found.push(format!(
                "level {level} has {all} requirements: {met} met, {not_applicable} n/a, {open} open; the head has to say so, once"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "#[test]\nfn it_works() {\n}\n\n#[tokio::test(flavor = \"multi_thread\")]\n// why\nasync fn waits() {\n\
                        }\n\nfn helps() {\n}\n\n#[test]\n#[ignore = \"slow\"]\nfn it_rests() {\n}\n";
    const JOURNEY: &str = "test(\"a person, and a door\", { timeout: 1 }, async () => {\n});\n";

    fn found(page: &str) -> Vec<String> {
        violations(page, |file| match file {
            "a.rs" => Some(RUST.to_owned()),
            "b.test.mjs" => Some(JOURNEY.to_owned()),
            _ => None,
        })
    }

    /// As many requirements as there have to be; the first two of level 1 are met, the third is not applicable.
    fn good() -> String {
        let mut page = String::from("# Page\n\n| | requirements | met | n/a | open |\n|---|---|---|---|---|\n");
        page.push_str("| level 1 | 70 | 2 | 1 | 67 |\n| level 2 | 183 | 0 | 0 | 183 |\n");
        page.push_str("| level 3, chosen | 1 | 0 | 0 | 1 |\n\n");
        page.push_str("| number | level | in short | status | shown by, or why |\n|---|---|---|---|---|\n");
        page.push_str("| 1.1.1 | 1 | first | met | a.rs::it_works<br>a.rs::waits |\n");
        page.push_str("| 1.1.2 | 1 | second | met | b.test.mjs::\"a person, and a door\" |\n");
        page.push_str("| 1.1.3 | 1 | third | n/a | there is none |\n");
        for n in 4..=70 {
            page.push_str(&format!("| 1.1.{n} | 1 | another | open | not built |\n"));
        }
        for n in 1..=183 {
            page.push_str(&format!("| 2.1.{n} | 2 | another | open | not built |\n"));
        }
        page.push_str("| 3.1.1 | 3 | last | open | not built |\n");
        page
    }

    #[test]
    fn a_good_page_keeps_the_rule() {
        assert_eq!(found(&good()), Vec::<String>::new());
    }

    #[test]
    fn each_way_to_be_wrong_is_found() {
        let wrong = [
            (
                "| 1.1.3 | 1 | third | n/a | there is none |",
                "| 1.1.3 | 1 | third | none | there is none |",
                "the status is",
            ),
            ("| 1.1.3 | 1 | third |", "| 1.1 | 1 | third |", "a number like"),
            ("| 1.1.3 | 1 | third |", "| 1.1.3 | 4 | third |", "the level is"),
            ("| 1.1.3 | 1 | third |", "| 1.1.3 | 1 | |", "said in short"),
            ("| 1.1.3 | 1 | third |", "| 1.1.3 | third |", "five cells"),
            ("| n/a | there is none |", "| n/a | there is none", "no row of a table"),
            ("| n/a | there is none |", "| n/a | |", "1.1.3: it is n/a and says not why"),
            (
                "| 1.1.70 | 1 | another | open | not built |",
                "| 1.1.70 | 1 | another | open | |",
                "1.1.70: it is open and",
            ),
            ("| 1.1.70 | 1 |", "| 1.1.69 | 1 |", "1.1.69 is there twice"),
            ("| 1.1.70 | 1 | another | open | not built |\n", "", "69 requirements of level 1: the standard has 70"),
            ("| 2.1.183 | 2 |", "| 2.1.183 | 3 |", "182 requirements of level 2: the standard has 183"),
            ("a.rs::it_works<br>a.rs::waits", "", "1.1.1: it is met and names no test"),
            ("a.rs::it_works", "it_works", "is no test"),
            ("a.rs::it_works", "c.rs::it_works", "1.1.1: c.rs is not there"),
            ("a.rs::it_works", "a.rs::it_work", "a.rs has no test it_work"),
            ("a.rs::it_works", "a.rs::helps", "a.rs has no test helps"),
            ("a.rs::it_works", "a.rs::it_rests", "a.rs has no test it_rests"),
            ("a person, and a door", "a person, and a wall", "b.test.mjs has no test"),
            ("::\"a person, and a door\"", "::a person, and a door", "b.test.mjs has no test"),
            ("| level 1 | 70 | 2 |", "| level 1 | 70 | 3 |", "level 1 has 70 requirements: 2 met, 1 n/a, 67 open"),
            ("| level 1 | 70 | 2 | 1 | 67 |\n", "", "level 1 has 70 requirements"),
            ("| level 2 | 183 |", "| level 2 | many |", "a count is a number"),
            ("| level 3, chosen | 1 |", "| level 3, chosen | 2 |", "level 3 has 1 requirements"),
        ];
        for (was, is, words) in wrong {
            let page = good();
            assert!(page.contains(was), "{was}");
            let found = found(&page.replacen(was, is, 1));
            assert!(found.iter().any(|why| why.contains(words)), "{is:?} gives {found:?}");
        }
    }
}
