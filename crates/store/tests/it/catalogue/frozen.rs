//! Everything in the catalogue by which rows could be reached, as text: who is granted what, each policy, function, trigger,
//! key, default, setting. A rule knows what is always wrong; this list knows what was not there yesterday, so nothing new
//! passes without somebody reading its line in `surface.txt`.
//!
//! Partitions are not in it: they are made day by day, and the rules hold them shut.

use std::collections::BTreeSet;

use tokio_postgres::Client;

/// One query a kind of thing; each row is a line.
const KINDS: [&str; 15] = [
    "select 'relation ' || c.oid::regclass || ' (' || c.relkind::text || ') of ' || c.relowner::regrole
            || coalesce(' with ' || c.reloptions::text, '')
     from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not c.relispartition and OURS(c.relnamespace)",
    "select 'grant on ' || c.oid::regclass || coalesce('.' || g.attname, '') || ': ' || g.privilege_type || ' to '
            || case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end
            || case when g.is_grantable then ', to pass on' else '' end
     from pg_class c
     cross join lateral (
       select null::name as attname, x.* from aclexplode(c.relacl) x
       union all
       select a.attname, x.* from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = c.oid
     ) g
     where not c.relispartition and g.grantee <> c.relowner and OURS(c.relnamespace)",
    // Postgres' own tables, as it grants them and as they are granted here.
    "select 'grant on ' || c.oid::regclass || ': ' || c.relacl::text
     from pg_class c
     left join pg_init_privs i on i.objoid = c.oid and i.classoid = 'pg_class'::regclass and i.objsubid = 0
     where c.oid < 16384 and c.relacl is distinct from i.initprivs",
    "select 'policy ' || p.polname || ' on ' || p.polrelid::regclass || ' ' || p.polcmd::text || ' '
            || case when p.polpermissive then 'permissive' else 'restrictive' end || ' to '
            || array(select case when r = 0 then 'everybody' else r::regrole::text end from unnest(p.polroles) r order by 1)::text
            || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
            || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
     from pg_policy p",
    "select 'function ' || p.oid::regprocedure || ' of ' || p.proowner::regrole || ' ' || p.provolatile::text || p.prokind::text
            || case when p.prosecdef then ' definer' else '' end || case when p.proleakproof then ' leakproof' else '' end
            || coalesce(' ' || p.proconfig::text, '')
            || ' for ' || coalesce((select string_agg(case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end, ', ' order by 1)
                 from (select distinct grantee from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))) g), 'nobody')
            || ' is ' || md5(coalesce(p.prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), ''))
     from pg_proc p where OURS(p.pronamespace)",
    "select 'trigger: ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text from pg_trigger t where not t.tgisinternal",
    "select 'event trigger ' || evtname || ' ' || evtevent || ' ' || evtfoid::regproc from pg_event_trigger",
    "select 'rule: ' || pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = r.ev_class where OURS(c.relnamespace)",
    "select 'key of ' || k.conrelid::regclass || ': ' || pg_get_constraintdef(k.oid)
     from pg_constraint k join pg_class c on c.oid = k.conrelid
     where k.contype in ('f', 'x', 'u', 'p') and k.conparentid = 0 and not c.relispartition and OURS(k.connamespace)",
    "select 'index: ' || pg_get_indexdef(i.indexrelid)
     from pg_index i join pg_class c on c.oid = i.indrelid
     where not c.relispartition and (i.indexprs is not null or i.indpred is not null or i.indisunique) and OURS(c.relnamespace)",
    "select 'column ' || d.adrelid::regclass || '.' || a.attname || case when a.attgenerated <> '' then ' is always ' else ' is ' end
            || pg_get_expr(d.adbin, d.adrelid)
     from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class c on c.oid = d.adrelid
     where not c.relispartition and OURS(c.relnamespace)",
    "select 'child ' || inhrelid::regclass || ' of ' || inhparent::regclass
     from pg_inherits join pg_class c on c.oid = inhrelid where not c.relispartition and c.relkind = 'r'",
    "select 'cast from ' || castsource::regtype || ' to ' || casttarget::regtype from pg_cast where oid >= 16384
     union all select 'operator ' || oid::regoperator from pg_operator where oid >= 16384
     union all select 'domain ' || t.oid::regtype from pg_type t where t.typtype = 'd' and OURS(t.typnamespace)
     union all select 'large object' from pg_largeobject_metadata
     union all select 'comment on ' || objoid::regclass || ': ' || description from pg_description
       where classoid = 'pg_class'::regclass and objoid >= 16384",
    "select 'schema ' || n.nspname || ': ' || g.privilege_type || ' to '
            || case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end
     from pg_namespace n, aclexplode(n.nspacl) g where g.grantee <> n.nspowner and n.nspname !~ '^(pg_|information_schema)'
     union all
     select 'outside of workspaces: ' || table_name || ': ' || reason from ops.tables_outside_workspaces",
    "select 'setting of ' || case when s.setrole = 0 then 'everybody' else s.setrole::regrole::text end
            || case when s.setdatabase = 0 then '' else ' here' end || ': ' || c
     from pg_db_role_setting s, unnest(s.setconfig) c
     where s.setdatabase = 0 or s.setdatabase = (select oid from pg_database where datname = current_database())",
];

/// As Postgres' own schemas are told apart.
fn filled(sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("OURS(") {
        let (schema, later) = after.split_once(')').expect("a schema");
        out += before;
        out += &format!("{schema}::regnamespace::text !~ '^(pg_|information_schema)'");
        rest = later;
    }
    out + rest
}

/// The whole, sorted.
pub async fn lines(db: &Client) -> BTreeSet<String> {
    // Names are written with their schema when it is not on the path.
    db.batch_execute("set search_path = public").await.expect("a search path");
    let mut all = BTreeSet::new();
    for kind in KINDS {
        let sql = filled(kind);
        let rows = db.query(&sql, &[]).await.unwrap_or_else(|e| panic!("the catalogue cannot be read: {e:?}\n{sql}"));
        all.extend(rows.iter().map(|row| row.get::<_, String>(0).split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    all
}

const FILE: &str = include_str!("surface.txt");

/// What is there and not in the file, and the other way round.
pub async fn differences(db: &Client) -> Vec<String> {
    let (now, then) = (lines(db).await, FILE.lines().map(str::to_owned).collect::<BTreeSet<_>>());
    let new = now.difference(&then).map(|line| format!("new: {line}"));
    new.chain(then.difference(&now).map(|line| format!("gone: {line}"))).collect()
}
