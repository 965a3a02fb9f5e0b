//! `agent.toml`, the operator's word. Read only; what it does not name is refused with its line and the nearest name.

use crate::sources::{Policy, SourceConfig};
use crate::spool::Limits;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    spool: SpoolConfig,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    source: Vec<toml::Table>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
struct SpoolConfig {
    limit_bytes: u64,
    limit_age_s: u64,
    keep_bytes: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self { limit_bytes: limits.limit_bytes, limit_age_s: limits.limit_age.as_secs(), keep_bytes: limits.keep_bytes }
    }
}

/// What the agent does, as the operator wrote it.
#[derive(Clone, Debug)]
pub struct Config {
    pub limits: Limits,
    pub policy: Policy,
    pub sources: Vec<ConfiguredSource>,
}

/// A `[[source]]`, with what the spool and the supervisor have to know of it.
#[derive(Clone, Debug)]
pub struct ConfiguredSource {
    pub name: String,
    pub config: SourceConfig,
    /// `confirm = "spooled"`: the source may forget what is only in our spool.
    pub confirms_spooled: bool,
}

impl Config {
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; it says which sources to read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|e| explain(&e, text, 0))?;
        let mut sources = Vec::with_capacity(file.source.len());
        let mut names = HashSet::new();
        for (table, (start, part)) in file.source.into_iter().zip(source_parts(text)) {
            // Read again from its own text, so that an error names its line.
            let confirms_spooled = table.get("confirm").and_then(toml::Value::as_str) == Some("spooled");
            let config: SourceConfig = toml::Value::Table(table).try_into().map_err(|e| explain_in(&e, part, start))?;
            let name = config.name().to_owned();
            let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || name.len() > 60 || !name.chars().all(safe) {
                bail!("the source name \"{name}\" is not usable: take 1 to 60 letters, digits, - and _");
            }
            if !names.insert(name.to_lowercase()) {
                bail!("two sources are named \"{name}\": each needs its own name, its spool goes by it");
            }
            sources.push(ConfiguredSource { name, config, confirms_spooled });
        }
        for mask in &file.policy.masks {
            if !mask.rule.is_sound() {
                bail!("the mask of {} in {} keeps no character, or has no width above 0", mask.field, mask.stream);
            }
            if mask.source.as_ref().is_some_and(|source| !sources.iter().any(|s| s.name == *source)) {
                bail!("a mask of {} in {} is for a source that is not there", mask.field, mask.stream);
            }
        }
        if file.spool.limit_bytes < 1 << 20 {
            bail!("spool.limit_bytes is {}: less than a mebibyte holds no block", file.spool.limit_bytes);
        }
        let limits = Limits {
            limit_bytes: file.spool.limit_bytes,
            limit_age: Duration::from_secs(file.spool.limit_age_s),
            keep_bytes: file.spool.keep_bytes,
            ..Limits::default()
        };
        Ok(Self { limits, policy: file.policy, sources })
    }
}

/// Line number (from 0) and text of each `[[source]]`.
fn source_parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts: Vec<(usize, usize)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .enumerate()
        .filter(|(_, (_, line))| line.trim_start().starts_with("[[source"))
        .map(|(number, (at, _))| (number, at))
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).map(|s| s.1).chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(move |((line, from), to)| (line, &text[from..to]))
}

fn explain(error: &toml::de::Error, text: &str, first_line: usize) -> anyhow::Error {
    let line = error.span().map(|span| first_line + text[..span.start.min(text.len())].matches('\n').count() + 1);
    let message = error.message();
    let hint = suggestion(message).map(|s| format!("; did you mean `{s}`?")).unwrap_or_default();
    match line {
        Some(line) => anyhow::anyhow!("line {line}: {message}{hint}"),
        None => anyhow::anyhow!("{message}{hint}"),
    }
}

/// An error of a value that has lost its place: the line that names the field says it.
fn explain_in(error: &toml::de::Error, part: &str, first_line: usize) -> anyhow::Error {
    let message = error.message();
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let begins = |line: &str| line.trim_start().strip_prefix(quoted).is_some_and(|l| l.trim_start().starts_with('='));
    let at =
        part.lines().position(|line| !quoted.is_empty() && (begins(line) || line.contains(&format!("\"{quoted}\""))));
    let line = first_line + at.unwrap_or(0) + 1;
    let hint = suggestion(message).map(|s| format!("; did you mean `{s}`?")).unwrap_or_default();
    anyhow::anyhow!("line {line}: {message}{hint}")
}

/// The expected name nearest to the unknown one, of a message like "unknown field `a`, expected one of `b`, `c`".
fn suggestion(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown ")?;
    let mut names = rest.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let near = names.map(|name| (distance(unknown, name), name)).min()?;
    (near.0 <= 1 + unknown.len() / 3).then(|| near.1.to_owned())
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[spool]
limit_bytes = 20000000

[policy]
hosts = ["127.0.0.1:5433"]
tables = ["public.*"]

[[source]]
name = "plant-db"
kind = "postgres"
host = "127.0.0.1"
port = 5433
database = "plant"
user = "clarity_reader"
password_env = "PLANT_PASSWORD"
tables = ["public.*"]
confirm = "spooled"
"#;

    #[test]
    fn a_whole_file() {
        let config = Config::parse(GOOD).unwrap();
        assert_eq!(config.limits.limit_bytes, 20_000_000);
        assert_eq!(config.limits.limit_age, Duration::from_secs(604_800));
        assert!(config.policy.allows_host("127.0.0.1", 5433) && !config.policy.allows_host("127.0.0.1", 5432));
        assert_eq!(config.sources[0].name, "plant-db");
        assert!(config.sources[0].confirms_spooled);
    }

    #[test]
    fn nothing_configured_reads_nothing() {
        assert!(Config::parse("").unwrap().sources.is_empty());
    }

    fn words(text: &str) -> String {
        format!("{:#}", Config::parse(text).unwrap_err())
    }

    #[test]
    fn unknown_keys_are_named_with_line_and_suggestion() {
        let said = words(&GOOD.replace("limit_bytes", "limit_byte"));
        assert!(said.contains("line 3") && said.contains("did you mean `limit_bytes`"), "{said}");
        let said = words(&GOOD.replace("database =", "databse ="));
        assert!(said.contains("line 14") && said.contains("did you mean `database`"), "{said}");
        let said = words(&GOOD.replace("\"postgres\"", "\"postgresql\""));
        assert!(said.contains("line 11") && said.contains("did you mean `postgres`"), "{said}");
        let said = words(&GOOD.replace("[policy]", "[polcy]"));
        assert!(said.contains("line 5") && said.contains("did you mean `policy`"), "{said}");
        let said = words(&GOOD.replace("host = ", "# host = "));
        assert!(said.contains("missing field `host`") && said.contains("line 9"), "{said}");
    }

    #[test]
    fn masks_are_named_and_sound() {
        let with = |lines: &str| GOOD.replace("[[source]]", &format!("[[policy.masks]]\n{lines}\n\n[[source]]"));
        let text = with("stream = 'public.staff'\nfield = 'pay'\nrule = { kind = 'bucket', width = 500 }");
        let config = Config::parse(&text).unwrap();
        assert_eq!(config.policy.masks[0].rule, clarity_domain::masking::MaskRule::Bucket { width: 500.0 });
        assert!(words(&text.replace("database =", "databse =")).contains("did you mean `database`"));
        assert!(words(&text.replace("500", "0")).contains("has no width"));
        assert!(words(&text.replace("'bucket', width = 500", "'blur'")).contains("unknown variant"));
        assert!(words(&text.replace("field =", "feld =")).contains("did you mean `field`"));
        assert!(
            words(&with("source = 'x'\nstream = '*'\nfield = 'pay'\nrule = { kind = 'hide' }")).contains("not there")
        );
    }

    #[test]
    fn names_are_safe_and_distinct() {
        assert!(words(&GOOD.replace("plant-db", "../x")).contains("not usable"));
        let two = format!("{GOOD}{}", &GOOD[GOOD.find("[[source]]").unwrap()..]);
        assert!(words(&two).contains("two sources"));
    }
}
