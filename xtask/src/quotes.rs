//! Pages of docs/security/ that quote the code: in a table whose last column is "in the code" each row ends with
//! "`file`: `text`", and that text is in that file. So a page cannot say one limit while the code holds another.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;

/// Pages with such tables.
const PAGES: [&str; 6] = [
    "docs/security/limits.md",
    "docs/security/cryptography.md",
    "docs/security/input.md",
    "docs/security/sign-in.md",
    "docs/security/logs.md",
    "docs/security/fields.md",
];

pub fn check(paths: &Paths) -> Result<()> {
    let mut found = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(paths.join(page)).with_context(|| format!("cannot read {page}"))?;
        let wrong = violations(&text, |file| fs::read_to_string(paths.join(file)).ok());
        found.extend(wrong.into_iter().map(|why| format!("{page}: {why}")));
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for each row that is not as the code. `text_of` gives the text of a file by its path from the root.
fn violations(page: &str, text_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let (mut found, mut rows, mut quotes) = (Vec::new(), 0, false);
    for line in page.lines() {
        if !line.starts_with('|') {
            quotes = false;
        } else if line.ends_with("| in the code |") {
            quotes = true;
        } else if quotes && !line.starts_with("|---") {
            rows += 1;
            found.extend(wrong(line, &text_of));
        }
    }
    if rows == 0 {
        found.push("no row of it quotes the code".to_owned());
    }
    found
}

fn wrong(row: &str, text_of: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let cell = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
    let Some((file, quote)) = quoted(cell) else { return Some(format!("no quote of the code ends this row: {row}")) };
    match text_of(file) {
        None => Some(format!("{file} is not there")),
        Some(text) if !text.contains(quote) => Some(format!("{file} does not say `{quote}`")),
        Some(_) => None,
    }
}

/// "`file`: `text`"
fn quoted(cell: &str) -> Option<(&str, &str)> {
    let (file, quote) = cell.strip_prefix('`')?.strip_suffix('`')?.split_once("`: `")?;
    (!file.is_empty() && !quote.is_empty()).then_some((file, quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# Page\n\n| what | in the code |\n|---|---|\n";

    fn found(row: &str) -> Vec<String> {
        violations(&format!("{HEAD}{row}\n"), |file| (file == "a.rs").then(|| "const FREE: i32 = 5;\n".to_owned()))
    }

    #[test]
    fn the_pages_say_what_the_code_holds() {
        check(&Paths::find().unwrap()).unwrap();
    }

    #[test]
    fn other_tables_say_what_they_like() {
        assert_eq!(
            found("| free | `a.rs`: `const FREE: i32 = 5;` |\n\n| key | where |\n|---|---|\n| ours | a file |"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_row_that_is_not_as_the_code_is_found() {
        assert_eq!(found("| free | `a.rs`: `const FREE: i32 = 5;` |"), Vec::<String>::new());
        for (row, words) in [
            ("| free | `a.rs`: `const FREE: i32 = 6;` |", "a.rs does not say"),
            ("| free | `b.rs`: `const FREE: i32 = 5;` |", "b.rs is not there"),
            ("| free | five |", "no quote of the code"),
            ("| free | `a.rs`: `` |", "no quote of the code"),
            ("", "no row of it quotes"),
        ] {
            assert!(found(row).iter().any(|why| why.contains(words)), "{row}: {:?}", found(row));
        }
    }
}
