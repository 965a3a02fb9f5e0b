//! What must be there before reading: server settings, rights, tables, publications, slot. Made where we may, said with
//! the exact SQL where we may not.
//!
//! Publications are made before the slot: decoding looks for them in the catalogue as it was when a change was logged,
//! so a slot older than its publication could never be read. A publication that appears later joins only after reading
//! has passed its making.

use super::config::PostgresConfig;
use super::problems::{self, ident, literal};
use crate::sources::{Policy, SourceError};
use clarity_wire::frame::Problem;
use std::collections::BTreeSet;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// What kind of server it is.
#[derive(Clone, Debug)]
pub struct Server {
    /// `PostgreSQL 15.18`.
    pub product: String,
    pub version: i32,
    pub standby: bool,
    /// The database does not know its own encoding (`SQL_ASCII`). Asked for UTF-8 it refuses to send a text that is
    /// none, which would stop the whole stream; so its bytes are taken as they are.
    pub raw_text: bool,
    /// Next transaction id, 64 bits.
    pub xid: u64,
}

/// A table that matches the source's patterns.
#[derive(Clone, Debug)]
pub struct Table {
    pub oid: u32,
    pub schema: String,
    pub table: String,
    pub partitioned: bool,
    pub rows_estimated: Option<u64>,
    /// Updates and deletes can say which row they mean.
    pub identified: bool,
    pub full_old_row: bool,
    pub readable: bool,
    pub owned: bool,
    /// From the publication: only these columns and rows, where the owner narrowed it.
    pub columns: Option<Vec<String>>,
    pub row_filter: Option<String>,
}

impl Table {
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    pub fn quoted(&self) -> String {
        problems::table_ident(&self.schema, &self.table)
    }
}

/// What the database publishes to us.
#[derive(Clone, Debug, Default)]
pub struct Published {
    pub publications: Vec<String>,
    /// Published, wanted and allowed.
    pub tables: Vec<Table>,
    pub problems: Vec<Problem>,
}

/// The slot as the server has it.
#[derive(Clone, Debug)]
pub struct Slot {
    pub plugin: String,
    pub database: String,
    pub active_pid: Option<i32>,
    pub confirmed: u64,
    /// Why its log is gone, if it is.
    pub lost: Option<String>,
}

/// Checks settings and rights.
pub async fn server(client: &Client, config: &PostgresConfig) -> Result<Server, SourceError> {
    let query = "select current_setting('server_version_num')::int, current_setting('server_version'),
                        current_setting('wal_level'), pg_is_in_recovery(),
                        (select rolreplication or rolsuper from pg_roles where rolname = current_user),
                        pg_snapshot_xmax(pg_current_snapshot())::text,
                        current_setting('server_encoding') = 'SQL_ASCII'";
    let row = client.query_one(query, &[]).await.map_err(|e| problems::of_error(config, &e, "checking the server"))?;
    let (version, text): (i32, String) = (row.get(0), row.get(1));
    if version < 140_000 {
        return Err(problems::version(config, &text).into());
    }
    let wal_level: String = row.get(2);
    if wal_level != "logical" {
        return Err(problems::wal_level(&wal_level).into());
    }
    if row.get::<_, Option<bool>>(4) != Some(true) {
        return Err(problems::replication_grant(config).into());
    }
    let number = text.split_whitespace().next().unwrap_or(&text);
    Ok(Server {
        product: format!("PostgreSQL {number}"),
        version,
        standby: row.get(3),
        raw_text: row.get(6),
        xid: row.get::<_, String>(5).parse().unwrap_or(0),
    })
}

/// The transaction id that will be given next, in 64 bits.
pub async fn next_xid(client: &Client) -> Result<u64, tokio_postgres::Error> {
    let row = client.query_one("select pg_snapshot_xmax(pg_current_snapshot())::text", &[]).await?;
    Ok(row.get::<_, String>(0).parse().unwrap_or(0))
}

/// The oldest transaction that still runs.
pub async fn oldest_xid(client: &Client) -> Result<u64, tokio_postgres::Error> {
    let row = client.query_one("select pg_snapshot_xmin(pg_current_snapshot())::text", &[]).await?;
    Ok(row.get::<_, String>(0).parse().unwrap_or(0))
}

/// Where the log ends, with what is not written yet.
pub async fn insert_lsn(client: &Client) -> Result<u64, tokio_postgres::Error> {
    let end =
        "select ((case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end)
                       - '0/0')::int8";
    Ok(client.query_one(end, &[]).await?.get::<_, i64>(0) as u64)
}

/// All tables that match; those that the local policy keeps out are told.
pub async fn tables(
    client: &Client,
    config: &PostgresConfig,
    policy: &Policy,
) -> Result<(Vec<Table>, Vec<Problem>), SourceError> {
    let rows = client
        .query(
            "select c.oid, n.nspname::text, c.relname::text, c.relkind = 'p', c.reltuples::float8, c.relreplident = 'f',
                    case c.relreplident
                      when 'f' then true
                      when 'd' then exists (select from pg_index i
                                            where i.indrelid = c.oid and i.indisprimary and i.indimmediate)
                      when 'i' then exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident)
                      else false
                    end,
                    has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select'),
                    pg_has_role(c.relowner, 'usage')
             from pg_class c
             join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition
               and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
             order by 2, 3",
            &[],
        )
        .await
        .map_err(|e| problems::of_error(config, &e, "listing the tables"))?;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for r in &rows {
        let estimate: f64 = r.get(4);
        let table = Table {
            oid: r.get(0),
            schema: r.get(1),
            table: r.get(2),
            partitioned: r.get(3),
            rows_estimated: (estimate >= 0.0).then_some(estimate as u64),
            full_old_row: r.get(5),
            identified: r.get(6),
            readable: r.get(7),
            owned: r.get(8),
            columns: None,
            row_filter: None,
        };
        let name = table.name();
        match (config.wants(&name), policy.allows_table(&name)) {
            (true, true) => found.push(table),
            (true, false) => refused.push(name),
            _ => {}
        }
    }
    let mut told = Vec::new();
    if !refused.is_empty() {
        told.push(problems::policy_tables(&refused));
    }
    if found.is_empty() {
        told.push(problems::no_tables(config));
    }
    Ok((found, told))
}

/// The statement that makes both publications, for an owner to run as well.
pub fn publication_sql(config: &PostgresConfig, tables: &[Table]) -> [String; 2] {
    let list = |identified: bool| {
        let names: Vec<String> = tables.iter().filter(|t| t.identified == identified).map(Table::quoted).collect();
        if names.is_empty() { String::new() } else { format!(" for table {}", names.join(", ")) }
    };
    [
        format!(
            "create publication {}{} with (publish_via_partition_root = true);",
            ident(&config.publication()),
            list(true)
        ),
        format!(
            "create publication {}{} with (publish = 'insert, truncate', publish_via_partition_root = true);",
            ident(&config.inserts_publication()),
            list(false)
        ),
    ]
}

/// Makes the publications, or brings them up to date with the tables that match. Err with `publication_missing`: the
/// owner has to.
pub async fn publications(
    client: &Client,
    config: &PostgresConfig,
    policy: &Policy,
    server: &Server,
    change: bool,
) -> Result<Published, SourceError> {
    let (candidates, mut told) = tables(client, config, policy).await?;
    let failed = |e: tokio_postgres::Error| problems::of_error(config, &e, "reading the publications");
    let names = [config.publication(), config.inserts_publication()];
    let mut existing = existing(client, &names).await.map_err(failed)?;
    let sql = publication_sql(config, &candidates);
    let owned: Vec<Table> = candidates.iter().filter(|t| t.owned).cloned().collect();
    let ours = publication_sql(config, &owned);
    // A publication of ours could not take in tables of another owner later: then it is theirs to make.
    let try_it = change && !server.standby && (candidates.is_empty() || !owned.is_empty());
    let mut owners_sql = Vec::new();
    for ((name, statement), ours) in names.iter().zip(&sql).zip(&ours) {
        if existing.contains(name) {
            continue;
        }
        let made = if try_it { may(client.batch_execute(ours).await).map_err(failed)? } else { false };
        if made {
            tracing::info!(publication = name, "publication made");
            existing.insert(name.clone());
        } else if name == &names[0] {
            return Err(problems::publication(config, sql.join("\n"), true).into());
        } else if candidates.iter().any(|t| !t.identified) {
            owners_sql.push(statement.clone());
        }
    }
    let mut published = members(client, server, &names).await.map_err(failed)?;
    if change && !server.standby {
        let mut changed = false;
        for statement in alterations(&names, &existing, &candidates, &published) {
            if may(client.batch_execute(&statement).await).map_err(failed)? {
                tracing::info!(%statement, "publication changed");
                changed = true;
            } else {
                owners_sql.push(statement);
            }
        }
        if changed {
            published = members(client, server, &names).await.map_err(failed)?;
        }
    } else {
        owners_sql.extend(alterations(&names, &existing, &candidates, &published));
    }
    if !owners_sql.is_empty() {
        told.push(problems::publication(config, owners_sql.join("\n"), false));
    }
    let mut tables = Vec::new();
    for mut table in candidates {
        let member = published.iter().find(|m| m.schema == table.schema && m.table == table.table);
        if !table.identified {
            told.push(problems::no_primary_key(&table.name(), &table.quoted(), member.is_some()));
        }
        if let Some(member) = member {
            table.columns.clone_from(&member.columns);
            table.row_filter.clone_from(&member.row_filter);
            tables.push(table);
        }
    }
    // Only those that exist may be named.
    let publications = names.into_iter().filter(|n| existing.contains(n)).collect();
    Ok(Published { publications, tables, problems: told })
}

struct Member {
    publication: String,
    schema: String,
    table: String,
    columns: Option<Vec<String>>,
    row_filter: Option<String>,
}

async fn existing(client: &Client, names: &[String]) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    let rows = client.query("select pubname::text from pg_publication where pubname = any($1)", &[&names]).await?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

async fn members(client: &Client, server: &Server, names: &[String]) -> Result<Vec<Member>, tokio_postgres::Error> {
    let narrowed = if server.version >= 150_000 { "attnames::text[], rowfilter" } else { "null::text[], null::text" };
    let query = format!(
        "select pubname::text, schemaname::text, tablename::text, {narrowed}
         from pg_publication_tables where pubname = any($1) order by 1"
    );
    let rows = client.query(&query, &[&names]).await?;
    Ok(rows
        .iter()
        .map(|r| Member {
            publication: r.get(0),
            schema: r.get(1),
            table: r.get(2),
            columns: r.get(3),
            row_filter: r.get(4),
        })
        .collect())
}

/// Statements that bring the publications up to date.
fn alterations(
    names: &[String; 2],
    existing: &BTreeSet<String>,
    tables: &[Table],
    published: &[Member],
) -> Vec<String> {
    let is_in = |publication: &str, t: &Table| {
        published.iter().any(|m| m.publication == publication && m.schema == t.schema && m.table == t.table)
    };
    let mut statements = Vec::new();
    let [all, inserts] = names;
    for table in tables {
        let (in_all, in_inserts) = (is_in(all, table), is_in(inserts, table));
        if in_all {
            continue;
        }
        if table.identified && existing.contains(all) {
            statements.push(format!("alter publication {} add table {};", ident(all), table.quoted()));
        } else if !table.identified && !in_inserts && existing.contains(inserts) {
            statements.push(format!("alter publication {} add table {};", ident(inserts), table.quoted()));
        }
    }
    statements
}

/// Whether a statement went through; false when we may not, or somebody else did it at the same moment.
fn may(result: Result<(), tokio_postgres::Error>) -> Result<bool, tokio_postgres::Error> {
    match result {
        Ok(()) => Ok(true),
        Err(e) if e.code() == Some(&SqlState::DUPLICATE_OBJECT) => Ok(true),
        Err(e) if e.as_db_error().is_some() => {
            tracing::debug!(error = %e, "a publication could not be changed");
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// The slot, if it exists.
pub async fn find_slot(client: &Client, config: &PostgresConfig, server: &Server) -> Result<Option<Slot>, SourceError> {
    let reason = if server.version >= 170_000 { "invalidation_reason" } else { "null::text" };
    let query = format!(
        "select plugin::text, database::text, active_pid, (confirmed_flush_lsn - '0/0')::int8, wal_status, {reason}
         from pg_replication_slots where slot_name = $1"
    );
    let row = client
        .query_opt(&query, &[&config.slot()])
        .await
        .map_err(|e| problems::of_error(config, &e, "looking for the slot"))?;
    Ok(row.map(|r| {
        let status: Option<String> = r.get(4);
        let reason: Option<String> = r.get(5);
        let lost = reason.or_else(|| (status.as_deref() == Some("lost")).then(|| "its log was removed".to_owned()));
        Slot {
            plugin: r.get::<_, Option<String>>(0).unwrap_or_default(),
            database: r.get::<_, Option<String>>(1).unwrap_or_default(),
            active_pid: r.get(2),
            confirmed: r.get::<_, Option<i64>>(3).unwrap_or_default() as u64,
            lost,
        }
    }))
}

pub async fn make_slot(client: &Client, config: &PostgresConfig) -> Result<(), SourceError> {
    let slot = config.slot();
    let sql = format!("select pg_create_logical_replication_slot({}, 'pgoutput')", literal(&slot));
    match client.batch_execute(&sql).await {
        Ok(()) => {
            tracing::info!(slot, "replication slot made");
            Ok(())
        }
        Err(e) if e.code() == Some(&SqlState::CONFIGURATION_LIMIT_EXCEEDED) => {
            let max = client.query_one("show max_replication_slots", &[]).await.map(|r| r.get::<_, String>(0));
            Err(problems::no_slot_left(&max.unwrap_or_default()).into())
        }
        Err(e) => Err(problems::of_error(config, &e, "making the replication slot").into()),
    }
}

/// Free slots, and how many there can be.
pub async fn free_slots(client: &Client) -> Result<(i64, i64), tokio_postgres::Error> {
    let query = "select m - (select count(*) from pg_replication_slots), m
                 from (select current_setting('max_replication_slots')::int8 as m) s";
    let row = client.query_one(query, &[]).await?;
    Ok((row.get::<_, i64>(0).max(0), row.get(1)))
}
