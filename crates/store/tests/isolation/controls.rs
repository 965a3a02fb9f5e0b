//! Positive controls: what each role is granted works in its own workspace, so that a suite at a locked door is noticed; and
//! what a member's rank keeps shut is shut.

use crate::attempts::{Attempt, Context, Right, calls};
use crate::rules::is_of_sites;
use crate::surface::{Grant, Relation, Surface};
use crate::values::{Who, literal, row};
use crate::worlds::Worlds;

/// Tables that not every member reads, and the least rank that does.
const READ_FROM: [(&str, u8); 3] =
    [("public.audit_entries", 3), ("public.audit_heads", 3), ("public.audit_anchors", 3)];

/// Functions that do something only when a workspace's time has come, which is never so among the seeds: what is due is told
/// across workspaces, and goes. That they work is shown by `tests/it/erasure.rs`.
const NEVER_DUE: [&str; 3] = ["public.begin_erasure", "public.erase_batch", "public.finish_erasure"];

/// How many were tried, and those that failed.
#[derive(Default)]
pub struct Controls {
    pub tried: usize,
    pub failed: Vec<String>,
}

/// What has to come of a control.
enum Expected {
    /// At least one row, or a key that was taken: past the policies in any case.
    Rows,
    None,
}

struct Control {
    sql: String,
    needs: Right,
    rank: u8,
    expected: Expected,
}

/// Of all relations and functions, or of those in `only`.
pub async fn run(worlds: &mut Worlds, surface: &Surface, only: &[&str]) -> Controls {
    let meant = |name: &str| only.is_empty() || only.contains(&name);
    let mut controls = Controls::default();
    for role in surface.roles.iter().filter(|role| !role.owner) {
        for relation in surface.relations.iter().filter(|r| meant(&r.name)) {
            if let Some(grant) = relation.grant(&role.name) {
                for control in of_grant(surface, relation, grant) {
                    let context = Context::own(control.rank);
                    check(worlds, &mut controls, &role.name, &context, control).await;
                }
                let columns: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
                let members = grant.role == "clarity_app" && !relation.outside && !grant.select.is_empty();
                if members && is_of_sites(&relation.name, &columns) {
                    let sql = format!("select {} from {}", grant.select.join(", "), relation.name);
                    let control = Control { sql, needs: Right::Select, rank: 1, expected: Expected::None };
                    check(worlds, &mut controls, &role.name, &Context::limited(), control).await;
                }
            }
        }
        for function in surface.functions.iter().filter(|f| f.callers.contains(&role.name)) {
            if !meant(&format!("{}()", function.name)) {
                continue;
            }
            let attempts = calls(surface, function, &role.name);
            let outcomes = worlds.with.attempt(&role.name, &Context::own(4), &attempts).await;
            controls.tried += 1;
            if !outcomes.iter().any(|outcome| outcome.succeeded) && !NEVER_DUE.contains(&function.name.as_str()) {
                controls.failed.push(format!("{}: no call of {} succeeds", role.name, function.name));
            }
        }
    }
    if meant("public.sources") {
        let sql = "select name from public.sources".to_owned();
        let control = Control { sql, needs: Right::Select, rank: 4, expected: Expected::None };
        check(worlds, &mut controls, "clarity_ops", &Context::of_an_ended_grant(), control).await;
    }
    controls
}

async fn check(worlds: &mut Worlds, controls: &mut Controls, role: &str, context: &Context, control: Control) {
    let Control { sql, needs, rank, expected } = control;
    let attempt = Attempt { sql, manner: crate::attempts::Manner::Plain, needs, forbidden: false };
    let outcomes = worlds.with.attempt(role, context, std::slice::from_ref(&attempt)).await;
    let text = outcomes.first().map(|outcome| outcome.text.as_str()).unwrap_or_default();
    // The first line is the savepoint's, the last the statement's.
    let rows = text.lines().rev().find_map(|line| line.strip_suffix(" rows")?.parse::<u64>().ok()).unwrap_or_default();
    let taken = text.contains("23505 ") || text.contains("23503 ");
    let kept = match expected {
        Expected::Rows => rows > 0 || taken,
        Expected::None => rows == 0 && !taken,
    };
    controls.tried += 1;
    if !kept {
        controls.failed.push(format!("{role} (rank {rank}): {}\n    {text}", attempt.sql));
    }
}

fn of_grant(surface: &Surface, relation: &Relation, grant: &Grant) -> Vec<Control> {
    let r = &relation.name;
    let mut all = Vec::new();
    let mut add = |needs, rank, expected, sql| all.push(Control { sql, needs, rank, expected });
    // Members alone have ranks, in workspaces alone: none sees nothing, a viewer writes nothing.
    let ranked = grant.role == "clarity_app" && !relation.outside;
    // Our support sees nothing where no owner let it in: rank 0 stands for that.
    let let_in = grant.role == "clarity_ops" && !relation.outside;
    if !grant.select.is_empty() {
        let sql = format!("select {} from {r}", grant.select.join(", "));
        if let_in {
            add(Right::Select, 0, Expected::None, sql.clone());
        }
        if ranked {
            let least = READ_FROM.iter().find(|(name, _)| name == r).map_or(1, |(_, rank)| *rank);
            add(Right::Select, least - 1, Expected::None, sql.clone());
            add(Right::Select, least, Expected::Rows, sql.clone());
        }
        add(Right::Select, 4, Expected::Rows, sql);
    }
    if !relation.is_table() {
        return all;
    }
    let own = |column: &String| format!("{column} = {}", literal(surface, relation, column, Who::Own));
    let key = relation.key.iter().map(own).collect::<Vec<_>>().join(" and ");
    if !grant.insert.is_empty() {
        let narrow = relation.narrowed_for(&grant.role);
        let filled = narrow.as_ref().unwrap_or(relation);
        let list = filled.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        add(
            Right::Insert,
            4,
            Expected::Rows,
            format!("insert into {r} ({list}) values ({})", row(surface, filled, Who::New, None)),
        );
    }
    let readable = grant.select.first().cloned().unwrap_or_default();
    if let Some(column) = grant.update.iter().find(|column| grant.select.contains(column)) {
        let sql = format!("update {r} set {column} = {column}");
        if ranked {
            add(Right::Update, 1, Expected::None, sql.clone());
        }
        add(Right::Update, 4, Expected::Rows, sql);
    }
    if grant.delete && !readable.is_empty() {
        let sql = format!("delete from {r} where {key}");
        if ranked {
            add(Right::Delete, 1, Expected::None, sql.clone());
        }
        add(Right::Delete, 4, Expected::Rows, sql);
    }
    all
}
