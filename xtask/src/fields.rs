//! The page docs/security/fields.md: what each form may say, and whose it is. The table is made of the server functions and of
//! the page of doors, so that an argument that is added is a line somebody looks at.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, bail};

use crate::{
    answers::{inside, parts},
    paths::Paths,
    source_text,
};

const PAGE: &str = "docs/security/fields.md";
/// Who may go through each door, made by the test that tries them all.
const DOORS: &str = "docs/security/doors.md";
/// Where server functions are.
const ROOTS: &[&str] = &["app/src/features"];
/// Begins the part of the page that is made.
const TITLE: &str = "\n## What each form may say\n";

/// A server function that changes something.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    /// Below `/api/`.
    endpoint: String,
    /// With their types.
    fields: Vec<String>,
}

pub fn check(paths: &Paths) -> Result<()> {
    let kept = fs::read_to_string(paths.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    if kept != made(paths, &kept)? {
        bail!(
            "{PAGE} is not what the source and {DOORS} say: look who may say what is new, then \
             `UPDATE_GOLDEN=1 cargo test -p xtask fields`, when the doors are up to date"
        );
    }
    Ok(())
}

/// The page as it has to be, below the head of the one that is there.
fn made(paths: &Paths, kept: &str) -> Result<String> {
    let doors = fs::read_to_string(paths.join(DOORS)).with_context(|| format!("cannot read {DOORS}"))?;
    let sources = source_text::sources(paths, ROOTS)?;
    let forms = sources.iter().flat_map(|(_, text)| forms(text)).collect();
    page(kept, forms, &doors)
}

/// # Errors
/// Names a form that is no door.
fn page(kept: &str, mut forms: Vec<Form>, doors: &str) -> Result<String> {
    let who = who_may(doors);
    let head = kept.split(TITLE).next().unwrap_or_default().trim_end();
    let mut page = format!("{head}\n{TITLE}\n| form | who may | fields |\n|---|---|---|\n");
    forms.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    for Form { endpoint, fields } in forms {
        let path = format!("/api/{endpoint}");
        let who = who.get(path.as_str()).with_context(|| format!("{DOORS} has no {path}: every form is a door"))?;
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let fields = if fields.is_empty() { "none".to_owned() } else { fields.join(", ") };
        page.push_str(&format!("| `{path}` | {who} | {fields} |\n"));
    }
    Ok(page)
}

/// The last cell of each row "| `path` | POST | who |".
fn who_may(doors: &str) -> BTreeMap<&str, &str> {
    let rows = doors.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | POST | "));
    rows.collect()
}

/// The server functions of a file that are called by POST, as rustfmt leaves them.
fn forms(source: &str) -> Vec<Form> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    code.match_indices("#[server(").filter_map(|(at, _)| form(code.get(at..)?)).collect()
}

fn form(from: &str) -> Option<Form> {
    let (attribute, below) = from.split_once(")]")?;
    let (_, named) = attribute.split_once("endpoint = \"")?;
    let endpoint = named.split('"').next()?.to_owned();
    if attribute.contains("GetUrl") {
        return None;
    }
    let (_, function) = below.split_once(" fn ")?;
    let arguments = inside(function.get(function.find('(')?..)?)?;
    Some(Form { endpoint, fields: parts(arguments).into_iter().map(argument).collect() })
}

/// Without what is said about it to the macro, on one line.
fn argument(part: &str) -> String {
    let plain = part.strip_prefix("#[").and_then(|rest| rest.split_once(']')).map_or(part, |(_, plain)| plain);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_each_form_may_say_and_who_may() {
        let paths = Paths::find().unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let kept = fs::read_to_string(paths.join(PAGE)).unwrap();
            fs::write(paths.join(PAGE), made(&paths, &kept).unwrap()).unwrap();
        }
        check(&paths).unwrap();
    }

    const SOURCE: &str = "//! Of things, by #[server(endpoint = \"no/such\")] fn.\n\n#[server(endpoint = \"things/read\", input = GetUrl)]\n\
        pub async fn read(slug: String) -> Result<(), PageError> {\n}\n\n#[server(name = Set, endpoint = \"things/set\")]\n\
        pub async fn set(\n    slug: String,\n    // Few, or none.\n    #[server(default)] kinds: Vec<(Kind, u8)>,\n) -> R {\n}\n\n\
        #[server(endpoint = \"all/end\")]\npub async fn end() -> R {\n}\n";

    #[test]
    fn arguments_are_read_from_the_source() {
        let form = |endpoint: &str, fields: &[&str]| Form {
            endpoint: endpoint.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let there = [form("things/set", &["slug: String", "kinds: Vec<(Kind, u8)>"]), form("all/end", &[])];
        assert_eq!(forms(SOURCE), there);
    }

    #[test]
    fn a_new_argument_changes_the_page_and_a_form_without_a_door_is_found() {
        let doors = "| door | way | who may |\n|---|---|---|\n| `/api/things/set` | POST | admin |\n| `/api/all/end` | POST | owner |\n";
        let first = page("# Page\n\nWords.\n", forms(SOURCE), doors).unwrap();
        assert!(first.starts_with("# Page\n\nWords.\n\n## What each form may say\n\n| form |"), "{first}");
        assert!(first.contains("| `/api/all/end` | owner | none |\n| `/api/things/set` | admin | `slug: String`, "));
        assert_eq!(page(&first, forms(SOURCE), doors).unwrap(), first);
        let more = SOURCE.replace("    slug: String,\n", "    slug: String,\n    rank: u8,\n");
        assert_ne!(page(&first, forms(&more), doors).unwrap(), first);
        assert!(page(&first, forms(SOURCE), "").unwrap_err().to_string().contains("/api/all/end"));
    }
}
