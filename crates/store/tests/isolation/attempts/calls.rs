//! Functions of ours, called with what is the victim's: a SECURITY DEFINER one runs as the owner of the tables.

use super::{Attempt, Right};
use crate::surface::{Function, Surface};
use crate::values::{OWN, VICTIM, Who, literal};

/// A value for an argument, and whether it is the victim's.
#[derive(Clone)]
struct Argument {
    sql: String,
    victim: bool,
}

const MOST_CALLS: usize = 120;

/// Schema whose functions answer to whoever knows a secret or an id: called with nothing but the victim's, it is the victim who
/// calls. Mixed with ours, it must say nothing.
const DOORS: &str = "auth.";

/// Calls of a function by a role. Who may not call it tries once.
pub fn calls(surface: &Surface, function: &Function, role: &str) -> Vec<Attempt> {
    let candidates: Vec<Vec<Argument>> = function.arguments.iter().map(|kind| arguments(surface, kind)).collect();
    let may = function.callers.iter().any(|caller| caller == role);
    let mut combinations: Vec<Vec<Argument>> = vec![Vec::new()];
    for candidate in &candidates {
        let with = |head: &Vec<Argument>| {
            let head = head.clone();
            candidate
                .iter()
                .map(move |next| head.iter().cloned().chain([next.clone()]).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        // The first of them come from the first beginnings: no more are made.
        combinations = combinations.iter().flat_map(with).take(MOST_CALLS).collect();
    }
    // Where there are many arguments, those all begin with the same: each value is at least once beside others of its place.
    let longest = candidates.iter().map(Vec::len).max().unwrap_or_default();
    let beside = |n: usize| candidates.iter().map(|of| of[n % of.len()].clone()).collect::<Vec<_>>();
    let diagonal = (0..longest).filter(|_| may && candidates.len() > 2).map(beside);
    let mut all = Vec::new();
    for combination in combinations.into_iter().take(if may { MOST_CALLS } else { 3 }).chain(diagonal) {
        let victim_calls = may && function.name.starts_with(DOORS) && combination.iter().all(|a| a.victim);
        if victim_calls && !combination.is_empty() {
            continue;
        }
        let list = combination.iter().map(|a| a.sql.as_str()).collect::<Vec<_>>().join(", ");
        let sql = match function.procedure {
            true => format!("call {}({list})", function.name),
            false => format!("select * from {}({list})", function.name),
        };
        all.push(Attempt::new(Right::Own, sql));
    }
    all
}

fn arguments(surface: &Surface, kind: &str) -> Vec<Argument> {
    let of = |relation: &str, column: &str| {
        let relation = surface.relation(relation)?;
        relation.has(column).then_some(())?;
        let both = [Who::Victim, Who::Own];
        Some(both.map(|who| Argument {
            sql: format!("{}::{kind}", literal(surface, relation, column, who)),
            victim: who == Who::Victim,
        }))
    };
    let from = |columns: &[(&str, &str)]| columns.iter().filter_map(|(r, c)| of(r, c)).flatten().collect::<Vec<_>>();
    let plain = |values: &[&str]| {
        values.iter().map(|v| Argument { sql: format!("{v}::{kind}"), victim: false }).collect::<Vec<_>>()
    };
    let mut all = match kind {
        "uuid" => {
            let workspace = [(VICTIM, true), (OWN, false)];
            let mut all: Vec<Argument> = workspace
                .iter()
                .map(|(id, victim)| Argument { sql: format!("'{id}'::uuid"), victim: *victim })
                .collect();
            all.extend(from(&[
                ("auth.agent_keys", "agent_id"),
                ("auth.users", "id"),
                ("public.agents", "id"),
                ("public.sources", "id"),
                ("public.assets", "id"),
                ("public.replays", "id"),
                ("public.rewrites", "id"),
            ]));
            all
        }
        "text" => {
            let mut all = from(&[("auth.workspaces", "slug"), ("auth.users", "email"), ("public.assets", "key")]);
            all.extend(plain(&["'replay'", "''", "'%'"]));
            all
        }
        "bytea" => {
            let mut all = from(&[
                ("auth.sessions", "token_hash"),
                ("auth.api_tokens", "token_hash"),
                ("auth.agent_keys", "public_key"),
            ]);
            all.extend(plain(&["''"]));
            all
        }
        "integer" | "bigint" | "smallint" => plain(&["4", "0", "-1", "61"]),
        "date" | "timestamp with time zone" => plain(&["'2000-01-01'", "'2999-01-01'", "null"]),
        "boolean" => plain(&["true", "false"]),
        "regclass" => plain(&["'public.assets'", "'public.agents'"]),
        _ => Vec::new(),
    };
    all.push(Argument { sql: "null".into(), victim: false });
    all
}
