//! What there is to attack, read from the catalogue: a new table, view, function or role is attacked without a word here.

use tokio_postgres::{Client, Row};

/// Everything a runtime role could reach for.
pub struct Surface {
    pub roles: Vec<Role>,
    pub relations: Vec<Relation>,
    pub functions: Vec<Function>,
}

/// A login role that may enter the database.
pub struct Role {
    pub name: String,
    /// Owns the tables: what only an owner may do is no attempt of its.
    pub owner: bool,
}

#[derive(Clone)]
pub struct Relation {
    /// With its schema, quoted where SQL needs it.
    pub name: String,
    pub kind: Kind,
    /// The root of a partition, else the table itself: members of a family have the same values.
    pub family: String,
    /// On the list of tables outside of workspaces.
    pub outside: bool,
    pub columns: Vec<Column>,
    /// The primary key's columns; empty where there is none.
    pub key: Vec<String>,
    pub foreign: Vec<Foreign>,
    /// Where a partition, or a partitioned table's first one, takes rows: column and value.
    pub bound: Option<(String, String)>,
    pub grants: Vec<Grant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Table,
    Partitioned,
    Partition,
    View,
    Sequence,
    Toast,
}

#[derive(Clone)]
pub struct Column {
    pub name: String,
    pub number: i16,
    /// As `format_type` writes it.
    pub kind: String,
    /// The condition of a CHECK on this column alone.
    pub check: Option<String>,
}

#[derive(Clone)]
pub struct Foreign {
    pub columns: Vec<String>,
    pub target: String,
    pub target_columns: Vec<String>,
}

/// What a role may do with a relation.
#[derive(Clone)]
pub struct Grant {
    pub role: String,
    pub select: Vec<String>,
    /// Columns that it may give a new row.
    pub insert: Vec<String>,
    /// Columns that it may change.
    pub update: Vec<String>,
    pub delete: bool,
}

pub struct Function {
    pub name: String,
    pub arguments: Vec<String>,
    pub procedure: bool,
    /// Roles that may call it.
    pub callers: Vec<String>,
}

impl Relation {
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.name == column)
    }

    pub fn grant(&self, role: &str) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.role == role)
    }

    /// As a role may fill it, when it may not give all columns of a new row.
    pub fn narrowed_for(&self, role: &str) -> Option<Self> {
        let grant = self.grant(role).filter(|grant| !grant.insert.is_empty())?;
        let columns: Vec<Column> = self.columns.iter().filter(|c| grant.insert.contains(&c.name)).cloned().collect();
        (columns.len() < self.columns.len()).then(|| Self { columns, ..self.clone() })
    }

    /// Holds rows of its own or its partitions'.
    pub fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table | Kind::Partitioned | Kind::Partition)
    }
}

const OURS: &str = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

async fn rows(db: &Client, sql: &str) -> Vec<Row> {
    db.query(sql, &[]).await.unwrap_or_else(|e| panic!("the catalogue cannot be read: {e:?}\n{sql}"))
}

impl Surface {
    pub async fn read(db: &Client) -> Self {
        db.batch_execute("set search_path = pg_catalog").await.expect("a search path");
        let roles = roles(db).await;
        let mut relations = relations(db).await;
        let grants = grants(db).await;
        for relation in &mut relations {
            let of = grants.iter().filter(|(name, _)| *name == relation.name);
            relation.grants = of.map(|(_, grant)| grant.clone()).collect();
        }
        Self { roles, relations, functions: functions(db).await }
    }

    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}

async fn roles(db: &Client) -> Vec<Role> {
    let sql = "select rolname::text, exists (select from pg_class c where c.relowner = r.oid)
               from pg_roles r
               where rolcanlogin and not rolsuper and rolname like 'clarity\\_%'
                 and has_database_privilege(r.oid, current_database(), 'CONNECT')
               order by 1";
    rows(db, sql).await.iter().map(|row| Role { name: row.get(0), owner: row.get(1) }).collect()
}

async fn relations(db: &Client) -> Vec<Relation> {
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) as name, c.relkind::text as kind, c.relispartition as partition,
                (select format('%I.%I', s.nspname, t.relname) from pg_class t join pg_namespace s on s.oid = t.relnamespace
                 where t.oid = coalesce(pg_partition_root(c.oid), c.oid)) as family,
                exists (select from ops.tables_outside_workspaces o where o.table_name = n.nspname || '.' || c.relname) as outside,
                coalesce((select array_agg(quote_ident(a.attname) order by k.place)
                          from pg_index i, unnest(i.indkey) with ordinality k (number, place), pg_attribute a
                          where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.number),
                         '{{}}') as key,
                (select quote_ident(a.attname) from pg_partitioned_table p, pg_attribute a
                 where p.partrelid = pg_partition_root(c.oid) and a.attrelid = c.oid
                   and a.attname = (select b.attname from pg_attribute b
                                    where b.attrelid = p.partrelid and b.attnum = p.partattrs[0])) as split_by,
                (select pg_get_expr(l.relpartbound, l.oid) from pg_class l
                 where l.relispartition and l.oid in (select relid from pg_partition_tree(c.oid) where isleaf)
                 order by l.relname limit 1) as bound
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and {OURS}
            or c.relkind = 't' and exists (select from pg_class o join pg_namespace n on n.oid = o.relnamespace
                                           where o.reltoastrelid = c.oid and {OURS})
         order by 1"
    );
    let (columns, foreign) = (columns(db).await, foreign(db).await);
    let relation = |row: &Row| {
        let name: String = row.get("name");
        let (kind, partition): (String, bool) = (row.get("kind"), row.get("partition"));
        let kind = match kind.as_str() {
            "r" | "f" if partition => Kind::Partition,
            "r" | "f" => Kind::Table,
            "p" => Kind::Partitioned,
            "S" => Kind::Sequence,
            "t" => Kind::Toast,
            _ => Kind::View,
        };
        let (split_by, bound): (Option<String>, Option<String>) = (row.get("split_by"), row.get("bound"));
        Relation {
            kind,
            family: row.get("family"),
            outside: row.get("outside"),
            columns: columns.iter().filter(|(of, _)| *of == name).map(|(_, column)| column.clone()).collect(),
            key: row.get("key"),
            foreign: foreign.iter().filter(|(of, _)| *of == name).map(|(_, key)| key.clone()).collect(),
            bound: split_by.zip(bound.as_deref().and_then(first_value)),
            grants: Vec::new(),
            name,
        }
    };
    rows(db, &sql).await.iter().map(relation).collect()
}

/// The first value of `FOR VALUES FROM ('a') TO ('b')` or `FOR VALUES IN (a, b)`.
fn first_value(bound: &str) -> Option<String> {
    let (_, list) = bound.split_once('(')?;
    Some(list.split([',', ')']).next()?.trim_matches('\'').to_owned())
}

async fn columns(db: &Client) -> Vec<(String, Column)> {
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) as relation, quote_ident(a.attname) as name, a.attnum,
                format_type(a.atttypid, a.atttypmod) as kind,
                (select pg_get_constraintdef(k.oid) from pg_constraint k
                 where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1) as condition
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
         where c.relkind in ('r', 'p', 'v', 'm', 'f') and {OURS}
         order by 1, a.attnum"
    );
    let column = |row: &Row| {
        let number = row.get("attnum");
        let column = Column { name: row.get("name"), number, kind: row.get("kind"), check: row.get("condition") };
        (row.get("relation"), column)
    };
    rows(db, &sql).await.iter().map(column).collect()
}

async fn foreign(db: &Client) -> Vec<(String, Foreign)> {
    let named = |numbers: &str, relation: &str| {
        format!(
            "(select array_agg(quote_ident(a.attname) order by x.place)
              from unnest({numbers}) with ordinality x (number, place)
              join pg_attribute a on a.attrelid = {relation} and a.attnum = x.number)"
        )
    };
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) as relation, {} as columns, {} as target_columns,
                (select format('%I.%I', s.nspname, t.relname) from pg_class t join pg_namespace s on s.oid = t.relnamespace
                 where t.oid = k.confrelid) as target
         from pg_constraint k
         join pg_class c on c.oid = k.conrelid
         join pg_namespace n on n.oid = c.relnamespace
         where k.contype = 'f' and {OURS}",
        named("k.conkey", "k.conrelid"),
        named("k.confkey", "k.confrelid")
    );
    let foreign = |row: &Row| {
        let key = Foreign {
            columns: row.get("columns"),
            target: row.get("target"),
            target_columns: row.get("target_columns"),
        };
        (row.get("relation"), key)
    };
    rows(db, &sql).await.iter().map(foreign).collect()
}

async fn grants(db: &Client) -> Vec<(String, Grant)> {
    // A grant on a table in a schema that the role cannot enter opens nothing.
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) as relation, r.rolname::text as role,
                coalesce((select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
                          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                            and has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')), '{{}}') as selects,
                coalesce((select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
                          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                            and has_column_privilege(r.oid, c.oid, a.attnum, 'INSERT')), '{{}}') as inserts,
                coalesce((select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
                          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                            and has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE')), '{{}}') as updates,
                has_table_privilege(r.oid, c.oid, 'DELETE') as deletes
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         cross join pg_roles r
         where c.relkind in ('r', 'p', 'v', 'm', 'f') and {OURS}
           and r.rolcanlogin and not r.rolsuper and r.rolname like 'clarity\\_%'
           and has_schema_privilege(r.oid, n.oid, 'USAGE')"
    );
    let grant = |row: &Row| {
        let grant = Grant {
            role: row.get("role"),
            select: row.get("selects"),
            insert: row.get("inserts"),
            update: row.get("updates"),
            delete: row.get("deletes"),
        };
        (row.get::<_, String>("relation"), grant)
    };
    let all = rows(db, &sql).await;
    let open = |grant: &Grant| {
        !grant.select.is_empty() || !grant.insert.is_empty() || !grant.update.is_empty() || grant.delete
    };
    all.iter().map(grant).filter(|(_, grant)| open(grant)).collect()
}

async fn functions(db: &Client) -> Vec<Function> {
    let sql = format!(
        "select format('%I.%I', n.nspname, p.proname) as name, p.prokind = 'p' as procedure,
                coalesce((select array_agg(format_type(t.kind, null) order by t.place)
                          from unnest(p.proargtypes) with ordinality t (kind, place)), '{{}}') as arguments,
                coalesce((select array_agg(r.rolname::text order by r.rolname) from pg_roles r
                          where r.rolcanlogin and not r.rolsuper and r.rolname like 'clarity\\_%'
                            and has_schema_privilege(r.oid, n.oid, 'USAGE')
                            and has_function_privilege(r.oid, p.oid, 'EXECUTE')), '{{}}') as callers
         from pg_proc p
         join pg_namespace n on n.oid = p.pronamespace
         where {OURS} and p.prorettype <> 'trigger'::regtype and p.prokind in ('f', 'p')
         order by 1"
    );
    let function = |row: &Row| Function {
        name: row.get("name"),
        arguments: row.get("arguments"),
        procedure: row.get("procedure"),
        callers: row.get("callers"),
    };
    rows(db, &sql).await.iter().map(function).collect()
}
