//! The page docs/security/answers.md: every field of everything that leaves the server, with who gets it. It is made of the
//! source, so that a field that is added is a line somebody looks at; who gets it is written by hand, and kept.
//!
//! Answers are types of their own that are written as JSON. What is read from the database cannot be: no type of
//! crates/store is, so a row never leaves whole.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{paths::Paths, source_text};

const PAGE: &str = "docs/security/answers.md";
/// Where what leaves is made.
const ROOTS: &[&str] = &["app/src", "crates/domain/src", "crates/service/src", "server/src"];
/// Where rows of the database are read.
const ROWS: &[&str] = &["crates/store/src"];
/// Begins the line that says who gets what is in a file.
const WHO: &str = "Who gets it: ";

/// A type, and its fields in their order.
type Answer = (String, Vec<String>);

pub fn check(paths: &Paths) -> Result<()> {
    let kept = fs::read_to_string(paths.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut found = unsaid(&kept);
    if kept != made(paths, &kept)? {
        found.push(format!(
            "{PAGE} is not what the source says: look who gets what is new, then `UPDATE_GOLDEN=1 cargo test -p xtask answers`"
        ));
    }
    for (name, text) in source_text::sources(paths, ROWS)? {
        if text.contains("Serialize") {
            found.push(format!("{name}: what is read from the database is not written as JSON; make a view of it"));
        }
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// The page as it has to be, with the head and the words of the one that is there.
fn made(paths: &Paths, kept: &str) -> Result<String> {
    let mut files = BTreeMap::new();
    for (name, text) in source_text::sources(paths, ROOTS)? {
        let answers = answers(&text);
        if Path::new(&name).extension().is_some_and(|ending| ending == "rs") && !answers.is_empty() {
            files.insert(name, answers);
        }
    }
    Ok(page(kept, &files))
}

fn page(kept: &str, files: &BTreeMap<String, Vec<Answer>>) -> String {
    let mut page = kept.split("\n## ").next().unwrap_or_default().trim_end().to_owned() + "\n";
    for (file, answers) in files {
        let who = format!("{WHO}{}", who(kept, file));
        page.push_str(&format!("\n## `{file}`\n\n{}\n\n| answer | fields |\n|---|---|\n", who.trim_end()));
        for (name, fields) in answers {
            let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
            page.push_str(&format!("| `{name}` | {} |\n", fields.join(", ")));
        }
    }
    page
}

/// Who gets what is in this file, as the page has it.
fn who<'a>(page: &'a str, file: &str) -> &'a str {
    let title = format!("`{file}`");
    let below = page.split("\n## ").skip(1).find_map(|part| part.strip_prefix(title.as_str())?.strip_prefix('\n'));
    below.unwrap_or_default().lines().find_map(|line| line.strip_prefix(WHO)).unwrap_or_default()
}

/// Files of which nobody has said who gets what is in them.
fn unsaid(page: &str) -> Vec<String> {
    let sections = page.split("\n## ").skip(1);
    let silent = sections.filter(|part| !part.lines().any(|line| line.starts_with(WHO)));
    let title = |part: &str| part.lines().next().unwrap_or_default().to_owned();
    silent.map(|part| format!("{PAGE}: who gets what is in {} is not said", title(part))).collect()
}

/// The types that can be written as JSON, as rustfmt leaves them. One that is a word of a few has no fields, and is left out.
fn answers(source: &str) -> Vec<Answer> {
    let code = code_of(source);
    code.split("#[derive(").skip(1).filter_map(answer).collect()
}

/// Without tests, comments and attributes but those that derive.
fn code_of(source: &str) -> String {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let says = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("//") && (!line.starts_with("#[") || line.starts_with("#[derive("))
    };
    code.lines().filter(says).collect::<Vec<_>>().join("\n")
}

/// What follows `#[derive(`, when it is a type that is written as JSON and has fields.
fn answer(after: &str) -> Option<Answer> {
    let (derived, declared) = after.split_once(")]")?;
    if !derived.split(',').any(|name| name.trim() == "Serialize") {
        return None;
    }
    let declared = declared.trim_start();
    let declared =
        ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|word| declared.strip_prefix(*word)).unwrap_or(declared);
    let (kind, rest) = declared.split_once(' ')?;
    let (name, rest) = word(rest);
    let body = &rest[rest.find(['{', '(', ';'])?..];
    let fields: Vec<String> = match kind {
        "struct" if body.starts_with('(') => vec!["0".to_owned()],
        "struct" if body.starts_with('{') => parts(inside(body)?).into_iter().map(field).collect(),
        "enum" => parts(inside(body)?).into_iter().flat_map(fields_of_variant).collect(),
        _ => Vec::new(),
    };
    (!name.is_empty() && !fields.is_empty()).then(|| (name.to_owned(), fields))
}

/// `Name { a: A }` has the field `Name.a`, `Name(A)` is one, and `Name` has none.
fn fields_of_variant(variant: &str) -> Vec<String> {
    let (name, rest) = word(variant);
    let rest = rest.trim_start();
    if rest.starts_with('{') {
        let fields = parts(inside(rest).unwrap_or_default());
        return fields.into_iter().map(|part| format!("{name}.{}", field(part))).collect();
    }
    if rest.starts_with('(') { vec![name.to_owned()] } else { Vec::new() }
}

/// The name of `pub name: Type`.
fn field(part: &str) -> String {
    let before = part.split(':').next().unwrap_or_default().trim();
    before.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// A name at the beginning, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

/// What stands between the bracket that begins the text and the one that closes it.
pub fn inside(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        depth = deeper(depth, c);
        if depth == 0 {
            return text.get(1..at);
        }
    }
    None
}

/// What stands between commas, but those inside brackets.
pub fn parts(body: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, c) in body.char_indices() {
        depth = deeper(depth, c);
        if depth == 0 && c == ',' {
            found.push(body[from..at].trim());
            from = at + 1;
        }
    }
    found.push(body[from..].trim());
    found.retain(|part| !part.is_empty());
    found
}

fn deeper(depth: usize, c: char) -> usize {
    match c {
        '{' | '(' | '[' | '<' => depth + 1,
        '}' | ')' | ']' | '>' => depth.saturating_sub(1),
        _ => depth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_field_that_leaves_and_no_row_does() {
        let paths = Paths::find().unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let kept = fs::read_to_string(paths.join(PAGE)).unwrap();
            fs::write(paths.join(PAGE), made(&paths, &kept).unwrap()).unwrap();
        }
        check(&paths).unwrap();
    }

    const SOURCE: &str = "//! Of things.\n\n/// One.\n#[derive(Clone, Serialize)]\n#[serde(rename_all = \"snake_case\")]\n\
        pub struct Thing<'a> {\n    /// Its name, with commas, of course.\n    pub name: &'a str,\n    #[serde(default)]\n    \
        pub parts: BTreeMap<u32, Vec<(u8, u8)>>,\n    kept: bool,\n}\n\n#[derive(Serialize)]\npub(super) enum Kind {\n    \
        Word,\n    Of(Thing),\n    Made { by: String, at: i64 },\n}\n\n#[derive(Debug)]\nstruct Row {\n    hash: u8,\n}\n\n\
        #[derive(\n    Clone,\n    Serialize,\n)]\npub struct Count(pub u64);\n\n#[derive(Serialize)]\nenum Word {\n    A,\n    B,\n}\n\n\
        #[cfg(test)]\nmod tests {\n    #[derive(Serialize)]\n    struct Other { a: u8 }\n}\n";

    #[test]
    fn fields_are_read_from_the_source() {
        let found = answers(SOURCE);
        let names: Vec<(&str, String)> = found.iter().map(|(name, fields)| (name.as_str(), fields.join(" "))).collect();
        assert_eq!(
            names,
            [
                ("Thing", "name parts kept".to_owned()),
                ("Kind", "Of Made.by Made.at".to_owned()),
                ("Count", "0".to_owned())
            ]
        );
    }

    #[test]
    fn a_new_field_changes_the_page_and_words_are_kept() {
        let files = |source: &str| BTreeMap::from([("a.rs".to_owned(), answers(source))]);
        let first = page("# Page\n\nWords.\n", &files(SOURCE));
        assert_eq!(unsaid(&first).len(), 1, "nobody has said who gets it: {first}");
        let said = first.replace(WHO.trim_end(), &format!("{WHO}members"));
        assert_eq!((unsaid(&said), page(&said, &files(SOURCE))), (Vec::new(), said.clone()));
        assert!(
            said.starts_with("# Page\n\nWords.\n\n## `a.rs`\n\nWho gets it: members\n\n| answer | fields |\n"),
            "{said}"
        );
        let more = page(&said, &files(&SOURCE.replace("    kept: bool,", "    kept: bool,\n    secret: u8,")));
        assert!(more != said && more.contains("`kept`, `secret` |") && more.contains("Who gets it: members"), "{more}");
    }
}
