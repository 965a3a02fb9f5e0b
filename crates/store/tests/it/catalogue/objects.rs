//! The catalogue's rarer objects: sequences, triggers, rules, statistics, extensions, default rights, and what roles own
//! beside tables. Each is a way past the policies that no table shows.

use tokio_postgres::Client;

const OURS: &str = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/// Each query gives names and what is wrong with them.
pub async fn check(db: &Client, found: &mut Vec<String>) {
    for sql in [sequences(), triggers(), rules(), statistics(), strangers(), default_rights(), database(), owners()] {
        let rows = db.query(&sql, &[]).await.unwrap_or_else(|e| panic!("the catalogue cannot be read: {e:?}\n{sql}"));
        for row in rows {
            let (name, wrong): (String, String) = (row.get(0), row.get(1));
            found.push(format!("{name}: {wrong}"));
        }
    }
}

/// How far one workspace counts would be seen by all.
fn sequences() -> String {
    format!(
        "select n.nspname || '.' || c.relname, 'is a sequence, which all workspaces would share'
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'S' and {OURS}"
    )
}

fn triggers() -> String {
    format!(
        "select n.nspname || '.' || c.relname, 'has the trigger ' || t.tgname
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         where not t.tgisinternal and t.tgfoid <> 'public.chain_audit_entry'::regproc and {OURS}
         union all
         select 'event trigger ' || evtname, 'runs with every definition' from pg_event_trigger"
    )
}

fn rules() -> String {
    format!(
        "select n.nspname || '.' || c.relname, 'has the rule ' || r.rulename
         from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
         where r.rulename <> '_RETURN' and {OURS}"
    )
}

/// They hold values of all workspaces, for whoever may read the table; and of an index's expression, for whoever owns it:
/// `pg_stats` asks for the policies of the index, which has none.
fn statistics() -> String {
    format!(
        "select n.nspname || '.' || s.stxname, 'is extended statistics'
         from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
         where {OURS}
         union all
         select n.nspname || '.' || c.relname, 'gathers statistics of its expression ' || a.attname
         from pg_index i
         join pg_class c on c.oid = i.indexrelid
         join pg_class t on t.oid = i.indrelid and t.relrowsecurity
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attstattarget <> 0
         where i.indkey[a.attnum - 1] = 0 and {OURS}"
    )
}

/// Ways out of the database.
fn strangers() -> String {
    format!(
        "select n.nspname || '.' || c.relname, 'is a foreign table'
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'f' and {OURS}
         union all
         select 'extension ' || extname, 'is not one we know' from pg_extension where extname <> 'plpgsql'
         union all
         select 'foreign server ' || srvname, 'leads out of the database' from pg_foreign_server"
    )
}

/// What is made later, tomorrow's partitions among it, would be granted unasked.
fn default_rights() -> String {
    "select 'default rights', g.privilege_type || ' granted to '
            || case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end
     from pg_default_acl d, aclexplode(d.defaclacl) g
     where g.grantee <> d.defaclrole"
        .to_owned()
}

fn database() -> String {
    "select 'the database', g.privilege_type || ' granted to ' || g.grantee::regrole::text
     from pg_database d, aclexplode(d.datacl) g
     where d.datname = current_database() and g.grantee not in (0, d.datdba)
       and (g.privilege_type <> 'CONNECT' or g.is_grantable)"
        .to_owned()
}

fn owners() -> String {
    format!(
        "select 'role ' || r.rolname, 'owns ' || o.what
         from (
           select proowner as owner, 'function ' || p.proname as what
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS}
           union all
           select nspowner, 'schema ' || nspname from pg_namespace n where {OURS}
         ) o
         join pg_roles r on r.oid = o.owner
         where r.rolname like 'clarity\\_%' and r.rolname <> 'clarity_owner'"
    )
}
