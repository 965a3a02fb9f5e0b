//! What the customer's catalogue says of tables and types, as our stream schemas.

use super::decode::RelationMessage;
use super::encode::{CellKind, Shape};
use crate::masks::SourceMasks;
use clarity_wire::body::{Column, StreamSchema};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::{Client, Error};

/// A Relation message that outlives the buffer it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    pub id: u32,
    pub schema: String,
    pub table: String,
    pub identity: u8,
    pub columns: Vec<RelationColumn>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RelationColumn {
    pub name: String,
    pub type_oid: u32,
    pub type_modifier: i32,
    pub identity: bool,
}

impl From<&RelationMessage<'_>> for Relation {
    fn from(m: &RelationMessage<'_>) -> Self {
        Self {
            id: m.id,
            schema: m.schema.to_owned(),
            table: m.name.to_owned(),
            identity: m.identity,
            columns: m
                .columns
                .iter()
                .map(|c| RelationColumn {
                    name: c.name.to_owned(),
                    type_oid: c.type_oid,
                    type_modifier: c.type_modifier,
                    identity: c.identity,
                })
                .collect(),
        }
    }
}

impl Relation {
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// A column that a snapshot reads.
#[derive(Clone, Debug)]
pub struct TableColumn {
    pub name: String,
    pub type_oid: u32,
    pub type_modifier: i32,
    /// With it a text is cast back into the column's type.
    pub sql_type: String,
    pub comment: Option<String>,
    /// Place in the primary key, from 0.
    pub key_place: Option<i32>,
}

#[derive(Clone, Debug)]
struct TypeInfo {
    /// `int4`, `text[]`; for a domain its base type.
    name: String,
    base_oid: u32,
    /// A domain's own modifier, e.g. of `numeric(12,3)`.
    modifier: i32,
}

/// Looks up and remembers types. Whatever it describes is masked: no other place makes a shape.
pub struct Catalog {
    client: Arc<Client>,
    masks: SourceMasks,
    types: HashMap<u32, TypeInfo>,
}

impl Catalog {
    pub fn new(client: Arc<Client>, masks: SourceMasks) -> Self {
        Self { client, masks, types: HashMap::new() }
    }

    /// Describes a streamed table: columns as the message has them, primary key and comments as they are now.
    pub async fn shape(&mut self, relation: &Relation) -> Result<Shape, Error> {
        let now = self.columns(relation.id).await?;
        let now: HashMap<_, _> = now.iter().map(|c| (c.name.as_str(), c)).collect();
        let has_primary_key = now.values().any(|c| c.key_place.is_some());
        let mut columns = Vec::with_capacity(relation.columns.len());
        let mut kinds = Vec::with_capacity(relation.columns.len());
        for column in &relation.columns {
            let (type_name, base) = self.type_of(column.type_oid, column.type_modifier).await?;
            let known = now.get(column.name.as_str());
            let key = if has_primary_key {
                known.is_some_and(|c| c.key_place.is_some())
            } else {
                column.identity && relation.identity != b'f'
            };
            let comment = known.and_then(|c| c.comment.clone());
            columns.push(Column { name: column.name.clone(), type_name, key, comment });
            kinds.push(CellKind::of_type(base));
        }
        let schema = StreamSchema { name: relation.name(), columns, full_old_row: relation.identity == b'f' };
        let identity = relation.columns.iter().map(|c| c.identity).collect();
        Ok(Shape { schema, kinds, identity, masks: None }.masked(&self.masks))
    }

    /// Describes a table for its snapshot.
    pub async fn table_shape(&mut self, name: &str, columns: &[TableColumn], full: bool) -> Result<Shape, Error> {
        let mut described = Vec::with_capacity(columns.len());
        let mut kinds = Vec::with_capacity(columns.len());
        for column in columns {
            let (type_name, base) = self.type_of(column.type_oid, column.type_modifier).await?;
            described.push(Column {
                name: column.name.clone(),
                type_name,
                key: column.key_place.is_some(),
                comment: column.comment.clone(),
            });
            kinds.push(CellKind::of_type(base));
        }
        let schema = StreamSchema { name: name.to_owned(), columns: described, full_old_row: full };
        Ok(Shape { schema, identity: vec![true; kinds.len()], kinds, masks: None }.masked(&self.masks))
    }

    /// Columns that the log carries (no generated ones), in the table's order.
    pub async fn columns(&self, table: u32) -> Result<Vec<TableColumn>, Error> {
        let rows = self
            .client
            .query(
                "select a.attname::text, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod),
                        col_description(a.attrelid, a.attnum),
                        array_position(i.indkey::int2[], a.attnum)
                 from pg_attribute a
                 left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
                 where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                 order by a.attnum",
                &[&table],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|r| TableColumn {
                name: r.get(0),
                type_oid: r.get(1),
                type_modifier: r.get(2),
                sql_type: r.get(3),
                comment: r.get(4),
                key_place: r.get(5),
            })
            .collect())
    }

    /// A type's name with its modifier, and the oid of the type it stands on.
    async fn type_of(&mut self, oid: u32, modifier: i32) -> Result<(String, u32), Error> {
        if !self.types.contains_key(&oid) {
            let info = self.look_up(oid).await?;
            self.types.insert(oid, info);
        }
        let info = &self.types[&oid];
        let modifier = if modifier >= 0 { modifier } else { info.modifier };
        Ok((with_modifier(&info.name, modifier), info.base_oid))
    }

    async fn look_up(&self, oid: u32) -> Result<TypeInfo, Error> {
        let (mut base_oid, mut modifier, mut array) = (oid, -1, false);
        let mut name = String::from("unknown");
        // Domains over domains, and arrays of them, are few steps deep; a bound keeps a broken catalogue harmless.
        for _ in 0..32 {
            let row = self
                .client
                .query_opt(
                    "select typname::text, typtype::text, typbasetype, typtypmod, typelem, typcategory::text
                     from pg_type where oid = $1",
                    &[&base_oid],
                )
                .await?;
            let Some(row) = row else { break };
            let (kind, domain_base, element): (String, u32, u32) = (row.get(1), row.get(2), row.get(4));
            if kind == "d" {
                if modifier < 0 {
                    modifier = row.get(3);
                }
                base_oid = domain_base;
            } else if row.get::<_, String>(5) == "A" && element != 0 {
                array = true;
                base_oid = element;
            } else {
                name = row.get(0);
                break;
            }
        }
        Ok(if array {
            TypeInfo { name: name + "[]", base_oid: 0, modifier }
        } else {
            TypeInfo { name, base_oid, modifier }
        })
    }
}

/// `numeric(12,3)`, `varchar(20)`, `timestamptz(3)`; arrays keep their brackets at the end.
fn with_modifier(name: &str, modifier: i32) -> String {
    if modifier < 0 {
        return name.to_owned();
    }
    let (plain, brackets) = name.strip_suffix("[]").map_or((name, ""), |n| (n, "[]"));
    match plain {
        "numeric" if modifier >= 4 => {
            let m = modifier - 4;
            // The scale is signed since Postgres 15.
            let scale = ((m & 0x7ff) ^ 1024) - 1024;
            format!("numeric({},{scale}){brackets}", (m >> 16) & 0xffff)
        }
        "varchar" | "bpchar" if modifier >= 4 => format!("{plain}({}){brackets}", modifier - 4),
        "bit" | "varbit" | "time" | "timetz" | "timestamp" | "timestamptz" => format!("{plain}({modifier}){brackets}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_modifier;

    #[test]
    fn modifiers() {
        assert_eq!(with_modifier("numeric", ((12 << 16) | 3) + 4), "numeric(12,3)");
        assert_eq!(with_modifier("numeric", ((2 << 16) | (-3 & 0x7ff)) + 4), "numeric(2,-3)");
        assert_eq!(with_modifier("numeric", -1), "numeric");
        assert_eq!(with_modifier("varchar[]", 24), "varchar(20)[]");
        assert_eq!(with_modifier("timestamptz", 3), "timestamptz(3)");
        assert_eq!(with_modifier("int4", -1), "int4");
    }
}
