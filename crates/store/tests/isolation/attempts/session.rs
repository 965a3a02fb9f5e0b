//! Becoming somebody else, and ways around tables: files, other servers, replication, code of one's own.

use super::{Attempt, Right};
use crate::surface::Surface;

/// Tried once a role and context. `owner` may make things in its own database.
pub fn session(surface: &Surface, role: &str, owner: bool) -> Vec<Attempt> {
    let mut forbidden = Vec::new();
    let others = surface.roles.iter().map(|r| r.name.as_str()).filter(|name| *name != role);
    for other in others.chain([
        "postgres",
        "pg_read_all_data",
        "pg_write_all_data",
        "pg_monitor",
        "pg_read_server_files",
        "clarity_backup",
    ]) {
        forbidden.push(format!("set local role {other}"));
        forbidden.push(format!("set local session authorization {other}"));
        forbidden.push(format!("alter role {other} password 'loose'"));
        forbidden.push(format!("alter role {other} set row_security = off"));
        forbidden.push(format!("grant {other} to {role}"));
        forbidden.push(format!("drop owned by {other}"));
        forbidden.push(format!("reassign owned by {other} to {role}"));
        forbidden.push(format!("alter default privileges for role {other} grant select on tables to public"));
    }
    for attribute in ["superuser", "bypassrls", "replication", "createrole", "createdb"] {
        forbidden.push(format!("alter role {role} {attribute}"));
        forbidden.push(format!("create role clarity_loose {attribute}"));
    }
    for table in [
        "pg_authid",
        "pg_shadow",
        "pg_statistic",
        "pg_user_mapping",
        "pg_largeobject",
        "pg_subscription",
        "pg_hba_file_rules",
        "pg_statistic_ext_data",
        "pg_file_settings",
    ] {
        forbidden.push(format!("select * from pg_catalog.{table}"));
    }
    for sql in [
        "set local session_replication_role = replica",
        "set local allow_system_table_mods = on",
        "set local log_statement = 'all'",
        "create extension dblink",
        "create extension postgres_fdw",
        "create extension file_fdw",
        "create extension pageinspect",
        "create foreign data wrapper loose",
        "create server loose foreign data wrapper loose",
        "create event trigger loose on ddl_command_end execute function pg_catalog.suppress_redundant_updates_trigger()",
        "create access method loose type table handler heap_tableam_handler",
        "create language loose",
        "create subscription loose connection 'dbname=postgres' publication loose with (connect = false)",
        "create publication loose for all tables",
        "create or replace function pg_catalog.clarity_loose() returns int language sql as 'select 1'",
        "create function loose(int) returns boolean language internal as 'boolin'",
        "load 'auto_explain'",
        "select pg_read_file('postgresql.conf')",
        "select pg_read_binary_file('global/pg_control')",
        "select pg_ls_dir('base')",
        "select * from pg_ls_waldir()",
        "select * from pg_ls_logdir()",
        "select pg_stat_file('postgresql.conf')",
        "select lo_import('/etc/hostname')",
        "select lo_export(1, '/tmp/loose')",
        "select pg_create_logical_replication_slot('loose', 'pgoutput', true)",
        "select pg_create_physical_replication_slot('loose', false, true)",
        "select * from pg_logical_slot_get_changes('loose', null, null)",
        "select pg_replication_origin_create('loose')",
        "select pg_switch_wal()",
        "select pg_create_restore_point('loose')",
        "select pg_reload_conf()",
        "select pg_rotate_logfile()",
        "select pg_export_snapshot(), pg_read_file('PG_VERSION')",
        "select pg_log_backend_memory_contexts(pg_backend_pid())",
        "select pg_stat_reset()",
        "select pg_promote()",
        "copy (select 1) to program 'cat'",
        "copy (select 1) to '/tmp/loose'",
        "checkpoint",
    ] {
        forbidden.push(sql.to_owned());
    }
    for sql in [
        "create schema loose",
        "create table public.loose (n int)",
        "create sequence public.loose",
        "create type public.loose as (n int)",
        "create domain public.loose as int",
        "create function public.loose() returns int language sql as 'select 1'",
        "create or replace function public.app_workspace() returns uuid language sql as 'select null::uuid'",
        "create or replace function public.app_rank() returns int language sql as 'select 4'",
        "alter function public.app_workspace() owner to current_user",
        "drop function public.app_workspace() cascade",
        "create operator public.=== (leftarg = uuid, rightarg = uuid, function = uuid_eq)",
        "create cast (text as uuid) with inout as implicit",
        "create aggregate public.loose (int) (sfunc = int4pl, stype = int)",
        "alter schema public owner to current_user",
        "alter schema ops rename to loose",
        "create temporary table loose (n int)",
        "create temporary table app_workspace (n int)",
        "create function pg_temp.app_workspace() returns uuid language sql as 'select null::uuid'",
        "create text search dictionary public.loose (template = simple)",
        "create collation public.loose from \"C\"",
    ] {
        if !owner {
            forbidden.push(sql.to_owned());
        }
    }
    let mut all: Vec<Attempt> = forbidden.into_iter().map(|sql| Attempt::new(Right::Own, sql).forbidden()).collect();
    let reads = [
        "select schema_to_xml('public', true, false, '')",
        "select * from pg_stats where schemaname in ('public', 'global') order by tablename, attname",
        "select * from pg_stats_ext order by tablename, statistics_name",
        "select classid, objid from pg_seclabel",
        "select count(*) from pg_largeobject_metadata",
        "select name, setting from pg_settings where setting ~ 'zqca|bbbb' order by name",
        "select setconfig from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase
         where coalesce(d.datname, current_database()) = current_database() and setconfig::text ~ 'app[.]'",
        "select slot_name from pg_replication_slots where database = current_database()",
        "select count(*) from pg_prepared_xacts where database = current_database()",
        "select current_setting('app.workspace_id', true)",
        "select count(*) from pg_stat_activity
         where usename <> current_user and query not in ('', '<insufficient privilege>')",
    ];
    all.extend(reads.into_iter().map(|sql| Attempt::new(Right::Select, sql)));
    // Every way of saying the setting that is not the victim's id: none may mean somebody.
    for value in ["", " ", "null", "default", "*", "%", "0", "''", "00000000-0000-0000-0000-000000000000", "{}", "any"]
    {
        for relation in surface.relations.iter().filter(|r| !r.outside && r.has("workspace_id") && r.is_table()) {
            let sql = format!(
                "select set_config('app.workspace_id', '{}', true); select count(*) from {}",
                value.replace('\'', "''"),
                relation.name
            );
            all.push(Attempt::new(Right::Select, sql));
        }
    }
    // Outside of workspaces, all at once: where one table is granted, that is the role's work.
    for schema in ["auth", "ops", "global"] {
        let within = |name: &str| name.split_once('.').is_some_and(|(of, _)| of == schema);
        if !surface.relations.iter().any(|r| within(&r.name) && r.grant(role).is_some()) {
            all.push(Attempt::new(Right::Select, format!("select schema_to_xml('{schema}', true, false, '')")));
        }
    }
    all
}
