//! Everything that can be wrong with a customer's Postgres, as a sentence and the exact way out.
//!
//! Codes are stable: pages and tests match on them. `fatal` says that reading stands still until a person acted.

use super::config::PostgresConfig;
use super::position::lsn_text;
use clarity_wire::frame::Problem;
use std::path::Path;
use tokio_postgres::error::SqlState;

pub fn fatal(code: &str, message: impl Into<String>, fix: impl Into<Option<String>>) -> Problem {
    Problem { code: code.into(), message: message.into(), fix: fix.into(), fatal: true }
}

pub fn attention(code: &str, message: impl Into<String>, fix: impl Into<Option<String>>) -> Problem {
    Problem { code: code.into(), message: message.into(), fix: fix.into(), fatal: false }
}

/// An SQL name, quoted.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An SQL text, quoted.
pub fn literal(text: &str) -> String {
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// `"schema"."table"` of `schema.table` in its two parts.
pub fn table_ident(schema: &str, table: &str) -> String {
    format!("{}.{}", ident(schema), ident(table))
}

pub fn password_file(path: &Path, error: &std::io::Error) -> Problem {
    fatal(
        "bad_credentials",
        format!("the password file {} cannot be read: {error}", path.display()),
        Some(format!("write the password into {} and let the agent's user read it (chmod 600)", path.display())),
    )
}

pub fn password_env(name: &str) -> Problem {
    fatal(
        "bad_credentials",
        format!("the environment variable {name}, where the password should be, is not set"),
        Some(format!("set {name} for the agent, or use password_file in agent.toml")),
    )
}

pub fn ca_file(path: &Path, error: impl std::fmt::Display) -> Problem {
    fatal(
        "tls",
        format!("ca_file {} cannot be used: {error}", path.display()),
        Some("point ca_file at a PEM file with the root certificate of the server".to_owned()),
    )
}

pub fn policy_host(config: &PostgresConfig) -> Problem {
    fatal(
        "policy_host",
        format!("the local policy does not allow {}:{}", config.host, config.port),
        Some(format!("add \"{}:{}\" to hosts under [policy] in agent.toml", config.host, config.port)),
    )
}

pub fn policy_tables(tables: &[String]) -> Problem {
    attention(
        "policy_table",
        format!("the local policy keeps these tables from being read: {}", tables.join(", ")),
        Some("allow them in tables under [policy] in agent.toml, or exclude them from the source".to_owned()),
    )
}

/// Columns of the key that are hashed where hiding or rounding was asked for.
pub fn mask_key(table: &str, columns: &[String]) -> Option<Problem> {
    if columns.is_empty() {
        return None;
    }
    let columns = columns.join(", ");
    Some(attention(
        "mask_key",
        format!(
            "{columns} of {table} is part of the key and is hashed: hidden or rounded, rows could not be told apart"
        ),
        Some("choose \"Hash with key\" for it on the Masking page, or in agent.toml".to_owned()),
    ))
}

pub fn no_tables(config: &PostgresConfig) -> Problem {
    attention(
        "no_tables",
        format!(
            "no table of database {} matches tables = {:?} in agent.toml",
            config.database,
            config.tables.as_slice()
        ),
        Some("correct tables in agent.toml; tables that are made later are found within a minute".to_owned()),
    )
}

pub fn unreachable(config: &PostgresConfig, error: impl std::fmt::Display) -> Problem {
    attention(
        "unreachable",
        format!("{}:{} cannot be reached: {error}", config.host, config.port),
        Some(format!(
            "check that Postgres runs there, that listen_addresses includes this network and that no firewall closes \
             port {} (trying again by itself)",
            config.port
        )),
    )
}

pub fn connection_lost(error: impl std::fmt::Display) -> Problem {
    attention("connection_lost", format!("the connection to Postgres ended: {error}; connecting again"), None)
}

pub fn tls(config: &PostgresConfig, error: impl std::fmt::Display) -> Problem {
    fatal(
        "tls",
        format!("no TLS connection with {}: {error}", config.host),
        Some(
            "switch ssl on at the server and give its root as ca_file; or write in agent.toml tls = \"require\" (its \
             certificate is not checked) or tls = \"disable\" (nothing is encrypted)"
                .to_owned(),
        ),
    )
}

pub fn version(config: &PostgresConfig, version: &str) -> Problem {
    fatal(
        "version",
        format!("{} runs PostgreSQL {version}; logical replication as we read it needs 14 or later", config.host),
        Some("upgrade the server to a supported version".to_owned()),
    )
}

pub fn wal_level(current: &str) -> Problem {
    fatal(
        "wal_level",
        format!("wal_level is {current}, so the server does not log what is needed to read changes"),
        Some("alter system set wal_level = 'logical';  -- then restart Postgres".to_owned()),
    )
}

pub fn replication_grant(config: &PostgresConfig) -> Problem {
    fatal(
        "missing_grant",
        format!("user {} may not use replication", config.user),
        Some(format!("alter role {} replication;", ident(&config.user))),
    )
}

pub fn select_grant(config: &PostgresConfig, schema: &str, table: &str) -> Problem {
    attention(
        "missing_grant",
        format!("user {} may not read {schema}.{table}, so the rows that are there already are not taken", config.user),
        Some(format!(
            "grant usage on schema {s} to {u}; grant select on {t} to {u};",
            s = ident(schema),
            t = table_ident(schema, table),
            u = ident(&config.user)
        )),
    )
}

/// The owner has to make or change a publication; `sql` is exactly what.
pub fn publication(config: &PostgresConfig, sql: String, blocking: bool) -> Problem {
    let message = if blocking {
        format!(
            "publication {} is not there, and user {} may not make it; waiting for the tables' owner to run the SQL",
            config.publication(),
            config.user
        )
    } else {
        format!("some tables are not published yet, and user {} may not change the publication", config.user)
    };
    Problem {
        code: if blocking { "publication_missing" } else { "not_published" }.into(),
        message,
        fix: Some(sql),
        fatal: blocking,
    }
}

pub fn no_primary_key(table: &str, quoted: &str, inserts_flow: bool) -> Problem {
    let what = if inserts_flow { "only inserts are read" } else { "it is not read" };
    attention(
        "no_primary_key",
        format!(
            "{table} has no primary key or replica identity: {what}, since publishing its updates would make them fail"
        ),
        Some(format!("alter table {quoted} add primary key (…);  -- or: alter table {quoted} replica identity full;")),
    )
}

pub fn no_slot_left(max: &str) -> Problem {
    fatal(
        "no_slot_left",
        format!("all {max} replication slots of the server are in use"),
        Some(
            "select slot_name, active, restart_lsn from pg_replication_slots;  -- then either \
             select pg_drop_replication_slot('one_that_is_not_needed');  -- or \
             alter system set max_replication_slots = 20;  -- and restart Postgres"
                .to_owned(),
        ),
    )
}

pub fn no_sender_left() -> Problem {
    fatal(
        "no_sender_left",
        "all WAL senders or connections of the server are in use",
        Some("alter system set max_wal_senders = 20;  -- and restart Postgres".to_owned()),
    )
}

pub fn slot_in_use(slot: &str, pid: Option<i32>) -> Problem {
    let by = pid.map_or_else(String::new, |p| format!(" by process {p}"));
    attention(
        "slot_in_use",
        format!(
            "replication slot {slot} is in use{by}; trying again. If it lasts, another agent reads with the same slot name"
        ),
        pid.map(|p| format!("select pg_terminate_backend({p});  -- only if that is not an agent of yours")),
    )
}

pub fn slot_lost(slot: &str, how: &str, from: u64) -> Problem {
    fatal(
        "slot_lost",
        format!(
            "replication slot {slot} {how}: the changes after {} are gone from the server's log. Nothing is read \
             until a new snapshot is asked for",
            lsn_text(from)
        ),
        Some(format!(
            "take a new snapshot of this source on the Sources page; if the slot is still listed, first run \
             select pg_drop_replication_slot({slot});",
            slot = literal(slot)
        )),
    )
}

pub fn slot_moved(slot: &str, at: u64, ours: u64) -> Problem {
    fatal(
        "slot_moved",
        format!(
            "replication slot {slot} stands at {}, beyond what this agent kept ({}): somebody else read from it, or the \
             agent's disk is an older copy. The changes between are gone from the server's log",
            lsn_text(at),
            lsn_text(ours)
        ),
        Some(
            "take a new snapshot of this source on the Sources page, and give each agent its own slot name".to_owned(),
        ),
    )
}

pub fn slot_kind(slot: &str, plugin: &str, database: &str) -> Problem {
    fatal(
        "slot_kind",
        format!("replication slot {slot} exists, but for plugin {plugin} and database {database}"),
        Some("give slot another name in agent.toml".to_owned()),
    )
}

pub fn other_system(expected: &str, found: &str) -> Problem {
    fatal(
        "other_system",
        format!(
            "this is another database cluster (system identifier {found}) than the one read so far ({expected}). Reading \
             on would mix two histories"
        ),
        Some("correct host and port in agent.toml, or give the new cluster a source name of its own".to_owned()),
    )
}

pub fn system_restored(ours: u64, theirs: u64) -> Problem {
    fatal(
        "system_restored",
        format!(
            "the server's log ends at {}, before {} that was already read: it was restored from an older copy",
            lsn_text(theirs),
            lsn_text(ours)
        ),
        Some("take a new snapshot of this source on the Sources page".to_owned()),
    )
}

pub fn wal_budget(lag_bytes: u64, budget: u64) -> Problem {
    attention(
        "wal_budget",
        format!(
            "the server keeps {} MB of log for us, more than the agreed {} MB: it is confirmed as soon as it is in the \
             agent's spool, which is then the only copy",
            lag_bytes >> 20,
            budget >> 20
        ),
        Some("bring the connection to the platform back; the budget is wal_budget_bytes in agent.toml".to_owned()),
    )
}

pub fn slot_at_risk(slot: &str, safe_bytes: i64) -> Problem {
    attention(
        "slot_at_risk",
        format!("the server will drop replication slot {slot} after {} MB more of log", safe_bytes.max(0) >> 20),
        Some("alter system set max_slot_wal_keep_size = -1; select pg_reload_conf();".to_owned()),
    )
}

pub fn clock_skew(skew_us: i64) -> Problem {
    attention(
        "clock_skew",
        format!("the clocks of this machine and of the database are {} s apart", skew_us.unsigned_abs() / 1_000_000),
        Some(
            "synchronise both with NTP; order comes from the log, but times on pages come from these clocks".to_owned(),
        ),
    )
}

pub fn heartbeat(error: impl std::fmt::Display) -> Problem {
    attention(
        "heartbeat",
        format!("the database does not take our heartbeat, so quiet and broken look alike for longer: {error}"),
        None,
    )
}

/// What Postgres answered, by its SQLSTATE. `doing` completes "while …".
pub fn of_state(config: &PostgresConfig, code: &str, message: &str, doing: &str) -> Problem {
    let state = SqlState::from_code(code);
    let refused = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    if refused.contains(&state) && message.contains("pg_hba.conf") {
        let line = format!("host  {}  {}  <address of this machine>/32  scram-sha-256", config.database, config.user);
        return fatal(
            "bad_credentials",
            format!("the server does not let us in: {message}"),
            Some(format!("add to pg_hba.conf and reload: {line}")),
        );
    }
    if refused.contains(&state) {
        return fatal(
            "bad_credentials",
            format!("Postgres refused user {}: {message}", config.user),
            Some(format!(
                "alter role {} login password '…';  -- and the same password for the agent",
                ident(&config.user)
            )),
        );
    }
    match state {
        SqlState::INVALID_CATALOG_NAME => fatal(
            "no_database",
            format!("database {} is not on {}:{}", config.database, config.host, config.port),
            Some("correct database in agent.toml".to_owned()),
        ),
        SqlState::TOO_MANY_CONNECTIONS => no_sender_left(),
        SqlState::CONFIGURATION_LIMIT_EXCEEDED => no_slot_left("configured"),
        SqlState::OBJECT_IN_USE => slot_in_use(&config.slot(), None),
        SqlState::INSUFFICIENT_PRIVILEGE if message.contains("replication") || message.contains("REPLICATION") => {
            replication_grant(config)
        }
        SqlState::INSUFFICIENT_PRIVILEGE => fatal(
            "missing_grant",
            format!("user {} may not do this while {doing}: {message}", config.user),
            Some(format!("grant connect on database {} to {};", ident(&config.database), ident(&config.user))),
        ),
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE if message.contains("wal_level") => wal_level("lower"),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => connection_lost(message),
        _ => attention("postgres", format!("Postgres answered while {doing}: {message} ({code})"), None),
    }
}

/// An error of the ordinary connection.
pub fn of_error(config: &PostgresConfig, error: &tokio_postgres::Error, doing: &str) -> Problem {
    if let Some(db) = error.as_db_error() {
        return of_state(config, db.code().code(), db.message(), doing);
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if error.is_closed() {
        connection_lost(text)
    } else if text.contains("password missing") {
        fatal(
            "bad_credentials",
            format!("the server asks for a password of user {}", config.user),
            Some("set password_file or password_env in agent.toml".to_owned()),
        )
    } else if text.contains("TLS") || text.contains("certificate") {
        tls(config, text)
    } else {
        unreachable(config, text)
    }
}

#[cfg(test)]
mod tests {
    use super::{ident, literal, table_ident};

    /// Names and texts stand in commands that take no arguments: nobody who names a table writes a command.
    #[test]
    fn names_and_texts_cannot_leave_their_quotes() {
        assert_eq!(ident("orders"), "\"orders\"");
        assert_eq!(ident("x\"; drop table y; --"), "\"x\"\"; drop table y; --\"");
        assert_eq!(table_ident("a\".b", "c\"d"), "\"a\"\".b\".\"c\"\"d\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\'; drop table y; --"), "E'\\\\''; drop table y; --'");
    }
}
