//! What docs/security/data.md says of each class of data, compared with the grants and policies of every table of that class, as
//! the catalogue's golden file has them. What a table may beyond its class stands on the page, with the reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;

const PAGE: &str = "docs/security/data.md";
const SURFACE: &str = "crates/store/tests/it/catalogue/surface.txt";

/// Which table of a class may be used by whom, as far as the database decides it.
#[derive(Debug)]
struct Rule {
    class: &'static str,
    /// The roles that may have any grant; none named: all of them.
    only: &'static [&'static str],
    /// Roles that may have none.
    never: &'static [&'static str],
    /// No row is changed or removed.
    stays: bool,
}

const RULES: [Rule; 6] = [
    Rule { class: "secrets", only: &["clarity_auth"], never: &[], stays: false },
    Rule { class: "people", only: &["clarity_auth"], never: &[], stays: false },
    Rule { class: "proof", only: &[], never: &["clarity_system", "clarity_global"], stays: true },
    Rule { class: "customers' data", only: &[], never: BEYOND, stays: false },
    Rule {
        class: "settings of a workspace",
        only: &[],
        never: &["clarity_ops", "clarity_system", "clarity_global"],
        stays: false,
    },
    Rule { class: "ids and counts", only: &[], never: &["clarity_global"], stays: false },
];
/// Roles that no customer's data is for.
const BEYOND: &[&str] = &["clarity_auth", "clarity_system", "clarity_global", "clarity_ops"];

/// What the database grants and bounds.
#[derive(Debug, Default)]
struct Surface {
    /// Table → "role VERB", of the table or any of its columns.
    grants: BTreeMap<String, BTreeSet<String>>,
    /// Tables whose rows of other workspaces no policy can open.
    bounded: BTreeSet<String>,
}

pub fn check(paths: &Paths) -> Result<()> {
    let read = |file: &str| fs::read_to_string(paths.join(file)).with_context(|| format!("cannot read {file}"));
    let found = differences(&read(PAGE)?, &read(SURFACE)?);
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// One sentence for each table that may more than its class and its exception say, or less than its exception does.
fn differences(page: &str, surface: &str) -> Vec<String> {
    let classes = rows(page, "Tables");
    let tables: BTreeSet<&str> = classes.values().flatten().copied().collect();
    let surface = read_surface(surface, &tables);
    let mut exceptions = rows(page, "Exceptions");
    let mut found: Vec<String> = unsaid(page).map(|row| format!("{PAGE}: why is not said: {row}")).collect();
    for rule in &RULES {
        let Some(tables) = classes.get(rule.class) else {
            found.push(format!("{PAGE}: the class {:?} has no tables", rule.class));
            continue;
        };
        for table in tables {
            let name = format!("`{table}`");
            let allowed: BTreeSet<String> =
                exceptions.remove(name.as_str()).unwrap_or_default().into_iter().map(str::to_owned).collect();
            let more = beyond(rule, table, &surface);
            if more != allowed {
                found.push(format!(
                    "{PAGE}: {table} is of the class {:?}, beyond which it has {more:?}; its exceptions are {allowed:?}",
                    rule.class
                ));
            }
        }
    }
    let classless =
        classes.keys().filter(|class| **class != "class" && !RULES.iter().any(|rule| rule.class == **class));
    found.extend(classless.map(|class| format!("{PAGE}: the class {class:?} has no rule")));
    found.extend(
        exceptions.keys().filter(|name| name.starts_with('`')).map(|name| format!("{PAGE}: {name} is no table")),
    );
    found
}

/// What this table has that its class has not.
fn beyond(rule: &Rule, table: &str, surface: &Surface) -> BTreeSet<String> {
    let grants = surface.grants.get(table).into_iter().flatten();
    let is_beyond = |grant: &&String| {
        let (role, verb) = grant.split_once(' ').unwrap_or_default();
        let others = !rule.only.is_empty() && !rule.only.contains(&role);
        let outside = table.contains('.') && role != "clarity_auth" && rule.class == "settings of a workspace";
        others || outside || rule.never.contains(&role) || (rule.stays && verb != "SELECT" && verb != "INSERT")
    };
    let mut found: BTreeSet<String> = grants.filter(is_beyond).cloned().collect();
    // Of the schema of who is who, and of the platform's own work, only their roles read; all others are a workspace's.
    let is_of_workspaces = !table.contains('.') && rule.class != "ids and counts";
    if is_of_workspaces && !surface.bounded.contains(table) {
        found.insert("no boundary".to_owned());
    }
    found
}

/// First cell → what stands between backticks in the second, of the tables below `## heading`.
fn rows<'a>(page: &'a str, heading: &str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let below = page.split("\n## ").skip(1).find_map(|part| part.strip_prefix(heading)?.strip_prefix('\n'));
    let rows = below.unwrap_or_default().lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.strip_prefix("| ")?.split_once(" | "));
    cells
        .map(|(first, rest)| (first, rest.split('|').next().unwrap_or_default()))
        .map(|(first, second)| (first, second.split('`').skip(1).step_by(2).collect()))
        .collect()
}

/// Rows of exceptions without a reason.
fn unsaid(page: &str) -> impl Iterator<Item = &str> {
    let below = page.split_once("\n## Exceptions\n").map_or("", |(_, below)| below);
    let rows = below.split("\n## ").next().unwrap_or_default().lines().filter(|line| line.starts_with("| `"));
    rows.filter(|row| row.trim_matches('|').split('|').nth(2).is_none_or(|why| why.trim().is_empty()))
}

fn read_surface(text: &str, tables: &BTreeSet<&str>) -> Surface {
    let mut surface = Surface::default();
    for line in text.lines() {
        if let Some((of, grant)) = line.strip_prefix("grant on ").and_then(|rest| rest.split_once(": ")) {
            let table = if tables.contains(of) { of } else { of.rsplit_once('.').map_or(of, |(table, _)| table) };
            if let Some((verb, role)) = grant.split_once(" to ") {
                surface.grants.entry(table.to_owned()).or_default().insert(format!("{role} {verb}"));
            }
        } else if let Some((table, how)) =
            line.strip_prefix("policy tenant_boundary on ").and_then(|rest| rest.split_once(' '))
            && how.starts_with("* restrictive to ")
        {
            surface.bounded.insert(table.to_owned());
        }
    }
    surface
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_protected_as_its_class_says() {
        check(&Paths::find().unwrap()).unwrap();
    }

    const DATA: &str = "# Page\n\n## Tables\n\n| class | tables |\n|---|---|\n| secrets | `auth.keys` |\n| people | `auth.people` |\n\
        | proof | `log` |\n| customers' data | `samples` |\n| settings of a workspace | `plans`, `auth.names` |\n\
        | ids and counts | `ops.jobs` |\n\n## Exceptions\n\n| table | may | why |\n|---|---|---|\n\
        | `log` | `clarity_worker UPDATE` | its end is written |\n\n## More\n";
    const GRANTS: &str = "grant on auth.keys: SELECT to clarity_auth\ngrant on auth.people.name: UPDATE to clarity_auth\n\
        grant on log: INSERT to clarity_app\ngrant on log.end: UPDATE to clarity_worker\ngrant on samples: DELETE to clarity_worker\n\
        grant on plans: UPDATE to clarity_app\ngrant on auth.names: SELECT to clarity_auth\ngrant on ops.jobs: UPDATE to clarity_system\n\
        policy tenant_boundary on log * restrictive to {everybody} using (x)\n\
        policy tenant_boundary on samples * restrictive to {everybody} using (x)\n\
        policy tenant_boundary on plans * restrictive to {everybody} using (x)\n";

    #[test]
    fn what_goes_beyond_a_class_is_found() {
        assert_eq!(differences(DATA, GRANTS), Vec::<String>::new());
        for (more, words) in [
            ("grant on auth.keys.hash: SELECT to clarity_app\n", "auth.keys is of the class \"secrets\""),
            ("grant on auth.people: SELECT to clarity_ops\n", "auth.people"),
            ("grant on log: DELETE to clarity_worker\n", "log is of the class \"proof\""),
            ("grant on samples.value: SELECT to clarity_ops\n", "samples"),
            ("grant on plans: SELECT to clarity_ops\n", "plans"),
            ("grant on auth.names: SELECT to clarity_app\n", "auth.names"),
            ("grant on ops.jobs: SELECT to clarity_global\n", "ops.jobs"),
        ] {
            let found = differences(DATA, &format!("{GRANTS}{more}"));
            assert!(found.len() == 1 && found[0].contains(words), "{more}: {found:?}");
        }
        let open = GRANTS.replace("boundary on samples", "boundary on nothing");
        assert!(differences(DATA, &open)[0].contains("no boundary"));
        let permissive = GRANTS.replace("on samples * restrictive", "on samples * permissive");
        assert!(differences(DATA, &permissive)[0].contains("no boundary"));
    }

    #[test]
    fn an_exception_is_used_named_and_said_why() {
        for (was, is, words) in [
            ("`clarity_worker UPDATE` | its end is written", "`clarity_worker UPDATE` | ", "why is not said"),
            (
                "| `log` | `clarity_worker UPDATE`",
                "| `log` | `clarity_worker UPDATE`, `clarity_app UPDATE`",
                "log is of",
            ),
            ("| `log` | `clarity_worker", "| `gone` | `clarity_worker", "`gone` is no table"),
            ("| people | `auth.people` |\n", "", "\"people\" has no tables"),
            ("| people | `auth.people` |\n", "| people | `auth.people` |\n| other | `x` |\n", "\"other\" has no rule"),
        ] {
            assert!(DATA.contains(was), "{was}");
            let found = differences(&DATA.replacen(was, is, 1), GRANTS);
            assert!(found.iter().any(|why| why.contains(words)), "{is:?} gives {found:?}");
        }
    }
}
