//! Reads the catalogue and says what breaks a rule, one line each.

use super::objects;
use super::rules::{
    AUDIT_OF_THE_CHAIN, BEYOND_POLICIES, INGEST_READS_OF_BRONZE, ROLES, SAME_WORKSPACE, asks_for_a_grant,
    compares_the_sites, compares_the_workspace, is_of_sites, support_may_have,
};
use tokio_postgres::{Client, Row};

const OURS: &str = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

async fn rows(db: &Client, sql: &str) -> Vec<Row> {
    db.query(sql, &[]).await.unwrap_or_else(|e| panic!("the catalogue cannot be read: {e:?}\n{sql}"))
}

/// Every finding; none is good. Looks at all schemas but Postgres' own.
pub async fn check(db: &Client) -> Vec<String> {
    // Names are written with their schema when it is not on the path.
    db.batch_execute("set search_path = public").await.expect("a search path");
    let mut found = Vec::new();
    tables(db, &mut found).await;
    policies(db, &mut found).await;
    keys(db, &mut found).await;
    grants(db, &mut found).await;
    views_and_functions(db, &mut found).await;
    roles(db, &mut found).await;
    objects::check(db, &mut found).await;
    found
}

async fn tables(db: &Client, found: &mut Vec<String>) {
    let sql = format!(
        "select n.nspname || '.' || c.relname as name, c.relispartition, c.relrowsecurity and c.relforcerowsecurity as forced,
                exists (select from ops.tables_outside_workspaces o where o.table_name = n.nspname || '.' || c.relname) as listed,
                (select a.attnotnull from pg_attribute a
                 where a.attrelid = c.oid and a.attname = 'workspace_id' and a.atttypid = 'uuid'::regtype) as not_null,
                (select pg_get_expr(d.adbin, d.adrelid) = 'app_workspace()'
                 from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                 where a.attrelid = c.oid and a.attname = 'workspace_id') as defaulted,
                (select count(*) from pg_policy p where p.polrelid = c.oid) as policies,
                exists (select from aclexplode(c.relacl) g where g.grantee <> c.relowner)
                  or exists (select from pg_attribute a, aclexplode(a.attacl) g where a.attrelid = c.oid) as granted,
                has_any_column_privilege('clarity_app', c.oid, 'SELECT, INSERT, UPDATE')
                  or has_table_privilege('clarity_app', c.oid, 'DELETE') as app_granted
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and {OURS}"
    );
    for row in rows(db, &sql).await {
        let name: String = row.get("name");
        let mut say = |text: &str| found.push(format!("{name}: {text}"));
        if row.get::<_, bool>("listed") {
            if row.get("app_granted") {
                say("is listed as outside of workspaces, and granted to clarity_app");
            }
            continue;
        }
        if !row.get::<_, bool>("forced") {
            say("row-level security is not enabled and forced");
        }
        if row.get("relispartition") {
            if row.get::<_, i64>("policies") > 0 {
                say("is a partition, and has policies");
            }
            if row.get("granted") {
                say("is a partition, and granted");
            }
            continue;
        }
        match row.get::<_, Option<bool>>("not_null") {
            None => say("has no workspace_id"),
            Some(false) => say("workspace_id may be null"),
            Some(true) if row.get::<_, Option<bool>>("defaulted") != Some(true) => {
                say("workspace_id has not app_workspace() as its default");
            }
            Some(true) => {}
        }
    }
    let gone = "select table_name from ops.tables_outside_workspaces where to_regclass(table_name) is null";
    for row in rows(db, gone).await {
        let name: String = row.get(0);
        found.push(format!("{name}: is listed as outside of workspaces, and does not exist"));
    }
}

/// Tenant tables that policies and keys are asked of: neither listed nor partitions.
const TENANT: &str = "c.relkind in ('r', 'p') and not c.relispartition
   and not exists (select from ops.tables_outside_workspaces o where o.table_name = n.nspname || '.' || c.relname)";

async fn policies(db: &Client, found: &mut Vec<String>) {
    let sql = format!(
        "select n.nspname || '.' || c.relname as name, p.polname as policy, p.polpermissive as permissive,
                p.polcmd = '*' as all_commands, 0 = any(p.polroles) as everybody,
                'clarity_ops'::regrole::oid = any(p.polroles) as of_support,
                p.polroles = array['clarity_app'::regrole::oid] as of_members,
                has_any_column_privilege('clarity_app', c.oid, 'SELECT') as read_by_members,
                (select array_agg(a.attname::text) from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
                pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checks
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         left join pg_policy p on p.polrelid = c.oid
         where {TENANT} and {OURS}
         order by 1"
    );
    let all = rows(db, &sql).await;
    for table in all.chunk_by(|a, b| a.get::<_, String>("name") == b.get::<_, String>("name")) {
        let name: String = table[0].get("name");
        let mut say = |text: String| found.push(format!("{name}: {text}"));
        let existing = table.iter().filter(|row| row.get::<_, Option<String>>("policy").is_some());
        let (permissive, restrictive): (Vec<&Row>, Vec<&Row>) = existing.partition(|row| row.get("permissive"));
        let boundaries: Vec<&&Row> =
            restrictive.iter().filter(|row| row.get::<_, String>("policy") == "tenant_boundary").collect();
        let limits: Vec<&&Row> =
            restrictive.iter().filter(|row| row.get::<_, String>("policy") == "member_sites").collect();
        if boundaries.len() != 1 || restrictive.len() != 1 + limits.len() {
            say(format!("{} restrictive boundaries, and there has to be one", boundaries.len()));
        }
        let columns: Vec<String> = table[0].get("columns");
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        if table[0].get("read_by_members") && is_of_sites(&name, &columns) && limits.is_empty() {
            say("members who are limited to sites see all of it".into());
        }
        for limit in limits {
            if !limit.get::<_, bool>("all_commands") || !limit.get::<_, bool>("of_members") {
                say("the policy of sites is not for all that members do, and for them alone".into());
            }
            let (using, checks): (Option<String>, Option<String>) = (limit.get("using"), limit.get("checks"));
            if checks.is_some() || !using.is_some_and(|using| compares_the_sites(&name, &using)) {
                say("the policy of sites does not compare the sites, and nothing else".into());
            }
        }
        for boundary in boundaries {
            if !boundary.get::<_, bool>("all_commands") {
                say("the boundary is not for all commands".into());
            }
            if !boundary.get::<_, bool>("everybody") {
                say("the boundary is not for all roles".into());
            }
            let conditions: [Option<String>; 2] = [boundary.get("using"), boundary.get("checks")];
            if conditions.iter().any(|c| c.as_deref() != Some(SAME_WORKSPACE)) {
                say("the boundary does not compare the workspace, and nothing else".into());
            }
        }
        for row in permissive {
            let policy: String = row.get("policy");
            if row.get("everybody") {
                say(format!("policy {policy} is for everybody"));
            }
            let conditions: [Option<String>; 2] = [row.get("using"), row.get("checks")];
            if conditions.iter().flatten().any(|condition| !compares_the_workspace(condition)) {
                say(format!("policy {policy} does not compare the workspace"));
            }
            if row.get("of_support") && !conditions.iter().flatten().all(|condition| asks_for_a_grant(condition)) {
                say(format!("policy {policy} lets support in without a grant"));
            }
        }
    }
}

async fn keys(db: &Client, found: &mut Vec<String>) {
    let unique = format!(
        "select n.nspname || '.' || c.relname as name, i.indexrelid::regclass::text as index_name, i.indisprimary,
                (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = i.indkey[0]) as first
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_index i on i.indrelid = c.oid and (i.indisunique or i.indisexclusion)
         where {TENANT} and {OURS}"
    );
    let mut with_primary = Vec::new();
    for row in rows(db, &unique).await {
        let (name, index): (String, String) = (row.get("name"), row.get("index_name"));
        if row.get::<_, Option<String>>("first").as_deref() != Some("workspace_id") {
            found.push(format!("{name}: unique index {index} does not begin with workspace_id"));
        }
        if row.get("indisprimary") {
            with_primary.push(name);
        }
    }
    for row in rows(db, &format!("select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where {TENANT} and {OURS}")).await {
        let name: String = row.get(0);
        if !with_primary.contains(&name) {
            found.push(format!("{name}: has no primary key"));
        }
    }
    // Checks of foreign keys ignore policies: one without the workspace accepts another workspace's row.
    let foreign = format!(
        "select n.nspname || '.' || c.relname as name, k.conname as key,
                exists (
                  select from unnest(k.conkey, k.confkey) as pair (here, there)
                  join pg_attribute h on h.attrelid = k.conrelid and h.attnum = pair.here and h.attname = 'workspace_id'
                  join pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.there and t.attname = 'workspace_id'
                ) as carries
         from pg_constraint k
         join pg_class c on c.oid = k.conrelid
         join pg_namespace n on n.oid = c.relnamespace
         where k.contype = 'f' and k.conparentid = 0 and {OURS}
           and ({TENANT} or exists (
             select from pg_class r join pg_namespace s on s.oid = r.relnamespace
             where r.oid = k.confrelid
               and not exists (select from ops.tables_outside_workspaces o where o.table_name = s.nspname || '.' || r.relname)))"
    );
    for row in rows(db, &foreign).await {
        if !row.get::<_, bool>("carries") {
            let (name, key): (String, String) = (row.get("name"), row.get("key"));
            found.push(format!("{name}: foreign key {key} does not carry workspace_id"));
        }
    }
}

async fn grants(db: &Client, found: &mut Vec<String>) {
    let sql = format!(
        "select n.nspname as schema, n.nspname || '.' || c.relname as name, g.column_name, g.privilege_type as privilege,
                case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end as grantee, g.is_grantable
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         cross join lateral (
           select null::text as column_name, x.* from aclexplode(c.relacl) x
           union all
           select a.attname, x.* from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = c.oid
         ) g
         where {OURS} and g.grantee <> c.relowner"
    );
    for row in rows(db, &sql).await {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        let (grantee, privilege): (String, String) = (row.get("grantee"), row.get("privilege"));
        let mut say = |text: String| found.push(format!("{name}: {text}"));
        if grantee == "everybody" {
            say("granted to everybody".into());
            continue;
        }
        if row.get("is_grantable") {
            say(format!("{grantee} may pass on {privilege}"));
        }
        let rule = ROLES.iter().find(|rule| rule.name == grantee);
        let allowed = rule.is_some_and(|rule| rule.schemas.contains(&schema.as_str()));
        let column: Option<String> = row.get("column_name");
        let beyond_support =
            grantee == "clarity_ops" && schema == "public" && !support_may_have(&name, &privilege, column.as_deref());
        let changes_audit = match name.as_str() {
            // Added to column by column, so that place, time and hashes are the trigger's.
            "public.audit_entries" => match privilege.as_str() {
                "SELECT" => false,
                "INSERT" => column.is_none_or(|column| AUDIT_OF_THE_CHAIN.contains(&column.as_str())),
                _ => true,
            },
            "public.audit_heads" | "public.audit_anchors" => privilege != "SELECT",
            _ => false,
        };
        if !allowed || changes_audit || beyond_support || BEYOND_POLICIES.contains(&privilege.as_str()) {
            say(format!("{privilege} granted to {grantee}"));
        }
    }
    let chained = "select exists (select from pg_trigger t
                     where t.tgrelid = 'public.audit_entries'::regclass and t.tgname = 'chain' and t.tgenabled = 'O'
                       and t.tgfoid = 'public.chain_audit_entry'::regproc and t.tgtype = 7)";
    for row in rows(db, chained).await {
        if !row.get::<_, bool>(0) {
            found.push("public.audit_entries: no trigger chains its entries".into());
        }
    }
    let payload = "select attname from pg_attribute
                   where attrelid = 'public.bronze_segments'::regclass and attnum > 0 and not attisdropped
                     and has_column_privilege('clarity_ingest', attrelid, attnum, 'SELECT')";
    for row in rows(db, payload).await {
        let column: String = row.get(0);
        if !INGEST_READS_OF_BRONZE.contains(&column.as_str()) {
            found.push(format!("clarity_ingest may read bronze_segments.{column}"));
        }
    }
    let schemas = format!(
        "select n.nspname as name, g.privilege_type as privilege,
                case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end as grantee
         from pg_namespace n, aclexplode(n.nspacl) g
         where {OURS} and g.grantee <> n.nspowner and (g.grantee = 0 or g.privilege_type = 'CREATE')"
    );
    for row in rows(db, &schemas).await {
        let (name, privilege, grantee): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        found.push(format!("schema {name}: {privilege} granted to {grantee}"));
    }
    let database =
        "select g.privilege_type from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g
                    where d.datname = current_database() and g.grantee = 0";
    for row in rows(db, database).await {
        found.push(format!("the database: {} granted to everybody", row.get::<_, String>(0)));
    }
}

async fn views_and_functions(db: &Client, found: &mut Vec<String>) {
    let views = format!(
        "select n.nspname || '.' || c.relname as name, c.relkind = 'm' as materialized,
                coalesce('security_invoker=true' = any(c.reloptions) or 'security_invoker=on' = any(c.reloptions), false) as invoker
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('v', 'm') and {OURS}"
    );
    for row in rows(db, &views).await {
        let name: String = row.get("name");
        if row.get("materialized") {
            found.push(format!("{name}: is a materialized view, which policies cannot hold back"));
        } else if !row.get::<_, bool>("invoker") {
            found.push(format!("{name}: is a view without security_invoker"));
        }
    }
    let functions = format!(
        "select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
                p.prosecdef as definer, p.proleakproof as leakproof, r.rolsuper as of_superuser,
                coalesce((select bool_or(c like 'search_path=%') from unnest(p.proconfig) c), false) as pinned,
                exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where g.grantee = 0) as everybody
         from pg_proc p
         join pg_namespace n on n.oid = p.pronamespace
         join pg_roles r on r.oid = p.proowner
         where {OURS} and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
    );
    for row in rows(db, &functions).await {
        let name: String = row.get("name");
        let mut say = |text: &str| found.push(format!("function {name}: {text}"));
        if row.get("everybody") {
            say("everybody may execute it");
        }
        if row.get("leakproof") {
            say("is marked LEAKPROOF");
        }
        if row.get("definer") {
            if !row.get::<_, bool>("pinned") {
                say("SECURITY DEFINER without a pinned search path");
            }
            if row.get("of_superuser") {
                say("SECURITY DEFINER of a superuser");
            }
        }
    }
    for row in rows(db, "select pubname::text from pg_publication").await {
        found.push(format!("publication {}: sends rows past every policy", row.get::<_, String>(0)));
    }
}

async fn roles(db: &Client, found: &mut Vec<String>) {
    let sql = "select rolname::text as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as strong, rolreplication,
                      exists (select from pg_auth_members m where m.member = r.oid or m.roleid = r.oid) as member,
                      exists (select from pg_class c where c.relowner = r.oid) as owns
               from pg_roles r where rolname like 'clarity\\_%'";
    let all = rows(db, sql).await;
    for rule in &ROLES {
        if !all.iter().any(|row| row.get::<_, String>("name") == rule.name) {
            found.push(format!("role {}: does not exist", rule.name));
        }
    }
    for row in all {
        let name: String = row.get("name");
        if row.get("strong") {
            found.push(format!("role {name}: may look past policies, or make roles or databases"));
        }
        if row.get::<_, bool>("rolreplication") != (name == "clarity_backup") {
            found.push(format!("role {name}: has the replication attribute wrong"));
        }
        if row.get("member") {
            found.push(format!("role {name}: is in a membership"));
        }
        if row.get::<_, bool>("owns") && name != "clarity_owner" {
            found.push(format!("role {name}: owns a table"));
        }
    }
}
