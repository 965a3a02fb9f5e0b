//! Rows of our workspace, and of the victim's where there is one, in every table and every partition.
//!
//! A table that cannot be filled fails the suite: what is empty cannot leak, and proves nothing.

use tokio_postgres::Client;

use super::surface::{Kind, Relation, Surface};
use super::values::{ENDED_USER, OWN, VICTIM, Who, literal, row};

/// Tables that are no workspace's, each with its reason.
const NOBODYS: [(&str, &str); 2] = [
    ("public._sqlx_migrations", "which migrations have run"),
    ("ops.tables_outside_workspaces", "the list that the catalogue's rules read"),
];

/// Tables whose rows belong to a workspace or to a person in one.
fn seeded(surface: &Surface) -> impl Iterator<Item = &Relation> {
    let holds = |r: &&Relation| matches!(r.kind, Kind::Table | Kind::Partition);
    surface.relations.iter().filter(holds).filter(|r| !NOBODYS.iter().any(|(name, _)| *name == r.name))
}

/// One row a table and partition and person, in the order of the foreign keys, as `values` says it: no trigger makes another
/// of it.
pub async fn fill(admin: &Client, surface: &Surface, people: &[Who]) {
    admin.batch_execute("set session_replication_role = replica").await.expect("set");
    for who in people {
        let mut waiting: Vec<&Relation> = seeded(surface).collect();
        while !waiting.is_empty() {
            let missing = |r: &Relation| {
                let on =
                    |target: &str| target != r.name && waiting.iter().any(|w| w.name == target || w.family == target);
                r.foreign.iter().any(|key| on(&key.target))
            };
            let (later, ready): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|r| missing(r));
            assert!(
                !ready.is_empty(),
                "foreign keys in a circle: {:?}",
                later.iter().map(|r| &r.name).collect::<Vec<_>>()
            );
            for relation in ready {
                insert(admin, surface, relation, *who).await;
            }
            waiting = later;
        }
    }
    admin.batch_execute("reset session_replication_role").await.expect("reset");
    // What every role may read of statistics, it reads of these rows.
    admin.batch_execute("analyze").await.expect("analyzed");
}

async fn insert(admin: &Client, surface: &Surface, relation: &Relation, who: Who) {
    let names: Vec<&str> = relation.columns.iter().map(|c| c.name.as_str()).collect();
    let sql =
        format!("insert into {} ({}) values ({})", relation.name, names.join(", "), row(surface, relation, who, None));
    let done = admin.batch_execute(&sql).await;
    assert!(
        done.is_ok(),
        "{} has no seed row, so nothing would be tried on it; if its columns need other values, say so in values.rs: {:?}\n{sql}",
        relation.name,
        done.err()
    );
}

/// `clarity_probe()`: a hash of all that is the victim's, as it stands in the transaction that asks. It is the superuser's and
/// stands in `pg_catalog`, so that attackers can call it between their statements and no rule looks at it.
pub async fn install_probe(admin: &Client, surface: &Surface) {
    let of = |relation: &Relation| {
        let name = &relation.name;
        let theirs = if relation.has("workspace_id") {
            format!("workspace_id = '{VICTIM}'")
        } else {
            let key = relation
                .key
                .first()
                .map_or("true".to_owned(), |key| format!("{key} = {}", literal(surface, relation, key, Who::Victim)));
            format!("({key})")
        };
        format!("select '{name}' as place, t::text as line from {name} t where {theirs}")
    };
    let all: Vec<String> = seeded(surface).map(of).collect();
    let sql = format!(
        "create or replace function pg_catalog.clarity_probe() returns text language plpgsql security definer
           set search_path = pg_catalog
           as $$ begin return (select md5(coalesce(string_agg(place || line, ',' order by place, line), '')) from ({}) rows); end $$;
         grant execute on function pg_catalog.clarity_probe() to public",
        all.join(" union all ")
    );
    admin.batch_execute(&sql).await.unwrap_or_else(|e| panic!("no probe: {e:?}\n{sql}"));
}

/// Somebody of ours whose grant in our workspace has ended: before all other rows and with the
/// lowest keys, so that both worlds have it at one place, whichever way they read.
pub async fn fill_ended_grant(admin: &Client) {
    let sql = format!(
        "insert into auth.ops_users (id, email, name, enrolled_at)
           values ('{ENDED_USER}', 'ended@ours.example', 'Ended', '2020-01-01 00:00Z');
         insert into public.support_grants
           (workspace_id, id, ops_user_id, ops_name, ops_email, reason, minutes, requested_at, decision, decided_at, ends_at)
         values ('{OWN}', 'aaaaaaaa-aaaa-7aaa-8aaa-000000000001', '{ENDED_USER}', 'Ended', 'ended@ours.example', 'a reason', 30,
                 '2025-12-31 23:45Z', 'approved', '2026-01-01 00:00Z', '2026-01-01 00:15Z')"
    );
    admin.batch_execute(&sql).await.expect("an ended grant");
}

/// Tables in which somebody has no row.
pub async fn empty_tables(admin: &Client, surface: &Surface, people: &[Who]) -> Vec<String> {
    let mut empty = Vec::new();
    for relation in seeded(surface) {
        let row = admin.query_one(&format!("select count(*) from {}", relation.name), &[]).await.expect("counted");
        if row.get::<_, i64>(0) < people.len() as i64 {
            empty.push(relation.name.clone());
        }
    }
    empty
}
