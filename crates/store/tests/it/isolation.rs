//! Another workspace's rows do not exist: tried on every tenant table, as every role that may touch it.
//!
//! Tables come from the catalogue and rows are made from the columns' types, so a new table is tried without a word
//! here; one that cannot be filled fails the test rather than passing empty.

use clarity_testkit::TestDb;
use clarity_testkit::cluster::connect;
use tokio_postgres::Client;

pub(crate) const OURS: &str = "11111111-1111-7111-8111-111111111111";
pub(crate) const THEIRS: &str = "22222222-2222-7222-8222-222222222222";
const ROLES: [&str; 3] = ["clarity_app", "clarity_worker", "clarity_ingest"];

pub(crate) struct Table {
    pub(crate) name: String,
    columns: Vec<String>,
}

/// Every tenant table, with one row of each workspace in it.
pub(crate) async fn filled(db: &TestDb) -> Vec<Table> {
    let admin = db.admin().await;
    // The superuser's word only makes the rows. Foreign keys are not what is tried here.
    admin.batch_execute("set session_replication_role = replica").await.expect("set");
    let names = admin
        .query(
            "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = 'public'
               and not exists (select from ops.tables_outside_workspaces o where o.table_name = n.nspname || '.' || c.relname)
             order by 1",
            &[],
        )
        .await
        .expect("tables");
    let mut tables = Vec::new();
    for row in names {
        let name: String = row.get(0);
        let columns = fill(&admin, &name).await;
        tables.push(Table { name, columns });
    }
    tables
}

async fn fill(admin: &Client, table: &str) -> Vec<String> {
    let columns = admin
        .query(
            "select a.attname::text, t.typname::text, t.typcategory = 'A' as is_array,
                    (select pg_get_constraintdef(k.oid) from pg_constraint k
                     where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1) as condition,
                    a.attnotnull and not a.atthasdef as needed
             from pg_attribute a join pg_type t on t.oid = a.atttypid
             where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped",
            &[&table],
        )
        .await
        .expect("columns");
    let (mut names, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for column in &columns {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        if name == "workspace_id" {
            ours.push(format!("'{OURS}'"));
            theirs.push(format!("'{THEIRS}'"));
        } else if column.get::<_, bool>("needed") {
            let condition: Option<String> = column.get("condition");
            let value =
                condition.as_deref().and_then(first_allowed).unwrap_or_else(|| value(&kind, column.get("is_array")));
            ours.push(value.clone());
            theirs.push(value);
        } else {
            continue;
        }
        names.push(name);
    }
    let list = names.join(", ");
    let sql = format!("insert into {table} ({list}) values ({}), ({})", ours.join(", "), theirs.join(", "));
    admin.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{table} cannot be filled: {e:?}\n{sql}"));
    names
}

/// The first value of `… = any (array['a'::text, …])`.
fn first_allowed(condition: &str) -> Option<String> {
    let (_, list) = condition.split_once("ARRAY[")?;
    Some(list.split([',', ']']).next()?.to_owned())
}

fn value(kind: &str, is_array: bool) -> String {
    match kind {
        _ if is_array => "'{}'".into(),
        "uuid" => "'33333333-3333-7333-8333-333333333333'".into(),
        "timestamptz" => "now()".into(),
        "date" => "current_date".into(),
        "jsonb" => "'{}'".into(),
        "bytea" => "'\\x00'".into(),
        "bool" => "false".into(),
        "text" => "'canary'".into(),
        _ => "1".into(),
    }
}

/// A connection of the role that never enters a workspace by itself.
async fn as_role(db: &TestDb, role: &str) -> Client {
    connect(&db.url(role)).await.unwrap_or_else(|e| panic!("{role}: {e:#}"))
}

/// In a transaction of the workspace (with an owner's rank), rolled back after; `None` when the role may not do it at
/// all (SQLSTATE 42501), which the caller tells apart from "no rows".
async fn rows_in(client: &Client, workspace: Option<&str>, sql: &str) -> Option<u64> {
    let scope = workspace.map_or(String::new(), |w| {
        format!("select set_config('app.workspace_id', '{w}', true), set_config('app.rank', '4', true), set_config('app.sites', '*', true);")
    });
    client.batch_execute(&format!("begin; {scope}")).await.expect("begins");
    let done = client.execute(sql, &[]).await;
    client.batch_execute("rollback").await.expect("rolls back");
    match done {
        Ok(rows) => Some(rows),
        Err(e) if e.code().is_some_and(|c| c.code() == "42501") => None,
        Err(e) => panic!("{sql}: {e:?}"),
    }
}

#[tokio::test]
async fn another_workspaces_rows_are_not_there() {
    let db = TestDb::new().await;
    let tables = filled(&db).await;
    assert!(tables.len() >= 20, "the catalogue gave {} tables", tables.len());
    let mut read = Vec::new();
    for role in ROLES {
        let client = as_role(&db, role).await;
        for Table { name, columns } in &tables {
            let all = format!("select workspace_id from {name}");
            let foreign = format!("select workspace_id from {name} where workspace_id = '{THEIRS}'");
            let Some(seen) = rows_in(&client, Some(OURS), &all).await else { continue };
            // The positive control: its own row, and nothing else.
            assert_eq!(seen, 1, "{role} sees {seen} rows of {name}");
            assert_eq!(rows_in(&client, Some(OURS), &foreign).await, Some(0), "{role} reads {name}");
            assert_eq!(rows_in(&client, None, &all).await, Some(0), "{role} reads {name} without a workspace");
            assert_eq!(rows_in(&client, Some(""), &all).await, Some(0), "{role} reads {name} with an empty workspace");
            read.push(name.clone());
            for change in [
                format!("update {name} set {c} = {c} where workspace_id = '{THEIRS}'", c = columns[columns.len() - 1]),
                format!("update {name} set workspace_id = '{OURS}' where workspace_id = '{THEIRS}'"),
                format!("delete from {name} where workspace_id = '{THEIRS}'"),
            ] {
                assert!(matches!(rows_in(&client, Some(OURS), &change).await, None | Some(0)), "{role}: {change}");
            }
        }
    }
    let untouched: Vec<&String> = tables.iter().map(|t| &t.name).filter(|name| !read.contains(name)).collect();
    assert!(untouched.is_empty(), "no role could be tried on {untouched:?}");
}

#[tokio::test]
async fn nothing_can_be_written_for_another_workspace() {
    let db = TestDb::new().await;
    let tables = filled(&db).await;
    for role in ROLES {
        let client = as_role(&db, role).await;
        for Table { name, columns } in &tables {
            let list = columns.join(", ");
            let values = list.replacen("workspace_id", &format!("'{THEIRS}'::uuid"), 1);
            // Its own row, given away: refused by the boundary before any key is looked at.
            let insert = format!("insert into {name} ({list}) select {values} from {name}");
            let steal = format!("update {name} set workspace_id = '{THEIRS}'");
            for change in [insert, steal] {
                assert_eq!(rows_in(&client, Some(OURS), &change).await, None, "{role}: {change}");
            }
        }
    }
}

/// Rows of a table that an operator of ours sees who is limited so.
async fn seen(client: &Client, sites: &str, table: &str) -> usize {
    let scope = format!(
        "begin; select set_config('app.workspace_id', '{OURS}', true), set_config('app.rank', '2', true),
                       set_config('app.sites', '{sites}', true)"
    );
    client.batch_execute(&scope).await.expect("begins");
    let rows = client.query(&format!("select from {table}"), &[]).await.expect("reads").len();
    client.batch_execute("rollback").await.expect("rolls back");
    rows
}

/// Of their site a member sees the machine and what is measured of it; of another one, and of none, no row.
#[tokio::test]
async fn a_limited_member_sees_what_is_of_their_sites() {
    const SITE: &str = "33333333-3333-7333-8333-333333333333";
    const OTHER: &str = "44444444-4444-7444-8444-444444444444";
    const BY_MACHINE: [&str; 7] =
        ["sites", "assets", "latest_samples", "rollups", "state_intervals", "dirty_marks", "sample_chunks"];
    const OF_EVERY_SITE: [&str; 4] = ["records", "record_extras", "dead_letters", "replays"];
    let db = TestDb::new().await;
    filled(&db).await;
    let client = as_role(&db, "clarity_app").await;
    for table in ["latest_samples", "rollups", "sample_chunks"] {
        assert_eq!(seen(&client, SITE, table).await, 0, "{table}: the machine is at no site");
        assert_eq!(seen(&client, "*", table).await, 1, "{table}");
    }
    let placed = format!("update assets set site_id = '{SITE}'; update sample_chunks set asset_numbers = '{{1}}'");
    db.admin().await.batch_execute(&placed).await.expect("placed");
    for table in BY_MACHINE {
        assert_eq!(seen(&client, SITE, table).await, 1, "{table}");
        assert_eq!(seen(&client, &format!("{OTHER},{SITE}"), table).await, 1, "{table}");
    }
    for table in BY_MACHINE.into_iter().chain(OF_EVERY_SITE) {
        assert_eq!(seen(&client, "*", table).await, 1, "{table}");
        for sites in [OTHER, "", "*,*", "%", "null"] {
            assert_eq!(seen(&client, sites, table).await, 0, "{table} with {sites:?}");
        }
    }
    for table in OF_EVERY_SITE {
        assert_eq!(seen(&client, SITE, table).await, 0, "{table} is told by no machine");
    }
    for table in ["sources", "streams", "metrics"] {
        assert_eq!(seen(&client, OTHER, table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn a_viewer_reads_and_writes_nothing() {
    let db = TestDb::new().await;
    filled(&db).await;
    let client = as_role(&db, "clarity_app").await;
    let scope = format!(
        "begin; select set_config('app.workspace_id', '{OURS}', true), set_config('app.rank', '1', true), set_config('app.sites', '*', true)"
    );
    client.batch_execute(&scope).await.expect("begins");
    assert_eq!(client.query("select from sites", &[]).await.expect("reads").len(), 1);
    assert_eq!(client.execute("update sites set name = 'x'", &[]).await.expect("no rows"), 0);
    let added = client.execute("insert into sites (id, name) values (gen_random_uuid(), 'x')", &[]).await;
    assert_eq!(added.expect_err("refused").code().map(|c| c.code()), Some("42501"));
}
